//! Lips, the line between them, and what shows when they part.

use super::arithmetic::{hill, mix3, noise, smoothstep};
use super::look::Look;
use super::outline::{Outline, curve};
use super::skin::Rgb;

/// The lips' outer contour through landmarks 48–59.
pub(super) const OUTLINE: [(f32, f32); 14] = [
    (-0.408, 1.106),
    (-0.255, 1.052),
    (-0.095, 1.016),
    (0.000, 1.036),
    (0.095, 1.016),
    (0.255, 1.052),
    (0.408, 1.106),
    (0.265, 1.228),
    (0.115, 1.280),
    (0.000, 1.288),
    (-0.115, 1.280),
    (-0.265, 1.228),
    (-0.345, 1.172),
    (-0.388, 1.132),
];

/// Half the length of the line between the lips.
const CORNER: f32 = 0.395;

/// y of the line between the lips at rest.
#[must_use]
pub(super) fn seam(x: f32) -> f32 {
    const LINE: [(f32, f32); 6] = [
        (-0.10, 1.126),
        (0.0, 1.133),
        (0.10, 1.126),
        (0.22, 1.124),
        (0.33, 1.115),
        (CORNER, 1.105),
    ];
    curve(&LINE, x.abs())
}

/// How far the lips may part at x: 1 in the middle, 0 from the corners on.
#[must_use]
pub(super) fn parting(x: f32) -> f32 {
    let t = x / CORNER;
    let rest = (1.0 - t * t).max(0.0);
    rest * (2.0 - rest)
}

/// The lips' swelling and the groove between them.
#[must_use]
pub(super) fn relief(lips: &Outline, x: f32, y: f32) -> f32 {
    let d = lips.at(x, y);
    let line = y - seam(x);
    let width = smoothstep(CORNER + 0.03, CORNER - 0.12, x.abs());
    let mut z = -0.020 * hill(0.0, line / 0.026) * width;
    if d < 0.0 {
        let depth = (-d / 0.075).min(1.0);
        let bulge = (depth * (2.0 - depth)).sqrt();
        z += if line > 0.0 { 0.048 } else { 0.026 } * bulge * width;
    }
    z
}

/// Coverage 0..1 and colour of the lips, the dark line between them included.
#[must_use]
pub(super) fn tone(lips: &Outline, look: &Look, x: f32, y: f32, seed: u64) -> (f32, Rgb) {
    let d = lips.at(x, y);
    let cover = smoothstep(0.014, -0.022, d);
    let line = y - seam(x);
    // Fine upright furrows.
    let furrow = noise(x * 44.0, y * 7.0, seed ^ 21) + 0.7 * noise(x * 23.0, y * 19.0, seed ^ 22);
    let light = 1.0 + 0.06 * furrow;
    let base: Rgb = if line > 0.0 {
        look.lower_lip
    } else {
        look.upper_lip
    };
    let lip = [base[0] * light, base[1] * light, base[2] * light];
    let reach = smoothstep(CORNER + 0.015, CORNER - 0.05, x.abs());
    let dark = (0.90 * hill(0.0, line / 0.0105) + 0.25 * hill(0.0, line / 0.03)).min(0.95) * reach;
    let between = [
        0.085 * look.crease,
        0.022 * look.crease,
        0.020 * look.crease,
    ];
    let tone = mix3(lip, between, dark);
    (cover.max(dark), tone)
}

/// The mouth's inside: upper teeth over darkness. `upper` is the edge of the upper
/// lip above (x, y) at this moment, all in face units.
#[must_use]
pub(super) fn interior(x: f32, y: f32, upper: f32) -> Rgb {
    let dark: Rgb = [0.060, 0.016, 0.014];
    // Teeth belong to the skull: they stay where they are while the lips move.
    let side = x.abs();
    let edge = 1.188 - 0.10 * side * side;
    let tooth = smoothstep(edge + 0.010, edge - 0.010, y) * smoothstep(0.37, 0.27, side);
    // Gaps at the real teeth's widths: incisors, lateral, canine.
    let mut gap = 0.0_f32;
    for at in [0.0, 0.088, 0.160, 0.232, 0.30] {
        gap = gap.max(hill((side - at) / 0.006, 0.0));
    }
    let shadow = 0.45 + 0.55 * smoothstep(0.0, 0.055, y - upper);
    let round = 1.0 - 1.6 * side * side;
    let white = 0.66 * shadow * round * (1.0 - 0.35 * gap);
    mix3(dark, [white, 0.93 * white, 0.82 * white], tooth)
}
