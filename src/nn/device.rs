//! Where networks run: on the processor (Burn's Flex) or on the shared graphics
//! device. The only file that names Burn's wgpu set-up.

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;

use crate::gpu::GpuContext;

#[derive(Debug, thiserror::Error)]
pub enum NnDeviceError {
    #[error(
        "The networks cannot run on {adapter}: {reason}. Run them on the processor with --device cpu"
    )]
    Refused { adapter: String, reason: String },
    #[error(
        "The networks already run on {adapter}; the device that was registered first has to be used again"
    )]
    Registered { adapter: String },
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

    /// The graphics device that the window and our kernels use. Register once and
    /// clone the value: a second registration would start a second server.
    ///
    /// # Errors
    /// [`NnDeviceError::Registered`] on a second call for the same device, and
    /// [`NnDeviceError::Refused`] when Burn does not accept it.
    pub fn wgpu(context: &GpuContext) -> Result<Self, NnDeviceError> {
        let adapter = context.name();
        if !context.claim_networks() {
            return Err(NnDeviceError::Registered { adapter });
        }
        let setup = WgpuSetup {
            instance: context.instance.clone(),
            adapter: context.adapter.clone(),
            device: context.device.clone(),
            queue: context.queue.clone(),
            backend: context.info.backend,
        };
        let device = Device::wgpu_options().setup(setup).init();
        context.log_uncaptured_errors();
        match device {
            Ok(device) => Ok(Self {
                device,
                name: adapter,
            }),
            Err(error) => Err(NnDeviceError::Refused {
                adapter,
                reason: error.to_string(),
            }),
        }
    }

    /// Burn's handle, for models to put their tensors on.
    #[must_use]
    pub fn handle(&self) -> &Device {
        &self.device
    }

    /// As the status strip and result files name it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
