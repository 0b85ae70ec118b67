//! Where faces are: the SeetaFace cascade of the crate `rustface`, on a picture
//! brought to a size at which its 40-pixel window fits.

use image::RgbImage;
use rustface::ImageData;

use crate::base::Rect;

use super::{DetectedFace, FaceError, gray};

const MODEL: &[u8] = include_bytes!("../../assets/models/seeta_fd_frontal_v1.0.bin");

/// The smallest face the detector sees, in pixels of the picture it is given.
/// `rustface` 0.1.7 ignores `set_min_face_size`, so the picture's size decides.
pub const WINDOW_PX: u32 = 40;

/// Detections below this score are dropped: 5,849 frames of close-ups gave no
/// false one at 2.0.
const SCORE_THRESHOLD: f64 = 2.0;

/// Pixels that a search of a still may look at; about 0.15 µs each.
const STILL_PIXELS: f32 = 4.0e6;

/// The face's size in the small picture of a look near a known place.
const NEAR_FACE_PX: f32 = 52.0;

/// How far a look near a known place reaches, in sides of the box.
const NEAR_REACH: f32 = 1.75;

/// Finds faces. Holds the model only: every search starts from the same state,
/// so its answer depends on nothing but the picture.
pub struct FaceDetector {
    model: rustface::Model,
}

impl std::fmt::Debug for FaceDetector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaceDetector")
    }
}

impl FaceDetector {
    /// # Errors
    /// When the embedded model is damaged.
    pub fn new() -> Result<Self, FaceError> {
        let model = rustface::read_model(MODEL).map_err(|e| FaceError::Detector(e.to_string()))?;
        Ok(Self { model })
    }

    /// All faces of the whole picture, best first, with the picture's long side
    /// brought down to `long_side_px` (never up). The smallest face found has
    /// about 40 of these pixels.
    #[must_use]
    pub fn search(&self, picture: &RgbImage, long_side_px: u32) -> Vec<DetectedFace> {
        let (width, height) = picture.dimensions();
        let scale = (long_side_px as f32 / width.max(height).max(1) as f32).min(1.0);
        let all = Rect::new(0.0, 0.0, width as f32, height as f32);
        self.faces_in(picture, all, scale, 0)
    }

    /// All faces of a still, best first: at its own size up to 4 million pixels,
    /// brought down to that above it (a face of a 8K still must have 100 pixels).
    #[must_use]
    pub fn search_still(&self, picture: &RgbImage) -> Vec<DetectedFace> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = (STILL_PIXELS / (width * height).max(1.0)).sqrt().min(1.0);
        self.search(picture, (scale * width.max(height)).ceil() as u32)
    }

    /// The face at a place where one is expected, as large as expected to within
    /// about a third: a hundred pixels square decide, so this costs 1–2 ms
    /// whatever the picture's size.
    #[must_use]
    pub fn look_near(&self, picture: &RgbImage, expected: Rect) -> Option<DetectedFace> {
        let side = expected.w.max(expected.h);
        if !(side.is_finite() && side >= 8.0) {
            return None;
        }
        let scale = NEAR_FACE_PX / side;
        let centre = expected.center();
        let reach = NEAR_REACH * side;
        // From pixel centres to pixel edges.
        let region = Rect::new(
            centre.x + 0.5 - 0.5 * reach,
            centre.y + 0.5 - 0.5 * reach,
            reach,
            reach,
        );
        let largest = (1.4 * NEAR_FACE_PX) as u32;
        self.faces_in(picture, region, scale, largest)
            .into_iter()
            .filter(|f| f.rect.iou(expected) >= 0.3)
            .max_by(|a, b| {
                let overlap = |f: &DetectedFace| f.rect.iou(expected);
                overlap(a).total_cmp(&overlap(b))
            })
    }

    /// Faces of `region` (pixel edges) at `scale`, none larger than `largest_px`
    /// pixels of the scaled region unless that is 0.
    fn faces_in(
        &self,
        picture: &RgbImage,
        region: Rect,
        scale: f32,
        largest_px: u32,
    ) -> Vec<DetectedFace> {
        let width = (region.w * scale).round().max(0.0) as u32;
        let height = (region.h * scale).round().max(0.0) as u32;
        // Below its window rustface's arithmetic underflows.
        if width < WINDOW_PX || height < WINDOW_PX {
            return Vec::new();
        }
        let small = gray::resized(picture, region, width, height);
        let (step_x, step_y) = (region.w / width as f32, region.h / height as f32);
        let mut engine = rustface::create_detector_with_model(self.model.clone());
        engine.set_score_thresh(SCORE_THRESHOLD);
        engine.set_max_face_size(largest_px);
        let mut faces: Vec<DetectedFace> = engine
            .detect(&ImageData::new(small.as_raw(), width, height))
            .into_iter()
            .map(|f| {
                let b = f.bbox();
                let square = Rect::new(
                    region.x + b.x() as f32 * step_x,
                    region.y + b.y() as f32 * step_y,
                    b.width() as f32 * step_x,
                    b.height() as f32 * step_y,
                );
                DetectedFace {
                    rect: predictor_box(square),
                    score: f.score() as f32,
                }
            })
            .filter(|f| f.rect.w > 0.0 && f.rect.h > 0.0)
            .collect();
        faces.sort_by(|a, b| b.score.total_cmp(&a.score));
        faces
    }
}

/// The box that the landmark predictor expects, from rustface's square given in
/// pixel edges: 0.96 of its side, 6 % of it further down (measured against the
/// boxes dlib's model was trained with; the optimum is flat). The result runs
/// from pixel centre to pixel centre, as dlib counts.
fn predictor_box(square: Rect) -> Rect {
    const SIZE: f32 = 0.96;
    const DOWN: f32 = 0.06;
    let side = SIZE * square.w;
    let centre = square.center();
    // Half a pixel for the edge of the first pixel, half for the centre: they cancel.
    Rect::new(
        centre.x - 0.5 * side,
        centre.y + DOWN * square.w - 0.5 * side,
        side - 1.0,
        side - 1.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_any_size_are_searched_without_a_panic() {
        let detector = FaceDetector::new().expect("the embedded model");
        for (w, h) in [(1, 1), (8, 8), (39, 500), (40, 40), (41, 300), (64, 48)] {
            let picture = RgbImage::from_fn(w, h, |x, y| {
                image::Rgb([(x * 31 + y * 17) as u8, (x * y) as u8, 90])
            });
            assert!(detector.search(&picture, 480).is_empty(), "{w}×{h}");
            let _unused = detector.look_near(&picture, Rect::new(-30.0, 5.0, 60.0, 60.0));
        }
    }
}
