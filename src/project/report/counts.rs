//! Units by expression, how often units and emotions were named, and what has no block.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::text::{self, Table, Text, names};
use super::{Coding, Expression, LeftOut};
use crate::facs::{ActionUnit, Intensity, ScoredUnit, Side};
use crate::spotting::IntervalStatus;
use crate::timeline::length;

/// Columns that fit on a printed page.
const MOST_UNITS: usize = 16;

/// Units down to the last expression: a row a coder, and one for the network.
pub(super) fn units_by_expression(expressions: &[Expression]) -> String {
    let units: BTreeSet<ActionUnit> = expressions.iter().flat_map(named_units).collect();
    let units: Vec<ActionUnit> = units.into_iter().collect();
    if units.is_empty() {
        return "<p>Neither a coder nor the network names a unit.</p>\n".to_owned();
    }
    let tables = units.len().div_ceil(MOST_UNITS);
    let parts = units.chunks(units.len().div_ceil(tables));
    parts.map(|units| unit_table(expressions, units)).collect()
}

fn unit_table(expressions: &[Expression], units: &[ActionUnit]) -> String {
    let mut out = format!(
        "<table class=\"units\">\n<thead><tr><th scope=\"col\" rowspan=\"2\">Expression</th>\
         <th scope=\"col\" rowspan=\"2\">According to</th>\
         <th scope=\"colgroup\" colspan=\"{}\">Action unit</th></tr>\n<tr>",
        units.len()
    );
    for unit in units {
        let name = unit.name().unwrap_or("unit without a name");
        let number = unit.number();
        let _ = write!(
            out,
            "<th scope=\"col\" abbr=\"AU {number}\" title=\"AU {number} {name}\">{number}</th>"
        );
    }
    out.push_str("</tr></thead>\n");
    for (at, expression) in expressions.iter().enumerate() {
        out.push_str(&unit_rows(at + 1, expression, units));
    }
    out.push_str("</table>\n");
    out
}

/// Those that a coder scored or the network calls present.
fn named_units(e: &Expression) -> impl Iterator<Item = ActionUnit> + '_ {
    let coded = seen(e).flat_map(|c| c.units.iter().map(|u| u.unit));
    let read = e.reading.iter().flat_map(|r| &r.units);
    coded.chain(read.filter(|u| u.present).map(|u| u.unit))
}

/// What coders say who saw the expression.
fn seen(e: &Expression) -> impl Iterator<Item = &Coding> {
    e.codings
        .iter()
        .filter(|c| c.status != IntervalStatus::Rejected)
}

fn unit_rows(number: usize, e: &Expression, units: &[ActionUnit]) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for coding in seen(e) {
        let cells = units.iter().map(|unit| {
            let scored = coding.units.iter().filter(|u| u.unit == *unit);
            let marks: Vec<String> = scored.map(mark).collect();
            marks.join(" ")
        });
        let who = Text(text::coder(&coding.coder)).to_string();
        rows.push((who, cells.collect()));
    }
    if let Some(reading) = &e.reading {
        let cells = units.iter().map(|unit| {
            let read = reading.units.iter().find(|u| u.unit == *unit && u.present);
            read.map_or_else(String::new, |u| {
                let side = u
                    .side
                    .map_or_else(String::new, |side| format!("\u{a0}{}", side.letter()));
                // A probability: the zero before the point says nothing.
                let p = format!("{:.2}", u.probability);
                format!("<i>{}{side}</i>", p.strip_prefix('0').unwrap_or(&p))
            })
        });
        rows.push(("<i>network</i>".to_owned(), cells.collect()));
    }
    if rows.is_empty() {
        rows.push(("–".to_owned(), vec![String::new(); units.len()]));
    }
    let mut out = String::from("<tbody>\n");
    let count = rows.len();
    for (at, (who, cells)) in rows.into_iter().enumerate() {
        out.push_str("<tr>");
        if at == 0 {
            let (kind, time) = (e.kind.name(), e.moments.onset.time.clock());
            let _ = write!(
                out,
                "<th scope=\"rowgroup\" rowspan=\"{count}\"><a href=\"#expression-{number}\">{number}</a> \
                 {kind} <small>{time}</small></th>"
            );
        }
        let _ = write!(out, "<th scope=\"row\">{who}</th>");
        for cell in cells {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n");
    out
}

/// A filled dot in place of the number that heads the column, with side before and intensity
/// behind it as in `L12C`: `L●C`.
fn mark(u: &ScoredUnit) -> String {
    let mut mark: String = u.side.map(Side::letter).into_iter().collect();
    mark.push('●');
    mark.extend(u.intensity.map(Intensity::letter));
    mark
}

/// How many expressions each coder and the network named a unit or a class in.
pub(super) fn how_often(expressions: &[Expression], coders: &[String]) -> String {
    let named: BTreeSet<ActionUnit> = expressions.iter().flat_map(named_units).collect();
    let rows: Vec<Vec<String>> = named
        .into_iter()
        .map(|unit| {
            let name = unit.name().unwrap_or("");
            let mut row = vec![format!("AU {} {name}", unit.number())];
            row.extend(coders.iter().map(|coder| {
                let scored =
                    |c: &Coding| c.coder == *coder && c.units.iter().any(|u| u.unit == unit);
                let count = expressions.iter().filter(|e| seen(e).any(scored));
                count.count().to_string()
            }));
            let read = expressions.iter().filter_map(|e| e.reading.as_ref());
            let read = read.filter(|r| r.units.iter().any(|u| u.unit == unit && u.present));
            row.push(read.count().to_string());
            row
        })
        .collect();
    let head = |first: &str, last: &str| {
        let mut head = vec![first.to_owned()];
        head.extend(coders.iter().map(|c| Text(text::coder(c)).to_string()));
        head.push(last.to_owned());
        head
    };
    let mut out = String::from("<div class=\"beside\">\n");
    if !rows.is_empty() {
        let table = Table {
            class: "numbers",
            caption: "Expressions with each unit",
            head: head("Unit", "network"),
            rows,
        };
        let _ = write!(out, "{table}");
    }
    let rows = emotions(expressions, coders);
    if !rows.is_empty() {
        let table = Table {
            class: "numbers",
            caption: "Expressions with each emotion or class",
            head: head("Emotion or class", "network"),
            rows,
        };
        let _ = write!(out, "{table}");
    }
    out.push_str("</div>\n");
    out
}

/// Nothing said and undecided stand last.
fn emotions(expressions: &[Expression], coders: &[String]) -> Vec<Vec<String>> {
    const NONE: &str = "none, or undecided";
    let codings = || expressions.iter().flat_map(seen);
    let classes = || {
        expressions
            .iter()
            .filter_map(|e| e.reading.as_ref()?.class.as_ref())
    };
    let mut counts: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
    let width = coders.len() + 1;
    for c in codings() {
        let column = coders.iter().position(|known| *known == c.coder);
        let name = c.emotion.as_deref();
        let key = (name.is_none(), name.unwrap_or(NONE));
        let row = counts.entry(key).or_insert_with(|| vec![0; width]);
        if let Some(column) = column {
            row[column] += 1;
        }
    }
    for c in classes() {
        let name = c.named.as_ref().map(|(name, _)| name.as_str());
        let key = (name.is_none(), name.unwrap_or(NONE));
        counts.entry(key).or_insert_with(|| vec![0; width])[width - 1] += 1;
    }
    let row = |((_, name), counts): ((bool, &str), Vec<usize>)| {
        let mut row = vec![Text(name).to_string()];
        row.extend(counts.iter().map(ToString::to_string));
        row
    };
    counts.into_iter().map(row).collect()
}

/// Rejected and undecided, one line each.
pub(super) fn left_out(left_out: &[LeftOut]) -> String {
    let rows = left_out.iter().map(|l| {
        let m = &l.moments;
        let by: Vec<String> = (l.coders.iter())
            .map(|c| Text(text::coder(c)).to_string())
            .collect();
        let apex = m
            .apex
            .map_or_else(|| "?".to_owned(), |apex| apex.frame.to_string());
        vec![
            m.onset.time.clock(),
            format!("{}–{apex}–{}", m.onset.frame, m.offset.frame),
            length::in_words(m.secs()),
            l.kind.name().to_owned(),
            l.score.map_or_else(
                || "found by a person".to_owned(),
                |s| text::maybe(Some(s), 3),
            ),
            text::status(l.status).to_owned(),
            by.join(", "),
            Text(l.note.trim()).to_string(),
        ]
    });
    Table {
        class: "left-out",
        caption: "",
        head: names([
            "Onset",
            "Frames onset–apex–offset",
            "Duration",
            "Kind",
            "Score",
            "State",
            "By",
            "Note",
        ]),
        rows: rows.collect(),
    }
    .to_string()
}
