//! Motion on the graphics card: pyramids, TV-L1 flow and strain that stay there, and
//! magnification. Each kernel has its twin in [`crate::motion::cpu`] or beside it.
//!
//! Flow of a pair, from pictures in memory to planes in memory:
//! [`Tvl1Gpu::flows`]. For work that goes on while the card computes: make each
//! frame's [`GpuPyramid`] once, [`Tvl1Gpu::submit`] its pairs, and take the results
//! with [`Tvl1Gpu::poll`]. For kernels that follow on the card: [`Tvl1Gpu::record`].

pub mod glmm;
pub mod magnify;
mod plan;
pub mod pyramid;
pub mod roi;
pub mod strain;
pub mod tvl1;

pub use plan::{Plan, Tile};
pub use pyramid::{GpuPyramid, PyramidKernels};
pub use strain::StrainKernels;
pub use tvl1::{FlowBatch, FlowsDone, Tvl1Gpu};

use image::RgbImage;

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

/// A picture from its read-back: red in each word's first byte, green, blue.
fn unpacked(words: &[f32], width: u32, height: u32) -> RgbImage {
    let mut picture = RgbImage::new(width, height);
    let (pixels, _) = picture.as_chunks_mut::<3>();
    for (pixel, word) in pixels.iter_mut().zip(words) {
        // The read-back carries 32-bit words of any kind.
        let [r, g, b, _] = word.to_ne_bytes();
        *pixel = [r, g, b];
    }
    picture
}
