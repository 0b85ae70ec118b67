//! The grey picture around a face, kept for the frames that flow will compare,
//! and the face crop cut out of it.

use image::RgbImage;

use crate::base::{Plane, Point, Rect, Similarity};

/// How far the kept picture reaches beyond the face's box, in box sides.
const MARGIN_FACTOR: f32 = 1.5;

/// A face with a longer side than this, in px, is binned by 2, twice this by 4 …
const LARGEST_FACE: f32 = 320.0;

/// Fixed-point weights of red, green and blue (BT.601) in 1/32768, as in OpenCV.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];
const WEIGHT_BITS: u32 = 15;

/// A rectangle of a picture in 8-bit grey, possibly at a half, a quarter … of its
/// resolution. Bins lie on a lattice anchored at the picture's origin, so that
/// they cover the same pixels in every frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LumaPatch {
    /// The first bin's column and row.
    left: usize,
    top: usize,
    /// Picture pixels per bin and side, a power of two.
    bin: usize,
    width: usize,
    height: usize,
    gray: Vec<u8>,
}

impl LumaPatch {
    /// The surroundings of a face: its box grown 1.5 times, binned where it is
    /// large. A box outside the picture gives the picture's nearest pixels.
    #[must_use]
    pub fn around(picture: &RgbImage, face: Rect) -> Self {
        Self::at_most(picture, face, LARGEST_FACE)
    }

    /// The same, binned until the face's longer side is at most `largest` bins.
    #[must_use]
    pub fn at_most(picture: &RgbImage, face: Rect, largest: f32) -> Self {
        let bin = bin_for(face.w.max(face.h), largest);
        Self::part(picture, face.scaled(MARGIN_FACTOR), bin)
    }

    /// The whole picture at its own resolution.
    #[must_use]
    pub fn whole(picture: &RgbImage) -> Self {
        let (w, h) = picture.dimensions();
        Self::part(picture, Rect::new(0.0, 0.0, w as f32, h as f32), 1)
    }

    /// Every kept pixel as grey, 0..255.
    #[must_use]
    pub fn plane(&self) -> Plane {
        let data = self.gray.iter().map(|&g| f32::from(g)).collect();
        Plane::from_vec(self.width, self.height, data)
    }

    /// The bins of `bin` × `bin` pixels that `rect` touches, at least one if the
    /// picture has a pixel.
    fn part(picture: &RgbImage, rect: Rect, bin: usize) -> Self {
        let (width, height) = picture.dimensions();
        let (x, w) = span(rect.x, rect.right(), bin, width as usize);
        let (y, h) = span(rect.y, rect.bottom(), bin, height as usize);
        let mut patch = Self {
            left: x,
            top: y,
            bin,
            width: w,
            height: h,
            gray: Vec::with_capacity(w * h),
        };
        patch.fill(picture);
        patch
    }

    fn fill(&mut self, picture: &RgbImage) {
        let (columns, rows) = picture.dimensions();
        let (columns, rows, bin) = (columns as usize, rows as usize, self.bin);
        let start = self.left * bin;
        let end = ((self.left + self.width) * bin).min(columns);
        let pixels = picture.as_raw();
        let mut sums = vec![0u64; self.width];
        for row in self.top..self.top + self.height {
            let lines = row * bin..((row + 1) * bin).min(rows);
            let line = |y: usize| &pixels[(y * columns + start) * 3..(y * columns + end) * 3];
            if bin == 1 {
                let grays = line(row).as_chunks::<3>().0.iter();
                self.gray
                    .extend(grays.map(|p| rounded(u64::from(weighted(*p)), 1)));
                continue;
            }
            sums.fill(0);
            for y in lines.clone() {
                let bins = line(y).chunks(3 * bin);
                for (sum, pixels) in sums.iter_mut().zip(bins) {
                    let pixels = pixels.as_chunks::<3>().0;
                    *sum += u64::from(pixels.iter().map(|p| weighted(*p)).sum::<u32>());
                }
            }
            // The last bin of a row or column may be cut by the picture's edge.
            for (i, sum) in sums.iter().enumerate() {
                let across = bin.min(end - (start + i * bin));
                let count = (across * lines.len()) as u64;
                self.gray.push(rounded(*sum, count));
            }
        }
    }

    /// Bytes that a kept patch occupies, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.gray.len() + size_of::<Self>()
    }

    /// Where a position in the picture lies in this patch, in bins.
    fn position(&self, p_image: Point) -> (f32, f32) {
        let bin = self.bin as f64;
        let along = |at: f32, first: usize| {
            ((f64::from(at) - 0.5 * (bin - 1.0)) / bin - first as f64) as f32
        };
        (along(p_image.x, self.left), along(p_image.y, self.top))
    }
}

#[inline]
fn weighted([r, g, b]: [u8; 3]) -> u32 {
    WEIGHTS[0] * u32::from(r) + WEIGHTS[1] * u32::from(g) + WEIGHTS[2] * u32::from(b)
}

#[inline]
fn rounded(sum: u64, count: u64) -> u8 {
    let unit = count << WEIGHT_BITS;
    ((sum + unit / 2) / unit) as u8
}

/// The bin for a face of this size in px.
fn bin_for(side: f32, largest: f32) -> usize {
    let mut bin = 1;
    while side > largest * bin as f32 && bin < 64 {
        bin *= 2;
    }
    bin
}

/// First bin and number of bins that cover `low..high` within `length` pixels.
fn span(low: f32, high: f32, bin: usize, length: usize) -> (usize, usize) {
    let bins = length.div_ceil(bin);
    let last = bins.saturating_sub(1);
    // Negative and not-a-number positions become 0.
    let first = ((low / bin as f32).floor() as usize).min(last);
    let end = ((high / bin as f32).ceil() as usize).clamp(first + bins.min(1), bins.max(first));
    (first, end - first)
}

/// The square crop of `side` pixels; see [`extract_rectangle`].
#[must_use]
pub fn extract(patch: &LumaPatch, crop_from_image: Similarity, side: usize) -> Plane {
    extract_rectangle(patch, crop_from_image, side, side)
}

/// The crop of `width` × `height` pixels that `crop_from_image` describes (pixel
/// centres at whole coordinates), in grey 0..255.
///
/// Every crop pixel is the mean over its own footprint where the crop is coarser
/// than the patch, and bilinear where it is finer; beyond the patch its border is
/// repeated. A transform without an inverse gives an even grey.
#[must_use]
pub fn extract_rectangle(
    patch: &LumaPatch,
    crop_from_image: Similarity,
    width: usize,
    height: usize,
) -> Plane {
    let mut crop = Plane::zeros(width, height);
    let Some(image_from_crop) = crop_from_image.inverse() else {
        crop.data.fill(127.5);
        return crop;
    };
    if patch.gray.is_empty() {
        return crop;
    }
    // The transform to patch positions, and a crop pixel's size there.
    let origin = image_from_crop.apply(Point::new(0.0, 0.0));
    let (left, top) = patch.position(origin);
    let bin = patch.bin as f32;
    let (a, b) = (image_from_crop.a / bin, image_from_crop.b / bin);
    // A box one bin wide is bilinear interpolation.
    let size = a.hypot(b).clamp(1.0, patch.width.max(patch.height) as f32);

    let level = b == 0.0;
    let (mut across, mut down) = (Taps::default(), Taps::default());
    let columns: Vec<Taps> = if level {
        (0..width)
            .map(|x| {
                let mut taps = Taps::default();
                taps.aim(left + a * x as f32, size, patch.width);
                taps
            })
            .collect()
    } else {
        Vec::new()
    };
    for y in 0..height {
        let row = crop.row_mut(y);
        if level {
            down.aim(top + a * y as f32, size, patch.height);
        }
        for (x, value) in row.iter_mut().enumerate() {
            let across = if level {
                &columns[x]
            } else {
                let (x, y) = (x as f32, y as f32);
                across.aim(left + a * x - b * y, size, patch.width);
                down.aim(top + b * x + a * y, size, patch.height);
                &across
            };
            *value = weighted_mean(patch, across, &down);
        }
    }
    crop
}

#[inline]
fn weighted_mean(patch: &LumaPatch, across: &Taps, down: &Taps) -> f32 {
    let mut sum = 0.0;
    for (j, wy) in down.weights.iter().enumerate() {
        let start = (down.first + j) * patch.width + across.first;
        let line = &patch.gray[start..start + across.weights.len()];
        let mean: f32 = (line.iter().zip(&across.weights))
            .map(|(g, w)| f32::from(*g) * w)
            .sum();
        sum += wy * mean;
    }
    sum
}

/// Neighbouring samples and their shares, which sum to 1.
#[derive(Debug, Default)]
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    /// The samples under a box of `size` ≥ 1 around `at`; what lies outside
    /// `0..length` counts for the border sample.
    #[inline]
    fn aim(&mut self, at: f32, size: f32, length: usize) {
        let last = length as f32 - 1.0;
        // Further out nothing changes; not-a-number becomes the first sample.
        let at = at.max(-size).min(last + size);
        // Sample k covers k..k+1 here.
        let (low, high) = (at + 0.5 - 0.5 * size, at + 0.5 + 0.5 * size);
        let first = low.floor().clamp(0.0, last);
        let end = (high.ceil() - 1.0).clamp(first, last);
        self.first = first as usize;
        self.weights.clear();
        let share = 1.0 / size;
        let mut k = first;
        while k <= end {
            // Border samples also cover all that lies beyond.
            let from = if k == 0.0 { low } else { k.max(low) };
            let to = if k == last { high } else { (k + 1.0).min(high) };
            self.weights.push((to - from).max(0.0) * share);
            k += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let g = (x + 2 * y) as u8;
            Rgb([g, g, g])
        })
    }

    #[test]
    fn grey_is_rounded_as_opencvs() {
        let picture = RgbImage::from_pixel(1, 1, Rgb([10, 200, 77]));
        // 0.299·10 + 0.587·200 + 0.114·77 = 129.168
        assert_eq!(LumaPatch::whole(&picture).gray, [129]);
        let white = RgbImage::from_pixel(3, 2, Rgb([255; 3]));
        assert_eq!(LumaPatch::whole(&white).gray, [255; 6]);
    }

    #[test]
    fn the_identity_copies_and_a_shift_interpolates() {
        let patch = LumaPatch::whole(&ramp(20, 20));
        let same = extract(&patch, Similarity::IDENTITY, 16);
        assert!((same.at(5, 3) - 11.0).abs() < 1e-4);
        let moved = Similarity {
            tx: -2.5,
            ty: 0.25,
            ..Similarity::IDENTITY
        };
        let crop = extract(&patch, moved, 16);
        // Crop (4, 6) shows picture (6.5, 5.75).
        assert!((crop.at(4, 6) - 18.0).abs() < 1e-4, "{}", crop.at(4, 6));
        // Beyond the right edge the last column is repeated.
        let far = Similarity {
            tx: -15.0,
            ..Similarity::IDENTITY
        };
        assert!((extract(&patch, far, 16).at(12, 1) - 21.0).abs() < 1e-4);
    }

    #[test]
    fn a_binned_part_shows_the_same_places() {
        let picture = ramp(60, 40);
        let whole = LumaPatch::whole(&picture);
        for bin in [1, 2, 4] {
            let part = LumaPatch::part(&picture, Rect::new(9.0, 5.0, 44.0, 30.0), bin);
            for radians in [0.0, 0.2] {
                let crop =
                    Similarity::about(Point::new(30.0, 20.0), Point::new(5.5, 5.5), 0.25, radians);
                let (a, b) = (extract(&whole, crop, 12), extract(&part, crop, 12));
                for (i, (a, b)) in a.data.iter().zip(&b.data).enumerate() {
                    // Only inside the part; there a ramp survives any averaging.
                    if (2..10).contains(&(i % 12)) && (3..9).contains(&(i / 12)) {
                        assert!((a - b).abs() < 0.6, "bin {bin}, {radians}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn shrinking_averages_over_the_footprint() {
        // A fine chequer board must become even grey, not moiré.
        let board = RgbImage::from_fn(96, 96, |x, y| {
            Rgb([if (x + y) % 2 == 0 { 0 } else { 200 }; 3])
        });
        let patch = LumaPatch::whole(&board);
        let crop = Similarity::about(Point::new(47.5, 47.5), Point::new(11.5, 11.5), 0.25, 0.0);
        let small = extract(&patch, crop, 24);
        assert!(
            small.data.iter().all(|g| (g - 100.0).abs() < 1e-3),
            "{:?}",
            &small.data[..20]
        );
    }

    #[test]
    fn odd_boxes_and_transforms_do_no_harm() {
        let picture = ramp(9, 7);
        for rect in [
            Rect::new(-50.0, -50.0, 10.0, 10.0),
            Rect::new(500.0, 2.0, 3000.0, 1.0),
            Rect::new(f32::NAN, 0.0, f32::INFINITY, 5.0),
            Rect::new(3.0, 3.0, 0.0, 0.0),
        ] {
            let patch = LumaPatch::around(&picture, rect);
            assert!(!patch.gray.is_empty(), "{rect:?}");
            for scale in [1e-3, 1.0, 50.0] {
                let crop = extract(
                    &patch,
                    Similarity {
                        a: scale,
                        ..Similarity::IDENTITY
                    },
                    8,
                );
                assert!(
                    crop.data.iter().all(|g| (0.0..=255.0).contains(g)),
                    "{rect:?}"
                );
            }
        }
        let nothing = LumaPatch::whole(&RgbImage::new(0, 0));
        assert_eq!(
            extract(&nothing, Similarity::IDENTITY, 4),
            Plane::zeros(4, 4)
        );
        assert_eq!(bin_for(320.0, LARGEST_FACE), 1);
        assert_eq!(bin_for(321.0, LARGEST_FACE), 2);
        assert_eq!(bin_for(900.0, LARGEST_FACE), 4);
    }
}
