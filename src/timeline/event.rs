//! What the pipeline tells about a recording, in order.

use serde::{Deserialize, Serialize};

use crate::base::{Notice, Rect, Timestamp};
use crate::face::crop::HeldCrop;
use crate::face::{DetectedFace, Landmarks};
use crate::facs::ActionUnit;
use crate::recognition::{Attention, Recognition, SecondOpinion};
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, SpottedInterval};

/// Which signal speaks: named wherever a score is shown or written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScoreSource {
    /// Strain over the ROIs, no network (S4's control).
    Control,
    /// A SOFTNet: the weights' name and the hash of their file.
    SoftNet { weights: String, sha256: String },
    /// A MotionTCN over the flow of the whole face.
    MotionTcn { weights: String, sha256: String },
}

impl ScoreSource {
    /// As the window and the reports name it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Control => "control signal (strain over the ROIs, no network)".into(),
            Self::SoftNet { weights, .. } => format!("SOFTNet, weights {weights}"),
            Self::MotionTcn { weights, .. } => format!("MotionTCN, weights {weights}"),
        }
    }
}

/// One decoded frame, whether a face was found or not: a row of `frames.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameRecord {
    pub frame: u64,
    pub timestamp: Timestamp,
    pub dropped_before: u32,
    pub face: Option<FaceRecord>,
    /// Other faces in the picture, not analysed.
    pub others: Vec<DetectedFace>,
}

#[cfg(test)]
impl FrameRecord {
    /// A frame without a face.
    pub(crate) fn faceless(frame: u64, timestamp: Timestamp) -> Self {
        Self {
            frame,
            timestamp,
            dropped_before: 0,
            face: None,
            others: vec![],
        }
    }
}

#[cfg(test)]
impl FaceRecord {
    /// A face that is found here, and nothing else of it.
    pub(crate) fn found(rect: Rect) -> Self {
        Self {
            rect,
            confidence: 1.0,
            pose: None,
            blink: 0.0,
            landmarks: None,
            crop: 0,
        }
    }
}

/// The analysed face of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceRecord {
    pub rect: Rect,
    pub confidence: f32,
    /// Radians about x, y, z in OpenFace's axes.
    pub pose: Option<[f32; 3]>,
    /// 0 open .. 1 shut.
    pub blink: f32,
    /// In image pixels; boxed because the command line drops it at once.
    pub landmarks: Option<Box<Landmarks>>,
    /// The held crop in use, told by an earlier [`Event::Crop`].
    pub crop: u32,
}

/// Which weights say what moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecognitionSource {
    pub weights: String,
    pub sha256: String,
    pub units: Vec<ActionUnit>,
    /// From which probability on each unit is called present.
    pub unit_thresholds: Vec<f64>,
    /// From which probability on a half of the face is said to move.
    pub side_threshold: f64,
    pub classes: Vec<String>,
    /// Above which uncertainty no class is named.
    pub abstain_above: f64,
    /// What looks at each candidate besides; in the order of their opinions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub second_look: Vec<SecondLookSource>,
}

/// Which weights take a second look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondLookSource {
    pub network: String,
    pub weights: String,
    pub sha256: String,
    /// None where it only rebuilds the apex.
    pub units: Vec<ActionUnit>,
    /// From which probability on each unit is called present.
    pub unit_thresholds: Vec<f64>,
    pub classes: Vec<String>,
}

/// What moved from a spotted expression's onset to its apex.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// Frames of the interval that it is about.
    pub onset: u64,
    pub apex: u64,
    pub recognition: Recognition,
    /// For the likeliest unit.
    pub attention: Option<Attention>,
    /// What the networks of the second look say, up to the offset as it was believed
    /// when onset and apex had settled; empty without them.
    pub second_look: Vec<SecondOpinion>,
}

impl Recognised {
    /// Only numbers and words stay: pictures of hours of a camera would fill the memory.
    pub fn let_go_of_pictures(&mut self) {
        self.attention = None;
        for opinion in &mut self.second_look {
            opinion.let_go_of_pictures();
        }
    }

    #[must_use]
    pub fn has_pictures(&self) -> bool {
        let mut opinions = self.second_look.iter();
        self.attention.is_some() || opinions.any(SecondOpinion::has_pictures)
    }
}

#[cfg(test)]
impl Recognised {
    /// With an attention and two opinions that have pictures: one that magnifies, one that
    /// rebuilds.
    pub(crate) fn with_pictures((onset, apex): (u64, u64)) -> Self {
        use crate::base::{Plane, Similarity};
        use crate::model::flow_framing::FlowFraming;
        use crate::recognition::second_look::{ApexPictures, MagnifiedLook, RebuiltApex};
        let opinion = |network: &str| SecondOpinion {
            weights: network.to_owned(),
            network: network.to_owned(),
            recognition: None,
            magnified: None,
            rebuilt: None,
        };
        let attention = ActionUnit::new(12).map(|unit| Attention {
            unit,
            map: Plane::filled(28, 28, 0.5),
            framing: FlowFraming {
                crop_from_image: Similarity::IDENTITY,
                width: 160,
                height: 160,
            },
        });
        Self {
            onset,
            apex,
            recognition: Recognition {
                units: Vec::new(),
                class: None,
            },
            attention,
            second_look: vec![
                SecondOpinion {
                    magnified: Some(MagnifiedLook {
                        gamma: 0.4,
                        factors: vec![2.0, 3.0],
                        attention: vec![vec![Plane::zeros(2, 2)]],
                    }),
                    ..opinion("uamrn")
                },
                SecondOpinion {
                    rebuilt: Some(RebuiltApex::of(ApexPictures {
                        onset: Plane::zeros(4, 4),
                        apex: Plane::filled(4, 4, 9.0),
                        rebuilt: Plane::filled(4, 4, 8.5),
                    })),
                    ..opinion("moext-pretraining")
                },
            ],
        }
    }
}

/// What moved within the last moments before a frame, five times a second.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSample {
    /// Since when, 0.6 s before the frame or when the face came.
    pub from: Timestamp,
    pub frame: u64,
    pub timestamp: Timestamp,
    pub recognition: Recognition,
}

/// In this order: what a frame tells always follows the frame's own record.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A new crop transform starts to be held.
    Crop(Box<HeldCrop>),
    Frame(Box<FrameRecord>),
    /// The face is analysed from this frame on.
    FaceFound {
        frame: u64,
    },
    /// No face from this frame on.
    FaceLost {
        frame: u64,
    },
    /// The score of one flow window; final once told.
    Score(ScoreSample),
    /// The causal decoding's list so far, replacing the one before.
    Provisional(Vec<SpottedInterval>),
    /// The decoding of the whole recording: replaces everything provisional.
    Spotted {
        intervals: Vec<SpottedInterval>,
        thresholds: Vec<(ExpressionKind, f64)>,
    },
    /// What moved in an interval that was told before; again when that is known better.
    Recognised(Box<Recognised>),
    /// What moved just now.
    Units(Box<UnitSample>),
    Notice(Notice),
}
