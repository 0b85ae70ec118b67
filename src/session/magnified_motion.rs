//! How far the head, the mouth and the brows went within the band of frequencies that the
//! Eulerian view magnifies, against what its gain bears. Read off where the analysis saw the
//! face and its landmarks in each frame, so nothing is measured anew; the Lagrangian view
//! has no such bound.

use super::magnified_view::{MagnifyMethod, MagnifyView, RUN_IN_SECS, view_side};
use crate::base::Rect;
use crate::face::{CROP_SIDE, Landmarks};
use crate::timeline::{FrameRecord, Recording};

/// A head that went less far than this part of its face's side may have been still: so much
/// the landmarks jitter.
const JITTER: f64 = 0.005;
/// The same of a part of the face, whose few landmarks jitter more: a micro-expression stays
/// below it, a smile or a word does not.
const PART_JITTER: f64 = 0.012;
/// Eyes shut by this much (see [`crate::face::Face::blink`]) pull the points of their corners
/// along: a blink is no motion of the head.
const SHUT: f32 = 0.35;

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    Head,
    Mouth,
    Brows,
}

impl Mover {
    /// As it stands in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "The head",
            Self::Mouth => "The mouth",
            Self::Brows => "The brows",
        }
    }
}

/// Landmarks that move as one, and whose they are.
const PARTS: [(Mover, &[usize]); 6] = [
    (Mover::Mouth, &[48, 60]),
    (Mover::Mouth, &[54, 64]),
    (Mover::Mouth, &[50, 51, 52, 61, 62, 63]),
    (Mover::Mouth, &[56, 57, 58, 65, 66, 67]),
    (Mover::Brows, &[17, 18, 19, 20, 21]),
    (Mover::Brows, &[22, 23, 24, 25, 26]),
];
/// The nose: what the parts are seen against.
const NOSE: &[usize] = &[27, 28, 29, 30, 31, 32, 33, 34, 35];

/// What moved furthest in one magnified picture, in that picture's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionInBand {
    pub what: Mover,
    /// How far from where the slow low-pass has it the fast one does: the head across the
    /// picture, or at the face's edges where it came nearer; a part against the nose.
    pub moved_px: f64,
    /// What [`EvmParams::furthest_px`] allows, or what the landmarks can tell, whichever is
    /// more.
    ///
    /// [`EvmParams::furthest_px`]: crate::motion::magnify::EvmParams::furthest_px
    pub bears_px: f64,
}

impl MotionInBand {
    fn times_too_far(&self) -> f64 {
        self.moved_px / self.bears_px
    }
}

/// Of the picture that is magnified of a frame; `None` where no bound is known: another
/// method, no gain, no face, too few frames.
#[must_use]
pub fn motion_in_band(
    recording: &Recording,
    frame: u64,
    with: &MagnifyView,
) -> Option<MotionInBand> {
    if with.method != MagnifyMethod::Evm || with.alpha <= 0.0 {
        return None;
    }
    let shown = recording.frame(frame)?;
    let crop = recording.crops.get(&shown.face.as_ref()?.crop)?;
    let frames = &recording.frames;
    let runs_in = |f: &FrameRecord| shown.timestamp.secs_since(f.timestamp) <= RUN_IN_SECS;
    let from = frames.partition_point(|f| !runs_in(f));
    let to = frames.partition_point(|f| f.frame <= frame);
    let seen = frames.get(from..to)?;
    let secs = shown.timestamp.secs_since(seen.first()?.timestamp);
    if secs <= 0.0 {
        return None;
    }
    let fps = (seen.len() - 1) as f64 / secs;
    let params = with.evm(fps);
    let band = params.band(fps).ok()?;
    let view_px = view_side(crop) as f64;
    let scale = view_px / CROP_SIDE as f64 * f64::from(crop.crop_from_image.scale());
    let bears = |jitter: f64| params.furthest_px().max(jitter * view_px);
    let places = places(seen);
    let [x, y, side] = [0, 1, 2].map(|i| band.passes(places.iter().map(|place| place[i])));
    let head = MotionInBand {
        what: Mover::Head,
        moved_px: scale * x.hypot(y).max(0.5 * side.abs()),
        bears_px: bears(JITTER),
    };
    let parts = PARTS.iter().filter_map(|(what, points)| {
        let places = part_places(seen, points)?;
        let [x, y] = [0, 1].map(|i| band.passes(places.iter().map(|place| place[i])));
        Some(MotionInBand {
            what: *what,
            moved_px: scale * x.hypot(y),
            bears_px: bears(PART_JITTER),
        })
    });
    // A head that turns takes its parts along.
    let further = |a: MotionInBand, b: MotionInBand| {
        if b.times_too_far() > a.times_too_far() && a.times_too_far() <= 1.0 {
            b
        } else {
            a
        }
    };
    Some(parts.fold(head, further))
}

/// Centre and side of the face's box, image pixels, in the frames since it was last lost.
fn places(seen: &[FrameRecord]) -> Vec<[f64; 3]> {
    let of = |rect: &Rect| [rect.center().x, rect.center().y, rect.w].map(f64::from);
    let mut places: Vec<[f64; 3]> = Vec::with_capacity(seen.len());
    for record in seen {
        match &record.face {
            None => places.clear(),
            Some(face) => {
                let before = places.last().copied().filter(|_| face.blink > SHUT);
                places.push(before.unwrap_or_else(|| of(&face.rect)));
            }
        }
    }
    places
}

/// Centre of these landmarks against the nose, image pixels, in the frames since the face
/// was last lost; `None` where the last frame's landmarks are not at hand.
fn part_places(seen: &[FrameRecord], points: &[usize]) -> Option<Vec<[f64; 2]>> {
    let mut places = Vec::with_capacity(seen.len());
    for record in seen {
        match record
            .face
            .as_ref()
            .and_then(|face| face.landmarks.as_ref())
        {
            None => places.clear(),
            Some(landmarks) => {
                let [part, nose] = [points, NOSE].map(|of| centre(landmarks, of));
                places.push([part[0] - nose[0], part[1] - nose[1]]);
            }
        }
    }
    (!places.is_empty()).then_some(places)
}

fn centre(landmarks: &Landmarks, points: &[usize]) -> [f64; 2] {
    let sum = points.iter().fold([0.0; 2], |[x, y], &i| {
        let p = landmarks.0[i];
        [x + f64::from(p.x), y + f64::from(p.y)]
    });
    sum.map(|v| v / points.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Point, Similarity, Timestamp};
    use crate::face::crop::HeldCrop;
    use crate::timeline::Event;
    use crate::timeline::event::FaceRecord;

    const SIDE: f32 = 200.0;

    /// Two seconds at 30 frames a second of a face that is filmed 200 px wide.
    fn recording(face: impl Fn(u64) -> Option<FaceRecord>) -> Recording {
        let mut recording = Recording::default();
        recording.apply(Event::Crop(Box::new(HeldCrop {
            id: 0,
            since_frame: 0,
            crop_from_image: Similarity::about(
                Point::new(150.0, 140.0),
                Point::new(63.5, 63.5),
                CROP_SIDE as f32 / SIDE,
                0.0,
            ),
            landmarks_in_crop: Landmarks([Point::default(); 68]),
        })));
        for frame in 0..60 {
            recording.apply(Event::Frame(Box::new(FrameRecord {
                face: face(frame),
                ..FrameRecord::faceless(frame, Timestamp::from_secs(frame as f64 / 30.0))
            })));
        }
        recording
    }

    fn at(x: f32, side: f32) -> Option<FaceRecord> {
        let (left, top) = (150.0 + x - 0.5 * side, 140.0 - 0.5 * side);
        Some(FaceRecord::found(Rect::new(left, top, side, side)))
    }

    fn found(recording: &Recording, frame: u64, with: MagnifyView) -> MotionInBand {
        motion_in_band(recording, frame, &with).expect("a face, magnified")
    }

    #[test]
    fn a_head_that_is_still_or_drifts_slowly_is_borne_and_a_nod_is_not() {
        let with = MagnifyView::default();
        let far = |recording: &Recording, frame| {
            let head = found(recording, frame, with);
            head.moved_px > head.bears_px
        };
        let still = recording(|frame| at(if frame % 2 == 0 { 0.3 } else { -0.3 }, SIDE));
        assert!(!far(&still, 59), "its landmarks jitter");
        let drifts = recording(|frame| at(0.02 * frame as f32, SIDE));
        assert!(!far(&drifts, 59));
        // Six pixels at once: the slow low-pass is far behind the fast one.
        let nods = recording(|frame| at(if frame < 40 { 0.0 } else { 6.0 }, SIDE));
        assert!(!far(&nods, 39));
        let head = found(&nods, 44, with);
        assert!(far(&nods, 44) && (3.0..6.0).contains(&head.moved_px));
        // Its edges go outwards by half of what it grows.
        let leans_in = recording(|frame| at(0.0, if frame < 40 { SIDE } else { SIDE + 8.0 }));
        let head = found(&leans_in, 44, with);
        assert!(far(&leans_in, 44) && (2.0..4.0).contains(&head.moved_px));
    }

    #[test]
    fn a_smaller_gain_and_longer_waves_bear_more() {
        let nods = recording(|frame| at(if frame < 40 { 0.0 } else { 6.0 }, SIDE));
        let bears = |alpha, lambda_c_px| {
            let with = MagnifyView {
                alpha,
                lambda_c_px,
                ..MagnifyView::default()
            };
            found(&nods, 44, with).bears_px
        };
        // λc / 8 / (1 + α); what the landmarks cannot tell is not said: 0.005 of 200 px.
        assert!((bears(1.0, 64.0) - 4.0).abs() < 1e-6);
        assert!((bears(3.0, 64.0) - 2.0).abs() < 1e-6);
        assert!((bears(50.0, 16.0) - 1.0).abs() < 1e-6);
    }

    /// One corner of the mouth goes outwards; nothing else moves.
    fn smiling(by: f32) -> Option<FaceRecord> {
        let mut landmarks = Landmarks([Point::default(); 68]);
        for corner in [48, 60] {
            landmarks.0[corner] = Point::new(-40.0 - by, 50.0);
        }
        Some(FaceRecord {
            landmarks: Some(Box::new(landmarks)),
            ..at(0.0, SIDE)?
        })
    }

    #[test]
    fn a_smile_is_too_far_and_a_trace_of_one_is_not() {
        let with = MagnifyView::default();
        let at_44 = |by: f32| {
            let smiles = recording(|frame| smiling(if frame < 40 { 0.0 } else { by }));
            found(&smiles, 44, with)
        };
        let smile = at_44(8.0);
        assert_eq!(smile.what, Mover::Mouth);
        assert!(smile.times_too_far() > 1.0 && (4.0..8.0).contains(&smile.moved_px));
        assert!(at_44(2.0).times_too_far() <= 1.0, "a micro-expression");
    }

    #[test]
    fn a_blink_is_no_motion_and_where_no_bound_is_known_nothing_is_said() {
        let blinks = recording(|frame| {
            let shut = (40..46).contains(&frame);
            let face = at(if shut { 4.0 } else { 0.0 }, SIDE)?;
            Some(FaceRecord {
                blink: if shut { 0.9 } else { 0.0 },
                ..face
            })
        });
        let with = MagnifyView::default();
        assert!(found(&blinks, 44, with).moved_px < 1e-9);
        // It was lost, and found elsewhere.
        let lost = recording(|frame| match frame {
            0..30 => at(0.0, SIDE),
            30..40 => None,
            _ => at(20.0, SIDE),
        });
        assert!(found(&lost, 44, with).moved_px < 1e-9);
        assert_eq!(motion_in_band(&lost, 35, &with), None);
        assert_eq!(motion_in_band(&lost, 0, &with), None, "one frame alone");
        let glmm = MagnifyView {
            method: MagnifyMethod::Glmm,
            ..with
        };
        assert_eq!(motion_in_band(&blinks, 44, &glmm), None);
        let none = MagnifyView { alpha: 0.0, ..with };
        assert_eq!(motion_in_band(&blinks, 44, &none), None);
    }
}
