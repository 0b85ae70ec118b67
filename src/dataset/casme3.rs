//! CAS(ME)³, part A (Li et al., 2022): long recordings of 30 frames a second with
//! macro- and micro-expressions; the colour images are read, not the depth.
//!
//! Expected below the root, at most three folders deep:
//! * `cas(me)3_part_A_ME_label_JpgIndex_v2*.xlsx` (sheet `label`: Subject, Filename,
//!   Onset, Apex, Offset, AU, Objective class, emotion) and, for macro-expressions,
//!   `cas(me)3_part_A_MaE_label_JpgIndex_v2*.xlsx` (sub, seq, onset, apex, offset, AU,
//!   emotion). Where one of them is missing, `CAS(ME)3_part_A_v*.xls`, which has both
//!   with the column Expression type;
//! * `part_A/spNO.1/a/color/163.jpg`, or the cut-out clips
//!   `Part_A_ME_clip/frame/spNo.1_a_163/163.jpg`.
//!
//! Quirks: numbers are those of the images' names; folders and sheets differ in
//! capitals (`spNO`, `spNo`; `A`, `a`); several events in a recording; frames missing;
//! onsets of 0. Recordings on the disk without a label are read too.

use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::casme2::{newest, no_label};
use super::error::{DatasetError, Place};
use super::index::{DatasetKind, Index};
use super::layout::{Entries, folder_named, is_numbered, label_files, name_of, parents_of};
use super::sheet::Table;
use crate::spotting::ExpressionKind;

const FPS: f64 = 30.0;
const KIND: DatasetKind = DatasetKind::Casme3;

fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| name.contains("cas(me)3_part_a"))
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty()
}

/// `spno.1`.
fn is_subject(name: &str) -> bool {
    is_numbered(name, "spno.")
}

/// `spno.1_a_163`.
fn is_clip(name: &str) -> bool {
    let mut parts = name.split('_');
    parts.next().is_some_and(is_subject) && parts.count() == 2
}

/// # Errors
/// [`DatasetError`]: sheet or frames are not there, or nothing fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "the label sheets and the folders spNO.1, spNO.2 …",
        root: root.to_owned(),
    };
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let sheets = sheets(root);
    let of = |words: &dyn Fn(&str) -> bool| -> Vec<PathBuf> {
        sheets
            .iter()
            .filter(|p| words(&name_of(p).to_lowercase()))
            .cloned()
            .collect()
    };
    let micro = of(&|n| n.contains("_me_label"));
    let macros = of(&|n| n.contains("_mae_label"));
    let both = of(&|n| !n.contains("label"));
    if sheets.is_empty() {
        return Err(wrong(
            "the label sheet cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        ));
    }
    let parents = parents_of(root, |n| is_subject(n) || is_clip(n));
    let parent = parents
        .iter()
        .find(|p| {
            Entries::of(p)
                .folders
                .iter()
                .any(|f| is_subject(&name_of(f).to_lowercase()))
        })
        .or_else(|| parents.first())
        .ok_or_else(|| wrong("a folder of subjects (spNO.1 …)"))?;
    builder.tell_choice("folder of recordings", parent, &parents);
    let whole = add_whole_recordings(&mut builder, parent);

    for (sheets, kind) in [
        (&micro, ExpressionKind::Micro),
        (&macros, ExpressionKind::Macro),
    ] {
        let own = newest(sheets);
        let Some(sheet) = own.or_else(|| newest(&both)) else {
            builder.info(
                format!("There is no sheet of {}-expressions", kind.name()),
                "Add it to read them",
                Place::below(root, root),
            );
            continue;
        };
        builder.tell_choice("label sheet of this kind", sheet, sheets);
        let only = own.is_none().then_some(kind);
        read_sheet(&mut builder, root, sheet, kind, only, parent, whole)?;
    }
    builder.finish()
}

/// Adds `spNO.1/a/color`; says whether there are whole recordings at all.
fn add_whole_recordings(builder: &mut Builder, parent: &Path) -> bool {
    let mut any = false;
    for subject in Entries::of(parent).folders {
        let Some(name) = subject_name(&name_of(&subject)) else {
            continue;
        };
        for recording in Entries::of(&subject).folders {
            let letter = name_of(&recording).to_lowercase();
            if let Some(color) = folder_named(&recording, "color") {
                any = true;
                builder.add_recording(&name, &format!("{name}_{letter}"), FPS, color);
            }
        }
    }
    any
}

/// Reads one sheet; of a sheet with both kinds `only` those rows are taken.
fn read_sheet(
    builder: &mut Builder,
    root: &Path,
    sheet: &Path,
    kind: ExpressionKind,
    only: Option<ExpressionKind>,
    parent: &Path,
    whole: bool,
) -> Result<(), DatasetError> {
    let tables = Table::read_all(root, sheet)?;
    let wanted: [&[&str]; 8] = [
        &["Subject", "sub"],
        &["Filename", "seq"],
        &["Onset"],
        &["Apex"],
        &["Offset"],
        &["AU", "Action Units"],
        &["emotion"],
        &["Expression type", "type"],
    ];
    // The table is the first sheet that has its columns.
    let columns = tables
        .iter()
        .find_map(|t| t.columns(&wanted, 5).ok().map(|c| (t, c)));
    let (table, columns) = match columns {
        Some(found) => found,
        None => {
            return Err(match tables.first().map(|t| t.columns(&wanted, 5)) {
                Some(Err(e)) => e,
                _ => DatasetError::Unreadable {
                    path: sheet.to_owned(),
                    reason: "it has no sheets".into(),
                },
            });
        }
    };
    for (place, cells) in table.labels(&columns) {
        if let Some(only) = only {
            let kind = cells[7].to_lowercase();
            if !kind.starts_with("micro") && !kind.starts_with("macro") {
                // Told once, with the micro-expressions.
                if only == ExpressionKind::Micro {
                    builder.count_row();
                    builder.refuse(
                        format!(
                            "The type '{}' is neither Macro- nor Micro-expression",
                            cells[7]
                        ),
                        "Correct the cell",
                        place,
                    );
                }
                continue;
            }
            if !kind.starts_with(only.name()) {
                continue;
            }
        }
        builder.count_row();
        let (subject, letter) = (subject_name(cells[0]), cells[1].to_lowercase());
        let (Some(subject), false) = (subject, letter.is_empty()) else {
            no_label(builder, &cells, place);
            continue;
        };
        // A cut-out clip belongs to one row; a whole recording to several.
        let (name, folder) = if whole {
            (
                format!("{subject}_{letter}"),
                format!("{subject}/{letter}/color"),
            )
        } else {
            let clip = format!("{subject}_{letter}_{}", cells[2]);
            (clip.clone(), clip)
        };
        let source = || {
            if whole {
                None
            } else {
                folder_named(parent, &folder)
            }
        };
        if let Some(at) = builder.recording(&subject, &name, FPS, source, &place, &folder) {
            let row = Row {
                kind,
                onset: cells[2],
                apex: cells[3],
                offset: cells[4],
                aus: Some(cells[5]),
                emotion: Some(cells[6]),
            };
            builder.add_event(at, row, place);
        }
    }
    Ok(())
}

/// `spNO.1` and `spNo.1` are the same person.
fn subject_name(cell: &str) -> Option<String> {
    let lower = cell.trim().to_ascii_lowercase();
    is_subject(&lower).then(|| format!("spNO.{}", &lower["spno.".len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_clips_are_told_apart_whatever_the_capitals() {
        assert_eq!(subject_name("spNo.12").as_deref(), Some("spNO.12"));
        assert_eq!(subject_name("sp12"), None);
        assert!(is_clip("spno.1_a_163") && !is_clip("spno.1") && !is_clip("spno.1_a"));
    }
}
