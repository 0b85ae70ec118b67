//! Logits whose right temperature is known.

/// Of a hundred clips at each of these shares, so many show the unit.
pub(super) const SHARES: [f64; 5] = [0.05, 0.2, 0.5, 0.7, 0.98];

/// Two units' logits that are `factor` times what the shares warrant.
pub(super) fn units(factor: f64) -> (Vec<[f32; 2]>, Vec<Vec<bool>>) {
    let (mut logits, mut shown) = (Vec::new(), Vec::new());
    for (level, share) in SHARES.into_iter().enumerate() {
        let other = SHARES[SHARES.len() - 1 - level];
        for clip in 0..100 {
            let logit = |share: f64| (factor * (share / (1.0 - share)).ln()) as f32;
            logits.push([logit(share), logit(other)]);
            let among = |share: f64| f64::from(clip) + 0.5 < 100.0 * share;
            shown.push(vec![among(share), among(other)]);
        }
    }
    (logits, shown)
}

/// A hundred clips of which 70, 20 and 10 are of the three classes, twice with the
/// classes turned round; logits `factor` times what that warrants.
pub(super) fn classes(factor: f64) -> (Vec<[f32; 3]>, Vec<usize>) {
    let shares = [0.7_f64, 0.2, 0.1];
    let (mut logits, mut truth) = (Vec::new(), Vec::new());
    for turn in 0..3 {
        for clip in 0..100 {
            let row: [f32; 3] =
                std::array::from_fn(|c| (factor * shares[(c + turn) % 3].ln()) as f32 + 3.0);
            logits.push(row);
            let place = usize::from(clip >= 70) + usize::from(clip >= 90);
            truth.push((place + 3 - turn) % 3);
        }
    }
    (logits, truth)
}
