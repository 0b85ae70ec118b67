//! Label sheets as rows of text: Excel workbooks and CSV.

use std::path::{Path, PathBuf};

use calamine::{Data, Reader};

use super::error::{DatasetError, Place};
use super::index::below;

/// A sheet. Cells are trimmed; whole numbers have no fraction.
#[derive(Debug, Clone)]
pub(super) struct Table {
    path: PathBuf,
    place: Place,
    /// With their row numbers, as spreadsheets count from 1. Every row starts at
    /// column A.
    pub(super) rows: Vec<(u64, Vec<String>)>,
}

/// Where the wanted columns stand.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// Index into [`Table::rows`] of the header.
    header: usize,
    columns: Vec<Option<usize>>,
}

impl Table {
    /// All sheets of a workbook, or the one of a CSV file.
    pub(super) fn read_all(root: &Path, path: &Path) -> Result<Vec<Self>, DatasetError> {
        let unreadable = |reason: String| DatasetError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let is_csv = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if is_csv {
            let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
            return Ok(vec![Self {
                path: path.to_owned(),
                place: Place::below(root, path),
                rows: csv_rows(&bytes).map_err(unreadable)?,
            }]);
        }
        let mut book = calamine::open_workbook_auto(path).map_err(|e| unreadable(e.to_string()))?;
        let mut tables = Vec::new();
        for name in book.sheet_names() {
            let range = book
                .worksheet_range(&name)
                .map_err(|e| unreadable(e.to_string()))?;
            let (first_row, first_column) = range.start().unwrap_or((0, 0));
            let rows = range
                .rows()
                .enumerate()
                .map(|(i, cells)| {
                    let mut row = vec![String::new(); first_column as usize];
                    row.extend(cells.iter().map(text_of));
                    (u64::from(first_row) + i as u64 + 1, row)
                })
                .collect();
            tables.push(Self {
                path: path.to_owned(),
                place: Place {
                    file: below(root, path),
                    sheet: Some(name),
                    row: None,
                },
                rows,
            });
        }
        Ok(tables)
    }

    /// The sheet's own name; `None` for CSV.
    pub(super) fn name(&self) -> Option<&str> {
        self.place.sheet.as_deref()
    }

    pub(super) fn place(&self, row: u64) -> Place {
        Place {
            row: Some(row),
            ..self.place.clone()
        }
    }

    /// Finds the header: the first row that names every required column. `wanted`
    /// lists for each column its names, of which any will do; `required` is how many
    /// of them, from the first, must be there. Capitals, spaces and signs in names do
    /// not matter.
    pub(super) fn columns(
        &self,
        wanted: &[&[&str]],
        required: usize,
    ) -> Result<Columns, DatasetError> {
        for (header, (_, row)) in self.rows.iter().enumerate().take(40) {
            let names: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
            let columns: Vec<Option<usize>> = wanted
                .iter()
                .map(|any| {
                    any.iter()
                        .find_map(|name| names.iter().position(|n| *n == plain(name)))
                })
                .collect();
            if columns[..required].iter().all(Option::is_some) {
                return Ok(Columns { header, columns });
            }
        }
        let columns: Vec<&str> = wanted[..required].iter().map(|any| any[0]).collect();
        Err(DatasetError::NoColumns {
            path: self.path.clone(),
            sheet: self.place.sheet.clone(),
            columns: columns.join(", "),
        })
    }

    /// Rows below the header that are not blank, each with the cells of `columns` in
    /// their order ("" for a column that is not there).
    pub(super) fn labels<'a>(
        &'a self,
        columns: &'a Columns,
    ) -> impl Iterator<Item = (Place, Vec<&'a str>)> + 'a {
        self.rows[columns.header + 1..]
            .iter()
            .filter(|(_, row)| row.iter().any(|cell| !cell.is_empty()))
            .map(|(number, row)| {
                let cells = columns
                    .columns
                    .iter()
                    .map(|at| at.and_then(|c| row.get(c)).map_or("", String::as_str))
                    .collect();
                (self.place(*number), cells)
            })
    }
}

fn csv_rows(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(rows)
}

/// What parts the cells: spreadsheets of half of Europe write semicolons, since their
/// comma is the decimal point; some programs write tabs.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |sign: u8| line.iter().filter(|b| **b == sign).count();
    // Of equals the comma.
    let mut signs = [b',', b';', b'\t'];
    signs.sort_by_key(|sign| std::cmp::Reverse(count(*sign)));
    signs[0]
}

fn text_of(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.trim().to_owned(),
        // Numbers are floats in a workbook; frames and subjects are whole.
        Data::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
            format!("{value:.0}")
        }
        other => other.to_string().trim().to_owned(),
    }
}

/// A column's name without what people write differently.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A frame number of a sheet: `None` for what stands for "unknown" (empty, `/`, `-`,
/// `?`, `n/a`, and numbers below 0).
pub(super) fn frame_number(cell: &str) -> Result<Option<u64>, String> {
    let lower = cell.trim().to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "" | "/" | "-" | "?" | "n/a" | "na" | "nan" | "none"
    ) {
        return Ok(None);
    }
    match lower.parse::<f64>() {
        Ok(value) if value < 0.0 => Ok(None),
        Ok(value) if value.fract() == 0.0 && value < 1e12 => Ok(Some(value as u64)),
        _ => Err(format!("'{cell}' is not a frame number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_with_semicolons_and_tabs_are_read_as_those_with_commas() {
        let rows = csv_rows(b"a,b\n1,2\n").unwrap_or_default();
        assert_eq!(rows.len(), 2);
        for other in ["\u{feff}a;b\r\n1;2\r\n", "a\tb\n1\t2\n"] {
            let cells = |rows: Vec<(u64, Vec<String>)>| -> Vec<Vec<String>> {
                rows.into_iter().map(|row| row.1).collect()
            };
            let read = csv_rows(other.as_bytes()).unwrap_or_default();
            assert_eq!(cells(read), cells(rows.clone()), "{other}");
        }
        // One column has no signs to part it.
        assert_eq!(csv_rows(b"a\n1\n").unwrap_or_default().len(), 2);
    }

    #[test]
    fn unknown_frames_are_told_from_broken_ones() {
        assert_eq!(frame_number("12"), Ok(Some(12)));
        assert_eq!(frame_number("12.0"), Ok(Some(12)));
        for unknown in ["", "/", "-", "-1", "N/A"] {
            assert_eq!(frame_number(unknown), Ok(None), "{unknown}");
        }
        assert!(frame_number("12a").is_err() && frame_number("12.5").is_err());
    }

    #[test]
    fn a_header_is_found_below_notes_and_merged_rows_with_its_row_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.xlsx");
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet().set_name("codes").unwrap();
        sheet.write(2, 1, "Frames").unwrap();
        sheet.write(3, 0, "Subject").unwrap();
        sheet.write(3, 1, "Onset Frame").unwrap();
        sheet.write(5, 0, "006").unwrap();
        sheet.write(5, 1, 12).unwrap();
        book.save(&path).unwrap();
        let tables = Table::read_all(dir.path(), &path).unwrap();
        let wanted: [&[&str]; 3] = [&["subject"], &["onset", "OnsetFrame"], &["apex"]];
        let columns = tables[0].columns(&wanted, 2).unwrap();
        let labels: Vec<_> = tables[0].labels(&columns).collect();
        assert_eq!(labels.len(), 1);
        assert_eq!(labels[0].1, ["006", "12", ""]);
        assert_eq!(
            labels[0].0.to_string(),
            "row 6 of sheet 'codes' of labels.xlsx"
        );
        let error = tables[0].columns(&wanted, 3).unwrap_err().to_string();
        assert!(
            error.contains("subject, onset, apex") && error.contains("sheet 'codes'"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_workbook_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.xlsx");
        std::fs::write(&path, "no zip").unwrap();
        let error = Table::read_all(dir.path(), &path).unwrap_err().to_string();
        assert!(error.ends_with("labels.xlsx"), "{error}");
    }
}
