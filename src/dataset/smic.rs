//! SMIC (Li et al., 2013): spontaneous micro-expressions of three cameras, HS (100
//! frames a second), VIS and NIR (25).
//!
//! Two layouts are read, from below the root, at most three folders deep:
//! * the clips, `HS/s1/micro/negative/s1_ne_01/reg_image000001.bmp` (raw or cropped).
//!   There is no sheet: the clip is the event, from its first to its last image, and
//!   the folder is the emotion. `non_micro` is left aside.
//! * SMIC-E, the longer recordings, `SMIC-HS-E_annotation*.xlsx` with the columns
//!   Subject, Filename, OnsetF, OffsetF and, for a second and third event of the same
//!   recording, Onset2F, Offset2F, Onset3F, Offset3F; images
//!   `s01/s01_ne_01/image835057.jpg` carry the camera's numbers.
//!
//! Quirks: no apexes; text below the table; emotions are read from the file names
//! (`ne`, `po`, `sur`), since the sheet's column differs between releases. Where more
//! than one camera lies below the root, HS is read: the same expressions seen thrice
//! are not three expressions.

use std::path::{Path, PathBuf};

use super::builder::{Builder, FrameCount, Row};
use super::casme2::{newest, no_label};
use super::error::{DatasetError, Place};
use super::index::{DatasetKind, Index};
use super::layout::{
    Entries, folder_named, is_numbered, label_files, name_of, parents_of, video_named,
};
use super::sheet::Table;
use crate::spotting::ExpressionKind;

const KIND: DatasetKind = DatasetKind::Smic;

/// Which of the cameras; the first is read where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Camera {
    HighSpeed,
    Visible,
    NearInfrared,
}

impl Camera {
    const ALL: [Self; 3] = [Self::HighSpeed, Self::Visible, Self::NearInfrared];

    const fn name(self) -> &'static str {
        match self {
            Self::HighSpeed => "HS",
            Self::Visible => "VIS",
            Self::NearInfrared => "NIR",
        }
    }

    const fn fps(self) -> f64 {
        match self {
            Self::HighSpeed => 100.0,
            Self::Visible | Self::NearInfrared => 25.0,
        }
    }

    /// From the nearest folder or file name that holds the camera's as a word.
    fn of(path: &Path) -> Option<Self> {
        path.ancestors().find_map(|part| {
            let name = name_of(part).to_uppercase();
            let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
            Self::ALL.into_iter().find(|c| words.contains(&c.name()))
        })
    }
}

fn sheets(root: &Path) -> Vec<PathBuf> {
    label_files(root, |name| {
        name.starts_with("smic") && name.contains("annotation")
    })
}

fn is_subject(name: &str) -> bool {
    is_numbered(name, "s")
}

/// Folders of subjects that hold a folder `micro`.
fn clip_parents(root: &Path) -> Vec<PathBuf> {
    let mut parents = parents_of(root, is_subject);
    parents.retain(|parent| {
        Entries::of(parent)
            .folders
            .iter()
            .any(|s| is_subject(&name_of(s).to_lowercase()) && folder_named(s, "micro").is_some())
    });
    parents
}

pub(super) fn is_here(root: &Path) -> bool {
    !sheets(root).is_empty() || !clip_parents(root).is_empty()
}

/// # Errors
/// [`DatasetError`]: neither layout is there, the camera cannot be told, or nothing
/// fits.
pub fn read(root: &Path) -> Result<Index, DatasetError> {
    let mut builder = Builder::new(KIND, root, FrameCount::Numbers);
    let (long, clips) = (sheets(root), clip_parents(root));
    let all: Vec<PathBuf> = long.iter().chain(&clips).cloned().collect();
    if all.is_empty() {
        return Err(wrong(
            root,
            "a folder such as HS/s1/micro or a sheet SMIC-HS-E_annotation.xlsx",
        ));
    }
    let chosen = Camera::ALL.into_iter().find_map(|camera| {
        let of_camera: Vec<&PathBuf> = all
            .iter()
            .filter(|p| Camera::of(p) == Some(camera))
            .collect();
        // Raw pictures before cropped ones; the clips before the long recordings.
        of_camera
            .iter()
            .find(|p| clips.contains(p) && p.to_string_lossy().to_lowercase().contains("raw"))
            .or_else(|| of_camera.iter().find(|p| clips.contains(p)))
            .or_else(|| of_camera.last())
            .map(|p| (camera, (*p).clone()))
    });
    let Some((camera, place)) = chosen else {
        return Err(wrong(
            root,
            "a folder named HS, VIS or NIR, which tells the camera,",
        ));
    };
    builder.tell_choice("camera or release", &place, &all);
    if clips.contains(&place) {
        read_clips(&mut builder, root, &place, camera);
    } else {
        read_long(&mut builder, root, &place, camera)?;
    }
    builder.finish()
}

fn wrong(root: &Path, missing: &str) -> DatasetError {
    DatasetError::WrongRoot {
        name: KIND.name(),
        missing: missing.to_owned(),
        expected: "HS, VIS or NIR",
        root: root.to_owned(),
    }
}

fn read_clips(builder: &mut Builder, root: &Path, parent: &Path, camera: Camera) {
    for subject in Entries::of(parent).folders {
        let name = name_of(&subject).to_lowercase();
        let Some(subject_name) = subject_name(&name) else {
            continue;
        };
        let Some(micro) = folder_named(&subject, "micro") else {
            builder.warn(
                format!("{name} has no folder 'micro'"),
                "Unpack it again",
                Place::below(root, &subject),
            );
            continue;
        };
        for emotion in Entries::of(&micro).folders {
            for clip in Entries::of(&emotion).folders {
                read_clip(
                    builder,
                    root,
                    &clip,
                    &subject_name,
                    &name_of(&emotion),
                    camera,
                );
            }
        }
    }
}

fn read_clip(
    builder: &mut Builder,
    root: &Path,
    clip: &Path,
    subject: &str,
    emotion: &str,
    camera: Camera,
) {
    builder.count_row();
    let place = Place::below(root, clip);
    let name = name_of(clip);
    let recording = format!("{subject}_{}", without_subject(&name));
    if builder.knows(&recording) {
        builder.refuse(
            "A clip of this name was read already",
            "Rename one of them",
            place,
        );
        return;
    }
    let Some(at) = builder.add_recording(subject, &recording, camera.fps(), clip.to_owned()) else {
        builder.refuse("The clip has no images", "Unpack it again", place);
        return;
    };
    let range = builder
        .recording_mut(at)
        .frames
        .as_ref()
        .and_then(super::frame_folder::FrameFolder::range);
    if let Some((first, last)) = range {
        // An offset of 0 would mean "unknown"; a clip of one image numbered 0 is none.
        let (first, last) = (first.to_string(), last.to_string());
        let row = Row {
            kind: ExpressionKind::Micro,
            onset: &first,
            apex: "",
            offset: &last,
            aus: None,
            emotion: Some(emotion),
        };
        builder.add_event(at, row, place);
    }
}

fn read_long(
    builder: &mut Builder,
    root: &Path,
    sheet: &Path,
    camera: Camera,
) -> Result<(), DatasetError> {
    let beside = sheet.parent().unwrap_or(root);
    let parents: Vec<PathBuf> = parents_of(beside, is_subject)
        .into_iter()
        .filter(|p| Camera::of(p).is_none_or(|c| c == camera))
        .collect();
    let Some(parent) = newest(&parents) else {
        return Err(wrong(root, "a folder of subjects (s01 …) beside the sheet"));
    };
    let tables = Table::read_all(root, sheet)?;
    let table = &tables[0];
    let wanted: [&[&str]; 8] = [
        &["Subject"],
        &["Filename"],
        &["OnsetF", "Onset", "OnsetFrame", "Onset1F"],
        &["OffsetF", "Offset", "OffsetFrame", "Offset1F"],
        &["Onset2F"],
        &["Offset2F"],
        &["Onset3F"],
        &["Offset3F"],
    ];
    let columns = table.columns(&wanted, 4)?;
    for (place, cells) in table.labels(&columns) {
        let (subject, name) = (subject_name(cells[0]), cells[1]);
        let (Some(subject), false) = (subject, name.is_empty()) else {
            builder.count_row();
            no_label(builder, &cells, place);
            continue;
        };
        let recording = format!("{subject}_{}", without_subject(name));
        let emotion = emotion_of(name);
        for pair in [(2, 3), (4, 5), (6, 7)] {
            let (onset, offset) = (cells[pair.0], cells[pair.1]);
            if pair.0 > 2 && onset.is_empty() && offset.is_empty() {
                continue;
            }
            builder.count_row();
            let source = || {
                let folder = folder_named(parent, &subject)
                    .or_else(|| folder_named(parent, subject.trim_start_matches("s0")))?;
                folder_named(&folder, name).or_else(|| video_named(&folder, name))
            };
            let sought = format!("{subject}/{name}");
            if let Some(at) =
                builder.recording(&subject, &recording, camera.fps(), source, &place, &sought)
            {
                let row = Row {
                    kind: ExpressionKind::Micro,
                    onset,
                    apex: "",
                    offset,
                    aus: None,
                    emotion,
                };
                builder.add_event(at, row, place.clone());
            }
        }
    }
    Ok(())
}

/// `1`, `s1` and `s01` are the same person.
fn subject_name(cell: &str) -> Option<String> {
    let number: u32 = cell
        .trim()
        .to_ascii_lowercase()
        .trim_start_matches('s')
        .parse()
        .ok()?;
    Some(format!("s{number:02}"))
}

/// `s1_ne_01` and `s01_ne_01` are the same clip.
fn without_subject(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, rest)| rest)
}

fn emotion_of(name: &str) -> Option<&'static str> {
    match name.split('_').nth(1)?.to_ascii_lowercase().as_str() {
        "ne" | "neg" | "negative" => Some("negative"),
        "po" | "pos" | "positive" => Some("positive"),
        "sur" | "su" | "surprise" => Some("surprise"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_told_by_whole_words() {
        for (path, camera) in [
            ("SMIC_all_cropped/HS", Some(Camera::HighSpeed)),
            (
                "SMIC-E_raw image/VIS_long/SMIC-VIS-E_annotation.xlsx",
                Some(Camera::Visible),
            ),
            ("NIR/s1", Some(Camera::NearInfrared)),
            ("photoSHS/s1", None),
        ] {
            assert_eq!(Camera::of(Path::new(path)), camera, "{path}");
        }
        assert_eq!(subject_name("s1").as_deref(), Some("s01"));
        assert_eq!(emotion_of("s03_sur_02"), Some("surprise"));
        assert_eq!(without_subject("s1_ne_01"), "ne_01");
    }
}
