//! Motion between two crops of a face: flow, strain, the LED band-pass, and the
//! maps that spotting reads.

pub mod bandpass;
pub mod cadence;
pub mod cpu;
pub mod engine;
pub mod flow_color;
pub mod flow_file;
pub mod glmm;
pub mod gpu;
pub mod grid;
pub mod head_motion;
pub mod heat;
pub mod led_gradient;
pub mod led_view;
pub mod lucas_kanade;
pub mod luma;
pub mod magnify;
pub mod pipeline;
pub mod pyramid;
pub mod roi;
pub mod strain;
pub mod tvl1;
pub mod windows;

use crate::base::Plane;

pub use tvl1::{Tvl1, Tvl1Params, Tvl1Preset};

/// A dense displacement field in pixels: `I1(p + flow(p)) = I0(p)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flow {
    /// Horizontal, to the right.
    pub u: Plane,
    /// Vertical, downwards.
    pub v: Plane,
}

impl Flow {
    /// No motion anywhere.
    #[must_use]
    pub fn zeros(width: usize, height: usize) -> Self {
        Self {
            u: Plane::zeros(width, height),
            v: Plane::zeros(width, height),
        }
    }

    /// Both components times `factor`: brings a pair that lies `t` seconds apart
    /// to the nominal spacing Δ with `factor = Δ / t`.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        for value in self.u.data.iter_mut().chain(&mut self.v.data) {
            *value *= factor;
        }
        self
    }

    /// Length of every displacement in pixels.
    #[must_use]
    pub fn magnitude(&self) -> Plane {
        let data = (self.u.data.iter().zip(&self.v.data))
            .map(|(u, v)| (u * u + v * v).sqrt())
            .collect();
        Plane::from_vec(self.u.width, self.u.height, data)
    }

    /// Mean length in pixels, 0 for an empty field.
    #[must_use]
    pub fn mean_magnitude(&self) -> f64 {
        self.magnitude().mean()
    }
}
