//! `onset analyze`: the whole pipeline without a window.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;

use super::progress::Progress;
use super::{CommandResult, Decode, DeviceArg, Failure, Outcome};
use crate::base::{Notice, Severity};
use crate::media::{CaptureWorker, Delivery, InputPlace, InputSpec};
use crate::project::output::write_whole;
use crate::project::{plot, results};
use crate::session::pipeline::Pipeline;
use crate::session::{Params, Resources};
use crate::spotting::ExpressionKind;
use crate::timeline::{Event, Recording};

/// Analyse recordings without a window; finished ones are skipped unless --force.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset analyze interview.mp4 --out results\n  onset analyze camera:0 --seconds 30 --out results\n  onset analyze frames/ --fps 200 --out results --micro-weights softnet-micro.safetensors"
)]
pub struct AnalyzeArgs {
    /// Video files, folders of images, or camera:N.
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Folder for the results, one folder an input.
    #[arg(long)]
    out: PathBuf,
    /// Analyse again what is finished already.
    #[arg(long)]
    force: bool,
    /// How scores become intervals: Onset's way, or as SOFTNet's published code does it.
    #[arg(long, value_enum, default_value_t = Decode::Default)]
    decode: Decode,
    /// Frames a second of an image folder.
    #[arg(long)]
    fps: Option<f64>,
    /// Stop a camera after this many seconds.
    #[arg(long)]
    seconds: Option<f64>,
    /// SOFTNet weights for macro-expressions (see `onset weights`); without: the control signal.
    #[arg(long)]
    macro_weights: Option<PathBuf>,
    /// SOFTNet weights for micro-expressions; without: the control signal.
    #[arg(long)]
    micro_weights: Option<PathBuf>,
    /// A 68-point predictor in dlib's format; without: the installed one, else the compact one.
    #[arg(long)]
    landmarks: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
}

pub(super) fn run(args: &AnalyzeArgs, quiet: bool) -> CommandResult {
    if let Some(fps) = args.fps
        && !(fps.is_finite() && fps > 0.0)
    {
        return Err(Failure::input(anyhow!(
            "--fps must be above 0, for example --fps 200"
        )));
    }
    let params = Params {
        decode: args.decode.into(),
        device: args.device.device.into(),
        macro_weights: args.macro_weights.clone(),
        micro_weights: args.micro_weights.clone(),
        landmarks: args.landmarks.clone(),
        fps: args.fps,
    };
    let resources = Resources::load(&params).map_err(Failure::input)?;
    // Wrong weights or models are said before any recording is touched.
    drop(Pipeline::new(&params, &resources).map_err(Failure::input)?);

    let mut names = Names::default();
    let mut outcome = Outcome::Done;
    let mut failures = Vec::new();
    for input in &args.inputs {
        match one(args, &params, &resources, input, &mut names, quiet) {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Warned) => outcome = Outcome::Warned,
            Err(e) => {
                if args.inputs.len() > 1 {
                    let (Failure::Input(text) | Failure::Other(text)) = &e;
                    eprintln!("onset: {text:#}");
                }
                failures.push(e);
            }
        }
    }
    let all = args.inputs.len();
    match failures.len() {
        0 => Ok(outcome),
        1 if all == 1 => Err(failures.remove(0)),
        n => {
            let text =
                anyhow!("{n} of {all} inputs could not be analysed; the others are complete");
            let unreadable = failures.iter().all(|f| matches!(f, Failure::Input(_)));
            Err(if unreadable {
                Failure::Input(text)
            } else {
                Failure::Other(text)
            })
        }
    }
}

fn one(
    args: &AnalyzeArgs,
    params: &Params,
    resources: &Resources,
    input: &str,
    names: &mut Names,
    quiet: bool,
) -> CommandResult {
    let spec = InputSpec::parse(input, params.fps).map_err(Failure::input)?;
    if spec.is_camera() && args.seconds.is_none() {
        return Err(Failure::input(anyhow!(
            "A camera has no end: say how long with --seconds, for example --seconds 30"
        )));
    }
    let (name, size_bytes) = identity(&spec);
    let folder = names.folder(&args.out, &spec.stem(), |summary| {
        summary.recording.name == name && summary.recording.size_bytes == size_bytes
    });
    let done = results::read_summary(&folder.join("recording.json"));
    if !args.force && !spec.is_camera() && done.is_some_and(|s| s.parameters == *params) {
        if !quiet {
            eprintln!(
                "{input}: already analysed with these parameters, skipped (--force analyses again)"
            );
        }
        return Ok(Outcome::Done);
    }

    let started = Instant::now();
    let source = crate::media::open(&spec).map_err(Failure::input)?;
    let info = source.info().clone();
    let mut pipeline = Pipeline::new(params, resources).map_err(Failure::input)?;
    let mut recording = Recording::default();
    let mut progress = Progress::new(&info.name, info.frame_count, quiet);
    let (worker, deliveries) = CaptureWorker::start(source).map_err(Failure::other)?;
    let mut ended_by = None;
    while let Some(delivery) = deliveries.recv() {
        match delivery {
            Delivery::Frame(frame) => {
                let seconds = frame.timestamp.secs();
                keep(
                    &mut recording,
                    pipeline.push(&frame).map_err(Failure::other)?,
                );
                progress.at(recording.frames.len() as u64);
                if args.seconds.is_some_and(|limit| seconds >= limit) {
                    break;
                }
            }
            Delivery::Notice(notice) => keep(&mut recording, [Event::Notice(notice)]),
            Delivery::Failed(error) => {
                ended_by = Some(error);
                break;
            }
        }
    }
    worker.stop();
    progress.finish();
    if recording.frames.is_empty() {
        let error = ended_by.map_or_else(
            || anyhow!("No frame could be decoded. Check that the file plays in another program: {input}"),
            anyhow::Error::from,
        );
        return Err(Failure::Input(error));
    }
    if let Some(error) = ended_by {
        let text = format!("{error} What was read before that is analysed.");
        keep(&mut recording, [Event::Notice(Notice::warning(text))]);
    }
    keep(&mut recording, pipeline.finish().map_err(Failure::other)?);

    let stem = folder
        .file_name()
        .map_or_else(|| spec.stem(), |n| n.to_string_lossy().into_owned());
    let summary = results::Summary::of(&info, size_bytes, params, &pipeline, &recording);
    write_all(&folder, &stem, &recording, &summary, started, input).map_err(Failure::other)?;
    report(&folder, &recording, &summary, quiet);
    Ok(if recording.has_warnings() {
        Outcome::Warned
    } else {
        Outcome::Done
    })
}

/// What tells this input from another: its name and its size in bytes.
fn identity(spec: &InputSpec) -> (String, u64) {
    match &spec.place {
        InputPlace::Camera(n) => (format!("camera:{n}"), 0),
        InputPlace::Path(path) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let name = absolute
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            (name, size_of(path))
        }
    }
}

/// A file's size; of a folder, that of the files in it.
fn size_of(path: &Path) -> u64 {
    let size = |p: &Path| std::fs::metadata(p).map_or(0, |m| m.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|e| size(&e.path())).sum(),
        Err(_) => size(path),
    }
}

/// The per-frame landmarks are for the window; here they would only grow.
pub(super) fn keep(recording: &mut Recording, events: impl IntoIterator<Item = Event>) {
    for mut event in events {
        if let Event::Frame(record) = &mut event
            && let Some(face) = &mut record.face
        {
            face.landmarks = None;
        }
        recording.apply(event);
    }
}

fn write_all(
    folder: &Path,
    stem: &str,
    recording: &Recording,
    summary: &results::Summary,
    started: Instant,
    input: &str,
) -> Result<(), crate::project::OutputError> {
    results::write_frames(&folder.join("frames.csv"), recording)?;
    results::write_intervals(&folder.join("intervals.csv"), stem, recording)?;
    let label = |kind| {
        summary
            .scores
            .get(&kind)
            .map_or("", |k| k.source_label.as_str())
    };
    let labels = [label(ExpressionKind::Macro), label(ExpressionKind::Micro)];
    plot::write_timeline(&folder.join("timeline.png"), stem, recording, labels)?;

    let seconds = started.elapsed().as_secs_f64();
    let mut log = String::new();
    let _ = writeln!(log, "onset {} analysed {input}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        log,
        "{} frames in {seconds:.2} s, {:.1} frames a second",
        recording.frames.len(),
        recording.frames.len() as f64 / seconds
    );
    for notice in &recording.notices {
        let _ = writeln!(log, "{:?}: {}", notice.severity, notice.text);
    }
    write_whole(&folder.join("run.log"), log.as_bytes())?;
    results::write_summary(&folder.join("recording.json"), summary)
}

fn report(folder: &Path, recording: &Recording, summary: &results::Summary, quiet: bool) {
    if quiet {
        return;
    }
    for notice in recording
        .notices
        .iter()
        .filter(|n| n.severity >= Severity::Warning)
    {
        eprintln!("warning: {}", notice.text);
    }
    let count = |kind| {
        recording
            .intervals
            .iter()
            .filter(|i| i.kind == kind)
            .count()
    };
    eprintln!(
        "{}: {} frames, face in {:.1} %, {} macro- and {} micro-expression candidates, in {}",
        summary.recording.name,
        summary.recording.frames,
        100.0 * summary.face.found_share,
        count(ExpressionKind::Macro),
        count(ExpressionKind::Micro),
        folder.display(),
    );
}

/// Gives each input a folder of its own: `<stem>`, `<stem>_2` … on collision.
#[derive(Default)]
struct Names(Vec<PathBuf>);

impl Names {
    /// A folder that an earlier run left counts as free when it is of the same input.
    fn folder(
        &mut self,
        out: &Path,
        stem: &str,
        same: impl Fn(&results::Summary) -> bool,
    ) -> PathBuf {
        let mut n = 1;
        loop {
            let name = if n == 1 {
                stem.to_owned()
            } else {
                format!("{stem}_{n}")
            };
            let folder = out.join(name);
            let taken_now = self.0.contains(&folder);
            let of_another =
                results::read_summary(&folder.join("recording.json")).is_some_and(|s| !same(&s));
            if !taken_now && !of_another {
                self.0.push(folder.clone());
                return folder;
            }
            n += 1;
        }
    }
}
