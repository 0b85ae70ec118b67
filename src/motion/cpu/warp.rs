//! Samples the second picture where the current flow points and sets up the
//! linearised brightness difference there.

use multiversion::multiversion;

use super::tvl1::Layout;
use super::{Block, LANES, blocks, blocks_mut};
use crate::motion::pyramid::{MARGIN, PyramidLevel};

/// Cubic convolution's free parameter; OpenCV's value.
const SHARPNESS: f32 = -0.75;

/// How the second picture is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    Plain,
    /// With the operations of OpenCV 5 in their order and rounding (some are
    /// fused), and |∇I1|² instead of its inverse.
    OpenCv,
}

/// The weights of the taps at −1, 0, 1 and 2 for the position `t` between 0 and 1.
#[inline(always)]
fn cubic_weights(t: f32) -> [f32; 4] {
    let back = 1.0 - t;
    let first = SHARPNESS * (t * (back * back));
    let second = (1.25 * t - 2.25) * (t * t) + 1.0;
    let last = SHARPNESS * ((t * t) * back);
    [first, second, 1.0 - first - second - last, last]
}

/// Fills the rows of `data` (see [`Layout`]), the first of which is row `top` of
/// the level, for the flow in `state` between two levels of the same size.
///
/// `gain` multiplies the second picture, which makes it as bright as the first.
#[expect(
    clippy::too_many_arguments,
    reason = "a kernel takes its fields as they are"
)]
pub(super) fn linearise(
    layout: Layout,
    first: &PyramidLevel,
    second: &PyramidLevel,
    gain: f32,
    state: &[f32],
    top: usize,
    data: &mut [f32],
    sampling: Sampling,
) {
    let rows = state.chunks_exact(layout.state_row()).enumerate().skip(top);
    for ((y, flow), data) in rows.zip(data.chunks_exact_mut(layout.data_row())) {
        match sampling {
            Sampling::Plain => row(layout, first, second, gain, y, flow, data),
            Sampling::OpenCv => row_as_opencv(layout, first, second, y, flow, data),
        }
    }
}

/// Where the taps of a position begin, in texels of the padded picture.
#[inline(always)]
fn first_texel(x0: f32, y0: f32, pitch: usize) -> usize {
    // The first tap is one pixel before x0, which the margin moves to ≥ 1.
    let column = (x0 as i32 + (MARGIN as i32 - 1)) as usize;
    let line = (y0 as i32 + (MARGIN as i32 - 1)) as usize;
    line * pitch + column
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn row(
    layout: Layout,
    first: &PyramidLevel,
    second: &PyramidLevel,
    gain: f32,
    y: usize,
    flow: &[f32],
    data: &mut [f32],
) {
    let (stride, pitch) = (layout.stride, second.pitch());
    let computed = layout.computed();
    let (u, v) = (
        blocks(&flow[..computed]),
        blocks(&flow[stride..stride + computed]),
    );
    let gray = blocks(&first.gray[y * stride..y * stride + computed]);
    let data = blocks_mut(data).as_chunks_mut::<4>().0;
    for (i, ((u, v), data)) in u.iter().zip(v).zip(&mut *data).enumerate() {
        let (texel, wx, wy) = positions(layout, pitch, i * LANES, y, u, v);
        let mut columns = [[[0.0; 4]; LANES]; 4];
        for k in 0..LANES {
            let at = texel[k] as usize;
            let taps = |j: usize| -> &[[f32; 4]] { &second.texels[at + j * pitch..][..4] };
            let rows = [taps(0), taps(1), taps(2), taps(3)];
            let products = weigh(rows, &across(&wx, k), wy.map(|wy| wy[k]));
            for j in 0..4 {
                columns[j][k].copy_from_slice(&products[4 * j..4 * j + 4]);
            }
        }
        finish(
            columns.each_ref().map(|c| c.as_flattened()),
            gain,
            u,
            v,
            &gray[i],
            data,
        );
    }
    // Beyond the width everything is zero.
    let (last, spare) = (&mut data[u.len() - 1], layout.width % LANES);
    if spare > 0 {
        for part in last {
            part[spare..].fill(0.0);
        }
    }
}

/// The horizontal weights of pixel `k`, each for the four channels of a texel.
#[inline(always)]
fn across(wx: &[Block; 4], k: usize) -> [f32; 16] {
    let mut out = [0.0; 16];
    for j in 0..4 {
        for c in 0..4 {
            out[4 * j + c] = wx[j][k];
        }
    }
    out
}

/// The taps of one pixel, each summed down its column and weighted by its column.
/// Down first, because the four texels of a row fill one wide register.
#[inline(always)]
fn weigh(rows: [&[[f32; 4]]; 4], wx: &[f32; 16], wy: [f32; 4]) -> [f32; 16] {
    let [a, b, c, d] = rows.map(|row| &row.as_flattened().as_chunks::<16>().0[0]);
    let mut out = [0.0; 16];
    for i in 0..16 {
        out[i] = wx[i] * ((wy[0] * a[i] + wy[1] * b[i]) + (wy[2] * c[i] + wy[3] * d[i]));
    }
    out
}

/// From the weighted taps of a block to its part of the linearisation.
#[inline(always)]
fn finish(
    columns: [&[f32]; 4],
    gain: f32,
    u: &Block,
    v: &Block,
    gray: &Block,
    [gx, gy, rest, inverse]: &mut [Block; 4],
) {
    let [a, b, c, d] = columns.map(|column| &column.as_chunks::<{ 4 * LANES }>().0[0]);
    let mut sampled = [0.0; 4 * LANES];
    for i in 0..4 * LANES {
        sampled[i] = (a[i] + b[i]) + (c[i] + d[i]);
    }
    for k in 0..LANES {
        let (warped, across, down) = (sampled[4 * k], sampled[4 * k + 1], sampled[4 * k + 2]);
        (gx[k], gy[k]) = (across * gain, down * gain);
        let square = gx[k] * gx[k] + gy[k] * gy[k];
        rest[k] = warped * gain - gx[k] * u[k] - gy[k] * v[k] - gray[k];
        let flat = square <= f32::EPSILON;
        let (over, under) = (
            if flat { 0.0 } else { 1.0 },
            if flat { 1.0 } else { square },
        );
        inverse[k] = over / under;
    }
}

/// For a block of pixels the first tap's texel and the weights in x and y.
#[inline(always)]
fn positions(
    layout: Layout,
    pitch: usize,
    x: usize,
    y: usize,
    u: &Block,
    v: &Block,
) -> ([i32; LANES], [Block; 4], [Block; 4]) {
    // Beyond these positions every tap lies in the border.
    let (right, bottom) = ((layout.width + 1) as f32, (layout.height + 1) as f32);
    let within = |at: f32, last: f32| {
        let at = if at > -2.0 { at } else { -2.0 };
        if at < last { at } else { last }
    };
    let mut texel = [0; LANES];
    let (mut tx, mut ty) = ([0.0; LANES], [0.0; LANES]);
    for k in 0..LANES {
        let px = within((x + k) as f32 + u[k], right);
        let py = within(y as f32 + v[k], bottom);
        let (x0, y0) = (px.floor(), py.floor());
        (tx[k], ty[k]) = (px - x0, py - y0);
        // The first tap is one pixel before, which the margin moves to 1 or more.
        let first = MARGIN as f32 - 1.0;
        let (line, column) = (whole(y0 + first), whole(x0 + first));
        texel[k] = line.wrapping_mul(pitch as i32).wrapping_add(column);
    }
    (texel, weights(&tx), weights(&ty))
}

/// A whole number as an integer; `as` would also treat what lies out of range, and
/// one by one.
#[inline(always)]
fn whole(value: f32) -> i32 {
    /// Adding 1.5 · 2²³ leaves the number in the lowest bits.
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i32
}

#[inline(always)]
fn weights(t: &Block) -> [Block; 4] {
    let mut out = [[0.0; LANES]; 4];
    for k in 0..LANES {
        let weights = cubic_weights(t[k]);
        for j in 0..4 {
            out[j][k] = weights[j];
        }
    }
    out
}

/// OpenCV's weights: one product is fused into the sums.
fn opencv_weights(t: f32) -> [f32; 4] {
    let [first, _, _, last] = cubic_weights(t);
    let second = 1.25f32.mul_add(t, -2.25).mul_add(t * t, 1.0);
    [first, second, 1.0 - first - second - last, last]
}

#[multiversion(targets("x86_64+avx2+fma"))]
fn row_as_opencv(
    layout: Layout,
    first: &PyramidLevel,
    second: &PyramidLevel,
    y: usize,
    flow: &[f32],
    data: &mut [f32],
) {
    let (stride, pitch) = (layout.stride, second.pitch());
    let (right, bottom) = ((layout.width + 1) as f32, (layout.height + 1) as f32);
    let data = blocks_mut(data).as_chunks_mut::<4>().0;
    for x in 0..layout.width {
        let (u, v) = (flow[x], flow[stride + x]);
        let px = (x as f32 + u).clamp(-2.0, right);
        let py = (y as f32 + v).clamp(-2.0, bottom);
        let (x0, y0) = (px.floor(), py.floor());
        let (wx, wy) = (opencv_weights(px - x0), opencv_weights(py - y0));
        let texel = first_texel(x0, y0, pitch);
        let mut sum = [0.0f32; 4];
        for (j, wy) in wy.iter().enumerate() {
            let taps = &second.texels[texel + j * pitch..texel + j * pitch + 4];
            for (c, sum) in sum.iter_mut().enumerate() {
                let mut across = wx[0] * taps[0][c];
                for i in 1..4 {
                    across = wx[i].mul_add(taps[i][c], across);
                }
                *sum = if j == 0 {
                    wy * across
                } else {
                    wy.mul_add(across, *sum)
                };
            }
        }
        let [warped, gx, gy, _] = sum;
        let rest = warped - gx * u - gy * v - first.gray[y * stride + x];
        let values = [gx, gy, rest, gx * gx + gy * gy];
        for (part, value) in data[x / LANES].iter_mut().zip(values) {
            part[x % LANES] = value;
        }
    }
}
