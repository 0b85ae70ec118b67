//! Moving the resting picture: action units, the head's sway, and their inverse.

use super::anatomy::{FaceSide, Kernel, Lip, REST_LANDMARKS, kernels};
use super::arithmetic::hill;
use super::mouth;
use super::portrait::Placement;
use crate::base::Point;

/// Pixels between the nodes of a displacement grid.
const STEP: usize = 2;

/// A displacement for every node, in pixels.
#[derive(Debug, Clone)]
pub(super) struct Field {
    columns: usize,
    rows: usize,
    shift: Vec<[f32; 2]>,
}

impl Field {
    fn zeros(width: usize, height: usize) -> Self {
        // One node beyond the last pixel, so that every pixel has four neighbours.
        let (columns, rows) = (width / STEP + 2, height / STEP + 2);
        Self {
            columns,
            rows,
            shift: vec![[0.0; 2]; columns * rows],
        }
    }

    /// Bilinear between nodes, borders repeated. Pixels in, pixels out.
    #[inline]
    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let gx = (x / STEP as f32).clamp(0.0, self.columns as f32 - 1.001);
        let gy = (y / STEP as f32).clamp(0.0, self.rows as f32 - 1.001);
        let (column, row) = (gx as usize, gy as usize);
        let (u, v) = (gx - column as f32, gy - row as f32);
        let i = row * self.columns + column;
        let (a, b) = (self.shift[i], self.shift[i + 1]);
        let (c, d) = (
            self.shift[i + self.columns],
            self.shift[i + self.columns + 1],
        );
        let lerp = |k: usize| {
            let top = a[k] + (b[k] - a[k]) * u;
            let bottom = c[k] + (d[k] - c[k]) * u;
            top + (bottom - top) * v
        };
        [lerp(0), lerp(1)]
    }
}

/// One event's displacement at full strength, ready to be scaled frame by frame.
/// Above and below the parting of the lips the fields differ when the mouth opens.
#[derive(Debug, Clone)]
pub(super) struct Deformation {
    upper: Field,
    lower: Field,
    parts_lips: bool,
    kernels: Vec<Kernel>,
}

impl Deformation {
    /// `None` when a unit is not one the face can draw.
    #[must_use]
    pub(super) fn of(
        units: &[u8],
        side: FaceSide,
        placement: Placement,
        width: usize,
        height: usize,
    ) -> Option<Self> {
        let mut all = Vec::new();
        for &unit in units {
            all.extend(kernels(unit, side, &REST_LANDMARKS)?);
        }
        let mut upper = Field::zeros(width, height);
        let mut lower = upper.clone();
        for row in 0..upper.rows {
            for column in 0..upper.columns {
                let x = ((column * STEP) as f32 - placement.x) / placement.unit;
                let y = ((row * STEP) as f32 - placement.y) / placement.unit;
                let i = row * upper.columns + column;
                let [u, l] = [Lip::Upper, Lip::Lower].map(|lip| shift(&all, x, y, lip));
                upper.shift[i] = [u.x * placement.unit, u.y * placement.unit];
                lower.shift[i] = [l.x * placement.unit, l.y * placement.unit];
            }
        }
        Some(Self {
            upper,
            lower,
            parts_lips: all.iter().any(|k| k.lip != Lip::Both),
            kernels: all,
        })
    }

    /// Where a resting landmark goes at `strength`, in face units. `lip` says to
    /// which side of the parting it belongs.
    #[must_use]
    pub(super) fn moved(&self, point: Point, strength: f32, lip: Lip) -> Point {
        let s = shift(&self.kernels, point.x, point.y, lip);
        Point::new(point.x + strength * s.x, point.y + strength * s.y)
    }
}

/// The sum of the kernels at a resting place, face units.
#[must_use]
pub(super) fn shift(kernels: &[Kernel], x: f32, y: f32, lip: Lip) -> Point {
    let mut sum = Point::default();
    for k in kernels {
        let (dx, dy) = ((x - k.center.x) / k.sigma.x, (y - k.center.y) / k.sigma.y);
        if dx * dx + dy * dy > 20.0 || (k.lip != Lip::Both && k.lip != lip) {
            continue;
        }
        // Lips part in the middle only; at the corners both sides stay together.
        let gate = if k.lip == Lip::Both {
            1.0
        } else {
            mouth::parting(x)
        };
        let weight = hill(dx, dy) * gate;
        sum.x += k.shift.x * weight;
        sum.y += k.shift.y * weight;
    }
    sum
}

/// The head's rigid motion of one frame, pixels and radians, small.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sway {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) roll: f32,
}

impl Sway {
    /// How far a place of the frame is carried. The shoulders follow half, the
    /// frame's borders stay.
    fn at(self, x: f32, y: f32, placement: Placement) -> [f32; 2] {
        let (rx, ry) = (x - placement.x, y - placement.y);
        let fx = rx / placement.unit;
        let fy = ry / placement.unit;
        let fade = super::arithmetic::smoothstep(2.6, 1.6, fx.abs());
        let body = 1.0 - 0.6 * super::arithmetic::smoothstep(1.7, 2.6, fy);
        let w = fade * body;
        [w * (self.x - self.roll * ry), w * (self.y + self.roll * rx)]
    }

    /// Where a place of the resting frame goes.
    #[must_use]
    pub(super) fn moved(self, p: Point, placement: Placement) -> Point {
        let s = self.at(p.x, p.y, placement);
        Point::new(p.x + s[0], p.y + s[1])
    }
}

/// Where each pixel of a frame comes from in the resting picture.
#[derive(Debug)]
pub(super) struct Warp {
    /// Displacement from the pixel to its source, seen from above the lips and from
    /// below them.
    upper: Field,
    lower: Field,
    sum_upper: Field,
    sum_lower: Field,
    pub(super) lips_part: bool,
}

impl Warp {
    #[must_use]
    pub(super) fn new(width: usize, height: usize) -> Self {
        let zero = Field::zeros(width, height);
        Self {
            upper: zero.clone(),
            lower: zero.clone(),
            sum_upper: zero.clone(),
            sum_lower: zero,
            lips_part: false,
        }
    }

    /// Inverts the head's sway after the deformations at their strengths.
    pub(super) fn set(&mut self, sway: Sway, active: &[(&Deformation, f32)], placement: Placement) {
        self.lips_part = active.iter().any(|(d, s)| d.parts_lips && *s > 0.0);
        sum(
            &mut self.sum_upper,
            active.iter().map(|&(d, s)| (&d.upper, s)),
        );
        invert(
            &mut self.upper,
            &self.sum_upper,
            sway,
            !active.is_empty(),
            placement,
        );
        if self.lips_part {
            sum(
                &mut self.sum_lower,
                active.iter().map(|&(d, s)| (&d.lower, s)),
            );
            invert(&mut self.lower, &self.sum_lower, sway, true, placement);
        }
    }

    /// The resting place of a pixel, taking it to lie above the lips' parting.
    #[inline]
    #[must_use]
    pub(super) fn above(&self, x: f32, y: f32) -> (f32, f32) {
        let s = self.upper.at(x, y);
        (x + s[0], y + s[1])
    }

    /// The same, below the parting. Differs only while `lips_part`.
    #[inline]
    #[must_use]
    pub(super) fn below(&self, x: f32, y: f32) -> (f32, f32) {
        let s = self.lower.at(x, y);
        (x + s[0], y + s[1])
    }
}

fn sum<'a>(total: &mut Field, parts: impl Iterator<Item = (&'a Field, f32)>) {
    total.shift.fill([0.0; 2]);
    for (field, strength) in parts {
        for (t, s) in total.shift.iter_mut().zip(&field.shift) {
            t[0] += strength * s[0];
            t[1] += strength * s[1];
        }
    }
}

/// Fills `inverse` so that p + inverse(p) is the place that lands on p: the sway is
/// undone first, then q + forward(q) = p is solved by fixed-point steps, which
/// contract because the fields change by less than a pixel a pixel.
fn invert(inverse: &mut Field, forward: &Field, sway: Sway, deformed: bool, placement: Placement) {
    const STEPS: usize = 6;
    for row in 0..inverse.rows {
        for column in 0..inverse.columns {
            let (x, y) = ((column * STEP) as f32, (row * STEP) as f32);
            let s = sway.at(x, y, placement);
            let (hx, hy) = (x - s[0], y - s[1]);
            let (mut qx, mut qy) = (hx, hy);
            if deformed {
                for _ in 0..STEPS {
                    let d = forward.at(qx, qy);
                    (qx, qy) = (hx - d[0], hy - d[1]);
                    if d == [0.0; 2] {
                        break;
                    }
                }
            }
            inverse.shift[row * inverse.columns + column] = [qx - x, qy - y];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_undoes_a_full_smile() {
        let placement = Placement::of(320, 240);
        let smile = Deformation::of(&[12], FaceSide::Both, placement, 320, 240).expect("drawn");
        let mut warp = Warp::new(320, 240);
        warp.set(Sway::default(), &[(&smile, 1.0)], placement);
        let corner = super::super::anatomy::REST_LANDMARKS[54];
        let to = smile.moved(corner, 1.0, Lip::Both);
        let px = |p: Point| {
            (
                p.x * placement.unit + placement.x,
                p.y * placement.unit + placement.y,
            )
        };
        let (x, y) = px(to);
        let (bx, by) = warp.above(x, y);
        let (rx, ry) = px(corner);
        assert!(
            (bx - rx).abs() < 0.15 && (by - ry).abs() < 0.15,
            "{bx} {by} / {rx} {ry}"
        );
    }
}
