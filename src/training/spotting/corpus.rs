//! Labelled recordings with their features, ready to train on.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::super::features::{FeatureError, Features, Parts, Windows};
use crate::dataset::LabelledRecording;
use crate::model::motion_sequence::{MotionSequence, Moving};
use crate::session::{Params, Resources};
use crate::spotting::ScoreSample;

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
            let spec = recording.input();
            let features = Features::kept_or_measured(folder, &spec, params, resources, parts)?;
            done(count.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(Example {
                recording: recording.clone(),
                features,
            })
        })
        .collect()
}

/// Every sixth subject's recordings apart, the last of each six in the order of their
/// names: learnt from, and not.
#[must_use]
pub fn held_out(examples: Vec<Example>) -> (Vec<Example>, Vec<Example>) {
    let mut subjects: Vec<String> = examples
        .iter()
        .map(|e| e.recording.subject.clone())
        .collect();
    subjects.sort();
    subjects.dedup();
    examples.into_iter().partition(|example| {
        let at = subjects.binary_search(&example.recording.subject);
        at.is_ok_and(|at| at % 6 != 5)
    })
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
