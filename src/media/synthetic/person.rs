//! Who is filmed: the proportions and the looks of one person.

use std::sync::Arc;

use image::RgbImage;

use super::dice::Dice;
use super::look::Look;
use super::photo::Photo;
use super::shape::Shape;
use crate::base::Point;

/// One person, drawn or photographed; equal seeds give equal faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub(super) shape: Shape,
    pub(super) look: Look,
    /// Grain, strands and freckles follow from it.
    pub(super) seed: u64,
    pub(super) photo: Option<Arc<Photo>>,
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
            photo: None,
        }
    }

    /// The face of the bundled clip.
    #[must_use]
    pub fn plain(seed: u64) -> Self {
        Self {
            shape: Shape::plain(),
            look: Look::plain(),
            seed,
            photo: None,
        }
    }

    /// The person of a photograph, at rest and looking at the camera, whose 68 points
    /// lie at `landmarks` (pixels). `None` when those are no face's.
    #[must_use]
    pub fn photographed(picture: RgbImage, landmarks: &[Point; 68]) -> Option<Self> {
        let (photo, spline) = Photo::new(picture, landmarks)?;
        Some(Self {
            shape: Shape::Photographed(spline),
            look: Look::plain(),
            seed: 0,
            photo: Some(Arc::new(photo)),
        })
    }

    /// Distance between the eyes in the photograph, pixels; `None` for drawn persons.
    #[must_use]
    pub fn photo_unit(&self) -> Option<f32> {
        self.photo.as_ref().map(|p| p.unit)
    }

    /// The 68 points of the iBUG/300-W scheme at rest, face units: the origin midway
    /// between the plain face's eyes, 1 their distance, y down.
    #[must_use]
    pub fn landmarks(&self) -> [Point; 68] {
        self.shape.landmarks()
    }
}
