//! Frames and their times: video files, image folders, cameras, the drawn face;
//! the queue and the capture thread between them and the analysis.

pub mod error;
pub mod frame;
pub mod source;

pub use error::MediaError;
pub use frame::Frame;
pub use source::{FrameSource, SourceInfo};
