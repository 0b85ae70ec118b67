//! The face's frame: where its bones are, whatever it expresses.

use crate::base::{Point, Rect};

use super::Landmarks;

/// Points that neither speech nor brows move: the nose and the eyes' corners.
const RIGID: [usize; 13] = [27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45];

/// The upright square of the predictor's kind in which the mean face's rigid
/// points lie closest to the landmarks' (least-squares similarity): the box moves
/// with the head and not with mouth or brows. `None` when the points coincide.
pub(crate) fn face_box(mean_shape: &[Point; 68], landmarks: &Landmarks) -> Option<Rect> {
    let n = RIGID.len() as f32;
    let centre = |points: &[Point; 68]| {
        let (x, y) = RIGID
            .iter()
            .fold((0.0, 0.0), |(x, y), &i| (x + points[i].x, y + points[i].y));
        Point::new(x / n, y / n)
    };
    let (from, to) = (centre(mean_shape), centre(&landmarks.0));
    let (mut dot, mut cross, mut norm) = (0.0, 0.0, 0.0);
    for i in RIGID {
        let f = Point::new(mean_shape[i].x - from.x, mean_shape[i].y - from.y);
        let t = Point::new(landmarks.0[i].x - to.x, landmarks.0[i].y - to.y);
        dot += f.x * t.x + f.y * t.y;
        cross += f.x * t.y - f.y * t.x;
        norm += f.x * f.x + f.y * f.y;
    }
    let (a, b) = (dot / norm, cross / norm);
    let side = a.hypot(b);
    if !(side.is_finite() && side > 1.0) {
        return None;
    }
    let (dx, dy) = (0.5 - from.x, 0.5 - from.y);
    let middle = Point::new(to.x + a * dx - b * dy, to.y + b * dx + a * dy);
    Some(Rect::new(
        middle.x - 0.5 * side,
        middle.y - 0.5 * side,
        side,
        side,
    ))
}
