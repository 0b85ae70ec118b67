//! Lagrangian magnification on the graphics card: the moved mesh is drawn by
//! triangles that claim the pixels they cover. CPU twin: [`crate::motion::cpu::glmm`].

use bytemuck::{Pod, Zeroable};
use image::RgbImage;

use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer};
use crate::motion::Flow;

const LABEL: &str = "motion.glmm";

/// Invocations of a workgroup that draw triangles.
const THREADS: usize = 64;
/// Workgroups in a row: devices allow 65,535 in each direction.
const ROW: usize = 1 << 15;

/// The kernels' parameters; `struct Glmm` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct GlmmUniform {
    pub width: u32,
    pub height: u32,
    pub rim: f32,
    pub spare: u32,
}

/// The shader as it is compiled.
#[must_use]
pub fn shader_source() -> String {
    include_str!("../../../shaders/glmm.wgsl").to_owned()
}

/// Bends pictures of one size.
#[derive(Debug)]
pub struct GpuWarp {
    context: GpuContext,
    readback: Readback,
    size: (u32, u32),
    params: wgpu::Buffer,
    moved: wgpu::Buffer,
    strength: wgpu::Buffer,
    owner: wgpu::Buffer,
    picture: wgpu::Buffer,
    warped: wgpu::Buffer,
    /// In the order in which they run, with the workgroups of each.
    runs: [(Kernel, wgpu::BindGroup, [u32; 3]); 3],
}

impl GpuWarp {
    /// # Errors
    /// When the adapter refuses a kernel or the picture does not fit.
    pub fn new(context: &GpuContext, width: u32, height: u32) -> Result<Self, GpuError> {
        let pixels = width as usize * height as usize;
        let params = buffer::uniform::<GlmmUniform>(context, LABEL);
        let moved = buffer::storage::<[f32; 2]>(context, LABEL, pixels)?;
        let words = || buffer::storage::<u32>(context, LABEL, pixels);
        let (strength, owner, picture, warped) = (words()?, words()?, words()?, words()?);
        let source = shader_source();
        let kernel = |entry| Kernel::new(context, LABEL, &source, entry);
        let triangles = 2 * (width as usize + 1) * (height as usize + 1);
        let groups = triangles.div_ceil(THREADS);
        let over_triangles = [groups.min(ROW) as u32, groups.div_ceil(ROW) as u32, 1];
        let cover = kernel("cover")?;
        let bound = cover.bind(context, &[&params, &moved, &strength]);
        let first = (cover, bound, over_triangles);
        let claim = kernel("claim")?;
        let bound = claim.bind(context, &[&params, &moved, &strength, &owner]);
        let second = (claim, bound, over_triangles);
        let look_up = kernel("glmm")?;
        let bound = look_up.bind(context, &[&params, &moved, &owner, &picture, &warped]);
        let third = (look_up, bound, [width.div_ceil(8), height.div_ceil(8), 1]);
        Ok(Self {
            readback: Readback::new(LABEL),
            size: (width, height),
            params,
            moved,
            strength,
            owner,
            picture,
            warped,
            runs: [first, second, third],
            context: context.clone(),
        })
    }

    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// `reference` with every pixel p moved to p + `moved`(p), in px (see
    /// [`crate::motion::glmm::displacement`]).
    ///
    /// # Errors
    /// When the device was lost.
    ///
    /// # Panics
    /// When the sizes differ: a programming error.
    pub fn warp(&mut self, reference: &RgbImage, moved: &Flow) -> Result<RgbImage, GpuError> {
        let encoder = self.record(reference, moved);
        self.submit(encoder);
        self.wait()
    }

    /// Uploads picture and displacements and records the kernels of [`GpuWarp::warp`];
    /// hand the encoder to [`GpuWarp::submit`] before the next is recorded.
    ///
    /// # Panics
    /// When the sizes differ: a programming error.
    pub fn record(&self, reference: &RgbImage, moved: &Flow) -> wgpu::CommandEncoder {
        let (width, height) = self.size;
        assert_eq!(reference.dimensions(), self.size, "one size");
        assert_eq!(
            (moved.u.width, moved.u.height),
            (width as usize, height as usize)
        );
        let (u, v) = (&moved.u.data, &moved.v.data);
        let furthest = u.iter().chain(v).fold(0.0f32, |m, d| m.max(d.abs()));
        let uniform = GlmmUniform {
            width,
            height,
            rim: furthest.ceil() + 1.0,
            spare: 0,
        };
        let queue = &self.context.queue;
        queue.write_buffer(&self.params, 0, bytemuck::bytes_of(&uniform));
        let pairs: Vec<[f32; 2]> = u.iter().zip(v).map(|(u, v)| [*u, *v]).collect();
        queue.write_buffer(&self.moved, 0, bytemuck::cast_slice(&pairs));
        let (pixels, _) = reference.as_raw().as_chunks::<3>();
        let packed: Vec<[u8; 4]> = pixels.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
        queue.write_buffer(&self.picture, 0, bytemuck::cast_slice(&packed));
        let mut encoder = (self.context.device)
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(LABEL) });
        encoder.clear_buffer(&self.strength, 0, None);
        encoder.clear_buffer(&self.owner, 0, None);
        for (kernel, bindings, workgroups) in &self.runs {
            kernel.record(&mut encoder, bindings, *workgroups);
        }
        encoder
    }

    /// Submits what [`GpuWarp::record`] recorded, without waiting; the result comes
    /// with [`GpuWarp::wait`].
    pub fn submit(&mut self, mut encoder: wgpu::CommandEncoder) {
        let bytes = self.warped.size();
        (self.readback).record(&self.context, &mut encoder, &self.warped, bytes, 0);
        self.context.queue.submit([encoder.finish()]);
        self.readback.start();
    }

    /// The oldest picture submitted, bent; waits for it without holding up a window
    /// that shares the device.
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
}
