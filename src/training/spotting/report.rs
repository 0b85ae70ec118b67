//! Spotting on labelled recordings in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::judge::videos;
use crate::dataset::LabelledRecording;
use crate::metrics::apex::{ApexError, FoundApex, apex_error};
use crate::metrics::spotting::{Mode, SpottingScore, Video, matches, score_videos};
use crate::spotting::{ExpressionKind, SpottedInterval};

/// One kind of expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindReport {
    #[serde(flatten)]
    pub score: SpottingScore,
    /// False alarms by the minutes of all recordings; `None` in compat counting, which
    /// makes some up and leaves recordings out.
    pub false_alarms_a_minute: Option<f64>,
    pub apex: ApexError,
    /// Of the truths whose peak is known: how many there are and were found, by
    /// `low–high` px of the 128×128 crop.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub recall_by_peak_px: BTreeMap<String, Found>,
}

/// What is counted of one subject's recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub tp: usize,
    pub fp: usize,
    #[serde(rename = "fn")]
    pub fn_: usize,
}

impl Counts {
    fn of(videos: &[Video], mode: Mode) -> Self {
        let SpottingScore { tp, fp, fn_, .. } = score_videos(videos, mode);
        Self { tp, fp, fn_ }
    }
}

/// One subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SubjectReport {
    pub recordings: usize,
    #[serde(rename = "macro")]
    pub macros: Counts,
    #[serde(rename = "micro")]
    pub micros: Counts,
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
    /// How spots are counted.
    pub mode: Mode,
    pub recordings: usize,
    pub minutes: f64,
    /// Recordings without any labelled expression, and their spots of either kind.
    pub quiet_recordings: usize,
    pub spots_in_quiet_recordings: usize,
    #[serde(rename = "macro")]
    pub macros: KindReport,
    #[serde(rename = "micro")]
    pub micros: KindReport,
    /// Counts of both kinds added; a spot of the wrong kind is wrong.
    pub overall: SpottingScore,
    pub per_subject: BTreeMap<String, SubjectReport>,
    pub seed: Option<u64>,
    pub settings: BTreeMap<String, String>,
}

/// Peaks of expressions in px, by recording, kind and onset frame.
pub type Peaks = BTreeMap<(String, ExpressionKind, u64), f64>;

/// Edges of the classes of peaks, px.
const PEAKS_PX: [f64; 8] = [0.0, 0.3, 0.45, 0.6, 0.8, 1.0, 2.0, 4.0];

impl KindReport {
    /// Compares the spots of one kind with the truth.
    fn of(trial: &Trial, videos: &[Video], kind: ExpressionKind) -> Self {
        let mut apexes = Vec::new();
        let mut by_peak: BTreeMap<String, Found> = BTreeMap::new();
        for ((recording, spotted), video) in trial.recordings.iter().zip(trial.spotted).zip(videos)
        {
            let spots: Vec<&SpottedInterval> = spotted.iter().filter(|i| i.kind == kind).collect();
            let truths: Vec<_> = recording.events.iter().filter(|e| e.kind == kind).collect();
            let pairs = matches(video, trial.mode);
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
                let Some(peak) = trial.peaks.get(&name) else {
                    continue;
                };
                let found = by_peak.entry(class_of(*peak)).or_default();
                found.truths += 1;
                found.found += usize::from(pairs.iter().any(|p| p.1 == at));
            }
        }
        let score = score_videos(&counted(videos, trial.mode), trial.mode);
        Self {
            false_alarms_a_minute: (trial.mode == Mode::Strict)
                .then(|| score.fp as f64 / trial.minutes.max(f64::MIN_POSITIVE)),
            score,
            apex: apex_error(&apexes),
            recall_by_peak_px: by_peak,
        }
    }
}

fn counted(videos: &[Video], mode: Mode) -> Vec<Video> {
    videos.iter().filter(|v| v.counts(mode)).cloned().collect()
}

fn class_of(peak: f64) -> String {
    let at = PEAKS_PX.partition_point(|&edge| edge <= peak).max(1);
    match PEAKS_PX.get(at) {
        Some(high) => format!("{}–{high}", PEAKS_PX[at - 1]),
        None => format!("{} and more", PEAKS_PX[at - 1]),
    }
}

/// What was said of labelled recordings, a list of spots each.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    pub recordings: &'a [&'a LabelledRecording],
    pub spotted: &'a [Vec<SpottedInterval>],
    /// All recordings together.
    pub minutes: f64,
    pub peaks: &'a Peaks,
    pub mode: Mode,
}

impl SpottingReport {
    #[must_use]
    pub fn of(network: &str, protocol: &str, trial: &Trial) -> Self {
        let quiet: Vec<usize> = (trial.recordings.iter().zip(trial.spotted))
            .filter(|(recording, _)| recording.events.is_empty())
            .map(|(_, spotted)| spotted.len())
            .collect();
        let of = |kind| videos(trial.recordings, trial.spotted, kind);
        let (macros, micros) = (of(ExpressionKind::Macro), of(ExpressionKind::Micro));
        let both: Vec<Video> = macros.iter().chain(&micros).cloned().collect();
        Self {
            network: network.to_owned(),
            protocol: protocol.to_owned(),
            mode: trial.mode,
            recordings: trial.recordings.len(),
            minutes: trial.minutes,
            quiet_recordings: quiet.len(),
            spots_in_quiet_recordings: quiet.iter().sum(),
            macros: KindReport::of(trial, &macros, ExpressionKind::Macro),
            micros: KindReport::of(trial, &micros, ExpressionKind::Micro),
            overall: score_videos(&counted(&both, trial.mode), trial.mode),
            per_subject: trial.by_subject(&macros, &micros),
            seed: None,
            settings: BTreeMap::new(),
        }
    }
}

impl Trial<'_> {
    fn by_subject(&self, macros: &[Video], micros: &[Video]) -> BTreeMap<String, SubjectReport> {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, recording) in self.recordings.iter().enumerate() {
            places.entry(&recording.subject).or_default().push(at);
        }
        let of = |(subject, places): (&str, Vec<usize>)| {
            let counts = |videos: &[Video]| {
                let mine: Vec<Video> = places.iter().map(|&at| videos[at].clone()).collect();
                Counts::of(&counted(&mine, self.mode), self.mode)
            };
            let report = SubjectReport {
                recordings: places.len(),
                macros: counts(macros),
                micros: counts(micros),
            };
            (subject.to_owned(), report)
        };
        places.into_iter().map(of).collect()
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
