//! How fast an analysis goes on, and how long it still takes.

/// Less says nothing of what is to come: kernels are compiled and caches filled.
const SOONEST_SECS: f64 = 1.0;
const FEWEST_FRAMES: u64 = 5;
/// So far back the recent pace looks: what was measured then counts 1/e.
const MEMORY_SECS: f64 = 10.0;

/// Frames analysed, and how long that took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    pub frames: u64,
    pub secs: f64,
}

impl Pace {
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            frames: self.frames + more.frames,
            secs: self.secs + more.secs,
        }
    }

    /// `None` before there is something to estimate from.
    #[must_use]
    pub fn frames_per_sec(self) -> Option<f64> {
        let enough = self.secs >= SOONEST_SECS && self.frames >= FEWEST_FRAMES;
        enough.then(|| self.frames as f64 / self.secs)
    }
}

/// The pace of the last seconds. A frame may take ten times as long as the one before: a
/// face is lost and searched for, windows are measured in one go. What is left is
/// estimated from a mean, or it jumps with every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RecentPace {
    /// As last told, from the beginning.
    told: Pace,
    /// Both fade by [`MEMORY_SECS`]; at the beginning their ratio is the plain mean.
    frames: f64,
    secs: f64,
}

impl RecentPace {
    /// `pace` is all since the beginning; what does not go on from before begins anew.
    pub fn tell(&mut self, pace: Pace) {
        if pace.frames < self.told.frames || pace.secs < self.told.secs {
            *self = Self::default();
        }
        let frames = (pace.frames - self.told.frames) as f64;
        let secs = pace.secs - self.told.secs;
        let keep = (-secs / MEMORY_SECS).exp();
        self.frames = keep * self.frames + frames;
        self.secs = keep * self.secs + secs;
        self.told = pace;
    }

    /// `None` before there is something to estimate from.
    #[must_use]
    pub fn frames_per_sec(&self) -> Option<f64> {
        // A slow analysis never has many frames in what is remembered of it.
        self.told.frames_per_sec()?;
        (self.frames > 0.0).then(|| self.frames / self.secs)
    }
}

/// Seconds for what is left of `total` frames; none is left where there are more than were
/// promised.
#[must_use]
pub fn secs_left(done: u64, total: u64, frames_per_sec: f64) -> f64 {
    total.saturating_sub(done) as f64 / frames_per_sec
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells a pace of `fps(t)` frame by frame for so many seconds; the time left of 10,000
    /// frames after each.
    fn lefts(pace: &mut RecentPace, secs: f64, fps: impl Fn(f64) -> f64) -> Vec<f64> {
        let (mut now, begun) = (pace.told, pace.told.secs);
        let mut all = Vec::new();
        while now.secs - begun < secs {
            now.secs += 1.0 / fps(now.secs);
            now.frames += 1;
            pace.tell(now);
            all.extend(
                pace.frames_per_sec()
                    .map(|r| secs_left(now.frames, 10_000, r)),
            );
        }
        all
    }

    #[test]
    fn a_pace_that_stutters_gives_a_time_left_that_does_not_jump() {
        // Half a second at 5 frames a second, half a second at 50.
        let stutter = |t: f64| if t % 1.0 < 0.5 { 5.0 } else { 50.0 };
        let mut pace = RecentPace::default();
        lefts(&mut pace, 10.0, stutter);
        let left = lefts(&mut pace, 20.0, stutter);
        let jump = (left.windows(2))
            .map(|w| (w[1] / w[0]).ln().abs())
            .fold(0.0, f64::max);
        // The rate of the last half second jumps by 10.
        assert!(jump < 0.04, "{jump}");
        let (low, high) = (left.iter().copied()).fold((f64::MAX, 0.0_f64), |(low, high), secs| {
            (low.min(secs), high.max(secs))
        });
        assert!(high / low < 1.15, "{low} to {high}");
    }

    #[test]
    fn a_pace_that_changes_for_good_is_followed_within_half_a_minute() {
        let mut pace = RecentPace::default();
        lefts(&mut pace, 60.0, |_| 10.0);
        assert!((pace.frames_per_sec().unwrap() - 10.0).abs() < 0.1);
        lefts(&mut pace, 30.0, |_| 20.0);
        assert!((pace.frames_per_sec().unwrap() - 20.0).abs() < 1.0);
    }

    #[test]
    fn a_slow_analysis_has_a_time_left_as_long_as_it_lasts() {
        // A frame every five seconds; the first is told of after some frames.
        let mut pace = RecentPace::default();
        lefts(&mut pace, 30.0, |_| 0.2);
        let left = lefts(&mut pace, 300.0, |_| 0.2);
        assert_eq!(left.len(), 60);
        assert!((pace.frames_per_sec().unwrap() - 0.2).abs() < 1e-6);
    }

    #[test]
    fn a_stall_of_half_a_minute_lengthens_the_time_left_and_does_not_blank_it() {
        let mut pace = RecentPace::default();
        lefts(&mut pace, 20.0, |_| 1.0);
        let before = pace.frames_per_sec().unwrap();
        let Pace { frames, secs } = pace.told;
        // Time passes, told of every second, and no frame comes.
        for second in 1..=30 {
            pace.tell(Pace {
                frames,
                secs: secs + f64::from(second),
            });
            assert!(pace.frames_per_sec().is_some_and(|fps| fps < before));
        }
        // One frame that took all of it.
        let mut pace = RecentPace::default();
        lefts(&mut pace, 20.0, |_| 1.0);
        pace.tell(Pace {
            frames: frames + 1,
            secs: secs + 30.0,
        });
        assert!(pace.frames_per_sec().is_some_and(|fps| fps < before));
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_estimate_from() {
        for (frames, secs) in [(0, 0.0), (4, 30.0), (90, 0.4)] {
            let mut recent = RecentPace::default();
            recent.tell(Pace { frames, secs });
            assert_eq!(recent.frames_per_sec(), None, "{frames} in {secs} s");
            assert_eq!(Pace { frames, secs }.frames_per_sec(), None);
        }
        let mut recent = RecentPace::default();
        recent.tell(Pace {
            frames: 50,
            secs: 5.0,
        });
        assert_eq!(recent.frames_per_sec(), Some(10.0));
        // Another recording, from its beginning.
        recent.tell(Pace {
            frames: 1,
            secs: 0.1,
        });
        assert_eq!(recent.frames_per_sec(), None);
        assert_eq!(secs_left(60, 50, 10.0), 0.0);
    }
}
