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

mod block;
mod copies;
mod kernels;
mod sizes;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

pub(super) use block::Finish;
pub(super) use kernels::is_fast;
pub(super) use sizes::Sizes;

use block::Block;
use copies::{copied, offsets};
use kernels::{FILTERS, is_wide};

/// Small pictures are worked together up to so many places.
const TOGETHER: usize = 256;
/// Below so many products one thread is faster than several.
const PARALLEL: usize = 2_000_000;

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
        in_parts(output, length, parallel, work);
        return;
    }
    // Filter by filter over all pictures, then each to its picture.
    let blocks = sizes.groups * of_group.div_ceil(block);
    let length = block * sizes.batch * area;
    let mut lines = vec![0.0; blocks * length];
    in_parts(&mut lines, length, parallel, work);
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

/// `work` on each part of so many values, with its number, on several threads or on one.
fn in_parts(
    values: &mut [f32],
    length: usize,
    parallel: bool,
    work: impl Fn((usize, &mut [f32])) + Sync + Send,
) {
    if parallel {
        values.par_chunks_mut(length).enumerate().for_each(work);
    } else {
        values.chunks_mut(length).enumerate().for_each(work);
    }
}
