//! How motion maps are varied while a network learns from them.

use crate::model::flow_input::{PIXELS, SIDE};
use crate::model::motion_map::{MotionMap, VALUES};
use crate::training::random::Stream;

/// Spread of the factor by which a movement is larger or smaller (of its logarithm).
const GAIN_SPREAD: f64 = 0.25;
/// Spread of the framing: zoom, shift in cells, roll in radians.
const ZOOM_SPREAD: f64 = 0.05;
const SHIFT_CELLS: f64 = 0.7;
const ROLL_RADIANS: f64 = 0.04;
/// At most so much noise, thousandths of the eyes' distance, as neighbouring cells
/// share it.
const NOISE: f64 = 1.2;

/// Adds the motion of another map: two movements at once. Skin that is stretched by
/// both is stretched by the root of both squares, since they rarely point one way.
pub(super) fn add(map: &mut MotionMap, other: &MotionMap, share: f32) {
    let (motion, strain) = map.values_mut().split_at_mut(2 * PIXELS);
    let (others_motion, others_strain) = other.values().split_at(2 * PIXELS);
    for (value, other) in motion.iter_mut().zip(others_motion) {
        *value += share * other;
    }
    for (value, other) in strain.iter_mut().zip(others_strain) {
        *value = value.hypot(share * other);
    }
}

/// Another size, another framing, other noise.
pub(super) fn vary(map: &MotionMap, random: &mut Stream) -> MotionMap {
    let gain = (GAIN_SPREAD * random.normal()).exp() as f32;
    let mut varied = reframed(map, random);
    let noise = smooth_noise(random.between(0.0, NOISE) as f32, random);
    let values = varied.values_mut();
    for v in values.iter_mut() {
        *v *= gain;
    }
    for (value, noise) in values.iter_mut().zip(noise) {
        // Where nothing is measured there is no noise either.
        if *value != 0.0 {
            *value += noise;
        }
    }
    varied
}

/// The map as another framing would have it.
fn reframed(map: &MotionMap, random: &mut Stream) -> MotionMap {
    let zoom = (ZOOM_SPREAD * random.normal()).exp();
    let (sine, cosine) = (ROLL_RADIANS * random.normal()).sin_cos();
    let shift = random.normals().map(|n| SHIFT_CELLS * n);
    let middle = 0.5 * (SIDE as f64 - 1.0);
    let mut values = vec![0.0; VALUES];
    for cell in 0..PIXELS {
        let x = (cell % SIDE) as f64 - middle;
        let y = (cell / SIDE) as f64 - middle;
        let from_x = middle + (cosine * x - sine * y) / zoom - shift[0];
        let from_y = middle + (sine * x + cosine * y) / zoom - shift[1];
        for (plane, values) in map
            .values()
            .chunks_exact(PIXELS)
            .zip(values.chunks_exact_mut(PIXELS))
        {
            values[cell] = between(plane, from_x, from_y);
        }
    }
    MotionMap::from_values(values)
}

/// Between four cells; zero outside.
fn between(plane: &[f32], x: f64, y: f64) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right, below) = ((x - left) as f32, (y - top) as f32);
    let at = |dx: f64, dy: f64| {
        let (x, y) = (left + dx, top + dy);
        let inside = 0.0..SIDE as f64;
        if inside.contains(&x) && inside.contains(&y) {
            plane[y as usize * SIDE + x as usize]
        } else {
            0.0
        }
    };
    let above = at(0.0, 0.0) * (1.0 - right) + at(1.0, 0.0) * right;
    let under = at(0.0, 1.0) * (1.0 - right) + at(1.0, 1.0) * right;
    above * (1.0 - below) + under * below
}

/// Noise of u and v with this standard deviation, shared by neighbours.
fn smooth_noise(sigma: f32, random: &mut Stream) -> Vec<f32> {
    let mut noise = Vec::with_capacity(2 * PIXELS);
    for _ in 0..2 {
        let raw: Vec<f32> = (0..PIXELS).map(|_| random.normal() as f32).collect();
        noise.extend((0..PIXELS).map(|cell| {
            let right = if cell % SIDE + 1 < SIDE {
                cell + 1
            } else {
                cell
            };
            let below = if cell + SIDE < PIXELS {
                cell + SIDE
            } else {
                cell
            };
            // The mean of three has a deviation of 1/√3.
            sigma * (raw[cell] + raw[right] + raw[below]) / 3.0_f32.sqrt()
        }));
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::random::{Moment, Purpose};

    fn map() -> MotionMap {
        let mut values = vec![0.0; VALUES];
        for row in 12..16 {
            for column in 4..8 {
                values[PIXELS + row * SIDE + column] = -20.0;
                values[2 * PIXELS + row * SIDE + column] = 50.0;
            }
        }
        MotionMap::from_values(values)
    }

    #[test]
    fn a_varied_movement_is_still_about_where_it_was_and_as_large() {
        let mut random = Moment::default().stream(Purpose::Augmentation);
        for _ in 0..50 {
            let varied = vary(&map(), &mut random);
            let v = &varied.values()[PIXELS..2 * PIXELS];
            let sum: f32 = v.iter().sum();
            assert!((-900.0..-120.0).contains(&sum), "{sum} of -320");
            let (mut x, mut y) = (0.0, 0.0);
            for (cell, value) in v.iter().enumerate() {
                x += value * (cell % SIDE) as f32 / sum;
                y += value * (cell / SIDE) as f32 / sum;
            }
            assert!((x - 5.5).abs() < 4.0 && (y - 13.5).abs() < 4.0, "{x} {y}");
        }
    }

    #[test]
    fn two_movements_add_up() {
        let mut both = map();
        add(&mut both, &map().mirrored(), 0.5);
        let cell = 13 * SIDE + 5;
        assert_eq!(both.values()[PIXELS + cell], -20.0);
        assert_eq!(both.values()[PIXELS + cell + 17], -10.0);
        assert_eq!(both.values()[2 * PIXELS + cell + 17], 25.0);
    }
}
