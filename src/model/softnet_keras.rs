//! Import of the published SOFTNet checkpoints: HDF5 as Keras 2.2.4 saves weights.
//!
//! Keras numbers its layers anew in every session (`conv2d`, `conv2d_7`, …), so the
//! layers are told apart by the shape of their kernels, which are all different.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};

use super::softnet::{FLAT, HIDDEN, INPUT, NETWORK};
use crate::nn::weights::{FORMAT_VERSION, Weights, WeightsCard, WeightsError, WeightsTensor};

/// A checkpoint has 1.3 MB, with the optimiser's state about 4 MB.
const MAX_BYTES: u64 = 64 << 20;
/// Groups within groups: Keras needs four.
const MAX_DEPTH: usize = 8;

/// The layers: our name, what they are called in messages, Keras' kernel shape.
const LAYERS: [(&str, &str, &[usize]); 5] = [
    ("u", "convolution of u", &[5, 5, 1, 3]),
    ("v", "convolution of v", &[5, 5, 1, 5]),
    ("strain", "convolution of the strain", &[5, 5, 1, 8]),
    ("hidden", "first dense layer", &[FLAT, HIDDEN]),
    ("score", "second dense layer", &[HIDDEN, 1]),
];

#[derive(Debug, thiserror::Error)]
pub enum SoftNetImportError {
    #[error("Cannot read the checkpoint: {reason}. Check the name: {}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("This is not an HDF5 file. Choose a SOFTNet checkpoint as its authors publish it (.hdf5): {}", path.display())]
    NotHdf5 { path: PathBuf },
    #[error("The HDF5 file is damaged ({reason}). Download or copy it again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("This HDF5 file holds another network, not SOFTNet: {missing}. It holds {found}. Choose a SOFTNet checkpoint: {}", path.display())]
    OtherNetwork {
        path: PathBuf,
        missing: String,
        found: String,
    },
    #[error("The file's name does not say whether these weights are for macro- or micro-expressions. Say it with --kind macro or --kind micro: {}", path.display())]
    UnknownKind { path: PathBuf },
    #[error("'{kind}' is no kind of expression. Use macro or micro: {}", path.display())]
    BadKind { path: PathBuf, kind: String },
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Converts a published checkpoint into a weights file of ours.
///
/// `kind` is `macro` or `micro`; `None` takes it from the file's name or its folder's
/// (`casme2sq_macro_s1.hdf5`).
///
/// # Errors
/// When the file is no HDF5 file, is damaged or holds another network (the text lists
/// what is missing), when the kind is unknown, or when `out` cannot be written.
pub fn import_softnet_keras(
    path: &Path,
    out: &Path,
    kind: Option<&str>,
) -> Result<WeightsCard, SoftNetImportError> {
    let weights = read_softnet_keras(path, kind)?;
    weights.save(out)?;
    Ok(weights.card)
}

/// As [`import_softnet_keras`], without writing.
///
/// # Errors
/// As there.
pub fn read_softnet_keras(path: &Path, kind: Option<&str>) -> Result<Weights, SoftNetImportError> {
    let kind = match kind {
        Some(kind @ ("macro" | "micro")) => kind.to_owned(),
        Some(other) => {
            return Err(SoftNetImportError::BadKind {
                path: path.to_owned(),
                kind: other.to_owned(),
            });
        }
        None => kind_from_name(path).ok_or_else(|| SoftNetImportError::UnknownKind {
            path: path.to_owned(),
        })?,
    };
    let layers = read_layers(path)?;
    let mut tensors = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, title, shape) in LAYERS {
        let outputs = &shape[shape.len() - 1..];
        let layer = layers.iter().find(|layer| layer.kernel.shape == shape);
        match layer {
            None => missing.push(format!("no {title} with a kernel of {shape:?}")),
            Some(layer) if layer.bias.shape != outputs => missing.push(format!(
                "the {title} has a bias of {:?} instead of {outputs:?}",
                layer.bias.shape
            )),
            Some(layer) => {
                let kernel = match name {
                    "hidden" => channels_first(&layer.kernel),
                    "score" => layer.kernel.clone(),
                    _ => filters_first(&layer.kernel),
                };
                tensors.insert(format!("{name}.weight"), kernel);
                tensors.insert(format!("{name}.bias"), layer.bias.clone());
            }
        }
    }
    if !missing.is_empty() {
        let found: Vec<_> = layers.iter().map(Layer::describe).collect();
        return Err(SoftNetImportError::OtherNetwork {
            path: path.to_owned(),
            missing: missing.join("; "),
            found: if found.is_empty() {
                "no layer with a kernel and a bias".to_owned()
            } else {
                found.join(", ")
            },
        });
    }
    if let Some((name, _)) = tensors
        .iter()
        .find(|(_, tensor)| tensor.values.iter().any(|v| !v.is_finite()))
    {
        return Err(SoftNetImportError::Damaged {
            path: path.to_owned(),
            reason: format!("'{name}' holds values that are not finite"),
        });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Weights {
        card: WeightsCard {
            network: NETWORK.to_owned(),
            format_version: FORMAT_VERSION,
            kind: Some(kind),
            source: format!("published Keras checkpoint {name} (Liong, See, Wong, ICIP 2021)"),
            trained_on: trained_on(&name),
            input: INPUT.to_owned(),
            settings: BTreeMap::new(),
        },
        tensors,
    })
}

/// The authors' files are named after the database; the card repeats that and no more.
fn trained_on(name: &str) -> String {
    let lower = name.to_lowercase();
    let database = if lower.contains("casme2sq") || lower.contains("cas(me)^2") {
        "CAS(ME)², by the file's name"
    } else if lower.contains("samm") {
        "SAMM Long Videos, by the file's name"
    } else {
        "not stated in the file"
    };
    format!("{database}; one fold of leave-one-subject-out")
}

/// `macro` or `micro` if exactly one of them is in the file's name or else in its
/// folder's.
fn kind_from_name(path: &Path) -> Option<String> {
    let named = |part: Option<&std::ffi::OsStr>| {
        let part = part?.to_string_lossy().to_lowercase();
        match (part.contains("macro"), part.contains("micro")) {
            (true, false) => Some("macro".to_owned()),
            (false, true) => Some("micro".to_owned()),
            _ => None,
        }
    };
    named(path.file_name()).or_else(|| named(path.parent()?.file_name()))
}

/// One Keras layer: `kernel:0` and `bias:0` of the same group.
struct Layer {
    name: String,
    kernel: WeightsTensor,
    bias: WeightsTensor,
}

impl Layer {
    fn describe(&self) -> String {
        format!("{} {:?}", self.name, self.kernel.shape)
    }
}

fn read_layers(path: &Path) -> Result<Vec<Layer>, SoftNetImportError> {
    let unreadable = |reason: String| SoftNetImportError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let metadata = fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
    if metadata.is_dir() {
        return Err(unreadable("it is a folder".to_owned()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(unreadable(format!(
            "the file is larger than {} MiB, a SOFTNet checkpoint has one or two",
            MAX_BYTES >> 20
        )));
    }
    let bytes = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    if !bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Err(SoftNetImportError::NotHdf5 {
            path: path.to_owned(),
        });
    }
    let options = OpenOptions {
        max_read_bytes: MAX_BYTES as usize,
        max_chunk_bytes: MAX_BYTES as usize,
        ..OpenOptions::default()
    };
    let damaged = |error: hdf5_reader::error::Error| SoftNetImportError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let file = Hdf5File::from_vec_with_options(bytes, options).map_err(damaged)?;
    let mut layers = Vec::new();
    collect_layers(&file.root_group().map_err(damaged)?, 0, &mut layers).map_err(damaged)?;
    Ok(layers)
}

fn collect_layers(
    group: &Group,
    depth: usize,
    layers: &mut Vec<Layer>,
) -> Result<(), hdf5_reader::error::Error> {
    let (groups, datasets) = group.members()?;
    let named = |name: &str| datasets.iter().find(|dataset| dataset.name() == name);
    if let (Some(kernel), Some(bias)) = (named("kernel:0"), named("bias:0")) {
        layers.push(Layer {
            name: group.name().to_owned(),
            kernel: read_tensor(kernel)?,
            bias: read_tensor(bias)?,
        });
    }
    if depth < MAX_DEPTH {
        // An optimiser's state has kernels of the same shapes.
        for child in groups.iter().filter(|g| g.name() != "optimizer_weights") {
            collect_layers(child, depth + 1, layers)?;
        }
    }
    Ok(())
}

fn read_tensor(dataset: &Dataset) -> Result<WeightsTensor, hdf5_reader::error::Error> {
    let array = dataset.read_array::<f32>()?;
    Ok(WeightsTensor {
        shape: array.shape().to_vec(),
        values: array.iter().copied().collect(),
    })
}

/// `[row, column, channel, filter]` to `[filter, channel, row, column]`.
fn filters_first(kernel: &WeightsTensor) -> WeightsTensor {
    let [rows, columns, channels, filters] = kernel.shape[..] else {
        return kernel.clone();
    };
    let mut values = Vec::with_capacity(kernel.values.len());
    for filter in 0..filters {
        for channel in 0..channels {
            for pixel in 0..rows * columns {
                values.push(kernel.values[(pixel * channels + channel) * filters + filter]);
            }
        }
    }
    WeightsTensor {
        shape: vec![filters, channels, rows, columns],
        values,
    }
}

/// The dense layer's rows from Keras' flattening `[row, column, channel]` to ours,
/// `[channel, row, column]`.
fn channels_first(kernel: &WeightsTensor) -> WeightsTensor {
    let channels: usize = super::softnet::FILTERS.iter().sum();
    let pixels = FLAT / channels;
    let mut values = Vec::with_capacity(kernel.values.len());
    for channel in 0..channels {
        for pixel in 0..pixels {
            let row = (pixel * channels + channel) * HIDDEN;
            values.extend_from_slice(&kernel.values[row..row + HIDDEN]);
        }
    }
    WeightsTensor {
        shape: kernel.shape.clone(),
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_comes_from_the_file_or_else_its_folder() {
        let kind = |path: &str| kind_from_name(Path::new(path));
        assert_eq!(kind("a/casme2sq_macro_s1.hdf5").as_deref(), Some("macro"));
        assert_eq!(kind("SAMM/micro/s3.hdf5").as_deref(), Some("micro"));
        assert_eq!(kind("macro/micro_s3.hdf5").as_deref(), Some("micro"));
        assert_eq!(kind("weights/s3.hdf5"), None);
        assert_eq!(kind("macro_and_micro.hdf5"), None);
    }

    #[test]
    fn a_file_that_is_not_hdf5_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("macro.hdf5");
        fs::write(&path, b"PK\x03\x04 something else").unwrap();
        let error = read_softnet_keras(&path, None).err().unwrap();
        assert!(
            matches!(error, SoftNetImportError::NotHdf5 { .. }),
            "{error}"
        );
        assert!(error.to_string().ends_with("macro.hdf5"), "{error}");
    }
}
