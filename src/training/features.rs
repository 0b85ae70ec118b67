//! What training for spotting reads of a recording: the motion of every flow window,
//! measured by the same pipeline that analyses, kept on disk by the content's hash.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use half::f16;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View};
use sha2::{Digest, Sha256};

use crate::base::{Plane, Timestamp};
use crate::media::{self, InputSpec, MediaError};
use crate::motion::grid::{CELL_VALUES, CELLS, FlowGrid};
use crate::motion::lucas_kanade::{CELL_FLOW_VALUES, CellFlow};
use crate::motion::pipeline::WindowMotion;
use crate::motion::roi::INPUT_SIDE;
use crate::project::Batch;
use crate::project::output::OutputError;
use crate::session::pipeline::Pipeline;
use crate::session::{Params, Resources, SessionError};
use crate::spotting::{ExpressionKind, MaskReason, RegionMotion, ScoreSample};
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
        if !self.measured[window] || self.inputs.is_empty() {
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

    /// The same scaled to 0..1, as the network takes it.
    #[must_use]
    pub fn scaled_input(&self, window: usize) -> Option<[Plane; 3]> {
        if !self.measured[window] || self.inputs.is_empty() {
            return None;
        }
        let values = &self.inputs[window * INPUT_VALUES..(window + 1) * INPUT_VALUES];
        Some(std::array::from_fn(|channel| {
            let plane = &values[channel * INPUT_SIDE * INPUT_SIDE..][..INPUT_SIDE * INPUT_SIDE];
            let data = plane.iter().map(|&v| f32::from(v) / 65535.0).collect();
            Plane::from_vec(INPUT_SIDE, INPUT_SIDE, data)
        }))
    }

    fn push(&mut self, sample: &ScoreSample, motion: Option<&WindowMotion>) {
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

    /// What is kept of the recording in `folder`, measured first if need be.
    ///
    /// # Errors
    /// As [`Self::measure`], and when the folder cannot be written.
    pub fn kept_or_measured(
        folder: &Path,
        spec: &InputSpec,
        params: &Params,
        resources: &Resources,
        parts: Parts,
    ) -> Result<Self, FeatureError> {
        let path = folder.join(format!("{}.features", key(spec, params, resources)?));
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
        let mut arrays = vec![Array::of(
            "frame_secs",
            Dtype::F64,
            vec![self.frame_secs.len()],
            bytes(&self.frame_secs, |v| v.to_le_bytes()),
        )];
        for (kind, windows) in [("macro", &self.macros), ("micro", &self.micros)] {
            arrays.extend(arrays_of(kind, windows));
        }
        let named = arrays.into_iter().map(|a| (a.name.clone(), a));
        let bytes = safetensors::serialize(named, None).map_err(|e| damaged(path, &e))?;
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
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, &e))?;
        let windows =
            |kind: ExpressionKind| read_windows(&file, kind, parts).map_err(|e| damaged(path, &e));
        let frame_secs = array(&file, "frame_secs").map_err(|e| damaged(path, &e))?;
        Ok(Self {
            frame_secs: numbers(frame_secs, f64::from_le_bytes),
            macros: windows(ExpressionKind::Macro)?,
            micros: windows(ExpressionKind::Micro)?,
        })
    }
}

/// What the features depend on: every byte of the recording, and how they are made.
fn key(spec: &InputSpec, params: &Params, resources: &Resources) -> Result<String, FeatureError> {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_le_bytes());
    hash.update(format!(
        "{:?} {} {:?} {}",
        params.flow,
        params.stride,
        spec.fps,
        resources.landmarks.name()
    ));
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

/// One array on its way to a file.
struct Array {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Array {
    fn of(name: &str, dtype: Dtype, shape: Vec<usize>, data: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            dtype,
            shape,
            data,
        }
    }
}

impl View for Array {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }
    fn data_len(&self) -> usize {
        self.data.len()
    }
}

fn bytes<T: Copy, const N: usize>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&v| to(v)).collect()
}

fn numbers<T, const N: usize>(data: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|&b| from(b)).collect()
}

fn array<'a>(file: &'a SafeTensors<'_>, name: &str) -> Result<&'a [u8], SafeTensorError> {
    Ok(file.tensor(name)?.data())
}

const MASKS: [MaskReason; 4] = [
    MaskReason::Blink,
    MaskReason::HeadMotion,
    MaskReason::FaceLost,
    MaskReason::Gap,
];

/// Per window as 64-bit floats: first and last frame, their times, control signal,
/// mask (0 none, else its place among [`MASKS`] from 1), whether it was measured, and
/// the head's motion.
const FACTS: usize = 9;

fn arrays_of(kind: &str, windows: &Windows) -> Vec<Array> {
    let n = windows.samples.len();
    let mut facts: Vec<f64> = Vec::with_capacity(n * FACTS);
    let mut motion: Vec<f32> = Vec::with_capacity(n * 12);
    for ((sample, &measured), head) in (windows.samples.iter())
        .zip(&windows.measured)
        .zip(&windows.head)
    {
        let mask = sample
            .masked
            .and_then(|m| MASKS.iter().position(|&k| k == m));
        facts.extend([
            sample.window_start_frame as f64,
            sample.window_end_frame as f64,
            sample.start.secs(),
            sample.end.secs(),
            sample.strain,
            mask.map_or(0.0, |at| at as f64 + 1.0),
            f64::from(u8::from(measured)),
            f64::from(head[0]),
            f64::from(head[1]),
        ]);
        motion.extend(sample.motion.map_or([0.0; 12], |m| m.0));
    }
    let ranges = windows.ranges.as_flattened().as_flattened();
    let named = |what: &str| format!("{kind}.{what}");
    vec![
        Array::of(
            &named("facts"),
            Dtype::F64,
            vec![n, FACTS],
            bytes(&facts, f64::to_le_bytes),
        ),
        Array::of(
            &named("motion"),
            Dtype::F32,
            vec![n, 12],
            bytes(&motion, f32::to_le_bytes),
        ),
        Array::of(
            &named("grid"),
            Dtype::F16,
            vec![n, GRID_VALUES],
            bytes(&windows.grids, f16::to_le_bytes),
        ),
        Array::of(
            &named("cells"),
            Dtype::F16,
            vec![n, CELLS_VALUES],
            bytes(&windows.cells, f16::to_le_bytes),
        ),
        Array::of(
            &named("range"),
            Dtype::F32,
            vec![n, 3, 2],
            bytes(ranges, f32::to_le_bytes),
        ),
        Array::of(
            &named("input"),
            Dtype::U16,
            vec![n, 3, INPUT_SIDE, INPUT_SIDE],
            bytes(&windows.inputs, u16::to_le_bytes),
        ),
    ]
}

fn read_windows(
    file: &SafeTensors<'_>,
    kind: ExpressionKind,
    parts: Parts,
) -> Result<Windows, SafeTensorError> {
    let read = |what: &str| array(file, &format!("{}.{what}", kind.name()));
    let facts = numbers(read("facts")?, f64::from_le_bytes);
    let motion = numbers(read("motion")?, f32::from_le_bytes);
    let (facts, _) = facts.as_chunks::<FACTS>();
    let (motion, _) = motion.as_chunks::<12>();
    let mut windows = Windows {
        grids: numbers(read("grid")?, f16::from_le_bytes),
        cells: numbers(read("cells")?, f16::from_le_bytes),
        ..Windows::default()
    };
    let n = facts.len();
    let whole = windows.grids.len() == n * GRID_VALUES && windows.cells.len() == n * CELLS_VALUES;
    if motion.len() != n || !whole {
        return Err(SafeTensorError::TensorInvalidInfo);
    }
    for (&[first, last, start, end, strain, mask, measured, u, v], motion) in
        facts.iter().zip(motion)
    {
        let measured = measured > 0.5;
        windows.measured.push(measured);
        windows.head.push([u as f32, v as f32]);
        windows.samples.push(ScoreSample {
            kind,
            window_start_frame: first as u64,
            window_end_frame: last as u64,
            start: Timestamp::from_secs(start),
            end: Timestamp::from_secs(end),
            score: if measured { strain } else { 0.0 },
            strain,
            apex: None,
            masked: (mask as usize)
                .checked_sub(1)
                .and_then(|at| MASKS.get(at))
                .copied(),
            motion: measured.then_some(RegionMotion(*motion)),
        });
    }
    if parts == Parts::All {
        windows.inputs = numbers(read("input")?, u16::from_le_bytes);
        let ranges = numbers(read("range")?, f32::from_le_bytes);
        let pairs = ranges.as_chunks::<2>().0.as_chunks::<3>().0;
        windows.ranges = pairs.to_vec();
        let n = facts.len();
        if windows.inputs.len() != n * INPUT_VALUES || windows.ranges.len() != n {
            return Err(SafeTensorError::TensorInvalidInfo);
        }
    }
    Ok(windows)
}

fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> FeatureError {
    FeatureError::Damaged {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
