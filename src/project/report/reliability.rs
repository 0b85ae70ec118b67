//! How far coders agree, two at a time.

use super::text::{self, Table, Text, maybe, names};
use super::{Apart, CoderAgreement, Rated};

const NAMED: (&str, &str) = (
    "expression where both named one",
    "expressions where both named one",
);

pub(super) fn tables(agreement: &[CoderAgreement]) -> String {
    agreement.iter().map(table).collect()
}

fn table(a: &CoderAgreement) -> String {
    let [first, second] = a.coders.each_ref().map(|name| text::coder(name));
    let [both, one, two] = a.found;
    let row = |what: &str, value: String, rest: String| vec![what.to_owned(), value, rest];
    let rated = |what: &str, unit: (&str, &str), r: &Rated| {
        let alike = r.agreement.map_or_else(|| "–".to_owned(), text::percent);
        let (one, more) = unit;
        let count = text::counted(r.count, one, more);
        row(
            what,
            format!("κ {}", maybe(r.kappa, 2)),
            format!("{alike} alike of {count}"),
        )
    };
    let apart = |what: &str, a: &Apart| {
        let frames = format!("{} frames", maybe(a.frames, 1));
        let counted = text::counted(a.count as u64, "pair", "pairs");
        row(
            what,
            format!("{} ms", maybe(a.millis, 0)),
            format!("{frames}, mean of {counted}"),
        )
    };
    let r = |what: &str, value| row(what, format!("R {}", maybe(value, 2)), String::new());
    let mut units = r("Units by number", a.r[0]);
    units[2] = format!(
        "over the {} that both saw",
        text::counted(both, "expression", "expressions")
    );
    Table {
        class: "reliability",
        caption: &format!("{first} and {second}"),
        head: names(["Measure", "Value", "Of what"]),
        rows: vec![
            row(
                "Expressions found",
                format!("F1 {}", maybe(a.f1, 2)),
                format!(
                    "both {both}, {} {one}, {} {two}; the same from an overlap of {:.0} % on",
                    Text(first),
                    Text(second),
                    100.0 * a.least_overlap
                ),
            ),
            units,
            r("Units with side", a.r[1]),
            r("Units with side and intensity", a.r[2]),
            rated(
                "Macro, micro or nothing, by frame",
                ("frame", "frames"),
                &a.per_frame,
            ),
            rated(
                "The same by elementary interval",
                ("interval", "intervals"),
                &a.per_interval,
            ),
            rated("Emotion", NAMED, &a.emotions),
            apart("Onset apart", &a.apart[0]),
            apart("Apex apart", &a.apart[1]),
            apart("Offset apart", &a.apart[2]),
        ],
    }
    .to_string()
}
