//! The usable windows of one kind as a signal, with its smoothed forms.

use std::ops::Range;

use super::ExpressionKind;
use super::params::DecodeParams;
use super::quiet::Quiet;
use super::signal::{RegionMotion, ScoreSample};
use super::smooth::smooth_by_time;
use crate::base::stats::median;

/// Smoothing that keeps the lobes of a movement apart, as a part of the window.
const LIGHT_PART: f64 = 1.0 / 6.0;

/// All vectors have one entry a usable window, in time order; times in seconds.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) kind: ExpressionKind,
    pub(crate) start: Vec<f64>,
    pub(crate) end: Vec<f64>,
    pub(crate) centre: Vec<f64>,
    pub(crate) motion: Vec<Option<RegionMotion>>,
    /// Mean over ± a sixth of the window: for the shape of a movement.
    pub(crate) light: Vec<f64>,
    /// Mean over ± the whole window (2k+1 values): for the decision (S4).
    pub(crate) smooth: Vec<f64>,
    /// Unbroken runs: no mask and no gap inside.
    pub(crate) runs: Vec<Range<usize>>,
    /// Usual duration of a window.
    pub(crate) span_secs: f64,
    /// Median frames from a window's first to its last: k.
    pub(crate) span_frames: usize,
    pub(crate) light_quiet: Quiet,
    pub(crate) smooth_quiet: Quiet,
}

impl Series {
    /// `None` when `samples` has no usable window of `kind`.
    pub(crate) fn new(
        samples: &[ScoreSample],
        kind: ExpressionKind,
        params: &DecodeParams,
    ) -> Option<Self> {
        let mut windows: Vec<&ScoreSample> = samples.iter().filter(|s| s.kind == kind).collect();
        windows.sort_by_key(|s| s.window_start_frame);
        windows.dedup_by_key(|s| s.window_start_frame);

        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut usable: Vec<&ScoreSample> = Vec::new();
        let mut open_until = None;
        for window in windows {
            if !window.usable() {
                open_until = None;
                continue;
            }
            let at = usable.len();
            match (runs.last_mut(), open_until) {
                (Some(run), Some(last)) if window.window_start_frame <= last => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
            open_until = Some(window.window_end_frame);
            usable.push(window);
        }

        let start: Vec<f64> = usable.iter().map(|s| s.start.secs()).collect();
        let end: Vec<f64> = usable.iter().map(|s| s.end.secs()).collect();
        let centre: Vec<f64> = usable.iter().map(|s| s.centre_secs()).collect();
        let raw: Vec<f64> = usable.iter().map(|s| s.score).collect();
        let spans: Vec<f64> = start.iter().zip(&end).map(|(a, b)| b - a).collect();
        let frames: Vec<f64> = usable
            .iter()
            .map(|s| (s.window_end_frame - s.window_start_frame) as f64)
            .collect();
        let span_secs = median(&spans)?;
        let span_frames = median(&frames)?.round() as usize;
        // Times rounded by the container must not cost the outermost sample.
        let slack = 0.25 * span_secs / span_frames.max(1) as f64;
        let by_run = |reach: f64| -> Vec<f64> {
            runs.iter()
                .flat_map(|run| {
                    smooth_by_time(&centre[run.clone()], &raw[run.clone()], reach + slack)
                })
                .collect()
        };
        let light = by_run(LIGHT_PART * span_secs);
        let smooth = by_run(span_secs);
        let quiet = |values: &[f64]| {
            let ceiling = params.ceilings.of(kind).unwrap_or(f64::INFINITY);
            let below: Vec<f64> = values.iter().copied().filter(|&v| v < ceiling).collect();
            // Where nothing lies below it, there is no quiet part but this.
            let values = if below.is_empty() { values } else { &below };
            Quiet::measure(values, params.mad_factor)
        };
        let light_quiet = quiet(&light)?;
        let smooth_quiet = quiet(&smooth)?;
        Some(Self {
            kind,
            motion: usable.iter().map(|s| s.motion).collect(),
            start,
            end,
            centre,
            light,
            smooth,
            runs,
            span_secs,
            span_frames,
            light_quiet,
            smooth_quiet,
        })
    }

    /// Highest smoothed score of the windows centred within `from..=to` seconds.
    pub(crate) fn highest(&self, from: f64, to: f64) -> Option<f64> {
        let first = self.centre.partition_point(|&c| c < from);
        let last = self.centre.partition_point(|&c| c <= to);
        self.smooth
            .get(first..last)?
            .iter()
            .copied()
            .reduce(f64::max)
    }

    /// The lightly smoothed score of the window centred nearest to `at`, when one
    /// lies within a sixth of a window.
    pub(crate) fn light_at(&self, at: f64) -> Option<f64> {
        let after = self.centre.partition_point(|&c| c < at);
        [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter(|&i| i < self.centre.len())
            .min_by(|&a, &b| {
                (self.centre[a] - at)
                    .abs()
                    .total_cmp(&(self.centre[b] - at).abs())
            })
            .filter(|&i| (self.centre[i] - at).abs() <= LIGHT_PART * self.span_secs)
            .map(|i| self.light[i])
    }
}
