//! `onset bench`: how fast each stage is on this machine, and what it costs in memory.
//!
//! A group of stages is a file: it gets the [`meter::Bench`] and pictures of one
//! size, and adds a row a stage and path with `on_processor` and `on_card`.

mod attention;
mod catalogue;
mod cost;
mod flow;
mod head;
mod magnify;
mod maps;
mod material;
mod meter;
mod network;
mod networks;
mod recognition;
mod repaints;
mod stepping;
mod whole;
mod window;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::print::say;
use super::{CommandResult, Device, DeviceArg, Failure, Outcome, Preset, above_zero, frame_rate};
use crate::face::CROP_SIDE;
use crate::gpu::GpuContext;
use crate::motion::windows::Stride;
use crate::session::device::processor_name;
use crate::session::{Params, Resources};
use cost::Cost;
use head::{Head, width_of};
use material::{Material, PictureSize};
use meter::{Bench, Card, Stage};
use whole::{EndToEnd, Memory};

/// Seconds for a stage, without `--seconds`.
const SECONDS: f64 = 0.5;

/// Measure each stage, the whole pipeline, and the memory it takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset bench\n  onset bench --size 128 --device gpu\n  onset bench interview.mp4 --json\n  onset bench --memory-minutes 2 --memory-minutes 20\n  onset bench --plot cost.png\n  onset bench frames/ --fps 200 --whole-only --stride dense\n  onset bench --networks --threads 2 --json\n  onset bench interview.mp4 --window --picture window.png\nMilliseconds are medians for the whole batch; CPU time counts all threads."
)]
pub struct BenchArgs {
    /// A recording to measure on; without: the bundled 640×480 clip.
    input: Option<PathBuf>,
    /// Size of the pictures, several times if wanted: 128 is a crop of the face,
    /// 640x480 a whole picture; without: 128, 256, 640x480 and 1280x720. With --window
    /// the pixels of the window.
    #[arg(long)]
    size: Vec<PictureSize>,
    /// Frames that are kept, and repeats of a stage at most.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    frames: u32,
    /// Seconds for a stage, and large pictures get three repeats at least; without: 0.5.
    /// With --window seconds for each size and pace; without: 10.
    #[arg(long, value_parser = above_zero, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Measure the graphics adapter even where it is software, which takes long.
    #[arg(long)]
    software: bool,
    /// Also analyse so many minutes of recording and note the memory taken.
    #[arg(long, value_parser = above_zero, allow_negative_numbers = true)]
    memory_minutes: Vec<f64>,
    /// Only the whole path, from the recording's first frame to its last.
    #[arg(long, conflicts_with_all = ["size", "software"])]
    whole_only: bool,
    /// How exactly the whole path computes its flows (see `onset flow`); the stages
    /// are measured one by one in any case.
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
    /// How densely the whole path's flow windows follow each other: "dense", or "k/12"
    /// for one every twelfth of a window's length (every frame up to 30 frames a second).
    #[arg(long, default_value_t)]
    stride: Stride,
    /// Frames a second of an image folder.
    #[arg(long, value_parser = frame_rate, allow_negative_numbers = true)]
    fps: Option<f64>,
    /// Also measure what pixels and frames cost, and draw it as a PNG.
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Only how long a step takes from the key to the picture, both ways.
    #[arg(long, requires = "input", conflicts_with_all = ["size", "memory_minutes", "whole_only", "plot", "networks"])]
    stepping: bool,
    /// Only the window, drawn by the graphics adapter without a display while it plays and
    /// analyses the recording: 60 repaints a second, and as many as there can be.
    #[arg(long, conflicts_with_all = ["memory_minutes", "whole_only", "preset", "stride", "plot", "stepping", "networks", "frames"])]
    window: bool,
    /// Pixels a point of the window; without: 1 with --size, else 1280x800 and 1920x1080 at
    /// 1 and 3840x2160 at 2.
    #[arg(long, requires_all = ["window", "size"], value_parser = window::scale)]
    scale: Option<f32>,
    /// Write what the window showed last, of the last size.
    #[arg(long, value_name = "FILE.png", requires = "window")]
    picture: Option<PathBuf>,
    /// Only the networks, at the sizes of their sources: time, parameters, memory.
    #[arg(long, conflicts_with_all = ["input", "size", "memory_minutes", "whole_only", "fps", "plot"])]
    networks: bool,
    /// Of the networks this one, several times if wanted.
    #[arg(long, value_name = "NETWORK", requires = "networks")]
    only: Vec<String>,
    /// Samples in one call of a network, several times if wanted; without: 1 and 32.
    #[arg(long, requires = "networks", value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Vec<u32>,
    /// Threads for the networks; without: one a processor.
    #[arg(long, requires = "networks", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// What a call of so many samples takes in memory, and nothing else.
    #[arg(long, hide = true, requires = "only")]
    memory_of: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArg,
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    head: Head,
    input: String,
    width: usize,
    height: usize,
    stages: Vec<Stage>,
    end_to_end: EndToEnd,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memory: Vec<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Cost>,
}

pub(super) fn run(args: &BenchArgs, quiet: bool) -> CommandResult {
    if args.networks {
        return networks::run(args, quiet);
    }
    if args.window {
        return window::run(args);
    }
    if let Some(input) = args.input.as_ref().filter(|_| args.stepping) {
        return stepping::run(input, args.fps, args.json);
    }
    let (card, adapter, adapter_left_out) = adapter(args)?;
    // What cannot run is said before anything is measured.
    let params = Params {
        flow: args.preset.into(),
        stride: args.stride,
        device: args.device.device.into(),
        fps: args.fps,
        ..Params::default()
    };
    let resources = Resources::load(&params).map_err(super::analyze::not_started)?;
    let mut bench = Bench {
        processor: args.device.device != Device::Gpu,
        card,
        seconds: args.seconds.unwrap_or(SECONDS),
        most_repeats: args.frames as usize,
        rows: Vec::new(),
    };
    let material = Material::read(args.input.as_ref(), args.fps, args.frames as usize)?;
    if !args.whole_only {
        stages(args, &material, &mut bench)?;
    }
    let end_to_end = whole::end_to_end(&material.path, &params, &resources, quiet)?;
    let memory = whole::memory(
        &args.memory_minutes,
        &material.frames,
        &params,
        &resources,
        quiet,
    )?;
    let cost = match &args.plot {
        None => None,
        Some(path) => {
            let cost = cost::measure(&material, &bench, &params, &resources, quiet)?;
            let title = format!(
                "onset {} on {}",
                env!("CARGO_PKG_VERSION"),
                processor_name()
            );
            cost::draw(&cost, &title, path)?;
            Some(cost)
        }
    };
    let (width, height) = material.size();
    let report = Report {
        head: Head::new(adapter, adapter_left_out),
        input: material.name.clone(),
        width,
        height,
        stages: bench.rows,
        end_to_end,
        memory,
        cost,
    };
    if args.json {
        say!(
            "{}",
            serde_json::to_string_pretty(&report).map_err(Failure::other)?
        );
    } else {
        print(&report)?;
    }
    Ok(Outcome::Done)
}

/// Every stage at every size.
fn stages(args: &BenchArgs, material: &Material, bench: &mut Bench) -> Result<(), Failure> {
    material.time_reading(bench)?;
    let sizes = if args.size.is_empty() {
        &PictureSize::ALL
    } else {
        args.size.as_slice()
    };
    for &size in sizes {
        material.time_cutting(size, bench)?;
        let pictures = material.pictures(size);
        flow::measure(bench, &pictures, size.pixels())?;
        maps::measure(bench, &pictures, size.pixels())?;
        magnify::measure(bench, material, size.pixels())?;
        if let PictureSize::Whole(width, height) = size {
            maps::colors(bench, (width, height))?;
        }
    }
    let crops = material.pictures(PictureSize::Crop(CROP_SIDE));
    network::measure(bench, &crops)?;
    recognition::measure(bench, material)?;
    attention::measure(bench)
}

/// The adapter that is measured, its name, and why it is left out if it is.
fn adapter(args: &BenchArgs) -> Result<(Option<Card>, String, Option<&'static str>), Failure> {
    if args.device.device == Device::Cpu {
        return Ok((None, "not asked for".to_owned(), Some("--device cpu")));
    }
    let context = match GpuContext::headless() {
        Ok(context) => context,
        Err(error) if args.device.device == Device::Gpu => return Err(Failure::other(error)),
        Err(error) => return Ok((None, error.to_string(), Some("there is none"))),
    };
    let name = context.name();
    let asked = args.software || args.device.device == Device::Gpu;
    let left_out = (context.is_software() && !asked)
        .then_some("it is software; --software or --device gpu measures it all the same");
    let card = left_out.is_none().then(|| Card::new(context));
    Ok((card, name, left_out))
}

fn print(r: &Report) -> Result<(), Failure> {
    r.head.print()?;
    if !r.stages.is_empty() {
        print_stages(r)?;
    }
    let e = &r.end_to_end;
    say!(
        "end to end, decoding and both flows ({}, stride {}, on {}): {:.1} frames a second, {:.2} CPU ms a frame, {:.2} ms between frames (p95 {:.2})",
        e.preset.name(),
        e.stride,
        e.flow_on,
        e.frames_per_second,
        e.cpu_ms_per_frame,
        e.wall_ms,
        e.p95_wall_ms
    );
    let peak = (e.peak_mib).map_or(String::new(), |mib| format!(", {mib:.0} MiB at its peak"));
    say!(
        "{} frames, which last {:.2} s, in {:.2} s{peak}",
        e.frames,
        e.recording_seconds,
        e.seconds
    );
    for m in &r.memory {
        let of = if m.peak_of_whole_run {
            ", earlier stages included"
        } else {
            ""
        };
        say!(
            "memory after {:>5} minutes: {:.0} MiB, at its peak {:.0} MiB{of}",
            m.minutes,
            m.resident_mib,
            m.peak_mib
        );
    }
    if let Some(cost) = &r.cost {
        let [exact, live] = cost.flow_ms.each_ref().map(|c| 1e6 * cost::slope(c));
        say!(
            "flow: {exact:.0} CPU ns a pixel exact, {live:.0} live; analysis: {:.2} ms a frame",
            1e3 * cost::slope(&cost.seconds)
        );
    }
    Ok(())
}

fn print_stages(r: &Report) -> Result<(), Failure> {
    r.head.print_what_is_left_out()?;
    say!(
        "{}, {}×{}; medians in milliseconds for the whole batch, CPU time over all threads",
        r.input,
        r.width,
        r.height
    );
    let place = width_of(r.stages.iter().map(|s| &s.device));
    say!(
        "{:<28} {:>9} {:>5} {:<place$} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "stage",
        "pixels",
        "batch",
        "where",
        "CPU ms",
        "wall ms",
        "p95 ms",
        "GPU ms",
        "back KiB",
        "repeats"
    );
    for s in &r.stages {
        let on_card = |text: Option<String>| text.unwrap_or_default();
        say!(
            "{:<28} {:>9} {:>5} {:<place$} {:>9.3} {:>9.3} {:>9.3} {:>9} {:>9} {:>7}",
            s.stage,
            format!("{}×{}", s.width, s.height),
            s.batch,
            s.device,
            s.cpu_ms,
            s.wall_ms,
            s.p95_wall_ms,
            on_card(s.gpu_ms.map(|ms| format!("{ms:.3}"))),
            on_card(
                (s.read_back_bytes > 0)
                    .then(|| { format!("{:.1}", s.read_back_bytes as f64 / 1024.0) })
            ),
            s.repeats
        );
    }
    Ok(())
}
