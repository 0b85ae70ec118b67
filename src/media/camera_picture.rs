//! A camera's buffers to RGB: YUYV, NV12, Motion JPEG and grey, all distrusted.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::RgbImage;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::camera_format::{PixelEncoding, VideoFormat};
use super::yuv::{self, YuvFormat, YuvLayout};

/// Decodes one buffer in the format that was agreed with the camera.
///
/// # Errors
/// The buffer is too short, no JPEG, damaged, or of another size: the reason.
pub(crate) fn decode(buffer: &[u8], format: &VideoFormat) -> Result<RgbImage, String> {
    match format.encoding {
        // Some drivers say YUYV and send JPEG.
        PixelEncoding::Mjpeg => decode_mjpeg(buffer, format.width, format.height),
        PixelEncoding::Yuyv => decode_raw(buffer, YuvLayout::Yuyv, format.width, format.height),
        PixelEncoding::Nv12 => decode_raw(buffer, YuvLayout::Nv12, format.width, format.height),
        PixelEncoding::Grey => decode_grey(buffer, format.width, format.height),
        PixelEncoding::Other => Err("a format Onset does not read".into()),
    }
}

/// What comes uncompressed: BT.601 in limited range, which V4L2 and UVC prescribe
/// where nothing else is stated.
fn decode_raw(
    buffer: &[u8],
    layout: YuvLayout,
    width: u32,
    height: u32,
) -> Result<RgbImage, String> {
    let format = YuvFormat::of_camera(layout, width, height);
    yuv::to_rgb(buffer, &format).map_err(|e| e.to_string())
}

/// One byte a pixel over the full range, which V4L2 prescribes for GREY.
fn decode_grey(buffer: &[u8], width: u32, height: u32) -> Result<RgbImage, String> {
    let pixels = width as usize * height as usize;
    let grey = buffer.get(..pixels).ok_or_else(|| {
        format!(
            "the buffer has {} bytes of the {pixels} that {width} × {height} grey pixels need",
            buffer.len()
        )
    })?;
    let rgb = grey.iter().flat_map(|light| [*light; 3]).collect();
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| "the buffer has another size".into())
}

/// A JPEG with whatever the driver left behind it in the buffer.
pub(super) fn decode_mjpeg(buffer: &[u8], width: u32, height: u32) -> Result<RgbImage, String> {
    // Some drivers put a few bytes before the picture.
    let start = buffer
        .windows(3)
        .take(64)
        .position(|w| w == [0xff, 0xd8, 0xff])
        .ok_or("the buffer holds no JPEG picture")?;
    let jpeg = &buffer[start..];
    let with_tables;
    let jpeg = match place_for_tables(jpeg)? {
        None => jpeg,
        Some(at) => {
            with_tables = [&jpeg[..at], &STANDARD_TABLES, &jpeg[at..]].concat();
            &with_tables
        }
    };
    let decode = || {
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(width as usize)
            .set_max_height(height as usize)
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(jpeg), options);
        decoder.decode_headers().map_err(|e| e.to_string())?;
        let size = decoder
            .info()
            .map(|i| (u32::from(i.width), u32::from(i.height)));
        if size != Some((width, height)) {
            return Err(format!(
                "the JPEG is {} × {} pixels, not the agreed {width} × {height}",
                size.unwrap_or_default().0,
                size.unwrap_or_default().1
            ));
        }
        decoder.decode().map_err(|e| e.to_string())
    };
    let pixels = catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("the JPEG decoder gave up".into()))?;
    RgbImage::from_raw(width, height, pixels).ok_or_else(|| "the JPEG is not in colour".into())
}

/// Walks the segments up to the scan. Motion JPEG may leave out the Huffman
/// tables; then this is where they belong.
fn place_for_tables(jpeg: &[u8]) -> Result<Option<usize>, String> {
    const TABLES: u8 = 0xc4;
    const SCAN: u8 = 0xda;
    let mut at = 2;
    loop {
        let cut = || "the JPEG ends within its header".to_string();
        let head = jpeg.get(at..at + 4).ok_or_else(cut)?;
        if head[0] != 0xff {
            return Err("the JPEG header is damaged".into());
        }
        match head[1] {
            0xff => at += 1,
            TABLES => return Ok(None),
            SCAN => return Ok(Some(at)),
            _ => at += 2 + usize::from(u16::from_be_bytes([head[2], head[3]])),
        }
    }
}

/// The typical Huffman tables of ITU-T T.81, annex K.3, as one DHT segment.
const STANDARD_TABLES: [u8; 420] = standard_tables();

const fn standard_tables() -> [u8; 420] {
    const DC_COUNTS: [[u8; 16]; 2] = [
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    ];
    const AC_COUNTS: [[u8; 16]; 2] = [
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
    ];
    let mut out = [0u8; 420];
    out[0] = 0xff;
    out[1] = 0xc4;
    // The length counts itself but not the marker.
    out[2] = (418u16 >> 8) as u8;
    out[3] = (418u16 & 0xff) as u8;
    let mut at = 4;
    let mut table = 0;
    while table < 2 {
        out[at] = table as u8;
        at += 1;
        let mut i = 0;
        while i < 16 {
            out[at] = DC_COUNTS[table][i];
            at += 1;
            i += 1;
        }
        i = 0;
        while i < 12 {
            out[at] = i as u8;
            at += 1;
            i += 1;
        }
        out[at] = 0x10 | table as u8;
        at += 1;
        i = 0;
        while i < 16 {
            out[at] = AC_COUNTS[table][i];
            at += 1;
            i += 1;
        }
        i = 0;
        while i < 162 {
            out[at] = AC_VALUES[table][i];
            at += 1;
            i += 1;
        }
        table += 1;
    }
    out
}

/// Run and size of the AC codes in the order of their lengths, luma and chroma.
#[rustfmt::skip]
const AC_VALUES: [[u8; 162]; 2] = [
    [
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
        0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
        0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
        0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
        0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
        0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
        0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
        0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
        0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
        0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
        0xf9, 0xfa,
    ],
    [
        0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
        0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
        0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
        0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
        0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
        0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
        0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
        0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
        0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
        0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
        0xf9, 0xfa,
    ],
];

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn decode_yuyv(buffer: &[u8], width: u32, height: u32) -> Result<RgbImage, String> {
        decode_raw(buffer, YuvLayout::Yuyv, width, height)
    }

    fn smooth(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x * 3) as u8, (y * 5) as u8, 128])
        })
    }

    fn jpeg_of(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .encode_image(picture)
            .unwrap();
        bytes
    }

    fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
        let total: u64 = a
            .as_raw()
            .iter()
            .zip(b.as_raw())
            .map(|(x, y)| u64::from(x.abs_diff(*y)))
            .sum();
        total as f64 / a.as_raw().len() as f64
    }

    #[test]
    fn yuyv_white_black_and_red_are_those_of_bt601() {
        // Two pixels a quad: white, black; then red twice (81, 90, 240).
        let buffer = [235, 128, 16, 128, 81, 90, 81, 240];
        let rgb = decode_yuyv(&buffer, 4, 1).unwrap();
        assert_eq!(rgb.get_pixel(0, 0).0, [255, 255, 255]);
        assert_eq!(rgb.get_pixel(1, 0).0, [0, 0, 0]);
        let red = rgb.get_pixel(2, 0).0;
        assert!(red[0] >= 253 && red[1] <= 2 && red[2] <= 2, "{red:?}");
    }

    #[test]
    fn short_yuyv_is_refused_and_a_longer_buffer_is_cut() {
        assert!(decode_yuyv(&[0; 15], 4, 2).is_err());
        assert_eq!(decode_yuyv(&[0; 99], 4, 2).unwrap().dimensions(), (4, 2));
        assert_eq!(decode_yuyv(&[0; 16], 3, 2).unwrap().dimensions(), (3, 2));
    }

    #[test]
    fn grey_is_taken_as_it_is_and_a_short_buffer_refused() {
        let rgb = decode_grey(&[0, 128, 255, 7, 9], 2, 2).unwrap();
        assert_eq!(rgb.get_pixel(1, 0).0, [128; 3]);
        assert_eq!(rgb.get_pixel(1, 1).0, [7; 3]);
        let why = decode_grey(&[0; 3], 2, 2).unwrap_err();
        assert!(why.contains("3 bytes of the 4"), "{why}");
    }

    #[test]
    fn a_stale_tail_behind_the_jpeg_does_not_matter() {
        let picture = smooth(64, 48);
        let mut buffer = jpeg_of(&picture);
        let clean = decode_mjpeg(&buffer, 64, 48).unwrap();
        assert!(mean_difference(&clean, &picture) < 3.0);
        let stale: Vec<u8> = buffer[buffer.len() / 2..].to_vec();
        buffer.extend(stale);
        buffer.resize(200_000, 0);
        assert_eq!(decode_mjpeg(&buffer, 64, 48).unwrap(), clean);
    }

    #[test]
    fn another_size_zeros_and_noise_are_refused() {
        let buffer = jpeg_of(&smooth(64, 48));
        for (w, h) in [(32, 48), (64, 96), (640, 480)] {
            assert!(decode_mjpeg(&buffer, w, h).is_err());
        }
        assert!(decode_mjpeg(&[0; 5000], 64, 48).is_err());
        let noise: Vec<u8> = [0xff, 0xd8, 0xff]
            .into_iter()
            .chain((0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8))
            .collect();
        assert!(decode_mjpeg(&noise, 64, 48).is_err());
    }

    #[test]
    fn missing_huffman_tables_are_supplied() {
        let picture = smooth(64, 48);
        let whole = jpeg_of(&picture);
        // Cut every table segment out, as many web cameras do.
        let mut bare = whole[..2].to_vec();
        let mut at = 2;
        while whole[at + 1] != 0xda {
            let end = at + 2 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            if whole[at + 1] != 0xc4 {
                bare.extend_from_slice(&whole[at..end]);
            }
            at = end;
        }
        bare.extend_from_slice(&whole[at..]);
        assert!(bare.len() < whole.len());
        assert_eq!(
            decode_mjpeg(&bare, 64, 48).unwrap(),
            decode_mjpeg(&whole, 64, 48).unwrap()
        );
    }
}
