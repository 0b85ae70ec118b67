//! What is fitted on subjects that were not learnt from: temperatures, thresholds, and
//! from which uncertainty on no class is named.

use super::corpus::{Measured, Sample, Shown};
use super::trainer::told;
use crate::explain::calibration::{CalibrationError, Temperature};
use crate::explain::uncertainty::{self, UncertaintyError};
use crate::facs::ClassSet;
use crate::model::au_flow::{AuReader, Fitted, Logits, OF_UNIT, Vocabulary, has_halves};
use crate::model::expression_network::{Expression, ExpressionReader};
use crate::model::flow_classifier::FlowClassifier;
use crate::model::motion_map::MotionMap;

/// A unit shown less often in what is fitted on takes the threshold that serves all.
const LEAST_SHOWN: usize = 15;
/// Of the classes that are named, this share is to be right.
const NAMED_RIGHT: f64 = 0.9;
/// But at least this share of the expressions is named.
const LEAST_NAMED: f64 = 0.5;

#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error("no labelled expression with action units could be measured")]
    Empty,
    #[error(
        "its classes are '{0}', and what can be scored is negative, positive, surprise, or the five of CASME II, or SAMM's seven, or none"
    )]
    Classes(String),
    #[error("the network cannot be run: {0}")]
    Device(String),
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    #[error(transparent)]
    Opinions(#[from] UncertaintyError),
}

/// A sample with what the members say of it.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    pub recording: &'a Measured,
    pub sample: &'a Sample,
    pub members: Vec<Logits>,
    /// For each unit that it acts, in the picture's left half, in its right half;
    /// `None` where nobody coded it.
    pub truth: Option<Vec<[bool; OF_UNIT]>>,
    pub class: Option<usize>,
}

/// By which classes labels are to be counted; `None` without classes.
///
/// # Errors
/// Classes that no labels are counted by, or in another order.
pub fn class_set(vocabulary: &Vocabulary) -> Result<Option<ClassSet>, FitError> {
    if vocabulary.classes.is_empty() {
        return Ok(None);
    }
    let set = ClassSet::of_names(&vocabulary.classes);
    let foreign = || FitError::Classes(vocabulary.classes.join(", "));
    set.map(Some).ok_or_else(foreign)
}

/// A network that says of measured expressions what they show.
pub trait Telling {
    /// What its logits stand for; no units where it tells classes alone.
    fn vocabulary(&self) -> &Vocabulary;

    /// Whether a sample has what the network reads.
    fn reads(&self, sample: &Sample) -> bool;

    /// What each member says of each sample, before the temperatures.
    ///
    /// # Errors
    /// When the device fails.
    fn tell(&self, samples: &[&Sample]) -> Result<Vec<Vec<Logits>>, String>;
}

impl Telling for AuReader {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn reads(&self, _: &Sample) -> bool {
        true
    }

    fn tell(&self, samples: &[&Sample]) -> Result<Vec<Vec<Logits>>, String> {
        let maps: Vec<&MotionMap> = samples.iter().map(|s| &s.motion.map).collect();
        self.logits(&maps)
    }
}

impl Telling for ExpressionReader {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn reads(&self, sample: &Sample) -> bool {
        sample.pictures.is_some()
    }

    fn tell(&self, samples: &[&Sample]) -> Result<Vec<Vec<Logits>>, String> {
        let expressions: Option<Vec<Expression>> = (samples.iter())
            .map(|sample| {
                Some(Expression {
                    map: &sample.motion.map,
                    pictures: sample.pictures.as_deref()?,
                })
            })
            .collect();
        self.logits(&expressions.ok_or("an expression has no pictures")?)
    }
}

/// A network on flow images, which tells classes alone.
pub struct FlowTeller {
    classifier: FlowClassifier,
    vocabulary: Vocabulary,
    pub fitted: Fitted,
}

impl FlowTeller {
    /// With the temperature that its card says.
    #[must_use]
    pub fn new(classifier: FlowClassifier, class_temperature: f64) -> Self {
        Self {
            classifier,
            vocabulary: Vocabulary {
                units: Vec::new(),
                classes: ClassSet::Three.names(),
            },
            fitted: Fitted {
                class_temperature,
                ..Fitted::none(0)
            },
        }
    }
}

impl Telling for FlowTeller {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn reads(&self, _: &Sample) -> bool {
        true
    }

    fn tell(&self, samples: &[&Sample]) -> Result<Vec<Vec<Logits>>, String> {
        let images: Vec<&[f32]> = samples.iter().map(|s| s.motion.image.as_slice()).collect();
        let said = self.classifier.probabilities(&images)?;
        let logits = |row: [f32; 3]| Logits {
            units: Vec::new(),
            classes: row.map(|p| p.max(f32::MIN_POSITIVE).ln()).to_vec(),
        };
        Ok(said.into_iter().map(|row| vec![logits(row)]).collect())
    }
}

/// What the network says of labelled expressions and of rest; what is astray or lets go
/// is for learning alone.
///
/// # Errors
/// When the device fails.
pub fn judge<'a>(
    network: &dyn Telling,
    measured: &[&'a Measured],
) -> Result<Vec<Judged<'a>>, FitError> {
    let vocabulary = network.vocabulary();
    let set = class_set(vocabulary)?;
    let asked = |shown: Shown| matches!(shown, Shown::Expression { .. } | Shown::Rest);
    let samples: Vec<(&Measured, &Sample)> = measured
        .iter()
        .flat_map(|m| m.samples.iter().map(move |s| (*m, s)))
        .filter(|(_, sample)| asked(sample.shown) && network.reads(sample))
        .collect();
    let alone: Vec<&Sample> = samples.iter().map(|(_, sample)| *sample).collect();
    let said = network.tell(&alone).map_err(FitError::Device)?;
    Ok((samples.into_iter().zip(said))
        .map(|((recording, sample), members)| Judged {
            recording,
            sample,
            members,
            truth: recording.units(sample).map(|units| told(vocabulary, units)),
            class: set.and_then(|set| recording.class(sample, set)),
        })
        .collect())
}

/// The mean of the members' logits of one unit.
#[must_use]
pub fn mean_logit(members: &[Logits], unit: usize, which: usize) -> f32 {
    let sum: f32 = members.iter().map(|m| m.units[unit][which]).sum();
    sum / members.len() as f32
}

/// The mean of the members' logits of each class.
#[must_use]
pub fn mean_classes(members: &[Logits]) -> Vec<f32> {
    let count = members.first().map_or(0, |m| m.classes.len());
    let mean =
        |class: usize| members.iter().map(|m| m.classes[class]).sum::<f32>() / members.len() as f32;
    (0..count).map(mean).collect()
}

/// Fits everything on these recordings.
///
/// # Errors
/// When there is nothing to fit on or the network fails.
pub fn fit(network: &dyn Telling, held_out: &[&Measured]) -> Result<Fitted, FitError> {
    let vocabulary = network.vocabulary();
    let judged = judge(network, held_out)?;
    let classed: Vec<&Judged> = judged.iter().filter(|j| j.class.is_some()).collect();
    let (class_temperature, abstain_above) = fit_classes(&classed)?;
    let units = vocabulary.units.len();
    if units == 0 {
        return Ok(Fitted {
            class_temperature,
            abstain_above,
            ..Fitted::none(0)
        });
    }
    // Rest is judged by itself: what is asked later was spotted before.
    let coded: Vec<(&Judged, &Vec<[bool; OF_UNIT]>)> = (judged.iter())
        .filter(|j| matches!(j.sample.shown, Shown::Expression { .. }))
        .filter_map(|j| Some((j, j.truth.as_ref()?)))
        .collect();
    if coded.is_empty() {
        return Err(FitError::Empty);
    }
    let logits: Vec<Vec<f32>> = (coded.iter())
        .map(|(j, _)| (0..units).map(|u| mean_logit(&j.members, u, 0)).collect())
        .collect();
    let shown: Vec<Vec<bool>> = (coded.iter())
        .map(|(_, truth)| truth.iter().map(|t| t[0]).collect())
        .collect();
    let unit_temperature = Temperature::fit_presence(&logits, &shown)?;
    let probabilities: Vec<Vec<f32>> = (logits.iter())
        .map(|row| unit_temperature.presence_probabilities(row))
        .collect();
    Ok(Fitted {
        unit_temperature: unit_temperature.value(),
        class_temperature,
        thresholds: thresholds(&probabilities, &shown),
        side_threshold: side_threshold(&coded, vocabulary, unit_temperature),
        abstain_above,
    })
}

/// Candidates for a threshold.
fn grid() -> impl Iterator<Item = f64> {
    (5..=45).map(|i| f64::from(i) * 0.02)
}

/// F1 of "shown" above a threshold.
fn f1(probabilities: &[Vec<f32>], shown: &[Vec<bool>], unit: usize, threshold: f64) -> f64 {
    let (mut hits, mut errors) = (0_u32, 0_u32);
    for (row, shown) in probabilities.iter().zip(shown) {
        match (f64::from(row[unit]) >= threshold, shown[unit]) {
            (true, true) => hits += 1,
            (false, false) => {}
            _ => errors += 1,
        }
    }
    f64::from(2 * hits) / f64::from((2 * hits + errors).max(1))
}

/// For each unit the threshold of the best F1; for one that is shown rarely the
/// threshold of the best mean.
fn thresholds(probabilities: &[Vec<f32>], shown: &[Vec<bool>]) -> Vec<f64> {
    let units = shown.first().map_or(0, Vec::len);
    let mean = |threshold: f64| -> f64 {
        (0..units)
            .map(|unit| f1(probabilities, shown, unit, threshold))
            .sum()
    };
    let common = best_of(mean);
    (0..units)
        .map(|unit| {
            let count = shown.iter().filter(|row| row[unit]).count();
            if count < LEAST_SHOWN {
                return common;
            }
            // Where several are as good, the middle of them.
            let own = best_of(|threshold| f1(probabilities, shown, unit, threshold));
            // Few examples draw a threshold far: what all say counts too.
            let trust = count as f64 / (count + LEAST_SHOWN) as f64;
            trust * own + (1.0 - trust) * common
        })
        .collect()
}

/// The threshold of the greatest value; the mean of those that share it.
fn best_of(value: impl Fn(f64) -> f64) -> f64 {
    let values: Vec<(f64, f64)> = grid().map(|t| (t, value(t))).collect();
    let greatest = values.iter().map(|v| v.1).fold(f64::MIN, f64::max);
    let best: Vec<f64> = (values.iter())
        .filter(|v| v.1 >= greatest - 1e-9)
        .map(|v| v.0)
        .collect();
    best.iter().sum::<f64>() / best.len().max(1) as f64
}

/// Which threshold tells one half from both best, both being as important as one.
fn side_threshold(
    coded: &[(&Judged, &Vec<[bool; OF_UNIT]>)],
    vocabulary: &Vocabulary,
    warmth: Temperature,
) -> f64 {
    let mut halves = Vec::new();
    for (judged, truth) in coded {
        for (unit, truth) in truth.iter().enumerate() {
            if truth[0] && has_halves(vocabulary.units[unit]) {
                let p = [1, 2].map(|which| {
                    let logit = mean_logit(&judged.members, unit, which);
                    f64::from(warmth.presence_probabilities(&[logit])[0])
                });
                halves.push((p, [truth[1], truth[2]]));
            }
        }
    }
    let right = |one: bool, threshold: f64| {
        let of_those = halves.iter().filter(|(_, t)| (t[0] != t[1]) == one);
        let (mut right, mut all) = (0_u32, 0_u32);
        for (p, truth) in of_those {
            let said = p.map(|p| p >= threshold);
            // Neither half is taken for both.
            let said = if said == [false; 2] { [true; 2] } else { said };
            right += u32::from(said == *truth);
            all += 1;
        }
        f64::from(right) / f64::from(all.max(1))
    };
    if halves.is_empty() {
        return 0.5;
    }
    best_of(|threshold| right(true, threshold) + right(false, threshold))
}

/// The temperature, and the uncertainty above which no class is named.
fn fit_classes(classed: &[&Judged]) -> Result<(f64, f64), FitError> {
    if classed.is_empty() {
        return Ok((1.0, 1.0));
    }
    let logits: Vec<Vec<f32>> = classed.iter().map(|j| mean_classes(&j.members)).collect();
    let truth: Vec<usize> = classed.iter().filter_map(|j| j.class).collect();
    let warmth = Temperature::fit_classes(&logits, &truth)?;
    let mut said = Vec::new();
    for (judged, truth) in classed.iter().zip(&truth) {
        let opinions: Vec<Vec<f32>> = (judged.members.iter())
            .map(|member| warmth.class_probabilities(&member.classes))
            .collect();
        let joint = uncertainty::of_classes(&opinions)?;
        let best = crate::training::recognition::learner::best(&joint.mean);
        said.push((joint.uncertainty.total, best == *truth));
    }
    Ok((warmth.value(), abstain_above(said)))
}

/// The largest uncertainty below which enough of the named classes are right.
fn abstain_above(mut said: Vec<(f64, bool)>) -> f64 {
    said.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut right, mut limit) = (0.0, 0.0);
    for (at, (uncertainty, is_right)) in said.iter().enumerate() {
        right += f64::from(u8::from(*is_right));
        let named = (at + 1) as f64;
        if right / named >= NAMED_RIGHT || named <= LEAST_NAMED * said.len() as f64 {
            limit = *uncertainty;
        }
    }
    // Where all may be named, none is ever too uncertain.
    if said.last().is_some_and(|last| last.0 <= limit) {
        1.0
    } else {
        limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_lies_where_f1_is_best_and_rare_units_take_the_common_one() {
        // Unit 0 is shown from 0.3 on, unit 1 from 0.7 on, unit 2 hardly ever.
        let rows: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        let probabilities: Vec<Vec<f32>> = rows.iter().map(|&p| vec![p; 3]).collect();
        let shown: Vec<Vec<bool>> = rows
            .iter()
            .map(|&p| vec![p >= 0.3, p >= 0.7, p == 0.5])
            .collect();
        let found = thresholds(&probabilities, &shown);
        // On the mean 0.3 is best: the first unit's own. Thirty examples of the second
        // count twice as much as what all say, one of the third not at all.
        assert!((found[0] - 0.3).abs() < 1e-9 && (found[2] - 0.3).abs() < 1e-9);
        assert!(
            (found[1] - (2.0 * 0.7 + 0.3) / 3.0).abs() < 1e-9,
            "{found:?}"
        );
    }

    #[test]
    fn so_much_is_named_that_nine_of_ten_are_right_or_half() {
        let said = |wrong_from: usize| {
            (0..100)
                .map(|i| (i as f64 / 100.0, i < wrong_from))
                .collect()
        };
        assert_eq!(abstain_above(said(100)), 1.0);
        // 72 right and 8 wrong are nine of ten.
        assert!((abstain_above(said(72)) - 0.79).abs() < 1e-9);
        assert!((abstain_above(said(10)) - 0.49).abs() < 1e-9);
    }
}
