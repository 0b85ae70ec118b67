//! A trained network on flow images as it is used: one or several members whose
//! log-probabilities are averaged, with their scaling, from one weights file.
//!
//! A file holds each member's parameters under `0/`, `1/`, …, the mean image as
//! `input.mean` where the scaling needs it, and on its card the settings `members`,
//! `scaling`, `mirror` and, for STSTNet, `geometry`.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::card_settings::{answer, setting, unknown};
use super::flow_input::{CHANNELS, CLASSES, Normalizer, SIDE, Scaling, VALUES, mirrored};
use super::off_apexnet::{self, OffApexNet};
use super::ststnet::{self, Geometry, StstNet};
use crate::nn::members;
use crate::nn::parameters::{self, Parameter, Tensors};
use crate::nn::weights::{FORMAT_VERSION, WeightsTensor};
use crate::nn::{NnDevice, Weights, WeightsCard, WeightsError};

/// Images classified in one go: bounds the memory.
const BATCH: usize = 256;
const MEAN: &str = "input.mean";

/// Which network the members are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    StstNet(Geometry),
    OffApexNet,
}

impl Architecture {
    /// The network's name in weights files and on the command line.
    #[must_use]
    pub fn network(self) -> &'static str {
        match self {
            Self::StstNet(_) => ststnet::NETWORK,
            Self::OffApexNet => off_apexnet::NETWORK,
        }
    }

    /// What the network expects, as it stands on a card.
    #[must_use]
    pub fn input(self) -> &'static str {
        match self {
            Self::StstNet(_) => ststnet::INPUT,
            Self::OffApexNet => off_apexnet::INPUT,
        }
    }

    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::StstNet(_) => &ststnet::PARAMETERS,
            Self::OffApexNet => &off_apexnet::PARAMETERS,
        }
    }
}

/// What a weights file of a flow-image network holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowWeights {
    pub architecture: Architecture,
    pub normalizer: Normalizer,
    /// Whether each image is classified once more as the mirrored face's.
    pub mirror: bool,
    pub members: Vec<Tensors>,
}

impl FlowWeights {
    /// As a file, with what the card says besides.
    #[must_use]
    pub fn pack(
        &self,
        source: String,
        trained_on: String,
        more: BTreeMap<String, String>,
    ) -> Weights {
        let mut settings = more;
        let mut set = |name: &str, value: &str| settings.insert(name.to_owned(), value.to_owned());
        set("members", &self.members.len().to_string());
        set("scaling", self.normalizer.scaling().name());
        set("mirror", if self.mirror { "yes" } else { "no" });
        if let Architecture::StstNet(geometry) = self.architecture {
            set("geometry", geometry.name());
        }
        let mut tensors = members::joined(&self.members);
        if let Some(mean) = self.normalizer.mean() {
            let tensor = WeightsTensor {
                shape: vec![CHANNELS, SIDE, SIDE],
                values: mean.to_vec(),
            };
            tensors.insert(MEAN.to_owned(), tensor);
        }
        Weights {
            card: WeightsCard {
                network: self.architecture.network().to_owned(),
                format_version: FORMAT_VERSION,
                kind: None,
                source,
                trained_on,
                input: self.architecture.input().to_owned(),
                settings,
            },
            tensors,
        }
    }

    /// From a file's contents.
    ///
    /// # Errors
    /// Says what is missing, or which setting is unknown.
    pub fn unpack(weights: &Weights) -> Result<Self, String> {
        let settings = &weights.card.settings;
        let architecture = match weights.card.network.as_str() {
            ststnet::NETWORK => {
                let name = setting(settings, "geometry")?;
                let geometry = Geometry::named(name).ok_or_else(|| unknown("geometry", name))?;
                Architecture::StstNet(geometry)
            }
            off_apexnet::NETWORK => Architecture::OffApexNet,
            other => return Err(format!("'{other}' is no network on flow images")),
        };
        let name = setting(settings, "scaling")?;
        let scaling = Scaling::named(name).ok_or_else(|| unknown("scaling", name))?;
        let mean = weights.tensors.get(MEAN).map(|mean| mean.values.as_slice());
        let mirror = answer(settings, "mirror")?;
        let count = members::counted(setting(settings, "members")?)?;
        let members = members::parted(&weights.tensors, count, &[MEAN])?;
        for (number, member) in members.iter().enumerate() {
            let wanted = architecture.parameters();
            if let Some(foreign) = member
                .keys()
                .find(|k| !wanted.iter().any(|p| p.name == **k))
            {
                return Err(format!(
                    "the tensor '{number}/{foreign}' does not belong to it"
                ));
            }
        }
        Ok(Self {
            architecture,
            normalizer: Normalizer::new(scaling, mean)?,
            mirror,
            members,
        })
    }
}

/// One member on its device.
pub enum Member {
    StstNet(Box<StstNet>),
    OffApexNet(Box<OffApexNet>),
}

/// A trained network, ready to classify.
pub struct FlowClassifier {
    members: Vec<Member>,
    normalizer: Normalizer,
    mirror: bool,
    device: Device,
}

impl Member {
    /// # Shapes
    /// - `images`: `[batch, 3, 28, 28]`, channels strain, v, u, scaled
    /// - result: `[batch, 3]`, logits of negative, positive, surprise
    #[must_use]
    pub fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::StstNet(network) => network.forward(images),
            Self::OffApexNet(network) => network.forward(images, None),
        }
    }
}

impl FlowClassifier {
    /// Reads the weights file of this network and puts it on the device.
    ///
    /// # Errors
    /// When the file is no weights file, is damaged, or belongs to another network.
    pub fn load(
        path: &Path,
        network: &str,
        device: &NnDevice,
    ) -> Result<(Self, Weights), WeightsError> {
        let weights = Weights::load(path)?;
        let classifier = Self::from_file(&weights, path, network, device)?;
        Ok((classifier, weights))
    }

    /// The same from a file's contents; `path` is what messages name.
    ///
    /// # Errors
    /// When the weights are damaged or belong to another network.
    pub fn from_file(
        weights: &Weights,
        path: &Path,
        network: &str,
        device: &NnDevice,
    ) -> Result<Self, WeightsError> {
        weights.read_as(network, path, |weights| {
            Self::new(&FlowWeights::unpack(weights)?, device)
        })
    }

    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn new(weights: &FlowWeights, device: &NnDevice) -> Result<Self, String> {
        let handle = device.handle();
        let member = |(number, tensors): (usize, &Tensors)| {
            let network = match weights.architecture {
                Architecture::StstNet(geometry) => StstNet::from_tensors(tensors, geometry, handle)
                    .map(|network| Member::StstNet(Box::new(network))),
                Architecture::OffApexNet => OffApexNet::from_tensors(tensors, handle)
                    .map(|network| Member::OffApexNet(Box::new(network))),
            };
            network.map_err(|reason| format!("member {number}: {reason}"))
        };
        Ok(Self {
            members: weights
                .members
                .iter()
                .enumerate()
                .map(member)
                .collect::<Result<_, _>>()?,
            normalizer: weights.normalizer.clone(),
            mirror: weights.mirror,
            device: handle.clone(),
        })
    }

    /// Probabilities of negative, positive and surprise for each image: the normalised
    /// exponential of the mean of all members' log-probabilities, and of the mirrored
    /// face's where the card says so.
    ///
    /// # Shapes
    /// - `images`: strain, v, u of 28×28 values 0..255 each
    ///
    /// # Errors
    /// When the device fails.
    pub fn probabilities(&self, images: &[&[f32]]) -> Result<Vec<[f32; 3]>, String> {
        let mut sums = vec![[0.0_f64; 3]; images.len()];
        for (images, sums) in images.chunks(BATCH).zip(sums.chunks_mut(BATCH)) {
            let mut scaled = Vec::with_capacity(images.len() * VALUES);
            for image in images {
                self.normalizer.append(image, &mut scaled);
            }
            self.add(scaled, sums)?;
            if self.mirror {
                let mut scaled = Vec::with_capacity(images.len() * VALUES);
                for image in images {
                    self.normalizer.append(&mirrored(image), &mut scaled);
                }
                self.add(scaled, sums)?;
            }
        }
        let count = self.members.len() * if self.mirror { 2 } else { 1 };
        Ok(sums
            .into_iter()
            .map(|sums| softmax(sums.map(|sum| sum / count as f64)))
            .collect())
    }

    /// Each member's own probabilities for one image, and after them those for the
    /// mirrored face where the card says so: the opinions that
    /// [`Self::probabilities`] joins, for judging how far they agree.
    ///
    /// # Shapes
    /// - `image`: as for [`Self::probabilities`]
    /// - result: `[opinion][class]`
    ///
    /// # Errors
    /// When the device fails.
    pub fn opinions(&self, image: &[f32]) -> Result<Vec<[f32; 3]>, String> {
        let mut opinions = Vec::with_capacity(2 * self.members.len());
        for images in self.views(image) {
            for member in &self.members {
                let log = parameters::read(log_softmax(member.logits(images.clone()), 1))?;
                let rows = log.values.as_chunks::<{ CLASSES.len() }>().0;
                opinions.extend(rows.iter().map(|row| softmax(row.map(f64::from))));
            }
        }
        Ok(opinions)
    }

    /// The networks that decide together.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What the members read of one image: itself, scaled, and the mirrored face's where
    /// the card says so.
    ///
    /// # Shapes
    /// - `image`: as for [`Self::probabilities`]
    /// - result: one or two of `[1, 3, 28, 28]`
    #[must_use]
    pub fn views(&self, image: &[f32]) -> Vec<Tensor<4>> {
        let view = |image: &[f32]| {
            let mut scaled = Vec::with_capacity(VALUES);
            self.normalizer.append(image, &mut scaled);
            let data = TensorData::new(scaled, [1, CHANNELS, SIDE, SIDE]);
            Tensor::from_data(data, &self.device)
        };
        let mut views = vec![view(image)];
        if self.mirror {
            views.push(view(&mirrored(image)));
        }
        views
    }

    fn add(&self, scaled: Vec<f32>, sums: &mut [[f64; 3]]) -> Result<(), String> {
        let data = TensorData::new(scaled, [sums.len(), CHANNELS, SIDE, SIDE]);
        let images = Tensor::<4>::from_data(data, &self.device);
        for member in &self.members {
            let logits = member.logits(images.clone());
            let log = parameters::read(log_softmax(logits, 1))?.values;
            for (sum, log) in sums.iter_mut().zip(log.as_chunks::<{ CLASSES.len() }>().0) {
                for (sum, &log) in sum.iter_mut().zip(log) {
                    *sum += f64::from(log);
                }
            }
        }
        Ok(())
    }
}

fn softmax(log: [f64; 3]) -> [f32; 3] {
    let top = log.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let shares = log.map(|log| (log - top).exp());
    let total: f64 = shares.iter().sum();
    shares.map(|share| (share / total) as f32)
}
