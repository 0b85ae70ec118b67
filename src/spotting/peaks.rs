//! Local maxima with a least height and a least distance, as `scipy.signal.find_peaks` has them.

/// Strict local maxima of `signal`: a plateau counts once, at the floor of its
/// middle; the first and last sample never peak. Ascending indices.
#[must_use]
pub fn local_maxima(signal: &[f64]) -> Vec<usize> {
    let mut peaks = Vec::new();
    let mut i = 1;
    while i + 1 < signal.len() {
        if signal[i - 1] < signal[i] {
            let mut right = i;
            while right + 1 < signal.len() && signal[right + 1] == signal[i] {
                right += 1;
            }
            if right + 1 < signal.len() && signal[right + 1] < signal[i] {
                peaks.push((i + right) / 2);
            }
            i = right;
        }
        i += 1;
    }
    peaks
}

/// Maxima of at least `height`, thinned from the highest down until none stands
/// closer than `distance` samples to a higher one; of equals the later stays.
#[must_use]
pub fn find_peaks(signal: &[f64], height: f64, distance: usize) -> Vec<usize> {
    let mut peaks = local_maxima(signal);
    peaks.retain(|&p| signal[p] >= height);

    let mut by_height: Vec<usize> = (0..peaks.len()).collect();
    by_height.sort_by(|&a, &b| signal[peaks[a]].total_cmp(&signal[peaks[b]]));
    let mut keep = vec![true; peaks.len()];
    for &high in by_height.iter().rev() {
        if !keep[high] {
            continue;
        }
        let near = |other: usize| peaks[high].abs_diff(peaks[other]) < distance;
        for other in (0..high).rev().take_while(|&o| near(o)) {
            keep[other] = false;
        }
        for other in (high + 1..peaks.len()).take_while(|&o| near(o)) {
            keep[other] = false;
        }
    }
    let mut kept = keep.into_iter();
    peaks.retain(|_| kept.next().unwrap_or(false));
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_unfinished_plateaus_are_no_peaks() {
        assert!(local_maxima(&[3.0, 1.0, 1.0, 2.0, 2.0]).is_empty());
        assert_eq!(local_maxima(&[0.0, 2.0, 2.0, 2.0, 2.0, 1.0]), vec![2]);
        assert!(local_maxima(&[]).is_empty());
    }

    #[test]
    fn the_higher_of_two_close_peaks_stays() {
        let x = [0.0, 1.0, 0.0, 2.0, 0.0, 1.0, 0.0];
        assert_eq!(find_peaks(&x, 0.5, 3), vec![3]);
        assert_eq!(find_peaks(&x, 0.5, 2), vec![1, 3, 5]);
    }
}
