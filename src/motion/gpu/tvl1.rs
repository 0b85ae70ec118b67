//! TV-L1 flow on the card: many inner iterations a dispatch, no word from the
//! processor in between.
//!
//! Kernels: `shaders/tvl1.wgsl`, begun by `shaders/tvl1_begin.wgsl`; CPU twin:
//! `src/motion/cpu/tvl1.rs`, whose results it gives up to rounding.
//!
//! **A step** is one dispatch over all pairs of a batch. Each workgroup holds a tile
//! of the pair's present level in registers, four pixels wide and a few high to a
//! thread, exchanges only the edges of those blocks through workgroup memory (two
//! barriers an iteration), and runs a block of inner iterations on its own pixels
//! and a halo ([`Plan`](super::Plan)). Linearisation, median and the enlargement from the level
//! above happen in the first step that needs them, with no dispatch of their own; a
//! level that fits one tile is done in one step.
//!
//! **Where a pair stands** is on the card ([`Progress`]): each step reads it, decides
//! from the last block's sums of squared changes whether the warp came to rest, and
//! goes on from there. If it came to rest inside a block, the block is repeated up to
//! that very iteration from the fields it began with (the fields are kept twice), so
//! the number of iterations is the twin's. Pairs of a batch advance independently,
//! and steps do not belong to a warp or a level: a warp that rests early costs no
//! empty dispatches. The commands are recorded beforehand, so how many steps are
//! needed is not known: [`Tvl1Gpu::record`] records the most there can be (surplus
//! ones return at once), [`Tvl1Gpu::submit`] somewhat more than the last pairs
//! needed and, in the rare case that they were too few, the rest when it is polled.
//!
//! At most one step a warp is such a repeat, and it is only as long as was needed.
//!
//! **Differences from the twin** come from the order in which the changes are summed
//! and from drivers that contract products and sums or round divisions otherwise.
//! Both are in the last bits, but the sum decides when to stop; where it passes the
//! bound within rounding, one iteration more or less moves the flow by up to ε. On
//! the reference pairs, with Mesa's llvmpipe, `exact`, `live` and `preview` make the
//! twin's number of iterations on every level and differ by at most 0.0002 px in the
//! mean and 0.002 px at the 99th percentile. `compat` differs by at most 0.013 and
//! 0.1 px: its black border has edges that the flow jumps over, so it does not even
//! agree with itself more closely when one bit changes.

mod batch;
mod in_flight;
mod layout;

use std::collections::VecDeque;

use crate::gpu::{GpuContext, GpuError, Kernel, Readback};
use crate::motion::tvl1::{Tvl1Params, check};

use super::GpuFlowError;
use super::plan::{DEPTH, Tile};
use super::pyramid::{GpuPyramid, PyramidKernels};

pub use batch::FlowBatch;
pub use in_flight::FlowsDone;
pub use layout::{BeginUniform, LevelEntry, Progress, SolverUniform, begin_source, shader_source};

use in_flight::InFlight;

const LABEL: &str = "motion.tvl1";

/// TV-L1 on the card with one set of parameters.
#[derive(Debug)]
pub struct Tvl1Gpu {
    context: GpuContext,
    params: Tvl1Params,
    pyramids: PyramidKernels,
    begin: Kernel,
    steps: Vec<(Tile, Kernel)>,
    /// Tile and halo that are used whatever they cost.
    forced: Option<(Tile, usize)>,
    readback: Readback,
    next_id: u64,
    in_flight: VecDeque<InFlight>,
    spare: Vec<FlowBatch>,
    /// For [`Self::flows`].
    own_pyramids: Vec<GpuPyramid>,
}

impl Tvl1Gpu {
    /// # Errors
    /// When the adapter refuses a kernel.
    pub fn new(context: &GpuContext, params: Tvl1Params) -> Result<Self, GpuError> {
        let limits = context.device.limits();
        let mut steps = Vec::new();
        for tile in [Tile::LARGE, Tile::SMALL] {
            if tile.fits(&limits) {
                let kernel = Kernel::new(context, LABEL, &shader_source(tile), "tvl1")?;
                steps.push((tile, kernel));
            }
        }
        if steps.is_empty() {
            let threads = Tile::SMALL.threads_x * Tile::SMALL.threads_y;
            return Err(GpuError::Kernel {
                label: LABEL.to_owned(),
                reason: format!(
                    "it needs workgroups of {threads} threads and {} bytes of memory",
                    Tile::SMALL.workgroup_bytes()
                ),
            });
        }
        Ok(Self {
            params: without_zeros(params),
            pyramids: PyramidKernels::new(context)?,
            begin: Kernel::new(context, "motion.tvl1.begin", &begin_source(), "tvl1_begin")?,
            steps,
            forced: None,
            readback: Readback::new(LABEL),
            next_id: 0,
            in_flight: VecDeque::new(),
            spare: Vec::new(),
            own_pyramids: Vec::new(),
            context: context.clone(),
        })
    }

    /// Uses this tile and this halo (a multiple of 4 from 4 to 16, less than half the
    /// tile) on every level instead of those that should be fastest: for measurements
    /// and tests. `None` when the adapter or the tile does not allow it.
    #[must_use]
    pub fn with_tiling(mut self, tile: Tile, halo: usize) -> Option<Self> {
        let side = tile.width().min(tile.height());
        let valid = halo > 0 && halo.is_multiple_of(4) && halo <= DEPTH && 2 * halo < side;
        if !valid || !self.steps.iter().any(|(t, _)| *t == tile) {
            return None;
        }
        self.forced = Some((tile, halo));
        self.spare.clear();
        Some(self)
    }

    /// The kernels that fill the pyramids of [`Self::allocate_pyramid`].
    #[must_use]
    pub fn pyramids(&self) -> &PyramidKernels {
        &self.pyramids
    }

    /// Room for a frame's pyramid, to be used again for later frames.
    ///
    /// # Errors
    /// When a side is below [`crate::motion::tvl1::SMALLEST_SIDE`] or the card has no
    /// room.
    pub fn allocate_pyramid(
        &mut self,
        width: usize,
        height: usize,
    ) -> Result<GpuPyramid, GpuFlowError> {
        check((width, height), (width, height))?;
        let Tvl1Params {
            scales, scale_step, ..
        } = self.params;
        Ok(self.pyramids.allocate(width, height, scales, scale_step)?)
    }

    /// Records the flows of all pairs (of one size), complete on the card when
    /// `encoder` is done. Hand the batch back with [`Self::release`] once the encoder
    /// was submitted and no later command needs the flows.
    ///
    /// # Errors
    /// When the pictures differ in size or the batch does not fit the card.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
    ) -> Result<FlowBatch, GpuFlowError> {
        let mut batch = self.begin(encoder, pairs)?;
        let most = batch.plan.most_steps;
        self.record_steps(encoder, &mut batch, most);
        Ok(batch)
    }

    /// Makes a batch's buffers available for as many later pairs of its size.
    pub fn release(&mut self, batch: FlowBatch) {
        self.spare.push(batch);
    }

    /// Copies the pairs' pyramids together and records the begin.
    fn begin(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
    ) -> Result<FlowBatch, GpuFlowError> {
        let limits = self.context.device.limits();
        let limit = limits.max_compute_workgroups_per_dimension as usize;
        let Some((one, _)) = pairs.first().filter(|_| pairs.len() <= limit) else {
            let pairs = pairs.len();
            return Err(GpuFlowError::NumberOfPairs { pairs, limit });
        };
        let shape = &one.shape;
        for pyramid in pairs.iter().flat_map(|(a, b)| [a, b]) {
            check(one.size(), pyramid.size())?;
            if pyramid.shape != *shape || !self.made(pyramid) {
                return Err(GpuFlowError::OtherPyramid);
            }
        }
        let mut batch = self.fetch(shape, pairs.len())?;
        batch.recorded = 0;
        let mut slots: Vec<&GpuPyramid> = Vec::new();
        let mut slot = |pyramid| place(&mut slots, pyramid) as u32;
        let table: Vec<[u32; 2]> = pairs.iter().map(|&(a, b)| [slot(a), slot(b)]).collect();
        let bytes = shape.bytes();
        for (pyramid, at) in slots.iter().zip(0u64..) {
            encoder.copy_buffer_to_buffer(&pyramid.texels, 0, &batch.texels, at * bytes, bytes);
        }
        let queue = &self.context.queue;
        queue.write_buffer(&batch.table, 0, bytemuck::cast_slice(&table));
        let mut pass = Kernel::pass(encoder, LABEL);
        let groups = [pairs.len() as u32, 1, 1];
        self.begin.dispatch(&mut pass, &batch.begin, groups);
        Ok(batch)
    }

    /// Whether a pyramid has the levels of this instance's parameters.
    fn made(&self, pyramid: &GpuPyramid) -> bool {
        let (width, height) = pyramid.size();
        let Tvl1Params {
            scales, scale_step, ..
        } = self.params;
        pyramid.shape.is(width, height, scales, scale_step)
    }

    fn record_steps(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        batch: &mut FlowBatch,
        steps: usize,
    ) {
        let mut pass = Kernel::pass(encoder, LABEL);
        let groups = [batch.plan.most_tiles() as u32, batch.pairs as u32, 1];
        let range = batch.recorded..batch.recorded + steps;
        let bindings = range.map(|step| &batch.steps[step % 2]);
        (self.step(batch.plan.tile)).dispatch_each(&mut pass, bindings, groups);
        batch.recorded += steps;
    }

    /// The step's kernel as it was compiled for `tile`.
    fn step(&self, tile: Tile) -> &Kernel {
        let found = self.steps.iter().find(|(compiled, _)| *compiled == tile);
        let (_, kernel) = found.expect("plans use tiles that were compiled");
        kernel
    }
}

/// Where nothing is to be iterated, one empty round says so.
fn without_zeros(params: Tvl1Params) -> Tvl1Params {
    if params.outer_iterations > 0 {
        return params;
    }
    Tvl1Params {
        outer_iterations: 1,
        inner_iterations: 0,
        ..params
    }
}

/// The place of `item` itself in the list, at the end if it was not there.
fn place<'a, T>(list: &mut Vec<&'a T>, item: &'a T) -> usize {
    let known = list.iter().position(|other| std::ptr::eq(*other, item));
    known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
