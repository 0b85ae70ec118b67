//! Which expressions a recording shows, when, how strongly.

use crate::media::synthetic::{
    Composed, Course, Dice, ExpressionKind, FaceSide, Jitter, Movement, Person, UnitMove,
};

use super::emotions::{COMBINATIONS, Combination};
use super::recipe::{ExpressionRecipe, Law, Range, Recipe};

/// An expression before it is tied to frames.
struct Planned {
    kind: ExpressionKind,
    /// Frames from onset to offset and to the end of the rise, of the hold.
    length: u64,
    rise: u64,
    hold: u64,
    peak_px: f64,
}

/// An expression and its movement: kind, emotion, course, what was composed.
pub(super) type Expression = (ExpressionKind, &'static str, Course, Composed);

pub(super) fn expressions(
    recipe: &Recipe,
    person: &Person,
    seconds: f64,
    fps: u32,
    dice: &mut Dice,
) -> (Vec<Expression>, Vec<Movement>) {
    /// Rest before the first and after the last.
    const BEGIN_SECS: f64 = 1.0;
    const END_SECS: f64 = 0.7;
    let e = &recipe.expressions;
    let [low, high] = e.in_20_seconds;
    let wanted = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
    let wanted = ((wanted as f64 * seconds / 20.0 + 0.5) as usize).max(1);
    let rate = f64::from(fps);
    let mut planned: Vec<Planned> = (0..wanted).map(|_| plan(e, fps, dice)).collect();
    let needed = |planned: &[Planned]| -> f64 {
        let frames: u64 = planned.iter().map(|p| p.length).sum();
        let rests = planned.len().saturating_sub(1) as f64;
        frames as f64 / rate + rests * e.rest_secs + BEGIN_SECS + END_SECS
    };
    // What does not fit is left out, the longest first, so that short ones stay.
    while needed(&planned) > seconds {
        let Some(longest) = (0..planned.len()).max_by_key(|&i| planned[i].length) else {
            break;
        };
        planned.remove(longest);
    }
    // The time that is left is divided at random between the rests.
    let spare = seconds - needed(&planned);
    let mut cuts: Vec<f64> = planned.iter().map(|_| dice.uniform() * spare).collect();
    cuts.sort_by(f64::total_cmp);
    let jitter = Jitter {
        direction_degrees: e.jitter.direction_degrees,
        place: e.jitter.place,
        strength: e.jitter.strength,
        sides: e.jitter.sides,
    };
    let mut used = BEGIN_SECS;
    let (mut expressions, mut movements) = (Vec::new(), Vec::new());
    for (plan, cut) in planned.iter().zip(cuts) {
        let onset = ((used + cut) * rate).ceil() as u64;
        used += plan.length as f64 / rate + e.rest_secs;
        let course = Course::Expression {
            onset: onset as f64 / rate,
            rise: plan.rise as f64 / rate,
            hold: plan.hold as f64 / rate,
            fall: (plan.length - plan.rise - plan.hold) as f64 / rate,
            lean: dice.within([-0.35, 0.35]),
            sag: if plan.hold > 0 {
                dice.within(e.macro_.sag)
            } else {
                0.0
            },
        };
        let often = |c: &Combination| c.weight.powf(e.combination_power);
        let combination = COMBINATIONS[dice.weighted(COMBINATIONS.iter().map(often))];
        let side = match dice.below(2) {
            _ if !combination.one_sided || !dice.chance(e.one_sided_share) => FaceSide::Both,
            0 => FaceSide::ImageLeft,
            _ => FaceSide::ImageRight,
        };
        let units: Vec<UnitMove> = combination
            .units
            .iter()
            .map(|&unit| UnitMove {
                unit,
                side,
                share: dice.within(e.unit_balance) as f32,
            })
            .collect();
        let Some(composed) =
            Movement::of_units(person, &units, plan.peak_px, &jitter, course.clone(), dice)
        else {
            continue;
        };
        movements.push(composed.movement.clone());
        expressions.push((plan.kind, combination.emotion, course, composed));
    }
    (expressions, movements)
}

fn amplitude(range: Range, law: Law, dice: &mut Dice) -> f64 {
    match law {
        Law::Even => dice.within(range),
        Law::EvenInLog => dice.log_within(range),
    }
}

fn plan(e: &ExpressionRecipe, fps: u32, dice: &mut Dice) -> Planned {
    let rate = f64::from(fps);
    let frames = |secs: f64| (secs * rate + 0.5) as u64;
    if dice.chance(e.micro_share) {
        let m = &e.micro;
        // Half a second and the frame rate say how long it may be.
        let most = u64::from(fps / 2).max(2);
        let (low, high) = (frames(m.secs[0]).max(2), frames(m.secs[1]).min(most));
        let length = low + dice.below((high.saturating_sub(low) + 1) as usize) as u64;
        let rise = ((dice.within(m.rise_share) * length as f64 + 0.5) as u64).clamp(1, length - 1);
        let hold = (dice.within(m.hold_share) * length as f64) as u64;
        return Planned {
            kind: ExpressionKind::Micro,
            length,
            rise,
            hold: hold.min(length - rise - 1),
            peak_px: amplitude(m.peak_px, m.peak_law, dice),
        };
    }
    let m = &e.macro_;
    let secs = if dice.chance(m.long_share) {
        dice.within(m.long_secs)
    } else {
        // Short ones are commoner than long ones.
        dice.log_within(m.secs)
    };
    let length = frames(secs).max(u64::from(fps / 2) + 2);
    let mut rise = dice.within(m.rise_secs);
    let mut fall = dice.within(m.fall_secs);
    let both = rise + fall;
    if both > secs {
        // No time to hold: it rises and falls.
        rise *= secs / both;
        fall *= secs / both;
    }
    let rise = frames(rise).clamp(1, length - 2);
    let fall = frames(fall).clamp(1, length - rise);
    Planned {
        kind: ExpressionKind::Macro,
        length,
        rise,
        hold: length - rise - fall,
        peak_px: amplitude(m.peak_px, m.peak_law, dice),
    }
}
