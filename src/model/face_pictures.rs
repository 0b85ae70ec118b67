//! What the networks see that read pictures instead of flow: the face in grey, cut out
//! of every frame alike in the framing of flow images ([`super::flow_framing`]).
//!
//! S0 cuts by the landmarks of the first frame alone, and so do we: points found anew in
//! each frame would shake it by about as much as a micro-expression moves it. Grey, for
//! SAMM is grey, 8-bit grey cameras are used for this work, and a running analysis keeps
//! its last seconds in grey; networks of three channels see the same in each.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};

use super::flow_framing::FlowFraming;
use crate::base::{Plane, Point};
use crate::motion::luma::LumaPatch;

/// Frames of a clip: twelve steps from onset to offset, as many as S0 compares at most.
pub const STEPS: usize = 13;
/// Side of a clip's frames, px (S0).
pub const CLIP_SIDE: usize = 64;
/// Side of the pair, px: half of what S2 and S3 read.
pub const PAIR_SIDE: usize = 112;
const CLIP_PIXELS: usize = CLIP_SIDE * CLIP_SIDE;
const PAIR_PIXELS: usize = PAIR_SIDE * PAIR_SIDE;
/// How many bytes they take.
pub const BYTES: usize = STEPS * CLIP_PIXELS + 2 * PAIR_PIXELS;

/// Pictures of one expression, 0..255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacePictures {
    /// [`STEPS`] frames of 64×64 from onset to offset, then onset and apex of 112×112.
    bytes: Vec<u8>,
}

/// How pictures are changed before a network sees them; all of an expression alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Left and right change places.
    pub mirrored: bool,
    /// Radians, about the middle.
    pub turn: f32,
    /// Shares of the side, to the right and down.
    pub shift: [f32; 2],
    /// Every value v becomes gain·v + lift, cut at 0..255.
    pub gain: f32,
    pub lift: f32,
}

impl Default for View {
    /// As they are.
    fn default() -> Self {
        Self {
            mirrored: false,
            turn: 0.0,
            shift: [0.0; 2],
            gain: 1.0,
            lift: 0.0,
        }
    }
}

/// Whole numbers evenly from 0 to `last`, both among them, rounded down: the frames S0
/// takes of a clip for testing.
#[must_use]
pub fn evenly(last: u64, count: usize) -> Vec<u64> {
    let steps = count.saturating_sub(1).max(1) as u64;
    (0..count as u64).map(|step| last * step / steps).collect()
}

impl FacePictures {
    /// Cuts the frames of a clip, and onset and apex, out as the onset's `framing` says.
    ///
    /// # Panics
    /// Unless there are [`STEPS`] frames.
    #[must_use]
    pub fn cut(framing: &FlowFraming, clip: &[&LumaPatch], pair: [&LumaPatch; 2]) -> Self {
        assert_eq!(clip.len(), STEPS, "a clip has {STEPS} frames");
        let mut bytes = Vec::with_capacity(BYTES);
        let mut add = |patch: &LumaPatch, side: usize| {
            let crop = framing.crop_moved(patch, Point::default());
            bytes.extend(square(crop, side));
        };
        for patch in clip {
            add(patch, CLIP_SIDE);
        }
        for patch in pair {
            add(patch, PAIR_SIDE);
        }
        Self { bytes }
    }

    /// From what [`Self::bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == BYTES).then_some(Self { bytes })
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends frame `step` of the clip, `side`×`side` values 0..255.
    ///
    /// # Panics
    /// From [`STEPS`] on.
    pub fn append_step(&self, step: usize, side: usize, view: &View, to: &mut Vec<f32>) {
        let frame = &self.bytes[step * CLIP_PIXELS..(step + 1) * CLIP_PIXELS];
        assert!(step < STEPS, "a clip has {STEPS} frames");
        append(frame, CLIP_SIDE, side, view, to);
    }

    /// Appends the onset, `side`×`side` values 0..255.
    pub fn append_onset(&self, side: usize, view: &View, to: &mut Vec<f32>) {
        let onset = &self.bytes[STEPS * CLIP_PIXELS..BYTES - PAIR_PIXELS];
        append(onset, PAIR_SIDE, side, view, to);
    }

    /// Appends the apex, `side`×`side` values 0..255.
    pub fn append_apex(&self, side: usize, view: &View, to: &mut Vec<f32>) {
        append(
            &self.bytes[BYTES - PAIR_PIXELS..],
            PAIR_SIDE,
            side,
            view,
            to,
        );
    }
}

/// A crop as a square of `side` px: averaged where that is coarser.
fn square(crop: Plane, side: usize) -> impl Iterator<Item = u8> {
    let size = (crop.width as u32, crop.height as u32);
    let side = side as u32;
    // Resizing cuts what is no whole number at 0..1.
    let shares = crop.data.into_iter().map(|v| v / 255.0).collect();
    let values = match ImageBuffer::<Luma<f32>, Vec<f32>>::from_raw(size.0, size.1, shares) {
        Some(crop) => resize(&crop, side, side, FilterType::Triangle).into_raw(),
        // A plane holds width times height values.
        None => vec![0.0; (side * side) as usize],
    };
    values.into_iter().map(|v| (255.0 * v + 0.5) as u8)
}

/// Appends a square picture as `view` shows it, brought to another side.
fn append(picture: &[u8], side: usize, wanted: usize, view: &View, to: &mut Vec<f32>) {
    let scale = side as f32 / wanted as f32;
    // A coarser picture takes the mean of as many places in each of its pixels.
    let finer = (scale.round() as usize).max(1);
    let part = 1.0 / finer as f32;
    let share = part * part;
    let middle = 0.5 * wanted as f32;
    let (sin, cos) = view.turn.sin_cos();
    let shift = view.shift.map(|s| s * wanted as f32);
    for y in 0..wanted {
        for x in 0..wanted {
            let mut sum = 0.0;
            for inner in 0..finer * finer {
                let dx = x as f32 + (inner % finer) as f32 * part + 0.5 * part - middle;
                let dy = y as f32 + (inner / finer) as f32 * part + 0.5 * part - middle;
                let dx = if view.mirrored { -dx } else { dx };
                let (dx, dy) = (dx - shift[0], dy - shift[1]);
                let (px, py) = (cos * dx + sin * dy, cos * dy - sin * dx);
                let place = [px, py].map(|p| (p + middle) * scale - 0.5);
                sum += between(picture, side, place);
            }
            let value = view.gain * sum * share + view.lift;
            to.push(value.clamp(0.0, 255.0));
        }
    }
}

/// Between the nearest four pixels; beyond the picture its border is repeated.
fn between(picture: &[u8], side: usize, [x, y]: [f32; 2]) -> f32 {
    let last = (side - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(side - 1), (top + 1).min(side - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| f32::from(picture[y * side + x]);
    let upper = at(left, top) + fx * (at(right, top) - at(left, top));
    let lower = at(left, bottom) + fx * (at(right, bottom) - at(left, bottom));
    upper + fy * (lower - upper)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::base::Similarity;

    fn pictures() -> FacePictures {
        let framing = FlowFraming {
            crop_from_image: Similarity::IDENTITY,
            width: 120,
            height: 150,
        };
        let frame = |value: u8| {
            let picture = RgbImage::from_fn(120, 150, |x, _| Rgb([value + x as u8; 3]));
            LumaPatch::whole(&picture)
        };
        let clip: Vec<LumaPatch> = (0..STEPS).map(|step| frame(10 * step as u8)).collect();
        let clip: Vec<&LumaPatch> = clip.iter().collect();
        FacePictures::cut(&framing, &clip, [clip[0], clip[7]])
    }

    fn mean(values: &[f32]) -> f32 {
        values.iter().sum::<f32>() / values.len() as f32
    }

    #[test]
    fn frames_come_out_in_order_at_any_side() {
        let pictures = pictures();
        let back = FacePictures::from_bytes(pictures.bytes().to_vec());
        assert_eq!(back.as_ref(), Some(&pictures));
        for side in [32, 64] {
            for step in [0, 5, 12] {
                let mut values = Vec::new();
                pictures.append_step(step, side, &View::default(), &mut values);
                assert_eq!(values.len(), side * side);
                assert!((mean(&values) - 59.5 - 10.0 * step as f32).abs() < 1.0);
                assert!(values[0] + 50.0 < values[side - 1]);
            }
        }
        let (mut onset, mut apex) = (Vec::new(), Vec::new());
        pictures.append_onset(56, &View::default(), &mut onset);
        pictures.append_apex(56, &View::default(), &mut apex);
        assert!((mean(&apex) - mean(&onset) - 70.0).abs() < 0.5);
    }

    #[test]
    fn a_view_mirrors_shifts_and_lights() {
        let seen = |view: View| {
            let mut values = Vec::new();
            pictures().append_onset(56, &view, &mut values);
            values
        };
        let plain = seen(View::default());
        let mirrored = seen(View {
            mirrored: true,
            ..View::default()
        });
        assert!((plain[3] - mirrored[56 - 4]).abs() < 1e-3);
        let moved = seen(View {
            shift: [0.25, 0.0],
            ..View::default()
        });
        assert!((moved[40] - plain[26]).abs() < 1e-3);
        let upside = seen(View {
            turn: std::f32::consts::PI,
            ..View::default()
        });
        assert!((plain[3] - upside[56 * 56 - 4]).abs() < 1e-2);
        let bright = seen(View {
            gain: 1.5,
            lift: 5.0,
            ..View::default()
        });
        assert!((bright[30] - 1.5 * plain[30] - 5.0).abs() < 1e-3);
    }

    #[test]
    fn a_clips_frames_lie_evenly() {
        assert_eq!(evenly(12, 6), [0, 2, 4, 7, 9, 12]);
        assert_eq!(evenly(12, 13), (0..=12).collect::<Vec<_>>());
        assert_eq!(evenly(3, 2), [0, 3]);
    }
}
