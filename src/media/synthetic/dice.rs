//! Random numbers of a seed, the same on every machine.

use super::arithmetic::{log_of_two, power_of_two, scramble};

/// A stream of random numbers. Streams of different seeds are independent, so each
/// thing that is drawn (a face, a scene, the blinks) has its own: a change of one
/// leaves the others as they were.
#[derive(Debug, Clone)]
pub struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The stream for one purpose: `world` keeps sets of recordings apart, `what`
    /// names the thing drawn, `number` counts it.
    #[must_use]
    pub fn of(world: &str, what: &str, number: u64) -> Self {
        let mut key = scramble(number);
        for text in [world, what] {
            for byte in text.bytes().chain([0xff]) {
                key = scramble(key ^ u64::from(byte));
            }
        }
        Self::new(key)
    }

    pub fn bits(&mut self) -> u64 {
        self.drawn += 1;
        scramble(self.seed ^ scramble(self.drawn))
    }

    /// 0 ≤ x < 1.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between the two.
    pub fn within(&mut self, range: [f64; 2]) -> f64 {
        range[0] + (range[1] - range[0]) * self.uniform()
    }

    /// Between two positive numbers, evenly in the logarithm.
    pub fn log_within(&mut self, range: [f64; 2]) -> f64 {
        let (low, high) = (log_of_two(range[0]), log_of_two(range[1]));
        power_of_two(low + (high - low) * self.uniform())
    }

    /// Mean 0, standard deviation 1, never beyond ±6 (the sum of twelve).
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// As [`Dice::normal`], drawn again until it lies within ±`limit`.
    pub fn normal_within(&mut self, limit: f64) -> f64 {
        loop {
            let x = self.normal();
            if x.abs() <= limit {
                return x;
            }
        }
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// −1 or 1.
    pub fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// A whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// An index, each as often as its weight says.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.uniform() * weights.clone().sum::<f64>();
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

    /// The time to the next of events that come at `rate` a second on average.
    pub fn wait_secs(&mut self, rate: f64) -> f64 {
        -log_of_two(1.0 - self.uniform()) * std::f64::consts::LN_2 / rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_their_moments_and_differ() {
        let mut dice = Dice::of("test", "moments", 1);
        let n = 20_000;
        let (mut sum, mut squares, mut wait, mut logs) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..n {
            let x = dice.normal();
            sum += x;
            squares += x * x;
            wait += dice.wait_secs(4.0);
            logs += dice.log_within([0.25, 4.0]).ln();
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.03 && (squares / n - 1.0).abs() < 0.04);
        assert!((wait / n - 0.25).abs() < 0.01 && (logs / n).abs() < 0.03);
        assert_ne!(Dice::of("a", "b", 1).bits(), Dice::of("a", "b", 2).bits());
        assert_ne!(Dice::of("ab", "", 1).bits(), Dice::of("a", "b", 1).bits());
        let picks: Vec<usize> = (0..400)
            .map(|_| dice.weighted([1.0, 0.0, 3.0].into_iter()))
            .collect();
        assert!(!picks.contains(&1));
        assert!((80..120).contains(&picks.iter().filter(|&&p| p == 0).count()));
    }
}
