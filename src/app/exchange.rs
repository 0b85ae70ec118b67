//! Annotations to the files of other programs, beside the recording, and back from them.

use std::path::{Path, PathBuf};

use super::review::Review;
use crate::base::{Notice, Timestamp};
use crate::project::Batch;
use crate::project::exchange::{Clock, Imported, Sheet, csv, eaf, json, megc};
use crate::spotting::SpottedInterval;
use crate::timeline::Annotation;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Elan,
    Megc,
    Json,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Table, Self::Elan, Self::Megc, Self::Json];

    /// As the menu names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "Table (CSV)",
            Self::Elan => "ELAN (.eaf)",
            Self::Megc => "MEGC spotting (CSV)",
            Self::Json => "JSON",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Table => "annotations.csv",
            Self::Elan => "eaf",
            Self::Megc => "megc.csv",
            Self::Json => "annotations.json",
        }
    }
}

/// Whether a file that is dropped or chosen holds annotations rather than a recording.
#[must_use]
pub fn holds_annotations(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_ascii_lowercase());
    ending.is_some_and(|e| e == "csv" || e == "tsv" || e == "eaf" || e == "json")
}

/// A copy of what is exchanged; the window goes on with its own.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The recording's name without its ending.
    name: String,
    media: Option<PathBuf>,
    times: Vec<Timestamp>,
    annotations: Vec<Annotation>,
    candidates: Vec<SpottedInterval>,
    /// Who codes now.
    coder: String,
    /// The times of all frames are known.
    finished: bool,
}

impl Desk {
    /// Of the coder `only`, as a blind pass has it, else of all and with the candidates.
    #[must_use]
    pub fn of(review: &Review, only: Option<&str>) -> Self {
        let info = &review.session.info;
        let name = Path::new(&info.name)
            .file_stem()
            .map_or_else(|| "recording".into(), |s| s.to_string_lossy().into_owned());
        let frames = review.recording.frames.iter();
        Self {
            name,
            media: info.path.clone(),
            times: frames.map(|f| f.timestamp).collect(),
            annotations: (review.coding.annotations().iter())
                .filter(|a| only.is_none_or(|coder| a.coder == coder))
                .cloned()
                .collect(),
            candidates: match only {
                Some(_) => Vec::new(),
                None => review.recording.intervals.clone(),
            },
            coder: review.coding.coder().to_owned(),
            finished: review.recording.finished,
        }
    }

    #[cfg(test)]
    pub(super) fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            media: None,
            times: Vec::new(),
            annotations: Vec::new(),
            candidates: Vec::new(),
            coder: String::new(),
            finished: true,
        }
    }

    #[must_use]
    pub fn has_annotations(&self) -> bool {
        !self.annotations.is_empty()
    }

    /// Writes a new file beside the recording, or where that is not allowed in the
    /// person's documents; an older file is never replaced.
    #[must_use]
    pub fn export(&self, format: Format) -> Notice {
        if format == Format::Elan && !self.finished {
            return Notice::info(
                "ELAN needs the times of all frames: export again when the analysis has finished.",
            );
        }
        let clock = Clock::new(&self.times);
        let mut failed = None;
        for folder in super::saving::folders(self.media.as_deref()) {
            let path = super::saving::free_path(&folder, &self.name, format.ending());
            let text = match self.text(format, &clock, &folder) {
                Ok(text) => text,
                Err(why) => return Notice::error(why),
            };
            let mut batch = Batch::default();
            let written = batch
                .add(&path, text.as_bytes())
                .and_then(|()| batch.commit());
            match written {
                Ok(()) => {
                    let count = match format {
                        Format::Megc => text.lines().count().saturating_sub(1),
                        _ => self.annotations.len(),
                    };
                    return Notice::info(format!(
                        "Exported {count} annotations: {}",
                        path.display()
                    ));
                }
                Err(e) => failed = Some(e.to_string()),
            }
        }
        Notice::error(
            failed.unwrap_or_else(|| {
                "Cannot export: this account has no folder of its own.".to_owned()
            }),
        )
    }

    fn text(&self, format: Format, clock: &Clock, folder: &Path) -> Result<String, String> {
        // Two coders would submit each expression twice.
        let own: Vec<Annotation> = (self.annotations.iter())
            .filter(|a| format != Format::Megc || a.coder == self.coder)
            .cloned()
            .collect();
        let sheet = Sheet {
            recording: &self.name,
            annotations: &own,
            clock,
        };
        Ok(match format {
            Format::Table => csv::write(&[sheet]),
            Format::Elan => {
                let folder = std::path::absolute(folder).ok();
                let media = self
                    .media
                    .as_ref()
                    .and_then(|m| std::path::absolute(m).ok());
                let origin = eaf::Origin {
                    // ELAN plays files, not folders of images.
                    media: media.as_deref().filter(|m| m.is_file()),
                    folder: folder.as_deref(),
                    written: std::time::SystemTime::now(),
                };
                eaf::write(&sheet, &origin)
            }
            Format::Megc => {
                let submission = megc::Submission {
                    first_frame: 0,
                    with_proposed: false,
                };
                megc::spotting(&[sheet], submission)
            }
            Format::Json => json::Document::of(&sheet, &self.candidates)
                .write()
                .map_err(|e| format!("Cannot export as JSON: {e}"))?,
        })
    }

    /// The annotations of a file, and what is to be said of it.
    ///
    /// # Errors
    /// A sentence: it cannot be read or is of no known format.
    pub fn import(&self, path: &Path) -> Result<(Vec<Annotation>, Notice), String> {
        let bytes = std::fs::read(path)
            .map_err(|e| format!("Cannot read the annotations ({e}): {}", path.display()))?;
        let clock = Clock::new(&self.times);
        let ending = path.extension().map(|e| e.to_ascii_lowercase());
        let is = |name: &str| ending.as_ref().is_some_and(|e| e == name);
        let imported = if is("eaf") {
            let document = eaf::Document::read(&bytes, path).map_err(|e| e.to_string())?;
            self.of_eaf(&document, &clock)
        } else if is("json") {
            let document = json::Document::read(&bytes, path).map_err(|e| e.to_string())?;
            let theirs = &document.source.name;
            if *theirs != self.name {
                return Err(format!(
                    "The annotations are of another recording, {theirs}: open that one first: {}",
                    path.display()
                ));
            }
            let annotations = document.annotations.into_iter().map(|a| a.annotation);
            return Ok(said(annotations.collect(), 0, None, path));
        } else {
            let defaults = csv::Defaults {
                recording: &self.name,
                coder: &self.coder,
            };
            csv::read(&bytes, path, defaults, &self.annotations).map_err(|e| e.to_string())?
        };
        let (mine, others): (Vec<_>, Vec<_>) = (imported.entries.into_iter())
            .partition(|entry| entry.recording.is_empty() || entry.recording == self.name);
        if mine.is_empty()
            && let Some(other) = others.first()
        {
            return Err(format!(
                "The annotations are of another recording, {}: open that one first: {}",
                other.recording,
                path.display()
            ));
        }
        let problem = imported.problems.first().map(ToString::to_string);
        let count = imported.problems.len();
        let annotations = mine.into_iter().map(|entry| entry.annotation).collect();
        Ok(said(annotations, count, problem, path))
    }

    /// Of a file that Onset wrote everything; of another one the tiers at the top.
    fn of_eaf(&self, document: &eaf::Document, clock: &Clock) -> Imported {
        if document.is_ours() {
            return document.annotations(&self.name, clock);
        }
        let mut all = Imported::default();
        for tier in document.tiers() {
            if tier.parent.is_some() || tier.count == 0 {
                continue;
            }
            let coder = if tier.annotator.is_empty() {
                &tier.name
            } else {
                &tier.annotator
            };
            let names = [tier.name.as_str()];
            let found = document.annotations_of(&names, coder, &self.name, clock);
            all.entries.extend(found.entries);
            all.problems.extend(found.problems);
        }
        all
    }
}

fn said(
    annotations: Vec<Annotation>,
    problems: usize,
    first: Option<String>,
    path: &Path,
) -> (Vec<Annotation>, Notice) {
    let read = format!("Read {} annotations", annotations.len());
    let notice = match first {
        None => Notice::info(format!("{read}: {}", path.display())),
        Some(first) => Notice::warning(format!(
            "{read}; {problems} lines could not be read, the first: {first}: {}",
            path.display()
        )),
    };
    (annotations, notice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spotting::ExpressionKind;
    use crate::timeline::AnnotationId;

    fn desk(folder: &Path) -> Desk {
        let kind = ExpressionKind::Micro;
        let mut seen = Annotation::found(AnnotationId(7), "Ada", kind, (10, 20));
        seen.apex = Some(15);
        Desk {
            name: "clip".into(),
            media: Some(folder.join("clip.mp4")),
            times: (0..100)
                .map(|i| Timestamp::from_secs(f64::from(i) / 30.0))
                .collect(),
            annotations: vec![seen],
            candidates: vec![],
            coder: "Ada".into(),
            finished: true,
        }
    }

    #[test]
    fn what_is_exported_beside_the_recording_is_read_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path());
        for (format, file) in [
            (Format::Table, "clip.annotations.csv"),
            (Format::Elan, "clip.eaf"),
            (Format::Json, "clip.annotations.json"),
        ] {
            let said = desk.export(format);
            assert!(
                said.text.starts_with("Exported 1 annotations"),
                "{}",
                said.text
            );
            let (back, _) = desk.import(&folder.path().join(file)).unwrap();
            assert_eq!(back, desk.annotations, "{file}");
        }
        // Never over an older one.
        let _ = desk.export(Format::Table);
        assert!(folder.path().join("clip.annotations-2.csv").exists());
        let megc = desk.export(Format::Megc);
        assert!(megc.text.contains("clip.megc.csv"));
    }

    #[test]
    fn annotations_of_another_recording_are_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let written = desk(folder.path());
        let _ = written.export(Format::Table);
        let other = Desk {
            name: "other".into(),
            ..written
        };
        let why = other.import(&folder.path().join("clip.annotations.csv"));
        assert!(why.unwrap_err().contains("another recording, clip"));
    }
}
