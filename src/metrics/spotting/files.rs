//! Scoring interval files: `recording,kind,onset,apex,offset` and more columns.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Interval, Mode, Ranked, SpottingScore, Video, matches, score_videos};
use crate::metrics::apex::{ApexError, FoundApex, apex_error};
use crate::spotting::ExpressionKind;

#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error("Cannot read the intervals: {reason}. Check the name and its permissions: {}", path.display())]
    Open {
        path: PathBuf,
        reason: std::io::Error,
    },
    #[error("Cannot read the intervals: the column '{column}' is missing. The first line must name recording,kind,onset,apex,offset (score for AP, status are optional): {}", path.display())]
    MissingColumn { path: PathBuf, column: String },
    #[error("Cannot read the intervals: {reason}. Correct line {line} of {}", path.display())]
    Row {
        path: PathBuf,
        line: u64,
        reason: String,
    },
}

/// Whether a file holds claims or the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Prediction,
    Truth,
}

/// One line of an intervals file.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    pub recording: String,
    pub kind: ExpressionKind,
    pub interval: Interval,
    /// `None` where the file leaves it empty.
    pub apex: Option<i64>,
    /// The column `subject`, where there is one.
    pub subject: Option<String>,
    /// The column `emotion` or, as `analyze` calls it, `label`; `None` where empty.
    pub emotion: Option<String>,
    /// 0 where the file has no such column.
    pub score: f64,
    /// A person rejected it: it is no claim any more.
    pub rejected: bool,
}

/// What `onset score spotting` prints; serialises as its `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpottingReport {
    pub mode: Mode,
    /// Recordings named in either file.
    pub recordings: usize,
    /// Rows with the status `rejected`, which are not counted.
    pub rejected_rows: usize,
    #[serde(rename = "macro")]
    pub macro_expressions: SpottingScore,
    #[serde(rename = "micro")]
    pub micro_expressions: SpottingScore,
    /// Counts of both kinds added; a spot of the wrong kind is wrong.
    pub overall: SpottingScore,
    /// Of the macro-expressions that were found.
    pub apex_macro: ApexError,
    /// Of the micro-expressions that were found.
    pub apex_micro: ApexError,
}

/// Reads one intervals file.
///
/// # Errors
/// [`ScoreError`], naming the file and the line.
pub fn read_intervals(path: &Path, role: Role) -> Result<Vec<IntervalRow>, ScoreError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|mut f| f.read_to_end(&mut bytes))
        .map_err(|reason| ScoreError::Open {
            path: path.to_owned(),
            reason,
        })?;
    parse(&bytes, path, role)
}

fn parse(bytes: &[u8], path: &Path, role: Role) -> Result<Vec<IntervalRow>, ScoreError> {
    // Spreadsheets like to put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let broken = |error: &csv::Error| ScoreError::Row {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        reason: match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => {
                format!("the line has {len} values where the first has {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
            _ => error.to_string(),
        },
    };
    let header = reader.headers().map_err(|e| broken(&e))?.clone();
    let column = |name: &str| header.iter().position(|h| h == name);
    let required = |name: &str| {
        column(name).ok_or_else(|| ScoreError::MissingColumn {
            path: path.to_owned(),
            column: name.to_owned(),
        })
    };
    let recording = required("recording")?;
    let kind = required("kind")?;
    let (onset, apex, offset) = (required("onset")?, required("apex")?, required("offset")?);
    let (score, status) = (column("score"), column("status"));
    let subject = column("subject");
    let emotion = column("emotion").or_else(|| column("label"));

    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| broken(&e))?;
        let fail = |reason: String| ScoreError::Row {
            path: path.to_owned(),
            line: record.position().map_or(0, csv::Position::line),
            reason,
        };
        let frame = |at: usize| -> Result<i64, ScoreError> {
            record[at]
                .parse::<u32>()
                .map(i64::from)
                .map_err(|_not_a_count| {
                    fail(format!(
                        "{} '{}' is not a frame number (0, 1, 2 …)",
                        &header[at], &record[at]
                    ))
                })
        };
        if record[recording].is_empty() {
            return Err(fail("the recording has no name".to_owned()));
        }
        let kind = match &record[kind] {
            "macro" => ExpressionKind::Macro,
            "micro" => ExpressionKind::Micro,
            other => return Err(fail(format!("kind '{other}' is neither macro nor micro"))),
        };
        let (first, last) = (frame(onset)?, frame(offset)?);
        if first > last {
            return Err(fail(format!("onset {first} lies after offset {last}")));
        }
        // Truth without a marked apex is common and harmless here.
        let top = if role == Role::Truth && record[apex].is_empty() {
            None
        } else {
            let top = frame(apex)?;
            if top < first || top > last {
                return Err(fail(format!(
                    "apex {top} lies outside onset {first} … offset {last}"
                )));
            }
            Some(top)
        };
        let score = match score.filter(|_| role == Role::Prediction) {
            None => 0.0,
            Some(at) => record[at]
                .parse::<f64>()
                .ok()
                .filter(|s| s.is_finite())
                .ok_or_else(|| fail(format!("score '{}' is not a number", &record[at])))?,
        };
        let rejected = match status.map(|at| &record[at]) {
            None | Some("proposed" | "accepted" | "") => false,
            Some("rejected") => true,
            Some(other) => {
                return Err(fail(format!(
                    "status '{other}' is neither proposed, accepted nor rejected"
                )));
            }
        };
        rows.push(IntervalRow {
            recording: record[recording].to_owned(),
            kind,
            interval: Interval::new(first, last),
            apex: top,
            subject: subject.map(|at| record[at].to_owned()),
            emotion: emotion
                .map(|at| record[at].to_owned())
                .filter(|e| !e.is_empty()),
            score,
            rejected,
        });
    }
    Ok(rows)
}

/// Scores rows; recordings count in the order of their names.
#[must_use]
pub fn score_rows(
    predictions: &[IntervalRow],
    truth: &[IntervalRow],
    mode: Mode,
) -> SpottingReport {
    let mut recordings: BTreeMap<&str, [Side; 2]> = BTreeMap::new();
    for row in truth.iter().filter(|r| !r.rejected) {
        let side = &mut recordings.entry(&row.recording).or_default()[slot(row.kind)];
        side.video.truths.push(row.interval);
        side.true_apexes.push(row.apex);
    }
    for row in predictions.iter().filter(|r| !r.rejected) {
        let side = &mut recordings.entry(&row.recording).or_default()[slot(row.kind)];
        side.video.predictions.push(Ranked {
            interval: row.interval,
            score: row.score,
        });
        side.predicted_apexes.push(row.apex);
    }
    let of_kind = |kind: ExpressionKind| -> Vec<Video> {
        recordings
            .values()
            .map(|kinds| kinds[slot(kind)].video.clone())
            .filter(|v| v.counts(mode))
            .collect()
    };
    let apexes = |kind: ExpressionKind| -> ApexError {
        let found: Vec<FoundApex> = recordings
            .values()
            .flat_map(|kinds| kinds[slot(kind)].found_apexes(mode))
            .collect();
        apex_error(&found)
    };
    let (macros, micros) = (
        of_kind(ExpressionKind::Macro),
        of_kind(ExpressionKind::Micro),
    );
    let both: Vec<Video> = macros.iter().chain(&micros).cloned().collect();
    SpottingReport {
        mode,
        recordings: recordings.len(),
        rejected_rows: predictions
            .iter()
            .chain(truth)
            .filter(|r| r.rejected)
            .count(),
        macro_expressions: score_videos(&macros, mode),
        micro_expressions: score_videos(&micros, mode),
        overall: score_videos(&both, mode),
        apex_macro: apexes(ExpressionKind::Macro),
        apex_micro: apexes(ExpressionKind::Micro),
    }
}

/// One kind in one recording: what is matched, and the apexes in the same order.
#[derive(Default)]
struct Side {
    video: Video,
    predicted_apexes: Vec<Option<i64>>,
    true_apexes: Vec<Option<i64>>,
}

impl Side {
    fn found_apexes(&self, mode: Mode) -> Vec<FoundApex> {
        matches(&self.video, mode)
            .into_iter()
            .filter_map(|(p, t)| {
                let truth = self.video.truths[t];
                Some(FoundApex {
                    predicted: self.predicted_apexes[p]?,
                    truth: self.true_apexes[t]?,
                    onset: truth.onset,
                    offset: truth.offset,
                })
            })
            .collect()
    }
}

const fn slot(kind: ExpressionKind) -> usize {
    match kind {
        ExpressionKind::Macro => 0,
        ExpressionKind::Micro => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, role: Role) -> Result<Vec<IntervalRow>, String> {
        parse(text.as_bytes(), Path::new("a b/é.csv"), role).map_err(|e| e.to_string())
    }

    #[test]
    fn an_intervals_file_scores_by_kind_and_overall() {
        let truth =
            "recording,kind,onset,apex,offset\na,macro,10,20,40\na,micro,60,,70\nb,micro,5,6,9\n";
        let predicted = "recording,kind,onset,apex,offset,onset_secs,score,status\n\
            a,macro,12,20,41,0.4,0.5,proposed\n\
            a,macro,60,65,70,2,0.3,proposed\n\
            c,micro,0,3,9,0,0.1,rejected\n";
        let report = score_rows(
            &read(predicted, Role::Prediction).expect("reads"),
            &read(truth, Role::Truth).expect("reads"),
            Mode::Strict,
        );
        assert_eq!(report.recordings, 2);
        assert_eq!(report.rejected_rows, 1);
        let m = &report.macro_expressions;
        assert_eq!((m.tp, m.fp, m.fn_), (1, 1, 0));
        assert_eq!(report.micro_expressions.fn_, 2);
        let o = &report.overall;
        assert_eq!((o.tp, o.fp, o.fn_), (1, 1, 2));
        assert!((o.f1 - 0.4).abs() < 1e-12);
        // The found one peaks at 20 in both files; the missed ones do not count.
        assert_eq!(report.apex_macro.mean_frames, Some(0.0));
        assert_eq!(report.apex_micro.events, 0);
    }

    #[test]
    fn errors_name_the_file_the_line_and_what_is_wrong() {
        let head = "recording,kind,onset,apex,offset\n";
        for (row, said) in [
            ("a,blink,1,2,3\n", "kind 'blink'"),
            ("a,macro,5,5,3\n", "onset 5 lies after offset 3"),
            ("a,macro,x,5,3\n", "onset 'x' is not a frame number"),
            ("a,macro,1,9,3\n", "apex 9 lies outside"),
            ("a,macro,1,2\n", "4 values where the first has 5"),
            (",macro,1,2,3\n", "no name"),
        ] {
            let text = format!("{head}a,macro,1,2,3\n{row}");
            let error = read(&text, Role::Prediction).expect_err("bad row");
            assert!(error.contains(said), "{error}");
            assert!(
                error.contains("line 3") && error.ends_with("a b/é.csv"),
                "{error}"
            );
        }
        let error = read("recording,kind,onset,offset\n", Role::Truth).expect_err("no apex");
        assert!(error.contains("'apex' is missing"), "{error}");
        assert!(read("", Role::Truth).is_err());
    }

    #[test]
    fn a_missing_file_is_an_error_that_ends_with_its_path() {
        let error =
            read_intervals(Path::new("/nowhere/p.csv"), Role::Prediction).expect_err("missing");
        assert!(error.to_string().ends_with("/nowhere/p.csv"), "{error}");
    }
}
