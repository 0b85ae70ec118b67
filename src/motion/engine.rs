//! Where flow is computed: one front for the processor's solvers and for the
//! kernels on the graphics card.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Flow;
use super::gpu::{FlowsDone, GpuFlowError, GpuPyramid, Tvl1Gpu};
use super::pyramid::Pyramid;
use super::tvl1::{Tvl1, Tvl1Params};
use crate::base::Plane;
use crate::gpu::{GpuContext, GpuError};

/// Pairs the card gets in one submission.
const PAIRS_AT_ONCE: usize = 64;

/// Between two looks at the card: a blocking wait on a device that a window shares
/// can hold up its picture.
const NAP: Duration = Duration::from_micros(100);
/// A card that stays silent for this long is taken for lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// A face picture made ready for its pairs, on the side of the engine that made it.
#[derive(Debug)]
pub struct Picture(Side<Pyramid, GpuPyramid>);

#[derive(Debug)]
enum Side<C, G> {
    Processor(C),
    Card(G),
}

/// Computes flows of pictures of one face; the same to the tolerance that
/// `tests/it/gpu_flow.rs` states, wherever it runs.
#[derive(Debug)]
pub struct FlowEngine {
    params: Tvl1Params,
    side: Side<Vec<Tvl1>, Box<Card>>,
}

#[derive(Debug)]
struct Card {
    context: GpuContext,
    tvl1: Tvl1Gpu,
    /// Pyramids whose frames were forgotten.
    spare: Vec<GpuPyramid>,
}

impl FlowEngine {
    /// On the processor: any number of threads, the same bytes.
    #[must_use]
    pub fn on_processor(params: Tvl1Params) -> Self {
        Self {
            params,
            side: Side::Processor(Vec::new()),
        }
    }

    /// # Errors
    /// When the adapter refuses a kernel.
    pub fn on_card(params: Tvl1Params, context: &GpuContext) -> Result<Self, GpuError> {
        let card = Card {
            context: context.clone(),
            tvl1: Tvl1Gpu::new(context, params)?,
            spare: Vec::new(),
        };
        Ok(Self {
            params,
            side: Side::Card(Box::new(card)),
        })
    }

    /// The adapter's name; `None` on the processor.
    #[must_use]
    pub fn adapter(&self) -> Option<String> {
        match &self.side {
            Side::Processor(_) => None,
            Side::Card(card) => Some(card.context.name()),
        }
    }

    /// Makes pictures (grey 0..255) ready, several at a time.
    ///
    /// # Errors
    /// When a picture is too small or the card has no room for it.
    pub fn pictures(&mut self, planes: &[Plane]) -> Result<Vec<Picture>, GpuFlowError> {
        match &mut self.side {
            Side::Processor(_) => {
                let Tvl1Params {
                    scales,
                    scale_step,
                    border,
                    ..
                } = self.params;
                let ready = |plane| {
                    Picture(Side::Processor(Pyramid::new(
                        plane, scales, scale_step, border,
                    )))
                };
                Ok(planes.par_iter().map(ready).collect())
            }
            Side::Card(card) => card.pictures(planes),
        }
    }

    /// Gives a picture's memory back.
    pub fn forget(&mut self, picture: Picture) {
        if let (Side::Card(card), Picture(Side::Card(pyramid))) = (&mut self.side, picture) {
            card.spare.push(pyramid);
        }
    }

    /// The flow of every pair through `then`, which runs on several threads; the
    /// order of the answers is the pairs'.
    ///
    /// # Errors
    /// When a pair's pictures differ in size or were made by another engine, or when
    /// the card was lost.
    pub fn flows<R: Send>(
        &mut self,
        pairs: &[(&Picture, &Picture)],
        then: impl Fn(usize, Flow) -> R + Sync,
    ) -> Result<Vec<R>, GpuFlowError> {
        match &mut self.side {
            Side::Processor(solvers) => {
                let new = || Tvl1::new(self.params);
                solvers.resize_with(solvers.len().max(pairs.len()), new);
                let solve = |((at, pair), solver): ((usize, &(&Picture, &Picture)), &mut Tvl1)| {
                    let (Side::Processor(first), Side::Processor(second)) = (&pair.0.0, &pair.1.0)
                    else {
                        return Err(GpuFlowError::OtherPyramid);
                    };
                    Ok(then(at, solver.flow_between(first, second)?))
                };
                let jobs = pairs.par_iter().enumerate().zip(solvers.par_iter_mut());
                jobs.map(solve).collect()
            }
            Side::Card(card) => {
                let mut results = Vec::with_capacity(pairs.len());
                for (batch, first) in pairs
                    .chunks(PAIRS_AT_ONCE)
                    .zip((0..).step_by(PAIRS_AT_ONCE))
                {
                    let flows = card.flows(batch)?.flows;
                    let mut some = (flows.into_par_iter().enumerate())
                        .map(|(at, flow)| then(first + at, flow))
                        .collect();
                    results.append(&mut some);
                }
                Ok(results)
            }
        }
    }
}

impl Card {
    fn pictures(&mut self, planes: &[Plane]) -> Result<Vec<Picture>, GpuFlowError> {
        let mut ready = Vec::with_capacity(planes.len());
        if planes.is_empty() {
            return Ok(ready);
        }
        let mut encoder =
            self.context
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some("motion.pictures"),
                });
        for plane in planes {
            let size = (plane.width, plane.height);
            let pyramid = match self.spare.iter().position(|p| p.size() == size) {
                Some(at) => self.spare.swap_remove(at),
                None => self.tvl1.allocate_pyramid(plane.width, plane.height)?,
            };
            self.tvl1.pyramids().upload(&pyramid, plane)?;
            self.tvl1.pyramids().record(&mut encoder, &pyramid);
            ready.push(Picture(Side::Card(pyramid)));
        }
        self.context.queue.submit([encoder.finish()]);
        Ok(ready)
    }

    fn flows(&mut self, pairs: &[(&Picture, &Picture)]) -> Result<FlowsDone, GpuFlowError> {
        let pyramids: Option<Vec<(&GpuPyramid, &GpuPyramid)>> = pairs
            .iter()
            .map(|(a, b)| match (&a.0, &b.0) {
                (Side::Card(a), Side::Card(b)) => Some((a, b)),
                _ => None,
            })
            .collect();
        let pyramids = pyramids.ok_or(GpuFlowError::OtherPyramid)?;
        self.tvl1.submit(&pyramids, 0)?;
        let asked = Instant::now();
        loop {
            if let Some(done) = self.tvl1.poll()? {
                return Ok(done);
            }
            if asked.elapsed() > PATIENCE {
                return Err(GpuFlowError::Gpu(GpuError::Readback {
                    label: "motion.tvl1".to_owned(),
                    reason: "no answer for a minute".to_owned(),
                }));
            }
            sleep(NAP);
        }
    }
}
