//! What is shown when: each coder's categories over time, weighed by frames or by
//! elementary intervals.
//!
//! Time is cut wherever either coder begins or ends anything; within such an
//! elementary interval both coders' categories stand still. Counting each interval by
//! its frames gives κ per frame; counting each once (as BORIS does) does not let long
//! pauses decide.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Ratings;
use super::span;
use crate::facs::ActionUnit;
use crate::spotting::ExpressionKind;
use crate::timeline::Annotation;

/// The same categories, weighed in two ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Presence {
    /// Counts are frames.
    pub per_frame: Ratings,
    /// Counts are elementary intervals.
    pub per_interval: Ratings,
}

/// Whether one unit was shown, of any side and intensity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitPresence {
    pub unit: ActionUnit,
    pub presence: Presence,
}

/// What one coder sees during an elementary interval.
struct Shown {
    /// Position in [`KINDS`].
    kind: usize,
    units: BTreeSet<ActionUnit>,
}

/// An elementary interval.
pub(super) struct Stretch {
    frames: u64,
    shown: [Shown; 2],
}

const KINDS: [&str; 3] = ["macro", "micro", "nothing"];

/// Cuts `frames` frames wherever an annotation begins or ends.
pub(super) fn elementary_intervals(
    first: &[&Annotation],
    second: &[&Annotation],
    frames: u64,
) -> Vec<Stretch> {
    let mut cuts = BTreeSet::from([0, frames]);
    for a in first.iter().chain(second) {
        let (onset, offset) = span(a);
        cuts.extend([onset, offset.saturating_add(1)]);
    }
    let cuts: Vec<u64> = cuts.into_iter().collect();
    cuts.windows(2)
        .map(|cut| Stretch {
            frames: cut[1] - cut[0],
            shown: [shown_at(cut[0], first), shown_at(cut[0], second)],
        })
        .collect()
}

fn shown_at(frame: u64, seen: &[&Annotation]) -> Shown {
    let here = |a: &&&Annotation| (span(a).0..=span(a).1).contains(&frame);
    let mut shown = Shown {
        kind: 2,
        units: BTreeSet::new(),
    };
    for a in seen.iter().filter(here) {
        // A micro-expression within a macro-expression is what is looked for.
        shown.kind = match (a.kind, shown.kind) {
            (ExpressionKind::Micro, _) | (ExpressionKind::Macro, 1) => 1,
            (ExpressionKind::Macro, _) => 0,
        };
        shown.units.extend(a.units.iter().map(|u| u.unit));
    }
    shown
}

pub(super) fn of_kinds(stretches: &[Stretch]) -> Presence {
    presence(stretches, &KINDS, |shown| shown.kind)
}

pub(super) fn of_units(stretches: &[Stretch]) -> Vec<UnitPresence> {
    let units: BTreeSet<ActionUnit> = (stretches.iter())
        .flat_map(|s| s.shown.iter().flat_map(|shown| &shown.units))
        .copied()
        .collect();
    units
        .into_iter()
        .map(|unit| UnitPresence {
            unit,
            presence: presence(stretches, &["shown", "not shown"], |shown| {
                usize::from(!shown.units.contains(&unit))
            }),
        })
        .collect()
}

fn presence(
    stretches: &[Stretch],
    labels: &[&str],
    category: impl Fn(&Shown) -> usize,
) -> Presence {
    let ratings = |weight: fn(&Stretch) -> u64| {
        let mut counts = vec![vec![0; labels.len()]; labels.len()];
        for s in stretches {
            counts[category(&s.shown[0])][category(&s.shown[1])] += weight(s);
        }
        Ratings::of(labels.iter().map(ToString::to_string).collect(), counts)
    };
    Presence {
        per_frame: ratings(|s| s.frames),
        per_interval: ratings(|_| 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{scored, seen};
    use super::*;

    #[test]
    fn frames_and_elementary_intervals_are_counted_apart() {
        // 100 frames. A: micro 10..19. B: micro 15..24. Cuts at 0 10 15 20 25 100.
        // Frames:    both 5, only A 5, only B 5, nothing 85.
        // Intervals: both 1, only A 1, only B 1, nothing 2.
        let (a, b) = (seen("A", 10, 19), seen("B", 15, 24));
        let p = of_kinds(&elementary_intervals(&[&a], &[&b], 100));
        assert_eq!(p.per_frame.counts, [[0, 0, 0], [0, 5, 5], [0, 5, 85]]);
        assert_eq!(p.per_interval.counts, [[0, 0, 0], [0, 1, 1], [0, 1, 2]]);
        // Frames: 0.9 the same; chance 0.1² + 0.9² = 0.82; κ = 0.08 / 0.18 = 4/9.
        assert!((p.per_frame.kappa.unwrap() - 4.0 / 9.0).abs() < 1e-12);
        // Intervals: 3/5; chance (2/5)² + (3/5)² = 13/25; κ = (2/25) / (12/25) = 1/6.
        assert!((p.per_interval.kappa.unwrap() - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_micro_expression_within_a_macro_expression_is_micro() {
        // A: macro 0..29 with a micro 10..19 in it, typed in either order. B: macro
        // 0..29. 10 frames are micro for A and macro for B, 20 macro for both.
        let mut large = seen("A", 0, 29);
        large.kind = ExpressionKind::Macro;
        let small = seen("A", 10, 19);
        let mut other = seen("B", 0, 29);
        other.kind = ExpressionKind::Macro;
        for first in [[&large, &small], [&small, &large]] {
            let p = of_kinds(&elementary_intervals(&first, &[&other], 40));
            assert_eq!(p.per_frame.counts, [[20, 0, 0], [10, 0, 0], [0, 0, 10]]);
        }
    }

    #[test]
    fn units_are_rated_by_number() {
        // AU12: A 0..9, B 5..14 of 20 frames: both 5, only A 5, only B 5, neither 5.
        // Agreement 0.5, chance 0.5, κ 0. AU4: A alone, in 10 of 20 frames: B never
        // says yes, agreement 0.5 is chance, κ 0.
        let a = scored("A", 0, 9, "AU12LC+AU4");
        let b = scored("B", 5, 14, "AU12");
        let units = of_units(&elementary_intervals(&[&a], &[&b], 20));
        let numbers: Vec<u8> = units.iter().map(|u| u.unit.number()).collect();
        assert_eq!(numbers, [4, 12]);
        let smile = &units[1].presence.per_frame;
        assert_eq!(smile.counts, [[5, 5], [5, 5]]);
        assert_eq!(smile.kappa, Some(0.0));
        assert_eq!(units[0].presence.per_frame.counts, [[0, 10], [0, 10]]);
        assert_eq!(units[0].presence.per_frame.kappa, Some(0.0));
    }

    #[test]
    fn an_annotation_past_the_end_lengthens_the_recording() {
        let a = seen("A", 8, 11);
        let p = of_kinds(&elementary_intervals(&[&a], &[], 10));
        assert_eq!(p.per_frame.total, 12);
        assert!(elementary_intervals(&[], &[], 0).is_empty());
    }
}
