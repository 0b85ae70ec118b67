//! FACS' index of agreement over the expressions that both coders saw:
//! R = 2 · (units both scored) / (units of the first + units of the second), as
//! CASME II reports it (Yan et al., 2014).

use std::collections::BTreeMap;
use std::ops::Add;

use serde::Serialize;

use super::matching::share;
use crate::facs::{ActionUnit, Intensity, ScoredUnit, Side};
use crate::timeline::Annotation;

/// Counts behind one R.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(into = "UnitIndexWithR")]
pub struct UnitIndex {
    /// Units both scored.
    pub both: u64,
    pub first: u64,
    pub second: u64,
}

impl UnitIndex {
    /// 0..1; `None` where neither scored anything.
    #[must_use]
    pub fn r(self) -> Option<f64> {
        share(2 * self.both, self.first + self.second)
    }
}

impl Add for UnitIndex {
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
struct UnitIndexWithR {
    both: u64,
    first: u64,
    second: u64,
    r: Option<f64>,
}

impl From<UnitIndex> for UnitIndexWithR {
    fn from(index: UnitIndex) -> Self {
        Self {
            both: index.both,
            first: index.first,
            second: index.second,
            r: index.r(),
        }
    }
}

/// R three times, each stricter than the one before; units of all pairs are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct UnitAgreement {
    /// The number alone: AU12L and AU12R are the same unit, scored once.
    pub by_number: UnitIndex,
    /// Number and side.
    pub with_side: UnitIndex,
    /// Number, side, and intensities at most one letter apart. A unit with an
    /// intensity and one without do not agree.
    pub with_intensity: UnitIndex,
}

impl UnitAgreement {
    pub(super) fn of(pairs: &[(&Annotation, &Annotation)]) -> Self {
        pairs.iter().fold(Self::default(), |sum, (a, b)| {
            let (first, second) = (by_place(&a.units), by_place(&b.units));
            let number = |units: &Places| {
                let numbers = units.keys().map(|&(unit, _)| (unit, ()));
                numbers.collect::<BTreeMap<_, ()>>()
            };
            Self {
                by_number: sum.by_number + index(&number(&first), &number(&second), |_, _| true),
                with_side: sum.with_side + index(&first, &second, |_, _| true),
                with_intensity: sum.with_intensity + index(&first, &second, |&a, &b| close(a, b)),
            }
        })
    }
}

pub(super) type Places = BTreeMap<(ActionUnit, Option<Side>), Option<Intensity>>;

/// Where something moved and how strongly; a unit scored twice at one place counts once.
pub(super) fn by_place(units: &[ScoredUnit]) -> Places {
    let mut places = Places::new();
    for u in units {
        places.entry((u.unit, u.side)).or_insert(u.intensity);
    }
    places
}

/// Whether two intensities are at most one letter apart.
pub(super) fn close(a: Option<Intensity>, b: Option<Intensity>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a as i32).abs_diff(b as i32) <= 1,
        (None, None) => true,
        _ => false,
    }
}

fn index<K: Ord, V>(
    first: &BTreeMap<K, V>,
    second: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
) -> UnitIndex {
    let both = first
        .iter()
        .filter(|(unit, a)| second.get(unit).is_some_and(|b| same(a, b)))
        .count();
    UnitIndex {
        both: both as u64,
        first: first.len() as u64,
        second: second.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scored;
    use super::*;

    #[test]
    fn r_counts_units_scored_by_both() {
        // AU4+AU7 and AU4+AU7+AU9: 2 · 2 / (2 + 3) = 0.8.
        let (a, b) = (
            scored("A", 0, 9, "AU4+AU7"),
            scored("B", 0, 9, "AU7+AU4+AU9"),
        );
        let u = UnitAgreement::of(&[(&a, &b)]);
        assert!((u.by_number.r().unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(u.with_intensity, u.by_number);
    }

    #[test]
    fn sides_and_intensities_make_it_stricter() {
        // A: AU12LC AU6B AU4D, B: AU12RC AU6C AU4B.
        // By number 3 of 3 and 3: R 1. With side AU6 and AU4: 4/6. With intensity
        // AU6 alone (B and C are one letter apart, D and B two): 2/6.
        let a = scored("A", 0, 9, "AU12LC+AU6B+AU4D");
        let b = scored("B", 0, 9, "AU12RC+AU6C+AU4B");
        let u = UnitAgreement::of(&[(&a, &b)]);
        assert_eq!(u.by_number.r(), Some(1.0));
        assert_eq!(u.with_side.r(), Some(4.0 / 6.0));
        assert_eq!(u.with_intensity.r(), Some(2.0 / 6.0));
    }

    #[test]
    fn pairs_are_added_up_and_nothing_is_no_agreement() {
        // 2 · (1 + 0) / ((1 + 1) + (1 + 0)) = 2/3.
        let (a, b) = (scored("A", 0, 9, "AU1"), scored("B", 0, 9, "AU1"));
        let (c, d) = (scored("A", 20, 29, "AU2"), scored("B", 20, 29, ""));
        let u = UnitAgreement::of(&[(&a, &b), (&c, &d)]);
        assert_eq!(u.by_number.r(), Some(2.0 / 3.0));
        assert_eq!(UnitAgreement::of(&[(&d, &d)]).by_number.r(), None);
        // Scored on both sides apart: one unit by number, two with side.
        let e = scored("A", 0, 9, "AU12L+AU12R");
        let u = UnitAgreement::of(&[(&e, &e)]);
        assert_eq!((u.by_number.both, u.with_side.both), (1, 2));
    }
}
