//! The time axis of a camera: the driver's capture times, kept rising.

use std::time::{Duration, Instant};

use crate::base::{Notice, Timestamp};

/// How far the driver's clock may run from ours between two pictures before it
/// counts as having been set (nokhwa turns the driver's steady clock into
/// wall-clock time).
const MAX_JUMP_SECS: f64 = 0.5;
/// Two frames are at least this far apart.
const MIN_STEP_SECS: f64 = 1e-4;
/// After so many pictures it is known whether the driver gives times.
const JUDGED_AFTER: u32 = 30;

/// Turns capture times into times since the first frame.
#[derive(Debug, Default)]
pub(crate) struct CameraClock {
    /// The last picture: when it came, and its time.
    last: Option<(Instant, Timestamp)>,
    /// The last picture with a driver time: that time, when it came, its time.
    known: Option<(Duration, Instant, Timestamp)>,
    pictures: u32,
    unstamped: u32,
}

impl CameraClock {
    /// The time of a frame that the driver stamped `driver` and that came at
    /// `arrival`. The first frame is time zero. A frame without a driver time is
    /// placed by its arrival; the next one with a time returns to the driver's axis.
    pub(crate) fn stamp(&mut self, driver: Option<Duration>, arrival: Instant) -> Timestamp {
        self.pictures = self.pictures.saturating_add(1);
        self.unstamped += u32::from(driver.is_none());
        let since = |earlier: Instant| arrival.saturating_duration_since(earlier).as_secs_f64();
        let timestamp = match (self.last, self.known, driver) {
            (None, ..) => Timestamp::ZERO,
            (Some((came, time)), known, driver) => {
                let by_driver = match (known, driver) {
                    (Some((stamp, came, time)), Some(now)) => now
                        .checked_sub(stamp)
                        .map(|step| step.as_secs_f64())
                        .filter(|step| (step - since(came)).abs() < MAX_JUMP_SECS)
                        .map(|step| time.plus_secs(step)),
                    _ => None,
                };
                by_driver
                    .unwrap_or_else(|| time.plus_secs(since(came)))
                    .max(time.plus_secs(MIN_STEP_SECS))
            }
        };
        self.last = Some((arrival, timestamp));
        if let Some(driver) = driver {
            self.known = Some((driver, arrival, timestamp));
        }
        timestamp
    }

    /// What there is to say about the driver's times, once enough has been seen.
    pub(crate) fn verdict(&self) -> Option<Notice> {
        (self.pictures == JUDGED_AFTER && self.unstamped > JUDGED_AFTER / 2).then(|| {
            Notice::info(
                "The camera's driver gives no usable times; the arrival of each picture is used, which is a few milliseconds less even",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_times_count_and_jumps_of_the_wall_clock_do_not() {
        let start = Instant::now();
        let mut clock = CameraClock::default();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let wall = |millis: u64| Some(Duration::from_millis(1_700_000_000_000 + millis));
        assert_eq!(clock.stamp(wall(0), at(20)), Timestamp::ZERO);
        // Arrivals jitter, capture times do not.
        assert_eq!(clock.stamp(wall(33), at(70)).nanos() / 1_000_000, 33);
        assert_eq!(clock.stamp(wall(66), at(88)).nanos() / 1_000_000, 66);
        // One picture without a time: 40 ms after the last came.
        assert_eq!(clock.stamp(None, at(128)).nanos() / 1_000_000, 106);
        // Back on the driver's axis, not on the late arrival's.
        assert_eq!(clock.stamp(wall(133), at(155)).nanos() / 1_000_000, 133);
        // The wall clock is set back an hour between two frames 34 ms apart.
        let back = Some(Duration::from_millis(1_700_000_000_160) - Duration::from_secs(3600));
        assert_eq!(clock.stamp(back, at(189)).nanos() / 1_000_000, 167);
        // Two frames never share a time.
        let before = clock.stamp(back, at(189));
        assert!(before > Timestamp::from_secs(0.167));
    }

    #[test]
    fn a_driver_without_times_is_reported_once() {
        let mut clock = CameraClock::default();
        let start = Instant::now();
        let told = (0..90)
            .filter(|i| {
                clock.stamp(None, start + Duration::from_millis(33 * i));
                clock.verdict().is_some()
            })
            .count();
        assert_eq!(told, 1);
    }
}
