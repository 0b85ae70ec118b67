//! Random numbers whose sequence belongs to a name: every picture has its own
//! stream, so its bytes do not depend on which thread draws it, or when.

/// One stream of random numbers (SplitMix64). Only exact arithmetic and series, no
/// function of the platform's mathematics library: equal seeds give equal values.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    state: u64,
}

impl Draws {
    /// The stream of `seed` that `path` names, e.g. `[IMAGE, 17]`.
    pub(super) fn new(seed: u64, path: &[u64]) -> Self {
        let state = path.iter().fold(scramble(seed), |state, part| {
            scramble(state ^ scramble(*part))
        });
        Self { state }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.state)
    }

    /// Uniform, 0 included, 1 excluded.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// ±1.
    pub(super) fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Mean 0, standard deviation 1 (a sum of twelve uniforms, hence within ±6).
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// `median · e^(sigma · normal)`.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// An index, each as likely as its weight says.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut left = self.unit() * total;
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

/// SplitMix64's finaliser: 64 well-mixed bits of any number.
pub(super) fn scramble(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// e^x for |x| below 40, by halving and a series; relative error below 1e-9.
pub(super) fn exp(x: f64) -> f64 {
    let t = x / 256.0;
    let mut value = 1.0 + t * (1.0 + t / 2.0 * (1.0 + t / 3.0 * (1.0 + t / 4.0 * (1.0 + t / 5.0))));
    for _ in 0..8 {
        value *= value;
    }
    value
}

/// Sine and cosine of a small angle in radians (error below 1e-9 for |a| ≤ 0.8).
pub(super) fn turn(a: f64) -> (f64, f64) {
    let s = a * a;
    let sine = a * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0))));
    let cosine =
        1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0 * (1.0 - s / 56.0 * (1.0 - s / 90.0))));
    (sine, cosine)
}

/// A Gaussian hill of height 1, `d2` the squared distance in standard deviations.
pub(super) fn hill(d2: f64) -> f64 {
    if d2 > 40.0 { 0.0 } else { exp(-0.5 * d2) }
}

/// 0 at or below `low`, 1 at or above `high`, a cubic between; falling when
/// `low` > `high`.
pub(super) fn smoothstep(low: f64, high: f64, x: f64) -> f64 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Smooth random values over the plane: a few random hills, mean about 0, standard
/// deviation about 1 in the middle of the face.
#[derive(Debug, Clone)]
pub(super) struct Hills {
    hills: Vec<[f64; 4]>,
}

impl Hills {
    /// `width`: standard deviation of one hill in face units.
    pub(super) fn new(draws: &mut Draws, count: usize, width: f64) -> Self {
        // Hills per area times the integral of a squared hill is the variance.
        let area = 2.8 * 3.4;
        let scale = (area / (count as f64 * std::f64::consts::PI * width * width)).sqrt();
        let hills = (0..count)
            .map(|_| {
                let (x, y) = (draws.range(-1.4, 1.4), draws.range(-1.3, 2.1));
                [x, y, scale * draws.normal(), width]
            })
            .collect();
        Self { hills }
    }

    pub(super) fn at(&self, x: f64, y: f64) -> f64 {
        (self.hills.iter())
            .map(|&[cx, cy, height, width]| {
                let (dx, dy) = ((x - cx) / width, (y - cy) / width);
                height * hill(dx * dx + dy * dy)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_agree_with_the_platform() {
        for i in -200..=200 {
            let x = f64::from(i) * 0.03;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-9, "e^{x}");
            let a = f64::from(i) * 0.004;
            let (s, c) = turn(a);
            assert!((s - a.sin()).abs() < 1e-8 && (c - a.cos()).abs() < 1e-8);
        }
    }

    #[test]
    fn draws_have_the_moments_they_promise() {
        let mut draws = Draws::new(3, &[1, 2]);
        let n = 20_000;
        let values: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let square = values.iter().map(|v| v * v).sum::<f64>() / f64::from(n);
        assert!(
            mean.abs() < 0.03 && (square - 1.0).abs() < 0.04,
            "{mean} {square}"
        );
        let mut counts = [0; 3];
        for _ in 0..n {
            counts[draws.weighted([1.0, 0.0, 3.0].into_iter())] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[2]) / f64::from(n) - 0.75).abs() < 0.02);
    }
}
