//! Which face is analysed, frame after frame, and whether it is there at all.
//!
//! Between searches the face is followed: a look at its neighbourhood, brought to
//! a hundred pixels square, says whether a face still is there, and the box for
//! the landmarks comes from the landmarks before. The whole picture is searched
//! at the start, once a second for other faces, and while the face is missing.
//! Times are the frames' own; there is no clock.

use std::sync::Arc;

use image::RgbImage;

use crate::base::{Point, Rect, Timestamp};
use crate::media::Frame;

use super::blink::BlinkMeter;
use super::{
    DetectedFace, Face, FaceDetector, FaceError, FaceTrack, LandmarkPredictor, Landmarks, gray,
    pose, rigid,
};

/// How often and how closely the tracker looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerParams {
    /// Long side of the picture in an ordinary search, pixels: the smallest face
    /// it sees is a twelfth of that side.
    pub search_long_side_px: u32,
    /// The same for the first search and every fourth while there is no face.
    pub thorough_long_side_px: u32,
    /// Between searches while a face is followed: other faces appear this late.
    pub others_every_secs: f64,
    /// Between two looks of the detector at the face that is followed; in between the
    /// landmarks follow it alone. Less than a frame at 30 frames a second.
    pub confirm_every_secs: f64,
    /// Between searches while there is none.
    pub lost_every_secs: f64,
    /// The detector may miss an unchanged face for this long before it is lost.
    pub coast_secs: f64,
    /// So long after a loss only the same face may return; then any may.
    pub grace_secs: f64,
}

impl Default for TrackerParams {
    fn default() -> Self {
        Self {
            search_long_side_px: 480,
            thorough_long_side_px: 960,
            others_every_secs: 1.0,
            confirm_every_secs: 0.025,
            lost_every_secs: 0.15,
            coast_secs: 0.25,
            grace_secs: 1.0,
        }
    }
}

/// A detection and the box of the landmarks found in it must overlap at least so
/// much; where they do not, the points have slid off or there is no face.
const LEAST_AGREEMENT: f32 = 0.4;

/// The predictor's box is kept until the landmarks' box has left it by this part
/// of its side: on a still head its jitter does not come back as new jitter.
const BOX_PLAY: f32 = 0.02;

/// Correlation with the last confirmed look of the face that still counts as the
/// same picture while the detector misses it.
const SAME_LOOK: f32 = 0.85;

/// Side of that look, pixels.
const LOOK_SIDE: u32 = 24;

/// Follows one face. See the module's text.
#[derive(Debug)]
pub struct FaceTracker {
    detector: FaceDetector,
    predictor: Arc<LandmarkPredictor>,
    mean_shape: [Point; 68],
    params: TrackerParams,
    followed: Option<Followed>,
    /// Where and when the face was last confirmed, kept after its loss.
    last_seen: Option<(Rect, Timestamp)>,
    others: Vec<DetectedFace>,
    last_search: Option<Timestamp>,
    last_frame: Option<Timestamp>,
    searches_in_vain: u32,
    chosen: Option<Point>,
    blink: BlinkMeter,
}

#[derive(Debug)]
struct Followed {
    /// The box of the current landmarks.
    rect: Rect,
    /// The box that the predictor is given: `rect` with some play.
    held: Rect,
    landmarks: Landmarks,
    /// The last score the detector gave it.
    score: f32,
    confirmed: Timestamp,
    /// Of the last confirmed frame, see [`look`].
    look: Vec<f32>,
    /// 0..1: 1 while confirmed, falling while the detector misses it.
    trust: f32,
}

impl FaceTracker {
    /// # Errors
    /// When the embedded detector model is damaged.
    pub fn new(
        predictor: Arc<LandmarkPredictor>,
        params: TrackerParams,
    ) -> Result<Self, FaceError> {
        Ok(Self {
            detector: FaceDetector::new()?,
            mean_shape: predictor.mean_shape(),
            predictor,
            params,
            followed: None,
            last_seen: None,
            others: Vec::new(),
            last_search: None,
            last_frame: None,
            searches_in_vain: 0,
            chosen: None,
            blink: BlinkMeter::default(),
        })
    }

    /// From the next frame on, analyses the face at `point` (image pixels), or the
    /// one nearest to it, in place of the current one.
    pub fn choose(&mut self, point: Point) {
        self.chosen = Some(point);
    }

    /// Takes the next frame. Without a face, `face` is `None`: nothing is carried
    /// on from earlier frames but for `coast_secs`, and only while the picture
    /// there stays the same.
    ///
    /// `confidence` is 1 − exp(−score/4) of the detector's score (2 → 0.39,
    /// 5 → 0.71, 10 → 0.92), times a factor that falls from 1 to 0 over
    /// `coast_secs` while the detector misses the face.
    pub fn push(&mut self, frame: &Frame) -> FaceTrack {
        let now = frame.timestamp;
        let picture = frame.picture.as_ref();
        if self.last_frame.is_some_and(|before| now < before) {
            self.restart();
        }
        self.last_frame = Some(now);

        let confirmed = self.chosen.is_none() && self.follow(picture, now);
        if !confirmed && self.search_due(now) || confirmed && self.others_due(now) {
            self.search(picture, now, confirmed);
        }
        let missed_too_long = self
            .followed
            .as_ref()
            .is_some_and(|f| f.confirmed < now && f.trust <= 0.0);
        if missed_too_long {
            self.followed = None;
        }
        FaceTrack {
            frame: frame.index,
            timestamp: now,
            face: self.face(now),
            others: self.others.clone(),
        }
    }

    /// Forgets the recording so far; the choice stays.
    fn restart(&mut self) {
        self.followed = None;
        self.last_seen = None;
        self.others.clear();
        self.last_search = None;
        self.searches_in_vain = 0;
        self.blink = BlinkMeter::default();
    }

    fn face(&mut self, now: Timestamp) -> Option<Face> {
        let f = self.followed.as_ref()?;
        Some(Face {
            rect: f.rect,
            confidence: f.trust * (1.0 - (-f.score / 4.0).exp()),
            landmarks: f.landmarks.clone(),
            pose: pose::head_pose(&f.landmarks),
            blink: self.blink.push(now, &f.landmarks),
        })
    }

    fn since_search(&self, now: Timestamp) -> f64 {
        self.last_search
            .map_or(f64::INFINITY, |last| now.secs_since(last))
    }

    fn others_due(&self, now: Timestamp) -> bool {
        self.since_search(now) >= self.params.others_every_secs
    }

    fn search_due(&self, now: Timestamp) -> bool {
        self.chosen.is_some() || self.since_search(now) >= self.params.lost_every_secs
    }

    /// Moves on with the face that is followed. False when there is none or the
    /// detector does not see it where it was.
    fn follow(&mut self, picture: &RgbImage, now: Timestamp) -> bool {
        let Some(followed) = self.followed.as_mut() else {
            return false;
        };
        let since = now.secs_since(followed.confirmed);
        let just_seen = followed.trust >= 1.0 && since < self.params.confirm_every_secs;
        let seen = if just_seen {
            Some(DetectedFace {
                rect: followed.rect,
                score: followed.score,
            })
        } else {
            self.detector.look_near(picture, followed.rect)
        };
        if let Some(seen) = seen {
            // A head that has moved far is taken up where the detector sees it.
            let near = followed.held.iou(seen.rect) >= 0.6;
            let frame = if near { followed.held } else { seen.rect };
            let found = place(&self.predictor, &self.mean_shape, picture, frame, seen);
            if let Some((rect, landmarks)) = found {
                followed.rect = rect;
                followed.held = held_box(frame, rect);
                followed.landmarks = landmarks;
                if !just_seen {
                    followed.score = seen.score;
                    followed.confirmed = now;
                    followed.look = look(picture, rect);
                    followed.trust = 1.0;
                }
                self.last_seen = Some((rect, now));
                return true;
            }
        }
        let missing_secs = now.secs_since(followed.confirmed);
        let same = correlation(&look(picture, followed.rect), &followed.look) >= SAME_LOOK;
        followed.trust = if same && missing_secs < self.params.coast_secs {
            (1.0 - missing_secs / self.params.coast_secs) as f32
        } else {
            0.0
        };
        if followed.trust > 0.0 {
            followed.landmarks = self.predictor.predict(picture, followed.held);
        }
        false
    }

    /// Searches the whole picture; takes up a face unless one is `confirmed`.
    fn search(&mut self, picture: &RgbImage, now: Timestamp, confirmed: bool) {
        self.last_search = Some(now);
        let thorough = !confirmed && self.searches_in_vain.is_multiple_of(4);
        let side = if thorough {
            self.params.thorough_long_side_px
        } else {
            self.params.search_long_side_px
        };
        let mut found = self.detector.search(picture, side);
        if !confirmed {
            let taken = self.take_up(picture, &mut found, now);
            self.searches_in_vain = if taken {
                0
            } else {
                self.searches_in_vain.saturating_add(1)
            };
        }
        let own = self.followed.as_ref().map(|f| f.rect);
        self.others = found
            .into_iter()
            .filter(|f| own.is_none_or(|own| own.iou(f.rect) < 0.3))
            .collect();
    }

    /// Starts to follow the best of `found` on which the landmarks fit.
    fn take_up(&mut self, picture: &RgbImage, found: &mut [DetectedFace], now: Timestamp) -> bool {
        let chosen = self.chosen.take();
        let before = self
            .last_seen
            .filter(|&(_, at)| now.secs_since(at) <= self.params.grace_secs);
        if let Some(point) = chosen {
            found.sort_by(|a, b| {
                let away = |f: &DetectedFace| f.rect.center().distance(point);
                away(a).total_cmp(&away(b))
            });
        } else if let Some((rect, _)) = before {
            let away = |f: &DetectedFace| f.rect.center().distance(rect.center());
            found.sort_by(|a, b| away(a).total_cmp(&away(b)));
        } else {
            found.sort_by(|a, b| b.rect.area().total_cmp(&a.rect.area()));
        }
        for &seen in found.iter() {
            if let (None, Some((rect, _))) = (chosen, before)
                && rect.center().distance(seen.rect.center()) > 1.5 * rect.w
            {
                continue;
            }
            // A second look at another scale: chance patterns rarely pass both.
            let Some(again) = self.detector.look_near(picture, seen.rect) else {
                continue;
            };
            let fit = place(
                &self.predictor,
                &self.mean_shape,
                picture,
                again.rect,
                again,
            );
            let Some((rect, landmarks)) = fit else {
                continue;
            };
            let same_face = before.is_some_and(|(r, _)| r.iou(rect) > 0.2) && chosen.is_none();
            if !same_face {
                self.blink = BlinkMeter::default();
            }
            self.last_seen = Some((rect, now));
            self.followed = Some(Followed {
                rect,
                held: rect,
                look: look(picture, rect),
                landmarks,
                score: again.score,
                confirmed: now,
                trust: 1.0,
            });
            return true;
        }
        false
    }
}

/// Landmarks inside `frame` and their own box, if that agrees with what the
/// detector has seen.
fn place(
    predictor: &LandmarkPredictor,
    mean_shape: &[Point; 68],
    picture: &RgbImage,
    frame: Rect,
    seen: DetectedFace,
) -> Option<(Rect, Landmarks)> {
    let landmarks = predictor.predict(picture, frame);
    let rect = rigid::face_box(mean_shape, &landmarks)?;
    (rect.iou(seen.rect) >= LEAST_AGREEMENT).then_some((rect, landmarks))
}

/// `used` while `rect` is within its play, else `rect`.
fn held_box(used: Rect, rect: Rect) -> Rect {
    let shift = used.center().distance(rect.center());
    let play = BOX_PLAY * used.w;
    if shift <= play && (used.w - rect.w).abs() <= 1.5 * play {
        used
    } else {
        rect
    }
}

/// The inside of the box in 24 × 24 pixels, zero mean and unit length.
fn look(picture: &RgbImage, rect: Rect) -> Vec<f32> {
    let inner = rect.scaled(0.8);
    let small = gray::resized(picture, inner, LOOK_SIDE, LOOK_SIDE);
    let mut v: Vec<f32> = small.iter().map(|&p| f32::from(p)).collect();
    let mean = v.iter().sum::<f32>() / v.len() as f32;
    v.iter_mut().for_each(|x| *x -= mean);
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-3);
    v.iter_mut().for_each(|x| *x /= length);
    v
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
