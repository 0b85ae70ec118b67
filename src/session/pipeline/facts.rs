//! What may be asked of a pipeline besides its events.

use super::{KindState, Pipeline};
use crate::face::FaceTrack;
use crate::session::temporal::Temporal;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;
use crate::timeline::event::RecognitionSource;

impl Pipeline {
    /// Which signal speaks for a kind of expression.
    #[must_use]
    pub fn score_source(&self, kind: ExpressionKind) -> ScoreSource {
        if let Some(temporal) = &self.temporal {
            return temporal.source();
        }
        self.kind(kind)
            .map_or(ScoreSource::Control, |k| k.scorer.source())
    }

    /// Which weights say what moved; `None` where nobody wants to know.
    #[must_use]
    pub fn recognition(&self) -> Option<RecognitionSource> {
        self.recognition.clone()
    }

    /// The adapter that computes the flow; `None` for the processor.
    #[must_use]
    pub fn flow_adapter(&self) -> Option<String> {
        self.motion.engine().adapter()
    }

    /// Where the networks run; `None` without a network.
    #[must_use]
    pub fn network_device(&self) -> Option<&str> {
        let temporal = self.temporal.as_ref().map(Temporal::device);
        temporal.or_else(|| self.kinds.iter().find_map(|k| k.scorer.device()))
    }

    /// Length of a kind's window in frames at the measured rate; `None` where the
    /// kind is not looked for.
    #[must_use]
    pub fn window_frames(&self, kind: ExpressionKind) -> Option<u64> {
        let state = self.kind(kind).filter(|k| !k.off)?;
        Some((state.pairer.delta_secs() * self.cadence.fps()?).round() as u64)
    }

    #[must_use]
    pub fn measured_fps(&self) -> Option<f64> {
        self.cadence.fps()
    }

    #[must_use]
    pub fn landmark_model(&self) -> String {
        self.landmarks.name()
    }

    /// The face of the newest frame, for showing a camera live.
    #[must_use]
    pub fn last_track(&self) -> Option<&FaceTrack> {
        self.last_track.as_ref()
    }

    #[must_use]
    pub fn held_crop(&self) -> Option<u32> {
        self.held.as_ref().map(|h| h.id)
    }

    /// Seconds between a movement and the final word on it.
    #[must_use]
    pub fn decision_delay_secs(&self) -> f64 {
        let network = self.temporal.as_ref().map_or(0.0, Temporal::delay_secs);
        self.live.decision_delay_secs() + network
    }

    fn kind(&self, kind: ExpressionKind) -> Option<&KindState> {
        self.kinds.iter().find(|k| k.kind == kind)
    }
}
