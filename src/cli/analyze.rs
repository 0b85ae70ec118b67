//! `onset analyze`: the whole pipeline without a window.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::print::tell;
use super::progress::Progress;
use super::{CommandResult, Decode, DeviceArg, Failure, Outcome, Preset, above_zero, frame_rate};
use crate::base::Severity;
use crate::media::InputSpec;
use crate::motion::windows::Stride;
use crate::project::output::{OutputError, check_writable};
use crate::project::result_folder::{Identity, Names, on_the_side_of};
use crate::project::results;
use crate::project::unattended::{self, NotDone};
use crate::session::params::{RecognitionChoice, SpotterChoice, WindowSecs};
use crate::session::pipeline::Pipeline;
use crate::session::whole::{Next, Told, WholeError};
use crate::session::{Params, Resources, SessionError};
use crate::spotting::ExpressionKind;
use crate::timeline::event::RecognitionSource;
use crate::timeline::{Recording, ScoreSource};

/// Analyse recordings without a window; what is finished with the same parameters is skipped unless --force.
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
    /// How exactly the optical flow is computed (see `onset flow`).
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
    /// How densely flow windows follow each other: "dense", or "k/12" for one every
    /// twelfth of a window's length (every frame up to 30 frames a second). From k/1 to
    /// k/1000; below k/6 short expressions are missed.
    #[arg(long, default_value_t)]
    stride: Stride,
    /// Frames a second of an image folder.
    #[arg(long, value_parser = frame_rate, allow_negative_numbers = true)]
    fps: Option<f64>,
    /// Stop a camera after this many seconds.
    #[arg(long, value_parser = above_zero, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// What scores the windows; without: the best of what is at hand, motion-tcn where
    /// neither SOFTNet weights nor the published decoding are asked for, else control.
    #[arg(long, value_enum)]
    spotter: Option<SpotterArg>,
    /// MotionTCN weights (see `onset weights`); without: the shipped ones.
    #[arg(long, conflicts_with_all = ["macro_weights", "micro_weights"])]
    tcn_weights: Option<PathBuf>,
    /// SOFTNet weights for macro-expressions, which then speak instead of the spotter.
    #[arg(long)]
    macro_weights: Option<PathBuf>,
    /// SOFTNet weights for micro-expressions; the kind without weights has the control signal.
    #[arg(long)]
    micro_weights: Option<PathBuf>,
    /// AU-Flow weights for action units and classes; without: the shipped ones.
    #[arg(long, conflicts_with = "no_recognition")]
    au_weights: Option<PathBuf>,
    /// Weights of a network that looks at each candidate besides and writes its opinion to
    /// second_look.csv, as `onset compare --train DIR --keep FOLDER` keeps them; again for
    /// another.
    #[arg(long, value_name = "PATH", conflicts_with = "no_recognition")]
    second_look: Vec<PathBuf>,
    /// Spot only: no action units and no classes.
    #[arg(long)]
    no_recognition: bool,
    /// A 68-point predictor in dlib's format; without: the installed one, else the compact one.
    #[arg(long)]
    landmarks: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
}

/// What scores the windows of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SpotterArg {
    /// The temporal network over the flow of the whole face.
    MotionTcn,
    /// The published shallow network, a window at a time.
    Softnet,
    /// No network: strain of brows and mouth.
    Control,
}

impl From<SpotterArg> for SpotterChoice {
    fn from(arg: SpotterArg) -> Self {
        match arg {
            SpotterArg::MotionTcn => Self::MotionTcn,
            SpotterArg::Softnet => Self::SoftNet,
            SpotterArg::Control => Self::Control,
        }
    }
}

impl AnalyzeArgs {
    fn spotter(&self) -> SpotterChoice {
        let softnet = self.macro_weights.is_some() || self.micro_weights.is_some();
        match self.spotter {
            Some(asked) => asked.into(),
            None if self.tcn_weights.is_some() => SpotterChoice::MotionTcn,
            None if softnet || self.decode == Decode::Compat => SpotterChoice::Control,
            None => SpotterChoice::default(),
        }
    }
}

pub(super) fn run(args: &AnalyzeArgs, quiet: bool) -> CommandResult {
    check_usage(args)?;
    let params = Params {
        decode: args.decode.into(),
        flow: args.preset.into(),
        stride: args.stride,
        windows: WindowSecs::default(),
        device: args.device.device.into(),
        spotter: args.spotter(),
        tcn_weights: args.tcn_weights.clone(),
        macro_weights: args.macro_weights.clone(),
        micro_weights: args.micro_weights.clone(),
        recognition: if args.no_recognition {
            RecognitionChoice::Off
        } else {
            RecognitionChoice::On
        },
        au_weights: args.au_weights.clone(),
        second_look: args.second_look.clone(),
        landmarks: args.landmarks.clone(),
        fps: args.fps,
    };
    let on = on_the_side_of(&args.out, &params);
    let resources = Resources::load(&on).map_err(not_started)?;
    // Wrong weights or models are said before any recording is touched.
    let pipeline = Pipeline::new(&params, &resources).map_err(not_started)?;
    let wanted = Wanted::of(&params, &pipeline);
    drop(pipeline);

    let mut names = Names::default();
    let mut outcome = Outcome::Done;
    let mut failures = Vec::new();
    for input in &args.inputs {
        match one(args, &params, &resources, &wanted, input, &mut names, quiet) {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Warned) => outcome = Outcome::Warned,
            Err(e) => {
                if args.inputs.len() > 1 {
                    let (Failure::Input(text) | Failure::Other(text)) = &e;
                    tell!("onset: {text:#}");
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

/// What would be done in vain, or not as meant, is refused before anything is loaded.
fn check_usage(args: &AnalyzeArgs) -> Result<(), Failure> {
    // What cannot be parsed was meant to be a camera.
    let is_camera = |input: &String| InputSpec::parse(input, None).map_or(true, |s| s.is_camera());
    if args.seconds.is_some() && !args.inputs.iter().any(is_camera) {
        return Err(Failure::input(anyhow!(
            "--seconds says when a camera stops, but no input is a camera: files are analysed to their end. Leave --seconds out"
        )));
    }
    let tcn = args.spotter() == SpotterChoice::MotionTcn;
    if args.tcn_weights.is_some() && !tcn {
        return Err(Failure::input(anyhow!(
            "--tcn-weights are read by MotionTCN only, which does not speak here. Leave --spotter out, or the weights"
        )));
    }
    if tcn && args.decode == Decode::Compat {
        return Err(Failure::input(anyhow!(
            "The published decoding is made for scores of single windows, not for MotionTCN's. Leave --decode out, or choose --spotter softnet or control"
        )));
    }
    if tcn && (args.macro_weights.is_some() || args.micro_weights.is_some()) {
        return Err(Failure::input(anyhow!(
            "MotionTCN scores both kinds at once, so SOFTNet weights have no place beside it. Leave --spotter out, or the weights"
        )));
    }
    if args.fps.is_some() && args.inputs.iter().all(is_camera) {
        return Err(Failure::input(anyhow!(
            "--fps is for folders of images, but every input is a camera, which tells its own times. Leave --fps out"
        )));
    }
    check_writable(&args.out).map_err(|e| match e {
        OutputError::NotAFolder { .. } => Failure::input(e),
        _ => Failure::other(e),
    })
}

/// Weights and models are input; a graphics card that is missing is not.
pub(super) fn not_started(error: SessionError) -> Failure {
    match error {
        SessionError::Gpu(_) | SessionError::Flow(_) | SessionError::NetworkDevice(_) => {
            Failure::other(error)
        }
        _ => Failure::input(error),
    }
}

/// What a finished result must have been made with to be skipped.
struct Wanted {
    parameters: Params,
    sources: [ScoreSource; 2],
    recognition: Option<RecognitionSource>,
    landmarks: String,
}

impl Wanted {
    fn of(params: &Params, pipeline: &Pipeline) -> Self {
        Self {
            parameters: params.without_folders(),
            sources: ExpressionKind::BOTH.map(|kind| pipeline.score_source(kind)),
            recognition: pipeline.recognition(),
            landmarks: pipeline.landmark_model(),
        }
    }

    fn is_met_by(&self, done: &results::Summary) -> bool {
        let same_source = |(kind, source): (ExpressionKind, &ScoreSource)| {
            done.scores.get(&kind).is_some_and(|k| k.source == *source)
        };
        done.onset_version == env!("CARGO_PKG_VERSION")
            && done.parameters == self.parameters
            && done.recognition == self.recognition
            && done.face.landmark_model == self.landmarks
            && ExpressionKind::BOTH
                .into_iter()
                .zip(&self.sources)
                .all(same_source)
    }
}

fn one(
    args: &AnalyzeArgs,
    params: &Params,
    resources: &Resources,
    wanted: &Wanted,
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
    let identity = Identity::of(&spec);
    let (folder, done) = names.folder(&args.out, &spec.stem(), &identity);
    if !args.force
        && let Some(done) = done.filter(|s| wanted.is_met_by(s))
    {
        if !quiet {
            tell!(
                "{input}: already analysed with these parameters, skipped (--force analyses again)"
            );
        }
        return Ok(if done.warnings.is_empty() {
            Outcome::Done
        } else {
            Outcome::Warned
        });
    }

    let source = crate::media::open(&spec).map_err(Failure::input)?;
    let pipeline = Pipeline::new(params, resources).map_err(not_started)?;
    let info = source.info();
    let mut progress = Progress::new(&info.name, info.frame_count, quiet);
    // A file has an end of its own.
    let limit = args.seconds.filter(|_| spec.is_camera());
    let run = unattended::Run {
        input,
        identity: &identity,
        params,
    };
    let done = unattended::analyse_into(&folder, source, pipeline, &run, &mut |told| {
        if let Told::Frames { done, secs } = told {
            progress.at(done);
            if limit.is_some_and(|limit| secs >= limit) {
                return Next::Enough;
            }
        }
        Next::GoOn
    });
    progress.finish();
    let done = done.map_err(|error| match error {
        NotDone::Whole(WholeError::NoThread(_)) | NotDone::Output(_) => Failure::other(error),
        NotDone::Whole(_) => Failure::input(error),
    })?;
    if let Some(kept) = &done.filed.judged {
        tell!(
            "warning: {input} was judged before: those intervals are kept as {}",
            kept.display()
        );
    }
    if let Some(why) = &done.not_kept {
        tell!("warning: {why}");
    }
    let recording = &done.whole.recording;
    report(&folder, recording, &done.filed.summary, quiet);
    Ok(if recording.has_warnings() {
        Outcome::Warned
    } else {
        Outcome::Done
    })
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
        tell!("warning: {}", notice.text);
    }
    let count = |kind| {
        recording
            .intervals
            .iter()
            .filter(|i| i.kind == kind)
            .count()
    };
    tell!(
        "{}: {} frames, face in {:.1} %, {} macro- and {} micro-expression candidates, in {}",
        summary.recording.name,
        summary.recording.frames,
        100.0 * summary.face.found_share,
        count(ExpressionKind::Macro),
        count(ExpressionKind::Micro),
        folder.display(),
    );
}
