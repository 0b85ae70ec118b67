use super::kernels::{FILTERS, PLACES, narrow, whole};
use super::*;

fn values(count: usize, by: usize) -> Vec<f32> {
    (0..count)
        .map(|at| ((at * by) % 17) as f32 * 0.1 - 0.8)
        .collect()
}

fn by_definition(sizes: &Sizes, input: &[f32], weights: &[f32], finish: &Finish<'_>) -> Vec<f32> {
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
