//! What an analysis needs and several can share: loaded once, passed as a value.

use std::sync::Arc;

use super::device::{self, Sides};
use super::{Params, SessionError};
use crate::face::LandmarkPredictor;
use crate::gpu::{GpuContext, GpuError};
use crate::motion::engine::FlowEngine;
use crate::motion::tvl1::Tvl1Preset;

/// The landmark model and where the arithmetic runs.
#[derive(Debug, Clone)]
pub struct Resources {
    pub landmarks: Arc<LandmarkPredictor>,
    pub sides: Sides,
}

impl Resources {
    /// Loads what `params` ask for, with a device of its own where a card is used.
    ///
    /// # Errors
    /// When the landmark model is missing or damaged, when a GPU is demanded and
    /// there is none, or when it cannot run the networks.
    pub fn load(params: &Params) -> Result<Self, SessionError> {
        Self::load_on(params, GpuContext::headless)
    }

    /// The same with the device that `gpu` gives: a window's own.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_on(
        params: &Params,
        gpu: impl FnOnce() -> Result<GpuContext, GpuError>,
    ) -> Result<Self, SessionError> {
        let choice = device::allowed(params.device, params.flow)?;
        let networks = params.has_network();
        let sides = Sides::choose(choice, networks, gpu)?;
        log::info!("the analysis runs on {}: {}", sides.name(), sides.reason);
        Ok(Self {
            landmarks: Arc::new(LandmarkPredictor::find(params.landmarks.as_deref())?),
            sides,
        })
    }

    /// What computes flow for one analysis.
    ///
    /// # Errors
    /// When the card refuses a kernel.
    pub fn flow_engine(&self, preset: Tvl1Preset) -> Result<FlowEngine, GpuError> {
        device::flow_engine(preset, self.sides.card.as_ref())
    }
}
