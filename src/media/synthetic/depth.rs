//! How far the parts of a head stand towards the camera: what parallax needs.

use super::arithmetic::hill;

/// Depth of the skin between the eyes: the head turns about a centre this far behind.
pub(super) const FRONT: f32 = 1.30;

/// Parts that stand out from the rounded head: centre x (mirrored unless 0), centre
/// y, widths, height, in face units; as the drawn relief, without its fine parts.
const PARTS: [(f32, f32, f32, f32, f32); 12] = [
    // Brow ridge; socket.
    (0.48, -0.27, 0.32, 0.12, 0.055),
    (0.47, 0.00, 0.25, 0.16, -0.080),
    // Nose: bridge, middle, tip, wings.
    (0.0, 0.02, 0.110, 0.18, 0.060),
    (0.0, 0.26, 0.120, 0.19, 0.120),
    (0.0, 0.47, 0.130, 0.15, 0.130),
    (0.0, 0.60, 0.115, 0.095, 0.150),
    (0.138, 0.635, 0.075, 0.070, 0.080),
    // Cheek, muzzle, lips, groove under them, chin.
    (0.62, 0.45, 0.26, 0.22, 0.050),
    (0.0, 1.06, 0.38, 0.26, 0.110),
    (0.0, 1.15, 0.25, 0.10, 0.040),
    (0.0, 1.39, 0.22, 0.08, -0.035),
    (0.0, 1.62, 0.26, 0.18, 0.090),
];

/// Height over the plane through the head's centre, face units; finite slopes, so
/// that a head turned by 15° shows no folds but at the nose.
#[must_use]
pub(super) fn depth(x: f32, y: f32) -> f32 {
    let across = x / 1.32;
    let along = (y - 0.10) / if y < 0.10 { 1.85 } else { 2.55 };
    let s = 1.0 - across * across - along * along;
    // Smoothly towards zero outside the skull, where hair is.
    let q = 0.5 * (s + (s * s + 0.04).sqrt());
    let mut z = FRONT * q.sqrt();
    for &(cx, cy, sx, sy, height) in &PARTS {
        let dy = (y - cy) / sy;
        let near = (x.abs() - cx) / sx;
        if near * near + dy * dy < 16.0 {
            z += height * hill(near, dy);
        }
        if cx > 0.0 {
            let far = (x.abs() + cx) / sx;
            if far * far + dy * dy < 16.0 {
                z += height * hill(far, dy);
            }
        }
    }
    z
}

/// The direction a place of the rounded head faces: x, y, z of length 1.
#[must_use]
pub(super) fn facing(x: f32, y: f32) -> [f32; 3] {
    const STEP: f32 = 0.05;
    let nx = (depth(x - STEP, y) - depth(x + STEP, y)) / (2.0 * STEP);
    let ny = (depth(x, y - STEP) - depth(x, y + STEP)) / (2.0 * STEP);
    let length = (nx * nx + ny * ny + 1.0).sqrt();
    [nx / length, ny / length, 1.0 / length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nose_stands_out_and_the_contour_lies_behind() {
        assert!((depth(0.0, -0.05) - FRONT).abs() < 0.1);
        assert!(depth(0.0, 0.6) > depth(0.0, -0.05) + 0.2);
        assert!(depth(1.12, 0.3) < FRONT - 0.5);
        assert!(depth(0.0, 1.62) > FRONT - 0.30);
        for i in -40..40 {
            let x = i as f32 * 0.04;
            assert!(
                (depth(x + 0.02, 0.6) - depth(x - 0.02, 0.6)).abs() < 0.14,
                "{x}"
            );
        }
    }
}
