//! Frames and their times: video files, image folders, cameras, the drawn face;
//! the queue and the capture thread between them and the analysis.

pub mod error;
pub mod frame;
pub mod source;
pub mod video_file;

mod color;
mod damage;
mod frame_index;
mod orientation;
mod packets;

pub use error::MediaError;
pub use frame::Frame;
pub use source::{FrameSource, SourceInfo};
pub use video_file::VideoFile;
