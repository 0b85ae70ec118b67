//! What the person decided about candidates. A decision outlives every new
//! decoding: it is laid over the new list, and what was accepted stays in it.

use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

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
pub(super) const SAME_IOU: f64 = 0.5;

/// With an undo that knows nothing but decisions.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    made: Vec<SpottedInterval>,
    undone: Vec<Vec<SpottedInterval>>,
    done: Vec<Vec<SpottedInterval>>,
}

impl Decisions {
    /// Accepts, rejects, or with `Proposed` takes a decision back.
    pub fn decide(&mut self, interval: &SpottedInterval, status: IntervalStatus) {
        let key = SpotKey::of(interval);
        self.done.push(self.made.clone());
        self.undone.clear();
        self.made.retain(|d| SpotKey::of(d).iou(key) < SAME_IOU);
        if status != IntervalStatus::Proposed {
            self.made.push(SpottedInterval {
                status,
                provisional: false,
                ..interval.clone()
            });
        }
    }

    /// `false` when there is nothing to undo.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.done.pop() else {
            return false;
        };
        self.undone.push(std::mem::replace(&mut self.made, before));
        true
    }

    /// `false` when nothing was undone.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.undone.pop() else {
            return false;
        };
        self.done.push(std::mem::replace(&mut self.made, after));
        true
    }

    #[must_use]
    pub fn count(&self, status: IntervalStatus) -> usize {
        self.made.iter().filter(|d| d.status == status).count()
    }

    /// The decoding's list with the decisions laid over it, in time order.
    #[must_use]
    pub fn over(&self, decoded: &[SpottedInterval]) -> Vec<SpottedInterval> {
        let mut list: Vec<SpottedInterval> = decoded
            .iter()
            .filter(|i| {
                let key = SpotKey::of(i);
                !self
                    .made
                    .iter()
                    .any(|d| SpotKey::of(d).iou(key) >= SAME_IOU)
            })
            .cloned()
            .chain(self.made.iter().cloned())
            .collect();
        list.sort_by_key(|i| (i.apex, i.kind, i.onset));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(onset: u64, status: IntervalStatus) -> SpottedInterval {
        SpottedInterval {
            kind: ExpressionKind::Micro,
            onset,
            apex: onset + 5,
            offset: onset + 10,
            score: 0.3,
            status,
            provisional: true,
        }
    }

    #[test]
    fn a_decision_survives_the_next_decoding() {
        use IntervalStatus::{Accepted, Proposed, Rejected};
        let mut d = Decisions::default();
        d.decide(&spot(100, Proposed), Accepted);
        d.decide(&spot(300, Proposed), Rejected);
        // The next decoding moved one candidate by a frame and dropped the other.
        let list = d.over(&[spot(101, Proposed), spot(500, Proposed)]);
        let seen: Vec<_> = list.iter().map(|i| (i.onset, i.status)).collect();
        assert_eq!(seen, [(100, Accepted), (300, Rejected), (500, Proposed)]);
        assert!(d.undo() && d.undo() && !d.undo());
        assert_eq!(d.over(&[spot(101, Proposed)])[0].status, Proposed);
        assert!(d.redo());
        assert_eq!(d.count(Accepted), 1);
    }

    #[test]
    fn deciding_again_replaces_the_decision() {
        let mut d = Decisions::default();
        d.decide(
            &spot(100, IntervalStatus::Proposed),
            IntervalStatus::Accepted,
        );
        d.decide(
            &spot(100, IntervalStatus::Proposed),
            IntervalStatus::Rejected,
        );
        assert_eq!(d.count(IntervalStatus::Accepted), 0);
        assert_eq!(d.over(&[]).len(), 1);
    }
}
