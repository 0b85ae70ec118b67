//! Frames and their times: video files, image folders, cameras, the drawn face;
//! the queue and the capture thread between them and the analysis.

pub mod error;
pub mod frame;
pub mod source;
pub mod synthetic;
pub mod video_writer;

pub use error::MediaError;
pub use frame::Frame;
pub use source::{FrameSource, SourceInfo};
pub use synthetic::{SyntheticSource, SyntheticSpec};
pub use video_writer::{VideoQuality, VideoWriter};
