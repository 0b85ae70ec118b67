//! Files of weights: safetensors with a card in the metadata that says which
//! network they belong to, what they were trained on and where they come from.
//!
//! Nothing is loaded by shape alone: the card must name the wanted network, and each
//! of its tensors must be there with its shape and finite values.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

/// Version of the card and of the tensors' names that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;
/// Ending of weights files.
pub const EXTENSION: &str = "safetensors";
/// Larger files are no weights of ours; read nothing that could exhaust the memory.
const MAX_BYTES: u64 = 1 << 30;

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("Cannot read the weights: {reason}. Check the name, or choose other weights: {}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("This is not a file of weights ({reason}). Choose a .safetensors file that Onset wrote, or convert a published checkpoint with `onset weights import`: {}", path.display())]
    NotWeights { path: PathBuf, reason: String },
    #[error("This safetensors file does not say which network it belongs to. Choose a file that Onset wrote, or convert the checkpoint with `onset weights import`: {}", path.display())]
    NoCard { path: PathBuf },
    #[error("These weights were written by a newer Onset (format {found}; this one reads {FORMAT_VERSION}). Update Onset, or choose other weights: {}", path.display())]
    Newer { path: PathBuf, found: u32 },
    #[error("These are weights of '{found}', not of '{wanted}'. Choose weights of '{wanted}' (`onset weights list` shows them): {}", path.display())]
    OtherNetwork {
        path: PathBuf,
        found: String,
        wanted: String,
    },
    #[error("These weights of '{network}' are damaged: {reason}. Copy or import them again: {}", path.display())]
    Damaged {
        path: PathBuf,
        network: String,
        reason: String,
    },
    #[error("The weights of '{network}' hold values that are no finite numbers: the training went astray. Train again with a smaller --lr: {}", path.display())]
    NotFinite { path: PathBuf, network: String },
    #[error("Cannot write the weights: {reason}. Choose another place: {}", path.display())]
    Unwritable { path: PathBuf, reason: String },
}

/// The card: each field is one string in the file's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsCard {
    /// `softnet`, …: the network's file name in `model/`.
    pub network: String,
    pub format_version: u32,
    /// `macro` or `micro` where a network is trained for one length of expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who published them and how they came into this format.
    pub source: String,
    /// The recordings they were trained on.
    pub trained_on: String,
    /// What the network expects: shape, channels, scaling.
    pub input: String,
    /// What the network's own code has to know to use the weights (how the input is
    /// scaled, how many members an ensemble has) and how they were trained. No times,
    /// no paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl WeightsCard {
    fn to_metadata(&self) -> BTreeMap<&'static str, String> {
        let mut metadata = BTreeMap::from([
            ("network", self.network.clone()),
            ("format_version", self.format_version.to_string()),
            ("source", self.source.clone()),
            ("trained_on", self.trained_on.clone()),
            ("input", self.input.clone()),
        ]);
        if let Some(kind) = &self.kind {
            metadata.insert("kind", kind.clone());
        }
        if !self.settings.is_empty() {
            metadata.insert("settings", serde_json::json!(self.settings).to_string());
        }
        metadata
    }

    fn from_metadata(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            network: get("network")?,
            format_version: get("format_version")?.parse().ok()?,
            kind: get("kind"),
            source: get("source").unwrap_or_default(),
            trained_on: get("trained_on").unwrap_or_default(),
            input: get("input").unwrap_or_default(),
            settings: match get("settings") {
                Some(text) => serde_json::from_str(&text).ok()?,
                None => BTreeMap::new(),
            },
        })
    }
}

/// One array of weights, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensor of this name and shape.
///
/// # Errors
/// Names it when it is missing or has another shape.
pub(super) fn of_shape<'a>(
    tensors: &'a BTreeMap<String, WeightsTensor>,
    name: &str,
    shape: &[usize],
) -> Result<&'a WeightsTensor, String> {
    match tensors.get(name) {
        Some(tensor) if tensor.shape == shape => Ok(tensor),
        Some(tensor) => Err(format!(
            "the tensor '{name}' has shape {:?} instead of {shape:?}",
            tensor.shape
        )),
        None => Err(format!("the tensor '{name}' is missing")),
    }
}

/// The weights of one network with their card.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub card: WeightsCard,
    /// By name, in the order they are written.
    pub tensors: BTreeMap<String, WeightsTensor>,
}

impl Weights {
    /// Reads any network's file.
    ///
    /// # Errors
    /// When the file cannot be read, is no safetensors file, bears no card, or holds
    /// other than finite 32-bit floats.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        Self::parse(&read_all(path)?, path)
    }

    /// Reads the file of the network that is named, checked against its tensors.
    ///
    /// # Errors
    /// As [`Self::load`], and when the card names another network or a tensor is
    /// missing, of another shape or unknown.
    pub fn load_for(
        path: &Path,
        network: &str,
        tensors: &[(&str, &[usize])],
    ) -> Result<Self, WeightsError> {
        let weights = Self::load(path)?;
        weights.read_as(network, path, |weights| weights.check(tensors))?;
        Ok(weights)
    }

    /// What `read` makes of weights that must be this network's; `path` is what messages
    /// name.
    ///
    /// # Errors
    /// When the card names another network, or `read` says what is wrong.
    pub fn read_as<T>(
        &self,
        network: &str,
        path: &Path,
        read: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<T, WeightsError> {
        if self.card.network != network {
            return Err(WeightsError::OtherNetwork {
                path: path.to_owned(),
                found: self.card.network.clone(),
                wanted: network.to_owned(),
            });
        }
        read(self).map_err(|reason| WeightsError::Damaged {
            path: path.to_owned(),
            network: network.to_owned(),
            reason,
        })
    }

    /// Says what differs from the wanted names and shapes.
    fn check(&self, wanted: &[(&str, &[usize])]) -> Result<(), String> {
        for (name, shape) in wanted {
            of_shape(&self.tensors, name, shape)?;
        }
        match self
            .tensors
            .keys()
            .find(|name| !wanted.iter().any(|(known, _)| known == name))
        {
            Some(name) => Err(format!("the tensor '{name}' does not belong to it")),
            None => Ok(()),
        }
    }

    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, WeightsError> {
        let not_weights = |reason: String| WeightsError::NotWeights {
            path: path.to_owned(),
            reason,
        };
        let file = SafeTensors::deserialize(bytes).map_err(|e| not_weights(e.to_string()))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|e| not_weights(e.to_string()))?;
        let metadata = header.metadata();
        let get = |key: &str| metadata.as_ref().and_then(|m| m.get(key).cloned());
        let card = WeightsCard::from_metadata(get).ok_or_else(|| WeightsError::NoCard {
            path: path.to_owned(),
        })?;
        if card.format_version > FORMAT_VERSION {
            return Err(WeightsError::Newer {
                path: path.to_owned(),
                found: card.format_version,
            });
        }
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let damaged = |reason: String| WeightsError::Damaged {
                path: path.to_owned(),
                network: card.network.clone(),
                reason,
            };
            if view.dtype() != Dtype::F32 {
                return Err(damaged(format!(
                    "the tensor '{name}' is of type {}, not F32",
                    view.dtype()
                )));
            }
            let values: Vec<f32> = view
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect();
            if values.iter().any(|v| !v.is_finite()) {
                return Err(damaged(format!(
                    "the tensor '{name}' holds values that are not finite"
                )));
            }
            let shape = view.shape().to_vec();
            tensors.insert(name.to_owned(), WeightsTensor { shape, values });
        }
        Ok(Self { card, tensors })
    }

    /// The file's bytes, the same for the same weights. (The safetensors crate
    /// itself writes the metadata in a random order.)
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut header = serde_json::Map::new();
        let card = serde_json::json!(self.card.to_metadata());
        header.insert("__metadata__".to_owned(), card);
        let mut data = Vec::new();
        for (name, tensor) in &self.tensors {
            let start = data.len();
            data.extend(tensor.values.iter().flat_map(|v| v.to_le_bytes()));
            let entry = serde_json::json!({
                "dtype": "F32",
                "shape": tensor.shape,
                "data_offsets": [start, data.len()],
            });
            header.insert(name.clone(), entry);
        }
        let mut text = serde_json::Value::Object(header).to_string();
        // The data starts at a multiple of 8 bytes, padded with spaces.
        while !text.len().is_multiple_of(8) {
            text.push(' ');
        }
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    }

    /// Writes beside the place and renames, so that no half file is ever there.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written, the disk is full, or a value
    /// is no finite number.
    pub fn save(&self, path: &Path) -> Result<(), WeightsError> {
        let unwritable = |reason: String| WeightsError::Unwritable {
            path: path.to_owned(),
            reason,
        };
        let finite = |tensor: &WeightsTensor| tensor.values.iter().all(|v| v.is_finite());
        if !self.tensors.values().all(finite) {
            return Err(WeightsError::NotFinite {
                path: path.to_owned(),
                network: self.card.network.clone(),
            });
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut file =
            tempfile::NamedTempFile::new_in(folder).map_err(|e| unwritable(e.to_string()))?;
        file.write_all(&self.to_bytes())
            .and_then(|()| file.as_file().sync_all())
            .map_err(|e| unwritable(e.to_string()))?;
        allow_reading(file.as_file());
        file.persist(path)
            .map_err(|e| unwritable(e.error.to_string()))?;
        Ok(())
    }
}

/// Temporary files are private to the user; results are not.
#[cfg(unix)]
fn allow_reading(file: &fs::File) {
    use std::os::unix::fs::PermissionsExt;
    // Failing to widen the permission harms nobody.
    let _ = file.set_permissions(fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn allow_reading(_file: &fs::File) {}

pub(super) fn read_all(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let unreadable = |reason: String| WeightsError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let metadata = fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
    if metadata.is_dir() {
        return Err(unreadable("it is a folder".to_owned()));
    }
    if metadata.len() == 0 {
        return Err(unreadable("the file is empty".to_owned()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(unreadable(format!(
            "the file is larger than {} MiB",
            MAX_BYTES >> 20
        )));
    }
    fs::read(path).map_err(|e| unreadable(e.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const SHAPES: [(&str, &[usize]); 2] = [("a.bias", &[2]), ("a.weight", &[2, 3])];

    pub(in crate::nn) fn sample(network: &str) -> Weights {
        let tensor = |shape: &[usize]| WeightsTensor {
            shape: shape.to_vec(),
            values: (0..shape.iter().product())
                .map(|i: usize| i as f32 - 0.5)
                .collect(),
        };
        Weights {
            card: WeightsCard {
                network: network.to_owned(),
                format_version: FORMAT_VERSION,
                kind: Some("macro".to_owned()),
                source: "a test".to_owned(),
                trained_on: "nothing".to_owned(),
                input: "3×42×42".to_owned(),
                settings: BTreeMap::from([("members".to_owned(), "3".to_owned())]),
            },
            tensors: SHAPES
                .iter()
                .map(|(name, shape)| ((*name).to_owned(), tensor(shape)))
                .collect(),
        }
    }

    #[test]
    fn saved_weights_come_back_and_the_bytes_never_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let weights = sample("softnet");
        weights.save(&path).unwrap();
        assert_eq!(
            Weights::load_for(&path, "softnet", &SHAPES).unwrap(),
            weights
        );
        assert_eq!(fs::read(&path).unwrap(), weights.to_bytes());
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        sample("ststnet").save(&path).unwrap();
        let text = Weights::load_for(&path, "softnet", &SHAPES)
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("These are weights of 'ststnet', not of 'softnet'. Choose"),
            "{text}"
        );
        assert!(text.ends_with("w.safetensors"), "{text}");
    }

    #[test]
    fn a_missing_a_reshaped_and_a_foreign_tensor_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let complain = |weights: &Weights| {
            fs::write(&path, weights.to_bytes()).unwrap();
            Weights::load_for(&path, "softnet", &SHAPES)
                .unwrap_err()
                .to_string()
        };
        let mut weights = sample("softnet");
        weights.tensors.remove("a.bias");
        assert!(complain(&weights).contains("'a.bias' is missing"));
        let mut weights = sample("softnet");
        if let Some(tensor) = weights.tensors.get_mut("a.weight") {
            tensor.shape = vec![3, 2];
        }
        assert!(complain(&weights).contains("[3, 2] instead of [2, 3]"));
        let mut weights = sample("softnet");
        let bias = weights.tensors["a.bias"].clone();
        weights.tensors.insert("b.bias".to_owned(), bias);
        assert!(complain(&weights).contains("'b.bias' does not belong"));
        let mut weights = sample("softnet");
        if let Some(tensor) = weights.tensors.get_mut("a.bias") {
            tensor.values[1] = f32::NAN;
        }
        assert!(complain(&weights).contains("not finite"));
        let refused = weights.save(&path).unwrap_err().to_string();
        assert!(refused.contains("smaller --lr"), "{refused}");
    }

    #[test]
    fn files_that_are_no_weights_are_refused_with_the_path_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Gewichte für ö.safetensors");
        assert!(matches!(
            Weights::load(&path),
            Err(WeightsError::Unreadable { .. })
        ));
        fs::write(&path, b"").unwrap();
        assert!(matches!(
            Weights::load(&path),
            Err(WeightsError::Unreadable { .. })
        ));
        fs::write(&path, b"not weights at all").unwrap();
        let error = Weights::load(&path).unwrap_err();
        assert!(matches!(error, WeightsError::NotWeights { .. }));
        assert!(error.to_string().ends_with("Gewichte für ö.safetensors"));
        let mut cut = sample("softnet").to_bytes();
        cut.truncate(cut.len() - 3);
        fs::write(&path, cut).unwrap();
        assert!(matches!(
            Weights::load(&path),
            Err(WeightsError::NotWeights { .. })
        ));
        let bare = b"\x02\0\0\0\0\0\0\0{}";
        fs::write(&path, bare).unwrap();
        assert!(matches!(
            Weights::load(&path),
            Err(WeightsError::NoCard { .. })
        ));
        let mut newer = sample("softnet");
        newer.card.format_version = 99;
        newer.save(&path).unwrap();
        assert!(matches!(
            Weights::load(&path),
            Err(WeightsError::Newer { found: 99, .. })
        ));
    }
}
