//! Eulerian magnification on the graphics card: one encoder a frame, the filters'
//! state stays on the card. CPU twin: [`crate::motion::cpu::magnify`].

use bytemuck::{Pod, Zeroable};
use image::RgbImage;

use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer};
use crate::motion::magnify::{EvmStep, level_sizes};

const LABEL: &str = "motion.magnify";

/// Levels below the picture that the kernel can hold: sides beyond 100,000 px.
pub const MOST_LEVELS: usize = 16;

/// A level of at most so many pixels, and all coarser ones, go to one workgroup.
const TAIL_PIXELS: usize = 2048;

/// One level of the pyramid; `struct Level` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct LevelUniform {
    pub width: u32,
    pub height: u32,
    pub offset: u32,
    pub alpha: f32,
}

/// The kernels' parameters; `struct Magnify` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct MagnifyUniform {
    pub width: u32,
    pub height: u32,
    pub levels: u32,
    pub start: u32,
    pub fast: f32,
    pub slow: f32,
    pub spare: [u32; 2],
    pub chroma: [[f32; 4]; 3],
    pub level: [LevelUniform; MOST_LEVELS],
}

/// The shader as it is compiled.
#[must_use]
pub fn shader_source() -> String {
    include_str!("../../../shaders/magnify.wgsl").to_owned()
}

/// Magnifies pictures of one size.
#[derive(Debug)]
pub struct GpuEvm {
    context: GpuContext,
    readback: Readback,
    uniform: MagnifyUniform,
    params: wgpu::Buffer,
    picture: wgpu::Buffer,
    magnified: wgpu::Buffer,
    /// In the order in which one frame runs them.
    runs: Vec<Run>,
    /// Red, green, blue and full opacity of the picture on its way to the card.
    packed: Vec<u8>,
    fresh: bool,
}

#[derive(Debug)]
struct Run {
    kernel: std::sync::Arc<Kernel>,
    bindings: wgpu::BindGroup,
    workgroups: [u32; 3],
}

impl GpuEvm {
    /// # Errors
    /// When the adapter refuses a kernel or the picture does not fit.
    pub fn new(context: &GpuContext, width: u32, height: u32) -> Result<Self, GpuError> {
        let plan = Plan::new(width as usize, height as usize);
        let pixels = width as usize * height as usize;
        let picture = buffer::storage::<u32>(context, LABEL, pixels)?;
        let magnified = buffer::storage::<u32>(context, LABEL, pixels)?;
        let params = buffer::uniform::<MagnifyUniform>(context, LABEL);
        let runs = plan.runs(context, &params, &picture, &magnified)?;
        Ok(Self {
            readback: Readback::new(LABEL),
            uniform: plan.uniform,
            params,
            picture,
            magnified,
            runs,
            packed: vec![255; 4 * pixels],
            fresh: true,
            context: context.clone(),
        })
    }

    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.uniform.width, self.uniform.height)
    }

    /// The next picture is the first.
    pub fn restart(&mut self) {
        self.fresh = true;
    }

    /// The result on the card: 8-bit red, green, blue and 255, row by row.
    #[must_use]
    pub fn magnified(&self) -> &wgpu::Buffer {
        &self.magnified
    }

    /// Takes the next picture, which must have this [`GpuEvm::size`], and gives it
    /// magnified; the first after a restart as it is.
    ///
    /// # Errors
    /// When the device was lost.
    ///
    /// # Panics
    /// On a picture of another size: a programming error.
    pub fn push(&mut self, picture: &RgbImage, step: &EvmStep) -> Result<RgbImage, GpuError> {
        let first = self.fresh;
        let encoder = self.record(picture, step);
        if first {
            self.context.queue.submit([encoder.finish()]);
            return Ok(picture.clone());
        }
        self.submit(encoder);
        self.wait()
    }

    /// Submits what [`GpuEvm::record`] recorded, without waiting; the result comes
    /// with [`GpuEvm::wait`].
    pub fn submit(&mut self, mut encoder: wgpu::CommandEncoder) {
        let bytes = self.magnified.size();
        (self.readback).record(&self.context, &mut encoder, &self.magnified, bytes, 0);
        self.context.queue.submit([encoder.finish()]);
        self.readback.start();
    }

    /// The oldest picture submitted, magnified; waits for it without holding up
    /// a window that shares the device.
    ///
    /// # Errors
    /// When the device was lost or stays silent for a minute, and when nothing is on
    /// its way.
    pub fn wait(&mut self) -> Result<RgbImage, GpuError> {
        let lost = || GpuError::Readback {
            label: LABEL.to_owned(),
            reason: "nothing is on its way".to_owned(),
        };
        let found = self.readback.patiently(&self.context)?;
        let (_, words) = found.ok_or_else(lost)?;
        let (width, height) = self.size();
        Ok(super::unpacked(&words, width, height))
    }

    /// Uploads the picture and records one frame; the result is in
    /// [`GpuEvm::magnified`] once the encoder was submitted. Other work on the device
    /// can follow in the same encoder.
    ///
    /// # Panics
    /// On a picture of another size or a step made for another: a programming error.
    pub fn record(&mut self, picture: &RgbImage, step: &EvmStep) -> wgpu::CommandEncoder {
        assert_eq!(picture.dimensions(), self.size(), "one size");
        let levels = self.uniform.levels as usize;
        assert_eq!(step.level_alphas.len(), levels + 1, "levels");
        let queue = &self.context.queue;
        let mut uniform = self.uniform;
        uniform.start = u32::from(std::mem::take(&mut self.fresh));
        (uniform.fast, uniform.slow) = (step.fast, step.slow);
        for (row, given) in uniform.chroma.iter_mut().zip(step.chroma) {
            row[..3].copy_from_slice(&given);
        }
        for (level, alpha) in uniform.level.iter_mut().zip(&step.level_alphas[1..]) {
            level.alpha = *alpha;
        }
        if uniform != self.uniform {
            queue.write_buffer(&self.params, 0, bytemuck::bytes_of(&uniform));
            self.uniform = uniform;
        }
        let (source, _) = picture.as_raw().as_chunks::<3>();
        let (packed, _) = self.packed.as_chunks_mut::<4>();
        for (to, [r, g, b]) in packed.iter_mut().zip(source) {
            *to = [*r, *g, *b, 255];
        }
        queue.write_buffer(&self.picture, 0, &self.packed);
        let mut encoder = (self.context.device)
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(LABEL) });
        for run in &self.runs {
            run.kernel
                .record(&mut encoder, &run.bindings, run.workgroups);
        }
        encoder
    }
}

/// The pyramid's layout in the buffers.
struct Plan {
    uniform: MagnifyUniform,
    /// Pixels of all levels.
    pixels: usize,
    /// The first level of those that one workgroup works on.
    tail: usize,
}

impl Plan {
    fn new(width: usize, height: usize) -> Self {
        let mut uniform = MagnifyUniform::zeroed();
        (uniform.width, uniform.height) = (width as u32, height as u32);
        let sizes = level_sizes(width, height);
        let mut pixels = 0;
        let mut tail = sizes.len() - 1;
        for (at, (width, height)) in sizes.into_iter().skip(1).take(MOST_LEVELS).enumerate() {
            uniform.level[at] = LevelUniform {
                width: width as u32,
                height: height as u32,
                offset: pixels as u32,
                alpha: 0.0,
            };
            // The picture's own halving is never part of it.
            if at > 0 && width * height <= TAIL_PIXELS {
                tail = tail.min(at);
            }
            pixels += width * height;
            uniform.levels += 1;
        }
        Self {
            uniform,
            pixels,
            tail,
        }
    }

    fn runs(
        &self,
        context: &GpuContext,
        params: &wgpu::Buffer,
        picture: &wgpu::Buffer,
        magnified: &wgpu::Buffer,
    ) -> Result<Vec<Run>, GpuError> {
        let source = shader_source();
        let kernel = |entry| Kernel::new(context, LABEL, &source, entry).map(std::sync::Arc::new);
        let state = || buffer::storage::<[f32; 4]>(context, LABEL, self.pixels);
        let (blurred, fast, slow, change) = (state()?, state()?, state()?, state()?);
        let (levels, tail) = (self.uniform.levels as usize, self.tail);
        let tiles = |width: u32, height: u32| [width.div_ceil(8), height.div_ceil(8), 1];
        let over = |at: usize| {
            let level = &self.uniform.level[at];
            tiles(level.width, level.height)
        };
        let current = |at: usize| {
            let current = buffer::uniform::<[u32; 4]>(context, LABEL);
            let which = [at as u32, 0, 0, 0];
            (context.queue).write_buffer(&current, 0, bytemuck::cast_slice(&which));
            current
        };
        let run = |kernel: &std::sync::Arc<Kernel>, buffers: &[&wgpu::Buffer], workgroups| Run {
            bindings: kernel.bind(context, buffers),
            kernel: std::sync::Arc::clone(kernel),
            workgroups,
        };
        let mut runs = Vec::new();
        let first = kernel("halve_picture")?;
        runs.push(run(&first, &[params, picture, &blurred], over(0)));
        if tail > 1 {
            let halve = kernel("halve")?;
            for at in 1..tail {
                runs.push(run(&halve, &[params, &current(at), &blurred], over(at)));
            }
        }
        // The residual at least.
        if tail < levels {
            let coarse = kernel("tail")?;
            let buffers = [params, &current(tail), &blurred, &fast, &slow, &change];
            runs.push(run(&coarse, &buffers, [1; 3]));
        }
        let filter = kernel("filter_level")?;
        for at in (0..tail.min(levels - 1)).rev() {
            let buffers = [params, &current(at), &blurred, &fast, &slow, &change];
            runs.push(run(&filter, &buffers, over(at)));
        }
        let compose = kernel("magnify")?;
        let buffers = [params, picture, &change, magnified];
        let whole = tiles(self.uniform.width, self.uniform.height);
        runs.push(run(&compose, &buffers, whole));
        Ok(runs)
    }
}
