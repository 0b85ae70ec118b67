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
    if recording.frames.is_none() {
        read_video(recording, pairs, take);
        return;
    }
    for (at, &(onset, apex)) in pairs.iter().enumerate() {
        let read = |frame| {
            let path = image(recording, frame)?;
            read_picture(&path).map_err(|e| cannot_be_read(frame, &path, &e))
        };
        match read(onset).and_then(|first| Ok((first, read(apex)?))) {
            Ok((first, second)) => take(at, Ok((&first, &second))),
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
    let add = |hash: &mut Sha256, path: &Path, frame: u64| {
        let copied = File::open(path).and_then(|mut file| std::io::copy(&mut file, hash));
        let added = copied.map_err(|e| cannot_be_read(frame, path, &e.to_string()));
        added.map(|_bytes| ())
    };
    if recording.frames.is_none() {
        // A video is one file for all of its events, and may be long.
        let mut hash = Sha256::new();
        let first = pairs.first().map_or(0, |pair| pair.0);
        let all = add(&mut hash, &recording.source, first);
        let all = all.map(|()| hexadecimal(&hash.finalize()));
        return vec![all; pairs.len()];
    }
    let of_images = |&(onset, apex): &Pair| {
        let mut hash = Sha256::new();
        for frame in [onset, apex] {
            add(&mut hash, &image(recording, frame)?, frame)?;
        }
        Ok(hexadecimal(&hash.finalize()))
    };
    pairs.iter().map(of_images).collect()
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
    pairs: &[Pair],
    mut take: impl FnMut(usize, Result<(&RgbImage, &RgbImage), String>),
) {
    let mut open: Vec<usize> = (0..pairs.len()).collect();
    let mut seen: BTreeMap<u64, Arc<RgbImage>> = BTreeMap::new();
    let mut read = || -> Result<(), MediaError> {
        let mut source = media::open(&recording.input())?;
        while !open.is_empty() {
            let Some(frame) = source.next_frame()? else {
                return Ok(());
            };
            let now = frame.index;
            if open
                .iter()
                .any(|&at| pairs[at].0 == now || pairs[at].1 == now)
            {
                seen.insert(now, frame.picture);
            }
            open.retain(|&at| {
                let (onset, apex) = pairs[at];
                let (Some(first), Some(second)) = (seen.get(&onset), seen.get(&apex)) else {
                    return true;
                };
                take(at, Ok((first, second)));
                false
            });
            seen.retain(|&frame, _| open.iter().any(|&at| pairs[at].0 == frame));
        }
        Ok(())
    };
    let ended = read();
    for at in open {
        let reason = match &ended {
            Ok(()) => format!("the recording ends before its frame {}", pairs[at].1),
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
