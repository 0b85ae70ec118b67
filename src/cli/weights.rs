//! `onset weights`: which networks' weights there are, and published ones brought in.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};

use super::print::{say, tell};
use super::{CommandResult, Failure, Outcome, check_output};
use crate::model::softnet_keras::import_softnet_keras;
use crate::model::ststnet_pytorch::import_ststnet_pytorch;
use crate::nn::inventory::{self, WeightsSummary};
use crate::nn::shipped;

/// List, show and import the weights of networks and predictors.
#[derive(Debug, Args)]
pub struct WeightsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the shipped weights and those in folders (by default this one).
    List {
        /// Folders with .safetensors files.
        folders: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the card, hash and tensors of one file, or of shipped weights by their name.
    Show {
        /// A .safetensors file, or a name that `onset weights list` shows.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Convert a published checkpoint or predictor.
    #[command(
        after_help = "Examples:\n  onset weights import softnet-keras casme2sq_micro_s1.hdf5 --out softnet-micro.safetensors\n  onset weights import ststnet-pytorch sub01.pth --out ststnet.safetensors\n  onset weights import dlib-landmarks shape_predictor_68_face_landmarks.dat --out compact.bin"
    )]
    Import {
        /// Whose file it is.
        #[arg(value_enum)]
        format: Format,
        /// The published file; it stays as it is.
        file: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
        /// macro or micro, where the file's name does not say it.
        #[arg(long)]
        kind: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// SOFTNet as its authors publish it (Keras HDF5).
    SoftnetKeras,
    /// STSTNet as its authors publish it (PyTorch .pth).
    StstnetPytorch,
    /// dlib's 68-point shape predictor, made compact (48 components of 6 bit).
    DlibLandmarks,
}

pub(super) fn run(args: &WeightsArgs) -> CommandResult {
    match &args.what {
        What::List { folders, json } => list(folders, *json),
        What::Show { file, json } => {
            let shipped = file.to_str().map(inventory::show_shipped).transpose();
            let summary = match shipped.map_err(Failure::other)?.flatten() {
                Some(summary) => summary,
                None => inventory::show(file).map_err(Failure::input)?,
            };
            if *json {
                say!(
                    "{}",
                    serde_json::to_string_pretty(&summary).map_err(Failure::other)?
                );
            } else {
                print_summary(&summary)?;
            }
            Ok(Outcome::Done)
        }
        What::Import {
            format: Format::SoftnetKeras,
            file,
            out,
            kind,
        } => {
            check_output(out, &[file])?;
            let card = import_softnet_keras(file, out, kind.as_deref()).map_err(Failure::input)?;
            say!(
                "{} ({}) in {}",
                card.network,
                card.kind.as_deref().unwrap_or("any kind"),
                out.display()
            );
            Ok(Outcome::Done)
        }
        What::Import {
            format: Format::StstnetPytorch,
            file,
            out,
            ..
        } => {
            check_output(out, &[file])?;
            let card = import_ststnet_pytorch(file, out).map_err(Failure::input)?;
            say!("{} in {}", card.network, out.display());
            Ok(Outcome::Done)
        }
        What::Import {
            format: Format::DlibLandmarks,
            file,
            out,
            ..
        } => {
            check_output(out, &[file])?;
            let bytes = crate::face::landmarks::import_dlib(file, out).map_err(Failure::input)?;
            say!(
                "compact 68-point predictor, {bytes} bytes, in {}",
                out.display()
            );
            Ok(Outcome::Done)
        }
    }
}

fn list(folders: &[PathBuf], json: bool) -> CommandResult {
    if let Some(missing) = folders.iter().find(|f| !f.is_dir()) {
        return Err(Failure::input(anyhow!(
            "Cannot list weights: there is no such folder. Check its name: {}",
            missing.display()
        )));
    }
    let here = [PathBuf::from(".")];
    let found = inventory::list(if folders.is_empty() { &here } else { folders });
    let mut outcome = Outcome::Done;
    let mut good = Vec::new();
    for name in shipped::names() {
        good.extend(inventory::show_shipped(name).map_err(Failure::other)?);
    }
    for (_, summary) in found {
        match summary {
            Ok(summary) => good.push(summary),
            Err(e) => {
                tell!("onset: {e}");
                outcome = Outcome::Warned;
            }
        }
    }
    if json {
        say!(
            "{}",
            serde_json::to_string_pretty(&good).map_err(Failure::other)?
        );
        return Ok(outcome);
    }
    for s in good {
        say!(
            "{:<10} {:<6} {:>9} parameters  {}",
            s.card.network,
            s.card.kind.as_deref().unwrap_or(""),
            s.parameters,
            s.path.display()
        );
    }
    Ok(outcome)
}

fn print_summary(s: &WeightsSummary) -> Result<(), Failure> {
    say!("network     {}", s.card.network);
    say!("kind        {}", s.card.kind.as_deref().unwrap_or("any"));
    say!("source      {}", s.card.source);
    say!("trained on  {}", s.card.trained_on);
    say!("input       {}", s.card.input);
    for (name, value) in &s.card.settings {
        say!("{name:<11} {value}");
    }
    say!("sha256      {}", s.sha256);
    say!("parameters  {}", s.parameters);
    for t in &s.tensors {
        say!("  {:<20} {:?}", t.name, t.shape);
    }
    Ok(())
}
