//! An ear, where the hair leaves it free.

use super::arithmetic::{hill, mix, noise, smoothstep};
use super::skin::{Rgb, Skin, illuminate};

/// Colour and coverage of the ear at a place; most of it lies behind the face's contour.
#[must_use]
pub(super) fn paint(skin: &Skin, x: f32, y: f32, blur: f32) -> (Rgb, f32) {
    let side = if x < 0.0 { -1.0 } else { 1.0 };
    let out = x * side;
    if !(0.9..1.45).contains(&out) || !(-0.4..0.75).contains(&y) {
        return ([0.0; 3], 0.0);
    }
    // Wider above, leaning outward upward.
    let middle = 1.115 - 0.10 * (y - 0.15);
    let half_width = mix(0.165, 0.105, smoothstep(-0.2, 0.5, y));
    let (dx, dy) = ((out - middle) / half_width, (y - 0.16) / 0.40);
    let r = (dx * dx + dy * dy).sqrt();
    let cover = smoothstep(1.0 + blur / half_width, 1.0 - blur / half_width, r);
    if cover <= 0.0 {
        return ([0.0; 3], 0.0);
    }
    // The rim catches light, the shell inside is in shade.
    let rim = hill(0.0, (r - 0.86) / 0.12);
    let inside = hill((out - 1.12) / 0.05, (y - 0.17) / 0.16);
    let open = 0.62 + 0.30 * rim - 0.38 * inside;
    let normal = [side * (0.45 + 0.3 * (dx - 0.4)), 0.15 * dy, 0.80];
    let grain = 1.0 + 0.05 * noise(x * 25.0, y * 25.0, 91);
    let tone = skin.look.flush.map(|v| v * grain);
    (
        illuminate(&skin.light, tone, normal, open.clamp(0.15, 1.0), 0.9),
        cover,
    )
}
