//! What turns the motion of a window into a score: a network, or the control signal.

use std::path::Path;

use super::SessionError;
use super::device::Sides;
use super::params::Speaker;
use crate::base::Plane;
use crate::gpu::GpuContext;
use crate::model::softnet::{self, CHANNELS, SoftNet};
use crate::motion::pipeline::{WindowInput, WindowMotion};
use crate::motion::roi::INPUT_SIDE;
use crate::nn::device::NnDevice;
use crate::nn::{inventory, shipped};
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// Scores windows of one kind of expression.
pub enum Scorer {
    /// Strain over the ROIs, no network (S4's control): its mean, or for the
    /// published decoding the sum as coded.
    Control { as_coded: bool },
    SoftNet {
        network: Box<SoftNet>,
        device: Box<NnDevice>,
        /// The card that makes the network's input, if one does.
        card: Option<Box<GpuContext>>,
        source: ScoreSource,
        /// See [`softnet::FLOOR`].
        floor: Option<f64>,
    },
}

impl Scorer {
    /// What speaks for a kind; a temporal network's windows are given the control
    /// signal first.
    ///
    /// # Errors
    /// When the weights are unreadable, of another network, or for the other kind.
    pub fn load(
        kind: ExpressionKind,
        speaker: Speaker<'_>,
        as_coded: bool,
        sides: &Sides,
    ) -> Result<Self, SessionError> {
        let Speaker::SoftNet(path) = speaker else {
            return Ok(Self::Control { as_coded });
        };
        let shipped = shipped::softnet(kind.name());
        let path = path.unwrap_or(Path::new(shipped));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let (network, loaded) = match shipped::weights(&name)?.filter(|_| name == shipped) {
            Some(weights) => {
                let network = SoftNet::new(&sides.network).with_weights(&weights, &sides.network);
                let missing = |reason| SessionError::NotShipped { network: reason };
                (network.map_err(missing)?, weights)
            }
            None if name == shipped => {
                return Err(SessionError::NotShipped { network: name });
            }
            None => SoftNet::load(path, &sides.network)?,
        };
        if let Some(made_for) = &loaded.card.kind
            && made_for != kind.name()
        {
            return Err(SessionError::OtherKind {
                path: path.to_owned(),
                found: made_for.clone(),
                wanted: kind,
            });
        }
        let sha256 = inventory::sha256(&loaded.to_bytes());
        let source = ScoreSource::SoftNet {
            weights: name,
            sha256,
        };
        Ok(Self::SoftNet {
            network: Box::new(network),
            device: Box::new(sides.network.clone()),
            card: sides.card.clone().map(Box::new),
            source,
            floor: (loaded.card.settings.get(softnet::FLOOR)).and_then(|f| f.parse().ok()),
        })
    }

    #[must_use]
    pub fn source(&self) -> ScoreSource {
        match self {
            Self::Control { .. } => ScoreSource::Control,
            Self::SoftNet { source, .. } => source.clone(),
        }
    }

    /// The least score that counts, where the weights say it.
    #[must_use]
    pub fn floor(&self) -> Option<f64> {
        match self {
            Self::Control { .. } => None,
            Self::SoftNet { floor, .. } => *floor,
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
                network,
                device,
                card,
                ..
            } => {
                let scores = match (card, on_card(windows)) {
                    (Some(card), Some((inputs, first))) => {
                        let image = (CHANNELS * INPUT_SIDE * INPUT_SIDE * size_of::<f32>()) as u64;
                        let offset = first as u64 * image;
                        network.score_on_card(card, device, inputs, offset, windows.len())?
                    }
                    _ => network.score(&in_memory(windows)?, device)?,
                };
                Ok(scores.into_iter().map(f64::from).collect())
            }
        }
    }
}

/// The buffer that holds all inputs one after another, and the place of the first.
fn on_card<'a>(windows: &[&'a WindowMotion]) -> Option<(&'a wgpu::Buffer, usize)> {
    let place = |window: &&'a WindowMotion| match &window.input {
        WindowInput::OnCard { inputs, index } => Some((inputs, *index)),
        WindowInput::Planes(_) => None,
    };
    let (buffer, first) = windows.first().and_then(place)?;
    let in_order = windows
        .iter()
        .zip(first..)
        .all(|(w, at)| place(w) == Some((buffer, at)));
    in_order.then_some((buffer, first))
}

fn in_memory<'a>(windows: &[&'a WindowMotion]) -> Result<Vec<[&'a Plane; CHANNELS]>, SessionError> {
    let planes = |window: &&'a WindowMotion| {
        let planes = window.input.planes();
        planes.ok_or(SessionError::InputElsewhere)
    };
    windows.iter().map(planes).collect()
}
