//! Annotations to the files of other programs, beside the recording, and back from them.

mod filed;

use std::path::{Path, PathBuf};

use filed::filed_as;

use super::review::Review;
use crate::base::{Notice, Severity, Timestamp};
use crate::project::Batch;
use crate::project::exchange::{Clock, Imported, Sheet, csv, eaf, json, megc, take_past_the_end};
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

/// What is to be said of an import. How much others have found and where tells whoever codes
/// blind what their pass hides.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSaid {
    pub all: Notice,
    /// As much of it as a blind pass may know.
    pub blind: Notice,
}

impl ImportSaid {
    /// It was not read in, for a reason that tells nothing of what others have found.
    fn refused(why: String) -> Box<Self> {
        let all = Notice::error(why);
        let blind = all.clone();
        Box::new(Self { all, blind })
    }
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
    /// The analysis broke off, so that no more of them will be.
    stopped: bool,
    /// The last frame whose time is known.
    read: u64,
    /// The last frame that there is; `None` while nobody knows.
    end: Option<u64>,
    /// A blind pass hides how many annotations there are.
    uncounted: bool,
}

impl Desk {
    /// Of the coder `only`, as a blind pass has it, else of all and with the candidates.
    #[must_use]
    pub fn of(review: &Review, only: Option<&str>) -> Self {
        let info = &review.session.info;
        let name = info.stem();
        let frames = review.recording.frames.iter();
        let read = review.recording.frames.last().map_or(0, |f| f.frame);
        let counted = info.frame_count.filter(|_| info.exact_frame_count);
        let counted = counted.map(|count| count.saturating_sub(1));
        // What was read of one that broke off says nothing of its length.
        let finished = review.whole();
        let end = if finished {
            Some(read)
        } else {
            // Or the player has been there.
            counted.or(review.last_frame).map(|last| last.max(read))
        };
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
            finished,
            stopped: review.status.failed.is_some(),
            read,
            end,
            uncounted: only.is_none() && review.hides_from(review.coding.coder()),
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
            stopped: false,
            read: 0,
            end: Some(0),
            uncounted: false,
        }
    }

    #[must_use]
    pub fn has_annotations(&self) -> bool {
        !self.annotations.is_empty()
    }

    /// Whether a blind pass hides how much there is of anything.
    pub(super) const fn uncounted(&self) -> bool {
        self.uncounted
    }

    /// Writes a new file beside the recording, or where that is not allowed in the
    /// person's documents; an older file is never replaced.
    #[must_use]
    pub fn export(&self, format: Format) -> Notice {
        if format == Format::Elan
            && let Some(why) = self.times_missing("export")
        {
            return Notice::info(why);
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
                    let what = match self.uncounted {
                        true => "the annotations".to_owned(),
                        false => format!("{count} annotations"),
                    };
                    let untimed = match format {
                        Format::Table | Format::Json => self.untimed(),
                        Format::Elan | Format::Megc => "",
                    };
                    return Notice::info(format!("Exported {what}{untimed}: {}", path.display()));
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

    /// What is to be said of annotations that lie where the analysis has not come to.
    fn untimed(&self) -> &'static str {
        let frames = self.times.len() as u64;
        match self.annotations.iter().any(|a| reach(a) >= frames) {
            true => ", without seconds where frames are not analysed yet",
            false => "",
        }
    }

    /// Why ELAN's times are no frames yet; `None` where they are.
    fn times_missing(&self, to: &str) -> Option<String> {
        let within = |a: &Annotation| reach(a) <= self.read;
        // More times than these will not come.
        let enough = self.stopped && self.annotations.iter().all(within);
        (!self.finished && !enough).then(|| self.needs_times(to))
    }

    fn needs_times(&self, to: &str) -> String {
        let then = self.once_known(to);
        format!("ELAN needs the times of all frames. {then}.")
    }

    /// What to do where the analysis has to come to its end first.
    fn once_known(&self, to: &str) -> String {
        if self.stopped {
            return format!(
                "The analysis stopped at frame {}, and the log says why: press “Analyse again” in \
                 the settings, then {to} again",
                self.read
            );
        }
        let mut to = to.to_owned();
        to[..1].make_ascii_uppercase();
        format!("{to} again when the analysis has finished")
    }

    /// What to do where nobody knows how many frames there are.
    fn once_counted(&self, path: &Path) -> String {
        // Times that are not known yet are of no frame, however many there are.
        let of_times = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("eaf"));
        if of_times || !self.stopped {
            return self.once_known("import");
        }
        format!(
            "The analysis stopped at frame {}, and the log says why: go to the last frame, which \
             counts them, or press “Analyse again” in the settings, then import again",
            self.read
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

    /// The annotations of a file, and what is to be said of it. What names a frame past
    /// the recording's end is left out and counted.
    ///
    /// # Errors
    /// What is to be said: it cannot be read, is of no known format or of another recording,
    /// or the recording's end must be known first.
    pub fn import(&self, path: &Path) -> Result<(Vec<Annotation>, ImportSaid), Box<ImportSaid>> {
        let read = self.read_entries(path).map_err(ImportSaid::refused)?;
        self.within(read, path)
    }

    fn read_entries(&self, path: &Path) -> Result<Entries, String> {
        let bytes = std::fs::read(path)
            .map_err(|e| format!("Cannot read the annotations ({e}): {}", path.display()))?;
        let clock = Clock::new(&self.times);
        let ending = path.extension().map(|e| e.to_ascii_lowercase());
        let is = |name: &str| ending.as_ref().is_some_and(|e| e == name);
        let mut end = self.end;
        let imported = if is("eaf") {
            let document = eaf::Document::read(&bytes, path).map_err(|e| e.to_string())?;
            if !self.finished {
                if !self.stopped {
                    return Err(self.needs_times("import"));
                }
                // A later time is of no frame that is known.
                end = None;
            }
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
            return Ok(Entries {
                annotations: annotations.collect(),
                problems: 0,
                first: None,
                end,
            });
        } else {
            let defaults = csv::Defaults {
                recording: &self.name,
                coder: &self.coder,
            };
            csv::read(&bytes, path, defaults, &self.annotations).map_err(|e| e.to_string())?
        };
        let filed_as = self
            .media
            .as_deref()
            .and_then(|media| filed_as(path, media));
        let is_mine = |recording: &str| {
            [&self.name, "", filed_as.as_deref().unwrap_or_default()].contains(&recording)
        };
        let (mine, others): (Vec<_>, Vec<_>) =
            (imported.entries.into_iter()).partition(|entry| is_mine(&entry.recording));
        if mine.is_empty()
            && let Some(other) = others.first()
        {
            return Err(format!(
                "The annotations are of another recording, {}: open that one first: {}",
                other.recording,
                path.display()
            ));
        }
        Ok(Entries {
            first: imported.problems.first().map(ToString::to_string),
            problems: imported.problems.len(),
            annotations: mine.into_iter().map(|entry| entry.annotation).collect(),
            end,
        })
    }

    fn within(
        &self,
        read: Entries,
        path: &Path,
    ) -> Result<(Vec<Annotation>, ImportSaid), Box<ImportSaid>> {
        let Entries {
            mut annotations,
            problems,
            first,
            end,
        } = read;
        let last = end.unwrap_or(self.read);
        let past = take_past_the_end(&mut annotations, last);
        let frames = |a: &Annotation| format!("frames {} to {}", a.onset, reach(a));
        let left_out = match past.first() {
            None => None,
            Some(one) if end.is_none() => {
                let why = |what: &str| {
                    Notice::error(format!(
                        "Cannot import: {what} may lie past the recording's end, which is not \
                         known. {}: {}",
                        self.once_counted(path),
                        path.display()
                    ))
                };
                let (all, blind) = (why(&frames(one)), why("what it holds"));
                return Err(Box::new(ImportSaid { all, blind }));
            }
            Some(one) if annotations.is_empty() => {
                let why = |what: &str, first: &str| {
                    Notice::error(format!(
                        "Cannot import: {what} lies within the recording, whose last frame is \
                         {last}{first}. Check that they are of this recording and count its \
                         frames from 0: {}",
                        path.display()
                    ))
                };
                let what = format!("none of its {} annotations", past.len());
                let all = why(&what, &format!("; the first has {}", frames(one)));
                let blind = why("none of its annotations", "");
                return Err(Box::new(ImportSaid { all, blind }));
            }
            Some(one) => Some(format!(
                "{} left out, which reach past the recording's last frame, {last}; the first has \
                 {}. Correct them in the file and import it again",
                past.len(),
                frames(one)
            )),
        };
        let unread = first.map(|first| {
            format!("{problems} lines could not be read as they are, the first: {first}")
        });
        let read = format!("Read {} annotations", annotations.len());
        let parts: Vec<String> = [unread, left_out].into_iter().flatten().collect();
        let all = if parts.is_empty() {
            Notice::info(format!("{read}: {}", path.display()))
        } else {
            Notice::warning(format!("{read}; {}: {}", parts.join("; "), path.display()))
        };
        let blind = self.to_the_blind(&annotations, all.severity, path);
        Ok((annotations, ImportSaid { all, blind }))
    }

    /// Of what was read in only what is the coder's own.
    fn to_the_blind(&self, read: &[Annotation], severity: Severity, path: &Path) -> Notice {
        let own = read.iter().filter(|a| a.coder == self.coder).count();
        let own = match own {
            0 => "no annotation".to_owned(),
            1 => "1 annotation".to_owned(),
            n => format!("{n} annotations"),
        };
        let mut text =
            format!("Read {own} of yours; what others say in the file, the blind pass hides");
        if severity != Severity::Info {
            text.push_str(
                ". Something could not be taken as it is: what, is said once the pass is over",
            );
        }
        let text = format!("{text}: {}", path.display());
        Notice {
            severity,
            ..Notice::info(text)
        }
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
            let found = document.annotations_of(&names, coder.trim(), &self.name, clock);
            all.entries.extend(found.entries);
            all.problems.extend(found.problems);
        }
        all
    }
}

/// What was read of a file.
struct Entries {
    annotations: Vec<Annotation>,
    /// How many of its lines could not be read as they are, and the first of them.
    problems: usize,
    first: Option<String>,
    /// The recording's last frame, where the file's frames can be held against it.
    end: Option<u64>,
}

/// The last frame that it names.
fn reach(a: &Annotation) -> u64 {
    a.offset.max(a.apex.unwrap_or(0))
}

#[cfg(test)]
mod tests;
