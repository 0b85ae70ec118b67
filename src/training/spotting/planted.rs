//! Expressions planted into measured motion.
//!
//! A recording holds a handful of micro-expressions and thousands of moments without:
//! far too few of the one to learn from. Small motion adds up, so the displacement of
//! a further expression, known exactly from the studio's anatomy, is added to the
//! measured flow of a moment where the labels have none, with whatever noise, blinks
//! and turns of the head are there. Every epoch plants others.

use super::super::random::Stream;
use super::super::synthesis::emotions::COMBINATIONS;
use super::tcn::Targets;
use crate::base::Point;
use crate::media::synthetic::{Course, Dice, FaceSide, Jitter, Movement, Person, UnitMove};
use crate::model::motion_sequence::{OF_WINDOW, PLANES, STEP_VALUES, STEPS_PER_SEC};
use crate::motion::grid::{CELLS, HEAD_VALUES, SIDE};
use crate::session::pipeline::{MACRO_WINDOW_SECS, MICRO_WINDOW_SECS};
use crate::spotting::ExpressionKind;

/// Persons whose faces move, of a world of their own.
const PERSONS: u64 = 64;
const WORLD: &str = "planted";
/// Side of the crop in distances between the eyes, and how far below the eyes its
/// middle is: medians over drawn faces.
const CROP_UNITS: f32 = 2.31;
const CROP_MIDDLE_UNITS: f32 = 0.45;
/// TV-L1 gives back less than small motion is.
const RESPONSE: [f64; 2] = [0.6, 1.0];
/// Rest before and after.
const APART_SECS: f64 = 0.5;
/// Peaks in px of the 128×128 crop, evenly in their logarithm.
const MICRO_PX: [f64; 2] = [0.25, 1.6];
const MACRO_PX: [f64; 2] = [0.8, 6.0];
const JITTER: Jitter = Jitter {
    direction_degrees: 13.0,
    place: 0.035,
    strength: 0.25,
    sides: 0.25,
};

/// What a planted expression does at full strength, in cells of the grid.
struct Plant {
    kind: ExpressionKind,
    course: Course,
    apex_secs: f64,
    /// u and v in px and strain.
    field: Vec<[f32; 3]>,
}

/// Adds expressions to linear steps and to their targets, about one micro-expression in
/// four seconds and a macro-expression in fifteen.
pub fn plant(steps: &mut [f32], targets: &mut [Targets], random: &mut Stream) {
    let secs = targets.len() as f64 / STEPS_PER_SEC;
    let tries = |per_sec: f64, random: &mut Stream| {
        let wanted = secs * per_sec;
        wanted.floor() as usize + usize::from(random.chance(wanted.fract()))
    };
    let micros = tries(0.25, random);
    let macros = tries(1.0 / 15.0, random);
    let kinds = std::iter::repeat_n(ExpressionKind::Macro, macros)
        .chain(std::iter::repeat_n(ExpressionKind::Micro, micros));
    for kind in kinds {
        let start = random.between(0.0, secs);
        let mut dice = Dice::new(random.bits());
        if let Some(plant) = Plant::draw(kind, start, &mut dice)
            && plant.finds_room(targets)
        {
            let response = random.between(RESPONSE[0], RESPONSE[1]) as f32;
            plant.grow(steps, targets, response);
        }
    }
}

impl Plant {
    fn draw(kind: ExpressionKind, onset: f64, dice: &mut Dice) -> Option<Self> {
        let person = Person::drawn(WORLD, dice.below(PERSONS as usize) as u64);
        let (length, rise, hold, peak_px) = match kind {
            ExpressionKind::Micro => {
                let length = dice.within([0.13, 0.5]);
                let rise = length * dice.within([0.3, 0.6]);
                let hold = length * dice.within([0.0, 0.2]);
                (length, rise, hold, dice.log_within(MICRO_PX))
            }
            ExpressionKind::Macro => {
                let length = dice.log_within([0.6, 4.0]);
                let (rise, fall) = (dice.within([0.2, 0.9]), dice.within([0.25, 1.4]));
                let both = (rise + fall).max(length);
                let (rise, fall) = (rise * length / both, fall * length / both);
                (
                    length,
                    rise,
                    length - rise - fall,
                    dice.log_within(MACRO_PX),
                )
            }
        };
        let course = Course::Expression {
            onset,
            rise,
            hold: hold.max(1e-3),
            fall: (length - rise - hold).max(0.03),
            lean: dice.within([-0.35, 0.35]),
            sag: dice.within([0.0, 0.1]),
        };
        let combination = COMBINATIONS[dice.weighted(COMBINATIONS.iter().map(|c| c.weight))];
        let side = match dice.below(8) {
            0 if combination.one_sided => FaceSide::ImageLeft,
            1 if combination.one_sided => FaceSide::ImageRight,
            _ => FaceSide::Both,
        };
        let share = |dice: &mut Dice| dice.within([0.55, 1.0]) as f32;
        let units: Vec<UnitMove> = (combination.units.iter())
            .map(|&unit| UnitMove {
                unit,
                side,
                share: share(dice),
            })
            .collect();
        let composed = Movement::of_units(&person, &units, peak_px, &JITTER, course.clone(), dice)?;
        Some(Self {
            kind,
            course,
            apex_secs: onset + rise,
            field: field(&composed.movement),
        })
    }

    /// Whether nothing else is labelled there and it ends within the stretch.
    fn finds_room(&self, targets: &[Targets]) -> bool {
        let (start, end) = self.course.span();
        let last = targets.len() as f64 / STEPS_PER_SEC;
        if start < 0.2 || end > last - 0.2 {
            return false;
        }
        let at = |secs: f64| ((secs * STEPS_PER_SEC).max(0.0) as usize).min(targets.len());
        let around = &targets[at(start - APART_SECS)..at(end + APART_SECS)];
        around.iter().all(|target| target.is_rest())
    }

    fn grow(&self, steps: &mut [f32], targets: &mut [Targets], response: f32) {
        let (start, end) = self.course.span();
        let windows = [MACRO_WINDOW_SECS, MICRO_WINDOW_SECS];
        for (n, step) in steps.chunks_exact_mut(STEP_VALUES).enumerate() {
            let at = n as f64 / STEPS_PER_SEC;
            if at < start - 0.5 || at > end + 0.5 {
                continue;
            }
            for (kind, window) in windows.iter().enumerate() {
                // Where there is no window nothing is ever measured.
                if !known(step, kind) {
                    continue;
                }
                let moved = self.course.at(at + 0.5 * window) - self.course.at(at - 0.5 * window);
                let planes = OF_WINDOW.len() * CELLS;
                let planes = &mut step[kind * planes..][..planes];
                self.add(planes, moved as f32, response);
            }
            if (start..=end).contains(&at) && (0..windows.len()).any(|kind| known(step, kind)) {
                targets[n].mark(self.kind, at, self.apex_secs);
            }
        }
    }

    fn add(&self, planes: &mut [f32], moved: f32, response: f32) {
        let at = |shown: usize, cell: usize| shown * CELLS + cell;
        for (cell, field) in self.field.iter().enumerate() {
            // Outside the face nothing is measured.
            if planes[at(2, cell)] > 0.0 {
                planes[at(0, cell)] += moved * response * field[0];
                planes[at(1, cell)] += moved * response * field[1];
                let strain = &mut planes[at(2, cell)];
                *strain = strain.hypot(moved * response * field[2]);
                let certain = planes[at(5, cell)];
                planes[at(3, cell)] += moved * certain * field[0];
                planes[at(4, cell)] += moved * certain * field[1];
            }
        }
    }
}

/// Whether the step has a window of this kind.
fn known(step: &[f32], kind: usize) -> bool {
    step[PLANES * CELLS + kind * (HEAD_VALUES + 1) + HEAD_VALUES] != 0.0
}

/// The movement at level 1 in the middle of each cell.
fn field(movement: &Movement) -> Vec<[f32; 3]> {
    let px_per_unit = 128.0 / CROP_UNITS;
    let cell_units = CROP_UNITS / SIDE as f32;
    let at = |column: f32, row: f32| -> Point {
        let x = (column + 0.5) * cell_units - 0.5 * CROP_UNITS;
        let y = (row + 0.5) * cell_units - 0.5 * CROP_UNITS + CROP_MIDDLE_UNITS;
        let shift = movement.shift_at(x, y);
        Point::new(shift.x * px_per_unit, shift.y * px_per_unit)
    };
    (0..CELLS)
        .map(|cell| {
            let (column, row) = ((cell % SIDE) as f32, (cell / SIDE) as f32);
            let middle = at(column, row);
            // Over half a cell either way, eight px apart.
            let (left, right) = (at(column - 0.5, row), at(column + 0.5, row));
            let (above, below) = (at(column, row - 0.5), at(column, row + 0.5));
            let xx = (right.x - left.x) / 8.0;
            let yy = (below.y - above.y) / 8.0;
            let shear = (below.x - above.x + right.y - left.y) / 8.0;
            let strain = (xx * xx + yy * yy + 0.5 * shear * shear).sqrt();
            [middle.x, middle.y, strain]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::random::{Moment, Purpose};
    use super::*;

    #[test]
    fn a_planted_expression_moves_the_face_as_far_as_it_says_and_is_labelled() {
        let count = 450;
        // A face that is measured and does not move.
        let mut still = vec![0.0; count * STEP_VALUES];
        for step in still.chunks_exact_mut(STEP_VALUES) {
            for kind in 0..2 {
                let first = kind * OF_WINDOW.len();
                step[(first + 2) * CELLS..][..CELLS].fill(1e-6);
                step[(first + 5) * CELLS..][..CELLS].fill(1.0);
                step[PLANES * CELLS + kind * (HEAD_VALUES + 1) + HEAD_VALUES] = 1.0;
            }
        }
        let mut targets = vec![Targets::REST; count];
        let mut random = Moment::default().stream(Purpose::Augmentation);
        let mut steps = still.clone();
        plant(&mut steps, &mut targets, &mut random);
        let (moved, labelled): (Vec<bool>, Vec<bool>) = steps
            .chunks_exact(STEP_VALUES)
            .zip(&targets)
            .map(|(step, target)| {
                let micro_u = &step[OF_WINDOW.len() * CELLS..][..CELLS];
                let most = micro_u.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                (most > 0.02, !target.is_rest())
            })
            .unzip();
        assert!(labelled.iter().filter(|l| **l).count() > 10);
        assert!(moved.iter().filter(|m| **m).count() > 10);
        let most = steps
            .chunks_exact(STEP_VALUES)
            .flat_map(|step| &step[..2 * CELLS])
            .fold(0.0_f32, |m, v| m.max(v.abs()));
        assert!(most < 1.1 * MACRO_PX[1] as f32, "{most} px");
    }
}
