//! The head's relief, its light and its skin.

use super::arithmetic::{hill, mix, mix3, noise, smoothstep, spots};
use super::look::Look;
use super::outline::{Outline, curve};
use super::scene::Light;

/// Linear light, about 0..1.
pub(super) type Rgb = [f32; 3];

/// Hills of the face beside its rounded outline: centre x (mirrored unless 0),
/// centre y, widths, height. Face units.
const HILLS: [(f32, f32, f32, f32, f32); 25] = [
    // Forehead, brow ridge, the dip between them.
    (0.0, -0.62, 0.60, 0.30, 0.06),
    (0.50, -0.27, 0.30, 0.10, 0.055),
    (0.0, -0.24, 0.13, 0.13, 0.02),
    // Sockets, deepest at the inner corner; the eyeball.
    (0.47, -0.03, 0.27, 0.15, -0.11),
    (0.25, 0.00, 0.08, 0.15, -0.060),
    (0.51, -0.01, 0.17, 0.11, 0.075),
    // Cheekbone, cheek, hollow at the temple, groove beside the mouth.
    (0.66, 0.42, 0.26, 0.18, 0.060),
    (0.52, 0.72, 0.22, 0.20, 0.045),
    (1.02, -0.28, 0.12, 0.26, -0.035),
    (0.36, 0.80, 0.060, 0.12, -0.014),
    (0.455, 0.98, 0.055, 0.10, -0.013),
    // Nose: bridge, middle, tip, wings, the fold above a wing, floor.
    (0.0, 0.02, 0.085, 0.16, 0.085),
    (0.0, 0.26, 0.090, 0.18, 0.130),
    (0.0, 0.47, 0.105, 0.13, 0.130),
    (0.0, 0.590, 0.085, 0.070, 0.155),
    (0.138, 0.635, 0.050, 0.055, 0.120),
    (0.085, 0.610, 0.020, 0.05, -0.022),
    (0.220, 0.585, 0.032, 0.09, -0.030),
    // Upper lip's philtrum and its two ridges, the muzzle.
    (0.0, 0.89, 0.036, 0.085, -0.010),
    (0.070, 0.90, 0.034, 0.090, 0.008),
    (0.0, 1.08, 0.36, 0.24, 0.110),
    // Beneath the lower lip, chin, jaw.
    (0.0, 1.385, 0.20, 0.055, -0.045),
    (0.0, 1.62, 0.22, 0.15, 0.085),
    (0.115, 1.64, 0.10, 0.12, 0.012),
    (0.72, 1.22, 0.18, 0.22, 0.020),
];

/// The head as a height over the picture's plane, with the light that falls on it.
pub(super) struct Skin {
    pub(super) face: Outline,
    pub(super) lips: Outline,
    pub(super) look: Look,
    pub(super) light: Light,
    seed: u64,
}

impl Skin {
    #[must_use]
    pub(super) fn new(seed: u64, look: Look, light: Light) -> Self {
        Self {
            face: Outline::closed(&FACE, 0.02, 0.4),
            lips: Outline::closed(&super::mouth::OUTLINE, 0.005, 0.06),
            look,
            light,
            seed,
        }
    }

    /// Height towards the viewer.
    fn height(&self, x: f32, y: f32) -> f32 {
        const ROUNDING: f32 = 0.80;
        let inset = (-self.face.at(x, y) / ROUNDING).clamp(0.0, 1.0);
        let mut z = 0.62 * (inset * (2.0 - inset)).sqrt();
        z -= 0.10 * (x * x / 1.4 + (y - 0.4) * (y - 0.4) / 2.6);
        let side = x.abs();
        for &(cx, cy, sx, sy, a) in &HILLS {
            let (dx, dy) = ((side - cx) / sx, (y - cy) / sy);
            if dx * dx + dy * dy < 16.0 {
                z += a * hill(dx, dy);
            }
            // The mirrored hill reaches over the middle.
            if cx > 0.0 && cx < 0.3 {
                let dx = (side + cx) / sx;
                if dx * dx + dy * dy < 16.0 {
                    z += a * hill(dx, dy);
                }
            }
        }
        z + super::mouth::relief(&self.lips, x, y)
    }

    fn normal(&self, x: f32, y: f32) -> Rgb {
        const STEP: f32 = 0.008;
        let nx = (self.height(x - STEP, y) - self.height(x + STEP, y)) / (2.0 * STEP);
        let ny = (self.height(x, y - STEP) - self.height(x, y + STEP)) / (2.0 * STEP);
        let length = (nx * nx + ny * ny + 1.0).sqrt();
        [nx / length, ny / length, 1.0 / length]
    }

    /// What the skin reflects before light falls on it: base tone, blood near the
    /// surface, fine grain. The grain gives optical flow something to hold on to.
    fn albedo(&self, x: f32, y: f32) -> Rgb {
        let look = &self.look;
        let mut c: Rgb = look.skin;
        let side = x.abs();
        let red = 0.34 * hill((side - 0.66) / 0.26, (y - 0.50) / 0.20)
            + 0.30 * hill(x / 0.16, (y - 0.60) / 0.13)
            + 0.10 * hill(x / 0.35, (y - 1.62) / 0.16)
            + 0.12 * hill((side - 0.47) / 0.28, (y - 0.02) / 0.16);
        c = mix3(c, look.flush, red.min(1.0));
        let blotch =
            noise(x * 4.0, y * 4.0, self.seed ^ 1) + 0.6 * noise(x * 9.0, y * 9.0, self.seed ^ 2);
        let grain = 0.9 * noise(x * 16.0, y * 16.0, self.seed ^ 3)
            + 1.0 * noise(x * 29.0, y * 29.0, self.seed ^ 4)
            + 0.9 * noise(x * 47.0, y * 47.0, self.seed ^ 5);
        let blotch = look.blotches * blotch;
        let light = 1.0 + 0.022 * blotch + 0.030 * look.grain * grain - self.lines(x, y);
        let freckle = look.freckles * self.freckles(x, y);
        let c = [
            c[0] * light * (1.0 - 0.20 * freckle),
            c[1] * (light - 0.012 * blotch) * (1.0 - 0.36 * freckle),
            c[2] * (light - 0.010 * blotch) * (1.0 - 0.42 * freckle),
        ];
        self.bearded(self.with_moles(c, x, y), x, y)
    }

    /// How much pores and lines of age darken a place.
    fn lines(&self, x: f32, y: f32) -> f32 {
        let (age, side) = (self.look.wrinkles, x.abs());
        let mut dark = 0.0;
        if self.look.pores > 0.0 {
            let where_seen = 0.35
                + 0.65 * hill((side - 0.40) / 0.35, (y - 0.45) / 0.30)
                + 0.5 * hill(x / 0.2, (y - 0.5) / 0.25);
            dark += 0.10
                * self.look.pores
                * where_seen
                * spots(x * 38.0, y * 38.0, 0.25, self.seed ^ 8);
        }
        if age > 0.0 {
            let wave = 0.020 * noise(x * 3.0, y * 1.5, self.seed ^ 9);
            let mut forehead = 0.0;
            for (at, depth) in [(-0.90, 0.6), (-0.76, 1.0), (-0.62, 0.8)] {
                forehead += depth * hill(x / 0.45, (y - at - wave - 0.05 * x * x) / 0.011);
            }
            // Crow's feet fan out from the outer corner of the eye.
            let (fx, fy) = (side - 0.74, y - 0.01);
            let fan = fy / fx.max(0.02) * 5.0;
            let feet = hill((fan - fan.round()) / 0.16, (fx - 0.12) / 0.06) * hill(0.0, fy / 0.12);
            let bags = hill(
                (y - 0.165 - 0.10 * (side - 0.5) * (side - 0.5)) / 0.012,
                (side - 0.48) / 0.15,
            );
            let fold = hill((side - 0.30 - 0.30 * (y - 0.72)) / 0.016, (y - 0.86) / 0.13);
            let frown = hill((side - 0.085) / 0.012, (y + 0.30) / 0.09);
            dark +=
                age * (0.16 * forehead + 0.14 * feet + 0.13 * bags + 0.24 * fold + 0.15 * frown);
        }
        dark
    }

    fn with_moles(&self, c: Rgb, x: f32, y: f32) -> Rgb {
        let mut c = c;
        for &(mx, my, radius) in &self.look.moles {
            let d2 = (x - mx) * (x - mx) + (y - my) * (y - my);
            let cover = smoothstep(radius * radius, 0.3 * radius * radius, d2);
            c = mix3(c, [0.30 * c[0], 0.22 * c[1], 0.22 * c[2]], 0.85 * cover);
        }
        c
    }

    /// Where a beard grows, 0..1: from the sideburns down, around the lips.
    fn beard_ground(&self, x: f32, y: f32) -> f32 {
        const TOP: [(f32, f32); 7] = [
            (0.0, 0.815),
            (0.12, 0.800),
            (0.30, 0.860),
            (0.50, 1.000),
            (0.78, 0.780),
            (0.97, 0.350),
            (1.12, 0.000),
        ];
        let ragged = 0.05 * noise(x * 11.0, y * 11.0, self.seed ^ 10);
        smoothstep(-0.05, 0.07, y - curve(&TOP, x.abs()) + ragged)
    }

    /// Stubble as dark dots under a bluish shade, a beard as strands.
    fn bearded(&self, c: Rgb, x: f32, y: f32) -> Rgb {
        let look = &self.look;
        if look.stubble <= 0.0 && look.beard <= 0.0 {
            return c;
        }
        let ground = self.beard_ground(x, y);
        if ground <= 0.0 {
            return c;
        }
        let hair = mix3(look.hair.dark, look.hair.body, 0.35);
        let dots = spots(x * 52.0, y * 52.0, 0.25, self.seed ^ 11);
        let thin = look.stubble * ground * (0.22 + 0.45 * dots);
        let mut c = mix3(
            c,
            mix3(hair, [0.5 * c[0], 0.5 * c[1], 0.52 * c[2]], 0.4),
            thin.min(0.8),
        );
        if look.beard > 0.0 {
            let strand = noise(x * 40.0 + 6.0 * y, y * 9.0 + 3.0 * x.abs(), self.seed ^ 12)
                + 0.7 * noise(x * 80.0, y * 22.0, self.seed ^ 13);
            let tone = mix3(
                look.hair.dark,
                look.hair.body,
                (0.5 + 0.4 * strand).clamp(0.0, 1.0),
            );
            let chin = 0.55 + 0.45 * hill(x / 0.45, (y - 1.5) / 0.4);
            c = mix3(
                c,
                tone,
                (look.beard * ground * chin * (0.9 + 0.2 * strand)).clamp(0.0, 0.95),
            );
        }
        c
    }

    /// Sparse small spots, most over the cheeks and the nose.
    fn freckles(&self, x: f32, y: f32) -> f32 {
        let wide = spots(x * 9.0, y * 9.0, 0.24, self.seed ^ 6);
        let fine = spots(x * 16.0, y * 16.0, 0.25, self.seed ^ 7);
        let spot = wide.max(0.75 * fine);
        let side = x.abs();
        let density = 0.16
            + 0.70 * hill((side - 0.52) / 0.34, (y - 0.42) / 0.22)
            + 0.30 * hill(x / 0.4, (y + 0.65) / 0.25);
        spot * density.min(1.0)
    }

    /// How much of the surrounding light reaches a place, 0..1.
    fn openness(x: f32, y: f32) -> f32 {
        let side = x.abs();
        let shade = 0.36 * hill((side - 0.27) / 0.10, (y + 0.01) / 0.13)
            + 0.20 * hill((side - 0.50) / 0.28, (y + 0.15) / 0.07)
            + 0.10 * hill((side - 0.50) / 0.22, (y - 0.15) / 0.06)
            + 0.34 * hill((side - 0.222) / 0.026, (y - 0.63) / 0.075)
            + 0.10 * hill((side - 0.085) / 0.016, (y - 0.63) / 0.045)
            + 0.30 * hill(x / 0.17, (y - 0.765) / 0.040)
            + 0.18 * hill(x / 0.24, (y - 1.355) / 0.045)
            + 0.20 * hill((side - 0.42) / 0.05, (y - 1.125) / 0.05)
            + 0.10 * hill((side - 0.335) / 0.05, (y - 0.80) / 0.11)
            + 0.08 * hill((side - 0.44) / 0.05, (y - 0.97) / 0.10);
        1.0 - shade.min(0.8)
    }

    /// The lit face, without brows, eyes, nostrils and hair.
    #[must_use]
    pub(super) fn lit(&self, x: f32, y: f32) -> Rgb {
        let normal = self.normal(x, y);
        let (lip_cover, lip_tone) = super::mouth::tone(&self.lips, &self.look, x, y, self.seed);
        let albedo = mix3(self.albedo(x, y), lip_tone, lip_cover);
        let open = Self::openness(x, y);
        // The nose keeps the key light off a little of the cheek away from it.
        let away = if self.light.key[0] > 0.0 { -x } else { x };
        let cast = 0.30 * hill((away - 0.20) / 0.09, (y - 0.50) / 0.16)
            + 0.22 * hill((away - 0.10) / 0.16, (y - 0.80) / 0.06);
        let mut c = illuminate(&self.light, albedo, normal, open, 1.0 - cast.min(0.6));
        let shine = 0.060 + 0.075 * lip_cover;
        let squarings = if lip_cover > 0.5 { 5 } else { 4 };
        let gloss = self.light.gloss * gloss(&self.light, normal, squarings) * shine * open;
        for v in &mut c {
            *v += gloss;
        }
        nostrils(c, self.look.crease, x, y)
    }

    /// The neck and the top of the chest, in the chin's shadow.
    #[must_use]
    pub(super) fn neck(&self, x: f32, y: f32) -> Rgb {
        let across = (x / 0.72).clamp(-0.97, 0.97);
        let nz = (1.0 - across * across).sqrt();
        let normal = [across * 0.95, 0.10, nz.max(0.2)];
        let tendon = 0.07 * hill((x.abs() - 0.30) / 0.06, (y - 2.15) / 0.22)
            - 0.06 * hill(x / 0.10, (y - 2.28) / 0.10);
        let jaw_shadow = smoothstep(0.0, 0.42, self.face.at(x - 0.10, y - 0.06));
        let open = mix(0.36, 0.88, jaw_shadow) + tendon;
        let reach = mix(0.22, 0.9, jaw_shadow);
        let c = illuminate(&self.light, self.albedo(x, y), normal, open, reach);
        [c[0], c[1] * 0.97, c[2] * 0.95]
    }
}

/// The face's contour, clockwise from the left temple; the jaw passes the landmarks.
const FACE: [(f32, f32); 26] = [
    (-1.120, 0.05),
    (-1.115, -0.35),
    (-1.070, -0.75),
    (-0.880, -1.08),
    (-0.520, -1.30),
    (0.0, -1.38),
    (0.520, -1.30),
    (0.880, -1.08),
    (1.070, -0.75),
    (1.115, -0.35),
    (1.120, 0.05),
    (1.110, 0.35),
    (1.078, 0.65),
    (1.018, 0.94),
    (0.890, 1.22),
    (0.675, 1.47),
    (0.445, 1.67),
    (0.225, 1.805),
    (0.0, 1.845),
    (-0.225, 1.805),
    (-0.445, 1.67),
    (-0.675, 1.47),
    (-0.890, 1.22),
    (-1.018, 0.94),
    (-1.078, 0.65),
    (-1.110, 0.35),
];

/// Wrapped diffuse light; red wraps furthest, as light does inside skin.
#[must_use]
pub(super) fn illuminate(
    light: &Light,
    albedo: Rgb,
    normal: Rgb,
    open: f32,
    key_reach: f32,
) -> Rgb {
    let key = dot(normal, light.key);
    let fill = dot(normal, light.fill);
    let mut c = [0.0; 3];
    for (i, v) in c.iter_mut().enumerate() {
        let wrap = [0.34, 0.22, 0.17][i];
        let k = ((key + wrap) / (1.0 + wrap)).max(0.0) * [1.06, 1.00, 0.93][i] * key_reach;
        let f = ((fill + wrap) / (1.0 + wrap)).max(0.0) * [0.84, 0.96, 1.10][i];
        let sky = 0.5 - 0.5 * normal[1];
        // Light caught in creases comes back redder.
        let ambient =
            light.ambient * (0.13 + 0.12 * sky) * mix([0.75, 0.45, 0.38][i] * open, open, open);
        *v = albedo[i]
            * (light.key_level * k * mix(open, 1.0, 0.45) + light.fill_level * f * open + ambient);
    }
    c
}

/// A highlight of the key light, sharper with each squaring.
fn gloss(light: &Light, normal: Rgb, squarings: u32) -> f32 {
    // Halfway between the light and the viewer.
    let half = [light.key[0], light.key[1], light.key[2] + 1.0];
    let length = dot(half, half).sqrt();
    let mut s = (dot(normal, half) / length).max(0.0);
    for _ in 0..squarings {
        s *= s;
    }
    s
}

fn nostrils(c: Rgb, crease: f32, x: f32, y: f32) -> Rgb {
    let side = x.abs();
    // Slanted ellipses that open outward.
    let (dx, dy) = (side - 0.098, y - 0.700 + 0.26 * (side - 0.098));
    let d = (dx / 0.058) * (dx / 0.058) + (dy / 0.024) * (dy / 0.024);
    let hole = 1.0 - smoothstep(0.35, 1.45, d);
    let dark = [0.050 * crease, 0.018 * crease, 0.013 * crease];
    mix3(c, dark, 0.88 * hole)
}

fn dot(a: Rgb, b: Rgb) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
