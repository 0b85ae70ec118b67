//! The whole path: from a file to its events, and what it takes in memory.

use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use cpu_time::ProcessTime;
use serde::Serialize;

use crate::base::{Timestamp, stats};
use crate::cli::progress::Progress;
use crate::cli::{Failure, analyze};
use crate::media::{CaptureWorker, Delivery, Frame, InputSpec};
use crate::motion::tvl1::Tvl1Preset;
use crate::motion::windows::Stride;
use crate::session::pipeline::Pipeline;
use crate::session::whole::keep;
use crate::session::{Params, Resources};
use crate::timeline::Recording;

/// A recording analysed as `analyze` does it, decoding included.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EndToEnd {
    pub(super) preset: Tvl1Preset,
    pub(super) stride: Stride,
    /// The adapter that computed the flow, or "processor".
    pub(super) flow_on: String,
    pub(super) frames: usize,
    /// How long the recording lasts.
    pub(super) recording_seconds: f64,
    /// From opening the file to the last interval.
    pub(super) seconds: f64,
    pub(super) frames_per_second: f64,
    /// Over all threads, decoding among them.
    pub(super) cpu_ms_per_frame: f64,
    /// Time between two frames' results.
    pub(super) wall_ms: f64,
    pub(super) p95_wall_ms: f64,
    /// The process's memory at its peak; what earlier stages made does not count
    /// where the system allows to count anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_mib: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) networks_on: Option<String>,
}

/// Analyses a whole recording; a thread of its own decodes, as in `analyze`.
pub(super) fn end_to_end(
    path: &Path,
    params: &Params,
    resources: &Resources,
    quiet: bool,
) -> Result<EndToEnd, Failure> {
    let mut pipeline = Pipeline::new(params, resources).map_err(analyze::not_started)?;
    let (clock, start) = (ProcessTime::now(), Instant::now());
    let spec = InputSpec::parse(&path.to_string_lossy(), params.fps).map_err(Failure::input)?;
    let source = crate::media::open(&spec).map_err(Failure::input)?;
    let mut progress = Progress::new("end to end", source.info().frame_count, quiet);
    let (worker, deliveries) = CaptureWorker::start(source).map_err(Failure::other)?;
    let mut recording = Recording::default();
    let mut intervals = Vec::new();
    reset_peak();
    let mut before = Instant::now();
    while let Some(delivery) = deliveries.recv() {
        match delivery {
            Delivery::Frame(frame) => {
                let events = pipeline.push(&frame).map_err(Failure::other)?;
                keep(&mut recording, events);
                intervals.push(before.elapsed().as_secs_f64() * 1e3);
                before = Instant::now();
                progress.at(intervals.len() as u64);
            }
            Delivery::Notice(_) => {}
            Delivery::Failed(error) => return Err(Failure::input(error)),
        }
    }
    worker.stop();
    keep(&mut recording, pipeline.finish());
    progress.finish();
    let seconds = start.elapsed().as_secs_f64();
    let frames = intervals.len();
    let n = frames.max(1) as f64;
    Ok(EndToEnd {
        preset: params.flow,
        stride: params.stride_in_use(),
        flow_on: (pipeline.flow_adapter()).unwrap_or_else(|| "processor".to_owned()),
        frames,
        recording_seconds: recording.end().secs(),
        seconds,
        frames_per_second: n / seconds,
        cpu_ms_per_frame: clock.elapsed().as_secs_f64() * 1e3 / n,
        wall_ms: stats::median(&intervals).unwrap_or(0.0),
        p95_wall_ms: stats::quantile(&intervals, 0.95).unwrap_or(0.0),
        peak_mib: resident_mib().map(|(_, peak)| peak),
        networks_on: pipeline.network_device().map(str::to_owned),
    })
}

/// Memory after so many minutes of recording.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Memory {
    pub(super) minutes: f64,
    pub(super) resident_mib: f64,
    /// Since the loop began.
    pub(super) peak_mib: f64,
    /// Whether the peak could not be reset, so that earlier stages may have made it.
    pub(super) peak_of_whole_run: bool,
}

/// Plays the frames in a loop, with times that go on, for as long as asked.
pub(super) fn memory(
    minutes: &[f64],
    frames: &[Frame],
    params: &Params,
    resources: &Resources,
    quiet: bool,
) -> Result<Vec<Memory>, Failure> {
    let mut minutes = minutes.to_vec();
    minutes.sort_by(f64::total_cmp);
    minutes.dedup();
    let Some(&longest) = minutes.last() else {
        return Ok(Vec::new());
    };
    let interval = frames[1]
        .timestamp
        .secs_since(frames[0].timestamp)
        .max(1e-3);
    let total = (longest * 60.0 / interval).ceil() as u64;
    let mut pipeline = Pipeline::new(params, resources).map_err(analyze::not_started)?;
    let mut recording = Recording::default();
    let mut progress = Progress::new("memory", Some(total), quiet);
    let peak_of_whole_run = !reset_peak();
    let mut found: Vec<Memory> = Vec::new();
    for index in 0..total {
        let at = index as usize % frames.len();
        let frame = Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 * interval),
            ..frames[at].clone()
        };
        let events = pipeline.push(&frame).map_err(Failure::other)?;
        keep(&mut recording, events);
        progress.at(index);
        let elapsed = (index + 1) as f64 * interval / 60.0;
        while let Some(&due) = minutes.get(found.len()).filter(|due| elapsed >= **due) {
            let (resident_mib, peak_mib) = resident_mib().ok_or_else(|| {
                Failure::other(anyhow!(
                    "This system does not tell how much memory a process takes (no VmRSS and VmHWM in /proc/self/status). Leave --memory-minutes out"
                ))
            })?;
            found.push(Memory {
                minutes: due,
                resident_mib,
                peak_mib,
                peak_of_whole_run,
            });
        }
    }
    progress.finish();
    Ok(found)
}

/// Lets the kernel count the peak anew; false where that is not allowed.
pub(super) fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Resident memory now and at its peak, MiB. Linux tells; elsewhere there is no number.
pub(super) fn resident_mib() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}
