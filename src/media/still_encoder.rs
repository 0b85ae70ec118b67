//! Pictures as JPEGs in memory, for keeping many of them: FFmpeg's encoder, which takes
//! about a quarter of the time of one written for single pictures.

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{self, encoder};
use ffmpeg::{Dictionary, Packet, Rational, color, format, frame};
use image::RgbImage;

use super::camera_picture::decode_mjpeg;
use super::video_writer::{FULL_RANGE, to_yuv420};

/// FFmpeg's quantiser, 2 (best) .. 31: at 3 a face cannot be told from the original, and
/// 640×480 pixels take about 60 kB.
const QUANTISER: u32 = 3;

/// Encodes pictures of one size.
pub struct StillEncoder {
    encoder: encoder::Video,
    picture: frame::Video,
    width: u32,
    height: u32,
    count: i64,
}

/// A picture that was encoded.
#[derive(Debug, Clone)]
pub struct Still {
    jpeg: Vec<u8>,
    width: u32,
    height: u32,
}

impl StillEncoder {
    /// For pictures of `width`×`height`.
    ///
    /// # Errors
    /// FFmpeg has no JPEG encoder or refuses the size: the reason.
    pub fn new(width: u32, height: u32) -> Result<Self, String> {
        ffmpeg::init().map_err(|e| format!("FFmpeg does not start: {e}"))?;
        let codec = encoder::find(codec::Id::MJPEG)
            .ok_or("this FFmpeg has no JPEG encoder; install one that has")?;
        let mut settings = codec::context::Context::new_with_codec(codec)
            .encoder()
            .video()
            .map_err(|e| format!("the JPEG encoder does not start: {e}"))?;
        // 4:2:0 needs even sides.
        let (even_width, even_height) = (width.next_multiple_of(2), height.next_multiple_of(2));
        settings.set_width(even_width);
        settings.set_height(even_height);
        settings.set_format(format::Pixel::YUV420P);
        settings.set_color_range(color::Range::JPEG);
        settings.set_time_base(Rational(1, 1000));
        let mut options = Dictionary::new();
        options.set("threads", "1");
        options.set("flags", "+qscale");
        options.set("global_quality", &(118 * QUANTISER).to_string());
        let encoder = settings
            .open_with(options)
            .map_err(|e| format!("the JPEG encoder refuses {width}×{height} pixels: {e}"))?;
        let mut picture = frame::Video::new(format::Pixel::YUV420P, even_width, even_height);
        picture.set_color_range(color::Range::JPEG);
        Ok(Self {
            encoder,
            picture,
            width,
            height,
            count: 0,
        })
    }

    /// # Errors
    /// A picture of another size, or the encoder fails: the reason.
    pub fn encode(&mut self, picture: &RgbImage) -> Result<Still, String> {
        let (width, height) = picture.dimensions();
        if (width, height) != (self.width, self.height) {
            return Err(format!(
                "a picture of {width}×{height} pixels came among those of {}×{}",
                self.width, self.height
            ));
        }
        to_yuv420(picture, &mut self.picture, &FULL_RANGE);
        self.picture.set_pts(Some(self.count));
        self.count += 1;
        let failed = |e: ffmpeg::Error| format!("the JPEG encoder failed: {e}");
        self.encoder.send_frame(&self.picture).map_err(failed)?;
        let mut packet = Packet::empty();
        self.encoder.receive_packet(&mut packet).map_err(failed)?;
        let jpeg = packet
            .data()
            .ok_or("the JPEG encoder gave nothing")?
            .to_vec();
        Ok(Still {
            jpeg,
            width,
            height,
        })
    }
}

impl Still {
    /// # Errors
    /// The reason, where it cannot be decoded again.
    pub fn decode(&self) -> Result<RgbImage, String> {
        let (even_width, even_height) = (
            self.width.next_multiple_of(2),
            self.height.next_multiple_of(2),
        );
        let picture = decode_mjpeg(&self.jpeg, even_width, even_height)?;
        if (even_width, even_height) == (self.width, self.height) {
            return Ok(picture);
        }
        Ok(image::imageops::crop_imm(&picture, 0, 0, self.width, self.height).to_image())
    }

    #[must_use]
    pub fn bytes(&self) -> usize {
        self.jpeg.len()
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_picture_comes_back_as_it_looked_whatever_its_size() {
        for (width, height) in [(64, 48), (33, 21)] {
            let picture = RgbImage::from_fn(width, height, |x, y| {
                Rgb([(x * 3) as u8, (y * 5) as u8, (x + y) as u8])
            });
            let mut encoder = StillEncoder::new(width, height).unwrap();
            for _ in 0..3 {
                let still = encoder.encode(&picture).unwrap();
                let back = still.decode().unwrap();
                assert_eq!(back.dimensions(), (width, height));
                let off: u64 = (picture.as_raw().iter().zip(back.as_raw()))
                    .map(|(a, b)| u64::from(a.abs_diff(*b)))
                    .sum();
                let mean = off as f64 / picture.as_raw().len() as f64;
                assert!(mean < 4.0, "{width}×{height}: {mean}");
                assert!(still.bytes() > 0);
            }
            assert!(encoder.encode(&RgbImage::new(8, 8)).is_err());
        }
    }
}
