//! The score curve as it is drawn: one minimum and one maximum a pixel column,
//! so that the shortest peak survives any zoom, broken where nothing was measured.

use super::time_view::TimeView;
use crate::base::{TimeSpan, Timestamp};
use crate::spotting::signal::ScoreSample;
use crate::timeline::decimate::MinMaxSeries;

/// Where a window's score stands in time: the middle of the window, in seconds.
#[must_use]
pub fn sample_secs(sample: &ScoreSample) -> f64 {
    0.5 * (sample.start.secs() + sample.end.secs())
}

/// No score for so long means that none was measured, as where a camera is too slow for
/// a kind: many times the distance of two windows at the slowest rate that is analysed.
pub(super) const HOLE_SECS: f64 = 0.5;

/// A masked score is a gap, and so is a stretch without any.
pub fn push(series: &mut MinMaxSeries, sample: &ScoreSample) {
    let at = Timestamp::from_secs(sample_secs(sample));
    let value = sample.masked.is_none().then_some(sample.score as f32);
    let hole = (series.end()).filter(|last| at.secs_since(*last) > HOLE_SECS);
    let pushed = match hole {
        Some(last) => series.push(last, None),
        None => Ok(()),
    };
    if let Err(e) = pushed.and_then(|()| series.push(at, value)) {
        log::warn!("a score is not drawn: {e}");
    }
}

/// Polylines of (seconds, score) inside `view`, at most two points a column where
/// samples lie closer than pixels. Gaps break the line.
#[must_use]
pub fn polylines(series: &MinMaxSeries, view: TimeView, columns: usize) -> Vec<Vec<[f64; 2]>> {
    // A little beyond both ends, so that the line does not stop short of them.
    let beyond = 0.02 * view.span();
    let range = TimeSpan {
        start: Timestamp::from_secs(view.start - beyond),
        end: Timestamp::from_secs(view.end + beyond),
    };
    let mut lines = Lines::default();
    if series.samples(range).take(2 * columns + 1).count() <= 2 * columns {
        for (at, value) in series.samples(range) {
            match value {
                Some(v) => lines.point(at.secs(), v),
                None => lines.end(),
            }
        }
        return lines.done();
    }
    let cells = series.columns(range, columns);
    let half = 0.5 * range.secs() / columns.max(1) as f64;
    let mut before: Option<f32> = None;
    for cell in cells {
        if let Some((low, high)) = cell.extremes {
            let t = cell.start.secs() + half;
            // Enter a column at the end nearer to where the line comes from.
            let from = before.unwrap_or(low);
            let (a, b) = if (from - low).abs() <= (from - high).abs() {
                (low, high)
            } else {
                (high, low)
            };
            lines.point(t, a);
            if b != a {
                lines.point(t, b);
            }
            before = Some(b);
        }
        if cell.gap {
            lines.end();
            before = None;
        }
    }
    lines.done()
}

#[derive(Default)]
struct Lines {
    done: Vec<Vec<[f64; 2]>>,
    open: Vec<[f64; 2]>,
}

impl Lines {
    fn point(&mut self, t: f64, value: f32) {
        self.open.push([t, f64::from(value)]);
    }

    fn end(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn done(mut self) -> Vec<Vec<[f64; 2]>> {
        self.end();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(count: u32, value: impl Fn(u32) -> Option<f32>) -> MinMaxSeries {
        let mut s = MinMaxSeries::new();
        for i in 0..count {
            s.push(Timestamp::from_secs(f64::from(i) / 200.0), value(i))
                .unwrap();
        }
        s
    }

    #[test]
    fn a_forty_millisecond_peak_survives_an_hour_on_a_thousand_pixels() {
        let s = series(720_000, |i| Some(if i == 400_003 { 0.9 } else { 0.1 }));
        let lines = polylines(&s, TimeView::whole(3600.0), 1000);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() <= 2000);
        assert!(lines[0].iter().any(|p| (p[1] - 0.9).abs() < 1e-6));
    }

    #[test]
    fn what_was_not_measured_breaks_the_line() {
        let s = series(30, |i| (i != 10).then_some(0.1));
        let lines = polylines(&s, TimeView::whole(1.0), 500);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len() + lines[1].len(), 29);
    }

    #[test]
    fn a_stretch_without_any_score_breaks_the_line() {
        let sample = |secs: f64| ScoreSample {
            kind: crate::spotting::ExpressionKind::Micro,
            window_start_frame: 0,
            window_end_frame: 1,
            start: Timestamp::from_secs(secs),
            end: Timestamp::from_secs(secs),
            score: 0.3,
            strain: 0.0,
            apex: None,
            masked: None,
            motion: None,
        };
        let mut s = MinMaxSeries::new();
        for secs in [0.0, 0.1, 0.2, 9.0, 9.1] {
            push(&mut s, &sample(secs));
        }
        let lines = polylines(&s, TimeView::whole(10.0), 500);
        let lengths: Vec<usize> = lines.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 2]);
    }
}
