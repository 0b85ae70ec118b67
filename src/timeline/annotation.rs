//! What a person says of a stretch of a recording: an expression with its frames, its
//! action units, its emotion and a note.
//!
//! A candidate of the analysis becomes an annotation when somebody accepts, rejects or
//! corrects it; it then remembers the candidate it came from. Frames count from 0 and
//! both ends are included.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::facs::ScoredUnit;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

/// Names an annotation for ever: the same in every copy of a project, so that copies
/// coded apart can be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnnotationId(pub u128);

impl fmt::Display for AnnotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is no [`AnnotationId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not name an annotation: 32 hexadecimal digits do")]
pub struct AnnotationIdError(String);

impl FromStr for AnnotationId {
    type Err = AnnotationIdError;

    fn from_str(text: &str) -> Result<Self, AnnotationIdError> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| AnnotationIdError(text.to_owned()))
    }
}

impl TryFrom<String> for AnnotationId {
    type Error = AnnotationIdError;

    fn try_from(text: String) -> Result<Self, AnnotationIdError> {
        text.parse()
    }
}

impl From<AnnotationId> for String {
    fn from(id: AnnotationId) -> Self {
        id.to_string()
    }
}

/// The candidate an annotation was made from, as it was spotted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
    /// In the unit of the score track it was spotted in.
    pub score: f64,
}

impl From<&SpottedInterval> for Candidate {
    fn from(spot: &SpottedInterval) -> Self {
        Self {
            kind: spot.kind,
            onset: spot.onset,
            apex: spot.apex,
            offset: spot.offset,
            score: spot.score,
        }
    }
}

/// One expression as one coder sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    pub id: AnnotationId,
    /// Who says so; empty where nobody gave a name.
    pub coder: String,
    pub kind: ExpressionKind,
    pub onset: u64,
    /// `None` until somebody has marked it.
    pub apex: Option<u64>,
    pub offset: u64,
    /// In the order in which they were typed.
    pub units: Vec<ScoredUnit>,
    /// A label of the project's set.
    pub emotion: Option<String>,
    /// How sure the coder is, 1 (guessed) to 5 (certain).
    pub confidence: Option<u8>,
    pub note: String,
    pub status: IntervalStatus,
    /// `None` where a person found it.
    pub candidate: Option<Candidate>,
}

impl Annotation {
    /// A stretch that `coder` found; what is shown in it is still to be said.
    #[must_use]
    pub fn found(
        id: AnnotationId,
        coder: &str,
        kind: ExpressionKind,
        (onset, offset): (u64, u64),
    ) -> Self {
        Self {
            id,
            coder: coder.to_owned(),
            kind,
            onset: onset.min(offset),
            apex: None,
            offset: onset.max(offset),
            units: Vec::new(),
            emotion: None,
            confidence: None,
            note: String::new(),
            status: IntervalStatus::Accepted,
            candidate: None,
        }
    }

    /// A candidate on which `coder` decides.
    #[must_use]
    pub fn decided(
        id: AnnotationId,
        coder: &str,
        spot: &SpottedInterval,
        status: IntervalStatus,
    ) -> Self {
        Self {
            apex: Some(spot.apex),
            status,
            candidate: Some(spot.into()),
            ..Self::found(id, coder, spot.kind, (spot.onset, spot.offset))
        }
    }

    /// Frames from onset to offset, both among them.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.offset.saturating_sub(self.onset) + 1
    }

    /// What does not fit together, as a sentence for the coder.
    #[must_use]
    pub fn contradiction(&self) -> Option<&'static str> {
        if self.onset > self.offset {
            return Some("The onset lies after the offset.");
        }
        match self.apex {
            Some(apex) if apex < self.onset => Some("The apex lies before the onset."),
            Some(apex) if apex > self.offset => Some("The apex lies after the offset."),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read_the_same_and_nothing_else_is_one() {
        let id = AnnotationId(0x00ff_1234);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "ff", "+0000000000000000000000000000001"] {
            assert!(wrong.parse::<AnnotationId>().is_err(), "{wrong}");
        }
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<AnnotationId>(&text).unwrap(), id);
    }

    #[test]
    fn frames_out_of_order_are_said() {
        let mut a = Annotation::found(AnnotationId(1), "R", ExpressionKind::Micro, (20, 10));
        assert_eq!((a.onset, a.offset, a.frames()), (10, 20, 11));
        assert_eq!(a.contradiction(), None);
        a.apex = Some(21);
        assert!(a.contradiction().unwrap().contains("after the offset"));
    }
}
