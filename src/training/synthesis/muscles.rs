//! Which patches of skin each action unit pulls, and how far the face then moves.
//!
//! Forces act where the muscle's fibres end in the skin (Hager, Ekman, Friesen,
//! FACS 2002, for what is seen; insertions after common anatomy). Their size is set
//! afterwards so that one reference place moves as far as measured at full strength;
//! how the motion spreads is left to [`super::skin_mechanics`].

use super::draws::{Draws, turn};
use super::skin_mechanics::{Field, Patch, Sheet, sample};

/// Face units; x outward for paired pulls, y down.
struct Pull {
    center: (f64, f64),
    sigma: (f64, f64),
    force: (f64, f64),
    paired: bool,
}

const fn pair(center: (f64, f64), sigma: (f64, f64), force: (f64, f64)) -> Pull {
    Pull {
        center,
        sigma,
        force,
        paired: true,
    }
}

const fn middle(center: (f64, f64), sigma: (f64, f64), force: (f64, f64)) -> Pull {
    Pull {
        center,
        sigma,
        force,
        paired: false,
    }
}

struct Muscle {
    unit: u8,
    pulls: &'static [Pull],
    /// Where the displacement at full strength is known, and its length.
    reference: (f64, f64),
    reach: f64,
}

const MUSCLES: [Muscle; 20] = [
    // Inner frontalis.
    Muscle {
        unit: 1,
        pulls: &[
            pair((0.30, -0.34), (0.15, 0.09), (0.02, -1.0)),
            pair((0.30, -0.56), (0.18, 0.15), (0.0, -0.6)),
        ],
        reference: (0.30, -0.34),
        reach: 0.15,
    },
    // Outer frontalis.
    Muscle {
        unit: 2,
        pulls: &[
            pair((0.72, -0.36), (0.17, 0.09), (0.05, -1.0)),
            pair((0.66, -0.57), (0.18, 0.15), (0.0, -0.5)),
        ],
        reference: (0.72, -0.36),
        reach: 0.14,
    },
    // Corrugator, depressor supercilii, procerus.
    Muscle {
        unit: 4,
        pulls: &[
            pair((0.52, -0.37), (0.16, 0.08), (-0.8, 0.36)),
            pair((0.27, -0.31), (0.12, 0.09), (-0.6, 0.9)),
            pair((0.17, -0.16), (0.07, 0.10), (-0.15, 0.6)),
            middle((0.0, -0.28), (0.12, 0.14), (0.0, 1.0)),
        ],
        reference: (0.27, -0.31),
        reach: 0.12,
    },
    // Levator of the upper lid.
    Muscle {
        unit: 5,
        pulls: &[pair((0.51, -0.10), (0.14, 0.04), (0.0, -1.0))],
        reference: (0.51, -0.09),
        reach: 0.07,
    },
    // Orbicularis oculi, outer ring: towards the inner corner.
    Muscle {
        unit: 6,
        pulls: &[
            pair((0.55, 0.34), (0.22, 0.12), (-0.15, -1.0)),
            pair((0.83, 0.12), (0.12, 0.15), (-0.8, -0.2)),
            pair((0.80, -0.22), (0.14, 0.10), (-0.3, 0.4)),
            pair((0.52, 0.12), (0.16, 0.05), (-0.2, -0.7)),
        ],
        reference: (0.55, 0.30),
        reach: 0.08,
    },
    // Orbicularis oculi, lids.
    Muscle {
        unit: 7,
        pulls: &[
            pair((0.50, 0.10), (0.15, 0.04), (-0.25, -1.0)),
            pair((0.50, -0.10), (0.15, 0.04), (0.0, 0.7)),
            pair((0.76, 0.02), (0.07, 0.08), (-0.6, 0.0)),
        ],
        reference: (0.50, 0.09),
        reach: 0.05,
    },
    // Levator labii superioris alaeque nasi, with the procerus.
    Muscle {
        unit: 9,
        pulls: &[
            pair((0.18, 0.60), (0.09, 0.12), (-0.1, -1.0)),
            pair((0.20, 0.96), (0.11, 0.09), (0.0, -0.7)),
            pair((0.13, 0.18), (0.08, 0.14), (0.0, -0.5)),
            pair((0.24, -0.27), (0.10, 0.08), (-0.4, 0.8)),
            middle((0.0, -0.15), (0.10, 0.12), (0.0, 0.9)),
        ],
        reference: (0.19, 0.62),
        reach: 0.08,
    },
    // Levator labii superioris.
    Muscle {
        unit: 10,
        pulls: &[
            pair((0.20, 1.00), (0.13, 0.08), (0.1, -1.0)),
            pair((0.33, 0.80), (0.11, 0.14), (0.12, -0.8)),
            pair((0.22, 0.66), (0.07, 0.08), (0.2, -0.5)),
        ],
        reference: (0.22, 1.02),
        reach: 0.085,
    },
    // Zygomaticus major: the corner, and the cheek along its fibres.
    Muscle {
        unit: 12,
        pulls: &[
            pair((0.42, 1.10), (0.10, 0.09), (0.66, -0.75)),
            pair((0.55, 0.92), (0.12, 0.12), (0.5, -0.75)),
            pair((0.68, 0.72), (0.14, 0.14), (0.25, -0.5)),
            pair((0.26, 1.02), (0.10, 0.07), (0.15, -0.3)),
        ],
        reference: (0.42, 1.10),
        reach: 0.135,
    },
    // Buccinator: the corner and the skin beside it towards each other.
    Muscle {
        unit: 14,
        pulls: &[
            pair((0.40, 1.12), (0.08, 0.07), (0.8, 0.0)),
            pair((0.66, 1.10), (0.10, 0.13), (-0.5, 0.0)),
            pair((0.50, 0.94), (0.09, 0.08), (0.0, 0.4)),
            pair((0.50, 1.28), (0.10, 0.08), (0.0, -0.5)),
            middle((0.0, 1.26), (0.18, 0.06), (0.0, -0.4)),
        ],
        reference: (0.41, 1.12),
        reach: 0.06,
    },
    // Depressor anguli oris.
    Muscle {
        unit: 15,
        pulls: &[
            pair((0.42, 1.14), (0.10, 0.09), (0.05, 1.0)),
            pair((0.48, 1.36), (0.11, 0.12), (0.05, 0.5)),
            pair((0.58, 0.95), (0.12, 0.12), (-0.15, 0.3)),
        ],
        reference: (0.42, 1.13),
        reach: 0.10,
    },
    // Depressor labii inferioris.
    Muscle {
        unit: 16,
        pulls: &[pair((0.12, 1.27), (0.13, 0.07), (0.15, 1.0))],
        reference: (0.10, 1.27),
        reach: 0.08,
    },
    // Mentalis: chin boss up, the lower lip with it.
    Muscle {
        unit: 17,
        pulls: &[
            pair((0.11, 1.56), (0.12, 0.11), (-0.1, -1.0)),
            middle((0.0, 1.38), (0.18, 0.07), (0.0, -0.6)),
            middle((0.0, 1.24), (0.18, 0.05), (0.0, -0.3)),
        ],
        reference: (0.08, 1.52),
        reach: 0.11,
    },
    // Incisive muscles: corners to the middle, lips forward.
    Muscle {
        unit: 18,
        pulls: &[
            pair((0.38, 1.12), (0.10, 0.09), (-1.0, 0.0)),
            pair((0.15, 1.03), (0.12, 0.06), (-0.4, -0.2)),
            pair((0.15, 1.26), (0.12, 0.06), (-0.4, 0.2)),
        ],
        reference: (0.40, 1.12),
        reach: 0.08,
    },
    // Risorius and platysma.
    Muscle {
        unit: 20,
        pulls: &[
            pair((0.42, 1.12), (0.10, 0.09), (1.0, 0.15)),
            pair((0.64, 1.18), (0.12, 0.14), (0.6, 0.15)),
            pair((0.45, 1.45), (0.16, 0.14), (0.3, 0.5)),
        ],
        reference: (0.42, 1.12),
        reach: 0.09,
    },
    // Orbicularis oris, inner: lips tightened.
    Muscle {
        unit: 23,
        pulls: &[
            pair((0.36, 1.12), (0.10, 0.07), (-0.8, 0.0)),
            middle((0.0, 1.03), (0.22, 0.04), (0.0, 0.6)),
            middle((0.0, 1.26), (0.22, 0.04), (0.0, -0.7)),
        ],
        reference: (0.05, 1.25),
        reach: 0.045,
    },
    // Orbicularis oris, outer: lips pressed together.
    Muscle {
        unit: 24,
        pulls: &[
            middle((0.0, 1.00), (0.26, 0.07), (0.0, 0.8)),
            middle((0.0, 1.29), (0.26, 0.08), (0.0, -1.0)),
            pair((0.40, 1.12), (0.12, 0.10), (-0.7, 0.1)),
            pair((0.62, 0.95), (0.15, 0.15), (-0.3, 0.2)),
        ],
        reference: (0.05, 1.27),
        reach: 0.055,
    },
    // Lips part.
    Muscle {
        unit: 25,
        pulls: &[
            middle((0.0, 1.24), (0.17, 0.06), (0.0, 1.0)),
            middle((0.0, 1.04), (0.16, 0.05), (0.0, -0.35)),
        ],
        reference: (0.0, 1.24),
        reach: 0.07,
    },
    // The jaw drops: chin and lower lip with the bone.
    Muscle {
        unit: 26,
        pulls: &[
            middle((0.0, 1.68), (0.42, 0.20), (0.0, 1.0)),
            middle((0.0, 1.35), (0.30, 0.12), (0.0, 0.6)),
            pair((0.62, 1.40), (0.20, 0.20), (0.0, 0.35)),
        ],
        reference: (0.0, 1.60),
        reach: 0.13,
    },
    // Lids drooping or narrowed from above.
    Muscle {
        unit: 43,
        pulls: &[pair((0.51, -0.09), (0.15, 0.04), (0.0, 1.0))],
        reference: (0.51, -0.08),
        reach: 0.06,
    },
];

/// Whether the studio can move this action unit.
pub(super) fn known(unit: u8) -> bool {
    MUSCLES.iter().any(|m| m.unit == unit)
}

/// Which half of the picture moves, with what share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sides {
    pub(super) image_left: f64,
    pub(super) image_right: f64,
}

/// One action unit at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contraction {
    pub(super) unit: u8,
    /// Share of full strength, 0..1 and a little beyond.
    pub(super) strength: f64,
    /// Times `strength`; negative where the muscle relaxes.
    pub(super) sides: Sides,
}

/// A face's answers to every muscle's pulls.
pub(super) struct Musculature {
    /// For every muscle, pull and side (one for the middle) the answers to unit
    /// forces along x and y.
    answers: Vec<Vec<[Option<[Field; 2]>; 2]>>,
}

impl Musculature {
    /// Draws a skin and where this person's muscles end, and solves every pull.
    pub(super) fn new(draws: &mut Draws) -> Self {
        let sheet = Sheet::new(draws);
        let answers = (MUSCLES.iter())
            .map(|muscle| {
                (muscle.pulls.iter())
                    .map(|pull| {
                        let shift = (0.035 * draws.normal(), 0.035 * draws.normal());
                        let wide = draws.log_normal(1.0, 0.15);
                        let mut solve = |side: f64| {
                            let own = (0.015 * draws.normal(), 0.015 * draws.normal());
                            let x = if pull.paired {
                                side * (pull.center.0 + shift.0 + own.0)
                            } else {
                                0.4 * shift.0
                            };
                            sheet.pulled(Patch {
                                center: (x, pull.center.1 + shift.1 + own.1),
                                sigma: (pull.sigma.0 * wide, pull.sigma.1 * wide),
                            })
                        };
                        if pull.paired {
                            [Some(solve(-1.0)), Some(solve(1.0))]
                        } else {
                            [Some(solve(1.0)), None]
                        }
                    })
                    .collect()
            })
            .collect();
        Self { answers }
    }

    /// Adds one contraction's motion to `field`, its pulls' directions and shares
    /// drawn anew.
    pub(super) fn contract(&self, field: &mut Field, what: Contraction, draws: &mut Draws) {
        let Some(index) = MUSCLES.iter().position(|m| m.unit == what.unit) else {
            return;
        };
        let muscle = &MUSCLES[index];
        let mut motion = vec![[0.0_f32; 2]; field.len()];
        for (pull, answers) in muscle.pulls.iter().zip(&self.answers[index]) {
            let share = draws.log_normal(1.0, 0.30);
            let (sine, cosine) = turn((0.22 * draws.normal()).clamp(-0.7, 0.7));
            let force = (
                share * (cosine * pull.force.0 - sine * pull.force.1),
                share * (sine * pull.force.0 + cosine * pull.force.1),
            );
            let sides = [what.sides.image_left, what.sides.image_right];
            for (side, answer) in answers.iter().enumerate() {
                let Some([along_x, along_y]) = answer else {
                    continue;
                };
                let (weight, outward) = if pull.paired {
                    (sides[side], if side == 0 { -1.0 } else { 1.0 })
                } else {
                    (0.5 * (sides[0] + sides[1]), 1.0)
                };
                let (fx, fy) = (
                    (weight * outward * force.0) as f32,
                    (weight * force.1) as f32,
                );
                for ((m, ax), ay) in motion.iter_mut().zip(along_x).zip(along_y) {
                    m[0] += fx * ax[0] + fy * ay[0];
                    m[1] += fx * ax[1] + fy * ay[1];
                }
            }
        }
        // The stronger side moves its reference place as far as the table says.
        let sides = what.sides;
        let most = sides.image_left.abs().max(sides.image_right.abs());
        let (rx, ry) = (muscle.reference.0 as f32, muscle.reference.1 as f32);
        let length = |d: [f32; 2]| f64::from(d[0] * d[0] + d[1] * d[1]).sqrt();
        let moved = length(sample(&motion, rx, ry)).max(length(sample(&motion, -rx, ry)));
        let scale = (what.strength * most * muscle.reach / moved.max(1e-9)) as f32;
        for (f, m) in field.iter_mut().zip(&motion) {
            f[0] += scale * m[0];
            f[1] += scale * m[1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::synthesis::skin_mechanics::{COLUMNS, ROWS};

    #[test]
    fn a_smile_lifts_corners_and_cheeks_and_a_dimple_does_not() {
        let face = Musculature::new(&mut Draws::new(5, &[]));
        let both = Sides {
            image_left: 1.0,
            image_right: 1.0,
        };
        let field = |unit| {
            let mut field = vec![[0.0; 2]; COLUMNS * ROWS];
            let what = Contraction {
                unit,
                strength: 1.0,
                sides: both,
            };
            face.contract(&mut field, what, &mut Draws::new(6, &[]));
            field
        };
        let smile = field(12);
        for side in [-1.0_f32, 1.0] {
            let corner = sample(&smile, side * 0.42, 1.10);
            let cheek = sample(&smile, side * 0.66, 0.80);
            assert!(side * corner[0] > 0.04 && corner[1] < -0.04, "{corner:?}");
            assert!(side * cheek[0] > 0.015 && cheek[1] < -0.015, "{cheek:?}");
        }
        let dimple = field(14);
        let beside = sample(&dimple, 0.72, 1.10);
        assert!(beside[0] < 0.0, "the cheek comes inward: {beside:?}");
    }
}
