//! The bundled clip, carried in the program so that a first run needs no file.

use std::path::{Path, PathBuf};

use super::MediaError;

static CLIP: &[u8] = include_bytes!("../../assets/clip/sample.mp4");

/// Puts `sample.mp4` into `folder` unless it is there already, and names it.
///
/// # Errors
/// When the folder cannot be made or the file cannot be written.
pub fn unpack(folder: &Path) -> Result<PathBuf, MediaError> {
    let path = folder.join("sample.mp4");
    let failed = |e: std::io::Error| MediaError::Write {
        path: path.clone(),
        reason: e.to_string(),
    };
    if std::fs::metadata(&path).is_ok_and(|m| m.len() == CLIP.len() as u64) {
        return Ok(path);
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, CLIP).map_err(failed)?;
    file.persist(&path).map_err(|e| failed(e.error))?;
    Ok(path)
}
