//! Motion magnification: against reference results, the two paths against each
//! other, and what a person would see.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs::File;
use std::io::BufReader;

use image::RgbImage;
use npyz::npz::NpzArchive;
use onset::base::Timestamp;
use onset::media::{FrameSource, VideoFile};
use onset::motion::Flow;
use onset::motion::bandpass::BandpassParams;
use onset::motion::cpu::glmm::warp;
use onset::motion::cpu::magnify::CpuEvm;
use onset::motion::glmm::{Glmm, displacement};
use onset::motion::gpu::glmm::GpuWarp;
use onset::motion::gpu::magnify::GpuEvm;
use onset::motion::magnify::{Evm, EvmParams, EvmStep, MagnifyError};
use onset::motion::tvl1::Tvl1Preset;

use crate::cli::{Ran, film, onset, pictures, text};

type Archive = NpzArchive<BufReader<File>>;

fn fixture() -> Option<Archive> {
    Some(NpzArchive::open(crate::shared("reference/evm_oracle.npz")?).unwrap())
}

fn array<T: npyz::Deserialize>(archive: &mut Archive, name: &str) -> Vec<T> {
    archive.by_name(name).unwrap().unwrap().into_vec().unwrap()
}

fn reference_pictures(archive: &mut Archive, name: &str, width: u32, height: u32) -> Vec<RgbImage> {
    array::<u8>(archive, name)
        .chunks((3 * width * height) as usize)
        .map(|p| RgbImage::from_raw(width, height, p.to_vec()).unwrap())
        .collect()
}

/// The reference's parameters; it states the coefficients and not the band.
fn reference_step(width: usize, height: usize, chroma: f64) -> EvmStep {
    let params = EvmParams {
        alpha: 10.0,
        lambda_c_px: 16.0,
        chroma,
        ..EvmParams::default()
    };
    let band = params.band(30.0).unwrap();
    EvmStep {
        fast: 0.4,
        slow: 0.05,
        ..EvmStep::new(&params, &band, width, height)
    }
}

/// Largest difference of two pictures and the share of values that differ at all.
fn difference(a: &RgbImage, b: &RgbImage) -> (u8, f64) {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = || a.as_raw().iter().zip(b.as_raw());
    let largest = pairs().map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    let unequal = pairs().filter(|(a, b)| a != b).count();
    (largest, unequal as f64 / a.as_raw().len() as f64)
}

fn yiq([r, g, b]: [f32; 3]) -> [f32; 3] {
    [
        0.299 * r + 0.587 * g + 0.114 * b,
        0.596 * r - 0.274 * g - 0.322 * b,
        0.211 * r - 0.523 * g + 0.312 * b,
    ]
}

#[test]
fn level_gains_equal_the_references() {
    let Some(mut archive) = fixture() else { return };
    for (name, width, height) in [("face", 160, 160), ("baby", 320, 180)] {
        let theirs: Vec<f64> = array(&mut archive, &format!("{name}_level_alpha"));
        let ours = EvmParams::default().level_alphas(width, height);
        assert_eq!(ours.len(), theirs.len());
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() < 1e-9, "{name}: {a} {b}");
        }
    }
}

#[test]
fn the_cpu_path_equals_the_reference_before_and_after_rounding() {
    let Some(mut archive) = fixture() else { return };
    let (input, output) = (
        reference_pictures(&mut archive, "face_in", 160, 160),
        reference_pictures(&mut archive, "face_out", 160, 160),
    );
    let step = reference_step(160, 160, 0.1);
    let mut evm = CpuEvm::new(160, 160);
    let (mut floats, mut unequal): (f32, f64) = (0.0, 0.0);
    for (t, (picture, theirs)) in input.iter().zip(&output).enumerate() {
        let ours = evm.push(picture, &step);
        let (largest, share) = difference(&ours, theirs);
        assert!(largest <= 1, "frame {t}: off by {largest}");
        unequal = unequal.max(share);
        if ![0, 1, 2, 5, 10].contains(&t) {
            continue;
        }
        let theirs: Vec<f32> = array(&mut archive, &format!("face_yiq_out_t{t}"));
        let pixels = picture.as_raw().chunks(3).zip(evm.change());
        for ((pixel, change), theirs) in pixels.zip(theirs.chunks(3)) {
            let rgb = std::array::from_fn(|c| f32::from(pixel[c]) / 255.0 + change[c]);
            for (ours, theirs) in yiq(rgb).iter().zip(theirs) {
                floats = floats.max((ours - theirs).abs());
            }
        }
    }
    eprintln!("EVM: floats off by {floats:e}, {unequal:.5} of the bytes off by 1");
    assert!(floats < 1e-5, "{floats:e}");
    assert!(unequal < 1e-3, "{unequal}");
}

#[test]
fn a_wide_picture_equals_the_reference() {
    let Some(mut archive) = fixture() else { return };
    let (input, output) = (
        reference_pictures(&mut archive, "baby_in", 320, 180),
        reference_pictures(&mut archive, "baby_out", 320, 180),
    );
    let step = reference_step(320, 180, 0.1);
    let mut evm = CpuEvm::new(320, 180);
    for (t, (picture, theirs)) in input.iter().zip(&output).enumerate() {
        let (largest, share) = difference(&evm.push(picture, &step), theirs);
        eprintln!("baby {t}: {largest}, {share:.5}");
        assert!(largest <= 1, "frame {t}: off by {largest}");
    }
}

/// The filter of one level, as the magnifier computes it.
fn recursion(frames: &[Vec<f64>], alpha: f64, r1: f64, r2: f64) -> Vec<Vec<f64>> {
    let (mut fast, mut slow) = (frames[0].clone(), frames[0].clone());
    let filtered = frames.iter().enumerate().map(|(t, frame)| {
        let pixels = frame.iter().zip(fast.iter_mut().zip(&mut slow));
        pixels
            .map(|(value, (fast, slow))| {
                if t > 0 {
                    *fast += r1 * (value - *fast);
                    *slow += r2 * (value - *slow);
                }
                alpha * (*fast - *slow)
            })
            .collect()
    });
    filtered.collect()
}

/// Numbers of 0..1, the same every time.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn the_led_matrix_is_the_magnifiers_filter_unrolled() {
    let mut draws = Draws(20_261_120);
    for case in 0..200 {
        let alpha = 0.1 + 30.0 * draws.next();
        let r2 = 0.9 * draws.next();
        let r1 = r2 + (0.999 - r2) * draws.next().max(1e-3);
        let length = 2 + (39.0 * draws.next()) as usize;
        let frames: Vec<Vec<f64>> = (0..length)
            .map(|_| (0..7).map(|_| 255.0 * draws.next()).collect())
            .collect();
        let params = BandpassParams {
            alpha,
            r1,
            r2,
            normalise: false,
        };
        let weights = params.weights(length);
        let unrolled = recursion(&frames, alpha, r1, r2);
        for t in 1..length {
            for (pixel, expected) in unrolled[t].iter().enumerate() {
                let sum: f64 = (0..=t)
                    .map(|i| weights[i * length + t] * frames[i][pixel])
                    .sum();
                let off = (sum - expected).abs();
                assert!(
                    off < 1e-9 * alpha.max(1.0),
                    "case {case}, frame {t}: {off:e}"
                );
            }
        }
    }
}

#[test]
fn the_reference_matrix_is_the_same_filter() {
    let Some(mut archive) = fixture() else { return };
    let frames: Vec<Vec<f64>> = (array::<f64>(&mut archive, "matrix_I").chunks(400))
        .map(<[f64]>::to_vec)
        .collect();
    let theirs: Vec<f64> = array(&mut archive, "matrix_out");
    let unrolled = recursion(&frames, 10.0, 0.4, 0.05);
    for (t, (ours, theirs)) in unrolled.iter().zip(theirs.chunks(400)).enumerate() {
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 1e-9, "frame {t}: {a} {b}");
        }
    }
    let weights = BandpassParams {
        normalise: false,
        ..BandpassParams::default()
    }
    .weights(60);
    let theirs: Vec<f64> = array(&mut archive, "matrix_W");
    for (at, (a, b)) in weights.iter().zip(&theirs).enumerate() {
        assert!((a - b).abs() < 1e-9 || at == 0, "W[{at}]: {a} {b}");
    }
}

/// A picture of noise that drifts a little from frame to frame.
fn moving_noise(width: u32, height: u32, t: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb(std::array::from_fn(|c| {
            let wave = |s: f32, phase: f32| (s + phase).sin();
            let (x, y, t) = (x as f32, y as f32, t as f32);
            let value = wave(x * 0.31 + 0.4 * t, c as f32) + wave(y * 0.23 - 0.2 * t, 0.3 * x);
            let grain = ((x * 12.9898 + y * 78.233 + t * 3.1).sin() * 43_758.547).fract();
            (128.0 + 40.0 * value + 12.0 * grain) as u8
        }))
    })
}

#[test]
fn the_kernels_equal_their_cpu_twin_on_pictures_of_any_size() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    for (width, height) in [(160, 160), (10, 10), (19, 23), (131, 67), (320, 181)] {
        let mut cpu = CpuEvm::new(width, height);
        let mut gpu = GpuEvm::new(context, width, height).unwrap();
        let mut step = reference_step(width as usize, height as usize, 0.1);
        for t in 0..6 {
            if t == 4 {
                // New parameters need no restart; a seek does.
                step = reference_step(width as usize, height as usize, 0.7);
                step.fast = 0.6;
            }
            let picture = moving_noise(width, height, t);
            let (largest, share) = difference(
                &cpu.push(&picture, &step),
                &gpu.push(&picture, &step).unwrap(),
            );
            assert!(largest <= 1, "{width}×{height}, {t}: off by {largest}");
            assert!(share < 2e-3, "{width}×{height}, {t}: {share} differ");
        }
        cpu.restart();
        gpu.restart();
        for t in 10..12 {
            let picture = moving_noise(width, height, t);
            let ours = cpu.push(&picture, &step);
            let (largest, _) = difference(&ours, &gpu.push(&picture, &step).unwrap());
            assert!(largest <= 1, "{width}×{height}, restarted, {t}");
        }
    }
}

#[test]
fn the_kernels_equal_the_reference() {
    let Some(mut archive) = fixture() else { return };
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let (input, output) = (
        reference_pictures(&mut archive, "face_in", 160, 160),
        reference_pictures(&mut archive, "face_out", 160, 160),
    );
    let step = reference_step(160, 160, 0.1);
    let mut evm = GpuEvm::new(context, 160, 160).unwrap();
    for (t, (picture, theirs)) in input.iter().zip(&output).enumerate() {
        let (largest, _) = difference(&evm.push(picture, &step).unwrap(), theirs);
        assert!(largest <= 1, "frame {t}: off by {largest}");
    }
}

#[test]
fn the_filters_start_again_after_a_seek_a_pause_and_another_size() {
    let frame = |t: u32| moving_noise(48, 40, t);
    let at = |t: f64| Timestamp::from_secs(t / 30.0);
    let mut evm = Evm::new(EvmParams::default(), 30.0).unwrap();
    assert_eq!(evm.push(&frame(0), 0, at(0.0)).unwrap(), frame(0));
    assert_ne!(evm.push(&frame(1), 1, at(1.0)).unwrap(), frame(1));
    // A seek, the same frame twice, a pause, another size.
    assert_eq!(evm.push(&frame(7), 7, at(7.0)).unwrap(), frame(7));
    assert_eq!(evm.push(&frame(7), 7, at(7.0)).unwrap(), frame(7));
    assert_eq!(evm.push(&frame(8), 8, at(12.0)).unwrap(), frame(8));
    let small = moving_noise(40, 40, 9);
    assert_eq!(evm.push(&small, 9, at(13.0)).unwrap(), small);
    assert_ne!(
        evm.push(&moving_noise(40, 40, 10), 10, at(14.0)).unwrap(),
        moving_noise(40, 40, 10)
    );
    // A parameter does not restart them.
    let still = EvmParams {
        alpha: 0.0,
        ..EvmParams::default()
    };
    evm.set(still, 30.0).unwrap();
    let last = moving_noise(40, 40, 11);
    assert_eq!(evm.push(&last, 11, at(15.0)).unwrap(), last);
    evm.set(EvmParams::default(), 30.0).unwrap();
    let next = moving_noise(40, 40, 12);
    assert_ne!(evm.push(&next, 12, at(16.0)).unwrap(), next);
    let tiny = RgbImage::new(9, 40);
    assert!(matches!(
        evm.push(&tiny, 13, at(17.0)),
        Err(MagnifyError::TooSmall { .. })
    ));
}

/// A wave of 30 px that swings by a quarter of a pixel at 1 Hz.
#[test]
fn a_small_motion_becomes_about_alpha_times_as_large() {
    let (width, height, fps) = (160, 120, 30.0);
    let frame = |t: f64| {
        let shift = 0.25 * (std::f64::consts::TAU * t / fps).sin();
        RgbImage::from_fn(width, height, |x, _| {
            let phase = std::f64::consts::TAU * (f64::from(x) - shift) / 30.0;
            image::Rgb([(127.5 + 90.0 * phase.sin()).round() as u8; 3])
        })
    };
    let mut evm = Evm::new(
        EvmParams {
            alpha: 6.0,
            ..EvmParams::default()
        },
        fps,
    )
    .unwrap();
    // The phase of the wave tells where it is.
    let position = |picture: &RgbImage| {
        let row: Vec<f64> = (20..140).map(|x| f64::from(picture[(x, 60)][0])).collect();
        let part = |f: fn(f64) -> f64| -> f64 {
            (row.iter().zip(20..))
                .map(|(v, x)| v * f(std::f64::consts::TAU * f64::from(x) / 30.0))
                .sum()
        };
        -part(f64::cos).atan2(part(f64::sin)) * 30.0 / std::f64::consts::TAU
    };
    let (mut before, mut after): (f64, f64) = (0.0, 0.0);
    for t in 0..120 {
        let picture = frame(f64::from(t));
        let at = Timestamp::from_secs(f64::from(t) / fps);
        let magnified = evm.push(&picture, t.try_into().unwrap(), at).unwrap();
        if t >= 60 {
            before = before.max(position(&picture).abs());
            after = after.max(position(&magnified).abs());
        }
    }
    eprintln!("swing {before:.3} px, magnified {after:.3} px");
    assert!((before - 0.25).abs() < 0.02);
    // The band's flanks take some of the gain of 7.
    assert!(
        after / before > 4.0 && after / before < 7.5,
        "{}",
        after / before
    );
}

/// A bright bump on a dark, faintly structured ground.
fn bump(width: u32, height: u32, x0: f32, y0: f32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (x as f32 - x0, y as f32 - y0);
        let value = 40.0
            + 160.0 * (-(dx * dx + dy * dy) / (2.0 * 7.0 * 7.0)).exp()
            + 6.0 * (x as f32 * 0.5).sin() * (y as f32 * 0.4).sin();
        image::Rgb([value.round() as u8; 3])
    })
}

/// Centre of what is bright.
fn center(picture: &RgbImage) -> (f64, f64) {
    let (mut x0, mut y0, mut sum) = (0.0, 0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let weight = (f64::from(pixel[0]) - 90.0).max(0.0);
        x0 += weight * f64::from(x);
        y0 += weight * f64::from(y);
        sum += weight;
    }
    (x0 / sum, y0 / sum)
}

#[test]
fn a_bump_that_moved_by_d_appears_moved_by_sigma_d() {
    let (width, height) = (128, 112);
    let still = bump(width, height, 60.0, 56.0);
    for (dx, dy) in [(1.5, 0.0), (-1.0, 0.8)] {
        let gone = bump(width, height, 60.0 + dx, 56.0 + dy);
        for sigma in [4.0, 9.0] {
            let mut glmm = Glmm::new(sigma, Tvl1Preset::Exact.params(), 30.0).unwrap();
            assert_eq!(glmm.push(&still, 0, Timestamp::ZERO).unwrap(), still);
            let magnified = glmm
                .push(&gone, 1, Timestamp::from_secs(1.0 / 30.0))
                .unwrap();
            let ((x0, y0), (x1, y1)) = (center(&still), center(&magnified));
            let (ex, ey) = (sigma * f64::from(dx), sigma * f64::from(dy));
            let off = (x1 - x0 - ex).hypot(y1 - y0 - ey) / ex.hypot(ey);
            eprintln!(
                "σ {sigma}: moved {:.2}, {:.2} for {ex:.2}, {ey:.2}",
                x1 - x0,
                y1 - y0
            );
            // TV-L1 under-estimates small motions a little.
            assert!(off < 0.12, "σ {sigma}, ({dx}, {dy}): off by {off:.3}");
        }
    }
}

#[test]
fn a_frame_that_does_not_follow_is_the_new_reference() {
    let at = |t: f64| Timestamp::from_secs(t / 30.0);
    let (a, b) = (bump(64, 64, 30.0, 30.0), bump(64, 64, 31.0, 30.0));
    let mut glmm = Glmm::new(9.0, Tvl1Preset::Live.params(), 30.0).unwrap();
    assert_eq!(glmm.push(&a, 0, at(0.0)).unwrap(), a);
    assert_ne!(glmm.push(&b, 1, at(1.0)).unwrap(), b);
    assert_eq!(glmm.push(&b, 9, at(9.0)).unwrap(), b);
    assert_eq!(glmm.push(&a, 10, at(14.0)).unwrap(), a);
    let other = bump(48, 64, 20.0, 30.0);
    assert_eq!(glmm.push(&other, 11, at(15.0)).unwrap(), other);
}

#[test]
fn the_bent_mesh_of_the_kernels_equals_its_cpu_twin() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    for (width, height) in [(128, 128), (33, 61), (9, 8), (320, 181)] {
        let picture = moving_noise(width, height, 3);
        let mut kernel = GpuWarp::new(context, width, height).unwrap();
        for (size, wave) in [(0.0, 0.1), (1.2, 0.05), (2.0, 0.11)] {
            let mut flow = Flow::zeros(width as usize, height as usize);
            for y in 0..height as usize {
                for x in 0..width as usize {
                    let (fx, fy) = (x as f32, y as f32);
                    flow.u.data[y * width as usize + x] = size * (wave * fx + 0.7).sin();
                    flow.v.data[y * width as usize + x] = size * (wave * (fy - 0.3 * fx)).cos();
                }
            }
            let moved = displacement(&flow, 9.0);
            let cpu = warp(&picture, &moved);
            let gpu = kernel.warp(&picture, &moved).unwrap();
            let pairs = cpu.as_raw().iter().zip(gpu.as_raw());
            let far = pairs.filter(|(a, b)| a.abs_diff(**b) > 1).count();
            // At the edge of a fold a rounding decides which side is seen.
            let share = far as f64 / cpu.as_raw().len() as f64;
            eprintln!("{width}×{height}, {size}: {share:.6} of the values off by more than 1");
            assert!(share < 2e-3, "{width}×{height}, {size}: {share}");
        }
    }
}

/// `onset magnify INPUT --out OUT …`
fn run_magnify(input: &std::path::Path, out: &std::path::Path, more: &[&str]) -> Ran {
    let mut args = vec!["magnify", text(input), "--out", text(out)];
    args.extend(more);
    Ran::of(&mut onset(&args))
}

fn all_frames(path: &std::path::Path) -> Vec<onset::media::Frame> {
    let mut video = VideoFile::open(path, None).unwrap();
    std::iter::from_fn(|| video.next_frame().unwrap()).collect()
}

#[test]
fn cli_magnify_writes_a_copy_with_the_recordings_times() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 16);
    let out = home.path().join("magnified.mp4");
    let more = ["--fps", "20", "--quiet"];
    let ran = run_magnify(&film, &out, &more).ends(0);
    assert!(ran.out.is_empty() && ran.err.is_empty(), "{ran:?}");
    let frames = all_frames(&out);
    assert_eq!(frames.len(), 16);
    assert_eq!(frames[0].picture.dimensions(), pictures()[0].dimensions());
    for (i, frame) in frames.iter().enumerate() {
        assert!((frame.timestamp.secs() - i as f64 / 20.0).abs() < 1e-3);
    }
    // The same bytes again, whatever the number of threads.
    let again = home.path().join("again.mp4");
    let mut args = vec!["magnify", text(&film), "--out", text(&again)];
    args.extend(more);
    Ran::of(onset(&args).env("RAYON_NUM_THREADS", "1")).ends(0);
    assert!(std::fs::read(&out).unwrap() == std::fs::read(&again).unwrap());
    // Only the two results and the film: no part files.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 3);
}

#[test]
fn cli_magnify_takes_both_methods_and_the_face_alone() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 6);
    for more in [
        &["--method", "glmm", "--face", "--preset", "preview"][..],
        &["--face"],
    ] {
        let out = home.path().join("copy.mp4");
        let ran = run_magnify(&film, &out, more).ends(0);
        assert!(ran.err.contains("6 frames"), "{ran:?}");
        let (first, last) = (&pictures()[0], &pictures()[5]);
        let copied = &all_frames(&out)[5].picture;
        // A corner, far from the face, stays as it is but for the compression.
        let (w, h) = first.dimensions();
        for (x, y) in [(4, 4), (w - 5, h - 5)] {
            for c in 0..3 {
                assert!(copied[(x, y)][c].abs_diff(last[(x, y)][c]) < 16, "{more:?}");
            }
        }
    }
}

#[test]
fn cli_magnify_says_what_cannot_be_done() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 4);
    let out = home.path().join("copy.mp4");
    let cases: [(&[&str], &str); 5] = [
        (&["--low-hz", "3", "--high-hz", "2"], "--low-hz"),
        (&["--low-hz", "40", "--high-hz", "60"], "half the measured"),
        (&["--alpha", "1e9"], "alpha"),
        (&["--seconds", "2"], "--seconds"),
        (&["--chroma", "2"], "chroma"),
    ];
    for (more, word) in cases {
        let ran = run_magnify(&film, &out, more).ends(2);
        assert!(ran.err.contains(word), "{ran:?}");
        assert!(!out.exists());
    }
    let avi = home.path().join("copy.avi");
    run_magnify(&film, &avi, &[])
        .ends(2)
        .says(&[".mp4"], "copy.avi");
    run_magnify(&home.path().join("absent.mp4"), &out, &[]).ends(2);
    let nowhere = home.path().join("no/folder/copy.mp4");
    run_magnify(&film, &nowhere, &[])
        .ends(2)
        .says(&["no folder", "Make it first"], "folder");
    let sample = crate::cli::sample();
    run_magnify(&sample, &sample, &[])
        .ends(2)
        .says(&["replace"], "sample.mp4");
    // A band beyond half the frame rate is a warning that concerns the result.
    let ran = run_magnify(&film, &out, &["--high-hz", "50"]).ends(3);
    assert!(
        ran.err.contains("half the measured 30.00 frames a second"),
        "{ran:?}"
    );
}
