//! One network that looks, with its weights.

use std::path::Path;

use super::magnified::magnified;
use super::rebuilt::rebuilt;
use super::tensors::NO_NUMBER;
use super::{SecondLookError, SecondOpinion};
use crate::facs::ActionUnit;
use crate::model::expression_network::{Architecture, Expression, ExpressionReader};
use crate::model::moext::{self, MoExtOptions, MoExtPretraining};
use crate::model::uamrn::DROPOUT;
use crate::nn::{NnDevice, Weights, inventory};
use crate::recognition::reader::judged;

/// A network of the second look.
#[derive(Debug)]
enum Looking {
    Reads {
        reader: Box<ExpressionReader>,
        /// Share that dropout leaves out, as in the training.
        dropout: f64,
    },
    Rebuilds(Box<MoExtPretraining>),
}

/// A network with its weights.
#[derive(Debug)]
pub struct LookingNetwork {
    weights: String,
    sha256: String,
    network: String,
    looking: Looking,
}

impl LookingNetwork {
    pub(super) fn load(path: &Path, device: &NnDevice) -> Result<Self, SecondLookError> {
        let weights = Weights::load(path)?;
        let network = weights.card.network.clone();
        let looking = if network == moext::PRETRAINING {
            let rebuilds = weights.read_as(moext::PRETRAINING, path, |weights| {
                let options = MoExtOptions::from_settings(&weights.card.settings)?;
                MoExtPretraining::from_tensors(&weights.tensors, options, device.handle())
            })?;
            Looking::Rebuilds(Box::new(rebuilds))
        } else if Architecture::named(&network).is_some() {
            let share = weights.card.settings.get("dropout");
            let share = share.and_then(|share| share.parse().ok());
            Looking::Reads {
                reader: Box::new(ExpressionReader::from_file(&weights, path, device)?),
                dropout: share
                    .filter(|share| (0.0..1.0).contains(share))
                    .unwrap_or(DROPOUT),
            }
        } else {
            let path = path.to_owned();
            return Err(SecondLookError::OtherNetwork { network, path });
        };
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        Ok(Self {
            weights: stem.to_string_lossy().into_owned(),
            sha256: inventory::sha256(&weights.to_bytes()),
            network,
            looking,
        })
    }

    /// The weights' name and the hash of their file.
    #[must_use]
    pub fn weights(&self) -> (&str, &str) {
        (&self.weights, &self.sha256)
    }

    /// Its name, as weights files have it.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The units that it reads, each with the probability from which on it is called
    /// present; none where it only rebuilds.
    #[must_use]
    pub fn units(&self) -> Vec<(ActionUnit, f64)> {
        match &self.looking {
            Looking::Reads { reader, .. } => {
                let units = reader.vocabulary.units.iter().copied();
                units.zip(reader.fitted.thresholds.clone()).collect()
            }
            Looking::Rebuilds(_) => Vec::new(),
        }
    }

    /// The classes that it reads.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        match &self.looking {
            Looking::Reads { reader, .. } => &reader.vocabulary.classes,
            Looking::Rebuilds(_) => &[],
        }
    }

    pub(super) fn look(
        &self,
        expression: Expression,
        device: &NnDevice,
    ) -> Result<SecondOpinion, SecondLookError> {
        let failed = |reason: String| SecondLookError::Failed {
            weights: self.weights.clone(),
            reason,
        };
        let mut opinion = SecondOpinion {
            weights: self.weights.clone(),
            network: self.network.clone(),
            recognition: None,
            magnified: None,
            rebuilt: None,
        };
        match &self.looking {
            Looking::Rebuilds(network) => {
                let rebuilt = rebuilt(network, expression, device).map_err(failed)?;
                opinion.rebuilt = Some(rebuilt);
            }
            Looking::Reads { reader, dropout } => {
                let said = reader.logits(&[expression]).map_err(failed)?;
                let members = said.into_iter().next().unwrap_or_default();
                let numbers = members.iter().flat_map(|member| {
                    let units = member.units.iter().flatten();
                    units.chain(&member.classes)
                });
                if !numbers.copied().all(f32::is_finite) {
                    return Err(failed(NO_NUMBER.to_owned()));
                }
                let recognition = judged(&members, &reader.vocabulary, &reader.fitted);
                let recognition = recognition.map_err(|reason| SecondLookError::Opinions {
                    weights: self.weights.clone(),
                    reason,
                })?;
                opinion.recognition = Some(recognition);
                opinion.magnified = magnified(reader, expression, *dropout).map_err(failed)?;
            }
        }
        Ok(opinion)
    }
}
