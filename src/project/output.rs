//! Files written beside and renamed: a killed run leaves no half file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("Cannot write the results: {reason}. Free space or choose another folder with --out: {}", path.display())]
    Write { path: PathBuf, reason: String },
    #[error("Cannot draw the timeline: {reason}. The other results are complete: {}", path.display())]
    Plot { path: PathBuf, reason: String },
}

impl OutputError {
    pub(super) fn write(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Write {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Writes `bytes` to a hidden neighbour of `path`, flushes it to disk, and renames.
///
/// # Errors
/// When the folder cannot be created, the disk is full, or the place is read-only.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| OutputError::write(folder, e))?;
    let mut file = tempfile::Builder::new()
        .prefix(".onset-")
        .tempfile_in(folder)
        .map_err(|e| OutputError::write(folder, e))?;
    file.write_all(bytes)
        .map_err(|e| OutputError::write(path, e))?;
    file.as_file()
        .sync_all()
        .map_err(|e| OutputError::write(path, e))?;
    file.persist(path)
        .map_err(|e| OutputError::write(path, e.error))?;
    readable_by_others(path);
    Ok(())
}

/// Temporary files are private to the user; results get the usual rights. Where
/// that is not possible the file is still good.
fn readable_by_others(path: &Path) {
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
