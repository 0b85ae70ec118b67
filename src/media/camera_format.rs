//! Which of a camera's many formats is used.

use std::cmp::Ordering;
use std::fmt;

use nokhwa::utils::{CameraFormat, FrameFormat};

/// How a camera encodes its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PixelEncoding {
    /// Two bytes a pixel, uncompressed (YUY2).
    Yuyv,
    /// Twelve bits a pixel, uncompressed: chroma for 2×2 pixels.
    Nv12,
    /// One JPEG a picture.
    Mjpeg,
    /// One byte a pixel without colour, as infrared and many fast cameras give it.
    Grey,
    /// Something Onset does not read.
    Other,
}

impl PixelEncoding {
    /// What Onset reads.
    pub const READ: [Self; 4] = [Self::Yuyv, Self::Nv12, Self::Mjpeg, Self::Grey];
}

impl fmt::Display for PixelEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Mjpeg => "MJPEG",
            Self::Grey => "grey",
            Self::Other => "other",
        })
    }
}

/// One format a camera offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoFormat {
    pub width: u32,
    pub height: u32,
    /// Whole frames a second.
    pub fps: u32,
    pub encoding: PixelEncoding,
}

impl fmt::Display for VideoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} × {} {} at {} frames/s",
            self.width, self.height, self.encoding, self.fps
        )
    }
}

impl From<CameraFormat> for VideoFormat {
    fn from(format: CameraFormat) -> Self {
        Self {
            width: format.width(),
            height: format.height(),
            fps: format.frame_rate(),
            encoding: match format.format() {
                FrameFormat::YUYV => PixelEncoding::Yuyv,
                FrameFormat::NV12 => PixelEncoding::Nv12,
                FrameFormat::MJPEG => PixelEncoding::Mjpeg,
                FrameFormat::GRAY => PixelEncoding::Grey,
                _ => PixelEncoding::Other,
            },
        }
    }
}

impl VideoFormat {
    /// The driver's name for this format; `None` for those Onset does not read.
    pub(crate) fn to_driver(self) -> Option<CameraFormat> {
        let encoding = match self.encoding {
            PixelEncoding::Yuyv => FrameFormat::YUYV,
            PixelEncoding::Nv12 => FrameFormat::NV12,
            PixelEncoding::Mjpeg => FrameFormat::MJPEG,
            PixelEncoding::Grey => FrameFormat::GRAY,
            PixelEncoding::Other => return None,
        };
        Some(CameraFormat::new_from(
            self.width,
            self.height,
            encoding,
            self.fps,
        ))
    }
}

/// What a person asks of a camera; what is `None` is left to [`ranked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FormatWish {
    /// Width and height.
    pub size: Option<(u32, u32)>,
    pub fps: Option<u32>,
    pub encoding: Option<PixelEncoding>,
}

/// How a wish is written, for the errors about one that is not.
pub(crate) const WISH_SYNTAX: &str = "after the camera's number a size, a rate and an encoding may follow, each after an @, such as camera:0@1280x720@60@mjpeg";

impl FormatWish {
    /// Reads `1280x720@60@mjpeg`: a size, frames a second, `yuyv`, `nv12`, `mjpeg` or
    /// `grey`, in any order and each at most once.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut wish = Self::default();
        for part in text.split('@') {
            let part = part.trim().to_ascii_lowercase();
            let encoding = PixelEncoding::READ
                .into_iter()
                .find(|e| e.to_string().eq_ignore_ascii_case(&part));
            let above_zero = |n: &str| n.trim().parse::<u32>().ok().filter(|n| *n > 0);
            let taken = if let Some(encoding) = encoding {
                wish.encoding.replace(encoding).is_some()
            } else if let Some((width, height)) = part.split_once(['x', '×']) {
                let size = (above_zero(width)?, above_zero(height)?);
                wish.size.replace(size).is_some()
            } else {
                wish.fps.replace(above_zero(&part)?).is_some()
            };
            if taken {
                return None;
            }
        }
        Some(wish)
    }

    #[must_use]
    pub fn is_met_by(&self, format: &VideoFormat) -> bool {
        self.size.is_none_or(|s| s == (format.width, format.height))
            && self.fps.is_none_or(|fps| fps == format.fps)
            && self.encoding.is_none_or(|e| e == format.encoding)
    }
}

impl fmt::Display for FormatWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((width, height)) = self.size {
            write!(f, "@{width}x{height}")?;
        }
        if let Some(fps) = self.fps {
            write!(f, "@{fps}")?;
        }
        if let Some(encoding) = self.encoding {
            write!(f, "@{}", encoding.to_string().to_ascii_lowercase())?;
        }
        Ok(())
    }
}

impl From<VideoFormat> for FormatWish {
    fn from(format: VideoFormat) -> Self {
        Self {
            size: Some((format.width, format.height)),
            fps: Some(format.fps),
            encoding: Some(format.encoding),
        }
    }
}

/// Fast enough to see a micro-expression of 1/25 s.
const WANTED_FPS: u32 = 30;
/// A face in 640 × 480 fills the analysed crop; more pixels only cost time.
const WANTED_PIXELS: f64 = 640.0 * 480.0;

/// The formats Onset can read, the best first: at least 30 frames a second, near
/// 640 × 480, uncompressed where there is the choice.
pub(crate) fn ranked(offered: &[VideoFormat]) -> Vec<VideoFormat> {
    let mut formats: Vec<VideoFormat> = offered
        .iter()
        .copied()
        .filter(|f| f.encoding != PixelEncoding::Other && f.width > 0 && f.height > 0 && f.fps > 0)
        .collect();
    formats.sort_by(better);
    formats.dedup();
    formats
}

fn better(a: &VideoFormat, b: &VideoFormat) -> Ordering {
    let fast = |f: &VideoFormat| f.fps.min(WANTED_FPS);
    let size_off = |f: &VideoFormat| {
        (f64::from(f.width) * f64::from(f.height) / WANTED_PIXELS)
            .ln()
            .abs()
    };
    fast(b)
        .cmp(&fast(a))
        .then(size_off(a).total_cmp(&size_off(b)))
        .then(a.fps.cmp(&b.fps))
        .then(a.encoding.cmp(&b.encoding))
        .then((a.width, a.height).cmp(&(b.width, b.height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(width: u32, height: u32, fps: u32, encoding: PixelEncoding) -> VideoFormat {
        VideoFormat {
            width,
            height,
            fps,
            encoding,
        }
    }

    #[test]
    fn thirty_frames_a_second_come_before_size_and_encoding() {
        use PixelEncoding::{Mjpeg, Nv12, Other, Yuyv};
        let ranked = ranked(&[
            format(320, 180, 1, Yuyv),
            format(3840, 2160, 2, Mjpeg),
            format(1280, 720, 10, Yuyv),
            format(640, 480, 60, Yuyv),
            format(640, 480, 30, Mjpeg),
            format(640, 480, 30, Other),
            format(640, 480, 30, Nv12),
            format(640, 480, 15, Yuyv),
            format(1280, 720, 30, Mjpeg),
            format(640, 480, 30, Yuyv),
        ]);
        assert_eq!(ranked[0], format(640, 480, 30, Yuyv));
        assert_eq!(ranked[1], format(640, 480, 30, Nv12));
        assert_eq!(ranked[2], format(640, 480, 30, Mjpeg));
        assert_eq!(ranked[3], format(640, 480, 60, Yuyv));
        assert_eq!(ranked[4], format(1280, 720, 30, Mjpeg));
        assert_eq!(ranked[5], format(640, 480, 15, Yuyv));
        assert_eq!(ranked.len(), 9);
    }

    #[test]
    fn a_wish_reads_as_it_is_written() {
        let wish = FormatWish::parse("1280x720@60@MJPEG").unwrap();
        assert_eq!(wish.to_string(), "@1280x720@60@mjpeg");
        assert_eq!(
            FormatWish::parse("nv12").unwrap().encoding,
            Some(PixelEncoding::Nv12)
        );
        assert_eq!(FormatWish::parse("90").unwrap().fps, Some(90));
        for wrong in ["", "fast", "0x480", "640x", "30@60", "h264", "-5"] {
            assert_eq!(FormatWish::parse(wrong), None, "{wrong}");
        }
        let format = format(1280, 720, 60, PixelEncoding::Mjpeg);
        assert!(wish.is_met_by(&format) && FormatWish::from(format) == wish);
        assert!(FormatWish::default().is_met_by(&format));
        assert!(!FormatWish::parse("30").unwrap().is_met_by(&format));
    }

    #[test]
    fn a_slow_camera_still_gets_its_fastest_format() {
        let slow = [
            format(640, 480, 5, PixelEncoding::Yuyv),
            format(160, 120, 15, PixelEncoding::Yuyv),
        ];
        assert_eq!(ranked(&slow)[0].fps, 15);
    }
}
