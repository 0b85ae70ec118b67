//! The camera's part: blur, light, sensor noise, quantisation, JPEG.

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _};

use super::draws::{Draws, hill};
use crate::base::Plane;

/// One camera at one moment of its life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Camera {
    /// Standard deviation of the blur, pixels.
    pub(super) blur: f64,
    /// Standard deviation of the noise, grey levels.
    pub(super) noise: f64,
    /// JPEG quality, if pictures are stored so.
    pub(super) quality: Option<u8>,
}

impl Camera {
    /// What the camera stores of a scene of grey values 0..255.
    pub(super) fn take(&self, scene: &Plane, draws: &mut Draws) -> Plane {
        let mut picture = blurred(scene, self.blur);
        for value in &mut picture.data {
            *value += (self.noise * draws.normal()) as f32;
            // The cast saturates at 0 and 255.
            *value = f32::from((*value + 0.5) as u8);
        }
        match self.quality {
            Some(quality) => stored(picture, quality),
            None => picture,
        }
    }
}

/// A Gaussian blur, the border repeated.
pub(super) fn blurred(plane: &Plane, sigma: f64) -> Plane {
    if sigma < 0.15 {
        return plane.clone();
    }
    let reach = (3.0 * sigma).ceil() as usize;
    let mut taps: Vec<f32> = (0..=2 * reach)
        .map(|i| {
            let d = (i as f64 - reach as f64) / sigma;
            hill(d * d) as f32
        })
        .collect();
    let sum: f32 = taps.iter().sum();
    taps.iter_mut().for_each(|t| *t /= sum);
    let (width, height) = (plane.width, plane.height);
    let mut across = Plane::zeros(width, height);
    for y in 0..height {
        let from = plane.row(y);
        for (x, out) in across.row_mut(y).iter_mut().enumerate() {
            for (i, tap) in taps.iter().enumerate() {
                *out += tap * from[(x + i).saturating_sub(reach).min(width - 1)];
            }
        }
    }
    let mut down = Plane::zeros(width, height);
    for y in 0..height {
        for (i, tap) in taps.iter().enumerate() {
            let from = (y + i).saturating_sub(reach).min(height - 1);
            let (out, from) = (down.row_mut(y), across.row(from));
            for (o, f) in out.iter_mut().zip(from) {
                *o += tap * f;
            }
        }
    }
    down
}

/// The picture after it went through a JPEG file; as it was if the codec refuses,
/// which it does for no picture that exists here.
fn stored(picture: Plane, quality: u8) -> Plane {
    let bytes: Vec<u8> = picture.data.iter().map(|&v| v as u8).collect();
    let mut file = Vec::new();
    let written = JpegEncoder::new_with_quality(&mut file, quality).write_image(
        &bytes,
        picture.width as u32,
        picture.height as u32,
        ExtendedColorType::L8,
    );
    let read = written
        .and_then(|()| JpegDecoder::new(std::io::Cursor::new(file)))
        .and_then(DynamicImage::from_decoder);
    read.map_or(picture, |image| Plane::from_gray(&image.into_luma8()))
}
