//! One JSON document of a recording for other programs.
//!
//! | field | what it holds |
//! |---|---|
//! | `format` | `"onset-annotations"` |
//! | `version` | `1`; a change that old readers would misread makes it 2 |
//! | `source.name` | file or folder name without its path |
//! | `source.frames` | frames that have a time of their own |
//! | `source.duration_secs` | from the first frame to the end of the last one |
//! | `source.fps` | frames a second, from the median distance of frames; `null` of fewer than two |
//! | `coders` | names, each once, in order of the alphabet; `""` where nobody gave one |
//! | `annotations[]` | as below, in the order of the project |
//! | `candidates[]` | what the analysis spotted: `kind onset apex offset score status provisional` with times as below |
//!
//! | field of an annotation | what it holds |
//! |---|---|
//! | `id` | 32 hexadecimal digits, the same in every copy of a project |
//! | `coder` | who says so |
//! | `kind` | `macro` or `micro` |
//! | `onset`, `apex`, `offset` | frames counted from 0, both ends included; `apex` may be `null` |
//! | `onset_secs`, `apex_secs`, `offset_secs` | when these frames were shown, seconds from the first frame; `null` of one that was not analysed yet |
//! | `units[]` | `unit` (1 to 99), `side` (`left right unilateral asymmetric top bottom` or `null`: both), `intensity` (`A` to `E` or `null`), in the order of typing |
//! | `emotion` | a label or `null` |
//! | `confidence` | 1 (guessed) to 5 (certain) or `null` |
//! | `note` | text |
//! | `status` | `proposed`, `accepted` or `rejected` |
//! | `candidate` | `kind onset apex offset score` as spotted, or `null` where a person found it |
//!
//! Times are told for the reader's ease; frames count when a document is read back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Sheet;
use crate::spotting::SpottedInterval;
use crate::timeline::Annotation;

const FORMAT: &str = "onset-annotations";
const VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    #[error("Cannot read the annotations: {reason}. Export them again: {}", path.display())]
    Broken {
        path: PathBuf,
        reason: serde_json::Error,
    },
    #[error("Cannot read the annotations: this is not a document of the format 'onset-annotations'. Choose a file that Onset wrote as JSON: {}", path.display())]
    OtherFormat { path: PathBuf },
    #[error("Cannot read the annotations: they are of version {version} and this program knows version 1. Get a newer Onset: {}", path.display())]
    Newer { path: PathBuf, version: u32 },
}

/// The whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub format: String,
    pub version: u32,
    pub source: Source,
    pub coders: Vec<String>,
    pub annotations: Vec<TimedAnnotation>,
    pub candidates: Vec<TimedCandidate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub frames: u64,
    pub duration_secs: f64,
    pub fps: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedAnnotation {
    #[serde(flatten)]
    pub annotation: Annotation,
    pub onset_secs: Option<f64>,
    pub apex_secs: Option<f64>,
    pub offset_secs: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedCandidate {
    #[serde(flatten)]
    pub candidate: SpottedInterval,
    pub onset_secs: Option<f64>,
    pub apex_secs: Option<f64>,
    pub offset_secs: Option<f64>,
}

/// Only what says which format it is.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}

impl Document {
    #[must_use]
    pub fn of(sheet: &Sheet, candidates: &[SpottedInterval]) -> Self {
        let clock = sheet.clock;
        let secs = |frame: u64| clock.known_time_of(frame).map(|time| time.secs());
        let coders: BTreeSet<&str> = sheet.annotations.iter().map(|a| a.coder.as_str()).collect();
        let frames = clock.frames();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            source: Source {
                name: sheet.recording.to_owned(),
                frames,
                duration_secs: match frames {
                    0 => 0.0,
                    _ => clock.time_of(frames).secs(),
                },
                fps: (frames >= 2).then(|| clock.fps()),
            },
            coders: coders.into_iter().map(str::to_owned).collect(),
            annotations: (sheet.annotations.iter())
                .map(|a| TimedAnnotation {
                    annotation: a.clone(),
                    onset_secs: secs(a.onset),
                    apex_secs: a.apex.and_then(secs),
                    offset_secs: secs(a.offset),
                })
                .collect(),
            candidates: candidates
                .iter()
                .map(|c| TimedCandidate {
                    candidate: c.clone(),
                    onset_secs: secs(c.onset),
                    apex_secs: secs(c.apex),
                    offset_secs: secs(c.offset),
                })
                .collect(),
        }
    }

    /// Indented, with a line feed at the end.
    ///
    /// # Errors
    /// None in practice: all values are plain.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// `path` is named in errors only.
    ///
    /// # Errors
    /// [`JsonError`]: no JSON, another format, a version this program does not know.
    pub fn read(bytes: &[u8], path: &Path) -> Result<Self, JsonError> {
        let broken = |reason| JsonError::Broken {
            path: path.to_owned(),
            reason,
        };
        let kind: Kind = serde_json::from_slice(bytes).map_err(broken)?;
        if kind.format != FORMAT {
            return Err(JsonError::OtherFormat {
                path: path.to_owned(),
            });
        }
        if kind.version != VERSION {
            return Err(JsonError::Newer {
                path: path.to_owned(),
                version: kind.version,
            });
        }
        serde_json::from_slice(bytes).map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{clocks, nasty};
    use super::*;
    use crate::spotting::{ExpressionKind, IntervalStatus};

    #[test]
    fn a_document_reads_back_the_same() {
        let spotted = SpottedInterval {
            kind: ExpressionKind::Micro,
            onset: 3,
            apex: 5,
            offset: 9,
            score: 1.0 / 3.0,
            status: IntervalStatus::Proposed,
            provisional: false,
        };
        for clock in clocks() {
            let annotations = nasty();
            let sheet = Sheet {
                recording: "a \"b\" 🙂",
                annotations: &annotations,
                clock: &clock,
            };
            let document = Document::of(&sheet, std::slice::from_ref(&spotted));
            let text = document.write().unwrap();
            let back = Document::read(text.as_bytes(), Path::new("x.json")).unwrap();
            assert_eq!(back, document);
            let same: Vec<_> = back.annotations.into_iter().map(|a| a.annotation).collect();
            assert_eq!(same, annotations);
        }
    }

    #[test]
    fn fields_are_named_as_documented() {
        let annotations = nasty();
        let sheet = Sheet {
            recording: "clip",
            annotations: &annotations,
            clock: &clocks()[0],
        };
        let text = Document::of(&sheet, &[]).write().unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["format"], &value["version"]),
            (&"onset-annotations".into(), &1.into())
        );
        assert_eq!(value["source"]["fps"], 200.0);
        assert_eq!(value["source"]["duration_secs"], 0.5);
        assert_eq!(value["coders"][0], "");
        let first = &value["annotations"][0];
        assert_eq!(first["id"], "00000000000000000000000000000001");
        assert_eq!(
            (&first["onset"], &first["onset_secs"]),
            (&10.into(), &0.05.into())
        );
        assert_eq!(first["units"][0]["side"], "left");
        assert_eq!(first["candidate"]["kind"], "macro");
        assert!(value["annotations"][1]["apex_secs"].is_null());
    }

    #[test]
    fn other_files_are_told_apart() {
        let read = |text: &str| Document::read(text.as_bytes(), Path::new("/x/y.json"));
        assert!(matches!(read("{"), Err(JsonError::Broken { .. })));
        assert!(matches!(
            read("{\"a\":1}"),
            Err(JsonError::OtherFormat { .. })
        ));
        let newer = read("{\"format\":\"onset-annotations\",\"version\":2}").unwrap_err();
        assert!(newer.to_string().ends_with("Get a newer Onset: /x/y.json"));
    }
}
