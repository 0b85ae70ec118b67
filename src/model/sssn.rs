//! SSSN and DSSN, the single- and the dual-stream shallow network on flow images that S1
//! compares (Khor, See, Liong, Phan, Lin, ICIP 2019): the front of one AlexNet, or of
//! two whose maps are multiplied.
//!
//! S1 shows no layers, only 0.63 and 0.97 million parameters, an AlexNet as baseline
//! and that the two streams are multiplied behind their last convolution. Two
//! convolutions of AlexNet (11×11 with 96 filters and stride 4; 5×5 with 256 filters in
//! two groups), each with ReLU and 3×3 max pool of stride 2, a ring of zeros around the
//! 13×13 maps that AlexNet's third convolution would need, and one dense layer to five
//! classes have 630,405 and 972,805 parameters: exactly what S1 prints, so this is what
//! stands here, ring included, though its weights learn nothing.
//!
//! Where S1 is silent we decided: AlexNet's normalisation across filters is left out (it
//! hardly does more than divide by a constant); dropout takes whole maps before the
//! dense layer; the weights start at random. The count asks for three channels a
//! stream: one stream reads where things go (u, v and the flow's magnitude), the
//! other one how much they move and are strained (magnitude, and the strain twice).
//! Plain SSSNet, another network of nearly the same name, is [`super::sssnet`].

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::layer_plan::{self, Planned};
use crate::nn::convolution::{Then, convolved};
use crate::nn::parameters::{self, Tensors};
use crate::nn::pooling::{Fields, max_pooled};

/// The one-stream network's name in weights files.
pub const SSSN: &str = "sssn";
/// The two-stream network's name in weights files.
pub const DSSN: &str = "dssn";
/// Side of AlexNet's images in pixels.
pub const ALEXNET_SIDE: usize = 227;
/// The least side of which two convolutions and pools leave something.
pub const LEAST_SIDE: usize = 35;
/// u, v, strain.
pub const CHANNELS: usize = 3;
/// Filters of a stream's two convolutions.
pub const FILTERS: [usize; 2] = [96, 256];
/// Groups of the second convolution, each of which sees half of the first one's filters.
const GROUPS: usize = 2;

/// What the networks expect, as it stands on a card.
pub const INPUT: &str = "3 square planes (u, v, strain) of the flow from onset to apex, signed, \
    scaled alike in all images";

/// What the streams read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// SSSN on u, v and magnitude.
    Direction,
    /// SSSN on magnitude and strain.
    Amount,
    /// DSSN: a stream on each, multiplied.
    Both,
}

impl Reading {
    /// The network's name in weights files.
    #[must_use]
    pub fn network(self) -> &'static str {
        match self {
            Self::Direction | Self::Amount => SSSN,
            Self::Both => DSSN,
        }
    }

    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Amount => "amount",
            Self::Both => "both",
        }
    }

    /// The reading that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Direction, Self::Amount, Self::Both]
            .into_iter()
            .find(|reading| reading.name() == name)
    }

    fn has_direction(self) -> bool {
        self != Self::Amount
    }

    fn has_amount(self) -> bool {
        self != Self::Direction
    }
}

/// What the network reads and tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub reading: Reading,
    /// Side of the images in pixels, [`LEAST_SIDE`] or more; [`ALEXNET_SIDE`] in S1.
    pub side: usize,
    pub classes: usize,
}

impl Shape {
    /// Side of a stream's maps, ring included.
    #[must_use]
    pub fn pooled(self) -> usize {
        let halved = |side: usize| (side - 3) / 2 + 1;
        halved(halved((self.side - 11) / 4 + 1)) + 2
    }

    /// Values that enter the dense layer, as `[filter, row, column]`.
    #[must_use]
    pub fn flat(self) -> usize {
        FILTERS[1] * self.pooled() * self.pooled()
    }

    /// The parameters: `direction.…`, `amount.…` as far as they are read, `classes.…`.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        let [first, second] = FILTERS;
        let stream = [
            layer_plan::convolution("first", [first, CHANNELS, 11, 11]),
            layer_plan::convolution("second", [second, first / GROUPS, 5, 5]),
        ]
        .concat();
        let mut plan = Vec::new();
        if self.reading.has_direction() {
            plan.extend(layer_plan::within("direction", stream.clone()));
        }
        if self.reading.has_amount() {
            plan.extend(layer_plan::within("amount", stream));
        }
        plan.extend(layer_plan::dense("classes", self.flat(), self.classes));
        plan
    }
}

/// The front of an AlexNet.
#[derive(Module, Debug)]
pub struct Stream {
    first: Conv2d,
    second: Conv2d,
}

impl Stream {
    fn new(device: &Device) -> Self {
        let [first, second] = FILTERS;
        Self {
            first: Conv2dConfig::new([CHANNELS, first], [11, 11])
                .with_stride([4, 4])
                .init(device),
            second: Conv2dConfig::new([first, second], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                .with_groups(GROUPS)
                .init(device),
        }
    }

    /// `[batch, 3, side, side]` to `[batch, 256, inner side, inner side]`, without ring.
    fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        let fields = Fields {
            side: 3,
            stride: 2,
            padding: 0,
        };
        let pool = |maps| max_pooled(maps, fields);
        let maps = relu(pool(convolved(&self.first, image, Then::default())));
        relu(pool(convolved(&self.second, maps, Then::default())))
    }
}

/// SSSN or DSSN with its parameters on one device.
#[derive(Module, Debug)]
pub struct ShallowStreams {
    direction: Option<Stream>,
    amount: Option<Stream>,
    pub classes: Linear,
    #[module(skip)]
    shape: Shape,
}

impl ShallowStreams {
    /// With these parameters, named as in [`Shape::parameters`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    ///
    /// # Panics
    /// When the side is below [`LEAST_SIDE`].
    pub fn from_tensors(tensors: &Tensors, shape: Shape, device: &Device) -> Result<Self, String> {
        assert!(shape.side >= LEAST_SIDE, "SSSN needs {LEAST_SIDE} pixels");
        let stream = |is_read: bool| is_read.then(|| Stream::new(device));
        let bare = Self {
            direction: stream(shape.reading.has_direction()),
            amount: stream(shape.reading.has_amount()),
            classes: LinearConfig::new(shape.flat(), shape.classes).init(device),
            shape,
        };
        parameters::with_tensors(bare, tensors)
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// # Shapes
    /// - `flow`: `[batch, 3, side, side]`, channels u, v, strain, signed, not scaled
    ///   image by image
    /// - `kept`: `[batch, 256]`, what dropout multiplies the streams' maps by; none
    ///   outside of a training
    /// - result: `[batch, class]`, logits
    #[must_use]
    pub fn forward(&self, flow: Tensor<4>, kept: Option<Tensor<2>>) -> Tensor<2> {
        let [batch, channels, height, width] = flow.dims();
        let side = self.shape.side;
        assert_eq!([channels, height, width], [CHANNELS, side, side]);
        let uv = flow.clone().narrow(1, 0, 2);
        let strain = flow.narrow(1, 2, 1);
        let magnitude = (uv.clone() * uv.clone()).sum_dim(1).sqrt();
        let direction = (self.direction.as_ref()).map(|stream| {
            let image = Tensor::cat(vec![uv, magnitude.clone()], 1);
            stream.forward(image)
        });
        let amount = (self.amount.as_ref()).map(|stream| {
            let image = Tensor::cat(vec![magnitude, strain.clone(), strain], 1);
            stream.forward(image)
        });
        let maps = match (direction, amount) {
            (Some(direction), Some(amount)) => direction * amount,
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => unreachable!("each reading has a stream"),
        };
        let maps = match kept {
            Some(kept) => maps * kept.reshape([batch, FILTERS[1], 1, 1]),
            None => maps,
        };
        self.classes.forward(ringed(maps).flatten(1, 3))
    }
}

/// With a ring of zeros around each map.
fn ringed(maps: Tensor<4>) -> Tensor<4> {
    let [batch, filters, height, width] = maps.dims();
    let device = &maps.device();
    let line = Tensor::zeros([batch, filters, 1, width], device);
    let maps = Tensor::cat(vec![line.clone(), maps, line], 2);
    let line = Tensor::zeros([batch, filters, height + 2, 1], device);
    Tensor::cat(vec![line.clone(), maps, line], 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_streams_have_the_tutorials_number_of_parameters() {
        let total = |reading| {
            let shape = Shape {
                reading,
                side: ALEXNET_SIDE,
                classes: 5,
            };
            assert_eq!(shape.pooled(), 15);
            layer_plan::trained_numbers(&shape.parameters())
        };
        assert_eq!(total(Reading::Direction), 630_405);
        assert_eq!(total(Reading::Amount), 630_405);
        assert_eq!(total(Reading::Both), 972_805);
    }

    #[test]
    fn the_least_side_leaves_one_place_within_the_ring() {
        let shape = |side| Shape {
            reading: Reading::Both,
            side,
            classes: 3,
        };
        assert_eq!(shape(LEAST_SIDE).pooled(), 3);
        for reading in [Reading::Direction, Reading::Amount, Reading::Both] {
            assert_eq!(Reading::named(reading.name()), Some(reading));
        }
    }
}
