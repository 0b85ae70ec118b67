//! Where frames come from.

use std::path::PathBuf;

use crate::base::{Notice, Timestamp};

use super::open::stem_of;
use super::{Frame, MediaError};

/// What a source is before it is read to the end.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// File or folder name without its path, or the camera's name.
    pub name: String,
    /// `None` for cameras.
    pub path: Option<PathBuf>,
    pub width: u32,
    pub height: u32,
    /// What the container or driver states; the analysis uses measured times.
    pub nominal_fps: Option<f64>,
    /// An estimate unless `exact_frame_count`; `None` for cameras.
    pub frame_count: Option<u64>,
    pub exact_frame_count: bool,
    pub duration: Option<Timestamp>,
    /// A camera: frames may be dropped, seeking is impossible.
    pub live: bool,
}

impl SourceInfo {
    /// What is made of it is named after it: a file's name without its ending, a folder's or
    /// a camera's name.
    #[must_use]
    pub fn stem(&self) -> String {
        match &self.path {
            Some(path) => stem_of(path),
            // As a file's name it may not lead into a folder.
            None => self.name.replace(['/', '\\'], "_"),
        }
    }
}

#[cfg(test)]
impl SourceInfo {
    /// A file of so many frames of 4×4 pixels, 25 a second, which nobody opens.
    pub(crate) fn of_clip(frames: u64) -> Self {
        Self {
            name: "clip.mp4".into(),
            path: None,
            width: 4,
            height: 4,
            nominal_fps: Some(25.0),
            frame_count: Some(frames),
            exact_frame_count: true,
            duration: None,
            live: false,
        }
    }

    /// A camera with pictures of so many pixels.
    pub(crate) fn of_camera((width, height): (u32, u32), fps: f64) -> Self {
        Self {
            name: "camera".into(),
            width,
            height,
            nominal_fps: Some(fps),
            frame_count: None,
            exact_frame_count: false,
            live: true,
            ..Self::of_clip(0)
        }
    }
}

/// A recording or a camera, read in order by one thread.
pub trait FrameSource: Send {
    fn info(&self) -> &SourceInfo;

    /// The next frame, `None` at the end. A damaged packet or picture is skipped
    /// and reported by [`FrameSource::take_notices`]; an `Err` is final.
    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError>;

    /// Makes the next frame the one with this index, counted as a reading from
    /// the start would count it. Cameras refuse.
    fn seek(&mut self, frame: u64) -> Result<(), MediaError>;

    /// What went wrong since the last call without ending the recording.
    fn take_notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }
}
