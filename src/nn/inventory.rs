//! Which weights there are, and what each file says of itself: what
//! `onset weights list` and `show` print, and `recording.json` keeps.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::shipped;
use super::weights::{EXTENSION, Weights, WeightsCard, WeightsError, read_all};

/// One file of weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightsSummary {
    pub path: PathBuf,
    /// Of the whole file, in hexadecimal.
    pub sha256: String,
    pub card: WeightsCard,
    /// How many numbers there are in all.
    pub parameters: usize,
    pub tensors: Vec<TensorSummary>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorSummary {
    pub name: String,
    pub shape: Vec<usize>,
}

/// Reads one file and describes it.
///
/// # Errors
/// As [`Weights::load`].
pub fn show(path: &Path) -> Result<WeightsSummary, WeightsError> {
    let bytes = read_all(path)?;
    described(&bytes, path)
}

/// The same of weights that come with the program; `None` where there are none of
/// this name.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn show_shipped(name: &str) -> Result<Option<WeightsSummary>, WeightsError> {
    let path = Path::new(name);
    shipped::bytes(name)
        .map(|bytes| described(bytes, path))
        .transpose()
}

fn described(bytes: &[u8], path: &Path) -> Result<WeightsSummary, WeightsError> {
    let weights = Weights::parse(bytes, path)?;
    let tensors: Vec<_> = weights
        .tensors
        .iter()
        .map(|(name, tensor)| TensorSummary {
            name: name.clone(),
            shape: tensor.shape.clone(),
        })
        .collect();
    Ok(WeightsSummary {
        path: path.to_owned(),
        sha256: sha256(bytes),
        parameters: weights.tensors.values().map(|t| t.values.len()).sum(),
        card: weights.card,
        tensors,
    })
}

/// Describes every weights file of these folders, by folder and name. A folder that
/// does not exist has none; a file that cannot be used stands there with the reason.
#[must_use]
pub fn list(folders: &[PathBuf]) -> Vec<(PathBuf, Result<WeightsSummary, WeightsError>)> {
    let mut found = Vec::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == EXTENSION))
            .collect();
        paths.sort_by(|a, b| natord::compare(&a.to_string_lossy(), &b.to_string_lossy()));
        found.extend(paths.into_iter().map(|path| {
            let summary = show(&path);
            (path, summary)
        }));
    }
    found
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Two small digits a byte.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::weights::tests::sample;

    #[test]
    fn a_summary_counts_parameters_and_hashes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let weights = sample("softnet");
        weights.save(&path).unwrap();
        let summary = show(&path).unwrap();
        assert_eq!(summary.parameters, 8);
        assert_eq!(summary.sha256, sha256(&weights.to_bytes()));
        assert_eq!(summary.card, weights.card);
    }

    #[test]
    fn a_list_holds_good_and_bad_files_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["s10.safetensors", "s2.safetensors"] {
            sample("softnet").save(&folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("s3.safetensors"), b"?").unwrap();
        fs::write(folder.path().join("notes.txt"), b"?").unwrap();
        let missing = folder.path().join("nowhere");
        let found = list(&[missing, folder.path().to_owned()]);
        let shown: Vec<_> = found
            .iter()
            .map(|(path, summary)| (path.file_stem().unwrap().to_str().unwrap(), summary.is_ok()))
            .collect();
        assert_eq!(shown, [("s2", true), ("s3", false), ("s10", true)]);
    }

    #[test]
    fn sha256_of_abc() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
