//! The training of one network on flow images: epochs, updates, checkpoints.

use std::path::{Path, PathBuf};

use super::learner::{Batch, Judgement, Learner, initial};
use super::recipe::Recipe;
use crate::model::flow_classifier::{Architecture, FlowWeights};
use crate::model::flow_input::{CLASSES, Normalizer, VALUES};
use crate::model::off_apexnet::OffApexNet;
use crate::model::ststnet::StstNet;
use crate::nn::NnDevice;
use crate::training::checkpoint::{Checkpoint, Settings};
use crate::training::epochs::{Epochs, Trained};
use crate::training::progress::{Curve, Monitor};
use crate::training::random::{Moment, Purpose};

pub use crate::training::epochs::TrainingError;

/// Scaled images with their classes.
pub struct TrainingSet {
    /// `[clip, 3, 28, 28]`
    images: Vec<f32>,
    labels: Vec<usize>,
    pub normalizer: Normalizer,
}

impl TrainingSet {
    /// Scales images (strain, v, u in 0..255) as the recipe wants it.
    ///
    /// # Errors
    /// When there are fewer than two images.
    pub fn new(
        recipe: &Recipe,
        images: &[&[f32]],
        labels: Vec<usize>,
    ) -> Result<Self, TrainingError> {
        if images.len() < 2 {
            return Err(TrainingError::TooFew(format!(
                "there are {} images to train on. Give more images",
                images.len()
            )));
        }
        let normalizer = Normalizer::fit(recipe.scaling, images.iter().copied());
        let mut scaled = Vec::with_capacity(images.len() * VALUES);
        for image in images {
            normalizer.append(image, &mut scaled);
        }
        Ok(Self {
            images: scaled,
            labels,
            normalizer,
        })
    }

    fn image(&self, clip: usize) -> &[f32] {
        &self.images[clip * VALUES..(clip + 1) * VALUES]
    }
}

/// Where and as what a network is trained.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub device: &'a NnDevice,
    pub monitor: &'a dyn Monitor,
    /// What the monitor is told this training is.
    pub part: &'a str,
    /// Whether one update may use several threads; the result is the same.
    pub parallel: bool,
}

/// Trains one network. With a checkpoint's place it goes on from there, and writes
/// there after each epoch or every few seconds.
///
/// # Errors
/// When the data do not do, the device fails, the checkpoint is another training's, or
/// the monitor stops it.
pub fn train(
    recipe: &Recipe,
    set: &TrainingSet,
    seed: u64,
    fold: u64,
    checkpoint: Option<(&Path, &Settings)>,
    run: Run,
) -> Result<Trained, TrainingError> {
    let session = Session {
        recipe,
        set,
        seed,
        fold,
        epochs: Epochs {
            epochs: recipe.epochs,
            rate: recipe.rate,
            schedule: recipe.schedule,
            rule: recipe.rule,
            faster: None,
            batch: recipe.batch,
            seed,
            fold,
            checkpoint,
            monitor: run.monitor,
            part: run.part,
            device: run.device.name(),
        },
        run,
    };
    let device = run.device.handle().clone().autodiff();
    let moment = session.moment(0, 0);
    let start = (session.epochs).start(|| initial(recipe.architecture.parameters(), moment))?;
    let failed = |reason| session.epochs.failed(reason);
    match recipe.architecture {
        Architecture::StstNet(geometry) => {
            let network = StstNet::from_tensors(&start.weights, geometry, &device);
            session.go(network.map_err(failed)?, start)
        }
        Architecture::OffApexNet => {
            let network = OffApexNet::from_tensors(&start.weights, &device);
            session.go(network.map_err(failed)?, start)
        }
    }
}

struct Session<'a> {
    recipe: &'a Recipe,
    set: &'a TrainingSet,
    seed: u64,
    fold: u64,
    epochs: Epochs<'a>,
    run: Run<'a>,
}

impl Session<'_> {
    fn go<N: Learner>(&self, network: N, start: Checkpoint) -> Result<Trained, TrainingError> {
        let judgement = Judgement {
            smoothing: self.recipe.smoothing,
            dropout: self.recipe.dropout,
            parallel: self.run.parallel,
        };
        let order = |epoch| self.order(epoch);
        self.epochs
            .go(network, start, order, |network, clips, moment| {
                let batch = self.batch(clips, moment);
                network.study(&batch, judgement, moment.stream(Purpose::Dropout))
            })
    }

    fn moment(&self, epoch: u64, step: u64) -> Moment {
        Moment {
            seed: self.seed,
            fold: self.fold,
            epoch,
            step,
        }
    }

    /// Which clips an epoch goes through, and in which order.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let moment = self.moment(epoch, 0);
        let count = self.set.labels.len();
        let mut order: Vec<usize> = (0..count).collect();
        if self.recipe.balanced {
            order = self.balanced(moment);
        }
        moment.stream(Purpose::Order).shuffle(&mut order);
        order
    }

    /// As many clips as there are, each class that occurs as often as the next; a small
    /// class's clips come round several times before any is left out.
    fn balanced(&self, moment: Moment) -> Vec<usize> {
        let stream = moment.stream(Purpose::Sampling);
        let mut classes: Vec<Vec<usize>> = vec![Vec::new(); CLASSES.len()];
        for (clip, &label) in self.set.labels.iter().enumerate() {
            classes[label].push(clip);
        }
        classes.retain(|clips| !clips.is_empty());
        let (count, parts) = (self.set.labels.len(), classes.len());
        let mut drawn = Vec::with_capacity(count);
        for (part, clips) in classes.iter_mut().enumerate() {
            stream.part(part as u64).shuffle(clips);
            let wanted = count / parts + usize::from(part < count % parts);
            drawn.extend(clips.iter().cycle().take(wanted));
        }
        drawn
    }

    fn batch(&self, clips: &[usize], moment: Moment) -> Batch {
        let mut images = Vec::with_capacity(clips.len() * VALUES);
        for &clip in clips {
            images.extend_from_slice(self.set.image(clip));
        }
        if let Some(augmentation) = &self.recipe.augmentation {
            let stream = moment.stream(Purpose::Augmentation);
            for (place, image) in images.chunks_exact_mut(VALUES).enumerate() {
                augmentation.apply(image, stream.part(place as u64));
            }
        }
        Batch {
            images,
            labels: clips.iter().map(|&clip| self.set.labels[clip]).collect(),
        }
    }
}

/// Trains every member of the recipe's ensemble, with seeds `seed`, `seed + 1`, …
///
/// `folder` keeps one checkpoint a member, named by `name`, until the caller removes
/// them ([`checkpoint_paths`]).
///
/// # Errors
/// As [`train`].
pub fn train_members(
    recipe: &Recipe,
    set: &TrainingSet,
    seed: u64,
    fold: u64,
    kept: Option<(&Path, &str, &Settings)>,
    run: Run,
) -> Result<(FlowWeights, Vec<Curve>), TrainingError> {
    let mut members = Vec::new();
    let mut curves = Vec::new();
    for member in 0..recipe.members {
        let part = match (recipe.members, run.part) {
            (1, part) => part.to_owned(),
            (_, "") => format!("seed {}", seed + member),
            (_, part) => format!("{part}, seed {}", seed + member),
        };
        let place = kept.map(|(folder, name, settings)| {
            let mut settings = settings.clone();
            settings.insert("seed".to_owned(), (seed + member).to_string());
            (checkpoint_path(folder, name, member), settings)
        });
        let checkpoint = place
            .as_ref()
            .map(|(path, settings)| (path.as_path(), settings));
        let run = Run { part: &part, ..run };
        let trained = train(recipe, set, seed + member, fold, checkpoint, run)?;
        members.push(trained.weights);
        curves.push(trained.curve);
    }
    let weights = FlowWeights {
        architecture: recipe.architecture,
        normalizer: set.normalizer.clone(),
        mirror: recipe.mirror,
        members,
    };
    Ok((weights, curves))
}

fn checkpoint_path(folder: &Path, name: &str, member: u64) -> PathBuf {
    let extension = crate::training::checkpoint::EXTENSION;
    folder.join(format!("{name}-{member}.{extension}"))
}

/// Where [`train_members`] keeps its checkpoints.
#[must_use]
pub fn checkpoint_paths(recipe: &Recipe, folder: &Path, name: &str) -> Vec<PathBuf> {
    (0..recipe.members)
        .map(|member| checkpoint_path(folder, name, member))
        .collect()
}
