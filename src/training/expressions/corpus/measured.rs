//! A recording with the motion of its pairs.

use std::sync::Arc;

use super::Shown;
use crate::dataset::LabelledRecording;
use crate::facs::{ClassSet, EmotionSet, ScoredUnit};
use crate::model::face_pictures::FacePictures;
use crate::recognition::ExpressionMotion;
use crate::spotting::ExpressionKind;

/// The motion of one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub shown: Shown,
    pub motion: ExpressionMotion,
    /// `None` unless they were asked for ([`Corpus::with_pictures`](super::Corpus::with_pictures)).
    pub pictures: Option<Arc<FacePictures>>,
}

/// A recording with the motion of its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub recording: LabelledRecording,
    /// Which emotions its labels may name.
    pub emotions: EmotionSet,
    pub samples: Vec<Sample>,
    /// Expressions that could not be measured, with the reason.
    pub left_out: Vec<(usize, String)>,
    /// Hash of the recording and of how it was measured, pictures among it where they
    /// were asked for.
    pub key: String,
    /// Hash of the frames that its expressions are measured from, whatever the recording
    /// is called and wherever it lies; `None` without expressions.
    pub content: Option<String>,
}

impl Measured {
    /// The kind of expression a sample shows.
    #[must_use]
    pub fn kind(&self, sample: &Sample) -> Option<ExpressionKind> {
        Some(self.recording.events.get(sample.shown.event()?)?.kind)
    }

    /// The units that act in a sample; `None` where nobody coded them.
    #[must_use]
    pub fn units(&self, sample: &Sample) -> Option<&[ScoredUnit]> {
        match sample.shown {
            Shown::Rest | Shown::Release { .. } => Some(&[]),
            Shown::Expression { event } | Shown::Astray { event } => {
                self.recording.events.get(event)?.aus.as_deref()
            }
        }
    }

    /// The number of the class a sample shows; `None` where it shows none of the set.
    #[must_use]
    pub fn class(&self, sample: &Sample, classes: ClassSet) -> Option<usize> {
        match sample.shown {
            Shown::Rest | Shown::Release { .. } => None,
            Shown::Expression { event } | Shown::Astray { event } => {
                let emotion = self.recording.events.get(event)?.emotion?;
                classes.number(self.emotions, emotion)
            }
        }
    }
}
