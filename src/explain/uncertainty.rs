//! How unsure several opinions are, and why: because the clip is ambiguous, or because
//! the networks have not learnt enough (Smith and Gal, UAI 2018; Depeweg, Hernández-
//! Lobato, Doshi-Velez, Udluft, ICML 2018).
//!
//! The opinions are probabilities of the members of an ensemble, or of passes through
//! one network with dropout left on. The entropy of their mean is the whole
//! uncertainty. The mean of their entropies is what each opinion admits by itself, the
//! *aleatoric* part, which more training data would not take away. The rest is their
//! disagreement, the mutual information between answer and opinion, the *epistemic*
//! part. Every figure is over the greatest entropy there can be, so 0 is certain and 1
//! says nothing.
//!
//! The mean here is the arithmetic one, which the decomposition needs. A
//! [`FlowClassifier`](crate::model::flow_classifier::FlowClassifier) decides by the mean
//! of logarithms; the two can name different classes where opinions are far apart.

use serde::{Deserialize, Serialize};

/// How far the probabilities of exclusive classes may sum from 1.
const SUM_TOLERANCE: f64 = 1e-3;

/// Why opinions cannot be joined. Members count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UncertaintyError {
    #[error("there is no opinion to join")]
    Empty,
    #[error("member {member} gives {found} probabilities where member 0 gives {wanted}")]
    Width {
        member: usize,
        found: usize,
        wanted: usize,
    },
    #[error("member {member} gives {value}, which is no probability")]
    NoProbability { member: usize, value: f32 },
    #[error("member {member} gives classes whose probabilities sum to {sum}")]
    NoWhole { member: usize, sum: f64 },
}

/// An uncertainty and its two parts, each 0..1 of the greatest possible entropy;
/// `aleatoric` + `epistemic` = `total`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Entropy of the mean opinion.
    pub total: f64,
    /// Mean entropy of the opinions: the clip's own ambiguity, as the members see it.
    pub aleatoric: f64,
    /// What is left: how much the members contradict each other. 0 for a single member,
    /// which is no sign of knowledge.
    pub epistemic: f64,
}

/// What several members say of exclusive classes.
#[derive(Debug, Clone, PartialEq)]
pub struct JointClasses {
    /// Mean probability of each class, 0..1 and 1 in sum.
    pub mean: Vec<f32>,
    /// Over ln(classes).
    pub uncertainty: Uncertainty,
}

/// What several members say of one yes-or-no question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointUnit {
    /// Mean probability of presence, 0..1.
    pub mean: f32,
    /// Over ln 2.
    pub uncertainty: Uncertainty,
}

/// Joins opinions about exclusive classes. With a single class nothing is uncertain.
///
/// # Shapes
/// - `members`: `[member][class]`, each 0..1, each row summing to 1
///
/// # Errors
/// [`UncertaintyError`]: no member or no class, rows of different widths, or what are
/// no probabilities of exclusive classes.
pub fn of_classes<P: AsRef<[f32]>>(members: &[P]) -> Result<JointClasses, UncertaintyError> {
    let classes = width(members)?;
    let count = members.len() as f64;
    let mut mean = vec![0.0_f64; classes];
    let mut entropies = 0.0;
    for (member, row) in members.iter().enumerate() {
        let row = row.as_ref();
        let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(UncertaintyError::NoWhole { member, sum });
        }
        // Rounding in single precision must not pass for uncertainty.
        let shares = row.iter().map(|&p| f64::from(p) / sum);
        for (mean, share) in mean.iter_mut().zip(shares.clone()) {
            *mean += share / count;
        }
        entropies += entropy(shares);
    }
    let greatest = (classes as f64).ln();
    Ok(JointClasses {
        uncertainty: parted(entropy(mean.iter().copied()), entropies / count, greatest),
        mean: mean.iter().map(|&mean| mean as f32).collect(),
    })
}

/// Joins opinions about yes-or-no questions, each by itself, in the order of the units.
///
/// # Shapes
/// - `members`: `[member][unit]`, probabilities of presence, 0..1
///
/// # Errors
/// [`UncertaintyError`]: no member or no unit, rows of different widths, or what is no
/// probability.
pub fn of_units<P: AsRef<[f32]>>(members: &[P]) -> Result<Vec<JointUnit>, UncertaintyError> {
    let units = width(members)?;
    let count = members.len() as f64;
    let binary = |present: f64| entropy([present, 1.0 - present].into_iter());
    let joint = |unit: usize| {
        let (mut mean, mut entropies) = (0.0, 0.0);
        for row in members {
            let present = f64::from(row.as_ref()[unit]).min(1.0);
            mean += present / count;
            entropies += binary(present) / count;
        }
        JointUnit {
            mean: mean as f32,
            uncertainty: parted(binary(mean), entropies, std::f64::consts::LN_2),
        }
    };
    Ok((0..units).map(joint).collect())
}

/// The members' common number of probabilities, each of which is one.
fn width<P: AsRef<[f32]>>(members: &[P]) -> Result<usize, UncertaintyError> {
    let wanted = members.first().map_or(0, |row| row.as_ref().len());
    if wanted == 0 {
        return Err(UncertaintyError::Empty);
    }
    for (member, row) in members.iter().enumerate() {
        let row = row.as_ref();
        if row.len() != wanted {
            let found = row.len();
            return Err(UncertaintyError::Width {
                member,
                found,
                wanted,
            });
        }
        let bad = |value: &f32| !(0.0..=1.0 + 1e-5).contains(value);
        if let Some(value) = row.iter().copied().find(bad) {
            return Err(UncertaintyError::NoProbability { member, value });
        }
    }
    Ok(wanted)
}

/// In nats; what has no probability adds nothing.
fn entropy(probabilities: impl Iterator<Item = f64>) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    probabilities.map(part).sum()
}

/// The entropy of the mean and the mean entropy, over the greatest entropy. The first
/// is never less than the second (Jensen), but by rounding.
fn parted(total: f64, aleatoric: f64, greatest: f64) -> Uncertainty {
    if greatest <= 0.0 {
        return Uncertainty::default();
    }
    let total = (total / greatest).clamp(0.0, 1.0);
    let aleatoric = (aleatoric / greatest).clamp(0.0, total);
    Uncertainty {
        total,
        aleatoric,
        epistemic: total - aleatoric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Uncertainty, [total, aleatoric, epistemic]: [f64; 3]) {
        for (found, wanted) in [
            (found.total, total),
            (found.aleatoric, aleatoric),
            (found.epistemic, epistemic),
        ] {
            assert!((found - wanted).abs() < 1e-6, "{found} for {wanted}");
        }
    }

    #[test]
    fn members_that_are_unsure_alike_find_the_clip_ambiguous() {
        let joint = of_classes(&[[1.0_f32 / 3.0; 3]; 4]).unwrap();
        near(joint.uncertainty, [1.0, 1.0, 0.0]);
        assert!(joint.mean.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6));
        let units = of_units(&[[0.5_f32, 1.0]; 3]).unwrap();
        near(units[0].uncertainty, [1.0, 1.0, 0.0]);
        near(units[1].uncertainty, [0.0, 0.0, 0.0]);
    }

    #[test]
    fn members_that_are_sure_of_different_things_do_not_know() {
        let joint = of_classes(&[[1.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).unwrap();
        near(joint.uncertainty, [1.0, 0.0, 1.0]);
        // Two of three classes: ln 2 of ln 3.
        let joint = of_classes(&[[1.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0]]).unwrap();
        let half = 2.0_f64.ln() / 3.0_f64.ln();
        near(joint.uncertainty, [half, 0.0, half]);
        let units = of_units(&[[1.0_f32], [0.0]]).unwrap();
        near(units[0].uncertainty, [1.0, 0.0, 1.0]);
        assert!((units[0].mean - 0.5).abs() < 1e-7);
    }

    #[test]
    fn the_parts_are_those_of_the_formulas_and_make_up_the_whole() {
        // By hand: H(0.7) of the mean 0.7; mean of H(0.9) and H(0.5).
        let h = |p: f64| -(p * p.log2() + (1.0 - p) * (1.0 - p).log2());
        let units = of_units(&[[0.9_f32], [0.5]]).unwrap();
        let aleatoric = f64::midpoint(h(0.9), 1.0);
        near(
            units[0].uncertainty,
            [h(0.7), aleatoric, h(0.7) - aleatoric],
        );
        // A question is two classes.
        let classes = of_classes(&[[0.9_f32, 0.1], [0.5, 0.5]]).unwrap();
        near(classes.uncertainty, [h(0.7), aleatoric, h(0.7) - aleatoric]);
        let sum = classes.uncertainty.aleatoric + classes.uncertainty.epistemic;
        assert!((sum - classes.uncertainty.total).abs() < 1e-12);
    }

    #[test]
    fn one_member_has_nobody_to_contradict() {
        let joint = of_classes(&[[0.8_f32, 0.1, 0.1]]).unwrap();
        assert!(joint.uncertainty.epistemic.abs() < 1e-12 && joint.uncertainty.total > 0.5);
        near(of_classes(&[[1.0_f32]]).unwrap().uncertainty, [0.0; 3]);
    }

    #[test]
    fn what_is_no_opinion_is_refused_and_its_member_named() {
        let none: [[f32; 3]; 0] = [];
        assert_eq!(of_classes(&none), Err(UncertaintyError::Empty));
        assert_eq!(
            of_units(&[vec![0.5_f32, 0.5], vec![0.5]]),
            Err(UncertaintyError::Width {
                member: 1,
                found: 1,
                wanted: 2
            })
        );
        assert!(matches!(
            of_units(&[[0.5_f32], [f32::NAN]]),
            Err(UncertaintyError::NoProbability { member: 1, .. })
        ));
        assert!(matches!(
            of_classes(&[[0.9_f32, 0.9]]),
            Err(UncertaintyError::NoWhole { member: 0, .. })
        ));
    }
}
