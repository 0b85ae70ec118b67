//! Who plays in the recordings: drawn persons, or the faces of a folder.

use std::path::{Path, PathBuf};

use crate::base::Point;
use crate::face::{FaceDetector, FaceError, LandmarkPredictor, still};
use crate::media::synthetic::Person;
use crate::media::{InputSpec, MediaError, open};

/// The persons that are filmed.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cast {
    /// Every person is drawn by the recipe's seed.
    #[default]
    Drawn,
    /// These in turn, with the names of their files.
    Photographed(Vec<(String, Person)>),
}

/// A file of the folder that gave no person, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub path: PathBuf,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CastError {
    #[error("Cannot read the folder of faces: {reason}. Check the name: {}", path.display())]
    Folder { path: PathBuf, reason: String },
    #[error("No face was found in the folder. Put pictures or clips of one neutral face each there, at least 100 pixels wide: {}", path.display())]
    Nobody { path: PathBuf },
    #[error(transparent)]
    Face(#[from] FaceError),
}

impl Cast {
    /// Takes every picture and clip of `dir` in the order of their names: of a clip its
    /// first frame, of a picture with several faces the one that the detector is
    /// surest of. Files without a face are told, not refused.
    ///
    /// # Errors
    /// When the folder cannot be read, no file shows a face, or there is no landmark
    /// model.
    pub fn from_folder(dir: &Path) -> Result<(Self, Vec<Skipped>), CastError> {
        let refuse = |e: std::io::Error| CastError::Folder {
            path: dir.to_path_buf(),
            reason: e.to_string(),
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(refuse)? {
            let path = entry.map_err(refuse)?.path();
            let hidden = path
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if path.is_file() && !hidden {
                paths.push(path);
            }
        }
        paths.sort();
        let detector = FaceDetector::new()?;
        let predictor = LandmarkPredictor::find(None)?;
        let (mut persons, mut skipped) = (Vec::new(), Vec::new());
        for path in paths {
            match person(&path, &detector, &predictor) {
                Ok(person) => persons.push((InputSpec::path(&path).stem(), person)),
                Err(reason) => skipped.push(Skipped { path, reason }),
            }
        }
        if persons.is_empty() {
            return Err(CastError::Nobody {
                path: dir.to_path_buf(),
            });
        }
        Ok((Self::Photographed(persons), skipped))
    }

    /// Person `number` of this cast, and the subject's name in the index.
    #[must_use]
    pub(super) fn person(&self, world: &str, number: u32) -> (String, Person) {
        match self {
            Self::Drawn => (
                format!("s{:03}", number + 1),
                Person::drawn(world, u64::from(number)),
            ),
            Self::Photographed(persons) => {
                let (name, person) = &persons[number as usize % persons.len()];
                // The index is a table of commas.
                (name.replace([',', '"', '\n', '\r'], "_"), person.clone())
            }
        }
    }
}

fn person(
    path: &Path,
    detector: &FaceDetector,
    predictor: &LandmarkPredictor,
) -> Result<Person, String> {
    // The reason without the path, which the caller names.
    let reason = |e: MediaError| {
        let text = e.to_string();
        let end = format!(": {}", path.display());
        text.strip_suffix(&end).unwrap_or(&text).to_owned()
    };
    let mut source = open::open(&InputSpec::path(path)).map_err(reason)?;
    let frame = source
        .next_frame()
        .map_err(reason)?
        .ok_or("it holds no picture")?;
    let face = still::faces_in(&frame.picture, detector, predictor)
        .into_iter()
        .next()
        .ok_or("no face was found in it")?;
    let landmarks = face.landmarks.map(|[x, y]| Point::new(x, y));
    Person::photographed((*frame.picture).clone(), &landmarks)
        .ok_or_else(|| "its face is too small: less than 8 pixels between the eyes".to_owned())
}
