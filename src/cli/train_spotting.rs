//! `onset train motion-tcn` and `onset train softnet`.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::print::tell;
use super::spotting_data::{Material, SpottingData};
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::model::motion_tcn::MotionTcns;
use crate::nn::{NnDevice, Weights};
use crate::session::params::{DecodeMode, WindowSecs};
use crate::spotting::ExpressionKind;
use crate::training::features::Parts;
use crate::training::spotting::corpus::{Example, Parted};
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
    /// The file that keeps what a killed training needs to go on; by default beside the
    /// weights until they are written.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Fit the thresholds on the recordings of this folder, of other people, and learn
    /// from all of --data; without, every sixth subject of --data is held out for that.
    #[arg(long, value_name = "DIR")]
    fit: Option<PathBuf>,
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
    let mut inputs = args.data.tables();
    inputs.extend(join.iter().cloned());
    check_output(
        &args.out,
        &inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
    )?;
    if !join.is_empty() {
        return joined(args, join, quiet);
    }
    let material = Examples::measured(args, Parts::Grids, quiet)?;
    let mut training = TcnTraining {
        seed: args.seed,
        ..TcnTraining::default()
    };
    args.course.change_tcn(&mut training);
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let trained = course::motion_tcn(&training, &material.parted(), &kept, &progress);
    progress.finish();
    let trained = trained.map_err(failure)?;
    tell_held_out(&trained.held_out, quiet);
    finish(args, material.with_origin(trained.weights), &kept, quiet)?;
    Ok(material.outcome)
}

fn joined(args: &SpottingTrainArgs, files: &[PathBuf], quiet: bool) -> CommandResult {
    let members: Vec<Weights> = (files.iter())
        .map(|path| member(path))
        .collect::<Result<_, _>>()?;
    let material = Examples::measured(args, Parts::Grids, quiet)?;
    let joined = course::joined(&members, &material.parted()).map_err(|error| match error {
        TrainError::OtherData { file } => {
            Failure::input(anyhow!("{error}: {}", files[file - 1].display()))
        }
        other => failure(other),
    })?;
    tell_held_out(&joined.held_out, quiet);
    let weights = material.with_origin(joined.weights);
    weights.save(&args.out).map_err(Failure::other)?;
    if !quiet {
        tell!("{} networks as one: {}", members.len(), args.out.display());
    }
    Ok(material.outcome)
}

pub(super) fn softnet(args: &SoftNetTrainArgs, quiet: bool) -> CommandResult {
    let (kind, args) = (ExpressionKind::from(args.kind), &args.rest);
    let inputs = args.data.tables();
    check_output(
        &args.out,
        &inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
    )?;
    let material = Examples::measured(args, Parts::All, quiet)?;
    let mut training = SoftNetTraining::new(kind, args.seed);
    args.course.change_softnet(&mut training);
    let progress = TrainingProgress::new(1, training.epochs, quiet);
    let kept = kept(args);
    let mode = DecodeMode::Default;
    let trained = course::softnet(&training, mode, &material.parted(), &kept, &progress);
    progress.finish();
    let trained = trained.map_err(failure)?;
    if let Some((floor, score)) = trained.held_out.filter(|_| !quiet) {
        tell!(
            "where the floor was fitted, {}: floor {floor:.3}, F1 {:.3} ({} of {} found, {} false alarms)",
            kind.name(),
            score.f1,
            score.tp,
            score.tp + score.fn_,
            score.fp
        );
    }
    finish(args, material.with_origin(trained.weights), &kept, quiet)?;
    Ok(material.outcome)
}

/// What is learnt from, and what only thresholds are fitted on.
struct Examples {
    data: Vec<Example>,
    fit: Option<Vec<Example>>,
    described: BTreeMap<String, String>,
    outcome: Outcome,
}

impl Examples {
    fn measured(args: &SpottingTrainArgs, parts: Parts, quiet: bool) -> Result<Self, Failure> {
        // Everything is looked at before anything is measured, which can take hours.
        let material = |data: &SpottingData| {
            let windows = |_: &[_]| WindowSecs::default();
            data.material(DecodeMode::Default, windows, quiet)
        };
        let data = material(&args.data)?;
        let fit = args.fit.as_deref();
        let fit = fit.map(|folder| material(&args.data.with_folder(folder)));
        let fit = fit.transpose()?;
        if let Some(fit) = &fit {
            apart(&data, fit)?;
        }
        let whole = data.outcome() == Outcome::Done
            && fit
                .as_ref()
                .is_none_or(|fit| fit.outcome() == Outcome::Done);
        Ok(Self {
            described: data.described(),
            outcome: if whole {
                Outcome::Done
            } else {
                Outcome::Warned
            },
            data: data.examples(parts, quiet)?,
            fit: fit.map(|fit| fit.examples(parts, quiet)).transpose()?,
        })
    }

    /// How the motion was measured goes onto the card.
    fn with_origin(&self, mut weights: Weights) -> Weights {
        weights.card.settings.extend(self.described.clone());
        weights
    }

    fn parted(&self) -> Parted<'_> {
        let learnt: Vec<&Example> = self.data.iter().collect();
        match &self.fit {
            None => Parted::by_subjects(&learnt),
            Some(fit) => Parted {
                learnt,
                held_out: fit.iter().collect(),
            },
        }
    }
}

/// Recordings are known by what they show: people of two folders may have one name.
fn apart(data: &Material, fit: &Material) -> Result<(), Failure> {
    let learnt: HashSet<String> = data.keys()?.into_iter().collect();
    let twice = fit
        .keys()?
        .into_iter()
        .position(|key| learnt.contains(&key));
    match twice {
        None => Ok(()),
        Some(at) => Err(Failure::input(anyhow!(
            "Recording {} is in --data and in --fit. Thresholds fitted on what was learnt are too hopeful: give --fit recordings of other people: {}",
            fit.recordings[at].recording,
            fit.recordings[at].input()
        ))),
    }
}

/// One network to be joined.
fn member(path: &Path) -> Result<Weights, Failure> {
    let weights = Weights::load(path).map_err(Failure::input)?;
    let networks = MotionTcns::from_weights(&weights, &NnDevice::flex());
    match networks
        .map_err(|e| Failure::input(anyhow!("{e}: {}", path.display())))?
        .members()
    {
        1 => Ok(weights),
        many => Err(Failure::input(anyhow!(
            "These weights are {many} networks joined already. Join the single ones: {}",
            path.display()
        ))),
    }
}

fn kept(args: &SpottingTrainArgs) -> PathBuf {
    let beside = || super::recipe_args::beside(&args.out, ".checkpoint");
    args.checkpoint.clone().unwrap_or_else(beside)
}

fn finish(
    args: &SpottingTrainArgs,
    weights: Weights,
    kept: &Path,
    quiet: bool,
) -> Result<(), Failure> {
    weights.save(&args.out).map_err(Failure::other)?;
    if args.checkpoint.is_none()
        && let Err(e) = std::fs::remove_file(kept)
    {
        log::debug!("{} stays: {e}", kept.display());
    }
    if !quiet {
        tell!("{}: {}", weights.card.network, args.out.display());
    }
    Ok(())
}

fn tell_held_out(report: &SpottingReport, quiet: bool) {
    if quiet {
        return;
    }
    for (name, kind) in [("macro", &report.macros), ("micro", &report.micros)] {
        if kind.score.tp + kind.score.fn_ == 0 {
            tell!(
                "warning: nobody held out shows a {name}-expression, so its thresholds are the defaults. Give more subjects, or --fit"
            );
            continue;
        }
        tell!(
            "where thresholds were fitted, {name}: F1 {:.3} ({} of {} found), {:.2} false alarms a minute",
            kind.score.f1,
            kind.score.tp,
            kind.score.tp + kind.score.fn_,
            kind.false_alarms_a_minute.unwrap_or_default()
        );
    }
}

fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::Empty
        | TrainError::OneSubject
        | TrainError::NothingShown
        | TrainError::OtherData { .. }
        | TrainError::Checkpoint(_) => Failure::input(error),
        other => Failure::other(other),
    }
}
