//! `onset evaluate motion-tcn`, `softnet` and `control`: spotting by the protocol.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::evaluate::{FoldArgs, ProtocolName};
use super::evaluate_spotting_folds::leave_one_out;
use super::print::{say, tell};
use super::score::ScoreMode;
use super::spotting_data::SpottingData;
use super::train_spotting::CourseArgs;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::dataset::LabelledRecording;
use crate::model::motion_tcn::{self, MotionTcns};
use crate::model::softnet::{self, SoftNet};
use crate::nn::inventory::sha256;
use crate::nn::{NnDevice, Weights, shipped};
use crate::project::output::write_whole;
use crate::session::params::WindowSecs;
use crate::spotting::params::BothRuns;
use crate::spotting::{ExpressionKind, SpottedInterval};
use crate::training::features::Parts;
use crate::training::spotting::corpus::Example;
use crate::training::spotting::judge;
use crate::training::spotting::protocol::Plan;
use crate::training::spotting::report::{Found, KindReport, Peaks, SpottingReport, Trial};
use crate::training::spotting::tcn::TcnTraining;
use crate::training::spotting::trial::{self, KindNetwork};

#[derive(Debug, Args)]
pub(super) struct SpottingEvaluateArgs {
    #[command(flatten)]
    pub(super) data: SpottingData,
    /// test applies weights to all recordings; loso trains without each subject in turn
    /// and tests on that subject.
    #[arg(long, value_enum, default_value_t = ProtocolName::Test)]
    protocol: ProtocolName,
    /// The weights to test: a file, or a name that `onset weights list` shows; without:
    /// the shipped ones. For softnet once for each kind.
    #[arg(long)]
    weights: Vec<PathBuf>,
    /// How scores become intervals: Onset's way, or as SOFTNet's published code does it,
    /// with --protocol loso its training and window lengths too.
    #[arg(long, value_enum, default_value_t = super::Decode::Default)]
    pub(super) decode: super::Decode,
    /// How spots are counted: all of them, or as the published evaluator counts.
    #[arg(long, value_enum, default_value_t = ScoreMode::Strict)]
    pub(super) mode: ScoreMode,
    /// The report (JSON).
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) folds: FoldArgs,
    /// Print the report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    course: CourseArgs,
    /// What makes this training different from another [default: 1]
    #[arg(long)]
    seed: Option<u64>,
}

type Spotted = Vec<Vec<SpottedInterval>>;

pub(super) fn motion_tcn(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    if args.decode == super::Decode::Compat {
        return Err(Failure::input(anyhow!(
            "The published decoding is made for scores of single windows. Leave --decode out, or evaluate softnet or control"
        )));
    }
    if args.protocol == ProtocolName::Loso {
        let mut training = TcnTraining::default();
        training.seed = args.seed.unwrap_or(training.seed);
        args.course.change_tcn(&mut training);
        return leave_one_out(args, &Plan::MotionTcn(training), quiet);
    }
    let default = [PathBuf::from(shipped::MOTION_TCN)];
    let [path] = weights_or(args, &default)? else {
        return Err(Failure::input(anyhow!(
            "Test one file of weights at a time"
        )));
    };
    let weights = load(path)?;
    let device = NnDevice::flex();
    let network = MotionTcns::from_weights(&weights, &device).map_err(Failure::input)?;
    let runs = BothRuns::from_settings(&weights.card.settings).map_err(|e| {
        Failure::input(anyhow!(
            "These weights do not say from which score on something is an expression ({e}): {}",
            path.display()
        ))
    })?;
    let material = Measured::of(args, Parts::Grids, quiet)?;
    let examples = material.examples();
    let spotted = trial::by_motion_tcn(&examples, &network, runs, &device).map_err(not_computed)?;
    let settings = described(&[&weights]);
    finish(
        args,
        motion_tcn::NETWORK,
        &material,
        &spotted,
        settings,
        quiet,
    )
}

pub(super) fn softnet(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    if args.protocol == ProtocolName::Loso {
        let mut plan = Plan::softnet(args.decode.into(), args.seed.unwrap_or(1));
        if let Plan::SoftNet { trainings, .. } = &mut plan {
            for training in trainings {
                args.course.change_softnet(training);
            }
        }
        return leave_one_out(args, &plan, quiet);
    }
    let default = ["macro", "micro"].map(|kind| PathBuf::from(shipped::softnet(kind)));
    let paths = weights_or(args, &default)?;
    let device = NnDevice::flex();
    let (mut networks, mut cards) = (Vec::new(), Vec::new());
    for path in paths {
        let weights = load(path)?;
        let kind = match weights.card.kind.as_deref() {
            Some("macro") => ExpressionKind::Macro,
            Some("micro") => ExpressionKind::Micro,
            _ => {
                return Err(Failure::input(anyhow!(
                    "These weights do not say which expressions they find. Choose SOFTNet weights of a kind: {}",
                    path.display()
                )));
            }
        };
        let network = SoftNet::new(&device).with_weights(&weights, &device);
        let network = network.map_err(|e| Failure::input(anyhow!("{e}: {}", path.display())))?;
        if networks.iter().any(|n: &KindNetwork| n.kind == kind) {
            return Err(Failure::input(anyhow!(
                "Two files of weights find {}-expressions. Test one of each kind at a time: {}",
                kind.name(),
                path.display()
            )));
        }
        let floor = weights.card.settings.get(softnet::FLOOR);
        let floor = floor.map(|floor| floor.parse::<f64>().ok().filter(|f| f.is_finite()));
        if floor == Some(None) {
            return Err(Failure::input(anyhow!(
                "The floor on these weights' card is no number. Train or import them again: {}",
                path.display()
            )));
        }
        networks.push(KindNetwork {
            kind,
            network,
            floor: floor.flatten(),
        });
        cards.push(weights);
    }
    let material = Measured::of(args, Parts::All, quiet)?;
    let examples = material.examples();
    let decode = args.decode.into();
    let unscored: Vec<&str> = (ExpressionKind::BOTH.iter())
        .filter(|kind| !networks.iter().any(|n| n.kind == **kind))
        .map(|kind| kind.name())
        .collect();
    for kind in &unscored {
        if !quiet {
            tell!("warning: no weights find {kind}-expressions, so the control signal does");
        }
    }
    let spotted =
        trial::by_softnets(&examples, &networks, decode, &device).map_err(not_computed)?;
    let mut settings = described(&cards.iter().collect::<Vec<_>>());
    for kind in unscored {
        settings.insert(format!("{kind} by"), "control".to_owned());
    }
    finish(args, softnet::NETWORK, &material, &spotted, settings, quiet)
}

pub(super) fn control(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    if args.protocol == ProtocolName::Loso {
        return Err(Failure::input(anyhow!(
            "The control signal is not trained, so that leaving a subject out changes nothing. Use --protocol test"
        )));
    }
    if !args.weights.is_empty() {
        return Err(Failure::input(anyhow!(
            "The control signal has no weights. Leave --weights out"
        )));
    }
    let material = Measured::of(args, Parts::Grids, quiet)?;
    let spotted = trial::by_control(&material.examples(), args.decode.into());
    finish(args, "control", &material, &spotted, BTreeMap::new(), quiet)
}

fn ready(args: &SpottingEvaluateArgs) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        let tables = args.data.tables();
        let tables = tables.iter().map(PathBuf::as_path);
        let weights = args.weights.iter().map(PathBuf::as_path);
        check_output(out, &tables.chain(weights).collect::<Vec<_>>())?;
    }
    let trains = args.course != CourseArgs::default() || args.seed.is_some();
    match args.protocol {
        ProtocolName::Loso if args.course.waits() && args.decode == super::Decode::Compat => {
            Err(Failure::input(anyhow!(
                "The published protocol holds nobody out whose loss could be waited for. Leave --patience or --decode compat out"
            )))
        }
        ProtocolName::Loso if !args.weights.is_empty() => Err(Failure::input(anyhow!(
            "Leaving one subject out trains its own weights. Leave --weights out, or use --protocol test"
        ))),
        ProtocolName::Test if args.folds.folds.is_some() => Err(Failure::input(anyhow!(
            "Weights are tested on all recordings at once, without folds. Leave --folds out, or use --protocol loso"
        ))),
        ProtocolName::Test if trains => Err(Failure::input(anyhow!(
            "Weights are tested as they are. Leave --epochs, --lr, --batch, --patience and --seed out, or use --protocol loso"
        ))),
        _ => Ok(()),
    }
}

/// What is tested on, and how it was measured.
struct Measured {
    examples: Vec<Example>,
    settings: BTreeMap<String, String>,
    outcome: Outcome,
}

impl Measured {
    fn of(args: &SpottingEvaluateArgs, parts: Parts, quiet: bool) -> Result<Self, Failure> {
        let windows = |_: &[_]| WindowSecs::default();
        let material = args.data.material(args.decode.into(), windows, quiet)?;
        Ok(Self {
            examples: material.examples(parts, quiet)?,
            settings: material.described(),
            outcome: material.outcome(),
        })
    }

    fn examples(&self) -> Vec<&Example> {
        self.examples.iter().collect()
    }
}

fn weights_or<'a>(
    args: &'a SpottingEvaluateArgs,
    shipped: &'a [PathBuf],
) -> Result<&'a [PathBuf], Failure> {
    Ok(if args.weights.is_empty() {
        shipped
    } else {
        &args.weights
    })
}

/// A file, or shipped weights by their name.
fn load(path: &Path) -> Result<Weights, Failure> {
    let named = path.to_str().map(shipped::weights).transpose();
    match named.map_err(Failure::input)?.flatten() {
        Some(weights) => Ok(weights),
        None => Weights::load(path).map_err(Failure::input),
    }
}

fn not_computed(reason: String) -> Failure {
    Failure::other(anyhow!("The network cannot be computed: {reason}"))
}

fn described(weights: &[&Weights]) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for weights in weights {
        let kind = weights.card.kind.as_deref().map_or("", |kind| kind);
        let named = |what: &str| format!("{kind} {what}").trim().to_owned();
        for (name, value) in &weights.card.settings {
            settings.insert(named(name), value.clone());
        }
        settings.insert(named("weights"), sha256(&weights.to_bytes()));
        settings.insert(named("trained on"), weights.card.trained_on.clone());
    }
    settings
}

/// `events.csv` of a drawn folder says how far each expression goes.
pub(super) fn peaks(folder: &Path) -> Result<Peaks, Failure> {
    #[derive(serde::Deserialize)]
    struct Row {
        recording: String,
        kind: ExpressionKind,
        onset: u64,
        amplitude_px: f64,
    }
    let path = folder.join("events.csv");
    if !path.exists() {
        return Ok(Peaks::new());
    }
    let unreadable = |e: csv::Error| {
        Failure::input(anyhow!(
            "Cannot read how large the expressions are: {e}. Correct or remove the file: {}",
            path.display()
        ))
    };
    let mut rows = csv::Reader::from_path(&path).map_err(unreadable)?;
    rows.deserialize()
        .map(|row: Result<Row, _>| {
            let row = row.map_err(unreadable)?;
            Ok(((row.recording, row.kind, row.onset), row.amplitude_px))
        })
        .collect()
}

fn finish(
    args: &SpottingEvaluateArgs,
    network: &str,
    measured: &Measured,
    spotted: &Spotted,
    settings: BTreeMap<String, String>,
    quiet: bool,
) -> CommandResult {
    let examples = &measured.examples();
    let recordings: Vec<&LabelledRecording> = judge::labels(examples);
    let trial = Trial {
        recordings: &recordings,
        spotted,
        minutes: judge::minutes(examples),
        peaks: &peaks(&args.data.data)?,
        mode: args.mode.into(),
    };
    let mut report = SpottingReport::of(network, "test", &trial);
    report.seed = settings.get("seed").and_then(|seed| seed.parse().ok());
    report.settings = settings;
    report.settings.extend(measured.settings.clone());
    tell_report(args, &report, quiet)?;
    Ok(measured.outcome)
}

/// Writes and prints the report.
pub(super) fn tell_report(
    args: &SpottingEvaluateArgs,
    report: &SpottingReport,
    quiet: bool,
) -> CommandResult {
    let text = serde_json::to_string_pretty(report).map_err(Failure::other)?;
    if let Some(out) = &args.out {
        write_whole(out, text.as_bytes()).map_err(Failure::other)?;
        if !quiet {
            tell!("{}", out.display());
        }
    }
    if args.json {
        say!("{text}");
        return Ok(Outcome::Done);
    }
    say!(
        "{} on {} recordings ({:.0} minutes); {} recordings without expressions, {} spots in them",
        report.network,
        report.recordings,
        report.minutes,
        report.quiet_recordings,
        report.spots_in_quiet_recordings
    );
    say!("kind     F1  precision  recall  found  of  false/min  apex error (frames)");
    for (name, kind) in [("macro", &report.macros), ("micro", &report.micros)] {
        print_kind(name, kind)?;
    }
    say!("both   {:.3}", report.overall.f1);
    Ok(Outcome::Done)
}

fn print_kind(name: &str, kind: &KindReport) -> Result<(), Failure> {
    let score = &kind.score;
    let apex = kind.apex.mean_frames;
    let or_dash = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    say!(
        "{name}  {:.3}      {:.3}   {:.3}  {:>5} {:>3}  {:>9}  {}",
        score.f1,
        score.precision,
        score.recall,
        score.tp,
        score.tp + score.fn_,
        or_dash(kind.false_alarms_a_minute),
        or_dash(apex)
    );
    for (peak, found) in &kind.recall_by_peak_px {
        let Found { found, truths } = found;
        say!("       peak {peak} px: {found} of {truths} found");
    }
    Ok(())
}
