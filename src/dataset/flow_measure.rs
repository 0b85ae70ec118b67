//! Onset and apex frame of an event to the pixels of its flow image.

use image::RgbImage;

use crate::base::Point;
use crate::face::{FaceDetector, FaceError, LandmarkPredictor, Landmarks};
use crate::model::flow_framing::{FlowFraming, FramingError};
use crate::model::flow_reduction::{Reduction, flow_image};
use crate::motion::tvl1::{FlowError, Tvl1, Tvl1Preset};
use crate::motion::{Flow, strain};

/// Changes whenever a pair of frames gives other pixels: older images are made anew.
const VERSION: u32 = 1;

/// Why two frames give no flow image; reads on from "is left out:".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unmeasurable {
    #[error("no face is found in its onset frame")]
    NoFace,
    #[error("{0}")]
    Framing(#[from] FramingError),
    #[error("its onset frame has {0}×{1} pixels and its apex frame {2}×{3}")]
    Sizes(u32, u32, u32, u32),
    #[error("the motion cannot be measured: {0}")]
    Flow(#[from] FlowError),
}

/// Finds faces and measures the motion between two frames. Has no state: share it
/// between threads.
#[derive(Debug)]
pub struct FlowMeter {
    detector: FaceDetector,
    landmarks: LandmarkPredictor,
    preset: Tvl1Preset,
}

impl FlowMeter {
    /// # Errors
    /// When the face models cannot be loaded.
    pub fn new(preset: Tvl1Preset) -> Result<Self, FaceError> {
        Ok(Self {
            detector: FaceDetector::new()?,
            landmarks: LandmarkPredictor::find(None)?,
            preset,
        })
    }

    /// Everything but the frames that the pixels depend on.
    #[must_use]
    pub fn settings(&self) -> String {
        format!("{VERSION} {} {}", self.preset.name(), self.landmarks.name())
    }

    /// u, v and strain between the frames: 28×28 in rows, each channel min–max scaled
    /// to 0..255.
    ///
    /// Both frames are cut with the transform that the 68 points of the onset frame
    /// give ([`FlowFraming`]); TV-L1 flow from onset to apex, strain by central
    /// differences, then the mean over each of the 28×28 cells (STSTNet, Liong et al.,
    /// FG 2019, section III).
    ///
    /// # Errors
    /// [`Unmeasurable`].
    pub fn measure(&self, onset: &RgbImage, apex: &RgbImage) -> Result<Vec<[u8; 3]>, Unmeasurable> {
        let ((w, h), (v, g)) = (onset.dimensions(), apex.dimensions());
        if (w, h) != (v, g) {
            return Err(Unmeasurable::Sizes(w, h, v, g));
        }
        let landmarks = self.landmarks(onset).ok_or(Unmeasurable::NoFace)?;
        let framing = FlowFraming::of(&landmarks)?;
        let mut tvl1 = Tvl1::new(self.preset.params());
        let flow = tvl1.flow(&framing.crop(onset), &framing.crop(apex))?;
        let strain = strain::central(&flow).magnitude;
        let Flow { u, v } = &flow;
        Ok(flow_image([u, v, &strain], Reduction::Area))
    }

    /// The 68 points of the surest face. Databases offer pictures cut to the face
    /// alone, in which a detector misses the surroundings: a margin of repeated border
    /// is tried then.
    fn landmarks(&self, picture: &RgbImage) -> Option<Landmarks> {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 {
            return None;
        }
        if let Some(found) = self.landmarks_as_it_is(picture) {
            return Some(found);
        }
        let margin = width.max(height) / 4;
        let wider = RgbImage::from_fn(width + 2 * margin, height + 2 * margin, |x, y| {
            let inside = |at: u32, length: u32| at.saturating_sub(margin).min(length - 1);
            *picture.get_pixel(inside(x, width), inside(y, height))
        });
        let Landmarks(points) = self.landmarks_as_it_is(&wider)?;
        let shift = margin as f32;
        Some(Landmarks(
            points.map(|p| Point::new(p.x - shift, p.y - shift)),
        ))
    }

    fn landmarks_as_it_is(&self, picture: &RgbImage) -> Option<Landmarks> {
        let faces = self.detector.search_still(picture);
        let best = faces.first()?;
        Some(self.landmarks.predict(picture, best.rect))
    }
}
