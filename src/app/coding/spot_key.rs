//! Which candidate is meant.

use crate::spotting::{ExpressionKind, SpottedInterval};
use crate::timeline::Annotation;

/// Which candidate: the decoding may replace the list at any time, so an index will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotKey {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
}

impl SpotKey {
    #[must_use]
    pub fn of(interval: &SpottedInterval) -> Self {
        Self {
            kind: interval.kind,
            onset: interval.onset,
            apex: interval.apex,
            offset: interval.offset,
        }
    }

    /// Overlap over union in frames, both ends included; 0 between kinds.
    #[must_use]
    pub fn iou(self, other: Self) -> f64 {
        if self.kind != other.kind {
            return 0.0;
        }
        let (start, end) = (self.onset.max(other.onset), self.offset.min(other.offset));
        if end < start {
            return 0.0;
        }
        let length = |k: Self| (k.offset.saturating_sub(k.onset) + 1) as f64;
        let overlap = (end - start + 1) as f64;
        overlap / (length(self) + length(other) - overlap)
    }
}

/// The same candidate in two decodings.
pub(in crate::app) const SAME_IOU: f64 = 0.5;

pub(super) fn same(a: SpotKey, b: SpotKey) -> bool {
    a.iou(b) >= SAME_IOU
}

/// Where the candidate lay that an annotation was made from.
pub(super) fn candidate_key(annotation: &Annotation) -> Option<SpotKey> {
    let candidate = annotation.candidate.as_ref()?;
    Some(SpotKey {
        kind: candidate.kind,
        onset: candidate.onset,
        apex: candidate.apex,
        offset: candidate.offset,
    })
}

/// The frames an annotation has now.
#[must_use]
pub fn key_of(annotation: &Annotation) -> SpotKey {
    SpotKey {
        kind: annotation.kind,
        onset: annotation.onset,
        apex: annotation.apex.unwrap_or(annotation.onset),
        offset: annotation.offset,
    }
}
