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

use super::flow_input::SIDE;
use super::motion_map::{CHANNELS, MotionMap, VALUES};
use crate::facs::ActionUnit;
use crate::nn::convolution::{Then, convolved};
use crate::nn::members;
use crate::nn::parameters::{self, Tensors};
use crate::nn::pooling::{Fields, max_pooled};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard, WeightsError};

/// The network's name in weights files and on the command line.
pub const NETWORK: &str = "au-flow";
/// Filters of the two convolutions.
pub const FILTERS: [usize; 2] = [24, 48];
/// Values that enter the hidden layer: 48 maps of 7×7.
pub const FLAT: usize = FILTERS[1] * 7 * 7;
/// Nodes of the hidden layer.
pub const HIDDEN: usize = 64;
/// Logits of one unit: it acts, in the picture's left half, in its right half.
pub const OF_UNIT: usize = 3;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "3×28×28 (u, v, strain) of the flow from onset to apex, unmasked, \
    without the head's affine motion, in thousandths of the distance between the eyes; \
    inverse hyperbolic sine";

/// Maps judged in one go: bounds the memory.
const BATCH: usize = 64;

/// Whether a unit has two halves that can act alone; the others lie in the middle.
#[must_use]
pub fn has_halves(unit: ActionUnit) -> bool {
    !matches!(unit.number(), 8 | 16..=18 | 21..=31)
}

/// What the outputs of a network stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pub units: Vec<ActionUnit>,
    /// Names of the classes: three, five, seven, as the weights say.
    pub classes: Vec<String>,
}

impl Vocabulary {
    /// How many logits there are.
    #[must_use]
    pub fn outputs(&self) -> usize {
        OF_UNIT * self.units.len() + self.classes.len()
    }
}

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

/// Logits of one map, as one member gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// It acts, in the picture's left half, in its right half; unit by unit.
    pub units: Vec<[f32; OF_UNIT]>,
    pub classes: Vec<f32>,
}

impl Logits {
    fn of(values: &[f32], vocabulary: &Vocabulary) -> Self {
        let (units, classes) = values.split_at(OF_UNIT * vocabulary.units.len());
        Self {
            units: units.as_chunks().0.to_vec(),
            classes: classes.to_vec(),
        }
    }

    /// The mean with what was said of the mirrored map.
    fn with_mirror(mut self, mirror: &Self) -> Self {
        for (unit, other) in self.units.iter_mut().zip(&mirror.units) {
            let [acts, left, right] = *other;
            for (own, seen) in unit.iter_mut().zip([acts, right, left]) {
                *own = 0.5 * (*own + seen);
            }
        }
        for (own, seen) in self.classes.iter_mut().zip(&mirror.classes) {
            *own = 0.5 * (*own + seen);
        }
        self
    }
}

/// What was fitted on subjects that were not learnt from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Divides the units' logits (Guo et al. 2017).
    pub unit_temperature: f64,
    /// Divides the classes' logits.
    pub class_temperature: f64,
    /// From which probability on a unit is called present, unit by unit.
    pub thresholds: Vec<f64>,
    /// The same for the units' halves.
    pub side_threshold: f64,
    /// No class is named where its uncertainty (entropy over the logarithm of the
    /// number of classes) is larger.
    pub abstain_above: f64,
}

impl Fitted {
    /// Before anything is fitted.
    #[must_use]
    pub fn none(units: usize) -> Self {
        Self {
            unit_temperature: 1.0,
            class_temperature: 1.0,
            thresholds: vec![0.5; units],
            side_threshold: 0.5,
            abstain_above: 1.0,
        }
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
        let numbers = |values: &[f64]| {
            let words: Vec<String> = values.iter().map(|v| format!("{v:.4}")).collect();
            words.join(" ")
        };
        let units: Vec<String> = (self.vocabulary.units.iter())
            .map(|u| u.number().to_string())
            .collect();
        let fitted = &self.fitted;
        let own = [
            ("members", self.members.len().to_string()),
            ("units", units.join(" ")),
            ("classes", self.vocabulary.classes.join(" ")),
            ("unit temperature", numbers(&[fitted.unit_temperature])),
            ("class temperature", numbers(&[fitted.class_temperature])),
            ("unit thresholds", numbers(&fitted.thresholds)),
            ("side threshold", numbers(&[fitted.side_threshold])),
            ("abstain above", numbers(&[fitted.abstain_above])),
        ];
        settings.extend(own.map(|(name, value)| (name.to_owned(), value)));
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
        let setting = |name: &str| {
            let found = weights.card.settings.get(name).map(String::as_str);
            found.ok_or_else(|| format!("its card does not say '{name}'"))
        };
        let unknown = |name: &str, value: &str| format!("its card says {name} = '{value}'");
        let numbers = |name: &str, range: std::ops::RangeInclusive<f64>| {
            let text = setting(name)?;
            let values: Option<Vec<f64>> = text
                .split_whitespace()
                .map(|word| word.parse().ok().filter(|v| range.contains(v)))
                .collect();
            values.ok_or_else(|| unknown(name, text))
        };
        let number = |name: &str, range| match numbers(name, range)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(unknown(name, setting(name)?)),
        };
        let text = setting("units")?;
        let units: Option<Vec<ActionUnit>> = text
            .split_whitespace()
            .map(|word| word.parse().ok().and_then(ActionUnit::new))
            .collect();
        let units = units
            .filter(|units| !units.is_empty())
            .ok_or_else(|| unknown("units", text))?;
        let classes = setting("classes")?;
        let vocabulary = Vocabulary {
            units,
            classes: classes.split_whitespace().map(str::to_owned).collect(),
        };
        let thresholds = numbers("unit thresholds", 0.0..=1.0)?;
        if thresholds.len() != vocabulary.units.len() {
            return Err(unknown("unit thresholds", setting("unit thresholds")?));
        }
        let fitted = Fitted {
            unit_temperature: number("unit temperature", 0.01..=100.0)?,
            class_temperature: number("class temperature", 0.01..=100.0)?,
            thresholds,
            side_threshold: number("side threshold", 0.0..=1.0)?,
            abstain_above: number("abstain above", 0.0..=1.0)?,
        };
        let count = members::counted(setting("members")?)?;
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
