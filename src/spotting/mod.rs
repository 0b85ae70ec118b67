//! From scores to expressions: thresholds, peaks, intervals.

pub mod compat;
mod expression;
mod movement;
pub mod offline;
pub mod params;
pub mod peaks;
mod posture;
mod presence;
mod probability;
pub mod quiet;
mod series;
pub mod signal;
pub mod smooth;
pub mod spotter;

pub use offline::{DecodeInput, Decoding, decode};
pub use params::{DecodeMode, DecodeParams, ScoreLevels, ScoreMeaning};
pub use quiet::{KindThreshold, Quiet};
pub use signal::{MaskReason, RegionMotion, ScoreSample};
pub use spotter::{SpotEvent, SpotId, Spotter};

use serde::{Deserialize, Serialize};

/// Which of the two lengths of expression a score or an interval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpressionKind {
    Macro,
    Micro,
}

impl ExpressionKind {
    pub const BOTH: [Self; 2] = [Self::Macro, Self::Micro];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Macro => "macro",
            Self::Micro => "micro",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalStatus {
    #[default]
    Proposed,
    Accepted,
    Rejected,
}

/// A spotted expression. Frames count from 0 and both ends are included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpottedInterval {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
    /// The smoothed score at the peak, in the unit of the score track.
    pub score: f64,
    pub status: IntervalStatus,
    /// Live decoding may still move or withdraw it.
    pub provisional: bool,
}
