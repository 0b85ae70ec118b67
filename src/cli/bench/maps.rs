//! Stages on pictures and flows beside the flow itself: ROI maps, LED band-pass,
//! colour conversion.

use std::hint::black_box;
use std::sync::Arc;

use super::material::Cut;
use super::meter::{Bench, Subject};
use crate::base::Plane;
use crate::cli::Failure;
use crate::gpu::buffer;
use crate::media::yuv::gpu::YuvKernel;
use crate::media::yuv::{self, Chroma, YuvFormat, YuvLayout};
use crate::motion::bandpass::{BandpassKernel, BandpassParams};
use crate::motion::gpu::roi::{RoiGeometry, RoiKernels, RoiWindow, STATISTICS};
use crate::motion::led_view::LED_FRAMES;
use crate::motion::pipeline::WindowMotion;
use crate::motion::{Flow, cpu};

/// Measures all of them on pictures of one size.
pub(super) fn measure(
    bench: &mut Bench,
    cuts: &[Cut],
    size: (usize, usize),
) -> Result<(), Failure> {
    regions(bench, cuts, size)?;
    band_pass(bench, cuts, size)
}

/// From what a camera or a decoder gives to RGB. The time does not depend on the
/// values.
pub(super) fn colors(bench: &mut Bench, size: (usize, usize)) -> Result<(), Failure> {
    let (width, height) = (size.0 as u32, size.1 as u32);
    let interpolated = YuvFormat {
        chroma: Chroma::Interpolated,
        ..YuvFormat::of_camera(YuvLayout::Planar420, width, height)
    };
    let formats = [
        (
            "colour: YUYV to RGB",
            YuvFormat::of_camera(YuvLayout::Yuyv, width, height),
        ),
        (
            "colour: NV12 to RGB",
            YuvFormat::of_camera(YuvLayout::Nv12, width, height),
        ),
        ("colour: planar to RGB", interpolated),
    ];
    for (stage, format) in formats {
        let bytes: Vec<u8> = (0..format.bytes()).map(|i| (i % 251) as u8).collect();
        let subject = Subject::single(stage, size);
        bench.on_processor(subject, 1, |_| {
            yuv::to_rgb(&bytes, &format)
                .map(|picture| drop(black_box(picture)))
                .map_err(Failure::other)
        })?;
        let Some(card) = &bench.card else {
            continue;
        };
        let mut kernel = YuvKernel::new(&card.context).map_err(Failure::other)?;
        bench.on_card(
            subject,
            u64::from(width) * u64::from(height) * 4,
            1,
            &mut kernel,
            |kernel, _| kernel.submit(&bytes, &format).map_err(Failure::other),
            |kernel| {
                kernel
                    .wait()
                    .map(|picture| drop(black_box(picture)))
                    .map_err(Failure::other)
            },
        )?;
    }
    Ok(())
}

/// From a flow to the network's input; on the card from a flow that lies there.
fn regions(bench: &mut Bench, cuts: &[Cut], size: (usize, usize)) -> Result<(), Failure> {
    let regions: Vec<_> = cuts.iter().filter_map(|c| c.regions.as_ref()).collect();
    let flow = made_up_flow(size);
    let subject = Subject::single("strain, ROI maps, min-max", size);
    bench.on_processor(subject, regions.len(), |i| {
        black_box(WindowMotion::of(&flow, regions[i]));
        Ok(())
    })?;
    let Some(card) = bench.card.as_ref().filter(|_| !regions.is_empty()) else {
        return Ok(());
    };
    let context = card.context.clone();
    let mut kernels = RoiKernels::new(&context).map_err(Failure::other)?;
    let values = [flow.u.data, flow.v.data].concat();
    let flows =
        buffer::storage::<f32>(&context, "bench.flows", values.len()).map_err(Failure::other)?;
    context
        .queue
        .write_buffer(&flows, 0, bytemuck::cast_slice(&values));
    let windows: Vec<_> = regions
        .iter()
        .map(|regions| RoiWindow {
            flow: 0,
            scale: 1.0,
            geometry: Arc::new(RoiGeometry::new(regions, size.0, size.1)),
        })
        .collect();
    bench.on_card(
        subject,
        (STATISTICS * size_of::<f32>()) as u64,
        windows.len(),
        &mut kernels,
        |kernels, i| {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            kernels
                .record(&mut encoder, &flows, size, &windows[i..=i])
                .map_err(Failure::other)?;
            kernels.record_readback(&mut encoder, 1, 0);
            context.queue.submit([encoder.finish()]);
            kernels.start();
            Ok(())
        },
        |kernels| {
            kernels
                .wait()
                .map(|found| drop(black_box(found)))
                .map_err(Failure::other)
        },
    )
}

/// The time does not depend on the values, only on their number.
fn made_up_flow((width, height): (usize, usize)) -> Flow {
    let mut flow = Flow::zeros(width, height);
    for (i, (u, v)) in flow.u.data.iter_mut().zip(&mut flow.v.data).enumerate() {
        *u = (i % 97) as f32 * 0.01;
        *v = (i % 89) as f32 * -0.01;
    }
    flow
}

fn band_pass(bench: &mut Bench, cuts: &[Cut], size: (usize, usize)) -> Result<(), Failure> {
    let sixes: Vec<Vec<&Plane>> = cuts
        .windows(LED_FRAMES)
        .map(|w| w.iter().map(|c| &c.plane).collect())
        .collect();
    let params = BandpassParams::default();
    let last = LED_FRAMES - 1;
    let subject = Subject::single("LED band-pass", size);
    bench.on_processor(subject, sixes.len(), |i| {
        cpu::bandpass::bandpass(&sixes[i], last, &params)
            .map(|maps| drop(black_box(maps)))
            .map_err(Failure::other)
    })?;
    let Some(card) = &bench.card else {
        return Ok(());
    };
    let mut kernel = BandpassKernel::new(&card.context).map_err(Failure::other)?;
    let bytes = (size.0 * size.1 * size_of::<f32>()) as u64;
    bench.on_card(
        subject,
        bytes,
        sixes.len(),
        &mut kernel,
        |kernel, i| {
            kernel
                .submit(&sixes[i], last, &params, 0)
                .map_err(Failure::other)
        },
        |kernel| {
            kernel
                .wait()
                .map(|map| drop(black_box(map)))
                .map_err(Failure::other)
        },
    )
}
