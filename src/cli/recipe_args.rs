//! The settings of a training on flow images as the command line gives them.

use std::path::Path;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::{Device, DeviceArg, Failure};
use crate::gpu::GpuContext;
use crate::model::flow_classifier::Architecture;
use crate::model::flow_input::Scaling;
use crate::model::ststnet::Geometry;
use crate::nn::NnDevice;
use crate::training::optimizer::Rule;
use crate::training::recognition::recipe::Recipe;

/// How to train; what is not given is the recipe's.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecipeArgs {
    /// reference repeats the published training; transfer is for drawn motion that is
    /// to serve on real motion.
    #[arg(long, value_enum, default_value_t = RecipeName::Reference)]
    recipe: RecipeName,
    /// How often to go through the images.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Full learning rate.
    #[arg(long, value_parser = super::above_zero)]
    lr: Option<f64>,
    /// Images an update.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    batch: Option<u32>,
    /// What makes this training different from another.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Networks from neighbouring seeds, their log-probabilities averaged.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=64))]
    seeds_in_ensemble: Option<u64>,
    /// Share of the values that dropout leaves out.
    #[arg(long, value_parser = share)]
    dropout: Option<f64>,
    /// Label smoothing.
    #[arg(long, value_parser = share)]
    smoothing: Option<f64>,
    /// Weight decay (Adam: L2).
    #[arg(long)]
    weight_decay: Option<f64>,
    /// How the images' values are scaled.
    #[arg(long, value_enum)]
    scaling: Option<ScalingName>,
    /// STSTNet's zeros around the image: same keeps 28×28, wide is the published
    /// PyTorch program's.
    #[arg(long, value_enum, default_value_t = GeometryName::Same)]
    geometry: GeometryName,
    #[command(flatten)]
    pub(super) device: DeviceArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RecipeName {
    Reference,
    Transfer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScalingName {
    /// 0..255 as they are.
    Raw,
    /// Less the mean image of the training.
    ZeroCentred,
    /// u and v about their median over their mean deviation, strain over its mean.
    Robust,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GeometryName {
    Same,
    Wide,
}

/// The networks on flow images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlowNetwork {
    StstNet,
    OffApexNet,
}

impl RecipeArgs {
    pub(super) fn recipe(&self, network: FlowNetwork) -> Result<Recipe, Failure> {
        let architecture = match (network, self.geometry) {
            (FlowNetwork::StstNet, GeometryName::Same) => Architecture::StstNet(Geometry::Same),
            (FlowNetwork::StstNet, GeometryName::Wide) => Architecture::StstNet(Geometry::Wide),
            (FlowNetwork::OffApexNet, _) => Architecture::OffApexNet,
        };
        let mut recipe = match self.recipe {
            RecipeName::Reference => Recipe::reference(architecture),
            RecipeName::Transfer => Recipe::transfer(architecture),
        };
        if let Some(epochs) = self.epochs {
            recipe.epochs = epochs;
        }
        if let Some(rate) = self.lr {
            recipe.rate = rate;
        }
        if let Some(batch) = self.batch {
            recipe.batch = batch as usize;
        }
        if let Some(members) = self.seeds_in_ensemble {
            recipe.members = members;
        }
        if let Some(dropout) = self.dropout {
            recipe.dropout = dropout;
        }
        if let Some(smoothing) = self.smoothing {
            recipe.smoothing = smoothing;
        }
        if let Some(decay) = self.weight_decay {
            recipe.rule = match recipe.rule {
                Rule::AdamW { .. } => Rule::AdamW {
                    weight_decay: decay,
                },
                _ => Rule::Adam {
                    weight_decay: decay,
                },
            };
        }
        if let Some(scaling) = self.scaling {
            recipe.scaling = match scaling {
                ScalingName::Raw => Scaling::Raw,
                ScalingName::ZeroCentred => Scaling::ZeroCentred,
                ScalingName::Robust => Scaling::Robust,
            };
        }
        if recipe.augmentation.is_some() && recipe.scaling != Scaling::Robust {
            return Err(Failure::input(anyhow!(
                "The transfer recipe varies images whose rest is 0, which only --scaling robust gives. Leave --scaling out, or use --recipe reference"
            )));
        }
        Ok(recipe)
    }

    /// Where the networks run; `auto` is the processor, which is faster for these.
    pub(super) fn device(&self) -> Result<NnDevice, Failure> {
        match self.device.device {
            Device::Auto | Device::Cpu => Ok(NnDevice::flex()),
            Device::Gpu => {
                let context = GpuContext::headless().map_err(Failure::other)?;
                NnDevice::wgpu(&context).map_err(Failure::other)
            }
        }
    }
}

/// A share of 0..1, 1 excluded, for clap.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err("give a number from 0 to below 1, such as 0.5".into()),
    }
}

/// The place beside a result where its unfinished parts are kept.
pub(super) fn beside(out: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    out.with_file_name(name)
}
