//! Which two frames make a flow window.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// How densely windows of one kind follow each other.
///
/// Two windows that begin a twelfth of their length apart say nearly the same; at
/// 200 frames a second the flow of every frame would cost ten times as much as it
/// tells. Up to 30 frames a second a twelfth is less than two frames of even the
/// longer window, so nothing is left out there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Stride {
    /// A window starts with every frame, as in the sources.
    Dense,
    /// Of the k frames of a window every (k / n)-th starts one, at least each frame.
    PartOfWindow(u32),
}

impl Default for Stride {
    fn default() -> Self {
        Self::PartOfWindow(12)
    }
}

impl Stride {
    /// Frames from one start to the next, for windows of `k` frames; at least 1.
    #[must_use]
    pub fn frames(self, k: u64) -> u64 {
        match self {
            Self::Dense => 1,
            Self::PartOfWindow(n) => (k / u64::from(n.max(1))).max(1),
        }
    }
}

impl fmt::Display for Stride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense => f.write_str("dense"),
            Self::PartOfWindow(n) => write!(f, "k/{n}"),
        }
    }
}

impl From<Stride> for String {
    fn from(stride: Stride) -> Self {
        stride.to_string()
    }
}

impl TryFrom<String> for Stride {
    type Error = StrideError;

    fn try_from(text: String) -> Result<Self, StrideError> {
        text.parse()
    }
}

impl FromStr for Stride {
    type Err = StrideError;

    fn from_str(text: &str) -> Result<Self, StrideError> {
        if text == "dense" {
            return Ok(Self::Dense);
        }
        text.strip_prefix("k/")
            .and_then(|n| n.parse().ok())
            .filter(|n| (1..=1000).contains(n))
            .map(Self::PartOfWindow)
            .ok_or_else(|| StrideError(text.to_owned()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no stride. Say dense, or k/12 for a window every twelfth of its length")]
pub struct StrideError(String);

/// Pairs every frame with the first one at or after `delta_secs` later, half a
/// frame interval of tolerance included: at a steady rate that is the constant
/// k = round(Δ·fps) of the sources, and at a variable one it follows the clock.
#[derive(Debug, Clone)]
pub struct WindowPairer {
    delta_secs: f64,
    stride: Stride,
    starts: VecDeque<(u64, Timestamp)>,
    last_start: Option<u64>,
}

/// A window by its frames and their times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start_frame: u64,
    pub start: Timestamp,
    pub end_frame: u64,
    pub end: Timestamp,
}

impl Window {
    /// From its first frame to its last.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.end.secs_since(self.start)
    }
}

impl WindowPairer {
    #[must_use]
    pub fn new(delta_secs: f64, stride: Stride) -> Self {
        Self {
            delta_secs,
            stride,
            starts: VecDeque::new(),
            last_start: None,
        }
    }

    #[must_use]
    pub fn delta_secs(&self) -> f64 {
        self.delta_secs
    }

    /// The oldest frame that can still start a window.
    #[must_use]
    pub fn oldest_start(&self) -> Option<u64> {
        self.starts.front().map(|s| s.0)
    }

    /// Takes a frame and its measured interval; returns the windows it closes,
    /// oldest first. Every frame that the stride lets start one starts exactly one.
    pub fn push(&mut self, frame: u64, t: Timestamp, interval_secs: f64) -> Vec<Window> {
        let mut closed = Vec::new();
        while let Some(&(start_frame, start)) = self.starts.front() {
            if t.secs_since(start) < self.delta_secs - 0.5 * interval_secs {
                break;
            }
            closed.push(Window {
                start_frame,
                start,
                end_frame: frame,
                end: t,
            });
            self.starts.pop_front();
        }
        let k = if interval_secs > 0.0 {
            (self.delta_secs / interval_secs).round() as u64
        } else {
            1
        };
        let stride = self.stride.frames(k);
        if self.last_start.is_none_or(|last| frame - last >= stride) {
            self.starts.push_back((frame, t));
            self.last_start = Some(frame);
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ks(fps: f64, delta: f64) -> Vec<u64> {
        let mut p = WindowPairer::new(delta, Stride::Dense);
        (0..100)
            .flat_map(|i| {
                p.push(
                    i,
                    Timestamp::from_secs((i as f64 / fps * 1000.0).round() / 1000.0),
                    1.0 / fps,
                )
            })
            .map(|w| w.end_frame - w.start_frame)
            .collect()
    }

    #[test]
    fn a_steady_rate_gives_the_published_k() {
        assert!(ks(30.0, 0.2).iter().all(|&k| k == 6));
        assert!(ks(30.0, 0.6).iter().all(|&k| k == 18));
        assert!(ks(25.0, 0.2).iter().all(|&k| k == 5));
        assert!(ks(200.0, 0.185).iter().all(|&k| k == 37));
    }

    #[test]
    fn every_start_is_used_once_when_the_rate_varies() {
        let mut p = WindowPairer::new(0.2, Stride::Dense);
        let mut t = 0.0;
        let mut starts = Vec::new();
        for i in 0..200_u64 {
            t += if i % 3 == 0 { 0.07 } else { 0.03 };
            starts.extend(
                p.push(i, Timestamp::from_secs(t), 0.03)
                    .iter()
                    .map(|w| w.start_frame),
            );
        }
        assert!(starts.windows(2).all(|w| w[1] == w[0] + 1));
    }

    #[test]
    fn a_stride_thins_fast_recordings_only() {
        let starts = |fps: f64, delta: f64| {
            let mut p = WindowPairer::new(delta, Stride::default());
            (0..400u64)
                .flat_map(|i| p.push(i, Timestamp::from_secs(i as f64 / fps), 1.0 / fps))
                .map(|w| w.start_frame)
                .collect::<Vec<_>>()
        };
        let every = |starts: &[u64]| {
            let step = starts[1] - starts[0];
            assert!(starts.windows(2).all(|w| w[1] - w[0] == step), "{starts:?}");
            step
        };
        assert_eq!(every(&starts(30.0, 0.2)), 1);
        assert_eq!(every(&starts(30.0, 0.6)), 1);
        assert_eq!(every(&starts(200.0, 0.2)), 3);
        assert_eq!(every(&starts(200.0, 0.6)), 10);
    }

    #[test]
    fn strides_are_written_as_they_are_read() {
        for stride in [Stride::Dense, Stride::PartOfWindow(6)] {
            assert_eq!(stride.to_string().parse(), Ok(stride));
        }
        for wrong in ["k/0", "12", "k/", "k/-1", ""] {
            assert!(wrong.parse::<Stride>().is_err(), "{wrong}");
        }
        assert_eq!(Stride::PartOfWindow(6).frames(18), 3);
    }
}
