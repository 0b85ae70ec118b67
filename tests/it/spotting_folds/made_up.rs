//! Recordings that nobody filmed, with the motion that would have been measured.

use std::path::PathBuf;

use onset::base::{Plane, Timestamp};
use onset::dataset::{LabelledEvent, LabelledRecording, Place};
use onset::model::softnet::{CHANNELS, SIDE};
use onset::motion::grid::FlowGrid;
use onset::motion::lucas_kanade::CellFlow;
use onset::motion::pipeline::{WindowInput, WindowMotion};
use onset::spotting::{ExpressionKind, RegionMotion, ScoreSample};
use onset::training::features::{CELLS_VALUES, Features, GRID_VALUES, Windows};
use onset::training::spotting::corpus::{self, Example};

pub(super) const FPS: f64 = 30.0;
pub(super) const FRAMES: u64 = 110;

pub(super) fn event(kind: ExpressionKind, onset: u64, offset: u64) -> LabelledEvent {
    LabelledEvent {
        kind,
        onset,
        apex: Some(u64::midpoint(onset, offset)),
        offset,
        aus: None,
        emotion: None,
        place: Place {
            file: PathBuf::from("labels.csv"),
            sheet: None,
            row: None,
        },
        lacks_frames: false,
    }
}

/// What a window would measure whose motion is `moved` (0..1), with a grain of its own.
pub(super) fn motion(moved: f32, grain: u64) -> WindowMotion {
    let value = |channel: usize, at: usize| {
        let (x, y) = (at % SIDE, at / SIDE);
        let noise = ((at as u64 * 7919 + grain * 104_729 + channel as u64) % 97) as f32 / 97.0;
        let wave = if (x / 7 + y / 7 + channel).is_multiple_of(2) {
            moved
        } else {
            0.0
        };
        0.2 * noise + 0.8 * wave
    };
    let plane = |channel| {
        let data = (0..SIDE * SIDE).map(|at| value(channel, at)).collect();
        Plane::from_vec(SIDE, SIDE, data)
    };
    let grid: Vec<f32> = (0..GRID_VALUES)
        .map(|at| match at % 4 {
            3 => 1.0,
            2 => 0.02 * moved,
            _ => moved * ((at / 4 % 5) as f32 - 2.0) * 0.2,
        })
        .collect();
    let cells: Vec<f32> = (0..CELLS_VALUES)
        .map(|at| match at % 3 {
            2 => 0.8,
            _ => moved * ((at / 3 % 7) as f32 - 3.0) * 0.1,
        })
        .collect();
    WindowMotion {
        input: WindowInput::Planes(Box::new(std::array::from_fn(plane))),
        input_ranges: Some([[0.0, 1.0]; CHANNELS]),
        strain: [0.05 * f64::from(moved); 2],
        nose_strain: 0.0,
        strain_as_coded: 0.0,
        head_px: [0.0; 2],
        roi_p95_px: moved,
        regions: [0.1 * moved; 12],
        grid: FlowGrid::from_values(&grid),
        cells: Some(CellFlow::from_values(&cells)),
    }
}

/// Windows of `k` frames in which expressions of the kind move the face.
pub(super) fn windows(
    recording: &LabelledRecording,
    kind: ExpressionKind,
    k: u64,
    seed: u64,
) -> Windows {
    let mut windows = Windows::default();
    for start in 0..FRAMES - k {
        let (from, to) = (start, start + k);
        let inside = (recording.events.iter())
            .filter(|e| e.kind == kind)
            .any(|e| from < e.offset && to > e.onset);
        let moved = if inside { 0.9 } else { 0.1 };
        let at = |frame: u64| Timestamp::from_secs(frame as f64 / FPS);
        let sample = ScoreSample {
            kind,
            window_start_frame: from,
            window_end_frame: to,
            start: at(from),
            end: at(to),
            score: 0.05 * f64::from(moved),
            strain: 0.05 * f64::from(moved),
            apex: None,
            masked: None,
            motion: Some(RegionMotion([0.1 * moved; 12])),
        };
        windows.push(&sample, Some(&motion(moved, seed * 1000 + start)));
    }
    windows
}

pub(super) fn measured(recording: LabelledRecording, seed: u64) -> Example {
    let features = Features {
        frame_secs: (0..FRAMES).map(|f| f as f64 / FPS).collect(),
        macros: windows(&recording, ExpressionKind::Macro, 18, seed),
        micros: windows(&recording, ExpressionKind::Micro, 6, seed),
    };
    Example {
        key: format!("{}-{seed}", recording.recording),
        recording,
        features,
    }
}

/// A recording with one expression of either kind, at places of its own.
pub(super) fn recording(subject: &str, seed: u64) -> LabelledRecording {
    let (first, second) = (12 + 3 * (seed % 4), 75 + 4 * (seed % 3));
    LabelledRecording {
        subject: subject.to_owned(),
        recording: format!("{subject}-{seed}"),
        source: PathBuf::from("none"),
        fps: FPS,
        frames: None,
        events: vec![
            event(ExpressionKind::Macro, first, first + 30),
            event(ExpressionKind::Micro, second, second + 11),
        ],
        distractors: Vec::new(),
    }
}

pub(super) fn people() -> Vec<Example> {
    let subjects = ["s1", "s2", "s10"].into_iter();
    let seeded = subjects.zip(1..);
    seeded
        .map(|(s, seed)| measured(recording(s, seed), seed))
        .collect()
}

pub(super) fn labels(examples: &[Example]) -> Vec<LabelledRecording> {
    examples.iter().map(|e| e.recording.clone()).collect()
}

pub(super) fn fingerprint(examples: &[Example]) -> String {
    corpus::fingerprint(examples.iter().map(|e| (&e.recording, e.key.as_str())))
}
