//! The LED band-pass: its matrix, its CPU twin and its kernel against reference
//! results and against each other.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs::File;
use std::io::BufReader;

use npyz::npz::NpzArchive;
use onset::base::Plane;
use onset::motion::bandpass::{BandpassKernel, BandpassParams};
use onset::motion::cpu::bandpass::bandpass;
use onset::motion::led_gradient;
use onset::motion::led_view::LED_FRAMES;

type Archive = NpzArchive<BufReader<File>>;

fn fixture() -> Option<Archive> {
    Some(NpzArchive::open(crate::shared("reference/led_parity.npz")?).unwrap())
}

fn array<T: npyz::Deserialize>(archive: &mut Archive, name: &str) -> Vec<T> {
    archive
        .by_name(name)
        .unwrap()
        .unwrap_or_else(|| panic!("no array {name}"))
        .into_vec()
        .unwrap()
}

const FRAMES: usize = 5;
const SIDE: usize = 64;
const PIXELS: usize = SIDE * SIDE;

/// The fixture's two clips of five frames, times `scale`.
fn clips(archive: &mut Archive, scale: f32) -> Vec<Vec<Plane>> {
    let values: Vec<f32> = array(archive, "x");
    values
        .chunks(FRAMES * PIXELS)
        .map(|clip| {
            clip.chunks(PIXELS)
                .map(|f| Plane::from_vec(SIDE, SIDE, f.iter().map(|v| v * scale).collect()))
                .collect()
        })
        .collect()
}

fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

fn on_gpu(
    kernel: &mut BandpassKernel,
    frames: &[&Plane],
    first: usize,
    params: &BandpassParams,
) -> Vec<f32> {
    kernel.submit(frames, first, params, 7).unwrap();
    let (ticket, values) = kernel.wait().unwrap().unwrap();
    assert_eq!(ticket, 7);
    values
}

#[test]
fn the_matrix_equals_the_references() {
    let Some(mut archive) = fixture() else { return };
    // The reference's larger matrix went through 32-bit floats.
    for (frames, tolerance) in [(5, 1e-12), (6, 5e-6)] {
        let theirs: Vec<f64> = array(&mut archive, &format!("W{frames}"));
        let ours = BandpassParams::default().weights(frames);
        for (at, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            // W[0, 0] has no effect, so a reference may hold anything there.
            let off = (a - b).abs();
            assert!(off < tolerance || at == 0, "W{frames}[{at}]: {a} {b}");
        }
    }
}

#[test]
fn the_cpu_twin_and_the_kernel_equal_the_reference() {
    let Some(mut archive) = fixture() else { return };
    let device = crate::gpu::device();
    let mut kernel = device
        .as_ref()
        .map(|(context, _guard)| BandpassKernel::new(context).unwrap());
    for (scale, suffix) in [(1.0f32, ""), (255.0, "_x255")] {
        let clips = clips(&mut archive, scale);
        for (normalise, name) in [(true, "y_norm"), (false, "y_raw")] {
            let theirs: Vec<f64> = array(&mut archive, &format!("{name}_f64{suffix}"));
            let theirs: Vec<f32> = theirs.into_iter().map(|v| v as f32).collect();
            let params = BandpassParams {
                normalise,
                ..BandpassParams::default()
            };
            // Normalised values lie in −1..1; raw ones reach 3.5·scale, frame 0 scale.
            let tolerance = if normalise {
                1e-6
            } else {
                2e-6 * scale.max(1.0)
            };
            for (clip, theirs) in clips.iter().zip(theirs.chunks(FRAMES * PIXELS)) {
                let frames: Vec<&Plane> = clip.iter().collect();
                let cpu: Vec<f32> = bandpass(&frames, 0, &params)
                    .unwrap()
                    .into_iter()
                    .flat_map(|plane| plane.data)
                    .collect();
                let off = largest_difference(&cpu, theirs);
                eprintln!("{name}{suffix}: CPU off by {off:e}");
                assert!(off <= tolerance, "{name}{suffix}: CPU off by {off:e}");
                if let Some(kernel) = &mut kernel {
                    let gpu = on_gpu(kernel, &frames, 0, &params);
                    let off = largest_difference(&gpu, theirs);
                    eprintln!("{name}{suffix}: GPU off by {off:e}");
                    assert!(off <= tolerance, "{name}{suffix}: GPU off by {off:e}");
                }
            }
        }
    }
}

/// Frames of noise; the same every time.
fn noise(width: usize, height: usize, count: usize) -> Vec<Plane> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * 255.0
    };
    (0..count)
        .map(|_| Plane::from_vec(width, height, (0..width * height).map(|_| next()).collect()))
        .collect()
}

#[test]
fn the_kernel_equals_its_cpu_twin_on_noise_of_any_size() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernel = BandpassKernel::new(context).unwrap();
    for (width, height, count, first) in [
        (128, 128, 6, 5),
        (1, 1, 2, 0),
        (13, 7, 9, 3),
        (200, 3, 1, 0),
        (128, 128, 6, 0),
    ] {
        let planes = noise(width, height, count);
        let frames: Vec<&Plane> = planes.iter().collect();
        for normalise in [true, false] {
            let params = BandpassParams {
                normalise,
                ..BandpassParams::default()
            };
            let cpu: Vec<f32> = bandpass(&frames, first, &params)
                .unwrap()
                .into_iter()
                .flat_map(|plane| plane.data)
                .collect();
            let gpu = on_gpu(&mut kernel, &frames, first, &params);
            // A fused multiply-add may round each of nine sums of ±900 otherwise.
            let tolerance = if normalise { 1e-6 } else { 5e-4 };
            let off = largest_difference(&cpu, &gpu);
            assert!(off <= tolerance, "{width}×{height}×{count}: {off:e}");
        }
    }
}

#[test]
fn results_come_without_waiting() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let mut kernel = BandpassKernel::new(context).unwrap();
    let planes = noise(64, 64, LED_FRAMES);
    let frames: Vec<&Plane> = planes.iter().collect();
    let params = BandpassParams::default();
    for ticket in 0..3 {
        kernel.submit(&frames, 5, &params, ticket).unwrap();
    }
    let mut tickets = Vec::new();
    let started = std::time::Instant::now();
    while tickets.len() < 3 && started.elapsed().as_secs() < 60 {
        tickets.extend(kernel.poll().unwrap().map(|(ticket, _)| ticket));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!(tickets, [0, 1, 2]);
}

/// A man raises his brows from frame 61 on; the view starts at frame 62, with half a
/// second behind it.
#[test]
fn the_view_of_a_real_face_lights_up_when_the_brows_rise() {
    let Some(path) = crate::shared("reference/evm_oracle.npz") else {
        return;
    };
    let mut archive = NpzArchive::open(path).unwrap();
    let pictures: Vec<u8> = array(&mut archive, "face_in");
    let planes: Vec<Plane> = pictures
        .chunks(160 * 160 * 3)
        .map(|picture| {
            let luma = |p: &[u8]| {
                0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])
            };
            Plane::from_vec(160, 160, picture.chunks(3).map(luma).collect())
        })
        .collect();
    let mut maps = 0;
    for end in 12..planes.len() {
        let six: Vec<&Plane> = (0..LED_FRAMES)
            .map(|i| &planes[end - 12 + 12 * i / 5])
            .collect();
        let found = bandpass(&six, LED_FRAMES - 1, &BandpassParams::default());
        let mut sizes: Vec<f32> = found.unwrap()[0].data.iter().map(|v| v.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let share = |p: f64| sizes[(p * (sizes.len() - 1) as f64) as usize];
        // Most of the picture keeps still, the brows' edges do not.
        assert!(share(0.5) < 0.01 && share(0.99) > 0.1 && share(1.0) < 1.0);
        maps += 1;
    }
    assert_eq!(maps, 12, "frames 62 to 73 have half a second behind them");
}

/// Output and gradient of the layer as S0's authors compute them, on 0..1 and 0..255,
/// with and without normalisation.
#[test]
fn the_layers_gradients_equal_the_references() {
    let Some(mut archive) = fixture() else {
        return;
    };
    let x: Vec<f32> = array(&mut archive, "x");
    for (scale, suffix) in [(1.0f32, ""), (255.0, "_x255")] {
        for (normalise, case) in [(true, "norm"), (false, "raw")] {
            let params = BandpassParams {
                normalise,
                ..BandpassParams::default()
            };
            let expected: Vec<f64> = array(
                &mut archive,
                &format!("grad_{case}_log_alpha_r1_r2_f64{suffix}"),
            );
            let theirs: Vec<f64> = array(&mut archive, &format!("y_{case}_f64{suffix}"));
            let mut gradient = [0.0; 3];
            for (clip, theirs) in x.chunks_exact(5 * 4096).zip(theirs.chunks_exact(5 * 4096)) {
                let frames: Vec<Vec<f64>> = clip
                    .chunks_exact(4096)
                    .map(|frame| frame.iter().map(|&v| f64::from(v * scale)).collect())
                    .collect();
                let outputs = led_gradient::outputs(&frames, &params);
                for (ours, theirs) in outputs.iter().flatten().zip(theirs) {
                    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0));
                }
                let upstream: Vec<Vec<f64>> = (outputs.iter())
                    .map(|frame| frame.iter().map(|y| 2.0 * y).collect())
                    .collect();
                let found = led_gradient::log_gradient(&frames, &params, &upstream);
                gradient.iter_mut().zip(found).for_each(|(g, f)| *g += f);
            }
            for (found, expected) in gradient.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs(),
                    "{case}{suffix}: {found}, not {expected}"
                );
            }
        }
    }
}
