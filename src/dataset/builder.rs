//! What all readers do with a row: find its recording, turn sheet frames into places,
//! and say what is wrong where it is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::{DatasetError, Place, Problem};
use super::frame_folder::FrameFolder;
use super::index::{DatasetKind, Index, LabelledEvent, LabelledRecording, below, natural};
use super::sheet::frame_number;
use crate::base::Severity;
use crate::facs::{EmotionSet, parse_sheet_units, parse_units};
use crate::spotting::ExpressionKind;

/// How the frames of a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameCount {
    /// The numbers in the images' names; in a video, from 1.
    Numbers,
    /// Places from 0.
    Places,
}

/// A row as it stands in the sheet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) kind: ExpressionKind,
    pub(super) onset: &'a str,
    pub(super) apex: &'a str,
    pub(super) offset: &'a str,
    /// `None`: the sheet has no such column.
    pub(super) aus: Option<&'a str>,
    pub(super) emotion: Option<&'a str>,
}

/// An [`Index`] in the making.
pub(super) struct Builder {
    kind: DatasetKind,
    root: PathBuf,
    emotions: EmotionSet,
    count: FrameCount,
    recordings: Vec<LabelledRecording>,
    /// By recording name; `None`: its frames were not found, and that was said.
    known: BTreeMap<String, Option<usize>>,
    /// Recording, kind, onset and offset of every event, and where it stands.
    events: BTreeMap<(usize, ExpressionKind, u64, u64), Place>,
    label_rows: usize,
    problems: Vec<Problem>,
}

impl Builder {
    pub(super) fn new(kind: DatasetKind, root: &Path, count: FrameCount) -> Self {
        Self {
            kind,
            root: root.to_owned(),
            emotions: kind.emotions(),
            count,
            recordings: Vec::new(),
            known: BTreeMap::new(),
            events: BTreeMap::new(),
            label_rows: 0,
            problems: Vec::new(),
        }
    }

    pub(super) fn count_row(&mut self) {
        self.label_rows += 1;
    }

    pub(super) fn info(&mut self, what: impl Into<String>, remedy: &str, place: Place) {
        self.tell(Severity::Info, what, remedy, false, place);
    }

    pub(super) fn warn(&mut self, what: impl Into<String>, remedy: &str, place: Place) {
        self.tell(Severity::Warning, what, remedy, false, place);
    }

    /// The row does not count, by a rule of the field or because it is no label.
    pub(super) fn skip(&mut self, what: impl Into<String>, remedy: &str, place: Place) {
        self.tell(Severity::Info, what, remedy, true, place);
    }

    /// The row does not count because something is wrong with it.
    pub(super) fn refuse(&mut self, what: impl Into<String>, remedy: &str, place: Place) {
        self.tell(Severity::Error, what, remedy, true, place);
    }

    /// A recording is unusable.
    pub(super) fn unusable(&mut self, what: impl Into<String>, remedy: &str, place: Place) {
        self.tell(Severity::Error, what, remedy, false, place);
    }

    fn tell(
        &mut self,
        severity: Severity,
        what: impl Into<String>,
        remedy: &str,
        skipped_row: bool,
        place: Place,
    ) {
        self.problems.push(Problem {
            severity,
            what: what.into(),
            remedy: remedy.to_owned(),
            skipped_row,
            place,
        });
    }

    pub(super) fn knows(&self, recording: &str) -> bool {
        self.known.contains_key(recording)
    }

    /// The recording of this name, if it can be used.
    pub(super) fn find(&self, recording: &str) -> Option<usize> {
        self.known.get(recording).copied().flatten()
    }

    /// The recording of this name; on first use it is made from `source` (a folder of
    /// images or a video), which is `None` where nothing was found. A row without its
    /// recording is refused.
    pub(super) fn recording(
        &mut self,
        subject: &str,
        recording: &str,
        fps: f64,
        source: impl FnOnce() -> Option<PathBuf>,
        row: &Place,
        sought: &str,
    ) -> Option<usize> {
        if !self.known.contains_key(recording) {
            let made = source().and_then(|path| self.add_recording(subject, recording, fps, path));
            self.known.insert(recording.to_owned(), made);
        }
        let found = self.known.get(recording).copied().flatten();
        if found.is_none() {
            self.refuse(
                format!("The frames of {recording} are not there ({sought})"),
                "Unpack them, or remove the row",
                row.clone(),
            );
        }
        found
    }

    /// Adds a recording that the folders show, labelled or not.
    pub(super) fn add_recording(
        &mut self,
        subject: &str,
        recording: &str,
        fps: f64,
        source: PathBuf,
    ) -> Option<usize> {
        let place = Place::below(&self.root, &source);
        let frames = if source.is_dir() {
            match FrameFolder::scan(&source) {
                Ok(folder) if folder.is_empty() => {
                    self.unusable(
                        format!("{recording} has no numbered images"),
                        "Unpack its frames again",
                        place,
                    );
                    self.known.insert(recording.to_owned(), None);
                    return None;
                }
                Ok(folder) => Some(folder),
                Err(e) => {
                    self.unusable(
                        format!("{recording} cannot be listed: {e}"),
                        "Check its permissions",
                        place,
                    );
                    self.known.insert(recording.to_owned(), None);
                    return None;
                }
            }
        } else {
            None
        };
        if let Some(folder) = &frames {
            self.tell_oddities(recording, folder, &place);
        }
        let number = self.recordings.len();
        self.recordings.push(LabelledRecording {
            subject: subject.to_owned(),
            recording: recording.to_owned(),
            source,
            fps,
            frames,
            events: Vec::new(),
            distractors: Vec::new(),
        });
        self.known.insert(recording.to_owned(), Some(number));
        Some(number)
    }

    fn tell_oddities(&mut self, recording: &str, folder: &FrameFolder, place: &Place) {
        if let Some(number) = folder.repeated().first() {
            self.warn(
                format!(
                    "{recording} has more than one image for {} frame numbers, such as {number}",
                    folder.repeated().len()
                ),
                "Keep one kind of images in the folder",
                place.clone(),
            );
        }
        if let Some(name) = folder.unnumbered().first() {
            self.warn(
                format!(
                    "{recording} holds {} images without a number, such as {name}",
                    folder.unnumbered().len()
                ),
                "Move them out of the folder of frames",
                place.clone(),
            );
        }
        if folder.gaps() > 0 {
            self.warn(
                format!(
                    "{recording} lacks {} frames between its first and its last image; time is counted by the images there are",
                    folder.gaps()
                ),
                "Unpack the frames again",
                place.clone(),
            );
        }
    }

    pub(super) fn recording_mut(&mut self, number: usize) -> &mut LabelledRecording {
        &mut self.recordings[number]
    }

    /// Reads a row of `recording` and keeps its event, or says why not.
    pub(super) fn add_event(&mut self, recording: usize, row: Row<'_>, place: Place) {
        let Some((onset, apex, offset)) = self.sheet_frames(row, &place) else {
            return;
        };
        let lacks_frames = match &self.recordings[recording].frames {
            Some(folder) if self.count == FrameCount::Numbers => {
                let absent = |number| folder.place(number).is_none();
                absent(onset) || apex.is_some_and(absent)
            }
            _ => false,
        };
        let placed = match (self.count, &self.recordings[recording].frames) {
            (FrameCount::Numbers, Some(_)) => {
                self.places_of_images(recording, onset, apex, offset, &place)
            }
            (FrameCount::Numbers, None) => self.places_of_video(onset, apex, offset, &place),
            (FrameCount::Places, Some(frames)) if offset >= frames.len() as u64 => {
                let last = frames.len() - 1;
                self.refuse(
                    format!("Frame {offset} lies behind the last of its recording, {last}"),
                    "Correct the row",
                    place.clone(),
                );
                None
            }
            (FrameCount::Places, _) => Some((onset, apex, offset)),
        };
        let Some((onset, apex, offset)) = placed else {
            return;
        };
        let key = (recording, row.kind, onset, offset);
        if let Some(first) = self.events.get(&key) {
            let first = first
                .row
                .map_or_else(|| first.to_string(), |r| format!("row {r}"));
            self.refuse(
                format!("The same event stands in {first} already"),
                "Remove one of the rows",
                place,
            );
            return;
        }
        self.events.insert(key, place.clone());
        let aus = self.units(row.aus, &place);
        let emotion = row.emotion.filter(|text| !text.trim().is_empty());
        let emotion = emotion.and_then(|text| match self.emotions.parse(text) {
            Ok(emotion) => Some(emotion),
            Err(e) => {
                self.warn(
                    format!("The event has no usable emotion: {e}"),
                    "Correct the cell; for spotting the event counts",
                    place.clone(),
                );
                None
            }
        });
        self.recordings[recording].events.push(LabelledEvent {
            kind: row.kind,
            onset,
            apex,
            offset,
            lacks_frames,
            aus,
            emotion,
            place,
        });
    }

    fn units(&mut self, cell: Option<&str>, place: &Place) -> Option<Vec<crate::facs::ScoredUnit>> {
        let read = match self.kind {
            DatasetKind::Recordings => parse_units(cell?).map(|units| (units, Vec::new())),
            _ => parse_sheet_units(cell?).map(|read| (read.units, read.remarks)),
        };
        match read {
            Ok((units, remarks)) => {
                for remark in remarks {
                    self.info(format!("Action units: {remark}"), "", place.clone());
                }
                Some(units)
            }
            Err(e) => {
                self.warn(
                    format!("The event has no usable action units: {e}"),
                    "Correct the cell; for spotting and emotions the event counts",
                    place.clone(),
                );
                None
            }
        }
    }

    /// Onset, apex and offset as the sheet counts them.
    fn sheet_frames(&mut self, row: Row<'_>, place: &Place) -> Option<(u64, Option<u64>, u64)> {
        let mut cell = |text: &str, what: &str| match frame_number(text) {
            Ok(number) => Some(number),
            Err(e) => {
                self.refuse(format!("The {what} {e}"), "Correct the cell", place.clone());
                None
            }
        };
        let onset = cell(row.onset, "onset")?;
        let apex = cell(row.apex, "apex")?;
        let offset = cell(row.offset, "offset")?;
        let Some(onset) = onset else {
            self.refuse("The event has no onset", "Fill the cell", place.clone());
            return None;
        };
        // The sheets write 0 where an expression does not end; so does S4 read it.
        let offset = match (offset, apex) {
            (Some(offset), _) if offset > 0 || self.count == FrameCount::Places => offset,
            (_, Some(apex)) if apex >= onset => {
                self.info(
                    format!("The event has no offset; its apex {apex} is taken, as published"),
                    "",
                    place.clone(),
                );
                apex
            }
            _ => {
                self.refuse(
                    "The event has neither an offset nor an apex to end with",
                    "Fill the cell",
                    place.clone(),
                );
                return None;
            }
        };
        if onset > offset {
            self.refuse(
                format!("The onset {onset} lies after the offset {offset}"),
                "Correct the row",
                place.clone(),
            );
            return None;
        }
        let apex = match apex {
            Some(apex) if apex < onset || apex > offset => {
                self.warn(
                    format!(
                        "The apex {apex} lies outside {onset} … {offset} and counts as unknown"
                    ),
                    "Correct the cell",
                    place.clone(),
                );
                None
            }
            apex => apex,
        };
        Some((onset, apex, offset))
    }

    fn places_of_images(
        &mut self,
        recording: usize,
        onset: u64,
        apex: Option<u64>,
        offset: u64,
        place: &Place,
    ) -> Option<(u64, Option<u64>, u64)> {
        let name = self.recordings[recording].recording.clone();
        let folder = self.recordings[recording].frames.as_ref()?;
        let (first, last) = folder.range()?;
        let places = folder.places(onset, offset);
        let missing = folder.missing(onset, offset);
        let apex_place = apex.and_then(|a| folder.place(a));
        let Some((start, end)) = places else {
            self.refuse(
                format!(
                    "No image of {name} has a number from {onset} to {offset}; they go from {first} to {last}"
                ),
                "Correct the row, or unpack the frames again",
                place.clone(),
            );
            return None;
        };
        if missing > 0 {
            self.warn(
                format!("{missing} of the frames {onset} to {offset} of {name} are missing; the event covers those there are"),
                "Unpack the frames again",
                place.clone(),
            );
        }
        if let (Some(apex), None) = (apex, apex_place) {
            self.warn(
                format!("The apex {apex} of {name} has no image and counts as unknown"),
                "Unpack the frames again",
                place.clone(),
            );
        }
        Some((start, apex_place, end))
    }

    fn places_of_video(
        &mut self,
        onset: u64,
        apex: Option<u64>,
        offset: u64,
        place: &Place,
    ) -> Option<(u64, Option<u64>, u64)> {
        if onset == 0 {
            self.refuse(
                "The onset is frame 0, but the sheet counts from 1",
                "Correct the row",
                place.clone(),
            );
            return None;
        }
        Some((onset - 1, apex.map(|a| a - 1), offset - 1))
    }

    /// Orders everything.
    ///
    /// # Errors
    /// There are label rows, and not one can be used.
    pub(super) fn finish(mut self) -> Result<Index, DatasetError> {
        if self.label_rows > 0 && self.events.is_empty() {
            // A recording that cannot be used takes its rows with it, and comes first.
            let first = self.problems.first();
            return Err(DatasetError::NothingUsable {
                root: self.root,
                rows: self.label_rows,
                first: first.map_or_else(
                    || "no row".to_owned(),
                    |p| format!("{}, {}", p.what, p.place),
                ),
            });
        }
        for recording in &mut self.recordings {
            recording
                .events
                .sort_by_key(|e| (e.onset, e.offset, e.kind));
            recording.distractors.sort_by_key(|d| (d.start, d.end));
        }
        self.recordings
            .sort_by(|a, b| natural((&a.subject, &a.recording), (&b.subject, &b.recording)));
        Ok(Index {
            kind: self.kind,
            root: self.root,
            recordings: self.recordings,
            label_rows: self.label_rows,
            problems: self.problems,
        })
    }

    /// Says that only `chosen` of several candidates is read.
    pub(super) fn tell_choice(&mut self, what: &str, chosen: &Path, all: &[PathBuf]) {
        let others: BTreeSet<String> = all
            .iter()
            .filter(|p| p.as_path() != chosen)
            .map(|p| below(&self.root, p).display().to_string())
            .collect();
        if !others.is_empty() {
            let others: Vec<String> = others.into_iter().collect();
            self.info(
                format!(
                    "There is more than one {what}; {} is left aside",
                    others.join(", ")
                ),
                "Choose another by --root",
                Place::below(&self.root, chosen),
            );
        }
    }
}
