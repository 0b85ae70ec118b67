//! Motion on the processor: the fallback without an adapter and the judge of the
//! kernels on the GPU.
//!
//! Loops are written over blocks of [`LANES`] neighbouring pixels so that the
//! compiler turns each into a few vector instructions; `multiversion` compiles
//! them for several instruction sets and picks one at run time. No version uses
//! fused multiply-add or approximate reciprocals and every sum has a fixed order,
//! so all of them, on any machine, give the same bits. (OpenCV's arithmetic, where
//! it is asked for, calls `mul_add`, which rounds the same with and without an
//! instruction for it.)

pub mod bandpass;
pub mod glmm;
mod iteration;
pub mod magnify;
mod median;
mod sweep;
pub(crate) mod tvl1;
mod warp;

/// Pixels handled together: one 512-bit, two 256-bit or four 128-bit registers.
pub(crate) const LANES: usize = 16;

/// One block of neighbouring pixels of a row.
type Block = [f32; LANES];

/// Row length in memory for `width` pixels: whole blocks, and at least one spare
/// pixel on the right, which stays zero and serves as the next row's left border.
pub(crate) fn row_stride(width: usize) -> usize {
    (width + 1).next_multiple_of(LANES)
}

/// A row, or any stretch of whole blocks, as blocks.
#[inline(always)]
fn blocks(values: &[f32]) -> &[Block] {
    values.as_chunks::<LANES>().0
}

#[inline(always)]
fn blocks_mut(values: &mut [f32]) -> &mut [Block] {
    values.as_chunks_mut::<LANES>().0
}
