//! AU-Flow: which action units moved between onset and apex, on which side, and which
//! of a few classes a database would call it. Ours, after the finding of S0's field
//! that flow is the stronger input for action units; the shape follows SSSNet there (two
//! convolutions, one hidden layer), but on [`MotionMap`]s.
//!
//! For each unit three logits: that it acts at all, in the picture's left half, in its
//! right half; behind them one logit a class.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::card_settings::setting;
use super::flow_input::SIDE;
use super::motion_map::{CHANNELS, MotionMap, VALUES};
use crate::nn::convolution::{Then, convolved};
use crate::nn::members;
use crate::nn::parameters::{self, Tensors};
use crate::nn::pooling::{Fields, max_pooled};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard, WeightsError};

pub use super::outputs::{Fitted, Logits, OF_UNIT, Vocabulary, has_halves};

/// The network's name in weights files and on the command line.
pub const NETWORK: &str = "au-flow";
/// Filters of the two convolutions.
pub const FILTERS: [usize; 2] = [24, 48];
/// Values that enter the hidden layer: 48 maps of 7×7.
pub const FLAT: usize = FILTERS[1] * 7 * 7;
/// Nodes of the hidden layer.
pub const HIDDEN: usize = 64;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "3×28×28 (u, v, strain) of the flow from onset to apex, unmasked, \
    without the head's affine motion, in thousandths of the distance between the eyes; \
    inverse hyperbolic sine";

/// Maps judged in one go: bounds the memory.
const BATCH: usize = 64;

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct AuFlow {
    first: Conv2d,
    second: Conv2d,
    hidden: Linear,
    outputs: Linear,
}

impl AuFlow {
    /// With Burn's initial weights; a training replaces them by its own.
    #[must_use]
    pub fn new(outputs: usize, device: &Device) -> Self {
        let layer = |inputs: usize, filters: usize| {
            Conv2dConfig::new([inputs, filters], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            first: layer(CHANNELS, FILTERS[0]),
            second: layer(FILTERS[0], FILTERS[1]),
            hidden: LinearConfig::new(FLAT, HIDDEN).init(device),
            outputs: LinearConfig::new(HIDDEN, outputs).init(device),
        }
    }

    /// With these parameters, each under its name.
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        outputs: usize,
        device: &Device,
    ) -> Result<Self, String> {
        parameters::with_tensors(Self::new(outputs, device), tensors)
    }

    /// # Shapes
    /// - `maps`: `[batch, 3, 28, 28]`, u, v, strain, compressed
    /// - `kept`: `[batch, 64]`, what dropout multiplies the hidden nodes by; none
    ///   outside of a training
    /// - result: `[batch, outputs]`, logits
    #[must_use]
    pub fn forward(&self, maps: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        let [_, channels, height, width] = maps.dims();
        assert_eq!([channels, height, width], [CHANNELS, SIDE, SIDE]);
        self.logits_of_features(self.features(maps), kept)
    }

    /// The pooled second convolution: what is looked at by place.
    ///
    /// # Shapes
    /// - `maps`: as for [`Self::forward`]
    /// - result: `[batch, 48, 7, 7]`, at least 0
    #[must_use]
    pub fn features(&self, maps: Tensor<4>) -> Tensor<4> {
        let pool = |maps| max_pooled(maps, Fields::tiled(2));
        let maps = relu(pool(convolved(&self.first, maps, Then::default())));
        relu(pool(convolved(&self.second, maps, Then::default())))
    }

    /// The rest of the network.
    ///
    /// # Shapes
    /// - `features`: as [`Self::features`] gives them
    /// - `kept`, result: as for [`Self::forward`]
    #[must_use]
    pub fn logits_of_features(&self, features: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        let hidden = relu(self.hidden.forward(features.flatten(1, 3)));
        let hidden = match kept {
            Some(kept) => hidden * kept,
            None => hidden,
        };
        self.outputs.forward(hidden)
    }
}

/// What a weights file of AU-Flow holds.
#[derive(Debug, Clone, PartialEq)]
pub struct AuWeights {
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    pub members: Vec<Tensors>,
}

impl AuWeights {
    /// As a file, with what the card says besides.
    #[must_use]
    pub fn pack(
        &self,
        source: String,
        trained_on: String,
        more: BTreeMap<String, String>,
    ) -> Weights {
        let mut settings = more;
        settings.insert("members".to_owned(), self.members.len().to_string());
        settings.extend(self.vocabulary.settings());
        settings.extend(self.fitted.settings());
        Weights {
            card: WeightsCard {
                network: NETWORK.to_owned(),
                format_version: FORMAT_VERSION,
                kind: None,
                source,
                trained_on,
                input: INPUT.to_owned(),
                settings,
            },
            tensors: members::joined(&self.members),
        }
    }

    /// From a file's contents.
    ///
    /// # Errors
    /// Says what is missing or makes no sense.
    pub fn unpack(weights: &Weights) -> Result<Self, String> {
        let settings = &weights.card.settings;
        let vocabulary = Vocabulary::from_settings(settings)?;
        let fitted = Fitted::from_settings(settings, &vocabulary)?;
        let count = members::counted(setting(settings, "members")?)?;
        let members = members::parted(&weights.tensors, count, &[])?;
        Ok(Self {
            vocabulary,
            fitted,
            members,
        })
    }
}

/// A trained network, ready to judge.
#[derive(Debug)]
pub struct AuReader {
    members: Vec<AuFlow>,
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    device: NnDevice,
}

impl AuReader {
    /// From a file's contents; `path` is what messages name.
    ///
    /// # Errors
    /// When the weights are damaged or belong to another network.
    pub fn from_file(
        weights: &Weights,
        path: &Path,
        device: &NnDevice,
    ) -> Result<Self, WeightsError> {
        weights.read_as(NETWORK, path, |weights| {
            Self::new(&AuWeights::unpack(weights)?, device)
        })
    }

    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn new(weights: &AuWeights, device: &NnDevice) -> Result<Self, String> {
        let outputs = weights.vocabulary.outputs();
        let member = |(number, tensors): (usize, &Tensors)| {
            AuFlow::from_tensors(tensors, outputs, device.handle())
                .map_err(|reason| format!("member {number}: {reason}"))
        };
        Ok(Self {
            members: weights
                .members
                .iter()
                .enumerate()
                .map(member)
                .collect::<Result<_, _>>()?,
            vocabulary: weights.vocabulary.clone(),
            fitted: weights.fitted.clone(),
            device: device.clone(),
        })
    }

    /// The networks that are asked together.
    #[must_use]
    pub fn members(&self) -> &[AuFlow] {
        &self.members
    }

    /// Where they run.
    #[must_use]
    pub fn device(&self) -> &NnDevice {
        &self.device
    }

    /// For each map what each member says of it and its mirror image, before the
    /// temperatures.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self, maps: &[&MotionMap]) -> Result<Vec<Vec<Logits>>, String> {
        let mut said: Vec<Vec<Logits>> = vec![Vec::new(); maps.len()];
        for (maps, said) in maps.chunks(BATCH).zip(said.chunks_mut(BATCH)) {
            let mut values = Vec::with_capacity(2 * maps.len() * VALUES);
            for map in maps {
                map.append_compressed(&mut values);
            }
            for map in maps {
                map.mirrored().append_compressed(&mut values);
            }
            let data = TensorData::new(values, [2 * maps.len(), CHANNELS, SIDE, SIDE]);
            let input: Tensor<4> = Tensor::from_data(data, self.device.handle());
            for member in &self.members {
                let logits = member.forward(input.clone(), None);
                let logits = logits.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
                let rows: Vec<Logits> = logits
                    .chunks_exact(self.vocabulary.outputs())
                    .map(|row| Logits::of(row, &self.vocabulary))
                    .collect();
                let (plain, mirrored) = rows.split_at(maps.len());
                for ((said, own), mirror) in said.iter_mut().zip(plain).zip(mirrored) {
                    said.push(own.clone().with_mirror(mirror));
                }
            }
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::ActionUnit;

    fn weights(members: usize) -> AuWeights {
        let vocabulary = Vocabulary {
            units: [1, 2, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
            classes: ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .to_vec(),
        };
        let device = Device::flex();
        let member = || AuFlow::new(vocabulary.outputs(), &device);
        AuWeights {
            members: (0..members)
                .map(|_| parameters::tensors_of(&member()).unwrap())
                .collect(),
            fitted: Fitted {
                thresholds: vec![0.4, 0.5, 0.6],
                abstain_above: 0.8,
                ..Fitted::none(3)
            },
            vocabulary,
        }
    }

    fn map() -> MotionMap {
        MotionMap::from_values((0..VALUES).map(|i| (i * 37 % 101) as f32 - 50.0).collect())
    }

    #[test]
    fn a_file_gives_back_what_was_packed_and_the_same_logits() {
        let weights = weights(2);
        let packed = weights.pack(String::new(), String::new(), BTreeMap::new());
        let back = AuWeights::unpack(&packed).unwrap();
        assert_eq!(back, weights);
        let device = NnDevice::flex();
        let say = |weights| {
            let reader = AuReader::new(weights, &device).unwrap();
            reader.logits(&[&map(), &map().mirrored()]).unwrap()
        };
        let said = say(&weights);
        assert_eq!(said, say(&back));
        assert_eq!((said.len(), said[0].len()), (2, 2));
        assert_ne!(said[0][0], said[0][1]);
        // A mirrored face has the same units on the other side.
        for (own, mirror) in said[0][0].units.iter().zip(&said[1][0].units) {
            assert!((own[0] - mirror[0]).abs() < 1e-4);
            assert!((own[1] - mirror[2]).abs() < 1e-4 && (own[2] - mirror[1]).abs() < 1e-4);
        }
    }

    #[test]
    fn what_a_card_does_not_say_or_says_wrongly_is_named() {
        let good = weights(1).pack(String::new(), String::new(), BTreeMap::new());
        let wrong = |name: &str, value: Option<&str>| {
            let mut bad = good.clone();
            match value {
                Some(value) => bad.card.settings.insert(name.to_owned(), value.to_owned()),
                None => bad.card.settings.remove(name),
            };
            AuWeights::unpack(&bad).unwrap_err()
        };
        assert!(wrong("units", None).contains("does not say 'units'"));
        assert!(wrong("units", Some("1 x")).contains("units = '1 x'"));
        assert!(wrong("unit thresholds", Some("0.5")).contains("unit thresholds"));
        assert!(wrong("class temperature", Some("0")).contains("class temperature"));
    }
}
