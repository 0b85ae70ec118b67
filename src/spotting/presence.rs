//! Blocks of a score that says "this window lies in an expression" (a network).

use super::movement::{crossing, lobes};
use super::quiet::KindThreshold;
use super::series::Series;

/// A block in seconds of the recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Block {
    pub(crate) onset: f64,
    pub(crate) apex: f64,
    pub(crate) offset: f64,
    pub(crate) score: f64,
    /// Height in units of the way from the quiet level to the threshold: ≥ 1.
    pub(crate) strength: f64,
}

/// Blocks of the smoothed score with a peak at the threshold or above, peaks at
/// least half an expression apart; edges at half height, which smoothing over 2k+1
/// windows leaves in place for anything at least as long.
pub(crate) fn blocks(series: &Series, threshold: &KindThreshold) -> Vec<Block> {
    let x = &series.smooth;
    let base = series.smooth_quiet.median;
    let mut found: Vec<Block> = Vec::new();
    for run in &series.runs {
        let lobes = lobes(x, run.clone(), base, series.smooth_quiet.level(2.0));
        for (n, lobe) in lobes.iter().enumerate() {
            let score = x[lobe.peak];
            if score < threshold.value || score <= base {
                continue;
            }
            let left = n.checked_sub(1).map_or(run.start, |p| lobes[p].last);
            let right = lobes.get(n + 1).map_or(run.end - 1, |next| next.first);
            let half = base + 0.5 * (score - base);
            let onset =
                crossing(x, &series.end, lobe.peak, left, half).unwrap_or(if left == run.start {
                    series.start[left]
                } else {
                    series.end[left]
                });
            let offset = crossing(x, &series.start, lobe.peak, right, half).unwrap_or(
                if right == run.end - 1 {
                    series.end[right]
                } else {
                    series.start[right]
                },
            );
            if offset <= onset {
                // Shorter than its own window: half height cannot place it.
                continue;
            }
            let apex = series.centre[lobe.peak].clamp(onset, offset);
            let block = Block {
                onset,
                apex,
                offset,
                score,
                strength: (score - base) / (threshold.value - base).max(f64::MIN_POSITIVE),
            };
            match found.last_mut() {
                Some(before) if apex - before.apex < series.span_secs => {
                    if score > before.score {
                        *before = block;
                    }
                }
                _ => found.push(block),
            }
        }
    }
    found
}
