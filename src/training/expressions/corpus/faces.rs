//! The faces of a pair of pictures, and the motion between them.

use image::RgbImage;

use super::Corpus;
use crate::base::Rect;
use crate::face::Landmarks;
use crate::motion::luma::LumaPatch;
use crate::recognition::{ExpressionMotion, FacePicture, MotionMeter};

/// Faces are kept as in an analysis.
const LARGEST_FACE: f32 = 200.0;

impl Corpus {
    /// The motion between two pictures of the surest face of the first.
    pub(in crate::training::expressions) fn pair(
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

    pub(in crate::training::expressions) fn surest_face(&self, picture: &RgbImage) -> Option<Rect> {
        let faces = self.detector.search_still(picture);
        faces.first().map(|face| face.rect)
    }

    pub(in crate::training::expressions) fn patch(
        &self,
        picture: &RgbImage,
        face: Rect,
    ) -> LumaPatch {
        LumaPatch::at_most(picture, face, LARGEST_FACE)
    }

    pub(in crate::training::expressions) fn points(
        &self,
        picture: &RgbImage,
        face: Rect,
    ) -> Landmarks {
        self.landmarks.predict(picture, face)
    }
}
