//! The expressions of labelled recordings as motion from onset to apex, and motion in
//! which none is shown.

mod faces;
mod measured;
mod wanted;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{kept, pictures};
use crate::dataset::LabelledRecording;
use crate::dataset::flow_frames::{Pair, contents, contents_of_groups, read_pairs};
use crate::face::{FaceDetector, FaceError, LandmarkPredictor};
use crate::facs::EmotionSet;
use crate::model::face_pictures::FacePictures;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::inventory::hexadecimal;
use crate::project::output::OutputError;
use crate::recognition::ExpressionMotion;

pub use measured::{Measured, Sample};
pub use wanted::{Pairs, Shown};

use wanted::wanted;

/// Changes whenever a pair of frames gives other values: older files are made anew.
const VERSION: u32 = 1;

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
        let found = kept::load(&path)
            .and_then(|found| as_many(found, wanted.len()))
            .map_err(|reason| CorpusError::Damaged { path, reason })?;
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
        pictures::load(&path)
            .and_then(|found| as_many(found, wanted.len()))
            .map(|found| (found, name))
            .map_err(|reason| CorpusError::Damaged { path, reason })
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
}

/// What was kept, if it is of as many pairs as are wanted.
fn as_many<T>(found: Vec<T>, wanted: usize) -> Result<Vec<T>, String> {
    let count = found.len();
    if count == wanted {
        Ok(found)
    } else {
        Err(format!("{count} pairs instead of {wanted}"))
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
