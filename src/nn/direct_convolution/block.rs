//! Filters that are summed together, and what becomes of their sums.

use super::Sizes;
use super::kernels::{FILTERS, PLACES, narrow, whole};

/// What is done to each sum before it is kept: times `scale` plus `shift` of its filter,
/// plus `added`, and nothing below 0 where it is rectified.
#[derive(Clone, Copy, Default)]
pub(in crate::nn) struct Finish<'a> {
    pub(in crate::nn) scale: Option<&'a [f32]>,
    pub(in crate::nn) shift: Option<&'a [f32]>,
    /// Laid out as the result.
    pub(in crate::nn) added: Option<&'a [f32]>,
    pub(in crate::nn) rectified: bool,
}

/// Filters that are summed together.
pub(super) struct Block<'a> {
    pub(super) sizes: &'a Sizes,
    pub(super) group: usize,
    pub(super) first: usize,
    pub(super) filters: usize,
}

impl Block<'_> {
    /// Fills `lines`, `[filter, picture, row, column]`.
    pub(super) fn sum(
        &self,
        copied: &[f32],
        offsets: &[usize],
        weights: &[f32],
        finish: &Finish<'_>,
        lines: &mut [f32],
        wide: bool,
    ) {
        let sizes = self.sizes;
        let [height, width] = sizes.output();
        let [rows, columns] = sizes.copy();
        let [down, across] = sizes.copies();
        let channels = sizes.channels / sizes.groups;
        let copy = sizes.batch * rows * columns;
        let copied = &copied[self.group * channels * down * across * copy..];
        let taps = offsets.len();
        // What is missing to a whole block is the first filter again.
        let filters: [&[f32]; FILTERS] = std::array::from_fn(|row| {
            let filter = self.first + if row < self.filters { row } else { 0 };
            &weights[filter * taps..][..taps]
        });
        let end = (sizes.batch - 1) * rows * columns + (height - 1) * columns + width;
        let length = end.next_multiple_of(PLACES);
        let mut raw = vec![0.0; self.filters * length];
        let mut sums = [[0.0; PLACES]; FILTERS];
        for start in (0..end).step_by(PLACES) {
            let input = &copied[start..];
            if wide {
                whole(&mut sums, input, offsets, &filters);
            } else {
                narrow(&mut sums, input, offsets, &filters);
            }
            for (raw, sums) in raw.chunks_exact_mut(length).zip(&sums) {
                raw[start..start + PLACES].copy_from_slice(sums);
            }
        }
        self.keep(&raw, length, finish, lines);
    }

    /// Finishes the sums, so many of each filter, and puts those that lie in the result
    /// into their lines.
    fn keep(&self, raw: &[f32], length: usize, finish: &Finish<'_>, lines: &mut [f32]) {
        let sizes = self.sizes;
        let [height, width] = sizes.output();
        let [rows, columns] = sizes.copy();
        let area = height * width;
        let works = raw
            .chunks_exact(length)
            .zip(lines.chunks_exact_mut(sizes.batch * area));
        for (filter, (raw, lines)) in (self.first..).zip(works) {
            let scale = finish.scale.map_or(1.0, |scale| scale[filter]);
            let shift = finish.shift.map_or(0.0, |shift| shift[filter]);
            let least = if finish.rectified {
                0.0
            } else {
                f32::NEG_INFINITY
            };
            for (picture, lines) in lines.chunks_exact_mut(area).enumerate() {
                let raw = raw[picture * rows * columns..].chunks(columns);
                let place = (picture * sizes.filters + filter) * area;
                match finish.added {
                    None => {
                        for (line, raw) in lines.chunks_exact_mut(width).zip(raw) {
                            for (value, sum) in line.iter_mut().zip(raw) {
                                *value = at_least(least, sum * scale + shift);
                            }
                        }
                    }
                    Some(added) => {
                        let added = added[place..][..area].chunks_exact(width);
                        for ((line, raw), added) in
                            lines.chunks_exact_mut(width).zip(raw).zip(added)
                        {
                            for ((value, sum), added) in line.iter_mut().zip(raw).zip(added) {
                                *value = at_least(least, sum * scale + shift + added);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// No number stays no number.
fn at_least(least: f32, value: f32) -> f32 {
    if value < least { least } else { value }
}
