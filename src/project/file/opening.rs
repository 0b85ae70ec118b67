//! A project made, opened, and opened only to be read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::copy::{self, Beside};
use super::schema::{self, APPLICATION_ID, MIGRATIONS};
use super::{ProjectError, ProjectFile, Source, now_ms, source};

/// How long another window may take to close the project.
const PATIENCE: Duration = Duration::from_secs(2);

/// More of the changes' own file than this is given back to the disk.
const KEPT_WAL_BYTES: i64 = 4 << 20;

impl ProjectFile {
    /// Makes an empty project; its folder must exist.
    ///
    /// # Errors
    /// There is a file of this name, or the place cannot be written.
    pub fn create(path: &Path) -> Result<Self, ProjectError> {
        Self::create_with(path, None)
    }

    /// Makes a project that is about `source` from its first moment: one without a source
    /// would be taken for another recording's, and a second one made beside it.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_about(path: &Path, source: &Source) -> Result<Self, ProjectError> {
        Self::create_with(path, Some(source))
    }

    fn create_with(path: &Path, about: Option<&Source>) -> Result<Self, ProjectError> {
        let path = absolute(path)?;
        // Built beside and renamed: a killed program leaves no half project.
        let beside = Beside::of(&path)?;
        let said = |e: rusqlite::Error| ProjectError::of(&e, &path);
        build(beside.path(), MIGRATIONS).map_err(said)?;
        if let Some(about) = about {
            let conn = Connection::open(beside.path()).map_err(said)?;
            source::write(&conn, about, &path).map_err(said)?;
            conn.close().map_err(|(_, e)| said(e))?;
        }
        beside.put(&path, false)?;
        Self::open(&path)
    }

    /// Opens a project for changes. One that an older Onset wrote is brought up to date,
    /// after a copy was kept as `NAME.onset.bak-vN`.
    ///
    /// # Errors
    /// It is missing, no project, of a newer Onset, damaged, read-only (see
    /// [`Self::open_read_only`]) or open in another window.
    pub fn open(path: &Path) -> Result<Self, ProjectError> {
        Self::open_with(path, MIGRATIONS)
    }

    pub(super) fn open_with(path: &Path, migrations: &[&str]) -> Result<Self, ProjectError> {
        let path = absolute(path)?;
        let said = |e: rusqlite::Error| ProjectError::of(&e, &path);
        let mut conn = connect(&path).map_err(said)?;
        if conn.is_readonly("main").map_err(said)? {
            return Err(ProjectError::ReadOnly { path });
        }
        let closing_saves = |conn: &Connection, on: bool| {
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on)
        };
        // Of a damaged file nothing is to be written over what may still be read.
        closing_saves(&conn, false).map_err(said)?;
        let version = schema::check(&conn, &path, migrations);
        if !matches!(version, Err(ProjectError::Damaged { .. })) {
            closing_saves(&conn, true).map_err(said)?;
        }
        let version = version?;
        if version < migrations.len() {
            copy::keep_backup(&conn, &path, version)?;
        }
        schema::migrate(&mut conn, version, migrations).map_err(said)?;
        settle(&conn).map_err(said)?;
        let identity = Identity::of(&path);
        Ok(Self {
            conn,
            path,
            coder: String::new(),
            identity,
        })
    }

    /// Opens a copy in memory of a project that cannot or should not be changed: on a
    /// read-only disk, or another coder's. The file stays as it is, also where it is of an
    /// older version; every change is refused.
    ///
    /// # Errors
    /// As [`Self::open`], but for the rights to write.
    pub fn open_read_only(path: &Path) -> Result<Self, ProjectError> {
        let path = absolute(path)?;
        let said = |e: rusqlite::Error| ProjectError::of(&e, &path);
        let mut conn = Connection::open_in_memory().map_err(said)?;
        {
            let from = connect_read_only(&path)?;
            copy::pages(&from, &mut conn, &path)?;
        }
        let version = schema::check(&conn, &path, MIGRATIONS)?;
        schema::migrate(&mut conn, version, MIGRATIONS).map_err(said)?;
        conn.pragma_update(None, "query_only", true).map_err(said)?;
        Ok(Self {
            conn,
            path,
            coder: String::new(),
            identity: None,
        })
    }

    /// What the project at `path` is about, without opening it: however much it holds,
    /// nothing else is read.
    ///
    /// # Errors
    /// As [`Self::open_read_only`]; damage elsewhere in the file is not noticed.
    pub fn source_in(path: &Path) -> Result<Option<Source>, ProjectError> {
        let path = absolute(path)?;
        let conn = connect_read_only(&path)?;
        schema::version(&conn, &path, MIGRATIONS)?;
        // The same table in every version so far.
        source::read(&conn).map_err(|e| ProjectError::of(&e, &path))
    }

    /// The same in every copy of the project.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn id(&self) -> Result<String, ProjectError> {
        self.conn
            .query_row("SELECT id FROM project", [], |row| row.get(0))
            .map_err(|e| self.said(&e))
    }

    /// # Errors
    /// What is at the project's path is no longer the file that is open, so that changes
    /// would be lost with it.
    pub(super) fn still_there(&self) -> Result<(), ProjectError> {
        if self.identity.is_some() && Identity::of(&self.path) != self.identity {
            return Err(ProjectError::Gone {
                path: self.path.clone(),
            });
        }
        Ok(())
    }
}

/// An empty project of the last of `migrations` in a new or empty file.
pub(super) fn build(path: &Path, migrations: &[&str]) -> rusqlite::Result<()> {
    let mut conn = Connection::open(path)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    schema::migrate(&mut conn, 0, migrations)?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let version = env!("CARGO_PKG_VERSION");
    conn.execute(
        "INSERT INTO project (only_row, id, created_ms, onset_version) VALUES (1, ?1, ?2, ?3)",
        params![id, now_ms(), version],
    )?;
    conn.close().map_err(|(_, e)| e)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(PATIENCE)?;
    // A second window would not see the first one's changes; and without a file that
    // both map into memory the project may lie on a network drive.
    conn.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    // Projects come from other people: what their tables say is not run.
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(conn)
}

/// Sees to it that what was committed is on the disk.
fn settle(conn: &Connection) -> rusqlite::Result<()> {
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
            Some(format!("its disk allows no file of changes ({mode})")),
        ));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    // On a Mac the usual flush stops at the disk's own memory.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update_and_check(None, "journal_size_limit", KEPT_WAL_BYTES, |_| Ok(()))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // The file of changes is made at the first reading: better now than when there is
    // something to save.
    conn.query_row("SELECT id FROM project", [], |_| Ok(()))
}

pub(super) fn connect_read_only(path: &Path) -> Result<Connection, ProjectError> {
    let said = |e: rusqlite::Error| ProjectError::of(&e, path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Without changes beside it, it is closed and whole, and can be read where not even
    // a lock can be written. With them, the plain way also finds out who has it open.
    let conn = if copy::wal_of(path).exists() {
        Connection::open_with_flags(path, flags)
    } else {
        Connection::open_with_flags(unchanging(path), flags | OpenFlags::SQLITE_OPEN_URI)
    }
    .map_err(said)?;
    conn.busy_timeout(PATIENCE).map_err(said)?;
    Ok(conn)
}

/// The path as SQLite's address of a file that nobody changes meanwhile.
fn unchanging(path: &Path) -> String {
    let mut address = String::from("file:");
    let shown = path.to_string_lossy();
    if cfg!(windows) {
        address.push_str("///");
    }
    for byte in shown.bytes() {
        match byte {
            b'\\' if cfg!(windows) => address.push('/'),
            b'/' | b':' | b'.' | b'-' | b'_' => address.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?immutable=1"
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, ProjectError> {
    std::path::absolute(path).map_err(|e| ProjectError::io(&e, path))
}

/// Which file on which disk a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path).ok()?;
        Some(Self(file.dev(), file.ino()))
    }

    /// Elsewhere an open file can be neither moved nor deleted.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Path) -> Option<Self> {
        None
    }
}
