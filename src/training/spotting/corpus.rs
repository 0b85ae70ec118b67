//! Labelled recordings with their features, ready to train on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::super::features::{FeatureError, Features, Parts, Windows};
use crate::media::InputSpec;
use crate::model::motion_sequence::{MotionSequence, Moving};
use crate::session::{Params, Resources};
use crate::spotting::ExpressionKind;

/// An expression as the labels have it. Frames from 0, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledExpression {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
}

/// A recording and what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledRecording {
    pub subject: String,
    pub name: String,
    pub spec: InputSpec,
    pub events: Vec<LabelledExpression>,
}

/// A recording with what was measured of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub recording: LabelledRecording,
    pub features: Features,
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
            let spec = &recording.spec;
            let features = Features::kept_or_measured(folder, spec, params, resources, parts)?;
            done(count.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(Example {
                recording: recording.clone(),
                features,
            })
        })
        .collect()
}

impl Example {
    /// The whole recording as a temporal network reads it.
    #[must_use]
    pub fn sequence(&self) -> MotionSequence {
        let last = self.features.frame_secs.last().copied().unwrap_or(0.0);
        MotionSequence::new(
            &moving(&self.features.macros),
            &moving(&self.features.micros),
            0.0,
            last,
        )
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
        })
        .collect();
    moving.sort_by(|a, b| a.secs.total_cmp(&b.secs));
    moving
}

/// Reads `index.csv` and `labels.csv` of a folder of recordings.
///
/// # Errors
/// When a file or a column is missing, or a row cannot be read.
pub fn read_folder(folder: &Path) -> anyhow::Result<Vec<LabelledRecording>> {
    use anyhow::Context as _;
    let open = |name: &str| {
        let path = folder.join(name);
        csv::Reader::from_path(&path).with_context(|| {
            format!(
                "Cannot read the labels. A folder of recordings has index.csv and labels.csv: {}",
                path.display()
            )
        })
    };
    let mut recordings = Vec::new();
    for row in open("index.csv")?.deserialize() {
        let (subject, name, path, _fps): (String, String, PathBuf, f64) = row?;
        recordings.push(LabelledRecording {
            subject,
            name,
            spec: InputSpec::path(folder.join(path)),
            events: Vec::new(),
        });
    }
    for row in open("labels.csv")?.deserialize() {
        let (name, kind, onset, apex, offset, _emotion, _aus): (
            String,
            ExpressionKind,
            u64,
            u64,
            u64,
            String,
            String,
        ) = row?;
        let of = recordings.iter_mut().find(|r| r.name == name);
        let of = of.with_context(|| format!("labels.csv names {name}, index.csv does not"))?;
        of.events.push(LabelledExpression {
            kind,
            onset,
            apex,
            offset,
        });
    }
    Ok(recordings)
}
