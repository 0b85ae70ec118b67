//! `onset train motion-tcn` and `onset train softnet`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::print::tell;
use super::spotting_data::SpottingData;
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::model::{motion_tcn, softnet};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard};
use crate::spotting::{DecodeParams, ExpressionKind};
use crate::training::features::Parts;
use crate::training::spotting::corpus::{self, Example};
use crate::training::spotting::judge;
use crate::training::spotting::report::{Peaks, SpottingReport};
use crate::training::spotting::softnet::{SoftNetTraining, samples};
use crate::training::spotting::tcn::{Lesson, TcnTraining, TrainError};

#[derive(Debug, Args)]
pub(super) struct SpottingTrainArgs {
    #[command(flatten)]
    data: SpottingData,
    /// The weights file to write.
    #[arg(long)]
    out: PathBuf,
    /// Where to keep what a killed training needs to go on; by default beside the
    /// weights until they are written.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// How often to go through the recordings.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Full learning rate.
    #[arg(long, value_parser = super::above_zero)]
    lr: Option<f64>,
    /// Stretches (motion-tcn) or windows (softnet) an update.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// What makes this training different from another.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct SoftNetTrainArgs {
    /// Which expressions the network is to find.
    #[arg(long, value_enum)]
    kind: KindArg,
    #[command(flatten)]
    rest: SpottingTrainArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArg {
    Macro,
    Micro,
}

impl From<KindArg> for ExpressionKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Macro => Self::Macro,
            KindArg::Micro => Self::Micro,
        }
    }
}

pub(super) fn motion_tcn(args: &SpottingTrainArgs, quiet: bool) -> CommandResult {
    check_output(&args.out, &[])?;
    let (learnt, held_out) = parted(args.data.examples(Parts::Grids, quiet)?)?;
    let defaults = TcnTraining::default();
    let training = TcnTraining {
        epochs: args.epochs.unwrap_or(defaults.epochs),
        rate: args.lr.unwrap_or(defaults.rate),
        batch: args.batch.map_or(defaults.batch, |b| b as usize),
        seed: args.seed,
        ..defaults
    };
    let lessons: Vec<Lesson> = learnt.iter().map(Lesson::of).collect();
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let tensors = training.run(&lessons, Some(&kept), &progress);
    progress.finish();
    let tensors = tensors.map_err(failure)?;
    let device = NnDevice::flex();
    let mut weights = Weights {
        card: WeightsCard {
            network: motion_tcn::NETWORK.to_owned(),
            format_version: FORMAT_VERSION,
            kind: None,
            source: source(),
            trained_on: described(&learnt),
            input: motion_tcn::INPUT.to_owned(),
            settings: training.settings(&lessons),
        },
        tensors,
    };
    // Thresholds from subjects that were not learnt from.
    let network =
        motion_tcn::MotionTcns::from_weights(&weights, &device).map_err(Failure::other)?;
    let scores = held_out.iter().map(|e| judge::scored(e, &network, &device));
    let scores = scores
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Failure::other(anyhow!("The network cannot be tried: {e}")))?;
    let runs = judge::fitted(&held_out, &scores);
    weights.card.settings.extend(runs.to_settings());
    let params = DecodeParams {
        runs,
        ..DecodeParams::probability()
    };
    let spotted = judge::spotted(&scores, &params);
    let report = SpottingReport::of(
        motion_tcn::NETWORK,
        "held out",
        &held_out,
        &spotted,
        &Peaks::new(),
    );
    tell_held_out(&report, quiet);
    finish(args, &weights, &kept, quiet)
}

pub(super) fn softnet(args: &SoftNetTrainArgs, quiet: bool) -> CommandResult {
    let (kind, args) = (ExpressionKind::from(args.kind), &args.rest);
    check_output(&args.out, &[])?;
    let (learnt, held_out) = parted(args.data.examples(Parts::All, quiet)?)?;
    let defaults = SoftNetTraining::published(kind, args.seed);
    let training = SoftNetTraining {
        epochs: args.epochs.unwrap_or(defaults.epochs),
        rate: args.lr.unwrap_or(defaults.rate),
        batch: args.batch.map_or(defaults.batch, |b| b as usize),
        ..defaults
    };
    let windows = samples(&learnt, kind, args.seed);
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let tensors = training.run(&windows, Some(&kept), &progress);
    progress.finish();
    let mut weights = Weights {
        card: WeightsCard {
            network: softnet::NETWORK.to_owned(),
            format_version: FORMAT_VERSION,
            kind: Some(kind.name().to_owned()),
            source: source(),
            trained_on: described(&learnt),
            input: softnet::INPUT.to_owned(),
            settings: training.settings(windows.len()),
        },
        tensors: tensors.map_err(failure)?,
    };
    let device = NnDevice::flex();
    let network = softnet::SoftNet::new(&device)
        .with_weights(&weights, &device)
        .map_err(|e| Failure::other(anyhow!("The network cannot be tried: {e}")))?;
    let (floor, score) = judge::fitted_floor(&held_out, kind, &network, &device)
        .map_err(|e| Failure::other(anyhow!("The network cannot be tried: {e}")))?;
    let settings = &mut weights.card.settings;
    settings.insert(softnet::FLOOR.to_owned(), floor.to_string());
    if !quiet {
        tell!(
            "subjects held out, {}: floor {floor:.3}, F1 {:.3} ({} of {} found, {} false alarms)",
            kind.name(),
            score.f1,
            score.tp,
            score.tp + score.fn_,
            score.fp
        );
    }
    finish(args, &weights, &kept, quiet)
}

/// Every sixth subject is not learnt from: thresholds come from them.
fn parted(examples: Vec<Example>) -> Result<(Vec<Example>, Vec<Example>), Failure> {
    let (learnt, held_out) = corpus::held_out(examples);
    if held_out.is_empty() {
        return Err(Failure::input(anyhow!(
            "Thresholds are fitted on subjects that are not learnt from, and there are too few here. Give at least six subjects"
        )));
    }
    Ok((learnt, held_out))
}

fn kept(args: &SpottingTrainArgs) -> PathBuf {
    let beside = || super::recipe_args::beside(&args.out, ".checkpoint");
    args.checkpoint.clone().unwrap_or_else(beside)
}

fn finish(args: &SpottingTrainArgs, weights: &Weights, kept: &Path, quiet: bool) -> CommandResult {
    weights.save(&args.out).map_err(Failure::other)?;
    if args.checkpoint.is_none()
        && let Err(e) = std::fs::remove_file(kept)
    {
        log::debug!("{} stays: {e}", kept.display());
    }
    if !quiet {
        tell!("{}: {}", weights.card.network, args.out.display());
    }
    Ok(Outcome::Done)
}

fn tell_held_out(report: &SpottingReport, quiet: bool) {
    if quiet {
        return;
    }
    for (name, kind) in [("macro", &report.macros), ("micro", &report.micros)] {
        tell!(
            "subjects held out, {name}: F1 {:.3} ({} of {} found), {:.2} false alarms a minute",
            kind.score.f1,
            kind.score.tp,
            kind.score.tp + kind.score.fn_,
            kind.false_alarms_a_minute
        );
    }
}

fn source() -> String {
    format!("onset train {}", env!("CARGO_PKG_VERSION"))
}

/// What weights were trained on, for their card.
fn described(examples: &[Example]) -> String {
    let mut events: BTreeMap<&str, usize> = BTreeMap::new();
    for event in examples.iter().flat_map(|e| &e.recording.events) {
        *events.entry(event.kind.name()).or_default() += 1;
    }
    let count = |kind| events.get(kind).copied().unwrap_or(0);
    format!(
        "{} labelled recordings ({:.0} minutes, {} macro- and {} micro-expressions)",
        examples.len(),
        judge::minutes(examples),
        count("macro"),
        count("micro")
    )
}

fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::Empty | TrainError::Checkpoint(_) => Failure::input(error),
        other => Failure::other(other),
    }
}
