//! A block of self-attention, and what dropout takes from it.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::UamrnOptions;
use crate::model::layer_plan::Planned;
use crate::model::lsh_attention::LshAttention;
use crate::nn::parameters::Start;

/// What keeps the normalisation of a vector from dividing by 0.
const EPSILON: f64 = 1e-5;

/// `scale` and `shift` of a [`VectorNorm`].
pub(super) fn norm_parameters(name: &str, width: usize) -> Vec<Planned> {
    [("scale", 1.0), ("shift", 0.0)]
        .into_iter()
        .map(|(part, start)| Planned {
            name: format!("{name}.{part}"),
            shape: vec![width],
            start: Start::Constant(start),
            trained: true,
        })
        .collect()
}

/// Normalisation of each vector by its own mean and variance (Ba, Kiros, Hinton 2016).
#[derive(Module, Debug)]
pub struct VectorNorm {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
}

impl VectorNorm {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            scale: Param::from_tensor(Tensor::ones([width], device)),
            shift: Param::from_tensor(Tensor::zeros([width], device)),
        }
    }

    fn forward(&self, vectors: Tensor<3>) -> Tensor<3> {
        let off = vectors.clone() - vectors.mean_dim(2);
        let variance = (off.clone() * off.clone()).mean_dim(2);
        let scale: Tensor<3> = self.scale.val().unsqueeze();
        let shift: Tensor<3> = self.shift.val().unsqueeze();
        off / (variance + EPSILON).sqrt() * scale + shift
    }
}

/// What dropout multiplies by: 0 or 1 / (share kept), drawn by the caller.
#[derive(Debug, Clone)]
pub struct Kept {
    /// One entry a block.
    pub blocks: Vec<KeptOfBlock>,
}

/// The two dropouts of a block, `[batch, time, width]` each.
#[derive(Debug, Clone)]
pub struct KeptOfBlock {
    /// For what the attention brings.
    pub attention: Tensor<3>,
    /// For what the two dense layers bring.
    pub dense: Tensor<3>,
}

/// A block of self-attention.
#[derive(Module, Debug)]
pub struct AttentionBlock {
    pub(super) attention: LshAttention,
    attention_norm: VectorNorm,
    first: Linear,
    second: Linear,
    dense_norm: VectorNorm,
}

impl AttentionBlock {
    pub(super) fn new(options: UamrnOptions, device: &Device) -> Self {
        let UamrnOptions { width, hidden, .. } = options;
        Self {
            attention: LshAttention::new(options.attention(), device),
            attention_norm: VectorNorm::new(width, device),
            first: LinearConfig::new(width, hidden).init(device),
            second: LinearConfig::new(hidden, width).init(device),
            dense_norm: VectorNorm::new(width, device),
        }
    }

    pub(super) fn forward(&self, vectors: Tensor<3>, kept: Option<&KeptOfBlock>) -> Tensor<3> {
        let mut new = self.attention.forward(vectors.clone());
        if let Some(kept) = kept {
            new = new * kept.attention.clone();
        }
        let vectors = self.attention_norm.forward(vectors + new);
        let mut new = self
            .second
            .forward(relu(self.first.forward(vectors.clone())));
        if let Some(kept) = kept {
            new = new * kept.dense.clone();
        }
        self.dense_norm.forward(vectors + new)
    }
}
