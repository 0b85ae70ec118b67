//! `onset evaluate`: a network's scores by a protocol.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};

use super::evaluate_attention::{self, AttentionEvaluateArgs};
use super::evaluate_expressions::{self, AuEvaluateArgs};
use super::evaluate_spotting::{self, SpottingEvaluateArgs};
use super::flow_data::FlowData;
use super::print::{say, tell};
use super::recipe_args::{FlowNetwork, RecipeArgs, beside};
use super::train::remove_unfinished;
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, Outcome, check_output};
use crate::model::flow_classifier::FlowClassifier;
use crate::model::flow_input::CLASSES;
use crate::nn::inventory::sha256;
use crate::nn::{Weights, shipped};
use crate::training::folds::FoldError;
use crate::training::progress::Monitor as _;
use crate::training::recognition::protocol::{Protocol, ProtocolError, predict};
use crate::training::recognition::report::{Prediction, Report, predictions_path};
use crate::training::recognition::trainer::TrainingError;

/// Score a network by a protocol.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(subcommand)]
    model: Model,
}

#[derive(Debug, Subcommand)]
enum Model {
    /// Negative, positive or surprise by one flow image (STSTNet).
    #[command(
        after_help = "Examples:\n  onset evaluate ststnet --data megc2019 --protocol loso --out report.json\n  onset evaluate ststnet --dataset casme2 --root /data/CASME2 --protocol loso --out report.json\n  onset evaluate ststnet --dataset smic --root /data/SMIC --dataset casme2 --root /data/CASME2 --dataset samm --root /data/SAMM --protocol loso --out megc2019.json\n  onset evaluate ststnet --data megc2019 --protocol test --weights ststnet.safetensors --out report.json\n  onset evaluate ststnet --data megc2019 --protocol loso --fold 3 --folds folds\n  onset evaluate ststnet --data megc2019 --protocol loso --folds folds --merge --out report.json"
    )]
    Ststnet(FlowEvaluateArgs),
    /// Negative, positive or surprise by the flow's two components (Off-ApexNet).
    #[command(
        after_help = "Examples:\n  onset evaluate off-apexnet --data megc2019 --protocol loso --out report.json\n  onset evaluate off-apexnet --dataset casme2 --root /data/CASME2 --protocol loso --out report.json"
    )]
    OffApexnet(FlowEvaluateArgs),
    /// Action units and three classes by the motion from onset to apex (AU-Flow).
    #[command(
        after_help = "Examples:\n  onset evaluate au-flow --data studio-test --out report.json\n  onset evaluate au-flow --dataset casme2 --root /data/CASME2 --weights au-flow.safetensors"
    )]
    AuFlow(AuEvaluateArgs),
    /// How much of the attention lies where the face truly moved, which is known of drawn
    /// clips.
    #[command(
        after_help = "Examples:\n  onset evaluate attention\n  onset evaluate attention --clips 20 --weights au-flow.safetensors --out attention.json\n\nEach map's share of mass where the true flow from onset to apex, without the head's\naffine motion, exceeds a tenth of its greatest. Maps: what the window shows for the\nlikeliest unit (integrated gradients, noise taken off); the same with noise; that of all\nlabelled units; Grad-CAM at the last convolution by place and averaged as in its paper;\nthe measured motion itself. Beside them chance (an even map), the map of another clip,\nand what the unit's logit loses when the tenth of the face named first is stilled."
    )]
    Attention(AttentionEvaluateArgs),
    /// Spotting by the course of the motion (MotionTCN).
    #[command(
        after_help = "Examples:\n  onset evaluate motion-tcn --data studio-test --out report.json\n  onset evaluate motion-tcn --dataset casme-sq --root /data/CASME2sq --protocol loso --out report.json"
    )]
    MotionTcn(SpottingEvaluateArgs),
    /// Spotting a flow window at a time (SOFTNet).
    #[command(
        after_help = "Examples:\n  onset evaluate softnet --data studio-test --weights macro.safetensors --weights micro.safetensors\n  onset evaluate softnet --dataset casme-sq --root /data/CASME2sq --protocol loso --out report.json\n  onset evaluate softnet --dataset samm-lv --root /data/SAMM --protocol loso --decode compat --preset compat --mode compat --out published.json\n  onset evaluate softnet --dataset casme-sq --root /data/CASME2sq --protocol loso --fold 3 --folds folds"
    )]
    Softnet(SpottingEvaluateArgs),
    /// Spotting without a network: the strain of brows and mouth beyond what noise and the head explain.
    Control(SpottingEvaluateArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProtocolName {
    /// Train without each subject in turn and test on that subject.
    Loso,
    /// Apply weights to all clips or recordings.
    Test,
}

/// Which folds, and where they are kept.
#[derive(Debug, Args)]
pub(super) struct FoldArgs {
    /// Train and test this fold only (from 0, subjects in the order of their names).
    #[arg(long, requires = "folds", conflicts_with_all = ["merge", "out"])]
    pub(super) fold: Option<usize>,
    /// Where finished folds are kept; by default beside the report until it is written.
    #[arg(long)]
    pub(super) folds: Option<PathBuf>,
    /// Only make the report from the folds that are there.
    #[arg(long, requires = "folds")]
    pub(super) merge: bool,
}

impl FoldArgs {
    /// Where the folds are kept, for a report at `out`.
    pub(super) fn folder(&self, out: Option<&Path>) -> Result<PathBuf, Failure> {
        match (&self.folds, out) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, Some(out)) => Ok(beside(out, ".folds")),
            (None, None) => Err(Failure::input(anyhow!("Say where to write with --out"))),
        }
    }
}

#[derive(Debug, Args)]
struct FlowEvaluateArgs {
    #[command(flatten)]
    data: FlowData,
    #[arg(long, value_enum)]
    protocol: ProtocolName,
    /// The report (JSON); the predictions go beside it as a table.
    #[arg(long, required_unless_present = "fold")]
    out: Option<PathBuf>,
    /// The weights to test: a file, or the name of shipped ones; by default those
    /// shipped for the network.
    #[arg(long, value_name = "NAME|PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    folds: FoldArgs,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
}

impl FlowEvaluateArgs {
    /// What is written: the report, or without one the folder of folds.
    fn output(&self) -> Result<&Path, Failure> {
        let output = self.out.as_deref().or(self.folds.folds.as_deref());
        output.ok_or_else(|| Failure::input(anyhow!("Say where to write with --out")))
    }
}

pub(super) fn run(args: &EvaluateArgs, quiet: bool) -> CommandResult {
    let (args, network) = match &args.model {
        Model::Ststnet(args) => (args, FlowNetwork::StstNet),
        Model::OffApexnet(args) => (args, FlowNetwork::OffApexNet),
        Model::AuFlow(args) => return evaluate_expressions::run(args, quiet),
        Model::Attention(args) => return evaluate_attention::run(args, quiet),
        Model::MotionTcn(args) => return evaluate_spotting::motion_tcn(args, quiet),
        Model::Softnet(args) => return evaluate_spotting::softnet(args, quiet),
        Model::Control(args) => return evaluate_spotting::control(args, quiet),
    };
    if let Some(out) = &args.out {
        let labels = args.data.labels();
        let inputs = [labels.as_deref(), args.weights.as_deref().map(Path::new)];
        let inputs: Vec<&Path> = inputs.into_iter().flatten().collect();
        check_output(out, &inputs)?;
    }
    match args.protocol {
        ProtocolName::Loso if args.weights.is_some() => Err(Failure::input(anyhow!(
            "Leaving one subject out trains its own weights. Leave --weights out, or use --protocol test"
        ))),
        ProtocolName::Test if args.folds.folds.is_some() => Err(Failure::input(anyhow!(
            "Weights are tested on all clips at once, without folds. Leave --folds out, or use --protocol loso"
        ))),
        ProtocolName::Loso => leave_one_out(args, network, quiet),
        ProtocolName::Test => test(args, network, quiet),
    }
}

fn leave_one_out(args: &FlowEvaluateArgs, network: FlowNetwork, quiet: bool) -> CommandResult {
    let recipe = args.recipe.recipe(network)?;
    let (data, outcome) = args.data.read(args.output()?, quiet)?;
    let device = args.recipe.device()?;
    let folder = args.folds.folder(args.out.as_deref())?;
    let subjects: std::collections::BTreeSet<_> =
        data.clips.iter().map(|clip| &clip.subject).collect();
    let parts = if args.folds.fold.is_some() {
        1
    } else {
        subjects.len() as u64
    };
    let progress = TrainingProgress::new(parts, recipe.epochs * recipe.members, quiet);
    let protocol = Protocol::new(
        &recipe,
        &data,
        args.recipe.seed,
        &device,
        &progress,
        &folder,
    )
    .map_err(failure)?;
    if let Some(fold) = args.folds.fold {
        let result = protocol.run_fold(fold).map_err(failure)?;
        progress.part("", 1, 1);
        progress.finish();
        let right = result
            .predictions
            .iter()
            .filter(|p| p.truth == p.prediction);
        if !quiet {
            tell!(
                "fold {fold} of {}, subject {}: {} of {} clips right, in {}",
                subjects.len(),
                result.subject,
                right.count(),
                result.predictions.len(),
                folder.display()
            );
        }
        return Ok(outcome);
    }
    let predictions = if args.folds.merge {
        protocol.merge()
    } else {
        protocol.run()
    };
    let predictions = predictions.map_err(failure)?;
    let report = protocol.report(&predictions);
    progress.finish();
    let told = finish(args, &report, &predictions, quiet)?;
    if args.folds.folds.is_none() {
        remove_unfinished(&folder);
    }
    Ok(worse(outcome, told))
}

fn test(args: &FlowEvaluateArgs, network: FlowNetwork, quiet: bool) -> CommandResult {
    let recipe = args.recipe.recipe(network)?;
    let name = recipe.architecture.network();
    let (path, weights) = weights(args.weights.as_deref(), name)?;
    let (data, outcome) = args.data.read(args.output()?, quiet)?;
    let device = args.recipe.device()?;
    let network =
        FlowClassifier::from_file(&weights, &path, name, &device).map_err(Failure::input)?;
    let clips: Vec<_> = (0..data.clips.len()).collect();
    let predictions = predict(&network, &data, &clips).map_err(|reason| {
        Failure::other(anyhow!("Cannot classify on {}: {reason}", device.name()))
    })?;
    let mut settings = weights.card.settings.clone();
    settings.insert("weights".to_owned(), sha256(&weights.to_bytes()));
    settings.insert("trained on".to_owned(), weights.card.trained_on.clone());
    let seed = settings.get("seed").and_then(|seed| seed.parse().ok());
    let report = Report::new(name, "test", &predictions, seed, settings);
    let told = finish(args, &report, &predictions, quiet)?;
    Ok(worse(outcome, told))
}

/// Warns of each class that no clip shows.
fn told_missing(report: &Report) -> Outcome {
    let rows = CLASSES.iter().zip(&report.all.confusion);
    let mut outcome = Outcome::Done;
    for (class, _) in rows.filter(|(_, row)| row.iter().all(|count| *count == 0)) {
        tell!(
            "onset: no clip shows the class '{class}': its recall and F1 count as 0 in UAR and UF1"
        );
        outcome = Outcome::Warned;
    }
    outcome
}

fn worse(one: Outcome, other: Outcome) -> Outcome {
    match one {
        Outcome::Done => other,
        Outcome::Warned => one,
    }
}

/// The weights that are asked for, and what messages call them.
pub(super) fn weights(asked: Option<&Path>, network: &str) -> Result<(PathBuf, Weights), Failure> {
    let shipped = || shipped::of(network).unwrap_or(network);
    let name = asked.map_or_else(|| PathBuf::from(shipped()), Path::to_owned);
    let shipped = name.to_str().map(shipped::weights).transpose();
    if let Some(weights) = shipped.map_err(Failure::other)?.flatten() {
        return Ok((name, weights));
    }
    if asked.is_none() {
        return Err(Failure::input(anyhow!(
            "No weights of '{network}' are shipped. Say which to test with --weights FILE (`onset weights list` shows those of a folder)"
        )));
    }
    let weights = Weights::load(&name).map_err(Failure::input)?;
    Ok((name, weights))
}

fn finish(
    args: &FlowEvaluateArgs,
    report: &Report,
    predictions: &[Prediction],
    quiet: bool,
) -> CommandResult {
    if let Some(out) = &args.out {
        report.write(out, predictions).map_err(Failure::other)?;
        if !quiet {
            tell!("{}, {}", out.display(), predictions_path(out).display());
        }
    }
    if args.json {
        let text = serde_json::to_string_pretty(report).map_err(Failure::other)?;
        say!("{text}");
        return Ok(told_missing(report));
    }
    say!(
        "{:<12} {:>5} {:>9} {:>7} {:>7}",
        "data",
        "clips",
        "accuracy",
        "UF1",
        "UAR"
    );
    let all = std::iter::once(("all", &report.all));
    let parts = report
        .per_dataset
        .iter()
        .map(|(name, part)| (name.as_str(), part));
    for (name, part) in all.chain(parts) {
        say!(
            "{name:<12} {:>5} {:>9.4} {:>7.4} {:>7.4}",
            part.clips,
            part.accuracy,
            part.uf1,
            part.uar
        );
    }
    say!("truth by row, prediction by column: {}", CLASSES.join(", "));
    for (class, row) in CLASSES.iter().zip(&report.all.confusion) {
        let row: Vec<_> = row.iter().map(|count| format!("{count:>5}")).collect();
        say!("{class:<12} {}", row.join(" "));
    }
    Ok(told_missing(report))
}

fn failure(error: ProtocolError) -> Failure {
    match error {
        ProtocolError::Folds(FoldError::Output(_))
        | ProtocolError::Training(
            TrainingError::Device { .. }
            | TrainingError::Diverged { .. }
            | TrainingError::Stopped { .. },
        ) => Failure::other(error),
        other => Failure::input(other),
    }
}
