//! Random numbers of a training: a fresh stream for each seed, fold, epoch, step and
//! purpose.
//!
//! No stream is ever continued. A resumed run therefore needs no generator's state,
//! folds in parallel threads do not disturb each other, and one more augmentation does
//! not shift the dropout. Burn's own generator is one for the whole program; nothing
//! of a training may draw from it.

/// What the numbers are for. The numbers behind the names are part of a seed's
/// meaning: new purposes are added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Weights before the first step.
    Initial = 1,
    /// The order of the samples in an epoch.
    Order = 2,
    /// Which values a dropout layer keeps.
    Dropout = 3,
    /// How the images are varied.
    Augmentation = 4,
    /// Which samples take part in an epoch.
    Sampling = 5,
    /// Monte-Carlo passes through a trained network.
    Inference = 6,
}

/// Where in a training a stream belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    pub seed: u64,
    /// 0 where there are no folds.
    pub fold: u64,
    pub epoch: u64,
    /// Update within the whole training.
    pub step: u64,
}

impl Moment {
    /// The numbers for this purpose at this moment.
    #[must_use]
    pub fn stream(self, purpose: Purpose) -> Stream {
        let parts = [self.seed, self.fold, self.epoch, self.step, purpose as u64];
        Stream {
            state: parts.iter().fold(0x6f6e_7365_7421, |state, &part| {
                scramble(state ^ scramble(part))
            }),
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): 2⁶⁴ numbers from one word of state.
#[derive(Debug, Clone)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// An independent stream for part `index` of what this one is for, wherever this
    /// one stands: parts can be worked in any order.
    #[must_use]
    pub fn part(&self, index: u64) -> Self {
        Self {
            state: scramble(self.state ^ scramble(index)),
        }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Evenly in 0..1, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `limit`, which is not 0, each as likely as the next.
    pub fn below(&mut self, limit: usize) -> usize {
        assert!(limit > 0, "there is no number below 0");
        let limit = limit as u64;
        // Lemire 2019: the high half of a product, without the few that would make
        // some numbers likelier.
        let spare = limit.wrapping_neg() % limit;
        loop {
            let wide = u128::from(self.bits()) * u128::from(limit);
            if wide as u64 >= spare {
                return (wide >> 64) as usize;
            }
        }
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normally distributed with mean 0 and standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        self.normals()[0]
    }

    /// Two of them for the price of one.
    pub fn normals(&mut self) -> [f64; 2] {
        // 1 − unit is in 0..1 with 1 included: its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.unit()).sin_cos();
        [radius * cosine, radius * sine]
    }

    /// Brings the items into a random order, each as likely as the next (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }

    /// What a dropout layer multiplies by: 0 with probability `dropped`, in steps of
    /// 1/65536, else 1/(1 − dropped).
    #[must_use]
    pub fn dropout(mut self, dropped: f64, len: usize) -> Vec<f32> {
        let threshold = (dropped * 65536.0).round() as u64;
        let kept = (1.0 / (1.0 - threshold as f64 / 65536.0)) as f32;
        let mut mask = Vec::with_capacity(len + 3);
        while mask.len() < len {
            let bits = self.bits();
            mask.extend([0, 16, 32, 48].map(|shift| {
                if bits >> shift & 0xffff < threshold {
                    0.0
                } else {
                    kept
                }
            }));
        }
        mask.truncate(len);
        mask
    }

    /// `len` values evenly in −`bound`..`bound`, for initial weights.
    #[must_use]
    pub fn uniform(mut self, bound: f64, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| self.between(-bound, bound) as f32)
            .collect()
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn scramble(x: u64) -> u64 {
    mix(x.wrapping_add(GOLDEN))
}

fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment {
        seed: 7,
        fold: 3,
        epoch: 2,
        step: 11,
    };

    #[test]
    fn the_generator_is_splitmix64_as_published() {
        let mut stream = Stream { state: 1_234_567 };
        assert_eq!(stream.bits(), 6_457_827_717_110_365_317);
        assert_eq!(stream.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn each_part_of_a_moment_and_each_purpose_has_numbers_of_its_own() {
        let mut first = Vec::new();
        for moment in [
            MOMENT,
            Moment { seed: 8, ..MOMENT },
            Moment { fold: 4, ..MOMENT },
            Moment { epoch: 3, ..MOMENT },
            Moment { step: 12, ..MOMENT },
            Moment {
                fold: 2,
                epoch: 3,
                ..MOMENT
            },
        ] {
            for purpose in [Purpose::Initial, Purpose::Order, Purpose::Dropout] {
                first.push(moment.stream(purpose).bits());
                first.push(moment.stream(purpose).part(0).bits());
                assert_eq!(moment.stream(purpose).bits(), first[first.len() - 2]);
            }
        }
        let count = first.len();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), count);
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_prefers_no_place() {
        let mut firsts = [0_usize; 6];
        for seed in 0..6000 {
            let mut items = [0, 1, 2, 3, 4, 5];
            let moment = Moment { seed, ..MOMENT };
            moment.stream(Purpose::Order).shuffle(&mut items);
            firsts[items[0]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4, 5]);
        }
        // 1000 expected each, standard deviation 29.
        assert!(firsts.iter().all(|n| (860..1140).contains(n)), "{firsts:?}");
    }

    #[test]
    fn means_and_spreads_are_those_of_the_distributions() {
        let mut stream = MOMENT.stream(Purpose::Augmentation);
        let normal: Vec<f64> = (0..20_000).flat_map(|_| stream.normals()).collect();
        let mean = normal.iter().sum::<f64>() / 40_000.0;
        let square = normal.iter().map(|x| x * x).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.03);
        let mask = MOMENT.stream(Purpose::Dropout).dropout(0.3, 40_001);
        assert_eq!(mask.len(), 40_001);
        let dropped = mask.iter().filter(|&&m| m == 0.0).count() as f64 / 40_001.0;
        assert!((dropped - 0.3).abs() < 0.01, "{dropped}");
        let mean = mask.iter().sum::<f32>() / 40_001.0;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!(
            MOMENT
                .stream(Purpose::Dropout)
                .dropout(0.0, 9)
                .iter()
                .all(|&m| m == 1.0)
        );
    }
}
