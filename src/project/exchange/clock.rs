//! Frames to times and back, on the recording's own clock.

use crate::base::Timestamp;

/// When each frame of a recording was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Never falling.
    nanos: Vec<i64>,
    /// Median distance of frames, at least 1.
    step_nanos: i64,
}

impl Clock {
    /// `times` of frames 0, 1, 2 …; one that lies before its forerunner is set to it.
    /// With fewer than two frames a thirtieth of a second is taken as their distance.
    #[must_use]
    pub fn new(times: &[Timestamp]) -> Self {
        let mut nanos: Vec<i64> = times.iter().map(|t| t.nanos()).collect();
        for at in 1..nanos.len() {
            nanos[at] = nanos[at].max(nanos[at - 1]);
        }
        let mut steps: Vec<i64> = nanos.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_unstable();
        let step_nanos = steps.get(steps.len() / 2).copied().unwrap_or(33_333_333);
        Self {
            nanos,
            step_nanos: step_nanos.max(1),
        }
    }

    /// Number of frames that have a time of their own.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.nanos.len() as u64
    }

    /// Frames a second, from the median distance of frames.
    #[must_use]
    pub fn fps(&self) -> f64 {
        1e9 / self.step_nanos as f64
    }

    /// When `frame` was shown; `None` of one without a time of its own.
    #[must_use]
    pub fn known_time_of(&self, frame: u64) -> Option<Timestamp> {
        (frame < self.frames()).then(|| self.time_of(frame))
    }

    /// When `frame` was shown; past the end by the median distance of frames.
    #[must_use]
    pub fn time_of(&self, frame: u64) -> Timestamp {
        let known = usize::try_from(frame)
            .ok()
            .and_then(|at| self.nanos.get(at));
        Timestamp::from_nanos(known.copied().unwrap_or_else(|| {
            let (past, last) = self.past_the_end(frame);
            last.saturating_add(self.step_nanos.saturating_mul(past))
        }))
    }

    /// When `frame` gave way to the next one.
    #[must_use]
    pub fn end_of(&self, frame: u64) -> Timestamp {
        self.time_of(frame.saturating_add(1))
    }

    /// The frame whose time is nearest, the earlier of two; past the end as
    /// [`Clock::time_of`].
    #[must_use]
    pub fn frame_at(&self, time: Timestamp) -> u64 {
        let nanos = time.nanos();
        let next = self.nanos.partition_point(|&n| n < nanos);
        let Some(&after) = self.nanos.get(next) else {
            let (_, last) = self.past_the_end(self.frames());
            let from_last = nanos.saturating_sub(last).max(0);
            // Half of a distance belongs to the earlier frame.
            let past = (from_last + (self.step_nanos - 1) / 2) / self.step_nanos;
            let first = self.frames().saturating_sub(1);
            return first.saturating_add(past.unsigned_abs());
        };
        match next.checked_sub(1).and_then(|at| self.nanos.get(at)) {
            Some(&before) if nanos - before <= after - nanos => next as u64 - 1,
            _ => next as u64,
        }
    }

    /// How many frames after the last one, and that one's time.
    fn past_the_end(&self, frame: u64) -> (i64, i64) {
        let last = self.frames().saturating_sub(1);
        let past = i64::try_from(frame.saturating_sub(last)).unwrap_or(i64::MAX);
        (past, self.nanos.last().copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(millis: &[i64]) -> Clock {
        let times = millis
            .iter()
            .map(|&ms| Timestamp::from_nanos(ms * 1_000_000));
        Clock::new(&times.collect::<Vec<_>>())
    }

    fn at(clock: &Clock, ms: f64) -> u64 {
        clock.frame_at(Timestamp::from_secs(ms / 1e3))
    }

    #[test]
    fn the_nearest_frame_is_found_with_uneven_times() {
        let c = clock(&[0, 40, 50, 150]);
        for (ms, frame) in [
            (-5.0, 0),
            (19.0, 0),
            (20.0, 0),
            (21.0, 1),
            (46.0, 2),
            (149.0, 3),
        ] {
            assert_eq!(at(&c, ms), frame, "{ms}");
        }
        // The median distance is 40 ms (of 10, 40, 100).
        assert_eq!(c.time_of(5).secs(), 0.230);
        assert_eq!((at(&c, 169.0), at(&c, 171.0), at(&c, 230.0)), (3, 4, 5));
        assert_eq!(c.end_of(1), c.time_of(2));
    }

    #[test]
    fn every_frame_finds_itself() {
        for c in [
            clock(&[0, 5, 10, 15]),
            clock(&[0]),
            clock(&[]),
            clock(&[0, 33, 67, 100]),
        ] {
            for frame in 0..50 {
                assert_eq!(c.frame_at(c.time_of(frame)), frame, "{c:?}");
            }
        }
    }

    #[test]
    fn times_that_run_backwards_stand_still() {
        let c = clock(&[0, 50, 40, 90]);
        assert_eq!(c.time_of(2).secs(), 0.050);
        assert_eq!(c.time_of(u64::MAX), Timestamp::from_nanos(i64::MAX));
    }
}
