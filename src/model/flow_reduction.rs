//! From a measured field to a flow image: 28×28 pixels, each channel brought to 0..255.

use super::flow_input::{PIXELS, SIDE};
use crate::base::Plane;

/// Ways to reduce a plane to 28×28.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Mean over each cell.
    Area,
    /// Between the nearest four pixels, no averaging.
    Bilinear,
    /// Cubic kernel (a = −½) widened to the cell.
    Bicubic,
}

/// The pixels of a flow image from u, v (px) and strain (px per px) over the same
/// crop of at least 28×28: 28×28 in rows, each channel min–max scaled to 0..255
/// by itself. A constant channel gives 0.
#[must_use]
pub fn flow_image(u_v_strain: [&Plane; 3], way: Reduction) -> Vec<[u8; 3]> {
    let planes = u_v_strain.map(|plane| scaled(&way.reduced(plane)));
    (0..PIXELS)
        .map(|i| [0, 1, 2].map(|k| planes[k][i]))
        .collect()
}

/// Min–max scaling to 0..255; a constant plane gives 0.
fn scaled(values: &[f32]) -> Vec<u8> {
    let (low, high) = (values.iter()).fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| {
        (l.min(v), h.max(v))
    });
    let scale = if high > low {
        255.0 / (high - low)
    } else {
        0.0
    };
    (values.iter())
        .map(|v| ((v - low) * scale + 0.5) as u8)
        .collect()
}

impl Reduction {
    pub const ALL: [Self; 3] = [Self::Area, Self::Bilinear, Self::Bicubic];

    /// 28×28 in rows.
    #[must_use]
    pub fn reduced(self, plane: &Plane) -> Vec<f32> {
        let across = self.taps(plane.width);
        let down = self.taps(plane.height);
        let mut narrow = vec![0.0; SIDE * plane.height];
        for y in 0..plane.height {
            let row = plane.row(y);
            for (x, (first, weights)) in across.iter().enumerate() {
                narrow[y * SIDE + x] = weights.iter().zip(&row[*first..]).map(|(w, v)| w * v).sum();
            }
        }
        let mut out = vec![0.0; SIDE * SIDE];
        for (y, (first, weights)) in down.iter().enumerate() {
            for x in 0..SIDE {
                out[y * SIDE + x] = (weights.iter().enumerate())
                    .map(|(k, w)| w * narrow[(first + k) * SIDE + x])
                    .sum();
            }
        }
        out
    }

    /// First pixel and weights of each of the 28 cells.
    fn taps(self, length: usize) -> Vec<(usize, Vec<f32>)> {
        let cell = length as f64 / SIDE as f64;
        let reach = match self {
            Self::Area => 0.5 * cell,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0 * cell.max(1.0),
        };
        (0..SIDE)
            .map(|i| {
                let center = (i as f64 + 0.5) * cell - 0.5;
                let first = (center - reach).ceil().max(0.0) as usize;
                let last = ((center + reach).floor() as usize).min(length - 1);
                let mut weights: Vec<f64> = (first..=last)
                    .map(|p| self.weight(p as f64 - center, cell))
                    .collect();
                let sum: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|w| *w /= sum);
                (first, weights.iter().map(|&w| w as f32).collect())
            })
            .collect()
    }

    fn weight(self, distance: f64, cell: f64) -> f64 {
        match self {
            // Pixels cut by a cell's border count with the part inside.
            Self::Area => (0.5 * cell + 0.5 - distance.abs()).clamp(0.0, 1.0),
            Self::Bilinear => (1.0 - distance.abs()).max(0.0),
            Self::Bicubic => {
                let t = distance.abs() / cell.max(1.0);
                if t < 1.0 {
                    (1.5 * t - 2.5) * t * t + 1.0
                } else if t < 2.0 {
                    ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
                } else {
                    0.0
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reduction_keeps_a_slope() {
        let plane = Plane::from_vec(112, 160, (0..112 * 160).map(|i| (i % 112) as f32).collect());
        for way in Reduction::ALL {
            let small = way.reduced(&plane);
            for i in 2..26 {
                let expected = (i as f32 + 0.5) * 4.0 - 0.5;
                assert!((small[5 * SIDE + i] - expected).abs() < 1e-3, "{way:?} {i}");
            }
        }
        assert_eq!(scaled(&[1.0, 3.0, 2.0]), [0, 255, 128]);
        assert_eq!(scaled(&[1.0, 1.0]), [0, 0]);
    }

    #[test]
    fn channels_are_scaled_each_by_itself() {
        let slope = |factor: f32| {
            let data = (0..56 * 80).map(|i| factor * (i % 56) as f32);
            Plane::from_vec(56, 80, data.collect())
        };
        let pixels = flow_image(
            [&slope(1.0), &slope(-0.01), &Plane::zeros(56, 80)],
            Reduction::Area,
        );
        assert_eq!(pixels.len(), PIXELS);
        assert_eq!((pixels[0], pixels[SIDE - 1]), ([0, 255, 0], [255, 0, 0]));
    }
}
