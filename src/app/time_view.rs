//! Which stretch of time the timeline shows, and where its ticks stand.
//! Pure arithmetic: nothing here paints.

use crate::timeline::FrameRecord;

/// Never zoom in further than this.
const MIN_SPAN_SECS: f64 = 0.02;
/// A live timeline rolls with this length.
pub const LIVE_SPAN_SECS: f64 = 30.0;

/// A stretch of time in seconds from the first frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeView {
    pub start: f64,
    pub end: f64,
}

impl TimeView {
    /// The whole of a recording that is `secs` long.
    #[must_use]
    pub fn whole(secs: f64) -> Self {
        Self {
            start: 0.0,
            end: secs.max(1.0),
        }
    }

    #[must_use]
    pub fn span(self) -> f64 {
        self.end - self.start
    }

    /// How far along the stretch a time lies: 0 at its start, 1 at its end.
    #[must_use]
    pub fn share(self, t: f64) -> f64 {
        (t - self.start) / self.span()
    }

    #[must_use]
    pub fn contains(self, t: f64) -> bool {
        self.start <= t && t <= self.end
    }

    /// `factor` above 1 shows less; the time `at` stays where it is on the screen.
    #[must_use]
    pub fn zoomed(self, factor: f64, at: f64, limits: Self) -> Self {
        let span = (self.span() / factor).clamp(MIN_SPAN_SECS.min(limits.span()), limits.span());
        let start = at - self.share(at) * span;
        Self {
            start,
            end: start + span,
        }
        .within(limits)
    }

    #[must_use]
    pub fn panned(self, secs: f64, limits: Self) -> Self {
        Self {
            start: self.start + secs,
            end: self.end + secs,
        }
        .within(limits)
    }

    /// The stretch from `a` to `b` with as much again around it.
    #[must_use]
    pub fn fitting(a: f64, b: f64, limits: Self) -> Self {
        let margin = (0.5 * (b - a)).max(0.1);
        Self {
            start: a - margin,
            end: b + margin,
        }
        .within(limits)
    }

    /// Moved just enough, by whole pages, that `cursor` is inside.
    #[must_use]
    pub fn following(self, cursor: f64, limits: Self) -> Self {
        if self.contains(cursor) {
            return self;
        }
        let lead = 0.05 * self.span();
        self.panned(cursor - lead - self.start, limits)
    }

    fn within(self, limits: Self) -> Self {
        let span = self.span().min(limits.span());
        let start = self
            .start
            .clamp(limits.start, (limits.end - span).max(limits.start));
        Self {
            start,
            end: start + span,
        }
    }
}

/// Ticks of the time axis and what their labels mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    /// Quantity and unit, as the axis states them.
    pub axis: &'static str,
    /// Seconds and label.
    pub marks: Vec<(f64, String)>,
    pub step: f64,
}

/// Round steps in seconds.
const STEPS: [f64; 21] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0,
    120.0, 300.0, 600.0, 1800.0, 3600.0,
];

/// Ticks at round times, at least `min_gap` pixels apart in `width` pixels; at
/// frames where every frame that is seen is wider than that: where a camera dropped most
/// of them, two may lie close together all the same.
#[must_use]
pub fn ticks(view: TimeView, width: f32, min_gap: f32, frames: &[FrameRecord]) -> Ticks {
    let first = frames.partition_point(|f| f.timestamp.secs() < view.start);
    let last = frames.partition_point(|f| f.timestamp.secs() <= view.end);
    let visible = &frames[first..last];
    let gap_secs = view.span() * f64::from(min_gap / width.max(1.0));
    // More than would fit need not be looked at, and may be millions.
    let fit = (view.span() / gap_secs) as usize + 1;
    let few = if visible.len() <= fit { visible } else { &[] };
    let closest = (few.windows(2))
        .map(|pair| pair[1].timestamp.secs_since(pair[0].timestamp))
        .min_by(f64::total_cmp);
    if closest.is_some_and(|closest| closest >= gap_secs) {
        return Ticks {
            axis: "frame number",
            marks: visible
                .iter()
                .map(|f| (f.timestamp.secs(), f.frame.to_string()))
                .collect(),
            step: view.span() / visible.len() as f64,
        };
    }
    let step = STEPS
        .into_iter()
        .find(|s| *s >= gap_secs)
        .unwrap_or_else(|| (gap_secs / 3600.0).ceil() * 3600.0);
    let (axis, label): (_, fn(f64, f64) -> String) = if step >= 60.0 {
        ("time (h:min)", |t, _| {
            let m = (t / 60.0).round() as i64;
            format!("{}:{:02}", m / 60, m % 60)
        })
    } else if view.end >= 120.0 && step >= 1.0 {
        ("time (min:s)", |t, _| {
            let s = t.round() as i64;
            format!("{}:{:02}", s / 60, s % 60)
        })
    } else {
        ("time (s)", |t, step| {
            let decimals = if step >= 1.0 {
                0
            } else {
                (-step.log10()).ceil() as usize
            };
            format!("{t:.decimals$}")
        })
    };
    let from = (view.start / step).ceil() as i64;
    let to = (view.end / step).floor() as i64;
    Ticks {
        axis,
        marks: (from..=to)
            .map(|i| {
                let t = i as f64 * step;
                (t, label(t, step))
            })
            .collect(),
        step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn zooming_keeps_the_time_under_the_pointer() {
        let limits = TimeView::whole(100.0);
        let view = limits.zoomed(4.0, 30.0, limits);
        assert!((view.span() - 25.0).abs() < 1e-9);
        assert!(((30.0 - view.start) / view.span() - 0.3).abs() < 1e-9);
        assert_eq!(view.zoomed(1e-9, 30.0, limits), limits);
    }

    #[test]
    fn panning_stops_at_the_ends_and_keeps_the_length() {
        let limits = TimeView::whole(10.0);
        let view = TimeView {
            start: 2.0,
            end: 4.0,
        };
        assert_eq!(
            view.panned(100.0, limits),
            TimeView {
                start: 8.0,
                end: 10.0
            }
        );
    }

    #[test]
    fn the_view_follows_a_cursor_that_leaves_it() {
        let limits = TimeView::whole(100.0);
        let view = TimeView {
            start: 0.0,
            end: 10.0,
        };
        assert!(view.following(10.1, limits).contains(10.1));
        assert_eq!(view.following(5.0, limits), view);
    }

    #[test]
    fn ticks_stand_at_round_times_and_name_their_unit() {
        let t = ticks(TimeView::whole(20.0), 800.0, 64.0, &[]);
        assert_eq!((t.axis, t.step), ("time (s)", 2.0));
        assert_eq!(t.marks[1], (2.0, "2".to_owned()));
        let t = ticks(TimeView::whole(1200.0), 800.0, 64.0, &[]);
        assert_eq!((t.axis, t.marks[1].1.as_str()), ("time (h:min)", "0:02"));
        let t = ticks(
            TimeView {
                start: 125.0,
                end: 131.0,
            },
            800.0,
            64.0,
            &[],
        );
        assert_eq!((t.axis, t.marks[0].1.as_str()), ("time (s)", "125.0"));
    }

    fn record(frame: u64, secs: f64) -> FrameRecord {
        FrameRecord::faceless(frame, Timestamp::from_secs(secs))
    }

    #[test]
    fn labels_keep_their_distance_where_a_camera_dropped_nearly_everything() {
        // Two or three frames, then nothing for seconds, and again.
        let mut secs = 0.0;
        let mut frames: Vec<FrameRecord> = Vec::new();
        for i in 0..200u64 {
            secs += [1.0 / 30.0, 2.7, 1.0 / 30.0, 1.0 / 30.0, 0.9][i as usize % 5];
            frames.push(record(i, secs));
        }
        let (width, gap) = (800.0, 64.0);
        let mut axes = std::collections::BTreeSet::new();
        for span in [0.05, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 80.0] {
            for at in 0..60 {
                let start = f64::from(at) * 0.7;
                let view = TimeView {
                    start,
                    end: start + span,
                };
                let ticks = ticks(view, width, gap, &frames);
                axes.insert(ticks.axis);
                let apart = |a: f64, b: f64| ((b - a) / span) as f32 * width;
                let close = ticks
                    .marks
                    .windows(2)
                    .find(|w| apart(w[0].0, w[1].0) < gap - 0.01);
                assert_eq!(close, None, "{span} s from {start} s");
            }
        }
        assert!(axes.contains("frame number") && axes.contains("time (s)"));
    }

    #[test]
    fn ticks_become_frames_when_a_frame_is_wide_enough() {
        let frames: Vec<FrameRecord> = (0..300).map(|i| record(i, i as f64 / 30.0)).collect();
        let view = TimeView {
            start: 5.0,
            end: 5.2,
        };
        let t = ticks(view, 800.0, 64.0, &frames);
        assert_eq!(t.axis, "frame number");
        assert_eq!(t.marks[0].1, "150");
    }
}
