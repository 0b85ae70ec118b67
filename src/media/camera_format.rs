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
    /// Something Onset does not read.
    Other,
}

impl fmt::Display for PixelEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Mjpeg => "MJPEG",
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
    fn a_slow_camera_still_gets_its_fastest_format() {
        let slow = [
            format(640, 480, 5, PixelEncoding::Yuyv),
            format(160, 120, 15, PixelEncoding::Yuyv),
        ];
        assert_eq!(ranked(&slow)[0].fps, 15);
    }
}
