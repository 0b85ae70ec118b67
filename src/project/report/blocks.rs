//! One block an expression: pictures, when, what coders and the network say.

use std::fmt::Write;

use super::picture::{self, AMPLIFIED};
use super::text::{self, Table, Text, names};
use super::{ClassRead, Coding, Expression, Moment, Moments, Reading, UnitRead};
use crate::facs::{ScoredUnit, Side, facs_score};
use crate::spotting::IntervalStatus;
use crate::timeline::length;

/// All blocks, in order.
pub(super) fn blocks(expressions: &[Expression]) -> String {
    let mut out = String::new();
    for (at, expression) in expressions.iter().enumerate() {
        out.push_str(&block(at + 1, expression));
    }
    out
}

fn block(number: usize, e: &Expression) -> String {
    let kind = e.kind.name();
    let at = e.moments.apex.unwrap_or(e.moments.onset);
    let word = if e.moments.apex.is_some() {
        "apex"
    } else {
        "onset"
    };
    let set_by = e.set_by.as_deref().map_or("analysis", text::coder);
    let mut out = format!(
        "<section class=\"block {kind}\" id=\"expression-{number}\">\n\
         <h3><span class=\"number\">{number}</span> {} <small>{word} {}, frame {}, set by {}</small></h3>\n",
        text::kind(e.kind),
        at.time.clock(),
        at.frame,
        Text(set_by),
    );
    out.push_str(&pictures(number, e));
    out.push_str(&when(e));
    if !e.codings.is_empty() {
        out.push_str(&coded(&e.codings));
    }
    out.push_str("<p class=\"read\">");
    if let Some(spotted) = &e.spotted {
        let (kind, score) = (spotted.kind.name(), text::maybe(Some(spotted.score), 3));
        let _ = write!(out, "<strong>Analysis</strong>: {kind}, score {score}. ");
    }
    out.push_str(&match &e.reading {
        Some(reading) => read(reading),
        None if e.spotted.is_none() => {
            "No candidate of the analysis, so the network was not asked what moved.".to_owned()
        }
        None => "The network says nothing of what moved.".to_owned(),
    });
    out.push_str("</p>\n");
    out.push_str("</section>\n");
    out
}

fn pictures(number: usize, e: &Expression) -> String {
    let m = &e.moments;
    let face = |word: &str, at: Option<Moment>, shown: &Option<image::RgbImage>| {
        let caption = at.map_or_else(
            || format!("{word} not marked"),
            |at| format!("{word}, frame {}<br/>{}", at.frame, at.time.clock()),
        );
        let alt = at.map_or_else(String::new, |at| {
            format!(
                "The face at the {word} of expression {number}, frame {}",
                at.frame
            )
        });
        let address = shown.as_ref().and_then(picture::address);
        figure(address.filter(|_| at.is_some()), &alt, &caption)
    };
    let change = (e.shown.onset.as_ref().zip(e.shown.apex.as_ref()))
        .filter(|_| m.apex.is_some())
        .and_then(|(onset, apex)| picture::difference(onset, apex))
        .and_then(|grey| picture::grey_address(&grey));
    let alt = format!("What changed in brightness from onset to apex of expression {number}");
    let caption = format!("onset to apex<br/>×{AMPLIFIED} about grey");
    format!(
        "<div class=\"pictures\">\n{}{}{}{}</div>\n",
        face("onset", Some(m.onset), &e.shown.onset),
        face("apex", m.apex, &e.shown.apex),
        face("offset", Some(m.offset), &e.shown.offset),
        figure(change, &alt, &caption),
    )
}

fn figure(address: Option<String>, alt: &str, caption: &str) -> String {
    let picture = match address {
        Some(address) => format!("<img src=\"{address}\" alt=\"{}\"/>", Text(alt)),
        None => "<div class=\"missing\">no picture</div>".to_owned(),
    };
    format!("<figure>{picture}<figcaption>{caption}</figcaption></figure>\n")
}

/// Onset, apex and offset as each coder and the analysis set them.
fn when(e: &Expression) -> String {
    let mut rows: Vec<(String, Moments)> = Vec::new();
    let mut add = |who: String, moments: Moments| match rows
        .iter_mut()
        .find(|(_, known)| *known == moments)
    {
        Some((names, _)) => {
            names.push_str(", ");
            names.push_str(&who);
        }
        None => rows.push((who, moments)),
    };
    let saw = |c: &&Coding| c.status != IntervalStatus::Rejected;
    for c in e.codings.iter().filter(saw) {
        add(Text(text::coder(&c.coder)).to_string(), c.moments);
    }
    if let Some(spotted) = &e.spotted {
        add("analysis".to_owned(), spotted.moments);
    }
    let cell = |at: Option<Moment>| {
        at.map_or_else(
            || "–".to_owned(),
            |at| format!("{} <small>frame {}</small>", at.time.clock(), at.frame),
        )
    };
    let lasting = |frames: u64, secs: f64| {
        let frames = text::counted(frames, "frame", "frames");
        format!("{} <small>{frames}</small>", length::in_words(secs))
    };
    let rows = rows.into_iter().map(|(who, m)| {
        vec![
            who,
            cell(Some(m.onset)),
            cell(m.apex),
            cell(Some(m.offset)),
            m.rise()
                .map_or_else(|| "–".to_owned(), |(frames, secs)| lasting(frames, secs)),
            lasting(m.frames(), m.secs()),
        ]
    });
    Table {
        class: "when",
        caption: "",
        head: names([
            "Set by",
            "Onset",
            "Apex",
            "Offset",
            "Onset to apex",
            "Duration",
        ]),
        rows: rows.collect(),
    }
    .to_string()
}

fn coded(codings: &[Coding]) -> String {
    let rows = codings.iter().map(|c| {
        let none = || "<span class=\"weak\">none</span>".to_owned();
        let sure = c
            .confidence
            .map_or_else(|| "–".to_owned(), |sure| format!("{sure} of 5"));
        let mut note = Text(c.note.trim()).to_string();
        if let Some(wrong) = &c.contradiction {
            if !note.is_empty() {
                note.push('\n');
            }
            let _ = write!(note, "<strong>{}</strong>", Text(wrong));
        }
        vec![
            Text(text::coder(&c.coder)).to_string(),
            c.kind.name().to_owned(),
            match c.status {
                IntervalStatus::Rejected => "rejected: no expression".to_owned(),
                _ if c.units.is_empty() => none(),
                _ => units(&c.units),
            },
            c.emotion
                .as_deref()
                .map_or_else(none, |name| Text(name).to_string()),
            sure,
            note,
        ]
    });
    Table {
        class: "coded",
        caption: "",
        head: names(["Coder", "Kind", "Units", "Emotion", "Confidence", "Note"]),
        rows: rows.collect(),
    }
    .to_string()
}

/// With places to break a long line.
fn units(units: &[ScoredUnit]) -> String {
    facs_score(units).replace('+', "+<wbr/>")
}

fn read(reading: &Reading) -> String {
    let mut present: Vec<&UnitRead> = reading.units.iter().filter(|u| u.present).collect();
    present.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let said: Vec<String> = present.iter().map(|u| unit(u)).collect();
    let said = match (said.is_empty(), reading.units.is_empty()) {
        (false, _) => said.join(", "),
        (true, false) => "no unit reaches its threshold".to_owned(),
        (true, true) => "no units".to_owned(),
    };
    let class = reading.class.as_ref().map_or_else(String::new, class);
    let below = reading.units.iter().filter(|u| !u.present);
    let below: Vec<String> = below
        .map(|u| format!("AU {} {:.2}", u.unit.number(), u.probability))
        .collect();
    let below = if below.is_empty() {
        String::new()
    } else {
        let below = below.join(", ");
        format!("<br/><small>Below their thresholds: {below}.</small>")
    };
    let (from, to) = (reading.onset, reading.apex);
    format!("<strong>Network</strong>, frame {from} to {to}: {said}.{class}{below}")
}

fn unit(u: &UnitRead) -> String {
    let name = u
        .unit
        .name()
        .map_or_else(String::new, |name| format!(" {name}"));
    let side = match u.side {
        None => "",
        Some(Side::Left) => ", person’s left",
        Some(Side::Right) => ", person’s right",
        Some(Side::Unilateral) => ", one side",
        Some(Side::Asymmetric) => ", one side stronger",
        Some(Side::Top) => ", upper lip",
        Some(Side::Bottom) => ", lower lip",
    };
    let code = ScoredUnit {
        unit: u.unit,
        side: u.side,
        intensity: None,
    };
    format!(
        "<b>AU {}</b>{name} ({:.2}{side})",
        code.facs(),
        u.probability
    )
}

fn class(c: &ClassRead) -> String {
    let named = match &c.named {
        Some((name, p)) => format!("<b>{}</b> ({p:.2})", Text(name)),
        None => "<b>undecided</b>".to_owned(),
    };
    format!(
        " Class most like: {named}; ambiguous {:.2}, unfamiliar {:.2}.",
        c.ambiguous, c.unfamiliar
    )
}
