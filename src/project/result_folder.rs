//! Which folder an input's results go to, and how inputs are told apart.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::results::{self, RecordingFacts, Summary};
use crate::media::image_sequence::is_image;
use crate::media::{InputPlace, InputSpec};
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::inventory;
use crate::session::Params;
use crate::session::params::DeviceChoice;

/// So much of a file's beginning and of its end is looked at.
const END_BYTES: u64 = 64 * 1024;

/// What tells this input from another.
#[derive(Debug, Clone)]
pub struct Identity {
    name: String,
    /// Of the file; of all images for a folder; 0 for a camera.
    pub size_bytes: u64,
    /// Empty for a camera, which is never the same recording twice.
    pub fingerprint: String,
}

impl Identity {
    /// Reads the ends of the file, or of each image of a folder.
    #[must_use]
    pub fn of(spec: &InputSpec) -> Self {
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
fn side_of_results(out: &Path) -> Option<DeviceChoice> {
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

/// A run that is taken up again stays on the side on which it began: `params` with the
/// device that computed the results in `out`, where nobody asks for another.
#[must_use]
pub fn on_the_side_of(out: &Path, params: &Params) -> Params {
    let device = match (params.device, side_of_results(out)) {
        (DeviceChoice::Auto, Some(side)) if params.flow != Tvl1Preset::Compat => side,
        (asked, _) => asked,
    };
    Params {
        device,
        ..params.clone()
    }
}

/// What is to become of results of the same recording that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// A person is asked.
    #[default]
    Ask,
    Replace,
    KeepBoth,
}

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Free(PathBuf),
    /// Here are results of this very recording, and nobody has said what is to become of
    /// them.
    Taken(PathBuf),
}

/// The folder in `out` for the results of `input`: `<stem>`, or with the first number
/// that is free. Nothing that lies there is replaced, but for results of the same
/// recording where `existing` says so.
#[must_use]
pub fn place(out: &Path, stem: &str, input: &Identity, existing: Existing) -> Place {
    let mut n = 1;
    loop {
        let folder = numbered(out, stem, n);
        let earlier = results::read_summary(&folder.join("recording.json"));
        if earlier.is_some_and(|summary| input.is(&summary.recording)) {
            match existing {
                Existing::Ask => return Place::Taken(folder),
                Existing::Replace => return Place::Free(folder),
                Existing::KeepBoth => {}
            }
        } else if nothing_in(&folder) {
            return Place::Free(folder);
        }
        n += 1;
    }
}

/// Not there, or empty. What cannot be looked into is somebody's.
fn nothing_in(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == ErrorKind::NotFound,
    }
}

fn numbered(out: &Path, stem: &str, n: u32) -> PathBuf {
    if n == 1 {
        out.join(stem)
    } else {
        out.join(format!("{stem}_{n}"))
    }
}

/// Gives each input a folder of its own: `<stem>`, `<stem>_2` … on collision.
#[derive(Debug, Default)]
pub struct Names(Vec<PathBuf>);

impl Names {
    /// A folder that an earlier run left is used again for the same input only;
    /// the results of another input, or of a camera, are never replaced.
    pub fn folder(
        &mut self,
        out: &Path,
        stem: &str,
        input: &Identity,
    ) -> (PathBuf, Option<Summary>) {
        let mut n = 1;
        loop {
            let folder = numbered(out, stem, n);
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

    fn lay_results(folder: &Path, of: &Identity) {
        let summary = serde_json::json!({
            "onset_version": "0", "recording": facts(of), "parameters": {}, "scores": {},
            "face": { "landmark_model": "a", "found_share": 1.0 },
            "device": { "asked": "auto", "flow": "processor", "network": null },
            "warnings": [], "limits": ""
        });
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("recording.json"), summary.to_string()).unwrap();
    }

    #[test]
    fn results_of_the_same_recording_are_asked_about_and_all_else_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        let film = |name: &str, byte: u8| {
            let path = home.path().join(name);
            fs::write(&path, [byte; 9]).unwrap();
            Identity::of(&InputSpec::path(&path))
        };
        let (one, other) = (film("a.mp4", 1), film("a.mkv", 2));
        let to = |input: &Identity, existing| place(&out, "a", input, existing);
        assert_eq!(to(&one, Existing::Ask), Place::Free(out.join("a")));
        lay_results(&out.join("a"), &one);
        assert_eq!(to(&one, Existing::Ask), Place::Taken(out.join("a")));
        assert_eq!(to(&one, Existing::Replace), Place::Free(out.join("a")));
        assert_eq!(to(&one, Existing::KeepBoth), Place::Free(out.join("a_2")));
        assert_eq!(to(&other, Existing::Replace), Place::Free(out.join("a_2")));
        // Somebody's own folder.
        fs::create_dir(out.join("a_2")).unwrap();
        fs::write(out.join("a_2/notes.txt"), "mine").unwrap();
        assert_eq!(to(&other, Existing::Replace), Place::Free(out.join("a_3")));
    }
}
