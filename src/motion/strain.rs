//! Optical strain: how much the face's surface stretches and shears.
//!
//! |ε| = √(ε_xx² + ε_yy² + ε_xy² + ε_yx²) with ε_xx = ∂u/∂x, ε_yy = ∂v/∂y and
//! ε_xy = ε_yx = ½(∂u/∂y + ∂v/∂x) (S1, S4). A rigid translation has none.

use crate::base::Plane;

use super::Flow;

/// The strain tensor of a flow, in px per px, and its magnitude.
#[derive(Debug, Clone, PartialEq)]
pub struct Strain {
    pub xx: Plane,
    pub yy: Plane,
    /// Also ε_yx.
    pub xy: Plane,
    pub magnitude: Plane,
}

/// Strain by central differences, one-sided at the borders (numpy's `gradient`):
/// for display and features. A side of one pixel has no gradient along it.
#[must_use]
pub fn central(flow: &Flow) -> Strain {
    let (width, height) = (flow.u.width, flow.u.height);
    let zeros = || Plane::zeros(width, height);
    let mut strain = Strain {
        xx: zeros(),
        yy: zeros(),
        xy: zeros(),
        magnitude: zeros(),
    };
    for y in 0..height {
        let (y0, y1) = (y.saturating_sub(1), (y + 1).min(height - 1));
        let per_y = 1.0 / (y1 - y0).max(1) as f32;
        for x in 0..width {
            let (x0, x1) = (x.saturating_sub(1), (x + 1).min(width - 1));
            let per_x = 1.0 / (x1 - x0).max(1) as f32;
            let along_x = |p: &Plane| (p.at(x1, y) - p.at(x0, y)) * per_x;
            let along_y = |p: &Plane| (p.at(x, y1) - p.at(x, y0)) * per_y;
            let (xx, yy) = (along_x(&flow.u), along_y(&flow.v));
            let xy = 0.5 * (along_y(&flow.u) + along_x(&flow.v));
            let i = y * width + x;
            strain.xx.data[i] = xx;
            strain.yy.data[i] = yy;
            strain.xy.data[i] = xy;
            strain.magnitude.data[i] = (xx * xx + yy * yy + 2.0 * xy * xy).sqrt();
        }
    }
    strain
}

/// Strain magnitude by differences of neighbours, as SOFTNet's weights expect it
/// (S4 as coded): the last column copies its left neighbour, then the last row
/// the row above. A side of one pixel gives zeros.
#[must_use]
pub fn forward(flow: &Flow) -> Plane {
    let (width, height) = (flow.u.width, flow.u.height);
    let mut strain = Plane::zeros(width, height);
    if width < 2 || height < 2 {
        return strain;
    }
    for y in 0..height - 1 {
        let (u, u_below) = (flow.u.row(y), flow.u.row(y + 1));
        let (v, v_below) = (flow.v.row(y), flow.v.row(y + 1));
        let out = strain.row_mut(y);
        for x in 0..width - 1 {
            let (xx, yy) = (u[x + 1] - u[x], v_below[x] - v[x]);
            let shear = (u_below[x] - u[x]) + (v[x + 1] - v[x]);
            out[x] = (xx * xx + yy * yy + 0.5 * shear * shear).sqrt();
        }
        out[width - 1] = out[width - 2];
    }
    let above = (height - 2) * width;
    strain.data.copy_within(above..above + width, above + width);
    strain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_stretch_has_uniform_strain_in_both_forms() {
        let mut flow = Flow::zeros(6, 5);
        for y in 0..5 {
            for x in 0..6 {
                flow.u.data[y * 6 + x] = 0.03 * x as f32 + 0.01 * y as f32;
                flow.v.data[y * 6 + x] = 0.02 * y as f32 + 0.01 * x as f32;
            }
        }
        let expected = (0.03f32 * 0.03 + 0.02 * 0.02 + 2.0 * 0.01 * 0.01).sqrt();
        for plane in [central(&flow).magnitude, forward(&flow)] {
            assert!(
                plane.data.iter().all(|e| (e - expected).abs() < 1e-6),
                "{plane:?}"
            );
        }
    }

    #[test]
    fn fields_of_one_row_or_none_have_no_strain_across() {
        for (w, h) in [(0, 0), (1, 1), (4, 1), (1, 4)] {
            let flow = Flow::zeros(w, h);
            assert_eq!(forward(&flow), Plane::zeros(w, h));
            assert_eq!(central(&flow).magnitude, Plane::zeros(w, h));
        }
    }
}
