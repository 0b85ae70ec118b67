//! TSDN, the two-stream difference network (S0 names it; “Two-stream difference
//! network”, IET Computer Vision 2021): what distinguishes the apex from the onset is
//! sought where an auto-encoder has put the faces into few numbers, away from the
//! pixels' noise.
//!
//! Onset (the identity) and apex (the expression) are each encoded and rebuilt; the
//! difference of their codes, apex less onset, is what the classifier sees. A training
//! asks for both at once: that the frames are rebuilt, and that the classes are right.
//!
//! S0 gives the idea and no sizes, so these are ours, the least that serve: three 3×3
//! convolutions of stride 2 with 16, 32 and 64 filters and ReLU (64×64 → 8×8); the way
//! back by doubling each pixel and a 3×3 convolution; a classifier of one 3×3
//! convolution, ReLU, 2×2 max pool, dropout of whole maps and a dense layer. Both
//! streams share the weights: codes of different encoders could not be subtracted. No
//! normalisation over the batch, so onset and apex are coded alike whatever else is in
//! it. 86,532 parameters for three classes.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::layer_plan::{self, Planned};
use super::sssnet::square_pool;
use crate::nn::convolution::{Then, convolved};
use crate::nn::parameters::{self, Tensors};

/// The network's name in weights files.
pub const NETWORK: &str = "tsdn";
/// Side of the frames in pixels.
pub const SIDE: usize = 64;
/// Filters of the encoder's layers; the decoder goes them backwards.
pub const FILTERS: [usize; 3] = [16, 32, 64];
/// Side of the code.
pub const CODE_SIDE: usize = 8;
/// Values that enter the dense layer, as `[filter, row, column]`.
pub const FLAT: usize = FILTERS[2] * CODE_SIDE * CODE_SIDE / 4;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "grey frames of 64×64 at onset and apex, 0..255, cut out alike";

/// The parameters of a network for so many classes: `encoder.…`, `decoder.…`,
/// `difference.…`, `classes.…`.
#[must_use]
pub fn parameters(classes: usize) -> Vec<Planned> {
    let [first, second, third] = FILTERS;
    let layers = |part: &str, sizes: [[usize; 2]; 3]| {
        let layer = |(name, [inputs, filters]): (&str, [usize; 2])| {
            layer_plan::convolution(name, [filters, inputs, 3, 3])
        };
        let plan = ["first", "second", "third"].into_iter().zip(sizes);
        layer_plan::within(part, plan.flat_map(layer).collect())
    };
    [
        layers("encoder", [[1, first], [first, second], [second, third]]),
        layers("decoder", [[third, second], [second, first], [first, 1]]),
        layer_plan::convolution("difference", [third, third, 3, 3]),
        layer_plan::dense("classes", FLAT, classes),
    ]
    .concat()
}

fn convolution([inputs, filters]: [usize; 2], stride: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([inputs, filters], [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(device)
}

/// Three convolutions, each of which halves the side.
#[derive(Module, Debug)]
pub struct Encoder {
    first: Conv2d,
    second: Conv2d,
    third: Conv2d,
}

impl Encoder {
    fn new(device: &Device) -> Self {
        let [first, second, third] = FILTERS;
        Self {
            first: convolution([1, first], 2, device),
            second: convolution([first, second], 2, device),
            third: convolution([second, third], 2, device),
        }
    }

    fn forward(&self, frames: Tensor<4>) -> Tensor<4> {
        let maps = convolved(&self.first, frames, Then::rectified());
        let maps = convolved(&self.second, maps, Then::rectified());
        convolved(&self.third, maps, Then::rectified())
    }
}

/// Three convolutions, before each of which the side is doubled.
#[derive(Module, Debug)]
pub struct Decoder {
    first: Conv2d,
    second: Conv2d,
    third: Conv2d,
}

impl Decoder {
    fn new(device: &Device) -> Self {
        let [first, second, third] = FILTERS;
        Self {
            first: convolution([third, second], 1, device),
            second: convolution([second, first], 1, device),
            third: convolution([first, 1], 1, device),
        }
    }

    fn forward(&self, code: Tensor<4>) -> Tensor<4> {
        let maps = convolved(&self.first, doubled(code), Then::rectified());
        let maps = convolved(&self.second, doubled(maps), Then::rectified());
        convolved(&self.third, doubled(maps), Then::default())
    }
}

/// Each pixel as 2×2.
fn doubled(maps: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = maps.dims();
    let maps: Tensor<6> = maps.reshape([batch, channels, height, 1, width, 1]);
    maps.expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct Tsdn {
    encoder: Encoder,
    decoder: Decoder,
    difference: Conv2d,
    pub classes: Linear,
}

/// What a forward pass of a training gives.
pub struct TsdnPass {
    /// `[batch, class]`
    pub logits: Tensor<2>,
    /// The frames rebuilt, `[batch, 1, 64, 64]` each, on 0..1 as far as they are right.
    pub onset: Tensor<4>,
    pub apex: Tensor<4>,
}

impl Tsdn {
    /// With these parameters, named as in [`parameters()`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        classes: usize,
        device: &Device,
    ) -> Result<Self, String> {
        let code = FILTERS[2];
        let bare = Self {
            encoder: Encoder::new(device),
            decoder: Decoder::new(device),
            difference: convolution([code, code], 1, device),
            classes: LinearConfig::new(FLAT, classes).init(device),
        };
        parameters::with_tensors(bare, tensors)
    }

    /// # Shapes
    /// - `onset`, `apex`: `[batch, 1, 64, 64]`, grey values 0..255
    /// - result: `[batch, class]`, logits; always the same ones where both frames are equal
    #[must_use]
    pub fn forward(&self, onset: Tensor<4>, apex: Tensor<4>) -> Tensor<2> {
        let [onset, apex] = [self.code(onset), self.code(apex)];
        self.classified(onset, apex, None)
    }

    /// The forward pass of a training. What it rebuilds is to be held against the frames
    /// divided by 255.
    ///
    /// # Shapes
    /// - `onset`, `apex`: as for [`Self::forward`]
    /// - `kept`: `[batch, 64]`, what dropout multiplies the maps of the difference by
    #[must_use]
    pub fn forward_training(&self, onset: Tensor<4>, apex: Tensor<4>, kept: Tensor<2>) -> TsdnPass {
        let [onset, apex] = [self.code(onset), self.code(apex)];
        TsdnPass {
            logits: self.classified(onset.clone(), apex.clone(), Some(kept)),
            onset: self.decoder.forward(onset),
            apex: self.decoder.forward(apex),
        }
    }

    /// The code of frames.
    ///
    /// # Shapes
    /// - `frames`: `[batch, 1, 64, 64]`, grey values 0..255
    /// - result: `[batch, 64, 8, 8]`, none below 0
    #[must_use]
    pub fn code(&self, frames: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = frames.dims();
        assert_eq!([channels, height, width], [1, SIDE, SIDE]);
        self.encoder.forward(frames / 255.0)
    }

    fn classified(&self, onset: Tensor<4>, apex: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        let maps = convolved(&self.difference, apex - onset, Then::default());
        let maps = relu(square_pool(maps, 2));
        let maps = match kept {
            Some(kept) => {
                let [batch, filters] = kept.dims();
                maps * kept.reshape([batch, filters, 1, 1])
            }
            None => maps,
        };
        self.classes.forward(maps.flatten(1, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_classes_make_86_532_parameters() {
        assert_eq!(layer_plan::trained_numbers(&parameters(3)), 86_532);
    }
}
