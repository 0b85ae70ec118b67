//! Scoring a table of recognised clips: `recording,subject,truth,prediction`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::recognition::{RecognitionScore, score};

#[derive(Debug, thiserror::Error)]
pub enum RecognitionFileError {
    #[error("Cannot read the predictions: {reason}. Check the name and its permissions: {}", path.display())]
    Open {
        path: PathBuf,
        reason: std::io::Error,
    },
    #[error("Cannot read the predictions: the column '{column}' is missing. The first line must name recording,subject,truth,prediction: {}", path.display())]
    MissingColumn { path: PathBuf, column: String },
    #[error("Cannot read the predictions: {reason}. Correct line {line} of {}", path.display())]
    Row {
        path: PathBuf,
        line: u64,
        reason: String,
    },
    #[error("Cannot score: the file holds no clip. Give one line for each clip: {}", path.display())]
    Empty { path: PathBuf },
}

/// One clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecognisedClip {
    pub recording: String,
    pub subject: String,
    pub truth: String,
    pub prediction: String,
}

/// The clips of one subject; its classes are those of the whole table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectScore {
    pub subject: String,
    #[serde(flatten)]
    pub score: RecognitionScore,
}

/// What `onset score recognition` prints; serialises as its `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecognitionReport {
    /// Their order is that of every list below.
    pub classes: Vec<String>,
    /// All clips pooled.
    #[serde(flatten)]
    pub overall: RecognitionScore,
    /// In the order of the subjects' names.
    pub per_subject: Vec<SubjectScore>,
    /// What the reader of the numbers should know.
    pub warnings: Vec<String>,
}

/// Reads the table.
///
/// # Errors
/// [`RecognitionFileError`], naming the file and the line.
pub fn read_clips(path: &Path) -> Result<Vec<RecognisedClip>, RecognitionFileError> {
    let bytes = std::fs::read(path).map_err(|reason| RecognitionFileError::Open {
        path: path.to_owned(),
        reason,
    })?;
    parse(&bytes, path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Vec<RecognisedClip>, RecognitionFileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let broken = |error: &csv::Error| RecognitionFileError::Row {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        reason: match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => format!("the line has {len} values where the first has {expected_len}"),
            csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
            _ => error.to_string(),
        },
    };
    let header = reader.headers().map_err(|e| broken(&e))?.clone();
    let required = |name: &str| {
        header
            .iter()
            .position(|h| h == name)
            .ok_or_else(|| RecognitionFileError::MissingColumn {
                path: path.to_owned(),
                column: name.to_owned(),
            })
    };
    let columns = [
        required("recording")?,
        required("subject")?,
        required("truth")?,
        required("prediction")?,
    ];
    let mut clips = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| broken(&e))?;
        if let Some(&empty) = columns.iter().find(|&&c| record[c].is_empty()) {
            return Err(RecognitionFileError::Row {
                path: path.to_owned(),
                line: record.position().map_or(0, csv::Position::line),
                reason: format!("the value of '{}' is empty", &header[empty]),
            });
        }
        let [recording, subject, truth, prediction] = columns.map(|c| record[c].to_owned());
        clips.push(RecognisedClip {
            recording,
            subject,
            truth,
            prediction,
        });
    }
    if clips.is_empty() {
        return Err(RecognitionFileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(clips)
}

/// Scores clips. `classes` fixes which classes there are and their order; without
/// it they are those that occur as truth or prediction, numbers before words.
///
/// # Errors
/// The first clip whose class is not among `classes`, as a sentence.
pub fn score_clips(
    clips: &[RecognisedClip],
    classes: Option<&[String]>,
) -> Result<RecognitionReport, String> {
    let classes: Vec<String> = classes.map_or_else(|| classes_of(clips), <[String]>::to_vec);
    let number = |clip: &RecognisedClip, name: &String| {
        classes.iter().position(|c| c == name).ok_or_else(|| {
            format!(
                "Cannot score: the class '{name}' of {} is not among the classes {}. Add it, or leave the list out",
                clip.recording,
                classes.join(", ")
            )
        })
    };
    let mut numbered = Vec::with_capacity(clips.len());
    for clip in clips {
        numbered.push((number(clip, &clip.truth)?, number(clip, &clip.prediction)?));
    }
    let of = |chosen: &mut dyn Iterator<Item = (usize, usize)>| {
        let (truth, predicted): (Vec<usize>, Vec<usize>) = chosen.unzip();
        score(&truth, &predicted, classes.len())
    };
    let mut subjects: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (clip, &pair) in clips.iter().zip(&numbered) {
        subjects.entry(&clip.subject).or_default().push(pair);
    }
    let mut named = BTreeSet::new();
    let repeated = clips
        .iter()
        .filter(|c| !named.insert((&c.subject, &c.recording)))
        .count();
    let mut warnings = Vec::new();
    if repeated > 0 {
        warnings.push(format!(
            "{repeated} lines name a clip of the same subject again; each line is counted. Remove repetitions, or give clips names of their own"
        ));
    }
    for (c, class) in classes.iter().enumerate() {
        if numbered.iter().all(|&(truth, _)| truth != c) {
            warnings.push(format!(
                "No clip shows the class '{class}': its recall and F1 count as 0 in UAR and UF1"
            ));
        }
    }
    Ok(RecognitionReport {
        overall: of(&mut numbered.iter().copied()),
        per_subject: subjects
            .into_iter()
            .map(|(subject, pairs)| SubjectScore {
                subject: subject.to_owned(),
                score: of(&mut pairs.into_iter()),
            })
            .collect(),
        classes,
        warnings,
    })
}

fn classes_of(clips: &[RecognisedClip]) -> Vec<String> {
    let mut classes: Vec<String> = clips
        .iter()
        .flat_map(|c| [&c.truth, &c.prediction])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect();
    let key = |name: &String| name.parse::<u64>().unwrap_or(u64::MAX);
    classes.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.cmp(b)));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<RecognisedClip>, String> {
        parse(text.as_bytes(), Path::new("p.csv")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_table_is_pooled_and_also_scored_by_subject() {
        let clips = read(
            "recording,subject,truth,prediction\n\
             a,s1,0,0\nb,s1,1,0\nc,s2,10,10\nd,s2,2,2\n",
        )
        .expect("reads");
        let report = score_clips(&clips, None).expect("scores");
        assert_eq!(report.classes, ["0", "1", "2", "10"]);
        assert!((report.overall.accuracy - 0.75).abs() < 1e-12);
        assert!((report.overall.uar - 0.75).abs() < 1e-12);
        let s2 = &report.per_subject[1];
        assert_eq!((s2.subject.as_str(), s2.score.clips), ("s2", 2));
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        let json = serde_json::to_value(&report).expect("json");
        assert_eq!(json["confusion"][1][0], 1);
    }

    #[test]
    fn repeated_clips_and_classes_without_truth_are_told() {
        let clips =
            read("recording,subject,truth,prediction\na,s1,0,2\na,s1,0,0\n").expect("reads");
        let report = score_clips(&clips, None).expect("scores");
        assert_eq!(report.warnings.len(), 2);
        let fixed = ["0".to_owned(), "1".to_owned()];
        let error = score_clips(&clips, Some(&fixed)).expect_err("2 is none of them");
        assert!(error.contains("'2'"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (
                "recording,subject,truth\na,b,0\n",
                "'prediction' is missing",
            ),
            (
                "recording,subject,truth,prediction\na,b,,1\n",
                "'truth' is empty. Correct line 2",
            ),
            (
                "recording,subject,truth,prediction\na,b,1\n",
                "3 values where the first has 4",
            ),
            ("recording,subject,truth,prediction\n", "no clip"),
        ] {
            let error = read(text).expect_err("wrong");
            assert!(error.contains(said), "{error}");
        }
    }
}
