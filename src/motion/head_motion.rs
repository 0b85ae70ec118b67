//! The head's own motion in a coarse flow: what has to be taken away before the rest
//! can be called an expression.

use crate::base::stats::median;

/// A place of the face and how it moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// −1..1 over the crop, x to the right, y down.
    pub place: [f64; 2],
    /// u and v, in whatever unit.
    pub motion: [f64; 2],
    /// How much of it is face, above 0.
    pub weight: f64,
}

/// Shift, stretch along x and stretch along y of u, then of v: the motion at the crop's
/// middle, and how much more it is half a crop to the right or below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadMotion(pub [[f64; 3]; 2]);

const ROUNDS: usize = 6;

impl HeadMotion {
    /// The affine motion that most of the face follows, found from the median shift on
    /// by weighted least squares in which what moves by itself counts little. (From a
    /// fit to everything, a raised brow would pass for a head that stretches.)
    ///
    /// Places that are off by as much as half of all count half; on a face that is
    /// nearly still, those off by `least_half_weight`, in the unit of the motion.
    #[must_use]
    pub fn of(seen: &[Moved], least_half_weight: f64) -> Self {
        let middle = |component: usize| {
            let values: Vec<f64> = seen.iter().map(|m| m.motion[component]).collect();
            median(&values).unwrap_or(0.0)
        };
        let mut head = Self([[middle(0), 0.0, 0.0], [middle(1), 0.0, 0.0]]);
        for _ in 0..ROUNDS {
            let squares: Vec<f64> = (seen.iter())
                .map(|moved| {
                    let [du, dv] = head.rest_of(moved);
                    du * du + dv * dv
                })
                .collect();
            let usual = median(&squares).unwrap_or(0.0);
            let half = usual.max(least_half_weight * least_half_weight);
            let weights: Vec<f64> = (seen.iter().zip(&squares))
                .map(|(moved, square)| moved.weight / (1.0 + square / half))
                .collect();
            let Some(fitted) = fit(seen, &weights) else {
                break;
            };
            head = Self(fitted);
        }
        head
    }

    /// What a place moves beyond the head.
    #[must_use]
    pub fn rest_of(&self, moved: &Moved) -> [f64; 2] {
        let basis = basis(moved);
        [0, 1].map(|c| moved.motion[c] - dot(&self.0[c], &basis))
    }
}

fn basis(moved: &Moved) -> [f64; 3] {
    [1.0, moved.place[0], moved.place[1]]
}

/// The affine motion of u and of v; `None` where too few places are seen.
fn fit(seen: &[Moved], weights: &[f64]) -> Option<[[f64; 3]; 2]> {
    let mut normal = [[0.0; 3]; 3];
    let mut right = [[0.0; 3]; 2];
    for (moved, weight) in seen.iter().zip(weights) {
        let basis = basis(moved);
        for i in 0..3 {
            for j in 0..3 {
                normal[i][j] += weight * basis[i] * basis[j];
            }
            for (component, right) in right.iter_mut().enumerate() {
                right[i] += weight * basis[i] * moved.motion[component];
            }
        }
    }
    let inverse = inverse(&normal)?;
    Some(right.map(|r| inverse.map(|row| dot(&row, &r))))
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Of a symmetric matrix by its cofactors; `None` where it has none.
fn inverse(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let cofactor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum::<f64>();
    if determinant.abs() < 1e-9 {
        return None;
    }
    Some(std::array::from_fn(|r| {
        std::array::from_fn(|c| cofactor(c, r) / determinant)
    }))
}
