//! The time axis of a camera: the driver's capture times, kept rising.

use std::time::{Duration, Instant};

use crate::base::Timestamp;

/// How far the driver's clock may run from ours before it counts as having been
/// set (nokhwa turns the driver's steady clock into wall-clock time).
const MAX_DRIFT_SECS: f64 = 0.5;
/// Two frames are at least this far apart.
const MIN_STEP_SECS: f64 = 1e-4;

/// Turns capture times into times since the first frame.
#[derive(Debug, Default)]
pub(crate) struct CameraClock {
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    driver: Option<Duration>,
    arrival: Instant,
    timestamp: Timestamp,
}

impl CameraClock {
    /// The time of a frame that the driver stamped `driver` and that came at
    /// `arrival`. The first frame is time zero.
    pub(crate) fn stamp(&mut self, driver: Option<Duration>, arrival: Instant) -> Timestamp {
        let timestamp = match self.last {
            None => Timestamp::ZERO,
            Some(last) => {
                let by_arrival = arrival
                    .saturating_duration_since(last.arrival)
                    .as_secs_f64();
                let by_driver = match (last.driver, driver) {
                    (Some(a), Some(b)) => b.checked_sub(a).map(|d| d.as_secs_f64()),
                    _ => None,
                };
                let step = by_driver
                    .filter(|s| *s > 0.0 && (s - by_arrival).abs() < MAX_DRIFT_SECS)
                    .unwrap_or(by_arrival)
                    .max(MIN_STEP_SECS);
                last.timestamp.plus_secs(step)
            }
        };
        self.last = Some(Last {
            driver,
            arrival,
            timestamp,
        });
        timestamp
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
        // The wall clock is set back an hour between two frames 34 ms apart.
        let back = Some(Duration::from_millis(1_700_000_000_100) - Duration::from_secs(3600));
        assert_eq!(clock.stamp(back, at(122)).nanos() / 1_000_000, 100);
        // Without a driver time the arrival has to do.
        assert_eq!(clock.stamp(None, at(155)).nanos() / 1_000_000, 133);
        // Two frames never share a time.
        let before = clock.stamp(None, at(155));
        assert!(before > Timestamp::from_secs(0.133));
    }
}
