//! The 68-point predictor and where it comes from: a full model that is pointed
//! at or installed, else the compact one in the program.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::base::{Point, Rect};
use crate::nn::inventory::hexadecimal;

use super::cascade::{self, ShapeModel};
use super::{FaceError, Landmarks, compact, dlib_model};

/// Where Debian's libdlib-data puts the full model.
pub const INSTALLED_MODEL: &str = "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";

/// Names a model file in place of the installed one.
pub const MODEL_VARIABLE: &str = "ONSET_LANDMARKS";

#[cfg(feature = "compact-landmarks")]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(
    "../../assets/models/landmarks68-compact.bin"
));
#[cfg(not(feature = "compact-landmarks"))]
const EMBEDDED: Option<&[u8]> = None;

/// Which predictor gave the points; part of a recording's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PredictorSource {
    /// dlib's own file.
    Full(PathBuf),
    /// Our compact form in a file.
    CompactFile {
        path: PathBuf,
        /// The first bytes of its SHA-256: another file may have its name.
        digest: String,
    },
    /// The compact model inside the program.
    Embedded,
}

/// Puts 68 points on a face. Immutable: share it between trackers with an `Arc`.
pub struct LandmarkPredictor {
    model: ShapeModel,
    source: PredictorSource,
}

/// Its name; the model is millions of numbers.
impl std::fmt::Debug for LandmarkPredictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LandmarkPredictor")
            .field(&self.source)
            .finish()
    }
}

impl LandmarkPredictor {
    /// The best model there is: `path` if given, else the file that
    /// `ONSET_LANDMARKS` names, else the installed one, else the embedded one.
    ///
    /// # Errors
    /// A file that was named but cannot be read, is damaged or is another kind of
    /// file: a named model is never replaced in silence. [`FaceError::NoModel`]
    /// when none was named and there is none.
    pub fn find(path: Option<&Path>) -> Result<Self, FaceError> {
        if let Some(path) = path {
            return Self::load(path);
        }
        if let Some(path) = std::env::var_os(MODEL_VARIABLE).filter(|p| !p.is_empty()) {
            return Self::load(Path::new(&path));
        }
        let installed = Path::new(INSTALLED_MODEL);
        if installed.is_file() {
            return Self::load(installed);
        }
        Self::embedded()
    }

    /// Reads a full model or a compact one; the file's first bytes tell which.
    ///
    /// # Errors
    /// When the file cannot be read, is truncated or is another kind of file.
    pub fn load(path: &Path) -> Result<Self, FaceError> {
        let bytes = read(path)?;
        let not_a_model = |reason| FaceError::NotAModel {
            path: path.to_owned(),
            reason,
        };
        if compact::is_compact(&bytes) {
            let model = compact::decode(&bytes).map_err(not_a_model)?;
            let source = PredictorSource::CompactFile {
                path: path.to_owned(),
                digest: hexadecimal(&Sha256::digest(&bytes)[..4]),
            };
            return Ok(Self { model, source });
        }
        let model = dlib_model::decode(&bytes).map_err(not_a_model)?;
        let source = PredictorSource::Full(path.to_owned());
        Ok(Self { model, source })
    }

    /// The compact model inside the program.
    ///
    /// # Errors
    /// [`FaceError::NoModel`] in a build without the feature `compact-landmarks`.
    pub fn embedded() -> Result<Self, FaceError> {
        let bytes = EMBEDDED.ok_or_else(|| FaceError::NoModel {
            path: INSTALLED_MODEL.into(),
        })?;
        let model = compact::decode(bytes).map_err(|reason| FaceError::NotAModel {
            path: "(embedded)".into(),
            reason,
        })?;
        let source = PredictorSource::Embedded;
        Ok(Self { model, source })
    }

    /// Which model this is.
    #[must_use]
    pub fn source(&self) -> &PredictorSource {
        &self.source
    }

    /// For result files: the kind of model and its file name, without folders.
    #[must_use]
    pub fn name(&self) -> String {
        let file = |path: &Path| {
            path.file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        };
        match &self.source {
            PredictorSource::Full(path) => format!("dlib 68 points ({})", file(path)),
            PredictorSource::CompactFile { path, digest } => {
                format!("compact 68 points ({}, {digest})", file(path))
            }
            PredictorSource::Embedded => "compact 68 points (embedded)".to_owned(),
        }
    }

    /// The 68 points inside `frame`, in image pixels with fractions.
    ///
    /// `frame` is dlib's box: from the centre of its first pixel to the centre of
    /// its last, so its width is one less than the number of pixels it covers.
    #[must_use]
    pub fn predict(&self, picture: &image::RgbImage, frame: Rect) -> Landmarks {
        cascade::to_image(&self.model.fit(picture, frame), frame)
    }

    /// The mean face, in units of the box: 0..1 across the box both ways.
    #[must_use]
    pub fn mean_shape(&self) -> [Point; 68] {
        let unit = Rect::new(0.0, 0.0, 1.0, 1.0);
        cascade::to_image(&self.model.initial, unit).0
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FaceError> {
    std::fs::read(path).map_err(|e| FaceError::ModelUnreadable {
        path: path.to_owned(),
        reason: e.to_string(),
    })
}

/// Derives the compact model from dlib's file `full` and writes it to `out`
/// (beside it first, then renamed, so that a killed run leaves no half file).
/// The same input gives the same bytes. Returns the number of bytes.
///
/// # Errors
/// When `full` is no dlib model or `out` cannot be written.
pub fn import_dlib(full: &Path, out: &Path) -> Result<usize, FaceError> {
    let bytes = read(full)?;
    let model = dlib_model::decode(&bytes).map_err(|reason| FaceError::NotAModel {
        path: full.to_owned(),
        reason,
    })?;
    let encoded = compact::encode(&model).map_err(|reason| FaceError::NotAModel {
        path: full.to_owned(),
        reason,
    })?;
    write_whole(out, &encoded).map_err(|e| FaceError::Write {
        path: out.to_owned(),
        reason: e.to_string(),
    })?;
    Ok(encoded.len())
}

fn write_whole(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = out
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    beside.persist(out)?;
    Ok(())
}
