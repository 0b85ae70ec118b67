//! The frames beside the one on the screen, small, for whoever looks for a change from
//! one to the next.

use image::RgbImage;

use super::Frame;
use super::stills::cut;

/// What is wanted of the neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripWish {
    /// So many before and as many after.
    pub each_side: u64,
    /// Left, top, width, height in px; the whole picture without.
    pub region: Option<[u32; 4]>,
    /// Height of the small pictures, px; a region that is lower is not enlarged.
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
        cut(&frame.picture, self.region, self.height)
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
