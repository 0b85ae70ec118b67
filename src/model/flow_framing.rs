//! How a face stands in a flow image: it fills it, as in the images published for
//! MEGC 2019 (Liong et al., FG 2019). The eyes lie in row 7 of 28, in columns 6 and 22,
//! the mouth in row 19 or 20, the chin at the lower edge. A face is taller than wide
//! and the image is square, so rows and columns are not equally long on the face. The
//! drawn flow images of the studio stand in the same framing.

use image::RgbImage;

use super::flow_input::SIDE;
use crate::base::{Plane, Point, Similarity};
use crate::face::Landmarks;
use crate::motion::luma::{LumaPatch, extract_rectangle};

/// The eyes' height, in rows from the upper edge of 28.
pub const EYE_ROW: f64 = 7.5;
/// From the middle to an eye's centre, in columns of 28.
pub const EYE_COLUMNS: f64 = 8.0;
/// From the eyes down to where the lips meet, in rows of 28.
pub const MOUTH_ROWS: f64 = 12.5;
/// Between the eyes, in columns from the left edge of 28.
pub const MIDDLE_COLUMN: f64 = 14.0;

/// Wider crops are brought down to this, px: no flow image needs more, and the drawn
/// ones are filmed up to it.
pub const WIDEST: f64 = 160.0;
/// Eyes nearer together than this, px, show no micro-motion.
pub const NEAREST_EYES: f64 = 20.0;
/// Eyes to mouth over the eyes' distance; adults facing the camera have about 1.1.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.6..=1.9;

/// Why points give no framing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum FramingError {
    #[error("the eyes are {0:.0} px apart and {NEAREST_EYES} are needed")]
    Small(f64),
    #[error("the points found on the face are not those of a face seen from the front")]
    Misshapen,
}

/// The upright crop of a face from which a flow image is measured, at the picture's
/// own resolution unless it would be wider than 160 px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowFraming {
    /// Image pixels to crop pixels: turns the eyes level.
    pub crop_from_image: Similarity,
    /// Crop pixels.
    pub width: usize,
    pub height: usize,
}

impl FlowFraming {
    /// From the 68 points of the onset frame. The apex frame takes the same framing:
    /// an alignment of its own would add the points' jitter to the motion.
    ///
    /// # Errors
    /// [`FramingError`]: eyes too near together, or points that fit no face.
    pub fn of(landmarks: &Landmarks) -> Result<Self, FramingError> {
        Self::at_most(landmarks, WIDEST)
    }

    /// The same, but not wider than `widest` px.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn at_most(landmarks: &Landmarks, widest: f64) -> Result<Self, FramingError> {
        let points = &landmarks.0;
        let middle = |part: &[Point]| {
            let (mut x, mut y) = (0.0, 0.0);
            for p in part {
                x += f64::from(p.x);
                y += f64::from(p.y);
            }
            (x / part.len() as f64, y / part.len() as f64)
        };
        let (right, left) = (middle(&points[36..42]), middle(&points[42..48]));
        let lips = middle(&points[60..68]);
        let (dx, dy) = (left.0 - right.0, left.1 - right.1);
        let apart = dx.hypot(dy);
        let between = (0.5 * (left.0 + right.0), 0.5 * (left.1 + right.1));
        // Also refuses what is not a number.
        if !(apart > 0.0 && dx > 0.0) {
            return Err(FramingError::Misshapen);
        }
        let down = ((lips.1 - between.1) * dx - (lips.0 - between.0) * dy) / apart;
        if !PLAUSIBLE.contains(&(down / apart)) {
            return Err(FramingError::Misshapen);
        }
        if apart < NEAREST_EYES {
            return Err(FramingError::Small(apart));
        }
        let side = SIDE as f64;
        let wide = apart * side / (2.0 * EYE_COLUMNS);
        let scale = (widest / wide).min(1.0);
        let width = (wide * scale).round();
        let height = (down * scale * side / MOUTH_ROWS).round();
        // Pixel centres are whole, the image's edges halves.
        let place = Point::new(
            (MIDDLE_COLUMN / side * width - 0.5) as f32,
            (EYE_ROW / side * height - 0.5) as f32,
        );
        let from = Point::new(between.0 as f32, between.1 as f32);
        Ok(Self {
            crop_from_image: Similarity::about(from, place, scale as f32, -dy.atan2(dx) as f32),
            width: width as usize,
            height: height as usize,
        })
    }

    /// Between the eyes, px of the crop.
    #[must_use]
    pub fn eyes_px(&self) -> f64 {
        self.width as f64 * 2.0 * EYE_COLUMNS / SIDE as f64
    }

    /// The crop of a kept part of a picture that is moved by whole px of the crop:
    /// how a later frame is cut whose head went elsewhere. Its point `shift` px to the
    /// right and below of where the framing has it comes to lie there.
    #[must_use]
    pub fn crop_moved(&self, patch: &LumaPatch, shift: Point) -> Plane {
        let mut crop_from_image = self.crop_from_image;
        crop_from_image.tx -= shift.x;
        crop_from_image.ty -= shift.y;
        extract_rectangle(patch, crop_from_image, self.width, self.height)
    }

    /// The crop of a picture in grey, 0..255, [`Self::width`] × [`Self::height`].
    /// Beyond the picture its border is repeated.
    #[must_use]
    pub fn crop(&self, picture: &RgbImage) -> Plane {
        // Not binned: the crop itself averages where it is coarser.
        let patch = LumaPatch::whole(picture);
        extract_rectangle(&patch, self.crop_from_image, self.width, self.height)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A face of eyes 60 px apart about (200, 100), turned and scaled.
    pub(crate) fn face(scale: f32, radians: f32) -> Landmarks {
        let from = Point::new(200.0, 100.0);
        let turned = Similarity::about(from, from, scale, radians);
        Landmarks(std::array::from_fn(|i| {
            turned.apply(match i {
                36..=41 => Point::new(170.0, 100.0),
                42..=47 => Point::new(230.0, 100.0),
                60..=67 => Point::new(200.0, 167.0),
                _ => Point::new(140.0 + 2.0 * i as f32, 90.0 + i as f32),
            })
        }))
    }

    /// Row and column of 28 in which a point of the image lies.
    fn cell(framing: &FlowFraming, p: Point) -> (f64, f64) {
        let at = framing.crop_from_image.apply(p);
        let along = |at: f32, length: usize| (f64::from(at) + 0.5) * 28.0 / length as f64;
        (along(at.y, framing.height), along(at.x, framing.width))
    }

    #[test]
    fn eyes_and_mouth_lie_where_published_images_have_them_whatever_the_pose() {
        for (scale, radians) in [(1.0, 0.0), (0.6, 0.2), (4.0, -0.4)] {
            let points = face(scale, radians);
            let framing = FlowFraming::of(&points).unwrap();
            let expected = [(36, 7.5, 6.0), (42, 7.5, 22.0), (60, 20.0, 14.0)];
            for (point, row, column) in expected {
                let (r, c) = cell(&framing, points.0[point]);
                assert!(
                    (r - row).abs() < 0.15 && (c - column).abs() < 0.15,
                    "{point} of {scale} {radians}: {r} {c}"
                );
            }
            assert!(framing.width <= 160 && framing.height > framing.width);
        }
    }

    #[test]
    fn what_is_too_small_or_no_face_has_no_framing() {
        assert!(matches!(
            FlowFraming::of(&face(0.3, 0.0)),
            Err(FramingError::Small(apart)) if (apart - 18.0).abs() < 1e-3
        ));
        let upside_down = face(1.0, std::f32::consts::PI);
        assert_eq!(FlowFraming::of(&upside_down), Err(FramingError::Misshapen));
        let nowhere = Landmarks([Point::new(f32::NAN, 0.0); 68]);
        assert_eq!(FlowFraming::of(&nowhere), Err(FramingError::Misshapen));
    }

    #[test]
    fn a_crop_shows_the_face_upright() {
        let points = face(1.0, 0.3);
        let picture = RgbImage::from_fn(400, 300, |x, y| {
            let at = Point::new(x as f32, y as f32);
            let eye = points.0[36].distance(at) < 8.0;
            image::Rgb([if eye { 20 } else { 200 }; 3])
        });
        let framing = FlowFraming::of(&points).unwrap();
        let crop = framing.crop(&picture);
        let (x, y) = (framing.width * 6 / 28, framing.height * 15 / 56);
        assert!(crop.at(x, y) < 40.0);
        assert!(crop.at(framing.width - x, y) > 180.0);
    }
}
