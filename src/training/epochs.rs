//! The course of any training by epochs: updates, the learning curve, checkpoints.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::GradientsParams;

use super::checkpoint::{Checkpoint, CheckpointError, Settings};
use super::optimizer::{Optimizer, Rule};
use super::progress::{Curve, CurveRow, Monitor, Next};
use super::random::Moment;
use super::schedule::Schedule;
use crate::nn::parameters::{self, Tensors};

/// Checkpoints between epochs are written this often at most; when makes no difference
/// to the result.
const SAVE_EVERY: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    #[error("Cannot train: {0}")]
    TooFew(String),
    #[error(
        "The training went wrong: the loss is no number in epoch {epoch}. Use a smaller learning rate (--lr)"
    )]
    Diverged { epoch: u64 },
    #[error("The training cannot be computed on {device}: {reason}. Use --device cpu")]
    Device { device: String, reason: String },
    #[error("Stopped in epoch {epoch}. Run the same command again to go on")]
    Stopped { epoch: u64 },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What a batch taught.
pub struct Lesson<N> {
    /// The network, with what it measured of the batch.
    pub network: N,
    pub gradients: GradientsParams,
    /// Mean over the batch.
    pub loss: f64,
    /// How many of the batch were right.
    pub right: f64,
}

/// A finished training.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    pub weights: Tensors,
    pub curve: Curve,
}

/// How a training goes through its samples.
#[derive(Clone, Copy)]
pub struct Epochs<'a> {
    pub epochs: u64,
    /// Full learning rate.
    pub rate: f64,
    pub schedule: Schedule,
    pub rule: Rule,
    /// Parameters whose names begin so learn so many times as fast.
    pub faster: Option<(&'static str, f64)>,
    /// Samples an update; the last of an epoch may have fewer.
    pub batch: usize,
    pub seed: u64,
    pub fold: u64,
    /// Where it is kept after each epoch or every few seconds, under these settings.
    pub checkpoint: Option<(&'a Path, &'a Settings)>,
    pub monitor: &'a dyn Monitor,
    /// What the monitor is told this training is.
    pub part: &'a str,
    /// As messages name it.
    pub device: &'a str,
}

impl Epochs<'_> {
    /// Where the training stands: what the checkpoint holds, or its beginning with
    /// these weights.
    ///
    /// # Errors
    /// When the checkpoint is another training's or damaged.
    pub fn start(&self, initial: impl FnOnce() -> Tensors) -> Result<Checkpoint, TrainingError> {
        let stored = match self.checkpoint {
            Some((path, settings)) => Checkpoint::load(path, settings)?,
            None => None,
        };
        Ok(stored.unwrap_or_else(|| Checkpoint {
            epoch: 0,
            step: 0,
            curve: Curve::default(),
            weights: initial(),
            optimizer: Tensors::new(),
            best: None,
        }))
    }

    /// Goes on from `start`, whose weights `network` has, to the last epoch. `order`
    /// says which samples an epoch goes through, as many in each; `study` what a batch
    /// of them teaches.
    ///
    /// # Errors
    /// When the loss is no number, the device fails, the checkpoint cannot be written,
    /// or the monitor stops it.
    pub fn go<N: Module>(
        &self,
        mut network: N,
        start: Checkpoint,
        order: impl Fn(u64) -> Vec<usize>,
        mut study: impl FnMut(N, &[usize], Moment) -> Result<Lesson<N>, String>,
    ) -> Result<Trained, TrainingError> {
        let (mut step, mut curve) = (start.step, start.curve);
        let mut optimizer =
            Optimizer::resumed(self.rule, step, start.optimizer).with_faster(self.faster);
        let mut saved = Instant::now();
        for epoch in start.epoch..self.epochs {
            let order = order(epoch);
            let updates = (order.len().div_ceil(self.batch) as u64) * self.epochs;
            let (mut losses, mut right, mut rate) = (0.0, 0.0, self.rate);
            for samples in order.chunks(self.batch) {
                let moment = Moment {
                    seed: self.seed,
                    fold: self.fold,
                    epoch,
                    step,
                };
                let lesson = study(network, samples, moment).map_err(|e| self.failed(e))?;
                if !lesson.loss.is_finite() {
                    return Err(TrainingError::Diverged { epoch: epoch + 1 });
                }
                losses += lesson.loss * samples.len() as f64;
                right += lesson.right;
                rate = self.rate * self.schedule.factor(step, updates);
                network = optimizer.step(rate, lesson.network, lesson.gradients);
                step += 1;
            }
            let row = CurveRow {
                epoch: epoch + 1,
                learning_rate: rate,
                loss: losses / order.len() as f64,
                accuracy: right / order.len() as f64,
            };
            curve.push(row);
            let next = self.monitor.epoch(self.part, &row, self.epochs);
            let last = epoch + 1 == self.epochs;
            if let Some((path, settings)) = self.checkpoint
                && (last || next == Next::Stop || saved.elapsed() >= SAVE_EVERY)
            {
                let state = Checkpoint {
                    epoch: epoch + 1,
                    step,
                    curve: curve.clone(),
                    weights: self.weights(&network)?,
                    optimizer: optimizer.state().map_err(|e| self.failed(e))?,
                    best: None,
                };
                state.save(path, settings)?;
                saved = Instant::now();
            }
            if next == Next::Stop && !last {
                return Err(TrainingError::Stopped { epoch: epoch + 1 });
            }
        }
        Ok(Trained {
            weights: self.weights(&network)?,
            curve,
        })
    }

    fn weights<N: Module>(&self, network: &N) -> Result<Tensors, TrainingError> {
        parameters::tensors_of(network).map_err(|reason| self.failed(reason))
    }

    /// An error of the device.
    #[must_use]
    pub fn failed(&self, reason: String) -> TrainingError {
        TrainingError::Device {
            device: self.device.to_owned(),
            reason,
        }
    }
}
