//! How the score behaves while nothing happens, and the threshold that follows.

use serde::{Deserialize, Serialize};

use super::ExpressionKind;
use crate::base::stats::{median, median_absolute_deviation};

/// Median and spread of a score outside the expressions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quiet {
    pub median: f64,
    /// 1.4826 · MAD: the standard deviation, were the score normally distributed.
    pub sigma: f64,
}

impl Quiet {
    /// Measures `values`, leaving out what stands more than `factor` sigma from the
    /// rest on either side; `None` without a finite value.
    ///
    /// Median and MAD of *all* values break down where expressions fill half of a
    /// recording: nothing would then stand out. So a first guess is read from the
    /// shortest stretch of values that holds 40 % of them (±0.524σ of a normal
    /// distribution), and median and MAD are then taken of what lies around it,
    /// until that set stays the same. Both sides, because strain from which the
    /// nose's was subtracted also falls far below its level when the nose wrinkles.
    #[must_use]
    pub fn measure(values: &[f64], factor: f64) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let span = (0.4 * last as f64).round() as usize;
        let densest = (0..=last - span)
            .min_by(|&a, &b| {
                let width = |i: usize| sorted[i + span] - sorted[i];
                width(a).total_cmp(&width(b))
            })
            .unwrap_or(0);
        let (low, high) = (sorted[densest], sorted[densest + span]);
        let mut quiet = Self {
            median: 0.5 * (low + high),
            sigma: (high - low) / (2.0 * 0.524),
        };
        let mut kept = 0..0;
        for _ in 0..16 {
            let reach = factor * quiet.sigma;
            let near = sorted.partition_point(|&v| v < quiet.median - reach)
                ..sorted.partition_point(|&v| v <= quiet.median + reach);
            if near == kept || near.is_empty() {
                break;
            }
            quiet = Self {
                median: median(&sorted[near.clone()])?,
                sigma: 1.4826 * median_absolute_deviation(&sorted[near.clone()])?,
            };
            kept = near;
        }
        Some(quiet)
    }

    /// `factor` sigma above the median.
    #[must_use]
    pub fn level(&self, factor: f64) -> f64 {
        self.median + factor * self.sigma
    }
}

/// The threshold of one kind and where it comes from, in the unit of the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KindThreshold {
    pub kind: ExpressionKind,
    /// What a peak of the smoothed score has to reach.
    pub value: f64,
    /// `None` for the compat rule, which knows no quiet part.
    pub quiet: Option<Quiet>,
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sum of twelve uniforms: near enough to normal, and repeatable.
    fn noise(count: usize) -> Vec<f64> {
        let mut state = 1_u64;
        (0..count)
            .map(|_| {
                (0..12).fold(-6.0, |sum, _| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    sum + (state >> 11) as f64 / (1_u64 << 53) as f64
                })
            })
            .collect()
    }

    #[test]
    fn a_recording_half_full_of_expressions_keeps_its_quiet_level() {
        let mut values = noise(2000);
        let alone = Quiet::measure(&values, 4.0).expect("values");
        assert!(
            alone.median.abs() < 0.1 && (alone.sigma - 1.0).abs() < 0.1,
            "{alone:?}"
        );
        values.extend(noise(1500).iter().map(|v| 20.0 + 3.0 * v));
        values.extend(noise(500).iter().map(|v| -20.0 + 3.0 * v));
        let mixed = Quiet::measure(&values, 4.0).expect("values");
        assert!((mixed.median - alone.median).abs() < 0.1, "{mixed:?}");
        assert!((mixed.sigma - alone.sigma).abs() < 0.1, "{mixed:?}");
    }

    #[test]
    fn a_constant_score_has_no_spread() {
        let quiet = Quiet::measure(&[2.0; 9], 4.0).expect("values");
        assert_eq!((quiet.median, quiet.sigma), (2.0, 0.0));
        assert_eq!(Quiet::measure(&[], 4.0), None);
    }
}
