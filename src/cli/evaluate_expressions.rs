//! `onset evaluate au-flow`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::evaluate::{ProtocolName, weights};
use super::expression_data::ExpressionData;
use super::print::{say, tell};
use super::{CommandResult, Failure, check_output};
use crate::model::au_flow::{AuReader, NETWORK};
use crate::nn::NnDevice;
use crate::nn::inventory::sha256;
use crate::recognition::FaceReader;
use crate::training::expressions::corpus::{Measured, Pairs};
use crate::training::expressions::fitting::{FitError, judge};
use crate::training::expressions::report::{AuReport, answers, predictions_path};

#[derive(Debug, Args)]
pub(super) struct AuEvaluateArgs {
    #[command(flatten)]
    data: ExpressionData,
    #[arg(long, value_enum, default_value_t = ProtocolName::Test)]
    protocol: ProtocolName,
    /// The report (JSON); the predictions go beside it as a table.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The weights to test: a file, or the name of shipped ones; by default those
    /// shipped for the network.
    #[arg(long, value_name = "NAME|PATH")]
    weights: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AuEvaluateArgs, quiet: bool) -> CommandResult {
    if args.protocol == ProtocolName::Loso {
        return Err(Failure::input(anyhow!(
            "{NETWORK} is tested with weights only: train it on some subjects' recordings and test it on others' (--protocol test)"
        )));
    }
    if let Some(out) = &args.out {
        let mut inputs = args.data.tables();
        inputs.extend(args.weights.clone());
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        check_output(out, &inputs)?;
    }
    let (path, weights) = weights(args.weights.as_deref(), NETWORK)?;
    let device = NnDevice::flex();
    let network = AuReader::from_file(&weights, &path, &device).map_err(Failure::input)?;
    let expressions = args.data.measure(Pairs::Testing, quiet)?;
    let measured: Vec<&Measured> = expressions.measured.iter().collect();
    let judged = judge(&network, &measured).map_err(failure)?;
    let warmth = [
        network.fitted.unit_temperature,
        network.fitted.class_temperature,
    ];
    let reader = FaceReader::of(network, NETWORK, &device);
    let answers = answers(&reader, &judged).map_err(failure)?;
    let mut settings = weights.card.settings.clone();
    settings.insert("weights".to_owned(), sha256(&weights.to_bytes()));
    settings.insert("trained on".to_owned(), weights.card.trained_on.clone());
    let seed = settings.get("seed").and_then(|seed| seed.parse().ok());
    let report = AuReport::new(
        (NETWORK, "test"),
        &answers,
        &measured,
        warmth,
        seed,
        settings,
    )
    .map_err(failure)?;
    if let Some(out) = &args.out {
        report.write(out, &answers).map_err(Failure::other)?;
        if !quiet {
            tell!("{}, {}", out.display(), predictions_path(out).display());
        }
    }
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        say!("{text}");
    } else {
        say!("{}", report.table().trim_end());
    }
    Ok(expressions.outcome())
}

fn failure(error: FitError) -> Failure {
    match error {
        FitError::Device(_) => Failure::other(error),
        other => Failure::input(anyhow!(
            "The network cannot be tested: {other}. Give recordings with faces and coded action units, or other weights"
        )),
    }
}
