//! Stages of recognition: the motion from onset to apex, and the network that reads it.

use std::hint::black_box;

use super::material::Material;
use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::face::{FaceDetector, LandmarkPredictor};
use crate::model::motion_map::MotionMap;
use crate::motion::luma::LumaPatch;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::NnDevice;
use crate::recognition::{ExpressionMotion, FacePicture, FaceReader, MotionMeter};
use crate::session::QUICK_WIDEST;

const BATCHES: [(usize, &str); 2] = [(1, "AU-Flow, batch 1"), (32, "AU-Flow, batch 32")];
/// Frames from onset to apex: a micro-expression's at 30 frames a second.
const SPACING: usize = 6;

/// Measures both on pairs of real frames, on the processor, where recognition runs.
pub(super) fn measure(bench: &mut Bench, material: &Material) -> Result<(), Failure> {
    if !bench.processor {
        return Ok(());
    }
    let detector = FaceDetector::new().map_err(Failure::other)?;
    let landmarks = LandmarkPredictor::find(None).map_err(Failure::other)?;
    let faces: Vec<FacePicture> = (material.frames.iter())
        .filter_map(|frame| {
            let face = *detector.search_still(&frame.picture).first()?;
            Some(FacePicture {
                patch: LumaPatch::at_most(&frame.picture, face.rect, 200.0),
                landmarks: landmarks.predict(&frame.picture, face.rect),
            })
        })
        .take(4 * SPACING)
        .collect();
    let pairs: Vec<(&FacePicture, &FacePicture)> =
        faces.iter().zip(faces.iter().skip(SPACING)).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let exact = MotionMeter::new(Tvl1Preset::Exact.params());
    let device = NnDevice::flex();
    let name = device.name().to_owned();
    let mut motions: Vec<ExpressionMotion> = Vec::new();
    for (meter, stage) in [
        (exact, "motion, onset to apex"),
        (exact.at_most(QUICK_WIDEST), "motion, just now"),
    ] {
        let Ok(motion) = meter.measure(pairs[0].0, pairs[0].1) else {
            return Ok(());
        };
        let subject = Subject::single(stage, (motion.framing.width, motion.framing.height));
        motions.push(motion);
        bench.time(subject, "processor", pairs.len(), |i| {
            black_box(
                meter
                    .measure(pairs[i].0, pairs[i].1)
                    .map_err(Failure::other)?,
            );
            Ok(())
        })?;
    }
    let reader = FaceReader::load(None, &device).map_err(Failure::other)?;
    let map: &MotionMap = &motions[0].map;
    for (batch, stage) in BATCHES {
        let maps = vec![map; batch];
        let subject = Subject {
            stage,
            size: (
                crate::model::flow_input::SIDE,
                crate::model::flow_input::SIDE,
            ),
            batch,
        };
        bench.time(subject, &name, 1, |_| {
            black_box(reader.logits(&maps).map_err(Failure::other)?);
            Ok(())
        })?;
    }
    Ok(())
}
