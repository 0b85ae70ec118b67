//! Movements of the skin: which action units, how far, and their course in time.

use super::anatomy::{BLINK, FaceSide, Kernel, Lip, PUCKER, kernels};
use super::arithmetic::{cosine, raised_cosine, sine};
use super::deformation::shift;
use super::dice::Dice;
use super::person::Person;
use crate::base::Point;

/// Side of the box that the analysis crops to 128 pixels, in distances between the
/// eyes: the median over drawn faces of what `face::tracker` holds.
pub const CROP_UNITS: f32 = 2.31;

/// Pixels of the 128×128 crop to one face unit.
pub const CROP_PX_PER_UNIT: f32 = 128.0 / CROP_UNITS;

/// An action unit and the share of its full strength, 0..1, at the movement's apex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitMove {
    pub unit: u8,
    pub side: FaceSide,
    pub share: f32,
}

impl UnitMove {
    /// As label files write it: `AU12LC` is the person's left corner at intensity C.
    /// The person's left is the picture's right.
    #[must_use]
    pub fn label(&self) -> String {
        let side = match self.side {
            FaceSide::Both => "",
            FaceSide::ImageLeft => "R",
            FaceSide::ImageRight => "L",
        };
        format!("AU{}{side}{}", self.unit, self.intensity())
    }

    /// A (trace) to E (maximum) by the share of full strength.
    #[must_use]
    pub fn intensity(&self) -> char {
        match self.share {
            s if s < 0.12 => 'A',
            s if s < 0.30 => 'B',
            s if s < 0.60 => 'C',
            s if s < 0.85 => 'D',
            _ => 'E',
        }
    }
}

/// Standard deviations by which one performance departs from the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Degrees by which a displacement turns.
    pub direction_degrees: f64,
    /// Face units by which its centre moves.
    pub place: f64,
    /// Relative strength of each part.
    pub strength: f64,
    /// Relative difference of the two halves of the face.
    pub sides: f64,
}

/// How strongly a movement shows at a time in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// Rises from rest at `onset` for `rise`, holds, losing `sag` of its height,
    /// falls for `fall`. `lean` −0.4..0.4 makes the rise late or early.
    Expression {
        onset: f64,
        rise: f64,
        hold: f64,
        fall: f64,
        lean: f64,
        sag: f64,
    },
    /// Levels at times, joined by raised cosines; level beyond the ends.
    Levels(Vec<(f64, f64)>),
}

impl Course {
    /// 0 at rest, 1 at the highest (`Expression`) or the level itself.
    #[must_use]
    pub fn at(&self, secs: f64) -> f64 {
        match self {
            Self::Expression {
                onset,
                rise,
                hold,
                fall,
                lean,
                sag,
            } => {
                let t = secs - onset;
                if t <= *rise {
                    let u = (t / rise).clamp(0.0, 1.0);
                    raised_cosine(u + lean * u * (1.0 - u))
                } else if t <= rise + hold {
                    1.0 - sag * (t - rise) / hold
                } else {
                    (1.0 - sag) * (1.0 - raised_cosine((t - rise - hold) / fall))
                }
            }
            Self::Levels(levels) => level(levels, secs),
        }
    }

    /// First and last second at which it may differ from 0.
    #[must_use]
    pub fn span(&self) -> (f64, f64) {
        match self {
            Self::Expression {
                onset,
                rise,
                hold,
                fall,
                ..
            } => (*onset, onset + rise + hold + fall),
            Self::Levels(levels) => match (levels.first(), levels.last()) {
                (Some(first), Some(last)) => (first.0, last.0),
                _ => (0.0, 0.0),
            },
        }
    }
}

/// Between the two levels around a time.
fn level(levels: &[(f64, f64)], secs: f64) -> f64 {
    let next = levels.partition_point(|&(t, _)| t <= secs);
    match (
        next.checked_sub(1).and_then(|i| levels.get(i)),
        levels.get(next),
    ) {
        (Some(&(t0, a)), Some(&(t1, b))) => a + (b - a) * raised_cosine((secs - t0) / (t1 - t0)),
        (Some(&(_, a)), None) | (None, Some(&(_, a))) => a,
        (None, None) => 0.0,
    }
}

/// A movement with what it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    pub movement: Movement,
    /// The action units with the shares of full strength that they reach.
    pub units: Vec<UnitMove>,
    /// The largest displacement, pixels of the 128×128 crop.
    pub peak_px: f64,
}

/// One movement of one person's face.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    pub(super) kernels: Vec<Kernel>,
    pub course: Course,
}

impl Movement {
    /// Composes action units of relative strengths into one movement whose largest
    /// displacement at level 1 is `peak_px` pixels of the 128×128 crop, or less where
    /// that would be more than a face can do. `None` for a unit that it cannot draw.
    #[must_use]
    pub fn of_units(
        person: &Person,
        units: &[UnitMove],
        peak_px: f64,
        jitter: &Jitter,
        course: Course,
        dice: &mut Dice,
    ) -> Option<Composed> {
        /// A little beyond what coders call the maximum.
        const MOST: f32 = 1.1;
        let landmarks = person.landmarks();
        let mut all = Vec::new();
        for unit in units {
            let mut of_unit = kernels(unit.unit, unit.side, &landmarks)?;
            vary(&mut of_unit, jitter, dice);
            scale(&mut of_unit, unit.share);
            all.extend(of_unit);
        }
        let full = peak(&all).max(1e-6) * CROP_PX_PER_UNIT;
        let strongest = units.iter().map(|u| u.share).fold(1e-6, f32::max);
        let factor = (peak_px as f32 / full).min(MOST / strongest);
        scale(&mut all, factor);
        let units = units
            .iter()
            .map(|u| UnitMove {
                share: u.share * factor,
                ..*u
            })
            .collect();
        Some(Composed {
            movement: Self {
                kernels: all,
                course,
            },
            units,
            peak_px: f64::from(factor * full),
        })
    }

    /// How far the skin at a resting place goes at level 1, face units; below the
    /// parting of the lips as the lower lip goes.
    #[must_use]
    pub fn shift_at(&self, x: f32, y: f32) -> Point {
        /// Where the lips meet.
        const PARTING: f32 = 1.125;
        let lip = if y < PARTING { Lip::Upper } else { Lip::Lower };
        shift(&self.kernels, x, y, lip)
    }

    /// What the skin about the eyes does while the lids shut; level 1 is shut.
    #[must_use]
    pub fn of_blinks(person: &Person, course: Course) -> Self {
        Self::plain(person, BLINK, course)
    }

    /// The lips' rounding for a vowel; level 1 is full.
    #[must_use]
    pub fn of_rounding(person: &Person, course: Course) -> Self {
        Self::plain(person, PUCKER, course)
    }

    fn plain(person: &Person, unit: u8, course: Course) -> Self {
        let kernels = kernels(unit, FaceSide::Both, &person.landmarks()).unwrap_or_default();
        Self { kernels, course }
    }
}

fn scale(kernels: &mut [Kernel], by: f32) {
    for k in kernels {
        k.shift.x *= by;
        k.shift.y *= by;
    }
}

fn vary(kernels: &mut [Kernel], jitter: &Jitter, dice: &mut Dice) {
    let left = 1.0 + 0.5 * jitter.sides * dice.normal_within(2.0);
    for k in kernels {
        let turn = jitter.direction_degrees / 360.0 * dice.normal_within(2.5);
        let (s, c) = (sine(turn) as f32, cosine(turn) as f32);
        let half = match k.center.x {
            x if x < -0.02 => left,
            x if x > 0.02 => 2.0 - left,
            _ => 1.0,
        };
        let strength = half * (1.0 + jitter.strength * dice.normal_within(2.0)).max(0.2);
        let (x, y) = (k.shift.x * strength as f32, k.shift.y * strength as f32);
        k.shift.x = c * x - s * y;
        k.shift.y = s * x + c * y;
        k.center.x += (jitter.place * dice.normal_within(2.5)) as f32;
        k.center.y += (jitter.place * dice.normal_within(2.5)) as f32;
    }
}

/// The largest displacement of the field, face units.
fn peak(kernels: &[Kernel]) -> f32 {
    const STEP: f32 = 0.04;
    let mut most = 0.0_f32;
    for row in 0..80 {
        for column in 0..64 {
            let (x, y) = ((column - 32) as f32 * STEP, row as f32 * STEP - 1.1);
            for lip in [Lip::Upper, Lip::Lower] {
                let s = shift(kernels, x, y, lip);
                most = most.max(s.x * s.x + s.y * s.y);
            }
        }
    }
    most.sqrt()
}
