//! What `onset data check` tells before hours are spent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::error::{Place, Problem};
use super::index::{DatasetKind, Index, LabelledRecording};
use crate::base::Severity;
use crate::facs::ThreeClass;
use crate::media;
use crate::spotting::ExpressionKind;

/// Everything that was found. Holds no machine's paths: files are relative to the root.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    pub dataset: DatasetKind,
    pub subjects: usize,
    pub recordings: usize,
    /// Recordings in which no expression is labelled.
    pub recordings_without_events: usize,
    /// Frames of all recordings whose number is known.
    pub frames: u64,
    /// Numbers between first and last image of a recording that have no image.
    pub missing_frames: u64,
    pub label_rows: usize,
    pub skipped_rows: usize,
    pub events: BTreeMap<&'static str, KindReport>,
    /// Recordings by frames a second, as stated.
    pub frame_rates: BTreeMap<String, usize>,
    /// Distractors by kind.
    pub distractors: BTreeMap<&'static str, usize>,
    pub problems: Vec<Problem>,
}

/// The events of one kind, macro or micro.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct KindReport {
    pub events: usize,
    pub without_apex: usize,
    /// By emotion, `unlabelled` where there is none.
    pub emotions: BTreeMap<&'static str, usize>,
    /// By class of MEGC 2019; events it leaves out are not among them.
    pub three_classes: BTreeMap<&'static str, usize>,
    /// By action unit; a unit counts once an event.
    pub aus: BTreeMap<u8, usize>,
    /// Over the events of each frame rate.
    pub durations: BTreeMap<String, Durations>,
}

/// offset − onset in frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    pub mean: f64,
    pub min: u64,
    pub max: u64,
    /// ⌊(mean + 1) / 2⌋, half an expression, as S4 sets it. It is made from all
    /// events, also those of subjects to be tested.
    pub k: u64,
}

impl CheckReport {
    /// Whether something is not as it should be.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.problems
            .iter()
            .any(|p| p.severity >= Severity::Warning)
    }
}

/// Examines an index and what it points to: every recording is opened, the images
/// at onset, apex and offset must be there and have content. `progress` is told how
/// many recordings are done.
pub fn check(index: &Index, mut progress: impl FnMut(usize)) -> CheckReport {
    let mut problems = index.problems.clone();
    let mut frames = 0;
    let mut missing = 0;
    for (done, recording) in index.recordings.iter().enumerate() {
        missing += recording
            .frames
            .as_ref()
            .map_or(0, super::frame_folder::FrameFolder::gaps);
        frames += examine(index, recording, &mut problems).unwrap_or(0);
        progress(done + 1);
    }
    let mut events: BTreeMap<&'static str, KindReport> = BTreeMap::new();
    for kind in ExpressionKind::BOTH {
        let report = kind_report(index, kind);
        if report.events > 0 {
            events.insert(kind.name(), report);
        }
    }
    CheckReport {
        dataset: index.kind,
        subjects: index.subjects().len(),
        recordings: index.recordings.len(),
        recordings_without_events: index
            .recordings
            .iter()
            .filter(|r| r.events.is_empty())
            .count(),
        frames,
        missing_frames: missing,
        label_rows: index.label_rows,
        skipped_rows: index.skipped_rows(),
        events,
        frame_rates: counted(index.recordings.iter().map(|r| rate(r.fps))),
        distractors: counted(
            index
                .recordings
                .iter()
                .flat_map(|r| r.distractors.iter().map(|d| d.kind.name())),
        ),
        problems,
    }
}

fn kind_report(index: &Index, kind: ExpressionKind) -> KindReport {
    let mut report = KindReport::default();
    let mut lengths: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (recording, event) in index.events().filter(|(_, e)| e.kind == kind) {
        report.events += 1;
        report.without_apex += usize::from(event.apex.is_none());
        let emotion = event.emotion.map_or("unlabelled", |e| e.name());
        *report.emotions.entry(emotion).or_default() += 1;
        let class = event
            .emotion
            .and_then(|e| index.kind.emotions().three_class(e));
        if let Some(class) = class.map(ThreeClass::name) {
            *report.three_classes.entry(class).or_default() += 1;
        }
        let units: BTreeSet<u8> = event
            .aus
            .iter()
            .flatten()
            .map(|u| u.unit.number())
            .collect();
        for unit in units {
            *report.aus.entry(unit).or_default() += 1;
        }
        lengths
            .entry(rate(recording.fps))
            .or_default()
            .push(event.duration());
    }
    report.durations = lengths
        .into_iter()
        .filter_map(|(rate, frames)| Some((rate, durations(&frames)?)))
        .collect();
    report
}

fn durations(frames: &[u64]) -> Option<Durations> {
    let (min, max) = (*frames.iter().min()?, *frames.iter().max()?);
    let mean = frames.iter().sum::<u64>() as f64 / frames.len() as f64;
    Some(Durations {
        mean,
        min,
        max,
        k: f64::midpoint(mean, 1.0).floor() as u64,
    })
}

fn rate(fps: f64) -> String {
    format!("{fps}")
}

fn counted<K: Ord>(items: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

/// Opens one recording; gives its number of frames where that is known.
fn examine(
    index: &Index,
    recording: &LabelledRecording,
    problems: &mut Vec<Problem>,
) -> Option<u64> {
    let place = Place::below(&index.root, &recording.source);
    let mut warn = |severity, what: String, remedy: &str, place: Place| {
        problems.push(Problem {
            severity,
            what,
            remedy: remedy.to_owned(),
            skipped_row: false,
            place,
        });
    };
    let Some(folder) = &recording.frames else {
        // A video: what the container states must fit the labels.
        let source = match media::open(&recording.input()) {
            Ok(source) => source,
            Err(e) => {
                warn(
                    Severity::Error,
                    format!("{} cannot be opened: {e}", recording.recording),
                    "",
                    place,
                );
                return None;
            }
        };
        let info = source.info();
        if let Some(fps) = info.nominal_fps
            && (fps - recording.fps).abs() > 0.02 * recording.fps
        {
            warn(
                Severity::Warning,
                format!(
                    "{} states {fps:.2} frames a second, the labels {}",
                    recording.recording, recording.fps
                ),
                "Correct the one that is wrong",
                place.clone(),
            );
        }
        if let (Some(count), Some(last)) = (
            info.frame_count,
            recording.events.iter().map(|e| e.offset).max(),
        ) && last >= count
        {
            warn(
                if info.exact_frame_count {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                format!(
                    "{} has about {count} frames, but an event ends at frame {last}",
                    recording.recording
                ),
                "Correct its labels, or copy the video again",
                place,
            );
        }
        return info.frame_count;
    };
    let first = recording.image(0);
    let mut looked_at = BTreeSet::new();
    for (frame, what) in
        std::iter::once((0, "first frame")).chain(recording.events.iter().flat_map(|e| {
            [
                Some((e.onset, "onset")),
                e.apex.map(|a| (a, "apex")),
                Some((e.offset, "offset")),
            ]
            .into_iter()
            .flatten()
        }))
    {
        let Some(path) = recording.image(frame) else {
            continue;
        };
        if !looked_at.insert(frame) {
            continue;
        }
        let reason = match std::fs::metadata(&path) {
            Ok(m) if m.len() == 0 => Some("it is empty (0 bytes)".to_owned()),
            Ok(_) if Some(&path) == first.as_ref() => image::image_dimensions(&path)
                .err()
                .map(|e| format!("it is no image ({e})")),
            Ok(_) => None,
            Err(e) => Some(e.to_string()),
        };
        if let Some(reason) = reason {
            warn(
                Severity::Error,
                format!(
                    "The {what} of {} cannot be used: {reason}",
                    recording.recording
                ),
                "Unpack it again",
                Place::below(&index.root, &path),
            );
        }
    }
    Some(folder.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_is_half_an_expression_as_s4_prints_it() {
        // CAS(ME)² micro: N = 12, k = 6; SAMM-LV micro: N = 73, k = 37.
        assert_eq!(durations(&[11, 12, 13]).map(|d| d.k), Some(6));
        assert_eq!(durations(&[73]).map(|d| d.k), Some(37));
        let d = durations(&[10, 20]).expect("two");
        assert_eq!((d.mean, d.min, d.max), (15.0, 10, 20));
        assert_eq!(durations(&[]), None);
    }
}
