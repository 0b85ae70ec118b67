//! What is wrong with labelled data: as a whole ([`DatasetError`]) or in one row
//! ([`Problem`]).

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::Severity;

/// Nothing can be read from here.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("Cannot read the data: there is no such folder. Check the name: {}", root.display())]
    NoRoot { root: PathBuf },
    #[error("Cannot tell what data these are: {}. Name them with --dataset: {}", several(found), root.display())]
    Unknown {
        root: PathBuf,
        found: Vec<&'static str>,
    },
    #[error("Cannot read {name} here: {missing} is missing. Choose the folder that holds {expected}: {}", root.display())]
    WrongRoot {
        name: &'static str,
        missing: String,
        expected: &'static str,
        root: PathBuf,
    },
    #[error("Cannot read the labels: {reason}. Copy the file again from its source, or save it as xlsx or csv: {}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("Cannot read the labels: no row names the columns {columns}. Restore the header row{}: {}", of_sheet(sheet), path.display())]
    NoColumns {
        path: PathBuf,
        sheet: Option<String>,
        columns: String,
    },
    #[error("Cannot use the data: not one of {rows} label rows fits the recordings ({first}). Compare the sheet with the folders: {}", root.display())]
    NothingUsable {
        root: PathBuf,
        rows: usize,
        first: String,
    },
}

fn several(found: &[&str]) -> String {
    if found.is_empty() {
        "no label file that this program knows lies here".to_owned()
    } else {
        format!("they may be {}", found.join(" or "))
    }
}

fn of_sheet(sheet: &Option<String>) -> String {
    sheet
        .as_ref()
        .map_or_else(String::new, |s| format!(" of the sheet '{s}'"))
}

/// Where a label stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Relative to the root of the data.
    pub file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// As spreadsheets number rows, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
}

impl Place {
    /// A file or folder as a whole.
    #[must_use]
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            sheet: None,
            row: None,
        }
    }

    /// `path` as seen from `root`.
    #[must_use]
    pub fn below(root: &Path, path: &Path) -> Self {
        Self::file(path.strip_prefix(root).unwrap_or(path))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row} of ")?;
        }
        if let Some(sheet) = &self.sheet {
            write!(f, "sheet '{sheet}' of ")?;
        }
        write!(f, "{}", self.file.display())
    }
}

/// Something about one row, recording or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `info`: a choice this program made; `warning`: something is not as it should
    /// be, the rest is used; `error`: this cannot be used.
    pub severity: Severity,
    /// What could not be done and why.
    pub what: String,
    pub remedy: String,
    /// The row does not count.
    pub skipped_row: bool,
    pub place: Place,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if !self.remedy.is_empty() {
            write!(f, ". {}", self.remedy)?;
        }
        write!(f, ": {}", self.place)
    }
}
