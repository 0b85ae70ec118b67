//! What decoding reads: one score per flow window.

use serde::{Deserialize, Serialize};

use super::ExpressionKind;
use crate::base::Timestamp;

/// Why a window says nothing about expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskReason {
    Blink,
    HeadMotion,
    FaceLost,
    Gap,
}

/// The score of one flow window: the pair (start, end) and what it scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreSample {
    pub kind: ExpressionKind,
    pub window_start_frame: u64,
    pub window_end_frame: u64,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Network output, or the control signal.
    pub score: f64,
    /// The control signal, whichever score is used: mean strain over the ROIs.
    pub strain: f64,
    pub masked: Option<MaskReason>,
}
