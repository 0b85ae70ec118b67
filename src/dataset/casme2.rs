//! CASME II (Yan et al., 2014): clips of 200 frames a second with one
//! micro-expression each.
//!
//! Expected below the root, at most three folders deep:
//! * `CASME2-coding-*.xlsx` (also `CASME2_label_*.xls`, csv) with the columns Subject,
//!   Filename, OnsetFrame, ApexFrame, OffsetFrame, Action Units, Estimated Emotion;
//! * `sub01/EP02_01f/` with `img46.jpg` or `reg_img46.jpg`, or `sub01/EP02_01f.avi`.
//!   Where both raw and cropped frames are there, the raw ones are read.
//!
//! Quirks: images do not start at 1; the apex of one row is `/`; one offset is 0 in
//! some releases; the sheet has empty columns.

use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::error::{DatasetError, Place};
use super::index::{DatasetKind, Index};
use super::layout::{folder_named, is_numbered, label_files, name_of, parents_of, video_named};
use super::sheet::Table;
use crate::spotting::ExpressionKind;

const FPS: f64 = 200.0;
const KIND: DatasetKind = DatasetKind::Casme2;

fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| {
        (name.starts_with("casme2") || name.starts_with("casmeii"))
            && (name.contains("coding") || name.contains("label"))
    })
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty()
}

/// # Errors
/// [`DatasetError`]: sheet or frames are not there, or nothing fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "the sheet and the folders sub01, sub02 …",
        root: root.to_owned(),
    };
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let sheets = sheets(root);
    let sheet = newest(&sheets).ok_or_else(|| wrong("the label sheet CASME2-coding-*.xlsx"))?;
    builder.tell_choice("label sheet", sheet, &sheets);
    let parents = parents_of(root, |name| is_numbered(name, "sub"));
    let parent = raw_first(&parents).ok_or_else(|| wrong("a folder of subjects (sub01 …)"))?;
    builder.tell_choice("folder of subjects", parent, &parents);

    let tables = Table::read_all(root, sheet)?;
    let wanted: [&[&str]; 7] = [
        &["Subject"],
        &["Filename"],
        &["OnsetFrame", "Onset"],
        &["ApexFrame", "Apex"],
        &["OffsetFrame", "Offset"],
        &["Action Units", "AU"],
        &["Estimated Emotion", "Emotion"],
    ];
    let table = &tables[0];
    let columns = table.columns(&wanted, 5)?;
    for (place, cells) in table.labels(&columns) {
        builder.count_row();
        let (subject, clip) = (subject_name(cells[0]), cells[1]);
        let (Some(subject), false) = (subject, clip.is_empty()) else {
            no_label(&mut builder, &cells, place);
            continue;
        };
        let name = format!("{subject}_{clip}");
        let source = || clip_source(parent, &subject, clip);
        let sought = format!("{subject}/{clip}");
        if let Some(at) = builder.recording(&subject, &name, FPS, source, &place, &sought) {
            let row = Row {
                kind: ExpressionKind::Micro,
                onset: cells[2],
                apex: cells[3],
                offset: cells[4],
                aus: Some(cells[5]),
                emotion: Some(cells[6]),
            };
            builder.add_event(at, row, place);
        }
    }
    tell_unlabelled(
        &mut builder,
        root,
        parent,
        |name| is_numbered(name, "sub"),
        |subject, clip| format!("{}_{clip}", subject_name(subject).unwrap_or_default()),
    );
    builder.finish()
}

/// `1`, `01` and `sub01` are the same person.
fn subject_name(cell: &str) -> Option<String> {
    let digits = cell.trim().to_ascii_lowercase();
    let number: u32 = digits.trim_start_matches("sub").parse().ok()?;
    Some(format!("sub{number:02}"))
}

fn clip_source(parent: &Path, subject: &str, clip: &str) -> Option<PathBuf> {
    let subject = folder_named(parent, subject)?;
    folder_named(&subject, clip).or_else(|| video_named(&subject, clip))
}

/// The last in the order of names, which carry a date or version.
pub(super) fn newest(sheets: &[PathBuf]) -> Option<&Path> {
    sheets
        .iter()
        .max_by(|a, b| natord::compare_ignore_case(&name_of(a), &name_of(b)))
        .map(PathBuf::as_path)
}

/// Raw frames before cropped ones: the analysis crops faces by itself.
pub(super) fn raw_first(parents: &[PathBuf]) -> Option<&Path> {
    let is_raw = |p: &&PathBuf| name_of(p).to_lowercase().contains("raw");
    parents
        .iter()
        .find(is_raw)
        .or_else(|| parents.first())
        .map(PathBuf::as_path)
}

/// A row that names no clip: text below the table, most often.
pub(super) fn no_label(builder: &mut Builder, cells: &[&str], place: Place) {
    let text = cells.iter().find(|c| !c.is_empty()).copied().unwrap_or("");
    let short: String = text.chars().take(40).collect();
    builder.skip(
        format!("The row names no subject and clip ('{short}')"),
        "",
        place,
    );
}

/// Clips on the disk that no row labels are no material: says how many.
pub(super) fn tell_unlabelled(
    builder: &mut Builder,
    root: &Path,
    parent: &Path,
    is_subject: impl Fn(&str) -> bool,
    recording: impl Fn(&str, &str) -> String,
) {
    let mut unknown = Vec::new();
    for subject in super::layout::Entries::of(parent).folders {
        let name = name_of(&subject);
        if !is_subject(&name.to_lowercase()) {
            continue;
        }
        for clip in super::layout::Entries::of(&subject).folders {
            if !builder.knows(&recording(&name, &name_of(&clip))) {
                unknown.push(super::index::below(root, &clip).display().to_string());
            }
        }
    }
    if let Some(first) = unknown.first() {
        builder.info(
            format!(
                "{} clips have no label row and are not read, such as {first}",
                unknown.len()
            ),
            "",
            Place::below(root, parent),
        );
    }
}
