//! From the pixels that decoders and cameras deliver to 8-bit sRGB.

use ffmpeg::color::{Range, Space};
use ffmpeg::format::Pixel;
use ffmpeg::frame;
use ffmpeg::software::scaling;
use ffmpeg_next as ffmpeg;
use image::RgbImage;

/// What a picture's numbers mean; another value needs another conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Encoding {
    pixel: Pixel,
    width: u32,
    height: u32,
    space: Space,
    range: Range,
}

impl Encoding {
    fn of(picture: &frame::Video) -> Self {
        Self {
            pixel: picture.format(),
            width: picture.width(),
            height: picture.height(),
            space: picture.color_space(),
            range: picture.color_range(),
        }
    }

    /// The matrix between YCbCr and RGB. Files that do not name one follow the
    /// custom of players: BT.709 from 720 lines on, BT.601 below.
    fn matrix(self) -> scaling::color_space::ColorSpace {
        use scaling::color_space::ColorSpace;
        match self.space {
            Space::BT709 => ColorSpace::ITU709,
            Space::FCC => ColorSpace::FCC,
            Space::SMPTE240M => ColorSpace::SMPTE240M,
            Space::BT470BG | Space::SMPTE170M => ColorSpace::ITU601,
            _ if self.height >= 720 || self.width >= 1280 => ColorSpace::ITU709,
            _ => ColorSpace::ITU601,
        }
    }

    /// Whether luma runs 0..255 rather than 16..235.
    fn full_range(self) -> bool {
        let jpeg_format = matches!(
            self.pixel,
            Pixel::YUVJ411P | Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P
        );
        jpeg_format || self.range == Range::JPEG
    }
}

/// Converts decoded pictures to RGB of one size, and resizes those that differ.
pub(crate) struct RgbConverter {
    context: scaling::Context,
    encoding: Encoding,
    output: frame::Video,
}

#[allow(unsafe_code, reason = "the binding does not mark the scaler as Send")]
// SAFETY: an `SwsContext` is plain memory without thread affinity, `RgbConverter`
// is its only owner, and every use goes through `&mut self`.
unsafe impl Send for RgbConverter {}

impl RgbConverter {
    /// A converter for pictures like `picture`, to `width` × `height` pixels.
    pub(crate) fn new(
        picture: &frame::Video,
        width: u32,
        height: u32,
    ) -> Result<Self, ffmpeg::Error> {
        let encoding = Encoding::of(picture);
        // Accurate rounding and full chroma: the cheap paths differ between
        // processors and put chroma blocks onto the skin.
        let flags = scaling::Flags::BILINEAR
            | scaling::Flags::ACCURATE_RND
            | scaling::Flags::FULL_CHR_H_INT
            | scaling::Flags::BITEXACT;
        let mut context = scaling::Context::get(
            encoding.pixel,
            encoding.width,
            encoding.height,
            Pixel::RGB24,
            width,
            height,
            flags,
        )?;
        set_source_colors(&mut context, encoding);
        Ok(Self {
            context,
            encoding,
            output: frame::Video::new(Pixel::RGB24, width, height),
        })
    }

    /// Whether `picture` is encoded as this converter expects.
    pub(crate) fn fits(&self, picture: &frame::Video) -> bool {
        self.encoding == Encoding::of(picture)
    }

    pub(crate) fn convert(&mut self, picture: &frame::Video) -> Result<RgbImage, ffmpeg::Error> {
        self.context.run(picture, &mut self.output)?;
        let (width, height) = (self.output.width(), self.output.height());
        let row_bytes = width as usize * 3;
        let stride = self.output.stride(0);
        let mut pixels = Vec::with_capacity(row_bytes * height as usize);
        for row in self.output.data(0).chunks(stride).take(height as usize) {
            pixels.extend_from_slice(&row[..row_bytes]);
        }
        RgbImage::from_raw(width, height, pixels).ok_or(ffmpeg::Error::Bug)
    }
}

/// Tells the scaler the matrix and range of its input; by itself it takes
/// everything for BT.601 in studio range.
#[allow(unsafe_code, reason = "the binding has no call for colour details")]
fn set_source_colors(context: &mut scaling::Context, encoding: Encoding) {
    use ffmpeg::ffi::{sws_getCoefficients, sws_setColorspaceDetails};
    const ONE: i32 = 1 << 16;
    // SAFETY: the context is valid and exclusively borrowed; the coefficient
    // tables are static arrays inside libswscale that the call copies from.
    unsafe {
        let source = sws_getCoefficients(encoding.matrix().into());
        sws_setColorspaceDetails(
            context.as_mut_ptr(),
            source,
            i32::from(encoding.full_range()),
            source,
            1,
            0,
            ONE,
            ONE,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::yuv::{self, Chroma, YuvFormat, YuvLayout, YuvMatrix};

    /// A smooth picture in planar 4:2:0. Its chroma changes across only: libswscale
    /// 5.1 takes the rows of chroma a quarter of a sample too high, which is its own.
    fn picture(width: u32, height: u32, space: Space, range: Range) -> (frame::Video, Vec<u8>) {
        let mut picture = frame::Video::new(Pixel::YUV420P, width, height);
        picture.set_color_space(space);
        picture.set_color_range(range);
        let mut packed = Vec::new();
        for plane in 0..3 {
            let (w, h) = (
                picture.plane_width(plane) as usize,
                picture.plane_height(plane) as usize,
            );
            let stride = picture.stride(plane);
            let data = picture.data_mut(plane);
            for y in 0..h {
                for x in 0..w {
                    let down = if plane == 0 { 3 * y } else { 0 };
                    let wave = ((x * (plane + 2) + down) as f32 * 0.11).sin();
                    let value = (128.0 + 60.0 * wave) as u8;
                    data[y * stride + x] = value;
                    packed.push(value);
                }
            }
        }
        (picture, packed)
    }

    #[test]
    fn our_own_conversion_of_planar_pictures_agrees_with_the_scalers() {
        for (space, matrix) in [
            (Space::SMPTE170M, YuvMatrix::Bt601),
            (Space::BT709, YuvMatrix::Bt709),
        ] {
            for (range, full_range) in [(Range::MPEG, false), (Range::JPEG, true)] {
                let (width, height) = (64, 48);
                let (decoded, packed) = picture(width, height, space, range);
                let theirs = RgbConverter::new(&decoded, width, height)
                    .unwrap()
                    .convert(&decoded)
                    .unwrap();
                let format = YuvFormat {
                    layout: YuvLayout::Planar420,
                    matrix,
                    full_range,
                    chroma: Chroma::Interpolated,
                    width,
                    height,
                };
                let ours = yuv::to_rgb(&packed, &format).unwrap();
                let off = ours.as_raw().iter().zip(theirs.as_raw());
                let worst = off.map(|(a, b)| a.abs_diff(*b)).max();
                assert!(worst <= Some(2), "{space:?} {range:?}: off by {worst:?}");
            }
        }
    }
}
