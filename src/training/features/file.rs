//! Features as a file: safetensors, an array for each part of each kind.

use std::borrow::Cow;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View};

use super::{CELLS_VALUES, Features, GRID_VALUES, INPUT_SIDE, INPUT_VALUES, Parts, Windows};
use crate::base::Timestamp;
use crate::spotting::{ExpressionKind, MaskReason, RegionMotion, ScoreSample};

pub(super) fn to_bytes(features: &Features) -> Result<Vec<u8>, SafeTensorError> {
    let secs = &features.frame_secs;
    let mut arrays = vec![Array::of(
        "frame_secs",
        Dtype::F64,
        vec![secs.len()],
        bytes(secs, |v| v.to_le_bytes()),
    )];
    for (kind, windows) in [("macro", &features.macros), ("micro", &features.micros)] {
        arrays.extend(arrays_of(kind, windows));
    }
    let named = arrays.into_iter().map(|a| (a.name.clone(), a));
    safetensors::serialize(named, None)
}

pub(super) fn from_bytes(bytes: &[u8], parts: Parts) -> Result<Features, SafeTensorError> {
    let file = SafeTensors::deserialize(bytes)?;
    Ok(Features {
        frame_secs: numbers(array(&file, "frame_secs")?, f64::from_le_bytes),
        macros: read_windows(&file, ExpressionKind::Macro, parts)?,
        micros: read_windows(&file, ExpressionKind::Micro, parts)?,
    })
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
