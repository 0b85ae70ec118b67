//! The buffers of a batch of pairs, and what is written to them once.

use std::sync::Arc;

use super::layout::{BeginUniform, LevelEntry, Progress, SolverUniform};
use super::{LABEL, Tvl1Gpu};
use crate::gpu::{GpuError, buffer};
use crate::motion::gpu::plan::{DEPTH, Plan};
use crate::motion::gpu::pyramid::{PyramidShape, TapEntry, push_taps};
use crate::motion::pyramid::{Border, LARGEST_GAIN_CHANGE};

/// Planes of a pair's fields: state twice, linearisation once.
const PLANES_PER_PAIR: usize = 16;

/// What a pair's report says before the iterations of its levels: whether it is
/// finished, and its steps.
pub(super) const REPORT_HEAD: usize = 2;

fn report_length(levels: usize) -> usize {
    REPORT_HEAD + levels
}

/// The buffers of a batch of pairs of one size. Its flows stay on the card.
#[derive(Debug)]
pub struct FlowBatch {
    pub(super) shape: Arc<PyramidShape>,
    pub(super) pairs: usize,
    /// Pairs that the buffers hold; a batch of fewer leaves the rest alone.
    pub(super) room: usize,
    pub(super) plan: Plan,
    /// Steps recorded since the batch began, which also says whose turn it is to be
    /// read of the two `progress` buffers.
    pub(super) recorded: usize,
    /// Steps that probably suffice.
    pub(super) expected: usize,
    pub(super) table: wgpu::Buffer,
    pub(super) texels: wgpu::Buffer,
    pub(super) result: wgpu::Buffer,
    pub(super) begin: wgpu::BindGroup,
    pub(super) steps: [wgpu::BindGroup; 2],
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
    pub(super) fn flow_values(&self) -> usize {
        let (width, height) = self.size();
        2 * width * height
    }

    /// The values of one pair's report.
    pub(super) fn report_length(&self) -> usize {
        report_length(self.shape.levels.len())
    }
}

impl Tvl1Gpu {
    /// A spare batch of this shape, or a new one.
    pub(super) fn fetch(
        &mut self,
        shape: &Arc<PyramidShape>,
        pairs: usize,
    ) -> Result<FlowBatch, GpuError> {
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
        let report_length = report_length(sizes.len());
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
            self.step(plan.tile).bind(context, &bound)
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
