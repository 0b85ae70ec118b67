//! What decoding reads: one sample a flow window, and what stretch of frames the
//! windows cover without a break.

use serde::{Deserialize, Serialize};

use super::ExpressionKind;
use crate::base::Timestamp;

/// Why a window's score must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskReason {
    Blink,
    HeadMotion,
    FaceLost,
    Gap,
}

/// Mean flow of six regions after the nose's own was taken off: left brow, right
/// brow, then the mouth's quarters (upper left, upper right, lower left, lower
/// right), each as (u, v) in pixels of the crop over the window.
///
/// It has the sign that strain lacks, so it tells a movement from its undoing and,
/// summed over time, an expression from the rest between two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegionMotion(pub [f32; 12]);

impl RegionMotion {
    /// −1 opposite … 1 the same; 0 when either hardly moved (under 0.02 px in all).
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let dot = |a: &Self, b: &Self| -> f64 {
            a.0.iter()
                .zip(&b.0)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        };
        let (a, b) = (dot(self, self).sqrt(), dot(other, other).sqrt());
        if a < 0.02 || b < 0.02 {
            return 0.0;
        }
        dot(self, other) / (a * b)
    }
}

/// The score of one flow window, from its first to its last frame (both included).
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreSample {
    pub kind: ExpressionKind,
    pub window_start_frame: u64,
    pub window_end_frame: u64,
    /// Time of the first and of the last frame.
    pub start: Timestamp,
    pub end: Timestamp,
    /// In the scorer's unit; for the control signal strain per ROI pixel, see
    /// [`WindowMotion::control`](crate::motion::pipeline::WindowMotion::control).
    pub score: f64,
    /// The control signal, whichever scorer speaks: mean strain per ROI pixel.
    pub strain: f64,
    /// How surely the window's middle is an apex, from a network that says so.
    pub apex: Option<f64>,
    /// Masked windows break the signal; they never count as zero.
    pub masked: Option<MaskReason>,
    /// Optional, for the control signal; scaled to the same window as the score.
    pub motion: Option<RegionMotion>,
}

impl ScoreSample {
    /// The frame a window's score is drawn at and attributed to.
    #[must_use]
    pub const fn centre_frame(&self) -> u64 {
        self.window_start_frame + (self.window_end_frame - self.window_start_frame) / 2
    }

    #[must_use]
    pub fn centre_secs(&self) -> f64 {
        0.5 * (self.start.secs() + self.end.secs())
    }

    /// Neither masked nor without a number, and at least one frame long.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.masked.is_none()
            && self.score.is_finite()
            && self.window_end_frame > self.window_start_frame
            && self.end > self.start
    }
}

/// A run of frames that usable windows cover link by link; nothing spotted may
/// reach across its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) start_secs: f64,
    pub(crate) end_secs: f64,
}

/// The unbroken stretches of both kinds' windows together, in time order.
///
/// A frame that only masked windows touch belongs to none; between the frames on
/// both sides of a gap there is no window, so the stretch ends there.
pub(crate) fn stretches(samples: &[ScoreSample]) -> Vec<Stretch> {
    let mut spans: Vec<Stretch> = samples
        .iter()
        .filter(|s| s.usable())
        .map(|s| Stretch {
            first: s.window_start_frame,
            last: s.window_end_frame,
            start_secs: s.start.secs(),
            end_secs: s.end.secs(),
        })
        .collect();
    spans.sort_by_key(|s| (s.first, s.last));
    let mut joined: Vec<Stretch> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(open) if span.first <= open.last => {
                if span.last > open.last {
                    open.last = span.last;
                    open.end_secs = span.end_secs;
                }
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// Which frame was seen when.
#[derive(Debug, Default)]
pub(crate) struct FrameClock(Vec<(f64, u64)>);

impl FrameClock {
    pub(crate) fn new(samples: &[ScoreSample]) -> Self {
        let mut known: Vec<(u64, f64)> = samples
            .iter()
            .flat_map(|s| {
                [
                    (s.window_start_frame, s.start.secs()),
                    (s.window_end_frame, s.end.secs()),
                ]
            })
            .collect();
        known.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        known.dedup_by_key(|k| k.0);
        Self(
            known
                .into_iter()
                .map(|(frame, secs)| (secs, frame))
                .collect(),
        )
    }

    /// The frame nearest to `secs` among `within`'s; its first frame without any.
    pub(crate) fn frame_at(&self, secs: f64, within: &Stretch) -> u64 {
        let at = self.0.partition_point(|&(t, _)| t < secs);
        let nearest = match (at.checked_sub(1).map(|i| self.0[i]), self.0.get(at)) {
            (Some(before), Some(&after)) if secs - before.0 <= after.0 - secs => before.1,
            (_, Some(&after)) => after.1,
            (Some(before), None) => before.1,
            (None, None) => within.first,
        };
        nearest.clamp(within.first, within.last)
    }

    /// When `frame` was seen; `None` when no window begins or ends with it.
    pub(crate) fn secs_of(&self, frame: u64) -> Option<f64> {
        let at = self.0.partition_point(|&(_, f)| f < frame);
        self.0.get(at).filter(|k| k.1 == frame).map(|k| k.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kind: ExpressionKind, first: u64, last: u64, masked: bool) -> ScoreSample {
        ScoreSample {
            kind,
            window_start_frame: first,
            window_end_frame: last,
            start: Timestamp::from_secs(first as f64 / 30.0),
            end: Timestamp::from_secs(last as f64 / 30.0),
            score: 0.0,
            masked: masked.then_some(MaskReason::Blink),
            motion: None,
            strain: 0.0,
            apex: None,
        }
    }

    #[test]
    fn a_blink_and_a_gap_each_end_a_stretch_at_their_own_frames() {
        // Frames 20..=24 blink; between 39 and 40 frames were lost.
        let mut windows = Vec::new();
        for first in 0..60_u64 {
            let last = first + 6;
            let blinks = first <= 24 && last >= 20;
            if last < 60 && !(first <= 39 && last >= 40) {
                windows.push(window(ExpressionKind::Micro, first, last, blinks));
            }
        }
        let found: Vec<_> = stretches(&windows)
            .iter()
            .map(|s| (s.first, s.last))
            .collect();
        assert_eq!(found, vec![(0, 19), (25, 39), (40, 59)]);
    }

    #[test]
    fn a_movement_and_its_undoing_point_opposite_ways() {
        let there = RegionMotion([0.3; 12]);
        let back = RegionMotion([-0.2; 12]);
        assert!(there.likeness(&back) < -0.99);
        assert!(there.likeness(&RegionMotion([0.0; 12])).abs() < 1e-12);
    }
}
