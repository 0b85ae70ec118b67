//! How well action units are found: each unit is a yes-or-no question of its own
//! (CD6ME benchmark: the mean over units of either F1).
//!
//! Ratios whose denominator is 0 count as 0 and stay in the means.

use serde::{Deserialize, Serialize};

/// What one action unit was found like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnitCounts {
    /// Shown and found.
    pub tp: u64,
    /// Found but not shown.
    pub fp: u64,
    /// Shown but not found.
    #[serde(rename = "fn")]
    pub fn_: u64,
    /// Neither.
    pub tn: u64,
}

impl UnitCounts {
    /// F1 of the class "shown" alone, 0..1.
    #[must_use]
    pub fn f1_binary(self) -> f64 {
        f1(self.tp, self.fp + self.fn_)
    }

    /// Mean of the F1 of "shown" and of "not shown", 0..1. A unit that is rarely
    /// shown scores high here even when it is never found.
    #[must_use]
    pub fn f1_macro(self) -> f64 {
        f64::midpoint(self.f1_binary(), f1(self.tn, self.fp + self.fn_))
    }
}

/// Lists follow the order of the units.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MultiLabelScore {
    /// Clips counted.
    pub clips: u64,
    pub counts: Vec<UnitCounts>,
    #[serde(rename = "f1_binary_per_au")]
    pub f1_binary: Vec<f64>,
    pub mean_f1_binary: f64,
    #[serde(rename = "f1_macro_per_au")]
    pub f1_macro: Vec<f64>,
    pub mean_f1_macro: f64,
}

/// Scores presence decisions, each `[clip][unit]`; a logit above 0 is "present".
///
/// # Panics
/// The lists differ in length, or clips in their number of units: a programming error.
#[must_use]
pub fn score(labels: &[Vec<bool>], predicted: &[Vec<bool>]) -> MultiLabelScore {
    assert_eq!(
        labels.len(),
        predicted.len(),
        "each clip needs labels and decisions"
    );
    let units = labels.first().map_or(0, Vec::len);
    let mut counts = vec![UnitCounts::default(); units];
    for (shown, found) in labels.iter().zip(predicted) {
        assert_eq!((shown.len(), found.len()), (units, units));
        for ((count, &shown), &found) in counts.iter_mut().zip(shown).zip(found) {
            match (shown, found) {
                (true, true) => count.tp += 1,
                (false, true) => count.fp += 1,
                (true, false) => count.fn_ += 1,
                (false, false) => count.tn += 1,
            }
        }
    }
    let f1_binary: Vec<f64> = counts.iter().map(|c| c.f1_binary()).collect();
    let f1_macro: Vec<f64> = counts.iter().map(|c| c.f1_macro()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    MultiLabelScore {
        clips: labels.len() as u64,
        counts,
        mean_f1_binary: mean(&f1_binary),
        f1_binary,
        mean_f1_macro: mean(&f1_macro),
        f1_macro,
    }
}

fn f1(hits: u64, misses: u64) -> f64 {
    let whole = 2 * hits + misses;
    if whole == 0 {
        0.0
    } else {
        (2 * hits) as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_nobody_shows_scores_zero_alone_and_half_in_two_classes() {
        let labels = [vec![false, true], vec![false, false]];
        let found = [vec![false, true], vec![false, true]];
        let s = score(&labels, &found);
        assert_eq!(
            s.counts[1],
            UnitCounts {
                tp: 1,
                fp: 1,
                fn_: 0,
                tn: 0
            }
        );
        assert!(s.f1_binary[0].abs() < 1e-12 && (s.f1_macro[0] - 0.5).abs() < 1e-12);
        assert!((s.f1_binary[1] - 2.0 / 3.0).abs() < 1e-12);
        assert!((s.mean_f1_macro - (0.5 + 1.0 / 3.0) / 2.0).abs() < 1e-12);
        assert_eq!(score(&[], &[]).clips, 0);
    }
}
