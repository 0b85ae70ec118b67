//! What an analysis needs and several can share: loaded once, passed as a value.

use std::sync::Arc;

use super::params::DeviceChoice;
use super::{Params, SessionError};
use crate::face::LandmarkPredictor;
use crate::gpu::GpuContext;
use crate::nn::device::NnDevice;

/// The landmark model and where the arithmetic runs. Flow runs on the processor,
/// networks where asked.
#[derive(Debug, Clone)]
pub struct Resources {
    pub landmarks: Arc<LandmarkPredictor>,
    pub network: NnDevice,
}

impl Resources {
    /// Loads what `params` ask for. `auto` takes the processor: one SOFTNet score
    /// takes less time there than on a software adapter, and a graphics card's
    /// start-up costs seconds.
    ///
    /// # Errors
    /// When the landmark model is missing or damaged, when a GPU is demanded and
    /// there is none, or when it cannot run the networks.
    pub fn load(params: &Params) -> Result<Self, SessionError> {
        let landmarks = Arc::new(LandmarkPredictor::find(params.landmarks.as_deref())?);
        let network = match params.device {
            DeviceChoice::Auto | DeviceChoice::Cpu => NnDevice::flex(),
            DeviceChoice::Gpu => NnDevice::wgpu(&GpuContext::headless()?)?,
        };
        Ok(Self { landmarks, network })
    }
}
