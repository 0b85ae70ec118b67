//! The project file: one SQLite database `NAME.onset` that holds what the analysis told
//! of one recording and what people said of it.
//!
//! What [`ProjectFile::act`] returned for has reached the disk: a killed program or a
//! power cut afterwards loses nothing of it, and of an action that had not returned
//! either all or nothing is there. An `Err` leaves the file as it was.
//!
//! While a project is open its newest changes lie in `NAME.onset-wal` beside it, which
//! goes when it is closed; [`ProjectFile::save_copy`] makes a single file at any time. A
//! project is open in one window at a time, which also makes it safe on a network drive.
//!
//! Every change of what people say is kept in a journal with what it replaced. Each entry has a name that
//! copies of the project share, so that [`ProjectFile::merge`] knows whether one copy has
//! seen the other's latest word on an annotation or both went their own ways.
//!
//! The journal holds annotations as JSON: a field that is added to [`Annotation`] needs
//! `#[serde(default)]`, beside its column.

mod action;
mod analysis;
mod annotations;
mod blind_pass;
mod coding;
mod copy;
mod error;
mod fingerprint;
mod history;
mod journal;
mod merge;
mod opening;
mod rescue;
mod schema;
mod source;
mod undo;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

pub use action::{Action, Change, Coder, Done, EmotionLabels};
pub use analysis::{Analysis, Part, ProposedInterval, Track, UsedWeights};
pub use blind_pass::{BlindPass, PassNews, PassStep};
pub use error::ProjectError;
pub use fingerprint::Fingerprint;
pub use merge::Merged;
pub use rescue::{Rescued, rescue};
pub use source::{Source, SourceKind, SourceState};

use crate::timeline::{Annotation, AnnotationId};

/// The ending of a project file's name.
pub const ENDING: &str = "onset";

/// An open project. Dropping it closes the file.
#[derive(Debug)]
pub struct ProjectFile {
    conn: Connection,
    path: PathBuf,
    /// Who acts from now on.
    coder: String,
    /// Tells whether `path` still is the file that is open; `None` where that cannot be
    /// asked or nothing is written.
    identity: Option<opening::Identity>,
}

impl ProjectFile {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on actions are those of `coder`; empty for nobody by name.
    pub fn sign_as(&mut self, coder: &str) {
        coder.clone_into(&mut self.coder);
    }

    /// In order of onset.
    ///
    /// # Errors
    /// The file is damaged or out of reach; so for everything below that reads.
    pub fn annotations(&self) -> Result<Vec<Annotation>, ProjectError> {
        annotations::all(&self.conn).map_err(|e| self.said(&e))
    }

    /// # Errors
    /// As [`Self::annotations`].
    pub fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, ProjectError> {
        annotations::get(&self.conn, id).map_err(|e| self.said(&e))
    }

    /// In the order in which they came.
    ///
    /// # Errors
    /// As [`Self::annotations`].
    pub fn coders(&self) -> Result<Vec<Coder>, ProjectError> {
        coding::coders(&self.conn).map_err(|e| self.said(&e))
    }

    /// Empty where nobody chose any.
    ///
    /// # Errors
    /// As [`Self::annotations`].
    pub fn emotions(&self) -> Result<EmotionLabels, ProjectError> {
        coding::emotions(&self.conn).map_err(|e| self.said(&e))
    }

    /// JSON text.
    ///
    /// # Errors
    /// As [`Self::annotations`].
    pub fn setting(&self, key: &str) -> Result<Option<String>, ProjectError> {
        coding::setting(&self.conn, key).map_err(|e| self.said(&e))
    }

    /// JSON texts by key.
    ///
    /// # Errors
    /// As [`Self::annotations`].
    pub fn settings(&self) -> Result<BTreeMap<String, String>, ProjectError> {
        coding::settings(&self.conn).map_err(|e| self.said(&e))
    }

    fn said(&self, error: &rusqlite::Error) -> ProjectError {
        ProjectError::of(error, &self.path)
    }
}

/// A name that no annotation has had yet.
#[must_use]
pub fn fresh_id() -> AnnotationId {
    AnnotationId(uuid::Uuid::new_v4().as_u128())
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests;
