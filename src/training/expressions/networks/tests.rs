use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::base::Similarity;
use crate::dataset::error::Place;
use crate::dataset::{LabelledEvent, LabelledRecording};
use crate::facs::{ActionUnit, ClassSet, Emotion, EmotionSet, ScoredUnit};
use crate::model::face_pictures::{BYTES, FacePictures};
use crate::model::flow_framing::FlowFraming;
use crate::model::flow_input;
use crate::model::motion_map::{MotionMap, VALUES};
use crate::recognition::ExpressionMotion;
use crate::spotting::ExpressionKind;
use crate::training::expressions::corpus::{Measured, Sample, Shown};
use crate::training::progress::{CurveRow, Next, Silent};

/// Eight micro- and eight macro-expressions, of AU 1 and 12 in turn, in noise.
fn measured() -> Measured {
    let unit = |event: usize| ActionUnit::new(if event.is_multiple_of(2) { 1 } else { 12 });
    let events = (0..16).map(|event| LabelledEvent {
        kind: if event < 8 {
            ExpressionKind::Micro
        } else {
            ExpressionKind::Macro
        },
        onset: 10 * event,
        apex: Some(10 * event + 4),
        offset: 10 * event + 8,
        lacks_frames: false,
        aus: Some(vec![ScoredUnit {
            unit: unit(event as usize).unwrap(),
            side: None,
            intensity: None,
        }]),
        emotion: Some(if event % 2 == 0 {
            Emotion::Surprise
        } else {
            Emotion::Happiness
        }),
        place: Place::file("labels.csv"),
    });
    let samples = (0..16).map(|event| {
        let bytes = (0..BYTES).map(|i| (i * (31 + 2 * event) % 251) as u8);
        let values = (0..VALUES).map(|i| (i * 37 % (101 + event)) as f32 - 50.0);
        Sample {
            shown: Shown::Expression { event },
            motion: ExpressionMotion {
                map: MotionMap::from_values(values.collect()),
                image: vec![0.0; flow_input::VALUES],
                framing: FlowFraming {
                    crop_from_image: Similarity::IDENTITY,
                    width: 100,
                    height: 120,
                },
            },
            pictures: FacePictures::from_bytes(bytes.collect()).map(Arc::new),
        }
    });
    Measured {
        recording: LabelledRecording {
            subject: "s".to_owned(),
            recording: "r".to_owned(),
            source: PathBuf::from("r.mp4"),
            fps: 30.0,
            frames: None,
            events: events.collect(),
            distractors: Vec::new(),
        },
        emotions: EmotionSet::Any,
        samples: samples.collect(),
        left_out: Vec::new(),
        key: String::new(),
        content: None,
    }
}

#[test]
fn every_network_learns_and_goes_on_where_it_was_stopped() {
    let measured = measured();
    let lessons = Lessons::new(&[&measured], ClassSet::Three).unwrap();
    for architecture in Architecture::all() {
        let network = architecture.network();
        let training = NetworkTraining {
            epochs: 2,
            pretraining_epochs: u64::from(network == moext::NETWORK),
            batch: 8,
            ..NetworkTraining::usual(architecture)
        };
        let whole = training.run(&lessons, None, &Silent, "").unwrap();
        assert!(
            whole.curve.rows().iter().all(|row| row.loss.is_finite()),
            "{network}"
        );
        assert_eq!(whole.rebuilding.is_some(), network == moext::NETWORK);
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new();
        let kept = Some((folder.path(), &settings));
        let stopped = training.run(&lessons, kept, &AfterOne, "");
        assert!(stopped.is_err(), "{network}");
        let resumed = training.run(&lessons, kept, &Silent, "").unwrap();
        assert!(resumed.weights == whole.weights, "{network}");
    }
}

/// Stops the classifier after its first epoch.
struct AfterOne;

impl Monitor for AfterOne {
    fn epoch(&self, part: &str, _: &CurveRow, _: u64) -> Next {
        if part.contains("rebuilding") {
            Next::Continue
        } else {
            Next::Stop
        }
    }
}
