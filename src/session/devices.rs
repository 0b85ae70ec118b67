//! Where the arithmetic of this process runs, decided once and passed as a value.

use super::SessionError;
use super::params::DeviceChoice;
use crate::gpu::GpuContext;
use crate::nn::device::NnDevice;

/// Flow runs on the processor; the networks where asked.
pub struct Devices {
    pub gpu: Option<GpuContext>,
    pub network: NnDevice,
}

impl Devices {
    /// `auto` takes the processor: one SOFTNet score takes about 3 ms there, less
    /// than a software adapter's 16, and a graphics card's start-up costs seconds.
    ///
    /// # Errors
    /// When a GPU is demanded and there is none, or it cannot run the networks.
    pub fn choose(choice: DeviceChoice) -> Result<Self, SessionError> {
        match choice {
            DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Gpu => {
                let gpu = GpuContext::headless()?;
                let network = NnDevice::wgpu(&gpu)?;
                Ok(Self { gpu: Some(gpu), network })
            }
        }
    }

    #[must_use]
    pub fn cpu() -> Self {
        Self { gpu: None, network: NnDevice::flex() }
    }
}
