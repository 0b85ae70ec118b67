//! Where flow is computed: one front for the processor's solvers and for the
//! kernels on the graphics card.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;

use super::Flow;
use super::gpu::roi::{RoiGeometry, RoiKernels, RoiWindow};
use super::gpu::{GpuFlowError, GpuPyramid, Tvl1Gpu};
use super::pipeline::{WindowInput, WindowMotion};
use super::pyramid::Pyramid;
use super::tvl1::{Tvl1, Tvl1Params};
use crate::base::Plane;
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::face::regions::RegionGeometry;
use crate::gpu::{GpuContext, GpuError};

/// Windows of a recording that the processor measures together: enough to keep
/// several cores busy, and the same on every machine.
const PROCESSOR_BATCH: usize = 16;
/// Crops whose regions stay on hand: windows reach over a seam or two at most.
const GEOMETRIES: usize = 8;

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

/// Two pictures of one face under one transform.
#[derive(Debug, Clone, Copy)]
pub struct EngineWindow<'a> {
    pub first: &'a Picture,
    pub second: &'a Picture,
    /// Brings the flow to the nominal window length.
    pub scale: f32,
    /// What both were cut out by.
    pub crop: &'a HeldCrop,
}

#[derive(Debug)]
struct Card {
    context: GpuContext,
    tvl1: Tvl1Gpu,
    roi: RoiKernels,
    /// By the id of the crop.
    geometries: VecDeque<(u32, Arc<RoiGeometry>)>,
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
            roi: RoiKernels::new(context)?,
            geometries: VecDeque::new(),
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

    /// Windows that should be measured together where nobody waits for the first.
    #[must_use]
    pub fn batch(&self) -> usize {
        match &self.side {
            Side::Processor(_) => PROCESSOR_BATCH,
            Side::Card(card) => card.batch(),
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

    /// Flow, regions and network input of every window; the order of the answers is
    /// theirs. On the card nothing but a window's statistics comes back.
    ///
    /// # Errors
    /// When a window's pictures differ in size or were made by another engine, or when
    /// the card was lost.
    pub fn windows(
        &mut self,
        windows: &[EngineWindow<'_>],
    ) -> Result<Vec<WindowMotion>, GpuFlowError> {
        match &mut self.side {
            Side::Processor(solvers) => {
                let new = || Tvl1::new(self.params);
                solvers.resize_with(solvers.len().max(windows.len()), new);
                let jobs = windows.par_iter().zip(solvers.par_iter_mut());
                jobs.map(|(window, solver)| on_processor(window, solver))
                    .collect()
            }
            Side::Card(card) => card.windows(windows),
        }
    }

    /// The flows alone, in memory: for measuring one side against the other.
    ///
    /// # Errors
    /// As [`Self::windows`].
    pub fn flows(&mut self, pairs: &[(&Plane, &Plane)]) -> Result<Vec<Flow>, GpuFlowError> {
        match &mut self.side {
            Side::Processor(solvers) => {
                let new = || Tvl1::new(self.params);
                solvers.resize_with(solvers.len().max(pairs.len()), new);
                let jobs = pairs.par_iter().zip(solvers.par_iter_mut());
                jobs.map(|((a, b), solver)| Ok(solver.flow(a, b)?))
                    .collect()
            }
            Side::Card(card) => Ok(card.tvl1.flows(pairs)?.flows),
        }
    }
}

fn on_processor(
    window: &EngineWindow<'_>,
    solver: &mut Tvl1,
) -> Result<WindowMotion, GpuFlowError> {
    let (Side::Processor(first), Side::Processor(second)) = (&window.first.0, &window.second.0)
    else {
        return Err(GpuFlowError::OtherPyramid);
    };
    let mut flow = solver.flow_between(first, second)?;
    if window.scale != 1.0 {
        flow = flow.scaled(window.scale);
    }
    Ok(WindowMotion::of(&flow, &regions(window.crop)))
}

fn regions(crop: &HeldCrop) -> RegionGeometry {
    RegionGeometry::from_landmarks(&crop.landmarks_in_crop, CROP_SIDE)
}

impl Card {
    /// A large card is filled by many; a small one must not be silent for long, or the
    /// system takes it for lost.
    fn batch(&self) -> usize {
        match self.context.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 64,
            wgpu::DeviceType::Cpu => 4,
            _ => 16,
        }
    }

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

    fn windows(&mut self, windows: &[EngineWindow<'_>]) -> Result<Vec<WindowMotion>, GpuFlowError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let pairs: Option<Vec<(&GpuPyramid, &GpuPyramid)>> = windows
            .iter()
            .map(|window| match (&window.first.0, &window.second.0) {
                (Side::Card(a), Side::Card(b)) => Some((a, b)),
                _ => None,
            })
            .collect();
        let pairs = pairs.ok_or(GpuFlowError::OtherPyramid)?;
        let rois: Vec<RoiWindow> = (windows.iter().enumerate())
            .map(|(flow, window)| RoiWindow {
                flow,
                scale: window.scale,
                geometry: self.geometry(window.crop),
            })
            .collect();
        let mut encoder =
            self.context
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some("motion.windows"),
                });
        let batch = self.tvl1.record(&mut encoder, &pairs)?;
        self.roi
            .record(&mut encoder, batch.flows(), batch.size(), &rois)?;
        self.roi.record_readback(&mut encoder, rois.len(), 0);
        self.context.queue.submit([encoder.finish()]);
        self.roi.start();
        self.tvl1.release(batch);
        let found = self.roi.patiently()?;
        let (Some((_, statistics)), Some(inputs)) = (found, self.roi.inputs()) else {
            return Err(GpuFlowError::Gpu(GpuError::Readback {
                label: "motion.roi".to_owned(),
                reason: "nothing was on its way".to_owned(),
            }));
        };
        Ok((statistics.into_iter().enumerate())
            .map(|(index, found)| WindowMotion {
                input: WindowInput::OnCard {
                    inputs: inputs.clone(),
                    index,
                },
                input_ranges: None,
                strain: found.mean_strain,
                nose_strain: found.nose_strain,
                strain_as_coded: found.control,
                head_px: found.head,
                roi_p95_px: found.residual_p95,
                regions: found.regions,
                grid: found.grid,
                cells: None,
            })
            .collect())
    }

    fn geometry(&mut self, crop: &HeldCrop) -> Arc<RoiGeometry> {
        if let Some((_, known)) = self.geometries.iter().find(|(id, _)| *id == crop.id) {
            return Arc::clone(known);
        }
        let made = Arc::new(RoiGeometry::new(&regions(crop), CROP_SIDE, CROP_SIDE));
        if self.geometries.len() == GEOMETRIES {
            self.geometries.pop_front();
        }
        self.geometries.push_back((crop.id, Arc::clone(&made)));
        made
    }
}
