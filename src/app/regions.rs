//! The parts of a held crop that are compared, as outlines for the picture.

use crate::base::Point;
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::face::regions::{PixelRect, RegionGeometry};

/// A region of the held crop.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub name: &'static str,
    /// Closed outline in the pixels of the 128×128 crop.
    pub outline: Vec<Point>,
}

/// What is compared (brows, mouth), what tells the head's own motion (nose), and
/// what is left out (eyes).
#[must_use]
pub fn outlines(crop: &HeldCrop) -> Vec<Region> {
    let g = RegionGeometry::from_landmarks(&crop.landmarks_in_crop, CROP_SIDE);
    let upright = |name, r: PixelRect| {
        // A pixel's centre has whole coordinates: its edges lie half a pixel outside.
        let (l, t) = (r.x0 as f32 - 0.5, r.y0 as f32 - 0.5);
        let (r, b) = (r.x1 as f32 - 0.5, r.y1 as f32 - 0.5);
        Region {
            name,
            outline: vec![
                Point::new(l, t),
                Point::new(r, t),
                Point::new(r, b),
                Point::new(l, b),
            ],
        }
    };
    let mut regions = vec![
        upright("brows", g.brows),
        upright("mouth", g.mouth),
        upright("nose", g.nose),
    ];
    regions.extend(g.eyes.iter().map(|eye| Region {
        name: "left out",
        outline: eye.to_vec(),
    }));
    regions
}
