//! How far apart two coders set the same moment.

use serde::Serialize;

use crate::base::{Timestamp, stats};

/// One moment as both coders set it: the second minus the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Apart {
    pub(super) frames: f64,
    pub(super) ms: f64,
}

impl Apart {
    pub(super) fn between(first: u64, second: u64, time_of: &dyn Fn(u64) -> Timestamp) -> Self {
        Self {
            frames: second as f64 - first as f64,
            ms: time_of(second).secs_since(time_of(first)) * 1e3,
        }
    }
}

/// Differences in frames and in time, over the expressions that both saw.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Shift {
    /// Moments compared.
    pub count: usize,
    /// `None` where there was nothing to compare.
    pub frames: Option<Spread>,
    /// Milliseconds.
    pub ms: Option<Spread>,
}

/// Second coder minus first: positive where the second coder is later.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    pub mean: f64,
    pub median: f64,
    /// Mean of the distances without their sign.
    pub mean_absolute: f64,
    pub median_absolute: f64,
}

impl Shift {
    pub(super) fn of(moments: &[Apart]) -> Self {
        let spread =
            |unit: fn(&Apart) -> f64| spread(&moments.iter().map(unit).collect::<Vec<_>>());
        Self {
            count: moments.len(),
            frames: spread(|m| m.frames),
            ms: spread(|m| m.ms),
        }
    }
}

fn spread(signed: &[f64]) -> Option<Spread> {
    let absolute: Vec<f64> = signed.iter().map(|d| d.abs()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Some(Spread {
        median: stats::median(signed)?,
        median_absolute: stats::median(&absolute)?,
        mean: mean(signed),
        mean_absolute: mean(&absolute),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_and_absolute_differences_are_told_apart() {
        // Frames apart: −2, +1, +4. Mean 1, median 1; without sign 2, 1, 4: mean 7/3,
        // median 2. At 50 fps a frame is 20 ms.
        let time = |frame: u64| Timestamp::from_secs(frame as f64 / 50.0);
        let moments = [(10, 8), (20, 21), (30, 34)].map(|(a, b)| Apart::between(a, b, &time));
        let s = Shift::of(&moments);
        let frames = s.frames.unwrap();
        assert_eq!((s.count, frames.mean, frames.median), (3, 1.0, 1.0));
        assert!((frames.mean_absolute - 7.0 / 3.0).abs() < 1e-12);
        assert_eq!(frames.median_absolute, 2.0);
        let ms = s.ms.unwrap();
        assert!((ms.mean - 20.0).abs() < 1e-6 && (ms.median_absolute - 40.0).abs() < 1e-6);
    }

    #[test]
    fn time_follows_the_recordings_own_clock() {
        // Frame 1 comes after 10 ms, frame 2 after 110 ms: one frame, 100 ms.
        let times = [0.0, 0.010, 0.110].map(Timestamp::from_secs);
        let time = |frame: u64| times[frame as usize];
        let s = Shift::of(&[Apart::between(1, 2, &time)]);
        assert_eq!(s.frames.unwrap().mean, 1.0);
        assert!((s.ms.unwrap().mean - 100.0).abs() < 1e-9);
        assert_eq!(Shift::of(&[]), Shift::default());
    }
}
