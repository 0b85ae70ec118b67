//! SOFTNet: published checkpoints imported, and scores equal to the reference's.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::PathBuf;

use burn::tensor::{Tensor, TensorData};
use npyz::npz::NpzArchive;
use onset::base::Plane;
use onset::gpu::GpuContext;
use onset::model::softnet::{CHANNELS, SIDE, SoftNet};
use onset::model::softnet_keras::{SoftNetImportError, import_softnet_keras, read_softnet_keras};
use onset::nn::{NnDevice, inventory};

const CHECKPOINTS: [(&str, &str); 2] =
    [("casme2sq_macro_s1", "macro"), ("sammlv_micro_s1", "micro")];
const TOLERANCE: f32 = 1e-5;

fn checkpoint(name: &str) -> Option<PathBuf> {
    crate::shared(&format!("reference/{name}.hdf5"))
}

fn array(name: &str) -> Vec<f32> {
    let path = crate::shared("reference/softnet_parity.npz").unwrap();
    let mut archive = NpzArchive::open(path).unwrap();
    let found = archive.by_name(name).unwrap();
    found
        .unwrap_or_else(|| panic!("no array {name}"))
        .into_vec()
        .unwrap()
}

/// The fixture's eight images, `[image][u, v, strain]`.
fn images() -> Vec<[Plane; CHANNELS]> {
    array("x")
        .chunks(SIDE * SIDE * CHANNELS)
        .map(|image| {
            std::array::from_fn(|channel| {
                let values = image.iter().skip(channel).step_by(CHANNELS).copied();
                Plane::from_vec(SIDE, SIDE, values.collect())
            })
        })
        .collect()
}

fn wgpu(context: &GpuContext) -> NnDevice {
    NnDevice::wgpu(context).unwrap()
}

fn assert_parity(device: &NnDevice) {
    let images = images();
    let borrowed: Vec<_> = images.iter().map(|i| i.each_ref()).collect();
    for (name, kind) in CHECKPOINTS {
        let Some(path) = checkpoint(name) else { return };
        let weights = read_softnet_keras(&path, None).unwrap();
        assert_eq!(weights.card.kind.as_deref(), Some(kind));
        let network = SoftNet::new(device).with_weights(&weights, device).unwrap();

        let scores = network.score(&borrowed, device).unwrap();
        let wanted = array(&format!("y_{name}"));
        let off = |ours: &[f32], theirs: &[f32]| {
            assert_eq!(ours.len(), theirs.len());
            ours.iter()
                .zip(theirs)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max)
        };
        let difference = off(&scores, &wanted);
        eprintln!("{name} on {}: off by {difference:e}", device.name());
        assert!(
            difference < TOLERANCE,
            "{name}: {scores:?} instead of {wanted:?}"
        );

        // One at a time gives what the batch gives.
        let single = network.score(&borrowed[3..4], device).unwrap();
        assert!((single[0] - wanted[3]).abs() < TOLERANCE);

        // The features before the dense layers, in the reference's order (row, column,
        // channel) instead of ours.
        let flat = images
            .iter()
            .flatten()
            .flat_map(|p| p.data.clone())
            .collect();
        let data = TensorData::new(flat, [images.len(), CHANNELS, SIDE, SIDE]);
        let features = network.features(Tensor::from_data(data, device.handle()));
        let ours = features.try_into_vec_as::<f32>().unwrap();
        let theirs = array(&format!("flat_{name}"));
        let reordered: Vec<f32> = (0..theirs.len())
            .map(|at| {
                let (image, pixel, channel) = (at / 784, at % 784 / 16, at % 16);
                ours[image * 784 + channel * 49 + pixel]
            })
            .collect();
        let difference = off(&reordered, &theirs);
        assert!(
            difference < TOLERANCE,
            "{name}: features off by {difference:e}"
        );
    }
}

#[test]
fn published_checkpoints_score_as_their_authors_program_on_the_processor() {
    if crate::shared("reference/softnet_parity.npz").is_none() {
        return;
    }
    assert_parity(&NnDevice::flex());
}

#[test]
fn published_checkpoints_score_as_their_authors_program_on_the_graphics_device() {
    if crate::shared("reference/softnet_parity.npz").is_none() {
        return;
    }
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    assert_parity(&wgpu(context));
}

/// Images that lie on the card already are scored as if they had been uploaded.
#[test]
fn images_on_the_card_score_as_images_from_the_processor() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let device = &wgpu(context);
    let network = SoftNet::new(device);
    let planes: Vec<[Plane; CHANNELS]> = (0..5)
        .map(|image| {
            std::array::from_fn(|channel| {
                let value = |i: usize| ((i * 7 + image * 31 + channel * 11) % 97) as f32 / 97.0;
                Plane::from_vec(SIDE, SIDE, (0..SIDE * SIDE).map(value).collect())
            })
        })
        .collect();
    let borrowed: Vec<_> = planes.iter().map(|i| i.each_ref()).collect();
    let expected = network.score(&borrowed, device).unwrap();
    let values: Vec<f32> = (planes.iter().flatten())
        .flat_map(|plane| plane.data.iter().copied())
        .collect();
    // Something before the images, so that an offset is tried too.
    let source = onset::gpu::buffer::storage::<f32>(context, "test", values.len() + 64).unwrap();
    context
        .queue
        .write_buffer(&source, 256, bytemuck::cast_slice(&values));
    for _ in 0..3 {
        let scores = network.score_on_card(context, device, &source, 256, 5);
        for (on_card, uploaded) in scores.unwrap().iter().zip(&expected) {
            assert!((on_card - uploaded).abs() < 1e-5, "{on_card} {uploaded}");
        }
    }
    let short = network.score_on_card(context, device, &source, 512, 5);
    assert!(short.is_err());
    let elsewhere = NnDevice::flex();
    let network = SoftNet::new(&elsewhere);
    assert!(
        network
            .score_on_card(context, &elsewhere, &source, 0, 1)
            .is_err()
    );
}

#[test]
fn registering_one_graphics_device_twice_gives_the_same_networks() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let (first, second) = (
        NnDevice::wgpu(context).unwrap(),
        NnDevice::wgpu(&context.clone()).unwrap(),
    );
    assert_eq!(first.handle(), second.handle());
}

#[test]
fn an_imported_checkpoint_is_listed_shown_and_loaded() {
    let Some(path) = checkpoint("casme2sq_macro_s1") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("Öffentlich macro.safetensors");
    let card = import_softnet_keras(&path, &out, None).unwrap();
    assert_eq!(
        (card.network.as_str(), card.kind.as_deref()),
        ("softnet", Some("macro"))
    );
    let again = folder.path().join("again.safetensors");
    import_softnet_keras(&path, &again, Some("macro")).unwrap();
    assert_eq!(fs::read(&out).unwrap(), fs::read(&again).unwrap());

    let summary = inventory::show(&out).unwrap();
    assert_eq!(summary.parameters, 314_817);
    assert_eq!(summary.card, card);
    let listed = inventory::list(&[folder.path().to_owned()]);
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|(_, summary)| summary.is_ok()));

    let device = NnDevice::flex();
    let (network, _) = SoftNet::load(&out, &device).unwrap();
    let images = images();
    let borrowed: Vec<_> = images.iter().map(|i| i.each_ref()).collect();
    let scores = network.score(&borrowed, &device).unwrap();
    assert!((scores[0] - -0.273_937).abs() < TOLERANCE);
}

#[test]
fn a_checkpoint_that_does_not_say_its_kind_asks_for_it() {
    let Some(path) = checkpoint("casme2sq_macro_s1") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let unnamed = folder.path().join("s1.hdf5");
    fs::copy(path, &unnamed).unwrap();
    let error = read_softnet_keras(&unnamed, None).unwrap_err();
    assert!(matches!(error, SoftNetImportError::UnknownKind { .. }));
    assert!(error.to_string().contains("--kind micro"), "{error}");
    assert!(read_softnet_keras(&unnamed, Some("micro")).is_ok());
    assert!(read_softnet_keras(&unnamed, Some("nano")).is_err());
}

/// Whatever a damaged file holds, the answer is an error or the weights, never a panic.
#[test]
fn damaged_checkpoints_are_errors() {
    let Some(path) = checkpoint("sammlv_micro_s1") else {
        return;
    };
    let whole = fs::read(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("micro.hdf5");
    for length in [
        0,
        1,
        8,
        9,
        100,
        2_000,
        20_000,
        whole.len() / 2,
        whole.len() - 1_000,
    ] {
        fs::write(&broken, &whole[..length]).unwrap();
        let error = read_softnet_keras(&broken, None).unwrap_err();
        assert!(
            error.to_string().ends_with("micro.hdf5"),
            "{length}: {error}"
        );
    }
    let mut state = 1u32;
    for round in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Most of the structure is in the first kilobytes.
            let range = if round % 3 == 0 {
                bytes.len()
            } else {
                16_384.min(bytes.len())
            };
            let at = state as usize % range;
            bytes[at] ^= (state >> 24) as u8;
        }
        fs::write(&broken, &bytes).unwrap();
        let _ = read_softnet_keras(&broken, None);
    }
}

/// Not a test of speed: prints the milliseconds of a forward pass for the notes.
#[test]
#[ignore = "prints timings; run with --ignored --nocapture"]
fn forward_milliseconds() {
    let plane = Plane::filled(SIDE, SIDE, 0.5);
    let mut devices = vec![NnDevice::flex()];
    let held = crate::gpu::device();
    if let Some((context, _guard)) = &held {
        devices.push(wgpu(context));
    }
    for device in devices {
        let started = std::time::Instant::now();
        let network = SoftNet::new(&device);
        network.score(&[[&plane; 3]], &device).unwrap();
        let first = started.elapsed().as_secs_f64() * 1e3;
        eprintln!("{}: first call {first:.1} ms", device.name());
        for batch in [1usize, 2, 16, 64] {
            let images = vec![[&plane; 3]; batch];
            network.score(&images, &device).unwrap();
            let mut times: Vec<f64> = (0..21)
                .map(|_| {
                    let started = std::time::Instant::now();
                    network.score(&images, &device).unwrap();
                    started.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            times.sort_by(f64::total_cmp);
            eprintln!(
                "{}: batch {batch}: median {:.2} ms, best {:.2} ms, {:.3} ms an image",
                device.name(),
                times[10],
                times[0],
                times[10] / batch as f64
            );
        }
    }
}
