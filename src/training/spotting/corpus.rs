//! Labelled recordings with their features, ready to train on.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::super::features::{self, FeatureError, Features, Parts, Windows};
use crate::dataset::{LabelledRecording, splits};
use crate::model::motion_sequence::{MotionSequence, Moving};
use crate::nn::inventory::hexadecimal;
use crate::session::params::WindowSecs;
use crate::session::{Params, Resources};
use crate::spotting::{ExpressionKind, ScoreSample};

/// A recording with what was measured of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub recording: LabelledRecording,
    pub features: Features,
    /// [`features::key`].
    pub key: String,
}

/// Measures all recordings, or reads what is kept of them in `folder`, several at a
/// time; `done` is told how many are ready.
///
/// # Errors
/// The first recording that cannot be read.
pub fn examples(
    recordings: &[LabelledRecording],
    folder: &Path,
    params: &Params,
    resources: &Resources,
    parts: Parts,
    done: impl Fn(usize) + Sync,
) -> Result<Vec<Example>, FeatureError> {
    let count = AtomicUsize::new(0);
    (recordings.par_iter().with_max_len(1))
        .map(|recording| {
            let spec = recording.input();
            let key = features::key(&spec, params, resources)?;
            let features =
                Features::kept_or_measured(folder, &key, &spec, params, resources, parts)?;
            done(count.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(Example {
                recording: recording.clone(),
                features,
                key,
            })
        })
        .collect()
}

/// The [`features::key`] of each recording, several at a time.
///
/// # Errors
/// The first recording that cannot be read.
pub fn keys(
    recordings: &[LabelledRecording],
    params: &Params,
    resources: &Resources,
) -> Result<Vec<String>, FeatureError> {
    (recordings.par_iter().with_max_len(1))
        .map(|recording| features::key(&recording.input(), params, resources))
        .collect()
}

/// SHA-256 of everything that a training on these recordings depends on: their
/// subjects, names and labels, and the key of what is measured of each.
#[must_use]
pub fn fingerprint<'a>(
    recordings: impl IntoIterator<Item = (&'a LabelledRecording, &'a str)>,
) -> String {
    let mut hash = Sha256::new();
    for (recording, key) in recordings {
        for text in [
            recording.subject.as_str(),
            recording.recording.as_str(),
            key,
        ] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.update(recording.events.len().to_le_bytes());
        for event in &recording.events {
            hash.update(event.kind.name());
            for frame in [Some(event.onset), event.apex, Some(event.offset)] {
                hash.update([u8::from(frame.is_some())]);
                hash.update(frame.unwrap_or(0).to_le_bytes());
            }
        }
    }
    hexadecimal(&hash.finalize())
}

/// Whom a training learns from, and on whom it does not learn but fits thresholds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parted<'a> {
    pub learnt: Vec<&'a Example>,
    pub held_out: Vec<&'a Example>,
}

impl<'a> Parted<'a> {
    /// Every sixth subject's recordings held out, the last of each six in the order of
    /// their names, or the last subject where there are fewer than six.
    #[must_use]
    pub fn by_subjects(examples: &[&'a Example]) -> Self {
        let subjects: Vec<&str> = (examples.iter())
            .map(|e| e.recording.subject.as_str())
            .collect();
        let apart = splits::held_out(&subjects);
        let (mut learnt, mut held_out) = (Vec::new(), Vec::new());
        for (example, apart) in examples.iter().copied().zip(apart) {
            if apart {
                held_out.push(example);
            } else {
                learnt.push(example);
            }
        }
        Self { learnt, held_out }
    }
}

/// Which of these recordings have an expression of the kind.
#[must_use]
pub fn showing<'a>(examples: &[&'a Example], kind: ExpressionKind) -> Vec<&'a Example> {
    let shows = |e: &&Example| e.recording.events.iter().any(|event| event.kind == kind);
    examples.iter().copied().filter(shows).collect()
}

/// How long the published program makes the windows of these recordings: for each kind
/// k = ⌊(N + 1) / 2⌋ frames, N the mean of offset − onset over *all* labels, those of
/// subjects that are tested later too (S4 as coded). Where recordings have different
/// rates, N counts in frames of the first one's. A kind without labels keeps Onset's own
/// length.
#[must_use]
pub fn published_windows(recordings: &[LabelledRecording]) -> WindowSecs {
    let own = WindowSecs::default();
    let Some(fps) = recordings.first().map(|r| r.fps) else {
        return own;
    };
    let of = |kind| {
        let events = recordings.iter().flat_map(|r| {
            let mine = r.events.iter().filter(move |e| e.kind == kind);
            mine.map(|e| e.duration() as f64 * (fps / r.fps))
        });
        let (count, sum) = events.fold((0_u64, 0.0), |(n, sum), frames| (n + 1, sum + frames));
        if count == 0 {
            return own.of(kind);
        }
        ((sum / count as f64 + 1.0) / 2.0).floor().max(1.0) / fps
    };
    WindowSecs {
        macro_secs: of(ExpressionKind::Macro),
        micro_secs: of(ExpressionKind::Micro),
    }
}

impl Example {
    /// The whole recording as a temporal network reads it.
    #[must_use]
    pub fn sequence(&self) -> MotionSequence {
        let windows = [&self.features.macros, &self.features.micros];
        let samples = windows.into_iter().flat_map(|w| &w.samples);
        let last = samples.map(ScoreSample::centre_secs).fold(0.0, f64::max);
        MotionSequence::new(
            &moving(&self.features.macros),
            &moving(&self.features.micros),
            0.0,
            last,
        )
    }

    /// How long the recording is.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.features.frame_secs.last().copied().unwrap_or(0.0)
    }

    /// When a labelled frame was seen; the last frame where the labels go on behind it.
    #[must_use]
    pub fn secs_of(&self, frame: u64) -> f64 {
        let times = &self.features.frame_secs;
        let at = usize::try_from(frame).unwrap_or(usize::MAX);
        times.get(at).or(times.last()).copied().unwrap_or(0.0)
    }
}

fn moving(windows: &Windows) -> Vec<Moving> {
    let mut moving: Vec<Moving> = (windows.samples.iter().enumerate())
        .filter(|(at, _)| windows.measured[*at])
        .map(|(at, sample)| Moving {
            secs: sample.centre_secs(),
            face: windows.grid(at).without_head(),
            cells: windows.cells(at),
        })
        .collect();
    moving.sort_by(|a, b| a.secs.total_cmp(&b.secs));
    moving
}
