//! What logits are divided by so that their probabilities come true as often as they say.

use serde::{Deserialize, Serialize};

use super::checks::{CalibrationError, check_classes, check_logits, check_presence};

/// The least temperature that a fit gives: logits twenty times as large.
pub const COOLEST: f64 = 0.05;
/// The greatest one: logits a twentieth as large.
pub const HOTTEST: f64 = 20.0;

/// Rounds of the golden section: the range of ln T shrinks below 1e-10.
const ROUNDS: usize = 56;

/// What logits are divided by before they become probabilities. Above 1 it takes
/// confidence away, below 1 it adds some; the order of the classes stays, and so does
/// which units lie above a logit of 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl Default for Temperature {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or(format!(
            "the temperature {value} is not in {COOLEST}..{HOTTEST}"
        ))
    }
}

impl Temperature {
    /// Leaves logits as they are.
    pub const NONE: Self = Self(1.0);

    /// This temperature; `None` outside of [`COOLEST`]..[`HOTTEST`].
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (COOLEST..=HOTTEST).contains(&value).then_some(Self(value))
    }

    /// [`COOLEST`]..[`HOTTEST`].
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// Whether a fit ended where it had to: held-out logits that are always right (or
    /// always wrong) have no best temperature, and this one says little.
    #[must_use]
    pub fn is_at_limit(self) -> bool {
        self.0 <= COOLEST || self.0 >= HOTTEST
    }

    /// One temperature for a normalised exponential over classes: the one under which
    /// the held-out truth is likeliest; 1 where no other is better.
    ///
    /// # Shapes
    /// - `logits`: `[clip][class]`
    /// - `truth`: `[clip]`, class numbers from 0
    ///
    /// # Errors
    /// [`CalibrationError`]: nothing given, lists that do not fit together, or a logit
    /// that is not finite.
    pub fn fit_classes<L: AsRef<[f32]>>(
        logits: &[L],
        truth: &[usize],
    ) -> Result<Self, CalibrationError> {
        check_classes(logits, truth)?;
        check_logits(logits)?;
        Ok(least_loss(|t| classes_loss(logits, truth, t)))
    }

    /// One temperature for a set of yes-or-no logits, all units together: a rare unit
    /// alone has too few clips to fit one of its own.
    ///
    /// # Shapes
    /// - `logits`: `[clip][unit]`; above 0 is "present"
    /// - `shown`: `[clip][unit]`
    ///
    /// # Errors
    /// [`CalibrationError`]: nothing given, lists that do not fit together, or a logit
    /// that is not finite.
    pub fn fit_presence<L: AsRef<[f32]>>(
        logits: &[L],
        shown: &[Vec<bool>],
    ) -> Result<Self, CalibrationError> {
        check_presence(logits, shown)?;
        check_logits(logits)?;
        Ok(least_loss(|t| presence_loss(logits, shown, t)))
    }

    /// Logits of either kind, divided by the temperature.
    #[must_use]
    pub fn apply(self, logits: &[f32]) -> Vec<f32> {
        let cooled = |&logit: &f32| (f64::from(logit) / self.0) as f32;
        logits.iter().map(cooled).collect()
    }

    /// Probabilities of exclusive classes, 0..1 and 1 in sum.
    #[must_use]
    pub fn class_probabilities(self, logits: &[f32]) -> Vec<f32> {
        let top = greatest(logits);
        let share = |&logit: &f32| ((f64::from(logit) - top) / self.0).exp();
        let shares: Vec<f64> = logits.iter().map(share).collect();
        let total: f64 = shares.iter().sum();
        shares.iter().map(|share| (share / total) as f32).collect()
    }

    /// Each unit's probability of presence, 0..1.
    #[must_use]
    pub fn presence_probabilities(self, logits: &[f32]) -> Vec<f32> {
        let presence = |&logit: &f32| (1.0 / (1.0 + (-f64::from(logit) / self.0).exp())) as f32;
        logits.iter().map(presence).collect()
    }
}

/// Mean negative log-likelihood of the true classes in nats a clip.
fn classes_loss<L: AsRef<[f32]>>(logits: &[L], truth: &[usize], temperature: f64) -> f64 {
    let loss = |(row, &class): (&L, &usize)| {
        let row = row.as_ref();
        // Less the greatest, so that no exponential overflows.
        let top = greatest(row);
        let cooled = |logit: f32| (f64::from(logit) - top) / temperature;
        let total: f64 = row.iter().map(|&logit| cooled(logit).exp()).sum();
        total.ln() - cooled(row[class])
    };
    logits.iter().zip(truth).map(loss).sum::<f64>() / logits.len() as f64
}

/// Mean negative log-likelihood in nats a question.
fn presence_loss<L: AsRef<[f32]>>(logits: &[L], shown: &[Vec<bool>], temperature: f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for (row, shown) in logits.iter().zip(shown) {
        for (&logit, &shown) in row.as_ref().iter().zip(shown) {
            let cooled = f64::from(logit) / temperature;
            // ln(1 + eᶻ), less z where the unit is shown; by −|z| nothing overflows.
            sum += cooled.max(0.0) + (-cooled.abs()).exp().ln_1p();
            sum -= if shown { cooled } else { 0.0 };
            count += 1;
        }
    }
    sum / count as f64
}

/// The temperature of the least loss, by golden section over ln T. The loss is convex
/// in 1/T (a sum of log-sums of exponentials of lines), so along ln T it falls and then
/// rises and the section cannot end in a side valley.
fn least_loss(loss: impl Fn(f64) -> f64) -> Temperature {
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = (COOLEST.ln(), HOTTEST.ln());
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (loss(left.exp()), loss(right.exp()));
    for _ in 0..ROUNDS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = loss(left.exp());
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = loss(right.exp());
        }
    }
    // The section never tries the ends themselves, nor knows that 1 changes nothing.
    let mut best = (1.0, loss(1.0));
    for candidate in [COOLEST, HOTTEST, f64::midpoint(low, high).exp()] {
        let found = loss(candidate);
        if found < best.1 {
            best = (candidate, found);
        }
    }
    Temperature(best.0)
}

fn greatest(row: &[f32]) -> f64 {
    f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{classes, units};
    use super::*;
    use crate::explain::calibration::of_classes;

    #[test]
    fn the_factor_of_the_logits_is_the_temperature_found() {
        for factor in [0.1, 0.4, 1.0, 2.5, 12.0] {
            let (logits, truth) = classes(factor);
            let found = Temperature::fit_classes(&logits, &truth).unwrap();
            assert!((found.value() / factor - 1.0).abs() < 1e-4, "{found:?}");
            let (logits, shown) = units(factor);
            let found = Temperature::fit_presence(&logits, &shown).unwrap();
            assert!((found.value() / factor - 1.0).abs() < 1e-4, "{found:?}");
            assert!(!found.is_at_limit());
        }
    }

    #[test]
    fn the_temperature_found_takes_the_calibration_error_away() {
        let (logits, truth) = classes(3.0);
        let found = Temperature::fit_classes(&logits, &truth).unwrap();
        let error = |temperature: Temperature| {
            let probabilities: Vec<Vec<f32>> = logits
                .iter()
                .map(|row| temperature.class_probabilities(&shifted(row)))
                .collect();
            of_classes(&probabilities, &truth).unwrap().expected_error
        };
        assert!(error(Temperature::NONE) > 0.2 && error(found) < 1e-4);
        let loss = |t: Temperature| classes_loss(&logits, &truth, t.value());
        assert!(loss(found) < loss(Temperature::NONE));
        // Divided first or divided inside: the same probabilities.
        let divided = Temperature::NONE.class_probabilities(&found.apply(&logits[0]));
        let inside = found.class_probabilities(&logits[0]);
        assert!(
            divided
                .iter()
                .zip(&inside)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
    }

    /// What is added to all logits of a row changes nothing.
    fn shifted(row: &[f32; 3]) -> Vec<f32> {
        row.iter().map(|logit| logit - 7.0).collect()
    }

    #[test]
    fn without_a_best_temperature_the_limit_is_given_and_told() {
        let right = Temperature::fit_classes(&[[2.0_f32, 0.0], [0.0, 2.0]], &[0, 1]).unwrap();
        assert_eq!((right.value(), right.is_at_limit()), (COOLEST, true));
        let wrong = Temperature::fit_presence(&[[3.0_f32], [-3.0]], &[vec![false], vec![true]]);
        assert_eq!(wrong.unwrap().value(), HOTTEST);
        // Nothing to tell apart: nothing is changed.
        let level = Temperature::fit_classes(&[[1.0_f32, 1.0]; 4], &[0, 1, 1, 1]).unwrap();
        assert_eq!(level, Temperature::NONE);
        assert_eq!(Temperature::new(0.01), None);
        assert_eq!(Temperature::new(f64::NAN), None);
        assert!(serde_json::from_str::<Temperature>("21.0").is_err());
        assert_eq!(serde_json::to_string(&level).unwrap(), "1.0");
    }
}
