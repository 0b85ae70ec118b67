//! SSSNet, the shallow single-stream network (Varanka, Peng, Zhao, “Micro-expression
//! recognition with noisy labels”, 2021), in two dimensions for a flow image and, as S0
//! stretches it, in three for a clip.
//!
//! 5×5 convolution with 32 filters, ReLU, 3×3 max pool, batch normalisation, dropout of
//! whole filters; 3×3 convolution with 64 filters, ReLU, 2×2 max pool, normalisation,
//! dropout; 256 nodes, ReLU, dropout; one value an output. In a clip of three steps or
//! more the second convolution and its pool take in two steps at a time as well.
//!
//! Everything runs in two dimensions: the first convolution sees one step at a time, and
//! the second one is a convolution over the filters of two steps laid side by side,
//! which is the same sum as in three dimensions and which every device does fast.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::batch_norm::{self, BatchNorm, Measured, Statistics, TrainingPass};
use super::layer_plan::{self, Planned};
use crate::nn::convolution::{Then, convolved};
use crate::nn::parameters::{self, Tensors};
use crate::nn::pooling::{Fields, max_pooled};

/// The network's name in weights files.
pub const NETWORK: &str = "sssnet";
/// Side of the images in pixels.
pub const SIDE: usize = 64;
/// Filters of the two convolutions.
pub const FILTERS: [usize; 2] = [32, 64];
/// Nodes of the dense layer.
pub const HIDDEN: usize = 256;
/// Side of the maps that enter the dense layer: 64 → 60 → 20 → 18 → 9.
pub const POOLED: usize = 9;
/// Channels of a flow image: u, v, strain.
pub const FLOW_CHANNELS: usize = 3;

/// What the network on flow images expects, as it stands on a card.
pub const INPUT: &str = "3×64×64 (u, v, strain) of the flow from onset to apex";

/// What the images are and what is asked of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    /// Images in a clip; 1 for a single one.
    pub steps: usize,
    /// Values a clip gets: a logit for each class or action unit.
    pub outputs: usize,
}

impl Shape {
    /// Of the network as it was published, on one flow image.
    #[must_use]
    pub fn flow(outputs: usize) -> Self {
        Self {
            channels: FLOW_CHANNELS,
            steps: 1,
            outputs,
        }
    }

    /// Steps that the second convolution and the second pool take in at a time. Two
    /// leave nothing of fewer than three steps, so one does there.
    #[must_use]
    pub fn reach(self) -> usize {
        if self.steps < 3 { 1 } else { 2 }
    }

    /// Steps behind the second pool, which drops a last one that has no partner.
    #[must_use]
    pub fn pooled_steps(self) -> usize {
        (self.steps + 1 - self.reach()) / self.reach()
    }

    /// Values that enter the dense layer, as `[filter, step, row, column]`.
    #[must_use]
    pub fn flat(self) -> usize {
        FILTERS[1] * self.pooled_steps() * POOLED * POOLED
    }

    /// The parameters. The second convolution is `[filter, (channel, step), row,
    /// column]`, value by value the `[filter, channel, step, row, column]` of three
    /// dimensions.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        let second = [FILTERS[1], FILTERS[0] * self.reach(), 3, 3];
        [
            layer_plan::convolution("first", [FILTERS[0], self.channels, 5, 5]),
            layer_plan::batch_norm("first_norm", FILTERS[0]),
            layer_plan::convolution("second", second),
            layer_plan::batch_norm("second_norm", FILTERS[1]),
            layer_plan::dense("hidden", self.flat(), HIDDEN),
            layer_plan::dense("outputs", HIDDEN, self.outputs),
        ]
        .concat()
    }
}

/// What dropout multiplies by: 0, or the inverse of the share that is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// `[batch, 32]`, the filters of the first block, in all steps alike.
    pub first: Tensor<2>,
    /// `[batch, 64]`, those of the second block.
    pub second: Tensor<2>,
    /// `[batch, 256]`, the nodes of the dense layer.
    pub hidden: Tensor<2>,
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct SssNet {
    first: Conv2d,
    first_norm: BatchNorm,
    second: Conv2d,
    second_norm: BatchNorm,
    hidden: Linear,
    pub outputs: Linear,
    #[module(skip)]
    shape: Shape,
}

impl SssNet {
    /// With Burn's initial weights; [`Self::from_tensors`] replaces them.
    #[must_use]
    pub fn new(shape: Shape, device: &Device) -> Self {
        let [first, second] = FILTERS;
        assert!(shape.steps > 0, "SSSNet needs an image");
        Self {
            first: Conv2dConfig::new([shape.channels, first], [5, 5]).init(device),
            first_norm: BatchNorm::new(first, device),
            second: Conv2dConfig::new([first * shape.reach(), second], [3, 3]).init(device),
            second_norm: BatchNorm::new(second, device),
            hidden: LinearConfig::new(shape.flat(), HIDDEN).init(device),
            outputs: LinearConfig::new(HIDDEN, shape.outputs).init(device),
            shape,
        }
    }

    /// With these parameters, named as in [`Shape::parameters`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(tensors: &Tensors, shape: Shape, device: &Device) -> Result<Self, String> {
        parameters::with_tensors(Self::new(shape, device), tensors)
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// # Shapes
    /// - `clips`: `[batch, channel, step, 64, 64]`, as [`Shape`] has them
    /// - result: `[batch, output]`, logits
    #[must_use]
    pub fn forward(&self, clips: Tensor<5>) -> Tensor<2> {
        self.pass(clips, None, &mut Statistics::Running)
    }

    /// The forward pass of a training.
    ///
    /// # Shapes
    /// - `clips`: as for [`Self::forward`]
    #[must_use]
    pub fn forward_training(&self, clips: Tensor<5>, kept: Kept) -> TrainingPass {
        let mut measured = Vec::new();
        let logits = self.pass(clips, Some(kept), &mut Statistics::OfBatch(&mut measured));
        TrainingPass { logits, measured }
    }

    fn pass(&self, clips: Tensor<5>, kept: Option<Kept>, statistics: &mut Statistics) -> Tensor<2> {
        let [batch, channels, steps, height, width] = clips.dims();
        let shape = self.shape;
        assert_eq!(
            [channels, steps, height, width],
            [shape.channels, shape.steps, SIDE, SIDE]
        );
        let (kept_first, kept_second, kept_hidden) = match kept {
            Some(kept) => (Some(kept.first), Some(kept.second), Some(kept.hidden)),
            None => (None, None, None),
        };
        let images = clips.swap_dims(1, 2);
        let images: Tensor<4> = images.reshape([batch * steps, channels, SIDE, SIDE]);
        // Pooling before ReLU gives the same numbers with a ninth of the rectifications.
        let maps = relu(square_pool(
            convolved(&self.first, images, Then::default()),
            3,
        ));
        let maps = self.first_norm.forward(maps, statistics);
        let maps = side_by_side(dropped(maps, batch, kept_first), batch, shape.reach());
        let maps = square_pool(convolved(&self.second, maps, Then::default()), 2);
        let maps = relu(step_pool(maps, batch, shape.reach()));
        let maps = self.second_norm.forward(maps, statistics);
        let maps = dropped(maps, batch, kept_second);
        let steps = shape.pooled_steps();
        let maps: Tensor<4> = maps.reshape([batch, steps, FILTERS[1], POOLED * POOLED]);
        let flat = maps.swap_dims(1, 2).reshape([batch, shape.flat()]);
        let hidden = relu(self.hidden.forward(flat));
        self.outputs.forward(match kept_hidden {
            Some(kept) => hidden * kept,
            None => hidden,
        })
    }

    /// The running statistics moved towards those of a training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        let norms = vec![&mut self.first_norm, &mut self.second_norm];
        batch_norm::take_over(norms, measured);
        self
    }
}

/// The largest of each square field, without overlap; what is left over drops out.
pub(super) fn square_pool(maps: Tensor<4>, side: usize) -> Tensor<4> {
    max_pooled(maps, Fields::tiled(side))
}

/// `[batch × step, channel, height, width]` times `kept`, `[batch, channel]`.
fn dropped(maps: Tensor<4>, batch: usize, kept: Option<Tensor<2>>) -> Tensor<4> {
    let Some(kept) = kept else { return maps };
    let [images, channels, height, width] = maps.dims();
    let clips: Tensor<4> = maps.reshape([batch, images / batch, channels, height * width]);
    let clips = clips * kept.reshape([batch, 1, channels, 1]);
    clips.reshape([images, channels, height, width])
}

/// Each step's channels with the same ones of the next step between them:
/// `[batch × step, channel, …]` → `[batch × (step − 1), (channel, 2), …]`.
fn side_by_side(maps: Tensor<4>, batch: usize, reach: usize) -> Tensor<4> {
    if reach == 1 {
        return maps;
    }
    let [images, channels, height, width] = maps.dims();
    let pairs = images / batch - 1;
    let clips: Tensor<4> = maps.reshape([batch, pairs + 1, channels, height * width]);
    let from = |first: usize| {
        let steps = clips.clone().narrow(1, first, pairs);
        steps.reshape([batch * pairs, channels, 1, height * width])
    };
    Tensor::cat(vec![from(0), from(1)], 2).reshape([batch * pairs, channels * 2, height, width])
}

/// The larger of each two steps; a last one without partner drops out.
fn step_pool(maps: Tensor<4>, batch: usize, reach: usize) -> Tensor<4> {
    if reach == 1 {
        return maps;
    }
    let [images, channels, height, width] = maps.dims();
    let steps = images / batch;
    let lines = maps.reshape([batch, 1, steps, channels * height * width]);
    MaxPool2dConfig::new([2, 1])
        .with_strides([2, 1])
        .init()
        .forward(lines)
        .reshape([batch * (steps / 2), channels, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_network_has_5184_values_before_its_dense_layer() {
        let shape = Shape::flow(3);
        assert_eq!(shape.flat(), 5184);
        let parts = [2_432, 64, 18_496, 128, 1_327_360, 771];
        let total = layer_plan::trained_numbers(&shape.parameters());
        assert_eq!(total, parts.iter().sum::<usize>());
    }

    #[test]
    fn clips_of_any_length_leave_a_step() {
        let pooled = |steps| {
            let shape = Shape {
                steps,
                ..Shape::flow(8)
            };
            (shape.reach(), shape.pooled_steps())
        };
        let found = [1, 2, 3, 5, 8, 12].map(pooled);
        assert_eq!(found, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 5)]);
    }
}
