//! How a recording wants to be turned for display: phones film sideways and
//! write a matrix beside the pictures.

use image::{RgbImage, imageops};

/// One of the eight ways to lay a rectangle onto itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Orientation {
    #[default]
    Upright,
    /// A quarter turn clockwise.
    Clockwise,
    UpsideDown,
    /// A quarter turn counter-clockwise.
    CounterClockwise,
    MirroredLeftRight,
    MirroredTopBottom,
    /// Rows become columns.
    Transposed,
    /// Rows become columns, both reversed.
    AntiTransposed,
}

impl Orientation {
    /// Reads a container's display matrix: nine 32-bit numbers, row by row, which
    /// take the picture's (x, y, 1) to the screen's with y pointing down.
    ///
    /// `None` for a matrix that is not a quarter turn or a mirror image.
    pub(crate) fn from_display_matrix(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<4>();
        if words.len() != 9 || !rest.is_empty() {
            return None;
        }
        let word = |i: usize| f64::from(i32::from_ne_bytes(words[i])) / 65536.0;
        let (a, b, c, d) = (word(0), word(1), word(3), word(4));
        let scale = a.hypot(b);
        if scale < 1e-3 {
            return None;
        }
        let unit = |v: f64| {
            let v = v / scale;
            ((v - v.round()).abs() < 0.01 && v.abs() < 1.5).then(|| v.round() as i8)
        };
        match (unit(a)?, unit(b)?, unit(c)?, unit(d)?) {
            (1, 0, 0, 1) => Some(Self::Upright),
            (0, 1, -1, 0) => Some(Self::Clockwise),
            (-1, 0, 0, -1) => Some(Self::UpsideDown),
            (0, -1, 1, 0) => Some(Self::CounterClockwise),
            (-1, 0, 0, 1) => Some(Self::MirroredLeftRight),
            (1, 0, 0, -1) => Some(Self::MirroredTopBottom),
            (0, 1, 1, 0) => Some(Self::Transposed),
            (0, -1, -1, 0) => Some(Self::AntiTransposed),
            _ => None,
        }
    }

    /// Width and height after turning a picture of `width` × `height`.
    pub(crate) fn size(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::Clockwise | Self::CounterClockwise | Self::Transposed | Self::AntiTransposed => {
                (height, width)
            }
            _ => (width, height),
        }
    }

    pub(crate) fn apply(self, picture: RgbImage) -> RgbImage {
        match self {
            Self::Upright => picture,
            Self::Clockwise => imageops::rotate90(&picture),
            Self::UpsideDown => imageops::rotate180(&picture),
            Self::CounterClockwise => imageops::rotate270(&picture),
            Self::MirroredLeftRight => imageops::flip_horizontal(&picture),
            Self::MirroredTopBottom => imageops::flip_vertical(&picture),
            Self::Transposed => imageops::flip_horizontal(&imageops::rotate90(&picture)),
            Self::AntiTransposed => imageops::flip_horizontal(&imageops::rotate270(&picture)),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        [a, b, 0, c, d, 0, 0, 0, 1]
            .iter()
            .flat_map(|v| (v << 16).to_ne_bytes())
            .collect()
    }

    /// Where the matrix sends the top-left pixel of a 3×2 picture is where the
    /// turned picture must show it.
    #[test]
    fn turning_moves_pixels_where_the_matrix_sends_them() {
        let (w, h) = (3i32, 2i32);
        let picture = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8, y as u8, 0]));
        for (a, b, c, d) in [
            (1, 0, 0, 1),
            (0, 1, -1, 0),
            (-1, 0, 0, -1),
            (0, -1, 1, 0),
            (-1, 0, 0, 1),
            (1, 0, 0, -1),
            (0, 1, 1, 0),
            (0, -1, -1, 0),
        ] {
            let orientation = Orientation::from_display_matrix(&matrix(a, b, c, d)).unwrap();
            let turned = orientation.apply(picture.clone());
            assert_eq!(turned.dimensions(), orientation.size(3, 2));
            // The corner that the matrix leaves at negative places is shifted back.
            let left = (a * (w - 1)).min(0) + (c * (h - 1)).min(0);
            let top = (b * (w - 1)).min(0) + (d * (h - 1)).min(0);
            for (x, y) in [(0, 0), (2, 0), (0, 1), (1, 1)] {
                let at = ((a * x + c * y - left) as u32, (b * x + d * y - top) as u32);
                assert_eq!(turned.get_pixel(at.0, at.1).0, [x as u8, y as u8, 0]);
            }
        }
    }

    #[test]
    fn a_slanted_or_short_matrix_is_refused() {
        let mut slanted = matrix(1, 0, 0, 1);
        slanted[4..8].copy_from_slice(&30_000i32.to_ne_bytes());
        assert_eq!(Orientation::from_display_matrix(&slanted), None);
        assert_eq!(Orientation::from_display_matrix(&[0; 12]), None);
        assert_eq!(Orientation::from_display_matrix(&matrix(0, 0, 0, 0)), None);
    }
}
