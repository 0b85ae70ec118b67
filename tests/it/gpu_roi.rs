//! ROI maps and statistics on the card against their CPU twin.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use onset::base::{Plane, Point};
use onset::face::regions::{PixelRect, RegionGeometry};
use onset::gpu::{GpuContext, Readback, buffer};
use onset::motion::Flow;
use onset::motion::gpu::roi::{INPUT_VALUES, RoiGeometry, RoiKernels, RoiStatistics, RoiWindow};
use onset::motion::roi::RoiMotion;

/// The scaled input's tolerance: sums in 32 bits against 64.
const INPUT_TOLERANCE: f32 = 2e-5;
/// Of lengths and flows in px, and of strains, relative to the largest of them.
const RELATIVE: f64 = 2e-5;

/// A face of 128 px, or the same at another scale and place.
fn regions(scale: f32, dx: f32, dy: f32) -> RegionGeometry {
    let at = |v: f32, d: f32| (v * scale + d).round();
    let rect = |x0, y0, x1, y1| PixelRect {
        x0: at(x0, dx) as i32,
        y0: at(y0, dy) as i32,
        x1: at(x1, dx) as i32,
        y1: at(y1, dy) as i32,
    };
    let point = |(x, y)| Point::new(at(x, dx), at(y, dy));
    let eye = |x: f32| {
        [
            (x, 48.0),
            (x + 15.0, 33.0),
            (x + 21.0, 34.0),
            (x + 36.0, 48.0),
            (x + 20.0, 64.0),
            (x + 15.0, 63.0),
        ]
        .map(point)
    };
    RegionGeometry {
        nose: rect(59.0, 55.0, 70.0, 66.0),
        eyes: [eye(18.0), eye(74.0)],
        brows: rect(10.0, 22.0, 119.0, 63.0),
        mouth: rect(36.0, 76.0, 93.0, 117.0),
        outline: [
            (12.0, 24.0),
            (116.0, 24.0),
            (112.0, 80.0),
            (80.0, 122.0),
            (48.0, 122.0),
            (16.0, 80.0),
        ]
        .map(point)
        .to_vec(),
    }
}

/// Repeatable values between −1 and 1.
fn noise(seed: u32) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// A head that moves, waves of the skin, and noise.
fn flow(width: usize, height: usize, seed: u32) -> Flow {
    let mut noise = noise(seed);
    let mut flow = Flow::zeros(width, height);
    let (across, down) = (1.3 * noise(), 1.3 * noise());
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let (fx, fy) = (x as f32 * 0.11, y as f32 * 0.07);
            flow.u.data[i] = across + 0.4 * (fx + fy).sin() + 0.05 * noise();
            flow.v.data[i] = down + 0.6 * (fy - fx).cos() + 0.05 * noise();
        }
    }
    flow
}

fn upload(context: &GpuContext, flows: &[Flow]) -> wgpu::Buffer {
    let values: Vec<f32> = flows
        .iter()
        .flat_map(|f| [f.u.data.as_slice(), &f.v.data].concat())
        .collect();
    let flows = buffer::storage::<f32>(context, "test.flows", values.len()).unwrap();
    context
        .queue
        .write_buffer(&flows, 0, bytemuck::cast_slice(&values));
    flows
}

/// Inputs and statistics of the windows, as the kernels give them.
fn on_card(
    context: &GpuContext,
    kernels: &mut RoiKernels,
    flows: &[Flow],
    windows: &[RoiWindow],
) -> (Vec<f32>, Vec<RoiStatistics>) {
    let size = (flows[0].u.width, flows[0].u.height);
    let buffer = upload(context, flows);
    let mut encoder = context.device.create_command_encoder(&Default::default());
    kernels
        .record(&mut encoder, &buffer, size, windows)
        .unwrap();
    let mut back = Readback::new("test.inputs");
    let bytes = (windows.len() * INPUT_VALUES * 4) as u64;
    back.record(context, &mut encoder, kernels.inputs().unwrap(), bytes, 0);
    kernels.record_readback(&mut encoder, windows.len(), 9);
    context.queue.submit([encoder.finish()]);
    back.start();
    kernels.start();
    let (_, inputs) = back.wait(context).unwrap().unwrap();
    let (ticket, statistics) = kernels.wait().unwrap().unwrap();
    assert_eq!(ticket, 9);
    (inputs, statistics)
}

fn compare(name: &str, cpu: &RoiMotion, input: &[f32], gpu: &RoiStatistics) {
    let expected = cpu.scaled().map(|p: Plane| p.data).concat();
    let off = (expected.iter().zip(input))
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    let near = |what: &str, cpu: f64, gpu: f64, unit: f64| {
        let off = (cpu - gpu).abs();
        assert!(off <= RELATIVE * unit, "{name}, {what}: {cpu} and {gpu}");
        off / unit
    };
    let mut worst = 0.0_f64;
    // Flows here reach 3 px, strains 1; sums over up to 7,000 pixels.
    for (what, cpu, gpu, unit) in [
        (
            "control",
            cpu.control,
            gpu.control,
            cpu.control.abs().max(1.0),
        ),
        ("brows", cpu.mean_strain[0], gpu.mean_strain[0], 1.0),
        ("mouth", cpu.mean_strain[1], gpu.mean_strain[1], 1.0),
        ("nose", cpu.nose_strain, gpu.nose_strain, 1.0),
        (
            "mean",
            cpu.residual_mean.into(),
            gpu.residual_mean.into(),
            1.0,
        ),
        ("p95", cpu.residual_p95.into(), gpu.residual_p95.into(), 1.0),
        ("head u", cpu.head[0].into(), gpu.head[0].into(), 1.0),
        ("head v", cpu.head[1].into(), gpu.head[1].into(), 1.0),
    ] {
        worst = worst.max(near(what, cpu, gpu, unit));
    }
    for (i, (a, b)) in cpu.regions.iter().zip(gpu.regions).enumerate() {
        worst = worst.max(near(&format!("region {i}"), f64::from(*a), b.into(), 1.0));
    }
    let cells = cpu.grid.values().iter().zip(gpu.grid.values());
    for (i, (a, b)) in cells.enumerate() {
        worst = worst.max(near(&format!("grid {i}"), (*a).into(), (*b).into(), 1.0));
    }
    eprintln!("{name}: input off by {off:e}, statistics by {worst:e}");
    assert!(off <= INPUT_TOLERANCE, "{name}: input off by {off:e}");
}

#[test]
fn inputs_and_statistics_equal_the_cpu_twins() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernels = RoiKernels::new(context).unwrap();
    // The last has regions that lie partly outside, on a flow that is no square.
    let cases = [
        (128, 128, regions(1.0, 0.0, 0.0)),
        (256, 256, regions(2.0, 1.0, -3.0)),
        (97, 140, regions(0.9, -20.0, 40.0)),
    ];
    for (width, height, regions) in cases {
        let flows: Vec<Flow> = (0..3).map(|seed| flow(width, height, seed)).collect();
        let geometry = Arc::new(RoiGeometry::new(&regions, width, height));
        // More windows than flows, in another order, one brought to nominal length.
        let windows: Vec<RoiWindow> = [(2, 1.0), (0, 1.0), (1, 0.85), (2, 1.0)]
            .into_iter()
            .map(|(flow, scale)| RoiWindow {
                flow,
                scale,
                geometry: Arc::clone(&geometry),
            })
            .collect();
        let (inputs, statistics) = on_card(context, &mut kernels, &flows, &windows);
        assert_eq!(statistics.len(), windows.len());
        for (at, window) in windows.iter().enumerate() {
            let flow = flows[window.flow].clone().scaled(window.scale);
            let cpu = RoiMotion::new(&flow, &regions);
            let input = &inputs[at * INPUT_VALUES..(at + 1) * INPUT_VALUES];
            let name = format!("{width}×{height}, window {at}");
            compare(&name, &cpu, input, &statistics[at]);
        }
    }
}

#[test]
fn windows_of_different_crops_keep_their_own_regions() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernels = RoiKernels::new(context).unwrap();
    let flows = [flow(128, 128, 5)];
    let crops = [regions(1.0, 0.0, 0.0), regions(0.8, 14.0, 9.0)];
    let windows = crops.each_ref().map(|regions| RoiWindow {
        flow: 0,
        scale: 1.0,
        geometry: Arc::new(RoiGeometry::new(regions, 128, 128)),
    });
    // A smaller batch first, so that the room has to grow.
    on_card(context, &mut kernels, &flows, &windows[..1]);
    let (inputs, statistics) = on_card(context, &mut kernels, &flows, &windows);
    for (at, regions) in crops.iter().enumerate() {
        let input = &inputs[at * INPUT_VALUES..(at + 1) * INPUT_VALUES];
        let cpu = RoiMotion::new(&flows[0], regions);
        compare(&format!("crop {at}"), &cpu, input, &statistics[at]);
    }
}

#[test]
fn an_even_motion_and_empty_regions_give_zeros() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernels = RoiKernels::new(context).unwrap();
    let mut even = Flow::zeros(128, 128);
    even.u.data.fill(0.1);
    even.v.data.fill(-1.7);
    let window = |regions: &RegionGeometry| RoiWindow {
        flow: 0,
        scale: 1.0,
        geometry: Arc::new(RoiGeometry::new(regions, 128, 128)),
    };
    let outside = regions(1.0, 400.0, 400.0);
    let windows = [window(&regions(1.0, 0.0, 0.0)), window(&outside)];
    let (inputs, statistics) = on_card(context, &mut kernels, &[even.clone()], &windows);
    assert!(inputs.iter().all(|v| *v == 0.0));
    let still = RoiStatistics {
        head: [0.1, -1.7],
        grid: statistics[0].grid.clone(),
        ..RoiStatistics::default()
    };
    assert_eq!(statistics[0], still);
    assert_eq!(statistics[1], RoiStatistics::default());
    let cpu = RoiMotion::new(&even, &outside);
    assert_eq!(
        (cpu.control, cpu.residual_p95, cpu.head),
        (0.0, 0.0, [0.0; 2])
    );
}
