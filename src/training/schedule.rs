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
}

impl Schedule {
    /// What the full rate is multiplied by for update `step` of `steps`, both counted
    /// from 0 over the whole training.
    #[must_use]
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { warmup } if step < warmup => (step + 1) as f64 / (warmup + 1) as f64,
            Self::Cosine { warmup } => {
                let length = steps.saturating_sub(warmup).max(1) as f64;
                let gone = (step - warmup) as f64 / length;
                0.5 * (1.0 + (PI * gone.min(1.0)).cos())
            }
        }
    }

    /// As it stands in a checkpoint's settings and on a card.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Constant => "constant".to_owned(),
            Self::Cosine { warmup: 0 } => "cosine".to_owned(),
            Self::Cosine { warmup } => format!("cosine after {warmup} updates of warm-up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_starts_full_passes_half_and_ends_near_zero() {
        let cosine = Schedule::Cosine { warmup: 0 };
        assert_eq!(cosine.factor(0, 100), 1.0);
        assert!((cosine.factor(50, 100) - 0.5).abs() < 1e-12);
        assert!(cosine.factor(99, 100) < 0.001);
        let warm = Schedule::Cosine { warmup: 3 };
        assert_eq!(warm.factor(0, 100), 0.25);
        assert_eq!(warm.factor(3, 100), 1.0);
    }
}
