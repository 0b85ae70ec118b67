//! What a scorer of spotting is worth on labelled recordings: hits and false alarms by
//! the protocol, and the thresholds that serve it best on recordings it did not learn.

use rayon::prelude::*;

use super::corpus::Example;
use crate::base::Plane;
use crate::dataset::{LabelledEvent, LabelledRecording};
use crate::metrics::spotting::{Interval, Mode, Ranked, SpottingScore, Video, score_videos};
use crate::model::motion_tcn::{MotionTcns, OUTPUTS};
use crate::model::softnet::{CHANNELS, SoftNet};
use crate::nn::NnDevice;
use crate::session::decoding::Decoder;
use crate::session::params::DecodeMode;
use crate::spotting::params::{BothRuns, RunParams};
use crate::spotting::{
    DecodeInput, DecodeParams, ExpressionKind, ScoreLevels, ScoreSample, SpottedInterval, decode,
};

/// The recording's windows with a temporal network's scores instead of the control
/// signal; only what could not be measured stays masked.
///
/// # Errors
/// When the device fails.
pub fn scored(
    example: &Example,
    network: &MotionTcns,
    device: &NnDevice,
) -> Result<Vec<ScoreSample>, String> {
    let sequence = example.sequence();
    let steps = network.probabilities(sequence.values(), device)?;
    let at = |secs: f64, output: usize| between(&steps, sequence.step_at(secs), output);
    let mut samples = Vec::new();
    for (output, kind) in ExpressionKind::BOTH.into_iter().enumerate() {
        let windows = example.features.windows(kind);
        for (sample, measured) in windows.samples.iter().zip(&windows.measured) {
            let secs = sample.centre_secs();
            samples.push(ScoreSample {
                score: at(secs, output),
                apex: Some(at(secs, 2 + output)),
                masked: sample.masked.filter(|_| !measured),
                ..sample.clone()
            });
        }
    }
    Ok(samples)
}

/// Linear between two steps.
fn between(steps: &[[f32; OUTPUTS]], at: f64, output: usize) -> f64 {
    let Some(last) = steps.len().checked_sub(1) else {
        return 0.0;
    };
    let at = at.clamp(0.0, last as f64);
    let (low, share) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(last);
    f64::from(steps[low][output]) * (1.0 - share) + f64::from(steps[high][output]) * share
}

/// Hits and misses of one kind over all recordings.
#[must_use]
pub fn judged(
    examples: &[&Example],
    spotted: &[Vec<SpottedInterval>],
    kind: ExpressionKind,
) -> SpottingScore {
    score_videos(&videos(&labels(examples), spotted, kind), Mode::Strict)
}

/// The recordings of these examples.
#[must_use]
pub fn labels<'a>(examples: &[&'a Example]) -> Vec<&'a LabelledRecording> {
    examples.iter().map(|e| &e.recording).collect()
}

/// Claims and truths of one kind, a recording each.
#[must_use]
pub fn videos(
    recordings: &[&LabelledRecording],
    spotted: &[Vec<SpottedInterval>],
    kind: ExpressionKind,
) -> Vec<Video> {
    (recordings.iter().zip(spotted))
        .map(|(recording, spotted)| Video {
            predictions: (spotted.iter().filter(|i| i.kind == kind))
                .map(|i| Ranked {
                    interval: Interval::new(i.onset as i64, i.offset as i64),
                    score: i.score,
                })
                .collect(),
            truths: (recording.events.iter())
                .filter(|e| e.kind == kind)
                .map(|e| Interval::new(e.onset as i64, e.offset as i64))
                .collect(),
        })
        .collect()
}

/// Minutes of recording.
#[must_use]
pub fn minutes(examples: &[&Example]) -> f64 {
    examples.iter().map(|e| e.secs()).sum::<f64>() / 60.0
}

/// What all but a twentieth of the labelled expressions of a kind reach of the control
/// signal; 0 where there are none.
#[must_use]
pub fn least_strain(examples: &[&Example], kind: ExpressionKind) -> f64 {
    let reached = |example: &Example, event: &LabelledEvent| {
        let [start, end] = [event.onset, event.offset].map(|frame| example.secs_of(frame));
        let within = (example.features.windows(kind).samples.iter())
            .filter(|s| (start..=end).contains(&s.centre_secs()));
        within.map(|s| s.strain).reduce(f64::max)
    };
    let mut reached: Vec<f64> = (examples.iter())
        .flat_map(|e| e.recording.events.iter().map(move |event| (*e, event)))
        .filter(|(_, event)| event.kind == kind)
        .filter_map(|(example, event)| reached(example, event))
        .collect();
    reached.sort_by(f64::total_cmp);
    reached.get(reached.len() / 20).copied().unwrap_or(0.0)
}

/// The run parameters with the best F1 for each kind on these recordings, searched one
/// number after another; the defaults for a kind that none of them shows.
#[must_use]
pub fn fitted(
    examples: &[&Example],
    scores: &[Vec<ScoreSample>],
    [macro_strain, micro_strain]: [f64; 2],
) -> BothRuns {
    let mut best = BothRuns::default();
    best.macro_runs.least_strain = macro_strain;
    best.micro_runs.least_strain = micro_strain;
    let shown = |kind: &ExpressionKind| {
        let mut events = examples.iter().flat_map(|e| &e.recording.events);
        events.any(|event| event.kind == *kind)
    };
    for _ in 0..2 {
        // Of a kind that nobody shows all thresholds are worth the same.
        for kind in ExpressionKind::BOTH.into_iter().filter(shown) {
            for vary in VARIED {
                let f1 = |runs: &RunParams| {
                    let params = with(&best, kind, *runs);
                    let spotted = spotted(scores, &params);
                    let micro = judged(examples, &spotted, ExpressionKind::Micro);
                    let macros = judged(examples, &spotted, ExpressionKind::Macro);
                    micro.f1 + macros.f1
                };
                let now = *best.of(kind);
                let mut candidates = vec![now];
                candidates.extend(vary(now));
                let worth: Vec<f64> = candidates.par_iter().map(f1).collect();
                let top = worth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                // Of equals the one in the middle: thresholds on an edge are luck.
                let equal: Vec<usize> = (0..worth.len()).filter(|&i| worth[i] == top).collect();
                let chosen = candidates[equal[equal.len() / 2]];
                best = with(&best, kind, chosen).runs;
            }
        }
    }
    best
}

/// The recording's windows with SOFTNet's scores for one kind, the control signal for
/// the other.
///
/// # Errors
/// When the device fails or the features are without inputs.
pub fn scored_by_softnet(
    example: &Example,
    kind: ExpressionKind,
    network: &SoftNet,
    device: &NnDevice,
) -> Result<Vec<ScoreSample>, String> {
    let mut samples = Vec::new();
    for of in ExpressionKind::BOTH {
        let windows = example.features.windows(of);
        if of != kind {
            samples.extend(windows.samples.iter().cloned());
            continue;
        }
        let inputs: Vec<Option<[Plane; CHANNELS]>> = (0..windows.samples.len())
            .map(|window| windows.scaled_input(window))
            .collect();
        let known: Vec<[&Plane; CHANNELS]> =
            inputs.iter().flatten().map(|i| i.each_ref()).collect();
        let scores = network.score(&known, device).map_err(|e| e.to_string())?;
        let mut scores = scores.into_iter();
        for (sample, input) in windows.samples.iter().zip(&inputs) {
            let score = input.as_ref().and_then(|_| scores.next());
            samples.push(ScoreSample {
                score: score.map_or(0.0, f64::from),
                ..sample.clone()
            });
        }
    }
    Ok(samples)
}

/// The floor with which SOFTNet finds a kind best on these recordings, and its score
/// there.
///
/// # Errors
/// As [`scored_by_softnet`].
pub fn fitted_floor(
    examples: &[&Example],
    kind: ExpressionKind,
    network: &SoftNet,
    device: &NnDevice,
) -> Result<(f64, SpottingScore), String> {
    let scores: Vec<Vec<ScoreSample>> = (examples.par_iter())
        .map(|e| scored_by_softnet(e, kind, network, device))
        .collect::<Result<_, _>>()?;
    let floors: Vec<f64> = (1..60).map(|i| f64::from(i) * 0.025).collect();
    let worth: Vec<SpottingScore> = (floors.par_iter())
        .map(|&floor| {
            let decoder = softnet_decoder(DecodeMode::Default, &[(kind, Some(floor))]);
            let spotted: Vec<_> = scores.iter().map(|s| decoder.whole(s).0).collect();
            judged(examples, &spotted, kind)
        })
        .collect();
    let top = worth.iter().map(|s| s.f1).fold(f64::NEG_INFINITY, f64::max);
    let equal: Vec<usize> = (0..worth.len()).filter(|&i| worth[i].f1 == top).collect();
    let chosen = equal[equal.len() / 2];
    Ok((floors[chosen], worth[chosen].clone()))
}

/// The decoding where SOFTNets score these kinds, with the floors that they have.
#[must_use]
pub fn softnet_decoder(mode: DecodeMode, kinds: &[(ExpressionKind, Option<f64>)]) -> Decoder {
    let known = |kind| kinds.iter().find(move |(k, _)| *k == kind);
    let floor = |kind| known(kind)?.1;
    Decoder::Windows {
        mode,
        networks: ExpressionKind::BOTH.map(|kind| known(kind).is_some()),
        floors: ScoreLevels {
            macro_score: floor(ExpressionKind::Macro),
            micro_score: floor(ExpressionKind::Micro),
        },
    }
}

type Vary = fn(RunParams) -> Vec<RunParams>;

const VARIED: [Vary; 5] = [
    |now| {
        // Close to 1 in finer steps: planted expressions are far more common than real
        // ones, so a network that learns from them is sure of itself too soon.
        let peaks = (6..=19).map(|i| f64::from(i) * 0.05);
        let peaks = peaks.chain([0.96, 0.97, 0.98, 0.985, 0.99, 0.993]);
        let edge = now.edge / now.peak;
        peaks
            .map(|peak| RunParams {
                peak,
                edge: peak * edge,
                ..now
            })
            .collect()
    },
    |now| {
        let shares = (4..=19).map(|i| f64::from(i) * 0.05);
        shares
            .map(|share| RunParams {
                edge: now.peak * share,
                ..now
            })
            .collect()
    },
    |now| {
        let secs = (-4..=4).map(|i| f64::from(i) / 60.0);
        secs.map(|widen_secs| RunParams { widen_secs, ..now })
            .collect()
    },
    |now| {
        let secs = [0.0, 0.04, 0.07, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2];
        secs.into_iter()
            .map(|bridge_secs| RunParams { bridge_secs, ..now })
            .collect()
    },
    |now| {
        let secs = [0.06, 0.08, 0.1, 0.13, 0.2, 0.3, 0.4, 0.5];
        secs.into_iter()
            .map(|shortest_secs| RunParams {
                shortest_secs,
                ..now
            })
            .collect()
    },
];

fn with(runs: &BothRuns, kind: ExpressionKind, new: RunParams) -> DecodeParams {
    let mut runs = *runs;
    match kind {
        ExpressionKind::Macro => runs.macro_runs = new,
        ExpressionKind::Micro => runs.micro_runs = new,
    }
    DecodeParams {
        runs,
        ..DecodeParams::probability()
    }
}

/// Each recording decoded.
#[must_use]
pub fn spotted(scores: &[Vec<ScoreSample>], params: &DecodeParams) -> Vec<Vec<SpottedInterval>> {
    let decoded = |scores: &Vec<ScoreSample>| {
        let input = DecodeInput {
            scores,
            control: None,
        };
        decode(&input, params).intervals
    };
    scores.iter().map(decoded).collect()
}
