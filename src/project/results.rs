//! `frames.csv`, `intervals.csv` and `recording.json` of one analysed recording.
//!
//! Columns and units are a contract. Nothing in these files depends on the clock,
//! the machine's load or where the input lies.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::output::{Batch, OutputError};
use crate::base::{Notice, Severity, Timestamp};
use crate::facs::ActionUnit;
use crate::media::SourceInfo;
use crate::recognition::{ClassReading, Recognition};
use crate::session::Params;
use crate::session::facts::AnalysisFacts;
use crate::session::params::DeviceChoice;
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::event::{RecognitionSource, UnitSample};
use crate::timeline::{Recording, ScoreSource};

/// The summary in `recording.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub onset_version: String,
    pub recording: RecordingFacts,
    pub parameters: Params,
    pub scores: BTreeMap<ExpressionKind, KindFacts>,
    /// What says what moved; `None` where nobody asked.
    #[serde(default)]
    pub recognition: Option<RecognitionSource>,
    pub face: FaceFacts,
    pub device: DeviceFacts,
    pub warnings: Vec<Notice>,
    pub limits: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingFacts {
    /// File or folder name, without its path.
    pub name: String,
    /// Of the file; of all files for a folder; 0 for a camera.
    pub size_bytes: u64,
    /// Tells recordings of one name and size apart: SHA-256 over the ends of the
    /// file, or of each file of a folder; empty for a camera.
    #[serde(default)]
    pub fingerprint: String,
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    pub duration_secs: f64,
    /// Over the last 60 frame intervals, gaps left out.
    pub measured_fps: Option<f64>,
    pub nominal_fps: Option<f64>,
    pub dropped: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindFacts {
    pub source: ScoreSource,
    /// In words, as shown everywhere.
    pub source_label: String,
    /// Length of a flow window, seconds.
    pub window_secs: f64,
    /// `None` where this kind was not looked for.
    pub window_frames: Option<u64>,
    pub threshold: Option<f64>,
    pub intervals: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceFacts {
    pub landmark_model: String,
    /// Share of frames in which the face was found, 0..1.
    pub found_share: f64,
    /// Share of frames with further faces, which are not analysed, 0..1.
    #[serde(default)]
    pub others_share: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceFacts {
    pub asked: DeviceChoice,
    pub flow: String,
    /// `None` where no network scores.
    pub network: Option<String>,
}

impl Summary {
    /// Of a recording that was analysed as `facts` say.
    #[must_use]
    pub fn of(
        info: &SourceInfo,
        (size_bytes, fingerprint): (u64, &str),
        params: &Params,
        analysed: &AnalysisFacts,
        recording: &Recording,
    ) -> Self {
        let scores = analysed.scores.each_ref().map(|of_kind| {
            let (kind, source) = (of_kind.kind, of_kind.source.clone());
            let facts = KindFacts {
                source_label: source.label(),
                source,
                window_secs: params.windows.of(kind),
                window_frames: of_kind.window_frames,
                threshold: recording.thresholds.get(&kind).copied(),
                intervals: recording
                    .intervals
                    .iter()
                    .filter(|i| i.kind == kind)
                    .count(),
            };
            (kind, facts)
        });
        Self {
            onset_version: env!("CARGO_PKG_VERSION").to_owned(),
            recording: RecordingFacts {
                name: info.name.clone(),
                size_bytes,
                fingerprint: fingerprint.to_owned(),
                width: info.width,
                height: info.height,
                frames: recording.frames.len() as u64,
                duration_secs: recording.end().secs(),
                measured_fps: analysed.measured_fps,
                nominal_fps: info.nominal_fps,
                dropped: recording
                    .frames
                    .iter()
                    .map(|f| u64::from(f.dropped_before))
                    .sum(),
            },
            parameters: params.without_folders(),
            scores: scores.into_iter().collect(),
            recognition: analysed.recognition.clone(),
            face: FaceFacts {
                landmark_model: analysed.landmark_model.clone(),
                found_share: recording.found_share(),
                others_share: recording.others_share(),
            },
            device: DeviceFacts {
                asked: params.device,
                flow: (analysed.flow_adapter.clone()).unwrap_or_else(|| "processor".to_owned()),
                network: analysed.network_device.clone(),
            },
            warnings: recording
                .notices
                .iter()
                .filter(|n| n.severity >= Severity::Warning)
                .map(|n| without_folder(n, info))
                .collect(),
            limits: LIMITS.to_owned(),
        }
    }
}

/// Texts end with the path; where the input lies is not for the results.
fn without_folder(notice: &Notice, info: &SourceInfo) -> Notice {
    let mut notice = notice.clone();
    let shown = info.path.as_ref().map(|p| p.display().to_string());
    if let Some(shown) = shown
        && let Some(head) = notice.text.strip_suffix(&shown)
    {
        notice.text = format!("{head}{}", info.name);
    }
    notice
}

/// Said in every report: what the numbers are and are not.
pub const LIMITS: &str = "Onset shows movements and probabilities for a person to judge. \
It never states what anyone feels.";

/// Which classes and units have columns of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readings {
    classes: Vec<String>,
    units: Vec<ActionUnit>,
}

impl Readings {
    /// All that the weights know, whether any was seen or not.
    #[must_use]
    pub fn of(source: Option<&RecognitionSource>) -> Self {
        source.map_or_else(Self::default, |source| Self {
            classes: source.classes.clone(),
            units: source.units.clone(),
        })
    }

    /// Those of what was read in a recording.
    #[must_use]
    pub fn in_recording(recording: &Recording) -> Self {
        let intervals = recording.recognised.values().map(|r| &r.recognition);
        let looks = recording.units.iter().map(|s| &s.recognition);
        let first = intervals.chain(looks).next();
        first.map_or_else(Self::default, |first| Self {
            classes: (first.class.as_ref()).map_or_else(Vec::new, |c| c.classes.clone()),
            units: first.units.iter().map(|u| u.unit).collect(),
        })
    }

    fn unit_columns(&self) -> impl Iterator<Item = String> {
        self.units.iter().map(|u| format!("AU{:02}_p", u.number()))
    }
}

/// Writes `frames.csv`: one row a decoded frame, with a column for each unit
/// of `readings`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_frames(
    path: &Path,
    recording: &Recording,
    readings: &Readings,
    to: &mut Batch,
) -> Result<(), OutputError> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let header = [
        "frame",
        "timestamp",
        "success",
        "confidence",
        "face_x",
        "face_y",
        "face_w",
        "face_h",
        "macro_score",
        "micro_score",
        "strain",
        "pose_Rx",
        "pose_Ry",
        "pose_Rz",
        "blink",
        "dropped_before",
    ];
    let units = UnitCurves {
        samples: &recording.units,
        units: &readings.units,
    };
    let header = header.into_iter().map(str::to_owned);
    let header = header.chain(readings.unit_columns());
    out.write_record(header)
        .map_err(|e| OutputError::write(path, e))?;
    let empty = Vec::new();
    let by_center = |kind| by_center(recording.scores.get(&kind).unwrap_or(&empty));
    let (large, small) = (
        by_center(ExpressionKind::Macro),
        by_center(ExpressionKind::Micro),
    );
    for r in &recording.frames {
        let (big, tiny) = (large.get(&r.frame), small.get(&r.frame));
        let face = r.face.as_ref();
        let pose = |axis: usize| face.and_then(|f| f.pose).map(|p| f64::from(p[axis]));
        let rect = |side: fn(crate::base::Rect) -> f32| face.map(|f| f64::from(side(f.rect)));
        let unmasked = |s: Option<&&ScoreSample>| s.filter(|s| s.masked.is_none()).map(|s| s.score);
        // One kind's windows for the whole file: a longer window's strain is larger.
        let strain = if small.is_empty() { big } else { tiny }
            .filter(|s| s.masked.is_none())
            .map(|s| s.strain);
        let row = [
            r.frame.to_string(),
            format!("{:.6}", r.timestamp.secs()),
            u8::from(face.is_some()).to_string(),
            number(face.map(|f| f64::from(f.confidence)), 3),
            number(rect(|b| b.x), 2),
            number(rect(|b| b.y), 2),
            number(rect(|b| b.w), 2),
            number(rect(|b| b.h), 2),
            number(unmasked(big), 6),
            number(unmasked(tiny), 6),
            number(strain, 6),
            number(pose(0), 4),
            number(pose(1), 4),
            number(pose(2), 4),
            number(face.map(|f| f64::from(f.blink)), 3),
            r.dropped_before.to_string(),
        ];
        let seen = face.is_some();
        let probabilities = units.at(r.timestamp).map(|p| number(p.filter(|_| seen), 4));
        out.write_record(row.into_iter().chain(probabilities))
            .map_err(|e| OutputError::write(path, e))?;
    }
    finish(path, out, to)
}

/// The units' probabilities as columns of `frames.csv`: between two looks at what moved
/// just now by straight lines.
struct UnitCurves<'a> {
    samples: &'a [UnitSample],
    units: &'a [ActionUnit],
}

impl UnitCurves<'_> {
    fn at(&self, t: Timestamp) -> impl Iterator<Item = Option<f64>> {
        /// Looks further apart do not speak for what lies between.
        const FURTHEST_SECS: f64 = 0.5;
        let after = self.samples.partition_point(|s| s.timestamp < t);
        let next = self.samples.get(after);
        let last = after.checked_sub(1).and_then(|at| self.samples.get(at));
        let known = next.filter(|next| next.timestamp == t).map(|n| (n, n, 0.0));
        let between = || {
            let (last, next) = last.zip(next)?;
            let apart = next.timestamp.secs_since(last.timestamp);
            let share = t.secs_since(last.timestamp) / apart;
            (apart <= FURTHEST_SECS).then_some((last, next, share))
        };
        let around = known.or_else(between);
        (0..self.units.len()).map(move |unit| {
            let (last, next, share) = around?;
            let p = |s: &UnitSample| s.recognition.units.get(unit).map(|u| u.probability);
            Some(p(last)? * (1.0 - share) + p(next)? * share)
        })
    }
}

/// A window's score belongs to its centre frame.
fn by_center(samples: &[ScoreSample]) -> BTreeMap<u64, &ScoreSample> {
    samples.iter().map(|s| (s.centre_frame(), s)).collect()
}

/// One row of `intervals.csv`; truth files need the first five columns.
#[derive(Debug, Clone, Serialize)]
struct IntervalRow<'a> {
    recording: &'a str,
    kind: ExpressionKind,
    onset: u64,
    apex: u64,
    offset: u64,
    onset_secs: String,
    apex_secs: String,
    offset_secs: String,
    score: String,
    label: String,
    label_prob: String,
    uncertainty: String,
    status: IntervalStatus,
    aus: String,
}

/// Writes `intervals.csv`, in order of onset, with a column for each class and unit of
/// `readings`. `name` is the recording's stem.
///
/// # Errors
/// When the file cannot be written.
pub fn write_intervals(
    path: &Path,
    name: &str,
    recording: &Recording,
    readings: &Readings,
    to: &mut Batch,
) -> Result<(), OutputError> {
    let mut out = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let header = [
        "recording",
        "kind",
        "onset",
        "apex",
        "offset",
        "onset_secs",
        "apex_secs",
        "offset_secs",
        "score",
        "label",
        "label_prob",
        "uncertainty",
        "status",
        "aus",
    ];
    let classes = readings.classes.iter().map(|name| format!("{name}_p"));
    let more: Vec<String> = classes.chain(readings.unit_columns()).collect();
    let header = header.into_iter().map(str::to_owned);
    out.write_record(header.chain(more.iter().cloned()))
        .map_err(|e| OutputError::write(path, e))?;
    let columns = more.len();
    let secs = |frame: u64| {
        recording
            .frame(frame)
            .map_or(String::new(), |r| format!("{:.6}", r.timestamp.secs()))
    };
    let mut intervals: Vec<&SpottedInterval> = recording.intervals.iter().collect();
    intervals.sort_by_key(|i| (i.onset, i.kind, i.offset));
    for i in intervals {
        let said = recording.recognised_in(i).map(|r| &r.recognition);
        let class = said.and_then(|s| s.class.as_ref());
        let label = class.and_then(ClassReading::label);
        let row = IntervalRow {
            recording: name,
            kind: i.kind,
            onset: i.onset,
            apex: i.apex,
            offset: i.offset,
            onset_secs: secs(i.onset),
            apex_secs: secs(i.apex),
            offset_secs: secs(i.offset),
            score: number(Some(i.score), 6),
            label: label.map_or_else(String::new, |l| l.0.to_owned()),
            label_prob: number(label.map(|l| l.1), 4),
            uncertainty: number(class.map(|c| c.uncertainty.total), 4),
            status: i.status,
            aus: said.map_or_else(String::new, Recognition::units_text),
        };
        let classes = class.into_iter().flat_map(|c| &c.probabilities).copied();
        let units = said.into_iter().flat_map(|s| &s.units);
        let values = classes.chain(units.map(|u| u.probability));
        let mut more: Vec<String> = values.map(|p| number(Some(p), 4)).collect();
        more.resize(columns, String::new());
        out.serialize((row, more))
            .map_err(|e| OutputError::write(path, e))?;
    }
    finish(path, out, to)
}

/// Writes `recording.json`, last of all: its presence says that the folder is complete.
///
/// # Errors
/// When the file cannot be written.
pub fn write_summary(path: &Path, summary: &Summary, to: &mut Batch) -> Result<(), OutputError> {
    let mut text =
        serde_json::to_string_pretty(summary).map_err(|e| OutputError::write(path, e))?;
    text.push('\n');
    to.add(path, text.as_bytes())
}

/// Reads a summary back; `None` where there is none or another version wrote it.
#[must_use]
pub fn read_summary(path: &Path) -> Option<Summary> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(v) if v.is_finite() => {
            let text = format!("{v:.decimals$}");
            // −0.000 would differ from 0.000 without meaning anything.
            if text.trim_start_matches(['-', '0', '.']).is_empty() {
                text.trim_start_matches('-').to_owned()
            } else {
                text
            }
        }
        _ => String::new(),
    }
}

pub(super) fn finish(
    path: &Path,
    out: csv::Writer<Vec<u8>>,
    to: &mut Batch,
) -> Result<(), OutputError> {
    let bytes = out
        .into_inner()
        .map_err(|e| OutputError::write(path, e.error()))?;
    to.add(path, &bytes)
}
