//! Self-attention of several heads in which only those vectors look at each other that
//! locality-sensitive hashing puts into the same bucket (S3, section 3.2: “sparse
//! self-attention”).
//!
//! Three hyper-planes through the origin cut a head's space into eight buckets. A query
//! and a key make a pair where they fall into the same bucket in at least one of four
//! such tables. Vectors that point the same way nearly always do; of unrelated ones 41 %
//! do (1 − (7/8)⁴), so half of all products is the most that can be hoped for.
//!
//! S3 prints Σ over those pairs of softmax(q·k/√d)·v, that is, the softmax still runs over
//! all pairs and what lies outside is zeroed behind it: [`Mode::Paper`]. A query whose
//! best keys lie outside then says little, but nothing is saved. [`Mode::Sparse`] takes the
//! softmax within the pairs and computes no others: queries and keys are gathered by
//! bucket into small full products; a pair that shares a bucket in a later table again is
//! counted in the first only; the parts of a query's softmax are joined by their largest
//! scores, so that no matrix of all pairs ever exists. A query without any pair says
//! nothing in either mode: zeros.
//!
//! The hyper-planes are no result of a training and yet part of the weights: the other
//! parameters have learnt with them. They are drawn from a seed that never changes
//! ([`started`]), so trainings differ in everything but them. Bucket numbers have no
//! gradient. In sparse mode they are read back from the device once a pass, since the
//! sizes of the products depend on them.
//!
//! What it saves (`onset bench`, one processor core, S3's 1024 values in two heads, vectors
//! without anything in common): nothing yet. All pairs against hashed take 0.08 and 0.64 ms
//! for a sequence of 32, 0.9 and 2.8 for 128, 12 and 24 for 512, 230 and 245 for 2048: half
//! of the products, but hashing, gathering and joining besides. It is there because it is
//! the better-behaved softmax, and for sequences longer than those.
//!
//! Three matrices without biases for queries, keys and values, as in S3 (a bias of the
//! keys would move all scores of a query alike and so learn nothing under a softmax); a
//! dense layer joins the heads, as in Vaswani et al. 2017.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::layer_plan::{self, Planned};
use crate::nn::parameters::{Start, Tensors};

/// Hyper-planes of a table (n_p of S3): eight buckets.
pub const PLANES: usize = 3;
/// Tables whose pairs are united (n_t of S3).
pub const TABLES: usize = 4;

/// Where the hyper-planes come from. Another number would make old weights worse, not
/// wrong: they carry their own.
const SEED: u64 = 0x6275_636b_6574_7321;
/// The name that hyper-planes have in their layer.
const PLANES_NAME: &str = "planes";
/// Taken off the scores of what is no pair: beyond any score, and far from overflow.
const FAR: f32 = 1e30;

/// Which pairs of vectors look at each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of them: the attention that S3 compares with.
    Full,
    /// Softmax over all pairs, then zeros for those that share no bucket: S3 as printed.
    Paper,
    /// Softmax over the pairs that share a bucket; no others are computed.
    Sparse,
}

impl Mode {
    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Paper => "paper",
            Self::Sparse => "sparse",
        }
    }

    /// The mode that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Full, Self::Paper, Self::Sparse]
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

/// Sizes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LshOptions {
    /// Values of a vector, a multiple of `heads`.
    pub width: usize,
    /// Heads, each of which sees its own `width / heads` values.
    pub heads: usize,
    /// Hyper-planes of a table, 1..=16.
    pub planes: usize,
    /// Tables, at least one.
    pub tables: usize,
    /// Which pairs count.
    pub mode: Mode,
}

impl LshOptions {
    /// With S3's hashing: three hyper-planes, four tables.
    #[must_use]
    pub fn new(width: usize, heads: usize, mode: Mode) -> Self {
        Self {
            width,
            heads,
            planes: PLANES,
            tables: TABLES,
            mode,
        }
    }

    /// Values of a vector in one head.
    #[must_use]
    pub fn head_width(self) -> usize {
        self.width / self.heads
    }

    fn planes_shape(self) -> [usize; 3] {
        [self.tables, self.planes, self.head_width()]
    }

    /// The parameters: `query.weight`, `key.weight`, `value.weight`, `output.…`, and
    /// `planes`, which is fixed. [`started`] draws it; a plain
    /// [`layer_plan::started`] would fill it too, but by the training's own seed.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        let mut plan: Vec<Planned> = ["query", "key", "value"]
            .into_iter()
            .flat_map(|name| layer_plan::dense(name, self.width, self.width))
            .filter(|planned| planned.name.ends_with(".weight"))
            .collect();
        plan.extend(layer_plan::dense("output", self.width, self.width));
        plan.push(Planned {
            name: PLANES_NAME.to_owned(),
            shape: self.planes_shape().to_vec(),
            start: Start::Uniform { bound: 1.0 },
            trained: false,
        });
        plan
    }
}

/// As [`layer_plan::started`], for a network that has layers of this kind: their
/// hyper-planes come from the fixed seed, each layer's from its own part of it.
#[must_use]
pub fn started(plan: &[Planned], draw: impl FnMut(usize, f64, usize) -> Vec<f32>) -> Tensors {
    let mut tensors = layer_plan::started(plan, draw);
    let is_planes = |planned: &&Planned| planned.name.rsplit('.').next() == Some(PLANES_NAME);
    for (layer, planned) in (0..).zip(plan.iter().filter(is_planes)) {
        if let Some(tensor) = tensors.get_mut(&planned.name) {
            tensor.values = normals(layer, planned.len());
        }
    }
    tensors
}

/// Normally distributed numbers, always the same for one layer: SplitMix64 (Steele, Lea,
/// Flood 2014) through Box and Muller's formula. Hyper-planes with such normals favour no
/// direction.
fn normals(layer: u64, count: usize) -> Vec<f32> {
    let mut state = SEED.wrapping_add(layer << 32);
    let mut unit = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // In the middle of its step: never 0, which has no logarithm.
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let normal = |_| {
        let (radius, turn) = ((-2.0 * unit().ln()).sqrt(), unit());
        (radius * (std::f64::consts::TAU * turn).cos()) as f32
    };
    (0..count).map(normal).collect()
}

/// Queries, keys and values of all heads, `[batch, head, time, head width]` each.
#[derive(Debug, Clone)]
pub struct Heads {
    /// What looks.
    pub query: Tensor<4>,
    /// What is looked at.
    pub key: Tensor<4>,
    /// What is taken away from there.
    pub value: Tensor<4>,
}

impl Heads {
    /// q·k/√(head width), `[batch, head, query, key]`.
    fn scores(&self) -> Tensor<4> {
        let key = self.key.clone().swap_dims(2, 3);
        self.query.clone().matmul(key) * self.scale()
    }

    fn scale(&self) -> f64 {
        let [.., width] = self.query.dims();
        (width as f64).sqrt().recip()
    }
}

/// The bucket of each vector in each table: the hyper-planes' sides as binary digits, 0
/// above and 1 below or on the plane, as whole numbers without gradient.
///
/// # Shapes
/// - `vectors`: `[batch, head, time, head width]`
/// - `planes`: `[table, plane, head width]`
/// - result: `[batch, head, time, table]`, 0..2^planes
#[must_use]
pub fn buckets(vectors: Tensor<4>, planes: Tensor<3>) -> Tensor<4> {
    let [batch, heads, time, width] = vectors.dims();
    let [tables, count, plane_width] = planes.dims();
    assert_eq!(width, plane_width, "width of the hyper-planes");
    let vectors: Tensor<2> = vectors.detach().reshape([batch * heads * time, width]);
    let planes: Tensor<2> = planes.detach().reshape([tables * count, width]);
    let below = vectors.matmul(planes.transpose()).lower_equal_elem(0.0);
    let digits: Tensor<3> = below.float().reshape([batch * heads * time, tables, count]);
    let worth: Vec<f32> = (0..count).map(|place| (1_u32 << place) as f32).collect();
    let worth = Tensor::from_data(TensorData::new(worth, [1, 1, count]), &digits.device());
    let numbers = (digits * worth).sum_dim(2);
    numbers.reshape([batch, heads, time, tables])
}

/// 1 for each query and key that share a bucket in at least one table, else 0.
///
/// # Shapes
/// - `planes`: `[table, plane, head width]`
/// - result: `[batch, head, query, key]`
#[must_use]
pub fn pairs(heads: &Heads, planes: &Tensor<3>) -> Tensor<4> {
    let [tables, ..] = planes.dims();
    let query = buckets(heads.query.clone(), planes.clone());
    let key = buckets(heads.key.clone(), planes.clone()).swap_dims(2, 3);
    // Numbers of buckets are whole: 0 where they agree, else 1 and more.
    let apart = |table: usize| {
        let off = query.clone().narrow(3, table, 1) - key.clone().narrow(2, table, 1);
        off.abs().clamp_max(1.0)
    };
    let all_apart = (1..tables).fold(apart(0), |product, table| product * apart(table));
    all_apart.neg() + 1.0
}

/// How much each query takes from each key. Forms the whole matrix in every mode, for
/// one is asked for it to be looked at; [`attended`] does not in sparse mode.
///
/// # Shapes
/// - `planes`: `[table, plane, head width]`
/// - result: `[batch, head, query, key]`, 0..1; rows sum to 1 in full mode, to 1 or less
///   in the paper's, and to 1 in sparse mode unless a query has no pair, then to 0
#[must_use]
pub fn matrix(heads: &Heads, planes: &Tensor<3>, mode: Mode) -> Tensor<4> {
    let scores = heads.scores();
    match mode {
        Mode::Full => softmax(scores, 3),
        Mode::Paper => softmax(scores, 3) * pairs(heads, planes),
        Mode::Sparse => {
            let pairs = pairs(heads, planes);
            let within = scores + (pairs.clone() - 1.0) * FAR;
            softmax(within, 3) * pairs
        }
    }
}

/// What the queries take away, by the mode's own way.
///
/// # Shapes
/// - `planes`: `[table, plane, head width]`
/// - result: `[batch, head, time, head width]`
///
/// # Panics
/// In sparse mode, when the device cannot be read.
#[must_use]
pub fn attended(heads: &Heads, planes: &Tensor<3>, mode: Mode) -> Tensor<4> {
    match mode {
        Mode::Full | Mode::Paper => matrix(heads, planes, mode).matmul(heads.value.clone()),
        Mode::Sparse => sparse(heads, planes),
    }
}

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
fn sparse(heads: &Heads, planes: &Tensor<3>) -> Tensor<4> {
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

/// The layer with its parameters on one device.
#[derive(Module, Debug)]
pub struct LshAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    /// `[table, plane, head width]`, not trained.
    planes: Param<Tensor<3>>,
    #[module(skip)]
    options: LshOptions,
}

impl LshAttention {
    /// With Burn's initial weights, for a network of which it is part to replace by
    /// tensors named as in [`LshOptions::parameters`].
    ///
    /// # Panics
    /// When the heads do not share the width evenly, or there is no table, or there are
    /// no or more than 16 hyper-planes.
    #[must_use]
    pub fn new(options: LshOptions, device: &Device) -> Self {
        let LshOptions { width, heads, .. } = options;
        assert!(heads > 0 && width > 0 && width.is_multiple_of(heads));
        assert!(options.tables > 0 && (1..=16).contains(&options.planes));
        let square = LinearConfig::new(width, width);
        let shape = options.planes_shape();
        let planes = TensorData::new(normals(0, shape.iter().product()), shape);
        let planes = Param::from_tensor(Tensor::from_data(planes, device));
        Self {
            query: square.clone().with_bias(false).init(device),
            key: square.clone().with_bias(false).init(device),
            value: square.clone().with_bias(false).init(device),
            output: square.init(device),
            planes: planes.set_require_grad(false),
            options,
        }
    }

    /// The sizes and the mode it was made with.
    #[must_use]
    pub fn options(&self) -> LshOptions {
        self.options
    }

    /// # Shapes
    /// - `vectors`, result: `[batch, time, width]`, any time from 1 on
    ///
    /// # Panics
    /// In sparse mode, when the device cannot be read.
    #[must_use]
    pub fn forward(&self, vectors: Tensor<3>) -> Tensor<3> {
        let dims = vectors.dims();
        let taken = self.attended(&self.heads(vectors));
        self.output.forward(taken.swap_dims(1, 2).reshape(dims))
    }

    /// What the queries take away, head by head: see [`attended`].
    ///
    /// # Shapes
    /// - result: `[batch, head, time, head width]`
    ///
    /// # Panics
    /// In sparse mode, when the device cannot be read.
    #[must_use]
    pub fn attended(&self, heads: &Heads) -> Tensor<4> {
        attended(heads, &self.planes.val(), self.options.mode)
    }

    /// The attention matrix of these vectors, for a view: see [`matrix`].
    ///
    /// # Shapes
    /// - `vectors`: `[batch, time, width]`
    /// - result: `[batch, head, query, key]`, 0..1
    #[must_use]
    pub fn matrix(&self, vectors: Tensor<3>) -> Tensor<4> {
        let heads = self.heads(vectors);
        matrix(&heads, &self.planes.val(), self.options.mode)
    }

    /// Queries, keys and values of these vectors.
    ///
    /// # Shapes
    /// - `vectors`: `[batch, time, width]`
    #[must_use]
    pub fn heads(&self, vectors: Tensor<3>) -> Heads {
        let [batch, time, width] = vectors.dims();
        let LshOptions { heads, .. } = self.options;
        assert_eq!(width, self.options.width, "width of the vectors");
        let part = |layer: &Linear| {
            let all = layer.forward(vectors.clone());
            let all: Tensor<4> = all.reshape([batch, time, heads, width / heads]);
            all.swap_dims(1, 2)
        };
        Heads {
            query: part(&self.query),
            key: part(&self.key),
            value: part(&self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyper_planes_are_the_same_whatever_the_training_draws() {
        let plan = [
            layer_plan::within("a", LshOptions::new(8, 2, Mode::Paper).parameters()),
            layer_plan::within("b", LshOptions::new(8, 2, Mode::Paper).parameters()),
        ]
        .concat();
        let drawn = |value: f32| started(&plan, |_, _, count| vec![value; count]);
        let (one, other) = (drawn(0.1), drawn(0.2));
        assert_ne!(one["a.query.weight"], other["a.query.weight"]);
        assert_eq!(one["a.planes"], other["a.planes"]);
        assert_ne!(one["a.planes"], one["b.planes"]);
        let many = normals(7, 10_000);
        let mean = many.iter().sum::<f32>() / 1e4;
        let spread = many.iter().map(|v| v * v).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.05);
    }

    #[test]
    fn padding_adds_less_than_an_eighth_to_large_products() {
        assert_eq!([1, 4, 5, 9].map(padded), [4, 4, 8, 12]);
        for count in 33..5000 {
            let size = padded(count);
            assert!(size >= count && size - count < count / 8, "{count}: {size}");
        }
    }
}
