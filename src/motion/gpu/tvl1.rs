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
//! and a halo ([`Plan`]). Linearisation, median and the enlargement from the level
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

use std::collections::VecDeque;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::base::Plane;
use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer, shader};
use crate::motion::Flow;
use crate::motion::pyramid::{Border, LARGEST_GAIN_CHANGE};
use crate::motion::tvl1::{Tvl1Params, check};

use super::GpuFlowError;
use super::plan::{DEPTH, Plan, Tile};
use super::pyramid::{GpuPyramid, PyramidKernels, PyramidShape, TapEntry, push_taps};

const LABEL: &str = "motion.tvl1";

/// Planes of a pair's fields: state twice, linearisation once.
const PLANES_PER_PAIR: usize = 16;

/// What a pair's report says before the iterations of its levels: whether it is
/// finished, and its steps.
const REPORT_HEAD: usize = 2;

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

const PROGRESS: &str = include_str!("../../../shaders/shared/tvl1_progress.wgsl");

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
    let text = include_str!("../../../shaders/tvl1.wgsl");
    let kernel = shader::unroll(text, "ROW", rows);
    let kernel = shader::unroll(&kernel, "SLOT", DEPTH);
    let kernel = shader::unroll(&kernel, "PART", threads_x * threads_y / DEPTH);
    shader::join(&[&sizes, shader::PLANES, PROGRESS], &kernel)
}

/// The shader that begins a batch, as it is compiled.
#[must_use]
pub fn begin_source() -> String {
    let kernel = include_str!("../../../shaders/tvl1_begin.wgsl");
    shader::join(&[PROGRESS], kernel)
}

/// The buffers of a batch of pairs of one size. Its flows stay on the card.
#[derive(Debug)]
pub struct FlowBatch {
    shape: Arc<PyramidShape>,
    pairs: usize,
    /// Pairs that the buffers hold; a batch of fewer leaves the rest alone.
    room: usize,
    plan: Plan,
    /// Steps recorded since the batch began, which also says whose turn it is to be
    /// read of the two `progress` buffers.
    recorded: usize,
    /// Steps that probably suffice.
    expected: usize,
    table: wgpu::Buffer,
    texels: wgpu::Buffer,
    result: wgpu::Buffer,
    begin: wgpu::BindGroup,
    steps: [wgpu::BindGroup; 2],
}

impl FlowBatch {
    /// For each pair the plane u and the plane v, f32, row by row; what comes after
    /// them is the batch's own.
    #[must_use]
    pub fn flows(&self) -> &wgpu::Buffer {
        &self.result
    }

    /// Width and height of the flows in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let (width, height, _) = self.shape.levels[0];
        (width, height)
    }

    /// Number of pairs.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// How the levels are tiled, and the most steps there can be.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The values of one flow.
    fn flow_values(&self) -> usize {
        let (width, height) = self.size();
        2 * width * height
    }

    fn report_length(&self) -> usize {
        REPORT_HEAD + self.shape.levels.len()
    }
}

/// The flows of a batch, back in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowsDone {
    /// As given to [`Tvl1Gpu::submit`].
    pub ticket: u64,
    pub flows: Vec<Flow>,
    /// Inner iterations of each pair on each level, finest first.
    pub iterations: Vec<Vec<u32>>,
    /// Steps the slowest pair needed.
    pub steps: usize,
    /// Steps that were recorded.
    pub dispatches: usize,
}

#[derive(Debug)]
struct InFlight {
    id: u64,
    ticket: u64,
    batch: Option<FlowBatch>,
    done: Option<FlowsDone>,
}

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

    /// Starts the flows of all pairs (of one size); they come through [`Self::poll`]
    /// or [`Self::wait`] with this `ticket`, in the order of submission. The pyramids
    /// may be recorded anew as soon as this returns.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn submit(
        &mut self,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
        ticket: u64,
    ) -> Result<(), GpuFlowError> {
        let encoder = self.encoder();
        self.submit_after(encoder, pairs, ticket).map(|_| ())
    }

    /// The oldest batch's flows if they have arrived; never waits.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn poll(&mut self) -> Result<Option<FlowsDone>, GpuError> {
        while let Some((id, values)) = self.readback.poll(&self.context)? {
            self.receive(id, &values)?;
        }
        Ok(self.take_front())
    }

    /// The oldest batch's flows, waiting for them: for headless work and tests.
    /// `None` when nothing is on its way.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn wait(&mut self) -> Result<Option<FlowsDone>, GpuError> {
        while self.in_flight.front().is_some_and(|f| f.done.is_none()) {
            self.receive_one()?;
        }
        Ok(self.take_front())
    }

    /// Batches that are still on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The flows of pairs of pictures (grey 0..255, all of one size), waiting for
    /// them: for headless work and tests. A picture that stands in several pairs is
    /// sent once.
    ///
    /// # Errors
    /// When the pictures differ in size, are too small, or do not fit the card.
    pub fn flows(&mut self, pairs: &[(&Plane, &Plane)]) -> Result<FlowsDone, GpuFlowError> {
        let Some((one, _)) = pairs.first() else {
            return Ok(FlowsDone {
                ticket: 0,
                flows: Vec::new(),
                iterations: Vec::new(),
                steps: 0,
                dispatches: 0,
            });
        };
        let size = (one.width, one.height);
        for plane in pairs.iter().flat_map(|(a, b)| [a, b]) {
            check(size, (plane.width, plane.height))?;
        }
        let mut planes: Vec<&Plane> = Vec::new();
        let mut indices = Vec::with_capacity(pairs.len());
        for &(a, b) in pairs {
            indices.push((place(&mut planes, a), place(&mut planes, b)));
        }
        let mut pyramids = std::mem::take(&mut self.own_pyramids);
        pyramids.retain(|p| p.size() == size);
        while pyramids.len() < planes.len() {
            pyramids.push(self.allocate_pyramid(size.0, size.1)?);
        }
        let mut encoder = self.encoder();
        for (plane, pyramid) in planes.iter().zip(&pyramids) {
            self.pyramids.upload(pyramid, plane)?;
            self.pyramids.record(&mut encoder, pyramid);
        }
        let on_card: Vec<_> = (indices.iter())
            .map(|&(a, b)| (&pyramids[a], &pyramids[b]))
            .collect();
        let id = self.submit_after(encoder, &on_card, 0)?;
        self.own_pyramids = pyramids;
        loop {
            let at = (self.in_flight.iter()).position(|f| f.id == id && f.done.is_some());
            let found = at.and_then(|at| self.in_flight.remove(at));
            if let Some(done) = found.and_then(|f| f.done) {
                return Ok(done);
            }
            self.receive_one()?;
        }
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some(LABEL) };
        self.context.device.create_command_encoder(&descriptor)
    }

    fn submit_after(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
        ticket: u64,
    ) -> Result<u64, GpuFlowError> {
        let mut batch = self.begin(&mut encoder, pairs)?;
        let steps = batch.expected;
        let id = self.next_id;
        self.next_id += 1;
        self.send(encoder, &mut batch, steps, id);
        self.in_flight.push_back(InFlight {
            id,
            ticket,
            batch: Some(batch),
            done: None,
        });
        Ok(id)
    }

    /// Records steps and the read-back and sends them off.
    fn send(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        batch: &mut FlowBatch,
        steps: usize,
        id: u64,
    ) {
        self.record_steps(&mut encoder, batch, steps);
        let result = &batch.result;
        let context = &self.context;
        self.readback
            .record(context, &mut encoder, result, result.size(), id);
        context.queue.submit([encoder.finish()]);
        self.readback.start();
    }

    fn receive_one(&mut self) -> Result<(), GpuError> {
        match self.readback.wait(&self.context)? {
            Some((id, values)) => self.receive(id, &values),
            None => Err(GpuError::Readback {
                label: LABEL.to_owned(),
                reason: "nothing is on its way".to_owned(),
            }),
        }
    }

    /// Takes a result in, or goes on where the steps were too few.
    fn receive(&mut self, id: u64, values: &[f32]) -> Result<(), GpuError> {
        let Some(at) = self.in_flight.iter().position(|f| f.id == id) else {
            return Ok(());
        };
        let Some(mut batch) = self.in_flight[at].batch.take() else {
            return Ok(());
        };
        let reports = values[batch.room * batch.flow_values()..]
            .chunks_exact(batch.report_length())
            .take(batch.pairs);
        let finished = reports.clone().all(|report| report[0] > 0.0);
        let most = batch.plan.most_steps;
        if !finished {
            if batch.recorded >= most {
                self.in_flight.remove(at);
                return Err(GpuError::Readback {
                    label: LABEL.to_owned(),
                    reason: format!("the flow was not finished after {most} steps"),
                });
            }
            let more = batch.expected.min(most - batch.recorded);
            let encoder = self.encoder();
            self.send(encoder, &mut batch, more, id);
            self.in_flight[at].batch = Some(batch);
            return Ok(());
        }
        let steps = reports.clone().map(|r| r[1] as usize).max().unwrap_or(0);
        // A quarter more than these needed; at once up, in halves down.
        let enough = steps + steps / 4 + 2;
        batch.expected = enough.max((enough + batch.expected) / 2).min(most);
        let (width, height) = batch.size();
        let plane = |values: &[f32]| Plane::from_vec(width, height, values.to_vec());
        let flows = values[..batch.pairs * batch.flow_values()]
            .chunks_exact(batch.flow_values())
            .map(|flow| Flow {
                u: plane(&flow[..width * height]),
                v: plane(&flow[width * height..]),
            });
        let in_flight = &mut self.in_flight[at];
        in_flight.done = Some(FlowsDone {
            ticket: in_flight.ticket,
            flows: flows.collect(),
            iterations: reports
                .map(|r| r[REPORT_HEAD..].iter().map(|&n| n as u32).collect())
                .collect(),
            steps,
            dispatches: batch.recorded,
        });
        self.spare.push(batch);
        Ok(())
    }

    fn take_front(&mut self) -> Option<FlowsDone> {
        self.in_flight.front().filter(|f| f.done.is_some())?;
        self.in_flight.pop_front().and_then(|f| f.done)
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
        let Some((_, kernel)) = self.steps.iter().find(|(t, _)| *t == batch.plan.tile) else {
            return;
        };
        let mut pass = Kernel::pass(encoder, LABEL);
        let groups = [batch.plan.most_tiles() as u32, batch.pairs as u32, 1];
        let range = batch.recorded..batch.recorded + steps;
        let bindings = range.map(|step| &batch.steps[step % 2]);
        kernel.dispatch_each(&mut pass, bindings, groups);
        batch.recorded += steps;
    }

    /// A spare batch of this shape, or a new one.
    fn fetch(&mut self, shape: &Arc<PyramidShape>, pairs: usize) -> Result<FlowBatch, GpuError> {
        let fits = |b: &FlowBatch| b.room >= pairs && b.shape == *shape;
        if let Some(at) = self.spare.iter().position(fits) {
            let mut batch = self.spare.swap_remove(at);
            batch.pairs = pairs;
            return Ok(batch);
        }
        // What another size or a smaller number left behind is not kept.
        self.spare.clear();
        self.build(shape, pairs)
    }

    fn build(&self, shape: &Arc<PyramidShape>, pairs: usize) -> Result<FlowBatch, GpuError> {
        let context = &self.context;
        let params = &self.params;
        let sizes: Vec<_> = shape.levels.iter().map(|&(w, h, _)| (w, h)).collect();
        let plan = match self.forced {
            Some((tile, halo)) => Plan::fixed(&sizes, params, tile, halo),
            None => {
                let tiles: Vec<_> = self.steps.iter().map(|(tile, _)| *tile).collect();
                Plan::new(&sizes, pairs, params, &tiles, context.is_software())
                    .expect("there is a tile, as `new` has seen to")
            }
        };
        let (width, height) = sizes[0];
        let plane = width.div_ceil(4) * height;
        let report = 2 * width * height * pairs;
        let report_length = REPORT_HEAD + sizes.len();
        let solver = SolverUniform {
            reach: params.lambda * params.theta,
            theta: params.theta,
            dual_step: params.tau / params.theta,
            enlargement: 1.0 / params.scale_step,
            levels: sizes.len() as u32,
            outer: params.outer_iterations as u32,
            inner: params.inner_iterations as u32,
            median: u32::from(params.median),
            replicate: u32::from(params.border == Border::Replicate),
            most_tiles: plan.most_tiles() as u32,
            pairs: pairs as u32,
            plane: plane as u32,
            report: report as u32,
            report_length: report_length as u32,
        };
        let begin = BeginUniform {
            pyramid: shape.texels as u32,
            levels: sizes.len() as u32,
            equalise: u32::from(params.equalise),
            largest_change: LARGEST_GAIN_CHANGE,
            report: report as u32,
            report_length: report_length as u32,
        };
        let (levels, taps) = self.level_table(shape, &plan);

        let solver_room = buffer::uniform::<SolverUniform>(context, LABEL);
        let begin_room = buffer::uniform::<BeginUniform>(context, LABEL);
        let level_room = buffer::storage::<LevelEntry>(context, LABEL, levels.len())?;
        let tap_room = buffer::storage::<TapEntry>(context, LABEL, taps.len().max(1))?;
        let queue = &context.queue;
        queue.write_buffer(&solver_room, 0, bytemuck::bytes_of(&solver));
        queue.write_buffer(&begin_room, 0, bytemuck::bytes_of(&begin));
        queue.write_buffer(&level_room, 0, bytemuck::cast_slice(&levels));
        queue.write_buffer(&tap_room, 0, bytemuck::cast_slice(&taps));

        let table = buffer::storage::<[u32; 2]>(context, LABEL, pairs)?;
        let texels = buffer::storage::<[f32; 4]>(context, LABEL, 2 * pairs * shape.texels)?;
        let before = buffer::storage::<Progress>(context, LABEL, pairs)?;
        let after = buffer::storage::<Progress>(context, LABEL, pairs)?;
        let vectors = PLANES_PER_PAIR * plane * pairs;
        let fields = buffer::storage::<[f32; 4]>(context, LABEL, vectors)?;
        let sums = 2 * pairs * plan.most_tiles() * DEPTH;
        let changes = buffer::storage::<f32>(context, LABEL, sums)?;
        let result = buffer::storage::<f32>(context, LABEL, report + pairs * report_length)?;

        let begin = [&begin_room, &table, &texels, &before, &result];
        let step = |from: &wgpu::Buffer, to: &wgpu::Buffer| {
            let kernel = self.steps.iter().find(|(tile, _)| *tile == plan.tile);
            let (_, kernel) = kernel.expect("plans use tiles that were compiled");
            let bound = [
                &solver_room,
                &level_room,
                &tap_room,
                &texels,
                from,
                to,
                &fields,
                &changes,
                &result,
            ];
            kernel.bind(context, &bound)
        };
        Ok(FlowBatch {
            shape: Arc::clone(shape),
            pairs,
            room: pairs,
            recorded: 0,
            expected: (plan.most_steps / 4).max(8).min(plan.most_steps),
            begin: self.begin.bind(context, &begin),
            steps: [step(&before, &after), step(&after, &before)],
            plan,
            table,
            texels,
            result,
        })
    }

    fn level_table(&self, shape: &PyramidShape, plan: &Plan) -> (Vec<LevelEntry>, Vec<TapEntry>) {
        let mut taps = Vec::new();
        let epsilon = self.params.epsilon;
        let levels = shape.levels.iter().zip(&plan.levels).enumerate();
        let entries = levels.map(|(n, (&(width, height, start), tiles))| {
            // The coarsest level starts from rest and needs no taps.
            let mut enlarge = |from: Option<usize>, to: usize| match from {
                Some(from) => push_taps(&mut taps, from, to, from as f64 / to as f64),
                None => 0,
            };
            let coarser = shape.levels.get(n + 1);
            LevelEntry {
                width: width as u32,
                height: height as u32,
                pitch: width.div_ceil(4) as u32,
                texels: start as u32,
                taps_x: enlarge(coarser.map(|c| c.0), width),
                taps_y: enlarge(coarser.map(|c| c.1), height),
                tiles_x: tiles.tiles_x as u32,
                tiles_y: tiles.tiles_y as u32,
                halo: tiles.halo as u32,
                enough: epsilon * epsilon * (width * height) as f32,
                warps: self.params.warps_at(n, shape.levels.len()) as u32,
            }
        });
        (entries.collect(), taps)
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
