//! Hair of the head and the brows.

use super::arithmetic::{hill, mix, mix3, noise, smoothstep};
use super::haircut;
use super::look::{HairCut, HairLook, Look};
use super::outline::{Outline, curve};
use super::skin::Rgb;

/// Hair in one cut, and the brows.
pub(super) struct Hair {
    /// All of the hair, the part behind the neck included.
    mass: Outline,
    /// Where the face looks out.
    opening: Outline,
    look: HairLook,
    brow: Rgb,
    brow_thickness: f32,
    brow_density: f32,
    seed: u64,
}

pub(super) const PARTING_X: f32 = -0.36;

impl Hair {
    #[must_use]
    pub(super) fn new(seed: u64, look: &Look) -> Self {
        let (mass, opening) = haircut::outlines(look.hair.cut);
        Self {
            mass: Outline::closed(mass, 0.02, 0.5),
            opening: Outline::closed(opening, 0.02, 0.9),
            look: look.hair.clone(),
            brow: look.brow,
            brow_thickness: look.brow_thickness,
            brow_density: look.brow_density,
            seed,
        }
    }

    /// The place of the cut that shows at `x`.
    fn worn(&self, x: f32) -> f32 {
        if self.look.mirrored { -x } else { x }
    }

    /// Coverage of the hair behind the face and the neck.
    #[must_use]
    pub(super) fn behind(&self, x: f32, y: f32, blur: f32) -> f32 {
        let x = self.worn(x);
        let curl = self.look.curl;
        let rough = curl * 0.006 * noise(x * 46.0, y * 14.0, self.seed ^ 41)
            + curl * 0.010 * noise(x * 5.0, y * 5.0, self.seed ^ 40);
        let mut cover = smoothstep(blur, -blur, self.mass.at(x, y) + rough);
        if curl > 2.0 {
            // Curls: a ragged, see-through edge.
            let locks = noise(x * 11.0, y * 11.0, self.seed ^ 39);
            let edge = smoothstep(0.0, -0.11, self.mass.at(x, y) + 0.05 * locks);
            cover *= edge.max(0.0);
        }
        cover
    }

    /// Coverage of the hair in front of the face.
    #[must_use]
    pub(super) fn before(&self, x: f32, y: f32, blur: f32) -> f32 {
        let wx = self.worn(x);
        let rough = self.look.curl * 0.012 * noise(wx * 9.0, y * 9.0, self.seed ^ 42);
        let edge = smoothstep(-0.022 - blur, 0.014 + blur, self.opening.at(wx, y) + rough);
        edge * self.behind(x, y, blur)
    }

    /// Light that the front hair leaves to the face under it, 0..1.
    #[must_use]
    pub(super) fn shadow(&self, x: f32, y: f32) -> f32 {
        if self.look.cut == HairCut::Bald {
            return 1.0;
        }
        let near = self.opening.at(self.worn(x) - 0.035, y - 0.055);
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
        let x = self.worn(x);
        let s = self.strand(x, y);
        let fine = noise(s * 2.6, y * 1.4 + x * 0.4, self.seed ^ 43)
            + 0.8 * noise(s * 5.3, y * 2.3, self.seed ^ 44);
        let lock = noise(s * 0.55, y * 0.8 + x * 0.3, self.seed ^ 45);
        let tone = (0.44 + 0.22 * fine + 0.30 * lock).clamp(0.0, 1.0);
        let mut c = mix3(self.look.dark, self.look.body, tone);
        // A band of shine where the skull turns from the light, broken by the strands.
        let top = 0.85 * hill((x + 0.42) / 0.62, (y + 1.36 - 0.10 * x * x) / 0.115)
            + 0.38 * hill((x - 0.62) / 0.34, (y + 1.16) / 0.13)
            + 0.26 * hill((x + 1.22) / 0.11, (y - 0.35) / 0.50)
            + 0.15 * hill((x - 1.26) / 0.10, (y - 0.45) / 0.45);
        let glint = (0.55 + 0.40 * fine + 0.25 * lock).clamp(0.0, 1.3);
        c = mix3(c, self.look.shine, (0.62 * top * glint).min(0.8));
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
        let thick = self.brow_thickness
            * mix(0.054, 0.013, smoothstep(0.15, 1.0, t))
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
        let alpha = self.brow_density * body * ends * mix(0.80, 0.62, t) * (0.92 + 0.08 * hairs);
        mix3(skin, self.brow, alpha.clamp(0.0, 0.9))
    }
}
