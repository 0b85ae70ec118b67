//! Frames and their times: video files, image folders, cameras, the drawn face;
//! the queue and the capture thread between them and the analysis.

pub mod absence;
pub mod camera;
pub mod camera_format;
pub mod difference;
pub mod error;
pub mod film_strip;
pub mod frame;
pub mod gif_writer;
pub mod image_sequence;
pub mod open;
pub mod pacing;
pub mod player;
pub mod queue;
pub mod recall;
pub mod recorder;
pub mod sample;
pub mod source;
pub mod still_encoder;
pub mod stills;
pub mod synthetic;
pub mod tap;
pub mod video_file;
pub mod video_writer;
pub mod worker;
pub mod yuv;

mod camera_clock;
mod camera_picture;
mod color;
mod damage;
mod deck;
mod frame_index;
mod orientation;
mod packets;
mod picture_cache;
mod rewind;

/// The version of the FFmpeg libraries in use, as they state it.
#[must_use]
pub fn ffmpeg_version() -> String {
    let v = ffmpeg_next::codec::version();
    format!("libavcodec {}.{}.{}", v >> 16, v >> 8 & 0xff, v & 0xff)
}

/// The licence of these FFmpeg libraries, as they were built.
#[must_use]
pub fn ffmpeg_licence() -> &'static str {
    ffmpeg_next::codec::license()
}

pub use absence::Absence;
pub use camera::{Camera, CameraDescription, list_cameras};
pub use camera_format::{FormatWish, PixelEncoding, VideoFormat};
pub use difference::{Compare, Compared};
pub use error::MediaError;
pub use film_strip::{FilmStrip, StripWish};
pub use frame::Frame;
pub use gif_writer::GifWriter;
pub use image_sequence::ImageSequence;
pub use open::{InputPlace, InputSpec, open};
pub use player::{Player, PlayerState};
pub use queue::{Delivery, FrameReceiver, FrameSender, QueueCounts, WhenFull, frame_queue};
pub use source::{FrameSource, SourceInfo};
pub use stills::{Still, StillKey, StillShelf, Stills};
pub use synthetic::{SyntheticSource, SyntheticSpec};
pub use video_file::VideoFile;
pub use video_writer::{VideoQuality, VideoWriter};
pub use worker::CaptureWorker;
