//! Hair of the head and the brows.

use super::arithmetic::{hill, mix, mix3, noise, smoothstep};
use super::outline::{Outline, curve};
use super::skin::Rgb;

const DARK: Rgb = [0.026, 0.013, 0.008];
const BROWN: Rgb = [0.120, 0.058, 0.030];
const SHINE: Rgb = [0.44, 0.265, 0.160];

/// A chin-length cut, parted at the picture's left.
pub(super) struct Hair {
    /// All of the hair, the part behind the neck included.
    mass: Outline,
    /// Where the face looks out.
    opening: Outline,
    seed: u64,
}

const PARTING_X: f32 = -0.36;

impl Hair {
    #[must_use]
    pub(super) fn new(seed: u64) -> Self {
        const MASS: [(f32, f32); 20] = [
            (0.0, -1.70),
            (0.46, -1.645),
            (0.88, -1.42),
            (1.18, -1.04),
            (1.335, -0.52),
            (1.405, 0.05),
            (1.435, 0.62),
            (1.420, 1.14),
            (1.310, 1.52),
            (1.080, 1.66),
            (0.40, 1.62),
            (-0.40, 1.62),
            (-1.060, 1.68),
            (-1.290, 1.55),
            (-1.410, 1.16),
            (-1.430, 0.62),
            (-1.400, 0.05),
            (-1.330, -0.52),
            (-1.170, -1.06),
            (-0.60, -1.61),
        ];
        const OPENING: [(f32, f32); 20] = [
            (PARTING_X, -1.045),
            (-0.08, -0.985),
            (0.34, -0.900),
            (0.70, -0.720),
            (0.93, -0.400),
            (1.035, 0.0),
            (1.085, 0.42),
            (1.100, 0.82),
            (1.060, 1.22),
            (0.960, 1.62),
            (0.86, 2.2),
            (-0.86, 2.2),
            (-0.950, 1.62),
            (-1.060, 1.22),
            (-1.095, 0.82),
            (-1.080, 0.42),
            (-1.040, 0.0),
            (-0.960, -0.42),
            (-0.790, -0.76),
            (-0.56, -0.96),
        ];
        Self {
            mass: Outline::closed(&MASS, 0.02, 0.5),
            opening: Outline::closed(&OPENING, 0.02, 0.9),
            seed,
        }
    }

    /// Coverage of the hair behind the face and the neck.
    #[must_use]
    pub(super) fn behind(&self, x: f32, y: f32, blur: f32) -> f32 {
        let rough = 0.006 * noise(x * 46.0, y * 14.0, self.seed ^ 41)
            + 0.010 * noise(x * 5.0, y * 5.0, self.seed ^ 40);
        smoothstep(blur, -blur, self.mass.at(x, y) + rough)
    }

    /// Coverage of the hair in front of the face.
    #[must_use]
    pub(super) fn before(&self, x: f32, y: f32, blur: f32) -> f32 {
        let rough = 0.012 * noise(x * 9.0, y * 9.0, self.seed ^ 42);
        let edge = smoothstep(-0.022 - blur, 0.014 + blur, self.opening.at(x, y) + rough);
        edge * self.behind(x, y, blur)
    }

    /// Light that the front hair leaves to the face under it, 0..1.
    #[must_use]
    pub(super) fn shadow(&self, x: f32, y: f32) -> f32 {
        let near = self.opening.at(x - 0.035, y - 0.055);
        1.0 - 0.40 * smoothstep(-0.17, 0.02, near)
    }

    /// Numbers the strands: constant along one, growing across.
    fn strand(&self, x: f32, y: f32) -> f32 {
        let (out, face) = (self.mass.at(x, y), self.opening.at(x, y));
        let across = (face + 0.10) / (face + 0.10 - out + 0.02).max(0.05);
        let side = if x < PARTING_X { 60.0 } else { 0.0 };
        across * 30.0 + side
    }

    /// Lit hair. `depth` 0 in front, 1 behind the neck.
    #[must_use]
    pub(super) fn lit(&self, x: f32, y: f32, depth: f32) -> Rgb {
        let s = self.strand(x, y);
        let fine = noise(s * 2.6, y * 1.4 + x * 0.4, self.seed ^ 43)
            + 0.8 * noise(s * 5.3, y * 2.3, self.seed ^ 44);
        let lock = noise(s * 0.55, y * 0.8 + x * 0.3, self.seed ^ 45);
        let tone = (0.44 + 0.22 * fine + 0.30 * lock).clamp(0.0, 1.0);
        let mut c = mix3(DARK, BROWN, tone);
        // A band of shine where the skull turns from the light, broken by the strands.
        let top = 0.85 * hill((x + 0.42) / 0.62, (y + 1.36 - 0.10 * x * x) / 0.115)
            + 0.38 * hill((x - 0.62) / 0.34, (y + 1.16) / 0.13)
            + 0.26 * hill((x + 1.22) / 0.11, (y - 0.35) / 0.50)
            + 0.15 * hill((x - 1.26) / 0.10, (y - 0.45) / 0.45);
        let glint = (0.55 + 0.40 * fine + 0.25 * lock).clamp(0.0, 1.3);
        c = mix3(c, SHINE, (0.62 * top * glint).min(0.8));
        // Darker where it turns away at the contour, beside the face, and at the parting.
        let contour = smoothstep(0.0, 0.16, -self.mass.at(x, y));
        let beside = smoothstep(-0.02, 0.12, self.opening.at(x, y));
        let parted = 1.0
            - 0.50
                * hill(
                    (x - PARTING_X + 0.05 * (y + 1.4)) / 0.020,
                    (y + 1.25) / 0.21,
                );
        let light =
            mix(0.62, 1.0, contour) * mix(0.60, 1.0, beside) * parted * mix(1.0, 0.42, depth);
        [c[0] * light, c[1] * light, c[2] * light]
    }

    /// The brow drawn over the skin.
    #[must_use]
    pub(super) fn brow(&self, skin: Rgb, x: f32, y: f32) -> Rgb {
        const LINE: [(f32, f32); 5] = [
            (0.235, -0.285),
            (0.42, -0.342),
            (0.60, -0.366),
            (0.77, -0.340),
            (0.915, -0.262),
        ];
        let out = x.abs();
        if !(0.18..0.98).contains(&out) || !(-0.5..-0.18).contains(&y) {
            return skin;
        }
        let t = ((out - 0.235) / 0.68).clamp(0.0, 1.0);
        let thick = mix(0.054, 0.013, smoothstep(0.15, 1.0, t))
            * smoothstep(-0.35, 0.10, (out - 0.235) / 0.3);
        let off = y - curve(&LINE, out);
        let ends = smoothstep(0.205, 0.285, out) * smoothstep(0.945, 0.87, out);
        // Hairs stand up at the inner end and lie along the brow at the outer.
        let lean = mix(1.1, 5.0, smoothstep(0.0, 0.5, t));
        let hairs = noise(
            out * 46.0 + off * 46.0 / lean * 1.6,
            off * 9.0 + t * 5.0,
            self.seed ^ 46,
        ) + 0.6 * noise(out * 83.0 + off * 60.0, off * 22.0, self.seed ^ 47);
        let body = smoothstep(1.25, 0.35, off.abs() / thick.max(0.004) + 0.22 * hairs);
        let alpha = body * ends * mix(0.80, 0.62, t) * (0.92 + 0.08 * hairs);
        mix3(skin, [0.050, 0.029, 0.019], alpha.clamp(0.0, 0.9))
    }
}
