//! 5×5 median of the rows of a padded field, borders repeated.

use super::{Block, LANES, blocks, blocks_mut};

/// Puts the lesser of each named pair of values first and the greater second.
macro_rules! exchange {
    ($v:ident: $($low:literal $high:literal),*) => {$(
        let (a, b) = ($v[$low], $v[$high]);
        // Comparisons in this form become one min and one max instruction.
        $v[$low] = if a < b { a } else { b };
        $v[$high] = if a < b { b } else { a };
    )*};
}

/// The vertical neighbours of one row in ascending order, rank by rank, with one
/// block of margin on both sides.
#[derive(Debug, Default)]
pub(super) struct SortedColumns {
    ranks: [Vec<f32>; 5],
}

impl SortedColumns {
    pub(super) fn fit(&mut self, stride: usize) {
        for rank in &mut self.ranks {
            rank.clear();
            rank.resize(stride + 2 * LANES, 0.0);
        }
    }
}

/// The median of the 5×5 neighbourhood of every pixel of a row into `out`; `near`
/// are the row itself and two above and below, repeated at the border. The spare
/// values of `out` become zero.
#[inline(always)]
pub(super) fn median_row(
    near: [&[f32]; 5],
    out: &mut [f32],
    width: usize,
    sorted: &mut SortedColumns,
) {
    let computed = width.next_multiple_of(LANES);
    sort_columns(
        near.map(|row| blocks(&row[..computed])),
        &mut sorted.ranks,
        width,
    );
    medians_of_row(&sorted.ranks, &mut out[..computed]);
    out[width..].fill(0.0);
}

#[inline(always)]
fn sort_columns(rows: [&[Block]; 5], ranks: &mut [Vec<f32>; 5], width: usize) {
    let count = rows[0].len();
    {
        let [r0, r1, r2, r3, r4] = &mut *ranks;
        let inner = LANES..LANES * (count + 1);
        let ranks = [
            blocks_mut(&mut r0[inner.clone()]),
            blocks_mut(&mut r1[inner.clone()]),
            blocks_mut(&mut r2[inner.clone()]),
            blocks_mut(&mut r3[inner.clone()]),
            blocks_mut(&mut r4[inner]),
        ];
        for i in 0..count {
            let (a, b, c, d, e) = (
                &rows[0][i],
                &rows[1][i],
                &rows[2][i],
                &rows[3][i],
                &rows[4][i],
            );
            let mut out = [[0.0; LANES]; 5];
            for k in 0..LANES {
                let mut v = [a[k], b[k], c[k], d[k], e[k]];
                exchange!(v: 0 1, 3 4, 2 4, 2 3, 0 3, 0 2, 1 4, 1 3, 1 2);
                for r in 0..5 {
                    out[r][k] = v[r];
                }
            }
            for r in 0..5 {
                ranks[r][i] = out[r];
            }
        }
    }
    // Two more columns on either side repeat the border.
    for rank in ranks {
        let (first, last) = (rank[LANES], rank[LANES + width - 1]);
        rank[LANES - 2..LANES].fill(first);
        rank[LANES + width..LANES + width + 2].fill(last);
    }
}

#[inline(always)]
fn medians_of_row(ranks: &[Vec<f32>; 5], out: &mut [f32]) {
    let length = out.len();
    let window = |rank: usize, column: usize| {
        let start = LANES - 2 + column;
        blocks(&ranks[rank][start..start + length])
    };
    let columns: [[&[Block]; 5]; 5] =
        std::array::from_fn(|c| std::array::from_fn(|r| window(r, c)));
    for (i, out) in blocks_mut(out).iter_mut().enumerate() {
        let near: [[&Block; 5]; 5] =
            std::array::from_fn(|c| std::array::from_fn(|r| &columns[c][r][i]));
        let mut medians = [0.0; LANES];
        for (k, median) in medians.iter_mut().enumerate() {
            *median = median_of_sorted_columns(near, k);
        }
        *out = medians;
    }
}

/// The 13th of 25 values that are sorted within their columns: the rows are
/// sorted as far as needed, then what can no longer be in the middle is put
/// aside. 60 exchanges, found by a search and proved over all zero–one inputs
/// in the test below.
#[inline(always)]
fn median_of_sorted_columns(near: [[&Block; 5]; 5], k: usize) -> f32 {
    let [a, b, c, d, e] = near;
    let mut v = [
        a[0][k], a[1][k], a[2][k], a[3][k], a[4][k], b[0][k], b[1][k], b[2][k], b[3][k], b[4][k],
        c[0][k], c[1][k], c[2][k], c[3][k], c[4][k], d[0][k], d[1][k], d[2][k], d[3][k], d[4][k],
        e[0][k], e[1][k], e[2][k], e[3][k], e[4][k],
    ];
    exchange!(v: 0 5, 15 20, 10 20, 10 15, 0 15, 5 20, 5 15);
    exchange!(v: 1 16, 6 21, 1 11, 6 16, 1 6, 11 21, 6 11, 16 21, 11 16);
    exchange!(v: 2 7, 17 22, 12 22, 12 17, 2 17, 2 12, 7 22, 7 17, 7 12);
    exchange!(v: 3 18, 8 23, 3 13, 8 18, 3 8, 13 23, 8 13, 18 23, 13 18);
    exchange!(v: 4 19, 9 24, 4 14, 9 19, 4 9, 14 24, 9 14);
    exchange!(v: 9 13, 7 3, 11 15, 21 17, 3 15, 9 15, 15 21, 16 4, 8 12, 9 16);
    exchange!(v: 4 12, 4 9, 15 16, 8 15, 20 15, 20 8, 15 16, 8 9, 9 15);
    v[9]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_finds_the_median_of_every_zero_one_pattern() {
        // Sorted columns are told apart by how many ones each holds.
        for code in 0..6usize.pow(5) {
            let ones: [usize; 5] = std::array::from_fn(|c| code / 6usize.pow(c as u32) % 6);
            let columns: [[Block; 5]; 5] = std::array::from_fn(|c| {
                std::array::from_fn(|r| [f32::from(u8::from(r >= 5 - ones[c])); LANES])
            });
            let near = std::array::from_fn(|c| std::array::from_fn(|r| &columns[c][r]));
            let expected = f32::from(u8::from(ones.iter().sum::<usize>() >= 13));
            assert_eq!(median_of_sorted_columns(near, 0), expected, "{ones:?}");
        }
    }

    #[test]
    fn the_filter_equals_sorting_each_neighbourhood() {
        for (width, height) in [(1, 1), (3, 2), (15, 7), (37, 23)] {
            let stride = super::super::row_stride(width);
            let mut state = 12345u32;
            let mut field = vec![0.0; stride * height];
            for y in 0..height {
                for x in 0..width {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    field[y * stride + x] = (state >> 20) as f32 - 2000.0;
                }
            }
            let mut filtered = vec![7.0; stride * height];
            let mut sorted = SortedColumns::default();
            sorted.fit(stride);
            for (y, out) in filtered.chunks_exact_mut(stride).enumerate() {
                let near = std::array::from_fn(|dy| {
                    let y = (y + dy).saturating_sub(2).min(height - 1);
                    &field[y * stride..(y + 1) * stride]
                });
                median_row(near, out, width, &mut sorted);
            }
            for y in 0..height {
                for x in 0..width {
                    let mut near = Vec::new();
                    for dy in 0..5 {
                        for dx in 0..5 {
                            let yy = (y + dy).saturating_sub(2).min(height - 1);
                            let xx = (x + dx).saturating_sub(2).min(width - 1);
                            near.push(field[yy * stride + xx]);
                        }
                    }
                    near.sort_by(f32::total_cmp);
                    assert_eq!(
                        filtered[y * stride + x],
                        near[12],
                        "{width}×{height} {x},{y}"
                    );
                }
                assert!(
                    filtered[y * stride + width..(y + 1) * stride]
                        .iter()
                        .all(|&v| v == 0.0)
                );
            }
        }
    }
}
