//! A running analysis as its owner sees it: events, the newest picture, numbers.

use std::sync::Arc;

use crate::base::{Latest, Mailbox};
use crate::face::FaceTrack;
use crate::media::{Frame, SourceInfo};
use crate::timeline::Event;

/// The newest analysed frame, for showing a camera live.
#[derive(Debug, Clone)]
pub struct Preview {
    pub frame: Frame,
    pub track: FaceTrack,
    /// Id of the held crop, told by `Event::Crop`.
    pub crop: Option<u32>,
    /// From the camera's capture to the end of this frame's analysis, in milliseconds.
    pub latency_ms: Option<f32>,
}

/// Numbers for the status strip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionStatus {
    pub frames_done: u64,
    /// Estimated unless the source counts exactly; `None` for cameras.
    pub frames_total: Option<u64>,
    pub analysed_fps: f32,
    pub source_fps: f32,
    pub dropped: u64,
    pub latency_ms: Option<f32>,
    /// Seconds between a movement and its final score (2k frames).
    pub decision_delay_secs: f32,
    pub finished: bool,
    /// The sentence for the person when it ended by an error.
    pub failed: Option<String>,
}

/// Dropping the handle stops the capture and analysis threads.
pub struct SessionHandle {
    pub info: SourceInfo,
    /// Increases with every session; results of an older one are discarded.
    pub generation: u64,
    pub events: Mailbox<Event>,
    pub preview: Latest<Preview>,
    pub status: Arc<std::sync::Mutex<SessionStatus>>,
}
