//! STSTNet's streams on the processor, forwards and backwards: convolution, ReLU, the
//! normalisation's sums and the max pool in one pass over each image.
//!
//! Whole tensors would be written and read a dozen times (13 MB each for 256 images);
//! here an image's sixteen streams stay in the cache. Normalising is a straight line,
//! rising or falling with the sign of the filter's scale, so the largest normalised
//! value of a field is its largest or its least raw one, and normalising can wait until
//! an eighth of the values is left ([`super::ststnet::StstNet::head`]).
//!
//! A stream is kept in rows as wide as the padded image, so that a tap of the filter is
//! one even run through both; the places beyond the stream's own columns are 0. Sums go
//! through the images in order, whatever the number of threads.

use multiversion::multiversion;
use rayon::prelude::*;

use super::flow_input::{CHANNELS, SIDE, VALUES};
use super::ststnet::{FILTERS, Geometry, POOLED};

/// Weights of one filter: 3 channels × 3×3.
pub const TAPS: usize = CHANNELS * 9;
const CELLS: usize = POOLED * POOLED;
/// Sums that run side by side, in four vector registers or more.
const LANES: usize = 64;

/// The convolution's parameters.
pub struct Streams {
    weights: Vec<[f32; TAPS]>,
    bias: [f32; FILTERS],
    /// 1 where the normalisation's scale is not negative, else −1.
    sign: [f32; FILTERS],
    geometry: Geometry,
}

/// What the backward pass and the head need of a batch.
pub struct Pooled {
    /// `[batch, 16, 10, 10]`: of each field the value that is largest once normalised.
    pub values: Vec<f32>,
    /// Mean and biased variance of each filter over batch and places.
    pub mean: [f32; FILTERS],
    pub variance: [f32; FILTERS],
    /// Values of each filter: batch × places.
    pub count: usize,
    images: Vec<ImagePass>,
}

/// What is kept of one image.
struct ImagePass {
    padded: Vec<f32>,
    /// Sixteen rectified streams, one after the other.
    active: Vec<f32>,
    /// Where in its stream the value of each cell lies.
    chosen: Vec<u16>,
    values: Vec<f32>,
    sum: [f64; FILTERS],
    square: [f64; FILTERS],
}

/// Gradients by the convolution's parameters, laid out as in a weights file.
pub struct StreamGradients {
    /// `[16, 3, 3, 3]`
    pub weights: Vec<f32>,
    /// `[16]`
    pub bias: Vec<f32>,
}

impl Streams {
    /// # Shapes
    /// - `weights`: `[16, 3, 3, 3]` row by row; `bias`, `scale` (of the normalisation): `[16]`
    #[must_use]
    pub fn new(weights: &[f32], bias: &[f32], scale: &[f32], geometry: Geometry) -> Self {
        Self {
            weights: weights.as_chunks::<TAPS>().0.to_vec(),
            bias: std::array::from_fn(|filter| bias[filter]),
            sign: std::array::from_fn(|filter| if scale[filter] < 0.0 { -1.0 } else { 1.0 }),
            geometry,
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 3, 28, 28]`, scaled
    #[must_use]
    pub fn forward(&self, images: &[f32], parallel: bool) -> Pooled {
        let one = |image: &[f32]| self.forward_one(image);
        let passes: Vec<_> = if parallel {
            images.par_chunks_exact(VALUES).map(one).collect()
        } else {
            images.chunks_exact(VALUES).map(one).collect()
        };
        let (mut sum, mut square) = ([0.0_f64; FILTERS], [0.0_f64; FILTERS]);
        let mut values = Vec::with_capacity(passes.len() * FILTERS * CELLS);
        for pass in &passes {
            values.extend_from_slice(&pass.values);
            for filter in 0..FILTERS {
                sum[filter] += pass.sum[filter];
                square[filter] += pass.square[filter];
            }
        }
        let side = self.geometry.side();
        let count = passes.len() * side * side;
        let mean = sum.map(|sum| sum / count.max(1) as f64);
        Pooled {
            values,
            mean: mean.map(|mean| mean as f32),
            variance: std::array::from_fn(|filter| {
                let of_squares = square[filter] / count.max(1) as f64;
                (of_squares - mean[filter] * mean[filter]).max(0.0) as f32
            }),
            count,
            images: passes,
        }
    }

    /// Numbers kept of one stream: its rows, and zeros up to a multiple of the lanes.
    fn length(&self) -> usize {
        let side = self.geometry.side();
        (side * (side + 2)).next_multiple_of(LANES)
    }

    fn forward_one(&self, image: &[f32]) -> ImagePass {
        let (side, length) = (self.geometry.side(), self.length());
        let width = side + 2;
        let padded = self.padded(image);
        let mut active = vec![0.0; FILTERS * length];
        let mut chosen = vec![0; FILTERS * CELLS];
        let mut values = vec![0.0; FILTERS * CELLS];
        let (mut sum, mut square) = ([0.0; FILTERS], [0.0; FILTERS]);
        for (filter, stream) in active.chunks_exact_mut(length).enumerate() {
            convolve(
                &padded,
                width,
                &self.weights[filter],
                self.bias[filter],
                stream,
            );
            for row in stream[..side * width].chunks_exact_mut(width) {
                row[side..].fill(0.0);
            }
            stream[side * width..].fill(0.0);
            sum[filter] = f64::from(total(stream));
            square[filter] = f64::from(product(stream, stream));
            let cells = filter * CELLS..(filter + 1) * CELLS;
            pool(stream, side, self.sign[filter], &mut chosen[cells.clone()]);
            for (value, &place) in values[cells.clone()].iter_mut().zip(&chosen[cells]) {
                *value = stream[usize::from(place)];
            }
        }
        ImagePass {
            padded,
            active,
            chosen,
            values,
            sum,
            square,
        }
    }

    /// The image within its zeros, three planes of (side + 2)², and zeros behind them
    /// as far as the last tap of the last place reaches.
    fn padded(&self, image: &[f32]) -> Vec<f32> {
        let (pad, width) = (self.geometry.padding(), self.geometry.side() + 2);
        let mut padded = vec![0.0; CHANNELS * width * width + LANES];
        for (index, row) in image.chunks_exact(SIDE).enumerate() {
            let (channel, y) = (index / SIDE, index % SIDE);
            let start = (channel * width + y + pad) * width + pad;
            padded[start..start + SIDE].copy_from_slice(row);
        }
        padded
    }

    /// From the gradients by the pooled values, the mean and the variance to those by
    /// the convolution's parameters.
    ///
    /// # Shapes
    /// - `by_values`: `[batch, 16, 10, 10]`; `by_mean`, `by_variance`: `[16]`
    #[must_use]
    pub fn backward(
        &self,
        pooled: &Pooled,
        by_values: &[f32],
        by_mean: &[f32],
        by_variance: &[f32],
        parallel: bool,
    ) -> StreamGradients {
        // mean = Σx/n and variance = Σx²/n − mean², so each value x gets
        // by_mean/n + by_variance·2(x − mean)/n.
        let n = pooled.count as f32;
        let lines: [_; FILTERS] = std::array::from_fn(|filter| {
            let slope = 2.0 * by_variance[filter] / n;
            (by_mean[filter] / n - slope * pooled.mean[filter], slope)
        });
        let one = |(pass, by_values)| self.backward_one(pass, by_values, &lines);
        let images = pooled.images.as_slice();
        let parts: Vec<_> = if parallel {
            let by_values = by_values.par_chunks_exact(FILTERS * CELLS);
            images.par_iter().zip(by_values).map(one).collect()
        } else {
            let by_values = by_values.chunks_exact(FILTERS * CELLS);
            images.iter().zip(by_values).map(one).collect()
        };
        let mut sums = vec![0.0_f64; FILTERS * (TAPS + 1)];
        for part in &parts {
            for (sum, part) in sums.iter_mut().zip(part) {
                *sum += f64::from(*part);
            }
        }
        let of = |filter: usize, tap: usize| sums[filter * (TAPS + 1) + tap] as f32;
        StreamGradients {
            weights: (0..FILTERS * TAPS)
                .map(|i| of(i / TAPS, i % TAPS))
                .collect(),
            bias: (0..FILTERS).map(|filter| of(filter, TAPS)).collect(),
        }
    }

    /// Of each filter the gradients by its taps, then by its bias.
    fn backward_one(
        &self,
        pass: &ImagePass,
        by_values: &[f32],
        lines: &[(f32, f32); FILTERS],
    ) -> Vec<f32> {
        let (width, length) = (self.geometry.side() + 2, self.length());
        let mut gradient = vec![0.0; length];
        let mut sums = Vec::with_capacity(FILTERS * (TAPS + 1));
        for (filter, active) in pass.active.chunks_exact(length).enumerate() {
            let (level, slope) = lines[filter];
            rectified(active, level, slope, &mut gradient);
            let cells = filter * CELLS..(filter + 1) * CELLS;
            for (&place, by_value) in pass.chosen[cells.clone()].iter().zip(&by_values[cells]) {
                let place = usize::from(place);
                if active[place] > 0.0 {
                    gradient[place] += by_value;
                }
            }
            for tap in 0..TAPS {
                let from = tap_at(tap, width);
                sums.push(product(&gradient, &pass.padded[from..from + length]));
            }
            sums.push(total(&gradient));
        }
        sums
    }
}

/// Where a tap of the first place lies in the padded image.
fn tap_at(tap: usize, width: usize) -> usize {
    (tap / 9 * width + tap % 9 / 3) * width + tap % 3
}

/// One rectified stream, the places beyond its columns not yet 0.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn convolve(padded: &[f32], width: usize, weights: &[f32; TAPS], bias: f32, stream: &mut [f32]) {
    let length = stream.len();
    stream.fill(bias);
    for (channel, w) in weights.as_chunks::<9>().0.iter().enumerate() {
        let at = |tap: usize| {
            let from = tap_at(channel * 9 + tap, width);
            &padded[from..from + length]
        };
        // Nine runs at once: the sum stays in a register.
        let (a, b, c) = (at(0), at(1), at(2));
        let (d, e, f) = (at(3), at(4), at(5));
        let (g, h, i) = (at(6), at(7), at(8));
        for (x, sum) in stream.iter_mut().enumerate() {
            *sum += w[0] * a[x]
                + w[1] * b[x]
                + w[2] * c[x]
                + w[3] * d[x]
                + w[4] * e[x]
                + w[5] * f[x]
                + w[6] * g[x]
                + w[7] * h[x]
                + w[8] * i[x];
        }
    }
    for value in stream {
        *value = if *value > 0.0 { *value } else { 0.0 };
    }
}

/// Σ a·b; the lengths are the same multiple of [`LANES`].
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(b.as_chunks::<LANES>().0)
    {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    folded(&mut sums)
}

/// Σ a; the length is a multiple of [`LANES`].
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn total(a: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for a in a.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            sums[lane] += a[lane];
        }
    }
    folded(&mut sums)
}

#[inline(always)]
fn folded(sums: &mut [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Of each field of 3×3 places, which begins one place outside the stream, a place
/// whose value times `sign` is largest.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn pool(stream: &[f32], side: usize, sign: f32, chosen: &mut [u16]) {
    // As wide as the widest stream; behind the last row there are zeros enough.
    const WIDEST: usize = 32;
    let width = side + 2;
    for (line, chosen) in chosen.as_chunks_mut::<POOLED>().0.iter_mut().enumerate() {
        // Down the columns, sixteen or so at once: row numbers are floats so that the
        // choice is one for both.
        let (mut best, mut rows) = ([f32::NEG_INFINITY; WIDEST], [0.0_f32; WIDEST]);
        for y in (line * 3).saturating_sub(1)..(line * 3 + 2).min(side) {
            let Some(row) = stream[y * width..].first_chunk::<WIDEST>() else {
                break;
            };
            let number = y as f32;
            for x in 0..WIDEST {
                let value = row[x] * sign;
                let better = value > best[x];
                best[x] = if better { value } else { best[x] };
                rows[x] = if better { number } else { rows[x] };
            }
        }
        for (cell, chosen) in chosen.iter_mut().enumerate() {
            let mut top = (cell * 3).saturating_sub(1);
            for x in top + 1..(cell * 3 + 2).min(side) {
                top = if best[x] > best[top] { x } else { top };
            }
            *chosen = (rows[top] as usize * width + top) as u16;
        }
    }
}

/// level + slope·x where ReLU let x through, else 0.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn rectified(active: &[f32], level: f32, slope: f32, gradient: &mut [f32]) {
    for (gradient, &active) in gradient.iter_mut().zip(active) {
        let value = level + slope * active;
        *gradient = if active > 0.0 { value } else { 0.0 };
    }
}
