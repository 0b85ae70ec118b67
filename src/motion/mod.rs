//! Motion between two crops of a face: flow, strain, the LED band-pass, and the
//! maps that spotting reads.

use crate::base::Plane;

/// A dense displacement field in pixels: `I1(p + flow(p)) = I0(p)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flow {
    /// Horizontal, to the right.
    pub u: Plane,
    /// Vertical, downwards.
    pub v: Plane,
}
