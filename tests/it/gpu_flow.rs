//! Flow and strain on the graphics card against the processor's and the truth.
//!
//! The two paths do the same arithmetic in the same order; only the sum that decides
//! when a warp has come to rest is added up in another order, and drivers may round
//! differently. Where no stop moves, flows agree to 0.0002 px in the mean; where one
//! does, they part by up to ε (0.01 px). `compat`'s black border has edges that flow
//! jumps over, so that rounding is felt there at every warp.

#![allow(
    clippy::unwrap_used,
    reason = "what a test reads is there or the test fails"
)]

use std::fs::File;
use std::io::BufReader;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::time::Instant;

use npyz::npz::NpzArchive;
use onset::base::Plane;
use onset::base::stats::quantile;
use onset::gpu::{GpuContext, Readback};
use onset::motion::gpu::pyramid::{PyramidUniform, TapEntry};
use onset::motion::gpu::strain::{Differences, StrainUniform};
use onset::motion::gpu::tvl1::{BeginUniform, LevelEntry, Progress, SolverUniform};
use onset::motion::gpu::{GpuFlowError, StrainKernels, Tile, Tvl1Gpu, pyramid, tvl1};
use onset::motion::{Flow, Tvl1, Tvl1Params, Tvl1Preset, strain};

use crate::gpu::{device, layout};
use crate::shared;

/// Picture pairs by name, with OpenCV's flow and the truth where it is known.
struct Pairs(NpzArchive<BufReader<File>>);

impl Pairs {
    fn open(path: &Path) -> Self {
        Self(NpzArchive::open(path).unwrap())
    }

    fn picture(&mut self, name: &str) -> Plane {
        let array = self.0.by_name(name).unwrap().unwrap();
        let shape = array.shape().to_vec();
        let values = array.into_vec::<u8>().unwrap();
        let data = values.into_iter().map(f32::from).collect();
        Plane::from_vec(shape[1] as usize, shape[0] as usize, data)
    }

    fn pictures(&mut self, name: &str) -> (Plane, Plane) {
        (
            self.picture(&format!("{name}_I0")),
            self.picture(&format!("{name}_I1")),
        )
    }

    fn flow(&mut self, name: &str) -> Flow {
        let array = self.0.by_name(name).unwrap().unwrap();
        let shape = array.shape().to_vec();
        let values: Vec<f32> = match array.dtype().descr().trim_matches('\'') {
            "<f4" => array.into_vec::<f32>().unwrap(),
            _ => {
                let values = array.into_vec::<f64>().unwrap();
                values.into_iter().map(|v| v as f32).collect()
            }
        };
        let part = |c: usize| {
            let data = values.iter().skip(c).step_by(2).copied().collect();
            Plane::from_vec(shape[1] as usize, shape[0] as usize, data)
        };
        Flow {
            u: part(0),
            v: part(1),
        }
    }
}

/// A texture that is not periodic, moved by (dx, dy) and stretched a little, with
/// noise of its own so that the flow is not smooth.
fn texture(width: usize, height: usize, dx: f32, dy: f32, seed: u32) -> Plane {
    let mut state = seed;
    let mut plane = Plane::zeros(width, height);
    for y in 0..height {
        for x in 0..width {
            let (px, py) = (x as f32 * (1.0 + 0.01 * dx) - dx, y as f32 - dy);
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 24) as f32 / 256.0 - 0.5;
            plane.data[y * width + x] = 128.0
                + 40.0 * (px * 0.35 + 0.2 * py).sin()
                + 30.0 * (py * 0.31 - 0.15 * px).cos()
                + 20.0 * (0.013 * px * py).sin()
                + 6.0 * noise;
        }
    }
    plane
}

/// End-point distance of every pixel.
fn distances(a: &Flow, b: &Flow) -> Vec<f64> {
    let u = a.u.data.iter().zip(&b.u.data);
    let v = a.v.data.iter().zip(&b.v.data);
    u.zip(v)
        .map(|((au, bu), (av, bv))| f64::from(au - bu).hypot(f64::from(av - bv)))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn on_card(context: &GpuContext, preset: Tvl1Preset) -> Tvl1Gpu {
    Tvl1Gpu::new(context, preset.params()).unwrap()
}

/// Mean and 99th percentile [px] that a pair may differ from the processor's flow.
const TOLERANCE: (f64, f64) = (0.002, 0.02);
/// With black borders: as much as the processor's flow differs from OpenCV's.
const COMPAT_TOLERANCE: (f64, f64) = (0.016, 0.2);

fn assert_near(what: &str, own: &Flow, twin: &Flow) {
    assert_within(TOLERANCE, what, own, twin);
}

fn assert_within(tolerance: (f64, f64), what: &str, own: &Flow, twin: &Flow) {
    let d = distances(own, twin);
    let (mean, p99) = (mean(&d), quantile(&d, 0.99).unwrap());
    assert!(
        mean <= tolerance.0 && p99 <= tolerance.1,
        "{what}: mean {mean:.5}, p99 {p99:.5} px from the processor's flow"
    );
}

const SIZES: [(usize, usize); 5] = [(8, 8), (33, 41), (70, 50), (66, 130), (160, 120)];

#[test]
fn flow_of_any_size_and_preset_equals_the_processors() {
    let Some((context, _guard)) = device() else {
        return;
    };
    for preset in Tvl1Preset::ALL {
        let mut card = on_card(context, preset);
        let mut twin = Tvl1::new(preset.params());
        for (w, h) in SIZES {
            if preset != Tvl1Preset::Exact && w * h > 10_000 {
                continue;
            }
            let (a, b) = (texture(w, h, 0.0, 0.0, 1), texture(w, h, 0.9, -0.6, 2));
            let done = card.flows(&[(&a, &b)]).unwrap();
            let expected = twin.flow(&a, &b).unwrap();
            let tolerance = match preset {
                Tvl1Preset::Compat => COMPAT_TOLERANCE,
                _ => TOLERANCE,
            };
            let what = format!("{preset} of {w}×{h}");
            assert_within(tolerance, &what, &done.flows[0], &expected);
        }
    }
}

#[test]
fn flow_of_the_reference_pairs_is_near_the_processors_and_no_worse_than_opencvs() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut pairs = Pairs::open(&path);
    let mut card = on_card(context, Tvl1Preset::Exact);
    let mut twin = Tvl1::default();
    let synthetic = [
        "trans0.3",
        "transdiag",
        "bump1.5",
        "rot0.5",
        "bright2",
        "trans0.3_bright2",
    ];
    for name in synthetic {
        let name = format!("syn128_{name}");
        let (a, b) = pairs.pictures(&name);
        let flow = card.flows(&[(&a, &b)]).unwrap().flows.remove(0);
        assert_near(&name, &flow, &twin.flow(&a, &b).unwrap());
        let truth = pairs.flow(&format!("{name}_truth"));
        let own = mean(&distances(&flow, &truth));
        let cv = mean(&distances(&pairs.flow(&format!("{name}_cv")), &truth));
        assert!(own <= cv, "{name}: EPE {own:.4} px, OpenCV's {cv:.4}");
    }
    for name in ["real0", "real1", "real2", "real3"] {
        let (a, b) = pairs.pictures(name);
        let flow = card.flows(&[(&a, &b)]).unwrap().flows.remove(0);
        assert_near(name, &flow, &twin.flow(&a, &b).unwrap());
    }
}

/// On the card of these tests nothing rounds differently, so even the number of
/// iterations is the processor's, wherever a block of iterations begins and ends.
#[test]
fn every_tiling_gives_the_same_flow() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let (a, b) = (texture(75, 90, 0.0, 0.0, 1), texture(75, 90, 0.9, -0.6, 2));
    let mut twin = Tvl1::default();
    let expected = twin.flow(&a, &b).unwrap();
    let mut tried = 0;
    for (tile, halo) in [
        (Tile::LARGE, 4),
        (Tile::LARGE, 8),
        (Tile::LARGE, 16),
        (Tile::SMALL, 8),
        (Tile::SMALL, 12),
    ] {
        let Some(mut card) = on_card(context, Tvl1Preset::Exact).with_tiling(tile, halo) else {
            continue;
        };
        tried += 1;
        let done = card.flows(&[(&a, &b)]).unwrap();
        let what = format!("{} px tiles with a halo of {halo}", tile.width());
        assert_near(&what, &done.flows[0], &expected);
        if context.is_software() {
            assert_eq!(done.iterations[0], twin.iterations(), "{what}");
        }
    }
    assert!(tried >= 3);
    let card = on_card(context, Tvl1Preset::Exact);
    assert!(card.with_tiling(Tile::SMALL, 16).is_none());
}

#[test]
fn a_batch_gives_what_its_pairs_give_alone() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let mut card = on_card(context, Tvl1Preset::Live)
        .with_tiling(Tile::SMALL, 8)
        .unwrap();
    let (a, b) = (texture(70, 50, 0.0, 0.0, 1), texture(70, 50, 0.9, -0.6, 2));
    let c = texture(70, 50, -0.4, 0.2, 3);
    // The second pair rests at once, the third shares its pictures with the others.
    let pairs = [(&a, &b), (&a, &a), (&b, &c)];
    let batch = card.flows(&pairs).unwrap();
    assert_eq!(batch.flows[1], Flow::zeros(70, 50));
    for (n, pair) in pairs.into_iter().enumerate() {
        let alone = card.flows(&[pair]).unwrap();
        assert_eq!(alone.flows[0], batch.flows[n], "pair {n}");
        assert_eq!(alone.iterations[0], batch.iterations[n], "pair {n}");
    }
    // Used buffers leave nothing behind.
    let again = card.flows(&pairs).unwrap();
    assert_eq!(again.flows, batch.flows);
}

#[test]
fn submitted_batches_come_in_order_and_too_few_steps_are_made_good() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let mut card = on_card(context, Tvl1Preset::Exact)
        .with_tiling(Tile::SMALL, 4)
        .unwrap();
    let (still, moved) = (texture(60, 44, 0.0, 0.0, 1), texture(60, 44, 0.9, -0.6, 2));
    // Pairs at rest teach it to expect few steps.
    for _ in 0..6 {
        card.flows(&[(&still, &still)]).unwrap();
    }
    let frames: Vec<_> = [&still, &moved]
        .into_iter()
        .map(|plane| {
            let pyramid = card.allocate_pyramid(60, 44).unwrap();
            card.pyramids().upload(&pyramid, plane).unwrap();
            let mut encoder = context.device.create_command_encoder(&Default::default());
            card.pyramids().record(&mut encoder, &pyramid);
            context.queue.submit([encoder.finish()]);
            pyramid
        })
        .collect();
    card.submit(&[(&frames[0], &frames[1])], 7).unwrap();
    card.submit(&[(&frames[0], &frames[0])], 8).unwrap();
    assert_eq!(card.in_flight(), 2);
    let first = card.wait().unwrap().unwrap();
    let second = card.wait().unwrap().unwrap();
    assert_eq!((first.ticket, second.ticket), (7, 8));
    assert!(first.dispatches < first.steps * 2);
    assert_near(
        "moved",
        &first.flows[0],
        &Tvl1::default().flow(&still, &moved).unwrap(),
    );
    assert_eq!(second.flows[0], Flow::zeros(60, 44));
    assert!(card.wait().unwrap().is_none() && card.poll().unwrap().is_none());
}

#[test]
fn a_flow_that_stays_on_the_card_is_complete_and_its_strain_is_the_processors() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let (w, h) = (45, 38);
    let mut card = on_card(context, Tvl1Preset::Live);
    let mut kernels = StrainKernels::new(context).unwrap();
    let planes = [texture(w, h, 0.0, 0.0, 1), texture(w, h, 0.9, -0.6, 2)];
    let frames = [(); 2].map(|()| card.allocate_pyramid(w, h).unwrap());
    let pairs = [(&frames[0], &frames[1]), (&frames[1], &frames[0])];
    let mut encoder = context.device.create_command_encoder(&Default::default());
    for (pyramid, plane) in frames.iter().zip(&planes) {
        // The second comes from a buffer that is on the card already.
        if std::ptr::eq(plane, &planes[0]) {
            card.pyramids().upload(pyramid, plane).unwrap();
        } else {
            let grey = onset::gpu::buffer::storage::<f32>(context, "test.grey", w * h).unwrap();
            context
                .queue
                .write_buffer(&grey, 0, bytemuck::cast_slice(&plane.data));
            card.pyramids().copy(&mut encoder, pyramid, &grey);
        }
        card.pyramids().record(&mut encoder, pyramid);
    }
    let batch = card.record(&mut encoder, &pairs).unwrap();
    let mut readback = Readback::new("test.flow");
    let bytes = (2 * 2 * w * h * size_of::<f32>()) as u64;
    readback.record(context, &mut encoder, batch.flows(), bytes, 0);
    for (n, differences) in [Differences::Central, Differences::Forward]
        .into_iter()
        .enumerate()
    {
        let strains = kernels
            .record(&mut encoder, batch.flows(), (w, h), 2, differences)
            .unwrap();
        readback.record(context, &mut encoder, strains, strains.size(), 1 + n as u64);
    }
    context.queue.submit([encoder.finish()]);
    readback.start();
    card.release(batch);

    let flows = planes_of(readback.wait(context).unwrap().unwrap().1, w, h);
    let central = planes_of(readback.wait(context).unwrap().unwrap().1, w, h);
    let forward = planes_of(readback.wait(context).unwrap().unwrap().1, w, h);
    for n in 0..2 {
        let flow = Flow {
            u: flows[2 * n].clone(),
            v: flows[2 * n + 1].clone(),
        };
        let twin = card.flows(&[(&planes[n], &planes[1 - n])]).unwrap();
        assert_eq!(twin.flows[0], flow);
        let strain = strain::central(&flow);
        for (own, expected) in central[4 * n..][..4].iter().zip([
            &strain.xx,
            &strain.yy,
            &strain.xy,
            &strain.magnitude,
        ]) {
            assert_planes_near(own, expected);
        }
        assert_planes_near(&forward[n], &strain::forward(&flow));
    }
}

#[test]
fn strain_of_fields_one_pixel_wide_is_zero_across() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let mut kernels = StrainKernels::new(context).unwrap();
    for (w, h) in [(1, 1), (4, 1), (1, 4)] {
        let flows = onset::gpu::buffer::storage::<f32>(context, "test.flow", 2 * w * h).unwrap();
        for differences in [Differences::Central, Differences::Forward] {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            let mut readback = Readback::new("test.strain");
            let strains = kernels
                .record(&mut encoder, &flows, (w, h), 1, differences)
                .unwrap();
            readback.record(context, &mut encoder, strains, strains.size(), 0);
            context.queue.submit([encoder.finish()]);
            readback.start();
            let (_, values) = readback.wait(context).unwrap().unwrap();
            assert_eq!(values, vec![0.0; w * h * differences.planes()]);
        }
    }
}

fn planes_of(values: Vec<f32>, width: usize, height: usize) -> Vec<Plane> {
    let planes = values.chunks_exact(width * height);
    planes
        .map(|plane| Plane::from_vec(width, height, plane.to_vec()))
        .collect()
}

fn assert_planes_near(own: &Plane, expected: &Plane) {
    for (i, (own, expected)) in own.data.iter().zip(&expected.data).enumerate() {
        assert!(
            (own - expected).abs() <= 2e-6,
            "{own}, not {expected} at {i}"
        );
    }
}

#[test]
fn pictures_that_cannot_be_compared_are_refused() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let mut card = on_card(context, Tvl1Preset::Exact);
    let (small, a, b) = (
        Plane::zeros(7, 40),
        Plane::zeros(20, 20),
        Plane::zeros(20, 21),
    );
    for (first, second) in [(&small, &small), (&a, &b)] {
        let twin = Tvl1::default().flow(first, second).unwrap_err().to_string();
        let own = card.flows(&[(first, second)]).unwrap_err().to_string();
        assert_eq!(own, twin);
    }
    assert!(card.flows(&[(&a, &a), (&b, &b)]).is_err());
    assert!(card.flows(&[]).unwrap().flows.is_empty());
    assert!(matches!(
        card.submit(&[], 0),
        Err(GpuFlowError::NumberOfPairs { pairs: 0, .. })
    ));
    let coarser = Tvl1Params {
        scale_step: 0.5,
        ..Tvl1Params::default()
    };
    let mut others = Tvl1Gpu::new(context, coarser).unwrap();
    let other = others.allocate_pyramid(40, 40).unwrap();
    assert!(others.pyramids().upload(&other, &a).is_err());
    assert!(others.allocate_pyramid(40, 7).is_err());
    let error = card.submit(&[(&other, &other)], 0).unwrap_err();
    assert!(matches!(error, GpuFlowError::OtherPyramid), "{error}");
}

#[test]
fn settings_without_iterations_give_rest_as_on_the_processor() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let (a, b) = (texture(70, 40, 0.0, 0.0, 1), texture(70, 40, 0.9, -0.6, 2));
    let exact = Tvl1Params::default();
    for params in [
        Tvl1Params {
            outer_iterations: 0,
            ..exact
        },
        Tvl1Params {
            inner_iterations: 0,
            ..exact
        },
    ] {
        let mut card = Tvl1Gpu::new(context, params).unwrap();
        let own = card.flows(&[(&a, &b)]).unwrap();
        assert_eq!(own.flows[0], Flow::zeros(70, 40));
        assert_eq!(Tvl1::new(params).flow(&a, &b).unwrap(), own.flows[0]);
    }
}

#[test]
fn the_host_and_the_shaders_lay_flow_structs_out_alike() {
    macro_rules! fields {
        ($ty:ty: $($name:ident),*) => {
            (vec![$((stringify!($name).to_owned(), offset_of!($ty, $name))),*], size_of::<$ty>())
        };
    }
    let step = tvl1::shader_source(Tile::LARGE);
    let begin = tvl1::begin_source();
    let progress = fields!(Progress: level, warp, outer, inner, iterations, parity, settled, finished,
        steps, first, second, gain);
    assert_eq!(layout(&step, "Progress"), progress);
    assert_eq!(layout(&begin, "Progress"), progress);
    let solver = fields!(SolverUniform: reach, theta, dual_step, enlargement, levels, outer,
        inner, median, replicate, most_tiles, pairs, plane, report, report_length);
    assert_eq!(layout(&step, "Solver"), solver);
    let level = fields!(LevelEntry: width, height, pitch, texels, taps_x, taps_y, tiles_x, tiles_y,
        halo, enough, warps);
    assert_eq!(layout(&step, "Level"), level);
    let tap = fields!(TapEntry: low, share);
    assert_eq!(layout(&step, "Tap"), tap);
    assert_eq!(layout(pyramid::shader_source(), "Tap"), tap);
    let begun = fields!(BeginUniform: pyramid, levels, equalise, largest_change, report,
        report_length);
    assert_eq!(layout(&begin, "Begin"), begun);
    let made = fields!(PyramidUniform: width, height, start, finer_width, finer_height,
        finer_start, taps_x, taps_y, across, down);
    assert_eq!(layout(pyramid::shader_source(), "Pyramid"), made);
    let strain = fields!(StrainUniform: width, height, flows);
    let source = onset::motion::gpu::strain::shader_source();
    assert_eq!(layout(&source, "Strain"), strain);
}

/// `cargo test --test it gpu_flow::figures -- --ignored --nocapture`.
#[test]
#[ignore = "prints times and distances"]
fn figures() {
    let Some((context, _guard)) = device() else {
        return;
    };
    if let Some(path) = shared("reference/tvl1_oracle.npz") {
        let mut pairs = Pairs::open(&path);
        for preset in Tvl1Preset::ALL {
            let mut card = on_card(context, preset);
            let mut twin = Tvl1::new(preset.params());
            println!(
                "\n{preset}: pair, distance to the processor's flow mean and p99 [px], iterations there and here, steps"
            );
            for name in [
                "syn128_bump1.5",
                "syn128_bright2",
                "real0",
                "real1",
                "real2",
                "real3",
            ] {
                let (a, b) = pairs.pictures(name);
                let done = card.flows(&[(&a, &b)]).unwrap();
                let d = distances(&done.flows[0], &twin.flow(&a, &b).unwrap());
                println!(
                    "{name:16} {:.6} {:.6}  {:?} {:?}  {}",
                    mean(&d),
                    quantile(&d, 0.99).unwrap(),
                    twin.iterations(),
                    done.iterations[0],
                    done.steps
                );
            }
        }
    }
    println!(
        "\nsize, pairs at once, tile and halo: wall ms a pair (median of 7), steps, dispatches"
    );
    let sizes = [(128, 128), (256, 256), (640, 480), (1280, 720)];
    for (w, h) in sizes {
        let (a, b) = (texture(w, h, 0.0, 0.0, 1), texture(w, h, 0.9, -0.6, 2));
        let tilings = [
            None,
            Some((Tile::SMALL, 8)),
            Some((Tile::LARGE, 8)),
            Some((Tile::LARGE, 16)),
        ];
        for tiling in tilings {
            if context.is_software() && (w > 256 || tiling.is_some()) {
                continue;
            }
            for count in [1, 16] {
                if context.is_software() && count > 1 {
                    continue;
                }
                let mut card = on_card(context, Tvl1Preset::Exact);
                if let Some((tile, halo)) = tiling {
                    card = card.with_tiling(tile, halo).unwrap();
                }
                let pairs = vec![(&a, &b); count];
                let mut times = Vec::new();
                let mut done = card.flows(&pairs).unwrap();
                for _ in 0..7 {
                    let start = Instant::now();
                    done = card.flows(&pairs).unwrap();
                    times.push(start.elapsed().as_secs_f64() * 1e3 / count as f64);
                }
                times.sort_by(f64::total_cmp);
                let tiling = tiling.map(|(tile, halo)| (tile.width(), halo));
                println!(
                    "{w}×{h} {count:2} {tiling:?}: {:.3} ms, {} steps, {} dispatches",
                    times[3], done.steps, done.dispatches
                );
            }
        }
    }
}
