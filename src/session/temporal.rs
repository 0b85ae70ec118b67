//! A temporal network at work: it takes windows as they are measured and gives their
//! scores once it has seen half a second more.

use std::collections::VecDeque;

use super::device::Sides;
use super::params::Speaker;
use super::{Params, SessionError};
use crate::model::motion_sequence::{self, Moving, STEP_VALUES, STEPS_PER_SEC};
use crate::model::motion_tcn::{LOOK_AHEAD, LOOK_BACK, MotionTcns, OUTPUTS};
use crate::motion::grid::FlowGrid;
use crate::motion::lucas_kanade::CellFlow;
use crate::nn::{NnDevice, Weights, inventory, shipped};
use crate::spotting::params::BothRuns;
use crate::spotting::{ExpressionKind, ScoreSample};
use crate::timeline::ScoreSource;

/// Steps that are scored in one go, always the same ones whatever waits: so that a
/// score does not depend on how the frames came.
const TOGETHER: usize = 8;
/// Windows older than this before the next step are done with.
const KEEP_SECS: f64 = 0.5;

/// Windows of one kind that steps still to come can need.
#[derive(Debug, Default)]
struct Recent {
    windows: VecDeque<Moving>,
    /// Up to this moment all windows have been told.
    known_secs: Option<f64>,
}

/// MotionTCN over a recording, from its first frame on.
pub(super) struct Temporal {
    network: MotionTcns,
    device: NnDevice,
    source: ScoreSource,
    runs: BothRuns,
    kinds: [Recent; 2],
    /// What the network sees in the steps from number `first_kept` on, each by itself.
    vectors: Vec<f32>,
    first_kept: usize,
    /// Linear values of the steps that follow: built, and not yet looked at.
    values: Vec<f32>,
    /// Probabilities of the steps from number `first_scored` on.
    scores: VecDeque<[f32; OUTPUTS]>,
    first_scored: usize,
    /// Windows whose score is still to come, in the order they were told.
    waiting: VecDeque<ScoreSample>,
}

impl Temporal {
    /// The network that `params` ask for; `None` where none of this kind speaks.
    ///
    /// # Errors
    /// When the weights cannot be read or are of another network.
    pub(super) fn load(params: &Params, sides: &Sides) -> Result<Option<Self>, SessionError> {
        let Speaker::MotionTcn(own) = params.speaker(ExpressionKind::Macro) else {
            return Ok(None);
        };
        let (weights, name, sha256) = match own {
            Some(path) => {
                let weights = Weights::load(path)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let sha256 = inventory::sha256(&weights.to_bytes());
                (weights, name.into_owned(), sha256)
            }
            None => {
                let name = shipped::MOTION_TCN;
                let missing = || SessionError::NotShipped {
                    network: name.to_owned(),
                };
                let sha256 = inventory::sha256(shipped::bytes(name).ok_or_else(missing)?);
                let weights = shipped::weights(name)?.ok_or_else(missing)?;
                (weights, name.to_owned(), sha256)
            }
        };
        Self::new(&weights, &name, sha256, &sides.network).map(Some)
    }

    /// # Errors
    /// When the weights are of another network or say nothing of their thresholds.
    pub(super) fn new(
        weights: &Weights,
        name: &str,
        sha256: String,
        device: &NnDevice,
    ) -> Result<Self, SessionError> {
        let network = MotionTcns::from_weights(weights, device)?;
        Ok(Self {
            network,
            device: device.clone(),
            source: ScoreSource::MotionTcn {
                weights: name.to_owned(),
                sha256,
            },
            runs: BothRuns::from_settings(&weights.card.settings)
                .map_err(|reason| SessionError::Thresholds { reason })?,
            kinds: Default::default(),
            vectors: Vec::new(),
            first_kept: 0,
            values: Vec::new(),
            scores: VecDeque::new(),
            first_scored: 0,
            waiting: VecDeque::new(),
        })
    }

    pub(super) fn source(&self) -> ScoreSource {
        self.source.clone()
    }

    pub(super) fn device(&self) -> &str {
        self.device.name()
    }

    pub(super) fn runs(&self) -> BothRuns {
        self.runs
    }

    /// How long after a frame its windows' scores are there.
    pub(super) fn delay_secs(&self) -> f64 {
        (LOOK_AHEAD + TOGETHER) as f64 / STEPS_PER_SEC
    }

    /// Takes the next window of a kind with its flow, if it could be measured.
    pub(super) fn push(&mut self, sample: ScoreSample, motion: Option<(&FlowGrid, &CellFlow)>) {
        let recent = &mut self.kinds[index(sample.kind)];
        let secs = sample.centre_secs();
        recent.known_secs = Some(secs);
        if let Some((grid, cells)) = motion {
            recent.windows.push_back(Moving {
                secs,
                face: grid.without_head(),
                cells: cells.clone(),
            });
        }
        self.waiting.push_back(sample);
    }

    /// The windows whose scores can be told now, in the order they came. `on` says
    /// which kinds are looked for, `end` that nothing more comes.
    ///
    /// # Errors
    /// When the network's device fails.
    pub(super) fn ready(
        &mut self,
        on: [bool; 2],
        end: bool,
    ) -> Result<Vec<ScoreSample>, SessionError> {
        self.build(on, end);
        loop {
            let built = self.built();
            let scored = self.first_scored + self.scores.len();
            let waits_for = scored + TOGETHER + LOOK_AHEAD;
            if built >= waits_for || (end && built > scored) {
                self.score(scored, built.min(waits_for))?;
            } else {
                break;
            }
        }
        let mut ready = Vec::new();
        while let Some(sample) = self.waiting.front() {
            let at = sample.centre_secs() * STEPS_PER_SEC;
            let scored = self.first_scored + self.scores.len();
            // Both steps around it are needed.
            if !end && at.floor() as usize + 1 >= scored {
                break;
            }
            let output = index(sample.kind);
            let (score, apex) = (self.at(at, output), self.at(at, 2 + output));
            if let Some(sample) = self.waiting.pop_front() {
                ready.push(ScoreSample {
                    score,
                    apex: Some(apex),
                    ..sample
                });
            }
        }
        self.forget();
        Ok(ready)
    }

    /// Adds the steps whose windows are all known.
    fn build(&mut self, on: [bool; 2], end: bool) {
        let known = self.kinds.iter().zip(on).filter(|(_, on)| *on);
        let known = known.map(|(kind, _)| kind.known_secs);
        let latest = self
            .kinds
            .iter()
            .filter_map(|k| k.known_secs)
            .reduce(f64::max);
        let until = if end {
            latest
        } else {
            known.reduce(|a, b| Some(a?.min(b?))).flatten()
        };
        let Some(until) = until else { return };
        loop {
            let next = self.built();
            let at = next as f64 / STEPS_PER_SEC;
            if at > until {
                return;
            }
            let start = self.values.len();
            self.values.resize(start + STEP_VALUES, 0.0);
            let [macros, micros] = self.kinds.each_mut().map(|kind| {
                while kind.windows.get(1).is_some_and(|w| w.secs < at - KEEP_SECS) {
                    kind.windows.pop_front();
                }
                &*kind.windows.make_contiguous()
            });
            motion_sequence::fill(&mut self.values[start..], macros, micros, at);
        }
    }

    /// How many steps have been looked at since the recording began.
    fn seen(&self) -> usize {
        self.first_kept + self.vectors.len() / self.network.vector_len()
    }

    /// How many steps' windows are known.
    fn built(&self) -> usize {
        self.seen() + self.values.len() / STEP_VALUES
    }

    /// Scores the steps from `first` on that `built` steps allow. Each step is looked at
    /// once; only what they say together is reckoned anew over all that a score can see.
    fn score(&mut self, first: usize, built: usize) -> Result<(), SessionError> {
        let failed = |reason| SessionError::TemporalNetwork { reason };
        let new = built.saturating_sub(self.seen()) * STEP_VALUES;
        let new: Vec<f32> = self.values.drain(..new).collect();
        if !new.is_empty() {
            let seen = self.network.vectors(&new, &self.device).map_err(failed)?;
            self.vectors.extend(seen);
        }
        let from = first.saturating_sub(LOOK_BACK).max(self.first_kept);
        let width = self.network.vector_len();
        let vectors = &self.vectors[(from - self.first_kept) * width..][..(built - from) * width];
        let scores = (self.network.over_time(vectors, &self.device)).map_err(failed)?;
        let new = scores.iter().skip(first - from).take(TOGETHER);
        self.scores.extend(new.copied());
        Ok(())
    }

    /// Linear between two steps.
    fn at(&self, step: f64, output: usize) -> f64 {
        let score = |step: usize| {
            let at = step.saturating_sub(self.first_scored);
            let score = self.scores.get(at).or(self.scores.back());
            score.map_or(0.0, |s| f64::from(s[output]))
        };
        let (low, share) = (step.max(0.0).floor(), step.max(0.0).fract());
        score(low as usize) * (1.0 - share) + score(low as usize + 1) * share
    }

    fn forget(&mut self) {
        let scored = self.first_scored + self.scores.len();
        let needed = scored.saturating_sub(LOOK_BACK);
        if needed > self.first_kept + 2 * LOOK_BACK {
            // What comes before the last scored step has been looked at.
            let width = self.network.vector_len();
            self.vectors.drain(..(needed - self.first_kept) * width);
            self.first_kept = needed;
        }
        let oldest = self.waiting.iter().map(ScoreSample::centre_secs);
        let oldest = oldest.fold(f64::INFINITY, f64::min) * STEPS_PER_SEC;
        while self.scores.len() > 1 && (self.first_scored as f64) + 2.0 < oldest {
            self.scores.pop_front();
            self.first_scored += 1;
        }
    }
}

fn index(kind: ExpressionKind) -> usize {
    match kind {
        ExpressionKind::Macro => 0,
        ExpressionKind::Micro => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::model::motion_sequence::MotionSequence;
    use crate::model::motion_tcn::{INPUT, MotionTcn, NETWORK};
    use crate::motion::grid::{CELL_VALUES, CELLS};
    use crate::nn::parameters;
    use crate::nn::weights::{FORMAT_VERSION, WeightsCard};

    const FPS: f64 = 25.0;

    fn weights() -> Weights {
        let network = MotionTcn::new(&NnDevice::flex());
        Weights {
            card: WeightsCard {
                network: NETWORK.to_owned(),
                format_version: FORMAT_VERSION,
                kind: None,
                source: String::new(),
                trained_on: String::new(),
                input: INPUT.to_owned(),
                settings: BothRuns::default().to_settings(),
            },
            tensors: parameters::tensors_of(&network).unwrap(),
        }
    }

    /// Windows of both kinds in the order in which they close; those that begin in the
    /// third second were not measured.
    fn windows() -> Vec<(ScoreSample, Option<(FlowGrid, CellFlow)>)> {
        let mut told = Vec::new();
        for (kind, k) in [(ExpressionKind::Macro, 15), (ExpressionKind::Micro, 5)] {
            for first in 0..500_u64 - k {
                let secs = |frame: u64| Timestamp::from_secs(frame as f64 / FPS);
                let sample = ScoreSample {
                    kind,
                    window_start_frame: first,
                    window_end_frame: first + k,
                    start: secs(first),
                    end: secs(first + k),
                    score: 0.0,
                    strain: 0.0,
                    apex: None,
                    masked: None,
                    motion: None,
                };
                let value = |i: usize| ((first as usize * 31 + i * 7) % 101) as f32 * 0.02 - 1.0;
                let values: Vec<f32> = (0..CELLS * CELL_VALUES)
                    .map(|i| if i % CELL_VALUES == 3 { 1.0 } else { value(i) })
                    .collect();
                let measured = !(75..100).contains(&first);
                let flows = || {
                    (
                        FlowGrid::from_values(&values),
                        CellFlow::from_values(&values),
                    )
                };
                told.push((sample, measured.then(flows)));
            }
        }
        told.sort_by_key(|(s, _)| (s.window_end_frame, s.kind));
        told
    }

    fn scores(weights: &Weights, batch: usize) -> Vec<ScoreSample> {
        let device = NnDevice::flex();
        let mut temporal = Temporal::new(weights, "test", String::new(), &device).unwrap();
        let mut ready = Vec::new();
        for batch in windows().chunks(batch) {
            for (sample, grid) in batch {
                temporal.push(
                    sample.clone(),
                    grid.as_ref().map(|(grid, cells)| (grid, cells)),
                );
            }
            ready.extend(temporal.ready([true; 2], false).unwrap());
        }
        ready.extend(temporal.ready([true; 2], true).unwrap());
        ready
    }

    #[test]
    fn scores_do_not_depend_on_how_the_windows_came() {
        let weights = weights();
        let one_by_one = scores(&weights, 1);
        assert_eq!(one_by_one.len(), windows().len());
        for batch in [7, 64, usize::MAX] {
            assert_eq!(scores(&weights, batch), one_by_one, "{batch} together");
        }
    }

    #[test]
    fn scores_at_work_are_those_of_the_whole_recording() {
        let weights = weights();
        let device = NnDevice::flex();
        let moving = |kind| -> Vec<Moving> {
            let of = windows().into_iter().filter(|(s, _)| s.kind == kind);
            of.filter_map(|(s, flows)| {
                let (grid, cells) = flows?;
                Some(Moving {
                    secs: s.centre_secs(),
                    face: grid.without_head(),
                    cells,
                })
            })
            .collect()
        };
        let (macros, micros) = (moving(ExpressionKind::Macro), moving(ExpressionKind::Micro));
        let last = micros.last().unwrap().secs;
        let sequence = MotionSequence::new(&macros, &micros, 0.0, last);
        let network = MotionTcns::from_weights(&weights, &device).unwrap();
        let steps = network.probabilities(sequence.values(), &device).unwrap();
        for sample in scores(&weights, 16) {
            let at = sequence.step_at(sample.centre_secs());
            let output = index(sample.kind);
            let (low, share) = (at.floor() as usize, at.fract());
            let high = (low + 1).min(steps.len() - 1);
            let wanted = f64::from(steps[low][output]) * (1.0 - share)
                + f64::from(steps[high][output]) * share;
            assert!(
                (sample.score - wanted).abs() < 1e-5,
                "{} at {at}, not {wanted}",
                sample.score
            );
        }
    }
}
