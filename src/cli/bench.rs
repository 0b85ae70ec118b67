//! `onset bench`: how fast each stage is on this machine, and what it costs in memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;
use cpu_time::ProcessTime;
use serde::Serialize;

use super::print::say;
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome};
use crate::base::{Plane, Timestamp, stats};
use crate::face::regions::RegionGeometry;
use crate::face::tracker::TrackerParams;
use crate::face::{CROP_SIDE, CropHold, FaceTracker, HeldCrop, LandmarkPredictor};
use crate::gpu::GpuContext;
use crate::media::{Frame, InputSpec};
use crate::model::softnet::SoftNet;
use crate::motion::bandpass::{BandpassKernel, BandpassParams};
use crate::motion::led_view::LED_FRAMES;
use crate::motion::luma::{self, LumaPatch};
use crate::motion::pipeline::WindowMotion;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::motion::{Flow, cpu};
use crate::nn::device::NnDevice;
use crate::session::pipeline::Pipeline;
use crate::session::{Params, Resources};

/// Measure each stage, the whole pipeline, and the memory it takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset bench\n  onset bench interview.mp4 --json\n  onset bench --memory-minutes 2 --memory-minutes 20"
)]
pub struct BenchArgs {
    /// A recording to measure on; without: the bundled 640×480 clip.
    input: Option<PathBuf>,
    /// Frames that the stages are timed on.
    #[arg(long, default_value_t = 60)]
    frames: usize,
    /// Also analyse so many minutes of recording and note the peak memory; ascending.
    #[arg(long)]
    memory_minutes: Vec<f64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    onset_version: &'static str,
    processor: String,
    threads: usize,
    adapter: String,
    input: String,
    width: u32,
    height: u32,
    stages: Vec<Stage>,
    end_to_end: EndToEnd,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memory: Vec<Memory>,
}

#[derive(Debug, Serialize)]
struct Stage {
    stage: &'static str,
    device: String,
    /// Medians over the frames, milliseconds; CPU time counts all threads.
    cpu_ms: f64,
    wall_ms: f64,
    p95_wall_ms: f64,
}

#[derive(Debug, Serialize)]
struct EndToEnd {
    frames: usize,
    seconds: f64,
    frames_per_second: f64,
    cpu_ms_per_frame: f64,
}

#[derive(Debug, Serialize)]
struct Memory {
    minutes: f64,
    peak_mib: f64,
}

pub(super) fn run(args: &BenchArgs, quiet: bool) -> CommandResult {
    let (name, frames) = read(args)?;
    let adapter = GpuContext::headless();
    let mut stages = Vec::new();
    let crops = face_stages(&frames, &mut stages)?;
    let flows = flow_stages(&crops, &mut stages)?;
    network_stages(&flows, &crops, adapter.as_ref().ok(), &mut stages)?;
    band_stages(&crops, adapter.as_ref().ok(), &mut stages)?;
    let resources = Resources::load(&Params::default()).map_err(Failure::input)?;
    let end_to_end = end_to_end(&frames, &resources)?;
    let memory = memory(args, &frames, &resources, quiet)?;
    let (width, height) = frames[0].picture.dimensions();
    let report = Report {
        onset_version: env!("CARGO_PKG_VERSION"),
        processor: processor(),
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        adapter: adapter.map_or_else(|e| e.to_string(), |a| a.name()),
        input: name,
        width,
        height,
        stages,
        end_to_end,
        memory,
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

fn read(args: &BenchArgs) -> Result<(String, Vec<Frame>), Failure> {
    let folder;
    let path = match &args.input {
        Some(path) => path.clone(),
        None => {
            folder = tempfile::tempdir().map_err(Failure::other)?;
            crate::media::sample::unpack(folder.path()).map_err(Failure::other)?
        }
    };
    let mut source = crate::media::open(&InputSpec::path(&path)).map_err(Failure::input)?;
    let mut frames = Vec::new();
    while frames.len() < args.frames.max(30)
        && let Some(frame) = source.next_frame().map_err(Failure::input)?
    {
        frames.push(frame);
    }
    if frames.len() < 30 {
        return Err(Failure::input(anyhow!(
            "The bench needs 30 frames at least and found {}: {}",
            frames.len(),
            path.display()
        )));
    }
    Ok((source.info().name.clone(), frames))
}

/// Runs `work` on each item and keeps the medians.
fn timed<T, R>(
    stage: &'static str,
    device: &str,
    items: impl IntoIterator<Item = T>,
    mut work: impl FnMut(T) -> R,
) -> (Stage, Vec<R>) {
    let (mut cpu, mut wall, mut results) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let (clock, start) = (ProcessTime::now(), Instant::now());
        results.push(work(item));
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        cpu.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    let stage = Stage {
        stage,
        device: device.to_owned(),
        cpu_ms: stats::median(&cpu).unwrap_or(0.0),
        wall_ms: stats::median(&wall).unwrap_or(0.0),
        p95_wall_ms: stats::quantile(&wall, 0.95).unwrap_or(0.0),
    };
    (stage, results)
}

/// A face picture cut out, with the crop it was cut by.
struct Cut {
    plane: Plane,
    crop: Arc<HeldCrop>,
}

fn face_stages(frames: &[Frame], stages: &mut Vec<Stage>) -> Result<Vec<Cut>, Failure> {
    let landmarks = LandmarkPredictor::find(None).map_err(Failure::input)?;
    let mut tracker =
        FaceTracker::new(Arc::new(landmarks), TrackerParams::default()).map_err(Failure::input)?;
    let (stage, tracks) = timed("face: box, landmarks, pose", "processor", frames, |f| {
        tracker.push(f)
    });
    stages.push(stage);
    let mut hold = CropHold::default();
    let found: Vec<_> = frames
        .iter()
        .zip(tracks)
        .filter_map(|(frame, track)| {
            let crop = Arc::new(hold.push(&track)?.clone());
            Some((frame, track.face?, crop))
        })
        .collect();
    if found.len() < 20 {
        return Err(Failure::input(anyhow!(
            "The bench needs a face in 20 frames at least and found {}",
            found.len()
        )));
    }
    let (stage, cuts) = timed(
        "crop 128×128",
        "processor",
        found,
        |(frame, face, crop)| {
            let patch = LumaPatch::around(&frame.picture, face.rect);
            Cut {
                plane: luma::extract(&patch, crop.crop_from_image, CROP_SIDE),
                crop,
            }
        },
    );
    stages.push(stage);
    Ok(cuts)
}

fn flow_stages(cuts: &[Cut], stages: &mut Vec<Stage>) -> Result<Vec<Flow>, Failure> {
    let mut result = Vec::new();
    for (stage, preset, k) in [
        ("flow micro (k = 6), exact", Tvl1Preset::Exact, 6),
        ("flow macro (k = 18), exact", Tvl1Preset::Exact, 18),
        ("flow micro (k = 6), live", Tvl1Preset::Live, 6),
    ] {
        let mut tvl1 = Tvl1::new(preset.params());
        let pairs = cuts.iter().zip(&cuts[k..]);
        let (stage, flows) = timed(stage, "processor, 1 thread", pairs, |(a, b)| {
            tvl1.flow(&a.plane, &b.plane)
        });
        stages.push(stage);
        result = flows
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(Failure::other)?;
    }
    Ok(result)
}

fn network_stages(
    flows: &[Flow],
    cuts: &[Cut],
    gpu: Option<&GpuContext>,
    stages: &mut Vec<Stage>,
) -> Result<(), Failure> {
    let (stage, windows) = timed(
        "strain, ROI maps",
        "processor",
        flows.iter().zip(cuts),
        |(flow, cut)| {
            let regions = RegionGeometry::from_landmarks(&cut.crop.landmarks_in_crop, CROP_SIDE);
            WindowMotion::of(flow, &regions)
        },
    );
    stages.push(stage);
    let mut devices = vec![NnDevice::flex()];
    if let Some(gpu) = gpu {
        devices.push(NnDevice::wgpu(gpu).map_err(Failure::other)?);
    }
    for device in devices {
        let network = SoftNet::new(&device);
        let warm = network.score(&[windows[0].input.each_ref()], &device);
        warm.map_err(Failure::other)?;
        let (stage, scores) = timed("SOFTNet, batch 1", device.name(), &windows, |w| {
            network.score(&[w.input.each_ref()], &device)
        });
        scores
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(Failure::other)?;
        stages.push(stage);
    }
    Ok(())
}

fn band_stages(
    cuts: &[Cut],
    gpu: Option<&GpuContext>,
    stages: &mut Vec<Stage>,
) -> Result<(), Failure> {
    let sixes = || {
        cuts.windows(LED_FRAMES)
            .map(|w| w.iter().map(|c| &c.plane).collect::<Vec<_>>())
    };
    let params = BandpassParams::default();
    let last = LED_FRAMES - 1;
    let (stage, maps) = timed("LED band-pass", "processor, 1 thread", sixes(), |six| {
        cpu::bandpass::bandpass(&six, last, &params)
    });
    maps.into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::other)?;
    stages.push(stage);
    if let Some(gpu) = gpu {
        let mut kernel = BandpassKernel::new(gpu).map_err(Failure::other)?;
        let (stage, maps) = timed(
            "LED band-pass with read-back",
            &gpu.name(),
            sixes(),
            |six| {
                kernel.submit(&six, last, &params, 0)?;
                Ok::<_, crate::motion::bandpass::BandpassError>(kernel.wait()?)
            },
        );
        maps.into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(Failure::other)?;
        stages.push(stage);
    }
    Ok(())
}

/// The pipeline as `analyze` runs it, without decoding, over the frames in memory.
fn end_to_end(frames: &[Frame], resources: &Resources) -> Result<EndToEnd, Failure> {
    let mut pipeline = Pipeline::new(&Params::default(), resources).map_err(Failure::input)?;
    let (clock, start) = (ProcessTime::now(), Instant::now());
    for frame in frames {
        pipeline.push(frame).map_err(Failure::other)?;
    }
    pipeline.finish().map_err(Failure::other)?;
    let seconds = start.elapsed().as_secs_f64();
    let n = frames.len() as f64;
    Ok(EndToEnd {
        frames: frames.len(),
        seconds,
        frames_per_second: n / seconds,
        cpu_ms_per_frame: clock.elapsed().as_secs_f64() * 1e3 / n,
    })
}

/// Plays the frames in a loop, with times that go on, for as long as asked.
fn memory(
    args: &BenchArgs,
    frames: &[Frame],
    resources: &Resources,
    quiet: bool,
) -> Result<Vec<Memory>, Failure> {
    let Some(longest) = args.memory_minutes.iter().copied().reduce(f64::max) else {
        return Ok(Vec::new());
    };
    let interval = frames[1]
        .timestamp
        .secs_since(frames[0].timestamp)
        .max(1e-3);
    let total = (longest * 60.0 / interval).ceil() as u64;
    let mut pipeline = Pipeline::new(&Params::default(), resources).map_err(Failure::input)?;
    let mut recording = crate::timeline::Recording::default();
    let mut progress = Progress::new("memory", Some(total), quiet);
    let mut found = Vec::new();
    for index in 0..total {
        let at = index as usize % frames.len();
        let frame = Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 * interval),
            ..frames[at].clone()
        };
        super::analyze::keep(
            &mut recording,
            pipeline.push(&frame).map_err(Failure::other)?,
        );
        progress.at(index);
        let minutes = (index + 1) as f64 * interval / 60.0;
        while found.len() < args.memory_minutes.len() && minutes >= args.memory_minutes[found.len()]
        {
            let peak_mib = peak_mib().ok_or_else(|| {
                Failure::other(anyhow!("this system does not tell a process's peak memory"))
            })?;
            found.push(Memory {
                minutes: args.memory_minutes[found.len()],
                peak_mib,
            });
        }
    }
    progress.finish();
    Ok(found)
}

/// Linux tells the peak of the resident set; elsewhere there is no number.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn processor() -> String {
    let named = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
    named.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn print(r: &Report) -> Result<(), Failure> {
    say!(
        "onset {} on {} ({} threads), adapter {}",
        r.onset_version,
        r.processor,
        r.threads,
        r.adapter
    );
    say!("{}, {}×{}, medians", r.input, r.width, r.height);
    say!(
        "{:<32} {:<34} {:>9} {:>9} {:>9}",
        "stage",
        "where",
        "CPU ms",
        "wall ms",
        "p95 ms"
    );
    for s in &r.stages {
        say!(
            "{:<32} {:<34} {:>9.2} {:>9.2} {:>9.2}",
            s.stage,
            s.device,
            s.cpu_ms,
            s.wall_ms,
            s.p95_wall_ms
        );
    }
    let e = &r.end_to_end;
    say!(
        "whole pipeline, both flows: {:.1} frames a second, {:.1} CPU ms a frame ({} frames)",
        e.frames_per_second,
        e.cpu_ms_per_frame,
        e.frames
    );
    for m in &r.memory {
        say!(
            "peak memory after {:>4} minutes: {:.0} MiB",
            m.minutes,
            m.peak_mib
        );
    }
    Ok(())
}
