//! Which vectors share a bucket, and how much each takes from each.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

use super::Mode;
use super::sparse::sparse;

/// Taken off the scores of what is no pair: beyond any score, and far from overflow.
pub(super) const FAR: f32 = 1e30;

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

    pub(super) fn scale(&self) -> f64 {
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
