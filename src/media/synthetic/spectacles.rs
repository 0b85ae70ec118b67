//! Spectacles: they ride on the head and do not move with the skin.

use super::arithmetic::{hill, mix3, smoothstep};
use super::look::Glasses;
use super::skin::Rgb;

/// The plain face's rectangle that they cover: left, top, right, bottom.
pub(super) const BOUNDS: (f32, f32, f32, f32) = (-1.22, -0.5, 1.22, 0.55);

/// How far a place of them stands before the skin between the eyes: the lenses bend
/// a little around the face, the temples run back to the ears.
#[must_use]
pub(super) fn rise(x: f32) -> f32 {
    0.10 - 0.10 * x * x - 4.0 * (x.abs() - 0.95).max(0.0)
}

/// Colour and coverage at a place of the plain face.
#[must_use]
pub(super) fn paint(glasses: &Glasses, x: f32, y: f32, blur: f32) -> (Rgb, f32) {
    let out = x.abs();
    let (hx, hy) = glasses.half;
    let (dx, dy) = ((out - 0.515) / hx, (y - 0.035) / hy);
    let r = superellipse(dx.abs(), dy.abs(), glasses.squareness);
    // Distance to the rim in face units, negative inside.
    let d = (r - 1.0) * hx.min(hy);
    let half = 0.5 * glasses.thickness;
    let rim = smoothstep(half + blur, half - blur, d.abs());
    let bridge_y = -0.05 - 0.25 * (0.12 - out * out).max(0.0);
    let bridge = smoothstep(half + blur, half - blur, (y - bridge_y).abs())
        * smoothstep(0.515 - hx + 0.03, 0.515 - hx, out);
    let temple = smoothstep(half + blur, half - blur, (y + 0.06).abs())
        * smoothstep(0.515 + hx - 0.03, 0.515 + hx, out)
        * smoothstep(1.20, 1.16, out);
    let frame = rim.max(bridge).max(temple);
    let shine = 0.25 * hill((dx + 0.3) / 0.3, (dy + 0.9) / 0.3);
    let c = glasses.frame.map(|v| v + 0.25 * shine);
    if frame > 0.0 {
        return (c, frame);
    }
    if d < 0.0 {
        // A window mirrored in the glass, slanting.
        let slant = dx + 0.5 * dy;
        let band = smoothstep(0.18, 0.05, (slant + 0.35).abs());
        let tone = mix3([0.7, 0.75, 0.8], [1.0, 1.0, 1.0], band);
        return (tone, glasses.reflection * (0.3 + 1.5 * band));
    }
    ([0.0; 3], 0.0)
}

/// 1 on the rim; the exponent is a whole number or lies between two.
fn superellipse(x: f32, y: f32, n: f32) -> f32 {
    let low = n.floor();
    let whole = |n: i32| {
        let sum = power(x, n) + power(y, n);
        root(sum, n)
    };
    let (a, b) = (whole(low as i32), whole(low as i32 + 1));
    a + (b - a) * (n - low)
}

fn power(x: f32, n: i32) -> f32 {
    (0..n).fold(1.0, |p, _| p * x)
}

/// The n-th root by Newton's steps.
fn root(value: f32, n: i32) -> f32 {
    if value <= 1e-12 {
        return 0.0;
    }
    let mut r = if value > 1.0 { value } else { 1.0 };
    for _ in 0..24 {
        let p = power(r, n - 1);
        r -= (p * r - value) / (n as f32 * p);
    }
    r
}
