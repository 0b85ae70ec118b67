//! Luma and chroma to RGB: what cameras send uncompressed (YUYV, NV12) and what
//! video decoders give (planar), after ITU-R BT.601 or BT.709.
//!
//! 16-bit fixed point, rounded to the nearest: 255/219 for luma and 255/224 times
//! the matrix for chroma in limited range. Kernel: `shaders/yuv.wgsl`, whose bytes
//! are the same ([`gpu::YuvKernel`]).

pub mod gpu;

use image::RgbImage;

/// How the samples lie in the buffer, rows without padding; chroma counts are
/// rounded up where a side is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YuvLayout {
    /// Y0 Cb Y1 Cr, two pixels in four bytes (YUY2).
    Yuyv,
    /// All luma, then Cb and Cr in turn, one pair for 2×2 pixels.
    Nv12,
    /// All luma, all Cb, all Cr, one of each for 2×2 pixels (I420).
    Planar420,
    /// The same for 2×1 pixels.
    Planar422,
    /// The same for every pixel.
    Planar444,
}

/// The matrix between luma, chroma and RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YuvMatrix {
    Bt601,
    Bt709,
}

/// What pixels between chroma samples get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// The sample they share: cheap, and what camera drivers do.
    Repeated,
    /// Linear interpolation, samples lying in the middle of the pixels that share
    /// them (as libswscale assumes): no blocks of colour on the skin.
    Interpolated,
}

/// What a buffer of luma and chroma holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YuvFormat {
    pub layout: YuvLayout,
    pub matrix: YuvMatrix,
    /// Luma 0..255 rather than 16..235.
    pub full_range: bool,
    pub chroma: Chroma,
    /// In pixels, at least 1.
    pub width: u32,
    pub height: u32,
}

/// Why a buffer cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YuvError {
    #[error("{found} bytes instead of {wanted}: the picture is incomplete")]
    Short { found: usize, wanted: usize },
    #[error("a picture of {width}×{height} pixels is impossible")]
    Size { width: u32, height: u32 },
}

impl YuvFormat {
    /// As cameras send it where nothing else is stated: BT.601 in limited range
    /// (V4L2 and UVC), chroma repeated.
    #[must_use]
    pub fn of_camera(layout: YuvLayout, width: u32, height: u32) -> Self {
        Self {
            layout,
            matrix: YuvMatrix::Bt601,
            full_range: false,
            chroma: Chroma::Repeated,
            width,
            height,
        }
    }

    /// Bytes of one picture.
    #[must_use]
    pub fn bytes(&self) -> usize {
        Samples::of(self).bytes
    }

    /// Whether a buffer of `found` bytes holds a picture; more is cut.
    fn check(&self, found: usize) -> Result<(), YuvError> {
        let (width, height) = (self.width, self.height);
        // So that every count below fits 32 bits, on the card as well.
        if width == 0 || height == 0 || width > 16_384 || height > 16_384 {
            return Err(YuvError::Size { width, height });
        }
        let wanted = self.bytes();
        if found < wanted {
            return Err(YuvError::Short { found, wanted });
        }
        Ok(())
    }
}

/// Where the samples of a format lie: rows, steps and starts in bytes.
#[derive(Debug, Clone, Copy)]
struct Samples {
    luma_row: usize,
    luma_step: usize,
    chroma_row: usize,
    chroma_step: usize,
    blue_start: usize,
    red_start: usize,
    chroma_width: usize,
    chroma_height: usize,
    /// Luma pixels that share a chroma sample: 1 << halved.
    halved: [u32; 2],
    bytes: usize,
}

impl Samples {
    fn of(format: &YuvFormat) -> Self {
        let (width, height) = (format.width as usize, format.height as usize);
        let halved = match format.layout {
            YuvLayout::Yuyv | YuvLayout::Planar422 => [1, 0],
            YuvLayout::Nv12 | YuvLayout::Planar420 => [1, 1],
            YuvLayout::Planar444 => [0, 0],
        };
        let (across, down) = (
            width.div_ceil(1 << halved[0]),
            height.div_ceil(1 << halved[1]),
        );
        let luma = width * height;
        let planar = Self {
            luma_row: width,
            luma_step: 1,
            chroma_row: across,
            chroma_step: 1,
            blue_start: luma,
            red_start: luma + across * down,
            chroma_width: across,
            chroma_height: down,
            halved,
            bytes: luma + 2 * across * down,
        };
        match format.layout {
            YuvLayout::Yuyv => Self {
                luma_row: 4 * across,
                luma_step: 2,
                chroma_row: 4 * across,
                chroma_step: 4,
                blue_start: 1,
                red_start: 3,
                bytes: 4 * across * height,
                ..planar
            },
            YuvLayout::Nv12 => Self {
                chroma_row: 2 * across,
                chroma_step: 2,
                red_start: luma + 1,
                ..planar
            },
            YuvLayout::Planar420 | YuvLayout::Planar422 | YuvLayout::Planar444 => planar,
        }
    }

    /// Both chroma values of a row of samples.
    fn chroma_row<'b>(
        &self,
        buffer: &'b [u8],
        row: usize,
    ) -> impl Iterator<Item = [i32; 2]> + use<'b> {
        let (start, step) = (row * self.chroma_row, self.chroma_step);
        let blue = buffer[self.blue_start + start..].iter().step_by(step);
        let red = buffer[self.red_start + start..].iter().step_by(step);
        blue.zip(red)
            .take(self.chroma_width)
            .map(|(b, r)| [i32::from(*b), i32::from(*r)])
    }
}

/// A matrix and range in 16-bit fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Coefficients {
    black: i32,
    luma: i32,
    red_from_red: i32,
    green_from_blue: i32,
    green_from_red: i32,
    blue_from_blue: i32,
}

impl Coefficients {
    fn of(format: &YuvFormat) -> Self {
        // Shares of red and blue in luma.
        let (red, blue) = match format.matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (black, luma_gain, chroma_gain) = if format.full_range {
            (0, 1.0, 1.0)
        } else {
            (16, 255.0 / 219.0, 255.0 / 224.0)
        };
        let green = 1.0 - red - blue;
        let fixed = |v: f64| (v * 65_536.0).round() as i32;
        let (from_red, from_blue) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
        Self {
            black,
            luma: fixed(luma_gain),
            red_from_red: fixed(chroma_gain * from_red),
            green_from_blue: fixed(chroma_gain * from_blue * blue / green),
            green_from_red: fixed(chroma_gain * from_red * red / green),
            blue_from_blue: fixed(chroma_gain * from_blue),
        }
    }

    /// Red, green and blue from luma and from chroma about its middle in sixteenths.
    #[inline]
    fn rgb(&self, luma: u8, [blue, red]: [i32; 2]) -> [u8; 3] {
        let grey = 16 * (i32::from(luma) - self.black) * self.luma + (1 << 19);
        let level = |v: i32| (v >> 20).clamp(0, 255) as u8;
        [
            level(grey + self.red_from_red * red),
            level(grey - self.green_from_blue * blue - self.green_from_red * red),
            level(grey + self.blue_from_blue * blue),
        ]
    }
}

/// Converts one picture; bytes behind it do not matter.
///
/// # Errors
/// When the buffer is too short or the size is impossible.
pub fn to_rgb(buffer: &[u8], format: &YuvFormat) -> Result<RgbImage, YuvError> {
    format.check(buffer.len())?;
    let samples = Samples::of(format);
    let coefficients = Coefficients::of(format);
    let (width, height) = (format.width as usize, format.height as usize);
    let mut pixels = vec![0; width * height * 3];
    // Chroma of the row's pixels about its middle, sixteenths.
    let mut chroma = vec![[0; 2]; width];
    let mut blended = vec![[0; 2]; samples.chroma_width];
    for (y, out) in pixels.chunks_exact_mut(width * 3).enumerate() {
        let row = y >> samples.halved[1];
        match format.chroma {
            Chroma::Repeated => repeat(&samples, buffer, row, &mut chroma),
            Chroma::Interpolated => {
                let next = beside(y, row, samples.chroma_height, samples.halved[1]);
                let (here, next) = (
                    samples.chroma_row(buffer, row),
                    samples.chroma_row(buffer, next),
                );
                for (blended, (here, next)) in blended.iter_mut().zip(here.zip(next)) {
                    *blended = [3 * here[0] + next[0], 3 * here[1] + next[1]];
                }
                spread(&samples, &blended, &mut chroma);
            }
        }
        let luma = buffer[y * samples.luma_row..].iter();
        let (out, _) = out.as_chunks_mut::<3>();
        for ((pixel, luma), chroma) in (out.iter_mut())
            .zip(luma.step_by(samples.luma_step))
            .zip(&chroma)
        {
            *pixel = coefficients.rgb(*luma, *chroma);
        }
    }
    let (width, height) = (format.width, format.height);
    RgbImage::from_raw(width, height, pixels).ok_or(YuvError::Size { width, height })
}

/// Every sample for the pixels that share it.
fn repeat(samples: &Samples, buffer: &[u8], row: usize, chroma: &mut [[i32; 2]]) {
    let shared = chroma.chunks_mut(1 << samples.halved[0]);
    for (pixels, [blue, red]) in shared.zip(samples.chroma_row(buffer, row)) {
        pixels.fill([16 * (blue - 128), 16 * (red - 128)]);
    }
}

/// Interpolates a row of samples (in quarters) to its pixels.
fn spread(samples: &Samples, row: &[[i32; 2]], chroma: &mut [[i32; 2]]) {
    for (x, pixel) in chroma.iter_mut().enumerate() {
        let at = x >> samples.halved[0];
        let next = row[beside(x, at, row.len(), samples.halved[0])];
        let here = row[at];
        *pixel = [0, 1].map(|c| 3 * here[c] + next[c] - 16 * 128);
    }
}

/// The next sample on the side of pixel `at`, within the picture.
fn beside(at: usize, sample: usize, count: usize, halved: u32) -> usize {
    match (halved, at % 2) {
        (0, _) => sample,
        (_, 0) => sample.saturating_sub(1),
        _ => (sample + 1).min(count - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUTS: [YuvLayout; 5] = [
        YuvLayout::Yuyv,
        YuvLayout::Nv12,
        YuvLayout::Planar420,
        YuvLayout::Planar422,
        YuvLayout::Planar444,
    ];

    #[test]
    fn the_coefficients_are_those_of_the_standards() {
        let mut format = YuvFormat::of_camera(YuvLayout::Yuyv, 2, 1);
        let limited = Coefficients::of(&format);
        // BT.601 in limited range, as in ITU-R BT.601-7 times 65536.
        assert_eq!(
            (limited.luma, limited.red_from_red, limited.blue_from_blue),
            (76_309, 104_597, 132_201)
        );
        assert_eq!(
            (limited.green_from_blue, limited.green_from_red),
            (25_675, 53_279)
        );
        format.full_range = true;
        format.matrix = YuvMatrix::Bt709;
        let full = Coefficients::of(&format);
        assert_eq!((full.black, full.luma), (0, 65_536));
        assert_eq!((full.red_from_red, full.blue_from_blue), (103_206, 121_609));
    }

    #[test]
    fn every_layout_shows_the_same_even_colour() {
        for layout in LAYOUTS {
            for chroma in [Chroma::Repeated, Chroma::Interpolated] {
                let format = YuvFormat {
                    chroma,
                    ..YuvFormat::of_camera(layout, 5, 3)
                };
                // Red: luma 81, blue 90, red 240.
                let samples = Samples::of(&format);
                let mut buffer = vec![0; format.bytes()];
                for y in 0..3 {
                    for x in 0..5 {
                        buffer[y * samples.luma_row + x * samples.luma_step] = 81;
                        let (cx, cy) = (x >> samples.halved[0], y >> samples.halved[1]);
                        let at = cy * samples.chroma_row + cx * samples.chroma_step;
                        buffer[samples.blue_start + at] = 90;
                        buffer[samples.red_start + at] = 240;
                    }
                }
                let rgb = to_rgb(&buffer, &format).unwrap();
                assert!(rgb.pixels().all(|p| p.0 == [254, 0, 0]), "{layout:?}");
                let short = to_rgb(&buffer[1..], &format);
                assert!(matches!(short, Err(YuvError::Short { .. })));
            }
        }
        let none = YuvFormat::of_camera(YuvLayout::Nv12, 0, 3);
        assert!(matches!(to_rgb(&[], &none), Err(YuvError::Size { .. })));
    }

    #[test]
    fn nv12_and_planar_420_hold_the_same_picture() {
        let (width, height) = (7, 5);
        let planar = YuvFormat::of_camera(YuvLayout::Planar420, width, height);
        let buffer: Vec<u8> = (0..planar.bytes()).map(|i| (i * 37 % 251) as u8).collect();
        let luma = (width * height) as usize;
        let (blue, red) = buffer[luma..].split_at((buffer.len() - luma) / 2);
        let mut turns = buffer[..luma].to_vec();
        turns.extend(blue.iter().zip(red).flat_map(|(b, r)| [*b, *r]));
        let nv12 = YuvFormat::of_camera(YuvLayout::Nv12, width, height);
        assert_eq!(to_rgb(&buffer, &planar), to_rgb(&turns, &nv12));
    }

    #[test]
    fn interpolated_chroma_goes_in_quarters() {
        let format = YuvFormat {
            full_range: true,
            chroma: Chroma::Interpolated,
            ..YuvFormat::of_camera(YuvLayout::Planar422, 4, 1)
        };
        // Grey 100; red chroma 128 and 168, which is 1.402 times as much in red.
        let buffer = [100, 100, 100, 100, 128, 128, 128, 168];
        let red: Vec<u8> = to_rgb(&buffer, &format)
            .unwrap()
            .pixels()
            .map(|p| p[0])
            .collect();
        assert_eq!(red, [100, 114, 142, 156]);
    }
}
