//! The drawn face at rest: its 68 landmarks and what each action unit moves.
//!
//! Everything is in face units: the origin midway between the eyes' centres, x to
//! the right of the picture, y down, 1 = the distance between the eyes' centres.
//! The displacement table is the one of the project's studio notes.

use crate::base::Point;

const fn p(x: f32, y: f32) -> Point {
    Point::new(x, y)
}

/// The 68 points of the iBUG/300-W scheme at rest, in face units.
pub const REST_LANDMARKS: [Point; 68] = [
    // Jaw, from the picture's left ear over the chin to the right.
    p(-1.120, 0.000),
    p(-1.112, 0.290),
    p(-1.085, 0.580),
    p(-1.030, 0.870),
    p(-0.915, 1.160),
    p(-0.715, 1.430),
    p(-0.480, 1.645),
    p(-0.240, 1.800),
    p(0.000, 1.845),
    p(0.240, 1.800),
    p(0.480, 1.645),
    p(0.715, 1.430),
    p(0.915, 1.160),
    p(1.030, 0.870),
    p(1.085, 0.580),
    p(1.112, 0.290),
    p(1.120, 0.000),
    // Brows.
    p(-0.900, -0.265),
    p(-0.770, -0.355),
    p(-0.600, -0.385),
    p(-0.420, -0.365),
    p(-0.250, -0.310),
    p(0.250, -0.310),
    p(0.420, -0.365),
    p(0.600, -0.385),
    p(0.770, -0.355),
    p(0.900, -0.265),
    // Bridge of the nose and its base.
    p(0.000, -0.030),
    p(0.000, 0.160),
    p(0.000, 0.350),
    p(0.000, 0.540),
    p(-0.195, 0.680),
    p(-0.105, 0.710),
    p(0.000, 0.735),
    p(0.105, 0.710),
    p(0.195, 0.680),
    // Eyes: outer corner, upper lid, inner corner, lower lid.
    p(-0.720, 0.010),
    p(-0.590, -0.085),
    p(-0.430, -0.085),
    p(-0.295, 0.030),
    p(-0.430, 0.075),
    p(-0.590, 0.080),
    p(0.295, 0.030),
    p(0.430, -0.085),
    p(0.590, -0.085),
    p(0.720, 0.010),
    p(0.590, 0.080),
    p(0.430, 0.075),
    // Lips, outside.
    p(-0.405, 1.108),
    p(-0.255, 1.050),
    p(-0.095, 1.012),
    p(0.000, 1.030),
    p(0.095, 1.012),
    p(0.255, 1.050),
    p(0.405, 1.108),
    p(0.265, 1.225),
    p(0.115, 1.275),
    p(0.000, 1.283),
    p(-0.115, 1.275),
    p(-0.265, 1.225),
    // Lips, inside: one line while the mouth is shut.
    p(-0.360, 1.112),
    p(-0.120, 1.118),
    p(0.000, 1.128),
    p(0.120, 1.118),
    p(0.360, 1.112),
    p(0.120, 1.120),
    p(0.000, 1.130),
    p(-0.120, 1.120),
];

/// On which side of the parting between the lips a kernel acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lip {
    Both,
    Upper,
    Lower,
}

/// One Gaussian kernel of a displacement field, in face units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kernel {
    pub(super) center: Point,
    pub(super) shift: Point,
    pub(super) sigma: Point,
    pub(super) lip: Lip,
}

/// Which half of the face an action unit moves, as the picture shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FaceSide {
    #[default]
    Both,
    /// The half at the picture's left: the person's right.
    ImageLeft,
    /// The half at the picture's right: the person's left.
    ImageRight,
}

/// The action units (FACS numbers) that the drawn face can move.
pub const DRAWN_UNITS: [u8; 18] = [
    1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 20, 23, 24, 25, 26,
];

/// Movements that are no expression, in the same table: both lids shut (AU45), the
/// lips rounded as for a vowel (AU18).
pub(super) const BLINK: u8 = 45;
pub(super) const PUCKER: u8 = 18;

/// The landmark on the other half of the face.
const MIRRORED: [usize; 68] = [
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18,
    17, 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53,
    52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
];

/// A row of the table: landmarks of the image-left side whose mean is the centre,
/// centre offset, displacement at full strength and widths, x positive outward.
struct Row {
    paired: bool,
    landmarks: &'static [usize],
    offset: (f32, f32),
    shift: (f32, f32),
    sigma: (f32, f32),
    lip: Lip,
}

const fn pair(
    landmarks: &'static [usize],
    offset: (f32, f32),
    shift: (f32, f32),
    sigma: (f32, f32),
) -> Row {
    Row {
        paired: true,
        landmarks,
        offset,
        shift,
        sigma,
        lip: Lip::Both,
    }
}

const fn center(
    landmarks: &'static [usize],
    offset: (f32, f32),
    shift: (f32, f32),
    sigma: (f32, f32),
    lip: Lip,
) -> Row {
    Row {
        paired: false,
        landmarks,
        offset,
        shift,
        sigma,
        lip,
    }
}

fn rows(unit: u8) -> Option<&'static [Row]> {
    const AU1: &[Row] = &[
        pair(&[20, 21], (0.0, -0.03), (0.01, -0.13), (0.15, 0.11)),
        pair(&[20, 21], (0.0, -0.22), (0.0, -0.08), (0.20, 0.14)),
    ];
    const AU2: &[Row] = &[
        pair(&[17, 18, 19], (0.0, -0.03), (0.0, -0.13), (0.17, 0.11)),
        pair(&[18, 19], (0.0, -0.22), (0.0, -0.07), (0.20, 0.14)),
    ];
    const AU4: &[Row] = &[
        pair(&[20, 21], (0.0, 0.0), (-0.06, 0.10), (0.15, 0.10)),
        pair(&[18, 19], (0.0, 0.0), (-0.03, 0.05), (0.16, 0.10)),
        center(&[21, 22], (0.0, 0.03), (0.0, 0.07), (0.13, 0.12), Lip::Both),
    ];
    const AU5: &[Row] = &[pair(&[37, 38], (0.0, -0.02), (0.0, -0.08), (0.14, 0.05))];
    const AU6: &[Row] = &[
        pair(&[40, 41], (0.05, 0.20), (-0.02, -0.08), (0.18, 0.12)),
        pair(&[40, 41], (0.0, 0.04), (0.0, -0.05), (0.14, 0.05)),
    ];
    const AU7: &[Row] = &[
        pair(&[40, 41], (0.0, 0.02), (0.0, -0.05), (0.14, 0.05)),
        pair(&[37, 38], (0.0, 0.0), (0.0, 0.05), (0.14, 0.05)),
    ];
    const AU9: &[Row] = &[
        pair(&[31], (-0.02, -0.05), (0.02, -0.08), (0.10, 0.12)),
        center(&[27], (0.0, 0.0), (0.0, 0.04), (0.12, 0.10), Lip::Both),
        pair(&[21], (0.0, 0.0), (-0.03, 0.06), (0.12, 0.09)),
        pair(&[50], (0.0, -0.03), (0.0, -0.04), (0.10, 0.07)),
    ];
    const AU10: &[Row] = &[
        pair(&[49, 50], (0.0, -0.05), (0.01, -0.08), (0.12, 0.09)),
        pair(&[31, 48], (0.06, -0.06), (0.03, -0.07), (0.12, 0.14)),
    ];
    const AU12: &[Row] = &[
        pair(&[48, 60], (0.02, 0.0), (0.10, -0.09), (0.13, 0.12)),
        pair(&[48], (0.18, -0.18), (0.08, -0.08), (0.17, 0.17)),
        pair(&[48], (0.36, -0.24), (0.08, -0.03), (0.16, 0.20)),
        pair(&[49, 59], (0.0, 0.0), (0.04, -0.02), (0.10, 0.08)),
    ];
    const AU14: &[Row] = &[
        pair(&[48, 60], (0.03, 0.0), (0.08, -0.005), (0.12, 0.11)),
        pair(&[48], (0.14, 0.0), (0.03, 0.01), (0.13, 0.14)),
    ];
    const AU15: &[Row] = &[
        pair(&[48, 60], (0.02, 0.03), (0.02, 0.10), (0.12, 0.12)),
        pair(&[6, 48], (0.0, 0.05), (0.01, 0.04), (0.13, 0.13)),
    ];
    const AU16: &[Row] = &[center(
        &[57, 66],
        (0.0, 0.03),
        (0.0, 0.08),
        (0.20, 0.09),
        Lip::Lower,
    )];
    const AU17: &[Row] = &[
        center(&[8, 57], (0.0, 0.0), (0.0, -0.11), (0.17, 0.13), Lip::Both),
        center(&[57, 66], (0.0, 0.0), (0.0, -0.07), (0.16, 0.06), Lip::Both),
        pair(&[58], (0.08, 0.04), (-0.01, -0.03), (0.12, 0.10)),
    ];
    const AU20: &[Row] = &[
        pair(&[48, 60], (0.03, 0.02), (0.10, 0.02), (0.13, 0.12)),
        pair(&[5, 48], (0.0, 0.0), (0.05, 0.02), (0.15, 0.15)),
    ];
    const AU18: &[Row] = &[
        pair(&[48, 60], (0.0, 0.0), (-0.10, 0.01), (0.16, 0.12)),
        center(
            &[51, 62],
            (0.0, 0.0),
            (0.0, -0.015),
            (0.16, 0.06),
            Lip::Both,
        ),
    ];
    const AU23: &[Row] = &[
        center(&[51, 62], (0.0, 0.0), (0.0, 0.03), (0.20, 0.045), Lip::Both),
        center(
            &[57, 66],
            (0.0, 0.0),
            (0.0, -0.035),
            (0.20, 0.045),
            Lip::Both,
        ),
        pair(&[48, 60], (0.0, 0.0), (-0.045, 0.0), (0.14, 0.09)),
        center(&[8, 57], (0.0, -0.15), (0.0, 0.02), (0.16, 0.08), Lip::Both),
    ];
    const AU24: &[Row] = &[
        center(&[51, 62], (0.0, 0.0), (0.0, 0.04), (0.18, 0.05), Lip::Both),
        center(&[57, 66], (0.0, 0.0), (0.0, -0.05), (0.18, 0.05), Lip::Both),
        pair(&[48], (0.0, 0.0), (-0.03, 0.0), (0.10, 0.08)),
    ];
    const AU25: &[Row] = &[
        center(&[57, 66], (0.0, 0.0), (0.0, 0.07), (0.18, 0.07), Lip::Lower),
        center(
            &[51, 62],
            (0.0, 0.0),
            (0.0, -0.03),
            (0.16, 0.05),
            Lip::Upper,
        ),
    ];
    const AU26: &[Row] = &[
        center(&[57, 66], (0.0, 0.0), (0.0, 0.10), (0.22, 0.08), Lip::Lower),
        center(&[8, 57], (0.0, 0.0), (0.0, 0.12), (0.28, 0.16), Lip::Both),
        center(&[8], (0.0, -0.03), (0.0, 0.10), (0.30, 0.10), Lip::Both),
        pair(&[5, 6], (0.0, 0.0), (-0.01, 0.07), (0.25, 0.25)),
    ];
    const AU45: &[Row] = &[
        pair(&[40, 41], (0.0, 0.06), (0.0, -0.020), (0.16, 0.07)),
        pair(&[37, 38], (0.0, -0.10), (0.0, 0.022), (0.17, 0.07)),
        pair(&[19], (0.0, 0.0), (0.0, 0.010), (0.25, 0.10)),
    ];
    Some(match unit {
        1 => AU1,
        2 => AU2,
        4 => AU4,
        5 => AU5,
        6 => AU6,
        7 => AU7,
        9 => AU9,
        10 => AU10,
        12 => AU12,
        14 => AU14,
        15 => AU15,
        16 => AU16,
        17 => AU17,
        PUCKER => AU18,
        20 => AU20,
        23 => AU23,
        24 => AU24,
        25 => AU25,
        26 => AU26,
        BLINK => AU45,
        _ => return None,
    })
}

/// The kernels of one action unit at full strength, both halves written out;
/// `None` for a unit that the face cannot draw.
#[must_use]
pub(super) fn kernels(unit: u8, side: FaceSide, landmarks: &[Point; 68]) -> Option<Vec<Kernel>> {
    let mut kernels = Vec::new();
    for row in rows(unit)? {
        let mean = |index: &dyn Fn(usize) -> usize| {
            let count = row.landmarks.len() as f32;
            let sum = row.landmarks.iter().fold(p(0.0, 0.0), |s, &i| {
                p(s.x + landmarks[index(i)].x, s.y + landmarks[index(i)].y)
            });
            p(sum.x / count, sum.y / count)
        };
        let (here, there) = (mean(&|i| i), mean(&|i| MIRRORED[i]));
        // Outward is −x on the image-left side.
        let left = Kernel {
            center: p(here.x - row.offset.0, here.y + row.offset.1),
            shift: p(-row.shift.0, row.shift.1),
            sigma: p(row.sigma.0, row.sigma.1),
            lip: row.lip,
        };
        if !row.paired {
            kernels.push(left);
            continue;
        }
        if side != FaceSide::ImageRight {
            kernels.push(left);
        }
        if side != FaceSide::ImageLeft {
            kernels.push(Kernel {
                center: p(there.x + row.offset.0, there.y + row.offset.1),
                shift: p(-left.shift.x, left.shift.y),
                ..left
            });
        }
    }
    Some(kernels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_face_is_symmetric() {
        let mirrored_pairs = [
            (0, 16),
            (4, 12),
            (17, 26),
            (21, 22),
            (31, 35),
            (36, 45),
            (39, 42),
            (41, 46),
            (48, 54),
            (59, 55),
            (60, 64),
        ];
        for (a, b) in mirrored_pairs {
            let (a, b) = (REST_LANDMARKS[a], REST_LANDMARKS[b]);
            assert!(
                (a.x + b.x).abs() < 1e-6 && (a.y - b.y).abs() < 1e-6,
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn a_smile_pulls_the_mouth_corners_outward_and_up() {
        let smile = kernels(12, FaceSide::Both, &REST_LANDMARKS).expect("drawn");
        assert_eq!(smile.len(), 8);
        for k in &smile {
            assert!(k.shift.x * k.center.x > 0.0 && k.shift.y < 0.0);
        }
        let of = |unit, side| kernels(unit, side, &REST_LANDMARKS);
        assert_eq!(of(12, FaceSide::ImageLeft).map(|k| k.len()), Some(4));
        assert_eq!(of(99, FaceSide::Both), None);
        assert!(DRAWN_UNITS.iter().all(|&u| of(u, FaceSide::Both).is_some()));
        for (i, &j) in MIRRORED.iter().enumerate() {
            assert_eq!(MIRRORED[j], i);
            assert!(
                (REST_LANDMARKS[i].x + REST_LANDMARKS[j].x).abs() < 1e-6,
                "{i}"
            );
        }
    }
}
