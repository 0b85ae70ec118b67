//! Which two frames make a flow window.

use std::collections::VecDeque;

use crate::base::Timestamp;

/// Pairs every frame with the first one at or after `delta_secs` later, half a
/// frame interval of tolerance included: at a steady rate that is the constant
/// k = round(Δ·fps) of the sources, and at a variable one it follows the clock.
#[derive(Debug, Clone)]
pub struct WindowPairer {
    delta_secs: f64,
    starts: VecDeque<(u64, Timestamp)>,
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
    pub fn new(delta_secs: f64) -> Self {
        Self {
            delta_secs,
            starts: VecDeque::new(),
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
    /// oldest first. Every frame starts exactly one window.
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
        self.starts.push_back((frame, t));
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ks(fps: f64, delta: f64) -> Vec<u64> {
        let mut p = WindowPairer::new(delta);
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
        let mut p = WindowPairer::new(0.2);
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
}
