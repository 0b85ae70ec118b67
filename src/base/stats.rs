//! Order statistics used by several stages. Values that are not finite are ignored.

/// The `q` quantile (0..1) with linear interpolation; `None` without a finite value.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut v: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    if v.is_empty() {
        return None;
    }
    v.sort_by(f64::total_cmp);
    let at = q.clamp(0.0, 1.0) * (v.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(v[low] + (v[high] - v[low]) * (at - low as f64))
}

#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Median absolute deviation from the median, not scaled to σ (multiply by 1.4826 for that).
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let m = median(values)?;
    median(&values.iter().map(|x| (x - m).abs()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_skip_what_is_not_finite() {
        assert_eq!(quantile(&[3.0, 1.0, f64::NAN, 2.0], 0.25), Some(1.5));
        assert_eq!(median(&[]), None);
        assert_eq!(median_absolute_deviation(&[1.0, 2.0, 9.0]), Some(1.0));
    }
}
