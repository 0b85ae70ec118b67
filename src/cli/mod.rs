//! The command line other people's scripts rely on: one file a subcommand.

mod analyze;
mod bench;
mod cameras;
mod compare;
mod compare_training;
mod data;
mod doctor;
mod evaluate;
mod evaluate_attention;
mod evaluate_expressions;
mod evaluate_spotting;
mod evaluate_spotting_folds;
mod expression_data;
mod flow;
mod flow_data;
mod landmarks;
mod magnify;
mod print;
mod progress;
mod recipe_args;
mod score;
mod score_agreement;
mod spotting_data;
mod synth;
mod train;
mod train_expressions;
mod train_network;
mod train_spotting;
mod training_progress;
mod view;
mod weights;

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::motion::tvl1::Tvl1Preset;
use crate::session::params::{DecodeMode, DeviceChoice};
use print::tell;
pub use view::{Renderer, ViewArgs};

/// Spots macro- and micro-expressions in recordings and live video.
///
/// Without a command a window opens; with one, Onset is a tool.
#[derive(Debug, Parser)]
#[command(
    name = "onset",
    version,
    about,
    after_help = "Example: onset analyze interview.mp4 --out results"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Say nothing but errors.
    #[arg(long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the window, on INPUT if given (a file, a folder of images, or camera:0).
    View(view::ViewArgs),
    Analyze(analyze::AnalyzeArgs),
    Landmarks(landmarks::LandmarksArgs),
    Flow(flow::FlowArgs),
    Magnify(magnify::MagnifyArgs),
    Weights(weights::WeightsArgs),
    Score(score::ScoreArgs),
    Data(data::DataArgs),
    Cameras(cameras::CamerasArgs),
    Doctor(doctor::DoctorArgs),
    Bench(bench::BenchArgs),
    Synth(synth::SynthArgs),
    Train(train::TrainArgs),
    Evaluate(evaluate::EvaluateArgs),
    Compare(compare::CompareArgs),
}

/// Where to compute; shared by the commands that compute.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeviceArg {
    /// Where to compute; auto takes the processor, or for analyses whichever side was
    /// measured to be faster on this machine.
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    pub(crate) device: Device,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    Auto,
    Gpu,
    Cpu,
}

impl From<Device> for DeviceChoice {
    fn from(d: Device) -> Self {
        match d {
            Device::Auto => Self::Auto,
            Device::Gpu => Self::Gpu,
            Device::Cpu => Self::Cpu,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decode {
    Default,
    Compat,
}

impl From<Decode> for DecodeMode {
    fn from(d: Decode) -> Self {
        match d {
            Decode::Default => Self::Default,
            Decode::Compat => Self::Compat,
        }
    }
}

/// How exactly flow is computed; see [`Tvl1Preset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// TV-L1 until it rests.
    Exact,
    /// Two thirds of the time, hardly less exact.
    Live,
    /// A third of the time: to be looked at, not measured.
    Preview,
    /// OpenCV's flow to the last bit, three times as slow.
    Compat,
}

impl From<Preset> for Tvl1Preset {
    fn from(p: Preset) -> Self {
        match p {
            Preset::Exact => Self::Exact,
            Preset::Live => Self::Live,
            Preset::Preview => Self::Preview,
            Preset::Compat => Self::Compat,
        }
    }
}

/// Refuses an output whose folder is not there, or that would replace an input or a
/// folder.
fn check_output(out: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let folder = match out.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Failure::input(anyhow!(
            "There is no folder to write to. Make it first, or choose another place: {}",
            folder.display()
        )));
    }
    if out.is_dir() {
        return Err(Failure::input(anyhow!(
            "The result is a file, and this is a folder. Choose another name: {}",
            out.display()
        )));
    }
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    let own = place(out);
    if own.is_some() && inputs.iter().any(|input| place(input) == own) {
        return Err(Failure::input(anyhow!(
            "The result would replace what it is made from. Choose another name: {}",
            out.display()
        )));
    }
    Ok(())
}

/// A number above 0, for clap.
fn above_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if f64::is_finite(value) && value > 0.0 => Ok(value),
        _ => Err("give a number above 0, such as 30".into()),
    }
}

/// Times are whole nanoseconds and a day has to have more than one frame.
fn frame_rate(text: &str) -> Result<f64, String> {
    above_zero(text)
        .ok()
        .filter(|fps| (0.001..=1_000_000.0).contains(fps))
        .ok_or_else(|| "give frames a second from 0.001 to 1000000, such as 200".into())
}

/// How a command ended, as `cli.md` numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Done, with warnings that concern the result.
    Warned,
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Bad usage or unreadable input: exit status 2.
    Input(anyhow::Error),
    /// Anything else: exit status 1.
    Other(anyhow::Error),
}

impl Failure {
    pub(crate) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self::Input(error.into())
    }

    pub(crate) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into())
    }
}

pub(crate) type CommandResult = Result<Outcome, Failure>;

/// Runs a command of the tool; `view` is the caller's.
#[must_use]
pub fn run(command: Command, quiet: bool) -> ExitCode {
    let result = match command {
        Command::View(_) => return ExitCode::from(2),
        Command::Analyze(args) => analyze::run(&args, quiet),
        Command::Landmarks(args) => landmarks::run(&args, quiet),
        Command::Flow(args) => flow::run(&args),
        Command::Magnify(args) => magnify::run(&args, quiet),
        Command::Weights(args) => weights::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Data(args) => data::run(&args, quiet),
        Command::Cameras(args) => cameras::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args, quiet),
        Command::Synth(args) => synth::run(&args, quiet),
        Command::Train(args) => train::run(&args, quiet),
        Command::Evaluate(args) => evaluate::run(&args, quiet),
        Command::Compare(args) => compare::run(&args, quiet),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Warned) => ExitCode::from(3),
        Err(Failure::Input(e)) => {
            tell!("onset: {e:#}");
            ExitCode::from(2)
        }
        Err(Failure::Other(e)) => {
            tell!("onset: {e:#}");
            ExitCode::from(1)
        }
    }
}
