//! A magnified copy of a recording, frame by frame: the whole picture, or the face
//! alone in a picture that stays as it is.

use std::collections::VecDeque;
use std::sync::Arc;

use image::{RgbImage, imageops};

use crate::base::{Point, Rect};
use crate::face::crop::{CropHold, HeldCrop};
use crate::face::tracker::TrackerParams;
use crate::face::{CROP_SIDE, FaceError, FaceTracker, LandmarkPredictor};
use crate::gpu::GpuContext;
use crate::media::Frame;
use crate::motion::cadence::Cadence;
use crate::motion::glmm::Glmm;
use crate::motion::magnify::{Evm, EvmParams, MagnifyError, SMALLEST_SIDE};
use crate::motion::tvl1::Tvl1Params;

/// Frames that tell the rate before the first is magnified: a second at 30 a second.
pub const FRAMES_TO_MEASURE: usize = 31;
/// The same in bytes of pictures: large ones are not held back for long.
pub const BYTES_TO_MEASURE: usize = 96 << 20;

/// So many seconds are filtered again where the face's region has moved on.
const WARM_UP_SECS: f64 = 2.0;
/// The pictures kept for that take at most so many bytes.
const WARM_UP_BYTES: usize = 64 << 20;

/// Width of the border in which a magnified face passes into the picture, in parts
/// of the region's side.
const FEATHER: f32 = 1.0 / 16.0;

/// How motion is made larger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Magnification {
    /// Change in a band of frequencies.
    Eulerian(EvmParams),
    /// The first picture, moved `sigma` times as far as flow with these settings says.
    Lagrangian { sigma: f64, flow: Tvl1Params },
}

/// Frames a second of consecutive frames; `None` before two with rising times.
#[must_use]
pub fn measured_fps(frames: &[Frame]) -> Option<f64> {
    let mut cadence = Cadence::default();
    for frame in frames {
        cadence.push(frame.timestamp);
    }
    cadence.fps()
}

#[derive(Debug)]
enum Engine {
    Evm(Box<Evm>),
    Glmm(Box<Glmm>),
}

impl Engine {
    fn push(&mut self, picture: &RgbImage, frame: &Frame) -> Result<RgbImage, MagnifyError> {
        match self {
            Self::Evm(evm) => evm.push(picture, frame.index, frame.timestamp),
            Self::Glmm(glmm) => glmm.push(picture, frame.index, frame.timestamp),
        }
    }

    fn restart(&mut self) {
        match self {
            Self::Evm(evm) => evm.restart(),
            Self::Glmm(glmm) => glmm.restart(),
        }
    }
}

/// Takes a recording's frames in order.
#[derive(Debug)]
pub struct Magnifier {
    engine: Engine,
    face: Option<FaceRegion>,
}

/// The face and the stretch before the frame at hand.
#[derive(Debug)]
struct FaceRegion {
    tracker: FaceTracker,
    hold: CropHold,
    /// Id of the crop and its place in the picture.
    now: Option<(u32, Region)>,
    recent: VecDeque<Frame>,
    /// So many frames with a face.
    found: u64,
}

impl Magnifier {
    /// For frames that come `fps` a second, on `gpu` where given.
    ///
    /// # Errors
    /// When a parameter is out of range or nothing is left of the band.
    pub fn new(
        how: Magnification,
        fps: f64,
        gpu: Option<&GpuContext>,
    ) -> Result<Self, MagnifyError> {
        let engine = match how {
            Magnification::Eulerian(params) => Engine::Evm(Box::new(match gpu {
                Some(gpu) => Evm::on_gpu(gpu, params, fps)?,
                None => Evm::new(params, fps)?,
            })),
            Magnification::Lagrangian { sigma, flow } => {
                let glmm = Glmm::new(sigma, flow, fps)?;
                Engine::Glmm(Box::new(match gpu {
                    Some(gpu) => glmm.on_gpu(gpu)?,
                    None => glmm,
                }))
            }
        };
        Ok(Self { engine, face: None })
    }

    /// Magnifies the face only; a frame without one stays as it is. Where the head has
    /// drifted and its region moves on, the last two seconds are filtered again in
    /// the new place (EVM), or the frame is the new reference (GLMM, which leaves the
    /// head's own motion as it is).
    ///
    /// # Errors
    /// When the embedded detector is damaged.
    pub fn face_only(mut self, landmarks: Arc<LandmarkPredictor>) -> Result<Self, FaceError> {
        if let Engine::Glmm(glmm) = self.engine {
            self.engine = Engine::Glmm(Box::new(glmm.keeping_the_head()));
        }
        self.face = Some(FaceRegion {
            tracker: FaceTracker::new(landmarks, TrackerParams::default())?,
            hold: CropHold::default(),
            now: None,
            recent: VecDeque::new(),
            found: 0,
        });
        Ok(self)
    }

    /// Frames so far in which a face was found; 0 where none is looked for.
    #[must_use]
    pub fn frames_with_face(&self) -> u64 {
        self.face.as_ref().map_or(0, |f| f.found)
    }

    /// The next frame, magnified.
    ///
    /// # Errors
    /// When the picture is too small or the graphics card fails.
    pub fn push(&mut self, frame: &Frame) -> Result<RgbImage, MagnifyError> {
        let Some(face) = &mut self.face else {
            return self.engine.push(&frame.picture, frame);
        };
        let size = frame.picture.dimensions();
        let region = face.push(frame, size);
        let Some((region, moved)) = region else {
            self.engine.restart();
            return Ok(RgbImage::clone(&frame.picture));
        };
        if moved {
            self.engine.restart();
            if matches!(self.engine, Engine::Evm(_)) {
                for earlier in &face.recent {
                    self.engine.push(&region.cut(&earlier.picture), earlier)?;
                }
            }
        }
        face.keep(frame);
        let magnified = self.engine.push(&region.cut(&frame.picture), frame)?;
        let mut picture = RgbImage::clone(&frame.picture);
        region.paste(&mut picture, &magnified);
        Ok(picture)
    }
}

impl FaceRegion {
    /// Where the face is, and whether that is another place than before.
    fn push(&mut self, frame: &Frame, size: (u32, u32)) -> Option<(Region, bool)> {
        let track = self.tracker.push(frame);
        let region = self
            .hold
            .push(&track)
            .and_then(|crop| Some((crop.id, Region::of(crop, size)?)));
        let Some((id, region)) = region else {
            self.now = None;
            self.recent.clear();
            return None;
        };
        self.found += 1;
        let moved = self.now != Some((id, region));
        self.now = Some((id, region));
        Some((region, moved))
    }

    fn keep(&mut self, frame: &Frame) {
        let bytes = frame.picture.as_raw().len().max(1);
        let most = (WARM_UP_BYTES / bytes).max(1);
        self.recent.push_back(frame.clone());
        while self.recent.len() > most
            || self.recent.front().is_some_and(|oldest| {
                frame.timestamp.secs_since(oldest.timestamp) > WARM_UP_SECS
                    || oldest.picture.dimensions() != frame.picture.dimensions()
            })
        {
            self.recent.pop_front();
        }
    }
}

/// Whole pixels of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Region {
    /// What the crop shows, upright, inside a picture of `size`; `None` where too
    /// little of it is.
    fn of(crop: &HeldCrop, size: (u32, u32)) -> Option<Self> {
        let image_from_crop = crop.crop_from_image.inverse()?;
        let (low, high) = (-0.5, CROP_SIDE as f32 - 0.5);
        let corners = [(low, low), (high, low), (low, high), (high, high)]
            .map(|(x, y)| image_from_crop.apply(Point::new(x, y)));
        let around = Rect::around(&corners)?;
        let within = |at: f32, length: u32| (at + 0.5).round().clamp(0.0, length as f32) as u32;
        let (x, y) = (within(around.x, size.0), within(around.y, size.1));
        let region = Self {
            x,
            y,
            width: within(around.right(), size.0) - x,
            height: within(around.bottom(), size.1) - y,
        };
        (region.width.min(region.height) >= SMALLEST_SIDE).then_some(region)
    }

    fn cut(&self, picture: &RgbImage) -> RgbImage {
        imageops::crop_imm(picture, self.x, self.y, self.width, self.height).to_image()
    }

    /// Puts `magnified` in its place, passing into the picture at the border.
    fn paste(&self, picture: &mut RgbImage, magnified: &RgbImage) {
        let feather = (FEATHER * self.width.min(self.height) as f32).max(1.0);
        let inside = |at: u32, length: u32| (at.min(length - 1 - at) as f32 + 0.5) / feather;
        for (x, y, pixel) in magnified.enumerate_pixels() {
            let share = inside(x, self.width).min(inside(y, self.height)).min(1.0);
            let below = picture.get_pixel_mut(self.x + x, self.y + y);
            for (below, above) in below.0.iter_mut().zip(pixel.0) {
                let (from, to) = (f32::from(*below), f32::from(above));
                *below = (from + share * (to - from)).round() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn a_pasted_region_leaves_the_rest_alone_and_passes_into_it() {
        let mut picture = RgbImage::from_pixel(60, 50, image::Rgb([10; 3]));
        let region = Region {
            x: 10,
            y: 5,
            width: 40,
            height: 40,
        };
        region.paste(
            &mut picture,
            &RgbImage::from_pixel(40, 40, image::Rgb([210; 3])),
        );
        assert_eq!(picture[(9, 20)].0, [10; 3]);
        assert_eq!(picture[(30, 25)].0, [210; 3]);
        let border = picture[(10, 25)].0[0];
        assert!((11..150).contains(&border), "{border}");
    }

    #[test]
    fn the_rate_is_measured_on_the_frames_times() {
        let frames: Vec<Frame> = (0..20)
            .map(|i| Frame {
                index: i,
                timestamp: Timestamp::from_secs(i as f64 / 25.0),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(RgbImage::new(1, 1)),
            })
            .collect();
        assert!((measured_fps(&frames).unwrap() - 25.0).abs() < 1e-6);
        assert_eq!(measured_fps(&frames[..1]), None);
    }
}
