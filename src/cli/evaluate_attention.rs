//! `onset evaluate attention`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::Args;

use super::evaluate::weights;
use super::print::{say, tell};
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome, Preset, check_output};
use crate::model::au_flow::{AuReader, NETWORK};
use crate::nn::NnDevice;
use crate::nn::inventory::sha256;
use crate::recognition::FaceReader;
use crate::training::expressions::attention::{AttentionError, film, look};
use crate::training::expressions::attention_report::{AttentionReport, Setting};
use crate::training::synthesis::Recipe;

#[derive(Debug, Args)]
pub(super) struct AttentionEvaluateArgs {
    /// What is filmed, as TOML; the pinned test without it, whose persons nobody learnt
    /// from.
    #[arg(long)]
    recipe: Option<PathBuf>,
    /// How many expressions, each of another recording.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    clips: u32,
    /// Which expression of each recording.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The weights whose attention is measured: a file, or the name of shipped ones; by
    /// default those shipped for AU-Flow.
    #[arg(long, value_name = "NAME|PATH")]
    weights: Option<PathBuf>,
    /// How exactly the optical flow is computed.
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
    /// The report (JSON), with every clip.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AttentionEvaluateArgs, quiet: bool) -> CommandResult {
    if let Some(out) = &args.out {
        let inputs = [&args.recipe, &args.weights];
        let inputs: Vec<&Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
        check_output(out, &inputs)?;
    }
    let recipe = match &args.recipe {
        Some(path) => Recipe::read(path).map_err(Failure::input)?,
        None => Recipe::parse(Recipe::TEST_1).map_err(Failure::other)?,
    };
    let (path, weights) = weights(args.weights.as_deref(), NETWORK)?;
    let device = NnDevice::flex();
    let network = AuReader::from_file(&weights, &path, &device).map_err(Failure::input)?;
    let name = path.file_stem().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let reader = FaceReader::of(network, &name, &device);

    let count = args.clips as usize;
    let progress = Progress::counting("clips", "filming", Some(u64::from(args.clips)), quiet);
    let progress = Mutex::new(progress);
    let filmed = film(&recipe, (count, args.seed), args.preset.into(), |done| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.at(done as u64);
    });
    let progress = progress.into_inner();
    progress.unwrap_or_else(PoisonError::into_inner).finish();
    let filmed = filmed.map_err(failure)?;
    let looked = look(&reader, &filmed.clips).map_err(Failure::other)?;
    let setting = Setting {
        recipe: format!("{}:{}", recipe.world, recipe.seed),
        seed: args.seed,
        weights: name,
        weights_sha256: sha256(&weights.to_bytes()),
    };
    let report = AttentionReport::new(setting, &filmed, &looked);
    if let Some(out) = &args.out {
        report.write(out).map_err(Failure::other)?;
        if !quiet {
            tell!("{}", out.display());
        }
    }
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        say!("{text}");
    } else {
        say!("{}", report.table().trim_end());
    }
    let Some((recording, reason)) = report.left_out.first() else {
        return Ok(Outcome::Done);
    };
    tell!(
        "warning: {} clips are left out; the first, of {recording}: {reason}",
        report.left_out.len()
    );
    Ok(Outcome::Warned)
}

fn failure(error: AttentionError) -> Failure {
    match error {
        AttentionError::Few { .. } | AttentionError::Nothing { .. } => Failure::input(error),
        other => Failure::other(other),
    }
}
