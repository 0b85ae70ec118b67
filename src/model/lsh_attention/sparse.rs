//! The softmax within pairs that share a bucket, without a matrix of all pairs.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::matrix::{FAR, Heads, buckets};

/// Products of one padded size, one behind the other.
#[derive(Default)]
struct Products {
    /// Rows of the queries and keys; what only fills up is row 0.
    queries: Vec<i32>,
    keys: Vec<i32>,
    /// What is added to the scores, product by product, query by query: 0 for a pair that
    /// counts here, −[`FAR`] for one that has counted before or only fills up.
    closed: Vec<f32>,
    /// For each row of `queries` which part it gives: table × rows + row. None where it
    /// only fills up.
    parts: Vec<Option<usize>>,
}

/// Which rows meet which. Rows are batch × head × time.
struct Meetings {
    /// By padded numbers of queries and keys.
    products: BTreeMap<[usize; 2], Products>,
    /// Whether a row's query meets any key.
    meets: Vec<bool>,
}

/// Products are filled up to few sizes, so that many can be done in one go: to multiples
/// of 4, and of a sixteenth of the next power of two for large ones.
fn padded(count: usize) -> usize {
    count.next_multiple_of((count.next_power_of_two() / 16).max(4))
}

impl Meetings {
    /// `queries` and `keys`: buckets, `[group × time, table]`; a query meets keys of its
    /// own group only.
    fn new(queries: &[f32], keys: &[f32], time: usize, tables: usize) -> Self {
        let rows = queries.len() / tables;
        let mut meetings = Self {
            products: BTreeMap::new(),
            meets: vec![false; rows],
        };
        for table in 0..tables {
            for first in (0..rows).step_by(time) {
                let by_bucket = |numbers: &[f32]| {
                    let mut found: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
                    for row in first..first + time {
                        let bucket = numbers[row * tables + table] as u32;
                        found.entry(bucket).or_default().push(row);
                    }
                    found
                };
                let keys_of = by_bucket(keys);
                for (bucket, asking) in by_bucket(queries) {
                    let Some(asked) = keys_of.get(&bucket) else {
                        continue;
                    };
                    for &row in &asking {
                        meetings.meets[row] = true;
                    }
                    let size = [padded(asking.len()), padded(asked.len())];
                    let products = meetings.products.entry(size).or_default();
                    let parts = asking.iter().map(|&row| Some(table * rows + row));
                    let filler = std::iter::repeat_n(None, size[0] - asking.len());
                    products.parts.extend(parts.chain(filler));
                    products.queries.extend(filled_up(&asking, size[0]));
                    products.keys.extend(filled_up(asked, size[1]));
                    let before = |numbers: &[f32], table: usize, rows: &[usize]| -> Vec<f32> {
                        let rows = rows.iter();
                        rows.map(|row| numbers[row * tables + table]).collect()
                    };
                    let before = (0..table)
                        .map(|t| (before(queries, t, &asking), before(keys, t, asked)))
                        .collect::<Vec<_>>();
                    products.close(size, [asking.len(), asked.len()], &before);
                }
            }
        }
        meetings
    }
}

impl Products {
    /// Appends a product's `closed` of this size, of which so many queries and keys are
    /// real. `before`: the buckets of both in each earlier table.
    fn close(&mut self, size: [usize; 2], real: [usize; 2], before: &[(Vec<f32>, Vec<f32>)]) {
        let start = self.closed.len();
        self.closed.resize(start + size[0] * size[1], -FAR);
        let product = &mut self.closed[start..];
        for (query, row) in product.chunks_exact_mut(size[1]).take(real[0]).enumerate() {
            let row = &mut row[..real[1]];
            row.fill(0.0);
            for (queries, keys) in before {
                for (closed, key) in row.iter_mut().zip(keys) {
                    // No branch: a row is done many keys at a time.
                    *closed = if *key == queries[query] {
                        -FAR
                    } else {
                        *closed
                    };
                }
            }
        }
    }
}

fn filled_up(rows: &[usize], size: usize) -> impl Iterator<Item = i32> {
    let rows = rows.iter().map(|&row| row as i32);
    rows.chain(std::iter::repeat(0)).take(size)
}

/// Softmax and sum over the pairs alone.
///
/// A query meets its keys in up to as many products as there are tables, each of which
/// gives its largest score m, Σ exp(s − m) and Σ exp(s − m)·v. Their sums, each times
/// exp(m − the largest m), are those of one softmax over all. m cancels out of the result,
/// so it needs no gradient. A product in which all of a query's pairs have counted before
/// has m = −[`FAR`], so whatever it gives is taken 0 times.
pub(super) fn sparse(heads: &Heads, planes: &Tensor<3>) -> Tensor<4> {
    let [batch, count, time, width] = heads.value.dims();
    let [tables, ..] = planes.dims();
    let device = &heads.value.device();
    let rows = batch * count * time;
    let numbers = |vectors: &Tensor<4>| -> Vec<f32> {
        let data = buckets(vectors.clone(), planes.clone()).into_data();
        data.iter::<f32>().collect()
    };
    let (query_buckets, key_buckets) = (numbers(&heads.query), numbers(&heads.key));
    let meetings = Meetings::new(&query_buckets, &key_buckets, time, tables);

    let flat = |vectors: &Tensor<4>| -> Tensor<2> { vectors.clone().reshape([rows, width]) };
    let query = flat(&heads.query) * heads.scale();
    let (key, value) = (flat(&heads.key), flat(&heads.value));
    let column = |values: Vec<f32>| -> Tensor<2> {
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length, 1]), device)
    };
    // Behind all parts stands one of nothing, for tables in which a query is alone.
    let parts: usize = meetings.products.values().map(|p| p.queries.len()).sum();
    let mut places = vec![parts as i32; tables * rows];
    let (mut tops, mut sums, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    let mut place = 0;
    for ([queries, keys], products) in meetings.products {
        for part in products.parts {
            if let Some(part) = part {
                places[part] = place;
            }
            place += 1;
        }
        let length = products.queries.len();
        let number = length / queries;
        let gathered = |from: &Tensor<2>, at: Vec<i32>, size: usize| -> Tensor<3> {
            let found = from.clone().select(0, row_numbers(at, device));
            found.reshape([number, size, width])
        };
        let closed = TensorData::new(products.closed, [number, queries, keys]);
        let closed: Tensor<3> = Tensor::from_data(closed, device);
        let asking = gathered(&query, products.queries, queries);
        let asked = gathered(&key, products.keys.clone(), keys).swap_dims(1, 2);
        let scores = asking.matmul(asked) + closed;
        let top = scores.clone().detach().max_dim(2);
        let weights = (scores - top.clone()).exp();
        let values = gathered(&value, products.keys, keys);
        tops.push(top.reshape([length, 1]));
        sums.push(weights.clone().sum_dim(2).reshape([length, 1]));
        taken.push(weights.matmul(values).reshape([length, width]));
    }
    tops.push(column(vec![-FAR]));
    sums.push(column(vec![0.0]));
    taken.push(Tensor::zeros([1, width], device));

    let places = row_numbers(places, device);
    let by_table = |parts: Vec<Tensor<2>>, width: usize| -> Tensor<3> {
        let parts: Tensor<2> = Tensor::cat(parts, 0).select(0, places.clone());
        parts.reshape([tables, rows, width])
    };
    let top = by_table(tops, 1);
    let factor = (top.clone() - top.max_dim(0)).exp();
    let sum = (by_table(sums, 1) * factor.clone()).sum_dim(0);
    let taken = (by_table(taken, width) * factor).sum_dim(0);
    // Nothing is nothing, not 0/0. All other sums have a term exp(0).
    let alone = (meetings.meets.iter()).map(|meets| f32::from(u8::from(!meets)));
    let alone: Tensor<3> = column(alone.collect()).unsqueeze();
    (taken / (sum + alone)).reshape([batch, count, time, width])
}

fn row_numbers(numbers: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let length = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [length]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_adds_less_than_an_eighth_to_large_products() {
        assert_eq!([1, 4, 5, 9].map(padded), [4, 4, 8, 12]);
        for count in 33..5000 {
            let size = padded(count);
            assert!(size >= count && size - count < count / 8, "{count}: {size}");
        }
    }
}
