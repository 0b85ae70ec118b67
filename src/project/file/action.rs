//! What a coder can change in a project, and what became of it.

use serde::{Deserialize, Serialize};

use super::ProjectError;
use super::merge::Merged;
use crate::timeline::{Annotation, AnnotationId};

/// Somebody who codes the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coder {
    /// As in [`Annotation::coder`].
    pub name: String,
    /// Place in the theme's colours; `None`: whichever comes next.
    pub colour: Option<u8>,
    /// Sees neither the candidates nor what others said.
    pub blind: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}

/// What the project's annotations may name as an emotion, in the order of the menu.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmotionLabels {
    pub name: String,
    pub labels: Vec<String>,
}

/// One change. Those given to [`super::ProjectFile::act`] together are made together.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// New, or in place of the one with this id.
    Put(Annotation),
    Remove(AnnotationId),
    /// An empty set stands for none.
    SetEmotions(EmotionLabels),
    /// New, or in place of the one with this name.
    SetCoder(Coder),
    /// The coder's annotations stay.
    RemoveCoder(String),
    /// JSON text; `None` removes the key.
    Setting {
        key: String,
        value: Option<String>,
    },
}

impl Action {
    /// # Errors
    /// What a file cannot hold.
    pub(super) fn check(&self) -> Result<(), ProjectError> {
        let refuse = |reason: String| Err(ProjectError::Refused { reason });
        match self {
            // JSON has no word for it, so the journal could not be read again.
            Self::Put(a) if a.candidate.as_ref().is_some_and(|c| !c.score.is_finite()) => {
                refuse("the score of its candidate is not a number".to_owned())
            }
            Self::SetEmotions(set) => {
                let twice =
                    (set.labels.iter().enumerate()).find(|(i, l)| set.labels[..*i].contains(l));
                match twice {
                    Some((_, label)) => refuse(format!("the emotion '{label}' is there twice")),
                    None => Ok(()),
                }
            }
            Self::Setting {
                key,
                value: Some(value),
            } => match serde_json::from_str::<serde::de::IgnoredAny>(value) {
                Ok(_) => Ok(()),
                Err(e) => refuse(format!("the setting '{key}' is not JSON, {e}")),
            },
            _ => Ok(()),
        }
    }
}

/// What stood somewhere before an action, and what after it; `None` for nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Annotation {
        id: AnnotationId,
        before: Option<Box<Annotation>>,
        after: Option<Box<Annotation>>,
    },
    Emotions {
        before: EmotionLabels,
        after: EmotionLabels,
    },
    Coder {
        name: String,
        before: Option<Coder>,
        after: Option<Coder>,
    },
    Setting {
        key: String,
        before: Option<String>,
        after: Option<String>,
    },
    /// Another file was merged; its changes are not listed one by one.
    Merge {
        /// The other file's name.
        from: String,
        merged: Merged,
    },
}

impl Change {
    /// What takes it back; `None` for a merge, which stays.
    #[must_use]
    pub fn inverse(&self) -> Option<Action> {
        Some(match self {
            Self::Annotation { id, before, .. } => match before {
                Some(before) => Action::Put((**before).clone()),
                None => Action::Remove(*id),
            },
            Self::Emotions { before, .. } => Action::SetEmotions(before.clone()),
            Self::Coder { name, before, .. } => match before {
                Some(before) => Action::SetCoder(before.clone()),
                None => Action::RemoveCoder(name.clone()),
            },
            Self::Setting { key, before, .. } => Action::Setting {
                key: key.clone(),
                value: before.clone(),
            },
            Self::Merge { .. } => return None,
        })
    }

    /// Whether anything differs afterwards.
    pub(super) fn changes(&self) -> bool {
        match self {
            Self::Annotation { before, after, .. } => before != after,
            Self::Emotions { before, after } => before != after,
            Self::Coder { before, after, .. } => before != after,
            Self::Setting { before, after, .. } => before != after,
            Self::Merge { .. } => true,
        }
    }
}

/// A change as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Counts up from 1.
    pub seq: u64,
    /// The same for all that was done together.
    pub batch: u64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Who did it; empty where nobody gave a name.
    pub coder: String,
    /// The batch that this one takes back.
    pub undoes: Option<u64>,
    pub change: Change,
}
