//! `onset train motion-tcn` and `onset train softnet`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::print::tell;
use super::spotting_data::SpottingData;
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::nn::Weights;
use crate::session::params::{DecodeMode, WindowSecs};
use crate::spotting::ExpressionKind;
use crate::training::features::Parts;
use crate::training::spotting::corpus::Example;
use crate::training::spotting::course;
use crate::training::spotting::report::SpottingReport;
use crate::training::spotting::softnet::SoftNetTraining;
use crate::training::spotting::tcn::{TcnTraining, TrainError};

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
    #[command(flatten)]
    course: CourseArgs,
    /// What makes this training different from another.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How to train; what is not given is the network's own.
#[derive(Debug, Clone, PartialEq, Default, Args)]
pub(super) struct CourseArgs {
    /// How often to go through the recordings.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Full learning rate.
    #[arg(long, value_parser = super::above_zero)]
    lr: Option<f64>,
    /// Stretches (motion-tcn) or windows (softnet) an update.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// End when the loss on the subjects held out has not become better for so many
    /// epochs, with the weights of the best one; without: the last epoch's.
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u64).range(1..))]
    patience: Option<u64>,
}

impl CourseArgs {
    /// Whether somebody is to be held out for the length of the training.
    pub(super) fn waits(&self) -> bool {
        self.patience.is_some()
    }

    pub(super) fn change_tcn(&self, training: &mut TcnTraining) {
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.rate = self.lr.unwrap_or(training.rate);
        training.batch = self.batch.map_or(training.batch, |b| b as usize);
        training.patience = self.patience.or(training.patience);
    }

    pub(super) fn change_softnet(&self, training: &mut SoftNetTraining) {
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.rate = self.lr.unwrap_or(training.rate);
        training.batch = self.batch.map_or(training.batch, |b| b as usize);
        training.patience = self.patience.or(training.patience);
    }
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

#[derive(Debug, Args)]
pub(super) struct TcnTrainArgs {
    #[command(flatten)]
    rest: SpottingTrainArgs,
    /// Train nothing: join networks that were trained on these recordings from other
    /// seeds into one that says the mean of what each says, and fit its thresholds.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with_all = ["checkpoint", "epochs", "lr", "batch", "patience", "seed"])]
    join: Vec<PathBuf>,
}

pub(super) fn motion_tcn(args: &TcnTrainArgs, quiet: bool) -> CommandResult {
    let TcnTrainArgs { rest: args, join } = args;
    let inputs: Vec<&Path> = join.iter().map(PathBuf::as_path).collect();
    check_output(&args.out, &inputs)?;
    if !join.is_empty() {
        return joined(args, join, quiet);
    }
    let examples = examples(args, Parts::Grids, quiet)?;
    let mut training = TcnTraining {
        seed: args.seed,
        ..TcnTraining::default()
    };
    args.course.change_tcn(&mut training);
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let examples: Vec<&Example> = examples.iter().collect();
    let trained = course::motion_tcn(&training, &examples, &kept, &progress);
    progress.finish();
    let trained = trained.map_err(failure)?;
    tell_held_out(&trained.held_out, quiet);
    finish(args, &trained.weights, &kept, quiet)
}

fn joined(args: &SpottingTrainArgs, files: &[PathBuf], quiet: bool) -> CommandResult {
    let members = files.iter().map(|path| Weights::load(path));
    let members = members
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::input)?;
    if let Some((other, path)) =
        (members.iter().zip(files)).find(|(m, _)| m.card.trained_on != members[0].card.trained_on)
    {
        return Err(Failure::input(anyhow!(
            "These networks learnt from different data ({} and {}), so nobody is left to fit thresholds on. Join networks of one training: {}",
            members[0].card.trained_on,
            other.card.trained_on,
            path.display()
        )));
    }
    let examples = examples(args, Parts::Grids, quiet)?;
    let examples: Vec<&Example> = examples.iter().collect();
    let joined = course::joined(&members, &examples).map_err(failure)?;
    tell_held_out(&joined.held_out, quiet);
    joined.weights.save(&args.out).map_err(Failure::other)?;
    if !quiet {
        tell!("{} networks as one: {}", members.len(), args.out.display());
    }
    Ok(Outcome::Done)
}

pub(super) fn softnet(args: &SoftNetTrainArgs, quiet: bool) -> CommandResult {
    let (kind, args) = (ExpressionKind::from(args.kind), &args.rest);
    check_output(&args.out, &[])?;
    let examples = examples(args, Parts::All, quiet)?;
    let mut training = SoftNetTraining::new(kind, args.seed);
    args.course.change_softnet(&mut training);
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let examples: Vec<&Example> = examples.iter().collect();
    let mode = DecodeMode::Default;
    let trained = course::softnet(&training, mode, &examples, &kept, &progress);
    progress.finish();
    let trained = trained.map_err(failure)?;
    if let Some((floor, score)) = trained.held_out.filter(|_| !quiet) {
        tell!(
            "subjects held out, {}: floor {floor:.3}, F1 {:.3} ({} of {} found, {} false alarms)",
            kind.name(),
            score.f1,
            score.tp,
            score.tp + score.fn_,
            score.fp
        );
    }
    finish(args, &trained.weights, &kept, quiet)
}

fn examples(args: &SpottingTrainArgs, parts: Parts, quiet: bool) -> Result<Vec<Example>, Failure> {
    let windows = |_: &[_]| WindowSecs::default();
    let material = args.data.material(DecodeMode::Default, windows, quiet)?;
    material.examples(parts, quiet)
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

fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::Empty | TrainError::OneSubject | TrainError::Checkpoint(_) => {
            Failure::input(error)
        }
        other => Failure::other(other),
    }
}
