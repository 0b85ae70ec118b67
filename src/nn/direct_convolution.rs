//! Convolution of maps on the processor, for networks that are only asked: several times
//! as fast as by unfolding, and with what follows it in the same pass.
//!
//! Unfolding writes each value as often as the filter has places before a matrix product
//! reads it. Here each picture is copied once, into rows with their zeros around it, and
//! for a stride of s into s² pictures of every s-th row and column. Then a place of the
//! filter is one even run through the copy, whatever the stride: eight filters take in 32
//! neighbouring places at a time, and their 256 sums stay in registers from the first
//! product to the last. Rows follow each other without a gap, and so do pictures of a
//! batch where they are small; what falls on the places between them is not kept.
//!
//! Every sum is one chain of fused multiply-adds in the filter's own order, so it is the
//! same on every processor that has them, for any batch and any number of threads.

use multiversion::multiversion;
use rayon::prelude::*;

/// Filters and places that are summed together.
const FILTERS: usize = 8;
const PLACES: usize = 32;
/// What the narrow kernel takes at once: sixteen registers of eight numbers hold it.
const NARROW: [usize; 2] = [4, 16];
/// Small pictures are worked together up to so many places.
const TOGETHER: usize = 256;
/// Results of so many places are unfolded.
const UNFOLDED: usize = 8;
/// Below so many products one thread is faster than several.
const PARALLEL: usize = 2_000_000;

/// Sizes of a convolution; square in nothing but name: `[height, width]` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) filters: usize,
    /// Filters of a group see the channels of that group only.
    pub(super) groups: usize,
    pub(super) input: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// Zeros on each side.
    pub(super) padding: [usize; 2],
}

impl Sizes {
    pub(super) fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let padded = self.input[axis] + 2 * self.padding[axis];
            (padded - self.kernel[axis]) / self.stride[axis] + 1
        })
    }

    /// Whether each place of the filter gets a copy of its own, as large as the result:
    /// that is, whether to unfold after all. So it is where most of a copy would lie
    /// between the rows, and there are filters enough to pay for it; in larger pictures
    /// the many copies leave the cache.
    fn is_unfolded(&self) -> bool {
        let [height, width] = self.output();
        self.filters / self.groups >= 32 && height * width <= UNFOLDED
    }

    /// Rows and columns of the result and what the filter reaches beyond.
    fn reach(&self) -> [usize; 2] {
        let output = self.output();
        [0, 1].map(|axis| output[axis] + (self.kernel[axis] - 1) / self.stride[axis])
    }

    /// Rows and columns of a copy.
    fn copy(&self) -> [usize; 2] {
        if self.is_unfolded() {
            self.output()
        } else {
            self.reach()
        }
    }

    /// Copies of a picture, down and across.
    fn copies(&self) -> [usize; 2] {
        if self.is_unfolded() {
            self.kernel
        } else {
            [0, 1].map(|axis| self.stride[axis].min(self.kernel[axis]))
        }
    }

    fn taps(&self) -> usize {
        self.channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    fn products(&self) -> usize {
        let [height, width] = self.output();
        self.batch * self.filters * height * width * self.taps()
    }
}

/// What is done to each sum before it is kept: times `scale` plus `shift` of its filter,
/// plus `added`, and nothing below 0 where it is rectified.
#[derive(Clone, Copy, Default)]
pub(super) struct Finish<'a> {
    pub(super) scale: Option<&'a [f32]>,
    pub(super) shift: Option<&'a [f32]>,
    /// Laid out as the result.
    pub(super) added: Option<&'a [f32]>,
    pub(super) rectified: bool,
}

/// Whether this processor multiplies and adds in one instruction. Without, it would be
/// many times slower than unfolding.
pub(super) fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        cfg!(target_arch = "aarch64")
    }
}

fn is_wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// # Shapes
/// - `input`: `[batch, channel, height, width]`
/// - `weights`: `[filter, channel of the group, row, column]`
/// - result: `[batch, filter, height, width]`, by [`Sizes::output`]
pub(super) fn convolve(
    sizes: &Sizes,
    input: &[f32],
    weights: &[f32],
    finish: &Finish<'_>,
) -> Vec<f32> {
    let [height, width] = sizes.output();
    let [rows, columns] = sizes.copy();
    let picture = sizes.channels * sizes.input[0] * sizes.input[1];
    let result = sizes.filters * height * width;
    assert_eq!(input.len(), sizes.batch * picture);
    assert_eq!(weights.len(), sizes.filters * sizes.taps());
    let mut output = vec![0.0; sizes.batch * result];
    let together = (TOGETHER / (rows * columns)).clamp(1, sizes.batch.max(1));
    let wide = is_wide();
    let parallel = sizes.products() >= PARALLEL && rayon::current_num_threads() > 1;
    let work = |(number, (input, output)): (usize, (&[f32], &mut [f32]))| {
        let first = number * together * result;
        let added = finish.added.map(|added| &added[first..][..output.len()]);
        let finish = Finish { added, ..*finish };
        let own = Sizes {
            batch: input.len() / picture,
            ..*sizes
        };
        pictures(&own, input, weights, &finish, output, wide, parallel);
    };
    let (taken, given) = (picture * together, result * together);
    if parallel && sizes.batch > together {
        let inputs = input.par_chunks(taken);
        let works = inputs.zip(output.par_chunks_mut(given)).enumerate();
        works.for_each(work);
    } else {
        let inputs = input.chunks(taken);
        let works = inputs.zip(output.chunks_mut(given)).enumerate();
        works.for_each(work);
    }
    output
}

/// The same for pictures that are worked together.
fn pictures(
    sizes: &Sizes,
    input: &[f32],
    weights: &[f32],
    finish: &Finish<'_>,
    output: &mut [f32],
    wide: bool,
    parallel: bool,
) {
    let [height, width] = sizes.output();
    let copied = copied(sizes, input, parallel);
    let offsets = offsets(sizes);
    let area = height * width;
    let of_group = sizes.filters / sizes.groups;
    // Of each group so many filters at a time; a last block may hold fewer.
    let block = FILTERS.min(of_group);
    let work = |(number, lines): (usize, &mut [f32])| {
        let blocks = of_group.div_ceil(block);
        let (group, part) = (number / blocks, number % blocks);
        let first = group * of_group + part * block;
        let filters = block.min(of_group - part * block);
        let own = Block {
            sizes,
            group,
            first,
            filters,
        };
        own.sum(&copied, &offsets, weights, finish, lines, wide);
    };
    let even = of_group.is_multiple_of(block);
    if sizes.batch == 1 && even {
        let length = block * area;
        if parallel {
            output.par_chunks_mut(length).enumerate().for_each(work);
        } else {
            output.chunks_mut(length).enumerate().for_each(work);
        }
        return;
    }
    // Filter by filter over all pictures, then each to its picture.
    let blocks = sizes.groups * of_group.div_ceil(block);
    let length = block * sizes.batch * area;
    let mut lines = vec![0.0; blocks * length];
    if parallel {
        lines.par_chunks_mut(length).enumerate().for_each(work);
    } else {
        lines.chunks_mut(length).enumerate().for_each(work);
    }
    for (picture, output) in output.chunks_exact_mut(sizes.filters * area).enumerate() {
        for (filter, output) in output.chunks_exact_mut(area).enumerate() {
            let (group, within) = (filter / of_group, filter % of_group);
            let (part, row) = (within / block, within % block);
            let place = (group * of_group.div_ceil(block) + part) * length;
            let line = &lines[place + (row * sizes.batch + picture) * area..];
            output.copy_from_slice(&line[..area]);
        }
    }
}

/// Copies of the pictures with their zeros: `[channel, copy down, copy across, picture,
/// row, column]`, and room for a kernel that reads beyond the last.
fn copied(sizes: &Sizes, input: &[f32], parallel: bool) -> Vec<f32> {
    let [height, width] = sizes.input;
    let [rows, columns] = sizes.copy();
    let [down, across] = sizes.copies();
    let copy = sizes.batch * rows * columns;
    let of_channel = down * across * copy;
    let beyond = rows * columns + PLACES;
    let mut copied = vec![0.0; sizes.channels * of_channel + beyond];
    let work = |(channel, target): (usize, &mut [f32])| {
        for (number, target) in target.chunks_exact_mut(copy).enumerate() {
            let (top, left) = (number / across, number % across);
            // The first column of the copy that lies in the picture, and its place there.
            let first = sizes.padding[1]
                .saturating_sub(left)
                .div_ceil(sizes.stride[1]);
            let from = first * sizes.stride[1] + left - sizes.padding[1];
            if first >= columns || from >= width {
                continue;
            }
            for (picture, target) in target.chunks_exact_mut(rows * columns).enumerate() {
                let map = &input[(picture * sizes.channels + channel) * height * width..];
                for (row, target) in target.chunks_exact_mut(columns).enumerate() {
                    let y = (row * sizes.stride[0] + top).wrapping_sub(sizes.padding[0]);
                    if y < height {
                        let line = &map[y * width + from..(y + 1) * width];
                        fill(&mut target[first..], line, sizes.stride[1]);
                    }
                }
            }
        }
    };
    let (filled, _) = copied.split_at_mut(sizes.channels * of_channel);
    if parallel {
        filled.par_chunks_mut(of_channel).enumerate().for_each(work);
    } else {
        filled.chunks_mut(of_channel).enumerate().for_each(work);
    }
    copied
}

/// Every s-th value of a line, as far as both go.
fn fill(target: &mut [f32], line: &[f32], stride: usize) {
    if stride == 1 {
        let count = target.len().min(line.len());
        target[..count].copy_from_slice(&line[..count]);
    } else if stride == 2 {
        let (pairs, last) = line.as_chunks::<2>();
        for (target, pair) in target.iter_mut().zip(pairs) {
            *target = pair[0];
        }
        if let (Some(target), Some(value)) = (target.get_mut(pairs.len()), last.first()) {
            *target = *value;
        }
    } else {
        for (target, value) in target.iter_mut().zip(line.iter().step_by(stride)) {
            *target = *value;
        }
    }
}

/// Where in the copies of a group's channels the places of a filter lie, for the result's
/// first place.
fn offsets(sizes: &Sizes) -> Vec<usize> {
    let [rows, columns] = sizes.copy();
    let [down, across] = sizes.copies();
    let copy = sizes.batch * rows * columns;
    let mut offsets = Vec::with_capacity(sizes.taps());
    for channel in 0..sizes.channels / sizes.groups {
        for y in 0..sizes.kernel[0] {
            for x in 0..sizes.kernel[1] {
                // Copy by copy, or as many steps of the stride further in the same one.
                let number = (channel * down + y % down) * across + x % across;
                let place = y / down * columns + x / across;
                offsets.push(number * copy + place);
            }
        }
    }
    offsets
}

/// Filters that are summed together.
struct Block<'a> {
    sizes: &'a Sizes,
    group: usize,
    first: usize,
    filters: usize,
}

impl Block<'_> {
    /// Fills `lines`, `[filter, picture, row, column]`.
    fn sum(
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

/// Of 8 filters the sums over all places of 32 neighbours.
#[allow(
    clippy::needless_range_loop,
    reason = "only in this form does the compiler keep all sums in registers"
)]
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma"))]
fn whole(
    sums: &mut [[f32; PLACES]; FILTERS],
    input: &[f32],
    offsets: &[usize],
    filters: &[&[f32]; FILTERS],
) {
    let filters = filters.map(|filter| &filter[..offsets.len()]);
    let mut own = [[0.0_f32; PLACES]; FILTERS];
    for (tap, &offset) in offsets.iter().enumerate() {
        let Some(values) = input[offset..].first_chunk::<PLACES>() else {
            return;
        };
        let weights = filters.map(|filter| filter[tap]);
        for row in 0..FILTERS {
            for place in 0..PLACES {
                own[row][place] = weights[row].mul_add(values[place], own[row][place]);
            }
        }
    }
    *sums = own;
}

/// The same of 32 neighbours, for processors with fewer and smaller registers.
#[allow(
    clippy::needless_range_loop,
    reason = "only in this form does the compiler keep all sums in registers"
)]
#[multiversion(targets("x86_64+avx2+fma"))]
fn narrow(
    sums: &mut [[f32; PLACES]; FILTERS],
    input: &[f32],
    offsets: &[usize],
    filters: &[&[f32]; FILTERS],
) {
    const ROWS: usize = NARROW[0];
    const COLUMNS: usize = NARROW[1];
    for (sums, filters) in sums
        .chunks_exact_mut(ROWS)
        .zip(filters.as_chunks::<ROWS>().0)
    {
        let filters = filters.map(|filter| &filter[..offsets.len()]);
        for from in (0..PLACES).step_by(COLUMNS) {
            let mut own = [[0.0_f32; COLUMNS]; ROWS];
            for (tap, &offset) in offsets.iter().enumerate() {
                let Some(values) = input[offset + from..].first_chunk::<COLUMNS>() else {
                    return;
                };
                let weights = filters.map(|filter| filter[tap]);
                for row in 0..ROWS {
                    for place in 0..COLUMNS {
                        own[row][place] = weights[row].mul_add(values[place], own[row][place]);
                    }
                }
            }
            for (sums, own) in sums.iter_mut().zip(own) {
                sums[from..from + COLUMNS].copy_from_slice(&own);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, by: usize) -> Vec<f32> {
        (0..count)
            .map(|at| ((at * by) % 17) as f32 * 0.1 - 0.8)
            .collect()
    }

    fn by_definition(
        sizes: &Sizes,
        input: &[f32],
        weights: &[f32],
        finish: &Finish<'_>,
    ) -> Vec<f32> {
        let [height, width] = sizes.output();
        let channels = sizes.channels / sizes.groups;
        let mut output = Vec::new();
        for picture in 0..sizes.batch {
            for filter in 0..sizes.filters {
                let group = filter / (sizes.filters / sizes.groups);
                for at in 0..height * width {
                    let mut sum = 0.0_f64;
                    for tap in 0..sizes.taps() {
                        let [down, across] = sizes.kernel;
                        let channel = group * channels + tap / (down * across);
                        let y = at / width * sizes.stride[0] + tap / across % down;
                        let x = at % width * sizes.stride[1] + tap % across;
                        let y = y.wrapping_sub(sizes.padding[0]);
                        let x = x.wrapping_sub(sizes.padding[1]);
                        if y < sizes.input[0] && x < sizes.input[1] {
                            let line = (picture * sizes.channels + channel) * sizes.input[0] + y;
                            let value = f64::from(input[line * sizes.input[1] + x]);
                            sum += value * f64::from(weights[filter * sizes.taps() + tap]);
                        }
                    }
                    let scale = finish.scale.map_or(1.0, |scale| f64::from(scale[filter]));
                    let shift = finish.shift.map_or(0.0, |shift| f64::from(shift[filter]));
                    let added = finish.added.map_or(0.0, |a| f64::from(a[output.len()]));
                    let value = sum * scale + shift + added;
                    output.push(if finish.rectified {
                        value.max(0.0)
                    } else {
                        value
                    } as f32);
                }
            }
        }
        output
    }

    fn cases() -> Vec<Sizes> {
        let same = |batch, channels, filters, side| Sizes {
            batch,
            channels,
            filters,
            groups: 1,
            input: [side, side],
            kernel: [3, 3],
            stride: [1, 1],
            padding: [1, 1],
        };
        vec![
            same(1, 3, 16, 28),
            same(3, 5, 11, 6),
            same(40, 2, 3, 2),
            Sizes {
                stride: [2, 2],
                ..same(2, 4, 8, 15)
            },
            Sizes {
                kernel: [7, 7],
                stride: [2, 2],
                padding: [3, 3],
                ..same(1, 3, 9, 20)
            },
            Sizes {
                kernel: [11, 11],
                stride: [4, 4],
                padding: [0, 0],
                ..same(1, 3, 8, 67)
            },
            Sizes {
                kernel: [1, 1],
                stride: [2, 2],
                padding: [0, 0],
                ..same(2, 6, 8, 9)
            },
            Sizes {
                groups: 2,
                kernel: [5, 5],
                padding: [2, 2],
                ..same(2, 6, 10, 7)
            },
            Sizes {
                input: [4, 9],
                kernel: [3, 1],
                stride: [1, 3],
                padding: [0, 2],
                ..same(1, 2, 4, 1)
            },
            same(9, 3, 35, 2),
            Sizes {
                stride: [2, 2],
                ..same(3, 4, 32, 4)
            },
            // Enough for several threads.
            same(5, 16, 24, 30),
            same(1, 32, 40, 30),
        ]
    }

    #[test]
    fn strides_groups_and_edges_are_those_of_the_definition() {
        for sizes in cases() {
            let [height, width] = sizes.output();
            let input = values(
                sizes.batch * sizes.channels * sizes.input[0] * sizes.input[1],
                5,
            );
            let weights = values(sizes.filters * sizes.taps(), 7);
            let (scale, shift) = (values(sizes.filters, 3), values(sizes.filters, 11));
            let added = values(sizes.batch * sizes.filters * height * width, 13);
            let all = Finish {
                scale: Some(&scale),
                shift: Some(&shift),
                added: Some(&added),
                rectified: true,
            };
            for finish in [Finish::default(), all] {
                let found = convolve(&sizes, &input, &weights, &finish);
                let wanted = by_definition(&sizes, &input, &weights, &finish);
                assert_eq!(found.len(), wanted.len());
                let off = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs());
                let off = off.fold(0.0, f32::max);
                assert!(off < 2e-4, "{sizes:?}: {off}");
            }
        }
    }

    #[test]
    fn threads_batches_and_kernels_do_not_change_a_bit() {
        let one = |threads: usize, sizes: Sizes, input: &[f32], weights: &[f32]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let finish = Finish::default();
            (pool.build().unwrap()).install(|| convolve(&sizes, input, weights, &finish))
        };
        for sizes in cases() {
            let of_one = sizes.channels * sizes.input[0] * sizes.input[1];
            let input = values(sizes.batch * of_one, 5);
            let weights = values(sizes.filters * sizes.taps(), 7);
            let together = one(1, sizes, &input, &weights);
            assert_eq!(together, one(3, sizes, &input, &weights));
            let single = Sizes { batch: 1, ..sizes };
            let apart = input.chunks(of_one);
            let apart: Vec<f32> = apart.flat_map(|i| one(1, single, i, &weights)).collect();
            assert_eq!(together, apart);
        }
        let input = values(4000, 5);
        let weights = values(8 * 90, 7);
        let filters: [&[f32]; FILTERS] = std::array::from_fn(|row| &weights[row * 90..][..90]);
        let offsets: Vec<usize> = (0..90).map(|tap| tap * 37 % 3000).collect();
        let mut sums = [[[0.0; PLACES]; FILTERS]; 2];
        whole(&mut sums[0], &input, &offsets, &filters);
        narrow(&mut sums[1], &input, &offsets, &filters);
        assert_eq!(sums[0], sums[1]);
    }
}
