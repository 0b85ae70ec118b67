//! The motion of a face as a temporal network reads it: thirty steps a second, whatever
//! the recording's rate, each with the flow of the short and of the long window around it.

use crate::motion::grid::{CELLS, FaceGrid, HEAD_VALUES};
use crate::motion::lucas_kanade::CellFlow;

/// Steps a second.
pub const STEPS_PER_SEC: f64 = 30.0;
const KINDS: usize = 2;
/// What a plane of a window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// To the right and down, px, relative to the head, by TV-L1.
    U,
    V,
    Strain,
    /// The same motion by least squares, and how certain it is (0..1).
    CellU,
    CellV,
    Certainty,
}
/// The planes of one window in their order.
pub const OF_WINDOW: [Shown; 6] = [
    Shown::U,
    Shown::V,
    Shown::Strain,
    Shown::CellU,
    Shown::CellV,
    Shown::Certainty,
];
/// Those of the macro-window, then those of the micro-window.
pub const PLANES: usize = KINDS * OF_WINDOW.len();
/// The head's motion over both windows, and whether each window is known.
pub const SCALARS: usize = KINDS * (HEAD_VALUES + 1);
/// Values of a step: planes cell by cell, then scalars.
pub const STEP_VALUES: usize = PLANES * CELLS + SCALARS;

/// Two windows this far apart have nothing between them.
const REACH_SECS: f64 = 0.1;
/// A window this near stands for a step alone.
const NEAR_SECS: f64 = 0.035;

/// Flow (px) and strain of this size are neither small nor large: values are brought to
/// a scale on which a tenth of it and ten times it can both be told apart.
const FLOW_UNIT_PX: f32 = 0.25;
const CELL_FLOW_UNIT_PX: f32 = 0.1;
const STRAIN_UNIT: f32 = 0.02;
const HEAD_UNIT_PX: f32 = 0.5;

/// One window as the sequence needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    /// Middle of the window, seconds.
    pub secs: f64,
    pub face: FaceGrid,
    pub cells: CellFlow,
}

/// Steps of a stretch of time, one after another; linear values, see [`compress`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MotionSequence {
    /// When the first step is, seconds.
    pub first_secs: f64,
    values: Vec<f32>,
}

impl MotionSequence {
    /// Steps from `first_secs` to `last_secs`, from windows in the order of their
    /// middles. Where a kind has no window around a step its values are zero.
    #[must_use]
    pub fn new(macros: &[Moving], micros: &[Moving], first_secs: f64, last_secs: f64) -> Self {
        let count = ((last_secs - first_secs) * STEPS_PER_SEC).floor().max(0.0) as usize + 1;
        let mut values = vec![0.0; count * STEP_VALUES];
        for (n, step) in values.chunks_exact_mut(STEP_VALUES).enumerate() {
            fill(step, macros, micros, first_secs + n as f64 / STEPS_PER_SEC);
        }
        Self { first_secs, values }
    }

    #[must_use]
    pub fn steps(&self) -> usize {
        self.values.len() / STEP_VALUES
    }

    /// When a step is, seconds.
    #[must_use]
    pub fn secs(&self, step: usize) -> f64 {
        self.first_secs + step as f64 / STEPS_PER_SEC
    }

    /// Which step a moment is, with its fraction; below 0 before the first.
    #[must_use]
    pub fn step_at(&self, secs: f64) -> f64 {
        (secs - self.first_secs) * STEPS_PER_SEC
    }

    /// [`STEP_VALUES`] a step, in px, strain and 0 or 1.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Writes one step's linear values into zeros, from windows in the order of their
/// middles.
pub fn fill(step: &mut [f32], macros: &[Moving], micros: &[Moving], secs: f64) {
    for (kind, windows) in [macros, micros].into_iter().enumerate() {
        if let Some((before, after, share)) = around(windows, secs) {
            put(step, kind, before, after, share);
        }
    }
}

/// The windows on both sides of a moment and the later one's share.
fn around(windows: &[Moving], at: f64) -> Option<(&Moving, &Moving, f32)> {
    let next = windows.partition_point(|w| w.secs < at);
    let before = next.checked_sub(1).map(|i| &windows[i]);
    let after = windows.get(next);
    if let (Some(a), Some(b)) = (before, after)
        && b.secs - a.secs <= REACH_SECS
    {
        let share = (at - a.secs) / (b.secs - a.secs).max(f64::MIN_POSITIVE);
        return Some((a, b, share as f32));
    }
    let near = [before, after].into_iter().flatten();
    let nearest = near.min_by(|a, b| (a.secs - at).abs().total_cmp(&(b.secs - at).abs()))?;
    ((nearest.secs - at).abs() <= NEAR_SECS).then_some((nearest, nearest, 0.0))
}

fn put(step: &mut [f32], kind: usize, a: &Moving, b: &Moving, share: f32) {
    let mix = |a: f32, b: f32| a + (b - a) * share;
    let (planes, scalars) = step.split_at_mut(PLANES * CELLS);
    let mut put = |first: usize, a: &[[f32; 3]; CELLS], b: &[[f32; 3]; CELLS]| {
        for (cell, (a, b)) in a.iter().zip(b).enumerate() {
            for (plane, (a, b)) in (first..).zip(a.iter().zip(b)) {
                planes[plane * CELLS + cell] = mix(*a, *b);
            }
        }
    };
    put(kind * OF_WINDOW.len(), &a.face.cells, &b.face.cells);
    put(kind * OF_WINDOW.len() + 3, &a.cells.cells, &b.cells.cells);
    let scalars = &mut scalars[kind * (HEAD_VALUES + 1)..][..=HEAD_VALUES];
    for (scalar, (a, b)) in scalars.iter_mut().zip(a.face.head.iter().zip(&b.face.head)) {
        *scalar = mix(*a, *b);
    }
    scalars[HEAD_VALUES] = 1.0;
}

/// What the plane of this number shows.
#[must_use]
pub fn shown(plane: usize) -> Shown {
    OF_WINDOW[plane % OF_WINDOW.len()]
}

/// Brings steps to the scale the network reads, in place.
pub fn compress(values: &mut [f32]) {
    for step in values.chunks_exact_mut(STEP_VALUES) {
        let (planes, scalars) = step.split_at_mut(PLANES * CELLS);
        for (plane, values) in planes.chunks_exact_mut(CELLS).enumerate() {
            let unit = match shown(plane) {
                Shown::U | Shown::V => FLOW_UNIT_PX,
                Shown::Strain => STRAIN_UNIT,
                Shown::CellU | Shown::CellV => CELL_FLOW_UNIT_PX,
                Shown::Certainty => continue,
            };
            for v in values {
                *v = asinh(*v / unit);
            }
        }
        for kind in scalars.chunks_exact_mut(HEAD_VALUES + 1) {
            for v in &mut kind[..HEAD_VALUES] {
                *v = asinh(*v / HEAD_UNIT_PX);
            }
        }
    }
}

/// ln(x + √(x²+1)), odd to the bit.
pub(super) fn asinh(x: f32) -> f32 {
    let a = x.abs();
    (a + (a * a + 1.0).sqrt()).ln().copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(secs: f64, u: f32) -> Moving {
        Moving {
            secs,
            face: FaceGrid {
                cells: Box::new([[u, 0.0, 0.0]; CELLS]),
                head: [u; HEAD_VALUES],
            },
            cells: CellFlow {
                cells: Box::new([[u, 0.0, 0.5]; CELLS]),
            },
        }
    }

    #[test]
    fn steps_lie_between_their_windows_and_gaps_stay_empty() {
        let micros: Vec<Moving> = (0..6)
            .map(|i| window(f64::from(i) * 0.04, i as f32))
            .collect();
        let sequence = MotionSequence::new(&[window(0.0, 3.0)], &micros, 0.0, 0.4);
        assert_eq!(sequence.steps(), 13);
        let step = |n: usize| &sequence.values()[n * STEP_VALUES..(n + 1) * STEP_VALUES];
        // A thirtieth of a second is 0.8333 windows of a twenty-fifth.
        assert!((step(3)[OF_WINDOW.len() * CELLS] - 2.5).abs() < 1e-5);
        assert_eq!(step(0)[0], 3.0);
        let known = |n: usize| {
            let scalars = &step(n)[PLANES * CELLS..];
            (scalars[HEAD_VALUES], scalars[SCALARS - 1])
        };
        assert_eq!(known(0), (1.0, 1.0));
        assert_eq!(known(3), (0.0, 1.0));
        assert_eq!(known(12), (0.0, 0.0));
    }

    #[test]
    fn the_scale_is_odd_and_even_out_of_proportion() {
        let mut values = vec![0.0; STEP_VALUES];
        (values[0], values[1], values[2]) = (0.25, -0.25, 25.0);
        compress(&mut values);
        assert_eq!(values[0], -values[1]);
        assert!((values[0] - 0.8814).abs() < 1e-3 && values[2] < 6.0);
        assert_eq!(values[3], 0.0);
    }
}
