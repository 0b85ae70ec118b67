//! From what a person typed to frames: a file, a folder of images, `camera:0`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::camera::Camera;
use super::camera_format::{FormatWish, WISH_SYNTAX};
use super::image_sequence::{ImageSequence, is_image};
use super::{FrameSource, MediaError, VideoFile};

/// What to open.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSpec {
    pub place: InputPlace,
    /// Frames a second for images, and for streams without times.
    pub fps: Option<f64>,
}

/// Where the frames are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputPlace {
    /// A video, an image, or a folder of images.
    Path(PathBuf),
    /// The camera with this number, as `onset cameras` lists it, in a format.
    Camera(u32, FormatWish),
}

impl InputSpec {
    /// Reads an input as typed: `camera:N` is a camera unless a file of this name
    /// exists, all else is a path. `camera:N@640x480@30@yuyv` asks for a format.
    ///
    /// # Errors
    /// `camera:` is followed by something that is not a number or no format.
    pub fn parse(text: &str, fps: Option<f64>) -> Result<Self, MediaError> {
        let place = match text.strip_prefix("camera:") {
            Some(which) if !Path::new(text).exists() => camera(which, text)?,
            _ => InputPlace::Path(PathBuf::from(text)),
        };
        Ok(Self { place, fps })
    }

    /// A file or folder.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self {
            place: InputPlace::Path(path.into()),
            fps: None,
        }
    }

    /// The name results are filed under: the file name without its ending, the
    /// folder's name, or `camera_N`.
    #[must_use]
    pub fn stem(&self) -> String {
        match &self.place {
            InputPlace::Camera(n, _) => format!("camera_{n}"),
            InputPlace::Path(path) => stem_of(path),
        }
    }

    #[must_use]
    pub fn is_camera(&self) -> bool {
        matches!(self.place, InputPlace::Camera(..))
    }
}

/// A file's name without its ending, or a folder's name, which has none.
pub(super) fn stem_of(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = if absolute.is_dir() {
        absolute.file_name()
    } else {
        absolute.file_stem()
    };
    name.map_or_else(|| "recording".into(), |n| n.to_string_lossy().into_owned())
}

impl fmt::Display for InputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            InputPlace::Camera(n, wish) => write!(f, "camera:{n}{wish}"),
            InputPlace::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

fn camera(which: &str, text: &str) -> Result<InputPlace, MediaError> {
    let (number, wish) = match which.split_once('@') {
        Some((number, wish)) => (number, Some(wish)),
        None => (which, None),
    };
    let number = number.trim().parse().map_err(|_not_a_number: std::num::ParseIntError| {
        MediaError::Camera(format!(
            "Cannot tell which camera is meant: after camera: a number is needed, such as camera:0; `onset cameras` lists them: {text}"
        ))
    })?;
    let wish = wish.map_or(Some(FormatWish::default()), FormatWish::parse);
    let wish = wish.ok_or_else(|| {
        MediaError::Camera(format!(
            "Cannot tell which of the camera's formats is meant: {WISH_SYNTAX}; `onset cameras` lists them: {text}"
        ))
    })?;
    Ok(InputPlace::Camera(number, wish))
}

/// Opens what `input` names.
///
/// # Errors
/// Missing, empty, unreadable or unknown inputs; a camera that is absent or busy.
pub fn open(input: &InputSpec) -> Result<Box<dyn FrameSource>, MediaError> {
    let path = match &input.place {
        InputPlace::Camera(index, wish) => {
            return Ok(Box::new(Camera::open_with(*index, *wish)?));
        }
        InputPlace::Path(path) => path,
    };
    if !path.exists() {
        return Err(MediaError::NotFound { path: path.clone() });
    }
    if path.is_dir() {
        return Ok(Box::new(ImageSequence::open(path, input.fps)?));
    }
    if is_image(path) {
        return Ok(Box::new(ImageSequence::open_image(path)?));
    }
    Ok(Box::new(VideoFile::open(path, input.fps)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_named_by_its_number() {
        let camera = InputSpec::parse("camera:2", None).unwrap();
        assert_eq!(camera.place, InputPlace::Camera(2, FormatWish::default()));
        assert_eq!(
            (camera.to_string(), camera.stem()),
            ("camera:2".into(), "camera_2".into())
        );
        assert!(InputSpec::parse("camera:front", None).is_err());
        let fast = InputSpec::parse("camera:1@1280x720@60", None).unwrap();
        assert_eq!(
            (fast.to_string(), fast.stem()),
            ("camera:1@1280x720@60".into(), "camera_1".into())
        );
        let why = InputSpec::parse("camera:1@quick", None).unwrap_err();
        assert!(
            why.to_string().contains("camera:0@1280x720@60@mjpeg"),
            "{why}"
        );
        let file = InputSpec::parse("subject 1/ae.x.mp4", Some(25.0)).unwrap();
        assert_eq!((file.stem(), file.is_camera()), ("ae.x".into(), false));
    }
}
