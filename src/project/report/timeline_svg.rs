//! The timeline as drawings, one a row of time: scores with threshold and candidates,
//! coders' tiers, what was not measured, and an axis at round times.

use std::fmt::Write;

use super::text::{self, Text, why, why_letter};
use super::{Bar, Lane, NotMeasured, Timeline};
use crate::base::{TimeSpan, Timestamp};
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::decimate::MinMaxSeries;

// In units of the drawing; 760 of them are as wide as the page.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 748.0;
const CURVE: f64 = 52.0;
const STRIP: f64 = 12.0;
const GAP: f64 = 8.0;
const AXIS: f64 = 20.0;
/// A letter of the drawing's text is about this wide.
const LETTER: f64 = 5.2;
/// An expression of 40 ms must be seen in a row of an hour.
const NARROWEST: f64 = 2.0;

/// A recording is drawn in at most so many rows.
const MOST_ROWS: f64 = 8.0;
/// A recording up to this long is one row, seconds.
const ONE_ROW: f64 = 90.0;
/// How long rows may be, seconds.
const ROWS: [f64; 10] = [
    60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0,
];
/// How far apart ticks may be, seconds.
const TICKS: [f64; 18] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1800.0, 3600.0,
];

/// How long one row is: the whole of a short recording, else a round time.
fn row_secs(duration: f64) -> f64 {
    if duration <= ONE_ROW {
        return duration.max(1e-3);
    }
    let fits = |row: &f64| duration / row <= MOST_ROWS;
    let longest = ROWS[ROWS.len() - 1];
    let row = ROWS.into_iter().find(fits);
    row.unwrap_or_else(|| longest * (duration / longest / MOST_ROWS).ceil())
}

/// All rows in order of time.
pub(super) fn drawings(timeline: &Timeline) -> String {
    let duration = timeline.duration_secs;
    let length = row_secs(duration);
    let count = (duration / length).ceil().max(1.0) as usize;
    let curves: Vec<Curve> = timeline.lanes.iter().map(Curve::of).collect();
    let mut drawn = String::new();
    for index in 0..count {
        let start = index as f64 * length;
        let row = Row {
            timeline,
            curves: &curves,
            index,
            start,
            end: start + length,
            numbered: None,
            out: String::new(),
        };
        drawn.push_str(&row.draw(count));
    }
    drawn
}

/// A lane's score over the whole recording.
struct Curve {
    series: MinMaxSeries,
    low: f64,
    high: f64,
}

impl Curve {
    fn of(lane: &Lane) -> Self {
        let mut series = MinMaxSeries::new();
        for &(secs, score) in &lane.curve {
            let at = Timestamp::from_secs(secs);
            if let Err(e) = series.push(at, score.map(|s| s as f32)) {
                log::warn!("a score is not drawn: {e}");
            }
        }
        let scores = lane.curve.iter().filter_map(|point| point.1);
        let (low, high) = scores
            .chain(lane.threshold)
            .filter(|score| score.is_finite())
            .fold((0.0_f64, 0.0_f64), |(l, h), s| (l.min(s), h.max(s)));
        let high = if high > low { high } else { low + 1.0 };
        Self {
            series,
            low,
            high: high + 0.06 * (high - low),
        }
    }

    fn y(&self, score: f64, top: f64) -> f64 {
        let share = (score - self.low) / (self.high - self.low);
        top + CURVE * (1.0 - share.clamp(0.0, 1.0))
    }

    /// One minimum and one maximum a column where samples lie closer than columns, so
    /// that the shortest peak is seen; broken where nothing was measured.
    fn path(&self, row: &Row, top: f64) -> String {
        let range = TimeSpan {
            start: Timestamp::from_secs(row.start),
            end: Timestamp::from_secs(row.end),
        };
        let columns = RIGHT as usize - LEFT as usize;
        let few = self.series.samples(range).take(2 * columns).count() < 2 * columns;
        let mut path = String::new();
        let mut open = false;
        let mut point = |x: f64, score: Option<f32>| {
            if let Some(score) = score {
                let letter = if open { 'L' } else { 'M' };
                let y = self.y(f64::from(score), top);
                let _ = write!(path, "{letter}{x:.1} {y:.1}");
            }
            open = score.is_some();
        };
        if few {
            for (at, score) in self.series.samples(range) {
                point(row.x(at.secs()), score);
            }
            return path;
        }
        let mut before = 0.0_f32;
        for column in self.series.columns(range, columns) {
            let x = row.x(column.start.secs()) + 0.5;
            match column.extremes {
                Some((low, high)) => {
                    // Enter a column at the end nearer to where the line comes from.
                    let rising = (before - low).abs() <= (before - high).abs();
                    let (first, last) = if rising { (low, high) } else { (high, low) };
                    point(x, Some(first));
                    point(x, Some(last));
                    before = last;
                    if column.gap {
                        point(x, None);
                    }
                }
                None if column.gap => point(x, None),
                None => {}
            }
        }
        path
    }
}

struct Row<'a> {
    timeline: &'a Timeline,
    curves: &'a [Curve],
    index: usize,
    /// Seconds.
    start: f64,
    end: f64,
    /// Top of the last number and where it ends.
    numbered: Option<(f64, f64)>,
    out: String,
}

impl Row<'_> {
    fn x(&self, secs: f64) -> f64 {
        let share = (secs - self.start) / (self.end - self.start);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn shows(&self, start: f64, end: f64) -> bool {
        start < self.end && end >= self.start
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }

    fn draw(mut self, count: usize) -> String {
        let lanes = self.timeline.lanes.len() as f64;
        let tiers = self.timeline.tiers.len() as f64;
        let bottom = 4.0 + lanes * (CURVE + STRIP + GAP) + tiers * (STRIP + 4.0);
        let height = bottom + AXIS;
        let clock = |secs: f64| Timestamp::from_secs(secs).clock();
        let until = self.end.min(self.timeline.duration_secs);
        let part = if count > 1 {
            format!(", part {} of {count}", self.index + 1)
        } else {
            String::new()
        };
        let (index, from, to) = (self.index, clock(self.start), clock(until));
        self.put(format_args!(
            "<svg class=\"timeline\" role=\"img\" aria-label=\"Timeline from {from} to {to}{part}; \
             every interval is told in words below\" viewBox=\"0 0 {WIDTH} {height:.0}\">\n\
             <defs><pattern id=\"hatch-{index}\" width=\"4\" height=\"4\" \
             patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <path class=\"hatch\" d=\"M0 0V4\"/></pattern></defs>\n"
        ));
        if until < self.end {
            let (x, width) = (self.x(until), RIGHT - self.x(until));
            self.put(format_args!(
                "<rect class=\"beyond\" x=\"{x:.1}\" y=\"4\" width=\"{width:.1}\" height=\"{:.0}\"/>\n",
                bottom - 4.0
            ));
        }
        self.axis(bottom);
        for span in &self.timeline.not_measured {
            self.shade(span, 4.0, bottom - 4.0);
        }
        let mut top = 4.0;
        for (lane, curve) in self.timeline.lanes.iter().zip(self.curves) {
            self.lane(lane, curve, top);
            top += CURVE + STRIP + GAP;
        }
        for tier in &self.timeline.tiers {
            let name = text::coder(&tier.coder);
            self.label(name, top + 9.0, "name");
            for bar in &tier.bars {
                self.bar(bar, top, "human");
            }
            top += STRIP + 4.0;
        }
        self.out.push_str("</svg>\n");
        self.out
    }

    fn label(&mut self, words: &str, y: f64, class: &str) {
        /// What fits beside the plot.
        const LETTERS: usize = 16;
        let shown: String = if words.chars().count() > LETTERS {
            let head = words.chars().take(LETTERS - 1);
            head.chain(['…']).collect()
        } else {
            words.to_owned()
        };
        self.put(format_args!(
            "<text class=\"{class}\" x=\"0\" y=\"{y:.1}\">{}</text>\n",
            Text(&shown)
        ));
    }

    fn axis(&mut self, bottom: f64) {
        let span = self.end - self.start;
        let step = TICKS.into_iter().find(|step| span / step <= 10.0);
        let step = step.unwrap_or(7200.0);
        let first = (self.start / step - 1e-6).ceil() as i64;
        let last = (self.end / step + 1e-6).floor() as i64;
        for tick in first..=last {
            let secs = tick as f64 * step;
            let (x, y) = (self.x(secs), bottom + 13.0);
            // The last label must not leave the drawing.
            let anchor = if x > RIGHT - 16.0 { "end" } else { "middle" };
            self.put(format_args!(
                "<path class=\"grid\" d=\"M{x:.1} 4V{bottom:.1}\"/>\
                 <text class=\"axis\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>\n",
                tick_text(secs, step)
            ));
        }
        let y = bottom + 13.0;
        let unit = if step < 1.0 {
            "time (m:ss.ms)"
        } else {
            "time (h:mm:ss)"
        };
        self.put(format_args!(
            "<text class=\"axis\" x=\"0\" y=\"{y:.1}\">{unit}</text>\n"
        ));
    }

    fn lane(&mut self, lane: &Lane, curve: &Curve, top: f64) {
        let (class, name) = match lane.kind {
            ExpressionKind::Macro => ("macro", "Macro score"),
            ExpressionKind::Micro => ("micro", "Micro score"),
        };
        let floor = top + CURVE;
        for span in &lane.not_measured {
            self.shade(span, top, CURVE);
        }
        self.label(name, top + 10.0, "name");
        self.label("candidates", floor + 11.0, "axis");
        self.put(format_args!(
            "<path class=\"grid\" d=\"M{LEFT} {floor:.1}H{RIGHT}\"/>\n\
             <text class=\"axis\" text-anchor=\"end\" x=\"{x}\" y=\"{floor:.1}\">{}</text>\n",
            score(curve.low, curve.high),
            x = LEFT - 4.0,
        ));
        if let Some(threshold) = lane.threshold {
            let y = curve.y(threshold, top);
            // Not across the lane's name or its zero.
            let text_y = (y + 3.5).clamp(top + 22.0, floor - 11.0);
            self.put(format_args!(
                "<path class=\"threshold\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\n\
                 <text class=\"axis\" text-anchor=\"end\" x=\"{x}\" y=\"{text_y:.1}\">threshold {}</text>\n",
                score(threshold, curve.high),
                x = LEFT - 4.0,
            ));
        }
        let path = curve.path(self, top);
        if path.is_empty() {
            let (x, y) = (0.5 * (LEFT + RIGHT), top + 0.5 * CURVE);
            self.put(format_args!(
                "<text class=\"axis\" text-anchor=\"middle\" x=\"{x}\" y=\"{y:.1}\">no score here</text>\n"
            ));
        } else {
            self.put(format_args!(
                "<path class=\"curve {class}\" d=\"{path}\"/>\n"
            ));
        }
        for bar in &lane.candidates {
            self.bar(bar, floor + 2.0, class);
        }
    }

    fn shade(&mut self, span: &NotMeasured, top: f64, height: f64) {
        if !self.shows(span.start, span.end) {
            return;
        }
        let (x, right) = (self.x(span.start), self.x(span.end));
        let width = (right - x).max(1.0);
        self.put(format_args!(
            "<rect class=\"unmeasured\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"><title>{}</title></rect>\n",
            why(span.why)
        ));
        let words = why(span.why);
        let letter = &why_letter(span.why).to_string();
        let fits = |words: &str| width >= LETTER * words.chars().count() as f64 + 3.0;
        let Some(words) = [&words, letter].into_iter().find(|words| fits(words)) else {
            return;
        };
        let (x, y) = (x + 0.5 * width, top + 9.0);
        self.put(format_args!(
            "<text class=\"why\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>\n"
        ));
    }

    /// Undecided outlined, accepted filled, rejected hatched; a line at the apex.
    fn bar(&mut self, bar: &Bar, top: f64, class: &str) {
        if !self.shows(bar.onset, bar.offset) {
            return;
        }
        let (x, right) = (self.x(bar.onset), self.x(bar.offset));
        let width = (right - x).max(NARROWEST);
        let height = STRIP - 2.0;
        let status = text::status(bar.status);
        let number = bar.number.map_or_else(String::new, |n| format!("{n}, "));
        let tip = format!(
            "{number}{}-expression, {status}, onset {}, offset {}",
            bar.kind.name(),
            Timestamp::from_secs(bar.onset).clock(),
            Timestamp::from_secs(bar.offset).clock(),
        );
        if let Some(number) = bar.number {
            self.put(format_args!(
                "<a tabindex=\"-1\" href=\"#expression-{number}\">"
            ));
        }
        let fill = match bar.status {
            IntervalStatus::Rejected => format!(" style=\"fill:url(#hatch-{})\"", self.index),
            _ => String::new(),
        };
        self.put(format_args!(
            "<rect class=\"bar {class} {status}\"{fill} x=\"{x:.1}\" y=\"{top:.1}\" \
             width=\"{width:.1}\" height=\"{height:.1}\"><title>{tip}</title></rect>"
        ));
        if let Some(apex) = bar.apex.filter(|apex| self.shows(*apex, *apex)) {
            // In a narrow bar the line would hide whether it is filled.
            let down = if width < 8.0 { 0.0 } else { height + 1.5 };
            let (x, y, end) = (self.x(apex), top - 2.5, top + down);
            self.put(format_args!(
                "<path class=\"apex\" d=\"M{x:.1} {y:.1}V{end:.1}\"/>"
            ));
        }
        if let Some(number) = bar.number {
            self.out.push_str("</a>");
            if self.shows(bar.onset, bar.onset) && bar.status != IntervalStatus::Rejected {
                self.number(number, x + width, top);
            }
        }
        self.out.push('\n');
    }

    /// Behind a bar that ends at `right`, where there is room.
    fn number(&mut self, number: usize, right: f64, top: f64) {
        let words = number.to_string();
        let (x, y) = (right + 2.0, top + STRIP - 3.5);
        // In bold, and not touching the next one.
        let end = x + 6.4 * words.len() as f64 + 3.0;
        let taken = self
            .numbered
            .is_some_and(|(row, until)| row == top && x < until);
        if taken || end > WIDTH {
            return;
        }
        self.numbered = Some((top, end));
        self.put(format_args!(
            "<text class=\"number\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
        ));
    }
}

/// Round times: `0:00:10`, in steps under a second `0:00.25`.
fn tick_text(secs: f64, step: f64) -> String {
    let clock = Timestamp::from_secs(secs + 1e-6).clock();
    if step >= 1.0 {
        clock[..clock.len() - 4].to_owned()
    } else {
        // Rows with such steps are a few seconds long, so hours say nothing.
        let (_, minutes) = clock.split_once(':').unwrap_or(("", &clock));
        minutes
            .trim_start_matches('0')
            .replacen(':', "0:", usize::from(minutes.starts_with("00")))
    }
}

/// With as many digits as the range asks for.
fn score(value: f64, range: f64) -> String {
    let decimals = if value == 0.0 {
        0
    } else if range >= 10.0 {
        1
    } else if range >= 0.1 {
        2
    } else {
        4
    };
    text::maybe(Some(value), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_round_and_few() {
        assert_eq!(row_secs(3.12), 3.12);
        assert_eq!(row_secs(300.0), 60.0);
        assert_eq!(row_secs(7200.0), 900.0);
        assert_eq!(row_secs(10.0 * 86_400.0), 8.0 * 14_400.0);
        assert!(row_secs(0.0) > 0.0);
    }

    #[test]
    fn ticks_say_round_times() {
        assert_eq!(tick_text(70.0, 10.0), "0:01:10");
        assert_eq!(tick_text(0.25, 0.05), "0:00.250");
        assert_eq!(tick_text(61.5, 0.5), "1:01.500");
        assert_eq!(score(0.0123, 0.05), "0.0123");
    }

    #[test]
    fn a_peak_of_one_sample_survives_two_hours() {
        let score = |i: u32| if i == 123_457 { 1.0 } else { 0.1 };
        let curve = (0..216_000).map(|i| (f64::from(i) / 30.0, Some(score(i))));
        let lane = Lane {
            kind: ExpressionKind::Micro,
            source: String::new(),
            unit: String::new(),
            curve: curve.collect(),
            threshold: None,
            candidates: Vec::new(),
            not_measured: Vec::new(),
        };
        let timeline = Timeline {
            duration_secs: 7200.0,
            lanes: vec![lane],
            ..Timeline::default()
        };
        let drawn = drawings(&timeline);
        assert_eq!(drawn.matches("<svg").count(), 8);
        // 1.0 of a range up to 1.06 stands 2.9 under the top of the curve.
        assert!(
            drawn.contains(" 6.9L") || drawn.contains(" 6.9\""),
            "the peak is lost"
        );
        assert!(drawn.len() < 200_000, "{}", drawn.len());
    }
}
