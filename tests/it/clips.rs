//! The whole pipeline on real recordings. They are not ours to ship: where they are
//! absent these tests say so and pass.

use std::sync::Arc;

use onset::base::stats;
use onset::face::regions::RegionGeometry;
use onset::face::tracker::TrackerParams;
use onset::face::{CROP_SIDE, CropHold, FaceTracker, LandmarkPredictor};
use onset::media::{InputSpec, open};
use onset::motion::engine::FlowEngine;
use onset::motion::luma::{self, LumaPatch};
use onset::motion::pipeline::{MotionPipeline, WindowJob};
use onset::motion::roi::RoiMotion;
use onset::motion::tvl1::{Tvl1, Tvl1Preset};
use onset::motion::windows::Window;
use onset::session::pipeline::Pipeline;
use onset::session::{Params, Resources};
use onset::timeline::{Event, Recording};

use crate::shared;

const NEUTRAL: &str = "clips/liveportrait_src_s18.mp4";

#[test]
fn nothing_is_proposed_on_a_neutral_face_that_only_blinks() {
    let Some(path) = shared(NEUTRAL) else { return };
    let params = Params::default();
    let resources = Resources::load(&params).unwrap();
    let mut pipeline = Pipeline::new(&params, &resources).unwrap();
    let mut source = open(&InputSpec::path(path)).unwrap();
    let mut recording = Recording::default();
    while let Some(frame) = source.next_frame().unwrap() {
        pipeline
            .push(&frame)
            .unwrap()
            .into_iter()
            .for_each(|e| recording.apply(e));
    }
    pipeline
        .finish()
        .into_iter()
        .for_each(|e: Event| recording.apply(e));
    assert_eq!(recording.frames.len(), 282);
    assert!(recording.intervals.is_empty(), "{:?}", recording.intervals);
}

/// The held crop must not be less still than a box that never moves: 95th percentile
/// of the ROI flow after nose subtraction, over micro-windows outside the blinks.
#[test]
fn a_still_face_is_as_still_in_the_held_crop_as_in_a_fixed_box() {
    const K: usize = 6;
    let Some(path) = shared(NEUTRAL) else { return };
    let mut source = open(&InputSpec::path(path)).unwrap();
    let landmarks = Arc::new(LandmarkPredictor::find(None).unwrap());
    let mut tracker = FaceTracker::new(landmarks, TrackerParams::default()).unwrap();
    let mut hold = CropHold::default();
    let mut motion = MotionPipeline::new(FlowEngine::on_processor(Tvl1Preset::Exact.params()));
    let mut tvl1 = Tvl1::new(Tvl1Preset::Exact.params());
    let mut fixed = None;
    let (mut frames, mut boxed, mut held_p95, mut fixed_p95) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Some(frame) = source.next_frame().unwrap() {
        let track = tracker.push(&frame);
        let held = Arc::new(hold.push(&track).unwrap().clone());
        let first = Arc::clone(fixed.get_or_insert_with(|| Arc::clone(&held)));
        let patch = LumaPatch::whole(&frame.picture);
        boxed.push(luma::extract(&patch, first.crop_from_image, CROP_SIDE));
        motion
            .push(&frame, Some((track.face.as_ref().unwrap(), held)))
            .unwrap();
        frames.push((frame.index, frame.timestamp));
        let n = frames.len() - 1;
        if n < K {
            continue;
        }
        let blinks = |i: usize| (4..=15).contains(&i) || (157..=169).contains(&i);
        if (n - K..=n).any(blinks) {
            continue;
        }
        let ((start_frame, start), (end_frame, end)) = (frames[n - K], frames[n]);
        let window = Window {
            start_frame,
            start,
            end_frame,
            end,
        };
        let found = motion.measure(&[WindowJob {
            window,
            nominal_secs: None,
        }]);
        let found = found.unwrap();
        held_p95.push(f64::from(found[0].as_ref().unwrap().roi_p95_px));
        let flow = tvl1.flow(&boxed[n - K], &boxed[n]).unwrap();
        let regions = RegionGeometry::from_landmarks(&first.landmarks_in_crop, CROP_SIDE);
        fixed_p95.push(f64::from(RoiMotion::new(&flow, &regions).residual_p95));
    }
    let q = |v: &[f64], q| stats::quantile(v, q).unwrap();
    eprintln!(
        "ROI flow p95, px: held crop median {:.3} and 95th percentile {:.3}; fixed box {:.3} and {:.3}",
        q(&held_p95, 0.5),
        q(&held_p95, 0.95),
        q(&fixed_p95, 0.5),
        q(&fixed_p95, 0.95)
    );
    assert!(q(&held_p95, 0.95) <= 1.2 * q(&fixed_p95, 0.95));
    assert!(q(&held_p95, 0.5) <= 1.2 * q(&fixed_p95, 0.5));
}
