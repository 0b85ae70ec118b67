//! What a face does that is no expression: it blinks, looks about and talks.

use crate::media::synthetic::{Course, Dice, FaceSide, Jitter, Movement, Person, UnitMove};

use super::recipe::Recipe;
use super::script::{Levels, Span};

/// Levels of the lids, and when they blink.
pub(super) fn blinks(recipe: &Recipe, seconds: f64, dice: &mut Dice) -> (Levels, Vec<Span>) {
    let b = &recipe.blinks;
    let per_second = dice.within(b.per_minute) / 60.0;
    // Doubles come on top of the rate of the first ones.
    let rate = per_second / (1.0 + b.double_share);
    /// The lids stay open so long between two.
    const OPEN_SECS: f64 = 0.35;
    let (mut levels, mut spans) = (vec![(0.0, 0.0)], Vec::new());
    let mut at = 0.2 + dice.wait_secs(rate);
    while at < seconds - 0.1 {
        let twice = dice.chance(b.double_share);
        for _ in 0..if twice { 2 } else { 1 } {
            let secs = dice.within(b.secs);
            let depth = if dice.chance(b.partial_share) {
                dice.within(b.partial_depth)
            } else {
                1.0
            };
            // Shutting takes a third, the lids stay shut a moment, opening is slower.
            let (down, shut) = (0.32 * secs, 0.12 * secs);
            levels.extend([
                (at, 0.0),
                (at + down, depth),
                (at + down + shut, depth),
                (at + secs, 0.0),
            ]);
            spans.push(("blink", at, at + secs));
            at += secs + dice.within([0.03, 0.12]);
        }
        // Shorter waits make up for the time that blinks and the least rest take.
        let busy = OPEN_SECS + 0.5 * (b.secs[0] + b.secs[1]);
        let mean = (1.0 / rate - busy).max(0.2);
        at += OPEN_SECS + dice.wait_secs(1.0 / mean);
    }
    (levels, spans)
}

/// Levels of the gaze across and down.
pub(super) fn gaze(
    recipe: &Recipe,
    seconds: f64,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> (Levels, Levels) {
    let g = &recipe.gaze;
    let rate = dice.within(g.shifts_per_minute) / 60.0;
    let (mut x, mut y) = (0.0, 0.0);
    let (mut across, mut down) = (vec![(0.0, x)], vec![(0.0, y)]);
    let mut at = 0.1 + dice.wait_secs(rate.max(1e-6));
    while at < seconds {
        let secs = dice.within(g.shift_secs);
        // Half of the shifts are small, and every third returns to the middle.
        let reach = if dice.chance(0.5) { 1.0 } else { 0.3 };
        let (nx, ny) = if dice.chance(0.33) {
            (0.0, 0.0)
        } else {
            (
                reach * g.across * dice.within([-1.0, 1.0]),
                reach * g.down * dice.within([-1.0, 1.0]),
            )
        };
        across.extend([(at, x), (at + secs, nx)]);
        down.extend([(at, y), (at + secs, ny)]);
        spans.push(("gaze", at, at + secs));
        (x, y) = (nx, ny);
        at += secs + 0.12 + dice.wait_secs(rate.max(1e-6));
    }
    (across, down)
}

/// Movements of the mouth in spells of talk.
pub(super) fn talk(
    recipe: &Recipe,
    person: &Person,
    seconds: f64,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> Vec<Movement> {
    let t = &recipe.talking;
    let [low, high] = t.spells_in_20_seconds;
    let spells = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
    let spells = ((spells as f64 * seconds / 20.0 + 0.5) as usize).max(1);
    let quiet = Jitter {
        direction_degrees: 8.0,
        place: 0.02,
        strength: 0.2,
        sides: 0.1,
    };
    let mut movements = Vec::new();
    let slot = seconds / spells as f64;
    for spell in 0..spells {
        let secs = dice.within(t.spell_secs).min(slot - 0.6);
        if secs < 0.5 {
            continue;
        }
        let begin = slot * spell as f64 + 0.3 + dice.uniform() * (slot - 0.6 - secs);
        let peak_px = dice.within(t.peak_px);
        let hertz = dice.within(t.syllables_hz);
        // Jaw, lower lip alone, spread, upper lip, and rounding: each its own levels.
        let units: [(&[u8], f64, f64); 4] = [
            (&[26], 1.0, 0.9),
            (&[25], 0.5, 0.5),
            (&[20], 0.35, 0.35),
            (&[10], 0.25, 0.2),
        ];
        for (numbers, part, used) in units {
            let course = Course::Levels(syllables(begin, secs, hertz, used, dice));
            let moves: Vec<UnitMove> = numbers
                .iter()
                .map(|&unit| UnitMove {
                    unit,
                    side: FaceSide::Both,
                    share: 1.0,
                })
                .collect();
            let composed = Movement::of_units(person, &moves, part * peak_px, &quiet, course, dice);
            movements.extend(composed.map(|c| c.movement));
        }
        let rounding = syllables(begin, secs, hertz, 0.3, dice)
            .into_iter()
            .map(|(at, level)| (at, 0.25 * peak_px / t.peak_px[1] * level))
            .collect();
        movements.push(Movement::of_rounding(person, Course::Levels(rounding)));
        spans.push(("talk", begin, begin + secs));
    }
    movements
}

/// Irregular levels 0..1, back to 0 between words; `used` is the share of syllables
/// that move at all.
fn syllables(begin: f64, secs: f64, hertz: f64, used: f64, dice: &mut Dice) -> Levels {
    let mut levels = vec![(begin, 0.0)];
    let mut at = begin;
    loop {
        at += dice.within([0.6, 1.4]) / hertz;
        if dice.chance(0.08) {
            // A pause for breath.
            levels.push((at, 0.0));
            at += dice.within([0.15, 0.5]);
        }
        if at > begin + secs - 0.15 {
            break;
        }
        let level = if dice.chance(used) {
            dice.within([0.2, 1.0])
        } else {
            0.05
        };
        levels.push((at, level));
        at += 0.5 * dice.within([0.6, 1.2]) / hertz;
        if at > begin + secs - 0.15 {
            break;
        }
        levels.push((at, level * dice.within([0.05, 0.6])));
    }
    let last = levels.last().map_or(begin, |l| l.0);
    levels.push(((begin + secs).max(last + 0.05), 0.0));
    levels
}
