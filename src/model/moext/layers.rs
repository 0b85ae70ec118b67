//! The layers of MoExt: blocks of convolutions, branches, and the decoder.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::AvgPool2dConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::options::{OPENING, REFINING};
use super::{CELLS, CHANNELS, FLAT, MoExtOptions};
use crate::model::batch_norm::{BatchNorm, Statistics};
use crate::model::resnet_front::{self, MAPS};

/// A convolution that keeps the side of its maps.
fn convolution([inputs, filters]: [usize; 2], side: usize) -> Conv2dConfig {
    let pad = side / 2;
    Conv2dConfig::new([inputs, filters], [side, side])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
}

/// S2's table 1: twice a convolution, normalisation and ReLU. The side stays.
#[derive(Module, Debug)]
pub struct ConvBlock {
    first: Conv2d,
    first_norm: BatchNorm,
    second: Conv2d,
    second_norm: BatchNorm,
}

impl ConvBlock {
    pub(super) fn new([inputs, filters]: [usize; 2], side: usize, device: &Device) -> Self {
        let convolution = |inputs| {
            convolution([inputs, filters], side)
                .with_bias(false)
                .init(device)
        };
        Self {
            first: convolution(inputs),
            first_norm: BatchNorm::new(filters, device),
            second: convolution(filters),
            second_norm: BatchNorm::new(filters, device),
        }
    }

    pub(super) fn forward(&self, maps: Tensor<4>, statistics: &mut Statistics) -> Tensor<4> {
        let maps = (self.first_norm).after(&self.first, maps, None, true, statistics);
        (self.second_norm).after(&self.second, maps, None, true, statistics)
    }

    /// The same for vectors, `[batch, value]`.
    pub(super) fn of_vectors(&self, vectors: Tensor<2>, statistics: &mut Statistics) -> Tensor<2> {
        let [batch, values] = vectors.dims();
        let maps = self.forward(vectors.reshape([batch, values, 1, 1]), statistics);
        maps.flatten(1, 3)
    }

    pub(super) fn norms(&mut self) -> [&mut BatchNorm; 2] {
        [&mut self.first_norm, &mut self.second_norm]
    }
}

/// What makes a shape or a texture out of the backbone's maps.
#[derive(Module, Debug)]
pub struct Branch {
    pub(super) block: ConvBlock,
    values: Linear,
}

impl Branch {
    pub(super) fn new(width: usize, device: &Device) -> Self {
        Self {
            block: ConvBlock::new([MAPS, MAPS], 3, device),
            values: LinearConfig::new(FLAT, width).init(device),
        }
    }

    /// `[batch, 128, height, width]` to `[batch, value]`.
    pub(super) fn forward(&self, maps: Tensor<4>, statistics: &mut Statistics) -> Tensor<2> {
        let maps = self.block.forward(maps, statistics);
        self.values.forward(resnet_front::on_grid(maps, CELLS))
    }
}

/// A doubling of the side with a convolution behind it.
#[derive(Module, Debug)]
pub struct Step {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Step {
    pub(super) fn forward(&self, maps: Tensor<4>, statistics: &mut Statistics) -> Tensor<4> {
        (self.norm).after(&self.convolution, doubled(maps), None, true, statistics)
    }
}

/// Each pixel as 2×2.
fn doubled(maps: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = maps.dims();
    let maps: Tensor<6> = maps.reshape([batch, channels, height, 1, width, 1]);
    maps.expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}

/// S2's table 2: from motion and texture to a picture.
#[derive(Module, Debug)]
pub struct Decoder {
    opening: Vec<Step>,
    growing: Vec<Step>,
    refining: Vec<ConvBlock>,
    picture: Conv2d,
}

impl Decoder {
    pub(super) fn new(options: MoExtOptions, device: &Device) -> Self {
        let mut inputs = 2 * options.width;
        let mut steps = |filters: &[usize]| -> Vec<Step> {
            let step = |&filters: &usize| {
                let sizes = [inputs, filters];
                inputs = filters;
                Step {
                    convolution: convolution(sizes, 3).with_bias(false).init(device),
                    norm: BatchNorm::new(filters, device),
                }
            };
            filters.iter().map(step).collect()
        };
        let opening = steps(&[options.width; OPENING]);
        let growing = steps(&options.growing());
        let fine = options.fine();
        let refining = (0..REFINING)
            .map(|number| {
                let inputs = if number == 0 { inputs } else { fine };
                ConvBlock::new([inputs, fine], 3, device)
            })
            .collect();
        Self {
            opening,
            growing,
            refining,
            picture: convolution([fine, CHANNELS], 3).init(device),
        }
    }

    /// `[batch, motion and texture]` to `[batch, 3, side, side]`, none below 0.
    pub(super) fn forward(&self, values: Tensor<2>, statistics: &mut Statistics) -> Tensor<4> {
        let [batch, width] = values.dims();
        let mut maps = values.reshape([batch, width, 1, 1]);
        for step in &self.opening {
            maps = step.forward(maps, statistics);
        }
        // From 8×8 to 7×7, whose doublings are the side.
        let pool = AvgPool2dConfig::new([2, 2]).with_strides([1, 1]).init();
        maps = pool.forward(maps);
        for step in &self.growing {
            maps = step.forward(maps, statistics);
        }
        for block in &self.refining {
            maps = block.forward(maps, statistics);
        }
        relu(self.picture.forward(doubled(maps)))
    }

    pub(super) fn norms(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        let steps = self.opening.iter_mut().chain(&mut self.growing);
        let refining = self.refining.iter_mut().flat_map(ConvBlock::norms);
        steps.map(|step| &mut step.norm).chain(refining)
    }
}
