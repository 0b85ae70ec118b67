//! What light and camera do: drift, flicker, exposure, white balance, noise.

use crate::media::synthetic::{Camera, Dice, Step, Track, Wave};

use super::recipe::Recipe;
use super::script::Span;

pub(super) fn camera(
    recipe: &Recipe,
    seconds: f64,
    fps: u32,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> Camera {
    let l = &recipe.light;
    let mut gain = Track::still(dice.within(l.gain));
    let height = dice.within(l.drift);
    gain.waves.push(Wave {
        height,
        period: dice.within(l.drift_secs),
        phase: dice.uniform(),
    });
    if height > 0.01 {
        spans.push(("light", 0.0, seconds));
    }
    if dice.chance(l.flicker_share) {
        // What a mains lamp's 100 Hz leaves after sampling by frames.
        let hertz = dice.within([0.5, 0.45 * f64::from(fps)]);
        gain.waves.push(Wave {
            height: dice.within(l.flicker),
            period: 1.0 / hertz,
            phase: dice.uniform(),
        });
        spans.push(("light", 0.0, seconds));
    }
    if dice.chance(l.exposure_share) {
        let [low, high] = l.exposure_steps;
        let count = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
        let mut level = 0.0;
        for _ in 0..count {
            let (at, secs) = (
                dice.within([0.5, seconds - 0.5]),
                dice.within(l.exposure_secs),
            );
            // Back after it went: the exposure stays near its middle.
            let sign = if level == 0.0 {
                dice.sign()
            } else {
                -f64::signum(level)
            };
            let by = sign * dice.within(l.exposure_step);
            level += by;
            gain.steps.push(Step { at, secs, by });
            spans.push(("exposure", at, at + secs));
        }
    }
    let (mut red, mut blue) = (Track::still(1.0), Track::still(1.0));
    if dice.chance(l.white_balance_share) {
        let (at, secs) = (
            dice.within([0.5, seconds - 0.5]),
            dice.within(l.white_balance_secs),
        );
        let by = dice.sign() * dice.within(l.white_balance_step);
        red.steps.push(Step { at, secs, by });
        blue.steps.push(Step { at, secs, by: -by });
        spans.push(("white_balance", at, at + secs));
    }
    let slope = |dice: &mut Dice| Track {
        base: dice.sign() * dice.within(l.slope),
        waves: vec![Wave {
            height: dice.within(l.slope_drift),
            period: dice.within(l.drift_secs),
            phase: dice.uniform(),
        }],
        ..Track::default()
    };
    let (slope_x, slope_y) = (slope(dice), slope(dice));
    let c = &recipe.camera;
    Camera {
        gain,
        red,
        blue,
        slope_x,
        slope_y,
        noise: dice.within(c.noise) as f32,
        smooth_noise: dice.chance(c.smooth_noise_share),
        shutter_secs: dice.within(c.shutter) / f64::from(fps),
    }
}
