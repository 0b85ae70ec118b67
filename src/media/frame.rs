//! One decoded picture with its time.

use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;

use crate::base::Timestamp;

/// Cheap to clone: the picture is shared.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Counts decoded frames from 0.
    pub index: u64,
    /// From the container or the camera driver, relative to the first frame.
    pub timestamp: Timestamp,
    /// Frames that a camera delivered and the queue dropped just before this one.
    pub dropped_before: u32,
    /// When a camera delivered it, on this computer's clock; `None` for recordings.
    pub captured: Option<Instant>,
    /// 8-bit sRGB, `[height, width, 3]`.
    pub picture: Arc<RgbImage>,
}
