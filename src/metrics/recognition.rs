//! How well classes are told apart (MEGC 2019: pooled over all folds of a protocol,
//! never averaged over folds).
//!
//! Ratios whose denominator is 0 count as 0 and stay in the means, so that a class
//! nobody showed or nobody guessed lowers a score instead of vanishing from it.

use serde::{Deserialize, Serialize};

/// One class of a [`RecognitionScore`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ClassScore {
    /// Clips of this class.
    pub truths: u64,
    /// Clips taken for this class.
    pub predictions: u64,
    /// 0..1.
    pub precision: f64,
    /// 0..1.
    pub recall: f64,
    /// 2·TP / (2·TP + FP + FN), 0..1.
    pub f1: f64,
}

/// All ratios are 0..1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecognitionScore {
    /// Clips counted.
    pub clips: u64,
    /// Correct clips by all clips.
    pub accuracy: f64,
    /// Unweighted F1: the mean over classes of the F1 of summed counts.
    pub uf1: f64,
    /// Unweighted average recall: the mean over classes of TP by truths.
    pub uar: f64,
    /// Unweighted average precision. Some papers print it as UAR.
    pub uap: f64,
    /// Another name of `uf1`, as recognition outside MEGC calls it.
    pub macro_f1: f64,
    /// F1 of counts summed over classes; equals accuracy where each clip has one class.
    pub micro_f1: f64,
    /// Mean of the classes' F1, weighted by their number of true clips.
    pub weighted_f1: f64,
    /// `[truth][prediction]`, square.
    pub confusion: Vec<Vec<u64>>,
    /// In the order of the classes.
    pub per_class: Vec<ClassScore>,
}

impl RecognitionScore {
    /// From counts `[truth][prediction]`, square; counts of several folds are added
    /// before they come here.
    #[must_use]
    pub fn of_confusion(confusion: Vec<Vec<u64>>) -> Self {
        let classes = confusion.len();
        let per_class: Vec<ClassScore> = (0..classes)
            .map(|c| {
                let hits = confusion[c][c];
                let truths: u64 = confusion[c].iter().sum();
                let predictions: u64 = confusion.iter().map(|row| row[c]).sum();
                ClassScore {
                    truths,
                    predictions,
                    precision: ratio(hits, predictions),
                    recall: ratio(hits, truths),
                    f1: ratio(2 * hits, truths + predictions),
                }
            })
            .collect();
        let clips: u64 = per_class.iter().map(|c| c.truths).sum();
        let hits: u64 = (0..classes).map(|c| confusion[c][c]).sum();
        let mean = |of: fn(&ClassScore) -> f64| {
            per_class.iter().map(of).sum::<f64>() / classes.max(1) as f64
        };
        let uf1 = mean(|c| c.f1);
        let weighted: f64 = per_class.iter().map(|c| c.f1 * c.truths as f64).sum();
        Self {
            clips,
            accuracy: ratio(hits, clips),
            uf1,
            uar: mean(|c| c.recall),
            uap: mean(|c| c.precision),
            macro_f1: uf1,
            micro_f1: ratio(2 * hits, 2 * clips),
            weighted_f1: if clips == 0 {
                0.0
            } else {
                weighted / clips as f64
            },
            confusion,
            per_class,
        }
    }

    /// Harmonic mean of mean precision and mean recall: the F1 that the
    /// spot-then-recognise score multiplies. It is not [`Self::uf1`].
    #[must_use]
    pub fn f1_of_means(&self) -> f64 {
        let sum = self.uap + self.uar;
        if sum > 0.0 {
            2.0 * self.uap * self.uar / sum
        } else {
            0.0
        }
    }
}

/// Scores clips by their class numbers, `0..classes`; both lists in the same order.
///
/// # Panics
/// The lists differ in length, or a class number is not below `classes`.
#[must_use]
pub fn score(truth: &[usize], predicted: &[usize], classes: usize) -> RecognitionScore {
    assert_eq!(
        truth.len(),
        predicted.len(),
        "each clip needs a truth and a prediction"
    );
    let mut confusion = vec![vec![0; classes]; classes];
    for (&t, &p) in truth.iter().zip(predicted) {
        confusion[t][p] += 1;
    }
    RecognitionScore::of_confusion(confusion)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_own_table_gives_its_true_unweighted_recall() {
        // STSTNet's confusion on the MEGC 2019 composite; the paper prints the
        // precision 0.7605 as UAR.
        let s = RecognitionScore::of_confusion(vec![
            vec![219, 22, 9],
            vec![40, 62, 7],
            vec![21, 3, 59],
        ]);
        for (got, expected) in [
            (s.accuracy, 0.7692),
            (s.uf1, 0.7353),
            (s.uar, 0.7186),
            (s.uap, 0.7605),
        ] {
            assert!((got - expected).abs() < 5e-5, "{got} for {expected}");
        }
        assert_eq!(s.clips, 442);
    }

    #[test]
    fn a_class_without_clips_counts_as_zero_and_nothing_at_all_is_zero() {
        let s = score(&[0, 1, 1], &[0, 1, 2], 3);
        assert!((s.uar - 1.5 / 3.0).abs() < 1e-12);
        assert_eq!(s.per_class[2].predictions, 1);
        assert_eq!(s.confusion[1], [0, 1, 1]);
        let none = score(&[], &[], 3);
        assert_eq!((none.clips, none.uf1, none.f1_of_means()), (0, 0.0, 0.0));
    }
}
