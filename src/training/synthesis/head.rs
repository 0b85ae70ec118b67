//! How the head drifts, turns, nods and breathes.

use crate::media::synthetic::{Dice, HeadMotion, Person, Step, Swing, Track, Wave};

use super::recipe::{Range, Recipe};
use super::script::Span;

pub(super) fn turn_limits(recipe: &Recipe, person: &Person) -> (f64, f64) {
    const YAW_DEGREES: f64 = 9.0;
    const PITCH_DEGREES: f64 = 7.0;
    let (yaw, pitch) = (recipe.head.yaw_degrees, recipe.head.pitch_degrees);
    match person.photo_unit() {
        None => (yaw, pitch),
        Some(_) => (yaw.min(YAW_DEGREES), pitch.min(PITCH_DEGREES)),
    }
}

/// The head's six motions and the breath of the shoulders.
pub(super) fn head(
    recipe: &Recipe,
    turns: (f64, f64),
    seconds: f64,
    speaks: bool,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> (HeadMotion, Track) {
    let h = &recipe.head;
    let drift = |dice: &mut Dice, height: Range| -> Vec<Wave> {
        (0..2)
            .map(|_| Wave {
                height: 0.5 * dice.log_within([height[0].max(1e-6), height[1].max(1e-6)]),
                period: dice.within(h.drift_secs),
                phase: dice.uniform(),
            })
            .collect()
    };
    let mut motion = HeadMotion::still();
    motion.x.waves = drift(dice, h.drift_way);
    motion.y.waves = drift(dice, [0.6 * h.drift_way[0], 0.6 * h.drift_way[1]]);
    motion.zoom.waves = drift(dice, [0.2 * h.drift_way[0], 0.2 * h.drift_way[1]]);
    motion.roll.waves = drift(dice, [0.6 * h.drift_degrees[0], 0.6 * h.drift_degrees[1]]);
    motion.yaw.waves = drift(dice, h.drift_degrees);
    motion.pitch.waves = drift(dice, [0.7 * h.drift_degrees[0], 0.7 * h.drift_degrees[1]]);
    let unrest = dice.within(h.unrest_way);
    let tremor = dice.within(h.tremor_way);
    for track in [&mut motion.x, &mut motion.y] {
        track.waves.push(Wave {
            height: unrest,
            period: dice.within([0.5, 2.0]),
            phase: dice.uniform(),
        });
        track.waves.push(Wave {
            height: tremor,
            period: 1.0 / dice.within([6.0, 10.0]),
            phase: dice.uniform(),
        });
    }
    motion.yaw.waves.push(Wave {
        // The same unrest as a turn: one face unit is about 45° of the head's surface.
        height: 30.0 * unrest,
        period: dice.within([0.6, 2.5]),
        phase: dice.uniform(),
    });
    let period = 60.0 / dice.within(h.breaths_per_minute);
    let phase = dice.uniform();
    let way = dice.within(h.breath_way);
    let breath = Wave {
        height: way,
        period,
        phase,
    };
    motion.y.waves.push(Wave {
        height: 0.6 * way,
        phase: phase + 0.5,
        ..breath
    });
    motion.pitch.waves.push(Wave {
        height: 12.0 * way,
        ..breath
    });

    // Lasting turns, first where the head stands at the beginning.
    let limits = [
        (turns.0 - h.drift_degrees[1]).max(0.0),
        // Nods come on top.
        (turns.1 - h.drift_degrees[1] - 0.5 * h.nod_degrees[1]).max(0.0),
        (h.roll_degrees - h.drift_degrees[1]).max(0.0),
    ];
    let target = |dice: &mut Dice, limit: f64| {
        let reach = if dice.chance(h.wide_share) { 1.0 } else { 0.33 };
        reach * limit * dice.within([-1.0, 1.0])
    };
    for (track, limit) in [&mut motion.yaw, &mut motion.pitch, &mut motion.roll]
        .into_iter()
        .zip(limits)
    {
        track.base = 0.6 * target(dice, limit);
    }
    let rate = dice.within(h.turns_per_minute) / 60.0;
    let mut at = dice.wait_secs(rate.max(1e-6));
    let mut now = [motion.yaw.base, motion.pitch.base, motion.roll.base];
    while at < seconds {
        let secs = dice.log_within(h.turn_secs);
        // Most turns go sideways; each takes a little of the others along.
        let main = [0, 0, 0, 1, 1, 2][dice.below(6)];
        for axis in 0..3 {
            let wanted = target(dice, limits[axis]);
            let by = if axis == main {
                wanted - now[axis]
            } else {
                0.12 * (wanted - now[axis])
            };
            now[axis] += by;
            let track = match axis {
                0 => &mut motion.yaw,
                1 => &mut motion.pitch,
                _ => &mut motion.roll,
            };
            track.steps.push(Step { at, secs, by });
        }
        spans.push(("head", at, at + secs));
        at += secs + dice.wait_secs(rate.max(1e-6));
    }
    let rate = dice.within(h.nods_per_minute) / 60.0 + if speaks { 0.08 } else { 0.0 };
    let mut at = dice.wait_secs(rate.max(1e-6));
    while at < seconds {
        let swing = Swing {
            at,
            secs: dice.within(h.nod_secs),
            height: dice.within(h.nod_degrees),
            cycles: dice.within(h.nod_swings),
        };
        if dice.chance(0.7) {
            motion.pitch.swings.push(swing);
        } else {
            motion.yaw.swings.push(swing);
        }
        spans.push(("head", at, at + swing.secs));
        at += swing.secs + dice.wait_secs(rate.max(1e-6));
    }
    let rate = dice.within(h.moves_per_minute) / 60.0;
    let mut at = dice.wait_secs(rate.max(1e-6));
    motion.zoom.base = dice.within(h.zoom);
    let (mut x, mut y, mut zoom) = (0.0, 0.0, motion.zoom.base);
    while at < seconds {
        let secs = dice.log_within(h.move_secs);
        let way = dice.log_within(h.move_way);
        // Back towards the place it came from as often as away.
        let (tx, ty) = (way * dice.sign(), 0.5 * way * dice.sign());
        motion.x.steps.push(Step {
            at,
            secs,
            by: tx - x,
        });
        motion.y.steps.push(Step {
            at,
            secs,
            by: ty - y,
        });
        let tz = dice.within(h.zoom);
        motion.zoom.steps.push(Step {
            at,
            secs,
            by: tz - zoom,
        });
        (x, y, zoom) = (tx, ty, tz);
        spans.push(("head", at, at + secs));
        at += secs + dice.wait_secs(rate.max(1e-6));
    }
    let shoulders = Track {
        waves: vec![breath],
        ..Track::default()
    };
    (motion, shoulders)
}
