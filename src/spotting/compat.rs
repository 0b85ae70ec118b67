//! The published decoding, bug for bug (S4 as coded; see `offline` for what Onset
//! does by default). It finds something in almost every recording.

use super::peaks::find_peaks;
use super::signal::ScoreSample;
use super::smooth::smooth_compat;
use super::{ExpressionKind, IntervalStatus, SpottedInterval};

/// Every stage of the published post-processing of one score.
#[derive(Debug, Clone, PartialEq)]
pub struct PostProcessed {
    /// Entry j belongs to window j+k.
    pub smoothed: Vec<f64>,
    /// mean + p·(max − mean) of `smoothed`; NaN when it is empty.
    pub threshold: f64,
    /// Indices into `smoothed`.
    pub peaks: Vec<usize>,
    /// `[j-k, j+k]`, to be compared with truth that is shifted by −k frames.
    pub intervals: Vec<[i64; 2]>,
}

/// Smooths `score`, sets the threshold and takes peaks at least `k` apart.
///
/// `k` is half the mean length of the expressions looked for, in frames; `p` lies
/// in 0..1 (published: 0.55 with the network, 0.5 with the control signal).
#[must_use]
pub fn postprocess(score: &[f64], k: usize, p: f64) -> PostProcessed {
    let smoothed = smooth_compat(score, k);
    let threshold = threshold(&smoothed, p);
    let peaks = find_peaks(&smoothed, threshold, k);
    let half = k as i64;
    let intervals = peaks
        .iter()
        .map(|&j| [j as i64 - half, j as i64 + half])
        .collect();
    PostProcessed {
        smoothed,
        threshold,
        peaks,
        intervals,
    }
}

/// mean + p·(max − mean), NaN without a value.
fn threshold(smoothed: &[f64], p: f64) -> f64 {
    let mean = smoothed.iter().sum::<f64>() / smoothed.len() as f64;
    let max = smoothed.iter().copied().fold(f64::NAN, f64::max);
    mean + p * (max - mean)
}

/// The published intervals of one kind in frames of the recording, with the threshold.
///
/// Peak j becomes frames [j, j+2k] counted from the first window, its apex the
/// window's own first frame. Masks and gaps are ignored, as the source has none;
/// a window without a finite score is left out.
#[must_use]
pub fn decode_kind(
    samples: &[ScoreSample],
    kind: ExpressionKind,
    k: usize,
    p: f64,
) -> (Vec<SpottedInterval>, Option<f64>) {
    let windows: Vec<&ScoreSample> = samples
        .iter()
        .filter(|s| s.kind == kind && s.score.is_finite())
        .collect();
    let score: Vec<f64> = windows.iter().map(|s| s.score).collect();
    let done = postprocess(&score, k, p);
    let intervals = done
        .peaks
        .iter()
        .map(|&j| SpottedInterval {
            kind,
            onset: windows[j].window_start_frame,
            apex: windows[j + k].window_start_frame,
            // j < n − 2k, so the window exists.
            offset: windows[j + 2 * k].window_start_frame,
            score: done.smoothed[j],
            status: IntervalStatus::Proposed,
            provisional: false,
        })
        .collect();
    (intervals, Some(done.threshold).filter(|t| t.is_finite()))
}
