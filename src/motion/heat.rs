//! The colours of values that have no sign: strain, attention, who looks at whom.

use image::Rgb;
use serde::{Deserialize, Serialize};

/// One of Matplotlib's palettes whose lightness rises evenly, so that they are read without
/// hue, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Heat {
    #[default]
    Viridis,
    /// Blue to yellow: the same to eyes that tell red from green and to those that do not.
    Cividis,
    /// From black: what is weak steps back.
    Inferno,
}

impl Heat {
    pub const ALL: [Self; 3] = [Self::Viridis, Self::Cividis, Self::Inferno];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viridis => "Viridis",
            Self::Cividis => "Cividis",
            Self::Inferno => "Inferno",
        }
    }

    /// For 0..1, clamped; what is no number is taken for 0.
    #[must_use]
    pub fn color(self, value: f32) -> Rgb<u8> {
        let ninths = self.ninths();
        let value = if value > 0.0 { value.min(1.0) } else { 0.0 };
        let at = value * (ninths.len() - 1) as f32;
        let low = (at as usize).min(ninths.len() - 2);
        let share = at - low as f32;
        Rgb(std::array::from_fn(|c| {
            let (a, b) = (f32::from(ninths[low][c]), f32::from(ninths[low + 1][c]));
            (a + share * (b - a)).round() as u8
        }))
    }

    /// At 0, 1/9 … 1, between which colours are interpolated.
    const fn ninths(self) -> &'static [[u8; 3]; 10] {
        match self {
            Self::Viridis => &[
                [68, 1, 84],
                [72, 40, 120],
                [62, 74, 137],
                [49, 104, 142],
                [38, 130, 142],
                [31, 158, 137],
                [53, 183, 121],
                [109, 205, 89],
                [180, 222, 44],
                [253, 231, 37],
            ],
            Self::Cividis => &[
                [0, 34, 78],
                [18, 53, 112],
                [59, 73, 108],
                [87, 93, 109],
                [112, 113, 115],
                [138, 134, 120],
                [165, 156, 116],
                [195, 179, 105],
                [225, 204, 85],
                [254, 232, 56],
            ],
            Self::Inferno => &[
                [0, 0, 4],
                [27, 12, 65],
                [74, 12, 107],
                [120, 28, 109],
                [165, 44, 96],
                [207, 68, 70],
                [237, 105, 37],
                [251, 155, 6],
                [247, 209, 61],
                [252, 255, 164],
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE L*, 0..100.
    fn lightness(Rgb(rgb): Rgb<u8>) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        let [r, g, b] = rgb.map(linear);
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        if y > 0.008_856 {
            116.0 * y.cbrt() - 16.0
        } else {
            903.3 * y
        }
    }

    #[test]
    fn every_palette_grows_lighter_from_end_to_end() {
        for heat in Heat::ALL {
            let light: Vec<f64> = (0..=36)
                .map(|i| lightness(heat.color(i as f32 / 36.0)))
                .collect();
            assert!(light.windows(2).all(|w| w[0] < w[1]), "{heat:?}: {light:?}");
            assert!(light[36] - light[0] > 70.0, "{heat:?}");
        }
    }

    #[test]
    fn values_outside_get_the_ends_colours() {
        for heat in Heat::ALL {
            assert_eq!(heat.color(-1.0), heat.color(0.0));
            assert_eq!(heat.color(7.0), heat.color(1.0));
            assert_eq!(heat.color(f32::NAN), heat.color(0.0));
        }
        assert_eq!(Heat::Viridis.color(0.0).0, [68, 1, 84]);
        assert_eq!(Heat::Cividis.color(1.0).0, [254, 232, 56]);
        assert_eq!(Heat::Inferno.color(0.0).0, [0, 0, 4]);
    }
}
