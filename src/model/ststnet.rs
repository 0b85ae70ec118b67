//! STSTNet, the shallow triple-stream network that tells negative, positive and
//! surprise apart by the flow from onset to apex (S1; Liong, Gan, See, Khor, Huang,
//! FG 2019).
//!
//! Three streams of one 3×3 convolution with 3, 5 and 8 filters, ReLU, batch
//! normalisation, 3×3 max pool and dropout; concatenated, averaged 2×2, 400 values to
//! three classes; 1,683 parameters. Every stream sees all three channels, so the
//! streams are exactly one convolution of sixteen filters, which is how they stand here.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::AvgPool2dConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::flow_input::{CHANNELS, SIDE};
use crate::nn::convolution::{Then, convolved};
use crate::nn::parameters::{self, Parameter, Start, Tensors};
use crate::nn::pooling::{Fields, max_pooled};

/// The network's name in weights files.
pub const NETWORK: &str = "ststnet";
/// Filters of all three streams: 3, 5 and 8 in this order.
pub const FILTERS: usize = 16;
/// Side of the pooled streams.
pub const POOLED: usize = 10;
/// Values that enter the dense layer, as `[filter, row, column]`.
pub const FLAT: usize = 400;
/// Negative, positive, surprise.
pub const CLASSES: usize = 3;
/// What keeps the normalisation from dividing by 0.
pub const EPSILON: f64 = 1e-5;
/// How far the running mean and variance move with each batch.
pub const MOMENTUM: f64 = 0.1;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "3×28×28 (strain, v, u) of the flow from onset to apex, each channel \
    of each image brought to 0..255";

/// The parameters as they stand in a weights file, with the start that PyTorch gives
/// them. Convolutions are `[filter, channel, row, column]`, dense layers `[in, out]`.
/// `norm.mean` and `norm.variance` are measured, not trained.
pub const PARAMETERS: [Parameter; 8] = [
    Parameter {
        name: "streams.weight",
        shape: &[FILTERS, CHANNELS, 3, 3],
        // 1/√(inputs of a filter)
        start: Start::Uniform {
            bound: 0.192_450_089_729_875_25,
        },
    },
    Parameter {
        name: "streams.bias",
        shape: &[FILTERS],
        start: Start::Uniform {
            bound: 0.192_450_089_729_875_25,
        },
    },
    Parameter {
        name: "norm.scale",
        shape: &[FILTERS],
        start: Start::Constant(1.0),
    },
    Parameter {
        name: "norm.shift",
        shape: &[FILTERS],
        start: Start::Constant(0.0),
    },
    Parameter {
        name: "norm.mean",
        shape: &[FILTERS],
        start: Start::Constant(0.0),
    },
    Parameter {
        name: "norm.variance",
        shape: &[FILTERS],
        start: Start::Constant(1.0),
    },
    Parameter {
        name: "classes.weight",
        shape: &[FLAT, CLASSES],
        start: Start::Uniform { bound: 0.05 },
    },
    Parameter {
        name: "classes.bias",
        shape: &[CLASSES],
        start: Start::Uniform { bound: 0.05 },
    },
];

/// Where the convolution's zeros lie around the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Geometry {
    /// One pixel: 28×28 stays 28×28, as in the paper and its Matlab program.
    Same,
    /// Two pixels, 30×30, as in the authors' PyTorch program and checkpoints.
    Wide,
}

impl Geometry {
    #[must_use]
    pub fn padding(self) -> usize {
        match self {
            Self::Same => 1,
            Self::Wide => 2,
        }
    }

    /// Side of the convolution's result.
    #[must_use]
    pub fn side(self) -> usize {
        SIDE - 2 + 2 * self.padding()
    }

    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Wide => "wide",
        }
    }

    /// The geometry that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Same, Self::Wide]
            .into_iter()
            .find(|geometry| geometry.name() == name)
    }
}

/// Batch normalisation over sixteen filters.
#[derive(Module, Debug)]
pub struct Norm {
    pub scale: Param<Tensor<1>>,
    pub shift: Param<Tensor<1>>,
    pub mean: Param<Tensor<1>>,
    pub variance: Param<Tensor<1>>,
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct StstNet {
    pub streams: Conv2d,
    pub norm: Norm,
    pub classes: Linear,
    #[module(skip)]
    geometry: Geometry,
}

/// What a forward pass of the training gives.
pub struct TrainingPass {
    /// `[batch, 3]`
    pub logits: Tensor<2>,
    /// Mean and (biased) variance of this batch, `[16]` each.
    pub mean: Tensor<1>,
    pub variance: Tensor<1>,
}

impl StstNet {
    /// With these parameters, named as in [`PARAMETERS`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        geometry: Geometry,
        device: &Device,
    ) -> Result<Self, String> {
        let pad = geometry.padding();
        let row = |value: f32| Tensor::<1>::full([FILTERS], value, device);
        let measured = |value| Param::from_tensor(row(value)).set_require_grad(false);
        let bare = Self {
            streams: Conv2dConfig::new([CHANNELS, FILTERS], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .init(device),
            norm: Norm {
                scale: Param::from_tensor(row(1.0)),
                shift: Param::from_tensor(row(0.0)),
                mean: measured(0.0),
                variance: measured(1.0),
            },
            classes: LinearConfig::new(FLAT, CLASSES).init(device),
            geometry,
        };
        parameters::with_tensors(bare, tensors)
    }

    #[must_use]
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// # Shapes
    /// - `images`: `[batch, 3, 28, 28]`, channels strain, v, u, scaled as in the training
    /// - result: `[batch, 3]`, logits of negative, positive, surprise
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let streams = self.normalized(
            relu(self.convolved(images)),
            self.norm.mean.val(),
            self.norm.variance.val(),
        );
        self.classified(pooled(streams))
    }

    /// The forward pass of a training, by whole tensors: for any device.
    ///
    /// # Shapes
    /// - `images`: as for [`Self::forward`]
    /// - `kept`: `[batch, 16, 10, 10]`, what dropout multiplies the pooled streams by
    #[must_use]
    pub fn forward_training(&self, images: Tensor<4>, kept: Tensor<4>) -> TrainingPass {
        let streams = relu(self.convolved(images));
        let mean = mean_by_filter(streams.clone());
        let off = streams.clone() - by_filter(mean.clone());
        let variance = mean_by_filter(off.clone() * off);
        let streams = self.normalized(streams, mean.clone(), variance.clone());
        let pooled = pooled(streams);
        TrainingPass {
            logits: self.classified(pooled * kept),
            mean,
            variance,
        }
    }

    /// The rest of the forward pass from pooled streams that are not normalised yet:
    /// `pooled` holds, of each 3×3 field, the value that is largest after normalisation.
    ///
    /// # Shapes
    /// - `pooled`, `kept`: `[batch, 16, 10, 10]`; `mean`, `variance`: `[16]`
    #[must_use]
    pub fn head(
        &self,
        pooled: Tensor<4>,
        mean: Tensor<1>,
        variance: Tensor<1>,
        kept: Tensor<4>,
    ) -> Tensor<2> {
        self.classified(self.normalized(pooled, mean, variance) * kept)
    }

    /// What the filters saw before it is normalised: of each 3×3 field, the value that
    /// is largest after normalisation. [`Self::logits_of_features`] goes on from here.
    ///
    /// Field (0, 0) is centred on the first row and column of the convolution's result,
    /// and the next one lies three further.
    ///
    /// # Shapes
    /// - `images`: as for [`Self::forward`]
    /// - result: `[batch, 16, 10, 10]`, at least 0
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        // Where the scale is negative, normalising makes the least value the largest.
        let sign = by_filter(self.norm.scale.val().sign());
        pooled(relu(self.convolved(images)) * sign.clone()) * sign
    }

    /// The logits that [`Self::forward`] gives, from [`Self::features`].
    ///
    /// # Shapes
    /// - `features`: `[batch, 16, 10, 10]`
    /// - result: `[batch, 3]`
    #[must_use]
    pub fn logits_of_features(&self, features: Tensor<4>) -> Tensor<2> {
        let (mean, variance) = (self.norm.mean.val(), self.norm.variance.val());
        self.classified(self.normalized(features, mean, variance))
    }

    fn convolved(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = images.dims();
        assert_eq!([channels, height, width], [CHANNELS, SIDE, SIDE]);
        convolved(&self.streams, images, Then::default())
    }

    fn normalized(&self, streams: Tensor<4>, mean: Tensor<1>, variance: Tensor<1>) -> Tensor<4> {
        let factor = self.norm.scale.val() / (variance + EPSILON).sqrt();
        let offset = self.norm.shift.val() - mean * factor.clone();
        streams * by_filter(factor) + by_filter(offset)
    }

    fn classified(&self, pooled: Tensor<4>) -> Tensor<2> {
        let averaged = AvgPool2dConfig::new([2, 2]).init().forward(pooled);
        self.classes.forward(averaged.flatten::<2>(1, 3))
    }

    /// The running mean and variance moved towards those of a batch in which each
    /// filter had `count` values.
    #[must_use]
    pub fn with_measured(mut self, mean: &[f32], variance: &[f32], count: usize) -> Self {
        let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
        let moved = |param: Param<Tensor<1>>, new: &[f32], factor: f64| {
            param.map(|old| {
                let new = TensorData::new(new.to_vec(), [FILTERS]);
                let new = Tensor::from_data(new, &old.device());
                (old * (1.0 - MOMENTUM) + new * (MOMENTUM * factor)).set_require_grad(false)
            })
        };
        self.norm.mean = moved(self.norm.mean, mean, 1.0);
        self.norm.variance = moved(self.norm.variance, variance, unbiased);
        self
    }
}

/// The largest of each 3×3 field; the fields begin one place outside.
fn pooled(streams: Tensor<4>) -> Tensor<4> {
    let fields = Fields {
        side: 3,
        stride: 3,
        padding: 1,
    };
    max_pooled(streams, fields)
}

fn by_filter(row: Tensor<1>) -> Tensor<4> {
    row.reshape([1, FILTERS as i32, 1, 1])
}

fn mean_by_filter(streams: Tensor<4>) -> Tensor<1> {
    streams
        .mean_dim(3)
        .mean_dim(2)
        .mean_dim(0)
        .reshape([FILTERS as i32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_1683_parameters_and_32_measured_numbers() {
        let count = |measured: bool| -> usize {
            let kind =
                |p: &&Parameter| ["norm.mean", "norm.variance"].contains(&p.name) == measured;
            PARAMETERS.iter().filter(kind).map(Parameter::len).sum()
        };
        assert_eq!((count(false), count(true)), (1683, 32));
        let bound = (1.0 / 27.0_f64).sqrt();
        assert_eq!(PARAMETERS[0].start, Start::Uniform { bound });
    }
}
