//! Which emotion one coder named where the other named which.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Ratings;
use crate::timeline::Annotation;

/// Over the expressions that both coders saw.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EmotionRatings {
    /// Where both named one; labels in order of the alphabet.
    pub ratings: Ratings,
    /// The first coder named one and the second none.
    pub only_first: u64,
    pub only_second: u64,
}

impl EmotionRatings {
    pub(super) fn of(pairs: &[(&Annotation, &Annotation)]) -> Self {
        let mut both = Vec::new();
        let (mut only_first, mut only_second) = (0, 0);
        for (a, b) in pairs {
            match (a.emotion.as_deref(), b.emotion.as_deref()) {
                (Some(a), Some(b)) => both.push((a, b)),
                (Some(_), None) => only_first += 1,
                (None, Some(_)) => only_second += 1,
                (None, None) => {}
            }
        }
        let named: BTreeSet<&str> = both.iter().flat_map(|&(a, b)| [a, b]).collect();
        let labels: Vec<&str> = named.into_iter().collect();
        let mut counts = vec![vec![0; labels.len()]; labels.len()];
        let at = |name: &str| labels.binary_search(&name).ok();
        for (a, b) in both {
            if let (Some(a), Some(b)) = (at(a), at(b)) {
                counts[a][b] += 1;
            }
        }
        Self {
            ratings: Ratings::of(labels.into_iter().map(str::to_owned).collect(), counts),
            only_first,
            only_second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    fn named(pairs: &[(&str, &str)]) -> EmotionRatings {
        let feel = |name: &str| {
            let mut a = seen("A", 0, 9);
            a.emotion = (!name.is_empty()).then(|| name.to_owned());
            a
        };
        let pairs: Vec<_> = pairs.iter().map(|&(a, b)| (feel(a), feel(b))).collect();
        EmotionRatings::of(&pairs.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>())
    }

    #[test]
    fn emotions_are_counted_against_each_other() {
        // Both: happiness 2, surprise 1; A happiness where B said surprise 1.
        // Same 3/4; chance (3/4 · 2/4) + (1/4 · 2/4) = 1/2; κ = 1/2.
        let e = named(&[
            ("happiness", "happiness"),
            ("happiness", "happiness"),
            ("happiness", "surprise"),
            ("surprise", "surprise"),
        ]);
        assert_eq!(e.ratings.labels, ["happiness", "surprise"]);
        assert_eq!(e.ratings.counts, [[2, 1], [0, 1]]);
        assert!((e.ratings.kappa.unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_emotion_only_one_coder_named_is_counted_beside() {
        let e = named(&[
            ("fear", ""),
            ("", "fear"),
            ("", "fear"),
            ("", ""),
            ("fear", "fear"),
        ]);
        assert_eq!((e.only_first, e.only_second, e.ratings.total), (1, 2, 1));
        // One emotion throughout: agreement is perfect and κ says nothing.
        assert_eq!((e.ratings.agreement, e.ratings.kappa), (Some(1.0), None));
        assert_eq!(named(&[]).ratings.kappa, None);
    }
}
