//! Several inner iterations in one pass over memory.
//!
//! Iteration n+1 can follow one row behind iteration n: a row of the flow needs the
//! dual variables of its row and the one above, and these the flow of one row more.
//! So the rows between the first and the last iteration of a pass stay in the
//! cache, and main memory is read and written once for all of them. Each row sees
//! exactly the operations of the plain loop, in the same order.
//!
//! A pass reads one state and writes another, so that it can be repeated with
//! fewer iterations. A band of rows also computes the rows of its neighbours that
//! it depends on, in memory of its own, one fewer with each iteration; bands
//! therefore need not wait for each other.

use std::ops::Range;

use multiversion::multiversion;

use super::LANES;
use super::iteration::{Change, Steps, dual_row, flow_row};
use super::median::{SortedColumns, median_row};
use super::tvl1::{Beginning, Layout, STRIP};

/// A band's own memory.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Rows over the band and below it.
    over: Vec<f32>,
    below: Vec<f32>,
    sorted: SortedColumns,
    /// Stands in for the row over the first one.
    zeros: Vec<f32>,
    /// For each iteration the changes of the strips done, and of the present one.
    strips: Vec<Vec<f64>>,
    change: Vec<Change>,
}

impl Worker {
    /// The sums of squared changes in iteration `n`, strip by strip.
    pub(super) fn strips(&self, n: usize) -> impl Iterator<Item = f64> {
        self.strips[n].iter().copied()
    }
}

/// What all bands of a pass share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep<'a> {
    pub(super) layout: Layout,
    pub(super) state: &'a [f32],
    pub(super) data: &'a [f32],
    pub(super) has_right: &'a [f32],
    pub(super) beginning: Beginning,
    pub(super) iterations: usize,
    pub(super) steps: Steps,
    pub(super) opencv: bool,
}

impl Sweep<'_> {
    /// Makes the iterations for the rows `rows`, into `own`.
    pub(super) fn run(&self, worker: &mut Worker, own: &mut [f32], rows: Range<usize>) {
        let (layout, length) = (self.layout, self.layout.state_row());
        let needed = rows.start.saturating_sub(self.iterations)
            ..(rows.end + self.iterations).min(layout.height);
        worker
            .over
            .resize((rows.start - needed.start) * length, 0.0);
        worker.below.resize((needed.end - rows.end) * length, 0.0);
        worker.zeros.clear();
        worker.zeros.resize(length, 0.0);
        worker.sorted.fit(layout.stride);
        worker.change.clear();
        worker.change.resize(self.iterations, [0.0; LANES]);
        worker
            .strips
            .resize_with(self.iterations.max(worker.strips.len()), Vec::new);
        worker.strips.iter_mut().for_each(Vec::clear);
        if self.opencv {
            pass_as_opencv(self, worker, own, rows);
        } else {
            pass(self, worker, own, rows);
        }
    }

    #[inline(always)]
    fn pass<const OPENCV: bool>(&self, worker: &mut Worker, own: &mut [f32], rows: Range<usize>) {
        let (layout, count) = (self.layout, self.iterations);
        let (height, data_row) = (layout.height, layout.data_row());
        let Worker {
            over,
            below,
            sorted,
            zeros,
            strips,
            change,
        } = worker;
        let mut band = Band {
            length: layout.state_row(),
            over_start: rows.start - over.len() / layout.state_row(),
            rows: rows.clone(),
            over,
            own,
            below,
        };
        // Iteration n is right from row `start(n)` to row `end(n)`.
        let start = |n: usize| (rows.start + n + 1).saturating_sub(count);
        let end = |n: usize| (rows.end + count - n).min(height);
        if start(0) > 0 {
            self.begin_row(&mut band, start(0) - 1, sorted);
        }
        for front in start(0)..height.min(rows.end + count) + count {
            if front < end(0) {
                self.begin_row(&mut band, front, sorted);
            }
            for n in 0..count.min(front + 1) {
                let y = front - n;
                if y < start(n) || y >= end(n) {
                    continue;
                }
                let data = &self.data[y * data_row..(y + 1) * data_row];
                let mut outside = [0.0; LANES];
                let change = if rows.contains(&y) {
                    &mut change[n]
                } else {
                    &mut outside
                };
                if y == 0 {
                    flow_row::<OPENCV>(layout, zeros, band.row(0), data, self.steps, change);
                } else {
                    let (above, row) = band.pair(y - 1);
                    flow_row::<OPENCV>(layout, above, row, data, self.steps, change);
                    if y > start(n) {
                        dual_row::<OPENCV>(layout, above, Some(row), self.has_right, self.steps);
                    }
                }
                if y + 1 == height {
                    dual_row::<OPENCV>(layout, band.row(y), None, self.has_right, self.steps);
                }
                // OpenCV has one sum for all rows.
                let last = y + 1 == rows.end;
                if rows.contains(&y) && (last || (!OPENCV && (y + 1) % STRIP == 0)) {
                    let sum: f32 = change.iter().sum();
                    strips[n].push(f64::from(sum));
                    *change = [0.0; LANES];
                }
            }
        }
    }

    /// Brings a row of the state before the pass into the band.
    #[inline(always)]
    fn begin_row(&self, band: &mut Band<'_>, y: usize, sorted: &mut SortedColumns) {
        let length = band.length;
        let row = band.row(y);
        row.copy_from_slice(&self.state[y * length..(y + 1) * length]);
        if self.beginning == Beginning::Median {
            let Layout {
                width,
                height,
                stride,
            } = self.layout;
            for c in 0..2 {
                let near = std::array::from_fn(|dy| {
                    let y = (y + dy).saturating_sub(2).min(height - 1);
                    let start = y * length + c * stride;
                    &self.state[start..start + stride]
                });
                median_row(near, &mut row[c * stride..(c + 1) * stride], width, sorted);
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn pass(sweep: &Sweep<'_>, worker: &mut Worker, own: &mut [f32], rows: Range<usize>) {
    sweep.pass::<false>(worker, own, rows);
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn pass_as_opencv(sweep: &Sweep<'_>, worker: &mut Worker, own: &mut [f32], rows: Range<usize>) {
    sweep.pass::<true>(worker, own, rows);
}

/// Rows of the state in a band and around it.
struct Band<'a> {
    length: usize,
    over_start: usize,
    rows: Range<usize>,
    over: &'a mut [f32],
    own: &'a mut [f32],
    below: &'a mut [f32],
}

impl Band<'_> {
    #[inline(always)]
    fn row(&mut self, y: usize) -> &mut [f32] {
        let (part, start) = if y < self.rows.start {
            (&mut *self.over, self.over_start)
        } else if y < self.rows.end {
            (&mut *self.own, self.rows.start)
        } else {
            (&mut *self.below, self.rows.end)
        };
        let at = (y - start) * self.length;
        &mut part[at..at + self.length]
    }

    /// Rows `y` and `y + 1`.
    #[inline(always)]
    fn pair(&mut self, y: usize) -> (&mut [f32], &mut [f32]) {
        let length = self.length;
        let (first, second, start) = if y + 1 < self.rows.start {
            (&mut *self.over, None, self.over_start)
        } else if y + 1 == self.rows.start {
            (&mut *self.over, Some(&mut *self.own), self.over_start)
        } else if y + 1 < self.rows.end {
            (&mut *self.own, None, self.rows.start)
        } else if y + 1 == self.rows.end {
            (&mut *self.own, Some(&mut *self.below), self.rows.start)
        } else {
            (&mut *self.below, None, self.rows.end)
        };
        let at = (y - start) * length;
        match second {
            Some(second) => (&mut first[at..at + length], &mut second[..length]),
            None => first[at..at + 2 * length].split_at_mut(length),
        }
    }
}
