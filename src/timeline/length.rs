//! How long frames last: the one rule of window, report and lists.
//!
//! A frame is shown from its own time until the next one takes its place. A stretch holds
//! both of its ends, so it lasts from the time of its first frame until its last one gave
//! way: 12 frames of 30 a second last 0.400 s, though their first and last lie 0.367 s apart.
//! A recording lasts until its last frame gave way.

use super::{FrameRecord, Recording};
use crate::base::{Timestamp, stats};

/// Frames looked back on for how long the last one is shown.
const LOOKED_BACK: usize = 30;

impl Recording {
    /// How long a frame is shown, seconds: until the next one, without what was dropped
    /// between them. The last one is shown as long as those before it usually are. `None` of
    /// a frame that is not there, and of the only one.
    #[must_use]
    pub fn shown_secs(&self, frame: u64) -> Option<f64> {
        let frames = &self.frames;
        let at = frames.binary_search_by_key(&frame, |r| r.frame).ok()?;
        if let Some(next) = frames.get(at + 1) {
            return Some(apart(&frames[at], next));
        }
        let before = &frames[at.saturating_sub(LOOKED_BACK)..=at];
        let secs: Vec<f64> = (before.windows(2))
            .map(|pair| apart(&pair[0], &pair[1]))
            .collect();
        stats::median(&secs)
    }

    /// From the first frame until the last one gave way, seconds; 0 without frames.
    #[must_use]
    pub fn length_secs(&self) -> f64 {
        self.frames.last().map_or(0.0, |last| {
            last.timestamp.secs() + self.shown_secs(last.frame).unwrap_or(0.0)
        })
    }
}

/// From one frame to the next, seconds a frame: those that a camera delivered and nobody
/// took were frames too.
fn apart(one: &FrameRecord, next: &FrameRecord) -> f64 {
    let numbers = next.frame.saturating_sub(one.frame);
    let frames = numbers.max(u64::from(next.dropped_before) + 1);
    next.timestamp.secs_since(one.timestamp).max(0.0) / frames as f64
}

/// The length of an expression or of anything else that is told by its frames: `0.400 s`.
#[must_use]
pub fn in_words(secs: f64) -> String {
    format!("{secs:.3} s")
}

/// The length of a recording, `h:mm:ss.mmm`. Rounded to the millisecond: no container knows
/// more, and 20 s are not to be read as 19.999 s.
#[must_use]
pub fn clock(secs: f64) -> String {
    Timestamp::from_secs((1e3 * secs).round() / 1e3).clock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: &[i64]) -> Recording {
        let frames = nanos.iter().zip(0..);
        let frames =
            frames.map(|(&nanos, i)| FrameRecord::faceless(i, Timestamp::from_nanos(nanos)));
        Recording {
            frames: frames.collect(),
            ..Recording::default()
        }
    }

    #[test]
    fn twenty_seconds_of_thirty_frames_each_last_twenty_seconds() {
        // Cut off to whole nanoseconds, as a container's times may be.
        let recording = at(&(0..600).map(|i| i * 1_000_000_000 / 30).collect::<Vec<_>>());
        assert_eq!(clock(recording.length_secs()), "0:00:20.000");
        assert_eq!(clock(19.966_67), "0:00:19.967");
        // Whole milliseconds, as others have them.
        let millis = |i: i64| (i * 1000 + 15) / 30 * 1_000_000;
        let recording = at(&(0..600).map(millis).collect::<Vec<_>>());
        assert_eq!(clock(recording.length_secs()), "0:00:20.000");
        assert_eq!(clock(Recording::default().length_secs()), "0:00:00.000");
    }

    #[test]
    fn a_frame_is_shown_until_the_next_one_and_the_last_one_as_long_as_usual() {
        let recording = at(&[0, 40_000_000, 50_000_000, 150_000_000, 190_000_000]);
        let shown = |frame| {
            recording
                .shown_secs(frame)
                .map(|s| (1e3 * s).round() as i64)
        };
        assert_eq!([0, 1, 2, 3].map(shown), [40, 10, 100, 40].map(Some));
        // The median of 10, 40, 40 and 100.
        assert_eq!(shown(4), Some(40));
        assert_eq!(shown(5), None);
        assert_eq!(at(&[0]).shown_secs(0), None);
    }

    #[test]
    fn dropped_frames_do_not_lengthen_the_one_before_them() {
        let mut recording = at(&[0, 40_000_000, 160_000_000, 200_000_000]);
        recording.frames[2].dropped_before = 2;
        let shown = recording.shown_secs(1);
        assert!(
            shown.is_some_and(|secs| (secs - 0.04).abs() < 1e-9),
            "{shown:?}"
        );
    }

    #[test]
    fn lengths_have_three_digits() {
        assert_eq!(in_words(0.4), "0.400 s");
        assert_eq!(in_words(1.26666), "1.267 s");
    }
}
