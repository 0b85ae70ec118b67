//! `onset train au-flow`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::expression_data::{Classes, ExpressionData, check_classes};
use super::print::tell;
use super::recipe_args::beside;
use super::train::remove_unfinished;
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, check_output};
use crate::model::au_flow::{AuReader, NETWORK};
use crate::nn::NnDevice;
use crate::training::epochs::TrainingError;
use crate::training::expressions::corpus::{Measured, Pairs};
use crate::training::expressions::fitting;
use crate::training::expressions::trainer::{AuTraining, Lessons};

/// What trainings on expressions share.
#[derive(Debug, Args)]
pub(super) struct CourseArgs {
    #[command(flatten)]
    pub(super) data: ExpressionData,
    /// The weights file to write.
    #[arg(long)]
    pub(super) out: PathBuf,
    /// The folder that keeps what a killed training needs to go on; by default beside
    /// the weights until they are written.
    #[arg(long)]
    pub(super) checkpoint: Option<PathBuf>,
    /// Into how many classes expressions are sorted; 3 where nothing is said.
    #[arg(long, value_enum)]
    pub(super) classes: Option<Classes>,
    /// How often to go through the expressions.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) epochs: Option<u64>,
    /// Full learning rate.
    #[arg(long, value_parser = super::above_zero)]
    pub(super) lr: Option<f64>,
    /// Expressions an update.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=4096))]
    pub(super) batch: Option<u32>,
    /// What makes this training different from another.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct AuTrainArgs {
    #[command(flatten)]
    course: CourseArgs,
    /// Networks from neighbouring seeds that are asked together.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=16))]
    seeds_in_ensemble: Option<u64>,
}

impl AuTrainArgs {
    fn training(&self) -> AuTraining {
        let usual = AuTraining::default();
        AuTraining {
            epochs: self.course.epochs.unwrap_or(usual.epochs),
            rate: self.course.lr.unwrap_or(usual.rate),
            batch: self.course.batch.map_or(usual.batch, |b| b as usize),
            members: self.seeds_in_ensemble.unwrap_or(usual.members),
            seed: self.course.seed,
            ..usual
        }
    }
}

pub(super) fn run(args: &AuTrainArgs, quiet: bool) -> CommandResult {
    let tables = args.course.data.tables();
    let inputs: Vec<&Path> = tables.iter().map(PathBuf::as_path).collect();
    check_output(&args.course.out, &inputs)?;
    let expressions = args.course.data.measure(Pairs::Learning, quiet)?;
    let (learnt, held_out) = expressions.parted()?;
    let set = args.course.classes.unwrap_or(Classes::Three);
    let lessons = Lessons::new(&learnt, set.into()).map_err(failure)?;
    check_classes(args.course.classes, &lessons, quiet)?;
    let training = args.training();
    let folder = match &args.course.checkpoint {
        Some(folder) => folder.clone(),
        None => beside(&args.course.out, ".checkpoints"),
    };
    make_checkpoints(&folder)?;
    let mut settings = training.settings();
    settings.insert("data".to_owned(), expressions.fingerprint());
    let progress = TrainingProgress::new(training.members, training.epochs, quiet);
    let trained = training.run(&lessons, Some((folder.as_path(), &settings)), &progress);
    progress.finish();
    let (mut weights, _) = trained.map_err(failure)?;
    let reader =
        AuReader::new(&weights, &NnDevice::flex()).map_err(|e| Failure::other(anyhow!(e)))?;
    weights.fitted = fitting::fit(&reader, &held_out).map_err(|e| {
        Failure::input(anyhow!(
            "Thresholds cannot be fitted on the subjects held out: {e}. Give recordings of more subjects with coded action units"
        ))
    })?;
    let subjects = |measured: &[&Measured]| {
        let names: std::collections::BTreeSet<&str> = (measured.iter())
            .map(|m| m.recording.subject.as_str())
            .collect();
        names.len().to_string()
    };
    settings.insert("seed".to_owned(), args.course.seed.to_string());
    settings.insert("maps learnt from".to_owned(), lessons.len().to_string());
    settings.insert("subjects learnt from".to_owned(), subjects(&learnt));
    settings.insert("subjects fitted on".to_owned(), subjects(&held_out));
    weights
        .pack(
            format!("onset train {}", env!("CARGO_PKG_VERSION")),
            expressions.described(),
            settings,
        )
        .save(&args.course.out)
        .map_err(Failure::other)?;
    if args.course.checkpoint.is_none() {
        remove_unfinished(&folder);
    }
    if !quiet {
        tell!(
            "{NETWORK} on {}: {}",
            expressions.described(),
            args.course.out.display()
        );
    }
    Ok(expressions.outcome())
}

/// Makes the folder for checkpoints.
pub(super) fn make_checkpoints(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| {
        Failure::input(anyhow!(
            "Cannot keep checkpoints: {e}. Choose another folder with --checkpoint: {}",
            folder.display()
        ))
    })
}

pub(super) fn failure(error: TrainingError) -> Failure {
    match error {
        TrainingError::Checkpoint(_) | TrainingError::TooFew(_) => Failure::input(error),
        other => Failure::other(other),
    }
}
