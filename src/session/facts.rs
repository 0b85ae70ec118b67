//! How a recording is analysed, in words for summaries and reports.

use serde::{Deserialize, Serialize};

use super::pipeline::Pipeline;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;
use crate::timeline::event::RecognitionSource;

/// What a pipeline consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisFacts {
    pub scores: [KindSource; 2],
    /// Over the last 60 frame intervals, gaps left out; `None` at the start.
    pub measured_fps: Option<f64>,
    /// What says what moved; `None` where nobody asked.
    pub recognition: Option<RecognitionSource>,
    pub landmark_model: String,
    /// The adapter that computes the flow; `None` for the processor.
    pub flow_adapter: Option<String>,
    /// Where the networks run; `None` without a network.
    pub network_device: Option<String>,
}

/// What scores one kind of expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindSource {
    pub kind: ExpressionKind,
    pub source: ScoreSource,
    /// `None` where this kind is not looked for, and before the rate is known.
    pub window_frames: Option<u64>,
}

impl AnalysisFacts {
    /// As they are now: windows and rate are known once frames have been seen.
    #[must_use]
    pub fn of(pipeline: &Pipeline) -> Self {
        Self {
            scores: ExpressionKind::BOTH.map(|kind| KindSource {
                kind,
                source: pipeline.score_source(kind),
                window_frames: pipeline.window_frames(kind),
            }),
            measured_fps: pipeline.measured_fps(),
            recognition: pipeline.recognition(),
            landmark_model: pipeline.landmark_model(),
            flow_adapter: pipeline.flow_adapter(),
            network_device: pipeline.network_device().map(str::to_owned),
        }
    }
}

#[cfg(test)]
impl AnalysisFacts {
    /// Of an analysis without a network.
    pub(crate) fn of_the_control() -> Self {
        Self {
            scores: ExpressionKind::BOTH.map(|kind| KindSource {
                kind,
                source: ScoreSource::Control,
                window_frames: None,
            }),
            measured_fps: None,
            recognition: None,
            landmark_model: "compact".into(),
            flow_adapter: None,
            network_device: None,
        }
    }
}
