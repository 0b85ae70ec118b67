//! Evaluation by protocol: leave one subject out, or weights applied to a whole folder.
//!
//! Each fold is a file of its own, written when it is finished, so that a killed
//! evaluation goes on where it was and several machines can share the folds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use super::report::{Prediction, Report};
use super::trainer::{Run, TrainingError, TrainingSet, checkpoint_paths, train_members};
use crate::dataset::flow_images::FlowImages;
use crate::dataset::splits::{Fold, leave_one_subject_out};
use crate::model::flow_classifier::FlowClassifier;
use crate::nn::NnDevice;
use crate::project::output::{OutputError, write_whole};
use crate::training::checkpoint::Settings;
use crate::training::progress::Monitor;

#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error(
        "Cannot leave one subject out: the data has one subject only. Give data of two or more"
    )]
    OneSubject,
    #[error("There is no fold {fold}: the data has {folds} subjects, so folds 0 to {}. Choose one of them with --fold", folds - 1)]
    NoFold { fold: usize, folds: usize },
    #[error("This fold was evaluated with {setting} {found}, not {wanted}. Use the same settings, or another folder with --folds: {}", path.display())]
    OtherSettings {
        path: PathBuf,
        setting: String,
        found: String,
        wanted: String,
    },
    #[error("Cannot merge: {missing} of {folds} folds are not there yet, the first is fold {first} (subject {subject}). Run them first (--fold {first}): {}", folder.display())]
    Missing {
        folder: PathBuf,
        missing: usize,
        folds: usize,
        first: usize,
        subject: String,
    },
    #[error("This is not a fold that Onset wrote: {reason}. Delete it to evaluate the fold again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(transparent)]
    Training(#[from] TrainingError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// The contents of a fold's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    pub fold: usize,
    pub subject: String,
    pub settings: Settings,
    pub predictions: Vec<Prediction>,
}

/// A leave-one-subject-out evaluation.
pub struct Protocol<'a> {
    pub recipe: &'a Recipe,
    pub data: &'a FlowImages,
    pub seed: u64,
    pub device: &'a NnDevice,
    pub monitor: &'a dyn Monitor,
    /// Where the folds' files and checkpoints lie.
    pub folder: &'a Path,
    folds: Vec<Fold>,
    settings: Settings,
}

impl<'a> Protocol<'a> {
    /// # Errors
    /// When the data has one subject only.
    pub fn new(
        recipe: &'a Recipe,
        data: &'a FlowImages,
        seed: u64,
        device: &'a NnDevice,
        monitor: &'a dyn Monitor,
        folder: &'a Path,
    ) -> Result<Self, ProtocolError> {
        let subjects: Vec<_> = data.clips.iter().map(|clip| &clip.subject).collect();
        let folds = leave_one_subject_out(&subjects);
        if folds.len() < 2 {
            return Err(ProtocolError::OneSubject);
        }
        let mut settings = recipe.settings();
        settings.insert("members".to_owned(), recipe.members.to_string());
        settings.insert("mirror".to_owned(), recipe.mirror.to_string());
        settings.insert("seed".to_owned(), seed.to_string());
        settings.insert("data".to_owned(), data.fingerprint());
        Ok(Self {
            recipe,
            data,
            seed,
            device,
            monitor,
            folder,
            folds,
            settings,
        })
    }

    /// How many folds there are.
    #[must_use]
    pub fn folds(&self) -> usize {
        self.folds.len()
    }

    /// Trains and tests one fold, unless its file is there.
    ///
    /// # Errors
    /// When there is no such fold, its file is another evaluation's, or the training fails.
    pub fn run_fold(&self, number: usize) -> Result<FoldResult, ProtocolError> {
        let fold = self.folds.get(number).ok_or(ProtocolError::NoFold {
            fold: number,
            folds: self.folds.len(),
        })?;
        if let Some(result) = self.read(fold)? {
            return Ok(result);
        }
        std::fs::create_dir_all(self.folder).map_err(|e| OutputError::write(self.folder, e))?;
        let images: Vec<_> = fold
            .training
            .iter()
            .map(|&clip| self.data.image(clip))
            .collect();
        let labels = fold
            .training
            .iter()
            .map(|&clip| self.data.clips[clip].label);
        let set = TrainingSet::new(self.recipe, &images, labels.collect())?;
        let name = file_stem(fold);
        let part = part(fold);
        let mut settings = self.settings.clone();
        settings.insert("fold".to_owned(), number.to_string());
        let run = Run {
            device: self.device,
            monitor: self.monitor,
            part: &part,
            parallel: false,
        };
        let kept = Some((self.folder, name.as_str(), &settings));
        // Fold 0 of the random streams is a training without folds.
        let (weights, _) =
            train_members(self.recipe, &set, self.seed, number as u64 + 1, kept, run)?;
        let predictions = FlowClassifier::new(&weights, self.device)
            .and_then(|network| predict(&network, self.data, &fold.test))
            .map_err(|reason| TrainingError::Device {
                device: self.device.name().to_owned(),
                reason,
            })?;
        let result = FoldResult {
            fold: number,
            subject: fold.subject.clone(),
            settings: self.settings.clone(),
            predictions,
        };
        let path = self.path(fold);
        let text =
            serde_json::to_string_pretty(&result).map_err(|e| OutputError::write(&path, e))?;
        write_whole(&path, text.as_bytes())?;
        for checkpoint in checkpoint_paths(self.recipe, self.folder, &name) {
            // What stays behind is found finished next time, or is deleted with the folder.
            let _ = std::fs::remove_file(checkpoint);
        }
        Ok(result)
    }

    /// All folds, several at once; the same numbers whatever the number of threads.
    ///
    /// # Errors
    /// As [`Self::run_fold`]; folds that are finished stay.
    pub fn run(&self) -> Result<Vec<Prediction>, ProtocolError> {
        let done = AtomicUsize::new(0);
        let one = |fold: &Fold| {
            let result = self.run_fold(fold.number)?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.monitor.part(&part(fold), done, self.folds.len());
            Ok::<_, ProtocolError>(result)
        };
        let results: Result<Vec<_>, _> = if *self.device.handle() == Device::flex() {
            self.folds.par_iter().with_max_len(1).map(one).collect()
        } else {
            // A card is one; folds side by side would only wait for each other.
            self.folds.iter().map(one).collect()
        };
        Ok(pooled(results?))
    }

    /// The folds that are there, which must be all.
    ///
    /// # Errors
    /// Says which fold is missing or another evaluation's.
    pub fn merge(&self) -> Result<Vec<Prediction>, ProtocolError> {
        let mut results = Vec::new();
        let mut missing = Vec::new();
        for fold in &self.folds {
            match self.read(fold)? {
                Some(result) => results.push(result),
                None => missing.push(fold),
            }
        }
        if let Some(first) = missing.first() {
            return Err(ProtocolError::Missing {
                folder: self.folder.to_owned(),
                missing: missing.len(),
                folds: self.folds.len(),
                first: first.number,
                subject: first.subject.clone(),
            });
        }
        Ok(pooled(results))
    }

    /// The report on these predictions.
    #[must_use]
    pub fn report(&self, predictions: &[Prediction]) -> Report {
        let model = self.recipe.architecture.network();
        let settings = self.settings.clone();
        Report::new(model, "loso", predictions, Some(self.seed), settings)
    }

    fn path(&self, fold: &Fold) -> PathBuf {
        self.folder.join(format!("{}.json", file_stem(fold)))
    }

    fn read(&self, fold: &Fold) -> Result<Option<FoldResult>, ProtocolError> {
        let path = self.path(fold);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                let reason = e.to_string();
                return Err(ProtocolError::Damaged { path, reason });
            }
        };
        let result: FoldResult =
            serde_json::from_str(&text).map_err(|e| ProtocolError::Damaged {
                path: path.clone(),
                reason: e.to_string(),
            })?;
        let nothing = "(nothing)".to_owned();
        for name in self.settings.keys().chain(result.settings.keys()) {
            let (wanted, found) = (self.settings.get(name), result.settings.get(name));
            if wanted != found {
                return Err(ProtocolError::OtherSettings {
                    path,
                    setting: name.clone(),
                    found: found.unwrap_or(&nothing).clone(),
                    wanted: wanted.unwrap_or(&nothing).clone(),
                });
            }
        }
        Ok(Some(result))
    }
}

/// What a monitor is told a fold is.
fn part(fold: &Fold) -> String {
    format!("fold {} ({})", fold.number, fold.subject)
}

/// Folds are named by number: a subject's name may not do as a file's.
fn file_stem(fold: &Fold) -> String {
    format!("fold-{:04}", fold.number)
}

fn pooled(results: Vec<FoldResult>) -> Vec<Prediction> {
    results
        .into_iter()
        .flat_map(|result| result.predictions)
        .collect()
}

/// What the network says of these clips.
///
/// # Errors
/// When the device fails.
pub fn predict(
    network: &FlowClassifier,
    data: &FlowImages,
    clips: &[usize],
) -> Result<Vec<Prediction>, String> {
    let images: Vec<_> = clips.iter().map(|&clip| data.image(clip)).collect();
    let said = network.probabilities(&images)?;
    Ok(clips
        .iter()
        .zip(said)
        .map(|(&clip, probabilities)| Prediction::new(data, clip, probabilities))
        .collect())
}
