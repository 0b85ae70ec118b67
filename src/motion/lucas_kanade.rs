//! Small motion in the grid's cells by weighted least squares on grey-value gradients
//! (Lucas, Kanade 1981), beside TV-L1's.
//!
//! TV-L1 pays for every edge of its flow: where skin has little texture and the camera
//! much noise, half a pixel in one corner of the mouth costs more than it explains and
//! is smoothed away (0.035 px are lost of any translation). Least squares do not weigh
//! edges; what they lose they lose evenly, to the window's width (a quarter of a bump of
//! 12 px) and to `NOISE_GRADIENT`. They hold for less than about 1.5 px: so the two stand
//! side by side, and these start from the head's motion as TV-L1 has it.

use super::grid::{CELL_VALUES, CELLS, FaceGrid, FlowGrid, HEAD_VALUES, SIDE};
use crate::base::Plane;

/// u and v in px, relative to the head, and how certain they are, cell by cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFlow {
    pub cells: Box<[[f32; 3]; CELLS]>,
}

/// Values of one cell.
pub const CELL_FLOW_VALUES: usize = 3;

/// A gradient of this size (grey values per px, smoothed) tells a cell's motion half:
/// about what the noise of a webcam leaves.
const NOISE_GRADIENT: f32 = 1.0;
/// Detail is what is smaller than about this, px: light that wanders over the face is
/// not.
const DETAIL_RADIUS: usize = 8;
/// Weights of a cell's neighbours beside the cell, in its window: a Gaussian of 5.5 px.
const WINDOW: [f32; 3] = [0.35, 1.0, 0.35];

/// A face picture (grey 0..255) prepared for its pairs: its noise smoothed and its
/// large shades taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailPicture(Plane);

impl DetailPicture {
    #[must_use]
    pub fn new(picture: &Plane) -> Self {
        let smooth = binomial(picture);
        let shades = boxed(&boxed(&smooth, DETAIL_RADIUS), DETAIL_RADIUS);
        let data = (smooth.data.iter().zip(&shades.data))
            .map(|(s, l)| s - l)
            .collect();
        Self(Plane::from_vec(picture.width, picture.height, data))
    }
}

impl CellFlow {
    /// How the cells moved from the first picture to the second, both under one
    /// transform. `grid` is TV-L1's flow between them, which was multiplied by `scale`
    /// to bring it to another length of time, as the answer is; `face` says which
    /// pixels belong to the face.
    #[must_use]
    pub fn between(
        first: &DetailPicture,
        second: &DetailPicture,
        grid: &FlowGrid,
        scale: f32,
        face: &[bool],
    ) -> Self {
        let head = grid.without_head().head.map(|h| h / scale);
        // Each goes half the head's way, so that resampling blurs both alike.
        let (mut a, mut b) = (warped(&first.0, &head, -0.5), warped(&second.0, &head, 0.5));
        match_contrast(&mut a, &mut b, face);
        let sums = window_sums(&block_sums(&a, &b, face));
        let mut values = vec![0.0; CELLS * CELL_VALUES];
        let mut certainty = [0.0; CELLS];
        for (cell, (value, sums)) in values
            .as_chunks_mut::<CELL_VALUES>()
            .0
            .iter_mut()
            .zip(&sums)
            .enumerate()
        {
            let share = grid.values()[cell * CELL_VALUES + 3];
            let ([u, v], sure) = solved(sums);
            certainty[cell] = sure;
            *value = [u, v, 0.0, share];
        }
        let FaceGrid { cells, .. } = FlowGrid::from_values(&values).without_head();
        let mut left = Box::new([[0.0; CELL_FLOW_VALUES]; CELLS]);
        for (cell, left) in left.iter_mut().enumerate() {
            // Outside the face `without_head` has left zeros.
            let [u, v, _] = cells[cell];
            if u != 0.0 || v != 0.0 {
                *left = [u * scale, v * scale, certainty[cell]];
            }
        }
        Self { cells: left }
    }

    /// From values as [`Self::values`] gives them.
    ///
    /// # Panics
    /// With fewer than `CELLS · CELL_FLOW_VALUES`.
    #[must_use]
    pub fn from_values(values: &[f32]) -> Self {
        let (read, _) = values.as_chunks();
        let mut cells = Box::new([[0.0; CELL_FLOW_VALUES]; CELLS]);
        cells.copy_from_slice(&read[..CELLS]);
        Self { cells }
    }

    /// u, v and certainty of every cell, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        self.cells.as_flattened()
    }
}

/// Sums over a cell: gxx, gxy, gyy, gxt, gyt, and pixels.
type Sums = [f32; 6];

fn block_sums(a: &Plane, b: &Plane, face: &[bool]) -> Vec<Sums> {
    let (width, height) = (a.width, a.height);
    let mean: Vec<f32> = (a.data.iter().zip(&b.data))
        .map(|(a, b)| 0.5 * (a + b))
        .collect();
    let mut sums = vec![[0.0; 6]; CELLS];
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let i = y * width + x;
            if !face[i] {
                continue;
            }
            let gx = 0.5 * (mean[i + 1] - mean[i - 1]);
            let gy = 0.5 * (mean[i + width] - mean[i - width]);
            let change = b.data[i] - a.data[i];
            let sum = &mut sums[y * SIDE / height * SIDE + x * SIDE / width];
            let pixel = [gx * gx, gx * gy, gy * gy, gx * change, gy * change, 1.0];
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += value;
            }
        }
    }
    sums
}

fn window_sums(blocks: &[Sums]) -> Vec<Sums> {
    let inside = |i: usize, by: usize| {
        let at = (i + by).checked_sub(1)?;
        (at < SIDE).then_some(at)
    };
    (0..CELLS)
        .map(|cell| {
            let mut sums = [0.0; 6];
            for (down, wy) in WINDOW.into_iter().enumerate() {
                for (across, wx) in WINDOW.into_iter().enumerate() {
                    let place = (inside(cell / SIDE, down), inside(cell % SIDE, across));
                    let (Some(y), Some(x)) = place else { continue };
                    for (sum, value) in sums.iter_mut().zip(&blocks[y * SIDE + x]) {
                        *sum += wy * wx * value;
                    }
                }
            }
            sums
        })
        .collect()
}

/// Motion, and how much of a motion there it would show, 0..1.
fn solved([xx, xy, yy, xt, yt, pixels]: &Sums) -> ([f32; 2], f32) {
    let noise = pixels * NOISE_GRADIENT * NOISE_GRADIENT;
    if noise <= 0.0 {
        return ([0.0; 2], 0.0);
    }
    let (xx, yy) = (xx + noise, yy + noise);
    let determinant = xx * yy - xy * xy;
    let u = -(yy * xt - xy * yt) / determinant;
    let v = -(xx * yt - xy * xt) / determinant;
    ([u, v], 1.0 - 2.0 * noise / (xx + yy))
}

/// Brings both to the same strength of detail: an exposure step is no motion.
fn match_contrast(a: &mut Plane, b: &mut Plane, face: &[bool]) {
    let energy = |plane: &Plane| -> f64 {
        (plane.data.iter().zip(face))
            .filter(|(_, face)| **face)
            .map(|(v, _)| f64::from(v * v))
            .sum()
    };
    let (in_a, in_b) = (energy(a), energy(b));
    if in_a > 0.0 && in_b > 0.0 {
        let gain = (in_b / in_a).powf(0.25) as f32;
        a.data.iter_mut().for_each(|v| *v *= gain);
        b.data.iter_mut().for_each(|v| *v /= gain);
    }
}

/// The picture seen `share` of the head's way further, bilinear, borders repeated.
fn warped(picture: &Plane, head: &[f32; HEAD_VALUES], share: f32) -> Plane {
    let (width, height) = (picture.width, picture.height);
    let [u0, ux, uy, v0, vx, vy] = head.map(|h| h * share);
    let along = |i: usize, length: usize| (2 * i + 1) as f32 / length as f32 - 1.0;
    let mut out = Plane::zeros(width, height);
    for y in 0..height {
        let down = along(y, height);
        for (x, value) in out.row_mut(y).iter_mut().enumerate() {
            let across = along(x, width);
            let u = u0 + ux * across + uy * down;
            let v = v0 + vx * across + vy * down;
            *value = picture.bilinear(x as f32 + u, y as f32 + v);
        }
    }
    out
}

/// Smoothed by 1 4 6 4 1 along both axes (σ = 1 px), borders repeated.
fn binomial(picture: &Plane) -> Plane {
    const WEIGHTS: [f32; 5] = [0.0625, 0.25, 0.375, 0.25, 0.0625];
    let (width, height) = (picture.width, picture.height);
    let near = |i: usize, by: usize, length: usize| (i + by).saturating_sub(2).min(length - 1);
    let mut across = Plane::zeros(width, height);
    for y in 0..height {
        let row = picture.row(y);
        for (x, value) in across.row_mut(y).iter_mut().enumerate() {
            *value = (0..5).map(|by| WEIGHTS[by] * row[near(x, by, width)]).sum();
        }
    }
    let mut both = Plane::zeros(width, height);
    for y in 0..height {
        for (by, weight) in WEIGHTS.into_iter().enumerate() {
            let row = across.row(near(y, by, height)).to_vec();
            for (value, above) in both.row_mut(y).iter_mut().zip(row) {
                *value += weight * above;
            }
        }
    }
    both
}

/// Mean over the square of `radius` around each pixel, borders repeated.
fn boxed(picture: &Plane, radius: usize) -> Plane {
    let across = boxed_rows(picture, radius);
    transposed(&boxed_rows(&transposed(&across), radius))
}

fn boxed_rows(picture: &Plane, radius: usize) -> Plane {
    let (width, height) = (picture.width, picture.height);
    let share = 1.0 / (2 * radius + 1) as f32;
    let mut out = Plane::zeros(width, height);
    for y in 0..height {
        let row = picture.row(y);
        let at = |x: usize| row[x.saturating_sub(radius).min(width - 1)];
        let mut sum: f32 = (0..=2 * radius).map(at).sum();
        for (x, value) in out.row_mut(y).iter_mut().enumerate() {
            *value = sum * share;
            sum += at(x + 2 * radius + 1) - at(x);
        }
    }
    out
}

fn transposed(picture: &Plane) -> Plane {
    let (width, height) = (picture.width, picture.height);
    let data = (0..width)
        .flat_map(|x| (0..height).map(move |y| y * width + x))
        .map(|i| picture.data[i])
        .collect();
    Plane::from_vec(height, width, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::Flow;

    /// A textured face whose every point has moved by `shift`.
    fn picture(shift: impl Fn(f32, f32) -> (f32, f32)) -> Plane {
        let grey = |x: f32, y: f32| {
            110.0
                + 30.0 * (0.21 * x + 0.13 * y).sin()
                + 20.0 * (0.37 * y - 0.11 * x).sin()
                + 12.0 * (0.5 * x).cos() * (0.45 * y).cos()
        };
        let data = (0..128 * 128).map(|i| {
            let (x, y) = ((i % 128) as f32, (i / 128) as f32);
            let (u, v) = shift(x, y);
            grey(x - u, y - v)
        });
        Plane::from_vec(128, 128, data.collect())
    }

    fn found(shift: impl Fn(f32, f32) -> (f32, f32), head: (f32, f32), gain: f32) -> CellFlow {
        let first = DetailPicture::new(&picture(|_, _| (0.0, 0.0)));
        let mut second = picture(shift);
        second.data.iter_mut().for_each(|v| *v *= gain);
        let mut flow = Flow::zeros(128, 128);
        flow.u.data.fill(head.0);
        flow.v.data.fill(head.1);
        let face = vec![true; 128 * 128];
        let grid = FlowGrid::of(&flow, |_| true);
        CellFlow::between(&first, &DetailPicture::new(&second), &grid, 1.0, &face)
    }

    fn bump(x: f32, y: f32) -> f32 {
        (-((x - 84.0).powi(2) + (y - 84.0).powi(2)) / (2.0 * 12.0 * 12.0)).exp()
    }

    #[test]
    fn a_small_bump_is_seen_and_the_head_is_not() {
        let moved = found(
            |x, y| (2.3 + 0.4 * bump(x, y), -1.2 - 0.3 * bump(x, y)),
            (2.2, -1.1),
            1.04,
        );
        // The window is nearly as wide as the bump and takes a part of it.
        let cell = moved.cells[10 * SIDE + 10];
        assert!((0.25..0.38).contains(&cell[0]), "{cell:?}");
        assert!((-0.29..-0.18).contains(&cell[1]), "{cell:?}");
        assert!(cell[2] > 0.7, "{cell:?}");
        let elsewhere = moved.cells[3 * SIDE + 3];
        assert!(
            elsewhere[0].abs() < 0.03 && elsewhere[1].abs() < 0.03,
            "{elsewhere:?}"
        );
    }

    #[test]
    fn nothing_moves_where_there_is_nothing_to_see() {
        let even = DetailPicture::new(&Plane::filled(128, 128, 90.0));
        let grid = FlowGrid::of(&Flow::zeros(128, 128), |_| true);
        let flow = CellFlow::between(&even, &even, &grid, 1.0, &vec![true; 128 * 128]);
        assert!(flow.values().iter().all(|v| *v == 0.0));
        assert_eq!(CellFlow::from_values(flow.values()), flow);
    }
}
