//! The first layers of ResNet-18 (He, Zhang, Ren, Sun 2016) as maps: what S3 puts before
//! its attention (“the first few layers”), and what we put before MoExt's branches.
//!
//! Layers and parameter names are those of [`super::resnet`], so that whatever trained a
//! whole ResNet-18 can hand its front on. Nothing is pre-trained here. Two stages are left
//! of four: pictures of 224 pixels become 128 maps of 28×28, still fine enough to tell one
//! part of the face from another.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::batch_norm::{BatchNorm, Statistics};
use super::layer_plan::Planned;
use super::resnet::{self, BasicBlock, STAGES, blocks, convolution, stem_pooled};

/// Stages that are kept.
pub const KEPT_STAGES: usize = 2;
/// Blocks that are kept, two a stage.
const BLOCKS: usize = 2 * KEPT_STAGES;
/// Maps of a picture.
pub const MAPS: usize = STAGES[KEPT_STAGES - 1];
/// How many pixels of the picture a place of the maps stands for, along one side.
pub const REDUCTION: usize = 8;

/// The parameters for pictures of so many channels: those of [`resnet::parameters`] that
/// belong to the front.
#[must_use]
pub fn parameters(channels: usize) -> Vec<Planned> {
    let belongs = |planned: &Planned| match planned.name.strip_prefix("blocks.") {
        None => true,
        Some(rest) => {
            let number = rest.split('.').next().and_then(|n| n.parse::<usize>().ok());
            number.is_some_and(|number| number < BLOCKS)
        }
    };
    resnet::parameters(channels)
        .into_iter()
        .filter(belongs)
        .collect()
}

/// The front with its parameters on one device.
#[derive(Module, Debug)]
pub struct ResNetFront {
    stem: Conv2d,
    stem_norm: BatchNorm,
    blocks: Vec<BasicBlock>,
}

impl ResNetFront {
    /// With Burn's initial weights, for a network of which it is part to replace by
    /// tensors named as in [`parameters`].
    #[must_use]
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            stem: convolution(channels, STAGES[0], 7, 2, device),
            stem_norm: BatchNorm::new(STAGES[0], device),
            blocks: (blocks().take(BLOCKS))
                .map(|sizes| BasicBlock::new(sizes, device))
                .collect(),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channel, height, width]`, sides multiples of [`REDUCTION`]
    /// - result: `[batch, 128, height / 8, width / 8]`, none below 0
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, statistics: &mut Statistics) -> Tensor<4> {
        let maps = (self.stem_norm).after(&self.stem, images, None, true, statistics);
        let maps = stem_pooled(maps);
        let through = |maps, block: &BasicBlock| block.forward(maps, statistics);
        self.blocks.iter().fold(maps, through)
    }

    /// The normalisations in the order in which a pass measures them.
    #[must_use]
    pub fn norms(&mut self) -> Vec<&mut BatchNorm> {
        std::iter::once(&mut self.stem_norm)
            .chain(self.blocks.iter_mut().flat_map(BasicBlock::norms))
            .collect()
    }
}

/// The mean of each map in each cell of a square grid, in a row: how much, and roughly
/// where.
///
/// # Shapes
/// - `maps`: `[batch, channel, height, width]`, sides multiples of `cells`
/// - result: `[batch, channel × cells × cells]`
#[must_use]
pub fn on_grid(maps: Tensor<4>, cells: usize) -> Tensor<2> {
    let [batch, channels, height, width] = maps.dims();
    assert!(height.is_multiple_of(cells) && width.is_multiple_of(cells));
    let (rows, columns) = (height / cells, width / cells);
    let maps: Tensor<6> = maps.reshape([batch, channels, cells, rows, cells, columns]);
    let maps = maps.mean_dim(5).mean_dim(3);
    maps.reshape([batch, channels * cells * cells])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_blocks_of_the_whole_network_are_taken() {
        let plan = parameters(3);
        let blocks = plan.iter().filter(|p| p.name.ends_with("second.weight"));
        assert_eq!(blocks.count(), BLOCKS);
        let last = plan.iter().rfind(|p| p.name.ends_with("first.weight"));
        assert_eq!(last.unwrap().shape, [MAPS, MAPS, 3, 3]);
    }

    #[test]
    fn the_grid_keeps_where_something_is() {
        let maps = Tensor::<1, burn::tensor::Int>::arange(0..16, &Device::flex()).float();
        let cells = on_grid(maps.reshape([1, 1, 4, 4]), 2);
        let cells: Vec<f32> = cells.into_data().iter().collect();
        assert_eq!(cells, [2.5, 4.5, 10.5, 12.5]);
    }
}
