//! Where the face is and what of it is compared: boxes, 68 landmarks, the crop
//! that both frames of a flow pair share, and the regions inside it.

pub mod crop;
pub mod detector;
pub mod error;
pub mod landmarks;
pub mod pose;
pub mod regions;
pub mod still;
pub mod tracker;

mod blink;
mod cascade;
mod compact;
mod dlib_model;
mod gray;
mod principal;
mod rigid;

pub use crop::{CropHold, HeldCrop};
pub use detector::FaceDetector;
pub use error::FaceError;
pub use landmarks::LandmarkPredictor;
pub use still::StillFaces;
pub use tracker::FaceTracker;

use serde::{Deserialize, Serialize};

use crate::base::{Point, Rect, Timestamp};

/// Side of the square face crop on which flow is computed, in pixels (S4).
pub const CROP_SIDE: usize = 128;

/// The 68 points of the iBUG/300-W scheme, numbered from 0, in the pixels of the
/// picture they were found in unless a name says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks(pub [Point; 68]);

/// A box around a face and the detector's score (rustface: about 2..60).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    pub rect: Rect,
    pub score: f32,
}

/// The analysed face of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// The detector-style box, in image pixels.
    pub rect: Rect,
    /// 0..1: how sure the tracker is that this is the face (see `tracker`).
    pub confidence: f32,
    pub landmarks: Landmarks,
    /// Rotation about x, y, z in radians, OpenFace's axes; `None` where PnP fails.
    pub pose: Option<[f32; 3]>,
    /// 0 open .. 1 shut, from the eye aspect ratio against this face's own open eyes.
    pub blink: f32,
}

/// What the tracker says of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceTrack {
    pub frame: u64,
    pub timestamp: Timestamp,
    /// The face that is analysed; `None` while it is lost.
    pub face: Option<Face>,
    /// The other faces seen at the last search, for the window to show.
    pub others: Vec<DetectedFace>,
}
