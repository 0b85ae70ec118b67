//! What turns the motion of a window into a score: a network, or the control signal.

use crate::model::softnet::SoftNet;
use crate::motion::pipeline::WindowMotion;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

use super::SessionError;

/// Scores windows of one kind of expression.
pub enum Scorer {
    /// Mean strain over the ROIs, no network (S4's control).
    Control,
    SoftNet { network: Box<SoftNet>, source: ScoreSource },
}

impl Scorer {
    #[must_use]
    pub fn source(&self) -> ScoreSource {
        match self {
            Self::Control => ScoreSource::Control,
            Self::SoftNet { source, .. } => source.clone(),
        }
    }

    /// One score a window, in order.
    ///
    /// # Errors
    /// When the network's device fails.
    pub fn score(&self, kind: ExpressionKind, windows: &[&WindowMotion]) -> Result<Vec<f64>, SessionError> {
        match self {
            Self::Control => Ok(windows.iter().map(|w| w.strain).collect()),
            Self::SoftNet { network, .. } => {
                let inputs: Vec<&[f32]> = windows.iter().map(|w| w.input.as_slice()).collect();
                let scores = network.score(&inputs).map_err(|e| SessionError::Network { kind, reason: e.to_string() })?;
                Ok(scores.into_iter().map(f64::from).collect())
            }
        }
    }
}
