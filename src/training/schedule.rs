//! How the learning rate goes over a training.

use std::f64::consts::PI;

/// The learning rate as a function of how far the training has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same all the time.
    Constant,
    /// Half a cosine from the full rate to 0, with an even rise over the first
    /// `warmup` updates.
    Cosine { warmup: u64 },
    /// The full rate, times `factor` after every `epochs` epochs.
    Steps { epochs: u64, factor: f64 },
}

impl Schedule {
    /// What the full rate is multiplied by for update `step` of `steps`, both counted
    /// from 0 over the whole training, in an epoch counted likewise.
    #[must_use]
    pub fn factor(self, step: u64, steps: u64, epoch: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { warmup } if step < warmup => (step + 1) as f64 / (warmup + 1) as f64,
            Self::Cosine { warmup } => {
                let length = steps.saturating_sub(warmup).max(1) as f64;
                let gone = (step - warmup) as f64 / length;
                0.5 * (1.0 + (PI * gone.min(1.0)).cos())
            }
            Self::Steps { epochs, factor } => factor.powi((epoch / epochs.max(1)) as i32),
        }
    }

    /// As it stands in a checkpoint's settings and on a card.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Constant => "constant".to_owned(),
            Self::Cosine { warmup: 0 } => "cosine".to_owned(),
            Self::Cosine { warmup } => format!("cosine after {warmup} updates of warm-up"),
            Self::Steps { epochs, factor } => format!("times {factor} every {epochs} epochs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_starts_full_passes_half_and_ends_near_zero() {
        let cosine = Schedule::Cosine { warmup: 0 };
        assert_eq!(cosine.factor(0, 100, 0), 1.0);
        assert!((cosine.factor(50, 100, 5) - 0.5).abs() < 1e-12);
        assert!(cosine.factor(99, 100, 9) < 0.001);
        let warm = Schedule::Cosine { warmup: 3 };
        assert_eq!(warm.factor(0, 100, 0), 0.25);
        assert_eq!(warm.factor(3, 100, 0), 1.0);
    }

    #[test]
    fn steps_fall_at_the_epochs_named() {
        let steps = Schedule::Steps {
            epochs: 10,
            factor: 0.1,
        };
        assert_eq!(steps.factor(0, 1, 9), 1.0);
        assert!((steps.factor(0, 1, 20) - 0.01).abs() < 1e-12);
    }
}
