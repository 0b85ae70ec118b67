//! Which annotation of one coder is of the same expression as which of the other.

use std::ops::Add;

use serde::Serialize;

use super::span;
use crate::timeline::Annotation;

/// Shared frames over all frames of two annotations, both ends included; 0..1.
#[must_use]
pub fn iou(a: &Annotation, b: &Annotation) -> f64 {
    let ((a_on, a_off), (b_on, b_off)) = (span(a), span(b));
    let (start, end) = (a_on.max(b_on), a_off.min(b_off));
    if start > end {
        return 0.0;
    }
    let length = |on: u64, off: u64| (off - on) as f64 + 1.0;
    let shared = length(start, end);
    shared / (length(a_on, a_off) + length(b_on, b_off) - shared)
}

/// Pairs annotations one to one: the two that overlap most first, from an IoU of
/// `least` on. Equal overlaps go by order. Pairs come in the order of `first`.
#[must_use]
pub fn pair_up(first: &[&Annotation], second: &[&Annotation], least: f64) -> Vec<(usize, usize)> {
    let mut possible: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in first.iter().enumerate() {
        for (j, b) in second.iter().enumerate() {
            let overlap = iou(a, b);
            if overlap > 0.0 && overlap >= least {
                possible.push((overlap, i, j));
            }
        }
    }
    possible.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let (mut used_first, mut used_second) = (vec![false; first.len()], vec![false; second.len()]);
    let mut pairs = Vec::new();
    for (_, i, j) in possible {
        if !used_first[i] && !used_second[j] {
            (used_first[i], used_second[j]) = (true, true);
            pairs.push((i, j));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// How many expressions both coders saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(into = "FoundWithScores")]
pub struct Found {
    /// Seen by both.
    pub both: u64,
    /// All that the first coder saw.
    pub first: u64,
    /// All that the second coder saw.
    pub second: u64,
}

impl Found {
    /// Of one recording.
    #[must_use]
    pub fn of(first: &[&Annotation], second: &[&Annotation], least: f64) -> Self {
        Self {
            both: pair_up(first, second, least).len() as u64,
            first: first.len() as u64,
            second: second.len() as u64,
        }
    }

    /// Share of the second coder's expressions that the first saw too, 0..1.
    #[must_use]
    pub fn precision(self) -> Option<f64> {
        share(self.both, self.second)
    }

    /// Share of the first coder's expressions that the second saw too, 0..1.
    #[must_use]
    pub fn recall(self) -> Option<f64> {
        share(self.both, self.first)
    }

    /// The same whichever coder comes first, 0..1; `None` where nobody saw anything.
    #[must_use]
    pub fn f1(self) -> Option<f64> {
        share(2 * self.both, self.first + self.second)
    }
}

impl Add for Found {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            both: self.both + other.both,
            first: self.first + other.first,
            second: self.second + other.second,
        }
    }
}

/// As it stands in files.
#[derive(Serialize)]
struct FoundWithScores {
    both: u64,
    first: u64,
    second: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

impl From<Found> for FoundWithScores {
    fn from(found: Found) -> Self {
        Self {
            both: found.both,
            first: found.first,
            second: found.second,
            precision: found.precision(),
            recall: found.recall(),
            f1: found.f1(),
        }
    }
}

/// `None` of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    #[test]
    fn overlap_counts_frames_with_both_ends() {
        // 10..19 and 15..24: frames 15..19 are shared, 5 of 15.
        let (a, b) = (seen("A", 10, 19), seen("B", 15, 24));
        assert!((iou(&a, &b) - 5.0 / 15.0).abs() < 1e-12);
        // 10..19 and 10..29: 10 of 20 is exactly a half.
        assert_eq!(iou(&a, &seen("B", 10, 29)), 0.5);
        // Neighbours share nothing; one frame with itself everything.
        assert_eq!(iou(&a, &seen("B", 20, 24)), 0.0);
        assert_eq!(iou(&seen("A", 7, 7), &seen("B", 7, 7)), 1.0);
    }

    #[test]
    fn the_best_overlap_is_paired_first() {
        // A saw 0..9 and 10..19. B saw 0..13 (IoU 10/14 and 4/20) and 1..8 (8/10):
        // 0..9 goes to 1..8, so 0..13 stays alone, as 4/20 is less than a half.
        let (a1, a2) = (seen("A", 0, 9), seen("A", 10, 19));
        let (b1, b2) = (seen("B", 0, 13), seen("B", 1, 8));
        let (first, second) = ([&a1, &a2], [&b1, &b2]);
        assert_eq!(pair_up(&first, &second, 0.5), [(0, 1)]);
        // From a fifth on, the two that are left over make a pair.
        assert_eq!(pair_up(&first, &second, 0.2), [(0, 1), (1, 0)]);
        // One of two and one of two: precision, recall and F1 are all a half.
        let found = Found::of(&first, &second, 0.5);
        assert_eq!(found.precision(), Some(0.5));
        assert_eq!((found.recall(), found.f1()), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn f1_is_the_same_from_both_sides() {
        // A saw three, B one of them: recall 1/3, precision 1, F1 = 2/4.
        let three = [seen("A", 0, 9), seen("A", 20, 29), seen("A", 40, 49)];
        let one = [seen("B", 20, 29)];
        let (three, one): (Vec<_>, Vec<_>) = (three.iter().collect(), one.iter().collect());
        let (there, back) = (Found::of(&three, &one, 0.5), Found::of(&one, &three, 0.5));
        assert_eq!((there.precision(), there.f1()), (Some(1.0), Some(0.5)));
        assert_eq!((back.recall(), back.f1()), (Some(1.0), Some(0.5)));
        assert_eq!(Found::of(&[], &[], 0.5).f1(), None);
        assert_eq!(Found::of(&three, &[], 0.5).f1(), Some(0.0));
        assert_eq!(Found::of(&three, &[], 0.5).precision(), None);
    }
}
