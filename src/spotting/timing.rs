//! From seconds to frames, by the times the recording itself carries.

use serde::{Deserialize, Serialize};

use super::ExpressionKind;
use crate::base::Timestamp;
use crate::base::stats::median;

/// Below this measured rate a micro-expression has too few frames to be seen.
pub const LEAST_FPS_FOR_MICRO: f64 = 15.0;

/// How the frames of a recording follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrameTiming {
    /// Frames a second over the ordinary intervals, gaps left out.
    pub fps: f64,
    /// Frame intervals vary by less than 1 %, or by less than the millisecond to
    /// which many containers round: a window is then a fixed count of frames.
    pub steady: bool,
}

impl FrameTiming {
    /// Measures ascending frame times; `None` with fewer than two distinct ones.
    #[must_use]
    pub fn measure(times: &[Timestamp]) -> Option<Self> {
        let intervals: Vec<f64> = times
            .windows(2)
            .map(|w| w[1].secs_since(w[0]))
            .filter(|&d| d > 0.0)
            .collect();
        let usual = median(&intervals)?;
        let near = |d: f64, tolerance: f64| (d - usual).abs() <= tolerance;
        let rounded = (0.01 * usual).max(0.001_05);
        let alike: Vec<f64> = intervals
            .iter()
            .copied()
            .filter(|&d| near(d, rounded))
            .collect();
        // A dropped frame is a gap, not unsteadiness: up to 5 % of the intervals.
        let steady = alike.len() * 20 >= intervals.len() * 19;
        let counted: Vec<f64> = if steady {
            alike
        } else {
            // Anything over three usual intervals is a gap.
            intervals
                .iter()
                .copied()
                .filter(|&d| d <= 3.0 * usual)
                .collect()
        };
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        Some(Self {
            fps: 1.0 / mean,
            steady,
        })
    }

    /// `secs` in frames, rounded, at least 1.
    #[must_use]
    pub fn frames(self, secs: f64) -> usize {
        ((secs * self.fps).round() as usize).max(1)
    }

    /// Whether a window of `kind` has frames enough to show its expressions.
    #[must_use]
    pub fn supports(self, kind: ExpressionKind) -> bool {
        // A nominal 15 fps may measure 14.99.
        kind == ExpressionKind::Macro || self.fps >= LEAST_FPS_FOR_MICRO * 0.99
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(secs: impl Iterator<Item = f64>) -> Vec<Timestamp> {
        secs.map(Timestamp::from_secs).collect()
    }

    #[test]
    fn thirty_frames_a_second_rounded_to_milliseconds_are_steady() {
        let t = times((0..300).map(|i| (f64::from(i) / 30.0 * 1000.0).round() / 1000.0));
        let m = FrameTiming::measure(&t).expect("two frames");
        assert!(m.steady && (m.fps - 30.0).abs() < 0.02, "{m:?}");
        assert_eq!((m.frames(0.2), m.frames(0.6)), (6, 18));
    }

    #[test]
    fn a_gap_does_not_change_the_rate() {
        let t = times(
            (0..100)
                .filter(|i| !(40..60).contains(i))
                .map(|i| f64::from(i) / 200.0),
        );
        let m = FrameTiming::measure(&t).expect("two frames");
        assert!(m.steady && (m.fps - 200.0).abs() < 1e-6, "{m:?}");
        assert_eq!((m.frames(0.2), m.frames(0.6)), (40, 120));
    }

    #[test]
    fn a_variable_rate_is_not_steady_and_one_frame_has_none() {
        let mut at = 0.0;
        let t = times((0..200).map(|i| {
            at += if i % 3 == 0 { 1.0 / 12.0 } else { 1.0 / 30.0 };
            at
        }));
        assert!(!FrameTiming::measure(&t).expect("two frames").steady);
        assert_eq!(FrameTiming::measure(&t[..1]), None);
        let slow = FrameTiming {
            fps: 12.0,
            steady: true,
        };
        assert!(!slow.supports(ExpressionKind::Micro) && slow.supports(ExpressionKind::Macro));
    }
}
