//! What can go wrong with a project file, as the person reads it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("Cannot reach the project: there is no such file or folder. Choose the place where it lies now: {}", path.display())]
    NotFound { path: PathBuf },
    #[error("Cannot write a new project file: there is already one of this name. Open that one or choose another name: {}", path.display())]
    Exists { path: PathBuf },
    #[error("Cannot write a project file of this name: one that is open or was never closed has its changes beside it, in a file that ends in -wal. Choose another name: {}", path.display())]
    LeftOver { path: PathBuf },
    #[error("Cannot open the project: {reason}. Choose a file that Onset saved, its name ends in .onset: {}", path.display())]
    NotAProject { path: PathBuf, reason: &'static str },
    #[error("Cannot open the project: a newer Onset wrote it (its format is {found}, this program reads up to {known}). Update Onset; the file was not changed: {}", path.display())]
    Newer {
        path: PathBuf,
        found: i64,
        known: usize,
    },
    #[error("Cannot read the project: the file is damaged ({reason}). Open a backup copy, or rescue what can still be read into a new file; this one was not changed: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("Cannot change the project: its file or folder is read-only. Save a copy where you may write and go on there: {}", path.display())]
    ReadOnly { path: PathBuf },
    #[error("Cannot save: the disk is full. Everything saved before is safe. Free some space and do it again: {}", path.display())]
    DiskFull { path: PathBuf },
    #[error("Cannot open the project: another window of Onset has it open. Close it there first: {}", path.display())]
    InUse { path: PathBuf },
    #[error("Cannot save: the project file was moved or deleted while it was open. Put it back, or save a copy: {}", path.display())]
    Gone { path: PathBuf },
    #[error("Cannot join the projects: the other one is about {theirs}, this one about {ours}. Choose a project of the same recording: {}", path.display())]
    OtherSource {
        path: PathBuf,
        ours: String,
        theirs: String,
    },
    #[error("Cannot use this as the project's recording: its content is not that of {name}. Choose the recording that was analysed: {}", path.display())]
    ChangedSource { path: PathBuf, name: String },
    #[error("Cannot save the change: {reason}.")]
    Refused { reason: String },
    #[error("Cannot reach the project file: {reason}. Check that its disk is connected and do it again: {}", path.display())]
    Access { path: PathBuf, reason: String },
}

impl ProjectError {
    /// What SQLite's refusal means for the project at `path`.
    pub(super) fn of(error: &rusqlite::Error, path: &Path) -> Self {
        let path = path.to_owned();
        let reason = reason(error);
        let Some(code) = error.sqlite_error_code() else {
            return match error {
                rusqlite::Error::ToSqlConversionFailure(_) => Self::Refused { reason },
                // Bytes that are no value of ours were not written by us.
                _ => Self::Damaged { path, reason },
            };
        };
        match code {
            ErrorCode::DiskFull => Self::DiskFull { path },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly { path },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse { path },
            // Our own SQL fails where a table is missing.
            ErrorCode::DatabaseCorrupt | ErrorCode::Unknown => Self::Damaged { path, reason },
            ErrorCode::NotADatabase => Self::NotAProject {
                path,
                reason: "this is no Onset project, or its beginning is destroyed",
            },
            // A folder that takes no new file cannot hold the file of changes.
            ErrorCode::CannotOpen if path.exists() && !takes_files(&path) => {
                Self::ReadOnly { path }
            }
            ErrorCode::CannotOpen if !path.exists() => Self::NotFound { path },
            _ => Self::Access { path, reason },
        }
    }

    pub(super) fn io(error: &std::io::Error, path: &Path) -> Self {
        use std::io::ErrorKind;
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound { path },
            ErrorKind::AlreadyExists => Self::Exists { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            // Its own text may name a hidden file, which says nothing to anyone.
            kind => Self::Access {
                path,
                reason: kind.to_string(),
            },
        }
    }
}

/// SQLite's own words, without the library's wrapping.
fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::ToSqlConversionFailure(e)
        | rusqlite::Error::FromSqlConversionFailure(_, _, e) => e.to_string(),
        other => other.to_string(),
    }
}

fn takes_files(path: &Path) -> bool {
    path.parent()
        .is_some_and(|folder| tempfile::tempfile_in(folder).is_ok())
}
