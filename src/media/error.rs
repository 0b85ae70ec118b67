//! What can go wrong while opening or reading: each text says what could not be
//! done, why, the remedy, and the path last.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("Cannot open the recording: no such file or folder. Check the name: {}", path.display())]
    NotFound { path: PathBuf },
    #[error("Cannot open the recording: the file is empty (0 bytes). Copy it again from its source: {}", path.display())]
    Empty { path: PathBuf },
    #[error("Cannot read this as a video or image ({reason}). Onset opens what FFmpeg reads, jpg, png, bmp, tif and folders of images: {}", path.display())]
    NotMedia { path: PathBuf, reason: String },
    #[error("Cannot decode the recording: {reason}. {}", path.display())]
    Decode { path: PathBuf, reason: String },
    #[error("The folder holds no images (jpg, png, bmp, tif). Choose the folder that holds the frames themselves: {}", path.display())]
    NoImages { path: PathBuf },
    #[error("{0}")]
    Camera(String),
    #[error("Reading {name} was interrupted: {reason}")]
    Interrupted { name: String, reason: String },
    #[error("This source cannot seek: {0}")]
    NoSeek(String),
    #[error("Cannot write the video: {reason}. Free space or choose another folder: {}", path.display())]
    Write { path: PathBuf, reason: String },
}
