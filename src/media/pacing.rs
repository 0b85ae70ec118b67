//! When the next picture of a playback is due.

use std::time::Duration;

use crate::base::Timestamp;

/// The slowest and fastest playback.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=4.0;

/// So late, playback stops catching up and goes on from where it is.
const GIVE_UP_SECS: f64 = 0.3;

/// Maps the recording's times to the wall clock. All wall times are durations
/// since an arbitrary start, so that tests need no clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pacer {
    speed: f64,
    anchor: Option<(Duration, Timestamp)>,
}

/// What to do about a picture at this moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Due {
    In(Duration),
    Now,
    /// It is late by more than one picture: show it only if nothing was shown lately.
    Late,
}

impl Pacer {
    pub(crate) fn new() -> Self {
        Self {
            speed: 1.0,
            anchor: None,
        }
    }

    /// Playback starts anew from the picture at hand: after a seek, a pause, or a
    /// change of speed.
    pub(crate) fn restart(&mut self, speed: f64) {
        self.speed = clamp_speed(speed);
        self.anchor = None;
    }

    /// When the picture of time `next` is due, if the one of time `shown` is on
    /// the screen.
    pub(crate) fn due(&mut self, shown: Timestamp, next: Timestamp, now: Duration) -> Due {
        let (start, origin) = *self.anchor.get_or_insert((now, shown));
        let ahead =
            next.secs_since(origin) / self.speed - (now.saturating_sub(start)).as_secs_f64();
        if ahead > 0.0 {
            return Due::In(Duration::from_secs_f64(ahead));
        }
        if ahead < -GIVE_UP_SECS {
            self.anchor = Some((now, next));
            return Due::Now;
        }
        let interval = next.secs_since(shown) / self.speed;
        if -ahead > interval {
            Due::Late
        } else {
            Due::Now
        }
    }
}

/// A speed within [`SPEEDS`]; 1 for what is no number.
pub(crate) fn clamp_speed(speed: f64) -> f64 {
    if speed.is_finite() {
        speed.clamp(*SPEEDS.start(), *SPEEDS.end())
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn pictures_are_due_by_their_times_and_the_speed() {
        let mut pacer = Pacer::new();
        pacer.restart(2.0);
        assert_eq!(pacer.due(at(0), at(40), ms(1000)), Due::In(ms(20)));
        assert_eq!(pacer.due(at(0), at(40), ms(1020)), Due::Now);
        // Variable frame rate: the next step is longer.
        assert_eq!(pacer.due(at(40), at(140), ms(1020)), Due::In(ms(50)));
    }

    #[test]
    fn a_slow_decoder_skips_pictures_and_at_last_slows_down() {
        let mut pacer = Pacer::new();
        pacer.restart(1.0);
        pacer.due(at(0), at(40), ms(0));
        assert_eq!(pacer.due(at(40), at(80), ms(150)), Due::Late);
        assert_eq!(pacer.due(at(80), at(120), ms(900)), Due::Now);
        assert_eq!(pacer.due(at(120), at(160), ms(900)), Due::In(ms(40)));
    }

    #[test]
    fn impossible_speeds_are_brought_into_range() {
        assert_eq!(clamp_speed(9.0), 4.0);
        assert_eq!(clamp_speed(-1.0), 0.1);
        assert_eq!(clamp_speed(f64::NAN), 1.0);
    }
}
