//! Reliability diagrams: how often what was said with a probability came true.

use serde::{Deserialize, Serialize};

use super::checks::{CalibrationError, check_classes, check_presence, check_probabilities};

/// Bins of a reliability diagram (Guo et al., section 2: M = 15).
pub const BINS: usize = 15;

/// One bar of a reliability diagram: statements whose probability is above `low` and at
/// most `high` (0 belongs to the first bar).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bin {
    pub low: f64,
    pub high: f64,
    /// Statements in it.
    pub count: u64,
    /// Their mean probability, 0..1; 0 without a statement.
    pub confidence: f64,
    /// The share of them that came true, 0..1; 0 without a statement.
    pub accuracy: f64,
}

/// How far probabilities and what happened lie apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Statements judged.
    pub count: u64,
    /// The reliability diagram, [`BINS`] bars of equal width from 0 to 1.
    pub bins: Vec<Bin>,
    /// Expected calibration error, 0..1: the mean over statements of the distance
    /// between their bar's confidence and accuracy (Guo et al., equation 3).
    pub expected_error: f64,
    /// Brier score (Brier 1950), 0 at best. For classes the squared distance between
    /// the probabilities and the truth summed over classes, 0..2; for presence the
    /// squared distance of the one probability, 0..1: the two do not compare.
    pub brier: f64,
}

/// The same for each unit and for all of them together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PresenceCalibration {
    /// In the order of the units.
    pub per_unit: Vec<Calibration>,
    /// All statements of all units in one diagram: frequent errors of one unit may
    /// cancel those of another here.
    pub pooled: Calibration,
}

/// Judges a classifier by the probability of the class it names, the first of the
/// greatest.
///
/// # Shapes
/// - `probabilities`: `[clip][class]`, each 0..1, each row summing to 1
/// - `truth`: `[clip]`, class numbers from 0
///
/// # Errors
/// [`CalibrationError`]: nothing given, lists that do not fit together, or what is no
/// probability.
pub fn of_classes<P: AsRef<[f32]>>(
    probabilities: &[P],
    truth: &[usize],
) -> Result<Calibration, CalibrationError> {
    check_classes(probabilities, truth)?;
    check_probabilities(probabilities)?;
    let mut tally = Tally::default();
    for (row, &class) in probabilities.iter().zip(truth) {
        let row = row.as_ref();
        let mut top = 0;
        for (candidate, &probability) in row.iter().enumerate() {
            if probability > row[top] {
                top = candidate;
            }
        }
        let square = |(candidate, &probability): (usize, &f32)| {
            squared_error(f64::from(probability), candidate == class)
        };
        let error = row.iter().enumerate().map(square).sum();
        tally.add(f64::from(row[top]), top == class, error);
    }
    Ok(tally.judged())
}

/// Judges yes-or-no questions by the probability of "present".
///
/// # Shapes
/// - `probabilities`: `[clip][unit]`, each 0..1
/// - `shown`: `[clip][unit]`
///
/// # Errors
/// [`CalibrationError`]: nothing given, lists that do not fit together, or what is no
/// probability.
pub fn of_presence<P: AsRef<[f32]>>(
    probabilities: &[P],
    shown: &[Vec<bool>],
) -> Result<PresenceCalibration, CalibrationError> {
    let units = check_presence(probabilities, shown)?;
    check_probabilities(probabilities)?;
    let mut per_unit = vec![Tally::default(); units];
    let mut pooled = Tally::default();
    for (row, shown) in probabilities.iter().zip(shown) {
        for ((&probability, &shown), unit) in row.as_ref().iter().zip(shown).zip(&mut per_unit) {
            let probability = f64::from(probability);
            let error = squared_error(probability, shown);
            unit.add(probability, shown, error);
            pooled.add(probability, shown, error);
        }
    }
    Ok(PresenceCalibration {
        per_unit: per_unit.iter().map(Tally::judged).collect(),
        pooled: pooled.judged(),
    })
}

fn squared_error(probability: f64, came_true: bool) -> f64 {
    let off = probability - if came_true { 1.0 } else { 0.0 };
    off * off
}

/// Sums over statements.
#[derive(Debug, Clone, Default)]
struct Tally {
    counts: [u64; BINS],
    hits: [u64; BINS],
    probability: [f64; BINS],
    squares: f64,
}

impl Tally {
    fn add(&mut self, probability: f64, came_true: bool, square: f64) {
        // The upper edge belongs to a bar, the lower one to the bar below.
        let above = (probability * BINS as f64).ceil() as usize;
        let bin = above.saturating_sub(1).min(BINS - 1);
        self.counts[bin] += 1;
        self.hits[bin] += u64::from(came_true);
        self.probability[bin] += probability;
        self.squares += square;
    }

    fn judged(&self) -> Calibration {
        let count: u64 = self.counts.iter().sum();
        let mean = |sum: f64, count: u64| if count == 0 { 0.0 } else { sum / count as f64 };
        let bin = |bin: usize| Bin {
            low: bin as f64 / BINS as f64,
            high: (bin + 1) as f64 / BINS as f64,
            count: self.counts[bin],
            confidence: mean(self.probability[bin], self.counts[bin]),
            accuracy: mean(self.hits[bin] as f64, self.counts[bin]),
        };
        let bins: Vec<Bin> = (0..BINS).map(bin).collect();
        let apart = |bin: &Bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
        Calibration {
            count,
            expected_error: mean(bins.iter().map(apart).sum(), count),
            brier: mean(self.squares, count),
            bins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{SHARES, classes, units};
    use super::*;
    use crate::explain::calibration::Temperature;

    #[test]
    fn what_is_as_often_true_as_it_says_has_no_calibration_error() {
        let (logits, truth) = classes(1.0);
        let probabilities: Vec<Vec<f32>> = logits
            .iter()
            .map(|row| Temperature::NONE.class_probabilities(row))
            .collect();
        let judged = of_classes(&probabilities, &truth).unwrap();
        assert_eq!((judged.count, judged.bins.len()), (300, BINS));
        assert!(judged.expected_error < 1e-6);
        // Σ p·(1 − p) over 0.7, 0.2 and 0.1.
        assert!((judged.brier - 0.46).abs() < 1e-6);
        let bar = judged.bins[10];
        assert_eq!(bar.count, 300);
        assert!((bar.confidence - 0.7).abs() < 1e-6 && (bar.accuracy - 0.7).abs() < 1e-12);
        assert!(bar.low < 0.7 && bar.high > 0.7);

        let (logits, shown) = units(1.0);
        let probabilities: Vec<Vec<f32>> = logits
            .iter()
            .map(|row| Temperature::NONE.presence_probabilities(row))
            .collect();
        let judged = of_presence(&probabilities, &shown).unwrap();
        assert_eq!((judged.per_unit.len(), judged.pooled.count), (2, 1000));
        let brier = SHARES.iter().map(|p| p * (1.0 - p)).sum::<f64>() / 5.0;
        for part in judged.per_unit.iter().chain([&judged.pooled]) {
            assert!(part.expected_error < 1e-6);
            assert!((part.brier - brier).abs() < 1e-6);
        }
    }

    #[test]
    fn overconfidence_is_its_distance_from_what_happened() {
        // Says 0.9 and is right in six of ten.
        let probabilities = [[0.9_f32, 0.1]; 10];
        let truth = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
        let judged = of_classes(&probabilities, &truth).unwrap();
        assert!((judged.expected_error - 0.3).abs() < 1e-6);
        // 0.6·(0.1² + 0.1²) + 0.4·(0.9² + 0.9²)
        assert!((judged.brier - 0.66).abs() < 1e-6);
        // One unit too high and one as much too low: pooled, in one bar, they cancel.
        let probabilities = [[0.5_f32, 0.5]; 10];
        let shown: Vec<_> = (0..10).map(|clip| vec![clip < 3, clip < 7]).collect();
        let judged = of_presence(&probabilities, &shown).unwrap();
        assert!((judged.per_unit[0].expected_error - 0.2).abs() < 1e-6);
        assert!((judged.per_unit[1].expected_error - 0.2).abs() < 1e-6);
        assert!(judged.pooled.expected_error < 1e-6);
    }

    #[test]
    fn the_ends_belong_to_the_first_and_the_last_bar() {
        let judged = of_presence(&[[0.0_f32], [1.0]], &[vec![false], vec![true]]).unwrap();
        let counts: Vec<u64> = judged.pooled.bins.iter().map(|bin| bin.count).collect();
        assert_eq!((counts[0], counts[BINS - 1]), (1, 1));
        assert!(judged.pooled.expected_error.abs() < 1e-12);
        assert!(judged.pooled.brier.abs() < 1e-12);
    }
}
