//! Spotting on labelled recordings in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::corpus::Example;
use super::judge::{self, videos};
use crate::metrics::apex::{ApexError, FoundApex, apex_error};
use crate::metrics::spotting::{Mode, SpottingScore, matches};
use crate::spotting::{ExpressionKind, SpottedInterval};

/// One kind of expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindReport {
    #[serde(flatten)]
    pub score: SpottingScore,
    pub false_alarms_a_minute: f64,
    pub apex: ApexError,
    /// Of the truths whose peak is known: how many there are and were found, by
    /// `low–high` px of the 128×128 crop.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub recall_by_peak_px: BTreeMap<String, Found>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Found {
    pub truths: usize,
    pub found: usize,
}

/// What `onset evaluate` of a spotting network writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpottingReport {
    pub network: String,
    pub protocol: String,
    pub recordings: usize,
    pub minutes: f64,
    /// Recordings without any labelled expression, and their spots of either kind.
    pub quiet_recordings: usize,
    pub spots_in_quiet_recordings: usize,
    #[serde(rename = "macro")]
    pub macros: KindReport,
    #[serde(rename = "micro")]
    pub micros: KindReport,
    pub seed: Option<u64>,
    pub settings: BTreeMap<String, String>,
}

/// Peaks of expressions in px, by recording, kind and onset frame.
pub type Peaks = BTreeMap<(String, ExpressionKind, u64), f64>;

/// Edges of the classes of peaks, px.
const PEAKS_PX: [f64; 8] = [0.0, 0.3, 0.45, 0.6, 0.8, 1.0, 2.0, 4.0];

impl KindReport {
    /// Compares the spots of one kind with the truth.
    #[must_use]
    pub fn of(
        examples: &[Example],
        spotted: &[Vec<SpottedInterval>],
        kind: ExpressionKind,
        peaks: &Peaks,
    ) -> Self {
        let score = judge::judged(examples, spotted, kind);
        let mut apexes = Vec::new();
        let mut by_peak: BTreeMap<String, Found> = BTreeMap::new();
        let videos = videos(examples, spotted, kind);
        for ((example, spotted), video) in examples.iter().zip(spotted).zip(&videos) {
            let spots: Vec<&SpottedInterval> = spotted.iter().filter(|i| i.kind == kind).collect();
            let recording = &example.recording;
            let truths: Vec<_> = recording.events.iter().filter(|e| e.kind == kind).collect();
            let pairs = matches(video, Mode::Strict);
            for &(spot, truth) in &pairs {
                if let Some(apex) = truths[truth].apex {
                    apexes.push(FoundApex {
                        predicted: spots[spot].apex as i64,
                        truth: apex as i64,
                        onset: truths[truth].onset as i64,
                        offset: truths[truth].offset as i64,
                    });
                }
            }
            for (at, truth) in truths.iter().enumerate() {
                let name = (recording.recording.clone(), kind, truth.onset);
                let Some(peak) = peaks.get(&name) else {
                    continue;
                };
                let found = by_peak.entry(class_of(*peak)).or_default();
                found.truths += 1;
                found.found += usize::from(pairs.iter().any(|p| p.1 == at));
            }
        }
        Self {
            false_alarms_a_minute: score.fp as f64
                / judge::minutes(examples).max(f64::MIN_POSITIVE),
            score,
            apex: apex_error(&apexes),
            recall_by_peak_px: by_peak,
        }
    }
}

fn class_of(peak: f64) -> String {
    let at = PEAKS_PX.partition_point(|&edge| edge <= peak).max(1);
    match PEAKS_PX.get(at) {
        Some(high) => format!("{}–{high}", PEAKS_PX[at - 1]),
        None => format!("{} and more", PEAKS_PX[at - 1]),
    }
}

impl SpottingReport {
    #[must_use]
    pub fn of(
        network: &str,
        protocol: &str,
        examples: &[Example],
        spotted: &[Vec<SpottedInterval>],
        peaks: &Peaks,
    ) -> Self {
        let quiet: Vec<usize> = (examples.iter().zip(spotted))
            .filter(|(example, _)| example.recording.events.is_empty())
            .map(|(_, spotted)| spotted.len())
            .collect();
        Self {
            network: network.to_owned(),
            protocol: protocol.to_owned(),
            recordings: examples.len(),
            minutes: judge::minutes(examples),
            quiet_recordings: quiet.len(),
            spots_in_quiet_recordings: quiet.iter().sum(),
            macros: KindReport::of(examples, spotted, ExpressionKind::Macro, peaks),
            micros: KindReport::of(examples, spotted, ExpressionKind::Micro, peaks),
            seed: None,
            settings: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_fall_into_their_classes() {
        assert_eq!(class_of(0.3), "0.3–0.45");
        assert_eq!(class_of(0.99), "0.8–1");
        assert_eq!(class_of(7.0), "4 and more");
        assert_eq!(class_of(0.0), "0–0.3");
    }
}
