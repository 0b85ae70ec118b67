//! The magnified face beside the original: cut out in colour as large as it was
//! filmed, and magnified from the frames before the one shown.

use std::collections::VecDeque;
use std::sync::Arc;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::magnifier::measured_fps;
use crate::base::{Point, Timestamp};
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::media::Frame;
use crate::motion::glmm::{self, SIGMA};
use crate::motion::magnify::{Evm, EvmParams};
use crate::motion::{Flow, cpu};

/// The view is as many pixels wide as the face was filmed, up to so many.
pub const LARGEST_SIDE: usize = 256;
/// Fewer say nothing.
const SMALLEST_SIDE: usize = 32;

/// The filters run in over so long before the frame shown.
pub const RUN_IN_SECS: f64 = 2.0;

/// The Lagrangian view bends the face of so long before the frame shown.
pub const REFERENCE_SECS: f64 = 0.5;

/// Faces cut out and kept, so that a moved slider does not cut them out again.
const KEPT_BYTES: usize = 48 << 20;

/// Frames a second where only one frame is there.
const RATE_OF_ONE_FRAME: f64 = 30.0;

/// How the view is magnified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MagnifyMethod {
    #[default]
    Evm,
    Glmm,
}

impl MagnifyMethod {
    pub const ALL: [Self; 2] = [Self::Evm, Self::Glmm];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evm => "EVM",
            Self::Glmm => "GLMM",
        }
    }

    /// The frames of so many seconds before the one shown are needed to magnify it.
    #[must_use]
    pub const fn looks_back_secs(self) -> f64 {
        match self {
            Self::Evm => RUN_IN_SECS,
            Self::Glmm => REFERENCE_SECS,
        }
    }
}

/// What the sliders hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MagnifyView {
    pub method: MagnifyMethod,
    /// EVM's gain.
    pub alpha: f32,
    /// GLMM's gain.
    pub sigma: f32,
    pub low_hz: f32,
    pub high_hz: f32,
    pub lambda_c_px: f32,
}

impl Default for MagnifyView {
    fn default() -> Self {
        let evm = EvmParams::default();
        Self {
            method: MagnifyMethod::Evm,
            alpha: evm.alpha as f32,
            sigma: SIGMA as f32,
            low_hz: evm.low_hz as f32,
            high_hz: evm.high_hz as f32,
            lambda_c_px: evm.lambda_c_px as f32,
        }
    }
}

impl MagnifyView {
    /// Ranges of the sliders.
    pub const GAIN: std::ops::RangeInclusive<f32> = 0.0..=50.0;
    pub const BAND_HZ: std::ops::RangeInclusive<f32> = 0.05..=60.0;
    pub const LAMBDA_C_PX: std::ops::RangeInclusive<f32> = 2.0..=64.0;

    /// Within the ranges, the lower bound of the band below the upper one: a file
    /// edited by hand and a slider pushed past the other must not stop the view.
    #[must_use]
    pub fn sane(self) -> Self {
        let d = Self::default();
        let keep = |v: f32, range: std::ops::RangeInclusive<f32>, default: f32| {
            if v.is_finite() {
                v.clamp(*range.start(), *range.end())
            } else {
                default
            }
        };
        let high_hz = keep(self.high_hz, Self::BAND_HZ, d.high_hz).max(0.1);
        Self {
            method: self.method,
            alpha: keep(self.alpha, Self::GAIN, d.alpha),
            sigma: keep(self.sigma, Self::GAIN, d.sigma),
            low_hz: keep(self.low_hz, Self::BAND_HZ, d.low_hz).min(0.9 * high_hz),
            high_hz,
            lambda_c_px: keep(self.lambda_c_px, Self::LAMBDA_C_PX, d.lambda_c_px),
        }
    }

    /// With its parameters, as a caption of what is magnified at `fps` frames a second:
    /// the band ends where that rate does.
    #[must_use]
    pub fn describe(&self, fps: f64) -> String {
        let name = self.method.name();
        match self.method {
            MagnifyMethod::Evm => {
                let evm = self.evm(fps);
                let (low, high) = (evm.low_hz, evm.high_hz.min(0.5 * fps));
                let (gain, finest) = (self.alpha, self.lambda_c_px);
                format!("{name}, α {gain:.1}×, {low:.2}–{high:.2} Hz, finest {finest:.0} px")
            }
            MagnifyMethod::Glmm => {
                let gain = self.sigma;
                format!("{name}, σ {gain:.1}×, against {REFERENCE_SECS} s before")
            }
        }
    }

    /// For the Eulerian method, which knows the frame rate: a lower bound beyond half of
    /// it is lowered with the upper one.
    pub(super) fn evm(&self, fps: f64) -> EvmParams {
        let high_hz = f64::from(self.high_hz);
        EvmParams {
            alpha: f64::from(self.alpha),
            low_hz: f64::from(self.low_hz).min(0.45 * fps),
            high_hz,
            lambda_c_px: f64::from(self.lambda_c_px),
            ..EvmParams::default()
        }
    }
}

/// What to magnify: the frames up to the one shown, oldest first.
#[derive(Debug, Clone)]
pub struct MagnifyRequest {
    pub frames: Vec<Frame>,
    pub with: MagnifyView,
}

/// A face cut out of one frame.
#[derive(Debug)]
struct Cut {
    frame: u64,
    at: Timestamp,
    picture: RgbImage,
}

/// Goes on from frame to frame while the recording plays, and starts again up to
/// [`RUN_IN_SECS`] before the frame shown where it does not.
#[derive(Debug, Default)]
pub(super) struct MagnifiedFace {
    /// Session generation and crop id of what is kept.
    of: Option<(u64, u32)>,
    cuts: VecDeque<Cut>,
    evm: Option<Evm>,
    /// The last frame the filters took, and the gain it was shown with.
    taken: Option<(u64, MagnifyView)>,
    /// Frames taken since the filters started.
    count: u64,
}

impl MagnifiedFace {
    /// The face of the last frame, magnified by the Eulerian method; why not, for
    /// the person, where it cannot be.
    pub(super) fn eulerian(
        &mut self,
        generation: u64,
        crop: &HeldCrop,
        request: &MagnifyRequest,
    ) -> Result<RgbImage, String> {
        let Some(last) = request.frames.last() else {
            return Err("There is no frame to magnify".into());
        };
        if self.of != Some((generation, crop.id)) {
            self.of = Some((generation, crop.id));
            self.cuts.clear();
            self.taken = None;
        }
        let fps = measured_fps(&request.frames).unwrap_or(RATE_OF_ONE_FRAME);
        let params = request.with.evm(fps);
        match &mut self.evm {
            Some(evm) => evm.set(params, fps).map_err(|e| e.to_string())?,
            slot => *slot = Some(Evm::new(params, fps).map_err(|e| e.to_string())?),
        }
        // Goes on only to a later frame: a slider moved on a still picture must show
        // what playing up to it with the new value would have shown.
        let goes_on = self.taken.and_then(|(taken, _)| {
            let at = request.frames.iter().position(|f| f.index == taken)?;
            (at + 1 < request.frames.len()).then_some(at + 1)
        });
        if goes_on.is_none() {
            self.count = 0;
            if let Some(evm) = &mut self.evm {
                evm.restart();
            }
        }
        self.cut_out(crop, &request.frames, goes_on.unwrap_or(0));
        let Some(evm) = &mut self.evm else {
            return Err("There is no frame to magnify".into());
        };
        let mut magnified = None;
        for frame in &request.frames[goes_on.unwrap_or(0)..] {
            let Some(cut) = self.cuts.iter().find(|c| c.frame == frame.index) else {
                continue;
            };
            // A camera's frames that the window did not get are no seek: the rate is
            // that of the frames it got.
            let pushed = evm.push(&cut.picture, self.count, cut.at);
            magnified = Some(pushed.map_err(|e| e.to_string())?);
            self.count += 1;
        }
        self.taken = Some((last.index, request.with));
        magnified.ok_or_else(|| "There is no frame to magnify".into())
    }

    /// The face of a frame as it was filmed; cut out once where it was magnified before.
    pub(super) fn filmed(&self, frame: &Frame, crop: &HeldCrop) -> RgbImage {
        let cut = self.cuts.iter().find(|c| c.frame == frame.index);
        cut.map_or_else(|| filmed(frame, crop), |cut| cut.picture.clone())
    }

    /// Cuts the face out of the frames from `first` on that are not kept yet.
    fn cut_out(&mut self, crop: &HeldCrop, frames: &[Frame], first: usize) {
        let side = view_side(crop);
        let most = (KEPT_BYTES / (3 * side * side)).max(2);
        // What is older than the oldest wanted is wanted no more.
        let oldest = frames.first().map_or(0, |f| f.index);
        self.cuts.retain(|c| c.frame >= oldest);
        for frame in frames
            .iter()
            .skip(first.max(frames.len().saturating_sub(most)))
        {
            if self.cuts.iter().any(|c| c.frame == frame.index) {
                continue;
            }
            self.cuts.push_back(Cut {
                frame: frame.index,
                at: frame.timestamp,
                picture: face_picture(&frame.picture, crop, side),
            });
            if self.cuts.len() > most {
                self.cuts.pop_front();
            }
        }
    }
}

/// The face of a frame, cut and sized as the magnified one is.
pub(super) fn filmed(frame: &Frame, crop: &HeldCrop) -> RgbImage {
    face_picture(&frame.picture, crop, view_side(crop))
}

/// The face of `reference`, moved `sigma` times as far as `flow` (in pixels of the
/// 128×128 crop) says; the head's own motion stays as it is.
pub(super) fn lagrangian(reference: &Frame, crop: &HeldCrop, flow: &Flow, sigma: f32) -> RgbImage {
    let side = view_side(crop);
    let picture = face_picture(&reference.picture, crop, side);
    let flow = glmm::enlarged(&glmm::smoothed(flow), side, side);
    let head = glmm::median_motion(&flow);
    cpu::glmm::warp(&picture, &glmm::displacement_about(&flow, sigma, head))
}

/// Pixels of the view's side.
pub(super) fn view_side(crop: &HeldCrop) -> usize {
    let filmed = CROP_SIDE as f32 / crop.crop_from_image.scale();
    // A scale of zero gives infinity, which is cut to the largest.
    (filmed.round() as usize).clamp(SMALLEST_SIDE, LARGEST_SIDE)
}

/// What the crop shows, in colour, `side` pixels square. Pixels are copied where the
/// face is upright and not larger than the view, and averaged otherwise; beyond the
/// picture its border is repeated.
fn face_picture(picture: &Arc<RgbImage>, crop: &HeldCrop, side: usize) -> RgbImage {
    let (width, height) = picture.dimensions();
    let Some(image_from_crop) = crop.crop_from_image.inverse() else {
        return RgbImage::new(side as u32, side as u32);
    };
    let step = CROP_SIDE as f32 / side as f32;
    let at = |x: f32, y: f32| {
        image_from_crop.apply(Point::new((x + 0.5) * step - 0.5, (y + 0.5) * step - 0.5))
    };
    let inside = |v: f32, length: u32| v.clamp(0.0, length.saturating_sub(1) as f32);
    let pixel = |p: Point| {
        let (x, y) = (inside(p.x.round(), width), inside(p.y.round(), height));
        picture.get_pixel(x as u32, y as u32).0
    };
    // Picture pixels per view pixel.
    let scale = image_from_crop.scale() * step;
    let upright = image_from_crop.b == 0.0;
    RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let (x, y) = (x as f32, y as f32);
        if upright && (scale - 1.0).abs() < 0.02 {
            // Steps of exactly one pixel from the first: a rounding must not double
            // a column here and there.
            let origin = at(0.0, 0.0);
            return image::Rgb(pixel(Point::new(
                origin.x.round() + x,
                origin.y.round() + y,
            )));
        }
        let n = (scale.ceil() as usize).clamp(2, 8);
        let mut sum = [0u32; 3];
        for j in 0..n {
            for i in 0..n {
                let part = |k: usize| (k as f32 + 0.5) / n as f32 - 0.5;
                let sample = pixel(at(x + part(i), y + part(j)));
                for (sum, value) in sum.iter_mut().zip(sample) {
                    *sum += u32::from(value);
                }
            }
        }
        let count = (n * n) as u32;
        image::Rgb(sum.map(|s| ((s + count / 2) / count) as u8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Similarity;
    use crate::face::Landmarks;

    fn crop(scale: f32, radians: f32) -> HeldCrop {
        HeldCrop {
            id: 3,
            since_frame: 0,
            crop_from_image: Similarity::about(
                Point::new(80.0, 60.0),
                Point::new(63.5, 63.5),
                scale,
                radians,
            ),
            landmarks_in_crop: Landmarks([Point::default(); 68]),
        }
    }

    fn frame(index: u64) -> Frame {
        let picture = RgbImage::from_fn(160, 120, |x, y| {
            let wave = ((x as f32 - 0.3 * index as f32) * 0.2).sin() + (y as f32 * 0.3).cos();
            image::Rgb([
                (128.0 + 50.0 * wave) as u8,
                (x % 250) as u8,
                (y * 2 % 256) as u8,
            ])
        });
        Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / 30.0),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(picture),
        }
    }

    fn request(from: u64, to: u64, with: MagnifyView) -> MagnifyRequest {
        MagnifyRequest {
            frames: (from..=to).map(frame).collect(),
            with,
        }
    }

    #[test]
    fn an_upright_face_is_copied_pixel_by_pixel() {
        let crop = crop(128.0 / 90.0, 0.0);
        assert_eq!(view_side(&crop), 90);
        let picture = frame(0).picture;
        let face = face_picture(&picture, &crop, 90);
        // The centre of the crop is the middle between two pixels of the view.
        let origin = (80 - 44, 60 - 44);
        let same = |dx: u32, dy: u32| {
            (0..90).all(|i| face[(i, 40)] == picture[(origin.0 + i - dx, origin.1 + 40 - dy)])
        };
        assert!(
            [(0, 0), (1, 0), (0, 1), (1, 1)]
                .iter()
                .any(|&(dx, dy)| same(dx, dy))
        );
    }

    #[test]
    fn large_and_tilted_faces_are_averaged_to_the_largest_side() {
        for radians in [0.0, 0.4] {
            let crop = crop(128.0 / 1000.0, radians);
            assert_eq!(view_side(&crop), LARGEST_SIDE);
            let flat = Arc::new(RgbImage::from_pixel(160, 120, image::Rgb([9, 90, 200])));
            let face = face_picture(&flat, &crop, LARGEST_SIDE);
            assert!(face.pixels().all(|p| p.0 == [9, 90, 200]));
        }
    }

    #[test]
    fn playing_on_gives_what_a_seek_to_the_same_start_gives() {
        let (crop, with) = (crop(1.5, 0.0), MagnifyView::default());
        let mut played = MagnifiedFace::default();
        let mut shown = None;
        for to in 0..20 {
            shown = Some(played.eulerian(1, &crop, &request(0, to, with)).unwrap());
        }
        let mut sought = MagnifiedFace::default();
        let expected = sought.eulerian(1, &crop, &request(0, 19, with)).unwrap();
        let changed = |a: &RgbImage, b: &RgbImage| {
            let pairs = a.as_raw().iter().zip(b.as_raw());
            pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
        };
        // The rate is known better with every frame: that is all that differs.
        assert!(changed(&shown.unwrap(), &expected) <= 1);
        assert!(
            changed(
                &expected,
                &face_picture(&frame(19).picture, &crop, view_side(&crop))
            ) > 10
        );
    }

    #[test]
    fn a_moved_slider_acts_on_the_picture_shown() {
        let (crop, with) = (crop(1.5, 0.0), MagnifyView::default());
        let mut face = MagnifiedFace::default();
        let before = face.eulerian(1, &crop, &request(0, 19, with)).unwrap();
        let none = MagnifyView { alpha: 0.0, ..with };
        let still = face.eulerian(1, &crop, &request(0, 19, none)).unwrap();
        assert_eq!(
            still,
            face_picture(&frame(19).picture, &crop, view_side(&crop))
        );
        assert_eq!(
            face.eulerian(1, &crop, &request(0, 19, with)).unwrap(),
            before
        );
        // Another recording, or the head elsewhere: nothing is carried over.
        let other = face.eulerian(2, &crop, &request(19, 19, with)).unwrap();
        assert_eq!(other, still);
    }

    #[test]
    fn sliders_beyond_each_other_or_the_rate_still_give_a_view() {
        let odd = MagnifyView {
            low_hz: 50.0,
            high_hz: f32::NAN,
            alpha: -3.0,
            ..MagnifyView::default()
        }
        .sane();
        assert!(odd.low_hz < odd.high_hz && odd.alpha == 0.0);
        let fast = MagnifyView {
            low_hz: 40.0,
            high_hz: 55.0,
            ..MagnifyView::default()
        };
        assert!(fast.evm(30.0).band(30.0).unwrap().capped);
        assert_eq!(
            fast.describe(30.0),
            "EVM, α 10.0×, 13.50–15.00 Hz, finest 16 px"
        );
    }
}
