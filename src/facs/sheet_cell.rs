//! Action units as the label sheets of the databases spell them: `4+L12`, `R14`,
//! `AU12A or AU25`, `L/R 6`, `A1B+A2C`, `4, 7`, `14 (left?)`.
//!
//! What a sheet leaves open is kept, not decided in silence: of alternatives the
//! first is taken and the others are told, doubt is told, a remark is told.

use super::action_unit::{ScoredUnit, UnitError};

/// A cell of a label sheet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SheetUnits {
    pub units: Vec<ScoredUnit>,
    /// Alternatives that were not taken, doubt and remarks, as sentences.
    pub remarks: Vec<String>,
}

/// Reads a cell. Empty cells, `-`, `/`, `none`, `n/a` and `0` score nothing.
///
/// # Errors
/// The first part that is no unit.
pub fn parse_sheet_units(cell: &str) -> Result<SheetUnits, UnitError> {
    let mut read = SheetUnits::default();
    let text = without_remarks(cell, &mut read.remarks)?;
    if matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "" | "-" | "/" | "none" | "n/a" | "na" | "nan" | "0" | "?"
    ) {
        if text.contains('?') {
            read.remarks
                .push("the cell holds only a question mark".into());
        }
        return Ok(read);
    }
    for part in text.split(['+', ',', ';', '&']) {
        if part.trim().is_empty() {
            return Err(UnitError {
                part: cell.trim().to_owned(),
                reason: "nothing stands between two separators",
            });
        }
        let options = alternatives(part);
        let mut options = options.iter();
        if let Some(first) = options.next() {
            read.units.push(unit(first, &mut read.remarks)?);
        }
        for other in options {
            let other = unit(other, &mut read.remarks)?;
            read.remarks.push(format!(
                "'{}' leaves {other} open; the first is taken",
                part.trim()
            ));
        }
    }
    Ok(read)
}

/// Takes what stands in brackets out of the text.
fn without_remarks(cell: &str, remarks: &mut Vec<String>) -> Result<String, UnitError> {
    let mut text = String::new();
    let mut rest = cell;
    while let Some(open) = rest.find(['(', '[']) {
        text.push_str(&rest[..open]);
        let close = rest[open..].find([')', ']']).ok_or_else(|| UnitError {
            part: cell.trim().to_owned(),
            reason: "a bracket is not closed",
        })?;
        let inside = rest[open + 1..open + close].trim();
        if !inside.is_empty() {
            remarks.push(format!("the cell remarks '{inside}'"));
        }
        rest = &rest[open + close + 1..];
    }
    text.push_str(rest);
    Ok(text)
}

/// `AU12A or AU25` is two; `L/R 6` is one, of both sides; `12/25` is two.
fn alternatives(part: &str) -> Vec<String> {
    let lower = part.to_ascii_lowercase();
    if let Some(at) = lower.find(" or ") {
        return vec![part[..at].to_owned(), part[at + 4..].to_owned()];
    }
    if let Some((before, behind)) = part.split_once('/') {
        let is_side = |text: &str| matches!(text.trim().to_ascii_uppercase().as_str(), "L" | "R");
        let both = behind
            .trim_start()
            .strip_prefix(['L', 'R', 'l', 'r'])
            .filter(|_| is_side(before));
        return match both {
            Some(number) => vec![number.to_owned()],
            None => vec![before.to_owned(), behind.to_owned()],
        };
    }
    vec![part.to_owned()]
}

fn unit(text: &str, remarks: &mut Vec<String>) -> Result<ScoredUnit, UnitError> {
    let certain = text.replace('?', "");
    if certain != text {
        remarks.push(format!("'{}' is in doubt", text.trim()));
    }
    // Some sheets repeat the prefix around a side: `L AU12`.
    let squeezed: String = certain
        .to_ascii_uppercase()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    squeezed
        .replacen("AU", "", 1)
        .parse()
        .map_err(|e: UnitError| UnitError {
            part: text.trim().to_owned(),
            ..e
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::write_units;

    #[test]
    fn the_spellings_of_the_databases_are_read() {
        for (cell, units, remarks) in [
            ("4+L12", "AU4+AU12L", 0),
            ("R14", "AU14R", 0),
            ("12", "AU12", 0),
            ("AU12A or AU25", "AU12A", 1),
            ("L/R 6", "AU6", 0),
            ("L/R6+12", "AU6+AU12", 0),
            ("R12 + R15", "AU12R+AU15R", 0),
            ("A1B+A2C", "AUA1B+AUA2C", 0),
            ("4, 7", "AU4+AU7", 0),
            ("L AU12", "AU12L", 0),
            ("R14A or 17A", "AU14RA", 1),
            ("14 (left?)", "AU14", 1),
            ("15?+17", "AU15+AU17", 1),
            ("T10+B16", "AUT10+AUB16", 0),
            ("12/25", "AU12", 1),
            ("/", "", 0),
            ("none", "", 0),
            ("0", "", 0),
            ("?", "", 1),
            ("", "", 0),
        ] {
            let read = parse_sheet_units(cell).unwrap_or_else(|e| panic!("{cell}: {e}"));
            assert_eq!(write_units(&read.units), units, "{cell}");
            assert_eq!(read.remarks.len(), remarks, "{cell}: {:?}", read.remarks);
        }
    }

    #[test]
    fn what_nobody_can_read_is_an_error_naming_it() {
        for (cell, said) in [
            ("smile", "'smile'"),
            ("4+brow", "'brow'"),
            ("4++7", "between two separators"),
            ("4 (left", "not closed"),
            ("120", "1 to 99"),
            ("12 weak", "'12 weak'"),
        ] {
            let error = parse_sheet_units(cell).expect_err(cell).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
