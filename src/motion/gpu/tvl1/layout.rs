//! What host and shaders of the flow share: the layouts of their buffers, and the
//! shaders as they are compiled.

use bytemuck::{Pod, Zeroable};

use crate::gpu::shader;
use crate::motion::gpu::plan::{DEPTH, Tile};

/// `struct Solver` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct SolverUniform {
    pub reach: f32,
    pub theta: f32,
    pub dual_step: f32,
    pub enlargement: f32,
    pub levels: u32,
    pub outer: u32,
    pub inner: u32,
    pub median: u32,
    pub replicate: u32,
    pub most_tiles: u32,
    pub pairs: u32,
    pub plane: u32,
    pub report: u32,
    pub report_length: u32,
}

/// `struct Level` in the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct LevelEntry {
    pub width: u32,
    pub height: u32,
    pub pitch: u32,
    pub texels: u32,
    pub taps_x: u32,
    pub taps_y: u32,
    pub tiles_x: u32,
    pub tiles_y: u32,
    pub halo: u32,
    pub enough: f32,
    pub warps: u32,
}

/// `struct Progress` in the shaders.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct Progress {
    pub level: u32,
    pub warp: u32,
    pub outer: u32,
    pub inner: u32,
    pub iterations: u32,
    pub parity: u32,
    pub settled: u32,
    pub finished: u32,
    pub steps: u32,
    pub first: u32,
    pub second: u32,
    pub gain: f32,
}

/// `struct Begin` in the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct BeginUniform {
    pub pyramid: u32,
    pub levels: u32,
    pub equalise: u32,
    pub largest_change: f32,
    pub report: u32,
    pub report_length: u32,
}

const PROGRESS: &str = include_str!("../../../../shaders/shared/tvl1_progress.wgsl");

/// The step's shader as it is compiled for `tile`.
#[must_use]
pub fn shader_source(tile: Tile) -> String {
    let Tile {
        threads_x,
        threads_y,
        rows,
    } = tile;
    let sizes = format!(
        "const THREADS_X: u32 = {threads_x}u;\nconst THREADS_Y: u32 = {threads_y}u;\nconst HEIGHT: u32 = {rows}u;"
    );
    let text = include_str!("../../../../shaders/tvl1.wgsl");
    let kernel = shader::unroll(text, "ROW", rows);
    let kernel = shader::unroll(&kernel, "SLOT", DEPTH);
    let kernel = shader::unroll(&kernel, "PART", threads_x * threads_y / DEPTH);
    shader::join(&[&sizes, shader::PLANES, PROGRESS], &kernel)
}

/// The shader that begins a batch, as it is compiled.
#[must_use]
pub fn begin_source() -> String {
    let kernel = include_str!("../../../../shaders/tvl1_begin.wgsl");
    shader::join(&[PROGRESS], kernel)
}
