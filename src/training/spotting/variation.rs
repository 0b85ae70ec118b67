//! How training varies a motion sequence without changing what it shows: mirrored,
//! played backwards, stronger or weaker, the face a little elsewhere in its crop, and
//! with more noise than it has.

use super::super::random::Stream;
use crate::model::motion_sequence::{PLANES, STEP_VALUES, Shown, shown};
use crate::motion::grid::{CELLS, HEAD_VALUES, SIDE};

/// One way to vary a whole stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    pub mirrored: bool,
    pub backwards: bool,
    pub gain: f32,
    /// The face's shift in cells, to the right and down.
    pub shift: [f32; 2],
    /// How much larger the face is.
    pub zoom: f32,
    /// Standard deviation of the flow's noise, px.
    pub noise_px: f32,
}

impl Variation {
    pub const NONE: Self = Self {
        mirrored: false,
        backwards: false,
        gain: 1.0,
        shift: [0.0; 2],
        zoom: 1.0,
        noise_px: 0.0,
    };

    /// Any of them, each as strong as faces and cameras differ.
    pub fn draw(random: &mut Stream) -> Self {
        Self {
            mirrored: random.chance(0.5),
            backwards: random.chance(0.3),
            gain: random.between(-0.35, 0.35).exp() as f32,
            shift: [0, 1].map(|_| random.between(-0.8, 0.8) as f32),
            zoom: random.between(-0.08, 0.08).exp() as f32,
            noise_px: (random.between(0.0, 1.0).powi(2) * 0.06) as f32,
        }
    }

    /// Applied to linear steps, in place.
    pub fn apply(&self, steps: &mut [f32], random: &mut Stream) {
        if self.backwards {
            reverse(steps);
        }
        for step in steps.chunks_exact_mut(STEP_VALUES) {
            self.vary(step, random);
        }
    }

    fn vary(&self, step: &mut [f32], random: &mut Stream) {
        let moved = self.shift != [0.0; 2] || self.zoom != 1.0;
        let (planes, scalars) = step.split_at_mut(PLANES * CELLS);
        let mut before = [0.0; CELLS];
        for (plane, values) in planes.chunks_exact_mut(CELLS).enumerate() {
            let shown = shown(plane);
            if moved {
                before.copy_from_slice(values);
                self.place(&before, values);
            }
            if self.mirrored {
                for row in values.chunks_exact_mut(SIDE) {
                    row.reverse();
                }
            }
            let gain = match shown {
                Shown::U | Shown::CellU if self.mirrored => -self.gain,
                Shown::Certainty => 1.0,
                _ => self.gain,
            };
            let noise_px = match shown {
                Shown::Strain | Shown::Certainty => 0.0,
                _ => self.noise_px,
            };
            for pair in values.chunks_mut(2) {
                // Outside the face there is no flow and no noise.
                if pair.iter().all(|value| *value == 0.0) {
                    continue;
                }
                let noise = match noise_px > 0.0 {
                    true => random.normals(),
                    false => [0.0; 2],
                };
                for (value, noise) in pair.iter_mut().zip(noise) {
                    if *value != 0.0 {
                        *value = *value * gain + noise_px * noise as f32;
                    }
                }
            }
        }
        for kind in scalars.chunks_exact_mut(HEAD_VALUES + 1) {
            for (at, value) in kind[..HEAD_VALUES].iter_mut().enumerate() {
                // u(−x) of opposite sign: shift and slope down change it, slope across
                // does not; of v only the slope across.
                let flips = self.mirrored && matches!(at, 0 | 2 | 4);
                *value *= if flips { -self.gain } else { self.gain };
            }
        }
    }

    /// Bilinear; beyond the grid there is nothing.
    fn place(&self, from: &[f32; CELLS], to: &mut [f32]) {
        let middle = (SIDE as f32 - 1.0) / 2.0;
        let at = |x: isize, y: isize| {
            let inside = |v: isize| (0..SIDE as isize).contains(&v);
            if inside(x) && inside(y) {
                from[y as usize * SIDE + x as usize]
            } else {
                0.0
            }
        };
        for (cell, value) in to.iter_mut().enumerate() {
            let source = |i: usize, shift: f32| (i as f32 - middle - shift) / self.zoom + middle;
            let (x, y) = (
                source(cell % SIDE, self.shift[0]),
                source(cell / SIDE, self.shift[1]),
            );
            let (x0, y0) = (x.floor(), y.floor());
            let (fx, fy) = (x - x0, y - y0);
            let (x0, y0) = (x0 as isize, y0 as isize);
            let top = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
            let bottom = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
            *value = top * (1.0 - fy) + bottom * fy;
        }
    }
}

/// Last step first; what moved there moves back.
fn reverse(steps: &mut [f32]) {
    let count = steps.len() / STEP_VALUES;
    for i in 0..count / 2 {
        let (early, late) = steps.split_at_mut((count - 1 - i) * STEP_VALUES);
        early[i * STEP_VALUES..][..STEP_VALUES].swap_with_slice(&mut late[..STEP_VALUES]);
    }
    for step in steps.chunks_exact_mut(STEP_VALUES) {
        let (planes, scalars) = step.split_at_mut(PLANES * CELLS);
        for (plane, values) in planes.chunks_exact_mut(CELLS).enumerate() {
            if !matches!(shown(plane), Shown::Strain | Shown::Certainty) {
                values.iter_mut().for_each(|v| *v = -*v);
            }
        }
        for kind in scalars.chunks_exact_mut(HEAD_VALUES + 1) {
            kind[..HEAD_VALUES].iter_mut().for_each(|v| *v = -*v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::random::{Moment, Purpose};
    use super::*;

    fn steps() -> Vec<f32> {
        (0..3 * STEP_VALUES)
            .map(|i| (i % 97) as f32 - 40.5)
            .collect()
    }

    fn applied(variation: Variation, mut steps: Vec<f32>) -> Vec<f32> {
        variation.apply(
            &mut steps,
            &mut Moment::default().stream(Purpose::Augmentation),
        );
        steps
    }

    #[test]
    fn what_undoes_itself_does() {
        assert_eq!(applied(Variation::NONE, steps()), steps());
        for twice in [
            Variation {
                mirrored: true,
                ..Variation::NONE
            },
            Variation {
                backwards: true,
                ..Variation::NONE
            },
        ] {
            let once = applied(twice, steps());
            assert_ne!(once, steps());
            assert_eq!(applied(twice, once), steps());
        }
    }

    #[test]
    fn a_shift_by_a_cell_moves_the_face_by_a_cell() {
        let right = Variation {
            shift: [1.0, 0.0],
            ..Variation::NONE
        };
        let (before, after) = (steps(), applied(right, steps()));
        assert_eq!(after[5], before[4]);
        assert_eq!(after[SIDE], 0.0);
    }

    #[test]
    fn draws_differ_and_repeat() {
        let draw = |step| {
            let moment = Moment {
                step,
                ..Moment::default()
            };
            Variation::draw(&mut moment.stream(Purpose::Augmentation))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
