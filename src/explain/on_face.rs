//! Where a map over a network's input lies on the face in the picture.
//!
//! A network reads a crop of the face that was turned upright, resampled and, for
//! SOFTNet, cut into two rectangles. A map over that input is laid back: pixel by pixel
//! ([`FaceMap::over`]), or as one small picture with the places of its four corners
//! ([`FaceMap::quad`]), which a window stretches over the face at no cost.

use crate::base::{Plane, Point, Rect, Similarity};
use crate::face::regions::{PixelRect, RegionGeometry};
use crate::face::{CROP_SIDE, HeldCrop};
use crate::model::flow_framing::FlowFraming;

/// A map and where it lies in the image.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceMap {
    map: Plane,
    crop_from_image: Similarity,
    image_from_crop: Similarity,
    /// What the map covers, edge to edge, in pixels of the crop.
    part: Rect,
}

/// A map as a picture to be stretched over an image.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceQuad {
    /// Where the picture's own corners (not the middles of its corner pixels) lie, in
    /// image pixels with whole pixel centres: upper left, upper right, lower right,
    /// lower left as the face stands upright. A rectangle, turned with the head: two
    /// triangles with linear texture coordinates show it exactly.
    pub corners: [Point; 4],
    /// Texels.
    pub width: usize,
    pub height: usize,
    /// Rows from above; 0..1 of the map as 0..255.
    pub texels: Vec<u8>,
}

impl FaceMap {
    /// A map over a flow image, which fills the framing of the face.
    ///
    /// # Shapes
    /// - `map`: 28×28 or any other size that covers the same
    ///
    /// `None` where the map has no pixel or the framing no extent.
    #[must_use]
    pub fn on_flow_image(map: Plane, framing: &FlowFraming) -> Option<Self> {
        let (width, height) = (framing.width as f32, framing.height as f32);
        let whole = Rect::new(-0.5, -0.5, width, height);
        Self::on_part(map, framing.crop_from_image, whole)
    }

    /// A map over the whole held crop of 128×128 pixels, of whatever size.
    ///
    /// `None` where the map has no pixel or the crop no extent.
    #[must_use]
    pub fn on_crop(map: Plane, crop: &HeldCrop) -> Option<Self> {
        let side = CROP_SIDE as f32;
        let whole = Rect::new(-0.5, -0.5, side, side);
        Self::on_part(map, crop.crop_from_image, whole)
    }

    /// The two halves of a map over SOFTNet's input: brows, then mouth, each on its
    /// rectangle of the held crop. A rectangle that lies outside of the crop is left out.
    /// Where the rectangles overlap, on short faces, both have something to say.
    ///
    /// # Shapes
    /// - `map`: 42×42, or any size of an even height, the brows in the upper half
    #[must_use]
    pub fn on_regions(map: &Plane, crop: &HeldCrop) -> Vec<Self> {
        let regions = RegionGeometry::from_landmarks(&crop.landmarks_in_crop, CROP_SIDE);
        let half = map.height / 2;
        let halves = [(0, regions.brows), (half, regions.mouth)];
        let laid = |(top, region): (usize, PixelRect)| {
            let rows = map.data[top * map.width..(top + half) * map.width].to_vec();
            // What was measured is what of the rectangle lies inside of the crop.
            let (columns, lines) = region.clipped(CROP_SIDE, CROP_SIDE);
            let part = Rect::new(
                columns.start as f32 - 0.5,
                lines.start as f32 - 0.5,
                columns.len() as f32,
                lines.len() as f32,
            );
            let map = Plane::from_vec(map.width, half, rows);
            Self::on_part(map, crop.crop_from_image, part)
        };
        halves.into_iter().filter_map(laid).collect()
    }

    fn on_part(map: Plane, crop_from_image: Similarity, part: Rect) -> Option<Self> {
        let image_from_crop = crop_from_image.inverse()?;
        if map.data.is_empty() || part.w <= 0.0 || part.h <= 0.0 {
            return None;
        }
        Some(Self {
            map,
            crop_from_image,
            image_from_crop,
            part,
        })
    }

    /// The map as it was given, 0..1.
    #[must_use]
    pub fn map(&self) -> &Plane {
        &self.map
    }

    /// The map's value at a place of the image, between its pixels by straight lines;
    /// `None` outside of what the network saw.
    #[must_use]
    pub fn at(&self, p_image: Point) -> Option<f32> {
        let p_crop = self.crop_from_image.apply(p_image);
        let across = (p_crop.x - self.part.x) / self.part.w;
        let down = (p_crop.y - self.part.y) / self.part.h;
        let inside = |share: f32| (0.0..=1.0).contains(&share);
        (inside(across) && inside(down)).then(|| {
            let (width, height) = (self.map.width as f32, self.map.height as f32);
            self.map.bilinear(across * width - 0.5, down * height - 0.5)
        })
    }

    /// The map over a rectangle of the image, a value for each of its pixels, 0 where
    /// the network saw nothing. A rectangle turned inside out has no pixel.
    #[must_use]
    pub fn over(&self, rect: PixelRect) -> Plane {
        let length = |low: i32, high: i32| usize::try_from(high.saturating_sub(low)).unwrap_or(0);
        let mut values = Plane::zeros(length(rect.x0, rect.x1), length(rect.y0, rect.y1));
        for (y, line) in (rect.y0..rect.y1).zip(0..values.height) {
            for (x, value) in (rect.x0..rect.x1).zip(values.row_mut(line)) {
                let found = self.at(Point::new(x as f32, y as f32));
                *value = found.unwrap_or(0.0);
            }
        }
        values
    }

    /// The corners of what the map covers, as in [`FaceQuad::corners`].
    #[must_use]
    pub fn corners(&self) -> [Point; 4] {
        let Rect { x, y, .. } = self.part;
        let (right, bottom) = (self.part.right(), self.part.bottom());
        [(x, y), (right, y), (right, bottom), (x, bottom)]
            .map(|(x, y)| self.image_from_crop.apply(Point::new(x, y)))
    }

    /// The map as a picture with its place.
    #[must_use]
    pub fn quad(&self) -> FaceQuad {
        let texel = |&value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        FaceQuad {
            corners: self.corners(),
            width: self.map.width,
            height: self.map.height,
            texels: self.map.data.iter().map(texel).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Landmarks;
    use crate::model::flow_framing::tests::face;

    /// Columns and rows of 28 by their number, as 0..1.
    fn ramps() -> [Plane; 2] {
        let ramp = |of: fn(usize) -> usize| {
            let value = |i: usize| of(i) as f32 / 27.0;
            Plane::from_vec(28, 28, (0..28 * 28).map(value).collect())
        };
        [ramp(|i| i % 28), ramp(|i| i / 28)]
    }

    #[test]
    fn a_flow_images_rows_and_columns_come_back_to_eyes_and_mouth() {
        for (scale, radians) in [(1.0, 0.0), (0.6, 0.2), (4.0, -0.4)] {
            let points = face(scale, radians);
            let framing = FlowFraming::of(&points).unwrap();
            let laid = ramps().map(|ramp| FaceMap::on_flow_image(ramp, &framing).unwrap());
            // Edges count from 0, pixel centres half a pixel further.
            for (point, column, row) in [(36, 5.5, 7.0), (42, 21.5, 7.0), (60, 13.5, 19.5)] {
                let place = points.0[point];
                let [x, y] = [0, 1].map(|i| 27.0 * laid[i].at(place).unwrap());
                assert!(
                    (x - column).abs() < 0.15 && (y - row).abs() < 0.15,
                    "{point} of {scale} {radians}: {x} {y}"
                );
            }
        }
    }

    #[test]
    fn the_corners_are_where_the_map_ends_and_stand_as_the_head_does() {
        let points = face(1.0, 0.3);
        let framing = FlowFraming::of(&points).unwrap();
        let [ramp, _] = ramps();
        let laid = FaceMap::on_flow_image(ramp, &framing).unwrap();
        let quad = laid.quad();
        let [upper_left, upper_right, lower_right, lower_left] = quad.corners;
        let centre = upper_left.midpoint(lower_right);
        assert!(centre.distance(upper_right.midpoint(lower_left)) < 1e-2);
        for corner in quad.corners {
            let towards = |share: f32| {
                Point::new(
                    corner.x + share * (centre.x - corner.x),
                    corner.y + share * (centre.y - corner.y),
                )
            };
            assert!(laid.at(towards(0.01)).is_some() && laid.at(towards(-0.01)).is_none());
        }
        let turn = (upper_right.y - upper_left.y).atan2(upper_right.x - upper_left.x);
        assert!((turn - 0.3).abs() < 1e-3);
        assert_eq!((quad.width, quad.height, quad.texels.len()), (28, 28, 784));
        assert_eq!((quad.texels[0], quad.texels[27]), (0, 255));
    }

    #[test]
    fn a_rectangle_of_the_image_gets_a_value_for_each_pixel() {
        let framing = FlowFraming::of(&face(1.0, 0.0)).unwrap();
        let [ramp, _] = ramps();
        let laid = FaceMap::on_flow_image(ramp, &framing).unwrap();
        let rect = PixelRect {
            x0: -3,
            y0: 95,
            x1: 260,
            y1: 105,
        };
        let values = laid.over(rect);
        assert_eq!((values.width, values.height), (263, 10));
        for (x, y) in [(170, 100), (230, 100), (200, 97)] {
            let found = values.at((x + 3) as usize, (y - 95) as usize);
            assert_eq!(Some(found), laid.at(Point::new(x as f32, y as f32)));
        }
        assert_eq!(values.at(0, 0), 0.0);
        let inside_out = PixelRect { x1: -10, ..rect };
        assert!(laid.over(inside_out).data.is_empty());
    }

    fn held(crop_from_image: Similarity, landmarks: Landmarks) -> HeldCrop {
        HeldCrop {
            id: 0,
            since_frame: 0,
            crop_from_image,
            landmarks_in_crop: landmarks,
        }
    }

    #[test]
    fn a_map_of_the_crop_lies_on_the_crop() {
        let to_crop = Similarity::about(Point::new(300.0, 200.0), Point::new(63.5, 63.5), 0.5, 0.2);
        let crop = held(to_crop, face(1.0, 0.0));
        let values = (0..128 * 128).map(|i| (i % 128) as f32 / 127.0).collect();
        let laid = FaceMap::on_crop(Plane::from_vec(128, 128, values), &crop).unwrap();
        for p in [Point::new(300.0, 200.0), Point::new(250.0, 230.0)] {
            let expected = to_crop.apply(p).x / 127.0;
            assert!((laid.at(p).unwrap() - expected).abs() < 1e-5);
        }
        let flat = held(
            Similarity {
                a: 0.0,
                b: 0.0,
                ..to_crop
            },
            face(1.0, 0.0),
        );
        assert_eq!(FaceMap::on_crop(Plane::zeros(4, 4), &flat), None);
        assert_eq!(FaceMap::on_crop(Plane::zeros(0, 0), &crop), None);
    }

    #[test]
    fn softnets_halves_lie_on_brows_and_mouth() {
        // Half the image's size, moved by (10, 20).
        let to_crop = Similarity {
            a: 0.5,
            b: 0.0,
            tx: -10.0,
            ty: -20.0,
        };
        let points = Landmarks(std::array::from_fn(|i| match i {
            17..=26 => Point::new(30.0 + 7.0 * (i - 17) as f32, 40.0),
            36..=47 => Point::new(30.0 + 5.0 * (i - 36) as f32, 52.0),
            48..=67 => Point::new(45.0 + 2.0 * (i - 48) as f32, 100.0),
            _ => Point::new(64.0, 64.0),
        }));
        let crop = held(to_crop, points.clone());
        let mut map = Plane::filled(42, 42, 0.25);
        map.data[..21 * 42].fill(1.0);
        let laid = FaceMap::on_regions(&map, &crop);
        let regions = RegionGeometry::from_landmarks(&points, CROP_SIDE);
        assert_eq!(laid.len(), 2);
        for (laid, (region, value)) in laid
            .iter()
            .zip([(regions.brows, 1.0), (regions.mouth, 0.25)])
        {
            let corner = laid.corners()[0];
            assert!((corner.x - (region.x0 as f32 - 0.5 + 10.0) * 2.0).abs() < 1e-3);
            assert!((corner.y - (region.y0 as f32 - 0.5 + 20.0) * 2.0).abs() < 1e-3);
            let middle = laid.corners()[0].midpoint(laid.corners()[2]);
            assert_eq!(laid.at(middle), Some(value));
            assert_eq!((laid.map().width, laid.map().height), (42, 21));
        }
        let nowhere = held(to_crop, Landmarks([Point::new(-1e6, -1e6); 68]));
        assert!(FaceMap::on_regions(&map, &nowhere).is_empty());
    }
}
