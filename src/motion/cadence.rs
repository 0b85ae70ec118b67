//! The recording's own beat: frame intervals as measured, gaps, and whether the
//! rate is steady enough for a constant `k`.

use std::collections::VecDeque;

use crate::base::{Timestamp, stats};

/// Intervals looked back on; about two seconds at 30 frames a second.
const REMEMBERED: usize = 61;

/// An interval this many times the median is a gap: no flow across it.
const GAP_FACTOR: f64 = 3.5;

/// So many gaps in a row are the new rate.
const GAPS_OF_A_NEW_RATE: u32 = 4;

/// Containers with millisecond times round 33.33 to 33 or 34; that is not jitter.
const ROUNDING_SECS: f64 = 0.0011;

/// Whether the frame `index` at `at` comes right after `last` in a recording of `fps`
/// frames a second: the next one, later, and no gap between.
pub(crate) fn follows(last: (u64, Timestamp), index: u64, at: Timestamp, fps: f64) -> bool {
    let waited = at.secs_since(last.1) * fps;
    index == last.0 + 1 && waited > 0.0 && waited <= GAP_FACTOR
}

/// Learns the frame interval from the times of the last frames.
#[derive(Debug, Clone, Default)]
pub struct Cadence {
    last: Option<Timestamp>,
    intervals: VecDeque<f64>,
    /// Gaps in a row.
    gaps: u32,
}

/// What one more frame means for the beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Steady,
    /// Frames are missing before this one.
    Gap,
    /// The time does not increase: the frame cannot be placed.
    Backwards,
}

impl Cadence {
    /// Takes the next frame's time. A gap does not change what was learned.
    pub fn push(&mut self, t: Timestamp) -> Beat {
        let Some(last) = self.last else {
            self.last = Some(t);
            return Beat::Steady;
        };
        let interval = t.secs_since(last);
        if interval <= 0.0 {
            return Beat::Backwards;
        }
        self.last = Some(t);
        let gap = self.intervals.len() >= 3
            && self
                .interval_secs()
                .is_some_and(|dt| interval > GAP_FACTOR * dt);
        if gap {
            self.gaps += 1;
            if self.gaps >= GAPS_OF_A_NEW_RATE {
                // Not a hole but a slower rate: what was learned is void.
                self.gaps = 0;
                self.intervals.clear();
                self.intervals.push_back(interval);
            }
            return Beat::Gap;
        }
        self.gaps = 0;
        if self.intervals.len() == REMEMBERED {
            self.intervals.pop_front();
        }
        self.intervals.push_back(interval);
        Beat::Steady
    }

    /// Median interval in seconds; `None` before two frames.
    #[must_use]
    pub fn interval_secs(&self) -> Option<f64> {
        stats::median(&self.sorted())
    }

    /// Measured frames a second: intervals over their sum, so that a steady
    /// alternation of 33 and 34 ms gives 30 and not 30.3.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        let sum: f64 = self.intervals.iter().sum();
        (sum > 0.0).then(|| self.intervals.len() as f64 / sum)
    }

    #[must_use]
    pub fn measured_intervals(&self) -> usize {
        self.intervals.len()
    }

    /// Whether intervals vary by less than 1 % (and the clock's rounding).
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let v = self.sorted();
        let (Some(low), Some(mid), Some(high)) = (
            stats::quantile(&v, 0.05),
            stats::quantile(&v, 0.5),
            stats::quantile(&v, 0.95),
        ) else {
            return true;
        };
        high - low <= (0.01 * mid).max(ROUNDING_SECS)
    }

    fn sorted(&self) -> Vec<f64> {
        self.intervals.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(times: &[f64]) -> (Cadence, Vec<Beat>) {
        let mut c = Cadence::default();
        let beats = times
            .iter()
            .map(|&t| c.push(Timestamp::from_secs(t)))
            .collect();
        (c, beats)
    }

    #[test]
    fn millisecond_rounding_is_steady_and_measures_thirty() {
        let times: Vec<f64> = (0..60)
            .map(|i| (f64::from(i) / 30.0 * 1000.0).round() / 1000.0)
            .collect();
        let (c, _) = beats(&times);
        assert!(c.is_steady());
        assert!((c.fps().unwrap() - 30.0).abs() < 0.05);
    }

    #[test]
    fn a_hole_is_a_gap_and_does_not_change_the_rate() {
        let (c, b) = beats(&[0.0, 0.04, 0.08, 0.12, 0.16, 0.60, 0.64]);
        assert_eq!(b[5], Beat::Gap);
        assert_eq!(b[6], Beat::Steady);
        assert!((c.fps().unwrap() - 25.0).abs() < 1e-6);
    }

    #[test]
    fn a_lasting_change_of_rate_is_learned() {
        let mut times = vec![0.0, 0.005, 0.010, 0.015];
        times.extend((1..20).map(|i| 0.015 + f64::from(i) / 30.0));
        let (c, b) = beats(&times);
        assert_eq!(b.last(), Some(&Beat::Steady));
        assert!((c.fps().unwrap() - 30.0).abs() < 0.1);
    }

    #[test]
    fn variable_rate_is_not_steady() {
        let (c, _) = beats(&[0.0, 0.033, 0.1, 0.133, 0.2, 0.24]);
        assert!(!c.is_steady());
    }

    #[test]
    fn time_running_backwards_is_told() {
        assert_eq!(beats(&[0.0, 0.04, 0.04]).1[2], Beat::Backwards);
    }
}
