//! A photographed face, moved as the drawn ones are.
//!
//! The plain face's places are laid over the photograph by its 68 landmarks, so the
//! head's depth, the line between the lips and the lids' margins are known in it. The
//! head moves whole; around it the picture gives way like rubber, so that nothing of
//! the background has to be invented.

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::anatomy::REST_LANDMARKS;
use super::arithmetic::smoothstep;
use super::eye::{self, EyeState};
use super::sheet::{Sheet, decoded};
use super::spline::Spline;
use crate::base::Point;

/// How much a landmark may be off before the map bends for it, as a stiffness.
const STIFFNESS: f64 = 0.01;

/// Between the nodes on which the map is kept while the sheet is filled, face units.
const GRID: f32 = 0.05;

/// A picture and where its face is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Photo {
    picture: RgbImage,
    /// Midway between the eyes' centres, and their distance, pixels.
    middle: Point,
    pub(super) unit: f32,
}

impl Photo {
    /// The photograph and the map from the plain face to it, face units. `None` when
    /// the landmarks are no face's.
    #[must_use]
    pub(super) fn new(picture: RgbImage, landmarks: &[Point; 68]) -> Option<(Self, Spline)> {
        let center = |from: usize| {
            let sum = landmarks[from..from + 6]
                .iter()
                .fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
            Point::new(sum.x / 6.0, sum.y / 6.0)
        };
        let (left, right) = (center(36), center(42));
        let (middle, unit) = (left.midpoint(right), left.distance(right));
        if !(unit >= 8.0 && unit.is_finite()) {
            return None;
        }
        let own: Vec<Point> = landmarks
            .iter()
            .map(|p| Point::new((p.x - middle.x) / unit, (p.y - middle.y) / unit))
            .collect();
        // Far away the map goes on as the landmarks' common turn and scale.
        let (mut from, mut to) = (REST_LANDMARKS.to_vec(), own.clone());
        let [a, b, tx, ty] = similarity(&REST_LANDMARKS, &own);
        for (x, y) in FAR {
            from.push(Point::new(x, y));
            to.push(Point::new(a * x - b * y + tx, b * x + a * y + ty));
        }
        let spline = Spline::through(&from, &to, STIFFNESS)?;
        Some((
            Self {
                picture,
                middle,
                unit,
            },
            spline,
        ))
    }

    /// The photograph over a rectangle of the plain face.
    #[must_use]
    pub(super) fn sheet(
        &self,
        bounds: (f32, f32, f32, f32),
        per_unit: f32,
        place: &(impl Fn(f32, f32) -> (f32, f32) + Sync),
    ) -> Sheet {
        let columns = ((bounds.2 - bounds.0) / GRID) as usize + 3;
        let rows = ((bounds.3 - bounds.1) / GRID) as usize + 3;
        let nodes: Vec<(f32, f32)> = (0..columns * rows)
            .map(|i| {
                let (column, row) = (i % columns, i / columns);
                place(
                    bounds.0 + column as f32 * GRID,
                    bounds.1 + row as f32 * GRID,
                )
            })
            .collect();
        let scaled = self.at_density(per_unit);
        Sheet::painted(bounds, per_unit, |x, y| {
            let (gx, gy) = ((x - bounds.0) / GRID, (y - bounds.1) / GRID);
            let (column, row) = (gx as usize, gy as usize);
            let (u, v) = (gx - column as f32, gy - row as f32);
            let i = row.min(rows - 2) * columns + column.min(columns - 2);
            let mix = |of: fn(&(f32, f32)) -> f32| {
                let (a, b) = (of(&nodes[i]), of(&nodes[i + 1]));
                let (c, d) = (of(&nodes[i + columns]), of(&nodes[i + columns + 1]));
                (a + (b - a) * u) * (1.0 - v) + (c + (d - c) * u) * v
            };
            (scaled.at(mix(|p| p.0), mix(|p| p.1)), 1.0)
        })
    }

    /// The photograph as it stands behind a frame: what shows where nothing covers it.
    #[must_use]
    pub(super) fn backdrop(&self, x: f32, y: f32) -> [f32; 3] {
        self.at(x, y)
    }

    /// Brought down where it has far more pixels than are needed.
    fn at_density(&self, per_unit: f32) -> Self {
        let factor = per_unit / self.unit;
        if factor > 0.8 {
            return self.clone();
        }
        let side = |pixels: u32| ((pixels as f32 * factor).round() as u32).max(2);
        let (w, h) = self.picture.dimensions();
        let picture = imageops::resize(&self.picture, side(w), side(h), FilterType::Triangle);
        let (fx, fy) = (side(w) as f32 / w as f32, side(h) as f32 / h as f32);
        Self {
            picture,
            middle: Point::new(
                (self.middle.x + 0.5) * fx - 0.5,
                (self.middle.y + 0.5) * fy - 0.5,
            ),
            unit: self.unit * fx,
        }
    }

    /// Linear light at a place in face units; beyond its border it is mirrored.
    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let (w, h) = self.picture.dimensions();
        let px = mirrored(self.middle.x + x * self.unit, w);
        let py = mirrored(self.middle.y + y * self.unit, h);
        let (column, row) = (px as u32, py as u32);
        let (u, v) = (px - column as f32, py - row as f32);
        let texel = |dx: u32, dy: u32| {
            let (x, y) = ((column + dx).min(w - 1), (row + dy).min(h - 1));
            self.picture.get_pixel(x, y).0.map(f32::from)
        };
        let (a, b, c, d) = (texel(0, 0), texel(1, 0), texel(0, 1), texel(1, 1));
        [0, 1, 2].map(|k| {
            let top = a[k] + (b[k] - a[k]) * u;
            let bottom = c[k] + (d[k] - c[k]) * u;
            decoded((top + (bottom - top) * v) / 255.0)
        })
    }
}

/// A place between the first and the last of `count` pixels.
fn mirrored(p: f32, count: u32) -> f32 {
    let last = count as f32 - 1.0;
    let p = p.abs();
    let p = if p > last { 2.0 * last - p } else { p };
    p.clamp(0.0, last - 0.001)
}

/// Far around the face, plain face units.
const FAR: [(f32, f32); 8] = [
    (-5.0, 0.5),
    (5.0, 0.5),
    (0.0, -4.5),
    (0.0, 5.5),
    (-3.5, -3.0),
    (3.5, -3.0),
    (-3.5, 4.0),
    (3.5, 4.0),
];

/// The turn, scale and shift that bring one set of points nearest another:
/// x' = a·x − b·y + tx, y' = b·x + a·y + ty.
fn similarity(from: &[Point; 68], to: &[Point]) -> [f32; 4] {
    let count = from.len() as f32;
    let mean = |points: &[Point]| {
        let sum = points
            .iter()
            .fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
        Point::new(sum.x / count, sum.y / count)
    };
    let (f, t) = (mean(from), mean(to));
    let (mut dot, mut cross, mut square) = (0.0, 0.0, 1e-9);
    for (p, q) in from.iter().zip(to) {
        let (px, py, qx, qy) = (p.x - f.x, p.y - f.y, q.x - t.x, q.y - t.y);
        dot += px * qx + py * qy;
        cross += px * qy - py * qx;
        square += px * px + py * py;
    }
    let (a, b) = (dot / square, cross / square);
    [a, b, t.x - a * f.x + b * f.y, t.y - b * f.x - a * f.y]
}

/// How much of the head's motion a place of the plain face takes part in: all of the
/// head, nothing far around it.
#[must_use]
pub(super) fn carried(x: f32, y: f32) -> f32 {
    let (dx, dy) = (x / 1.45, (y - 0.1) / 2.0);
    smoothstep(2.3, 1.05, (dx * dx + dy * dy).sqrt())
}

/// Where in the photograph's plain coordinates a place about an eye takes its colour
/// from: the upper lid's skin is drawn down over the ball as the lids shut, lashes
/// with it; the ball turns under the open lids.
#[must_use]
pub(super) fn eye_source(x: f32, y: f32, state: &EyeState) -> (f32, f32) {
    /// Height of the lid's skin that is drawn down.
    const SKIN: f32 = 0.065;
    if !eye::is_along(x) {
        return (x, y);
    }
    let open = eye::margins(x, 0.0);
    let now = eye::margins(x, state.shut);
    let fold = open.0 - SKIN;
    if y > fold && y < now.0 {
        return (x, fold + (y - fold) * SKIN / (now.0 - fold).max(SKIN));
    }
    if y >= now.0 && y <= now.1 {
        // Nothing turns at the corners and under the margins.
        let height = (now.1 - now.0).max(0.01);
        let up = ((y - now.0) / height).clamp(0.0, 1.0);
        let window = (4.0 * up * (1.0 - up)).min(1.0) * eye::opening(x);
        return (x - state.ball.0 * window, y - state.ball.1 * window);
    }
    (x, y)
}
