//! Who is filmed: the proportions and the looks of one drawn person.

use super::dice::Dice;
use super::look::Look;
use super::shape::Shape;
use crate::base::Point;

/// One drawn person; equal seeds give equal faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub(super) shape: Shape,
    pub(super) look: Look,
    /// Grain, strands and freckles follow from it.
    pub(super) seed: u64,
}

impl Person {
    /// Person `number` of a `world`: persons of different worlds have nothing in common.
    #[must_use]
    pub fn drawn(world: &str, number: u64) -> Self {
        let mut look = Dice::of(world, "look", number);
        Self {
            shape: Shape::drawn(&mut Dice::of(world, "shape", number)),
            look: Look::drawn(&mut look),
            seed: Dice::of(world, "grain", number).bits(),
        }
    }

    /// The face of the bundled clip.
    #[must_use]
    pub fn plain(seed: u64) -> Self {
        Self {
            shape: Shape::plain(),
            look: Look::plain(),
            seed,
        }
    }

    /// The 68 points of the iBUG/300-W scheme at rest, face units: the origin midway
    /// between the plain face's eyes, 1 their distance, y down.
    #[must_use]
    pub fn landmarks(&self) -> [Point; 68] {
        self.shape.landmarks()
    }
}
