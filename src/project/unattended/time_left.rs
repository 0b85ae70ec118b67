//! How long a queue of recordings still takes, from how long its frames took so far.

use crate::session::pace::{Pace, RecentPace, secs_left};

/// A recording that is being analysed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Current {
    pub pace: Pace,
    pub recent: RecentPace,
    /// All of it; `None` where the recording does not say.
    pub frames: Option<u64>,
}

impl Current {
    /// Seconds to its last frame by its recent pace, or at its beginning by the queue's.
    /// `None` without either, and where its length is not known.
    #[must_use]
    pub fn secs_left(&self, queue: Pace) -> Option<f64> {
        let recent = self.recent.frames_per_sec();
        let rate = recent.or_else(|| queue.and(self.pace).frames_per_sec())?;
        Some(secs_left(self.pace.frames, self.frames?, rate))
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
    let later = waiting.into_iter().map(|n| Some(secs_left(0, n?, rate)));
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

    /// So many frames in so many seconds, of so many.
    fn current(frames: u64, secs: f64, of: u64) -> Current {
        let pace = Pace { frames, secs };
        let mut recent = RecentPace::default();
        recent.tell(pace);
        Current {
            pace,
            recent,
            frames: Some(of),
        }
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_estimate_from() {
        let begun = |frames, secs| current(frames, secs, 100);
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
        let now = current(100, 30.0, 130);
        let left = time_left(TEN_A_SECOND, Some(now), [Some(50), None]).unwrap();
        // 30 frames at 100 in 30 s, 50 at 200 in 40 s.
        assert!((left.secs - (9.0 + 10.0)).abs() < 1e-9, "{left:?}");
        assert_eq!(left.without, 1);
    }

    #[test]
    fn one_that_has_just_begun_goes_at_the_pace_of_those_before() {
        assert_eq!(current(0, 0.0, 50).secs_left(TEN_A_SECOND), Some(5.0));
        // More frames than the file had promised.
        assert_eq!(current(60, 6.0, 50).secs_left(TEN_A_SECOND), Some(0.0));
        let endless = Current {
            frames: None,
            ..current(60, 6.0, 50)
        };
        assert_eq!(endless.secs_left(TEN_A_SECOND), None);
    }
}
