//! From the scores of both kinds to intervals, whichever mixture of networks and
//! control signal made them.

use super::params::DecodeMode;
use crate::spotting::offline::{DecodeInput, decode};
use crate::spotting::params::BothRuns;
use crate::spotting::signal::ScoreSample;
use crate::spotting::{DecodeParams, ExpressionKind, ScoreLevels, SpottedInterval};

/// Which kinds a network scores: macro, micro.
pub type Networks = [bool; 2];

/// Settings for the default or the published decoding of a network or the control.
fn params(mode: DecodeMode, network: bool, floors: ScoreLevels) -> DecodeParams {
    let base = if network {
        // A score whose unit is known needs no quiet level: above its floor it counts.
        DecodeParams {
            floors,
            ceilings: floors,
            ..DecodeParams::network()
        }
    } else {
        DecodeParams::control()
    };
    let mode = match mode {
        DecodeMode::Default => crate::spotting::DecodeMode::Default,
        DecodeMode::Compat => crate::spotting::DecodeMode::Compat,
    };
    DecodeParams { mode, ..base }
}

/// How the scores of an analysis become intervals.
#[derive(Debug, Clone)]
pub enum Decoder {
    /// Each window has a score of its own.
    Windows {
        mode: DecodeMode,
        networks: Networks,
        /// The networks' own floors, where their weights have them.
        floors: ScoreLevels,
    },
    /// A temporal network's probabilities, with the thresholds of its weights.
    Temporal(BothRuns),
}

impl Decoder {
    /// Settings of the live decoding.
    #[must_use]
    pub fn live(&self) -> DecodeParams {
        match self {
            Self::Windows {
                mode,
                networks,
                floors,
            } => params(*mode, networks.iter().all(|n| *n), *floors),
            Self::Temporal(runs) => DecodeParams {
                runs: *runs,
                ..DecodeParams::probability()
            },
        }
    }

    /// Decodes a whole recording, by onset, with the threshold of each kind.
    #[must_use]
    pub fn whole(
        &self,
        samples: &[ScoreSample],
    ) -> (Vec<SpottedInterval>, Vec<(ExpressionKind, f64)>) {
        match self {
            Self::Windows {
                mode,
                networks,
                floors,
            } => whole(samples, *mode, *networks, *floors),
            Self::Temporal(_) => {
                let input = DecodeInput {
                    scores: samples,
                    control: None,
                };
                let decoding = decode(&input, &self.live());
                let thresholds = decoding.thresholds.iter().map(|t| (t.kind, t.value));
                (decoding.intervals, thresholds.collect())
            }
        }
    }
}

/// Decodes a whole recording, by onset, with the threshold of each kind.
///
/// Where a network scores one kind and the control signal the other, each is decoded
/// by its own rules and gives the intervals of its own kind.
fn whole(
    samples: &[ScoreSample],
    mode: DecodeMode,
    networks: Networks,
    floors: ScoreLevels,
) -> (Vec<SpottedInterval>, Vec<(ExpressionKind, f64)>) {
    let mut intervals = Vec::new();
    let mut thresholds = Vec::new();
    let control: Vec<ScoreSample> = samples
        .iter()
        .map(|s| ScoreSample {
            score: match s.kind {
                ExpressionKind::Macro if networks[0] => s.strain,
                ExpressionKind::Micro if networks[1] => s.strain,
                _ => s.score,
            },
            ..s.clone()
        })
        .collect();
    for network in [false, true] {
        let kinds: Vec<ExpressionKind> = ExpressionKind::BOTH
            .into_iter()
            .zip(networks)
            .filter(|(_, n)| *n == network)
            .map(|(k, _)| k)
            .collect();
        if kinds.is_empty() {
            continue;
        }
        // The control's micro-decoding reads the macro-windows too, and the other
        // way round; a network's kinds stand alone.
        let mine: Vec<ScoreSample> = if network {
            samples
                .iter()
                .filter(|s| kinds.contains(&s.kind))
                .cloned()
                .collect()
        } else {
            control.clone()
        };
        let input = DecodeInput {
            scores: &mine,
            control: network.then_some(control.as_slice()),
        };
        let decoding = decode(&input, &params(mode, network, floors));
        intervals.extend(
            decoding
                .intervals
                .iter()
                .filter(|i| kinds.contains(&i.kind))
                .cloned(),
        );
        thresholds.extend(
            decoding
                .thresholds
                .iter()
                .filter(|t| kinds.contains(&t.kind))
                .map(|t| (t.kind, t.value)),
        );
    }
    intervals.sort_by_key(|i| (i.onset, i.offset, i.kind));
    thresholds.sort_by_key(|t| t.0);
    (intervals, thresholds)
}
