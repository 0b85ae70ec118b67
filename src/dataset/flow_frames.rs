//! The two frames of each event of a recording: single images of a folder, or a video
//! read once from its start.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;
use sha2::{Digest, Sha256};

use super::index::LabelledRecording;
use crate::media::image_sequence::read_picture;
use crate::media::{self, MediaError};
use crate::nn::inventory::hexadecimal;

/// Onset and apex, frames from 0, the onset first.
pub(crate) type Pair = (u64, u64);

/// Hands both pictures of each pair, by its place among `pairs`, to `take`, or why
/// they cannot be read. Every pair is handed over once.
pub(crate) fn read_pairs(
    recording: &LabelledRecording,
    pairs: &[Pair],
    mut take: impl FnMut(usize, Result<(&RgbImage, &RgbImage), String>),
) {
    let groups: Vec<Vec<u64>> = pairs.iter().map(|pair| vec![pair.0, pair.1]).collect();
    read_groups(recording, &groups, |at, pictures| {
        take(at, pictures.map(|both| (&*both[0], &*both[1])));
    });
}

/// The same with any number of frames together, in rising order; the pictures come in
/// that order.
pub(crate) fn read_groups(
    recording: &LabelledRecording,
    groups: &[Vec<u64>],
    mut take: impl FnMut(usize, Result<&[Arc<RgbImage>], String>),
) {
    if recording.frames.is_none() {
        read_video(recording, groups, take);
        return;
    }
    for (at, frames) in groups.iter().enumerate() {
        let mut last: Option<(u64, Arc<RgbImage>)> = None;
        let mut read = |frame: u64| {
            if let Some((_, same)) = last.as_ref().filter(|(f, _)| *f == frame) {
                return Ok(Arc::clone(same));
            }
            let path = image(recording, frame)?;
            let picture = read_picture(&path).map_err(|e| cannot_be_read(frame, &path, &e))?;
            let picture = Arc::new(picture);
            last = Some((frame, Arc::clone(&picture)));
            Ok(picture)
        };
        let pictures: Result<Vec<_>, String> = frames.iter().map(|&frame| read(frame)).collect();
        match pictures {
            Ok(pictures) => take(at, Ok(&pictures)),
            Err(reason) => take(at, Err(reason)),
        }
    }
}

/// For each pair a hash of the files that hold it: what is unpacked anew is measured
/// anew. An error says why a file cannot be read.
pub(crate) fn contents(
    recording: &LabelledRecording,
    pairs: &[Pair],
) -> Vec<Result<String, String>> {
    let groups: Vec<Vec<u64>> = pairs.iter().map(|pair| vec![pair.0, pair.1]).collect();
    contents_of_groups(recording, &groups)
}

/// The same of any number of frames together.
pub(crate) fn contents_of_groups(
    recording: &LabelledRecording,
    groups: &[Vec<u64>],
) -> Vec<Result<String, String>> {
    let add = |hash: &mut Sha256, path: &Path, frame: u64| {
        let copied = File::open(path).and_then(|mut file| std::io::copy(&mut file, hash));
        let added = copied.map_err(|e| cannot_be_read(frame, path, &e.to_string()));
        added.map(|_bytes| ())
    };
    if recording.frames.is_none() {
        // A video is one file for all of its events, and may be long.
        let mut hash = Sha256::new();
        let first = groups.first().and_then(|group| group.first());
        let first = first.copied().unwrap_or_default();
        let all = add(&mut hash, &recording.source, first);
        let all = all.map(|()| hexadecimal(&hash.finalize()));
        return vec![all; groups.len()];
    }
    let of_images = |group: &Vec<u64>| {
        let mut hash = Sha256::new();
        for &frame in group {
            add(&mut hash, &image(recording, frame)?, frame)?;
        }
        Ok(hexadecimal(&hash.finalize()))
    };
    groups.iter().map(of_images).collect()
}

fn image(recording: &LabelledRecording, frame: u64) -> Result<PathBuf, String> {
    let found = recording.image(frame);
    found.ok_or_else(|| format!("there is no image of its frame {frame}"))
}

fn cannot_be_read(frame: u64, path: &Path, reason: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("its frame {frame}, {name}, cannot be read ({reason})")
}

fn read_video(
    recording: &LabelledRecording,
    groups: &[Vec<u64>],
    mut take: impl FnMut(usize, Result<&[Arc<RgbImage>], String>),
) {
    let mut open: Vec<usize> = (0..groups.len()).collect();
    let mut seen: BTreeMap<u64, Arc<RgbImage>> = BTreeMap::new();
    let mut read = || -> Result<(), MediaError> {
        let mut source = media::open(&recording.input())?;
        while !open.is_empty() {
            let Some(frame) = source.next_frame()? else {
                return Ok(());
            };
            let now = frame.index;
            if open.iter().any(|&at| groups[at].contains(&now)) {
                seen.insert(now, frame.picture);
            }
            open.retain(|&at| {
                let pictures: Option<Vec<Arc<RgbImage>>> = (groups[at].iter())
                    .map(|frame| seen.get(frame).cloned())
                    .collect();
                let Some(pictures) = pictures else {
                    return true;
                };
                take(at, Ok(&pictures));
                false
            });
            seen.retain(|frame, _| open.iter().any(|&at| groups[at].contains(frame)));
        }
        Ok(())
    };
    let ended = read();
    for at in open {
        let last = groups[at].last().copied().unwrap_or_default();
        let reason = match &ended {
            Ok(()) => format!("the recording ends before its frame {last}"),
            Err(e) => format!("the recording cannot be read ({})", without_path(e)),
        };
        take(at, Err(reason));
    }
}

/// The reason alone: the label's place, which ends the sentence, is where to look.
fn without_path(error: &MediaError) -> String {
    match error {
        MediaError::NotFound { .. } => "it is not there".to_owned(),
        MediaError::Empty { .. } => "the file is empty".to_owned(),
        MediaError::NotMedia { reason, .. } | MediaError::Decode { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}
