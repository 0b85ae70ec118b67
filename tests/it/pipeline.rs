//! The analysis as a whole: batches, and both sides of the machine.

#![allow(
    clippy::unwrap_used,
    reason = "what a test reads is there or the test fails"
)]

use std::sync::Arc;

use onset::base::{Plane, Similarity, Timestamp};
use onset::face::crop::HeldCrop;
use onset::face::tracker::TrackerParams;
use onset::face::{CROP_SIDE, CropHold, FaceTracker, LandmarkPredictor};
use onset::media::{Frame, InputSpec, open, sample};
use onset::model::softnet::SoftNet;
use onset::motion::engine::{EngineWindow, FlowEngine};
use onset::motion::luma::{self, LumaPatch};
use onset::motion::pipeline::WindowInput;
use onset::motion::tvl1::Tvl1Preset;
use onset::nn::NnDevice;
use onset::session::pipeline::Pipeline;
use onset::session::{Params, Resources};
use onset::spotting::signal::ScoreSample;
use onset::timeline::Event;

/// The first frames of the bundled clip.
fn bundled(count: usize) -> Vec<Frame> {
    let folder = tempfile::tempdir().unwrap();
    let path = sample::unpack(folder.path()).unwrap();
    let mut source = open(&InputSpec::path(path)).unwrap();
    std::iter::from_fn(|| source.next_frame().unwrap())
        .take(count)
        .collect()
}

fn samples(frames: &[Frame], mut pipeline: Pipeline) -> Vec<ScoreSample> {
    let mut events = Vec::new();
    for frame in frames {
        events.extend(pipeline.push(frame).unwrap());
    }
    events.extend(pipeline.finish());
    let mut samples: Vec<ScoreSample> = (events.into_iter())
        .filter_map(|event| match event {
            Event::Score(sample) => Some(sample),
            _ => None,
        })
        .collect();
    samples.sort_by_key(|s| (s.kind, s.window_start_frame));
    samples
}

/// What a window means is decided when it closes, not when it is measured: also
/// where the rate changes and intervals vary.
#[test]
fn it_does_not_matter_how_many_windows_are_measured_together() {
    let mut frames = bundled(70);
    let mut secs = 0.0;
    for (i, frame) in frames.iter_mut().enumerate() {
        frame.timestamp = Timestamp::from_secs(secs);
        secs += match i {
            0..20 => 1.0 / 30.0,
            20..40 => 1.0 / 30.0 + if i % 2 == 0 { 0.008 } else { -0.008 },
            _ => 1.0 / 15.0,
        };
    }
    let resources = Resources::load(&Params::default()).unwrap();
    let pipeline = || Pipeline::new(&Params::default(), &resources).unwrap();
    let (together, at_once) = (
        samples(&frames, pipeline()),
        samples(&frames, pipeline().at_once()),
    );
    assert!(together.len() > 80, "{}", together.len());
    assert_eq!(together, at_once);
}

/// A seam of the crop, a rescaled flow, and the network's input: the card's side of
/// an analysis against the processor's, on Mesa's software adapter as well.
#[test]
fn windows_are_measured_on_the_card_as_on_the_processor() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let frames = bundled(12);
    let landmarks = Arc::new(LandmarkPredictor::find(None).unwrap());
    let mut tracker = FaceTracker::new(landmarks, TrackerParams::default()).unwrap();
    let mut hold = CropHold::default();
    let held: Vec<HeldCrop> = (frames.iter())
        .map(|frame| hold.push(&tracker.push(frame)).unwrap().clone())
        .collect();
    let crop = &held[0];
    // As if the crop had been set anew: the same face, a little to the side.
    let mut other = crop.clone();
    other.id += 1;
    other.crop_from_image = Similarity {
        tx: crop.crop_from_image.tx + 1.5,
        ..crop.crop_from_image
    };
    let cut = |frame: &Frame, by: &HeldCrop| -> Plane {
        luma::extract(
            &LumaPatch::whole(&frame.picture),
            by.crop_from_image,
            CROP_SIDE,
        )
    };
    let planes = [
        cut(&frames[0], crop),
        cut(&frames[6], crop),
        cut(&frames[5], &other),
        cut(&frames[11], &other),
    ];
    let params = Tvl1Preset::Preview.params();
    let mut measured = Vec::new();
    let network = SoftNet::new(&NnDevice::wgpu(context).unwrap());
    let device = NnDevice::wgpu(context).unwrap();
    let mut scores = Vec::new();
    for mut engine in [
        FlowEngine::on_processor(params),
        FlowEngine::on_card(params, context).unwrap(),
    ] {
        let ready = engine.pictures(&planes).unwrap();
        let window = |first: usize, scale: f32, crop| EngineWindow {
            first: &ready[first],
            second: &ready[first + 1],
            scale,
            crop,
        };
        let windows = [
            window(0, 1.0, crop),
            window(2, 1.0, &other),
            window(0, 1.2, crop),
        ];
        let motions = engine.windows(&windows).unwrap();
        scores.push(match &motions[0].input {
            WindowInput::OnCard { inputs, index } => {
                assert_eq!(*index, 0);
                network
                    .score_on_card(context, &device, inputs, 0, 3)
                    .unwrap()
            }
            WindowInput::Planes(_) => {
                let inputs: Vec<_> = motions.iter().filter_map(|m| m.input.planes()).collect();
                network.score(&inputs, &device).unwrap()
            }
        });
        measured.push(motions);
        for picture in ready {
            engine.forget(picture);
        }
    }
    for (a, b) in measured[0].iter().zip(&measured[1]) {
        let near = |a: f64, b: f64, by: f64| assert!((a - b).abs() <= by, "{a} and {b}");
        near(a.control(), b.control(), 1e-4);
        near(a.nose_strain, b.nose_strain, 1e-4);
        near(a.strain_as_coded, b.strain_as_coded, 0.5);
        near(f64::from(a.roi_p95_px), f64::from(b.roi_p95_px), 2e-3);
        for (a, b) in (a.head_px.iter().chain(&a.regions)).zip(b.head_px.iter().chain(&b.regions)) {
            near(f64::from(*a), f64::from(*b), 2e-3);
        }
    }
    for (a, b) in scores[0].iter().zip(&scores[1]) {
        assert!(
            (a - b).abs() < 5e-3,
            "{a} on the processor, {b} on the card"
        );
    }
}
