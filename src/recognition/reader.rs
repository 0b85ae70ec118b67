//! From the motion of an expression to what the networks say of it.

use std::path::{Path, PathBuf};

use super::{Attention, ClassReading, ExpressionMotion, Recognition, UnitReading};
use crate::explain::calibration::Temperature;
use crate::explain::grad_cam::ActivationMap;
use crate::explain::uncertainty::{self, UncertaintyError};
use crate::explain::units::{self, Method};
use crate::facs::Side;
use crate::model::au_flow::{AuReader, Fitted, Logits, Vocabulary, has_halves};
use crate::model::motion_map::MotionMap;
use crate::nn::{NnDevice, Weights, WeightsError, shipped};

/// Why motion could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("The action units cannot be computed on {device}: {reason}. Use --device cpu")]
    Device { device: String, reason: String },
    #[error("The action units make no sense: {0}. Choose other weights")]
    Opinions(#[from] UncertaintyError),
}

/// The networks that say what moved.
#[derive(Debug)]
pub struct FaceReader {
    network: AuReader,
    name: String,
    sha256: String,
    device: String,
}

impl FaceReader {
    /// With the weights in a file, or the shipped ones.
    ///
    /// # Errors
    /// When they are no weights of this network or damaged.
    pub fn load(path: Option<&Path>, device: &NnDevice) -> Result<Self, ReaderError> {
        let (name, weights) = match path {
            Some(path) => {
                let stem = path.file_stem().unwrap_or(path.as_os_str());
                (stem.to_string_lossy().into_owned(), Weights::load(path)?)
            }
            None => (
                shipped::AU_FLOW.to_owned(),
                shipped::whole(shipped::AU_FLOW)?,
            ),
        };
        let path = path.map_or_else(|| PathBuf::from(&name), Path::to_owned);
        Ok(Self {
            network: AuReader::from_file(&weights, &path, device)?,
            name,
            sha256: crate::nn::inventory::sha256(&weights.to_bytes()),
            device: device.name().to_owned(),
        })
    }

    /// With a network that is at hand.
    #[must_use]
    pub fn of(network: AuReader, name: &str, device: &NnDevice) -> Self {
        Self {
            network,
            name: name.to_owned(),
            sha256: String::new(),
            device: device.name().to_owned(),
        }
    }

    /// The weights' name and the hash of their file.
    #[must_use]
    pub fn weights(&self) -> (&str, &str) {
        (&self.name, &self.sha256)
    }

    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// What was fitted on subjects held out: thresholds and temperatures.
    #[must_use]
    pub fn fitted(&self) -> &Fitted {
        &self.network.fitted
    }

    /// Numbers of the units it knows, in the order in which they are read.
    #[must_use]
    pub fn units(&self) -> &[crate::facs::ActionUnit] {
        &self.network.vocabulary.units
    }

    /// Names of the classes it knows.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.network.vocabulary.classes
    }

    /// Which places speak for the unit of [`Self::likeliest`], over the 28×28 cells of
    /// the motion's framing.
    ///
    /// # Errors
    /// When the device fails.
    pub fn attention(
        &self,
        motion: &ExpressionMotion,
        recognition: &Recognition,
    ) -> Result<Option<Attention>, ReaderError> {
        let Some(at) = Self::likeliest(recognition) else {
            return Ok(None);
        };
        let map = self.attention_for(motion, at, Method::default())?;
        Ok(Some(Attention {
            unit: recognition.units[at].unit,
            map: map.map,
            framing: motion.framing,
        }))
    }

    /// The place of the likeliest unit that is present, or of the likeliest of all where
    /// none is: whose attention is shown.
    #[must_use]
    pub fn likeliest(recognition: &Recognition) -> Option<usize> {
        let units = recognition.units.iter().enumerate();
        let likeliest = units.max_by(|(_, a), (_, b)| {
            let by_presence = a.present.cmp(&b.present);
            by_presence.then(a.probability.total_cmp(&b.probability))
        });
        likeliest.map(|(at, _)| at)
    }

    /// Which places speak for the unit at this place of [`Self::units`].
    ///
    /// # Errors
    /// When the device fails.
    pub fn attention_for(
        &self,
        motion: &ExpressionMotion,
        unit: usize,
        method: Method,
    ) -> Result<ActivationMap, ReaderError> {
        let map = units::of_reader(&self.network, &motion.map, unit, method);
        map.map_err(|e| ReaderError::Device {
            device: self.device.clone(),
            reason: e.to_string(),
        })
    }

    /// What the network says of each of these movements.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read(&self, motions: &[&ExpressionMotion]) -> Result<Vec<Recognition>, ReaderError> {
        let maps: Vec<&MotionMap> = motions.iter().map(|m| &m.map).collect();
        let said = self.logits(&maps)?;
        said.iter().map(|members| self.judged(members)).collect()
    }

    /// What each member says of each map, before the temperatures.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self, maps: &[&MotionMap]) -> Result<Vec<Vec<Logits>>, ReaderError> {
        (self.network.logits(maps)).map_err(|reason| ReaderError::Device {
            device: self.device.clone(),
            reason,
        })
    }

    /// What the members' logits of one map come to.
    ///
    /// # Errors
    /// When they are no numbers.
    pub fn judged(&self, members: &[Logits]) -> Result<Recognition, ReaderError> {
        let (fitted, vocabulary) = (&self.network.fitted, &self.network.vocabulary);
        Ok(judged(members, vocabulary, fitted)?)
    }
}

/// What the members' logits of one movement come to, whichever network they are of.
///
/// # Errors
/// When they are no numbers.
pub(super) fn judged(
    members: &[Logits],
    vocabulary: &Vocabulary,
    fitted: &Fitted,
) -> Result<Recognition, UncertaintyError> {
    let count = members.len() as f64;
    let warmth = Temperature::new(fitted.unit_temperature).unwrap_or_default();
    let probability = |unit: usize, which: usize| {
        let sum: f64 = members
            .iter()
            .map(|m| f64::from(m.units[unit][which]))
            .sum();
        f64::from(warmth.presence_probabilities(&[(sum / count) as f32])[0])
    };
    let units: Vec<UnitReading> = (vocabulary.units.iter().enumerate())
        .map(|(at, &unit)| {
            let [acts, left, right] = [0, 1, 2].map(|which| probability(at, which));
            let present = acts >= fitted.thresholds[at];
            let moves = |half: f64| half >= fitted.side_threshold;
            // The picture's left half is the person's right.
            let side = match (moves(left), moves(right)) {
                (true, false) => Some(Side::Right),
                (false, true) => Some(Side::Left),
                _ => None,
            };
            UnitReading {
                unit,
                probability: acts,
                present,
                side: side.filter(|_| present && has_halves(unit)),
            }
        })
        .collect();
    let warmth = Temperature::new(fitted.class_temperature).unwrap_or_default();
    let class = if vocabulary.classes.is_empty() {
        None
    } else {
        let opinions: Vec<Vec<f32>> = (members.iter())
            .map(|member| warmth.class_probabilities(&member.classes))
            .collect();
        let joint = uncertainty::of_classes(&opinions)?;
        Some(ClassReading {
            classes: vocabulary.classes.clone(),
            probabilities: joint.mean.iter().map(|&p| f64::from(p)).collect(),
            uncertainty: joint.uncertainty,
            // The classes know no "nothing": where no unit moves, none is named.
            abstains: joint.uncertainty.total > fitted.abstain_above
                || units.iter().all(|u| !u.present),
        })
    };
    Ok(Recognition { units, class })
}
