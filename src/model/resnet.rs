//! ResNet-18, the residual network of eighteen layers (He, Zhang, Ren, Sun 2016), up to
//! the 512 features it ends in: what S0 takes as second network behind LED and S3 for
//! the frames of a magnified sequence.
//!
//! 7×7 convolution with 64 filters and stride 2, 3×3 max pool with stride 2, four stages
//! of two basic blocks with 64, 128, 256 and 512 filters, each stage but the first
//! halving the side, and the mean over all places. Nothing is pre-trained.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::batch_norm::{BatchNorm, Statistics};
use super::layer_plan::{self, Planned};
use crate::nn::pooling::{Fields, max_pooled};

/// Filters of the four stages.
pub const STAGES: [usize; 4] = [64, 128, 256, 512];
/// Blocks of a stage.
const BLOCKS: usize = 2;
/// Features of an image.
pub const FEATURES: usize = STAGES[3];

/// Channels in, filters and stride of each block, in order.
pub(super) fn blocks() -> impl Iterator<Item = [usize; 3]> {
    (0..STAGES.len() * BLOCKS).map(|block| {
        let (stage, place) = (block / BLOCKS, block % BLOCKS);
        let filters = STAGES[stage];
        if place > 0 || stage == 0 {
            [filters, filters, 1]
        } else {
            [STAGES[stage - 1], filters, 2]
        }
    })
}

/// The parameters of a network for images of so many channels.
#[must_use]
pub fn parameters(channels: usize) -> Vec<Planned> {
    let layer = |name: &str, norm: &str, shape: [usize; 4]| {
        let mut plan = layer_plan::convolution_before_norm(name, shape);
        plan.extend(layer_plan::batch_norm(norm, shape[0]));
        plan
    };
    let mut plan = layer("stem", "stem_norm", [STAGES[0], channels, 7, 7]);
    for (number, [inputs, filters, stride]) in blocks().enumerate() {
        let mut block = layer("first", "first_norm", [filters, inputs, 3, 3]);
        block.extend(layer("second", "second_norm", [filters, filters, 3, 3]));
        if stride > 1 {
            let shortcut = layer("convolution", "norm", [filters, inputs, 1, 1]);
            block.extend(layer_plan::within("shortcut", shortcut));
        }
        plan.extend(layer_plan::within(&format!("blocks.{number}"), block));
    }
    plan
}

pub(super) fn convolution(
    inputs: usize,
    filters: usize,
    side: usize,
    stride: usize,
    device: &Device,
) -> Conv2d {
    let pad = side / 2;
    Conv2dConfig::new([inputs, filters], [side, side])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .init(device)
}

/// How a block's input reaches its sum where the block changes sides and filters.
#[derive(Module, Debug)]
pub struct Shortcut {
    convolution: Conv2d,
    norm: BatchNorm,
}

/// Two 3×3 convolutions whose result is added to what came in.
#[derive(Module, Debug)]
pub struct BasicBlock {
    first: Conv2d,
    first_norm: BatchNorm,
    second: Conv2d,
    second_norm: BatchNorm,
    shortcut: Option<Shortcut>,
}

impl BasicBlock {
    pub(super) fn new([inputs, filters, stride]: [usize; 3], device: &Device) -> Self {
        Self {
            first: convolution(inputs, filters, 3, stride, device),
            first_norm: BatchNorm::new(filters, device),
            second: convolution(filters, filters, 3, 1, device),
            second_norm: BatchNorm::new(filters, device),
            shortcut: (stride > 1).then(|| Shortcut {
                convolution: convolution(inputs, filters, 1, stride, device),
                norm: BatchNorm::new(filters, device),
            }),
        }
    }

    pub(super) fn forward(&self, maps: Tensor<4>, statistics: &mut Statistics) -> Tensor<4> {
        let (first, second) = (&self.first_norm, &self.second_norm);
        let new = first.after(&self.first, maps.clone(), None, true, statistics);
        if let (Statistics::Running, None) = (&statistics, &self.shortcut) {
            return second.after(&self.second, new, Some(maps), true, statistics);
        }
        // A training hands out what it measures in this order.
        let new = second.after(&self.second, new, None, false, statistics);
        let old = match &self.shortcut {
            Some(Shortcut { convolution, norm }) => {
                norm.after(convolution, maps, None, false, statistics)
            }
            None => maps,
        };
        relu(new + old)
    }

    pub(super) fn norms(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        let shortcut = self.shortcut.as_mut().map(|shortcut| &mut shortcut.norm);
        [&mut self.first_norm, &mut self.second_norm]
            .into_iter()
            .chain(shortcut)
    }
}

/// The 3×3 pool behind the stem, which halves the side.
pub(super) fn stem_pooled(maps: Tensor<4>) -> Tensor<4> {
    let fields = Fields {
        side: 3,
        stride: 2,
        padding: 1,
    };
    max_pooled(maps, fields)
}

/// The network, without its last dense layer, on one device.
#[derive(Module, Debug)]
pub struct ResNet18 {
    stem: Conv2d,
    stem_norm: BatchNorm,
    blocks: Vec<BasicBlock>,
}

impl ResNet18 {
    /// With Burn's initial weights, for a network of which it is part to replace by
    /// tensors named as in [`parameters`].
    #[must_use]
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            stem: convolution(channels, STAGES[0], 7, 2, device),
            stem_norm: BatchNorm::new(STAGES[0], device),
            blocks: blocks()
                .map(|sizes| BasicBlock::new(sizes, device))
                .collect(),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channel, height, width]`, sides of 32 at least
    /// - result: `[batch, 512]`, none below 0
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, statistics: &mut Statistics) -> Tensor<2> {
        let maps = (self.stem_norm).after(&self.stem, images, None, true, statistics);
        let mut maps = stem_pooled(maps);
        for block in &self.blocks {
            maps = block.forward(maps, statistics);
        }
        let [batch, features, _, _] = maps.dims();
        maps.mean_dim(3).mean_dim(2).reshape([batch, features])
    }

    /// The normalisations in the order in which a pass measures them.
    #[must_use]
    pub fn norms(&mut self) -> Vec<&mut BatchNorm> {
        std::iter::once(&mut self.stem_norm)
            .chain(self.blocks.iter_mut().flat_map(BasicBlock::norms))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_colour_images_it_has_the_known_number_of_parameters() {
        // The 11,689,512 of the network for a thousand classes, less their dense layer.
        let known = 11_689_512 - 513 * 1000;
        assert_eq!(layer_plan::trained_numbers(&parameters(3)), known);
    }
}
