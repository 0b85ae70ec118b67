//! The document: what stands around timeline, blocks and tables.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::text::{self, Table, Text, names, style_string, why};
use super::timeline_svg;
use super::{Facts, NotMeasured, Report, Timeline, Why, blocks, counts, reliability};
use crate::base::{Severity, Timestamp};
use crate::timeline::length;

const STYLE: &str = include_str!("style.css");

/// Spans of one reason that are listed one by one; more are only counted.
const MOST_SPANS: usize = 12;

impl Report {
    /// The whole file.
    #[must_use]
    pub fn html(&self) -> String {
        let name = Text(&self.recording);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>{name}: expressions</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n",
            page_foot(&self.recording)
        );
        out.push_str(&self.head());
        out.push_str(&section("Summary", &summary(&self.facts)));
        out.push_str(&section("Timeline", &timeline(&self.timeline)));
        out.push_str(&self.expression_sections());
        if !self.agreement.is_empty() {
            let words = "<p>κ corrects for chance and is low where nearly nothing happens, even if \
                 coders agree; so the raw agreement stands beside it. R is 2 × units scored by both \
                 over all units scored by either. A dash says that there was nothing to compare.</p>\n";
            let tables = reliability::tables(&self.agreement);
            out.push_str(&section(
                "Agreement between coders",
                &format!("{words}{tables}"),
            ));
        }
        out.push_str(&section("How this was measured", &self.method_section()));
        if !self.warnings.is_empty() {
            out.push_str(&section("Warnings", &self.warning_list()));
        }
        out.push_str(&section("What the numbers are not", NOT));
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    fn head(&self) -> String {
        let mut line = String::new();
        if !self.date.is_empty() {
            let _ = write!(line, "Report of {}. ", Text(&self.date));
        }
        if !self.method.version.is_empty() {
            let _ = write!(line, "Onset {}.", Text(&self.method.version));
        }
        format!(
            "<header>\n<h1>{}</h1>\n<p class=\"weak\">{line}</p>\n<p class=\"limits\">{}</p>\n</header>\n",
            Text(&self.recording),
            Text(&self.limits)
        )
    }

    fn expression_sections(&self) -> String {
        let mut out = String::new();
        let told = if self.expressions.is_empty() {
            "<p>No candidate was accepted, and nobody annotated an expression.</p>\n".to_owned()
        } else {
            format!("{LEGEND}{}", blocks::blocks(&self.expressions))
        };
        out.push_str(&section("Expressions", &told));
        if !self.left_out.is_empty() {
            let table = counts::left_out(&self.left_out);
            out.push_str(&section("Rejected and undecided", &table));
        }
        if !self.expressions.is_empty() {
            let table = counts::units_by_expression(&self.expressions);
            let words = "<p>A dot is a coder’s score, with the side before and the intensity \
                 behind it where given. \
                 <i>Slanted numbers</i> are the network’s probabilities of units that reach their \
                 thresholds.</p>\n";
            out.push_str(&section(
                "Action units by expression",
                &format!("{words}{table}"),
            ));
            let tables = counts::how_often(&self.expressions, &self.facts.coders);
            let of = text::counted(self.expressions.len() as u64, "expression", "expressions");
            let words = format!("<p>Of the {of} told above.</p>\n");
            out.push_str(&section("How often", &format!("{words}{tables}")));
        }
        out
    }

    fn method_section(&self) -> String {
        let method = &self.method;
        let parameters = method.parameters.iter();
        let rows =
            parameters.map(|(name, value)| vec![Text(name).to_string(), Text(value).to_string()]);
        let mut out = Table {
            class: "facts",
            caption: "Parameters",
            head: names(["Parameter", "Value"]),
            rows: rows.collect(),
        }
        .to_string();
        let rows: Vec<Vec<String>> = (method.weights.iter())
            .map(|w| {
                let hash = format!("<code>{}</code>", Text(&w.sha256));
                vec![Text(&w.task).to_string(), Text(&w.name).to_string(), hash]
            })
            .collect();
        if rows.is_empty() {
            out.push_str("<p>No network had a say.</p>\n");
        } else {
            let weights = Table {
                class: "weights",
                caption: "Weights",
                head: names(["Task", "Weights", "SHA-256"]),
                rows,
            };
            let _ = write!(out, "{weights}");
        }
        out
    }

    fn warning_list(&self) -> String {
        let rows = self.warnings.iter().map(|notice| {
            let grade = match notice.severity {
                Severity::Info => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            let span = notice.span.map_or_else(
                || "whole recording".to_owned(),
                |span| format!("{} to {}", span.start.clock(), span.end.clock()),
            );
            vec![grade.to_owned(), span, Text(&notice.text).to_string()]
        });
        Table {
            class: "warnings",
            caption: "",
            head: names(["Grade", "When", "What"]),
            rows: rows.collect(),
        }
        .to_string()
    }
}

fn section(title: &str, inside: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{inside}</section>\n")
}

/// Loose sheets say which recording they are of.
fn page_foot(recording: &str) -> String {
    format!(
        "@page {{ @bottom-left {{ content: {}; }} }}\n",
        style_string(recording)
    )
}

fn summary(f: &Facts) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let lasts = length::clock(f.duration_secs);
    row(
        "Length",
        format!("{lasts}, {}", text::counted(f.frames, "frame", "frames")),
    );
    let nominal = f
        .nominal_fps
        .map_or_else(String::new, |fps| format!("; stated {fps:.3}"));
    let measured = f.measured_fps.map_or_else(
        || "not measured".to_owned(),
        |fps| format!("{fps:.3} frames a second by the recording’s own times"),
    );
    row("Rate", format!("{measured}{nominal}"));
    let mut size = format!("{} × {} pixels", f.width, f.height);
    if f.size_bytes > 0 {
        let _ = write!(size, ", {} bytes", text::thousands(f.size_bytes));
    }
    row("Size", size);
    let others = if f.others_share > 0.0 {
        format!(
            "; further faces, not analysed, in {}",
            text::percent(f.others_share)
        )
    } else {
        String::new()
    };
    row(
        "Frames with the face",
        format!("{}{others}", text::percent(f.found_share)),
    );
    row("Dropped frames", text::thousands(f.dropped));
    let coders: Vec<&str> = f.coders.iter().map(|c| text::coder(c)).collect();
    let coders = if coders.is_empty() {
        "none".to_owned()
    } else {
        coders.join(", ")
    };
    row("Coders", Text(&coders).to_string());
    if !f.fingerprint.is_empty() {
        row(
            "Fingerprint",
            format!("<code>{}</code>", Text(&f.fingerprint)),
        );
    }
    let facts = Table {
        class: "facts",
        caption: "Recording",
        head: names(["Fact", "Value"]),
        rows,
    };
    let counts = f.counts.iter().map(|c| {
        let all = c.accepted + c.rejected + c.undecided;
        let name = text::kind(c.kind);
        let mut row = vec![format!("{name}s")];
        let numbers = [all, c.accepted, c.rejected, c.undecided, c.found_by_people];
        row.extend(numbers.map(|n| n.to_string()));
        row
    });
    let counts = Table {
        class: "numbers",
        caption: "Candidates and annotations",
        head: names([
            "Kind",
            "Candidates",
            "accepted",
            "rejected",
            "undecided",
            "Found by people",
        ]),
        rows: counts.collect(),
    };
    format!("{facts}{counts}")
}

fn timeline(t: &Timeline) -> String {
    let mut out = String::from(KEY);
    out.push_str(&timeline_svg::drawings(t));
    for lane in &t.lanes {
        let against = lane.threshold.map_or_else(String::new, |threshold| {
            format!("; the threshold of {threshold:.3} is compared with the smoothed curve")
        });
        let _ = writeln!(
            out,
            "<p class=\"weak\">{} score: {}, {}{against}.</p>",
            if lane.kind.name() == "macro" {
                "Macro"
            } else {
                "Micro"
            },
            Text(&lane.source),
            Text(&lane.unit)
        );
    }
    out.push_str(&not_measured(t));
    out
}

/// In words what is shaded.
fn not_measured(t: &Timeline) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<NotMeasured>> = BTreeMap::new();
    let name = |span: &NotMeasured| match span.why {
        Why::NoFace => "no face (F)",
        Why::Dropped(_) => "frames dropped (D)",
        Why::Blink => "blink (B)",
        Why::HeadMotion => "head motion (H)",
    };
    for span in &t.not_measured {
        reasons
            .entry(("both kinds", name(span)))
            .or_default()
            .push(*span);
    }
    for lane in &t.lanes {
        for span in &lane.not_measured {
            reasons
                .entry((lane.kind.name(), name(span)))
                .or_default()
                .push(*span);
        }
    }
    if reasons.is_empty() {
        return "<p>Everything was measured.</p>\n".to_owned();
    }
    let rows = reasons.into_iter().map(|((lane, name), spans)| {
        let secs: f64 = spans.iter().map(|s| s.end - s.start).sum();
        let listed = spans.iter().take(MOST_SPANS).map(|s| {
            let clock = |secs: f64| Timestamp::from_secs(secs).clock();
            let frames = match s.why {
                Why::Dropped(_) => format!(" ({})", why(s.why)),
                _ => String::new(),
            };
            // Kept on one line.
            format!("<span>{}–{}{frames}</span>", clock(s.start), clock(s.end))
        });
        let mut listed = listed.collect::<Vec<_>>().join(", ");
        if spans.len() > MOST_SPANS {
            let _ = write!(listed, " and {} more", spans.len() - MOST_SPANS);
        }
        vec![
            name.to_owned(),
            lane.to_owned(),
            spans.len().to_string(),
            length::in_words(secs),
            listed,
        ]
    });
    Table {
        class: "unmeasured",
        caption: "Not measured",
        head: names(["Why", "Score", "Times", "In all", "From–to"]),
        rows: rows.collect(),
    }
    .to_string()
}

/// What the signs of the timeline mean.
const KEY: &str = "<ul class=\"key\">\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><rect class=\"bar micro undecided\" x=\"1\" y=\"1\" width=\"22\" height=\"10\"/></svg> undecided</li>\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><rect class=\"bar micro accepted\" x=\"1\" y=\"1\" width=\"22\" height=\"10\"/></svg> accepted</li>\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><path class=\"hatch bar micro rejected\" d=\"M2 11L7 1M8 11L13 1M14 11L19 1\"/><rect class=\"bar micro rejected\" style=\"fill:none\" x=\"1\" y=\"1\" width=\"22\" height=\"10\"/></svg> rejected</li>\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><rect class=\"bar human accepted\" x=\"1\" y=\"1\" width=\"22\" height=\"10\"/><path class=\"apex\" d=\"M9 0V12\"/></svg> coder, line at the apex</li>\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><path class=\"threshold\" d=\"M0 6H24\"/></svg> threshold</li>\
<li><svg aria-hidden=\"true\" viewBox=\"0 0 24 12\"><rect class=\"unmeasured\" x=\"0\" y=\"0\" width=\"24\" height=\"12\"/></svg> not measured</li></ul>\n\
<p>Numbers are those of the expressions told below.</p>\n";

/// What stands in every block.
const LEGEND: &str = "<p>Frames count from 0, and onset and offset both belong to an expression: \
it lasts until the frame of its offset gave way to the next one. \
The last picture is the apex minus the onset, amplified four times about grey: lighter became \
brighter, darker became darker. All pictures of an expression are cut alike. The network’s \
probabilities run from 0 to 1. Of the two parts of its uncertainty, also 0 to 1, \
<em>ambiguous</em> says that the movement itself fits several classes, <em>unfamiliar</em> that \
the networks contradict each other; where both together are too much it is undecided.</p>\n";

/// Said in every report.
const NOT: &str = "<ul>\n\
<li>A score is not the strength of an expression, and a score under the threshold does not say \
that nothing happened.</li>\n\
<li>A probability is about how databases of expressions label movements like this one. It is not \
a probability that the person feels anything.</li>\n\
<li>Emotions that coders named are their judgement of a face, not a finding about the person. \
Neither kind of expression shows that somebody hides something or lies.</li>\n\
<li>The network’s units are no FACS scores: they have no intensity and were not made by a \
certified coder.</li>\n\
<li>What was not measured is unknown, not empty. Shares and counts do not make up for it.</li>\n\
<li>Times are those of the recording. They are no more exact than its rate of frames.</li>\n\
</ul>\n";
