//! Readers of labelled data, each on a small made-up tree in the published layout.

mod clips;
mod flow_preparation;
mod long_recordings;
mod own;

use std::path::{Path, PathBuf};

use onset::base::Severity;
use onset::dataset::{Index, LabelledRecording};
use rust_xlsxwriter::Workbook;

/// A cell: numbers are numbers, as in the real sheets.
#[derive(Clone, Copy)]
enum Cell {
    N(i32),
    T(&'static str),
}
use Cell::{N, T};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Images `folder/` + names.
    fn images(&self, folder: &str, names: impl IntoIterator<Item = String>) {
        for name in names {
            let format = image::ImageFormat::from_path(&name).expect("an image's ending");
            let mut bytes = std::io::Cursor::new(Vec::new());
            image::GrayImage::from_pixel(8, 6, image::Luma([90]))
                .write_to(&mut bytes, format)
                .expect("encodes");
            self.file(&format!("{folder}/{name}"), bytes.get_ref());
        }
    }

    /// A workbook of sheets; each row starts at the given row number (from 1).
    fn book(&self, path: &str, sheets: &[(&str, u32, &[&[Cell]])]) {
        let mut book = Workbook::new();
        for (name, first, rows) in sheets {
            let sheet = book.add_worksheet().set_name(*name).expect("a name");
            for (r, row) in rows.iter().enumerate() {
                for (c, cell) in row.iter().enumerate() {
                    let (r, c) = (first - 1 + r as u32, c as u16);
                    match cell {
                        N(value) => sheet.write(r, c, *value).expect("a cell"),
                        T(text) => sheet.write(r, c, *text).expect("a cell"),
                    };
                }
            }
        }
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        book.save(path).expect("saved");
    }
}

fn numbered(prefix: &str, width: usize, range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|n| format!("{prefix}{n:0width$}.jpg")).collect()
}

fn named<'a>(index: &'a Index, recording: &str) -> &'a LabelledRecording {
    index
        .recordings
        .iter()
        .find(|r| r.recording == recording)
        .unwrap_or_else(|| panic!("{recording} is not among {:?}", names(index)))
}

fn names(index: &Index) -> Vec<&str> {
    index
        .recordings
        .iter()
        .map(|r| r.recording.as_str())
        .collect()
}

fn said(index: &Index, severity: Severity, words: &str) -> String {
    let all: Vec<String> = index.problems.iter().map(ToString::to_string).collect();
    index
        .problems
        .iter()
        .find(|p| p.severity == severity && p.to_string().contains(words))
        .map(ToString::to_string)
        .unwrap_or_else(|| panic!("nothing says '{words}': {all:#?}"))
}
