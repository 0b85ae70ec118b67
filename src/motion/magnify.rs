//! Eulerian motion magnification (EVM, Wu et al. 2012): what changes at each place
//! of the picture within a band of frequencies is shown larger.
//!
//! Every level of a Laplacian pyramid goes through a temporal band-pass, the
//! difference of two one-pole low-passes that start at the first frame; the result
//! times the level's gain is added to the picture. All of it is linear, so the
//! colour space matters only where the chroma of the *change* is attenuated: the
//! pyramid holds red, green and blue, and one 3×3 matrix does the attenuation.
//! Kernels: `shaders/magnify.wgsl` ([`crate::motion::gpu::magnify`]); CPU twin:
//! [`crate::motion::cpu::magnify`].

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::gpu::{GpuContext, GpuError};
use crate::motion::cadence;
use crate::motion::cpu::magnify::CpuEvm;
use crate::motion::gpu::magnify::GpuEvm;

/// Smallest side of a picture whose pyramid has a level to magnify, pixels.
pub const SMALLEST_SIDE: u32 = 10;

/// What a person may set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EvmParams {
    /// Gain of the change, 0 or more; levels too fine for it get less.
    pub alpha: f64,
    /// Slower change is left as it is, Hz.
    pub low_hz: f64,
    /// Faster change is left as it is, Hz.
    pub high_hz: f64,
    /// λ_c: waves shorter than this, in pixels, would break up at gain `alpha` and are
    /// magnified less.
    pub lambda_c_px: f64,
    /// Part of the chroma's change that is kept, 0..1.
    pub chroma: f64,
}

impl Default for EvmParams {
    /// 10 times between 0.25 and 2.5 Hz, λ_c 16 px, chroma 0.1: about r1 = 0.4 and
    /// r2 = 0.05 at 30 frames a second.
    fn default() -> Self {
        Self {
            alpha: 10.0,
            low_hz: 0.25,
            high_hz: 2.5,
            lambda_c_px: 16.0,
            chroma: 0.1,
        }
    }
}

/// Why pictures cannot be magnified.
#[derive(Debug, thiserror::Error)]
pub enum MagnifyError {
    #[error("Cannot magnify: {name} is {value}; choose {remedy}")]
    Parameter {
        name: &'static str,
        value: f64,
        remedy: &'static str,
    },
    #[error(
        "Cannot magnify between {low_hz} and {high_hz} Hz: the lower bound must lie below the upper one, and both below {nyquist_hz:.2} Hz, half the measured {fps:.2} frames a second. Choose a lower --low-hz"
    )]
    Band {
        low_hz: f64,
        high_hz: f64,
        nyquist_hz: f64,
        fps: f64,
    },
    #[error(
        "Cannot magnify: the picture is {width}×{height} pixels, at least {SMALLEST_SIDE}×{SMALLEST_SIDE} are needed. Choose a larger one"
    )]
    TooSmall { width: u32, height: u32 },
    #[error(transparent)]
    Flow(#[from] super::tvl1::FlowError),
    #[error(transparent)]
    FlowOnCard(#[from] super::gpu::GpuFlowError),
    #[error(transparent)]
    Gpu(#[from] GpuError),
}

/// The band as it is used at one frame rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub low_hz: f64,
    /// At most half the frame rate.
    pub high_hz: f64,
    /// Whether it had to be lowered to that.
    pub capped: bool,
    /// Coefficients of the two low-passes a frame, `fast` the larger, 0..1.
    pub fast: f64,
    pub slow: f64,
}

impl Band {
    /// What the band-pass lets through of the last of these values, one a frame: the
    /// difference of the two low-passes, which start at the first as they do on pictures.
    /// 0 without a value.
    #[must_use]
    pub fn passes(&self, values: impl IntoIterator<Item = f64>) -> f64 {
        let mut low_passes = None;
        for value in values {
            let (fast, slow) = low_passes.unwrap_or((value, value));
            low_passes = Some((
                fast + self.fast * (value - fast),
                slow + self.slow * (value - slow),
            ));
        }
        low_passes.map_or(0.0, |(fast, slow)| fast - slow)
    }
}

/// The coefficient of a one-pole low-pass with this cut-off: 1 − exp(−2π·f/fps).
#[must_use]
pub fn low_pass_coefficient(cut_off_hz: f64, fps: f64) -> f64 {
    1.0 - (-std::f64::consts::TAU * cut_off_hz / fps).exp()
}

impl EvmParams {
    /// The band at `fps` measured frames a second; cut-offs above half of that are
    /// lowered to it.
    ///
    /// # Errors
    /// When a parameter is outside its range or nothing is left of the band.
    pub fn band(&self, fps: f64) -> Result<Band, MagnifyError> {
        let not = |name, value, remedy| {
            Err(MagnifyError::Parameter {
                name,
                value,
                remedy,
            })
        };
        if !(fps.is_finite() && fps > 0.0) {
            return not("the frame rate", fps, "frames with rising times");
        }
        if !(self.alpha.is_finite() && (0.0..=1000.0).contains(&self.alpha)) {
            return not("alpha", self.alpha, "0 to 1000, such as 10");
        }
        if !(self.lambda_c_px.is_finite() && self.lambda_c_px > 0.0) {
            return not("lambda-c", self.lambda_c_px, "pixels above 0, such as 16");
        }
        if !(0.0..=1.0).contains(&self.chroma) {
            return not("chroma", self.chroma, "0 to 1, such as 0.1");
        }
        let nyquist_hz = 0.5 * fps;
        let (low_hz, high_hz) = (self.low_hz.min(nyquist_hz), self.high_hz.min(nyquist_hz));
        // Also false where one is not a number.
        if !(low_hz >= 0.0 && low_hz < high_hz) {
            return Err(MagnifyError::Band {
                low_hz: self.low_hz,
                high_hz: self.high_hz,
                nyquist_hz,
                fps,
            });
        }
        Ok(Band {
            low_hz,
            high_hz,
            capped: high_hz < self.high_hz,
            fast: low_pass_coefficient(high_hz, fps),
            slow: low_pass_coefficient(low_hz, fps),
        })
    }

    /// δ: how far something may move within the band, in pixels, if waves of λ_c are to
    /// bear the whole gain: (1 + α)·δ < λ_c / 8 (Wu et al. 2012, "Bounds").
    #[must_use]
    pub fn furthest_px(&self) -> f64 {
        self.lambda_c_px / 8.0 / (1.0 + self.alpha)
    }

    /// The gain of each level of a `width`×`height` picture's pyramid, finest first.
    ///
    /// A level of wavelength λ bears (1 + α)·δ < λ/8 with δ of [`Self::furthest_px`];
    /// twice the α of that bound is taken, as the reference does. The finest level
    /// (noise) and the residual (light) get 0.
    #[must_use]
    pub fn level_alphas(&self, width: usize, height: usize) -> Vec<f64> {
        let levels = level_count(width, height);
        let displacement = self.furthest_px();
        let mut wavelength = (width as f64).hypot(height as f64) / 3.0;
        let mut alphas = vec![0.0; levels];
        for level in (0..levels).rev() {
            if level > 0 && level + 1 < levels {
                let bound = 2.0 * (wavelength / displacement / 8.0 - 1.0);
                alphas[level] = bound.min(self.alpha).max(0.0);
            }
            wavelength *= 0.5;
        }
        alphas
    }
}

/// Levels of the pyramid with the residual: the sides are halved while the shorter
/// is at least 5.
#[must_use]
pub fn level_count(width: usize, height: usize) -> usize {
    let mut side = width.min(height);
    let mut levels = 1;
    while side >= 5 {
        side /= 2;
        levels += 1;
    }
    levels
}

/// Sizes of the pyramid's levels, finest first: a side n goes to ⌈n / 2⌉.
pub(crate) fn level_sizes(width: usize, height: usize) -> Vec<(usize, usize)> {
    let half = |&(w, h): &(usize, usize)| Some((w.div_ceil(2), h.div_ceil(2)));
    std::iter::successors(Some((width, height)), half)
        .take(level_count(width, height))
        .collect()
}

/// RGB to YIQ, the matrix of the reference.
const YIQ_FROM_RGB: [[f64; 3]; 3] = [
    [0.299, 0.587, 0.114],
    [0.596, -0.274, -0.322],
    [0.211, -0.523, 0.312],
];

/// What attenuates I and Q of a change given in RGB, row by row.
#[must_use]
pub fn chroma_matrix(chroma: f64) -> [[f32; 3]; 3] {
    let m = YIQ_FROM_RGB;
    let minor = |r: usize, c: usize| {
        let (r1, r2) = ((r + 1) % 3, (r + 2) % 3);
        let (c1, c2) = ((c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    let weight = [1.0, chroma, chroma];
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            // Inverse by cofactors, times the weights, times the matrix.
            let sum: f64 = (0..3)
                .map(|k| minor(k, row) / determinant * weight[k] * m[k][column])
                .sum();
            sum as f32
        })
    })
}

/// What the pixel work needs to know for one frame; both paths read it.
#[derive(Debug, Clone, PartialEq)]
pub struct EvmStep {
    pub fast: f32,
    pub slow: f32,
    /// One for each level, finest first.
    pub level_alphas: Vec<f32>,
    /// Applied to the change, see [`chroma_matrix`].
    pub chroma: [[f32; 3]; 3],
}

impl EvmStep {
    #[must_use]
    pub fn new(params: &EvmParams, band: &Band, width: usize, height: usize) -> Self {
        Self {
            fast: band.fast as f32,
            slow: band.slow as f32,
            level_alphas: (params.level_alphas(width, height).into_iter())
                .map(|alpha| alpha as f32)
                .collect(),
            chroma: chroma_matrix(params.chroma),
        }
    }
}

/// Where the pixels are worked on.
#[derive(Debug)]
enum Engine {
    Cpu(Option<CpuEvm>),
    Gpu(Box<(GpuContext, Option<GpuEvm>)>),
}

/// Magnifies a recording frame by frame. Memory is bounded by the picture's size.
#[derive(Debug)]
pub struct Evm {
    engine: Engine,
    params: EvmParams,
    fps: f64,
    /// Index and time of the last frame.
    last: Option<(u64, Timestamp)>,
    /// Made for the size it names; void when a parameter changes.
    step: Option<((u32, u32), EvmStep)>,
}

impl Evm {
    /// For frames that come `fps` a second, as measured.
    ///
    /// # Errors
    /// As [`EvmParams::band`].
    pub fn new(params: EvmParams, fps: f64) -> Result<Self, MagnifyError> {
        params.band(fps)?;
        Ok(Self {
            engine: Engine::Cpu(None),
            params,
            fps,
            last: None,
            step: None,
        })
    }

    /// The same on a graphics card, where the filters' state then stays.
    ///
    /// # Errors
    /// As [`EvmParams::band`].
    pub fn on_gpu(context: &GpuContext, params: EvmParams, fps: f64) -> Result<Self, MagnifyError> {
        Ok(Self {
            engine: Engine::Gpu(Box::new((context.clone(), None))),
            ..Self::new(params, fps)?
        })
    }

    /// Takes effect on the next frame; the filters run on.
    ///
    /// # Errors
    /// As [`EvmParams::band`]; the parameters before then stay.
    pub fn set(&mut self, params: EvmParams, fps: f64) -> Result<(), MagnifyError> {
        if (params, fps) != (self.params, self.fps) {
            params.band(fps)?;
            (self.params, self.fps, self.step) = (params, fps, None);
        }
        Ok(())
    }

    /// Index of the last frame taken; `None` before the first and after a restart.
    #[must_use]
    pub fn last_frame(&self) -> Option<u64> {
        self.last.map(|(index, _)| index)
    }

    /// The next frame is the first.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// Takes the frame `index` (counted in the recording) and gives it magnified. The
    /// filters start anew, and the frame comes back as it is, where it does not follow
    /// the last one: another index, a pause, another size.
    ///
    /// # Errors
    /// When the picture is too small or the graphics card fails.
    pub fn push(
        &mut self,
        picture: &image::RgbImage,
        index: u64,
        at: Timestamp,
    ) -> Result<image::RgbImage, MagnifyError> {
        let (width, height) = picture.dimensions();
        if width.min(height) < SMALLEST_SIDE {
            return Err(MagnifyError::TooSmall { width, height });
        }
        let follows = (self.last).is_some_and(|last| cadence::follows(last, index, at, self.fps));
        self.last = Some((index, at));
        let size = (width, height);
        if self.step.as_ref().is_none_or(|(of, _)| *of != size) {
            let band = self.params.band(self.fps)?;
            let step = EvmStep::new(&self.params, &band, width as usize, height as usize);
            self.step = Some((size, step));
        }
        let Some((_, step)) = &self.step else {
            return Ok(picture.clone());
        };
        match &mut self.engine {
            Engine::Cpu(slot) => {
                let engine = match slot.take().filter(|e| e.size() == size) {
                    Some(engine) => slot.insert(engine),
                    None => slot.insert(CpuEvm::new(width, height)),
                };
                if !follows {
                    engine.restart();
                }
                Ok(engine.push(picture, step))
            }
            Engine::Gpu(gpu) => {
                let (context, slot) = gpu.as_mut();
                let engine = match slot.take().filter(|e| e.size() == size) {
                    Some(engine) => slot.insert(engine),
                    None => slot.insert(GpuEvm::new(context, width, height)?),
                };
                if !follows {
                    engine.restart();
                }
                Ok(engine.push(picture, step)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_is_capped_at_half_the_frame_rate() {
        let params = EvmParams {
            high_hz: 20.0,
            ..EvmParams::default()
        };
        let band = params.band(30.0).unwrap();
        assert!(band.capped && band.high_hz == 15.0);
        assert!((band.fast - (1.0 - (-std::f64::consts::PI).exp())).abs() < 1e-12);
        assert!(!EvmParams::default().band(30.0).unwrap().capped);
    }

    #[test]
    fn an_empty_band_is_an_error_with_a_remedy() {
        for (low_hz, high_hz) in [(3.0, 2.0), (2.0, 2.0), (20.0, 40.0), (f64::NAN, 2.0)] {
            let params = EvmParams {
                low_hz,
                high_hz,
                ..EvmParams::default()
            };
            let error = params.band(30.0).unwrap_err().to_string();
            assert!(error.contains("--low-hz"), "{error}");
        }
    }

    #[test]
    fn the_band_lets_a_step_through_for_a_while_and_then_no_more() {
        let band = EvmParams::default().band(30.0).unwrap();
        let step = |frames: usize| {
            let values = (0..10 + frames).map(|i| if i < 10 { 3.0 } else { 4.0 });
            band.passes(values)
        };
        assert_eq!((step(0), band.passes([])), (0.0, 0.0));
        // One frame after it both low-passes have gone their part of the way.
        assert!((step(1) - (band.fast - band.slow)).abs() < 1e-12);
        assert!(step(4) > 0.6 && step(300) < 1e-6, "{}", step(4));
    }

    #[test]
    fn the_larger_the_gain_the_less_a_wave_may_move() {
        let of = |alpha, lambda_c_px| {
            let params = EvmParams {
                alpha,
                lambda_c_px,
                ..EvmParams::default()
            };
            params.furthest_px()
        };
        assert_eq!(
            (of(0.0, 16.0), of(1.0, 16.0), of(9.0, 80.0)),
            (2.0, 1.0, 1.0)
        );
    }

    #[test]
    fn without_attenuation_the_chroma_matrix_is_the_identity() {
        for (r, row) in chroma_matrix(1.0).iter().enumerate() {
            for (c, value) in row.iter().enumerate() {
                let expected = if r == c { 1.0 } else { 0.0 };
                assert!((value - expected).abs() < 1e-6);
            }
        }
        // Grey has no chroma to attenuate.
        for row in chroma_matrix(0.1) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 2e-3, "{row:?}");
        }
    }

    #[test]
    fn alpha_is_bounded_on_fine_levels() {
        let alphas = EvmParams::default().level_alphas(160, 160);
        assert_eq!(alphas.len(), 7);
        assert_eq!((alphas[0], alphas[6], alphas[5]), (0.0, 0.0, 10.0));
        assert!((alphas[1] - 1.240_906).abs() < 1e-5);
        let rough = EvmParams {
            lambda_c_px: 500.0,
            ..EvmParams::default()
        };
        assert!(rough.level_alphas(160, 160).iter().all(|a| *a >= 0.0));
    }
}
