//! Luma and chroma to RGB on the card, for pictures that stay there. Kernel:
//! `shaders/yuv.wgsl`; CPU twin: [`super::to_rgb`], whose bytes it gives.

use bytemuck::{Pod, Zeroable};
use image::RgbImage;

use super::{Chroma, Coefficients, Samples, YuvError, YuvFormat};
use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer};

const LABEL: &str = "media.yuv";

/// `struct Yuv` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct YuvUniform {
    pub width: u32,
    pub height: u32,
    pub luma_row: u32,
    pub luma_step: u32,
    pub luma_start: u32,
    pub chroma_row: u32,
    pub chroma_step: u32,
    pub blue_start: u32,
    pub red_start: u32,
    pub chroma_width: u32,
    pub chroma_height: u32,
    pub halved_x: u32,
    pub halved_y: u32,
    pub interpolated: u32,
    pub black: i32,
    pub luma: i32,
    pub red_from_red: i32,
    pub green_from_blue: i32,
    pub green_from_red: i32,
    pub blue_from_blue: i32,
}

impl YuvUniform {
    fn of(format: &YuvFormat) -> Self {
        let samples = Samples::of(format);
        let coefficients = Coefficients::of(format);
        Self {
            width: format.width,
            height: format.height,
            luma_row: samples.luma_row as u32,
            luma_step: samples.luma_step as u32,
            luma_start: 0,
            chroma_row: samples.chroma_row as u32,
            chroma_step: samples.chroma_step as u32,
            blue_start: samples.blue_start as u32,
            red_start: samples.red_start as u32,
            chroma_width: samples.chroma_width as u32,
            chroma_height: samples.chroma_height as u32,
            halved_x: samples.halved[0],
            halved_y: samples.halved[1],
            interpolated: u32::from(format.chroma == Chroma::Interpolated),
            black: coefficients.black,
            luma: coefficients.luma,
            red_from_red: coefficients.red_from_red,
            green_from_blue: coefficients.green_from_blue,
            green_from_red: coefficients.green_from_red,
            blue_from_blue: coefficients.blue_from_blue,
        }
    }
}

/// The shader as it is compiled.
#[must_use]
pub fn shader_source() -> &'static str {
    include_str!("../../../shaders/yuv.wgsl")
}

/// Why a picture could not be converted on the card.
#[derive(Debug, thiserror::Error)]
pub enum YuvGpuError {
    #[error(transparent)]
    Picture(#[from] YuvError),
    #[error(transparent)]
    Gpu(#[from] GpuError),
}

/// The conversion on the card; its memory is kept from picture to picture.
#[derive(Debug)]
pub struct YuvKernel {
    context: GpuContext,
    kernel: Kernel,
    readback: Readback,
    params: wgpu::Buffer,
    room: Option<Room>,
}

#[derive(Debug)]
struct Room {
    format: YuvFormat,
    bytes: wgpu::Buffer,
    rgba: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl YuvKernel {
    /// # Errors
    /// When the adapter refuses the kernel.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        Ok(Self {
            kernel: Kernel::new(context, LABEL, shader_source(), "yuv")?,
            readback: Readback::new(LABEL),
            params: buffer::uniform::<YuvUniform>(context, LABEL),
            room: None,
            context: context.clone(),
        })
    }

    /// Records the conversion of one picture; the buffer returned holds a word a
    /// pixel, row by row (red lowest, green, blue, 255), and is used again for the
    /// next picture: submit before recording once more.
    ///
    /// # Errors
    /// When the buffer is too short, or the picture does not fit the card.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        picture: &[u8],
        format: &YuvFormat,
    ) -> Result<&wgpu::Buffer, YuvGpuError> {
        format.check(picture.len())?;
        let (context, kernel, params) = (&self.context, &self.kernel, &self.params);
        let queue = &context.queue;
        let kept = self.room.take().filter(|room| room.format == *format);
        let room = match kept {
            Some(room) => room,
            None => {
                let pixels = format.width as usize * format.height as usize;
                let bytes = buffer::storage::<u32>(context, LABEL, format.bytes().div_ceil(4))?;
                let rgba = buffer::storage::<u32>(context, LABEL, pixels)?;
                let bindings = kernel.bind(context, &[params, &bytes, &rgba]);
                queue.write_buffer(params, 0, bytemuck::bytes_of(&YuvUniform::of(format)));
                Room {
                    format: *format,
                    bytes,
                    rgba,
                    bindings,
                }
            }
        };
        // Uploads come in words; the last one may reach beyond the picture.
        let (words, rest) = picture[..format.bytes()].split_at(format.bytes() / 4 * 4);
        queue.write_buffer(&room.bytes, 0, words);
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            queue.write_buffer(&room.bytes, words.len() as u64, &last);
        }
        let tiles = |length: u32| length.div_ceil(16);
        kernel.record(
            encoder,
            &room.bindings,
            [tiles(format.width), tiles(format.height), 1],
        );
        Ok(&self.room.insert(room).rgba)
    }

    /// Starts a conversion that [`Self::wait`] brings home.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn submit(&mut self, picture: &[u8], format: &YuvFormat) -> Result<(), YuvGpuError> {
        let label = wgpu::CommandEncoderDescriptor { label: Some(LABEL) };
        let mut encoder = self.context.device.create_command_encoder(&label);
        self.record(&mut encoder, picture, format)?;
        if let Some(room) = &self.room {
            let bytes = room.rgba.size();
            // The size travels along: the next picture's may be another.
            let ticket = u64::from(format.width) << 32 | u64::from(format.height);
            self.readback
                .record(&self.context, &mut encoder, &room.rgba, bytes, ticket);
        }
        self.context.queue.submit([encoder.finish()]);
        self.readback.start();
        Ok(())
    }

    /// The oldest picture started, waiting for it: for headless work and tests.
    /// `None` when none is on its way.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn wait(&mut self) -> Result<Option<RgbImage>, GpuError> {
        let Some((size, words)) = self.readback.wait(&self.context)? else {
            return Ok(None);
        };
        // The read-back carries 32-bit words of any kind.
        let pixels = words.iter().flat_map(|w| {
            let [r, g, b, _] = w.to_ne_bytes();
            [r, g, b]
        });
        let (width, height) = ((size >> 32) as u32, size as u32);
        Ok(RgbImage::from_raw(width, height, pixels.collect()))
    }
}
