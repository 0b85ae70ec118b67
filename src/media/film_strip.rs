//! The frames beside the one on the screen, small, for whoever looks for a change from
//! one to the next.

use image::imageops::{FilterType, crop_imm, resize};
use image::{RgbImage, imageops};

use super::Frame;

/// What is wanted of the neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripWish {
    /// So many before and as many after.
    pub each_side: u64,
    /// Left, top, width, height in px; the whole picture without.
    pub region: Option<[u32; 4]>,
    /// Height of the small pictures, px.
    pub height: u32,
}

/// Small pictures in the order of their frames; near an end of the recording fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct FilmStrip {
    /// The frame on the screen.
    pub around: u64,
    pub pictures: Vec<(u64, RgbImage)>,
}

impl StripWish {
    /// The numbers of the frames that are wanted around one, without itself.
    pub fn neighbours(&self, around: u64) -> impl Iterator<Item = u64> {
        let first = around.saturating_sub(self.each_side);
        (first..=around + self.each_side).filter(move |n| *n != around)
    }

    /// One frame as it is shown in the strip.
    #[must_use]
    pub fn small(&self, frame: &Frame) -> RgbImage {
        let picture = frame.picture.as_ref();
        let (width, height) = picture.dimensions();
        let [x, y, w, h] = self.region.unwrap_or([0, 0, width, height]);
        let (x, y) = (
            x.min(width.saturating_sub(1)),
            y.min(height.saturating_sub(1)),
        );
        let (w, h) = (w.clamp(1, width - x), h.clamp(1, height - y));
        let part = crop_imm(picture, x, y, w, h);
        let height = self.height.max(1);
        let width = ((f64::from(w) * f64::from(height) / f64::from(h)).round() as u32).max(1);
        if w <= 2 * width {
            resize(&*part, width, height, FilterType::Triangle)
        } else {
            imageops::thumbnail(&*part, width, height)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn a_strip_shows_the_region_small_and_ends_with_the_recording() {
        let picture = RgbImage::from_fn(200, 100, |x, _| image::Rgb([x as u8; 3]));
        let frame = Frame {
            index: 1,
            timestamp: Timestamp::ZERO,
            dropped_before: 0,
            captured: None,
            picture: Arc::new(picture),
        };
        let wish = StripWish {
            each_side: 2,
            region: Some([150, 50, 100, 100]),
            height: 25,
        };
        assert_eq!(wish.neighbours(1).collect::<Vec<_>>(), [0, 2, 3]);
        // What of the region lies in the picture: 50×50.
        let small = wish.small(&frame);
        assert_eq!(small.dimensions(), (25, 25));
        assert!((150..=156).contains(&small.get_pixel(0, 0).0[0]));
        let whole = StripWish {
            region: None,
            ..wish
        };
        assert_eq!(whole.small(&frame).dimensions(), (50, 25));
    }
}
