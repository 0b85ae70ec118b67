//! The sizes of a layer, its parameters, and where the hyper-planes come from.

use crate::model::layer_plan::{self, Planned};
use crate::nn::parameters::{Start, Tensors};

/// Hyper-planes of a table (n_p of S3): eight buckets.
pub const PLANES: usize = 3;
/// Tables whose pairs are united (n_t of S3).
pub const TABLES: usize = 4;

/// Where the hyper-planes come from. Another number would make old weights worse, not
/// wrong: they carry their own.
const SEED: u64 = 0x6275_636b_6574_7321;
/// The name that hyper-planes have in their layer.
const PLANES_NAME: &str = "planes";

/// Which pairs of vectors look at each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of them: the attention that S3 compares with.
    Full,
    /// Softmax over all pairs, then zeros for those that share no bucket: S3 as printed.
    Paper,
    /// Softmax over the pairs that share a bucket; no others are computed.
    Sparse,
}

impl Mode {
    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Paper => "paper",
            Self::Sparse => "sparse",
        }
    }

    /// The mode that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Full, Self::Paper, Self::Sparse]
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

/// Sizes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LshOptions {
    /// Values of a vector, a multiple of `heads`.
    pub width: usize,
    /// Heads, each of which sees its own `width / heads` values.
    pub heads: usize,
    /// Hyper-planes of a table, 1..=16.
    pub planes: usize,
    /// Tables, at least one.
    pub tables: usize,
    /// Which pairs count.
    pub mode: Mode,
}

impl LshOptions {
    /// With S3's hashing: three hyper-planes, four tables.
    #[must_use]
    pub fn new(width: usize, heads: usize, mode: Mode) -> Self {
        Self {
            width,
            heads,
            planes: PLANES,
            tables: TABLES,
            mode,
        }
    }

    /// Values of a vector in one head.
    #[must_use]
    pub fn head_width(self) -> usize {
        self.width / self.heads
    }

    pub(super) fn planes_shape(self) -> [usize; 3] {
        [self.tables, self.planes, self.head_width()]
    }

    /// The parameters: `query.weight`, `key.weight`, `value.weight`, `output.…`, and
    /// `planes`, which is fixed. [`started`] draws it; a plain
    /// [`layer_plan::started`] would fill it too, but by the training's own seed.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        let mut plan: Vec<Planned> = ["query", "key", "value"]
            .into_iter()
            .flat_map(|name| layer_plan::dense(name, self.width, self.width))
            .filter(|planned| planned.name.ends_with(".weight"))
            .collect();
        plan.extend(layer_plan::dense("output", self.width, self.width));
        plan.push(Planned {
            name: PLANES_NAME.to_owned(),
            shape: self.planes_shape().to_vec(),
            start: Start::Uniform { bound: 1.0 },
            trained: false,
        });
        plan
    }
}

/// As [`layer_plan::started`], for a network that has layers of this kind: their
/// hyper-planes come from the fixed seed, each layer's from its own part of it.
#[must_use]
pub fn started(plan: &[Planned], draw: impl FnMut(usize, f64, usize) -> Vec<f32>) -> Tensors {
    let mut tensors = layer_plan::started(plan, draw);
    let is_planes = |planned: &&Planned| planned.name.rsplit('.').next() == Some(PLANES_NAME);
    for (layer, planned) in (0..).zip(plan.iter().filter(is_planes)) {
        if let Some(tensor) = tensors.get_mut(&planned.name) {
            tensor.values = normals(layer, planned.len());
        }
    }
    tensors
}

/// Normally distributed numbers, always the same for one layer: SplitMix64 (Steele, Lea,
/// Flood 2014) through Box and Muller's formula. Hyper-planes with such normals favour no
/// direction.
pub(super) fn normals(layer: u64, count: usize) -> Vec<f32> {
    let mut state = SEED.wrapping_add(layer << 32);
    let mut unit = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // In the middle of its step: never 0, which has no logarithm.
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let normal = |_| {
        let (radius, turn) = ((-2.0 * unit().ln()).sqrt(), unit());
        (radius * (std::f64::consts::TAU * turn).cos()) as f32
    };
    (0..count).map(normal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyper_planes_are_the_same_whatever_the_training_draws() {
        let plan = [
            layer_plan::within("a", LshOptions::new(8, 2, Mode::Paper).parameters()),
            layer_plan::within("b", LshOptions::new(8, 2, Mode::Paper).parameters()),
        ]
        .concat();
        let drawn = |value: f32| started(&plan, |_, _, count| vec![value; count]);
        let (one, other) = (drawn(0.1), drawn(0.2));
        assert_ne!(one["a.query.weight"], other["a.query.weight"]);
        assert_eq!(one["a.planes"], other["a.planes"]);
        assert_ne!(one["a.planes"], one["b.planes"]);
        let many = normals(7, 10_000);
        let mean = many.iter().sum::<f32>() / 1e4;
        let spread = many.iter().map(|v| v * v).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.05);
    }
}
