//! Whether a network is right as often as it says, and a temperature that makes it so
//! (Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017).
//!
//! Two kinds of statement are judged. A classifier of exclusive classes is judged by
//! its *confidence*, the probability of the class it names, against how often that
//! class is the right one. Action units are yes-or-no questions, so each is judged by
//! its *probability of presence* against how often the unit is shown; the probability
//! of the likelier answer would hide a unit that is announced too seldom.
//!
//! A temperature is fitted on logits that were neither trained nor are tested on.

use serde::{Deserialize, Serialize};

/// Bins of a reliability diagram (Guo et al., section 2: M = 15).
pub const BINS: usize = 15;
/// The least temperature that a fit gives: logits twenty times as large.
pub const COOLEST: f64 = 0.05;
/// The greatest one: logits a twentieth as large.
pub const HOTTEST: f64 = 20.0;

/// Rounds of the golden section: the range of ln T shrinks below 1e-10.
const ROUNDS: usize = 56;

/// Why predictions cannot be judged. Rows count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    #[error("there is nothing to judge: no prediction was given")]
    Empty,
    #[error("there are {predictions} rows of predictions and {truths} truths")]
    Lengths { predictions: usize, truths: usize },
    #[error("row {row} holds {found} values where {wanted} are needed")]
    Width {
        row: usize,
        found: usize,
        wanted: usize,
    },
    #[error("row {row} is of class {class}, and the classes are 0..{classes}")]
    Class {
        row: usize,
        class: usize,
        classes: usize,
    },
    #[error("row {row} holds {value}, which is no probability")]
    NoProbability { row: usize, value: f32 },
    #[error("row {row} holds {value}, which is no logit")]
    NoLogit { row: usize, value: f32 },
}

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

    /// Mean negative log-likelihood of the true classes in nats a clip, which
    /// [`Self::fit_classes`] makes least.
    ///
    /// # Errors
    /// As [`Self::fit_classes`].
    pub fn loss_of_classes<L: AsRef<[f32]>>(
        self,
        logits: &[L],
        truth: &[usize],
    ) -> Result<f64, CalibrationError> {
        check_classes(logits, truth)?;
        check_logits(logits)?;
        Ok(classes_loss(logits, truth, self.0))
    }

    /// Mean negative log-likelihood in nats a question, which [`Self::fit_presence`]
    /// makes least.
    ///
    /// # Errors
    /// As [`Self::fit_presence`].
    pub fn loss_of_presence<L: AsRef<[f32]>>(
        self,
        logits: &[L],
        shown: &[Vec<bool>],
    ) -> Result<f64, CalibrationError> {
        check_presence(logits, shown)?;
        check_logits(logits)?;
        Ok(presence_loss(logits, shown, self.0))
    }
}

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

fn check_lengths(predictions: usize, truths: usize) -> Result<(), CalibrationError> {
    if predictions != truths {
        return Err(CalibrationError::Lengths {
            predictions,
            truths,
        });
    }
    if predictions == 0 {
        return Err(CalibrationError::Empty);
    }
    Ok(())
}

/// Rows of one width, at least one class, and truths among them.
fn check_classes<R: AsRef<[f32]>>(rows: &[R], truth: &[usize]) -> Result<(), CalibrationError> {
    check_lengths(rows.len(), truth.len())?;
    let classes = rows[0].as_ref().len();
    for (row, (values, &class)) in rows.iter().zip(truth).enumerate() {
        check_width(row, values.as_ref().len(), classes)?;
        if class >= classes {
            return Err(CalibrationError::Class {
                row,
                class,
                classes,
            });
        }
    }
    Ok(())
}

/// Rows of one width on both sides; gives the number of units, at least one.
fn check_presence<R: AsRef<[f32]>>(
    rows: &[R],
    shown: &[Vec<bool>],
) -> Result<usize, CalibrationError> {
    check_lengths(rows.len(), shown.len())?;
    let units = rows[0].as_ref().len();
    if units == 0 {
        return Err(CalibrationError::Empty);
    }
    for (row, (values, shown)) in rows.iter().zip(shown).enumerate() {
        check_width(row, values.as_ref().len(), units)?;
        check_width(row, shown.len(), units)?;
    }
    Ok(units)
}

fn check_width(row: usize, found: usize, wanted: usize) -> Result<(), CalibrationError> {
    if found == wanted {
        Ok(())
    } else {
        Err(CalibrationError::Width { row, found, wanted })
    }
}

fn check_probabilities<R: AsRef<[f32]>>(rows: &[R]) -> Result<(), CalibrationError> {
    // Sums of shares may pass 1 by a rounding.
    let bad = |value: f32| !(0.0..=1.0 + 1e-5).contains(&value);
    match first(rows, bad) {
        Some((row, value)) => Err(CalibrationError::NoProbability { row, value }),
        None => Ok(()),
    }
}

fn check_logits<R: AsRef<[f32]>>(rows: &[R]) -> Result<(), CalibrationError> {
    match first(rows, |value| !value.is_finite()) {
        Some((row, value)) => Err(CalibrationError::NoLogit { row, value }),
        None => Ok(()),
    }
}

/// The first value for which this holds, with its row.
fn first<R: AsRef<[f32]>>(rows: &[R], holds: impl Fn(f32) -> bool) -> Option<(usize, f32)> {
    rows.iter().enumerate().find_map(|(row, values)| {
        let found = values.as_ref().iter().copied().find(|&value| holds(value));
        found.map(|value| (row, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a hundred clips at each of these shares, so many show the unit.
    const SHARES: [f64; 5] = [0.05, 0.2, 0.5, 0.7, 0.98];

    /// Two units' logits that are `factor` times what the shares warrant.
    fn units(factor: f64) -> (Vec<[f32; 2]>, Vec<Vec<bool>>) {
        let (mut logits, mut shown) = (Vec::new(), Vec::new());
        for (level, share) in SHARES.into_iter().enumerate() {
            let other = SHARES[SHARES.len() - 1 - level];
            for clip in 0..100 {
                let logit = |share: f64| (factor * (share / (1.0 - share)).ln()) as f32;
                logits.push([logit(share), logit(other)]);
                let among = |share: f64| f64::from(clip) + 0.5 < 100.0 * share;
                shown.push(vec![among(share), among(other)]);
            }
        }
        (logits, shown)
    }

    /// A hundred clips of which 70, 20 and 10 are of the three classes, twice with the
    /// classes turned round; logits `factor` times what that warrants.
    fn classes(factor: f64) -> (Vec<[f32; 3]>, Vec<usize>) {
        let shares = [0.7_f64, 0.2, 0.1];
        let (mut logits, mut truth) = (Vec::new(), Vec::new());
        for turn in 0..3 {
            for clip in 0..100 {
                let row: [f32; 3] =
                    std::array::from_fn(|c| (factor * shares[(c + turn) % 3].ln()) as f32 + 3.0);
                logits.push(row);
                let place = usize::from(clip >= 70) + usize::from(clip >= 90);
                truth.push((place + 3 - turn) % 3);
            }
        }
        (logits, truth)
    }

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
        let loss = |t: Temperature| t.loss_of_classes(&logits, &truth).unwrap();
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

    #[test]
    fn what_does_not_fit_together_is_refused_and_named() {
        let none: [[f32; 2]; 0] = [];
        assert_eq!(of_classes(&none, &[]), Err(CalibrationError::Empty));
        assert_eq!(
            of_classes(&[[0.5_f32, 0.5]], &[0, 1]),
            Err(CalibrationError::Lengths {
                predictions: 1,
                truths: 2
            })
        );
        assert_eq!(
            of_classes(&[[0.5_f32, 0.5]], &[2]),
            Err(CalibrationError::Class {
                row: 0,
                class: 2,
                classes: 2
            })
        );
        assert_eq!(
            of_presence(&[vec![0.5_f32], vec![0.5, 0.5]], &[vec![true], vec![true]]),
            Err(CalibrationError::Width {
                row: 1,
                found: 2,
                wanted: 1
            })
        );
        assert!(matches!(
            of_classes(&[[f32::NAN, 0.5]], &[1]),
            Err(CalibrationError::NoProbability { row: 0, .. })
        ));
        assert!(matches!(
            Temperature::fit_classes(&[[0.0_f32, 1.0], [f32::INFINITY, 0.5]], &[1, 1]),
            Err(CalibrationError::NoLogit { row: 1, .. })
        ));
    }
}
