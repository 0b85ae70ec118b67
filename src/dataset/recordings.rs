//! Our own layout, as `onset synth` writes it.
//!
//! * `index.csv`: `subject,recording,path,fps`, paths relative to the folder;
//! * `labels.csv`: `recording,kind,onset,apex,offset,emotion,aus`;
//! * `distractors.csv`, where there is one: `recording,what,start,end`.
//!
//! Frames count from 0 in the order of the recording, both ends included. Unlike a
//! published database these files are a program's: a broken cell is an error of the
//! row, and a recording without label rows is one without expressions.

use std::path::Path;

use super::builder::{Builder, FrameCount, Row};
use super::error::DatasetError;
use super::index::{DatasetKind, Distractor, DistractorKind, Index};
use super::sheet::{Table, frame_number};
use crate::spotting::ExpressionKind;

const KIND: DatasetKind = DatasetKind::Recordings;

pub(super) fn is_here(root: &Path) -> bool {
    root.join("index.csv").is_file() && root.join("labels.csv").is_file()
}

/// # Errors
/// [`DatasetError`]: a file or column is missing, or nothing can be used.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let mut builder = Builder::new(KIND, root, FrameCount::Places);
    let wrong = |missing: &str| DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "index.csv and labels.csv",
        root: root.to_owned(),
    };
    for file in ["index.csv", "labels.csv"] {
        if !root.join(file).is_file() {
            return Err(wrong(file));
        }
    }
    read_index(&mut builder, root)?;
    read_labels(&mut builder, root)?;
    if root.join("distractors.csv").is_file() {
        read_distractors(&mut builder, root)?;
    }
    let index = builder.finish()?;
    if index.recordings.is_empty() {
        return Err(wrong("every recording of index.csv"));
    }
    Ok(index)
}

fn table(root: &Path, file: &str) -> Result<Table, DatasetError> {
    let path = root.join(file);
    let mut tables = Table::read_all(root, &path)?;
    tables.pop().ok_or(DatasetError::Unreadable {
        path,
        reason: "it is empty".into(),
    })
}

fn read_index(builder: &mut Builder, root: &Path) -> Result<(), DatasetError> {
    let table = table(root, "index.csv")?;
    let columns = table.columns(&[&["subject"], &["recording"], &["path"], &["fps"]], 4)?;
    for (place, cells) in table.labels(&columns) {
        let [subject, recording, path, fps] = cells[..] else {
            continue;
        };
        if subject.is_empty() || recording.is_empty() || path.is_empty() {
            builder.unusable(
                "A recording needs a subject, a name and a path",
                "Fill the row",
                place,
            );
            continue;
        }
        if builder.knows(recording) {
            builder.unusable(
                format!("The recording {recording} is listed already"),
                "Remove one of the rows",
                place,
            );
            continue;
        }
        let Some(fps) = fps
            .parse::<f64>()
            .ok()
            .filter(|f| f.is_finite() && *f > 0.0)
        else {
            builder.unusable(
                format!("'{fps}' is no number of frames a second"),
                "Correct the row",
                place,
            );
            continue;
        };
        let source = root.join(path);
        if !source.exists() {
            builder.unusable(
                format!("The recording {recording} is not there ({path})"),
                "Copy it again, or remove the row",
                place,
            );
            continue;
        }
        builder.add_recording(subject, recording, fps, source);
    }
    Ok(())
}

fn read_labels(builder: &mut Builder, root: &Path) -> Result<(), DatasetError> {
    let table = table(root, "labels.csv")?;
    let wanted: [&[&str]; 7] = [
        &["recording"],
        &["kind"],
        &["onset"],
        &["apex"],
        &["offset"],
        &["emotion"],
        &["aus"],
    ];
    let columns = table.columns(&wanted, 5)?;
    for (place, cells) in table.labels(&columns) {
        builder.count_row();
        let kind = match cells[1].to_lowercase().as_str() {
            "macro" => ExpressionKind::Macro,
            "micro" => ExpressionKind::Micro,
            other => {
                builder.refuse(
                    format!("The kind '{other}' is neither macro nor micro"),
                    "Correct the row",
                    place,
                );
                continue;
            }
        };
        let Some(at) = builder.find(cells[0]) else {
            builder.refuse(
                format!(
                    "The recording {} is not in index.csv, or cannot be used",
                    cells[0]
                ),
                "Correct the row",
                place,
            );
            continue;
        };
        let row = Row {
            kind,
            onset: cells[2],
            apex: cells[3],
            offset: cells[4],
            aus: Some(cells[6]),
            emotion: Some(cells[5]),
        };
        builder.add_event(at, row, place);
    }
    Ok(())
}

fn read_distractors(builder: &mut Builder, root: &Path) -> Result<(), DatasetError> {
    let table = table(root, "distractors.csv")?;
    let columns = table.columns(&[&["recording"], &["what"], &["start"], &["end"]], 4)?;
    for (place, cells) in table.labels(&columns) {
        let [recording, what, start, end] = cells[..] else {
            continue;
        };
        let frames = (frame_number(start), frame_number(end));
        let (Some(kind), (Ok(Some(start)), Ok(Some(end)))) =
            (DistractorKind::from_name(what), frames)
        else {
            let names = DistractorKind::ALL.map(DistractorKind::name).join(", ");
            builder.warn(
                format!("'{what}' from '{start}' to '{end}' is no distractor (one of {names}, two frames)"),
                "Correct the row",
                place,
            );
            continue;
        };
        if start > end {
            builder.warn(
                "The distractor ends before it starts",
                "Correct the row",
                place,
            );
            continue;
        }
        let Some(at) = builder.find(recording) else {
            builder.warn(
                format!("The recording {recording} is not in index.csv, or cannot be used"),
                "Correct the row",
                place,
            );
            continue;
        };
        builder
            .recording_mut(at)
            .distractors
            .push(Distractor { kind, start, end });
    }
    Ok(())
}
