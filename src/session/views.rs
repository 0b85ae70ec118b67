//! The pictures beside the original: LED, flow and strain of the face.

use std::sync::Arc;

use image::{RgbImage, RgbaImage};

use crate::face::crop::HeldCrop;
use crate::media::Frame;

/// What to draw. The newest request wins; older ones are dropped.
#[derive(Debug, Clone)]
pub struct ViewRequest {
    /// Oldest first, spread over the last half second; the last is the frame shown.
    pub frames: Vec<Frame>,
    pub crop: Arc<HeldCrop>,
    pub led: bool,
    pub flow: bool,
    pub strain: bool,
}

/// Pictures of the 128×128 face crop for the frame `frame`.
#[derive(Debug, Clone, Default)]
pub struct Views {
    pub frame: u64,
    /// Band-passed, normalised by frame differences; mid-grey is no motion.
    pub led: Option<RgbaImage>,
    /// Hue is direction, saturation is length, full at `flow_full_scale_px`.
    pub flow: Option<RgbImage>,
    pub flow_full_scale_px: f32,
    /// Viridis, full at `strain_full_scale` (dimensionless).
    pub strain: Option<RgbImage>,
    pub strain_full_scale: f32,
    /// Where the LED kernel ran: "GPU: name" or "CPU".
    pub led_device: String,
}
