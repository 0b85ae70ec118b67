//! TV-L1 flow on the processor: coarse to fine, warps, and the alternation of a
//! pointwise threshold and Chambolle's dual step (Zach, Pock, Bischof 2007;
//! Pérez, Meinhardt-Llopis, Facciolo 2013).

use multiversion::multiversion;

use super::median::{SortedColumns, median_5x5};
use super::warp::{Linearisation, linearise};
use super::{Block, LANES, blocks, blocks_mut, row_stride};
use crate::base::Plane;
use crate::motion::Flow;
use crate::motion::pyramid::{Grid, Pyramid, PyramidLevel, resize_rows};
use crate::motion::tvl1::Tvl1Params;

/// The fields of one level and everything that is reused from pair to pair.
///
/// Rows hold `row_stride(width)` values; those beyond the width are zero and stay
/// zero through every step, so that whole blocks can be computed.
#[derive(Debug, Default)]
pub(crate) struct Solver {
    width: usize,
    height: usize,
    stride: usize,
    /// u and v; one block more than the rows need, since the right neighbour is read.
    flow: [Vec<f32>; 2],
    /// The level above's flow while it is enlarged, and the median's result.
    spare: [Vec<f32>; 2],
    /// x and y components of the dual variable of u and of v, with a row of zeros
    /// before the first.
    dual_x: [Vec<f32>; 2],
    dual_y: [Vec<f32>; 2],
    data: Linearisation,
    sorted: SortedColumns,
    /// 1 where a pixel has a right neighbour, else 0.
    has_right: Vec<f32>,
}

impl Solver {
    /// The flow from `first` to `second` (same level sizes), and the inner
    /// iterations of each level, finest first, into `iterations`.
    pub(crate) fn solve(
        &mut self,
        first: &Pyramid,
        second: &Pyramid,
        params: &Tvl1Params,
        iterations: &mut Vec<u32>,
    ) -> Flow {
        iterations.clear();
        let gain = if params.equalise {
            second.gain_to(first)
        } else {
            1.0
        };
        let levels = first.levels.iter().zip(&second.levels);
        for (n, (a, b)) in levels.rev().enumerate() {
            self.enter(a, n == 0, params.scale_step);
            let mut count = 0;
            for _ in 0..params.warps {
                let [u, v] = &self.flow;
                linearise(a, b, gain, u, v, &mut self.data);
                count += self.relax(params);
            }
            iterations.push(count);
        }
        iterations.reverse();
        Flow {
            u: self.plane(0),
            v: self.plane(1),
        }
    }

    /// Sizes the fields for `level` and enlarges the flow of the level above onto
    /// it; the coarsest level starts from rest.
    fn enter(&mut self, level: &PyramidLevel, coarsest: bool, scale_step: f32) {
        let from = Grid::of(self.width, self.height, self.stride);
        (self.width, self.height) = (level.width, level.height);
        self.stride = row_stride(level.width);
        let length = self.stride * self.height;
        for (flow, spare) in self.flow.iter_mut().zip(&mut self.spare) {
            std::mem::swap(flow, spare);
            flow.clear();
            flow.resize(length + LANES, 0.0);
            if !coarsest {
                resize_rows(
                    from,
                    spare,
                    Grid::of(self.width, self.height, self.stride),
                    flow,
                    (
                        from.width as f64 / self.width as f64,
                        from.height as f64 / self.height as f64,
                    ),
                    1.0 / scale_step,
                );
            }
            spare.clear();
            spare.resize(length + LANES, 0.0);
        }
        for dual in self.dual_x.iter_mut().chain(&mut self.dual_y) {
            dual.clear();
            dual.resize(length + self.stride, 0.0);
        }
        self.data.fit(length);
        self.sorted.fit(self.stride);
        self.has_right.clear();
        self.has_right.resize(self.stride, 0.0);
        self.has_right[..self.width - 1].fill(1.0);
    }

    /// Iterates on the present linearisation until the flow rests; returns the
    /// number of inner iterations.
    fn relax(&mut self, params: &Tvl1Params) -> u32 {
        let steps = Steps {
            reach: params.lambda * params.theta,
            theta: params.theta,
            dual: params.tau / params.theta,
        };
        let enough = params.epsilon * params.epsilon * (self.width * self.height) as f32;
        let mut change = f32::MAX;
        let mut count = 0;
        for _ in 0..params.outer_iterations {
            if params.median {
                for (flow, spare) in self.flow.iter_mut().zip(&mut self.spare) {
                    let sorted = &mut self.sorted;
                    median_5x5(flow, spare, self.width, self.height, self.stride, sorted);
                    std::mem::swap(flow, spare);
                }
            }
            for _ in 0..params.inner_iterations {
                change = iterate(self, steps);
                count += 1;
                if change <= enough {
                    break;
                }
            }
            if change <= enough {
                break;
            }
        }
        count
    }

    fn plane(&self, component: usize) -> Plane {
        let rows = self.flow[component]
            .chunks_exact(self.stride)
            .take(self.height);
        let data = rows.flat_map(|row| &row[..self.width]).copied().collect();
        Plane::from_vec(self.width, self.height, data)
    }
}

/// The step sizes of one inner iteration.
#[derive(Debug, Clone, Copy)]
struct Steps {
    /// λθ: the furthest the threshold step moves, in gradients.
    reach: f32,
    theta: f32,
    /// τ/θ.
    dual: f32,
}

/// One inner iteration over the whole level in a single pass: as soon as a row of
/// the flow is new, the dual variables of the row above can follow. Returns the
/// sum of squared changes of the flow.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn iterate(solver: &mut Solver, steps: Steps) -> f32 {
    let mut change = [0.0; LANES];
    for y in 0..solver.height {
        flow_row(solver, y, steps, &mut change);
        if y > 0 {
            dual_row(solver, y - 1, y, steps.dual);
        }
    }
    // The last row has no neighbour below: its difference is with itself.
    dual_row(solver, solver.height - 1, solver.height - 1, steps.dual);
    change.iter().sum()
}

/// Threshold step and divergence for row `y`.
#[inline(always)]
fn flow_row(solver: &mut Solver, y: usize, steps: Steps, change: &mut Block) {
    let stride = solver.stride;
    let here = y * stride..(y + 1) * stride;
    let dual = here.start + stride..here.end + stride;
    let left = dual.start - 1..dual.end - 1;
    let [u, v] = &mut solver.flow;
    let (u, v) = (
        blocks_mut(&mut u[here.clone()]),
        blocks_mut(&mut v[here.clone()]),
    );
    let gx = blocks(&solver.data.gx[here.clone()]);
    let gy = blocks(&solver.data.gy[here.clone()]);
    let rest = blocks(&solver.data.rest[here.clone()]);
    let inverse = blocks(&solver.data.inverse[here.clone()]);
    let [ux, vx] = &solver.dual_x;
    let (ux_left, vx_left) = (blocks(&ux[left.clone()]), blocks(&vx[left]));
    let (ux, vx) = (blocks(&ux[dual.clone()]), blocks(&vx[dual.clone()]));
    let [uy, vy] = &solver.dual_y;
    let (uy_above, vy_above) = (blocks(&uy[here.clone()]), blocks(&vy[here]));
    let (uy, vy) = (blocks(&uy[dual.clone()]), blocks(&vy[dual]));
    for i in 0..u.len() {
        let (u, v) = (&mut u[i], &mut v[i]);
        let (gx, gy, rest, inverse) = (&gx[i], &gy[i], &rest[i], &inverse[i]);
        let (ux, ux_left, uy, uy_above) = (&ux[i], &ux_left[i], &uy[i], &uy_above[i]);
        let (vx, vx_left, vy, vy_above) = (&vx[i], &vx_left[i], &vy[i], &vy_above[i]);
        let (mut new_u, mut new_v, mut moved) = ([0.0; LANES], [0.0; LANES], *change);
        for k in 0..LANES {
            let rho = rest[k] + gx[k] * u[k] + gy[k] * v[k];
            let step = -rho * inverse[k];
            let step = if step > steps.reach {
                steps.reach
            } else {
                step
            };
            let step = if step < -steps.reach {
                -steps.reach
            } else {
                step
            };
            let u_div = ux[k] - ux_left[k] + (uy[k] - uy_above[k]);
            let v_div = vx[k] - vx_left[k] + (vy[k] - vy_above[k]);
            new_u[k] = u[k] + step * gx[k] + steps.theta * u_div;
            new_v[k] = v[k] + step * gy[k] + steps.theta * v_div;
            let (du, dv) = (new_u[k] - u[k], new_v[k] - v[k]);
            moved[k] += du * du + dv * dv;
        }
        (*u, *v, *change) = (new_u, new_v, moved);
    }
}

/// Dual step for row `y`, whose lower neighbour is row `below`.
#[inline(always)]
fn dual_row(solver: &mut Solver, y: usize, below: usize, step: f32) {
    let stride = solver.stride;
    let here = y * stride..(y + 1) * stride;
    let dual = here.start + stride..here.end + stride;
    let has_right = blocks(&solver.has_right);
    for c in 0..2 {
        let flow = &solver.flow[c];
        let right = blocks(&flow[here.start + 1..here.end + 1]);
        let under = blocks(&flow[below * stride..(below + 1) * stride]);
        let flow = blocks(&flow[here.clone()]);
        let px = blocks_mut(&mut solver.dual_x[c][dual.clone()]);
        let py = blocks_mut(&mut solver.dual_y[c][dual.clone()]);
        for i in 0..flow.len() {
            let (px, py) = (&mut px[i], &mut py[i]);
            let (flow, right, under, has_right) = (&flow[i], &right[i], &under[i], &has_right[i]);
            let (mut new_x, mut new_y) = ([0.0; LANES], [0.0; LANES]);
            for k in 0..LANES {
                let dx = (right[k] - flow[k]) * has_right[k];
                let dy = under[k] - flow[k];
                let shrink = 1.0 / (1.0 + step * (dx * dx + dy * dy).sqrt());
                new_x[k] = (px[k] + step * dx) * shrink;
                new_y[k] = (py[k] + step * dy) * shrink;
            }
            (*px, *py) = (new_x, new_y);
        }
    }
}
