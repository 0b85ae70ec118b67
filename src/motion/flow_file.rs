//! Flow fields in Middlebury's `.flo` files.
//!
//! Four bytes `PIEH` (the little-endian float 202021.25), width and height as
//! 32-bit integers, then u and v of every pixel as 32-bit floats, row by row.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Flow;
use crate::base::Plane;

const TAG: [u8; 4] = *b"PIEH";
const HEADER: usize = 12;

/// Why a flow file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FlowFileError {
    #[error("Cannot read the flow: {reason}. Check the name and the rights: {}", path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("Cannot write the flow: {reason}. Choose a folder that exists and has room: {}", path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error("This is no Middlebury .flo file ({reason}). Onset reads those written by `onset flow` or OpenCV: {}", path.display())]
    NotFlow { path: PathBuf, reason: String },
}

/// Writes `flow` beside `path` and renames, replacing a file of that name.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, flow: &Flow) -> Result<(), FlowFileError> {
    let write_error = |reason| FlowFileError::Write {
        path: path.to_owned(),
        reason,
    };
    let side = |length: usize| {
        i32::try_from(length)
            .map_err(|e| write_error(io::Error::new(io::ErrorKind::InvalidInput, e)))
    };
    let mut bytes = Vec::with_capacity(HEADER + 8 * flow.u.data.len());
    bytes.extend(TAG);
    bytes.extend(side(flow.u.width)?.to_le_bytes());
    bytes.extend(side(flow.u.height)?.to_le_bytes());
    for (u, v) in flow.u.data.iter().zip(&flow.v.data) {
        bytes.extend(u.to_le_bytes());
        bytes.extend(v.to_le_bytes());
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        // Its error names the hidden file, which says nothing to anyone.
        .map_err(|e| write_error(e.kind().into()))?;
    beside
        .as_file_mut()
        .write_all(&bytes)
        .map_err(write_error)?;
    beside.persist(path).map_err(|e| write_error(e.error))?;
    allow_reading(path);
    Ok(())
}

/// Temporary files are private to the user; results are not.
fn allow_reading(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Failing to widen the permission harms nobody.
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Reads a `.flo` file; unknown flow keeps its value above 1e9.
///
/// # Errors
/// When the file cannot be read or is not a complete `.flo` file.
pub fn read(path: &Path) -> Result<Flow, FlowFileError> {
    let bytes = fs::read(path).map_err(|reason| FlowFileError::Read {
        path: path.to_owned(),
        reason,
    })?;
    parse(&bytes).map_err(|reason| FlowFileError::NotFlow {
        path: path.to_owned(),
        reason,
    })
}

fn parse(bytes: &[u8]) -> Result<Flow, String> {
    let (words, _) = bytes.as_chunks::<4>();
    let [tag, width, height, values @ ..] = words else {
        return Err(format!("only {} bytes", bytes.len()));
    };
    if *tag != TAG {
        return Err("it does not begin with PIEH".into());
    }
    let (width, height) = (i32::from_le_bytes(*width), i32::from_le_bytes(*height));
    let side = |length: i32| usize::try_from(length).ok().filter(|&l| l > 0);
    let (Some(w), Some(h)) = (side(width), side(height)) else {
        return Err(format!("its size is {width}×{height}"));
    };
    if w.checked_mul(h).and_then(|n| n.checked_mul(2)) != Some(values.len()) {
        return Err(format!(
            "{width}×{height} vectors announced, {} there",
            values.len() / 2
        ));
    }
    let part = |c: usize| {
        values
            .iter()
            .skip(c)
            .step_by(2)
            .map(|v| f32::from_le_bytes(*v))
            .collect()
    };
    Ok(Flow {
        u: Plane::from_vec(w, h, part(0)),
        v: Plane::from_vec(w, h, part(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut flow = Flow::zeros(3, 2);
        flow.u
            .data
            .copy_from_slice(&[1.0, -2.5, 3.0, 1e10, 0.0, 7.0]);
        flow.v.data[5] = -0.125;
        let path = std::env::temp_dir().join(format!("onset-flow-{}.flo", std::process::id()));
        write(&path, &flow).unwrap();
        assert_eq!(read(&path).unwrap(), flow);
        assert_eq!(fs::metadata(&path).unwrap().len(), 12 + 6 * 8);
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(&path), Err(FlowFileError::Read { .. })));
    }

    #[test]
    fn what_is_no_flow_is_refused() {
        let mut bytes = TAG.to_vec();
        assert!(parse(&bytes).is_err());
        bytes.extend(2i32.to_le_bytes());
        bytes.extend((-1i32).to_le_bytes());
        assert!(parse(&bytes).unwrap_err().contains("2×-1"));
        bytes.truncate(8);
        bytes.extend(i32::MAX.to_le_bytes());
        assert!(parse(&bytes).unwrap_err().contains("0 there"));
        assert!(parse(&[0; 40]).unwrap_err().contains("PIEH"));
    }
}
