//! Cutting the face out of frames, the difference of two cuts, pictures inside the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, resize};
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, RgbImage};

use crate::base::Rect;

/// Longer side of a picture on the page, pixels.
const LONGEST: u32 = 240;

/// How much of the surroundings is shown with a face, in sides of its box.
const AROUND: f32 = 1.6;

const QUALITY: u8 = 85;

/// How much a difference is amplified about grey.
pub(super) const AMPLIFIED: i32 = 4;

/// Which pixels of a frame are shown: the same for all pictures of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Cut {
    /// A square around a face in a picture of `size` (width, height), moved and if need
    /// be shrunk to lie within the picture.
    #[must_use]
    pub fn around(face: Rect, size: (u32, u32)) -> Self {
        let (width, height) = size;
        let wanted = (AROUND * face.w.max(face.h)).round().max(1.0) as u32;
        let side = wanted.min(width).min(height);
        let start = |centre: f32, length: u32| {
            let start = centre - 0.5 * side as f32;
            (start.round().max(0.0) as u32).min(length - side)
        };
        let centre = face.center();
        Self {
            x: start(centre.x, width),
            y: start(centre.y, height),
            width: side,
            height: side,
        }
    }

    /// The whole picture, where no face is known.
    #[must_use]
    pub const fn whole((width, height): (u32, u32)) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// Cut from `frame` and made smaller if it is larger than the page shows. `None`
    /// where nothing of it lies within the frame.
    #[must_use]
    pub fn of(self, frame: &RgbImage) -> Option<RgbImage> {
        let cut = crop_imm(frame, self.x, self.y, self.width, self.height).to_image();
        let (width, height) = cut.dimensions();
        let longer = width.max(height);
        if width == 0 || height == 0 {
            return None;
        }
        if longer <= LONGEST {
            return Some(cut);
        }
        let shrunk = |side: u32| (side * LONGEST).div_ceil(longer).clamp(1, LONGEST);
        Some(resize(
            &cut,
            shrunk(width),
            shrunk(height),
            FilterType::CatmullRom,
        ))
    }
}

/// Apex minus onset, [`AMPLIFIED`] times about grey: what became brighter is lighter.
/// `None` where the two differ in size.
pub(super) fn difference(onset: &RgbImage, apex: &RgbImage) -> Option<GrayImage> {
    if onset.dimensions() != apex.dimensions() {
        return None;
    }
    // Rec. 601, in thousandths.
    let luma = |p: &image::Rgb<u8>| {
        let [r, g, b] = p.0.map(i32::from);
        299 * r + 587 * g + 114 * b
    };
    let mut grey = GrayImage::new(onset.width(), onset.height());
    for (out, (a, b)) in grey.pixels_mut().zip(onset.pixels().zip(apex.pixels())) {
        let change = AMPLIFIED * (luma(b) - luma(a)) / 1000;
        *out = Luma([(128 + change).clamp(0, 255) as u8]);
    }
    Some(grey)
}

/// As the address of an `img`; `None` for a picture without pixels.
pub(super) fn address(picture: &RgbImage) -> Option<String> {
    let (width, height) = picture.dimensions();
    encoded(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
}

pub(super) fn grey_address(picture: &GrayImage) -> Option<String> {
    let (width, height) = picture.dimensions();
    encoded(picture.as_raw(), width, height, ExtendedColorType::L8)
}

fn encoded(pixels: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Option<String> {
    if pixels.is_empty() {
        return None;
    }
    let mut jpeg = Vec::new();
    match JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(pixels, width, height, color)
    {
        Ok(()) => Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))),
        Err(e) => {
            log::warn!("a picture of the report could not be written as JPEG: {e}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_cut_is_a_square_around_the_face_within_the_picture() {
        // 100 wide, 90 high: 160 around (250, 245).
        let cut = Cut::around(Rect::new(200.0, 200.0, 100.0, 90.0), (640, 480));
        assert_eq!((cut.x, cut.y, cut.width, cut.height), (170, 165, 160, 160));
        let corner = Cut::around(Rect::new(-20.0, 420.0, 100.0, 100.0), (640, 480));
        assert_eq!((corner.x, corner.y, corner.width), (0, 320, 160));
        let close = Cut::around(Rect::new(100.0, 50.0, 400.0, 400.0), (640, 480));
        assert_eq!((close.y, close.width, close.height), (0, 480, 480));
        let picture = RgbImage::new(640, 480);
        assert_eq!(close.of(&picture).unwrap().dimensions(), (240, 240));
        assert_eq!(cut.of(&picture).unwrap().dimensions(), (160, 160));
        assert_eq!(
            Cut::whole((640, 480)).of(&picture).unwrap().dimensions(),
            (240, 180)
        );
        // A frame that is smaller than the others.
        assert!(corner.of(&RgbImage::new(100, 100)).is_none());
    }

    #[test]
    fn a_difference_is_amplified_about_grey() {
        let grey = |v| RgbImage::from_pixel(2, 1, Rgb([v; 3]));
        let of = |a, b| difference(&grey(a), &grey(b)).unwrap().as_raw()[0];
        assert_eq!((of(100, 100), of(100, 110), of(110, 100)), (128, 168, 88));
        assert_eq!((of(0, 255), of(255, 0)), (255, 0));
        assert!(difference(&grey(0), &RgbImage::new(1, 1)).is_none());
    }

    #[test]
    fn a_picture_stands_inside_the_page() {
        let text = address(&RgbImage::new(4, 4)).unwrap();
        assert!(text.starts_with("data:image/jpeg;base64,/9j/"));
        assert_eq!(address(&RgbImage::new(0, 0)), None);
    }
}
