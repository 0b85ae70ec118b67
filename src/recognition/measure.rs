//! The motion between two pictures of one face, as the recognition networks read it.

use image::RgbImage;

use crate::base::{Point, Rect};
use crate::face::Landmarks;
use crate::model::flow_framing::{FlowFraming, FramingError, WIDEST};
use crate::model::flow_reduction::{Reduction, flow_image};
use crate::model::motion_map::MotionMap;
use crate::motion::luma::LumaPatch;
use crate::motion::strain;
use crate::motion::tvl1::{FlowError, Tvl1, Tvl1Params};

/// Points that hardly any expression moves: nose and eye corners.
const FIXED: [usize; 13] = [27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45];

/// Faces with a longer side than this, px, are kept at half their resolution.
const LARGEST_FACE: f32 = 200.0;

/// A face as it was in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FacePicture {
    pub patch: LumaPatch,
    /// Image pixels.
    pub landmarks: Landmarks,
}

impl FacePicture {
    /// The face in `rect` of a picture, both in its pixels.
    #[must_use]
    pub fn of(picture: &RgbImage, rect: Rect, landmarks: Landmarks) -> Self {
        Self {
            patch: LumaPatch::at_most(picture, rect, LARGEST_FACE),
            landmarks,
        }
    }
}

/// Why two pictures give no motion.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unmeasurable {
    #[error("{0}")]
    Framing(#[from] FramingError),
    #[error("the motion cannot be measured: {0}")]
    Flow(#[from] FlowError),
}

/// What moved between two pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionMotion {
    /// With its size: what the action units are read from.
    pub map: MotionMap,
    /// Strain, v, u of 28×28 values 0..255, as published networks read them.
    pub image: Vec<f32>,
    /// Where the 28×28 cells lie in the onset picture.
    pub framing: FlowFraming,
}

/// Measures the motion between two pictures of one face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionMeter {
    flow: Tvl1Params,
    widest: f64,
}

impl MotionMeter {
    /// With flow as `flow` says, in crops of at most [`WIDEST`] px.
    #[must_use]
    pub fn new(flow: Tvl1Params) -> Self {
        Self {
            flow,
            widest: WIDEST,
        }
    }

    /// The same in crops of at most `widest` px: the work falls with its square.
    #[must_use]
    pub fn at_most(self, widest: f64) -> Self {
        Self { widest, ..self }
    }

    /// The motion from `onset` to `apex`.
    ///
    /// Both are cut with the transform that the onset's points give; the apex's is
    /// moved by whole pixels with the head (nose and corners of the eyes), which TV-L1
    /// would not follow far. Turned and rolled heads stay so: what is left of the
    /// head's motion is affine and taken away in the [`MotionMap`].
    ///
    /// # Errors
    /// Eyes too near together, points of no face seen from the front, or a crop too
    /// small for flow.
    pub fn measure(
        &self,
        onset: &FacePicture,
        apex: &FacePicture,
    ) -> Result<ExpressionMotion, Unmeasurable> {
        let framing = FlowFraming::at_most(&onset.landmarks, self.widest)?;
        let (from, to) = (fixed(&onset.landmarks), fixed(&apex.landmarks));
        let (from, to) = (
            framing.crop_from_image.apply(from),
            framing.crop_from_image.apply(to),
        );
        // Whole pixels only: the points' jitter, a fraction of one, moves nothing.
        let shift = Point::new((to.x - from.x).round(), (to.y - from.y).round());
        let first = framing.crop_moved(&onset.patch, Point::default());
        let second = framing.crop_moved(&apex.patch, shift);
        let flow = Tvl1::new(self.flow).flow(&first, &second)?;
        let strain = strain::central(&flow).magnitude;
        let pixels = flow_image([&flow.u, &flow.v, &strain], Reduction::Area);
        // Files hold u, v, strain; networks read strain, v, u.
        let image = [2, 1, 0]
            .iter()
            .flat_map(|&channel| pixels.iter().map(move |pixel| f32::from(pixel[channel])))
            .collect();
        Ok(ExpressionMotion {
            map: MotionMap::of(&flow, &strain, framing.eyes_px()),
            image,
            framing,
        })
    }
}

fn fixed(landmarks: &Landmarks) -> Point {
    let count = FIXED.len() as f32;
    let (x, y) = FIXED.iter().fold((0.0, 0.0), |(x, y), &i| {
        (x + landmarks.0[i].x, y + landmarks.0[i].y)
    });
    Point::new(x / count, y / count)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::model::flow_input::PIXELS;
    use crate::motion::tvl1::Tvl1Preset;

    /// A face of eyes 60 px apart about (150, 100).
    fn landmarks(dx: f32, dy: f32) -> Landmarks {
        Landmarks(std::array::from_fn(|i| match i {
            36..=41 => Point::new(120.0 + dx, 100.0 + dy),
            42..=47 => Point::new(180.0 + dx, 100.0 + dy),
            60..=67 => Point::new(150.0 + dx, 167.0 + dy),
            _ => Point::new(90.0 + 2.0 * i as f32 + dx, 90.0 + i as f32 + dy),
        }))
    }

    /// Grain that goes `dx`, `dy` px with the head, and 1.5 px up about the chin.
    fn picture(dx: f32, dy: f32, chin: bool) -> FacePicture {
        let picture = RgbImage::from_fn(300, 300, |x, y| {
            let (mut px, mut py) = (x as f32 - dx, y as f32 - dy);
            let (cx, cy) = ((px - 150.0) / 14.0, (py - 190.0) / 12.0);
            if chin {
                py += 1.5 * (-0.5 * (cx * cx + cy * cy)).exp();
            }
            px *= 0.35;
            py *= 0.35;
            let grain = (px + 1.3 * (py * 0.7).sin()).sin() * (py + (px * 0.6).cos()).cos();
            Rgb([(128.0 + 60.0 * grain) as u8; 3])
        });
        FacePicture {
            patch: LumaPatch::around(&picture, Rect::new(70.0, 40.0, 160.0, 160.0)),
            landmarks: landmarks(dx, dy),
        }
    }

    #[test]
    fn a_chin_that_rises_is_found_though_the_head_went_elsewhere() {
        let meter = MotionMeter::new(Tvl1Preset::Exact.params());
        let still = picture(0.0, 0.0, false);
        for (dx, dy) in [(0.0, 0.0), (7.0, -4.0)] {
            let motion = meter.measure(&still, &picture(dx, dy, true)).unwrap();
            let v = &motion.map.values()[PIXELS..2 * PIXELS];
            let (at, least) =
                v.iter().enumerate().fold(
                    (0, 0.0),
                    |(at, least), (i, &v)| {
                        if v < least { (i, v) } else { (at, least) }
                    },
                );
            // 1.5 px of 60 are 25 thousandths; the chin lies in row 24.
            assert!((-27.0..-14.0).contains(&least), "{least} after {dx} {dy}");
            assert!(
                (21..=27).contains(&(at / 28)) && (11..=16).contains(&(at % 28)),
                "{at}"
            );
            let others = v.iter().take(14 * 28).fold(0.0_f32, |m, v| m.max(v.abs()));
            assert!(others < 4.0, "{others} after {dx} {dy}");
            assert_eq!(motion.image.len(), 3 * PIXELS);
        }
    }
}
