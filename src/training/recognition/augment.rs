//! Flow images varied for training: mirrored, framed differently, stronger or weaker,
//! noisier, with a part covered.
//!
//! The images are robustly scaled (`model::flow_input::Scaling::Robust`): rest is 0, so
//! the mirror negates u, and a covered patch shows no motion.

use crate::model::flow_input::{PIXELS, SIDE, STRAIN, U};
use crate::training::random::Stream;

/// How far images are varied. Ranges are even unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Probability of the mirror.
    pub mirror: f64,
    /// Largest relative change of size.
    pub zoom: f64,
    /// Largest shift along each axis, pixels of the 28×28 image.
    pub shift_px: f64,
    /// Largest rotation in degrees.
    pub roll_degrees: f64,
    /// Standard deviation of the logarithm of each channel's gain.
    pub gain: f64,
    /// Largest standard deviation of the noise, in units of the scaled values.
    pub noise: f64,
    /// Probability that a patch is covered.
    pub erase: f64,
    /// Sides of the patch, pixels, both ends included.
    pub patch_px: [usize; 2],
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            mirror: 0.5,
            zoom: 0.08,
            shift_px: 1.5,
            roll_degrees: 4.0,
            gain: 0.2,
            noise: 0.3,
            erase: 0.3,
            patch_px: [4, 9],
        }
    }
}

impl Augmentation {
    /// As it stands in a checkpoint's settings.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self {
            mirror,
            zoom,
            shift_px,
            roll_degrees,
            gain,
            noise,
            erase,
            patch_px: [least, most],
        } = self;
        format!(
            "mirror {mirror}, zoom {zoom}, shift {shift_px} px, roll {roll_degrees}°, gain {gain}, \
             noise {noise}, patch of {least}..{most} px {erase}"
        )
    }

    /// Varies one image of strain, v, u in place; the same stream, the same result.
    pub fn apply(&self, image: &mut [f32], mut stream: Stream) {
        let mirror = stream.chance(self.mirror);
        let scale = 1.0 + stream.between(-self.zoom, self.zoom);
        let roll = stream
            .between(-self.roll_degrees, self.roll_degrees)
            .to_radians();
        let shift = [0, 1].map(|_| stream.between(-self.shift_px, self.shift_px));
        let gains = [0, 1, 2].map(|_| (self.gain * stream.normal()).exp() as f32);
        let noise = stream.between(0.0, self.noise);
        let patch = stream.chance(self.erase).then(|| {
            let [least, most] = self.patch_px;
            let sides = [0, 1].map(|_| least + stream.below(most - least + 1));
            let corner = sides.map(|side| stream.below(SIDE - side + 1));
            [corner[0], corner[1], sides[0], sides[1]]
        });
        let framing = Framing::new(mirror, scale, roll, shift);
        for (channel, plane) in image.chunks_exact_mut(PIXELS).enumerate() {
            let source = plane.to_vec();
            let sign = if mirror && channel == U { -1.0 } else { 1.0 };
            let gain = sign * gains[channel];
            for (place, value) in plane.iter_mut().enumerate() {
                let moved = framing.sample(&source, place % SIDE, place / SIDE);
                let noisy = moved * gain + (noise * stream.normal()) as f32;
                // Strain has no sign.
                *value = if channel == STRAIN {
                    noisy.max(0.0)
                } else {
                    noisy
                };
            }
            if let Some([left, top, width, height]) = patch {
                for row in plane.chunks_exact_mut(SIDE).skip(top).take(height) {
                    row[left..left + width].fill(0.0);
                }
            }
        }
    }
}

/// Where in the original a place of the varied image comes from.
struct Framing {
    mirror: bool,
    /// cos and sin of the roll, over the scale.
    turn: [f64; 2],
    shift: [f64; 2],
}

impl Framing {
    fn new(mirror: bool, scale: f64, roll: f64, shift: [f64; 2]) -> Self {
        Self {
            mirror,
            turn: [roll.cos() / scale, roll.sin() / scale],
            shift,
        }
    }

    /// Bilinear; outside, the edge goes on.
    fn sample(&self, plane: &[f32], x: usize, y: usize) -> f32 {
        const CENTRE: f64 = (SIDE as f64 - 1.0) / 2.0;
        let x = if self.mirror { SIDE - 1 - x } else { x };
        let (dx, dy) = (
            x as f64 - CENTRE - self.shift[0],
            y as f64 - CENTRE - self.shift[1],
        );
        let [cos, sin] = self.turn;
        let edge = |at: f64| (at + CENTRE).clamp(0.0, SIDE as f64 - 1.0);
        let (x, y) = (edge(cos * dx + sin * dy), edge(cos * dy - sin * dx));
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(SIDE - 1), (top + 1).min(SIDE - 1));
        let (fx, fy) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let mix = |row: usize| {
            let row = &plane[row * SIDE..];
            row[left] + (row[right] - row[left]) * fx
        };
        let (upper, lower) = (mix(top), mix(below));
        upper + (lower - upper) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flow_input::{Normalizer, Scaling, VALUES, mirrored};
    use crate::training::random::{Moment, Purpose};

    fn stream(step: u64) -> Stream {
        let moment = Moment {
            step,
            ..Moment::default()
        };
        moment.stream(Purpose::Augmentation)
    }

    fn still() -> Augmentation {
        Augmentation {
            mirror: 0.0,
            zoom: 0.0,
            shift_px: 0.0,
            roll_degrees: 0.0,
            gain: 0.0,
            noise: 0.0,
            erase: 0.0,
            ..Augmentation::default()
        }
    }

    fn image() -> Vec<f32> {
        let raw: Vec<f32> = (0..VALUES).map(|i| (i * 73 % 251) as f32).collect();
        let mut scaled = Vec::new();
        Normalizer::fit(Scaling::Robust, std::iter::empty()).append(&raw, &mut scaled);
        scaled
    }

    #[test]
    fn nothing_varied_is_the_image_and_the_mirror_is_the_mirrored_faces_image() {
        let mut same = image();
        still().apply(&mut same, stream(1));
        assert!(same.iter().zip(&image()).all(|(a, b)| (a - b).abs() < 1e-5));
        let mut mirror = image();
        Augmentation {
            mirror: 1.0,
            ..still()
        }
        .apply(&mut mirror, stream(1));
        let raw: Vec<f32> = (0..VALUES).map(|i| (i * 73 % 251) as f32).collect();
        let mut expected = Vec::new();
        Normalizer::fit(Scaling::Robust, std::iter::empty()).append(&mirrored(&raw), &mut expected);
        assert!(
            mirror
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-4)
        );
    }

    #[test]
    fn a_stream_varies_the_same_way_twice_and_another_does_not() {
        let varied = |step: u64| {
            let mut image = image();
            Augmentation::default().apply(&mut image, stream(step));
            image
        };
        assert_eq!(varied(3), varied(3));
        assert_ne!(varied(3), varied(4));
        assert!(
            varied(3)[..PIXELS]
                .iter()
                .all(|v| *v >= 0.0 && v.is_finite())
        );
    }
}
