//! Every face of one picture: the command `landmarks`.

use std::path::Path;

use image::RgbImage;
use serde::Serialize;

use crate::base::Rect;

use super::{FaceDetector, FaceError, LandmarkPredictor};

/// A picture's faces as `onset landmarks` writes them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StillFaces {
    /// As it was given.
    pub path: String,
    /// Best score first.
    pub faces: Vec<StillFace>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StillFace {
    /// x, y, width, height in image pixels.
    #[serde(rename = "box")]
    pub rect: [f32; 4],
    /// The detector's, about 2..60.
    pub score: f32,
    /// 68 × x, y in image pixels with fractions; a pixel's centre is whole.
    #[serde(serialize_with = "points")]
    pub landmarks: [[f32; 2]; 68],
}

/// Serde's derive stops at arrays of 32.
fn points<S: serde::Serializer>(points: &[[f32; 2]; 68], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(points)
}

/// Finds all faces in the image file `path` and puts 68 points on each. The
/// picture is taken as stored: a rotation noted in its metadata is not applied.
///
/// # Errors
/// When the file cannot be read as a picture. No face is not an error.
pub fn faces_in_file(
    path: &Path,
    detector: &FaceDetector,
    predictor: &LandmarkPredictor,
) -> Result<StillFaces, FaceError> {
    let unreadable = |reason: String| FaceError::Picture {
        path: path.to_owned(),
        reason,
    };
    let mut reader = image::ImageReader::open(path)
        .map_err(|e| unreadable(e.to_string()))?
        .with_guessed_format()
        .map_err(|e| unreadable(e.to_string()))?;
    // An 8K still is 100 MB as RGB and 200 MB with 16 bits a channel.
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(4 << 30);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|e| unreadable(e.to_string()))?
        .into_rgb8();
    Ok(StillFaces {
        path: path.to_string_lossy().into_owned(),
        faces: faces_in(&picture, detector, predictor),
    })
}

/// All faces of `picture`, best score first.
#[must_use]
pub fn faces_in(
    picture: &RgbImage,
    detector: &FaceDetector,
    predictor: &LandmarkPredictor,
) -> Vec<StillFace> {
    detector
        .search_still(picture)
        .into_iter()
        .map(|found| {
            let Rect { x, y, w, h } = found.rect;
            StillFace {
                rect: [x, y, w, h],
                score: found.score,
                landmarks: predictor.predict(picture, found.rect).0.map(|p| [p.x, p.y]),
            }
        })
        .collect()
}
