//! Where networks run: on the processor (Burn's Flex) or on the shared graphics
//! device. The only file that names Burn's wgpu set-up.

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;

use crate::gpu::GpuContext;

#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "The networks cannot run on {adapter}: {reason}. Run them on the processor with --device cpu"
)]
pub struct NnDeviceError {
    adapter: String,
    reason: String,
}

/// A device for networks, cheap to clone.
#[derive(Debug, Clone)]
pub struct NnDevice {
    device: Device,
    name: String,
}

impl NnDevice {
    /// The processor: pure Rust, the same bytes every time.
    #[must_use]
    pub fn flex() -> Self {
        Self {
            device: Device::flex(),
            name: "processor (Flex)".to_owned(),
        }
    }

    /// The graphics device that the window and our kernels use. Registered at the
    /// first call; every call on one device gives the same answer.
    ///
    /// # Errors
    /// When Burn does not accept the device.
    pub fn wgpu(context: &GpuContext) -> Result<Self, NnDeviceError> {
        let registered = context.networks_or(|| Self::register(context));
        registered.unwrap_or_else(|| {
            Err(NnDeviceError {
                adapter: context.name(),
                reason: "another runtime holds the device".to_owned(),
            })
        })
    }

    fn register(context: &GpuContext) -> Result<Self, NnDeviceError> {
        let setup = WgpuSetup {
            instance: context.instance.clone(),
            adapter: context.adapter.clone(),
            device: context.device.clone(),
            queue: context.queue.clone(),
            backend: context.info.backend,
        };
        let device = Device::wgpu_options().setup(setup).init();
        context.log_uncaptured_errors();
        let name = context.name();
        match device {
            Ok(device) => Ok(Self { device, name }),
            Err(error) => Err(NnDeviceError {
                adapter: name,
                reason: error.to_string(),
            }),
        }
    }

    /// The same device, keeping what gradients need.
    #[must_use]
    pub fn for_training(&self) -> Self {
        Self {
            device: self.device.clone().autodiff(),
            name: self.name.clone(),
        }
    }

    /// Burn's handle, for models to put their tensors on.
    #[must_use]
    pub fn handle(&self) -> &Device {
        &self.device
    }

    /// As result files name it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
