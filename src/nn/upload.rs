//! From a buffer of our kernels to a network's input by one copy on the card:
//! nothing passes through the processor's memory.
//!
//! Burn's runtime keeps a queue of work of its own on the shared device and hands
//! the same memory out again and again. So what it has queued is submitted first,
//! then the copy; what the network does with the tensor comes later on the same
//! wgpu queue and therefore after the copy.

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::Tensor;
use cubecl::wgpu::{AutoCompiler, WgpuServer};

use super::NnDevice;
use crate::gpu::GpuContext;

/// Why a buffer could not become a tensor.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(
        "The networks do not run on the graphics card that holds their input. Compute on the processor with --device cpu"
    )]
    OtherDevice,
    #[error(
        "The buffer holds {found} bytes and the network's input needs {wanted}: this is a fault of the program, please report it"
    )]
    TooShort { found: u64, wanted: u64 },
    #[error(
        "The graphics card has no room for the network's input ({reason}). Compute on the processor with --device cpu"
    )]
    Runtime { reason: String },
}

/// A tensor with the first `shape` values (f32) of `source` from byte `offset` on.
///
/// `context` must be the device that `device` was registered with.
///
/// # Errors
/// When the networks run elsewhere, the buffer is too short, or the runtime fails.
pub fn tensor_from_buffer<const D: usize>(
    context: &GpuContext,
    device: &NnDevice,
    source: &wgpu::Buffer,
    offset: u64,
    shape: [usize; D],
) -> Result<Tensor<D>, UploadError> {
    let bytes = (shape.iter().product::<usize>() * size_of::<f32>()) as u64;
    if offset + bytes > source.size() {
        return Err(UploadError::TooShort {
            found: source.size().saturating_sub(offset),
            wanted: bytes,
        });
    }
    let tensor = Tensor::<D>::empty(shape, device.handle());
    let DispatchTensorKind::Cube(BackendTensor::Float(cube)) = tensor.clone().into_dispatch().kind
    else {
        return Err(UploadError::OtherDevice);
    };
    let failed = |reason: &dyn std::fmt::Display| UploadError::Runtime {
        reason: reason.to_string(),
    };
    cube.client.flush().map_err(|e| failed(&e))?;
    let room = cube
        .client
        .get_resource::<WgpuServer<AutoCompiler>>(cube.handle.clone())
        .map_err(|e| failed(&e))?;
    let target = room.resource();
    let mut encoder = context
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("nn.upload"),
        });
    encoder.copy_buffer_to_buffer(source, offset, &target.buffer, target.offset, bytes);
    context.queue.submit([encoder.finish()]);
    Ok(tensor)
}
