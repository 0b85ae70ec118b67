//! What makes one drawn face look unlike another to optical flow: light from the
//! side, contrast, pores and moles, folds, heavy or thin brows. All in grey.

use super::draws::{Draws, exp, hill, scramble};
use super::skin_mechanics::{Crease, creases};

/// One person's surface.
pub(super) struct Retouch {
    /// Logarithm of the light's slope along x, y and of its bend along x².
    light: [f64; 3],
    contrast: f64,
    level: f64,
    seed: u64,
    /// Grey levels of the pores' pattern, coarse and fine.
    pores: [f64; 2],
    moles: Vec<[f64; 4]>,
    folds: Vec<(Crease, f64)>,
    brow: f64,
    brow_width: f64,
}

impl Retouch {
    pub(super) fn new(draws: &mut Draws) -> Self {
        let folds = (creases(draws).into_iter())
            .map(|mut crease| {
                crease.width *= 0.9;
                // What folds deeply shows.
                let depth = draws.range(0.0, 0.25) * (1.0 - crease.left);
                (crease, depth)
            })
            .collect();
        let moles = (0..draws.below(9))
            .map(|_| {
                let (x, y) = (draws.range(-0.9, 0.9), draws.range(-0.5, 1.7));
                [x, y, draws.range(0.008, 0.025), draws.range(0.1, 0.6)]
            })
            .collect();
        Self {
            light: [
                0.18 * draws.normal(),
                0.10 * draws.normal(),
                -draws.range(0.0, 0.35),
            ],
            contrast: draws.range(0.6, 1.15),
            level: draws.range(75.0, 150.0),
            seed: scramble((draws.unit() * 1e15) as u64),
            pores: [draws.range(0.5, 4.0), draws.range(0.5, 4.0)],
            moles,
            folds,
            brow: draws.range(0.0, 0.4),
            brow_width: draws.range(0.03, 0.065),
        }
    }

    /// The grey value that takes the place of `gray` at (x, y) of the face; `mean` is
    /// the mean of the face as drawn. Eyes and lips keep their own surface.
    pub(super) fn apply(&self, gray: f64, mean: f64, x: f64, y: f64) -> f64 {
        let side = x.abs();
        let eye = hill(((side - 0.51) / 0.2).powi(2) + ((y - 0.01) / 0.10).powi(2));
        let mut share = 1.0;
        for (crease, depth) in &self.folds {
            let near = crease.distance(x, y) / crease.width;
            if near < 4.0 {
                share *= 1.0 - depth * hill(near * near);
            }
        }
        let arc = self.brow_distance(side, y) / self.brow_width;
        if arc < 4.0 {
            share *= 1.0 - self.brow * hill(arc * arc);
        }
        for &[mx, my, size, depth] in &self.moles {
            let d2 = ((x - mx).powi(2) + (y - my).powi(2)) / (size * size);
            share *= 1.0 - depth * hill(d2);
        }
        share = 1.0 + (share - 1.0) * (1.0 - eye);
        let pores = self.pores[0] * noise(x * 14.0, y * 14.0, self.seed)
            + self.pores[1] * noise(x * 33.0, y * 33.0, self.seed ^ 1);
        let lit = exp(self.light[0] * x + self.light[1] * (y - 0.6) + self.light[2] * x * x);
        let toned = self.level + self.contrast * (gray - mean);
        ((toned + pores * (1.0 - eye)) * share * lit).clamp(0.0, 255.0)
    }

    fn brow_distance(&self, side: f64, y: f64) -> f64 {
        const ARC: [(f64, f64); 5] = [
            (0.24, -0.31),
            (0.42, -0.365),
            (0.60, -0.385),
            (0.77, -0.355),
            (0.90, -0.27),
        ];
        super::skin_mechanics::distance_to(&ARC, side, y)
    }
}

/// Smooth noise −1..1 with about one bump a unit.
fn noise(x: f64, y: f64, seed: u64) -> f64 {
    let (xf, yf) = (x.floor(), y.floor());
    let lattice = |dx: f64, dy: f64| {
        let key = ((xf + dx) as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ ((yf + dy) as i64 as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ seed;
        (scramble(key) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - xf), ease(y - yf));
    let top = lattice(0.0, 0.0) + (lattice(1.0, 0.0) - lattice(0.0, 0.0)) * u;
    let bottom = lattice(0.0, 1.0) + (lattice(1.0, 1.0) - lattice(0.0, 1.0)) * u;
    top + (bottom - top) * v
}
