//! What turns the motion of a window into a score: a network, or the control signal.

use std::path::Path;

use super::SessionError;
use crate::model::softnet::SoftNet;
use crate::motion::pipeline::WindowMotion;
use crate::nn::device::NnDevice;
use crate::nn::inventory;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// Scores windows of one kind of expression.
pub enum Scorer {
    /// Strain over the ROIs, no network (S4's control): its mean, or for the
    /// published decoding the sum as coded.
    Control { as_coded: bool },
    SoftNet {
        network: Box<SoftNet>,
        device: NnDevice,
        source: ScoreSource,
    },
}

impl Scorer {
    /// The network of a weights file, or the control signal where none is chosen.
    ///
    /// # Errors
    /// When the file is unreadable, of another network, or for the other kind.
    pub fn load(
        kind: ExpressionKind,
        weights: Option<&Path>,
        as_coded: bool,
        device: &NnDevice,
    ) -> Result<Self, SessionError> {
        let Some(path) = weights else {
            return Ok(Self::Control { as_coded });
        };
        let (network, loaded) = SoftNet::load(path, device)?;
        if let Some(made_for) = &loaded.card.kind
            && made_for != kind.name()
        {
            return Err(SessionError::OtherKind {
                path: path.to_owned(),
                found: made_for.clone(),
                wanted: kind,
            });
        }
        let name = path
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let sha256 = inventory::sha256(&loaded.to_bytes());
        let source = ScoreSource::SoftNet {
            weights: name,
            sha256,
        };
        Ok(Self::SoftNet {
            network: Box::new(network),
            device: device.clone(),
            source,
        })
    }

    #[must_use]
    pub fn source(&self) -> ScoreSource {
        match self {
            Self::Control { .. } => ScoreSource::Control,
            Self::SoftNet { source, .. } => source.clone(),
        }
    }

    /// Where the network runs; `None` without one.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Control { .. } => None,
            Self::SoftNet { device, .. } => Some(device.name()),
        }
    }

    /// One score a window, in order.
    ///
    /// # Errors
    /// When the network's device fails.
    pub fn score(&self, windows: &[&WindowMotion]) -> Result<Vec<f64>, SessionError> {
        match self {
            Self::Control { as_coded: false } => Ok(windows.iter().map(|w| w.control()).collect()),
            Self::Control { as_coded: true } => {
                Ok(windows.iter().map(|w| w.strain_as_coded).collect())
            }
            Self::SoftNet { .. } if windows.is_empty() => Ok(Vec::new()),
            Self::SoftNet {
                network, device, ..
            } => {
                let inputs: Vec<_> = windows.iter().map(|w| w.input.each_ref()).collect();
                let scores = network.score(&inputs, device)?;
                Ok(scores.into_iter().map(f64::from).collect())
            }
        }
    }
}
