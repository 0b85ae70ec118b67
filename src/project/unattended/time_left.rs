//! How long a queue of recordings still takes, from how long its frames took so far.

/// Less says nothing of what is to come: kernels are compiled and caches filled.
const SOONEST_SECS: f64 = 1.0;
const FEWEST_FRAMES: u64 = 5;

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
        let known = self.secs >= SOONEST_SECS && self.frames >= FEWEST_FRAMES;
        known.then(|| self.frames as f64 / self.secs)
    }
}

/// A recording that is being analysed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Current {
    pub pace: Pace,
    /// All of it; `None` where the recording does not say.
    pub frames: Option<u64>,
}

impl Current {
    /// Seconds to its last frame by its own pace, or at its beginning by the queue's.
    /// `None` without either, and where its length is not known.
    #[must_use]
    pub fn secs_left(&self, queue: Pace) -> Option<f64> {
        let rate =
            (self.pace.frames_per_sec()).or_else(|| queue.and(self.pace).frames_per_sec())?;
        Some(self.frames?.saturating_sub(self.pace.frames) as f64 / rate)
    }
}

/// Of the whole queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeLeft {
    pub secs: f64,
    /// So many recordings are not in it, since their length is not known.
    pub without: usize,
}

/// Seconds for what is left of `current` and for `waiting`, whose lengths are in frames.
/// `done` is the pace of what has ended. `None` before there is something to estimate
/// from, and where nothing is left.
#[must_use]
pub fn time_left(
    done: Pace,
    current: Option<Current>,
    waiting: impl IntoIterator<Item = Option<u64>>,
) -> Option<TimeLeft> {
    let all = current.map_or(done, |c| done.and(c.pace));
    let rate = all.frames_per_sec()?;
    let now = current.map(|c| c.secs_left(done));
    let later = waiting.into_iter().map(|n| Some(n? as f64 / rate));
    let each: Vec<Option<f64>> = now.into_iter().chain(later).collect();
    (!each.is_empty()).then(|| TimeLeft {
        secs: each.iter().flatten().sum(),
        without: each.iter().filter(|secs| secs.is_none()).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_A_SECOND: Pace = Pace {
        frames: 100,
        secs: 10.0,
    };

    #[test]
    fn nothing_is_said_before_there_is_something_to_estimate_from() {
        let begun = |frames, secs| Current {
            pace: Pace { frames, secs },
            frames: Some(100),
        };
        assert_eq!(time_left(Pace::default(), None, [Some(100)]), None);
        for (frames, secs) in [(0, 0.0), (4, 30.0), (90, 0.4)] {
            let left = time_left(Pace::default(), Some(begun(frames, secs)), [Some(1)]);
            assert_eq!(left, None, "{frames} in {secs} s");
        }
        assert!(time_left(Pace::default(), Some(begun(10, 1.0)), []).is_some());
        assert_eq!(time_left(TEN_A_SECOND, None, []), None);
    }

    #[test]
    fn what_is_left_goes_at_its_own_pace_and_what_waits_at_that_of_all() {
        let current = Current {
            pace: Pace {
                frames: 100,
                secs: 30.0,
            },
            frames: Some(130),
        };
        let left = time_left(TEN_A_SECOND, Some(current), [Some(50), None]).unwrap();
        // 30 frames at 100 in 30 s, 50 at 200 in 40 s.
        assert!((left.secs - (9.0 + 10.0)).abs() < 1e-9, "{left:?}");
        assert_eq!(left.without, 1);
    }

    #[test]
    fn one_that_has_just_begun_goes_at_the_pace_of_those_before() {
        let mut current = Current {
            pace: Pace::default(),
            frames: Some(50),
        };
        assert_eq!(current.secs_left(TEN_A_SECOND), Some(5.0));
        // More frames than the file had promised.
        current.pace = Pace {
            frames: 60,
            secs: 6.0,
        };
        assert_eq!(current.secs_left(TEN_A_SECOND), Some(0.0));
        current.frames = None;
        assert_eq!(current.secs_left(TEN_A_SECOND), None);
    }
}
