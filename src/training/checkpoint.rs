//! What a training needs to go on after it was killed: weights, the optimiser's state,
//! how far it is, and the learning curve.
//!
//! Random numbers need no place here ([`super::random`]). A checkpoint bears the
//! settings it was made with and refuses to go on with others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::patience::Best;
use super::progress::Curve;
use crate::nn::parameters::Tensors;
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{Weights, WeightsCard, WeightsError};

/// Ending of checkpoints: they are kept as weights files are, but are none.
pub const EXTENSION: &str = "checkpoint";

const NETWORK: &str = "checkpoint";
const WEIGHTS: &str = "weights/";
const OPTIMIZER: &str = "optimizer/";
const BEST: &str = "best/";
/// Keys of the card that are no settings of the training.
const EPOCH: &str = "(epoch)";
const STEP: &str = "(step)";
const CURVE: &str = "(curve)";
const BEST_EPOCH: &str = "(best epoch)";
const BEST_LOSS: &str = "(best loss)";

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("Cannot go on with this training: it was begun with {setting} {begun}, not {wanted}. Use the same settings, or another folder with --checkpoint: {}", path.display())]
    OtherSettings {
        path: PathBuf,
        setting: String,
        begun: String,
        wanted: String,
    },
    #[error("This checkpoint is damaged: {reason}. Delete it to begin again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(transparent)]
    File(#[from] WeightsError),
}

/// The state of a training between two epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Epochs done.
    pub epoch: u64,
    /// Updates done.
    pub step: u64,
    pub curve: Curve,
    /// The network's parameters.
    pub weights: Tensors,
    /// [`super::optimizer::Optimizer::state`].
    pub optimizer: Tensors,
    /// The epoch that was best on the subjects held out, where somebody looks there.
    pub best: Option<Best>,
}

/// Everything that decides the course of a training: names and values in words.
pub type Settings = BTreeMap<String, String>;

/// Where a training keeps what it needs to go on.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub path: &'a Path,
    /// Fingerprint of what it is trained on: with other data it does not go on.
    pub data: &'a str,
}

impl Kept<'_> {
    /// The checkpoint's settings: the training's own, and its data.
    #[must_use]
    pub fn with_data(&self, mut settings: Settings) -> Settings {
        settings.insert("data".to_owned(), self.data.to_owned());
        settings
    }
}

impl Checkpoint {
    /// Writes beside the place and renames: a kill leaves the last checkpoint whole.
    ///
    /// # Errors
    /// When the folder is not there or cannot be written.
    pub fn save(&self, path: &Path, settings: &Settings) -> Result<(), CheckpointError> {
        let mut kept = settings.clone();
        kept.insert(EPOCH.to_owned(), self.epoch.to_string());
        kept.insert(STEP.to_owned(), self.step.to_string());
        kept.insert(CURVE.to_owned(), self.curve.to_csv());
        if let Some(best) = &self.best {
            kept.insert(BEST_EPOCH.to_owned(), best.epoch.to_string());
            kept.insert(BEST_LOSS.to_owned(), best.loss.to_string());
        }
        let best = self.best.as_ref().map(|best| &best.weights);
        let named = |prefix: &'static str, tensors: &Tensors| {
            let tensors = tensors.clone().into_iter();
            tensors.map(move |(name, tensor)| (format!("{prefix}{name}"), tensor))
        };
        let file = Weights {
            card: WeightsCard {
                network: NETWORK.to_owned(),
                format_version: FORMAT_VERSION,
                kind: None,
                source: "a training that has not ended".to_owned(),
                trained_on: String::new(),
                input: String::new(),
                settings: kept,
            },
            tensors: named(WEIGHTS, &self.weights)
                .chain(named(OPTIMIZER, &self.optimizer))
                .chain(best.into_iter().flat_map(|weights| named(BEST, weights)))
                .collect(),
        };
        Ok(file.save(path)?)
    }

    /// The checkpoint at this place, `None` where there is none yet.
    ///
    /// # Errors
    /// When the training there has other settings (the first that differs is named) or
    /// the file is damaged.
    pub fn load(path: &Path, settings: &Settings) -> Result<Option<Self>, CheckpointError> {
        if !path.exists() {
            return Ok(None);
        }
        let file = Weights::load(path)?;
        let damaged = |reason: &str| CheckpointError::Damaged {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if file.card.network != NETWORK {
            return Err(damaged("it is no checkpoint but a file of weights"));
        }
        let mut kept = file.card.settings;
        let best = kept.remove(BEST_EPOCH).zip(kept.remove(BEST_LOSS));
        let mut take = |key: &str| kept.remove(key).ok_or_else(|| damaged("it is not whole"));
        let (epoch, step, curve) = (take(EPOCH)?, take(STEP)?, take(CURVE)?);
        refuse_other_settings(path, &kept, settings)?;
        let (mut weights, mut optimizer) = (Tensors::new(), Tensors::new());
        let mut best_weights = Tensors::new();
        for (name, tensor) in file.tensors {
            if let Some(name) = name.strip_prefix(WEIGHTS) {
                weights.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                optimizer.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix(BEST) {
                best_weights.insert(name.to_owned(), tensor);
            }
        }
        let number = |text: &str| {
            let number = text.parse().ok();
            number.ok_or_else(|| damaged("it is not whole"))
        };
        let best = match best {
            Some((epoch, loss)) => Some(Best {
                epoch: number(&epoch)?,
                loss: loss
                    .parse()
                    .map_err(|_not_a_number| damaged("it is not whole"))?,
                weights: best_weights,
            }),
            None => None,
        };
        Ok(Some(Self {
            epoch: number(&epoch)?,
            step: number(&step)?,
            curve: Curve::from_csv(&curve).map_err(|reason| damaged(&reason))?,
            weights,
            optimizer,
            best,
        }))
    }
}

fn refuse_other_settings(
    path: &Path,
    begun: &Settings,
    wanted: &Settings,
) -> Result<(), CheckpointError> {
    let absent = "(nothing)".to_owned();
    for name in begun.keys().chain(wanted.keys()) {
        let (old, new) = (begun.get(name), wanted.get(name));
        if old != new {
            return Err(CheckpointError::OtherSettings {
                path: path.to_owned(),
                setting: name.clone(),
                begun: old.unwrap_or(&absent).clone(),
                wanted: new.unwrap_or(&absent).clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::progress::CurveRow;
    use super::*;
    use crate::nn::weights::WeightsTensor;

    fn settings(rate: &str) -> Settings {
        [("lr", rate), ("seed", "7")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn sample() -> Checkpoint {
        let tensor = |values: &[f32]| WeightsTensor {
            shape: vec![values.len()],
            values: values.to_vec(),
        };
        let mut curve = Curve::default();
        curve.push(CurveRow {
            epoch: 1,
            learning_rate: 0.0005,
            loss: 1.0 / 3.0,
            accuracy: 0.1 + 0.2,
        });
        Checkpoint {
            epoch: 1,
            step: 2,
            curve,
            weights: [("a.weight".to_owned(), tensor(&[0.1, -1e-30]))].into(),
            optimizer: [("first/a.weight".to_owned(), tensor(&[3.0, 4.0]))].into(),
            best: Some(Best {
                epoch: 1,
                loss: 0.1 + 0.2,
                weights: [("a.weight".to_owned(), tensor(&[0.3, 7.0]))].into(),
            }),
        }
    }

    #[test]
    fn a_checkpoint_comes_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.checkpoint");
        assert_eq!(Checkpoint::load(&path, &settings("0.1")).unwrap(), None);
        sample().save(&path, &settings("0.1")).unwrap();
        let loaded = Checkpoint::load(&path, &settings("0.1")).unwrap();
        assert_eq!(loaded, Some(sample()));
    }

    #[test]
    fn a_checkpoint_of_other_settings_is_refused_and_the_setting_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.checkpoint");
        sample().save(&path, &settings("0.1")).unwrap();
        let text = Checkpoint::load(&path, &settings("0.2"))
            .unwrap_err()
            .to_string();
        assert!(text.contains("begun with lr 0.1, not 0.2"), "{text}");
        assert!(text.ends_with("x.checkpoint"), "{text}");
        let mut more = settings("0.1");
        more.insert("mirror".to_owned(), "yes".to_owned());
        let text = Checkpoint::load(&path, &more).unwrap_err().to_string();
        assert!(text.contains("mirror (nothing), not yes"), "{text}");
    }
}
