//! Motion on the graphics card: pyramids, TV-L1 flow and strain that stay there.
//!
//! Flow of a pair, from pictures in memory to planes in memory:
//! [`Tvl1Gpu::flows`]. For work that goes on while the card computes: make each
//! frame's [`GpuPyramid`] once, [`Tvl1Gpu::submit`] its pairs, and take the results
//! with [`Tvl1Gpu::poll`]. For kernels that follow on the card: [`Tvl1Gpu::record`].

mod plan;
pub mod pyramid;
pub mod strain;
pub mod tvl1;

pub use plan::{Plan, Tile};
pub use pyramid::{GpuPyramid, PyramidKernels};
pub use strain::StrainKernels;
pub use tvl1::{FlowBatch, FlowsDone, Tvl1Gpu};

use crate::gpu::GpuError;

use super::tvl1::FlowError;

/// Why a flow could not be computed on the card.
#[derive(Debug, thiserror::Error)]
pub enum GpuFlowError {
    #[error(transparent)]
    Pictures(#[from] FlowError),
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(
        "Cannot compute the flow: a picture's pyramid was made with other settings. Make it with this instance's allocate_pyramid"
    )]
    OtherPyramid,
    #[error("Cannot compute {pairs} flows at once. Submit from 1 to {limit} pairs")]
    NumberOfPairs { pairs: usize, limit: usize },
}
