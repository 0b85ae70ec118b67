//! The crop that both frames of a flow pair share (S4).
//!
//! A landmark error of half a pixel is larger than a micro-movement, so the crop
//! is not aligned anew on every frame: one transform is held until the head has
//! really gone elsewhere. What is compared is the box of nose and eye corners in
//! the median of the last quarter of a second: neither the landmarks' jitter nor
//! an expression moves it.

use std::collections::VecDeque;

use crate::base::{Point, Rect, Similarity, Timestamp};

use super::{CROP_SIDE, Face, FaceTrack, Landmarks, pose};

/// A crop transform and where the face's parts lie in it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldCrop {
    /// Counts the holds of a recording from 0.
    pub id: u32,
    /// The first frame that uses it.
    pub since_frame: u64,
    /// Image pixels to pixels of the 128×128 crop.
    pub crop_from_image: Similarity,
    /// For regions and masks while the crop is held: the median over the frames of
    /// the last quarter of a second before (and with) `since_frame`; at the start
    /// of a recording that is its first frame with a face, as in S4.
    pub landmarks_in_crop: Landmarks,
}

/// When a hold ends. Fractions are of the box's side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropParams {
    pub shift: f32,
    pub growth: f32,
    pub turn_radians: f32,
    /// The drift is measured in the median over so long.
    pub median_secs: f64,
    /// Heads rolled by more than this are turned upright; less is left as it is.
    pub upright_beyond_radians: f32,
}

impl Default for CropParams {
    fn default() -> Self {
        Self {
            shift: 0.03,
            // Grown by 6 %, the box's edges have moved by 3 %.
            growth: 0.06,
            turn_radians: 3f32.to_radians(),
            median_secs: 0.25,
            upright_beyond_radians: 10f32.to_radians(),
        }
    }
}

/// A jump beyond this part of the side is no drift (a cut, another face): the
/// median would lag, so the crop follows at once.
const JUMP: f32 = 0.12;

/// While the eyes are shut by this much (see `Face::blink`) drift is not judged.
const BLINKING: f32 = 0.35;

/// The median is not waited for beyond this many frames (high-speed cameras).
const MOST_FRAMES: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Place {
    center: Point,
    side: f32,
    roll: f32,
}

/// Holds the crop of the analysed face.
#[derive(Debug)]
pub struct CropHold {
    params: CropParams,
    recent: VecDeque<(Timestamp, Place, Landmarks)>,
    held: Option<(Place, HeldCrop)>,
    next_id: u32,
}

impl CropHold {
    #[must_use]
    pub fn new(params: CropParams) -> Self {
        Self {
            params,
            recent: VecDeque::new(),
            held: None,
            next_id: 0,
        }
    }

    /// Takes the next frame's track; gives the crop to use on this frame, `None`
    /// while there is no face. A face that returns to its place keeps its crop.
    pub fn push(&mut self, track: &FaceTrack) -> Option<&HeldCrop> {
        let Some(face) = &track.face else {
            self.recent.clear();
            return None;
        };
        let now = place(face);
        // Shut eyes pull the points of their corners along: a blink is no drift.
        if face.blink > BLINKING
            && let Some((held, _)) = &self.held
            && held.center.distance(now.center) <= JUMP * held.side
        {
            return self.held.as_ref().map(|(_, crop)| crop);
        }
        if self.recent.back().is_some_and(|(_, last, _)| {
            last.center.distance(now.center) > JUMP * last.side
                || !(0.8..1.25).contains(&(now.side / last.side))
        }) {
            self.recent.clear();
        }
        self.recent
            .push_back((track.timestamp, now, face.landmarks.clone()));
        while self.recent.len() > MOST_FRAMES
            || self.recent.front().is_some_and(|&(at, ..)| {
                let age = track.timestamp.secs_since(at);
                !(0.0..=self.params.median_secs).contains(&age)
            })
        {
            self.recent.pop_front();
        }
        let smoothed = self.median_place();
        let keep = self
            .held
            .as_ref()
            .is_some_and(|(held, _)| self.close(held, &smoothed));
        if !keep {
            let crop = self.anchor(track.frame, &smoothed);
            self.held = Some((smoothed, crop));
        }
        self.held.as_ref().map(|(_, crop)| crop)
    }

    fn close(&self, held: &Place, now: &Place) -> bool {
        let p = &self.params;
        // One or two frames are no median yet: jitter must not end a hold.
        let slack = if self.recent.len() < 3 { 2.0 } else { 1.0 };
        let turn = (now.roll - held.roll).abs();
        held.center.distance(now.center) <= slack * p.shift * held.side
            && (now.side / held.side - 1.0).abs() <= slack * p.growth
            && turn <= slack * p.turn_radians
    }

    fn anchor(&mut self, frame: u64, at: &Place) -> HeldCrop {
        let upright = if at.roll.abs() > self.params.upright_beyond_radians {
            -at.roll
        } else {
            0.0
        };
        let middle = 0.5 * (CROP_SIDE - 1) as f32;
        let crop_from_image = Similarity::about(
            at.center,
            Point::new(middle, middle),
            CROP_SIDE as f32 / at.side,
            upright,
        );
        let landmarks = self.median_landmarks();
        let id = self.next_id;
        self.next_id += 1;
        HeldCrop {
            id,
            since_frame: frame,
            crop_from_image,
            landmarks_in_crop: Landmarks(landmarks.map(|p| crop_from_image.apply(p))),
        }
    }

    fn median_place(&self) -> Place {
        let of = |value: fn(&Place) -> f32| median(self.recent.iter().map(|(_, p, _)| value(p)));
        Place {
            center: Point::new(of(|p| p.center.x), of(|p| p.center.y)),
            side: of(|p| p.side),
            roll: of(|p| p.roll),
        }
    }

    fn median_landmarks(&self) -> [Point; 68] {
        std::array::from_fn(|i| {
            let points = || self.recent.iter().map(|(_, _, l)| l.0[i]);
            Point::new(median(points().map(|p| p.x)), median(points().map(|p| p.y)))
        })
    }
}

impl Default for CropHold {
    fn default() -> Self {
        Self::new(CropParams::default())
    }
}

/// The box covers whole pixels: one more than from centre to centre.
fn place(face: &Face) -> Place {
    let Rect { w, .. } = face.rect;
    Place {
        center: face.rect.center(),
        side: w + 1.0,
        roll: pose::roll(&face.landmarks),
    }
}

/// 0 without a value, which no caller asks for.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut v: Vec<f32> = values.collect();
    v.sort_by(f32::total_cmp);
    let n = v.len();
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => v[n / 2],
        _ => 0.5 * (v[n / 2 - 1] + v[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square face of side 100 about (200 + dx, 150), as 68 points on its
    /// diagonal but for level eyes, jittered by `jitter` pixels.
    fn track(frame: u64, dx: f32, jitter: f32) -> FaceTrack {
        let sign = if frame.is_multiple_of(2) { 1.0 } else { -1.0 };
        let dx = dx + sign * jitter;
        let landmarks = Landmarks(std::array::from_fn(|i| match i {
            36..=41 => Point::new(180.0 + dx, 140.0),
            42..=47 => Point::new(220.0 + dx, 140.0),
            _ => Point::new(150.0 + dx + i as f32, 100.0 + i as f32),
        }));
        FaceTrack {
            frame,
            timestamp: Timestamp::from_secs(frame as f64 / 30.0),
            face: Some(Face {
                rect: Rect::new(150.5 + dx, 100.5, 99.0, 99.0),
                confidence: 1.0,
                landmarks,
                pose: None,
                blink: 0.0,
            }),
            others: Vec::new(),
        }
    }

    #[test]
    fn jitter_never_ends_a_hold_and_drift_does() {
        let mut hold = CropHold::default();
        for frame in 0..100 {
            let id = hold.push(&track(frame, 0.0, 1.5)).map(|c| c.id);
            assert_eq!(id, Some(0), "frame {frame}");
        }
        // 6 px over 2 s: beyond 3 % of 100 once.
        let mut seen = Vec::new();
        for frame in 100..160 {
            let dx = 0.1 * (frame - 100) as f32;
            seen.extend(hold.push(&track(frame, dx, 0.5)).map(|c| c.id));
        }
        assert_eq!(seen.last(), Some(&1));
    }

    #[test]
    fn the_box_fills_the_crop() {
        let mut hold = CropHold::default();
        let t = track(0, 0.0, 0.0);
        let crop = hold.push(&t).expect("a face").clone();
        let corner = crop.crop_from_image.apply(Point::new(150.0, 100.0));
        assert!((corner.x + 0.5).abs() < 1e-3 && (corner.y + 0.5).abs() < 1e-3);
        assert_eq!(hold.push(&FaceTrack { face: None, ..t }), None);
    }

    #[test]
    fn another_face_gets_its_own_crop_at_once() {
        let mut hold = CropHold::default();
        for frame in 0..10 {
            hold.push(&track(frame, 0.0, 0.2));
        }
        let crop = hold.push(&track(10, 60.0, 0.0)).expect("a face");
        assert_eq!((crop.id, crop.since_frame), (1, 10));
    }
}
