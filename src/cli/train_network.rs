//! `onset train` of the networks that read one expression from pictures or motion maps.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::expression_data::{Classes, check_classes};
use super::print::tell;
use super::recipe_args::beside;
use super::train::remove_unfinished;
use super::train_expressions::{CourseArgs, failure, make_checkpoints};
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, check_output};
use crate::model::expression_network::{Architecture, ExpressionReader};
use crate::model::moext;
use crate::nn::NnDevice;
use crate::training::expressions::corpus::Pairs;
use crate::training::expressions::fitting;
use crate::training::expressions::networks::{NetworkTraining, pack_rebuilding};
use crate::training::expressions::trainer::Lessons;

#[derive(Debug, Args)]
pub(super) struct NetworkTrainArgs {
    #[command(flatten)]
    course: CourseArgs,
    /// Expressions an epoch, drawn anew for each.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    drawn: Option<u32>,
}

impl NetworkTrainArgs {
    fn training(&self, architecture: Architecture) -> NetworkTraining {
        let usual = NetworkTraining::usual(architecture);
        NetworkTraining {
            epochs: self.course.epochs.unwrap_or(usual.epochs),
            rate: self.course.lr.unwrap_or(usual.rate),
            batch: self.course.batch.map_or(usual.batch, |b| b as usize),
            drawn: self.drawn.map_or(usual.drawn, |d| d as usize),
            seed: self.course.seed,
            ..usual
        }
    }
}

/// Where what rebuilds apexes goes: `a.safetensors` and `a.rebuilding.safetensors`.
fn rebuilding_path(out: &Path) -> PathBuf {
    match out.extension() {
        Some(extension) if extension == "safetensors" => {
            beside(&out.with_extension(""), ".rebuilding.safetensors")
        }
        _ => beside(out, ".rebuilding.safetensors"),
    }
}

pub(super) fn run(args: &NetworkTrainArgs, network: &str, quiet: bool) -> CommandResult {
    let architecture = Architecture::named(network);
    let architecture = architecture
        .ok_or_else(|| Failure::other(anyhow!("'{network}' cannot be trained here")))?;
    let tables = args.course.data.tables();
    let inputs: Vec<&Path> = tables.iter().map(PathBuf::as_path).collect();
    check_output(&args.course.out, &inputs)?;
    if network == moext::NETWORK {
        check_output(&rebuilding_path(&args.course.out), &inputs)?;
    }
    let expressions = args
        .course
        .data
        .measure_with(Pairs::Learning, true, quiet)?;
    let (learnt, held_out) = expressions.parted()?;
    let set = args.course.classes.unwrap_or(Classes::Three);
    let lessons = Lessons::new(&learnt, set.into()).map_err(failure)?;
    check_classes(args.course.classes, &lessons, quiet)?;
    let training = args.training(architecture);
    let folder = match &args.course.checkpoint {
        Some(folder) => folder.clone(),
        None => beside(&args.course.out, ".checkpoints"),
    };
    make_checkpoints(&folder)?;
    let mut settings = training.settings();
    settings.insert("data".to_owned(), expressions.fingerprint());
    let epochs = training.epochs + training.pretraining_epochs;
    let progress = TrainingProgress::new(1, epochs, quiet);
    let kept = Some((folder.as_path(), &settings));
    let trained = training.run(&lessons, kept, &progress, "");
    progress.finish();
    let mut trained = trained.map_err(failure)?;
    let reader = ExpressionReader::new(&trained.weights, &NnDevice::flex());
    let reader = reader.map_err(|e| Failure::other(anyhow!(e)))?;
    trained.weights.fitted = fitting::fit(&reader, &held_out).map_err(|e| {
        Failure::input(anyhow!(
            "Thresholds cannot be fitted on the subjects held out: {e}. Give recordings of more subjects with coded action units"
        ))
    })?;
    settings.insert("seed".to_owned(), args.course.seed.to_string());
    let source = format!("onset train {}", env!("CARGO_PKG_VERSION"));
    let described = expressions.described();
    if let Some(tensors) = &trained.rebuilding {
        let (source, settings) = (source.clone(), settings.clone());
        let rebuilding =
            pack_rebuilding(architecture, tensors, source, described.clone(), settings);
        if let Some(rebuilding) = rebuilding {
            rebuilding
                .save(&rebuilding_path(&args.course.out))
                .map_err(Failure::other)?;
        }
    }
    let weights = trained.weights.pack(source, described, settings);
    weights.save(&args.course.out).map_err(Failure::other)?;
    if args.course.checkpoint.is_none() {
        remove_unfinished(&folder);
    }
    if !quiet {
        let described = expressions.described();
        tell!("{network} on {described}: {}", args.course.out.display());
    }
    Ok(expressions.outcome())
}
