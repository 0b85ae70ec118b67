//! The parts of a face crop that spotting looks at, as SOFTNet cuts them (S4 as
//! coded): the nose that tells the head's own motion, the eyes that are left out,
//! and the two rectangles over the brows and the mouth.

use super::{CROP_SIDE, Landmarks};
use crate::base::Point;

/// Half of the 11×11 nose window in a 128 px crop.
const NOSE_REACH: i32 = 5;
/// How far an eye's mask reaches beyond its landmarks in a 128 px crop.
const EYE_MARGIN: i32 = 15;
/// How far the rectangles reach beyond their landmarks in a 128 px crop.
const ROI_MARGIN: i32 = 12;

/// Whole pixels `x0..x1` × `y0..y1`; the upper limits are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PixelRect {
    pub x0: i32,
    pub y0: i32,
    pub x1: i32,
    pub y1: i32,
}

impl PixelRect {
    /// The part inside a `width × height` picture, as ranges of columns and rows.
    #[must_use]
    pub fn clipped(
        self,
        width: usize,
        height: usize,
    ) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let span = |low: i32, high: i32, length: usize| {
            let start = usize::try_from(low).unwrap_or(0).min(length);
            start..usize::try_from(high).unwrap_or(0).clamp(start, length)
        };
        (
            span(self.x0, self.x1, width),
            span(self.y0, self.y1, height),
        )
    }
}

/// Where nose, eyes, brows and mouth lie in a face crop, in its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionGeometry {
    /// Its mean flow is taken for the head's.
    pub nose: PixelRect,
    /// Left and right eye in the picture, as polygons in landmark order; their
    /// pixels, boundary included, are not looked at.
    pub eyes: [[Point; 6]; 2],
    pub brows: PixelRect,
    pub mouth: PixelRect,
    /// The face inside its jaw and over its brows, drawn in a little: what lies
    /// outside is hair and background, which move by themselves.
    pub outline: Vec<Point>,
}

impl RegionGeometry {
    /// From landmarks in the pixels of a square crop of `side` pixels. Positions
    /// are rounded to whole pixels, as dlib gives them; the published margins,
    /// meant for 128 px, grow with the side.
    #[must_use]
    pub fn from_landmarks(landmarks: &Landmarks, side: usize) -> Self {
        let side_px = i32::try_from(side).unwrap_or(i32::MAX);
        let scaled = |px: i32| (px as f32 * side as f32 / CROP_SIDE as f32).round() as i32;
        let p = |i: usize| {
            let Point { x, y } = landmarks.0[i];
            ((x + 0.5).floor() as i32, (y + 0.5).floor() as i32)
        };
        let inside = |v: i32| v.clamp(0, side_px);

        let (nose_x, nose_y) = p(28);
        let reach = scaled(NOSE_REACH);
        let nose = PixelRect {
            x0: inside(nose_x.saturating_sub(reach)),
            y0: inside(nose_y.saturating_sub(reach)),
            x1: inside(nose_x.saturating_add(reach + 1)),
            y1: inside(nose_y.saturating_add(reach + 1)),
        };

        let margin = scaled(EYE_MARGIN);
        // In landmark order: one corner, two upper points, the other corner, two
        // lower points.
        let eye = |first: usize| {
            let steps = [
                (-margin, 0),
                (0, -margin),
                (0, -margin),
                (margin, 0),
                (0, margin),
                (0, margin),
            ];
            std::array::from_fn(|i| {
                let (x, y) = p(first + i);
                Point::new(
                    inside(x.saturating_add(steps[i].0)) as f32,
                    inside(y.saturating_add(steps[i].1)) as f32,
                )
            })
        };

        let outline = outline(landmarks, scaled(ROI_MARGIN) as f32);
        let margin_roi = scaled(ROI_MARGIN);
        let grown = |x0: i32, y0: i32, x1: i32, y1: i32| PixelRect {
            x0: inside(x0.saturating_sub(margin_roi)),
            y0: inside(y0.saturating_sub(margin_roi)),
            x1: inside(x1.saturating_add(margin_roi)),
            y1: inside(y1.saturating_add(margin_roi)),
        };
        Self {
            nose,
            eyes: [eye(36), eye(42)],
            outline,
            brows: grown(p(17).0, p(19).1.min(p(24).1), p(26).0, p(41).1.max(p(46).1)),
            mouth: grown(p(60).0, p(50).1, p(64).0, p(57).1),
        }
    }
}

/// How far the outline is drawn in towards its middle: a flow smears over an edge
/// of the face by a few pixels.
const OUTLINE_SHRINK: f32 = 0.92;

/// Jaw, then the brows from right to left, lifted by `lift` px.
fn outline(landmarks: &Landmarks, lift: f32) -> Vec<Point> {
    let jaw = landmarks.0[0..17].iter().copied();
    let brows = landmarks.0[17..27].iter().rev();
    let edge: Vec<Point> = jaw
        .chain(brows.map(|p| Point::new(p.x, p.y - lift)))
        .collect();
    let n = edge.len() as f32;
    let middle = Point::new(
        edge.iter().map(|p| p.x).sum::<f32>() / n,
        edge.iter().map(|p| p.y).sum::<f32>() / n,
    );
    let drawn_in = |p: Point| {
        Point::new(
            (middle.x + OUTLINE_SHRINK * (p.x - middle.x)).round(),
            (middle.y + OUTLINE_SHRINK * (p.y - middle.y)).round(),
        )
    };
    edge.into_iter().map(drawn_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Landmarks {
        let mut points = [Point::default(); 68];
        for (i, p) in points.iter_mut().enumerate() {
            *p = Point::new(20.0 + i as f32, 30.2 + 0.5 * i as f32);
        }
        Landmarks(points)
    }

    #[test]
    fn regions_follow_the_published_margins() {
        let r = RegionGeometry::from_landmarks(&face(), 128);
        // Point 28 at (48, 44.2).
        assert_eq!(
            r.nose,
            PixelRect {
                x0: 43,
                y0: 39,
                x1: 54,
                y1: 50
            }
        );
        // Point 36 at (56, 48.2) moves left, 37 up, 39 right, 40 down.
        assert_eq!(r.eyes[0][0], Point::new(41.0, 48.0));
        assert_eq!(r.eyes[0][1], Point::new(57.0, 34.0));
        assert_eq!(r.eyes[0][3], Point::new(74.0, 50.0));
        assert_eq!(r.eyes[0][4], Point::new(60.0, 65.0));
        // Point 45 at (65, 52.7) moves right.
        assert_eq!(r.eyes[1][3], Point::new(80.0, 53.0));
        // Points 17, 19, 26, 46.
        assert_eq!(
            r.brows,
            PixelRect {
                x0: 25,
                y0: 28,
                x1: 58,
                y1: 65
            }
        );
    }

    #[test]
    fn landmarks_far_outside_give_empty_regions_and_no_panic() {
        let far = Landmarks([Point::new(-1e9, 3e9); 68]);
        let r = RegionGeometry::from_landmarks(&far, 128);
        let (columns, rows) = r.nose.clipped(128, 128);
        assert!(columns.is_empty() || rows.is_empty());
        let lost = Landmarks([Point::new(f32::NAN, f32::NAN); 68]);
        let _ = RegionGeometry::from_landmarks(&lost, 128);
    }
}
