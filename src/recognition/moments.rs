//! The faces of the last seconds, kept so that the motion from an expression's onset to
//! its apex can be measured once both are known.

use std::collections::VecDeque;
use std::sync::Arc;

use super::FacePicture;
use crate::base::Timestamp;
use crate::face::Face;
use crate::media::Frame;

/// How long a face is kept: longer than an expression takes from its onset to its apex
/// and to be decided on.
const KEPT_SECS: f64 = 12.0;
/// Two kept faces are at least so far apart: a movement that slow is still there.
const LEAST_APART_SECS: f64 = 1.0 / 45.0;
/// For a frame that was not kept stands one so near, in seconds: kept ones are less than
/// twice as far apart where frames follow each other faster.
const NEAR_SECS: f64 = LEAST_APART_SECS;

/// One frame's face.
#[derive(Debug, Clone)]
pub struct Moment {
    pub frame: u64,
    pub timestamp: Timestamp,
    pub picture: FacePicture,
}

/// The faces of the last [`KEPT_SECS`]: at most about 540 of 90 kB each.
#[derive(Debug, Default)]
pub struct Moments {
    kept: VecDeque<Arc<Moment>>,
    /// When each frame of that time was seen, with or without a face.
    times: VecDeque<(u64, Timestamp)>,
}

impl Moments {
    /// Takes a frame with its face, the frames in their order.
    pub fn push(&mut self, frame: &Frame, face: Option<&Face>) {
        let now = frame.timestamp;
        let early = |last: Timestamp| now.secs_since(last) < LEAST_APART_SECS;
        self.times.push_back((frame.index, now));
        while self
            .times
            .front()
            .is_some_and(|(_, t)| now.secs_since(*t) > KEPT_SECS)
        {
            self.times.pop_front();
        }
        while self
            .kept
            .front()
            .is_some_and(|m| now.secs_since(m.timestamp) > KEPT_SECS)
        {
            self.kept.pop_front();
        }
        let Some(face) = face else { return };
        if self.kept.back().is_some_and(|m| early(m.timestamp)) {
            return;
        }
        self.kept.push_back(Arc::new(Moment {
            frame: frame.index,
            timestamp: now,
            picture: FacePicture::of(&frame.picture, face.rect, face.landmarks.clone()),
        }));
    }

    /// The face at `t`, or one so near that it makes no difference; `None` where there
    /// was none or it is forgotten.
    #[must_use]
    pub fn at(&self, t: Timestamp) -> Option<&Arc<Moment>> {
        let after = self.kept.partition_point(|m| m.timestamp < t);
        let around = [after.checked_sub(1), Some(after)];
        let off = |m: &Arc<Moment>| m.timestamp.secs_since(t).abs();
        around
            .into_iter()
            .flatten()
            .filter_map(|at| self.kept.get(at))
            .min_by(|a, b| off(a).total_cmp(&off(b)))
            .filter(|m| off(m) <= NEAR_SECS)
    }

    /// The face in a frame, or one so near that it makes no difference.
    #[must_use]
    pub fn of_frame(&self, frame: u64) -> Option<&Arc<Moment>> {
        let at = self.times.partition_point(|(f, _)| *f < frame);
        let (_, t) = self.times.get(at).filter(|(f, _)| *f == frame)?;
        self.at(*t)
    }

    /// Whether a frame is still known, with or without a face.
    #[must_use]
    pub fn remembers(&self, frame: u64) -> bool {
        self.times.front().is_some_and(|(first, _)| *first <= frame)
    }

    /// When the newest frame was seen.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.times.back().map(|(_, t)| *t)
    }

    /// The newest frame's face.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<Moment>> {
        self.at(self.now()?)
    }

    /// The first face kept at or after `t`.
    #[must_use]
    pub fn since(&self, t: Timestamp) -> Option<&Arc<Moment>> {
        let at = self.kept.partition_point(|m| m.timestamp < t);
        self.kept.get(at)
    }

    /// So many faces evenly in time from an onset to the last frame of an expression, as
    /// networks on clips learnt them: each the last one kept by then, the onset the first.
    /// Where the last frame is still to come, up to the newest.
    #[must_use]
    pub fn clip(&self, onset: &Arc<Moment>, last: u64, count: usize) -> Vec<Arc<Moment>> {
        // Times between frames are rounded, each to a nanosecond.
        const ROUNDING_SECS: f64 = 1e-6;
        let from = onset.timestamp;
        let seen = self.times.partition_point(|(frame, _)| *frame <= last);
        let end = seen.checked_sub(1).and_then(|at| self.times.get(at));
        let lasts = end.map_or(0.0, |(_, t)| t.secs_since(from).max(0.0));
        let steps = count.saturating_sub(1).max(1) as f64;
        let at = |step: usize| {
            let t = from.plus_secs(lasts * step as f64 / steps + ROUNDING_SECS);
            let after = self.kept.partition_point(|m| m.timestamp <= t);
            let face = after.checked_sub(1).and_then(|at| self.kept.get(at));
            Arc::clone(face.filter(|face| face.timestamp >= from).unwrap_or(onset))
        };
        (0..count).map(at).collect()
    }

    /// How many faces are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::base::{Point, Rect};
    use crate::face::Landmarks;

    fn moments(fps: f64, secs: f64) -> Moments {
        let picture = Arc::new(RgbImage::new(64, 48));
        let face = Face {
            rect: Rect::new(20.0, 10.0, 24.0, 24.0),
            confidence: 1.0,
            landmarks: Landmarks([Point::default(); 68]),
            pose: None,
            blink: 0.0,
        };
        let mut moments = Moments::default();
        for index in 0..(fps * secs) as u64 {
            let frame = Frame {
                index,
                timestamp: Timestamp::from_secs(index as f64 / fps),
                dropped_before: 0,
                captured: None,
                picture: Arc::clone(&picture),
            };
            moments.push(&frame, Some(&face).filter(|_| index % 50 != 7));
        }
        moments
    }

    #[test]
    fn the_last_seconds_are_at_hand_and_memory_is_bounded_at_any_rate() {
        for fps in [10.0, 30.0, 44.0, 50.0, 60.0, 90.0, 200.0] {
            let moments = moments(fps, 40.0);
            assert!(moments.len() <= 545, "{} at {fps}", moments.len());
            // Every frame with a face has one, kept or near.
            let last = (40.0 * fps) as u64 - 1;
            for frame in last - (10.0 * fps) as u64..=last {
                let found = moments.of_frame(frame).is_some();
                assert!(found || frame % 50 == 7, "{frame} at {fps}");
            }
            let t = Timestamp::from_secs(33.0);
            let found = moments.at(t).unwrap();
            assert!(found.timestamp.secs_since(t).abs() < 0.02);
            assert!(moments.at(Timestamp::from_secs(20.0)).is_none());
        }
        // A clip's frames are those that whole numbers, rounded down, give.
        let steady = self::moments(30.0, 20.0);
        let onset = steady.of_frame(510).unwrap();
        let frames = |last: u64, count: usize| -> Vec<u64> {
            let clip = steady.clip(onset, last, count);
            clip.iter().map(|m| m.frame).collect()
        };
        assert_eq!(frames(522, 6), [510, 512, 514, 517, 519, 522]);
        assert_eq!(frames(512, 5), [510, 510, 511, 511, 512]);
        assert_eq!(frames(510, 2), [510; 2]);
        assert_eq!(frames(9_999, 2), [510, 599]);
        // Frame 557 has no face: the one before it stands there.
        assert_eq!(frames(557, 2), [510, 556]);
        // At 10 a second a neighbour is another moment.
        let slow = moments(10.0, 20.0);
        assert!(slow.at(Timestamp::from_secs(15.7)).is_none());
        assert_eq!(slow.since(Timestamp::from_secs(15.7)).unwrap().frame, 158);
    }
}
