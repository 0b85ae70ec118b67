//! The networks' weights files, and trained networks at work.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Architecture, Expression, Network};
use crate::model::card_settings::setting;
use crate::model::face_pictures::View;
use crate::model::outputs::{Fitted, Logits, Vocabulary};
use crate::nn::members;
use crate::nn::parameters::Tensors;
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard, WeightsError};

/// Expressions judged in one go: bounds the memory.
const BATCH: usize = 16;

/// What a weights file of these networks holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionWeights {
    pub architecture: Architecture,
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    pub members: Vec<Tensors>,
}

impl ExpressionWeights {
    /// As a file, with what the card says besides.
    #[must_use]
    pub fn pack(
        &self,
        source: String,
        trained_on: String,
        more: BTreeMap<String, String>,
    ) -> Weights {
        let outputs = outputs(&self.vocabulary);
        let mut settings = more;
        settings.insert("members".to_owned(), self.members.len().to_string());
        settings.extend(self.architecture.with_outputs(outputs).settings());
        settings.extend(self.vocabulary.settings());
        settings.extend(self.fitted.settings());
        // UAMRN's options count logits under this name.
        settings.insert("classes".to_owned(), self.vocabulary.classes.join(" "));
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
            tensors: members::joined(&self.members),
        }
    }

    /// From a file's contents.
    ///
    /// # Errors
    /// Says what is missing or makes no sense.
    pub fn unpack(weights: &Weights) -> Result<Self, String> {
        let vocabulary = Vocabulary::from_settings(&weights.card.settings)?;
        let fitted = Fitted::from_settings(&weights.card.settings, &vocabulary)?;
        let count = members::counted(setting(&weights.card.settings, "members")?)?;
        let mut card = weights.card.clone();
        let outputs = outputs(&vocabulary).to_string();
        card.settings.insert("classes".to_owned(), outputs);
        Ok(Self {
            architecture: Architecture::of(&card)?,
            vocabulary,
            fitted,
            members: members::parted(&weights.tensors, count, &[])?,
        })
    }
}

/// How many logits these networks have: one a unit, one a class.
#[must_use]
pub fn outputs(vocabulary: &Vocabulary) -> usize {
    vocabulary.units.len() + vocabulary.classes.len()
}

/// A trained network, ready to judge.
#[derive(Debug)]
pub struct ExpressionReader {
    pub architecture: Architecture,
    members: Vec<Network>,
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    device: NnDevice,
}

impl ExpressionReader {
    /// From a file's contents; `path` is what messages name.
    ///
    /// # Errors
    /// When the weights are damaged or belong to another network.
    pub fn from_file(
        weights: &Weights,
        path: &Path,
        device: &NnDevice,
    ) -> Result<Self, WeightsError> {
        weights.read_as(&weights.card.network.clone(), path, |weights| {
            Self::new(&ExpressionWeights::unpack(weights)?, device)
        })
    }

    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn new(weights: &ExpressionWeights, device: &NnDevice) -> Result<Self, String> {
        let outputs = outputs(&weights.vocabulary);
        let member = |(number, tensors): (usize, &Tensors)| {
            Network::from_tensors(weights.architecture, tensors, outputs, device.handle())
                .map_err(|reason| format!("member {number}: {reason}"))
        };
        Ok(Self {
            architecture: weights.architecture,
            members: (weights.members.iter().enumerate())
                .map(member)
                .collect::<Result<_, _>>()?,
            vocabulary: weights.vocabulary.clone(),
            fitted: weights.fitted.clone(),
            device: device.clone(),
        })
    }

    /// The networks that are asked together.
    #[must_use]
    pub fn members(&self) -> &[Network] {
        &self.members
    }

    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &NnDevice {
        &self.device
    }

    /// For each expression what each member says of it, before the temperatures. Both
    /// halves of a unit have the whole one's logit: these networks tell no side.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self, expressions: &[Expression]) -> Result<Vec<Vec<Logits>>, String> {
        let mut said: Vec<Vec<Logits>> = vec![Vec::new(); expressions.len()];
        let steps = match self.architecture {
            Architecture::LedSssNet(options) | Architecture::LedResNet18(options) => {
                Architecture::steps(options)
            }
            _ => Vec::new(),
        };
        for (some, said) in expressions.chunks(BATCH).zip(said.chunks_mut(BATCH)) {
            let views = vec![View::default(); some.len()];
            let steps = |_| steps.clone();
            let input = (self.architecture).input_of(some, &views, &steps, self.device.handle());
            for member in &self.members {
                let logits = member.logits(input.clone());
                let logits = logits.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
                let rows = logits.chunks_exact(outputs(&self.vocabulary));
                for (said, row) in said.iter_mut().zip(rows) {
                    said.push(Logits::of_whole_units(row, &self.vocabulary));
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
    use crate::model::face_pictures::{BYTES, FacePictures};
    use crate::model::motion_map::{MotionMap, VALUES};

    fn weights(architecture: Architecture) -> ExpressionWeights {
        let vocabulary = Vocabulary {
            units: [1, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
            classes: ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .to_vec(),
        };
        let mut turn = 0.0_f64;
        let draw = |_, bound: f64, count| {
            let next = |_| {
                turn += 0.7;
                (bound * turn.sin()) as f32
            };
            (0..count).map(next).collect()
        };
        ExpressionWeights {
            architecture,
            members: vec![architecture.started(outputs(&vocabulary), draw)],
            fitted: Fitted::none(2),
            vocabulary,
        }
    }

    #[test]
    fn every_network_goes_through_a_file_and_says_the_same() {
        let bytes = (0..BYTES).map(|i| (i * 31 % 251) as u8).collect();
        let pictures = FacePictures::from_bytes(bytes).unwrap();
        let map =
            MotionMap::from_values((0..VALUES).map(|i| (i * 37 % 101) as f32 - 50.0).collect());
        let expression = Expression {
            map: &map,
            pictures: &pictures,
        };
        let device = NnDevice::flex();
        for architecture in Architecture::all() {
            let network = architecture.network();
            assert_eq!(Architecture::named(network), Some(architecture));
            let weights = weights(architecture);
            let packed = weights.pack(String::new(), String::new(), BTreeMap::new());
            let back = ExpressionWeights::unpack(&packed).unwrap();
            assert!(back.members == weights.members, "{network}");
            assert_eq!(back.vocabulary, weights.vocabulary);
            let say = |weights| {
                let reader = ExpressionReader::new(weights, &device).unwrap();
                reader.logits(&[expression, expression]).unwrap()
            };
            let said = say(&weights);
            assert!(said == say(&back), "{network}");
            assert_eq!((said[0][0].units.len(), said[0][0].classes.len()), (2, 3));
            assert!(said[0][0].classes.iter().all(|v| v.is_finite()));
        }
    }
}
