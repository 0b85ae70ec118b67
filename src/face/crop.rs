//! The crop that both frames of a flow pair share, held until the face has drifted.

use super::Landmarks;
use crate::base::Similarity;

/// One held crop; frames carry its `id`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldCrop {
    pub id: u32,
    pub since_frame: u64,
    /// Image pixels to the pixels of the 128×128 crop.
    pub crop_from_image: Similarity,
    /// The landmarks that the regions are taken from while this crop is held.
    pub landmarks_in_crop: Landmarks,
}
