//! CAS(ME)² (Qu et al., 2018): long recordings of 30 frames a second with macro- and
//! micro-expressions.
//!
//! Expected below the root, at most three folders deep:
//! * `CAS(ME)^2code_final.xlsx` (also `…(Updated).xlsx`, `code_final.xlsx`): a first
//!   sheet without header (participant, clip such as `disgust1_2`, onset, apex, offset,
//!   action units, emotion, `macro-expression` or `micro-expression`, self-report), a
//!   sheet `naming rule1` (number, folder such as `s15`, participant) and a sheet
//!   `naming rule2` (code such as `0101`, clip such as `disgust1`);
//! * `rawpic/s15/15_0101disgustingteeth/img001.jpg`, or `rawvideo/s15/….avi`.
//!
//! Quirks: codes lose their leading zero in spreadsheets; offsets of 0 (the apex is
//! taken); some unknown apexes. All recordings on the disk are read, labelled or not:
//! a false alarm in them counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::casme2::{newest, no_label};
use super::error::DatasetError;
use super::index::{DatasetKind, Index};
use super::layout::{Entries, is_numbered, label_files, name_of, parents_of};
use super::sheet::{Table, frame_number};
use crate::spotting::ExpressionKind;

const FPS: f64 = 30.0;
const KIND: DatasetKind = DatasetKind::CasmeSq;

fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| {
        name.contains("code_final") && (name.starts_with("cas") || name.starts_with("code_final"))
    })
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty()
}

fn is_subject(name: &str) -> bool {
    is_numbered(name, "s")
}

/// # Errors
/// [`DatasetError`]: sheet, naming sheets or frames are not there, or nothing fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "the workbook and the folder rawpic (or rawvideo) with s15, s16 …",
        root: root.to_owned(),
    };
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let sheets = sheets(root);
    let sheet = newest(&sheets).ok_or_else(|| wrong("the workbook CAS(ME)^2code_final.xlsx"))?;
    builder.tell_choice("label workbook", sheet, &sheets);
    let parents = parents_of(root, is_subject);
    let parent = long_recordings(&parents)
        .ok_or_else(|| wrong("the folder rawpic or rawvideo with subjects (s15 …)"))?;
    builder.tell_choice("folder of subjects", parent, &parents);
    let by_code = recordings_on_disk(&mut builder, parent);

    let tables = Table::read_all(root, sheet)?;
    let named = |what: &str| {
        tables.iter().find(|t| {
            t.name()
                .is_some_and(|n| n.to_lowercase().replace([' ', '_'], "").contains(what))
        })
    };
    let codes = tables
        .iter()
        .find(|t| t.name().is_none_or(|n| n.to_lowercase().contains("code")))
        .unwrap_or(&tables[0]);
    let subjects =
        named("rule1").ok_or_else(|| wrong("the sheet 'naming rule1' of the workbook"))?;
    let clips = named("rule2").ok_or_else(|| wrong("the sheet 'naming rule2' of the workbook"))?;
    let subjects = naming(subjects, 2, 1);
    let clips: BTreeMap<String, String> = naming(clips, 1, 0)
        .into_iter()
        // 0101 is a number to a spreadsheet.
        .map(|(clip, code)| (clip, format!("{code:0>4}")))
        .collect();

    for (number, cells) in &codes.rows {
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let cell = |column: usize| cells.get(column).map_or("", String::as_str);
        // Some releases have a header after all.
        if frame_number(cell(2)).is_err() && cell(2).to_lowercase().contains("onset") {
            continue;
        }
        builder.count_row();
        let place = codes.place(*number);
        let clip = cell(1).split('_').next().unwrap_or("").to_lowercase();
        if cell(0).is_empty() || clip.is_empty() {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            no_label(&mut builder, &cells, place);
            continue;
        }
        let (Some(subject), Some(code)) = (subjects.get(cell(0)), clips.get(&clip)) else {
            let (what, rule) = if subjects.contains_key(cell(0)) {
                (format!("The clip '{clip}'"), "naming rule2")
            } else {
                (format!("The participant '{}'", cell(0)), "naming rule1")
            };
            builder.refuse(
                format!("{what} is not in the sheet '{rule}'"),
                "Add it there, or correct the row",
                place,
            );
            continue;
        };
        let kind = cell(7).to_lowercase();
        let kind = if kind.starts_with("micro") {
            ExpressionKind::Micro
        } else if kind.starts_with("macro") {
            ExpressionKind::Macro
        } else {
            builder.refuse(
                format!(
                    "The type '{}' is neither macro- nor micro-expression",
                    cell(7)
                ),
                "Correct the cell",
                place,
            );
            continue;
        };
        let key = (subject.to_lowercase(), code.clone());
        let Some(&at) = by_code.get(&key) else {
            builder.refuse(
                format!("The frames of {clip} are not there ({subject}/…_{code}…)"),
                "Unpack them, or remove the row",
                place,
            );
            continue;
        };
        let row = Row {
            kind,
            onset: cell(2),
            apex: cell(3),
            offset: cell(4),
            aus: Some(cell(5)),
            emotion: Some(cell(6)),
        };
        builder.add_event(at, row, place);
    }
    builder.finish()
}

/// Whole recordings: `rawpic`, else `rawvideo`, else what there is; never the
/// excerpts of `selectedpic` while something else is there.
fn long_recordings(parents: &[PathBuf]) -> Option<&Path> {
    let named = |word: &str| {
        parents
            .iter()
            .find(|p| name_of(p).to_lowercase().contains(word))
    };
    named("rawpic")
        .or_else(|| named("rawvideo"))
        .or_else(|| {
            parents
                .iter()
                .find(|p| !name_of(p).to_lowercase().contains("selected"))
        })
        .or_else(|| parents.first())
        .map(PathBuf::as_path)
}

/// Adds every recording of the disk; by folder of the subject and four-figure code.
fn recordings_on_disk(builder: &mut Builder, parent: &Path) -> BTreeMap<(String, String), usize> {
    let mut by_code = BTreeMap::new();
    for subject in Entries::of(parent).folders {
        let subject_name = name_of(&subject).to_lowercase();
        if !is_subject(&subject_name) {
            continue;
        }
        let entries = Entries::of(&subject);
        let videos = entries.files.into_iter().filter(|f| {
            f.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("avi") || e.eq_ignore_ascii_case("mp4"))
        });
        for source in entries.folders.into_iter().chain(videos) {
            let stem = if source.is_dir() {
                name_of(&source)
            } else {
                source
                    .file_stem()
                    .map(|s| s.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            let code: Option<String> = stem
                .split_once('_')
                .map(|(_, rest)| rest.chars().take(4).collect());
            let Some(code) = code.filter(|c| c.len() == 4 && c.bytes().all(|b| b.is_ascii_digit()))
            else {
                builder.info(
                    format!("{stem} is not named like 15_0101… and is left aside"),
                    "",
                    super::error::Place::file(format!("{subject_name}/{stem}")),
                );
                continue;
            };
            if let Some(at) = builder.add_recording(&subject_name, &stem, FPS, source) {
                by_code.insert((subject_name.clone(), code), at);
            }
        }
    }
    by_code
}

/// A sheet without header as a map from one column to another.
fn naming(table: &Table, from: usize, to: usize) -> BTreeMap<String, String> {
    table
        .rows
        .iter()
        .filter_map(|(_, cells)| {
            let (from, to) = (cells.get(from)?, cells.get(to)?);
            (!from.is_empty() && !to.is_empty()).then(|| (from.to_lowercase(), to.clone()))
        })
        .collect()
}
