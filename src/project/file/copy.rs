//! Whole copies of a project, each written beside its place and renamed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};
use tempfile::TempPath;

use super::opening::absolute;
use super::{ProjectError, ProjectFile, source};
use crate::project::output::readable_by_others;

/// How long a file that is being read may be locked by somebody else.
const PATIENCE: Duration = Duration::from_secs(2);

impl ProjectFile {
    /// Writes the project as it is now to a single file, in place of an older copy there.
    /// This one stays open. The copy knows its recording by the path from its own folder.
    ///
    /// # Errors
    /// The place cannot be written, its disk is full, or it is this project itself or one
    /// that is open.
    pub fn save_copy(&self, to: &Path) -> Result<(), ProjectError> {
        let to = absolute(to)?;
        if same_file(&self.path, &to) {
            return Err(ProjectError::Refused {
                reason: format!(
                    "a copy needs another name than the project, {}",
                    to.display()
                ),
            });
        }
        let beside = Beside::of(&to)?;
        copy_to(&self.conn, beside.path(), Some(&to)).map_err(|e| e.at(&to))?;
        beside.put(&to, true)
    }
}

/// Keeps a project of an older version as it is, under a name that is still free.
pub(super) fn keep_backup(
    conn: &Connection,
    path: &Path,
    version: usize,
) -> Result<(), ProjectError> {
    let named = |ending: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut to = named(format!(".bak-v{version}"));
    let mut number = 2;
    while to.exists() {
        to = named(format!(".bak-v{version}-{number}"));
        number += 1;
    }
    let beside = Beside::of(&to)?;
    copy_to(conn, beside.path(), None).map_err(|e| e.at(&to))?;
    beside.put(&to, false)
}

/// Copies to a database in a file of its own; where it gets a place of its own (`moved`)
/// its source is seen from there.
fn copy_to(from: &Connection, to: &Path, moved: Option<&Path>) -> Result<(), ProjectError> {
    let said = |e: rusqlite::Error| ProjectError::of(&e, to);
    let mut conn = Connection::open(to).map_err(said)?;
    pages(from, &mut conn, to)?;
    // One that is open writes its changes beside it; a copy is a single file.
    conn.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(said)?;
    if let Some(place) = moved
        && let Some(mut source) = source::read(&conn).map_err(said)?
    {
        source.relative_path = source::relative(source.path.as_deref(), place);
        let sql = "UPDATE source SET relative_path = ?1";
        conn.execute(sql, params![source.relative_path])
            .map_err(said)?;
    }
    conn.close().map_err(|(_, e)| said(e))
}

/// Copies every page as the last finished change left it.
pub(super) fn pages(
    from: &Connection,
    to: &mut Connection,
    path: &Path,
) -> Result<(), ProjectError> {
    let said = |e: rusqlite::Error| ProjectError::of(&e, path);
    let copy = Backup::new(from, to).map_err(said)?;
    let started = Instant::now();
    loop {
        match copy.step(-1).map_err(said)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked if started.elapsed() > PATIENCE => {
                return Err(ProjectError::InUse {
                    path: path.to_owned(),
                });
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A file on its way to its place; dropped before, it leaves nothing.
pub(super) struct Beside(TempPath);

impl Beside {
    /// # Errors
    /// The folder is missing or takes no files.
    pub(super) fn of(place: &Path) -> Result<Self, ProjectError> {
        let folder = place.parent().unwrap_or(Path::new("/"));
        tempfile::Builder::new()
            .prefix(".onset-")
            .tempfile_in(folder)
            .map(|file| Self(file.into_temp_path()))
            .map_err(|e| ProjectError::io(&e, place))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Puts the finished file in its place, on the disk for good.
    ///
    /// # Errors
    /// The place is taken and not to be replaced, or belongs to a project that is open or
    /// was never closed.
    pub(super) fn put(self, place: &Path, replace: bool) -> Result<(), ProjectError> {
        let said = |e: std::io::Error| ProjectError::io(&e, place);
        // SQLite would take what lies there for changes of the new file.
        if wal_of(place).exists() || with_ending(place, "-journal").exists() {
            let path = place.to_owned();
            return Err(if place.exists() && !replace {
                ProjectError::Exists { path }
            } else {
                ProjectError::LeftOver { path }
            });
        }
        // Opened for writing, which some systems want before they flush.
        fs::OpenOptions::new()
            .write(true)
            .open(&self.0)
            .and_then(|file| file.sync_all())
            .map_err(said)?;
        let put = match replace {
            true => self.0.persist(place),
            false => self.0.persist_noclobber(place),
        };
        put.map_err(|e| said(e.error))?;
        readable_by_others(place);
        // The new name is safe once its folder is; not every system can say so.
        if cfg!(unix)
            && let Some(folder) = place.parent()
        {
            File::open(folder)
                .and_then(|f| f.sync_all())
                .map_err(said)?;
        }
        Ok(())
    }
}

/// Where SQLite keeps changes that are not yet in the file itself.
pub(super) fn wal_of(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

impl ProjectError {
    /// The same of the place that a person knows, instead of a hidden file on its way.
    pub(super) fn at(mut self, place: &Path) -> Self {
        match &mut self {
            Self::NotFound { path }
            | Self::Exists { path }
            | Self::LeftOver { path }
            | Self::NotAProject { path, .. }
            | Self::Newer { path, .. }
            | Self::Damaged { path, .. }
            | Self::ReadOnly { path }
            | Self::DiskFull { path }
            | Self::InUse { path }
            | Self::Gone { path }
            | Self::OtherSource { path, .. }
            | Self::ChangedSource { path, .. }
            | Self::Access { path, .. } => place.clone_into(path),
            Self::Refused { .. } => {}
        }
        self
    }
}
