//! Which way the head looks: the pose at which a generic head's 68 points,
//! projected without perspective, fall on the landmarks (PnP under a scaled
//! orthographic camera, Gauss–Newton).
//!
//! Axes as in OpenFace: x to the right of the picture, y down, z away from the
//! camera, R = Rx·Ry·Rz. So Rx > 0 looks down, Ry > 0 turns the nose to the
//! picture's left, Rz > 0 tilts the head clockwise on the picture. A generic head
//! on an unknown lens leaves an offset of some degrees for each person;
//! differences within a recording are better than that.

use crate::base::{Point, Rect};

use super::Landmarks;

/// Half of a generic adult head, mirrored for the rest: x and y in millimetres
/// from the point between the eyes, z behind the plane of the inner eye corners.
/// (points of the picture's left side, points they mirror into)
const PAIRED: [(usize, usize, [f64; 3]); 29] = [
    (0, 16, [-76.0, 0.0, 66.0]),
    (1, 15, [-75.0, 20.0, 64.0]),
    (2, 14, [-73.0, 40.0, 60.0]),
    (3, 13, [-69.0, 60.0, 55.0]),
    (4, 12, [-61.0, 78.0, 46.0]),
    (5, 11, [-49.0, 93.0, 32.0]),
    (6, 10, [-34.0, 107.0, 17.0]),
    (7, 9, [-18.0, 117.0, 6.0]),
    (17, 26, [-61.0, -15.0, 18.0]),
    (18, 25, [-52.0, -23.0, 8.0]),
    (19, 24, [-39.0, -26.0, 0.0]),
    (20, 23, [-25.0, -24.0, -5.0]),
    (21, 22, [-12.0, -18.0, -8.0]),
    (31, 35, [-15.0, 45.0, -9.0]),
    (32, 34, [-8.0, 48.0, -14.0]),
    (36, 45, [-46.0, -1.0, 15.0]),
    (37, 44, [-38.0, -6.0, 6.0]),
    (38, 43, [-28.0, -6.0, 3.0]),
    (39, 42, [-19.0, 1.0, 4.0]),
    (40, 47, [-29.0, 3.0, 3.0]),
    (41, 46, [-38.0, 3.0, 6.0]),
    (48, 54, [-29.0, 70.0, 4.0]),
    (49, 53, [-19.0, 65.0, -8.0]),
    (50, 52, [-8.0, 63.0, -15.0]),
    (59, 55, [-19.0, 80.0, -4.0]),
    (58, 56, [-8.0, 84.0, -9.0]),
    (60, 64, [-25.0, 70.0, 2.0]),
    (61, 63, [-8.0, 70.0, -11.0]),
    (67, 65, [-8.0, 75.0, -10.0]),
];

/// Points on the plane of symmetry: y and z.
const MIDDLE: [(usize, [f64; 2]); 10] = [
    (8, [120.0, 1.0]),
    (27, [-3.0, -8.0]),
    (28, [10.0, -17.0]),
    (29, [23.0, -26.0]),
    (30, [36.0, -33.0]),
    (33, [50.0, -17.0]),
    (51, [64.0, -16.0]),
    (57, [85.0, -10.0]),
    (62, [70.0, -12.0]),
    (66, [76.0, -11.0]),
];

/// How much a point counts: what speech and expression move counts less.
fn weight(point: usize) -> f64 {
    match point {
        27..=36 | 39 | 42 | 45 => 1.0,
        0..=2 | 14..=16 | 37..=47 => 0.5,
        17..=26 => 0.25,
        3..=5 | 11..=13 => 0.2,
        _ => 0.1,
    }
}

fn head() -> [[f64; 3]; 68] {
    let mut points = [[0.0; 3]; 68];
    for (left, right, [x, y, z]) in PAIRED {
        points[left] = [x, y, z];
        points[right] = [-x, y, z];
    }
    for (point, [y, z]) in MIDDLE {
        points[point] = [0.0, y, z];
    }
    points
}

/// Rotation about x, y, z in radians, `None` when the fit does not settle or the
/// points lie too far from any pose of a head.
#[must_use]
pub fn head_pose(landmarks: &Landmarks) -> Option<[f32; 3]> {
    let around = Rect::around(&landmarks.0)?;
    let size = f64::from(around.w.max(around.h));
    if !(size.is_finite() && size > 1.0) {
        return None;
    }
    let head = head();
    // log scale, Rx, Ry, Rz, tx, ty
    let eyes = landmarks.0[36].midpoint(landmarks.0[45]);
    let roll = roll(landmarks);
    let mut state = [
        (size / 150.0).ln(),
        0.0,
        0.0,
        f64::from(roll),
        f64::from(eyes.x),
        f64::from(eyes.y),
    ];
    for _ in 0..30 {
        let step = gauss_newton_step(&head, landmarks, &state)?;
        let mut largest = 0f64;
        for (i, (s, d)) in state.iter_mut().zip(step).enumerate() {
            let limit = if i < 4 { 0.3 } else { size };
            let d = d.clamp(-limit, limit);
            *s += d;
            let unit = if i < 4 { 1.0 } else { size };
            largest = largest.max(d.abs() / unit);
        }
        if largest < 1e-7 {
            break;
        }
    }
    let error = weighted_error(&head, landmarks, &state) / size;
    let angles = [state[1], state[2], state[3]];
    // Beyond a right angle the points would be those of the back of a head.
    let plausible = angles.iter().all(|a| a.is_finite() && a.abs() < 1.57);
    (plausible && error < 0.08).then(|| angles.map(|a| a as f32))
}

/// The eyes' line against the picture's rows, radians, clockwise.
pub(crate) fn roll(landmarks: &Landmarks) -> f32 {
    let p = &landmarks.0;
    let eye = |first: usize| p[first].midpoint(p[first + 3]);
    let (left, right) = (eye(36), eye(42));
    (right.y - left.y).atan2(right.x - left.x)
}

/// The first two rows of Rx·Ry·Rz.
fn rotation(angles: [f64; 3]) -> [[f64; 3]; 2] {
    let [(s1, c1), (s2, c2), (s3, c3)] = angles.map(f64::sin_cos);
    [
        [c2 * c3, -c2 * s3, s2],
        [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
    ]
}

fn project(p: &[f64; 3], state: &[f64; 6]) -> [f64; 2] {
    let r = rotation([state[1], state[2], state[3]]);
    let scale = state[0].exp();
    let row = |r: [f64; 3]| scale * (r[0] * p[0] + r[1] * p[1] + r[2] * p[2]);
    [row(r[0]) + state[4], row(r[1]) + state[5]]
}

fn residual(p: &[f64; 3], seen: Point, state: &[f64; 6]) -> [f64; 2] {
    let [x, y] = project(p, state);
    [f64::from(seen.x) - x, f64::from(seen.y) - y]
}

fn weighted_error(head: &[[f64; 3]; 68], landmarks: &Landmarks, state: &[f64; 6]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (i, (p, &seen)) in head.iter().zip(&landmarks.0).enumerate() {
        let [dx, dy] = residual(p, seen, state);
        sum += weight(i) * (dx * dx + dy * dy);
        weights += weight(i);
    }
    (sum / weights).sqrt()
}

fn gauss_newton_step(
    head: &[[f64; 3]; 68],
    landmarks: &Landmarks,
    state: &[f64; 6],
) -> Option<[f64; 6]> {
    const NUDGE: f64 = 1e-6;
    let scale = state[0].exp();
    let here = rotation([state[1], state[2], state[3]]);
    let turned: [[[f64; 3]; 2]; 3] = std::array::from_fn(|axis| {
        let mut angles = [state[1], state[2], state[3]];
        angles[axis] += NUDGE;
        rotation(angles)
    });
    let mut normal = [[0.0; 7]; 6];
    for (i, (p, &seen)) in head.iter().zip(&landmarks.0).enumerate() {
        let r = residual(p, seen, state);
        let along = |m: &[f64; 3]| scale * (m[0] * p[0] + m[1] * p[1] + m[2] * p[2]);
        for axis in 0..2 {
            let at = along(&here[axis]);
            let mut slope = [at, 0.0, 0.0, 0.0, 0.0, 0.0];
            for (angle, turned) in turned.iter().enumerate() {
                slope[1 + angle] = (along(&turned[axis]) - at) / NUDGE;
            }
            slope[4 + axis] = 1.0;
            for (row, a) in normal.iter_mut().zip(slope) {
                for (m, b) in row.iter_mut().zip(slope) {
                    *m += weight(i) * a * b;
                }
                row[6] += weight(i) * a * r[axis];
            }
        }
    }
    solve(normal)
}

/// Gauss elimination of six equations; `None` when they do not decide.
fn solve(mut m: [[f64; 7]; 6]) -> Option<[f64; 6]> {
    for k in 0..6 {
        let pivot = (k..6).max_by(|&i, &j| m[i][k].abs().total_cmp(&m[j][k].abs()))?;
        m.swap(k, pivot);
        let lead = m[k];
        if lead[k].abs() < 1e-12 || !lead[k].is_finite() {
            return None;
        }
        for row in &mut m[k + 1..] {
            let factor = row[k] / lead[k];
            for (v, l) in row.iter_mut().zip(lead) {
                *v -= factor * l;
            }
        }
    }
    let mut x = [0.0; 6];
    for k in (0..6).rev() {
        let known: f64 = (k + 1..6).map(|j| m[k][j] * x[j]).sum();
        x[k] = (m[k][6] - known) / m[k][k];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_at(angles: [f64; 3]) -> Landmarks {
        let state = [0.3, angles[0], angles[1], angles[2], 320.0, 200.0];
        let mut points = [Point::default(); 68];
        for (point, p) in points.iter_mut().zip(head()) {
            let [x, y] = project(&p, &state);
            *point = Point::new(x as f32, y as f32);
        }
        Landmarks(points)
    }

    #[test]
    fn a_drawn_head_s_pose_comes_back() {
        for angles in [[0.0, 0.0, 0.0], [0.2, -0.5, 0.1], [-0.3, 0.6, -0.4]] {
            let pose = head_pose(&seen_at(angles)).expect("a head");
            for (p, a) in pose.iter().zip(angles) {
                assert!((f64::from(*p) - a).abs() < 1e-3, "{pose:?} {angles:?}");
            }
        }
    }

    #[test]
    fn signs_are_openface_s() {
        let straight = seen_at([0.0; 3]).0[30];
        assert!(seen_at([0.3, 0.0, 0.0]).0[30].y > straight.y, "down");
        assert!(
            seen_at([0.0, 0.3, 0.0]).0[30].x < straight.x,
            "picture's left"
        );
        assert!(roll(&seen_at([0.0, 0.0, 0.3])) > 0.25, "clockwise");
    }

    #[test]
    fn points_of_no_head_have_no_pose() {
        assert_eq!(head_pose(&Landmarks([Point::new(5.0, 5.0); 68])), None);
        let mut scattered = [Point::default(); 68];
        for (i, p) in scattered.iter_mut().enumerate() {
            *p = Point::new((i * 37 % 100) as f32, (i * 61 % 100) as f32);
        }
        assert_eq!(head_pose(&Landmarks(scattered)), None);
    }
}
