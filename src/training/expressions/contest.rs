//! Every network that reads one expression, trained on the same recordings under one
//! protocol: the same subjects learnt from, the same ones held out for what is fitted.

use std::path::Path;

use super::corpus::{Measured, Shown};
use super::fitting::{self, FitError, FlowTeller};
use super::networks::{NetworkTraining, pack_rebuilding};
use super::trainer::{AuTraining, Lessons};
use crate::facs::ClassSet;
use crate::model::au_flow::{self, AuReader};
use crate::model::expression_network::{Architecture, ExpressionReader};
use crate::model::flow_classifier::{self, FlowClassifier};
use crate::model::ststnet::Geometry;
use crate::nn::{NnDevice, Weights};
use crate::training::checkpoint::Settings;
use crate::training::epochs::TrainingError;
use crate::training::progress::{Monitor, Within};
use crate::training::recognition::recipe::Recipe;
use crate::training::recognition::trainer::{Run, TrainingSet, train_members};

/// A network in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    AuFlow,
    /// On flow images; classes alone.
    FlowImages(flow_classifier::Architecture),
    /// On pictures or motion maps.
    Expression(Architecture),
}

/// Why a network could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum ContestError {
    #[error(transparent)]
    Training(#[from] TrainingError),
    #[error(
        "Nothing can be fitted on the subjects held out: {0}. Give recordings of more subjects"
    )]
    Fit(#[from] FitError),
    #[error("The trained network makes no sense: {0}")]
    Network(String),
}

/// What a training learns from.
pub struct Material<'a> {
    pub lessons: &'a Lessons,
    pub learnt: &'a [&'a Measured],
    pub held_out: &'a [&'a Measured],
    /// In words, for the cards.
    pub described: &'a str,
    /// The data's fingerprint and whatever else the cards and checkpoints are to say.
    pub settings: &'a Settings,
}

/// What a training gave: the network, and for MoExt what rebuilds apexes.
pub struct Entrant {
    pub weights: Weights,
    pub rebuilding: Option<Weights>,
}

impl Entry {
    /// All of them, the quickest to train first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let flow = [
            flow_classifier::Architecture::StstNet(Geometry::Same),
            flow_classifier::Architecture::OffApexNet,
        ];
        let mut all = vec![Self::AuFlow];
        all.extend(flow.map(Self::FlowImages));
        all.extend(Architecture::all().map(Self::Expression));
        all
    }

    /// As it is called on cards and on the command line.
    #[must_use]
    pub fn network(self) -> &'static str {
        match self {
            Self::AuFlow => au_flow::NETWORK,
            Self::FlowImages(architecture) => architecture.network(),
            Self::Expression(architecture) => architecture.network(),
        }
    }

    /// S0's ablation of LED-SSSNet.
    #[must_use]
    pub fn ablation() -> Vec<Self> {
        let all = Architecture::ablation();
        all.into_iter().map(Self::Expression).collect()
    }

    /// The network, and in which it differs from the usual one.
    #[must_use]
    pub fn name(self) -> String {
        let variant = match self {
            Self::Expression(architecture) => architecture.variant(),
            _ => String::new(),
        };
        match variant.as_str() {
            "" => self.network().to_owned(),
            variant => format!("{}-{variant}", self.network()),
        }
    }

    /// Whether it reads pictures of the face.
    #[must_use]
    pub fn reads_pictures(self) -> bool {
        matches!(self, Self::Expression(_))
    }

    /// What decides its training beside data and seed.
    #[must_use]
    pub fn settings(self) -> Settings {
        match self {
            Self::AuFlow => AuTraining::default().settings(),
            Self::FlowImages(architecture) => Recipe::reference(architecture).settings(),
            Self::Expression(architecture) => NetworkTraining::usual(architecture).settings(),
        }
    }

    /// Trains one network and fits what is fitted. `folder` keeps what a stopped
    /// training needs to go on.
    ///
    /// # Errors
    /// When there is too little to learn from or to fit on, the device fails, or the
    /// monitor stops it.
    pub fn train(
        self,
        material: &Material,
        seed: u64,
        folder: &Path,
        monitor: &dyn Monitor,
    ) -> Result<Entrant, ContestError> {
        let device = NnDevice::flex();
        let mut settings = material.settings.clone();
        settings.extend(self.settings());
        settings.insert("seed".to_owned(), seed.to_string());
        let part = format!("{}, seed {seed}", self.name());
        let source = format!("onset compare {}", env!("CARGO_PKG_VERSION"));
        let described = material.described.to_owned();
        let kept = Some((folder, &settings));
        let wrong = ContestError::Network;
        match self {
            Self::AuFlow => {
                let training = AuTraining {
                    members: 1,
                    seed,
                    ..AuTraining::default()
                };
                let monitor = Within::new(monitor, part);
                let (mut weights, _) = training.run(material.lessons, kept, &monitor)?;
                let reader = AuReader::new(&weights, &device).map_err(wrong)?;
                weights.fitted = fitting::fit(&reader, material.held_out)?;
                Ok(Entrant {
                    weights: weights.pack(source, described, settings),
                    rebuilding: None,
                })
            }
            Self::FlowImages(architecture) => {
                let recipe = Recipe::reference(architecture);
                let set = flow_images(&recipe, material.learnt)?;
                let run = Run {
                    device: &device,
                    monitor,
                    part: &part,
                    parallel: false,
                };
                let kept = Some((folder, self.network(), &settings));
                let (weights, _) = train_members(&recipe, &set, seed, 0, kept, run)?;
                let classifier = FlowClassifier::new(&weights, &device).map_err(wrong)?;
                let fitted = fitting::fit(&FlowTeller::new(classifier, 1.0), material.held_out)?;
                settings.extend(fitted.class_settings());
                Ok(Entrant {
                    weights: weights.pack(source, described, settings),
                    rebuilding: None,
                })
            }
            Self::Expression(architecture) => {
                let training = NetworkTraining {
                    seed,
                    ..NetworkTraining::usual(architecture)
                };
                let mut trained = training.run(material.lessons, kept, monitor, &part)?;
                let reader = ExpressionReader::new(&trained.weights, &device).map_err(wrong)?;
                trained.weights.fitted = fitting::fit(&reader, material.held_out)?;
                let rebuilding = trained.rebuilding.as_ref().and_then(|tensors| {
                    let (source, settings) = (source.clone(), settings.clone());
                    pack_rebuilding(architecture, tensors, source, described.clone(), settings)
                });
                Ok(Entrant {
                    weights: trained.weights.pack(source, described, settings),
                    rebuilding,
                })
            }
        }
    }
}

/// The flow images of every expression of a class.
fn flow_images(recipe: &Recipe, learnt: &[&Measured]) -> Result<TrainingSet, TrainingError> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for recording in learnt {
        for sample in &recording.samples {
            let is_expression = matches!(sample.shown, Shown::Expression { .. });
            let class = recording.class(sample, ClassSet::Three);
            if let Some(class) = class.filter(|_| is_expression) {
                images.push(sample.motion.image.as_slice());
                labels.push(class);
            }
        }
    }
    TrainingSet::new(recipe, &images, labels)
}
