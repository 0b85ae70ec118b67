//! Buffers that kernels read and write, checked against the device's limits
//! before wgpu would refuse them.

use std::mem::size_of;

use super::{GpuContext, GpuError};

/// Room for `len` values that kernels read and write and that can be copied both
/// ways. It starts as zeros.
///
/// # Errors
/// [`GpuError::TooLarge`] when one binding cannot hold it.
pub fn storage<T: bytemuck::Pod>(
    context: &GpuContext,
    label: &'static str,
    len: usize,
) -> Result<wgpu::Buffer, GpuError> {
    let bytes = (len * size_of::<T>()) as u64;
    let limits = context.device.limits();
    let limit = limits
        .max_storage_buffer_binding_size
        .min(limits.max_buffer_size);
    if bytes > limit {
        return Err(GpuError::TooLarge {
            label: label.to_owned(),
            bytes,
            limit,
        });
    }
    Ok(context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    }))
}

/// Room for one parameter struct.
#[must_use]
pub fn uniform<T: bytemuck::Pod>(context: &GpuContext, label: &'static str) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: size_of::<T>() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
