//! The bundled clip as files.

use std::fs;
use std::path::{Path, PathBuf};

use super::anatomy::FaceSide;
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
