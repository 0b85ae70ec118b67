//! Moving means over a score: the published one-sided one, and one by time.

/// Mean of `score[t-k .. t+k-1]` (2k values) for t = k .. n-k-1, so both ends are
/// lost: entry j belongs to window t = j+k (S4 as coded). Empty when n ≤ 2k or k = 0.
#[must_use]
pub fn smooth_compat(score: &[f64], k: usize) -> Vec<f64> {
    if k == 0 || score.len() <= 2 * k {
        return Vec::new();
    }
    (k..score.len() - k)
        .map(|t| score[t - k..t + k].iter().sum::<f64>() / (2 * k) as f64)
        .collect()
}

/// For each sample the mean of all samples whose time lies within `reach_secs` of
/// its own. `times` ascend, in seconds; near the ends the mean has fewer members.
#[must_use]
pub fn smooth_by_time(times: &[f64], score: &[f64], reach_secs: f64) -> Vec<f64> {
    let mut sums = Vec::with_capacity(score.len() + 1);
    sums.push(0.0);
    for &s in score {
        sums.push(sums[sums.len() - 1] + s);
    }
    let (mut from, mut to) = (0, 0);
    times
        .iter()
        .map(|&t| {
            while times[from] < t - reach_secs {
                from += 1;
            }
            while to < times.len() && times[to] <= t + reach_secs {
                to += 1;
            }
            (sums[to] - sums[from]) / (to - from) as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_by_time_is_centred_and_keeps_its_length() {
        let t: Vec<f64> = (0..7).map(f64::from).collect();
        let x = [0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let s = smooth_by_time(&t, &x, 1.25);
        assert_eq!(s, vec![0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_score_shorter_than_the_window_leaves_nothing() {
        assert!(smooth_compat(&[1.0; 12], 6).is_empty());
        assert_eq!(smooth_compat(&[1.0; 13], 6), vec![1.0]);
    }
}
