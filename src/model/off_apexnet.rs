//! Off-ApexNet, the two-stream network on the flow from onset to apex that S1 compares
//! with STSTNet (Gan, Liong, Yau, Huang, Tan, Signal Processing: Image Communication
//! 2019).
//!
//! Two streams (u, v), each: 5×5 convolution with 6 filters, ReLU, 2×2 max pool, 5×5
//! convolution with 16 filters, ReLU, 2×2 max pool (28 → 14 → 7); concatenated 1,568
//! values, two dense layers of 1,024 nodes, three classes; 2,664,475 parameters (S1
//! prints 2.77 million).

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::flow_input::{CHANNELS, CLASSES, SIDE, U, V};
use crate::nn::convolution::{Then, convolved};
use crate::nn::parameters::{self, Parameter, Start, Tensors};
use crate::nn::pooling::{Fields, max_pooled};

/// The network's name in weights files.
pub const NETWORK: &str = "off-apexnet";
/// Filters of a stream's two convolutions.
pub const FILTERS: [usize; 2] = [6, 16];
/// Values that enter the first dense layer: u's 16 channels of 7×7, then v's.
pub const FLAT: usize = 2 * 16 * 7 * 7;
/// Nodes of each dense layer.
pub const HIDDEN: usize = 1024;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "2×28×28 (u, v) of the flow from onset to apex, each channel of each \
    image brought to 0..255; kept with the strain as (strain, v, u)";

/// 1/√25, 1/√150, 1/√1568, 1/√1024: PyTorch's start by a layer's inputs.
const BY_INPUTS: [f64; 4] = [
    0.2,
    0.081_649_658_092_772_6,
    0.025_253_813_613_805_27,
    0.031_25,
];

const fn even(name: &'static str, shape: &'static [usize], layer: usize) -> Parameter {
    Parameter {
        name,
        shape,
        start: Start::Uniform {
            bound: BY_INPUTS[layer],
        },
    }
}

/// The parameters as they stand in a weights file. Convolutions are
/// `[filter, channel, row, column]`, dense layers `[in, out]`.
pub const PARAMETERS: [Parameter; 14] = [
    even("u.first.weight", &[6, 1, 5, 5], 0),
    even("u.first.bias", &[6], 0),
    even("u.second.weight", &[16, 6, 5, 5], 1),
    even("u.second.bias", &[16], 1),
    even("v.first.weight", &[6, 1, 5, 5], 0),
    even("v.first.bias", &[6], 0),
    even("v.second.weight", &[16, 6, 5, 5], 1),
    even("v.second.bias", &[16], 1),
    even("joint.weight", &[FLAT, HIDDEN], 2),
    even("joint.bias", &[HIDDEN], 2),
    even("hidden.weight", &[HIDDEN, HIDDEN], 3),
    even("hidden.bias", &[HIDDEN], 3),
    even("classes.weight", &[HIDDEN, 3], 3),
    even("classes.bias", &[3], 3),
];

/// The two convolutions over one component of the flow.
#[derive(Module, Debug)]
pub struct Stream {
    first: Conv2d,
    second: Conv2d,
}

impl Stream {
    fn new(device: &Device) -> Self {
        let layer = |inputs: usize, filters: usize| {
            Conv2dConfig::new([inputs, filters], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                .init(device)
        };
        Self {
            first: layer(1, FILTERS[0]),
            second: layer(FILTERS[0], FILTERS[1]),
        }
    }

    fn forward(&self, component: Tensor<4>) -> Tensor<4> {
        let pool = |maps| max_pooled(maps, Fields::tiled(2));
        // Pooling first gives the same numbers with a quarter of the rectifications.
        let first = relu(pool(convolved(&self.first, component, Then::default())));
        relu(pool(convolved(&self.second, first, Then::default())))
    }
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct OffApexNet {
    u: Stream,
    v: Stream,
    joint: Linear,
    hidden: Linear,
    pub classes: Linear,
}

impl OffApexNet {
    /// With these parameters, named as in [`PARAMETERS`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(tensors: &Tensors, device: &Device) -> Result<Self, String> {
        let bare = Self {
            u: Stream::new(device),
            v: Stream::new(device),
            joint: LinearConfig::new(FLAT, HIDDEN).init(device),
            hidden: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            classes: LinearConfig::new(HIDDEN, CLASSES.len()).init(device),
        };
        parameters::with_tensors(bare, tensors)
    }

    /// # Shapes
    /// - `images`: `[batch, 3, 28, 28]`, channels strain, v, u, scaled as in the training
    /// - `kept`: `[batch, 1024]`, what dropout multiplies the nodes of the last hidden
    ///   layer by; none outside of a training
    /// - result: `[batch, 3]`, logits of negative, positive, surprise
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        self.logits_of_features(self.features(images), kept)
    }

    /// What the last convolutions saw, pooled: 16 maps of u, then 16 of v. Each of the
    /// 7×7 cells stands for 4×4 pixels of the image.
    ///
    /// # Shapes
    /// - `images`: as for [`Self::forward`]
    /// - result: `[batch, 32, 7, 7]`, at least 0
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = images.dims();
        assert_eq!([channels, height, width], [CHANNELS, SIDE, SIDE]);
        let u = self.u.forward(images.clone().narrow(1, U, 1));
        let v = self.v.forward(images.narrow(1, V, 1));
        Tensor::cat(vec![u, v], 1)
    }

    /// The rest of [`Self::forward`], from [`Self::features`].
    ///
    /// # Shapes
    /// - `features`: `[batch, 32, 7, 7]`; `kept` and result as for [`Self::forward`]
    #[must_use]
    pub fn logits_of_features(&self, features: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        let joint = relu(self.joint.forward(features.flatten(1, 3)));
        let hidden = relu(self.hidden.forward(joint));
        let hidden = match kept {
            Some(kept) => hidden * kept,
            None => hidden,
        };
        self.classes.forward(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_2_664_475_parameters_started_by_their_inputs() {
        let total: usize = PARAMETERS.iter().map(Parameter::len).sum();
        assert_eq!(total, 2_664_475);
        for (bound, inputs) in BY_INPUTS.iter().zip([25.0_f64, 150.0, 1568.0, 1024.0]) {
            assert!((bound - inputs.sqrt().recip()).abs() < 1e-15);
        }
    }
}
