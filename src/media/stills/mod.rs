//! Small pictures of given frames, for lists and for looking at two moments beside each
//! other: cut out of a second reading of the recording on a thread of its own, so that
//! neither playback nor the window waits for them.

mod reader;
mod shelf;
mod worker;

use std::sync::Arc;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize, thumbnail};

pub use shelf::{Place, StillShelf};
pub use worker::{Opener, Stills};

/// Names a still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StillKey {
    pub frame: u64,
    /// Left, top, width, height in pixels of the picture; the whole picture without.
    pub region: Option<[u32; 4]>,
    /// Height of the still, px; a region that is lower is not enlarged.
    pub height: u32,
}

/// What came of a wish.
#[derive(Debug, Clone, PartialEq)]
pub struct Still {
    pub key: StillKey,
    /// `None` where the frame cannot be read.
    pub picture: Option<Arc<RgbImage>>,
}

/// What of `region` lies in the picture, at most `height` px high, its sides in
/// proportion: pixels are averaged where it is made smaller and copied where it is not.
#[must_use]
pub fn cut(picture: &RgbImage, region: Option<[u32; 4]>, height: u32) -> RgbImage {
    let (width, full) = picture.dimensions();
    let [x, y, w, h] = region.unwrap_or([0, 0, width, full]);
    let (x, y) = (
        x.min(width.saturating_sub(1)),
        y.min(full.saturating_sub(1)),
    );
    let (w, h) = (w.clamp(1, width - x), h.clamp(1, full - y));
    let part = crop_imm(picture, x, y, w, h);
    let height = height.clamp(1, h);
    if height == h {
        return part.to_image();
    }
    let width = ((f64::from(w) * f64::from(height) / f64::from(h)).round() as u32).max(1);
    if w <= 2 * width {
        resize(&*part, width, height, FilterType::Triangle)
    } else {
        thumbnail(&*part, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_made_smaller_in_proportion_and_never_larger() {
        let picture = RgbImage::from_fn(200, 100, |x, y| image::Rgb([x as u8, y as u8, 0]));
        let small = cut(&picture, Some([40, 20, 80, 40]), 20);
        assert_eq!(small.dimensions(), (40, 20));
        // The mean of two columns and two rows.
        let [x, y, _] = small.get_pixel(10, 10).0;
        assert!((60..=62).contains(&x) && (40..=42).contains(&y), "{x} {y}");
        let whole = cut(&picture, Some([40, 20, 80, 40]), 320);
        assert_eq!(whole.dimensions(), (80, 40));
        assert_eq!(whole.get_pixel(3, 5), picture.get_pixel(43, 25));
    }

    #[test]
    fn what_of_a_region_lies_beyond_the_picture_is_left_out() {
        let picture = RgbImage::new(200, 100);
        assert_eq!(
            cut(&picture, Some([150, 60, 90, 90]), 20).dimensions(),
            (25, 20)
        );
        assert_eq!(
            cut(&picture, Some([900, 900, 5, 5]), 20).dimensions(),
            (1, 1)
        );
        assert_eq!(cut(&picture, None, 10).dimensions(), (20, 10));
        assert_eq!(cut(&picture, None, 0).dimensions(), (2, 1));
    }
}
