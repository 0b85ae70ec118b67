//! What the person decided, as `intervals.csv`, and everything that was coded as a table
//! of annotations: on request, and by itself before a
//! recording with new decisions leaves the window.

use std::path::{Path, PathBuf};

use super::exchange::{Desk, Format};
use super::review::Review;
use crate::base::Notice;
use crate::project::{Batch, results};
use crate::timeline::Recording;

/// A copy of what is to be written; the window goes on with its own.
#[derive(Debug, Clone)]
pub struct Saving {
    /// The recording's name without its ending.
    name: String,
    /// Its own folder; `None` for cameras.
    beside: Option<PathBuf>,
    recording: Recording,
    /// Everything that was coded, in a table that keeps all of it.
    coding: Desk,
}

impl Saving {
    #[must_use]
    pub fn of(review: &Review) -> Self {
        let info = &review.session.info;
        let name = info.stem();
        let mut recording = (*review.recording).clone();
        recording.intervals.clone_from(&review.spots);
        Self {
            name,
            beside: info
                .path
                .as_ref()
                .and_then(|p| p.parent())
                .map(Path::to_path_buf),
            recording,
            coding: Desk::of(review, None),
        }
    }

    /// Writes a new file beside the recording, or where that is not allowed in the
    /// person's documents; an older file is never replaced.
    #[must_use]
    pub fn write(&self) -> Vec<Notice> {
        let mut said = vec![self.candidates()];
        if self.coding.has_annotations() {
            said.push(self.coding.export(Format::Table));
        }
        said
    }

    fn candidates(&self) -> Notice {
        let mut failed = None;
        for folder in self.beside.iter().cloned().chain(documents()) {
            let path = free_path(&folder, &self.name, "intervals.csv");
            let mut batch = Batch::default();
            let (name, recording) = (&self.name, &self.recording);
            let readings = results::Readings::in_recording(recording);
            let written = results::write_intervals(&path, name, recording, &readings, &mut batch)
                .and_then(|()| batch.commit());
            match written {
                Ok(()) => {
                    let what = match self.coding.uncounted() {
                        true => "the candidates".to_owned(),
                        false => format!("{} candidates", self.recording.intervals.len()),
                    };
                    return Notice::info(format!(
                        "Saved {what} with what you decided: {}",
                        path.display()
                    ));
                }
                Err(e) => failed = Some(e.to_string()),
            }
        }
        Notice::error(failed.unwrap_or_else(|| {
            "Cannot save the candidates: this account has no folder of its own.".into()
        }))
    }
}

/// Writes what was said to a new file beside the recording, or where that is not allowed in
/// the person's documents.
pub(super) fn write_log(said: &str, media: Option<&Path>) -> Notice {
    let name = media.and_then(Path::file_stem);
    let name = name.map_or_else(|| "onset".into(), |s| s.to_string_lossy());
    let text = format!("Onset {}\n{said}", env!("CARGO_PKG_VERSION"));
    let mut failed = None;
    for folder in folders(media) {
        let path = free_path(&folder, &name, "log.txt");
        match std::fs::write(&path, &text) {
            Ok(()) => return Notice::info(format!("Saved the log: {}", path.display())),
            Err(e) => failed = Some((e, path)),
        }
    }
    Notice::error(match failed {
        Some((e, path)) => format!(
            "Cannot save the log ({e}). Copy it in the log instead: {}",
            path.display()
        ),
        None => "Cannot save the log: this account has no folder of its own. Copy it in the log \
                 instead."
            .to_owned(),
    })
}

/// The person's own folder for documents.
pub(super) fn documents() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    let folder = dirs.document_dir().unwrap_or_else(|| dirs.home_dir());
    Some(folder.to_path_buf())
}

/// Where files about a recording go: beside it, or else among the documents.
pub(super) fn folders(media: Option<&Path>) -> impl Iterator<Item = PathBuf> {
    let beside = media.and_then(Path::parent).map(Path::to_path_buf);
    beside.into_iter().chain(documents())
}

/// `name.intervals.csv`, or with the first number that is free: `name.intervals-2.csv`.
pub(super) fn free_path(folder: &Path, name: &str, ending: &str) -> PathBuf {
    let mut path = folder.join(format!("{name}.{ending}"));
    let mut number = 2;
    while path.exists() {
        let numbered = match ending.rsplit_once('.') {
            Some((what, ending)) => format!("{name}.{what}-{number}.{ending}"),
            None => format!("{name}-{number}.{ending}"),
        };
        path = folder.join(numbered);
        number += 1;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

    #[test]
    fn the_log_is_written_beside_the_recording_and_never_over_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let media = folder.path().join("clip.mp4");
        for name in ["clip.log.txt", "clip.log-2.txt"] {
            let said = write_log("0:00:01.000 Warning: A packet is damaged.\n", Some(&media));
            assert!(said.text.starts_with("Saved the log"), "{}", said.text);
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.starts_with("Onset ") && text.ends_with("A packet is damaged.\n"));
        }
    }

    #[test]
    fn a_copy_is_written_beside_the_recording_and_never_over_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut recording = Recording::default();
        recording.intervals.push(SpottedInterval {
            kind: ExpressionKind::Micro,
            onset: 3,
            apex: 5,
            offset: 9,
            score: 0.5,
            status: IntervalStatus::Rejected,
            provisional: false,
        });
        let saving = Saving {
            name: "clip".into(),
            beside: Some(folder.path().to_path_buf()),
            recording,
            coding: Desk::empty("clip"),
        };
        for _ in 0..2 {
            assert!(saving.write()[0].text.starts_with("Saved 1 candidates"));
        }
        for name in ["clip.intervals.csv", "clip.intervals-2.csv"] {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(
                text.contains("clip,micro,3,5,9") && text.contains("rejected"),
                "{text}"
            );
        }
    }
}
