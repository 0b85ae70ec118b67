//! Linearised Eulerian motion, as the learnable layer LED computes it (S0): a
//! temporal band-pass written as one matrix over a few frames, with
//! frame-difference normalisation.
//!
//! Column `t` of the matrix holds the weights of the frames `0..=t` in output `t`:
//! `α` times the difference of two first-order low-passes that start at frame 0.
//! Each column from 1 on sums to zero, so only what changed is seen. Kernel:
//! `shaders/bandpass.wgsl`; CPU twin: [`crate::motion::cpu::bandpass`].

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

use crate::base::Plane;
use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer, shader};

const LABEL: &str = "motion.bandpass";

/// Gain and the two low-pass coefficients, `r1` the faster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BandpassParams {
    pub alpha: f64,
    /// 0..1 a frame.
    pub r1: f64,
    /// 0..1 a frame, less than `r1`.
    pub r2: f64,
    /// Divide by `Σ|weight|·grey + 1`: the result then lies in −1..1 and hardly
    /// depends on the light. Grey values must run 0..255.
    pub normalise: bool,
}

impl Default for BandpassParams {
    /// Where LED starts learning: 10, 0.4, 0.05, normalised.
    fn default() -> Self {
        Self {
            alpha: 10.0,
            r1: 0.4,
            r2: 0.05,
            normalise: true,
        }
    }
}

impl BandpassParams {
    /// The matrix `W`, `[input frame, output frame]` row by row, upper triangular.
    /// `W[0, 0]` has no effect: output 0 is frame 0.
    #[must_use]
    pub fn weights(&self, frames: usize) -> Vec<f64> {
        // powi's rounding may differ between platforms; a plain product does not.
        let power = |base: f64, exponent: usize| (0..exponent).fold(1.0, |p, _| p * base);
        let mut weights = vec![0.0; frames * frames];
        for input in 0..frames {
            for output in input..frames {
                let age = output - input;
                weights[input * frames + output] = self.alpha
                    * if age == 0 {
                        self.r1 - self.r2
                    } else {
                        // Both filters start at the first frame, as if it had lasted for ever.
                        let low_pass =
                            |r: f64| power(1.0 - r, age) * if input == 0 { 1.0 } else { r };
                        low_pass(self.r1) - low_pass(self.r2)
                    };
            }
        }
        weights
    }

    pub(crate) fn weights_f32(&self, frames: usize) -> Vec<f32> {
        self.weights(frames).into_iter().map(|w| w as f32).collect()
    }
}

/// Frames that cannot be filtered together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameSizeError {
    #[error("The band-pass has no frame with pixels from frame {first} on: there are {frames}")]
    NoFrame { first: usize, frames: usize },
    #[error(
        "The band-pass needs frames of one size, but frame {frame} is {found_width}×{found_height} and frame {first} is {width}×{height}"
    )]
    Mixed {
        frame: usize,
        first: usize,
        found_width: usize,
        found_height: usize,
        width: usize,
        height: usize,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum BandpassError {
    #[error(transparent)]
    Frames(#[from] FrameSizeError),
    #[error(transparent)]
    Gpu(#[from] GpuError),
}

/// Width and height of all frames, of which those from `first` on are filtered.
pub(crate) fn common_size(
    frames: &[&Plane],
    first: usize,
) -> Result<(usize, usize), FrameSizeError> {
    let (width, height) = match frames.get(first) {
        Some(frame) if !frame.data.is_empty() => (frame.width, frame.height),
        _ => {
            let frames = frames.len();
            return Err(FrameSizeError::NoFrame { first, frames });
        }
    };
    match frames
        .iter()
        .position(|f| (f.width, f.height) != (width, height))
    {
        None => Ok((width, height)),
        Some(frame) => Err(FrameSizeError::Mixed {
            frame,
            first,
            found_width: frames[frame].width,
            found_height: frames[frame].height,
            width,
            height,
        }),
    }
}

/// The kernel's parameters; `struct Bandpass` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct BandpassUniform {
    pub width: u32,
    pub height: u32,
    pub frames: u32,
    pub first: u32,
    pub normalise: u32,
}

/// The shader as it is compiled, with the pieces it shares.
#[must_use]
pub fn shader_source() -> String {
    shader::join(
        &[shader::PLANES],
        include_str!("../../shaders/bandpass.wgsl"),
    )
}

/// The filter on the graphics card.
#[derive(Debug)]
pub struct BandpassKernel {
    context: GpuContext,
    kernel: Kernel,
    readback: Readback,
    buffers: Option<Buffers>,
}

#[derive(Debug)]
struct Buffers {
    /// Frames' size and number, and the first that is filtered.
    shape: [usize; 4],
    params: wgpu::Buffer,
    grey: wgpu::Buffer,
    weights: wgpu::Buffer,
    filtered: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl BandpassKernel {
    /// # Errors
    /// When the adapter refuses the kernel.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        Ok(Self {
            kernel: Kernel::new(context, LABEL, &shader_source(), "bandpass")?,
            readback: Readback::new(LABEL),
            buffers: None,
            context: context.clone(),
        })
    }

    /// Starts filtering; the result comes through [`Self::poll`] or [`Self::wait`]
    /// with this `ticket`, as the planes from `first` on, one after another.
    ///
    /// # Errors
    /// When the frames differ in size or do not fit the card.
    pub fn submit(
        &mut self,
        frames: &[&Plane],
        first: usize,
        params: &BandpassParams,
        ticket: u64,
    ) -> Result<(), BandpassError> {
        let (width, height) = common_size(frames, first)?;
        let outputs = frames.len() - first;
        let pixels = width * height;
        self.allocate([width, height, frames.len(), first])?;
        let Some(buffers) = &self.buffers else {
            return Ok(());
        };
        let queue = &self.context.queue;
        let uniform = BandpassUniform {
            width: width as u32,
            height: height as u32,
            frames: frames.len() as u32,
            first: first as u32,
            normalise: u32::from(params.normalise),
        };
        queue.write_buffer(&buffers.params, 0, bytemuck::bytes_of(&uniform));
        let weights = params.weights_f32(frames.len());
        queue.write_buffer(&buffers.weights, 0, bytemuck::cast_slice(&weights));
        for (frame, at) in frames.iter().zip(0u64..) {
            let offset = at * (pixels * size_of::<f32>()) as u64;
            queue.write_buffer(&buffers.grey, offset, bytemuck::cast_slice(&frame.data));
        }
        let mut encoder = self
            .context
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(LABEL) });
        let tiles = |length: usize| length.div_ceil(8) as u32;
        self.kernel.record(
            &mut encoder,
            &buffers.bindings,
            [tiles(width), tiles(height), outputs as u32],
        );
        self.readback.record(
            &self.context,
            &mut encoder,
            &buffers.filtered,
            buffers.filtered.size(),
            ticket,
        );
        queue.submit([encoder.finish()]);
        self.readback.start();
        Ok(())
    }

    /// How many results are still on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.readback.in_flight()
    }

    /// The oldest result if it has arrived; never waits.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn poll(&mut self) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        self.readback.poll(&self.context)
    }

    /// The oldest result, waiting for it: for headless work and tests.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn wait(&mut self) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        self.readback.wait(&self.context)
    }

    /// The oldest result, waited for beside a window on the same device; see
    /// [`Readback::patiently`].
    ///
    /// # Errors
    /// When the device was lost.
    pub fn patiently(&mut self) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        self.readback.patiently(&self.context)
    }

    fn allocate(&mut self, shape: [usize; 4]) -> Result<(), GpuError> {
        if self.buffers.as_ref().is_some_and(|b| b.shape == shape) {
            return Ok(());
        }
        let [width, height, frames, first] = shape;
        let context = &self.context;
        let params = buffer::uniform::<BandpassUniform>(context, LABEL);
        let grey = buffer::storage::<f32>(context, LABEL, width * height * frames)?;
        let weights = buffer::storage::<f32>(context, LABEL, frames * frames)?;
        let filtered = buffer::storage::<f32>(context, LABEL, width * height * (frames - first))?;
        let bindings = self
            .kernel
            .bind(context, &[&params, &grey, &weights, &filtered]);
        self.buffers = Some(Buffers {
            shape,
            params,
            grey,
            weights,
            filtered,
            bindings,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::cpu;

    fn crop(value: f32) -> Plane {
        Plane::filled(3, 2, value)
    }

    #[test]
    fn columns_after_the_first_sum_to_zero() {
        let weights = BandpassParams::default().weights(6);
        for output in 1..6 {
            let sum: f64 = (0..6).map(|input| weights[input * 6 + output]).sum();
            assert!(sum.abs() < 1e-12, "column {output}: {sum}");
        }
    }

    #[test]
    fn stillness_gives_nothing_and_frame_0_passes_through() {
        let frames = [&crop(90.0), &crop(90.0), &crop(90.0)];
        let maps = cpu::bandpass::bandpass(&frames, 0, &BandpassParams::default()).unwrap();
        assert_eq!(maps[0], crop(90.0));
        assert!(
            maps[1..]
                .iter()
                .all(|m| m.data.iter().all(|v| v.abs() < 1e-6))
        );
    }

    #[test]
    fn frames_of_different_sizes_are_refused() {
        let error = cpu::bandpass::bandpass(
            &[&crop(1.0), &Plane::zeros(5, 2)],
            0,
            &BandpassParams::default(),
        );
        assert!(matches!(error, Err(FrameSizeError::Mixed { frame: 1, .. })));
    }
}
