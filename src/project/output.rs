//! Files written beside and renamed: a killed run leaves no half file, and a full
//! disk leaves the results of an earlier run as they were.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("Cannot write the results: {reason}. Free space or choose another folder with --out: {}", path.display())]
    Write { path: PathBuf, reason: String },
    #[error("Cannot put results here: this is a file and a folder is needed. Choose another place with --out: {}", path.display())]
    NotAFolder { path: PathBuf },
    #[error("Cannot draw the timeline: {reason}. Please report this with the recording's run.log: {}", path.display())]
    Plot { path: PathBuf, reason: String },
}

impl OutputError {
    pub(crate) fn write(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Write {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// The files of one result: all are written to the disk beside their places before
/// the first one is renamed, so that there is either the whole result or none of it.
#[derive(Debug, Default)]
pub struct Batch(Vec<(NamedTempFile, PathBuf)>);

impl Batch {
    /// Writes `bytes` to a hidden neighbour of `path` and flushes it to disk.
    ///
    /// # Errors
    /// When the folder cannot be created, the disk is full, or the place is read-only.
    pub fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
        self.0.push((beside(path, bytes)?, path.to_owned()));
        Ok(())
    }

    /// Puts all files in their places. The one added last says that the others belong
    /// together, so an older one of its name goes first.
    ///
    /// # Errors
    /// When the system refuses a change of names.
    pub fn commit(self) -> Result<(), OutputError> {
        if let [_, .., (_, last)] = self.0.as_slice()
            && let Err(e) = fs::remove_file(last)
            && e.kind() != std::io::ErrorKind::NotFound
        {
            return Err(OutputError::write(last, e));
        }
        for (file, path) in self.0 {
            file.persist(&path)
                .map_err(|e| OutputError::write(&path, e.error))?;
            readable_by_others(&path);
        }
        Ok(())
    }
}

/// Writes one file whole: beside its place, then renamed.
///
/// # Errors
/// As [`Batch::add`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let mut batch = Batch::default();
    batch.add(path, bytes)?;
    batch.commit()
}

/// Whether results could be written to `folder`, which need not exist yet: asked
/// before hours of analysis, not after. Creates nothing that stays.
///
/// # Errors
/// When `folder` is a file, or it (or the nearest folder above) cannot be written.
pub fn check_writable(folder: &Path) -> Result<(), OutputError> {
    let absolute = std::path::absolute(folder).map_err(|e| OutputError::write(folder, e))?;
    let Some(existing) = absolute.ancestors().find(|p| p.exists()) else {
        return Ok(());
    };
    if !existing.is_dir() {
        return Err(OutputError::NotAFolder {
            path: existing.to_owned(),
        });
    }
    match tempfile::tempfile_in(existing) {
        Ok(_) => Ok(()),
        Err(e) => Err(OutputError::write(folder, e)),
    }
}

fn beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, OutputError> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| OutputError::write(folder, e))?;
    let mut file = tempfile::Builder::new()
        .prefix(".onset-")
        .tempfile_in(folder)
        // Its error names the hidden file, which says nothing to anyone.
        .map_err(|e| OutputError::write(folder, e.kind()))?;
    // The handle's own errors do not name the file.
    file.as_file_mut()
        .write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|e| OutputError::write(path, e))?;
    Ok(file)
}

/// Temporary files are private to the user; results get the usual rights. Where
/// that is not possible the file is still good.
pub(super) fn readable_by_others(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Err(e) = fs::set_permissions(path, fs::Permissions::from_mode(0o644)) {
            log::debug!("rights of {} unchanged: {e}", path.display());
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_is_not_committed_changes_nothing_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (table, summary) = (folder.path().join("a.csv"), folder.path().join("b.json"));
        fs::write(&table, "old").unwrap();
        let mut batch = Batch::default();
        batch.add(&table, b"new").unwrap();
        batch.add(&summary, b"{}").unwrap();
        drop(batch);
        assert_eq!(fs::read_to_string(&table).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mut batch = Batch::default();
        batch.add(&table, b"new").unwrap();
        batch.add(&summary, b"{}").unwrap();
        batch.commit().unwrap();
        assert_eq!(fs::read_to_string(&table).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_place_is_checked_without_leaving_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, "").unwrap();
        assert!(check_writable(&folder.path().join("new/deeper")).is_ok());
        assert!(matches!(
            check_writable(&file.join("below")),
            Err(OutputError::NotAFolder { path }) if path == file
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
