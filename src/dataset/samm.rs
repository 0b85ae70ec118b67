//! SAMM, the short clips (Davison et al., 2018): 200 frames a second, one
//! micro-expression each.
//!
//! Expected below the root, at most three folders deep:
//! * `SAMM_Micro_FACS_Codes*.xlsx` (also `SAMM_20181215_Micro_FACS_Codes_v2.xlsx`, csv)
//!   with a block of notes above the columns Subject, Filename, Onset Frame, Apex
//!   Frame, Offset Frame, Action Units, Estimated Emotion;
//! * `006/006_1_2/006_05562.jpg`: the images carry the numbers of the long recording.
//!
//! Quirks: unknown apexes are −1; some lie outside their interval; some cells of
//! action units leave an alternative open (`AU12A or AU25`).

use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::casme2::{newest, no_label, raw_first, tell_unlabelled};
use super::error::DatasetError;
use super::index::{DatasetKind, Index};
use super::layout::{folder_named, label_files, parents_of, video_named};
use super::sheet::Table;
use crate::spotting::ExpressionKind;

pub(super) const FPS: f64 = 200.0;
const KIND: DatasetKind = DatasetKind::Samm;

/// The sheet of the short clips; the long videos take their emotions from it.
pub(super) fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| {
        name.starts_with("samm") && name.contains("micro_facs")
    })
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty()
}

pub(super) const COLUMNS: [&[&str]; 7] = [
    &["Subject"],
    &["Filename"],
    &["Onset Frame", "Onset"],
    &["Apex Frame", "Apex"],
    &["Offset Frame", "Offset"],
    &["Action Units", "AU"],
    &["Estimated Emotion", "Emotion"],
];

fn is_subject(name: &str) -> bool {
    name.len() == 3 && name.bytes().all(|b| b.is_ascii_digit())
}

/// # Errors
/// [`DatasetError`]: sheet or frames are not there, or nothing fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "the sheet and the folders 006, 007 …",
        root: root.to_owned(),
    };
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let sheets = sheets(root);
    let sheet =
        newest(&sheets).ok_or_else(|| wrong("the label sheet SAMM_Micro_FACS_Codes*.xlsx"))?;
    builder.tell_choice("label sheet", sheet, &sheets);
    let parents = parents_of(root, is_subject);
    let parent = raw_first(&parents).ok_or_else(|| wrong("a folder of subjects (006 …)"))?;
    builder.tell_choice("folder of subjects", parent, &parents);

    let tables = Table::read_all(root, sheet)?;
    let table = &tables[0];
    let columns = table.columns(&COLUMNS, 5)?;
    for (place, cells) in table.labels(&columns) {
        builder.count_row();
        let (subject, clip) = (subject_name(cells[0]), cells[1]);
        let (Some(subject), false) = (subject, clip.is_empty()) else {
            no_label(&mut builder, &cells, place);
            continue;
        };
        let source = || {
            let folder = folder_named(parent, &subject)?;
            folder_named(&folder, clip).or_else(|| video_named(&folder, clip))
        };
        let sought = format!("{subject}/{clip}");
        if let Some(at) = builder.recording(&subject, clip, FPS, source, &place, &sought) {
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
    tell_unlabelled(&mut builder, root, parent, is_subject, |_, clip| {
        clip.to_owned()
    });
    builder.finish()
}

/// `6` and `006` are the same person.
pub(super) fn subject_name(cell: &str) -> Option<String> {
    let number: u32 = cell.trim().parse().ok()?;
    Some(format!("{number:03}"))
}
