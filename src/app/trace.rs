//! The score curve as it is drawn: one minimum and one maximum a pixel column,
//! so that the shortest peak survives any zoom, broken where nothing was measured.

use super::time_view::TimeView;
use crate::spotting::signal::ScoreSample;

/// Where a window's score stands in time: the middle of the window, in seconds.
#[must_use]
pub fn sample_secs(sample: &ScoreSample) -> f64 {
    0.5 * (sample.start.secs() + sample.end.secs())
}

/// Polylines of (seconds, score) inside `view` and one sample beyond each end.
/// Masked samples are left out and break the line.
#[must_use]
pub fn polylines(samples: &[ScoreSample], view: TimeView, columns: usize) -> Vec<Vec<[f64; 2]>> {
    let first = samples
        .partition_point(|s| sample_secs(s) < view.start)
        .saturating_sub(1);
    let last = (samples.partition_point(|s| sample_secs(s) <= view.end) + 1).min(samples.len());
    let visible = &samples[first.min(last)..last];
    let dense = columns > 0 && visible.len() > 2 * columns;
    let mut lines = Vec::new();
    let mut line: Vec<[f64; 2]> = Vec::new();
    let mut column: Option<Column> = None;
    for sample in visible {
        let (t, y) = (sample_secs(sample), sample.score);
        if sample.masked.is_some() || !y.is_finite() {
            flush(&mut column, &mut line);
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            continue;
        }
        if !dense {
            line.push([t, y]);
            continue;
        }
        let at = ((t - view.start) / view.span() * columns as f64).floor() as i64;
        match &mut column {
            Some(c) if c.at == at => c.add(t, y),
            _ => {
                flush(&mut column, &mut line);
                column = Some(Column {
                    at,
                    low: [t, y],
                    high: [t, y],
                });
            }
        }
    }
    flush(&mut column, &mut line);
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

struct Column {
    at: i64,
    low: [f64; 2],
    high: [f64; 2],
}

impl Column {
    fn add(&mut self, t: f64, y: f64) {
        if y < self.low[1] {
            self.low = [t, y];
        }
        if y > self.high[1] {
            self.high = [t, y];
        }
    }
}

fn flush(column: &mut Option<Column>, line: &mut Vec<[f64; 2]>) {
    if let Some(c) = column.take() {
        let (a, b) = if c.low[0] <= c.high[0] {
            (c.low, c.high)
        } else {
            (c.high, c.low)
        };
        line.push(a);
        if b != a {
            line.push(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::spotting::ExpressionKind;
    use crate::spotting::signal::MaskReason;

    fn sample(i: u64, score: f64) -> ScoreSample {
        ScoreSample {
            kind: ExpressionKind::Micro,
            window_start_frame: i,
            window_end_frame: i + 6,
            start: Timestamp::from_secs(i as f64 / 200.0),
            end: Timestamp::from_secs((i + 6) as f64 / 200.0),
            score,
            masked: None,
        }
    }

    #[test]
    fn a_forty_millisecond_peak_survives_an_hour_on_a_thousand_pixels() {
        let mut samples: Vec<ScoreSample> = (0..720_000).map(|i| sample(i, 0.1)).collect();
        samples[400_003].score = 0.9;
        let lines = polylines(&samples, TimeView::whole(3600.0), 1000);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() <= 2002);
        assert!(lines[0].iter().any(|p| p[1] == 0.9));
    }

    #[test]
    fn what_was_not_measured_breaks_the_line() {
        let mut samples: Vec<ScoreSample> = (0..30).map(|i| sample(i, 0.1)).collect();
        samples[10].masked = Some(MaskReason::Blink);
        let lines = polylines(&samples, TimeView::whole(1.0), 500);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len() + lines[1].len(), 29);
    }
}
