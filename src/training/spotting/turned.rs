//! Turns of a head added to measured motion, as moments without expression.
//!
//! A turning head is no plane: what is left of its motion when an affine one has been
//! taken away has the shape of the face, nose against cheeks, and on a real head that
//! drifts slowly it lasts for seconds and looks like nothing the drawn heads do. So
//! random depths, turned by random courses, are added to stretches that the labels
//! leave as they are.

use super::super::random::Stream;
use crate::model::motion_sequence::{OF_WINDOW, PLANES, STEP_VALUES, STEPS_PER_SEC, Shown};
use crate::motion::grid::{CELLS, HEAD_VALUES, SIDE};
use crate::session::pipeline::{MACRO_WINDOW_SECS, MICRO_WINDOW_SECS};

/// How often a stretch has turns.
const SHARE: f64 = 0.5;
/// Most turns of a stretch.
const TURNS: usize = 5;
/// How far a turn moves the cell that it moves most, px.
const REACH_PX: [f64; 2] = [0.1, 4.0];
const SECS: [f64; 2] = [0.3, 5.0];
/// Width of a cell of the 128×128 crop.
const CELL_PX: usize = 128 / SIDE;
/// The head itself goes so many times further, at most.
const HEAD_GAIN: f64 = 12.0;

/// One turn from rest to rest.
struct Turn {
    start: f64,
    secs: f64,
    /// Right and down, px.
    reach: [f32; 2],
}

impl Turn {
    fn draw(secs: f64, random: &mut Stream) -> Self {
        let log_within =
            |[low, high]: [f64; 2], random: &mut Stream| random.between(low.ln(), high.ln()).exp();
        let reach = log_within(REACH_PX, random);
        // Mostly heads are turned, less often nodded.
        let angle = random.between(-0.6, 0.6)
            + if random.chance(0.3) {
                std::f64::consts::FRAC_PI_2
            } else {
                0.0
            };
        let sign = if random.chance(0.5) { 1.0 } else { -1.0 };
        Self {
            start: random.between(-1.0, secs),
            secs: log_within(SECS, random),
            reach: [angle.cos(), angle.sin()].map(|way| (sign * reach * way) as f32),
        }
    }

    /// How much of it is done, 0..1.
    fn at(&self, secs: f64) -> f64 {
        let share = ((secs - self.start) / self.secs).clamp(0.0, 1.0);
        0.5 - 0.5 * (share * std::f64::consts::PI).cos()
    }
}

/// Adds turns to linear steps, or none.
pub fn turn(steps: &mut [f32], random: &mut Stream) {
    if !random.chance(SHARE) {
        return;
    }
    let secs = (steps.len() / STEP_VALUES) as f64 / STEPS_PER_SEC;
    let depth = depth(random);
    let slopes = slopes(&depth);
    let count = 1 + random.below(TURNS);
    let turns: Vec<Turn> = (0..count).map(|_| Turn::draw(secs, random)).collect();
    let gain = random.between(0.0, HEAD_GAIN) as f32;
    for (n, step) in steps.chunks_exact_mut(STEP_VALUES).enumerate() {
        let at = n as f64 / STEPS_PER_SEC;
        let (planes, scalars) = step.split_at_mut(PLANES * CELLS);
        for (kind, window) in [MACRO_WINDOW_SECS, MICRO_WINDOW_SECS].iter().enumerate() {
            let mut moved = [0.0_f32; 2];
            for turn in &turns {
                let done = (turn.at(at + 0.5 * window) - turn.at(at - 0.5 * window)) as f32;
                moved[0] += done * turn.reach[0];
                moved[1] += done * turn.reach[1];
            }
            let head = &mut scalars[kind * (HEAD_VALUES + 1)..];
            // Where there is no window nothing is ever measured.
            if head[HEAD_VALUES] == 0.0 {
                continue;
            }
            let first = kind * OF_WINDOW.len() * CELLS;
            add(
                &mut planes[first..][..OF_WINDOW.len() * CELLS],
                &depth,
                &slopes,
                moved,
            );
            head[0] += gain * moved[0];
            head[HEAD_VALUES / 2] += gain * moved[1];
        }
    }
}

fn add(planes: &mut [f32], depth: &[f32; CELLS], slopes: &[[f32; 2]; CELLS], moved: [f32; 2]) {
    let at = |shown: Shown| {
        OF_WINDOW
            .iter()
            .position(|s| *s == shown)
            .map(|p| p * CELLS)
    };
    let (Some(u), Some(v), Some(strain), Some(cell_u), Some(cell_v), Some(certainty)) = (
        at(Shown::U),
        at(Shown::V),
        at(Shown::Strain),
        at(Shown::CellU),
        at(Shown::CellV),
        at(Shown::Certainty),
    ) else {
        return;
    };
    for (cell, (depth, [across, down])) in depth.iter().zip(slopes).enumerate() {
        // Outside the face nothing is measured.
        if planes[strain + cell] > 0.0 {
            planes[u + cell] += depth * moved[0];
            planes[v + cell] += depth * moved[1];
            // A vault that turns is stretched where it slopes: an expression is not to
            // be known by its strain alone.
            let (xx, yy) = (across * moved[0], down * moved[1]);
            let shear = down * moved[0] + across * moved[1];
            let stretched = (xx * xx + yy * yy + 0.5 * shear * shear).sqrt();
            planes[strain + cell] = planes[strain + cell].hypot(stretched);
            let certain = planes[certainty + cell];
            planes[cell_u + cell] += certain * depth * moved[0];
            planes[cell_v + cell] += certain * depth * moved[1];
        }
    }
}

/// How near each cell is beyond the plane that fits best, the most −1 or 1: a vault
/// with a nose.
fn depth(random: &mut Stream) -> [f32; CELLS] {
    let (across, down) = (random.between(0.2, 1.0), random.between(0.0, 0.6));
    let (nose, width) = (random.between(0.0, 0.7), random.between(0.12, 0.35));
    let middle = [random.between(-0.15, 0.15), random.between(-0.1, 0.3)];
    let place = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
    let mut depth: [f64; CELLS] = std::array::from_fn(|cell| {
        let (x, y) = (
            place(cell % SIDE) - middle[0],
            place(cell / SIDE) - middle[1],
        );
        nose * (-(x * x + y * y) / (2.0 * width * width)).exp() - across * x * x - down * y * y
    });
    // On a grid that is even to both sides the plane's parts are independent.
    let mean = depth.iter().sum::<f64>() / CELLS as f64;
    let slope = |along: &dyn Fn(usize) -> f64| {
        let (dot, length) = (0..CELLS).fold((0.0, 0.0), |(dot, length), cell| {
            let at = along(cell);
            (dot + at * depth[cell], length + at * at)
        });
        dot / length
    };
    let (sx, sy) = (slope(&|c| place(c % SIDE)), slope(&|c| place(c / SIDE)));
    for (cell, depth) in depth.iter_mut().enumerate() {
        *depth -= mean + sx * place(cell % SIDE) + sy * place(cell / SIDE);
    }
    let most = depth.iter().fold(f64::MIN_POSITIVE, |m, d| m.max(d.abs()));
    depth.map(|d| (d / most) as f32)
}

/// How the depth changes to the right and down, a pixel.
fn slopes(depth: &[f32; CELLS]) -> [[f32; 2]; CELLS] {
    std::array::from_fn(|cell| {
        let (x, y) = (cell % SIDE, cell / SIDE);
        let between = |low: usize, high: usize, cells: usize| {
            (depth[high] - depth[low]) / (cells * CELL_PX) as f32
        };
        let (left, right) = (x.saturating_sub(1), (x + 1).min(SIDE - 1));
        let (above, below) = (y.saturating_sub(1), (y + 1).min(SIDE - 1));
        [
            between(y * SIDE + left, y * SIDE + right, right - left),
            between(above * SIDE + x, below * SIDE + x, below - above),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::random::{Moment, Purpose};
    use super::*;

    #[test]
    fn a_depth_has_no_plane_left_in_it() {
        let mut random = Moment::default().stream(Purpose::Augmentation);
        let depth = depth(&mut random);
        let sum: f32 = depth.iter().sum();
        let across: f32 = (0..CELLS)
            .map(|c| depth[c] * ((c % SIDE) as f32 - 7.5))
            .sum();
        let most = depth.iter().fold(0.0_f32, |m, d| m.max(d.abs()));
        assert!(sum.abs() < 1e-3 && across.abs() < 1e-2 && (most - 1.0).abs() < 1e-6);
    }

    #[test]
    fn turns_move_the_face_and_nothing_outside_it() {
        let mut random = Moment::default().stream(Purpose::Augmentation);
        let mut steps = vec![0.0_f32; 450 * STEP_VALUES];
        for step in steps.chunks_exact_mut(STEP_VALUES) {
            step[2 * CELLS + 40] = 1e-3;
            step[5 * CELLS + 40] = 0.5;
            step[PLANES * CELLS + HEAD_VALUES] = 1.0;
        }
        let still = |s: &[f32]| s[40].abs() <= 0.01;
        while steps.chunks_exact(STEP_VALUES).all(still) {
            turn(&mut steps, &mut random);
        }
        let inside = steps.chunks_exact(STEP_VALUES).any(|s| s[40].abs() > 0.01);
        let outside = steps.chunks_exact(STEP_VALUES).any(|s| s[41] != 0.0);
        assert!(inside && !outside);
        // A cell of the vault is stretched; the window without measurement has nothing.
        let most = |of: usize| {
            let steps = steps.chunks_exact(STEP_VALUES);
            steps.map(|s| s[of].abs()).fold(0.0_f32, f32::max)
        };
        assert!(most(2 * CELLS + 40) > 2e-3);
        let micro = OF_WINDOW.len() * CELLS;
        assert_eq!(most(micro + 40), 0.0);
        assert_eq!(most(PLANES * CELLS + HEAD_VALUES + 1), 0.0);
    }
}
