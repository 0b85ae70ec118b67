//! Whether an analysis would be made the same way again.

use super::facts::AnalysisFacts;
use super::params::DeviceChoice;
use super::pipeline::Pipeline;
use super::{Params, Resources, SessionError};
use crate::spotting::ExpressionKind;
use crate::timeline::event::RecognitionSource;

impl AnalysisFacts {
    /// What an analysis with `params` would consist of, without a frame: every network is
    /// loaded on the processor, which costs less than a second.
    ///
    /// # Errors
    /// As [`Pipeline::new`].
    pub fn planned(params: &Params) -> Result<Self, SessionError> {
        let mut params = params.clone();
        params.device = DeviceChoice::Cpu;
        let resources = Resources::load(&params)?;
        Ok(Self::of(&Pipeline::new(&params, &resources)?))
    }

    /// In what an analysis made with `params` as these facts say differs from another;
    /// empty where it would tell the same. Where it runs makes no difference.
    #[must_use]
    pub fn differences(
        &self,
        params: &Params,
        (others, other): (&Params, &Self),
    ) -> Vec<&'static str> {
        let source = |facts: &Self, kind| {
            let of_kind = facts.scores.iter().find(|s| s.kind == kind);
            of_kind.map(|s| s.source.clone())
        };
        let scores = |kind| source(self, kind) == source(other, kind);
        // The second look is named by itself.
        let reads = |facts: &Self| {
            let first = facts.recognition.clone();
            first.map(|read| RecognitionSource {
                second_look: Vec::new(),
                ..read
            })
        };
        let looks = |facts: &Self| {
            let read = facts.recognition.as_ref();
            read.map_or_else(Vec::new, |r| r.second_look.clone())
        };
        let windows = (params.windows, params.stride_in_use());
        [
            (
                "what scores micro-expressions",
                scores(ExpressionKind::Micro),
            ),
            (
                "what scores macro-expressions",
                scores(ExpressionKind::Macro),
            ),
            ("the decoding", params.decode == others.decode),
            ("the optical flow", params.flow == others.flow),
            (
                "the windows",
                windows == (others.windows, others.stride_in_use()),
            ),
            (
                "what reads action units and classes",
                reads(self) == reads(other),
            ),
            ("the second look", looks(self) == looks(other)),
            (
                "the landmark model",
                self.landmark_model == other.landmark_model,
            ),
            ("the frames a second", params.fps == others.fps),
        ]
        .into_iter()
        .filter_map(|(what, same)| (!same).then_some(what))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::tvl1::Tvl1Preset;
    use crate::session::params::DecodeMode;
    use crate::timeline::ScoreSource;

    #[test]
    fn where_it_runs_is_no_difference_and_everything_else_is_named() {
        let (params, mine) = (Params::default(), AnalysisFacts::of_the_control());
        let there = AnalysisFacts {
            measured_fps: Some(30.0),
            flow_adapter: Some("a card".into()),
            network_device: Some("a card".into()),
            ..mine.clone()
        };
        let card = Params {
            device: DeviceChoice::Gpu,
            ..Params::default()
        };
        assert!(mine.differences(&params, (&card, &there)).is_empty());
        let mut other = mine.clone();
        other.scores[1].source = ScoreSource::SoftNet {
            weights: "own".into(),
            sha256: "00".into(),
        };
        let changed = Params {
            decode: DecodeMode::Compat,
            flow: Tvl1Preset::Live,
            ..Params::default()
        };
        let found = mine.differences(&params, (&changed, &other));
        let expected = [
            "what scores micro-expressions",
            "the decoding",
            "the optical flow",
        ];
        assert!(
            expected.iter().all(|what| found.contains(what)),
            "{found:?}"
        );
    }
}
