//! Batch normalisation, with the statistics in the caller's hands (Ioffe and Szegedy
//! 2015, with PyTorch's constants).
//!
//! A forward pass of a training hands out what it measured of the batch instead of
//! changing the network underway, so that the pass itself has no side effect; the
//! trainer gives it back once the gradients are taken.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::nn::convolution::{Then, convolved};

/// What keeps the normalisation from dividing by 0.
pub const EPSILON: f64 = 1e-5;
/// How far the running mean and variance move with each batch.
pub const MOMENTUM: f64 = 0.1;

/// Normalisation of each channel, `[channel]` each. Mean and variance are measured, not
/// trained.
#[derive(Module, Debug)]
pub struct BatchNorm {
    pub scale: Param<Tensor<1>>,
    pub shift: Param<Tensor<1>>,
    pub mean: Param<Tensor<1>>,
    pub variance: Param<Tensor<1>>,
}

/// Mean and biased variance of each channel in one batch, `[channel]`.
#[derive(Debug, Clone)]
pub struct Measured {
    pub mean: Tensor<1>,
    pub variance: Tensor<1>,
    /// Values of each channel: batch × places.
    pub count: usize,
}

/// Whose mean and variance a pass normalises by.
pub enum Statistics<'a> {
    /// Those gathered in the training.
    Running,
    /// The batch's own, which are appended to the list, one entry a normalisation.
    OfBatch(&'a mut Vec<Measured>),
}

/// What a forward pass of a training gives.
pub struct TrainingPass {
    /// `[batch, output]`
    pub logits: Tensor<2>,
    /// What each normalisation measured, in the order of the layers.
    pub measured: Vec<Measured>,
}

impl BatchNorm {
    /// As it is before a training.
    #[must_use]
    pub fn new(channels: usize, device: &Device) -> Self {
        let row = |value: f32| Param::from_tensor(Tensor::full([channels], value, device));
        Self {
            scale: row(1.0),
            shift: row(0.0),
            mean: row(0.0).set_require_grad(false),
            variance: row(1.0).set_require_grad(false),
        }
    }

    /// # Shapes
    /// - `maps`, result: `[batch, channel, height, width]`; for clips `batch` runs over
    ///   the frames too, which makes it the three-dimensional normalisation
    #[must_use]
    pub fn forward(&self, maps: Tensor<4>, statistics: &mut Statistics) -> Tensor<4> {
        let [batch, channels, height, width] = maps.dims();
        let (mean, variance) = match statistics {
            Statistics::Running => (self.mean.val(), self.variance.val()),
            Statistics::OfBatch(measured) => {
                let mean = mean_by_channel(maps.clone());
                let off = maps.clone() - by_channel(mean.clone());
                let variance = mean_by_channel(off.clone() * off);
                measured.push(Measured {
                    mean: mean.clone(),
                    variance: variance.clone(),
                    count: batch * height * width,
                });
                (mean, variance)
            }
        };
        assert_eq!(mean.dims(), [channels]);
        let [factor, offset] = self.line(mean, variance);
        maps * by_channel(factor) + by_channel(offset)
    }

    /// A convolution and its normalisation, in one pass where the statistics are known
    /// beforehand; then `added`, if there is something to add; then rectified, if it is.
    ///
    /// # Shapes
    /// - `maps`: `[batch, channel, height, width]`
    /// - `added`, result: `[batch, filter, height, width]`
    #[must_use]
    pub fn after(
        &self,
        layer: &Conv2d,
        maps: Tensor<4>,
        added: Option<Tensor<4>>,
        rectified: bool,
        statistics: &mut Statistics,
    ) -> Tensor<4> {
        if matches!(statistics, Statistics::Running) {
            let then = Then {
                scaled: Some(self.line(self.mean.val(), self.variance.val())),
                added,
                rectified,
            };
            return convolved(layer, maps, then);
        }
        let mut maps = self.forward(layer.forward(maps), statistics);
        if let Some(added) = added {
            maps = maps + added;
        }
        if rectified { relu(maps) } else { maps }
    }

    /// Factor and offset that normalising comes to, `[channel]` each.
    fn line(&self, mean: Tensor<1>, variance: Tensor<1>) -> [Tensor<1>; 2] {
        let factor = self.scale.val() / (variance + EPSILON).sqrt();
        let offset = self.shift.val() - mean * factor.clone();
        [factor, offset]
    }

    fn take_over(&mut self, measured: &Measured) {
        let count = measured.count as f64;
        // The running variance is that of a sample: PyTorch's custom.
        let unbiased = count / (count - 1.0).max(1.0);
        let moved = |param: &Param<Tensor<1>>, new: &Tensor<1>, factor: f64| {
            let new = new.clone().detach() * (MOMENTUM * factor);
            param
                .clone()
                .map(|old| (old.detach() * (1.0 - MOMENTUM) + new).set_require_grad(false))
        };
        self.mean = moved(&self.mean, &measured.mean, 1.0);
        self.variance = moved(&self.variance, &measured.variance, unbiased);
    }
}

/// Moves the running statistics of normalisations, given in the order of the layers,
/// towards those of a batch.
///
/// # Panics
/// When a pass through another network measured them.
pub fn take_over(norms: Vec<&mut BatchNorm>, measured: &[Measured]) {
    assert_eq!(
        norms.len(),
        measured.len(),
        "one measurement a normalisation"
    );
    for (norm, measured) in norms.into_iter().zip(measured) {
        norm.take_over(measured);
    }
}

fn by_channel(row: Tensor<1>) -> Tensor<4> {
    let [channels] = row.dims();
    row.reshape([1, channels, 1, 1])
}

fn mean_by_channel(maps: Tensor<4>) -> Tensor<1> {
    let channels = maps.dims()[1];
    let mean = maps.mean_dim(3).mean_dim(2).mean_dim(0);
    mean.reshape([channels])
}
