//! `onset evaluate motion-tcn`, `softnet` and `control`: spotting by the protocol.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use rayon::prelude::*;

use super::print::{say, tell};
use super::spotting_data::SpottingData;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::model::motion_tcn::{self, MotionTcns};
use crate::model::softnet::{self, SoftNet};
use crate::nn::inventory::sha256;
use crate::nn::{NnDevice, Weights, shipped};
use crate::project::output::write_whole;
use crate::session::decoding::Decoder;
use crate::session::params::DecodeMode;
use crate::spotting::params::BothRuns;
use crate::spotting::{ExpressionKind, ScoreLevels, ScoreSample, SpottedInterval};
use crate::training::features::Parts;
use crate::training::spotting::corpus::Example;
use crate::training::spotting::judge;
use crate::training::spotting::report::{Found, KindReport, Peaks, SpottingReport};

#[derive(Debug, Args)]
pub(super) struct SpottingEvaluateArgs {
    #[command(flatten)]
    data: SpottingData,
    /// The weights to test: a file, or a name that `onset weights list` shows; without:
    /// the shipped ones. For softnet once for each kind.
    #[arg(long)]
    weights: Vec<PathBuf>,
    /// How scores become intervals: Onset's way, or as SOFTNet's published code does it.
    #[arg(long, value_enum, default_value_t = super::Decode::Default)]
    decode: super::Decode,
    /// The report (JSON).
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

type Spotted = Vec<Vec<SpottedInterval>>;

pub(super) fn motion_tcn(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    if args.decode == super::Decode::Compat {
        return Err(Failure::input(anyhow!(
            "The published decoding is made for scores of single windows. Leave --decode out, or evaluate softnet or control"
        )));
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
    let examples = args.data.examples(Parts::Grids, quiet)?;
    let decoder = Decoder::Temporal(runs);
    let spotted = decoded(&examples, &decoder, |e| judge::scored(e, &network, &device))?;
    let settings = described(&[&weights]);
    finish(
        args,
        motion_tcn::NETWORK,
        &examples,
        &spotted,
        settings,
        quiet,
    )
}

pub(super) fn softnet(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    let default = ["macro", "micro"].map(|kind| PathBuf::from(shipped::softnet(kind)));
    let paths = weights_or(args, &default)?;
    let device = NnDevice::flex();
    let mut networks = Vec::new();
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
        networks.push((kind, network, weights));
    }
    let floor = |kind| {
        let of = networks.iter().find(|(k, ..)| *k == kind)?;
        of.2.card.settings.get(softnet::FLOOR)?.parse().ok()
    };
    let decoder = Decoder::Windows {
        mode: mode(args),
        networks: ExpressionKind::BOTH.map(|kind| networks.iter().any(|(k, ..)| *k == kind)),
        floors: ScoreLevels {
            macro_score: floor(ExpressionKind::Macro),
            micro_score: floor(ExpressionKind::Micro),
        },
    };
    let examples = args.data.examples(Parts::All, quiet)?;
    let spotted = decoded(&examples, &decoder, |example| {
        let mut samples: Vec<ScoreSample> = Vec::new();
        for (kind, network, _) in &networks {
            let scored = judge::scored_by_softnet(example, *kind, network, &device)?;
            samples.extend(scored.into_iter().filter(|s| s.kind == *kind));
        }
        let missing = ExpressionKind::BOTH
            .into_iter()
            .filter(|kind| !networks.iter().any(|(k, ..)| k == kind));
        samples.extend(missing.flat_map(|kind| example.features.windows(kind).samples.clone()));
        Ok(samples)
    })?;
    let cards: Vec<&Weights> = networks.iter().map(|(_, _, w)| w).collect();
    let settings = described(&cards);
    finish(args, softnet::NETWORK, &examples, &spotted, settings, quiet)
}

pub(super) fn control(args: &SpottingEvaluateArgs, quiet: bool) -> CommandResult {
    ready(args)?;
    if !args.weights.is_empty() {
        return Err(Failure::input(anyhow!(
            "The control signal has no weights. Leave --weights out"
        )));
    }
    let decoder = Decoder::Windows {
        mode: mode(args),
        networks: [false; 2],
        floors: ScoreLevels::NONE,
    };
    let examples = args.data.examples(Parts::Grids, quiet)?;
    let spotted = decoded(&examples, &decoder, |example| {
        let both = [&example.features.macros, &example.features.micros];
        Ok(both.into_iter().flat_map(|w| w.samples.clone()).collect())
    })?;
    finish(args, "control", &examples, &spotted, BTreeMap::new(), quiet)
}

fn mode(args: &SpottingEvaluateArgs) -> DecodeMode {
    args.decode.into()
}

fn ready(args: &SpottingEvaluateArgs) -> Result<(), Failure> {
    match &args.out {
        Some(out) => check_output(out, &[]),
        None => Ok(()),
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

fn decoded(
    examples: &[Example],
    decoder: &Decoder,
    scored: impl Fn(&Example) -> Result<Vec<ScoreSample>, String> + Sync,
) -> Result<Spotted, Failure> {
    (examples.par_iter())
        .map(|example| Ok(decoder.whole(&scored(example)?).0))
        .collect::<Result<_, String>>()
        .map_err(|e| Failure::other(anyhow!("The network cannot be computed: {e}")))
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
fn peaks(folder: &Path) -> Result<Peaks, Failure> {
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
    examples: &[Example],
    spotted: &Spotted,
    settings: BTreeMap<String, String>,
    quiet: bool,
) -> CommandResult {
    let peaks = peaks(&args.data.data)?;
    let mut report = SpottingReport::of(network, "test", examples, spotted, &peaks);
    report.seed = settings.get("seed").and_then(|seed| seed.parse().ok());
    report.settings = settings;
    let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
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
        "{network} on {} recordings ({:.0} minutes); {} recordings without expressions, {} spots in them",
        report.recordings,
        report.minutes,
        report.quiet_recordings,
        report.spots_in_quiet_recordings
    );
    say!("kind     F1  precision  recall  found  of  false/min  apex error (frames)");
    for (name, kind) in [("macro", &report.macros), ("micro", &report.micros)] {
        print_kind(name, kind)?;
    }
    Ok(Outcome::Done)
}

fn print_kind(name: &str, kind: &KindReport) -> Result<(), Failure> {
    let score = &kind.score;
    let apex = kind.apex.mean_frames;
    say!(
        "{name}  {:.3}      {:.3}   {:.3}  {:>5} {:>3}  {:>9.2}  {}",
        score.f1,
        score.precision,
        score.recall,
        score.tp,
        score.tp + score.fn_,
        kind.false_alarms_a_minute,
        apex.map_or_else(|| "-".to_owned(), |frames| format!("{frames:.2}"))
    );
    for (peak, found) in &kind.recall_by_peak_px {
        let Found { found, truths } = found;
        say!("       peak {peak} px: {found} of {truths} found");
    }
    Ok(())
}
