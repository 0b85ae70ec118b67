//! The one form that every source of labelled data is read into.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use super::error::{Place, Problem};
use super::frame_folder::FrameFolder;
use crate::facs::{Emotion, EmotionSet, ScoredUnit};
use crate::media::{InputPlace, InputSpec};
use crate::spotting::ExpressionKind;

/// Whose layout the data have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetKind {
    Casme2,
    Samm,
    #[serde(rename = "samm-lv")]
    SammLong,
    Smic,
    CasmeSq,
    Casme3,
    /// `index.csv` and `labels.csv`, as `onset synth` writes them.
    Recordings,
}

impl DatasetKind {
    pub const ALL: [Self; 7] = [
        Self::Casme2,
        Self::Samm,
        Self::SammLong,
        Self::Smic,
        Self::CasmeSq,
        Self::Casme3,
        Self::Recordings,
    ];

    /// As `--dataset` names it.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Casme2 => "casme2",
            Self::Samm => "samm",
            Self::SammLong => "samm-lv",
            Self::Smic => "smic",
            Self::CasmeSq => "casme-sq",
            Self::Casme3 => "casme3",
            Self::Recordings => "recordings",
        }
    }

    /// As its authors write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Casme2 => "CASME II",
            Self::Samm => "SAMM",
            Self::SammLong => "SAMM Long Videos",
            Self::Smic => "SMIC",
            Self::CasmeSq => "CAS(ME)²",
            Self::Casme3 => "CAS(ME)³",
            Self::Recordings => "labelled recordings",
        }
    }

    #[must_use]
    pub const fn emotions(self) -> EmotionSet {
        match self {
            Self::Casme2 => EmotionSet::Casme2,
            Self::Samm | Self::SammLong => EmotionSet::Samm,
            Self::Smic => EmotionSet::Smic,
            Self::CasmeSq => EmotionSet::CasmeSq,
            Self::Casme3 => EmotionSet::Casme3,
            Self::Recordings => EmotionSet::Any,
        }
    }
}

impl FromStr for DatasetKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|k| k.argument() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::argument).join(", ");
                format!("choose one of {names}")
            })
    }
}

impl fmt::Display for DatasetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.argument())
    }
}

/// Labelled data, read. Recordings are in the natural order of subject and name.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    pub kind: DatasetKind,
    pub root: PathBuf,
    pub recordings: Vec<LabelledRecording>,
    /// Label rows that were read, blank ones not counted.
    pub label_rows: usize,
    pub problems: Vec<Problem>,
}

impl Index {
    /// In natural order.
    #[must_use]
    pub fn subjects(&self) -> Vec<&str> {
        let mut subjects: Vec<&str> = self
            .recordings
            .iter()
            .map(|r| r.subject.as_str())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        subjects.sort_by(|a, b| natord::compare(a, b));
        subjects
    }

    /// Every event with its recording.
    pub fn events(&self) -> impl Iterator<Item = (&LabelledRecording, &LabelledEvent)> {
        self.recordings
            .iter()
            .flat_map(|r| r.events.iter().map(move |e| (r, e)))
    }

    /// Label rows that do not count, each with its reason among [`Self::problems`].
    #[must_use]
    pub fn skipped_rows(&self) -> usize {
        self.problems.iter().filter(|p| p.skipped_row).count()
    }
}

/// A recording or a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledRecording {
    pub subject: String,
    /// Unique within the data.
    pub recording: String,
    /// A video, or a folder of images.
    pub source: PathBuf,
    /// Frames a second, as the database states them.
    pub fps: f64,
    /// The numbered images of `source`; `None` for a video.
    pub frames: Option<FrameFolder>,
    /// In the order of their onsets.
    pub events: Vec<LabelledEvent>,
    pub distractors: Vec<Distractor>,
}

impl LabelledRecording {
    /// What `media::open` takes.
    #[must_use]
    pub fn input(&self) -> InputSpec {
        InputSpec {
            place: InputPlace::Path(self.source.clone()),
            fps: Some(self.fps),
        }
    }

    /// The image of frame `place` (from 0); `None` for videos and beyond the end.
    #[must_use]
    pub fn image(&self, place: u64) -> Option<PathBuf> {
        let frames = self.frames.as_ref()?;
        frames.path(&self.source, usize::try_from(place).ok()?)
    }
}

/// An expression. Frames count from 0, in the order of the recording's frames, both
/// ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledEvent {
    pub kind: ExpressionKind,
    pub onset: u64,
    /// `None` where nobody marked it.
    pub apex: Option<u64>,
    pub offset: u64,
    /// The image of the labelled onset or apex is not there: `onset` is the next one
    /// that is, `apex` unknown.
    pub lacks_frames: bool,
    /// `None` where they were not coded or cannot be read.
    pub aus: Option<Vec<ScoredUnit>>,
    /// `None` where it is not labelled or cannot be read.
    pub emotion: Option<Emotion>,
    /// Where the label stands.
    pub place: Place,
}

impl LabelledEvent {
    /// offset − onset, as S4 measures the length its k is made from.
    #[must_use]
    pub const fn duration(&self) -> u64 {
        self.offset - self.onset
    }
}

/// Something that is no expression but may be taken for one. Frames count from 0,
/// both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distractor {
    pub kind: DistractorKind,
    pub start: u64,
    pub end: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DistractorKind {
    Blink,
    Gaze,
    Talk,
    Head,
    Light,
    Exposure,
    WhiteBalance,
    Drop,
}

impl DistractorKind {
    pub const ALL: [Self; 8] = [
        Self::Blink,
        Self::Gaze,
        Self::Talk,
        Self::Head,
        Self::Light,
        Self::Exposure,
        Self::WhiteBalance,
        Self::Drop,
    ];

    /// As `distractors.csv` writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blink => "blink",
            Self::Gaze => "gaze",
            Self::Talk => "talk",
            Self::Head => "head",
            Self::Light => "light",
            Self::Exposure => "exposure",
            Self::WhiteBalance => "white_balance",
            Self::Drop => "drop",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// Sorts by subject, then recording, as people count.
pub(super) fn natural(a: (&str, &str), b: (&str, &str)) -> std::cmp::Ordering {
    natord::compare(a.0, b.0)
        .then_with(|| natord::compare(a.1, b.1))
        .then_with(|| a.cmp(&b))
}

/// `path` as seen from `root`, for people.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}
