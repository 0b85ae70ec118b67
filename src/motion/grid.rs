//! The flow of a window over the whole face in 16×16 cells: little enough to keep for
//! every window of a recording, enough to tell a lid from a brow from a jaw.
//!
//! CPU twin of the kernel `roi_grid` in `shaders/roi.wgsl`.

use super::Flow;
use super::head_motion::{HeadMotion, Moved};
use super::strain;

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
        let seen: Vec<(usize, Moved)> = (self.cells.iter().enumerate())
            .filter(|(_, cell)| cell[3] >= LEAST_SHARE)
            .map(|(at, cell)| {
                let moved = Moved {
                    place: place(at),
                    motion: [f64::from(cell[0]), f64::from(cell[1])],
                    weight: f64::from(cell[3]),
                };
                (at, moved)
            })
            .collect();
        let moved: Vec<Moved> = seen.iter().map(|(_, moved)| *moved).collect();
        let head = HeadMotion::of(&moved, LEAST_HALF_WEIGHT_PX);
        let mut cells = Box::new([[0.0; 3]; CELLS]);
        for (at, moved) in &seen {
            let [u, v] = head.rest_of(moved).map(|rest| rest as f32);
            cells[*at] = [u, v, self.cells[*at][2]];
        }
        let [u, v] = head.0.map(|row| row.map(|value| value as f32));
        FaceGrid {
            cells,
            head: [u[0], u[1], u[2], v[0], v[1], v[2]],
        }
    }
}

/// A cell's middle, −1..1 over the crop.
fn place(cell: usize) -> [f64; 2] {
    let along = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
    [along(cell % SIDE), along(cell / SIDE)]
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
