//! What surrounds a drawn person: light, backdrop, clothes.

use super::arithmetic::{cosine, hill, mix, mix3, noise, scramble, sine, smoothstep};
use super::dice::Dice;
use super::skin::Rgb;

/// The lights of one scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Light {
    /// Towards the main light: x right, y down, z to the camera; length 1.
    pub(super) key: Rgb,
    pub(super) fill: Rgb,
    pub(super) key_level: f32,
    pub(super) fill_level: f32,
    /// Light from everywhere, times the plain scene's.
    pub(super) ambient: f32,
    /// How strongly the skin mirrors the key light.
    pub(super) gloss: f32,
}

impl Light {
    /// From the picture's upper left, with a weak, cool fill from the right.
    #[must_use]
    pub(super) const fn plain() -> Self {
        Self {
            key: [-0.42, -0.50, 0.757],
            fill: [0.68, -0.08, 0.729],
            key_level: 0.92,
            fill_level: 0.20,
            ambient: 1.0,
            gloss: 1.0,
        }
    }

    /// Light of a photograph that nobody knows: soft, from the front and above.
    #[must_use]
    pub(super) const fn soft() -> Self {
        Self {
            key: [0.0, -0.35, 0.937],
            key_level: 0.55,
            ambient: 1.7,
            ..Self::plain()
        }
    }

    fn drawn(dice: &mut Dice) -> Self {
        let side = dice.within([-0.15, 0.15]);
        let high = dice.within([-0.01, 0.13]);
        let (across, up) = (sine(side), sine(high));
        let flat = cosine(high);
        let key_level = dice.within([0.45, 1.0]) as f32;
        let opposite = if side > 0.0 { -1.0 } else { 1.0 };
        Self {
            key: [
                (across * flat) as f32,
                -up as f32,
                (cosine(side) * flat) as f32,
            ],
            fill: [0.68 * opposite, -0.08, 0.729],
            key_level,
            fill_level: dice.within([0.10, 0.45]) as f32,
            // The less comes from the key, the more from everywhere.
            ambient: (1.0 + 2.0 * (0.92 - key_level)) * dice.within([0.8, 1.3]) as f32,
            gloss: dice.within([0.2, 1.5]) as f32,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wall {
    /// Lighter around the head.
    Glow,
    Plaster,
    Shelves,
    Window,
    Boards,
    Curtain,
}

/// Light, backdrop and clothes of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub(super) light: Light,
    pub(super) cloth: Rgb,
    pub(super) cloth_contrast: f32,
    wall: Wall,
    near: Rgb,
    far: Rgb,
    seed: u64,
}

impl Scene {
    /// A scene out of many, by its own dice.
    #[must_use]
    pub fn drawn(dice: &mut Dice) -> Self {
        let light = Light::drawn(dice);
        let level = dice.log_within([0.04, 0.55]) as f32;
        let tint = |dice: &mut Dice| 1.0 + dice.within([-0.22, 0.22]) as f32;
        let near = [level * tint(dice), level * tint(dice), level * tint(dice)];
        let contrast = dice.within([0.25, 0.9]) as f32;
        let far = near.map(|v| v * contrast);
        let walls = [
            Wall::Glow,
            Wall::Plaster,
            Wall::Shelves,
            Wall::Window,
            Wall::Boards,
            Wall::Curtain,
        ];
        let cloth_level = dice.log_within([0.015, 0.6]);
        let hue = |dice: &mut Dice| (cloth_level * dice.within([0.45, 1.0])) as f32;
        Self {
            light,
            cloth: [hue(dice), hue(dice), hue(dice)],
            cloth_contrast: dice.within([0.5, 2.0]) as f32,
            wall: walls[dice.below(walls.len())],
            near,
            far,
            seed: dice.bits(),
        }
    }

    /// The wall at a place of the picture: `x`, `y` in picture heights from its middle.
    #[must_use]
    pub(super) fn backdrop(&self, x: f32, y: f32) -> Rgb {
        let s = self.seed;
        let glow = hill((x - 0.11) / 0.55, (y + 0.05) / 0.5);
        let plain = mix3(self.far, self.near, glow);
        let scaled = |c: Rgb, by: f32| c.map(|v| v * by);
        match self.wall {
            Wall::Glow => plain,
            Wall::Plaster => {
                let rough = noise(x * 60.0, y * 60.0, s)
                    + noise(x * 130.0, y * 130.0, s ^ 1)
                    + 0.8 * noise(x * 9.0, y * 9.0, s ^ 2);
                scaled(plain, 1.0 + 0.07 * rough)
            }
            Wall::Shelves => self.shelves(x, y),
            Wall::Window => {
                // Out of focus: soft edges.
                let (left, top) = (mix(-0.55, 0.25, self.part(3)), -0.45);
                let inside = smoothstep(-0.03, 0.03, x - left)
                    * smoothstep(0.03, -0.03, x - left - 0.45)
                    * smoothstep(-0.03, 0.03, y - top)
                    * smoothstep(0.03, -0.03, y - top - 0.7);
                let bar = 1.0 - 0.8 * hill((x - left - 0.22) / 0.012, 0.0);
                let sky = 0.55 + 0.25 * noise(x * 4.0, y * 4.0, s ^ 4);
                mix3(plain, [sky * 0.92, sky * 0.98, sky * 1.05], inside * bar)
            }
            Wall::Boards => {
                let width = mix(0.06, 0.16, self.part(5));
                let n = (x / width).floor();
                let tone = 0.8 + 0.2 * noise(n * 7.3, 0.5, s ^ 6);
                let joint =
                    1.0 - 0.5 * hill((x - (n + 0.5) * width) / width / 0.03 - 0.5 / 0.03, 0.0);
                let grain = noise(x * 90.0, y * 6.0, s ^ 7);
                scaled(plain, (tone + 0.06 * grain) * joint)
            }
            Wall::Curtain => {
                let fold = noise(x * 14.0 + 0.3 * y, y * 0.7, s ^ 8)
                    + 0.5 * noise(x * 33.0, y * 1.1, s ^ 9);
                scaled(plain, 1.0 + 0.28 * fold)
            }
        }
    }

    /// Books of many colours in rows, a little out of focus.
    fn shelves(&self, x: f32, y: f32) -> Rgb {
        let row_height = 0.24;
        let row = (y / row_height + 10.0).floor();
        let in_row = y / row_height + 10.0 - row;
        let board = smoothstep(0.90, 0.94, in_row);
        let width = mix(0.025, 0.05, self.part(10));
        let place = x / width + 7.0 * noise(row * 3.1, 0.5, self.seed ^ 11);
        let book = place.floor();
        let key = scramble(self.seed ^ (book as i64 as u64) ^ ((row as u64) << 32));
        let byte = |shift: u32| ((key >> shift) & 0xff) as f32 / 255.0;
        let tall = 0.35 * byte(0);
        let over = smoothstep(tall - 0.02, tall + 0.02, in_row);
        let spine = [0.4 + byte(8), 0.4 + byte(16), 0.4 + byte(24)];
        let edge = 1.0 - 0.5 * smoothstep(0.35, 0.5, (place - book - 0.5).abs());
        let title = 1.0 + 0.5 * byte(40) * hill((in_row - 0.6) / 0.04, (place - book - 0.5) / 0.25);
        let mut c = [0, 1, 2].map(|k| 0.6 * self.near[k] * spine[k] * edge * title);
        c = mix3(self.far.map(|v| 0.4 * v), c, over);
        mix3(c, self.near.map(|v| 0.8 * v), board)
    }

    /// A fixed number 0..1 of this scene.
    fn part(&self, k: u64) -> f32 {
        (scramble(self.seed ^ (0x51 + k)) >> 40) as f32 / 16_777_216.0
    }
}
