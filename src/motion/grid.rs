//! The flow of a window over the whole face in 16×16 cells: little enough to keep for
//! every window of a recording, enough to tell a lid from a brow from a jaw.
//!
//! CPU twin of the kernel `roi_grid` in `shaders/roi.wgsl`.

use super::Flow;
use super::strain;
use crate::base::stats::median;

/// Cells along each side of the crop.
pub const SIDE: usize = 16;
pub const CELLS: usize = SIDE * SIDE;
/// u, v, strain and the face's share of the cell.
pub const CELL_VALUES: usize = 4;

/// Mean flow and strain of the face's pixels in each cell, row by row. A cell without
/// a pixel of the face is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowGrid {
    /// px, px, px per px, and 0..1.
    cells: Box<[[f32; CELL_VALUES]; CELLS]>,
}

/// What is left of a grid without the head's motion, and that motion.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceGrid {
    /// u in px, v in px and strain, cell by cell; zero outside the face.
    pub cells: Box<[[f32; 3]; CELLS]>,
    /// Shift, stretch along x and stretch along y of u, then of v: the motion at the
    /// crop's middle in px, and how much more it is half a crop to the right or below.
    pub head: [f32; HEAD_VALUES],
}

pub const HEAD_VALUES: usize = 6;

/// Cells with less of the face than this say nothing.
const LEAST_SHARE: f32 = 0.25;
/// Residuals as long as half of them are count half in the head's motion, those of a
/// face that is nearly still as if this were (px).
const LEAST_HALF_WEIGHT_PX: f64 = 0.06;
const ROUNDS: usize = 6;

impl Default for FlowGrid {
    fn default() -> Self {
        Self {
            cells: Box::new([[0.0; CELL_VALUES]; CELLS]),
        }
    }
}

impl FlowGrid {
    /// From a flow on the crop and the pixels that belong to the face.
    pub(crate) fn of(flow: &Flow, face: impl Fn(usize) -> bool) -> Self {
        let (width, height) = (flow.u.width, flow.u.height);
        let strain = strain::forward(flow);
        let mut sums = vec![[0.0_f64; CELL_VALUES]; CELLS];
        let mut pixels = vec![0_u32; CELLS];
        for y in 0..height {
            for x in 0..width {
                let i = y * width + x;
                let cell = y * SIDE / height * SIDE + x * SIDE / width;
                pixels[cell] += 1;
                if face(i) {
                    let sum = &mut sums[cell];
                    sum[0] += f64::from(flow.u.data[i]);
                    sum[1] += f64::from(flow.v.data[i]);
                    sum[2] += f64::from(strain.data[i]);
                    sum[3] += 1.0;
                }
            }
        }
        let mut cells = Box::new([[0.0; CELL_VALUES]; CELLS]);
        for ((cell, sum), pixels) in cells.iter_mut().zip(sums).zip(pixels) {
            let count = sum[3].max(1.0);
            *cell = [
                (sum[0] / count) as f32,
                (sum[1] / count) as f32,
                (sum[2] / count) as f32,
                (sum[3] / f64::from(pixels.max(1))) as f32,
            ];
        }
        Self { cells }
    }

    /// From values as [`Self::values`] gives them.
    ///
    /// # Panics
    /// With fewer than `CELLS · CELL_VALUES`.
    #[must_use]
    pub fn from_values(values: &[f32]) -> Self {
        let mut cells = Box::new([[0.0; CELL_VALUES]; CELLS]);
        for (cell, read) in cells.iter_mut().zip(values.as_chunks().0) {
            *cell = *read;
        }
        assert!(values.len() >= CELLS * CELL_VALUES, "a grid is cut short");
        Self { cells }
    }

    /// u, v, strain, share of every cell, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        self.cells.as_flattened()
    }

    /// Takes the head's motion away: the affine motion that most of the face follows,
    /// found from the median shift on by weighted least squares in which what moves by
    /// itself counts little. (From a fit to everything, a raised brow would pass for a
    /// head that stretches.)
    #[must_use]
    pub fn without_head(&self) -> FaceGrid {
        let seen: Vec<(usize, [f64; 3], f64)> = (self.cells.iter().enumerate())
            .filter(|(_, cell)| cell[3] >= LEAST_SHARE)
            .map(|(at, cell)| (at, place(at), f64::from(cell[3])))
            .collect();
        let middle = |component: usize| {
            let values = seen
                .iter()
                .map(|(at, ..)| f64::from(self.cells[*at][component]));
            median(&values.collect::<Vec<f64>>()).unwrap_or(0.0)
        };
        let mut head = [[middle(0), 0.0, 0.0], [middle(1), 0.0, 0.0]];
        for _ in 0..ROUNDS {
            let squares: Vec<f64> = (seen.iter())
                .map(|(at, basis, _)| {
                    let cell = &self.cells[*at];
                    let du = f64::from(cell[0]) - dot(&head[0], basis);
                    let dv = f64::from(cell[1]) - dot(&head[1], basis);
                    du * du + dv * dv
                })
                .collect();
            let usual = median(&squares).unwrap_or(0.0);
            let half = usual.max(LEAST_HALF_WEIGHT_PX * LEAST_HALF_WEIGHT_PX);
            let weights: Vec<f64> = (seen.iter().zip(&squares))
                .map(|((.., share), square)| share / (1.0 + square / half))
                .collect();
            let Some(fitted) = self.fit(&seen, &weights) else {
                break;
            };
            head = fitted;
        }
        let mut cells = Box::new([[0.0; 3]; CELLS]);
        for (at, basis, _) in &seen {
            let [u, v, strain, _] = self.cells[*at];
            cells[*at] = [
                (f64::from(u) - dot(&head[0], basis)) as f32,
                (f64::from(v) - dot(&head[1], basis)) as f32,
                strain,
            ];
        }
        let [u, v] = head.map(|row| row.map(|value| value as f32));
        FaceGrid {
            cells,
            head: [u[0], u[1], u[2], v[0], v[1], v[2]],
        }
    }

    /// The affine motion of u and of v; `None` where too few cells are seen.
    fn fit(&self, seen: &[(usize, [f64; 3], f64)], weights: &[f64]) -> Option<[[f64; 3]; 2]> {
        let mut normal = [[0.0; 3]; 3];
        let mut right = [[0.0; 3]; 2];
        for ((at, basis, _), weight) in seen.iter().zip(weights) {
            for i in 0..3 {
                for j in 0..3 {
                    normal[i][j] += weight * basis[i] * basis[j];
                }
                for (component, right) in right.iter_mut().enumerate() {
                    right[i] += weight * basis[i] * f64::from(self.cells[*at][component]);
                }
            }
        }
        let inverse = inverse(&normal)?;
        Some(right.map(|r| inverse.map(|row| dot(&row, &r))))
    }
}

/// 1 and a cell's middle, −1..1 over the crop.
fn place(cell: usize) -> [f64; 3] {
    let along = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
    [1.0, along(cell % SIDE), along(cell / SIDE)]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(of: impl Fn(f32, f32) -> (f32, f32)) -> Flow {
        let mut flow = Flow::zeros(128, 128);
        for y in 0..128 {
            for x in 0..128 {
                let (u, v) = of(x as f32, y as f32);
                flow.u.data[y * 128 + x] = u;
                flow.v.data[y * 128 + x] = v;
            }
        }
        flow
    }

    #[test]
    fn a_turning_and_approaching_head_leaves_nothing() {
        let head = flow(|x, y| (0.4 + 0.01 * x - 0.004 * y, -0.2 + 0.004 * x + 0.01 * y));
        let left = FlowGrid::of(&head, |_| true).without_head();
        let most = (left.cells.iter())
            .flat_map(|c| [c[0].abs(), c[1].abs()])
            .fold(0.0, f32::max);
        assert!(most < 1e-4, "{most} px are left");
        // 63.5 px to the right of the middle the head moves so much more.
        assert!((left.head[1] - 0.64).abs() < 1e-3, "{:?}", left.head);
    }

    #[test]
    fn a_brow_that_moves_is_not_taken_for_the_head() {
        let raised = flow(|_, y| (0.3, if y < 32.0 { -0.8 } else { 0.1 }));
        let left = FlowGrid::of(&raised, |_| true).without_head();
        let (brow, cheek) = (left.cells[SIDE + 8], left.cells[9 * SIDE + 8]);
        assert!(
            brow[1] < -0.6 && cheek[1].abs() < 0.12,
            "{brow:?} {cheek:?}"
        );
    }

    #[test]
    fn what_is_not_face_is_not_counted() {
        let grid = FlowGrid::of(&flow(|x, _| (x, 0.0)), |i| i % 128 >= 4);
        let first = &grid.values()[..CELL_VALUES];
        assert_eq!((first[0], first[3]), (5.5, 0.5));
        assert_eq!(FlowGrid::from_values(grid.values()), grid);
    }
}
