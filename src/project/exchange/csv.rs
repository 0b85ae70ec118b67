//! `annotations.csv`: one row an annotation, comma-separated (RFC 4180), UTF-8.
//!
//! | column | what it holds |
//! |---|---|
//! | `recording` | the recording's name without its path |
//! | `coder` | who says so; empty where nobody gave a name |
//! | `kind` | `macro` or `micro` |
//! | `onset`, `apex`, `offset` | frames counted from 0, both ends included; `apex` may be empty |
//! | `onset_secs`, `apex_secs`, `offset_secs` | when they were shown, seconds from the first frame; empty of a frame that was not analysed yet |
//! | `units` | like `AU4B+AU12LC` |
//! | `emotion`, `confidence` (1 to 5), `status`, `note` | empty where not said |
//! | `score`, `candidate` | the candidate it was made from: score, and `micro:10:14:20` as spotted |
//! | `id` | 32 hexadecimal digits |
//!
//! Reading takes these columns in any order, `intervals.csv` of `onset analyze` (`label`
//! for `emotion`, `aus` for `units`) and truth files with nothing but `recording kind
//! onset apex offset`. Frames count, times are not read. Semicolons and tabs, as
//! spreadsheets write them, are understood.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};

use super::imported::Names;
use super::{Entry, Imported, Place, Sheet, words};
use crate::facs::{parse_units, write_units};
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::annotation::Candidate;
use crate::timeline::{Annotation, AnnotationId};

const COLUMNS: [&str; 17] = [
    "recording",
    "coder",
    "kind",
    "onset",
    "apex",
    "offset",
    "onset_secs",
    "apex_secs",
    "offset_secs",
    "units",
    "emotion",
    "confidence",
    "status",
    "note",
    "score",
    "id",
    "candidate",
];

/// Columns of our own other files that say nothing of an annotation.
const KNOWN_ELSEWHERE: [&str; 5] = ["label", "label_prob", "uncertainty", "subject", "aus"];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("Cannot read the annotations: the first line is not UTF-8 text. Save the table as 'CSV UTF-8': {}", path.display())]
    NotText { path: PathBuf },
    #[error("Cannot read the annotations: the column '{column}' is missing. The first line must name kind, onset and offset: {}", path.display())]
    MissingColumn { path: PathBuf, column: &'static str },
}

/// What a row is taken for where the file does not say.
#[derive(Debug, Clone, Copy)]
pub struct Defaults<'a> {
    pub recording: &'a str,
    pub coder: &'a str,
}

/// Writes the annotations of several recordings, in their order.
#[must_use]
pub fn write(sheets: &[Sheet]) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for sheet in sheets {
        let secs = |frame: u64| {
            let known = sheet.clock.known_time_of(frame);
            known.map_or_else(String::new, |time| format!("{:.6}", time.secs()))
        };
        for a in sheet.annotations {
            let candidate = a.candidate.as_ref();
            rows.push(vec![
                sheet.recording.to_owned(),
                a.coder.clone(),
                a.kind.name().to_owned(),
                a.onset.to_string(),
                a.apex.map_or_else(String::new, |apex| apex.to_string()),
                a.offset.to_string(),
                secs(a.onset),
                a.apex.map_or_else(String::new, secs),
                secs(a.offset),
                write_units(&a.units),
                a.emotion.clone().unwrap_or_default(),
                a.confidence.map_or_else(String::new, |c| c.to_string()),
                words::status_name(a.status).to_owned(),
                a.note.clone(),
                candidate.map_or_else(String::new, |c| c.score.to_string()),
                a.id.to_string(),
                candidate.map_or_else(String::new, words::candidate_text),
            ]);
        }
    }
    table(&rows)
}

/// Rows of equal length as RFC 4180, each ended by a line feed.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let mut out = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        out.write_record(row)
            .expect("rows are of one length and memory takes every byte");
    }
    let bytes = out.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("what was written was text")
}

/// Reads a table. A row whose id is among `known` changes that annotation in the
/// columns that the file has; a row without an id, or with one that stands further up,
/// gets a new one. `path` is named in errors only.
///
/// # Errors
/// [`TableError`] where the file as a whole is not such a table; rows that cannot be
/// read are listed in [`Imported::problems`].
pub fn read(
    bytes: &[u8],
    path: &Path,
    defaults: Defaults,
    known: &[Annotation],
) -> Result<Imported, TableError> {
    // Spreadsheets like to put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .flexible(true)
        .from_reader(bytes);
    let header = reader.headers().map_err(|_not_text| TableError::NotText {
        path: path.to_owned(),
    })?;
    let columns = Columns::of(header);
    for column in ["kind", "onset", "offset"] {
        if columns.at(column).is_none() {
            return Err(TableError::MissingColumn {
                path: path.to_owned(),
                column,
            });
        }
    }
    let mut imported = Imported::default();
    if !columns.unknown.is_empty() {
        let names = columns.unknown.join(", ");
        imported.problem(
            Place::File,
            format!("it has columns that are not read: {names}."),
        );
    }
    let known: HashMap<AnnotationId, &Annotation> = known.iter().map(|a| (a.id, a)).collect();
    let mut names = Names::default();
    for record in reader.into_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, ::csv::Position::line);
                imported.problem(Place::Line(line), "it is not UTF-8 text and was left out.");
                continue;
            }
        };
        let line = record.position().map_or(0, ::csv::Position::line);
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        let row = Row {
            columns: &columns,
            record: &record,
        };
        match row.entry(defaults, &known) {
            Ok(mut entry) => {
                let id = entry.annotation.id;
                let named = row.text("id").is_some_and(|text| !text.is_empty());
                entry.annotation.id = names.claim(named.then_some(id));
                if named && entry.annotation.id != id {
                    imported.problem(
                        Place::Line(line),
                        "its id stands further up already; it was imported with a new one.",
                    );
                }
                if let Some(contradiction) = entry.annotation.contradiction() {
                    let reason = format!("{contradiction} It was imported all the same.");
                    imported.problem(Place::Line(line), reason);
                }
                imported.entries.push(entry);
            }
            Err(reason) => {
                imported.problem(Place::Line(line), format!("{reason}; it was left out."));
            }
        }
    }
    Ok(imported)
}

/// What separates the names in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|&&b| b == wanted).count();
    // Of equals the last is taken, so a table of one column has commas.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|&b| count(b))
        .unwrap_or(b',')
}

struct Columns {
    places: HashMap<String, usize>,
    unknown: Vec<String>,
}

impl Columns {
    fn of(header: &StringRecord) -> Self {
        let mut places = HashMap::new();
        let mut unknown = Vec::new();
        let known: HashSet<&str> = COLUMNS.into_iter().chain(KNOWN_ELSEWHERE).collect();
        for (at, name) in header.iter().enumerate() {
            let name = name.trim().to_ascii_lowercase();
            // `intervals.csv` has a probability a class and a unit.
            if !known.contains(name.as_str()) && !name.ends_with("_p") && !name.is_empty() {
                unknown.push(name.clone());
            }
            places.entry(name).or_insert(at);
        }
        Self { places, unknown }
    }

    /// The column itself, or what other files of ours call it.
    fn at(&self, name: &str) -> Option<usize> {
        let other = match name {
            "units" => "aus",
            "emotion" => "label",
            same => same,
        };
        self.places
            .get(name)
            .or_else(|| self.places.get(other))
            .copied()
    }
}

struct Row<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Row<'_> {
    /// As it stands; `None` where the file has no such column.
    fn text(&self, column: &str) -> Option<&str> {
        let at = self.columns.at(column)?;
        Some(self.record.get(at).unwrap_or_default())
    }

    fn value<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
        wanted: &str,
    ) -> Result<Option<T>, String> {
        let text = self.text(column).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || format!("the {column} '{text}' is not {wanted}");
        parse(text).map(Some).ok_or_else(wrong)
    }

    fn needed<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
        wanted: &str,
    ) -> Result<T, String> {
        let value = self.value(column, parse, wanted)?;
        value.ok_or_else(|| format!("the {column} is empty"))
    }

    fn has(&self, column: &str) -> bool {
        self.columns.at(column).is_some()
    }

    fn entry(
        &self,
        defaults: Defaults,
        known: &HashMap<AnnotationId, &Annotation>,
    ) -> Result<Entry, String> {
        const FRAME: &str = "a frame number (0, 1, 2 …)";
        let frame = |text: &str| text.parse::<u64>().ok();
        let kind: ExpressionKind = self.needed("kind", words::kind, "macro or micro")?;
        let onset = self.needed("onset", frame, FRAME)?;
        let offset = self.needed("offset", frame, FRAME)?;
        let id = self.value("id", |text| text.parse().ok(), "32 hexadecimal digits")?;
        let id = id.unwrap_or(AnnotationId(0));
        let mut a = known.get(&id).map_or_else(
            || Annotation::found(id, defaults.coder, kind, (onset, offset)),
            |&there| there.clone(),
        );
        // Not put in order: what is contradictory is said, not mended.
        (a.kind, a.onset, a.offset) = (kind, onset, offset);
        if let Some(coder) = self.text("coder") {
            coder.trim().clone_into(&mut a.coder);
        }
        if self.has("apex") {
            a.apex = self.value("apex", frame, FRAME)?;
        }
        if let Some(units) = self.text("units") {
            a.units = parse_units(units).map_err(|e| e.to_string())?;
        }
        if let Some(emotion) = self.text("emotion") {
            let emotion = emotion.trim();
            a.emotion = (!emotion.is_empty()).then(|| emotion.to_owned());
        }
        if self.has("confidence") {
            a.confidence = self.value("confidence", words::confidence, "1 to 5")?;
        }
        if self.has("status") {
            let wanted = "proposed, accepted or rejected";
            let status = self.value("status", words::status, wanted)?;
            a.status = status.unwrap_or(IntervalStatus::Accepted);
        }
        if let Some(note) = self.text("note") {
            note.clone_into(&mut a.note);
        }
        if let Some(candidate) = self.candidate(&a)? {
            a.candidate = Some(candidate);
        }
        let recording = self.text("recording").unwrap_or_default().trim();
        let recording = if recording.is_empty() {
            defaults.recording
        } else {
            recording
        };
        Ok(Entry {
            recording: recording.to_owned(),
            annotation: a,
        })
    }

    /// As spotted; in `intervals.csv` the row itself is the candidate. A score alone
    /// does not make one in other files.
    fn candidate(&self, a: &Annotation) -> Result<Option<Candidate>, String> {
        let number = |text: &str| text.parse::<f64>().ok();
        let score = self.value("score", number, "a number")?;
        let score_or_none = score.unwrap_or(0.0);
        let spotted = self.value(
            "candidate",
            |text| words::candidate(text, score_or_none),
            "like micro:10:14:20",
        )?;
        let is_intervals_table = !self.has("id") && !self.has("candidate");
        Ok(spotted.or_else(|| {
            let score = score.filter(|_| is_intervals_table)?;
            Some(Candidate {
                kind: a.kind,
                onset: a.onset,
                apex: a.apex?,
                offset: a.offset,
                score,
            })
        }))
    }
}

#[cfg(test)]
mod tests;
