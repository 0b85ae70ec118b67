//! The pictures with their zeros around them, as the kernels read them.

use super::kernels::PLACES;
use super::{Sizes, in_parts};

/// Copies of the pictures with their zeros: `[channel, copy down, copy across, picture,
/// row, column]`, and room for a kernel that reads beyond the last.
pub(super) fn copied(sizes: &Sizes, input: &[f32], parallel: bool) -> Vec<f32> {
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
    in_parts(filled, of_channel, parallel, work);
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
pub(super) fn offsets(sizes: &Sizes) -> Vec<usize> {
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
