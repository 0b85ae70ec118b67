//! What a drawn person looks like: tones, hair, lids, spectacles.

use super::arithmetic::mix3;
use super::dice::Dice;
use super::skin::Rgb;

/// Colours are linear light, strengths 1 on the plain face.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    pub(super) skin: Rgb,
    /// The skin where blood shows.
    pub(super) flush: Rgb,
    pub(super) grain: f32,
    pub(super) blotches: f32,
    pub(super) freckles: f32,
    /// Pores, 0 on the plain face.
    pub(super) pores: f32,
    /// Place and radius in face units.
    pub(super) moles: Vec<(f32, f32, f32)>,
    /// Lines of age, 0 on the plain face.
    pub(super) wrinkles: f32,
    /// 0 none .. 1 a day or two.
    pub(super) stubble: f32,
    /// 0 none .. 1 a full beard.
    pub(super) beard: f32,
    pub(super) upper_lip: Rgb,
    pub(super) lower_lip: Rgb,
    /// What darkens creases, times the plain face's.
    pub(super) crease: f32,
    pub(super) iris: Rgb,
    pub(super) iris_ring: Rgb,
    pub(super) lashes: f32,
    pub(super) brow: Rgb,
    pub(super) brow_thickness: f32,
    pub(super) brow_density: f32,
    pub(super) hair: HairLook,
    pub(super) glasses: Option<Glasses>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct HairLook {
    pub(super) cut: HairCut,
    pub(super) dark: Rgb,
    pub(super) body: Rgb,
    pub(super) shine: Rgb,
    /// Roughness of its edge, 1 on the plain face; curls beyond 2.
    pub(super) curl: f32,
    /// Worn the other way round.
    pub(super) mirrored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HairCut {
    Bob,
    Long,
    Fringe,
    TiedBack,
    Short,
    Cropped,
    Receding,
    Bald,
}

impl HairCut {
    /// Whether the ears show.
    pub(super) fn shows_ears(self) -> bool {
        !matches!(self, Self::Bob | Self::Long | Self::Fringe)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glasses {
    pub(super) frame: Rgb,
    /// Half the width and height of a lens, face units.
    pub(super) half: (f32, f32),
    /// 2 an ellipse, more a rounded rectangle.
    pub(super) squareness: f32,
    pub(super) thickness: f32,
    /// Share of the light that the lenses mirror.
    pub(super) reflection: f32,
}

impl Look {
    /// The face of the bundled clip.
    #[must_use]
    pub(super) fn plain() -> Self {
        Self {
            skin: [0.640, 0.385, 0.285],
            flush: [0.62, 0.285, 0.215],
            grain: 1.0,
            blotches: 1.0,
            freckles: 1.0,
            pores: 0.0,
            moles: Vec::new(),
            wrinkles: 0.0,
            stubble: 0.0,
            beard: 0.0,
            upper_lip: [0.475, 0.175, 0.155],
            lower_lip: [0.545, 0.215, 0.185],
            crease: 1.0,
            iris: [0.125, 0.125, 0.095],
            iris_ring: [0.20, 0.115, 0.050],
            lashes: 1.0,
            brow: [0.050, 0.029, 0.019],
            brow_thickness: 1.0,
            brow_density: 1.0,
            hair: HairLook {
                cut: HairCut::Bob,
                dark: [0.026, 0.013, 0.008],
                body: [0.120, 0.058, 0.030],
                shine: [0.44, 0.265, 0.160],
                curl: 1.0,
                mirrored: false,
            },
            glasses: None,
        }
    }

    /// A person out of many: skin of all tones, hair that goes with it, beards and
    /// spectacles as often as in a street.
    #[must_use]
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let tone = dice.uniform() as f32;
        let skin = skin_tone(tone, dice);
        let age = dice.uniform() as f32;
        let bearded = dice.chance(0.42);
        let hair = hair(tone, age, bearded, dice);
        let brow_mix = 0.25 + 0.35 * dice.uniform() as f32;
        let brow = mix3(hair.dark, hair.body, brow_mix).map(|v| v.min(0.16));
        let rouge = if bearded {
            0.0
        } else {
            0.55 * dice.uniform() as f32
        };
        let lip = mix3(
            [skin[0] * 0.86, skin[1] * 0.60, skin[2] * 0.66],
            [0.46, 0.07 + 0.06 * dice.uniform() as f32, 0.10],
            rouge,
        );
        let shade = dice.within([0.80, 0.93]) as f32;
        let (iris, iris_ring) = iris(tone, dice);
        let (stubble, beard) = match dice.below(5) {
            _ if !bearded => (0.0, 0.0),
            0 => (0.0, 0.0),
            1 | 2 => (dice.within([0.3, 1.0]) as f32, 0.0),
            3 => (0.6, dice.within([0.35, 0.7]) as f32),
            _ => (1.0, dice.within([0.7, 1.0]) as f32),
        };
        let moles = (0..dice.below(6))
            .map(|_| {
                let x = dice.within([-0.95, 0.95]) as f32;
                let y = dice.within([-0.85, 1.60]) as f32;
                (x, y, dice.within([0.012, 0.032]) as f32)
            })
            .collect();
        Self {
            skin,
            flush: [skin[0] * 0.97, skin[1] * 0.76, skin[2] * 0.77],
            grain: dice.within([0.7, 2.0]) as f32,
            blotches: dice.within([0.6, 2.6]) as f32,
            freckles: if dice.chance(0.35) {
                dice.within([0.5, 1.5]) as f32
            } else {
                dice.within([0.0, 0.3]) as f32
            },
            pores: dice.within([0.1, 1.0]) as f32,
            moles,
            wrinkles: (1.3 * age - 0.3).max(0.05),
            stubble,
            beard,
            upper_lip: [lip[0] * shade, lip[1] * shade, lip[2] * shade],
            lower_lip: lip,
            crease: (skin[0] / 0.640).clamp(0.12, 1.1),
            iris,
            iris_ring,
            lashes: if bearded {
                0.55
            } else {
                dice.within([0.6, 1.25]) as f32
            },
            brow,
            brow_thickness: if bearded {
                dice.within([0.9, 1.7]) as f32
            } else {
                dice.within([0.6, 1.3]) as f32
            },
            brow_density: dice.within([0.75, 1.1]) as f32,
            hair,
            glasses: dice.chance(0.28).then(|| glasses(dice)),
        }
    }
}

/// 0 the lightest, 1 the darkest.
fn skin_tone(tone: f32, dice: &mut Dice) -> Rgb {
    const TONES: [Rgb; 5] = [
        [0.760, 0.520, 0.430],
        [0.660, 0.415, 0.310],
        [0.520, 0.300, 0.200],
        [0.330, 0.175, 0.110],
        [0.165, 0.088, 0.058],
    ];
    let place = tone * 3.999;
    let i = place as usize;
    let between = mix3(TONES[i], TONES[i + 1], place - i as f32);
    let warmth = dice.within([-0.05, 0.05]) as f32;
    [
        between[0],
        between[1] * (1.0 + warmth),
        between[2] * (1.0 + 1.6 * warmth),
    ]
}

fn hair(tone: f32, age: f32, bearded: bool, dice: &mut Dice) -> HairLook {
    // Darkest strands, body, shine.
    const BLACK: [Rgb; 3] = [
        [0.006, 0.005, 0.005],
        [0.026, 0.021, 0.020],
        [0.21, 0.20, 0.20],
    ];
    const BROWN: [Rgb; 3] = [
        [0.026, 0.013, 0.008],
        [0.120, 0.058, 0.030],
        [0.44, 0.265, 0.160],
    ];
    const BLOND: [Rgb; 3] = [
        [0.110, 0.068, 0.028],
        [0.420, 0.285, 0.135],
        [0.86, 0.68, 0.42],
    ];
    const RED: [Rgb; 3] = [
        [0.060, 0.016, 0.006],
        [0.270, 0.082, 0.026],
        [0.66, 0.33, 0.16],
    ];
    const GREY: [Rgb; 3] = [
        [0.090, 0.088, 0.086],
        [0.320, 0.315, 0.310],
        [0.80, 0.80, 0.79],
    ];
    let (one, two) = if dice.chance(f64::from(0.75 * (age - 0.5).max(0.0) + 0.02)) {
        (GREY, if dice.chance(0.5) { BLACK } else { GREY })
    } else if tone > 0.55 {
        (BLACK, BLACK)
    } else {
        let pairs = [
            (BLACK, BROWN),
            (BROWN, BROWN),
            (BROWN, BLOND),
            (BLOND, BLOND),
            (RED, BROWN),
            (BLACK, BLACK),
        ];
        pairs[dice.below(pairs.len())]
    };
    let share = dice.uniform() as f32;
    let mixed = |i: usize| mix3(one[i], two[i], share);
    let cut = if bearded {
        [
            HairCut::Short,
            HairCut::Short,
            HairCut::Cropped,
            HairCut::Receding,
            HairCut::Bald,
            HairCut::TiedBack,
        ][dice.below(6)]
    } else {
        [
            HairCut::Bob,
            HairCut::Long,
            HairCut::Fringe,
            HairCut::TiedBack,
            HairCut::Short,
            HairCut::Cropped,
        ][dice.below(6)]
    };
    HairLook {
        cut,
        dark: mixed(0),
        body: mixed(1),
        shine: mixed(2),
        curl: if dice.chance(if tone > 0.6 { 0.6 } else { 0.25 }) {
            dice.within([2.0, 4.5]) as f32
        } else {
            dice.within([0.7, 1.6]) as f32
        },
        mirrored: dice.chance(0.5),
    }
}

fn iris(tone: f32, dice: &mut Dice) -> (Rgb, Rgb) {
    const BROWN: (Rgb, Rgb) = ([0.085, 0.042, 0.020], [0.110, 0.055, 0.024]);
    const DARK: (Rgb, Rgb) = ([0.036, 0.019, 0.012], [0.045, 0.022, 0.013]);
    const BLUE: (Rgb, Rgb) = ([0.110, 0.165, 0.230], [0.170, 0.190, 0.190]);
    const GREEN: (Rgb, Rgb) = ([0.115, 0.135, 0.075], [0.200, 0.130, 0.050]);
    const GREY: (Rgb, Rgb) = ([0.125, 0.125, 0.095], [0.200, 0.115, 0.050]);
    if tone > 0.45 {
        [BROWN, DARK, DARK][dice.below(3)]
    } else {
        [BROWN, BROWN, BLUE, BLUE, GREEN, GREY, DARK][dice.below(7)]
    }
}

fn glasses(dice: &mut Dice) -> Glasses {
    let metal = dice.chance(0.4);
    let frame = match dice.below(4) {
        _ if metal => [0.055, 0.050, 0.046],
        0 => [0.10, 0.035, 0.018],
        1 => [0.03, 0.04, 0.09],
        _ => [0.012, 0.011, 0.011],
    };
    Glasses {
        frame,
        half: (
            dice.within([0.36, 0.43]) as f32,
            dice.within([0.22, 0.33]) as f32,
        ),
        squareness: dice.within([2.0, 5.0]) as f32,
        thickness: if metal {
            0.022
        } else {
            dice.within([0.022, 0.048]) as f32
        },
        reflection: dice.within([0.0, 0.10]) as f32,
    }
}
