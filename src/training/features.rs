//! What training for spotting reads of a recording: the motion of every flow window,
//! measured by the same pipeline that analyses, kept on disk by the content's hash.

mod file;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use half::f16;
use sha2::{Digest, Sha256};

use crate::base::Plane;
use crate::media::{self, InputSpec, MediaError};
use crate::motion::grid::{CELL_VALUES, CELLS, FlowGrid};
use crate::motion::lucas_kanade::{CELL_FLOW_VALUES, CellFlow};
use crate::motion::pipeline::WindowMotion;
use crate::motion::roi::INPUT_SIDE;
use crate::project::Batch;
use crate::project::output::OutputError;
use crate::session::params::{RecognitionChoice, WindowSecs};
use crate::session::pipeline::Pipeline;
use crate::session::{Params, Resources, SessionError};
use crate::spotting::{ExpressionKind, ScoreSample};
use crate::timeline::Event;

/// Changes whenever the pipeline measures otherwise: older files are made anew.
const VERSION: u32 = 2;
/// Values of one window's grid.
pub const GRID_VALUES: usize = CELLS * CELL_VALUES;
/// Values of one window's cells by least squares.
pub const CELLS_VALUES: usize = CELLS * CELL_FLOW_VALUES;
/// Values of one window's SOFTNet input.
pub const INPUT_VALUES: usize = 3 * INPUT_SIDE * INPUT_SIDE;

#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("Cannot read the recording: {reason}. Check the name and its permissions: {}", path.display())]
    Recording { path: PathBuf, reason: io::Error },
    #[error("The kept features are damaged ({reason}). Delete the file, it is made again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
}

/// The windows of one kind, by the order in which they closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Windows {
    /// With the control signal as the score.
    pub samples: Vec<ScoreSample>,
    /// Whether a window could be measured; the arrays below are zero where not.
    pub measured: Vec<bool>,
    /// [`FlowGrid`] by [`FlowGrid::values`], a window after another.
    grids: Vec<f16>,
    /// [`CellFlow`] by [`CellFlow::values`], likewise.
    cells: Vec<f16>,
    /// How far the face's middle moved, px.
    head: Vec<[f32; 2]>,
    /// u, v and strain of the ROIs, of 0..1 in 65535 steps; empty if not asked for.
    inputs: Vec<u16>,
    ranges: Vec<[[f32; 2]; 3]>,
}

impl Windows {
    #[must_use]
    pub fn grid(&self, window: usize) -> FlowGrid {
        let values = &self.grids[window * GRID_VALUES..(window + 1) * GRID_VALUES];
        let values: Vec<f32> = values.iter().map(|v| v.to_f32()).collect();
        FlowGrid::from_values(&values)
    }

    #[must_use]
    pub fn cells(&self, window: usize) -> CellFlow {
        let values = &self.cells[window * CELLS_VALUES..(window + 1) * CELLS_VALUES];
        let values: Vec<f32> = values.iter().map(|v| v.to_f32()).collect();
        CellFlow::from_values(&values)
    }

    /// SOFTNet's input before scaling: |u| and |v| in px, strain; `[3, 42, 42]`.
    /// `None` for a window that was not measured, or without inputs.
    #[must_use]
    pub fn input(&self, window: usize) -> Option<Vec<f32>> {
        if !self.has_input(window) {
            return None;
        }
        let values = &self.inputs[window * INPUT_VALUES..(window + 1) * INPUT_VALUES];
        let planes = values.chunks_exact(INPUT_SIDE * INPUT_SIDE);
        let restored = planes.zip(&self.ranges[window]).flat_map(|(plane, range)| {
            let [low, high] = *range;
            plane
                .iter()
                .map(move |&v| low + (high - low) * f32::from(v) / 65535.0)
        });
        Some(restored.collect())
    }

    /// Whether [`Self::input`] has something to give.
    #[must_use]
    pub fn has_input(&self, window: usize) -> bool {
        self.measured[window] && !self.inputs.is_empty()
    }

    /// The same scaled to 0..1, as the network takes it.
    #[must_use]
    pub fn scaled_input(&self, window: usize) -> Option<[Plane; 3]> {
        if !self.has_input(window) {
            return None;
        }
        let values = &self.inputs[window * INPUT_VALUES..(window + 1) * INPUT_VALUES];
        Some(std::array::from_fn(|channel| {
            let plane = &values[channel * INPUT_SIDE * INPUT_SIDE..][..INPUT_SIDE * INPUT_SIDE];
            let data = plane.iter().map(|&v| f32::from(v) / 65535.0).collect();
            Plane::from_vec(INPUT_SIDE, INPUT_SIDE, data)
        }))
    }

    /// Adds a window that closed later than all others; `None` where it could not be
    /// measured.
    pub fn push(&mut self, sample: &ScoreSample, motion: Option<&WindowMotion>) {
        self.samples.push(sample.clone());
        self.measured.push(motion.is_some());
        self.head.push(motion.map_or([0.0; 2], |m| m.head_px));
        let planes = motion.and_then(|m| m.input.planes());
        match motion {
            Some(m) => {
                let values = m.grid.values().iter().map(|&v| f16::from_f32(v));
                self.grids.extend(values);
            }
            None => self
                .grids
                .resize(self.grids.len() + GRID_VALUES, f16::default()),
        }
        match motion.and_then(|m| m.cells.as_ref()) {
            Some(cells) => {
                let values = cells.values().iter().map(|&v| f16::from_f32(v));
                self.cells.extend(values);
            }
            None => self
                .cells
                .resize(self.cells.len() + CELLS_VALUES, f16::default()),
        }
        match planes {
            Some(planes) => {
                let values = planes.iter().flat_map(|p| &p.data);
                self.inputs
                    .extend(values.map(|v| (v.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16));
            }
            None => self.inputs.resize(self.inputs.len() + INPUT_VALUES, 0),
        }
        let ranges = motion.and_then(|m| m.input_ranges);
        self.ranges.push(ranges.unwrap_or_default());
    }
}

/// Everything of one recording that training reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// When each decoded frame was seen, seconds.
    pub frame_secs: Vec<f64>,
    pub macros: Windows,
    pub micros: Windows,
}

/// Which parts of kept features are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Scores, masks and grids.
    Grids,
    /// And SOFTNet's inputs, five times as much.
    All,
}

impl Features {
    #[must_use]
    pub fn windows(&self, kind: ExpressionKind) -> &Windows {
        match kind {
            ExpressionKind::Macro => &self.macros,
            ExpressionKind::Micro => &self.micros,
        }
    }

    /// Measures a recording.
    ///
    /// # Errors
    /// When it cannot be opened or decoded, or a device fails.
    pub fn measure(
        spec: &InputSpec,
        params: &Params,
        resources: &Resources,
    ) -> Result<Self, FeatureError> {
        let mut source = media::open(spec)?;
        let taken = Arc::new(Mutex::new(Self::default()));
        let into = Arc::clone(&taken);
        let tap = move |sample: &ScoreSample, motion: Option<&WindowMotion>| {
            let mut features = into.lock().unwrap_or_else(PoisonError::into_inner);
            match sample.kind {
                ExpressionKind::Macro => features.macros.push(sample, motion),
                ExpressionKind::Micro => features.micros.push(sample, motion),
            }
        };
        let params = &Params {
            recognition: RecognitionChoice::Off,
            ..params.clone()
        };
        let mut pipeline = Pipeline::new(params, resources)?.with_tap(Box::new(tap));
        let mut frame_secs = Vec::new();
        let mut keep = |events: Vec<Event>| {
            frame_secs.extend(events.iter().filter_map(|e| match e {
                Event::Frame(record) => Some(record.timestamp.secs()),
                _ => None,
            }));
        };
        while let Some(frame) = source.next_frame()? {
            keep(pipeline.push(&frame)?);
        }
        keep(pipeline.finish());
        drop(pipeline);
        let mut features =
            std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
        features.frame_secs = frame_secs;
        Ok(features)
    }

    /// What is kept of the recording in `folder` under its [`key`], measured first if
    /// need be.
    ///
    /// # Errors
    /// As [`Self::measure`], and when the folder cannot be written.
    pub fn kept_or_measured(
        folder: &Path,
        key: &str,
        spec: &InputSpec,
        params: &Params,
        resources: &Resources,
        parts: Parts,
    ) -> Result<Self, FeatureError> {
        let path = folder.join(format!("{key}.features"));
        if path.exists() {
            return Self::load(&path, parts);
        }
        let features = Self::measure(spec, params, resources)?;
        features.save(&path)?;
        Ok(features)
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), FeatureError> {
        let bytes = file::to_bytes(self).map_err(|e| damaged(path, &e))?;
        let mut batch = Batch::default();
        batch.add(path, &bytes)?;
        batch.commit()?;
        Ok(())
    }

    /// # Errors
    /// When the file cannot be read or is not what [`Self::save`] writes.
    pub fn load(path: &Path, parts: Parts) -> Result<Self, FeatureError> {
        let bytes = fs::read(path).map_err(|reason| FeatureError::Recording {
            path: path.to_owned(),
            reason,
        })?;
        file::from_bytes(&bytes, parts).map_err(|e| damaged(path, &e))
    }
}

/// SHA-256 of what the features depend on: every byte of the recording, and how they
/// are made.
///
/// # Errors
/// When the recording cannot be read.
pub fn key(
    spec: &InputSpec,
    params: &Params,
    resources: &Resources,
) -> Result<String, FeatureError> {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_le_bytes());
    hash.update(format!(
        "{:?} {} {:?} {}",
        params.flow,
        params.stride,
        spec.fps,
        resources.landmarks.name()
    ));
    if params.windows != WindowSecs::default() {
        hash.update(format!("{:?}", params.windows));
    }
    let media::InputPlace::Path(path) = &spec.place else {
        return Err(FeatureError::Recording {
            path: PathBuf::from(spec.to_string()),
            reason: io::Error::other("a camera cannot be read twice"),
        });
    };
    hash_contents(path, &mut hash).map_err(|reason| FeatureError::Recording {
        path: path.clone(),
        reason,
    })?;
    Ok(format!("{:x}", hash.finalize()))
}

fn hash_contents(path: &Path, hash: &mut Sha256) -> io::Result<()> {
    if path.is_dir() {
        let mut inside: Vec<PathBuf> = fs::read_dir(path)?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<io::Result<_>>()?;
        inside.sort();
        for file in inside.iter().filter(|p| p.is_file()) {
            hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            hash_contents(file, hash)?;
        }
        return Ok(());
    }
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => hash.update(&buffer[..n]),
        }
    }
}

fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> FeatureError {
    FeatureError::Damaged {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
