//! What can go wrong before a face is found: each text says what could not be
//! done, why, the remedy, and the path last.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    #[error("Cannot read the landmark model: {reason}. Check the path, or leave it out to use the installed or the embedded one: {}", path.display())]
    ModelUnreadable { path: PathBuf, reason: String },
    #[error("This is not a 68-point landmark model: {reason}. Onset reads dlib's shape_predictor_68_face_landmarks.dat (Debian: libdlib-data) and its own compact form: {}", path.display())]
    NotAModel { path: PathBuf, reason: String },
    #[error(
        "No landmark model was found: this build embeds none and none is installed. Install Debian's libdlib-data, or set ONSET_LANDMARKS to a shape_predictor_68_face_landmarks.dat; looked at {}", path.display()
    )]
    NoModel { path: PathBuf },
    #[error("Cannot start the face detector: {0}. The program file is damaged; install it again.")]
    Detector(String),
    #[error("Cannot read the picture: {reason}. Onset reads jpg, png, bmp and tif: {}", path.display())]
    Picture { path: PathBuf, reason: String },
    #[error("Cannot write the compact landmark model: {reason}. Free space or choose another folder that exists: {}", path.display())]
    Write { path: PathBuf, reason: String },
}
