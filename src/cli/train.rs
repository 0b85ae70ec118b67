//! `onset train`: from labelled data to weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::flow_data::FlowData;
use super::print::tell;
use super::recipe_args::{FlowNetwork, RecipeArgs, beside};
use super::train_expressions::{self, AuTrainArgs};
use super::train_network::{self, NetworkTrainArgs};
use super::train_spotting::{self, SoftNetTrainArgs, TcnTrainArgs};
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, check_output};
use crate::dataset::flow_images::FlowImages;
use crate::model::{led_resnet18, led_sssnet, moext, sssn, tsdn, uamrn};
use crate::project::output::write_whole;
use crate::training::progress::Curve;
use crate::training::recognition::recipe::Recipe;
use crate::training::recognition::trainer::{Run, TrainingError, TrainingSet, train_members};

/// Train a network on labelled data.
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(subcommand)]
    model: Model,
}

#[derive(Debug, Subcommand)]
enum Model {
    /// Negative, positive or surprise by one flow image (STSTNet).
    #[command(
        after_help = "Examples:\n  onset train ststnet --data flow --out ststnet.safetensors --recipe transfer --seed 1\n  onset train ststnet --dataset casme2 --root /data/CASME2 --out ststnet.safetensors"
    )]
    Ststnet(FlowTrainArgs),
    /// Negative, positive or surprise by the flow's two components (Off-ApexNet).
    #[command(
        after_help = "Examples:\n  onset train off-apexnet --data flow --out off-apexnet.safetensors\n  onset train off-apexnet --dataset samm --root /data/SAMM --out off-apexnet.safetensors"
    )]
    OffApexnet(FlowTrainArgs),
    /// Action units and three classes by the motion from onset to apex (AU-Flow).
    #[command(
        after_help = "Examples:\n  onset train au-flow --data studio --out au-flow.safetensors --seed 1\n  onset train au-flow --dataset casme2 --root /data/CASME2 --out au-flow.safetensors"
    )]
    AuFlow(AuTrainArgs),
    /// Action units and classes by learnt Eulerian motion in six frames (LED-SSSNet).
    #[command(
        after_help = "Example: onset train led-sssnet --data studio --out led-sssnet.safetensors --seed 1"
    )]
    LedSssnet(NetworkTrainArgs),
    /// The same with a ResNet-18 behind the learnt motion (LED-ResNet-18).
    #[command(
        after_help = "Example: onset train led-resnet18 --data studio --out led-resnet18.safetensors --seed 1"
    )]
    LedResnet18(NetworkTrainArgs),
    /// Action units and classes by one stream on the motion map (SSSN).
    #[command(
        after_help = "Example: onset train sssn --data studio --out sssn.safetensors --seed 1"
    )]
    Sssn(NetworkTrainArgs),
    /// The same by two streams that are multiplied (DSSN).
    #[command(
        after_help = "Example: onset train dssn --data studio --out dssn.safetensors --seed 1"
    )]
    Dssn(NetworkTrainArgs),
    /// Action units and classes by the difference of an auto-encoder's codes (TSDN).
    #[command(
        after_help = "Example: onset train tsdn --data studio --out tsdn.safetensors --seed 1"
    )]
    Tsdn(NetworkTrainArgs),
    /// Action units and classes by the change of shape, after learning to rebuild apexes (MoExt).
    #[command(
        after_help = "Example: onset train moext --data studio --out moext.safetensors --seed 1"
    )]
    Moext(NetworkTrainArgs),
    /// Action units and classes by a magnified sequence, weighted by uncertainty (UAMRN).
    #[command(
        after_help = "Example: onset train uamrn --data studio --out uamrn.safetensors --seed 1"
    )]
    Uamrn(NetworkTrainArgs),
    /// Macro- and micro-expressions in recordings by the course of the motion (MotionTCN).
    #[command(
        after_help = "Example: onset train motion-tcn --data studio --out motion-tcn.safetensors --seed 1"
    )]
    MotionTcn(TcnTrainArgs),
    /// Expressions of one kind in recordings, a flow window at a time (SOFTNet).
    #[command(
        after_help = "Example: onset train softnet --kind micro --data studio --out softnet-micro.safetensors"
    )]
    Softnet(SoftNetTrainArgs),
}

#[derive(Debug, Args)]
struct FlowTrainArgs {
    #[command(flatten)]
    data: FlowData,
    /// The weights file to write; the learning curves go beside it.
    #[arg(long)]
    out: PathBuf,
    /// Where to keep what a killed training needs to go on; by default beside the
    /// weights until they are written.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    recipe: RecipeArgs,
}

pub(super) fn run(args: &TrainArgs, quiet: bool) -> CommandResult {
    match &args.model {
        Model::Ststnet(args) => flow_images(args, FlowNetwork::StstNet, quiet),
        Model::OffApexnet(args) => flow_images(args, FlowNetwork::OffApexNet, quiet),
        Model::AuFlow(args) => train_expressions::run(args, quiet),
        Model::LedSssnet(args) => train_network::run(args, led_sssnet::NETWORK, quiet),
        Model::LedResnet18(args) => train_network::run(args, led_resnet18::NETWORK, quiet),
        Model::Sssn(args) => train_network::run(args, sssn::SSSN, quiet),
        Model::Dssn(args) => train_network::run(args, sssn::DSSN, quiet),
        Model::Tsdn(args) => train_network::run(args, tsdn::NETWORK, quiet),
        Model::Moext(args) => train_network::run(args, moext::NETWORK, quiet),
        Model::Uamrn(args) => train_network::run(args, uamrn::NETWORK, quiet),
        Model::MotionTcn(args) => train_spotting::motion_tcn(args, quiet),
        Model::Softnet(args) => train_spotting::softnet(args, quiet),
    }
}

fn flow_images(args: &FlowTrainArgs, network: FlowNetwork, quiet: bool) -> CommandResult {
    let recipe = args.recipe.recipe(network)?;
    let labels = args.data.labels();
    let inputs: Vec<&Path> = labels.as_deref().into_iter().collect();
    check_output(&args.out, &inputs)?;
    let (data, outcome) = args.data.read(&args.out, quiet)?;
    let device = args.recipe.device()?;
    let images: Vec<_> = (0..data.clips.len()).map(|clip| data.image(clip)).collect();
    let labels = data.clips.iter().map(|clip| clip.label).collect();
    let set = TrainingSet::new(&recipe, &images, labels).map_err(Failure::input)?;
    let folder = match &args.checkpoint {
        Some(folder) => folder.clone(),
        None => beside(&args.out, ".checkpoints"),
    };
    std::fs::create_dir_all(&folder).map_err(|e| {
        Failure::input(anyhow::anyhow!(
            "Cannot keep checkpoints: {e}. Choose another folder with --checkpoint: {}",
            folder.display()
        ))
    })?;
    let mut settings = recipe.settings();
    settings.insert("data".to_owned(), data.fingerprint());
    let progress = TrainingProgress::new(recipe.members, recipe.epochs, quiet);
    let seed = args.recipe.seed;
    let run = Run {
        device: &device,
        monitor: &progress,
        part: "",
        parallel: true,
    };
    let kept = Some((folder.as_path(), "member", &settings));
    let trained = train_members(&recipe, &set, seed, 0, kept, run);
    progress.finish();
    let (weights, curves) = trained.map_err(|error| match error {
        TrainingError::Checkpoint(_) | TrainingError::TooFew(_) => Failure::input(error),
        other => Failure::other(other),
    })?;
    settings.insert("seed".to_owned(), seed.to_string());
    weights
        .pack(source(), described(&data), settings)
        .save(&args.out)
        .map_err(Failure::other)?;
    let curve = args.out.with_extension("curve.csv");
    write_whole(&curve, curves_csv(&recipe, seed, &curves).as_bytes()).map_err(Failure::other)?;
    if args.checkpoint.is_none() {
        remove_unfinished(&folder);
    }
    if !quiet {
        tell!(
            "{} on {} images: {}, learning curve {}",
            recipe.architecture.network(),
            data.clips.len(),
            args.out.display(),
            curve.display()
        );
    }
    Ok(outcome)
}

/// What was kept for a resumption that is not needed any more.
pub(super) fn remove_unfinished(folder: &Path) {
    if let Err(e) = std::fs::remove_dir_all(folder) {
        log::debug!("{} stays: {e}", folder.display());
    }
}

fn source() -> String {
    format!("onset train {}", env!("CARGO_PKG_VERSION"))
}

/// What weights were trained on, for their card.
fn described(data: &FlowImages) -> String {
    let subjects: BTreeSet<_> = data.clips.iter().map(|clip| &clip.subject).collect();
    let mut datasets: BTreeMap<&str, usize> = BTreeMap::new();
    for clip in &data.clips {
        *datasets.entry(&clip.dataset).or_default() += 1;
    }
    let parts: Vec<_> = datasets
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    format!(
        "{} flow images of {} subjects ({})",
        data.clips.len(),
        subjects.len(),
        parts.join(", ")
    )
}

fn curves_csv(recipe: &Recipe, seed: u64, curves: &[Curve]) -> String {
    let mut text = "seed,epoch,learning_rate,loss,accuracy\n".to_owned();
    for (seed, curve) in (seed..seed + recipe.members).zip(curves) {
        for line in curve.to_csv().lines().skip(1) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{seed},{line}");
        }
    }
    text
}
