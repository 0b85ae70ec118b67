//! Trains the networks of [`expression_network`](crate::model::expression_network), all
//! on the same expressions and with one course of epochs.

mod drawing;
mod pretraining;
mod study;

use std::path::{Path, PathBuf};

use burn::module::Module;

use self::drawing::Drawing;
use self::study::Student;
use super::trainer::Lessons;
use crate::model::expression_network::{Architecture, ExpressionWeights, Network, outputs};
use crate::model::moext;
use crate::model::outputs::Fitted;
use crate::nn::parameters::Tensors;
use crate::nn::{NnDevice, Weights};
use crate::training::checkpoint::{Checkpoint, EXTENSION, Settings};
use crate::training::epochs::{Epochs, Trained, TrainingError};
use crate::training::optimizer::Rule;
use crate::training::progress::{Curve, Monitor};
use crate::training::random::{Moment, Purpose};
use crate::training::schedule::Schedule;

/// Everything that decides the course of a training but its data.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkTraining {
    pub architecture: Architecture,
    pub epochs: u64,
    /// Epochs in which MoExt rebuilds apexes before it learns what they show.
    pub pretraining_epochs: u64,
    pub rate: f64,
    pub rule: Rule,
    /// How many times as fast LED's gain and cut-offs learn as the rest.
    pub led_faster: f64,
    /// Expressions an update.
    pub batch: usize,
    /// Expressions an epoch, drawn anew for each; all where there are no more.
    pub drawn: usize,
    /// Share that each dropout leaves out.
    pub dropout: f64,
    pub seed: u64,
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedNetwork {
    /// With nothing fitted yet.
    pub weights: ExpressionWeights,
    pub curve: Curve,
    /// What rebuilds apexes, where the network was trained that way first.
    pub rebuilding: Option<Tensors>,
}

impl NetworkTraining {
    /// What two processor cores train in five to ten minutes: the sources' optimisers with
    /// a rate that falls to nothing, and of their hundreds of epochs as many as there is
    /// time for. LED's own rate is a hundred times the others' (S0: 0.1 beside 1e-4,
    /// later 0.01).
    #[must_use]
    pub fn usual(architecture: Architecture) -> Self {
        let adam = |weight_decay| Rule::Adam { weight_decay };
        let (epochs, drawn, rate, rule, dropout) = match architecture {
            Architecture::LedSssNet(_) => (10, 1500, 5e-4, adam(1e-3), 0.5),
            Architecture::LedResNet18(_) => (8, 1500, 5e-4, adam(1e-3), 0.5),
            Architecture::ShallowStreams(_) => {
                let rule = Rule::AdamW { weight_decay: 1e-2 };
                (12, 4000, 5e-4, rule, 0.5)
            }
            Architecture::Tsdn => (25, 1500, 1e-3, adam(1e-4), 0.2),
            Architecture::MoExt(_) => (8, 1500, 5e-4, adam(1e-4), 0.0),
            Architecture::Uamrn(_) => (2, 1500, 2e-4, adam(0.0), 0.1),
        };
        Self {
            architecture,
            epochs,
            pretraining_epochs: match architecture {
                Architecture::MoExt(_) => 2,
                _ => 0,
            },
            rate,
            rule,
            led_faster: 100.0,
            batch: match architecture {
                Architecture::MoExt(_) => 20,
                _ => 32,
            },
            drawn,
            dropout,
            seed: 1,
        }
    }

    /// In words, for checkpoints, reports and cards.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings: Settings = [
            ("network", self.architecture.network().to_owned()),
            ("epochs", self.epochs.to_string()),
            ("lr", self.rate.to_string()),
            ("optimizer", self.rule.describe()),
            ("batch", self.batch.to_string()),
            ("expressions an epoch", self.drawn.to_string()),
            ("dropout", self.dropout.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if self.pretraining_epochs > 0 {
            let epochs = self.pretraining_epochs.to_string();
            settings.insert("pre-training epochs".to_owned(), epochs);
        }
        if self.has_led() {
            let times = self.led_faster.to_string();
            settings.insert("LED learns faster by".to_owned(), times);
            settings.insert("variant".to_owned(), self.architecture.variant());
        }
        settings
    }

    fn has_led(&self) -> bool {
        matches!(
            self.architecture,
            Architecture::LedSssNet(_) | Architecture::LedResNet18(_)
        )
    }

    /// Trains the network. `kept` is a folder for checkpoints with what else decides the
    /// course (the data); `part` is what the monitor is told this is.
    ///
    /// # Errors
    /// When no expression has pictures, the device fails, a checkpoint is another
    /// training's, or the monitor stops it.
    pub fn run(
        &self,
        lessons: &Lessons,
        kept: Option<(&Path, &Settings)>,
        monitor: &dyn Monitor,
        part: &str,
    ) -> Result<TrainedNetwork, TrainingError> {
        let drawing = Drawing::new(self.architecture, lessons)?;
        let rebuilding = match self.architecture {
            Architecture::MoExt(options) if self.pretraining_epochs > 0 => {
                let course = Course {
                    training: self,
                    epochs: self.pretraining_epochs,
                    name: "pretraining",
                    part: &match part {
                        "" => "rebuilding".to_owned(),
                        part => format!("{part}, rebuilding"),
                    },
                    kept,
                    monitor,
                };
                Some(pretraining::run(&course, options, &drawing)?.weights)
            }
            _ => None,
        };
        let course = Course {
            training: self,
            epochs: self.epochs,
            name: "network",
            part,
            kept,
            monitor,
        };
        let trained = self.classifier(&course, &drawing, rebuilding.as_ref())?;
        let vocabulary = lessons.vocabulary.clone();
        Ok(TrainedNetwork {
            weights: ExpressionWeights {
                architecture: self.architecture,
                fitted: Fitted::none(vocabulary.units.len()),
                vocabulary,
                members: vec![trained.weights],
            },
            curve: trained.curve,
            rebuilding,
        })
    }

    fn classifier(
        &self,
        course: &Course,
        drawing: &Drawing,
        rebuilding: Option<&Tensors>,
    ) -> Result<Trained, TrainingError> {
        let device = NnDevice::flex();
        let outputs = outputs(&drawing.lessons.vocabulary);
        course.go(|epochs| {
            let failed = |reason| epochs.failed(reason);
            let started = || {
                let stream = course.moment().stream(Purpose::Initial);
                let draw = |place, bound, count| stream.part(place as u64).uniform(bound, count);
                let bare = self.architecture.started(outputs, draw);
                match rebuilding {
                    Some(rebuilding) => moext::inherited(bare, rebuilding),
                    None => Ok(bare),
                }
            };
            let initial = started().map_err(failed)?;
            let start = epochs.start(|| initial)?;
            let autodiff = device.for_training();
            let network = Network::from_tensors(
                self.architecture,
                &start.weights,
                outputs,
                autodiff.handle(),
            );
            match network.map_err(failed)? {
                Network::LedSssNet(network) => course.study(*network, start, epochs, drawing),
                Network::LedResNet18(network) => course.study(*network, start, epochs, drawing),
                Network::ShallowStreams(network) => course.study(*network, start, epochs, drawing),
                Network::Tsdn(network) => course.study(*network, start, epochs, drawing),
                Network::MoExt(network) => course.study(*network, start, epochs, drawing),
                Network::Uamrn(network) => course.study(*network, start, epochs, drawing),
            }
        })
    }
}

/// One of a training's parts: what is asked of the network in a row of epochs.
struct Course<'a> {
    training: &'a NetworkTraining,
    epochs: u64,
    /// What its checkpoint is called.
    name: &'a str,
    part: &'a str,
    kept: Option<(&'a Path, &'a Settings)>,
    monitor: &'a dyn Monitor,
}

impl Course<'_> {
    fn moment(&self) -> Moment {
        Moment {
            seed: self.training.seed,
            ..Moment::default()
        }
    }

    /// Hands over how the epochs go.
    fn go(
        &self,
        train: impl FnOnce(&Epochs) -> Result<Trained, TrainingError>,
    ) -> Result<Trained, TrainingError> {
        let training = self.training;
        let kept: Option<(PathBuf, Settings)> = self.kept.map(|(folder, settings)| {
            let mut settings = settings.clone();
            settings.extend(training.settings());
            settings.insert("seed".to_owned(), training.seed.to_string());
            let (network, variant) = (
                training.architecture.network(),
                training.architecture.variant(),
            );
            let name = format!(
                "{network}{variant}-{}-{}.{EXTENSION}",
                self.name, training.seed
            );
            (folder.join(name), settings)
        });
        train(&Epochs {
            epochs: self.epochs,
            rate: training.rate,
            schedule: Schedule::Cosine { warmup: 20 },
            rule: training.rule,
            faster: training.has_led().then_some(("led.", training.led_faster)),
            batch: training.batch,
            seed: training.seed,
            fold: 0,
            checkpoint: kept.as_ref().map(|(path, s)| (path.as_path(), s)),
            monitor: self.monitor,
            part: self.part,
            device: NnDevice::flex().name(),
        })
    }

    fn study<N: Student + Module>(
        &self,
        network: N,
        start: Checkpoint,
        epochs: &Epochs,
        drawing: &Drawing,
    ) -> Result<Trained, TrainingError> {
        let device = NnDevice::flex().for_training();
        let order = |epoch| self.order(drawing.places.clone(), epoch);
        epochs.go(network, start, order, |network, places, moment| {
            let batch = drawing.batch(places, moment, device.handle());
            network.study(
                batch,
                self.training.dropout,
                moment.stream(Purpose::Dropout),
            )
        })
    }

    /// The places in the order of an epoch; one that would be left alone in the last
    /// batch sits out, for nothing can be normalised by it.
    fn order(&self, mut places: Vec<usize>, epoch: u64) -> Vec<usize> {
        let moment = Moment {
            epoch,
            ..self.moment()
        };
        moment.stream(Purpose::Order).shuffle(&mut places);
        places.truncate(self.training.drawn);
        if places.len() % self.training.batch == 1 && places.len() > 1 {
            places.pop();
        }
        places
    }
}

/// The network that rebuilds apexes as a file, with what the card says of its training.
#[must_use]
pub fn pack_rebuilding(
    architecture: Architecture,
    tensors: &Tensors,
    source: String,
    trained_on: String,
    more: Settings,
) -> Option<Weights> {
    let Architecture::MoExt(options) = architecture else {
        return None;
    };
    Some(moext::packed(options, tensors, source, trained_on, more))
}

#[cfg(test)]
mod tests;
