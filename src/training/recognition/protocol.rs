//! Evaluation by protocol: leave one subject out, or weights applied to a whole folder.

use std::path::Path;

use burn::tensor::Device;

use super::recipe::Recipe;
use super::report::{Prediction, Report};
use super::trainer::{Run, TrainingError, TrainingSet, checkpoint_paths, train_members};
use crate::dataset::flow_images::FlowImages;
use crate::dataset::splits::Fold;
use crate::model::flow_classifier::FlowClassifier;
use crate::nn::NnDevice;
use crate::training::folds::{self, FoldError, FoldResult, Folds};
use crate::training::progress::Monitor;

#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error(transparent)]
    Folds(#[from] FoldError),
    #[error(transparent)]
    Training(#[from] TrainingError),
}

/// A leave-one-subject-out evaluation.
pub struct Protocol<'a> {
    pub recipe: &'a Recipe,
    pub data: &'a FlowImages,
    pub seed: u64,
    pub device: &'a NnDevice,
    pub monitor: &'a dyn Monitor,
    folds: Folds,
}

impl<'a> Protocol<'a> {
    /// The folds' files and checkpoints lie in `folder`.
    ///
    /// # Errors
    /// When the data has one subject only.
    pub fn new(
        recipe: &'a Recipe,
        data: &'a FlowImages,
        seed: u64,
        device: &'a NnDevice,
        monitor: &'a dyn Monitor,
        folder: &Path,
    ) -> Result<Self, ProtocolError> {
        let subjects: Vec<_> = data.clips.iter().map(|clip| &clip.subject).collect();
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
            folds: Folds::new(&subjects, settings, folder)?,
        })
    }

    /// How many folds there are.
    #[must_use]
    pub fn folds(&self) -> usize {
        self.folds.count()
    }

    /// Trains and tests one fold, unless its file is there.
    ///
    /// # Errors
    /// When there is no such fold, its file is another evaluation's, or the training fails.
    pub fn run_fold(&self, number: usize) -> Result<FoldResult<Prediction>, ProtocolError> {
        let result = self.folds.one(number, |fold| self.train_and_test(fold))?;
        let name = folds::file_stem(self.folds.fold(number)?);
        folds::forget(checkpoint_paths(self.recipe, self.folds.folder(), &name));
        Ok(result)
    }

    fn train_and_test(&self, fold: &Fold) -> Result<Vec<Prediction>, ProtocolError> {
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
        let name = folds::file_stem(fold);
        let part = folds::part(fold);
        let mut settings = self.folds.settings().clone();
        settings.insert("fold".to_owned(), fold.number.to_string());
        let run = Run {
            device: self.device,
            monitor: self.monitor,
            part: &part,
            parallel: false,
        };
        let kept = Some((self.folds.folder(), name.as_str(), &settings));
        // Fold 0 of the random streams is a training without folds.
        let stream = fold.number as u64 + 1;
        let (weights, _) = train_members(self.recipe, &set, self.seed, stream, kept, run)?;
        let predictions = FlowClassifier::new(&weights, self.device)
            .and_then(|network| predict(&network, self.data, &fold.test))
            .map_err(|reason| TrainingError::Device {
                device: self.device.name().to_owned(),
                reason,
            })?;
        Ok(predictions)
    }

    /// All folds, several at once; the same numbers whatever the number of threads.
    ///
    /// # Errors
    /// As [`Self::run_fold`]; folds that are finished stay.
    pub fn run(&self) -> Result<Vec<Prediction>, ProtocolError> {
        let at_once = if *self.device.handle() == Device::flex() {
            rayon::current_num_threads()
        } else {
            // A card is one; folds side by side would only wait for each other.
            1
        };
        self.folds
            .all(at_once, self.monitor, |number| self.run_fold(number))
    }

    /// The folds that are there, which must be all.
    ///
    /// # Errors
    /// Says which fold is missing or another evaluation's.
    pub fn merge(&self) -> Result<Vec<Prediction>, ProtocolError> {
        Ok(self.folds.merged()?)
    }

    /// The report on these predictions.
    #[must_use]
    pub fn report(&self, predictions: &[Prediction]) -> Report {
        let model = self.recipe.architecture.network();
        let settings = self.folds.settings().clone();
        Report::new(model, "loso", predictions, Some(self.seed), settings)
    }
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
