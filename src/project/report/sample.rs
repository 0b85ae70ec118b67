//! Invented recordings, coded and analysed, for the tests beside.

use std::collections::BTreeMap;

use image::{Rgb, RgbImage};

use super::{Pictures, Report, Sources};
use crate::base::{Notice, Rect, TimeSpan, Timestamp};
use crate::explain::uncertainty::Uncertainty;
use crate::facs::{ActionUnit, Side, parse_units};
use crate::project::results::{DeviceFacts, FaceFacts, KindFacts, LIMITS, RecordingFacts, Summary};
use crate::recognition::{ClassReading, Recognition, UnitReading};
use crate::session::Params;
use crate::spotting::signal::{MaskReason, ScoreSample};
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::event::{FaceRecord, Recognised, RecognitionSource};
use crate::timeline::{Annotation, AnnotationId, FrameRecord, Recording, ScoreSource};

pub(super) const SIZE: (u32, u32) = (320, 240);

pub(super) struct Sample {
    pub(super) recording: Recording,
    pub(super) annotations: Vec<Annotation>,
    pub(super) candidates: Vec<SpottedInterval>,
    pub(super) summary: Summary,
}

impl Sample {
    /// `secs` at 25 frames a second with `count` micro-expressions spread over it.
    pub(super) fn of(count: u64, secs: u64) -> Self {
        let frames = 25 * secs;
        let mut recording = Recording {
            frames: (0..frames).map(frame).collect(),
            ..Recording::default()
        };
        let distance = frames / (count + 1);
        let mut candidates = Vec::new();
        for onset in (1..=count).map(|i| i * distance) {
            let candidate = SpottedInterval {
                kind: ExpressionKind::Micro,
                onset,
                apex: onset + 4,
                offset: onset + 9,
                score: 0.8,
                status: IntervalStatus::Proposed,
                provisional: false,
            };
            let key = (candidate.onset, candidate.apex);
            recording.recognised.insert(key, recognised(key));
            candidates.push(candidate);
        }
        for kind in ExpressionKind::BOTH {
            let samples = (0..frames.saturating_sub(12)).map(|at| score(kind, at));
            recording.scores.insert(kind, samples.collect());
        }
        Self {
            summary: summary(&recording, secs),
            recording,
            annotations: Vec::new(),
            candidates,
        }
    }

    /// `coder` decides on the candidate at `index`.
    pub(super) fn decide(&mut self, coder: &str, index: usize, status: IntervalStatus) {
        let id = AnnotationId(self.annotations.len() as u128);
        let mut a = Annotation::decided(id, coder, &self.candidates[index], status);
        if status == IntervalStatus::Accepted {
            a.units = parse_units("AU12LC+AU6B").unwrap();
            a.emotion = Some("happiness".to_owned());
            a.confidence = Some(4);
        }
        self.annotations.push(a);
    }

    pub(super) fn found(&mut self, coder: &str, span: (u64, u64)) -> &mut Annotation {
        let id = AnnotationId(self.annotations.len() as u128);
        let found = Annotation::found(id, coder, ExpressionKind::Macro, span);
        self.annotations.push(found);
        self.annotations.last_mut().unwrap()
    }

    pub(super) fn pictures(&self) -> Pictures {
        let mut pictures =
            Pictures::wanted(&self.recording, &self.annotations, &self.candidates, SIZE);
        for frame in pictures.frames() {
            let grey = (frame % 200) as u8;
            pictures.keep(frame, &RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([grey; 3])));
        }
        pictures
    }

    pub(super) fn report(&self) -> Report {
        Report::of_recording(&Sources {
            recording: &self.recording,
            annotations: &self.annotations,
            candidates: &self.candidates,
            summary: &self.summary,
            pictures: &self.pictures(),
            date: "27 November 2026",
        })
    }
}

/// No face from frame 30 to 34; two frames dropped before frame 50.
fn frame(frame: u64) -> FrameRecord {
    let face = FaceRecord {
        rect: Rect::new(100.0, 60.0, 100.0, 100.0),
        confidence: 0.9,
        pose: None,
        blink: 0.0,
        landmarks: None,
        crop: 0,
    };
    FrameRecord {
        frame,
        timestamp: at(frame),
        dropped_before: 2 * u32::from(frame == 50),
        face: (!(30..35).contains(&frame)).then_some(face),
        others: Vec::new(),
    }
}

fn at(frame: u64) -> Timestamp {
    Timestamp::from_nanos(frame as i64 * 40_000_000)
}

fn score(kind: ExpressionKind, frame: u64) -> ScoreSample {
    ScoreSample {
        kind,
        window_start_frame: frame,
        window_end_frame: frame + 12,
        start: at(frame),
        end: at(frame + 12),
        score: 0.4 + 0.3 * (frame as f64 / 17.0).sin(),
        strain: 0.01,
        apex: None,
        masked: (60..70).contains(&frame).then_some(MaskReason::Blink),
        motion: None,
    }
}

fn recognised((onset, apex): (u64, u64)) -> Recognised {
    let unit = |number, probability, side| UnitReading {
        unit: ActionUnit::new(number).unwrap(),
        probability,
        present: probability > 0.5,
        side,
    };
    Recognised {
        onset,
        apex,
        recognition: Recognition {
            units: vec![unit(6, 0.31, None), unit(12, 0.83, Some(Side::Left))],
            class: Some(ClassReading {
                classes: ["positive", "negative"].map(str::to_owned).to_vec(),
                probabilities: vec![0.7, 0.3],
                uncertainty: Uncertainty {
                    total: 0.5,
                    aleatoric: 0.41,
                    epistemic: 0.09,
                },
                abstains: onset % 2 == 1,
            }),
        },
        attention: None,
        second_look: Vec::new(),
    }
}

fn summary(recording: &Recording, secs: u64) -> Summary {
    let kind = |kind| {
        let facts = KindFacts {
            source: ScoreSource::Control,
            source_label: ScoreSource::Control.label(),
            window_secs: 0.5,
            window_frames: Some(12),
            threshold: Some(0.6),
            intervals: 0,
        };
        (kind, facts)
    };
    let units = [6, 12].map(|number| ActionUnit::new(number).unwrap());
    let span = TimeSpan {
        start: at(30),
        end: at(35),
    };
    Summary {
        onset_version: "0.1.0".to_owned(),
        recording: RecordingFacts {
            name: "drawn.mp4".to_owned(),
            size_bytes: 123_456,
            fingerprint: "0123abcd".to_owned(),
            width: SIZE.0,
            height: SIZE.1,
            frames: recording.frames.len() as u64,
            duration_secs: secs as f64,
            measured_fps: Some(25.0),
            nominal_fps: Some(25.0),
            dropped: 2,
        },
        parameters: Params::default(),
        scores: BTreeMap::from(ExpressionKind::BOTH.map(kind)),
        recognition: Some(RecognitionSource {
            weights: "au-flow".to_owned(),
            sha256: "f00d".to_owned(),
            units: units.to_vec(),
            unit_thresholds: vec![0.5, 0.5],
            side_threshold: 0.5,
            classes: Vec::new(),
            abstain_above: 0.8,
            second_look: Vec::new(),
        }),
        face: FaceFacts {
            landmark_model: "compact".to_owned(),
            found_share: recording.found_share(),
            others_share: 0.0,
        },
        device: DeviceFacts {
            asked: Default::default(),
            flow: "processor".to_owned(),
            network: None,
        },
        warnings: vec![Notice::warning("The face was lost.").over(span)],
        limits: LIMITS.to_owned(),
    }
}
