//! A picture's pyramid on the card, made once for a frame and used in all its pairs.
//!
//! Kernels: `shaders/pyramid.wgsl`; CPU twin: [`crate::motion::pyramid`]. The taps of
//! the bilinear reduction come from the processor, which finds them in double
//! precision, so that the levels differ from the twin's only by rounding.

use std::mem::size_of;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::base::Plane;
use crate::gpu::{GpuContext, GpuError, Kernel, buffer};
use crate::motion::pyramid::{self, BLOCKS};
use crate::motion::tvl1::FlowError;

const LABEL: &str = "motion.pyramid";

/// Texels at the head of a pyramid that hold the sums of its blocks.
const SUM_TEXELS: usize = BLOCKS * BLOCKS / 4;

/// `struct Pyramid` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct PyramidUniform {
    pub width: u32,
    pub height: u32,
    pub start: u32,
    pub finer_width: u32,
    pub finer_height: u32,
    pub finer_start: u32,
    pub taps_x: u32,
    pub taps_y: u32,
    pub across: u32,
    pub down: u32,
}

/// `struct Tap` in the shaders.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct TapEntry {
    pub low: u32,
    pub share: f32,
}

/// The shader as it is compiled.
#[must_use]
pub fn shader_source() -> &'static str {
    include_str!("../../../shaders/pyramid.wgsl")
}

/// What a size and the settings determine: the levels and where they lie.
#[derive(Debug, PartialEq)]
pub(crate) struct PyramidShape {
    scales: usize,
    pub(crate) scale_step: f32,
    /// Width, height and first texel of each level, finest first.
    pub(crate) levels: Vec<(usize, usize, usize)>,
    /// All texels, the block sums included.
    pub(crate) texels: usize,
}

impl PyramidShape {
    pub(crate) fn new(width: usize, height: usize, scales: usize, scale_step: f32) -> Self {
        let mut levels = vec![(width, height, SUM_TEXELS)];
        let mut texels = SUM_TEXELS + width * height;
        let (mut finer_width, mut finer_height) = (width, height);
        while levels.len() < scales {
            let side = |length: usize| (length as f32 * scale_step).round_ties_even() as usize;
            let (w, h) = (side(finer_width), side(finer_height));
            let shrinks = w < finer_width && h < finer_height;
            if w.min(h) < pyramid::SMALLEST_SIDE || !shrinks {
                break;
            }
            levels.push((w, h, texels));
            texels += w * h;
            (finer_width, finer_height) = (w, h);
        }
        Self {
            scales,
            scale_step,
            levels,
            texels,
        }
    }

    pub(crate) fn is(&self, width: usize, height: usize, scales: usize, scale_step: f32) -> bool {
        let (w, h, _) = self.levels[0];
        (w, h, self.scales) == (width, height, scales)
            && self.scale_step.to_bits() == scale_step.to_bits()
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.texels * size_of::<[f32; 4]>()) as u64
    }
}

/// Appends the taps of one axis and returns where they begin.
pub(crate) fn push_taps(taps: &mut Vec<TapEntry>, from: usize, to: usize, ratio: f64) -> u32 {
    let start = taps.len() as u32;
    taps.extend((0..to).map(|target| {
        let (low, share) = pyramid::tap(target, ratio, from, false);
        TapEntry {
            low: low as u32,
            share,
        }
    }));
    start
}

/// A picture's pyramid in the card's memory.
#[derive(Debug)]
pub struct GpuPyramid {
    pub(crate) shape: Arc<PyramidShape>,
    /// Block sums, then the levels' texels.
    pub(crate) texels: wgpu::Buffer,
    /// The picture itself.
    grey: wgpu::Buffer,
    sums: wgpu::BindGroup,
    /// One for each level, finest first.
    levels: Vec<wgpu::BindGroup>,
}

impl GpuPyramid {
    /// Width and height of the finest level in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let (width, height, _) = self.shape.levels[0];
        (width, height)
    }
}

/// What pyramids of one shape share.
#[derive(Debug)]
struct Shared {
    shape: Arc<PyramidShape>,
    uniforms: Vec<wgpu::Buffer>,
    taps: wgpu::Buffer,
}

/// The kernels that make pyramids.
#[derive(Debug)]
pub struct PyramidKernels {
    context: GpuContext,
    base: Kernel,
    reduce: Kernel,
    sums: Kernel,
    shared: Vec<Shared>,
}

impl PyramidKernels {
    /// # Errors
    /// When the adapter refuses a kernel.
    pub(crate) fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let kernel = |label, entry| Kernel::new(context, label, shader_source(), entry);
        Ok(Self {
            base: kernel("motion.pyramid.base", "pyramid_base")?,
            reduce: kernel(LABEL, "pyramid")?,
            sums: kernel("motion.pyramid.sums", "block_sums")?,
            shared: Vec::new(),
            context: context.clone(),
        })
    }

    /// Room for the pyramid of a `width × height` picture, to be filled with
    /// [`Self::upload`] or [`Self::copy`] and then [`Self::record`], frame after frame.
    ///
    /// # Errors
    /// When it does not fit the card.
    pub(crate) fn allocate(
        &mut self,
        width: usize,
        height: usize,
        scales: usize,
        scale_step: f32,
    ) -> Result<GpuPyramid, GpuError> {
        let known =
            (self.shared.iter()).position(|s| s.shape.is(width, height, scales, scale_step));
        let at = match known {
            Some(at) => at,
            None => {
                let shared = self.share(PyramidShape::new(width, height, scales, scale_step))?;
                self.shared.push(shared);
                self.shared.len() - 1
            }
        };
        let shared = &self.shared[at];
        let context = &self.context;
        let texels = buffer::storage::<[f32; 4]>(context, LABEL, shared.shape.texels)?;
        let grey = buffer::storage::<f32>(context, LABEL, width * height)?;
        let uniforms = &shared.uniforms;
        let mut levels = vec![
            self.base
                .bind_at(context, &[(0, &uniforms[0]), (1, &texels), (3, &grey)]),
        ];
        levels.extend(uniforms[1..].iter().map(|uniform| {
            let bound = [(0, uniform), (1, &texels), (2, &shared.taps)];
            self.reduce.bind_at(context, &bound)
        }));
        let sums = self
            .sums
            .bind_at(context, &[(0, &uniforms[0]), (1, &texels), (3, &grey)]);
        Ok(GpuPyramid {
            shape: Arc::clone(&shared.shape),
            texels,
            grey,
            sums,
            levels,
        })
    }

    /// Sends a picture (grey 0..255) to the card, where it arrives before the next
    /// submission.
    ///
    /// # Errors
    /// When it is not of the pyramid's size.
    pub fn upload(&self, pyramid: &GpuPyramid, plane: &Plane) -> Result<(), FlowError> {
        let (first, second) = (pyramid.size(), (plane.width, plane.height));
        if first != second {
            return Err(FlowError::SizeMismatch { first, second });
        }
        let bytes = bytemuck::cast_slice(&plane.data);
        self.context.queue.write_buffer(&pyramid.grey, 0, bytes);
        Ok(())
    }

    /// Takes the picture from a buffer on the card that begins with its values: f32,
    /// 0..255, row by row.
    pub fn copy(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        pyramid: &GpuPyramid,
        grey: &wgpu::Buffer,
    ) {
        encoder.copy_buffer_to_buffer(grey, 0, &pyramid.grey, 0, pyramid.grey.size());
    }

    /// Records the kernels that fill the pyramid from its picture.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, pyramid: &GpuPyramid) {
        let mut pass = Kernel::pass(encoder, LABEL);
        let (width, height) = pyramid.size();
        let blocks = |length: usize| BLOCKS.min(length) as u32;
        let sums = [blocks(width), blocks(height), 1];
        self.sums.dispatch(&mut pass, &pyramid.sums, sums);
        let levels = pyramid.levels.iter().zip(&pyramid.shape.levels);
        for (n, (bindings, &(w, h, _))) in levels.enumerate() {
            let kernel = if n == 0 { &self.base } else { &self.reduce };
            let tiles = |length: usize| length.div_ceil(16) as u32;
            kernel.dispatch(&mut pass, bindings, [tiles(w), tiles(h), 1]);
        }
    }

    fn share(&self, shape: PyramidShape) -> Result<Shared, GpuError> {
        let ratio = f64::from(1.0 / shape.scale_step);
        let mut taps = Vec::new();
        let mut uniforms = Vec::new();
        for (n, &(width, height, start)) in shape.levels.iter().enumerate() {
            let mut entry = PyramidUniform {
                width: width as u32,
                height: height as u32,
                start: start as u32,
                across: BLOCKS.min(width) as u32,
                down: BLOCKS.min(height) as u32,
                ..PyramidUniform::zeroed()
            };
            if n > 0 {
                let (finer_width, finer_height, finer_start) = shape.levels[n - 1];
                entry.finer_width = finer_width as u32;
                entry.finer_height = finer_height as u32;
                entry.finer_start = finer_start as u32;
                entry.taps_x = push_taps(&mut taps, finer_width, width, ratio);
                entry.taps_y = push_taps(&mut taps, finer_height, height, ratio);
            }
            let uniform = buffer::uniform::<PyramidUniform>(&self.context, LABEL);
            let queue = &self.context.queue;
            queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&entry));
            uniforms.push(uniform);
        }
        let room = buffer::storage::<TapEntry>(&self.context, LABEL, taps.len().max(1))?;
        let queue = &self.context.queue;
        queue.write_buffer(&room, 0, bytemuck::cast_slice(&taps));
        Ok(Shared {
            shape: Arc::new(shape),
            uniforms,
            taps: room,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::pyramid::{Border, Pyramid};

    #[test]
    fn levels_have_the_sizes_of_the_twins() {
        for (w, h) in [
            (8, 8),
            (20, 90),
            (70, 50),
            (128, 128),
            (160, 120),
            (333, 257),
        ] {
            for (scales, step) in [(5, 0.8), (1, 0.5), (12, 0.5), (9, 0.93)] {
                let twin = Pyramid::new(&Plane::zeros(w, h), scales, step, Border::Zero);
                let twin: Vec<_> = twin.levels.iter().map(|l| (l.width, l.height)).collect();
                let own = PyramidShape::new(w, h, scales, step);
                let own: Vec<_> = own.levels.iter().map(|l| (l.0, l.1)).collect();
                assert_eq!(own, twin, "{w}×{h}, {scales} levels of {step}");
            }
        }
    }
}
