//! What has become brighter and what darker from one moment to another.

use std::sync::Arc;

use image::{GrayImage, Rgb, RgbImage};

use super::Frame;
use super::stills::{StillKey, cut};

/// Grey where nothing has changed.
pub const UNCHANGED: u8 = 128;

/// `now` − `before` in luminance (ITU-R BT.601, 0..255), `gain` times, about
/// [`UNCHANGED`]: lighter is brighter now, darker was brighter before; what leaves
/// 0..255 is cut. `None` where the pictures are not of one size.
#[must_use]
pub fn difference(now: &RgbImage, before: &RgbImage, gain: f32) -> Option<GrayImage> {
    let (width, height) = now.dimensions();
    if (width, height) != before.dimensions() {
        return None;
    }
    let pixels = now.pixels().zip(before.pixels()).map(|(now, before)| {
        let changed = gain * (luminance(*now) - luminance(*before));
        (f32::from(UNCHANGED) + changed).round().clamp(0.0, 255.0) as u8
    });
    GrayImage::from_raw(width, height, pixels.collect())
}

fn luminance(Rgb([r, g, b]): Rgb<u8>) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// A frame to be compared with a still of another one.
#[derive(Debug, Clone)]
pub struct Compare {
    pub current: Frame,
    /// Which still; the frame is cut in the same way.
    pub reference: StillKey,
    pub reference_picture: Arc<RgbImage>,
    pub gain: f32,
}

/// A frame beside a still of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Number of the frame that was compared.
    pub frame: u64,
    pub reference: StillKey,
    pub gain: f32,
    /// Of the frame, cut as the still is.
    pub current: RgbImage,
    /// See [`difference`]; `None` where the recording's pictures change their size.
    pub difference: Option<GrayImage>,
}

impl Compare {
    /// Cuts the frame and compares it.
    #[must_use]
    pub fn carry_out(&self) -> Compared {
        let StillKey { region, height, .. } = self.reference;
        let current = cut(&self.current.picture, region, height);
        Compared {
            frame: self.current.index,
            reference: self.reference,
            gain: self.gain,
            difference: difference(&current, &self.reference_picture, self.gain),
            current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::synthetic::{SyntheticSource, SyntheticSpec, sample_spec};
    use crate::media::{FrameSource, stills};

    fn flat(rgb: [u8; 3]) -> RgbImage {
        RgbImage::from_pixel(4, 3, Rgb(rgb))
    }

    #[test]
    fn the_difference_is_signed_amplified_and_cut() {
        let of = |now, before, gain| {
            let difference = difference(&flat(now), &flat(before), gain).unwrap();
            difference.get_pixel(1, 1).0[0]
        };
        assert_eq!(of([90; 3], [90; 3], 16.0), 128);
        assert_eq!(of([100; 3], [90; 3], 4.0), 168);
        assert_eq!(of([90; 3], [100; 3], 4.0), 88);
        assert_eq!(of([255; 3], [0; 3], 4.0), 255);
        assert_eq!(of([0; 3], [255; 3], 1.0), 0);
        // Green counts for more than half.
        assert_eq!(of([0, 100, 0], [0; 3], 1.0), 128 + 59);
    }

    #[test]
    fn pictures_of_two_sizes_are_not_compared() {
        assert_eq!(difference(&flat([0; 3]), &RgbImage::new(3, 4), 1.0), None);
    }

    #[test]
    fn lowered_brows_of_a_still_head_show_at_the_brows_alone() {
        // AU4 with its onset at 90 and its apex at 95.
        let spec = SyntheticSpec {
            noise: 0.0,
            sway_px: 0.0,
            ..sample_spec()
        };
        let mut source = SyntheticSource::new(spec).unwrap();
        let points = source.landmarks(90);
        let mut frame = |n| {
            source.seek(n).unwrap();
            source.next_frame().unwrap().expect("it is drawn")
        };
        let (onset, apex) = (frame(90), frame(95));
        let region = Some([160, 60, 320, 400]);
        let reference = StillKey {
            frame: 90,
            region,
            height: 400,
        };
        let compared = Compare {
            reference,
            reference_picture: Arc::new(stills::cut(&onset.picture, region, 400)),
            current: apex,
            gain: 1.0,
        }
        .carry_out();
        let map = compared.difference.expect("one size");
        let about = |points: &[crate::base::Point]| {
            let inside = crate::base::Rect::around(points).expect("some points");
            let mut sum = 0.0;
            for (x, y, grey) in map.enumerate_pixels() {
                let (x, y) = (x as f32 + 160.0, y as f32 + 60.0);
                let (x, y) = (x - inside.x, y - inside.y);
                if (0.0..inside.w).contains(&x) && (0.0..inside.h).contains(&y) {
                    sum += (f32::from(grey.0[0]) - f32::from(UNCHANGED)).abs();
                }
            }
            sum / inside.area()
        };
        let (brows, mouth) = (about(&points[17..27]), about(&points[48..68]));
        assert!(brows > 1.0, "{brows}");
        assert!(mouth < 0.05 * brows, "{mouth} against {brows}");
    }
}
