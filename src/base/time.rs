//! Time on the recording's own clock.

use serde::{Deserialize, Serialize};

/// A moment in nanoseconds since the first frame of the recording.
///
/// It comes from the container or the camera driver, never from `frame / fps`
/// unless the source has no times of its own.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first frame.
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Rounds to the nearest nanosecond; a value that is not finite gives zero.
    #[must_use]
    pub fn from_secs(secs: f64) -> Self {
        if secs.is_finite() {
            Self((secs * 1e9).round() as i64)
        } else {
            Self(0)
        }
    }

    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// Seconds from `earlier` to `self`, negative when `earlier` is later.
    #[must_use]
    pub fn secs_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 * 1e-9
    }

    /// This moment shifted by `secs`.
    #[must_use]
    pub fn plus_secs(self, secs: f64) -> Self {
        Self(self.0 + Self::from_secs(secs).0)
    }

    /// `2026-11-27` where the clock counts from 1970; years by Howard Hinnant's
    /// days-to-civil algorithm.
    #[must_use]
    pub fn date(self) -> String {
        // Days from 0000-03-01, so that the leap day comes last in a year.
        let from_march = self.0.max(0) / 86_400_000_000_000 + 719_468;
        let (era, of_era) = (from_march / 146_097, from_march % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `h:mm:ss.mmm`, as the window shows times.
    #[must_use]
    pub fn clock(self) -> String {
        let millis = self.0.max(0) / 1_000_000;
        let (s, ms) = (millis / 1000, millis % 1000);
        format!("{}:{:02}:{:02}.{:03}", s / 3600, s / 60 % 60, s % 60, ms)
    }
}

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl TimeSpan {
    #[must_use]
    pub fn secs(self) -> f64 {
        self.end.secs_since(self.start)
    }

    #[must_use]
    pub fn contains(self, t: Timestamp) -> bool {
        self.start <= t && t <= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_shows_hours_minutes_seconds_and_milliseconds() {
        assert_eq!(Timestamp::from_secs(3_723.045_6).clock(), "1:02:03.045");
        assert_eq!(Timestamp::from_secs(f64::NAN), Timestamp::ZERO);
    }
}
