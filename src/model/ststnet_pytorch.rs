//! Import of the STSTNet checkpoints that its authors publish for PyTorch.
//!
//! Their network pads by two pixels, reads raw values 0..255 in OpenCV's order and
//! keeps its three streams apart; here they become one convolution.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::flow_classifier::{Architecture, FlowWeights};
use super::flow_input::{Normalizer, Scaling};
use super::ststnet::{CLASSES, FLAT, Geometry};
use crate::nn::parameters::Tensors;
use crate::nn::pytorch::{PyTorchError, read_checkpoint};
use crate::nn::weights::WeightsTensor;
use crate::nn::{Weights, WeightsCard, WeightsError};

/// Filters of the three streams.
const STREAMS: [usize; 3] = [3, 5, 8];

#[derive(Debug, thiserror::Error)]
pub enum StstNetImportError {
    #[error(transparent)]
    Checkpoint(#[from] PyTorchError),
    #[error("This checkpoint holds another network, not STSTNet: {missing}. Choose one that STSTNet's authors publish: {}", path.display())]
    OtherNetwork { path: PathBuf, missing: String },
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Converts a published checkpoint into a weights file of ours.
///
/// # Errors
/// When the file is no PyTorch checkpoint or holds another network (the text says what
/// is missing), or when `out` cannot be written.
pub fn import_ststnet_pytorch(path: &Path, out: &Path) -> Result<WeightsCard, StstNetImportError> {
    let weights = read_ststnet_pytorch(path)?;
    weights.save(out)?;
    Ok(weights.card)
}

/// As [`import_ststnet_pytorch`], without writing.
///
/// # Errors
/// As there.
pub fn read_ststnet_pytorch(path: &Path) -> Result<Weights, StstNetImportError> {
    let published = read_checkpoint(path)?;
    let member = converted(&published).map_err(|missing| StstNetImportError::OtherNetwork {
        path: path.to_owned(),
        missing,
    })?;
    let weights = FlowWeights {
        architecture: Architecture::StstNet(Geometry::Wide),
        normalizer: Normalizer::fit(Scaling::Raw, std::iter::empty()),
        mirror: false,
        members: vec![member],
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(weights.pack(
        format!("published PyTorch checkpoint {name} (Liong, Gan, See, Khor, Huang, FG 2019)"),
        "the MEGC 2019 composite but the subject of the file's name".to_owned(),
        BTreeMap::new(),
    ))
}

fn converted(published: &Tensors) -> Result<Tensors, String> {
    let find = |name: &str, shape: &[usize]| match published.get(name) {
        None => Err(format!("it has no '{name}'")),
        Some(tensor) if tensor.shape != shape => Err(format!(
            "its '{name}' has shape {:?} instead of {shape:?}",
            tensor.shape
        )),
        Some(tensor) => Ok(&tensor.values),
    };
    let joined = |layer: &str, part: &str, rest: &[usize]| {
        let mut values = Vec::new();
        for (stream, filters) in STREAMS.into_iter().enumerate() {
            let shape = [&[filters], rest].concat();
            values.extend(find(&format!("{layer}{}.{part}", stream + 1), &shape)?);
        }
        let shape = [&[STREAMS.iter().sum()], rest].concat();
        Ok::<_, String>(WeightsTensor { shape, values })
    };
    // PyTorch keeps dense layers [out, in].
    let dense = find("fc.weight", &[CLASSES, FLAT])?;
    let turned = (0..FLAT * CLASSES).map(|i| dense[i % CLASSES * FLAT + i / CLASSES]);
    let classes = WeightsTensor {
        shape: vec![FLAT, CLASSES],
        values: turned.collect(),
    };
    let bias = WeightsTensor {
        shape: vec![CLASSES],
        values: find("fc.bias", &[CLASSES])?.clone(),
    };
    Ok(Tensors::from([
        (
            "streams.weight".to_owned(),
            joined("conv", "weight", &[3, 3, 3])?,
        ),
        ("streams.bias".to_owned(), joined("conv", "bias", &[])?),
        ("norm.scale".to_owned(), joined("bn", "weight", &[])?),
        ("norm.shift".to_owned(), joined("bn", "bias", &[])?),
        ("norm.mean".to_owned(), joined("bn", "running_mean", &[])?),
        (
            "norm.variance".to_owned(),
            joined("bn", "running_var", &[])?,
        ),
        ("classes.weight".to_owned(), classes),
        ("classes.bias".to_owned(), bias),
    ]))
}
