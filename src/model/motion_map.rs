//! The motion from onset to apex over the whole face, signed and unmasked, as the
//! action-unit network reads it: 28×28 cells in the framing of flow images, but with
//! its size, in thousandths of the distance between the eyes.
//!
//! A flow image ([`super::flow_input`]) forgets how strong a movement is; whether a
//! unit acts at all cannot be told without. |u| and |v| with the eyes masked, SOFTNet's
//! input, forget direction and the lids: no unit is told from them.

use super::flow_framing::{EYE_COLUMNS, EYE_ROW, MIDDLE_COLUMN, MOUTH_ROWS};
use super::flow_input::{PIXELS, SIDE};
use super::flow_reduction::Reduction;
use super::motion_sequence::asinh;
use crate::base::Plane;
use crate::motion::Flow;
use crate::motion::head_motion::{HeadMotion, Moved};

/// u, v and strain.
pub const CHANNELS: usize = 3;
/// Values of one map.
pub const VALUES: usize = CHANNELS * PIXELS;

/// A movement of this length is where the network's scale turns from even to
/// logarithmic: about what noise leaves, in thousandths of the eyes' distance.
const FLOW_UNIT: f32 = 3.0;
/// The same for strain, in thousandths (px per 1000 px).
const STRAIN_UNIT: f32 = 20.0;
/// On a face that is nearly still, places so far off the head's motion count half in
/// it, in thousandths of the eyes' distance.
const LEAST_HALF_WEIGHT: f64 = 1.1;

/// Face units of the plain face: half the eyes' distance and from the eyes to where
/// the lips meet. Rows and columns are not equally long on a face.
const HALF_EYES: f64 = 0.5;
const EYES_TO_MOUTH: f64 = 1.12;

/// u, v (thousandths of the eyes' distance, without the head's motion) and strain (px
/// per 1000 px) of 28×28 cells in rows; zero outside the face.
#[derive(Debug, Clone, PartialEq)]
pub struct MotionMap {
    values: Vec<f32>,
}

impl MotionMap {
    /// From the flow and the magnitude of the strain in one crop of a
    /// [`FlowFraming`](super::flow_framing::FlowFraming), px and px per px, with the
    /// distance between the eyes in px of the crop.
    #[must_use]
    pub fn of(flow: &Flow, strain: &Plane, eyes_px: f64) -> Self {
        let way = Reduction::Area;
        let (u, v) = (way.reduced(&flow.u), way.reduced(&flow.v));
        let strain = way.reduced(strain);
        let [u, v] = without_head([&u, &v], eyes_px, is_face);
        let mut values = u;
        values.extend(v);
        let stretched = |cell: usize| {
            if is_face(cell) {
                1000.0 * strain[cell]
            } else {
                0.0
            }
        };
        values.extend((0..PIXELS).map(stretched));
        Self { values }
    }

    /// From values as [`Self::values`] gives them.
    ///
    /// # Panics
    /// Unless they are 3×28×28.
    #[must_use]
    pub fn from_values(values: Vec<f32>) -> Self {
        assert_eq!(values.len(), VALUES, "a motion map has 3×28×28 values");
        Self { values }
    }

    /// `[3, 28, 28]`: u, v, strain.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// To be changed in place, by augmentation.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The mirrored face's: left and right change places, and u its sign.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut values = Vec::with_capacity(VALUES);
        for (row, cells) in self.values.chunks_exact(SIDE).enumerate() {
            let sign = if row < SIDE { -1.0 } else { 1.0 };
            values.extend(cells.iter().rev().map(|v| sign * v));
        }
        Self { values }
    }

    /// Appends the values on the scale the network reads: even for what is small,
    /// logarithmic for what is large.
    pub fn append_compressed(&self, to: &mut Vec<f32>) {
        for (channel, plane) in self.values.chunks_exact(PIXELS).enumerate() {
            let unit = if channel == 2 { STRAIN_UNIT } else { FLOW_UNIT };
            to.extend(plane.iter().map(|v| asinh(v / unit)));
        }
    }
}

/// u and v of 28×28 cells without the affine motion of the head, in thousandths of the
/// eyes' distance; zero at cells that are not `seen`. From u and v in the px in which
/// the eyes are `eyes_px` apart.
#[must_use]
pub fn without_head(
    [u, v]: [&[f32]; 2],
    eyes_px: f64,
    seen: impl Fn(usize) -> bool,
) -> [Vec<f32>; 2] {
    let thousandths = 1000.0 / eyes_px;
    let seen: Vec<(usize, Moved)> = (0..PIXELS)
        .filter(|&cell| seen(cell))
        .map(|cell| {
            let along = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
            let moved = Moved {
                place: [along(cell % SIDE), along(cell / SIDE)],
                motion: [u[cell], v[cell]].map(|d| f64::from(d) * thousandths),
                weight: 1.0,
            };
            (cell, moved)
        })
        .collect();
    let moved: Vec<Moved> = seen.iter().map(|(_, moved)| *moved).collect();
    let head = HeadMotion::of(&moved, LEAST_HALF_WEIGHT);
    let mut rest = [vec![0.0; PIXELS], vec![0.0; PIXELS]];
    for (cell, moved) in &seen {
        for (rest, value) in rest.iter_mut().zip(head.rest_of(moved)) {
            rest[*cell] = value as f32;
        }
    }
    rest
}

/// Whether a cell shows the face: its middle lies within the oval from the forehead to
/// the chin. Beside the chin is neck and backdrop.
#[must_use]
pub fn is_face(cell: usize) -> bool {
    let column = (cell % SIDE) as f64 + 0.5 - MIDDLE_COLUMN;
    let row = (cell / SIDE) as f64 + 0.5 - EYE_ROW;
    let (x, y) = (
        column * HALF_EYES / EYE_COLUMNS,
        row * EYES_TO_MOUTH / MOUTH_ROWS,
    );
    (x / 1.12).powi(2) + ((y - 0.6) / 1.27).powi(2) <= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A corner of the mouth that goes up by 2 px in a crop of 112×160, on a head that
    /// shifts, turns and comes nearer.
    fn map(head: bool) -> MotionMap {
        let mut flow = Flow::zeros(112, 160);
        for y in 0..160 {
            for x in 0..112 {
                let (dx, dy) = ((x as f32 - 32.0) / 8.0, (y as f32 - 114.0) / 8.0);
                let hill = (-0.5 * (dx * dx + dy * dy)).exp();
                let i = y * 112 + x;
                flow.v.data[i] = -2.0 * hill;
                if head {
                    flow.u.data[i] += 1.5 + 0.01 * x as f32 - 0.004 * y as f32;
                    flow.v.data[i] += -0.7 + 0.004 * x as f32 + 0.01 * y as f32;
                }
            }
        }
        MotionMap::of(&flow, &Plane::zeros(112, 160), 64.0)
    }

    #[test]
    fn the_heads_motion_goes_and_the_mouths_stays() {
        let (still, moved) = (map(false), map(true));
        // 2 px of 64 between the eyes, averaged over cells of 4×5.7 px.
        let least = still.values()[PIXELS..2 * PIXELS]
            .iter()
            .fold(0.0_f32, |l, v| l.min(*v));
        assert!((-31.0..-26.0).contains(&least), "{least}");
        let off = (still.values().iter().zip(moved.values()))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(off < 1.0, "{off}");
    }

    #[test]
    fn the_mirror_twice_is_the_map_and_zero_stays_zero() {
        let map = map(true);
        assert_ne!(map.mirrored(), map);
        assert_eq!(map.mirrored().mirrored(), map);
        let mut compressed = Vec::new();
        map.append_compressed(&mut compressed);
        assert_eq!(compressed.len(), VALUES);
        assert!(compressed.iter().all(|v| v.abs() < 8.0));
        // The lower corners are no face.
        assert_eq!(compressed[27 * SIDE], 0.0);
        assert!(is_face(14 * SIDE + 14) && !is_face(27 * SIDE));
    }
}
