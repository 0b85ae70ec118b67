//! SAMM Long Videos (Yap et al., 2020): 147 recordings of 200 frames a second with
//! macro- and micro-expressions.
//!
//! Expected below the root, at most three folders deep:
//! * `SAMM_LongVideos_V1…V3_Release.xlsx` (xls, csv) with a block of notes above the
//!   columns Subject, Filename, Inducement Code, Onset, Apex, Offset, Duration, Type,
//!   Action Units, Notes;
//! * `SAMM_longvideos/006_1/006_1_0001.jpg`;
//! * where it is there, `SAMM_Micro_FACS_Codes*.xlsx`, which names the emotions of the
//!   micro-expressions.
//!
//! Quirks: the type reads `Macro` or `Micro - 1/2`; macro-expressions with onset 0 were
//! there before the recording began and are left out, as published; offsets of 0.
//! Recordings without any label are read too: a false alarm in them counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::casme2::{newest, no_label, raw_first};
use super::error::{DatasetError, Place};
use super::index::{DatasetKind, Index};
use super::layout::{Entries, label_files, name_of, parents_of, video_named};
use super::samm::{self, FPS};
use super::sheet::{Table, frame_number};
use crate::spotting::ExpressionKind;

const KIND: DatasetKind = DatasetKind::SammLong;

fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| name.contains("samm_longvideos"))
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty()
}

/// `006_1`.
fn is_recording(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.split_once('_')
        .is_some_and(|(subject, number)| subject.len() == 3 && digits(subject) && digits(number))
}

/// # Errors
/// [`DatasetError`]: sheet or frames are not there, or nothing fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "the sheet and the folder SAMM_longvideos with 006_1, 006_2 …",
        root: root.to_owned(),
    };
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let sheets = sheets(root);
    let sheet =
        newest(&sheets).ok_or_else(|| wrong("the label sheet SAMM_LongVideos_V…_Release.xlsx"))?;
    builder.tell_choice("label sheet", sheet, &sheets);
    let parents = parents_of(root, is_recording);
    let parent = raw_first(&parents).ok_or_else(|| wrong("a folder of recordings (006_1 …)"))?;
    builder.tell_choice("folder of recordings", parent, &parents);
    let emotions = emotions(root, &mut builder)?;
    for folder in Entries::of(parent).folders {
        let name = name_of(&folder);
        if is_recording(&name) {
            builder.add_recording(&name[..3], &name, FPS, folder);
        }
    }

    let tables = Table::read_all(root, sheet)?;
    let table = &tables[0];
    let wanted: [&[&str]; 7] = [
        &["Filename"],
        &["Onset", "Onset Frame"],
        &["Apex", "Apex Frame"],
        &["Offset", "Offset Frame"],
        &["Type"],
        &["Action Units", "AU"],
        &["Subject"],
    ];
    let columns = table.columns(&wanted, 5)?;
    for (place, cells) in table.labels(&columns) {
        builder.count_row();
        let Some(recording) = recording_of(cells[0]) else {
            no_label(&mut builder, &cells, place);
            continue;
        };
        let kind = cells[4].to_lowercase();
        let kind = if kind.starts_with("micro") {
            ExpressionKind::Micro
        } else if kind.starts_with("macro") {
            ExpressionKind::Macro
        } else {
            builder.refuse(
                format!("The type '{}' is neither Macro nor Micro", cells[4]),
                "Correct the cell",
                place,
            );
            continue;
        };
        if kind == ExpressionKind::Macro && frame_number(cells[1]) == Ok(Some(0)) {
            builder.skip(
                "A macro-expression with onset 0 was there before the recording began; it is left out, as published",
                "",
                place,
            );
            continue;
        }
        let subject = recording[..3].to_owned();
        let source = || video_named(parent, &recording);
        if let Some(at) = builder.recording(&subject, &recording, FPS, source, &place, &recording) {
            let row = Row {
                kind,
                onset: cells[1],
                apex: cells[2],
                offset: cells[3],
                aus: Some(cells[5]),
                emotion: emotions
                    .get(cells[0])
                    .filter(|_| kind == ExpressionKind::Micro)
                    .map(String::as_str),
            };
            builder.add_event(at, row, place);
        }
    }
    builder.finish()
}

/// `006_1_2` is the second expression of `006_1`; a subject that lost its zeros in a
/// spreadsheet gets them back.
fn recording_of(filename: &str) -> Option<String> {
    let mut parts = filename.split('_');
    let subject = samm::subject_name(parts.next()?)?;
    let number = parts.next()?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        .then(|| format!("{subject}_{number}"))
}

/// Emotions by the file name of the short clip.
fn emotions(root: &Path, builder: &mut Builder) -> Result<BTreeMap<String, String>, DatasetError> {
    let sheets = samm::sheets(root);
    let Some(sheet) = newest(&sheets) else {
        builder.info(
            "The events have no emotions: SAMM_Micro_FACS_Codes*.xlsx is not beside the sheet",
            "Add it to recognise emotions; spotting does not need it",
            Place::below(root, root),
        );
        return Ok(BTreeMap::new());
    };
    let tables = Table::read_all(root, sheet)?;
    let columns = tables[0].columns(&samm::COLUMNS, 7)?;
    Ok(tables[0]
        .labels(&columns)
        .map(|(_, cells)| (cells[1].to_owned(), cells[6].to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_and_file_names_are_told_apart() {
        assert!(is_recording("006_1") && !is_recording("006_1_2") && !is_recording("006"));
        assert_eq!(recording_of("6_1_2").as_deref(), Some("006_1"));
        assert_eq!(recording_of("Total"), None);
    }
}
