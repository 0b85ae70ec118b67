//! A crop at several resolutions, with the gradients TV-L1 samples: made once
//! for a frame and used in both of its pairs.

use crate::base::Plane;

use super::cpu::row_stride;

/// Texels beyond each edge of a level, enough for a bicubic tap there.
pub(crate) const MARGIN: usize = 4;

/// The smallest side of a coarser level; a smaller one is left out.
pub(crate) const SMALLEST_SIDE: usize = 16;

/// What lies outside a picture when it is sampled there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// The nearest pixel: no false edge, the default.
    Replicate,
    /// Black, as OpenCV's `DualTVL1OpticalFlow` has it; on the processor this also
    /// asks for OpenCV's order of operations and rounding throughout.
    Zero,
}

/// One resolution of a [`Pyramid`].
#[derive(Debug, Clone)]
pub(crate) struct PyramidLevel {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Values per row of `gray`.
    pub(crate) stride: usize,
    /// Grey values 0..255, the spare values of a row zero.
    pub(crate) gray: Vec<f32>,
    /// Grey value, its centred x and y gradient and a zero, side by side so that
    /// one load fetches them; [`MARGIN`] texels of border all around.
    pub(crate) texels: Vec<[f32; 4]>,
}

impl PyramidLevel {
    /// Texels per row.
    pub(crate) fn pitch(&self) -> usize {
        self.width + 2 * MARGIN
    }

    fn new(width: usize, height: usize, gray: Vec<f32>, border: Border) -> Self {
        let mut level = Self {
            width,
            height,
            stride: row_stride(width),
            gray,
            texels: vec![[0.0; 4]; (width + 2 * MARGIN) * (height + 2 * MARGIN)],
        };
        level.fill_texels(border);
        level
    }

    fn fill_texels(&mut self, border: Border) {
        let (width, height, stride, pitch) = (self.width, self.height, self.stride, self.pitch());
        for y in 0..height {
            let row = |y: usize| &self.gray[y * stride..y * stride + width];
            let (above, here, below) = (
                row(y.saturating_sub(1)),
                row(y),
                row((y + 1).min(height - 1)),
            );
            let start = (y + MARGIN) * pitch + MARGIN;
            let out = &mut self.texels[start..start + width];
            for (x, texel) in out.iter_mut().enumerate() {
                // At the border one neighbour is the pixel itself, which leaves
                // half of the one-sided difference.
                let (left, right) = (here[x.saturating_sub(1)], here[(x + 1).min(width - 1)]);
                *texel = [
                    here[x],
                    0.5 * (right - left),
                    0.5 * (below[x] - above[x]),
                    0.0,
                ];
            }
        }
        if border == Border::Replicate {
            for y in MARGIN..MARGIN + height {
                let row = &mut self.texels[y * pitch..(y + 1) * pitch];
                let (first, last) = (row[MARGIN], row[MARGIN + width - 1]);
                row[..MARGIN].fill(first);
                row[MARGIN + width..].fill(last);
            }
            for y in 0..MARGIN {
                let first = MARGIN * pitch;
                self.texels.copy_within(first..first + pitch, y * pitch);
                let last = (MARGIN + height - 1) * pitch;
                let to = (MARGIN + height + y) * pitch;
                self.texels.copy_within(last..last + pitch, to);
            }
        }
    }
}

/// A picture and its reduced copies, finest first.
///
/// Each level is the one before it resized bilinearly, without smoothing, by
/// `scale_step`; it ends before a side would fall below 16 px (as OpenCV's).
#[derive(Debug, Clone)]
pub struct Pyramid {
    pub(crate) levels: Vec<PyramidLevel>,
    /// Sums of grey over a grid of blocks, for [`Pyramid::gain_to`].
    block_sums: Vec<f32>,
}

/// Blocks per side over which brightness is compared.
pub(crate) const BLOCKS: usize = 16;

/// A gain outside 1 ± this is taken for a change of scene and not applied.
pub(crate) const LARGEST_GAIN_CHANGE: f32 = 0.25;

impl Pyramid {
    /// At most `scales` levels of `plane` (grey 0..255), each `scale_step` (0..1)
    /// times the size of the one before.
    #[must_use]
    pub fn new(plane: &Plane, scales: usize, scale_step: f32, border: Border) -> Self {
        let (width, height) = (plane.width, plane.height);
        let mut levels = Vec::with_capacity(scales.max(1));
        let stride = row_stride(width);
        let mut gray = vec![0.0; stride * height];
        for (y, row) in gray.chunks_exact_mut(stride).enumerate() {
            row[..width].copy_from_slice(plane.row(y));
        }
        if width > 0 && height > 0 {
            levels.push(PyramidLevel::new(width, height, gray, border));
        }
        while let Some(finer) = levels.last() {
            let side = |length: usize| (length as f32 * scale_step).round_ties_even() as usize;
            let (w, h) = (side(finer.width), side(finer.height));
            let shrinks = w < finer.width && h < finer.height;
            if levels.len() >= scales || w.min(h) < SMALLEST_SIDE || !shrinks {
                break;
            }
            let mut gray = vec![0.0; row_stride(w) * h];
            // The inverse of 0.8 is 1.25 also where 0.8 has been rounded.
            let ratio = f64::from(1.0 / scale_step);
            resize_rows(
                Grid::of(finer.width, finer.height, finer.stride),
                &finer.gray,
                Grid::of(w, h, row_stride(w)),
                &mut gray,
                (ratio, ratio),
                1.0,
                border,
            );
            levels.push(PyramidLevel::new(w, h, gray, border));
        }
        Self {
            levels,
            block_sums: block_sums(plane),
        }
    }

    /// The factor that makes this picture as bright as `target`: both are summed
    /// over 16 × 16 blocks, and of the half of the blocks whose ratios lie in the
    /// middle the sums are compared, so that neither motion nor an opened mouth
    /// counts as light. 1 where that is not possible.
    #[must_use]
    pub fn gain_to(&self, target: &Self) -> f32 {
        let pairs = target.block_sums.iter().zip(&self.block_sums);
        let mut ratios: Vec<(f32, f32, f32)> = pairs
            .filter(|(t, s)| **t > 0.0 && **s > 0.0)
            .map(|(t, s)| (t / s, *t, *s))
            .collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let quarter = ratios.len() / 4;
        let middle = &ratios[quarter..ratios.len() - quarter];
        let (t, s) = (middle.iter()).fold((0.0, 0.0), |(t, s), r| (t + r.1, s + r.2));
        let gain = t / s;
        if (gain - 1.0).abs() <= LARGEST_GAIN_CHANGE {
            gain
        } else {
            1.0
        }
    }

    /// Width and height of the finest level in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.levels.first().map_or((0, 0), |l| (l.width, l.height))
    }
}

fn block_sums(plane: &Plane) -> Vec<f32> {
    let (across, down) = (BLOCKS.min(plane.width), BLOCKS.min(plane.height));
    let mut sums = vec![0.0; across * down];
    for y in 0..plane.height {
        let blocks = &mut sums[y * down / plane.height * across..][..across];
        for (x, gray) in plane.row(y).iter().enumerate() {
            blocks[x * across / plane.width] += gray;
        }
    }
    sums
}

/// How a rectangle of pixels lies in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) stride: usize,
}

impl Grid {
    pub(crate) fn of(width: usize, height: usize, stride: usize) -> Self {
        Self {
            width,
            height,
            stride,
        }
    }
}

/// Where a resampled row or column reads: the lower index and the share of the next.
pub(crate) fn tap(target: usize, ratio: f64, length: usize, opencv: bool) -> (usize, f32) {
    let at = (target as f64 + 0.5) * ratio - 0.5;
    let last = length - 1;
    if at <= 0.0 {
        (0, 0.0)
    } else if at < last as f64 {
        (at as usize, at.fract() as f32)
    } else if opencv && ratio > 1.0 && last > 0 {
        // OpenCV reaches the last value by way of the difference to the one before.
        (last - 1, 1.0)
    } else {
        (last, 0.0)
    }
}

/// Bilinear resampling with pixel centres at whole coordinates plus a half,
/// borders repeated, no smoothing; `ratio` is source pixels per target pixel in
/// x and y, and every result is multiplied by `gain`. [`Border::Zero`] asks for
/// the rounding of OpenCV, which interpolates with fused operations.
pub(crate) fn resize_rows(
    from: Grid,
    source: &[f32],
    to: Grid,
    target: &mut [f32],
    ratio: (f64, f64),
    gain: f32,
    border: Border,
) {
    if from.width == 0 || from.height == 0 {
        return;
    }
    let opencv = border == Border::Zero;
    let between = |a: f32, b: f32, share: f32| {
        if opencv {
            (b - a).mul_add(share, a)
        } else {
            a * (1.0 - share) + b * share
        }
    };
    let taps: Vec<(usize, f32)> = (0..to.width)
        .map(|x| tap(x, ratio.0, from.width, opencv))
        .collect();
    // The last rows of an interleaved target may end early.
    for (y, out) in target.chunks_mut(to.stride).take(to.height).enumerate() {
        let (y0, fy) = tap(y, ratio.1, from.height, opencv);
        let y1 = (y0 + 1).min(from.height - 1);
        let top = &source[y0 * from.stride..y0 * from.stride + from.width];
        let bottom = &source[y1 * from.stride..y1 * from.stride + from.width];
        for (value, &(x0, fx)) in out.iter_mut().zip(&taps) {
            let x1 = (x0 + 1).min(from.width - 1);
            let above = between(top[x0], top[x1], fx);
            let below = between(bottom[x0], bottom[x1], fx);
            *value = gain * between(above, below, fy);
        }
    }
}

/// `plane` at `width × height`, bilinear with half-pixel centres and no smoothing
/// (OpenCV's `INTER_LINEAR`). An empty source gives zeros.
#[must_use]
pub fn resize_bilinear(plane: &Plane, width: usize, height: usize) -> Plane {
    let mut out = Plane::zeros(width, height);
    if width > 0 && height > 0 {
        resize_rows(
            Grid::of(plane.width, plane.height, plane.width),
            &plane.data,
            Grid::of(width, height, width),
            &mut out.data,
            (
                plane.width as f64 / width as f64,
                plane.height as f64 / height as f64,
            ),
            1.0,
            Border::Replicate,
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_shrink_by_the_step_and_stop_above_sixteen_pixels() {
        let p = Pyramid::new(&Plane::filled(128, 128, 9.0), 5, 0.8, Border::Replicate);
        let widths: Vec<usize> = p.levels.iter().map(|l| l.width).collect();
        assert_eq!(widths, [128, 102, 82, 66, 53]);
        assert!(
            p.levels
                .iter()
                .all(|l| l.texels.iter().all(|t| *t == [9.0, 0.0, 0.0, 0.0]))
        );
        let small = Pyramid::new(&Plane::zeros(24, 19), 5, 0.8, Border::Zero);
        assert_eq!(small.levels.len(), 1);
        assert_eq!(
            Pyramid::new(&Plane::zeros(0, 5), 5, 0.8, Border::Zero).size(),
            (0, 0)
        );
    }

    #[test]
    fn resizing_a_ramp_keeps_it_a_ramp() {
        let ramp = Plane::from_vec(8, 1, (0..8).map(|x| x as f32).collect());
        let half = resize_bilinear(&ramp, 4, 1);
        assert_eq!(half.data, [0.5, 2.5, 4.5, 6.5]);
        let twice = resize_bilinear(&ramp, 16, 1);
        assert_eq!(twice.data[..4], [0.0, 0.25, 0.75, 1.25]);
        assert_eq!(twice.data[15], 7.0);
    }
}
