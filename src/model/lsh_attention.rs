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

mod matrix;
mod options;
mod sparse;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

pub use matrix::{Heads, attended, buckets, matrix, pairs};
pub use options::{LshOptions, Mode, PLANES, TABLES, started};

use options::normals;

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
