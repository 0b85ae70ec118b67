//! Stages of magnification on colour pictures: the Eulerian filter and the
//! Lagrangian mesh (whose flow is a row of its own).

use std::hint::black_box;

use image::RgbImage;

use super::material::Material;
use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::motion::cpu;
use crate::motion::cpu::magnify::CpuEvm;
use crate::motion::glmm;
use crate::motion::gpu::glmm::GpuWarp;
use crate::motion::gpu::magnify::GpuEvm;
use crate::motion::magnify::{EvmParams, EvmStep};

/// Pictures in turn: the time does not depend on what they show.
const PICTURES: usize = 8;
/// Frames a second of the recording that is imagined.
const FPS: f64 = 30.0;

/// Measures both on pictures of one size.
pub(super) fn measure(
    bench: &mut Bench,
    material: &Material,
    (width, height): (usize, usize),
) -> Result<(), Failure> {
    let pictures: Vec<RgbImage> = (0..PICTURES.min(material.frames.len()))
        .map(|frame| material.resized(frame, width, height))
        .collect();
    let params = EvmParams::default();
    let band = params.band(FPS).map_err(Failure::other)?;
    let step = EvmStep::new(&params, &band, width, height);
    let (w, h) = (width as u32, height as u32);
    let back = u64::from(w) * u64::from(h) * 4;

    let subject = Subject::single("magnify: EVM", (width, height));
    let mut evm = CpuEvm::new(w, h);
    bench.on_processor(subject, pictures.len(), |i| {
        black_box(evm.push(&pictures[i], &step));
        Ok(())
    })?;
    if let Some(card) = &bench.card {
        let mut evm = GpuEvm::new(&card.context, w, h).map_err(Failure::other)?;
        let record = |evm: &mut GpuEvm, i: usize| Ok(evm.record(&pictures[i], &step));
        let submit = |evm: &mut GpuEvm, recorded| {
            evm.submit(recorded);
            Ok(())
        };
        let wait = |evm: &mut GpuEvm| {
            black_box(evm.wait().map_err(Failure::other)?);
            Ok(())
        };
        let steps = (record, submit);
        bench.on_card_prepared(subject, back, pictures.len(), &mut evm, steps, wait)?;
    }

    let mut flow = crate::motion::Flow::zeros(width, height);
    flow.u.data.fill(0.7);
    flow.v.data.fill(-0.4);
    let moved = glmm::displacement(&flow, 9.0);
    let subject = Subject::single("magnify: GLMM mesh", (width, height));
    bench.on_processor(subject, pictures.len(), |i| {
        black_box(cpu::glmm::warp(&pictures[i], &moved));
        Ok(())
    })?;
    if let Some(card) = &bench.card {
        let mut mesh = GpuWarp::new(&card.context, w, h).map_err(Failure::other)?;
        let record = |mesh: &mut GpuWarp, i: usize| Ok(mesh.record(&pictures[i], &moved));
        let submit = |mesh: &mut GpuWarp, recorded| {
            mesh.submit(recorded);
            Ok(())
        };
        let wait = |mesh: &mut GpuWarp| {
            black_box(mesh.wait().map_err(Failure::other)?);
            Ok(())
        };
        let steps = (record, submit);
        bench.on_card_prepared(subject, back, pictures.len(), &mut mesh, steps, wait)?;
    }
    Ok(())
}
