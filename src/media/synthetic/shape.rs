//! How one face's proportions differ from the plain face's.
//!
//! Faces are painted in the plain face's own coordinates; the shape carries a place
//! of the plain face to the person's. So landmarks, skin, lids and lips of a person
//! all move together, and each person's landmarks at rest differ.

use super::anatomy::REST_LANDMARKS;
use super::arithmetic::hill;
use super::dice::Dice;
use super::spline::Spline;
use crate::base::Point;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bulge {
    center: (f32, f32),
    sigma: (f32, f32),
    /// x positive outward when `paired`.
    shift: (f32, f32),
    /// −1 the half at the picture's left, 1 the right, 0 both alike.
    half: f32,
    paired: bool,
}

/// A smooth map from the plain face to a person's, both in face units.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Drawn {
        scale: (f32, f32),
        bulges: Vec<Bulge>,
    },
    /// Through the landmarks of a photograph.
    Photographed(Spline),
}

/// Centre, widths, and standard deviations of the shift.
type Variation = ((f32, f32), (f32, f32), (f32, f32));

/// Paired places: centre, widths, and the standard deviation of the shift outward
/// and down. Within what anthropometric tables give for adults, in eye distances.
const PAIRED: [Variation; 11] = [
    // Jaw angle, cheekbone, temple.
    ((0.88, 1.28), (0.42, 0.50), (0.050, 0.020)),
    ((1.05, 0.45), (0.30, 0.45), (0.025, 0.000)),
    ((1.05, -0.55), (0.30, 0.45), (0.025, 0.000)),
    // Whole brow, its inner end, its outer end.
    ((0.58, -0.36), (0.38, 0.16), (0.000, 0.030)),
    ((0.28, -0.32), (0.17, 0.12), (0.012, 0.018)),
    ((0.86, -0.28), (0.17, 0.12), (0.012, 0.020)),
    // Eye: where it stands, outer corner, upper lid.
    ((0.50, 0.00), (0.30, 0.22), (0.020, 0.000)),
    ((0.72, 0.01), (0.12, 0.10), (0.014, 0.016)),
    ((0.50, -0.10), (0.20, 0.065), (0.000, 0.011)),
    // Nose wing, mouth corner.
    ((0.18, 0.64), (0.11, 0.13), (0.025, 0.012)),
    ((0.40, 1.11), (0.16, 0.16), (0.034, 0.014)),
];

const CENTRAL: [Variation; 6] = [
    // Chin, nose, mouth, upper lip's height, lower lip's height, forehead.
    ((0.0, 1.80), (0.70, 0.38), (0.0120, 0.060)),
    ((0.0, 0.66), (0.28, 0.22), (0.0070, 0.035)),
    ((0.0, 1.14), (0.50, 0.24), (0.0060, 0.030)),
    ((0.0, 1.02), (0.30, 0.060), (0.0022, 0.011)),
    ((0.0, 1.28), (0.30, 0.070), (0.0026, 0.013)),
    ((0.0, -0.95), (0.90, 0.50), (0.0100, 0.050)),
];

impl Shape {
    #[must_use]
    pub(super) fn plain() -> Self {
        Self::Drawn {
            scale: (1.0, 1.0),
            bulges: Vec::new(),
        }
    }

    #[must_use]
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let mut draw = |deviation: f32| deviation * dice.normal_within(2.0) as f32;
        let mut bulges = Vec::new();
        for (center, sigma, shift) in PAIRED {
            let both = (draw(shift.0), draw(shift.1));
            bulges.push(Bulge {
                center,
                sigma,
                shift: both,
                half: 0.0,
                paired: true,
            });
            // No face is symmetric: a fifth of the deviation on one side alone.
            bulges.push(Bulge {
                center,
                sigma,
                shift: (draw(0.2 * shift.0), draw(0.2 * shift.1)),
                half: 1.0,
                paired: true,
            });
        }
        for (center, sigma, shift) in CENTRAL {
            bulges.push(Bulge {
                center,
                sigma,
                shift: (draw(shift.0), draw(shift.1)),
                half: 0.0,
                paired: false,
            });
        }
        let wide = draw(0.025);
        let long = draw(0.030);
        Self::Drawn {
            scale: (1.0 + wide, 1.0 + long),
            bulges,
        }
    }

    /// Where a place of the plain face lies on this one.
    #[must_use]
    pub(super) fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let (scale, bulges) = match self {
            Self::Photographed(spline) => return spline.place(x, y),
            Self::Drawn { scale, bulges } => (scale, bulges),
        };
        let (mut px, mut py) = (x, y);
        for b in bulges {
            let halves: &[f32] = match (b.paired, b.half) {
                (true, h) if h > 0.0 => &[1.0],
                (true, _) => &[-1.0, 1.0],
                (false, _) => &[1.0],
            };
            for &half in halves {
                let dx = (x - half * b.center.0) / b.sigma.0;
                let dy = (y - b.center.1) / b.sigma.1;
                if dx * dx + dy * dy < 20.0 {
                    let w = hill(dx, dy);
                    px += half * b.shift.0 * w;
                    py += b.shift.1 * w;
                }
            }
        }
        (px * scale.0, py * scale.1)
    }

    /// The person's 68 points at rest, face units.
    #[must_use]
    pub(super) fn landmarks(&self) -> [Point; 68] {
        REST_LANDMARKS.map(|p| {
            let (x, y) = self.place(p.x, p.y);
            Point::new(x, y)
        })
    }
}
