//! From probabilities to expressions: what decodes a temporal network, whose score
//! says for each moment how surely it lies in an expression.
//!
//! Such a score needs no smoothing and no quiet level: it has a unit, and its
//! thresholds were fitted on recordings of known truth. An expression is a run above
//! the lower threshold that reaches the upper one (hysteresis); its apex is where the
//! network sees one.

use super::offline::Decoding;
use super::params::{DecodeParams, RunParams};
use super::quiet::KindThreshold;
use super::signal::{FrameClock, ScoreSample, Stretch};
use super::{ExpressionKind, IntervalStatus, SpottedInterval};

/// Moments further apart than this do not belong together.
const GAP_SECS: f64 = 0.15;
/// Two intervals that share more than this part of the shorter one are one event.
const SAME_EVENT: f64 = 0.4;

/// A run of one kind, in seconds.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    onset: f64,
    apex: f64,
    offset: f64,
    score: f64,
    kind: ExpressionKind,
}

pub(super) fn decode_probability(samples: &[ScoreSample], params: &DecodeParams) -> Decoding {
    let mut runs = Vec::new();
    let mut thresholds = Vec::new();
    for kind in ExpressionKind::BOTH {
        let mut mine: Vec<&ScoreSample> = (samples.iter())
            .filter(|s| s.kind == kind && s.usable())
            .collect();
        if mine.is_empty() {
            continue;
        }
        mine.sort_by(|a, b| a.centre_secs().total_cmp(&b.centre_secs()));
        let rules = params.runs.of(kind);
        thresholds.push(KindThreshold {
            kind,
            value: rules.peak,
            quiet: None,
            floor: Some(rules.peak),
            ceiling: None,
        });
        let whole = joined(found(&mine, rules), rules);
        runs.extend(whole.into_iter().filter(|run| stretches(run, &mine, rules)));
    }
    let longest = params.longest_micro_secs;
    runs.retain_mut(|run| fits(run, params.runs.of(run.kind), longest));
    let runs = apart(runs, params);
    let clock = FrameClock::new(samples);
    let intervals = runs
        .iter()
        .filter_map(|run| interval(run, &clock, samples))
        .collect();
    Decoding {
        intervals,
        thresholds,
    }
}

/// Runs above the edge that reach the peak, in time order.
fn found(samples: &[&ScoreSample], rules: &RunParams) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open: Option<(Run, f64)> = None;
    let mut before: Option<&ScoreSample> = None;
    for sample in samples {
        let at = sample.centre_secs();
        let last = before.filter(|b| at - b.centre_secs() <= GAP_SECS);
        if last.is_none() {
            runs.extend(open.take().map(|(run, _)| run));
        }
        if sample.score < rules.edge {
            if let (Some((mut run, _)), Some(last)) = (open.take(), last) {
                run.offset = crossing(last, sample, rules.edge);
                runs.push(run);
            }
        } else {
            let apex = sample.apex.unwrap_or(sample.score);
            let (run, highest) = open.get_or_insert_with(|| {
                let onset = last.map_or(at, |last| crossing(last, sample, rules.edge));
                let run = Run {
                    onset,
                    apex: at,
                    offset: at,
                    score: 0.0,
                    kind: sample.kind,
                };
                (run, f64::NEG_INFINITY)
            });
            run.offset = at;
            run.score = run.score.max(sample.score);
            if apex > *highest {
                (run.apex, *highest) = (at, apex);
            }
        }
        before = Some(sample);
    }
    runs.extend(open.map(|(run, _)| run));
    runs
}

/// When the score passes `level` between two samples.
fn crossing(a: &ScoreSample, b: &ScoreSample, level: f64) -> f64 {
    let (from, to) = (a.centre_secs(), b.centre_secs());
    let way = b.score - a.score;
    if way == 0.0 {
        return 0.5 * (from + to);
    }
    from + (to - from) * ((level - a.score) / way).clamp(0.0, 1.0)
}

/// Neighbours that only a short dip parts are one; what stays below the peak goes.
fn joined(runs: Vec<Run>, rules: &RunParams) -> Vec<Run> {
    let mut whole: Vec<Run> = Vec::new();
    for run in runs {
        match whole.last_mut() {
            Some(open) if run.onset - open.offset <= rules.bridge_secs => {
                open.offset = run.offset;
                if run.score > open.score {
                    (open.score, open.apex) = (run.score, run.apex);
                }
            }
            _ => whole.push(run),
        }
    }
    whole.retain(|run| run.score >= rules.peak);
    whole
}

/// Whether the skin moves at all where the network sees an expression.
fn stretches(run: &Run, samples: &[&ScoreSample], rules: &RunParams) -> bool {
    let within = samples
        .iter()
        .filter(|s| (run.onset..=run.offset).contains(&s.centre_secs()));
    within.map(|s| s.strain).fold(0.0, f64::max) >= rules.least_strain
}

/// Shorter than expressions are: nothing. A little longer than a micro-expression can
/// be: cut to its middle; much longer: not one.
fn fits(run: &mut Run, rules: &RunParams, longest_micro: f64) -> bool {
    // What the network sees early or late by, on average of the training's.
    run.onset -= rules.widen_secs;
    run.offset += rules.widen_secs;
    let length = run.offset - run.onset;
    if length < rules.shortest_secs {
        return false;
    }
    if run.kind == ExpressionKind::Micro && length > longest_micro {
        if length > 1.3 * longest_micro {
            return false;
        }
        let cut = 0.5 * (length - longest_micro);
        run.onset += cut;
        run.offset -= cut;
    }
    run.apex = run.apex.clamp(run.onset, run.offset);
    true
}

/// Of runs that overlap the surer one stays, by how far above its threshold it is.
fn apart(mut runs: Vec<Run>, params: &DecodeParams) -> Vec<Run> {
    let surety = |run: &Run| {
        let peak = params.runs.of(run.kind).peak;
        (run.score - peak) / (1.0 - peak).max(f64::MIN_POSITIVE)
    };
    runs.sort_by(|a, b| {
        surety(b)
            .total_cmp(&surety(a))
            .then(a.onset.total_cmp(&b.onset))
    });
    let mut kept: Vec<Run> = Vec::new();
    for run in runs {
        let shared = |other: &Run| {
            let both = run.offset.min(other.offset) - run.onset.max(other.onset);
            let shorter = (run.offset - run.onset).min(other.offset - other.onset);
            both / shorter.max(f64::MIN_POSITIVE)
        };
        if kept.iter().all(|other| shared(other) <= SAME_EVENT) {
            kept.push(run);
        }
    }
    kept.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.kind.cmp(&b.kind)));
    for i in 1..kept.len() {
        let (before, after) = kept.split_at_mut(i);
        let (before, after) = (&mut before[i - 1], &mut after[0]);
        if after.onset < before.offset {
            let middle = 0.5 * (after.onset + before.offset);
            (before.offset, after.onset) = (middle, middle);
            before.apex = before.apex.min(before.offset);
            after.apex = after.apex.max(after.onset);
        }
    }
    kept
}

fn interval(run: &Run, clock: &FrameClock, samples: &[ScoreSample]) -> Option<SpottedInterval> {
    let all = Stretch {
        first: samples.iter().map(|s| s.window_start_frame).min()?,
        last: samples.iter().map(|s| s.window_end_frame).max()?,
        start_secs: 0.0,
        end_secs: 0.0,
    };
    let [onset, apex, offset] =
        [run.onset, run.apex, run.offset].map(|secs| clock.frame_at(secs, &all));
    (offset > onset).then_some(SpottedInterval {
        kind: run.kind,
        onset,
        apex: apex.clamp(onset, offset),
        offset,
        score: run.score,
        status: IntervalStatus::Proposed,
        provisional: false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::offline::{DecodeInput, decode};
    use super::*;
    use crate::base::Timestamp;

    fn samples(kind: ExpressionKind, score: impl Fn(f64) -> f64) -> Vec<ScoreSample> {
        let reach = if kind == ExpressionKind::Macro { 9 } else { 3 };
        (0..300_u64)
            .map(|first| {
                let (start, end) = (first as f64 / 30.0, (first + 2 * reach) as f64 / 30.0);
                ScoreSample {
                    kind,
                    window_start_frame: first,
                    window_end_frame: first + 2 * reach,
                    start: Timestamp::from_secs(start),
                    end: Timestamp::from_secs(end),
                    score: score(0.5 * (start + end)),
                    strain: 0.0,
                    apex: None,
                    masked: None,
                    motion: None,
                }
            })
            .collect()
    }

    fn intervals(samples: &[ScoreSample]) -> Vec<(ExpressionKind, u64, u64)> {
        let input = DecodeInput {
            scores: samples,
            control: None,
        };
        let decoding = decode(&input, &DecodeParams::probability());
        let of = decoding.intervals.iter();
        of.map(|i| (i.kind, i.onset, i.offset)).collect()
    }

    fn block(from: f64, to: f64, height: f64) -> impl Fn(f64) -> f64 {
        move |t| {
            if (from..to).contains(&t) {
                height
            } else {
                0.02
            }
        }
    }

    #[test]
    fn a_block_becomes_an_interval_of_its_frames() {
        let micro = samples(ExpressionKind::Micro, block(4.0, 4.3, 0.99));
        let found = intervals(&micro);
        assert_eq!(found.len(), 1);
        let (kind, onset, offset) = found[0];
        assert_eq!(kind, ExpressionKind::Micro);
        assert!(
            onset.abs_diff(120) <= 1 && offset.abs_diff(129) <= 1,
            "{found:?}"
        );
    }

    #[test]
    fn a_weak_block_and_a_quiet_recording_give_nothing() {
        assert!(intervals(&samples(ExpressionKind::Micro, block(4.0, 4.3, 0.2))).is_empty());
        assert!(intervals(&samples(ExpressionKind::Macro, |_| 0.01)).is_empty());
        assert!(intervals(&[]).is_empty());
    }

    #[test]
    fn one_event_that_both_kinds_see_is_one_interval() {
        let mut both = samples(ExpressionKind::Micro, block(4.0, 4.4, 0.8));
        both.extend(samples(ExpressionKind::Macro, block(3.9, 5.5, 0.99)));
        let found = intervals(&both);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, ExpressionKind::Macro);
    }

    #[test]
    fn what_stretches_no_skin_is_no_expression_however_sure_the_network_is() {
        let mut params = DecodeParams::probability();
        params.runs.macro_runs.least_strain = 0.006;
        let found = |strain: f64| {
            let mut samples = samples(ExpressionKind::Macro, block(3.0, 5.0, 0.99));
            samples[130].strain = strain;
            let input = DecodeInput {
                scores: &samples,
                control: None,
            };
            decode(&input, &params).intervals.len()
        };
        assert_eq!((found(0.004), found(0.007)), (0, 1));
    }

    #[test]
    fn a_long_block_is_no_micro_expression() {
        assert!(intervals(&samples(ExpressionKind::Micro, block(4.0, 6.0, 0.99))).is_empty());
    }
}
