//! The graphics card for our own kernels: one device, WGSL compute kernels,
//! buffers, and read-backs that never hold up the window.
//!
//! A [`GpuContext`] is a value that is passed, never a global. Each kernel bears
//! one name everywhere: `shaders/bandpass.wgsl`, `motion/bandpass.rs`, its CPU twin
//! `motion/cpu/bandpass.rs`, its label `motion.bandpass` and its test.

pub mod buffer;
pub mod context;
pub mod kernel;
pub mod readback;
pub mod shader;
pub mod timing;

pub use context::{GpuContext, device_descriptor};
pub use kernel::Kernel;
pub use readback::Readback;
pub use timing::GpuTimer;

/// What can go wrong between us and the adapter.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    #[error(
        "No graphics adapter was found ({reason}). Compute on the processor with --device cpu, or install the graphics card's Vulkan driver (on Debian: mesa-vulkan-drivers)"
    )]
    NoAdapter { reason: String },
    #[error(
        "The adapter {adapter} cannot run compute shaders. Compute on the processor with --device cpu, update the graphics driver, or choose another adapter with WGPU_BACKEND"
    )]
    NoCompute { adapter: String },
    #[error(
        "The adapter {adapter} refused a device ({reason}). Update the graphics driver, or compute on the processor with --device cpu"
    )]
    NoDevice { adapter: String, reason: String },
    #[error(
        "The kernel {label} does not work on this adapter: {reason}. Compute on the processor with --device cpu"
    )]
    Kernel { label: String, reason: String },
    #[error(
        "The adapter has no room for {bytes} bytes in one piece ({label}; at most {limit}). Use smaller pictures, or compute on the processor with --device cpu"
    )]
    TooLarge {
        label: String,
        bytes: u64,
        limit: u64,
    },
    #[error(
        "The graphics card did not return its result ({label}: {reason}). Compute on the processor with --device cpu"
    )]
    Readback { label: String, reason: String },
    #[error(
        "The graphics card did not finish its work ({label}: {reason}). Update its driver, or choose another adapter with WGPU_BACKEND"
    )]
    Silent { label: String, reason: String },
}
