//! The graphics room: one device for all tests, shaders and layouts against naga.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::mem::{offset_of, size_of};
use std::sync::{Mutex, MutexGuard, OnceLock};

use naga::valid::{Capabilities, ValidationFlags, Validator};
use onset::gpu::{GpuContext, GpuTimer, Kernel, Readback, buffer};
use onset::media::yuv::gpu::{self as yuv, YuvUniform};
use onset::motion::bandpass::{self, BandpassUniform};
use onset::motion::gpu::glmm::{self, GlmmUniform};
use onset::motion::gpu::magnify::{self, LevelUniform, MagnifyUniform};
use onset::motion::gpu::roi::{self, RoiUniform, WindowEntry};
use onset::motion::gpu::{Tile, pyramid, strain, tvl1};

/// The one device of this test binary, for one test at a time. `None`, with a line
/// that says so, where there is no adapter; with `REQUIRE_GPU=1` that is a failure.
pub(crate) fn device() -> Option<(&'static GpuContext, MutexGuard<'static, ()>)> {
    static CONTEXT: OnceLock<Option<GpuContext>> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let context = CONTEXT.get_or_init(|| match GpuContext::headless() {
        Ok(context) => {
            eprintln!("adapter: {}", context.name());
            Some(context)
        }
        Err(error) => {
            let required = std::env::var("REQUIRE_GPU").is_ok_and(|v| v == "1");
            assert!(!required, "REQUIRE_GPU=1, but: {error}");
            eprintln!("skipped: {error}");
            None
        }
    });
    // A failed test must not fail the others.
    let guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    context.as_ref().map(|context| (context, guard))
}

/// Every shader as it is compiled, by its file's name.
fn shaders() -> Vec<(&'static str, String)> {
    vec![
        ("bandpass", bandpass::shader_source()),
        ("glmm", glmm::shader_source()),
        ("magnify", magnify::shader_source()),
        ("pyramid", pyramid::shader_source().to_owned()),
        ("roi", roi::shader_source()),
        ("strain", strain::shader_source()),
        ("tvl1", tvl1::shader_source(Tile::LARGE)),
        ("tvl1_begin", tvl1::begin_source()),
        ("yuv", yuv::shader_source().to_owned()),
    ]
}

fn parse(name: &str, source: &str) -> naga::Module {
    naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)))
}

#[test]
fn every_shader_is_valid() {
    for (name, source) in shaders() {
        let module = parse(name, &source);
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&source)));
        assert!(
            module.entry_points.iter().any(|entry| entry.name == name),
            "{name}.wgsl has no entry point of its name"
        );
    }
}

#[test]
fn every_shader_file_is_tested() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "wgsl"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let known: Vec<_> = shaders().into_iter().map(|(name, _)| name).collect();
    assert_eq!(files, known);
}

#[test]
fn the_host_and_the_shader_lay_bandpass_parameters_out_alike() {
    let host = [
        ("width", offset_of!(BandpassUniform, width)),
        ("height", offset_of!(BandpassUniform, height)),
        ("frames", offset_of!(BandpassUniform, frames)),
        ("first", offset_of!(BandpassUniform, first)),
        ("normalise", offset_of!(BandpassUniform, normalise)),
    ];
    let (members, span) = layout(&bandpass::shader_source(), "Bandpass");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<BandpassUniform>());
}

#[test]
fn the_host_and_the_shader_lay_magnification_parameters_out_alike() {
    let host = [
        ("width", offset_of!(MagnifyUniform, width)),
        ("height", offset_of!(MagnifyUniform, height)),
        ("levels", offset_of!(MagnifyUniform, levels)),
        ("start", offset_of!(MagnifyUniform, start)),
        ("fast", offset_of!(MagnifyUniform, fast)),
        ("slow", offset_of!(MagnifyUniform, slow)),
        ("spare", offset_of!(MagnifyUniform, spare)),
        ("chroma", offset_of!(MagnifyUniform, chroma)),
        ("level", offset_of!(MagnifyUniform, level)),
    ];
    let (members, span) = layout(&magnify::shader_source(), "Magnify");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<MagnifyUniform>());
    let host = [
        ("width", offset_of!(LevelUniform, width)),
        ("height", offset_of!(LevelUniform, height)),
        ("offset", offset_of!(LevelUniform, offset)),
        ("alpha", offset_of!(LevelUniform, alpha)),
    ];
    let (members, span) = layout(&magnify::shader_source(), "Level");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<LevelUniform>());
}

#[test]
fn the_host_and_the_shader_lay_mesh_parameters_out_alike() {
    let host = [
        ("width", offset_of!(GlmmUniform, width)),
        ("height", offset_of!(GlmmUniform, height)),
        ("rim", offset_of!(GlmmUniform, rim)),
        ("spare", offset_of!(GlmmUniform, spare)),
    ];
    let (members, span) = layout(&glmm::shader_source(), "Glmm");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<GlmmUniform>());
}

#[test]
fn the_host_and_the_shader_lay_roi_windows_out_alike() {
    let host = [
        ("width", offset_of!(RoiUniform, width)),
        ("height", offset_of!(RoiUniform, height)),
        ("windows", offset_of!(RoiUniform, windows)),
    ];
    let (members, span) = layout(&roi::shader_source(), "Roi");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<RoiUniform>());
    let host = [
        ("nose", offset_of!(WindowEntry, nose)),
        ("brows", offset_of!(WindowEntry, brows)),
        ("mouth", offset_of!(WindowEntry, mouth)),
        ("brows_middle", offset_of!(WindowEntry, brows_middle)),
        ("mouth_middle_x", offset_of!(WindowEntry, mouth_middle_x)),
        ("mouth_middle_y", offset_of!(WindowEntry, mouth_middle_y)),
        ("flow", offset_of!(WindowEntry, flow)),
        ("scale", offset_of!(WindowEntry, scale)),
        ("mask", offset_of!(WindowEntry, mask)),
    ];
    let (members, span) = layout(&roi::shader_source(), "Window");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<WindowEntry>());
}

#[test]
fn the_host_and_the_shader_lay_colour_conversion_out_alike() {
    let host = [
        ("width", offset_of!(YuvUniform, width)),
        ("height", offset_of!(YuvUniform, height)),
        ("luma_row", offset_of!(YuvUniform, luma_row)),
        ("luma_step", offset_of!(YuvUniform, luma_step)),
        ("luma_start", offset_of!(YuvUniform, luma_start)),
        ("chroma_row", offset_of!(YuvUniform, chroma_row)),
        ("chroma_step", offset_of!(YuvUniform, chroma_step)),
        ("blue_start", offset_of!(YuvUniform, blue_start)),
        ("red_start", offset_of!(YuvUniform, red_start)),
        ("chroma_width", offset_of!(YuvUniform, chroma_width)),
        ("chroma_height", offset_of!(YuvUniform, chroma_height)),
        ("halved_x", offset_of!(YuvUniform, halved_x)),
        ("halved_y", offset_of!(YuvUniform, halved_y)),
        ("interpolated", offset_of!(YuvUniform, interpolated)),
        ("black", offset_of!(YuvUniform, black)),
        ("luma", offset_of!(YuvUniform, luma)),
        ("red_from_red", offset_of!(YuvUniform, red_from_red)),
        ("green_from_blue", offset_of!(YuvUniform, green_from_blue)),
        ("green_from_red", offset_of!(YuvUniform, green_from_red)),
        ("blue_from_blue", offset_of!(YuvUniform, blue_from_blue)),
    ];
    let (members, span) = layout(yuv::shader_source(), "Yuv");
    assert_eq!(members, host.map(|(name, at)| (name.to_owned(), at)));
    assert_eq!(span, size_of::<YuvUniform>());
}

#[test]
fn the_cards_clock_runs_within_the_hosts() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let Some(timer) = GpuTimer::new(context) else {
        eprintln!("skipped: the adapter has no timestamps");
        return;
    };
    let buffer = buffer::storage::<f32>(context, "test.timed", 1 << 20).unwrap();
    let begun = std::time::Instant::now();
    let ((), card_ms) = timer
        .around(|| {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            encoder.clear_buffer(&buffer, 0, None);
            context.queue.submit([encoder.finish()]);
        })
        .unwrap();
    let host_ms = begun.elapsed().as_secs_f64() * 1e3;
    assert!(card_ms > 0.0 && card_ms < host_ms, "{card_ms} {host_ms}");
}

/// Names and offsets of a shader struct's members, and its size.
pub(crate) fn layout(source: &str, name: &str) -> (Vec<(String, usize)>, usize) {
    let module = parse(name, source);
    let found = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some(name));
    let Some((
        _,
        naga::Type {
            inner: naga::TypeInner::Struct { members, span },
            ..
        },
    )) = found
    else {
        panic!("no struct {name}");
    };
    let members = members
        .iter()
        .map(|m| (m.name.clone().unwrap(), m.offset as usize))
        .collect();
    (members, *span as usize)
}

#[test]
fn a_shader_that_does_not_compile_is_an_error_and_no_panic() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let error = Kernel::new(context, "test.broken", "@compute fn broken( {", "broken")
        .err()
        .unwrap();
    assert!(error.to_string().contains("test.broken"), "{error}");
    let error = Kernel::new(context, "test.absent", &bandpass::shader_source(), "absent")
        .err()
        .unwrap();
    assert!(error.to_string().contains("test.absent"), "{error}");
}

#[test]
fn a_buffer_beyond_the_devices_limit_is_refused() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let error = buffer::storage::<f32>(context, "test.huge", 1 << 40)
        .err()
        .unwrap();
    assert!(error.to_string().contains("test.huge"), "{error}");
}

#[test]
fn read_backs_come_in_the_order_they_were_asked_for() {
    let Some((context, _guard)) = device() else {
        return;
    };
    let source = buffer::storage::<f32>(context, "test.source", 4).unwrap();
    let mut readback = Readback::new("test.readback");
    assert!(readback.poll(context).unwrap().is_none());
    for ticket in 0..5u64 {
        let values = [ticket as f32; 4];
        context
            .queue
            .write_buffer(&source, 0, bytemuck::cast_slice(&values));
        let mut encoder = context.device.create_command_encoder(&Default::default());
        readback.record(context, &mut encoder, &source, 16, ticket);
        context.queue.submit([encoder.finish()]);
        readback.start();
    }
    assert_eq!(readback.in_flight(), 5);
    for ticket in 0..5u64 {
        let result = readback.wait(context).unwrap();
        assert_eq!(result, Some((ticket, vec![ticket as f32; 4])));
    }
    assert!(readback.wait(context).unwrap().is_none());
}
