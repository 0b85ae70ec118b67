//! ELAN's annotation files (`.eaf`, EAF 3.0).
//!
//! # What is written
//! For each coder, one tier of expressions with tiers below it:
//!
//! | tier | linguistic type | ELAN's constraint | value |
//! |---|---|---|---|
//! | `Expression@Anna` | `onset-expression` | – | `macro` or `micro` |
//! | `Apex@Anna` | `onset-apex` | Included In | `apex`, one frame long, as ELAN has no points |
//! | `Units@Anna` | `onset-units` | Symbolic Association | `AU12LC+AU6B` |
//! | `Emotion@Anna` | `onset-emotion` | Symbolic Association | a label |
//! | `Confidence@Anna` | `onset-confidence` | Symbolic Association | `1` to `5` |
//! | `Note@Anna` | `onset-note` | Symbolic Association | text |
//! | `Record@Anna` | `onset-record` | Symbolic Association | JSON, see below |
//!
//! Rejected annotations and undecided ones stand on `Rejected@Anna` and `Proposed@Anna`,
//! of the types `onset-rejected` and `onset-proposed`, with `Rejected units@Anna` and so
//! on below, so that counts in ELAN are right.
//! ELAN allows no overlap within a tier: what overlaps goes to `Expression#2@Anna`. The
//! coder is the tier's annotator. Reading goes by types and annotators, so tiers may be
//! renamed.
//!
//! An annotation lasts from the onset frame's time to the time at which the offset frame
//! gives way, in whole milliseconds, at least one.
//!
//! # What comes back
//! Milliseconds do not hold frames at every rate, so `Record` keeps the id, the frames,
//! the milliseconds they were written as, and the candidate. A time that still is as
//! written gives its frame; a time that somebody changed wins, and its frame is the
//! nearest one. All else is read from the tiers. ELAN keeps `Record` because it is an
//! annotation like any other: it goes with its parent when that is moved, copied or
//! deleted. (Frames in the header, by annotation id, would not follow a copy.)
//!
//! Characters that XML does not allow (control characters) become `�`.

mod document;
mod foreign;
mod origin;
mod ours;
mod vocabulary;
mod write;
mod xml;

pub use document::{Document, EafError, TierSummary};
pub use origin::Origin;
pub use write::write;

use serde::{Deserialize, Serialize};

use crate::spotting::IntervalStatus;
use crate::timeline::AnnotationId;
use crate::timeline::annotation::Candidate;

/// What the tiers themselves do not say of an annotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    id: AnnotationId,
    onset: u64,
    apex: Option<u64>,
    offset: u64,
    begin_ms: u64,
    end_ms: u64,
    /// `None` where no apex tier shows it: it lies outside the annotation.
    apex_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    candidate: Option<Candidate>,
}

/// Linguistic types of tiers of expressions, and how their tiers' names begin.
const EXPRESSION_TYPES: [(IntervalStatus, &str, &str); 3] = [
    (IntervalStatus::Accepted, "onset-expression", "Expression"),
    (IntervalStatus::Proposed, "onset-proposed", "Proposed"),
    (IntervalStatus::Rejected, "onset-rejected", "Rejected"),
];

/// Linguistic types of the tiers below.
const APEX: &str = "onset-apex";
const UNITS: &str = "onset-units";
const EMOTION: &str = "onset-emotion";
const CONFIDENCE: &str = "onset-confidence";
const NOTE: &str = "onset-note";
const RECORD: &str = "onset-record";

/// The header's property that names the recording.
const RECORDING_PROPERTY: &str = "onset-recording";

#[cfg(test)]
mod tests;
