//! Drawn recordings as files: the bundled clip, and folders to train on.

use std::fs;
use std::path::{Path, PathBuf};

use super::anatomy::FaceSide;
use super::arithmetic::scramble;
use super::{ExpressionEvent, ExpressionKind, SyntheticSource, SyntheticSpec};
use crate::media::video_writer::{VideoQuality, VideoWriter};
use crate::media::{FrameSource, MediaError};

/// The bundled clip: 20 s, two macro-expressions, two micro-expressions, one blink.
#[must_use]
pub fn sample_spec() -> SyntheticSpec {
    let event = |kind, units: &[u8], frames: [u64; 3], amplitude, emotion: &str| ExpressionEvent {
        kind,
        units: units.to_vec(),
        side: FaceSide::Both,
        onset: frames[0],
        apex: frames[1],
        offset: frames[2],
        amplitude,
        emotion: emotion.to_owned(),
    };
    SyntheticSpec {
        name: "sample".to_owned(),
        width: 640,
        height: 480,
        frames_per_second: 30,
        frames: 600,
        seed: 2,
        events: vec![
            event(ExpressionKind::Micro, &[4], [90, 95, 101], 0.30, "anger"),
            event(
                ExpressionKind::Macro,
                &[12, 25],
                [168, 188, 210],
                0.80,
                "happiness",
            ),
            event(ExpressionKind::Blink, &[], [276, 279, 285], 1.0, ""),
            event(
                ExpressionKind::Micro,
                &[12],
                [366, 371, 378],
                0.30,
                "happiness",
            ),
            event(
                ExpressionKind::Macro,
                &[1, 2],
                [462, 476, 494],
                0.60,
                "surprise",
            ),
        ],
        noise: 1.0,
        sway_px: 0.5,
    }
}

/// Files that [`write_sample_clip`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleClip {
    pub video: PathBuf,
    /// Columns `recording,kind,onset,apex,offset`; macro and micro only.
    pub truth: PathBuf,
    /// The same columns and `aus,emotion,amplitude`; blinks too.
    pub events: PathBuf,
}

/// Writes `sample.mp4`, `sample-truth.csv` and `sample-events.csv` into `dir`.
///
/// # Errors
/// When the folder or a file cannot be written or FFmpeg has no encoder.
pub fn write_sample_clip(dir: &Path) -> Result<SampleClip, MediaError> {
    fs::create_dir_all(dir).map_err(|e| refused(dir, &e.to_string()))?;
    let spec = sample_spec();
    let clip = SampleClip {
        video: dir.join("sample.mp4"),
        truth: dir.join("sample-truth.csv"),
        events: dir.join("sample-events.csv"),
    };
    let quality = VideoQuality {
        crf: 16,
        ..VideoQuality::default()
    };
    write_video(&spec, &clip.video, quality)?;
    let mut truth = String::from("recording,kind,onset,apex,offset\n");
    let mut events = String::from("recording,kind,onset,apex,offset,aus,emotion,amplitude\n");
    for e in &spec.events {
        let row = format!(
            "{},{},{},{},{}",
            spec.name,
            e.kind.name(),
            e.onset,
            e.apex,
            e.offset
        );
        if e.kind != ExpressionKind::Blink {
            truth.push_str(&format!("{row}\n"));
        }
        events.push_str(&format!(
            "{row},{},{},{}\n",
            e.units_text(),
            e.emotion,
            e.amplitude
        ));
    }
    write_text(&clip.truth, &truth)?;
    write_text(&clip.events, &events)?;
    Ok(clip)
}

/// Writes `count` recordings of 20 s with random events, `index.csv`
/// (`subject,recording,path,fps`) and `labels.csv`
/// (`recording,kind,onset,apex,offset,emotion,aus`) into `dir`. The same seed gives
/// the same files. `progress` is told after each recording how many are done.
///
/// # Errors
/// When the folder or a file cannot be written or FFmpeg has no encoder.
pub fn write_recordings(
    dir: &Path,
    seed: u64,
    count: u32,
    mut progress: impl FnMut(u32),
) -> Result<(), MediaError> {
    fs::create_dir_all(dir).map_err(|e| refused(dir, &e.to_string()))?;
    let mut index = String::from("subject,recording,path,fps\n");
    let mut labels = String::from("recording,kind,onset,apex,offset,emotion,aus\n");
    for number in 0..count {
        let spec = random_spec(seed, number);
        let file = format!("{}.mp4", spec.name);
        write_video(&spec, &dir.join(&file), VideoQuality::default())?;
        index.push_str(&format!(
            "s{:03},{},{file},{}\n",
            number + 1,
            spec.name,
            spec.frames_per_second
        ));
        for e in spec
            .events
            .iter()
            .filter(|e| e.kind != ExpressionKind::Blink)
        {
            labels.push_str(&format!(
                "{},{},{},{},{},{},{}\n",
                spec.name,
                e.kind.name(),
                e.onset,
                e.apex,
                e.offset,
                e.emotion,
                e.units_text()
            ));
        }
        progress(number + 1);
    }
    write_text(&dir.join("index.csv"), &index)?;
    write_text(&dir.join("labels.csv"), &labels)
}

/// Action units that show an emotion together, with its name.
const EMOTIONS: [(&[u8], &str); 12] = [
    (&[12], "happiness"),
    (&[6, 12], "happiness"),
    (&[12, 25], "happiness"),
    (&[4], "anger"),
    (&[4, 7], "anger"),
    (&[9], "disgust"),
    (&[10], "disgust"),
    (&[15], "sadness"),
    (&[15, 17], "sadness"),
    (&[14], "contempt"),
    (&[1, 2], "surprise"),
    (&[1, 2, 25], "surprise"),
];

/// A recording whose events follow from the seed: one every 3 to 5 seconds, macro and
/// micro by turns chosen at random, a blink now and then.
fn random_spec(seed: u64, number: u32) -> SyntheticSpec {
    let recording_seed = scramble(seed ^ scramble(u64::from(number)));
    let mut draws = 0_u64;
    // A whole number below `below`.
    let mut draw = |below: u64| {
        draws += 1;
        scramble(recording_seed ^ draws) % below
    };
    let frames = 600;
    let mut events = Vec::new();
    let mut onset = 45 + draw(30);
    while onset + 60 < frames {
        let (kind, length) = match draw(5) {
            0 => (ExpressionKind::Blink, 8 + draw(4)),
            1 | 2 => (ExpressionKind::Macro, 22 + draw(26)),
            _ => (ExpressionKind::Micro, 8 + draw(7)),
        };
        let rise = (length * (3 + draw(2))) / 8;
        let (units, emotion): (&[u8], &str) = match kind {
            ExpressionKind::Blink => (&[], ""),
            _ => EMOTIONS[draw(EMOTIONS.len() as u64) as usize],
        };
        let percent = match kind {
            ExpressionKind::Blink => 100,
            ExpressionKind::Macro => 50 + draw(46),
            ExpressionKind::Micro => 14 + draw(14),
        };
        events.push(ExpressionEvent {
            kind,
            units: units.to_vec(),
            side: match draw(8) {
                0 => FaceSide::ImageLeft,
                1 => FaceSide::ImageRight,
                _ => FaceSide::Both,
            },
            onset,
            apex: onset + rise.max(2),
            offset: onset + length,
            amplitude: percent as f32 * 0.01,
            emotion: emotion.to_owned(),
        });
        onset += length + 75 + draw(60);
    }
    SyntheticSpec {
        name: format!("drawn{:03}", number + 1),
        width: 640,
        height: 480,
        frames_per_second: 30,
        frames,
        seed: recording_seed,
        events,
        noise: 1.0,
        sway_px: 0.5,
    }
}

fn write_video(spec: &SyntheticSpec, path: &Path, quality: VideoQuality) -> Result<(), MediaError> {
    let mut source =
        SyntheticSource::new(spec.clone()).map_err(|e| refused(path, &e.to_string()))?;
    let fps = f64::from(spec.frames_per_second);
    let mut writer = VideoWriter::create(path, spec.width, spec.height, fps, quality)?;
    while let Some(frame) = source.next_frame()? {
        writer.push(&frame.picture, frame.timestamp)?;
    }
    writer.finish()
}

/// Written beside and renamed, so a killed run leaves no half file.
fn write_text(path: &Path, text: &str) -> Result<(), MediaError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| refused(path, &e.to_string()))
}

fn refused(path: &Path, reason: &str) -> MediaError {
    MediaError::Write {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    }
}
