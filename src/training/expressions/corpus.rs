//! The expressions of labelled recordings as motion from onset to apex, and motion in
//! which none is shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::RgbImage;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{kept, pictures};
use crate::base::Rect;
use crate::dataset::LabelledRecording;
use crate::dataset::flow_frames::{Pair, contents, contents_of_groups, read_pairs};
use crate::face::{FaceDetector, FaceError, LandmarkPredictor, Landmarks};
use crate::facs::{ClassSet, EmotionSet, ScoredUnit};
use crate::model::face_pictures::FacePictures;
use crate::motion::luma::LumaPatch;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::inventory::hexadecimal;
use crate::project::output::OutputError;
use crate::recognition::{ExpressionMotion, FacePicture, MotionMeter};
use crate::spotting::ExpressionKind;
use crate::training::random::{Moment, Purpose, Stream};

/// Changes whenever a pair of frames gives other values: older files are made anew.
const VERSION: u32 = 1;
/// How far a spotter's onsets and apexes lie from the labelled ones, seconds.
const ASTRAY_SECS: f64 = 0.07;
/// Recordings of so few frames a second are stills: pictures chosen about expressions.
const STILLS_FPS: f64 = 1.0;
/// Pairs with onset and apex astray for each labelled expression.
const ASTRAY: usize = 2;
/// Faces are kept as in an analysis.
const LARGEST_FACE: f32 = 200.0;

/// What a pair of frames shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// An expression from its labelled onset to its labelled apex.
    Expression { event: usize },
    /// The same expression with both a little off, as a spotter finds them.
    Astray { event: usize },
    /// An expression that goes back to rest: its units do not act, they let go.
    Release { event: usize },
    /// Nothing that is labelled.
    Rest,
}

/// The motion of one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub shown: Shown,
    pub motion: ExpressionMotion,
    /// `None` unless they were asked for ([`Corpus::with_pictures`]).
    pub pictures: Option<Arc<FacePictures>>,
}

/// A recording with the motion of its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub recording: LabelledRecording,
    /// Which emotions its labels may name.
    pub emotions: EmotionSet,
    pub samples: Vec<Sample>,
    /// Expressions that could not be measured, with the reason.
    pub left_out: Vec<(usize, String)>,
    /// Hash of the recording and of how it was measured, pictures among it where they
    /// were asked for.
    pub key: String,
    /// Hash of the frames that its expressions are measured from, whatever the recording
    /// is called and wherever it lies; `None` without expressions.
    pub content: Option<String>,
}

impl Measured {
    /// The kind of expression a sample shows.
    #[must_use]
    pub fn kind(&self, sample: &Sample) -> Option<ExpressionKind> {
        Some(self.recording.events.get(sample.shown.event()?)?.kind)
    }

    /// The units that act in a sample; `None` where nobody coded them.
    #[must_use]
    pub fn units(&self, sample: &Sample) -> Option<&[ScoredUnit]> {
        match sample.shown {
            Shown::Rest | Shown::Release { .. } => Some(&[]),
            Shown::Expression { event } | Shown::Astray { event } => {
                self.recording.events.get(event)?.aus.as_deref()
            }
        }
    }

    /// The number of the class a sample shows; `None` where it shows none of the set.
    #[must_use]
    pub fn class(&self, sample: &Sample, classes: ClassSet) -> Option<usize> {
        match sample.shown {
            Shown::Rest | Shown::Release { .. } => None,
            Shown::Expression { event } | Shown::Astray { event } => {
                let emotion = self.recording.events.get(event)?.emotion?;
                classes.number(self.emotions, emotion)
            }
        }
    }
}

impl Shown {
    /// Which of the recording's events it is about.
    #[must_use]
    pub fn event(self) -> Option<usize> {
        match self {
            Self::Expression { event } | Self::Astray { event } | Self::Release { event } => {
                Some(event)
            }
            Self::Rest => None,
        }
    }
}

/// Which pairs of frames are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Labelled onsets and apexes, and rest: for testing.
    Testing,
    /// And some that are astray or let go: for learning.
    Learning,
}

#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    #[error(transparent)]
    Face(#[from] FaceError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("What was measured and kept is damaged ({reason}). Delete the file, it is made again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
}

/// Measures recordings, or reads what is kept of them.
pub struct Corpus {
    detector: FaceDetector,
    landmarks: LandmarkPredictor,
    preset: Tvl1Preset,
    pairs: Pairs,
    folder: PathBuf,
    pictures: bool,
}

impl Corpus {
    /// With what is measured kept in `folder`.
    ///
    /// # Errors
    /// When the face models cannot be loaded.
    pub fn new(preset: Tvl1Preset, pairs: Pairs, folder: &Path) -> Result<Self, CorpusError> {
        Ok(Self {
            detector: FaceDetector::new()?,
            landmarks: LandmarkPredictor::find(None)?,
            preset,
            pairs,
            folder: folder.to_path_buf(),
            pictures: false,
        })
    }

    /// Also cuts the faces out, for networks that read pictures.
    #[must_use]
    pub fn with_pictures(self, wanted: bool) -> Self {
        Self {
            pictures: wanted,
            ..self
        }
    }

    /// All recordings, several at a time; `done` is told how many are ready.
    ///
    /// # Errors
    /// What is measured cannot be kept. Recordings that cannot be read are left out
    /// event by event ([`Measured::left_out`]).
    pub fn measure(
        &self,
        recordings: &[LabelledRecording],
        emotions: EmotionSet,
        done: impl Fn(usize) + Sync,
    ) -> Result<Vec<Measured>, CorpusError> {
        let count = AtomicUsize::new(0);
        (recordings.par_iter().with_max_len(1))
            .map(|recording| {
                let measured = self.recording(recording, emotions);
                done(count.fetch_add(1, Ordering::Relaxed) + 1);
                measured
            })
            .collect()
    }

    fn recording(
        &self,
        recording: &LabelledRecording,
        emotions: EmotionSet,
    ) -> Result<Measured, CorpusError> {
        let wanted = wanted(recording, self.pairs);
        let pairs: Vec<Pair> = wanted.iter().map(|(_, pair)| *pair).collect();
        let contents = contents(recording, &pairs);
        let mut key = self.key(&pairs, &contents);
        let path = self.folder.join(format!("{key}.motion"));
        if !path.exists() {
            kept::save(&path, &self.pairs_of(recording, &pairs))?;
        }
        // Always from the file: it rounds, and nothing may depend on who measured.
        let damaged = |reason: String| CorpusError::Damaged {
            path: path.clone(),
            reason,
        };
        let found = kept::load(&path).map_err(damaged)?;
        if found.len() != wanted.len() {
            return Err(damaged(format!(
                "{} pairs instead of {}",
                found.len(),
                wanted.len()
            )));
        }
        let pictures = if self.pictures {
            let (pictures, name) = self.kept_pictures(recording, &wanted, &key)?;
            key = name;
            pictures.into_iter().map(|p| p.map(Some)).collect()
        } else {
            vec![Ok(None); wanted.len()]
        };
        let mut measured = Measured {
            recording: recording.clone(),
            emotions,
            samples: Vec::new(),
            left_out: Vec::new(),
            key,
            content: content(&wanted, &contents),
        };
        for (event, labels) in recording.events.iter().enumerate() {
            if labels.apex.is_none_or(|apex| apex <= labels.onset) {
                let reason = "it has no apex after its onset".to_owned();
                measured.left_out.push((event, reason));
            }
        }
        for (((shown, _), found), pictures) in wanted.into_iter().zip(found).zip(pictures) {
            // All networks are asked of the same expressions: one without pictures is
            // left out even where motion would do.
            let both = found.and_then(|motion| Ok((motion, pictures?)));
            match (both, shown) {
                (Ok((motion, pictures)), _) => measured.samples.push(Sample {
                    shown,
                    motion,
                    pictures: pictures.map(Arc::new),
                }),
                (Err(reason), Shown::Expression { event }) => {
                    measured.left_out.push((event, reason));
                }
                (Err(_), _) => {}
            }
        }
        Ok(measured)
    }

    /// The pictures of each pair or why there are none, and the name of their file.
    fn kept_pictures(
        &self,
        recording: &LabelledRecording,
        wanted: &[(Shown, Pair)],
        key: &str,
    ) -> Result<(Vec<Result<FacePictures, String>>, String), CorpusError> {
        let groups = pictures::groups(recording, wanted);
        let mut hash = Sha256::new();
        hash.update(format!("{} {key}", pictures::VERSION));
        for (group, content) in groups.iter().zip(contents_of_groups(recording, &groups)) {
            for frame in group {
                hash.update(frame.to_le_bytes());
            }
            hash.update(content.unwrap_or_else(|reason| reason));
        }
        let name = hexadecimal(&hash.finalize());
        let path = self.folder.join(format!("{name}.pictures"));
        if !path.exists() {
            pictures::save(&path, &self.pictures_of(recording, wanted))?;
        }
        let found = pictures::load(&path).and_then(|found| {
            let (got, all) = (found.len(), wanted.len());
            let right = got == all;
            right
                .then_some(found)
                .ok_or(format!("{got} pairs instead of {all}"))
        });
        match found {
            Ok(found) => Ok((found, name)),
            Err(reason) => Err(CorpusError::Damaged { path, reason }),
        }
    }

    fn key(&self, pairs: &[Pair], contents: &[Result<String, String>]) -> String {
        let mut hash = Sha256::new();
        hash.update(format!(
            "{VERSION} {} {}",
            self.preset.name(),
            self.landmarks.name()
        ));
        for (pair, content) in pairs.iter().zip(contents) {
            hash.update(pair.0.to_le_bytes());
            hash.update(pair.1.to_le_bytes());
            let (Ok(text) | Err(text)) = content;
            hash.update(text);
        }
        hexadecimal(&hash.finalize())
    }

    fn pairs_of(
        &self,
        recording: &LabelledRecording,
        pairs: &[Pair],
    ) -> Vec<Result<ExpressionMotion, String>> {
        let mut found: Vec<Result<ExpressionMotion, String>> =
            vec![Err("it was not read".to_owned()); pairs.len()];
        read_pairs(recording, pairs, |at, pictures| {
            found[at] = pictures.and_then(|(onset, apex)| self.pair(onset, apex));
        });
        found
    }

    /// The motion between two pictures of the surest face of the first.
    pub(super) fn pair(
        &self,
        onset: &RgbImage,
        apex: &RgbImage,
    ) -> Result<ExpressionMotion, String> {
        if onset.dimensions() != apex.dimensions() {
            return Err("its onset and apex differ in size".to_owned());
        }
        let Some(face) = self.surest_face(onset) else {
            return Err("no face is found in its onset frame".to_owned());
        };
        // A head goes little from onset to apex: its box will do for both.
        let first = self.picture(onset, face);
        let second = self.picture(apex, face);
        let meter = MotionMeter::new(self.preset.params());
        meter.measure(&first, &second).map_err(|e| e.to_string())
    }

    fn picture(&self, picture: &RgbImage, face: Rect) -> FacePicture {
        FacePicture {
            patch: self.patch(picture, face),
            landmarks: self.points(picture, face),
        }
    }

    pub(super) fn surest_face(&self, picture: &RgbImage) -> Option<Rect> {
        let faces = self.detector.search_still(picture);
        faces.first().map(|face| face.rect)
    }

    pub(super) fn patch(&self, picture: &RgbImage, face: Rect) -> LumaPatch {
        LumaPatch::at_most(picture, face, LARGEST_FACE)
    }

    pub(super) fn points(&self, picture: &RgbImage, face: Rect) -> Landmarks {
        self.landmarks.predict(picture, face)
    }
}

/// What makes two recordings the same: the frames of their expressions.
fn content(wanted: &[(Shown, Pair)], contents: &[Result<String, String>]) -> Option<String> {
    let mut hash = Sha256::new();
    let mut any = false;
    for ((shown, _), content) in wanted.iter().zip(contents) {
        if let (Shown::Expression { .. }, Ok(content)) = (shown, content) {
            hash.update(content);
            any = true;
        }
    }
    any.then(|| hexadecimal(&hash.finalize()))
}

/// The pairs to measure of a recording; the same ones every time.
fn wanted(recording: &LabelledRecording, pairs: Pairs) -> Vec<(Shown, Pair)> {
    let mut wanted = Vec::new();
    let name = Sha256::digest(recording.recording.as_bytes());
    let seed = name.iter().take(8).fold(0, |s, &b| s << 8 | u64::from(b));
    let moment = Moment {
        seed,
        ..Moment::default()
    };
    let stream = moment.stream(Purpose::Sampling);
    for (event, labels) in recording.events.iter().enumerate() {
        let Some(apex) = labels.apex else { continue };
        if labels.onset >= apex {
            continue;
        }
        wanted.push((Shown::Expression { event }, (labels.onset, apex)));
        if pairs == Pairs::Testing {
            continue;
        }
        let mut random = stream.part(event as u64);
        for _ in 0..ASTRAY {
            let frames = ASTRAY_SECS * recording.fps;
            let off = |random: &mut Stream| (frames * random.normal()).round() as i64;
            let start = labels.onset.saturating_add_signed(off(&mut random));
            let end = apex.saturating_add_signed(off(&mut random));
            // More than half of the way is still to be seen.
            let half = u64::midpoint(labels.onset, apex);
            let start = start.min(half.saturating_sub(1));
            let end = end.clamp(half + 1, labels.offset.max(half + 1));
            if end > start && (start, end) != (labels.onset, apex) {
                wanted.push((Shown::Astray { event }, (start, end)));
            }
        }
        if labels.offset > apex && random.chance(0.4) {
            wanted.push((Shown::Release { event }, (apex, labels.offset)));
        }
    }
    wanted.extend(rests(recording, stream.part(u64::MAX)));
    wanted
}

/// Pairs during which nothing labelled happens, as long as expressions rise; about as
/// many as half of the expressions.
fn rests(recording: &LabelledRecording, mut random: Stream) -> Vec<(Shown, Pair)> {
    let last = recording.events.iter().map(|e| e.offset).max();
    // How long a recording without events is, nobody says: its first seconds will do.
    let last = last.unwrap_or((8.0 * recording.fps) as u64);
    let count = recording.events.len() / 2 + 2;
    if recording.fps <= STILLS_FPS {
        let mut gaps = gaps(recording);
        random.shuffle(&mut gaps);
        gaps.truncate(count);
        gaps.sort_unstable();
        return gaps.into_iter().map(|gap| (Shown::Rest, gap)).collect();
    }
    let mut found = Vec::new();
    for _ in 0..8 * count {
        if found.len() == count {
            break;
        }
        let secs = (0.08_f64.ln() + random.unit() * (0.9_f64 / 0.08).ln()).exp();
        let frames = ((secs * recording.fps).round() as u64).max(1);
        if last <= frames {
            break;
        }
        let start = random.below((last - frames) as usize) as u64;
        let end = start + frames;
        let apart = |e: &crate::dataset::LabelledEvent| e.offset < start || end < e.onset;
        if recording.events.iter().all(apart) {
            found.push((Shown::Rest, (start, end)));
        }
    }
    found
}

/// The frames between two expressions, first and last, where there are two or more. In
/// stills they are one moment of rest.
fn gaps(recording: &LabelledRecording) -> Vec<Pair> {
    let mut gaps = Vec::new();
    let mut free = 0;
    for event in &recording.events {
        if free + 1 < event.onset {
            gaps.push((free, event.onset - 1));
        }
        free = free.max(event.offset + 1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::LabelledEvent;
    use crate::dataset::error::Place;

    fn recording() -> LabelledRecording {
        let event = |onset, apex, offset| LabelledEvent {
            kind: ExpressionKind::Micro,
            onset,
            apex,
            offset,
            lacks_frames: false,
            aus: None,
            emotion: None,
            place: Place::file("labels.csv"),
        };
        LabelledRecording {
            subject: "s1".to_owned(),
            recording: "r1".to_owned(),
            source: PathBuf::from("r1.mp4"),
            fps: 30.0,
            frames: None,
            events: vec![
                event(30, Some(36), 44),
                event(90, None, 99),
                event(200, Some(215), 240),
            ],
            distractors: Vec::new(),
        }
    }

    #[test]
    fn tests_read_labels_and_rest_and_learning_also_what_is_astray_and_at_rest() {
        let recording = recording();
        let testing = wanted(&recording, Pairs::Testing);
        let pairs: Vec<Pair> = (testing.iter())
            .filter(|w| w.0 != Shown::Rest)
            .map(|w| w.1)
            .collect();
        assert_eq!(pairs, [(30, 36), (200, 215)]);
        assert!(testing.len() >= 4);
        let learning = wanted(&recording, Pairs::Learning);
        assert_eq!(learning, wanted(&recording, Pairs::Learning));
        let astray = learning
            .iter()
            .filter(|w| matches!(w.0, Shown::Astray { .. }));
        assert_eq!(astray.clone().count(), 4);
        for (shown, (start, end)) in astray {
            let event = &recording.events[shown.event().unwrap()];
            let half = u64::midpoint(event.onset, event.apex.unwrap());
            assert!(*start < half && *end > half && *end <= event.offset);
        }
        let rests: Vec<&Pair> = learning
            .iter()
            .filter(|w| w.0 == Shown::Rest)
            .map(|w| &w.1)
            .collect();
        assert!(rests.len() >= 2);
        for (start, end) in rests {
            let over = |e: &LabelledEvent| *start <= e.offset && e.onset <= *end;
            assert!(!recording.events.iter().any(over), "{start} {end}");
        }
    }

    #[test]
    fn stills_rest_between_their_expressions() {
        let stills = LabelledRecording {
            fps: STILLS_FPS,
            ..recording()
        };
        assert_eq!(gaps(&stills), [(0, 29), (45, 89), (100, 199)]);
        let rests: Vec<Pair> = (wanted(&stills, Pairs::Testing).iter())
            .filter(|w| w.0 == Shown::Rest)
            .map(|w| w.1)
            .collect();
        assert_eq!(rests, gaps(&stills));
    }
}
