//! One inner iteration of TV-L1, row by row: the pointwise threshold of the data
//! term, and Chambolle's step for the dual variables.

use super::tvl1::Layout;
use super::{Block, LANES, blocks, blocks_mut};
use crate::motion::tvl1::Tvl1Params;

/// The step sizes of one inner iteration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    /// λθ: the furthest the threshold step moves, in gradients.
    reach: f32,
    theta: f32,
    /// τ/θ.
    dual: f32,
}

impl Steps {
    pub(super) fn of(params: &Tvl1Params) -> Self {
        Self {
            reach: params.lambda * params.theta,
            theta: params.theta,
            dual: params.tau / params.theta,
        }
    }
}

/// The sum of squared changes of the flow, per lane.
pub(super) type Change = Block;

/// Threshold step and divergence for one row of the state; `above` is the row
/// over it, zeros at the top.
///
/// With `OPENCV` every operation has OpenCV's order and rounding, the sum of
/// changes in the first lane included, which decides when an iteration is the last.
#[inline(always)]
pub(super) fn flow_row<const OPENCV: bool>(
    layout: Layout,
    above: &[f32],
    row: &mut [f32],
    data: &[f32],
    steps: Steps,
    change: &mut Change,
) {
    let (stride, computed) = (layout.stride, layout.computed());
    let (flow, dual) = row.split_at_mut(2 * stride + LANES);
    let (u, v) = flow.split_at_mut(stride);
    let (u, v) = (
        blocks_mut(&mut u[..computed]),
        blocks_mut(&mut v[..computed]),
    );
    let data = blocks(&data[..computed * 4]).as_chunks::<4>().0;
    // The dual variables follow one block of zeros.
    let ux = &dual[LANES - 1..LANES + computed];
    let vx = &dual[LANES + stride - 1..LANES + stride + computed];
    let (ux, ux_left) = (blocks(&ux[1..]), blocks(&ux[..computed]));
    let (vx, vx_left) = (blocks(&vx[1..]), blocks(&vx[..computed]));
    let down = LANES + 2 * stride;
    let here = blocks(&dual[down..down + 2 * computed]).as_chunks::<2>().0;
    let down = down + 2 * stride + LANES;
    let above = blocks(&above[down..down + 2 * computed]).as_chunks::<2>().0;
    let count = u.len();
    let (v, data, here, above) = (
        &mut v[..count],
        &data[..count],
        &here[..count],
        &above[..count],
    );
    let (ux, ux_left) = (&ux[..count], &ux_left[..count]);
    let (vx, vx_left) = (&vx[..count], &vx_left[..count]);
    for i in 0..count {
        flow_block::<OPENCV>(
            &mut u[i],
            &mut v[i],
            change,
            &data[i],
            ([&ux[i], &ux_left[i]], [&vx[i], &vx_left[i]]),
            (&here[i], &above[i]),
            steps,
            i == 0,
        );
    }
}

#[inline(always)]
#[expect(
    clippy::too_many_arguments,
    reason = "as parameters they are known to be apart"
)]
fn flow_block<const OPENCV: bool>(
    u: &mut Block,
    v: &mut Block,
    change: &mut Change,
    [gx, gy, rest, inverse]: &[Block; 4],
    ([ux, ux_left], [vx, vx_left]): ([&Block; 2], [&Block; 2]),
    ([uy, vy], [uy_above, vy_above]): (&[Block; 2], &[Block; 2]),
    steps: Steps,
    first: bool,
) {
    let mut squares = [0.0; LANES];
    for k in 0..LANES {
        let rho = rest[k] + (gx[k] * u[k] + gy[k] * v[k]);
        let step = if OPENCV {
            // Here the last part of the data is |∇I1|² itself.
            let square = inverse[k];
            let most = steps.reach * square;
            if rho < -most {
                steps.reach
            } else if rho > most {
                -steps.reach
            } else if square > f32::EPSILON {
                -rho / square
            } else {
                0.0
            }
        } else {
            let step = -rho * inverse[k];
            let step = if step > steps.reach {
                steps.reach
            } else {
                step
            };
            if step < -steps.reach {
                -steps.reach
            } else {
                step
            }
        };
        let (u_div, v_div) = if OPENCV && first && k == 0 {
            (ux[k] + uy[k] - uy_above[k], vx[k] + vy[k] - vy_above[k])
        } else {
            (
                (ux[k] - ux_left[k]) + (uy[k] - uy_above[k]),
                (vx[k] - vx_left[k]) + (vy[k] - vy_above[k]),
            )
        };
        let new_u = u[k] + step * gx[k] + steps.theta * u_div;
        let new_v = v[k] + step * gy[k] + steps.theta * v_div;
        let (du, dv) = (new_u - u[k], new_v - v[k]);
        (u[k], v[k]) = (new_u, new_v);
        let square = du * du + dv * dv;
        if OPENCV {
            squares[k] = square;
        } else {
            change[k] += square;
        }
    }
    if OPENCV {
        change[0] = squares.iter().fold(change[0], |sum, square| sum + square);
    }
}

/// Dual step for one row; `under` is the row below it, where there is one.
#[inline(always)]
pub(super) fn dual_row<const OPENCV: bool>(
    layout: Layout,
    row: &mut [f32],
    under: Option<&[f32]>,
    has_right: &[f32],
    steps: Steps,
) {
    let (stride, computed) = (layout.stride, layout.computed());
    let (flow, dual) = row.split_at_mut(2 * stride + LANES);
    let has_right = blocks(&has_right[..computed]);
    // The last row's lower neighbour is itself: no difference.
    let flow: &[f32] = flow;
    let under = under.unwrap_or(flow);
    let (under_u, under_v) = (
        blocks(&under[..computed]),
        blocks(&under[stride..stride + computed]),
    );
    let (u, v) = (&flow[..computed + 1], &flow[stride..stride + computed + 1]);
    let (u, right_u) = (blocks(&u[..computed]), blocks(&u[1..]));
    let (v, right_v) = (blocks(&v[..computed]), blocks(&v[1..]));
    let (ux, rest) = dual[LANES..].split_at_mut(stride);
    let (vx, down) = rest.split_at_mut(stride);
    let (ux, vx) = (
        blocks_mut(&mut ux[..computed]),
        blocks_mut(&mut vx[..computed]),
    );
    let down = blocks_mut(&mut down[..2 * computed]).as_chunks_mut::<2>().0;
    let count = u.len();
    let (ux, vx, down) = (&mut ux[..count], &mut vx[..count], &mut down[..count]);
    let (v, right_u, right_v) = (&v[..count], &right_u[..count], &right_v[..count]);
    let (under_u, under_v) = (&under_u[..count], &under_v[..count]);
    let has_right = &has_right[..count];
    for i in 0..count {
        let [uy, vy] = &mut down[i];
        dual_block::<OPENCV>(
            &mut ux[i],
            uy,
            &u[i],
            &right_u[i],
            &under_u[i],
            &has_right[i],
            steps,
        );
        dual_block::<OPENCV>(
            &mut vx[i],
            vy,
            &v[i],
            &right_v[i],
            &under_v[i],
            &has_right[i],
            steps,
        );
    }
}

#[inline(always)]
fn dual_block<const OPENCV: bool>(
    px: &mut Block,
    py: &mut Block,
    flow: &Block,
    right: &Block,
    under: &Block,
    has_right: &Block,
    steps: Steps,
) {
    for k in 0..LANES {
        let dx = (right[k] - flow[k]) * has_right[k];
        let dy = under[k] - flow[k];
        if OPENCV {
            let (wide_x, wide_y) = (f64::from(dx), f64::from(dy));
            let slope = (wide_x * wide_x + wide_y * wide_y).sqrt() as f32;
            let grown = 1.0 + steps.dual * slope;
            px[k] = (px[k] + steps.dual * dx) / grown;
            py[k] = (py[k] + steps.dual * dy) / grown;
        } else {
            let shrink = 1.0 / (1.0 + steps.dual * (dx * dx + dy * dy).sqrt());
            px[k] = (px[k] + steps.dual * dx) * shrink;
            py[k] = (py[k] + steps.dual * dy) * shrink;
        }
    }
}
