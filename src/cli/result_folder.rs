//! Which folder an input's results go to, and how inputs are told apart.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::media::image_sequence::is_image;
use crate::media::{InputPlace, InputSpec};
use crate::nn::inventory;
use crate::project::results::{self, RecordingFacts, Summary};
use crate::session::params::DeviceChoice;

/// So much of a file's beginning and of its end is looked at.
const END_BYTES: u64 = 64 * 1024;

/// What tells this input from another.
#[derive(Debug)]
pub(super) struct Identity {
    name: String,
    pub(super) size_bytes: u64,
    /// Empty for a camera, which is never the same recording twice.
    pub(super) fingerprint: String,
}

impl Identity {
    pub(super) fn of(spec: &InputSpec) -> Self {
        let path = match &spec.place {
            InputPlace::Camera(n, _) => {
                return Self {
                    name: format!("camera:{n}"),
                    size_bytes: 0,
                    fingerprint: String::new(),
                };
            }
            InputPlace::Path(path) => path,
        };
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let name = absolute
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut files: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(entries) => {
                let paths = entries.flatten().map(|e| e.path());
                paths.filter(|p| is_image(p)).collect()
            }
            Err(_) => vec![path.clone()],
        };
        files.sort();
        let mut size_bytes = 0;
        let mut digest = Sha256::new();
        for file in files {
            // What cannot be read is told when it is opened as a recording.
            if let Ok(size) = take_ends(&file, &mut digest) {
                size_bytes += size;
            }
        }
        let fingerprint = inventory::hexadecimal(&digest.finalize());
        Self {
            name,
            size_bytes,
            fingerprint,
        }
    }

    fn is(&self, other: &RecordingFacts) -> bool {
        !self.fingerprint.is_empty()
            && self.fingerprint == other.fingerprint
            && self.size_bytes == other.size_bytes
            && self.name == other.name
    }
}

/// Name, size, first and last bytes: two films of a series, all of one size, differ
/// there, and reading gigabytes to skip a finished film would not be skipping.
fn take_ends(path: &Path, digest: &mut Sha256) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let size = file
        .metadata()
        .map(|m| if m.is_file() { m.len() } else { 0 })?;
    if let Some(name) = path.file_name() {
        digest.update(name.as_encoded_bytes());
    }
    digest.update(size.to_le_bytes());
    if size > 0 {
        let mut bytes = Vec::new();
        Read::by_ref(&mut file)
            .take(END_BYTES)
            .read_to_end(&mut bytes)?;
        file.seek(SeekFrom::Start(
            size.saturating_sub(END_BYTES).max(END_BYTES),
        ))?;
        file.take(END_BYTES).read_to_end(&mut bytes)?;
        digest.update(&bytes);
    }
    Ok(size)
}

/// On which side the results in `out` were computed by a run that chose it itself;
/// `None` without such results. The first folder by name speaks for all.
pub(super) fn side_of_results(out: &Path) -> Option<DeviceChoice> {
    let mut folders: Vec<PathBuf> = fs::read_dir(out)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    folders
        .iter()
        .filter_map(|folder| results::read_summary(&folder.join("recording.json")))
        .find(|summary| summary.device.asked == DeviceChoice::Auto)
        .map(|summary| match summary.device.flow.as_str() {
            "processor" => DeviceChoice::Cpu,
            _ => DeviceChoice::Gpu,
        })
}

/// Gives each input a folder of its own: `<stem>`, `<stem>_2` … on collision.
#[derive(Default)]
pub(super) struct Names(Vec<PathBuf>);

impl Names {
    /// A folder that an earlier run left is used again for the same input only;
    /// the results of another input, or of a camera, are never replaced.
    pub(super) fn folder(
        &mut self,
        out: &Path,
        stem: &str,
        input: &Identity,
    ) -> (PathBuf, Option<Summary>) {
        let mut n = 1;
        loop {
            let name = if n == 1 {
                stem.to_owned()
            } else {
                format!("{stem}_{n}")
            };
            let folder = out.join(name);
            let place = folder.join("recording.json");
            let summary = results::read_summary(&place);
            let free = match &summary {
                Some(summary) => input.is(&summary.recording),
                // One that cannot be read may be another version's.
                None => !place.exists(),
            };
            if free && !self.0.contains(&folder) {
                self.0.push(folder.clone());
                return (folder, summary);
            }
            n += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(of: &Identity) -> RecordingFacts {
        serde_json::from_value(serde_json::json!({
            "name": of.name, "size_bytes": of.size_bytes, "fingerprint": of.fingerprint,
            "width": 1, "height": 1, "frames": 1, "duration_secs": 0.0,
            "measured_fps": null, "nominal_fps": null, "dropped": 0
        }))
        .unwrap()
    }

    #[test]
    fn a_camera_is_never_the_same_recording_twice() {
        let camera = Identity::of(&InputSpec::parse("camera:0", None).unwrap());
        assert!(!camera.is(&facts(&camera)));
    }

    #[test]
    fn files_of_one_name_and_size_differ_by_either_end() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.mp4");
        let write = |first: u8, last: u8| {
            let mut bytes = vec![7; 300_000];
            bytes[0] = first;
            bytes[299_999] = last;
            fs::write(&path, bytes).unwrap();
            Identity::of(&InputSpec::path(&path))
        };
        let before = write(1, 1);
        assert!(write(1, 1).is(&facts(&before)));
        assert!(!write(2, 1).is(&facts(&before)));
        assert!(!write(1, 2).is(&facts(&before)));
    }
}
