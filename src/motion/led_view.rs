//! The picture of the LED band-pass: what brightens and darkens on the face.
//!
//! Six crops spread over the last half second give one map, whose last output is
//! drawn in two colours around mid-grey.

use image::{Rgba, RgbaImage};

use crate::base::Plane;

/// Frames that one picture of the live view is made of (S0).
pub const LED_FRAMES: usize = 6;
/// Normalised motion shown in full colour: a grey value that moved by about a fifth.
pub const LED_FULL_SCALE: f32 = 0.1;
/// Colour of brightening at full scale; light, so that the sign shows in print too.
pub const BRIGHTER_RGB: [u8; 3] = [255, 196, 92];
/// Colour of darkening at full scale.
pub const DARKER_RGB: [u8; 3] = [0, 58, 122];
/// Colour of no change.
pub const STILL_RGB: [u8; 3] = [128, 128, 128];

/// A motion map as a picture: no change is mid-grey, brightening turns light amber,
/// darkening dark blue, and ±`full_scale` gives the full colour. Values that are not
/// finite are shown as no change.
#[must_use]
pub fn diverging_image(map: &Plane, full_scale: f32) -> RgbaImage {
    let scale = full_scale.max(f32::MIN_POSITIVE);
    RgbaImage::from_fn(map.width as u32, map.height as u32, |x, y| {
        let value = map.at(x as usize, y as usize) / scale;
        let value = if value.is_finite() {
            value.clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let end = if value < 0.0 {
            DARKER_RGB
        } else {
            BRIGHTER_RGB
        };
        let channel = |c: usize| {
            let (still, end) = (f32::from(STILL_RGB[c]), f32::from(end[c]));
            (still + (end - still) * value.abs()).round() as u8
        };
        Rgba([channel(0), channel(1), channel(2), 255])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_mid_grey_and_signs_differ_in_lightness() {
        let map = Plane::from_vec(4, 1, vec![0.0, 0.1, -0.1, f32::NAN]);
        let image = diverging_image(&map, 0.1);
        let rgb = |x: u32| [image[(x, 0)][0], image[(x, 0)][1], image[(x, 0)][2]];
        assert_eq!(rgb(0), STILL_RGB);
        assert_eq!(rgb(1), BRIGHTER_RGB);
        assert_eq!(rgb(2), DARKER_RGB);
        assert_eq!(rgb(3), STILL_RGB);
    }
}
