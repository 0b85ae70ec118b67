//! Dense optical flow with an L1 data term and total-variation smoothing.
//!
//! The energy is Σ |∇u| + |∇v| + λ|I1(p+u) − I0(p)| (Zach, Pock, Bischof 2007),
//! solved as in Pérez, Meinhardt-Llopis, Facciolo 2013 with the 5×5 median of
//! OpenCV's `DualTVL1OpticalFlow`, whose parameters are the default. Two things
//! differ by default: beyond the border the nearest pixel is repeated instead of
//! zero, and the second picture is first made as bright as the first. The first
//! halves the error of a moving patch, the second brings the 0.12 px of false flow
//! that 2 % more light makes down to 0.008 px. A large pair is divided into bands of
//! rows among rayon's threads, with the same bytes as on one. The method under-estimates a
//! translation by about 0.035 px.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::Plane;

use super::Flow;
use super::cpu::tvl1::Solver;
use super::pyramid::{Border, Pyramid};

/// The smallest side of a picture that can be compared, in pixels.
pub const SMALLEST_SIDE: usize = 8;

/// Settings of the flow. Lengths are pixels, grey values 0..255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tvl1Params {
    /// Dual step; at most 0.25 for convergence.
    pub tau: f32,
    /// Weight of the data term: smaller is smoother.
    pub lambda: f32,
    /// Coupling between data and smoothness.
    pub theta: f32,
    /// Levels of the pyramid at most.
    pub scales: usize,
    /// Size of a level relative to the finer one, 0..1.
    pub scale_step: f32,
    /// Linearisations on the finest level.
    pub warps: usize,
    /// Linearisations on the coarsest level, where the motion is found.
    pub coarsest_warps: usize,
    /// Linearisations on each level between.
    pub middle_warps: usize,
    /// A warp is done once the root mean square change of the flow is below this.
    pub epsilon: f32,
    pub inner_iterations: usize,
    /// Rounds of inner iterations, each begun with a median of the flow.
    pub outer_iterations: usize,
    /// Whether rounds begin with the 5×5 median.
    pub median: bool,
    pub border: Border,
    /// Whether the second picture is first made as bright as the first (see
    /// [`Pyramid::gain_to`]); OpenCV does not.
    pub equalise: bool,
}

impl Tvl1Params {
    /// Linearisations on level `level` of `levels`, 0 being the finest; at least 1.
    #[must_use]
    pub const fn warps_at(&self, level: usize, levels: usize) -> usize {
        let wanted = if level == 0 {
            self.warps
        } else if level + 1 == levels {
            self.coarsest_warps
        } else {
            self.middle_warps
        };
        if wanted == 0 { 1 } else { wanted }
    }
}

impl Default for Tvl1Params {
    fn default() -> Self {
        Tvl1Preset::Exact.params()
    }
}

/// The settings that have a name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tvl1Preset {
    /// OpenCV's parameters with repeated borders and brightness matched. On pairs
    /// with known truth its mean error is 0.47–0.95 of OpenCV's, 0.07–0.29 where light
    /// changes. 4.3 ms for an easy and 6.5–9.3 ms for a real pair of 128 × 128
    /// pixels, 142 ms for 640 × 480, 407 ms for 1280 × 720: a 26th to a 31st, a 22nd
    /// and a 16th of OpenCV's processor time on the same machine.
    #[default]
    Exact,
    /// Fewer warps except on the coarsest level. The mean error is at most 1.03 times
    /// that of `exact`, the distance from it 0.006–0.013 px in the mean where motion
    /// is small, 0.016–0.058 px on moving faces (0.07–0.65 px at the 99th
    /// percentile). 3.0 and 4.5–6.6 ms, a 38th to a 45th of OpenCV's time.
    Live,
    /// Fewer still, and at rest sooner: 1.6 and 2.5 ms, 0.01–0.02 px from `exact`
    /// where motion is small, 0.06–0.20 px in the mean on moving faces. To be looked
    /// at, not measured.
    Preview,
    /// OpenCV's flow to the last bit: its parameters, zero borders, brightness as it
    /// is, and every operation in the order and with the rounding of OpenCV 5.0 on a
    /// processor with fused multiply-add. Anything less comes to 0.01 px only, since
    /// a change in the last bit moves the moment of stopping. One thread, three times
    /// the time of `exact`.
    Compat,
}

impl Tvl1Preset {
    pub const ALL: [Self; 4] = [Self::Exact, Self::Live, Self::Preview, Self::Compat];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Live => "live",
            Self::Preview => "preview",
            Self::Compat => "compat",
        }
    }

    #[must_use]
    pub const fn params(self) -> Tvl1Params {
        let exact = Tvl1Params {
            tau: 0.25,
            lambda: 0.15,
            theta: 0.3,
            scales: 5,
            scale_step: 0.8,
            warps: 5,
            coarsest_warps: 5,
            middle_warps: 5,
            epsilon: 0.01,
            inner_iterations: 30,
            outer_iterations: 10,
            median: true,
            border: Border::Replicate,
            equalise: true,
        };
        match self {
            Self::Exact => exact,
            Self::Compat => Tvl1Params {
                border: Border::Zero,
                equalise: false,
                ..exact
            },
            Self::Live => Tvl1Params {
                warps: 4,
                coarsest_warps: 6,
                middle_warps: 2,
                ..exact
            },
            Self::Preview => Tvl1Params {
                warps: 2,
                coarsest_warps: 6,
                middle_warps: 1,
                outer_iterations: 3,
                epsilon: 0.02,
                ..exact
            },
        }
    }
}

impl fmt::Display for Tvl1Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tvl1Preset {
    type Err = FlowError;

    fn from_str(name: &str) -> Result<Self, FlowError> {
        (Self::ALL.into_iter().find(|p| p.name() == name))
            .ok_or_else(|| FlowError::UnknownPreset(name.to_owned()))
    }
}

/// Why two pictures cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    #[error(
        "Cannot compute the flow: the pictures differ in size, {}×{} and {}×{}. Resize one of them",
        first.0, first.1, second.0, second.1
    )]
    SizeMismatch {
        first: (usize, usize),
        second: (usize, usize),
    },
    #[error(
        "Cannot compute the flow: the pictures are {}×{} pixels, at least {SMALLEST_SIDE}×{SMALLEST_SIDE} are needed. Choose larger ones",
        size.0, size.1
    )]
    TooSmall { size: (usize, usize) },
    #[error("There is no flow preset called \"{0}\". Choose exact, live, preview or compat")]
    UnknownPreset(String),
}

/// Computes flows; keeps its working memory from pair to pair. One per thread.
#[derive(Debug, Default)]
pub struct Tvl1 {
    params: Tvl1Params,
    solver: Solver,
    iterations: Vec<u32>,
}

impl Tvl1 {
    #[must_use]
    pub fn new(params: Tvl1Params) -> Self {
        Self {
            params,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn params(&self) -> &Tvl1Params {
        &self.params
    }

    /// The pyramid of a picture (grey 0..255) for [`Tvl1::flow_between`].
    #[must_use]
    pub fn pyramid(&self, plane: &Plane) -> Pyramid {
        let Tvl1Params {
            scales,
            scale_step,
            border,
            ..
        } = self.params;
        Pyramid::new(plane, scales, scale_step, border)
    }

    /// Where each pixel of `first` went in `second`, both grey 0..255.
    ///
    /// # Errors
    /// When the sizes differ or a side is below [`SMALLEST_SIDE`].
    pub fn flow(&mut self, first: &Plane, second: &Plane) -> Result<Flow, FlowError> {
        check((first.width, first.height), (second.width, second.height))?;
        self.flow_between(&self.pyramid(first), &self.pyramid(second))
    }

    /// The same between pictures whose pyramids were made by [`Tvl1::pyramid`] of
    /// an instance with the same parameters, so that a frame's pyramid serves all
    /// its pairs.
    ///
    /// # Errors
    /// As [`Tvl1::flow`].
    pub fn flow_between(&mut self, first: &Pyramid, second: &Pyramid) -> Result<Flow, FlowError> {
        check(first.size(), second.size())?;
        Ok(self
            .solver
            .solve(first, second, &self.params, &mut self.iterations))
    }

    /// Inner iterations of the last pair on each level, finest first.
    #[must_use]
    pub fn iterations(&self) -> &[u32] {
        &self.iterations
    }
}

pub(crate) fn check(first: (usize, usize), second: (usize, usize)) -> Result<(), FlowError> {
    if first != second {
        return Err(FlowError::SizeMismatch { first, second });
    }
    if first.0.min(first.1) < SMALLEST_SIDE {
        return Err(FlowError::TooSmall { size: first });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Smooth texture moved by (dx, dy).
    fn waves(width: usize, height: usize, dx: f32, dy: f32) -> Plane {
        let mut plane = Plane::zeros(width, height);
        for y in 0..height {
            for x in 0..width {
                let (px, py) = (x as f32 - dx, y as f32 - dy);
                plane.data[y * width + x] = 128.0
                    + 40.0 * (px * 0.35 + 0.2 * py).sin()
                    + 40.0 * (py * 0.31 - 0.15 * px).cos();
            }
        }
        plane
    }

    #[test]
    fn a_moved_texture_is_measured_and_a_resting_one_is_exactly_zero() {
        let mut tvl1 = Tvl1::default();
        let still = waves(70, 50, 0.0, 0.0);
        let flow = tvl1.flow(&still, &waves(70, 50, 0.8, -0.5)).unwrap();
        assert!((flow.u.mean() - 0.8).abs() < 0.05, "{}", flow.u.mean());
        assert!((flow.v.mean() + 0.5).abs() < 0.05, "{}", flow.v.mean());
        assert_eq!(tvl1.flow(&still, &still).unwrap(), Flow::zeros(70, 50));
    }

    #[test]
    fn a_used_instance_gives_the_same_bits_as_a_new_one() {
        let (a, b) = (waves(70, 50, 0.0, 0.0), waves(70, 50, 1.3, 0.4));
        let expected = Tvl1::default().flow(&a, &b).unwrap();
        let mut used = Tvl1::default();
        for size in [(90, 90), (33, 41), (8, 8), (70, 50)] {
            let from = waves(size.0, size.1, 0.0, 0.0);
            used.flow(&from, &waves(size.0, size.1, -0.7, 0.9)).unwrap();
        }
        assert_eq!(used.flow(&a, &b).unwrap(), expected);
    }

    #[test]
    fn pictures_that_cannot_be_compared_are_refused_with_a_remedy() {
        let mut tvl1 = Tvl1::default();
        let (small, other) = (Plane::zeros(7, 40), Plane::zeros(40, 40));
        assert!(matches!(
            tvl1.flow(&small, &small),
            Err(FlowError::TooSmall { .. })
        ));
        let error = tvl1.flow(&small, &other).unwrap_err().to_string();
        assert!(error.contains("7×40 and 40×40"), "{error}");
        assert!("fast".parse::<Tvl1Preset>().is_err());
        assert_eq!("live".parse(), Ok(Tvl1Preset::Live));
    }
}
