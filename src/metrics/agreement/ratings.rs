//! Two coders' categories for the same things, and Cohen's κ.

use serde::Serialize;

/// How often each pair of categories occurred, with κ, raw agreement and marginals.
/// κ alone misleads where one category is rare, so the others stand beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Ratings {
    pub labels: Vec<String>,
    /// `[first coder][second coder]`, in the order of `labels`.
    pub counts: Vec<Vec<u64>>,
    /// How often the first coder used each category.
    pub first: Vec<u64>,
    /// How often the second coder used each category.
    pub second: Vec<u64>,
    pub total: u64,
    /// Share rated the same, 0..1; `None` without ratings.
    pub agreement: Option<f64>,
    /// Cohen's κ = (agreement − chance) / (1 − chance), −1..1; `None` without ratings
    /// and where each coder used one category throughout, so that there is no chance to
    /// correct for.
    pub kappa: Option<f64>,
}

impl Ratings {
    /// # Panics
    /// `counts` is not square or does not fit `labels`: a programming error.
    #[must_use]
    pub fn of(labels: Vec<String>, counts: Vec<Vec<u64>>) -> Self {
        let size = labels.len();
        assert_eq!(counts.len(), size, "one row a category");
        assert!(counts.iter().all(|row| row.len() == size));
        let first: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
        let second: Vec<u64> = (0..size)
            .map(|column| counts.iter().map(|row| row[column]).sum())
            .collect();
        let total: u64 = first.iter().sum();
        let same: u64 = (0..size).map(|at| counts[at][at]).sum();
        let share = |count: u64| count as f64 / total as f64;
        let constant = |marginal: &[u64]| marginal.iter().filter(|&&n| n > 0).count() < 2;
        let agreement = (total > 0).then(|| share(same));
        let kappa = agreement
            .filter(|_| !(constant(&first) && constant(&second)))
            .map(|agreement| {
                let chance: f64 = (first.iter().zip(&second))
                    .map(|(&a, &b)| share(a) * share(b))
                    .sum();
                (agreement - chance) / (1.0 - chance)
            });
        Self {
            labels,
            counts,
            first,
            second,
            total,
            agreement,
            kappa,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(counts: [[u64; 2]; 2]) -> Ratings {
        let labels = ["yes", "no"].map(str::to_owned).to_vec();
        Ratings::of(labels, counts.iter().map(|row| row.to_vec()).collect())
    }

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        // 50 things: 20 + 15 the same, so 0.7. Chance: 25/50 · 30/50 + 25/50 · 20/50
        // = 0.5. κ = (0.7 − 0.5) / (1 − 0.5) = 0.4.
        let r = two([[20, 5], [10, 15]]);
        assert_eq!(
            (&r.first[..], &r.second[..]),
            (&[25, 25][..], &[30, 20][..])
        );
        assert!((r.agreement.unwrap() - 0.7).abs() < 1e-12);
        assert!((r.kappa.unwrap() - 0.4).abs() < 1e-12);
    }

    #[test]
    fn kappa_of_opposite_ratings_is_negative() {
        // Nothing the same; chance 0.5 · 0.5 + 0.5 · 0.5 = 0.5; κ = −0.5 / 0.5 = −1.
        assert_eq!(two([[0, 5], [5, 0]]).kappa, Some(-1.0));
        // The second coder says yes to all: agreement 0.5 is what chance gives.
        assert_eq!(two([[5, 0], [5, 0]]).kappa, Some(0.0));
    }

    #[test]
    fn kappa_of_constant_coders_is_not_defined() {
        assert_eq!(two([[7, 0], [0, 0]]).kappa, None);
        assert_eq!(two([[7, 0], [0, 0]]).agreement, Some(1.0));
        assert_eq!(two([[0, 7], [0, 0]]).kappa, None);
        assert_eq!(two([[0, 0], [0, 0]]).agreement, None);
    }
}
