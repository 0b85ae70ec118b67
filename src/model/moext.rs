//! MoExt, which learns what a motion is before it is told what motions mean (S2; Li, Wang,
//! Yang, Xu, Ma, Li, Wei): from the shape of onset and apex and the texture of the onset alone it has
//! to rebuild the apex. Then the texture goes, and what is left learns the classes from
//! few labels.
//!
//! A backbone reads each frame. Two branches of the same build, a block of two 3×3
//! convolutions with normalisation and ReLU and a dense layer, make 512 values of *shape*
//! (S) and 512 of *texture* (T) out of its maps. The motion is
//! M = C2(C1(|S_apex − S_onset|), S_apex), and the decoder of S2's table 2 rebuilds the
//! apex from M and T_onset.
//!
//! Three things are asked of a pre-training at once ([`Pretraining::loss`]): that the apex
//! comes out right ([`reconstruction_loss`]); that shapes lie nearer to each other than to
//! their textures ([`texture_loss`]); that frames changed in noise, contrast or colour keep
//! their shape, and onset and apex differ in it ([`shape_loss`]).
//!
//! Where S2 is silent we decided:
//! - The backbone, which it does not name, is the front of our ResNet-18
//!   ([`super::resnet_front`]); the maps of a branch enter its dense layer as their means
//!   in 7×7 cells, which keeps where something is.
//! - C1 and C2 work on 512×1×1 values. Eight of the nine weights of a 3×3 filter would see
//!   nothing but padding there, so they are 1×1: the same functions, without numbers that
//!   cannot be learnt.
//! - “Up sampling” doubles each pixel. The last convolution has the three channels of a
//!   picture (the printed 512 is an error) and starts at a middle grey, else its ReLU would
//!   begin with half of all pixels beyond the reach of gradients.
//! - The function f of equations 6 and 8 scales a vector to length 1, without which a
//!   margin of 0.2 to 0.5 would have no meaning. One margin in that range serves both.
//! - The reconstruction loss is the mean over pixels. Their sum, 150,528 of them, would
//!   leave the other two without a say.
//!
//! 22,464,931 parameters for the pre-training at 224 pixels; 5,507,653 for five classes.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::batch_norm::{self, Measured, Statistics, TrainingPass};
use super::card_settings::number;
use super::layer_plan::{self, Planned};
use super::moext_layers::{Branch, ConvBlock, Decoder};
use super::moext_losses::{reconstruction_loss, shape_loss, texture_loss};
use super::resnet_front::{self, MAPS, ResNetFront};
use crate::nn::parameters::{self, Start, Tensors};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{Weights, WeightsCard};

/// The classifier's name in weights files.
pub const NETWORK: &str = "moext";
/// The name in weights files of the network that rebuilds the apex.
pub const PRETRAINING: &str = "moext-pretraining";
/// Channels of the pictures.
pub const CHANNELS: usize = 3;
/// Sides of pictures that the decoder can rebuild: 7 pixels doubled three to five times.
pub const SIDES: [usize; 3] = [56, 112, 224];
/// Cells of the grid over a branch's maps, along one side.
pub const CELLS: usize = 7;
/// Values of a branch that enter its dense layer, as `[map, row, column]`.
pub const FLAT: usize = MAPS * CELLS * CELLS;
/// Weights of [`texture_loss`] and [`shape_loss`] beside the reconstruction (α1, α2).
pub const LOSS_WEIGHTS: [f64; 2] = [0.5, 1.0];
/// How much farther than nearer things the others shall be (ε): the middle of S2's 0.2 to
/// 0.5, of distances between vectors of length 1.
pub const MARGIN: f64 = 0.35;
/// Views of a frame in a pre-training (m): the frame itself, and two changed ones.
pub const VIEWS: usize = 3;

/// What the networks expect, as it stands on a card.
pub const INPUT: &str = "pictures of a face at onset and apex, three channels (grey in each where it was trained on \
    grey), square, 0..255, cut out alike";

/// Blocks of convolutions before the last doubling.
pub(super) const REFINING: usize = 5;
/// Steps from 1×1 to 8×8, all of the full width.
pub(super) const OPENING: usize = 3;

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoExtOptions {
    /// Side of the pictures in pixels, one of [`SIDES`].
    pub side: usize,
    /// Values of a shape, of a texture and of a motion, a multiple of 16.
    pub width: usize,
}

impl Default for MoExtOptions {
    /// S2's sizes.
    fn default() -> Self {
        Self {
            side: 224,
            width: 512,
        }
    }
}

impl MoExtOptions {
    /// Whether networks of these sizes can be.
    ///
    /// # Errors
    /// Names the size that cannot be.
    pub fn checked(self) -> Result<Self, String> {
        if !SIDES.contains(&self.side) {
            return Err(format!("'side' cannot be {}", self.side));
        }
        if self.width == 0 || !self.width.is_multiple_of(16) || self.width > 16_384 {
            return Err(format!("'width' cannot be {}", self.width));
        }
        Ok(self)
    }

    /// As they stand among a card's settings.
    #[must_use]
    pub fn settings(self) -> BTreeMap<String, String> {
        [("side", self.side), ("width", self.width)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_string()))
            .collect()
    }

    /// From a card's settings, of which others are ignored.
    ///
    /// # Errors
    /// Names the setting that is missing or cannot be.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let options = Self {
            side: number(settings, "side")?,
            width: number(settings, "width")?,
        };
        options.checked()
    }

    /// Filters of the steps from 7×7 to half the side.
    pub(super) fn growing(self) -> Vec<usize> {
        let doublings = (self.side / CELLS).ilog2() as usize;
        let all = [1, 2, 4, 8].map(|part| self.width / part);
        all[all.len() + 1 - doublings..].to_vec()
    }

    /// Filters of the decoder's last blocks.
    pub(super) fn fine(self) -> usize {
        self.width / 16
    }

    fn motion(self) -> Vec<Planned> {
        let width = self.width;
        layer_plan::within(
            "motion",
            [
                layer_plan::within("front", resnet_front::parameters(CHANNELS)),
                layer_plan::within("shape", self.branch()),
                layer_plan::within("difference", block_parameters([width, width], 1)),
                layer_plan::within("joined", block_parameters([2 * width, width], 1)),
            ]
            .concat(),
        )
    }

    fn branch(self) -> Vec<Planned> {
        let mut plan = layer_plan::within("block", block_parameters([MAPS, MAPS], 3));
        plan.extend(layer_plan::dense("values", FLAT, self.width));
        plan
    }

    /// The parameters of the pre-training: `motion.…`, `texture.…`, `decoder.…`.
    #[must_use]
    pub fn pretraining_parameters(self) -> Vec<Planned> {
        let mut plan = self.motion();
        plan.extend(layer_plan::within("texture", self.branch()));
        let mut decoder = Vec::new();
        let mut inputs = 2 * self.width;
        let mut steps = |part: &str, filters: &[usize]| {
            for (number, &filters) in filters.iter().enumerate() {
                let shape = [filters, inputs, 3, 3];
                let mut step = layer_plan::convolution_before_norm("convolution", shape);
                step.extend(layer_plan::batch_norm("norm", filters));
                decoder.extend(layer_plan::within(&format!("{part}.{number}"), step));
                inputs = filters;
            }
        };
        steps("opening", &[self.width; OPENING]);
        steps("growing", &self.growing());
        for number in 0..REFINING {
            let block = block_parameters([inputs, self.fine()], 3);
            decoder.extend(layer_plan::within(&format!("refining.{number}"), block));
            inputs = self.fine();
        }
        let mut picture = layer_plan::convolution("picture", [CHANNELS, inputs, 3, 3]);
        picture[1].start = Start::Constant(0.5);
        decoder.extend(picture);
        plan.extend(layer_plan::within("decoder", decoder));
        plan
    }

    /// The parameters of a classifier: `motion.…`, as in the pre-training, and
    /// `classes.…`.
    #[must_use]
    pub fn parameters(self, classes: usize) -> Vec<Planned> {
        let mut plan = self.motion();
        plan.extend(layer_plan::dense("classes", self.width, classes));
        plan
    }
}

/// A classifier's parameters with all that a pre-training has learnt for it: whatever
/// stands under `motion.…`. Texture and decoder stay behind.
///
/// # Errors
/// Names a tensor that is missing among the pre-trained or has another shape there.
pub fn inherited(classifier: Tensors, pretrained: &Tensors) -> Result<Tensors, String> {
    parameters::replaced(classifier, pretrained, |name| {
        name.starts_with("motion.").then(|| name.to_owned())
    })
}

/// The network that rebuilds apexes as a file, with what the card says besides.
#[must_use]
pub fn packed(
    options: MoExtOptions,
    pretrained: &Tensors,
    source: String,
    trained_on: String,
    more: BTreeMap<String, String>,
) -> Weights {
    let mut settings = more;
    settings.extend(options.settings());
    Weights {
        card: WeightsCard {
            network: PRETRAINING.to_owned(),
            format_version: FORMAT_VERSION,
            kind: None,
            source,
            trained_on,
            input: INPUT.to_owned(),
            settings,
        },
        tensors: pretrained.clone(),
    }
}

/// The parameters of a [`ConvBlock`](super::moext_layers::ConvBlock).
fn block_parameters([inputs, filters]: [usize; 2], side: usize) -> Vec<Planned> {
    [("first", inputs), ("second", filters)]
        .into_iter()
        .flat_map(|(name, inputs)| {
            let shape = [filters, inputs, side, side];
            let mut plan = layer_plan::convolution_before_norm(name, shape);
            plan.extend(layer_plan::batch_norm(&format!("{name}_norm"), filters));
            plan
        })
        .collect()
}

/// What pre-training and classifier share: backbone, shape branch, C1 and C2.
#[derive(Module, Debug)]
pub struct MotionPath {
    front: ResNetFront,
    shape: Branch,
    difference: ConvBlock,
    joined: ConvBlock,
}

impl MotionPath {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            front: ResNetFront::new(CHANNELS, device),
            shape: Branch::new(width, device),
            difference: ConvBlock::new([width, width], 1, device),
            joined: ConvBlock::new([2 * width, width], 1, device),
        }
    }

    /// M of two shapes, `[batch, value]` each.
    fn of_shapes(
        &self,
        onset: Tensor<2>,
        apex: Tensor<2>,
        statistics: &mut Statistics,
    ) -> Tensor<2> {
        let difference = (apex.clone() - onset).abs();
        let difference = self.difference.of_vectors(difference, statistics);
        let both = Tensor::cat(vec![difference, apex], 1);
        self.joined.of_vectors(both, statistics)
    }
}

/// What a forward pass of a pre-training gives.
pub struct Pretraining {
    /// The apex as rebuilt, `[batch, 3, side, side]`, on 0..1 as far as it is right.
    pub rebuilt: Tensor<4>,
    /// S of every view, `[batch, view, value]`: first those of the onset, then as many of
    /// the apex.
    pub shapes: Tensor<3>,
    /// T of every view in the same order.
    pub textures: Tensor<3>,
    /// What each normalisation measured, in the order of the layers.
    pub measured: Vec<Measured>,
}

impl Pretraining {
    /// L = L1 + 0.5·L_st + 1·L_ss (equation 9).
    ///
    /// # Shapes
    /// - `apex`: `[batch, 3, side, side]`, 0..255, the apex that was to be rebuilt
    /// - result: `[1]`
    #[must_use]
    pub fn loss(&self, apex: Tensor<4>, margin: f64) -> Tensor<1> {
        let [texture, shape] = LOSS_WEIGHTS;
        let (shapes, textures) = (self.shapes.clone(), self.textures.clone());
        reconstruction_loss(self.rebuilt.clone(), apex)
            + texture_loss(shapes.clone(), textures, margin) * texture
            + shape_loss(shapes, margin) * shape
    }
}

fn assert_pictures(pictures: &Tensor<4>, side: usize) {
    let [_, channels, height, width] = pictures.dims();
    assert_eq!([channels, height, width], [CHANNELS, side, side]);
}

/// The network that rebuilds the apex.
#[derive(Module, Debug)]
pub struct MoExtPretraining {
    motion: MotionPath,
    texture: Branch,
    decoder: Decoder,
    #[module(skip)]
    options: MoExtOptions,
}

impl MoExtPretraining {
    /// With these parameters, named as in [`MoExtOptions::pretraining_parameters`].
    ///
    /// # Errors
    /// Names a size that cannot be, or a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        options: MoExtOptions,
        device: &Device,
    ) -> Result<Self, String> {
        let options = options.checked()?;
        let bare = Self {
            motion: MotionPath::new(options.width, device),
            texture: Branch::new(options.width, device),
            decoder: Decoder::new(options, device),
            options,
        };
        parameters::with_tensors(bare, tensors)
    }

    /// The sizes it was made with.
    #[must_use]
    pub fn options(&self) -> MoExtOptions {
        self.options
    }

    /// The apex rebuilt from its own and the onset's shape and the onset's texture.
    ///
    /// # Shapes
    /// - `onset`, `apex`: `[batch, 3, side, side]`, 0..255
    /// - result: the same, on 0..1 as far as it is right, none below 0
    #[must_use]
    pub fn rebuilt(&self, onset: Tensor<4>, apex: Tensor<4>) -> Tensor<4> {
        let views = |frame: Tensor<4>| frame.unsqueeze_dim(1);
        let statistics = &mut Statistics::Running;
        self.pass(views(onset), views(apex), statistics).0
    }

    /// The forward pass of a pre-training. View 0 of each frame is the frame itself, from
    /// which the apex is rebuilt; the others are changed copies.
    ///
    /// # Shapes
    /// - `onset`, `apex`: `[batch, view, 3, side, side]`, 0..255, as many views of each
    ///   ([`VIEWS`] in S2)
    #[must_use]
    pub fn forward_training(&self, onset: Tensor<5>, apex: Tensor<5>) -> Pretraining {
        let mut measured = Vec::new();
        let statistics = &mut Statistics::OfBatch(&mut measured);
        let (rebuilt, shapes, textures) = self.pass(onset, apex, statistics);
        Pretraining {
            rebuilt,
            shapes,
            textures,
            measured,
        }
    }

    fn pass(
        &self,
        onset: Tensor<5>,
        apex: Tensor<5>,
        statistics: &mut Statistics,
    ) -> (Tensor<4>, Tensor<3>, Tensor<3>) {
        assert_eq!(onset.dims(), apex.dims(), "as many views of onset and apex");
        let [batch, views, channels, height, across] = onset.dims();
        let width = self.options.width;
        let pictures = Tensor::cat(vec![onset, apex], 1);
        let pictures: Tensor<4> = pictures.reshape([batch * 2 * views, channels, height, across]);
        assert_pictures(&pictures, self.options.side);
        let maps = self.motion.front.forward(pictures / 255.0, statistics);
        let shapes = self.motion.shape.forward(maps.clone(), statistics);
        let textures = self.texture.forward(maps, statistics);
        let by_view = |all: Tensor<2>| -> Tensor<3> { all.reshape([batch, 2 * views, width]) };
        let (shapes, textures) = (by_view(shapes), by_view(textures));
        let of_view = |all: &Tensor<3>, view: usize| -> Tensor<2> {
            all.clone().narrow(1, view, 1).reshape([batch, width])
        };
        let (onset, apex) = (of_view(&shapes, 0), of_view(&shapes, views));
        let motion = self.motion.of_shapes(onset, apex, statistics);
        let both = Tensor::cat(vec![motion, of_view(&textures, 0)], 1);
        (self.decoder.forward(both, statistics), shapes, textures)
    }

    /// The running statistics moved towards those of a pre-training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        let mut norms = self.motion.front.norms();
        norms.extend(self.motion.shape.block.norms());
        norms.extend(self.texture.block.norms());
        norms.extend(self.motion.difference.norms());
        norms.extend(self.motion.joined.norms());
        norms.extend(self.decoder.norms());
        batch_norm::take_over(norms, measured);
        self
    }
}

/// The classifier: the motion's path, and a dense layer behind it.
#[derive(Module, Debug)]
pub struct MoExt {
    motion: MotionPath,
    classes: Linear,
    #[module(skip)]
    options: MoExtOptions,
}

impl MoExt {
    /// With these parameters, named as in [`MoExtOptions::parameters`]; those of a
    /// pre-training come in through [`inherited`].
    ///
    /// # Errors
    /// Names a size that cannot be, or a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        options: MoExtOptions,
        classes: usize,
        device: &Device,
    ) -> Result<Self, String> {
        let options = options.checked()?;
        let bare = Self {
            motion: MotionPath::new(options.width, device),
            classes: LinearConfig::new(options.width, classes).init(device),
            options,
        };
        parameters::with_tensors(bare, tensors)
    }

    /// The sizes it was made with.
    #[must_use]
    pub fn options(&self) -> MoExtOptions {
        self.options
    }

    /// # Shapes
    /// - `onset`, `apex`: `[batch, 3, side, side]`, 0..255
    /// - result: `[batch, class]`, logits
    #[must_use]
    pub fn forward(&self, onset: Tensor<4>, apex: Tensor<4>) -> Tensor<2> {
        self.pass(onset, apex, &mut Statistics::Running)
    }

    /// The forward pass of a training.
    ///
    /// # Shapes
    /// - `onset`, `apex`: as for [`Self::forward`], two samples at least
    #[must_use]
    pub fn forward_training(&self, onset: Tensor<4>, apex: Tensor<4>) -> TrainingPass {
        let mut measured = Vec::new();
        let logits = self.pass(onset, apex, &mut Statistics::OfBatch(&mut measured));
        TrainingPass { logits, measured }
    }

    fn pass(&self, onset: Tensor<4>, apex: Tensor<4>, statistics: &mut Statistics) -> Tensor<2> {
        let [batch, ..] = onset.dims();
        let pictures = Tensor::cat(vec![onset, apex], 0);
        assert_pictures(&pictures, self.options.side);
        let maps = self.motion.front.forward(pictures / 255.0, statistics);
        let shapes = self.motion.shape.forward(maps, statistics);
        let [onset, apex] = [0, batch].map(|from| shapes.clone().narrow(0, from, batch));
        self.classes
            .forward(self.motion.of_shapes(onset, apex, statistics))
    }

    /// The running statistics moved towards those of a training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        let mut norms = self.motion.front.norms();
        norms.extend(self.motion.shape.block.norms());
        norms.extend(self.motion.difference.norms());
        norms.extend(self.motion.joined.norms());
        batch_norm::take_over(norms, measured);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_as_many_steps_as_it_needs() {
        let growing = |side| MoExtOptions { side, width: 512 }.growing();
        assert_eq!(growing(224), [512, 256, 128, 64]);
        assert_eq!(growing(56), [128, 64]);
        let settings = MoExtOptions::default().settings();
        assert_eq!(
            MoExtOptions::from_settings(&settings),
            Ok(MoExtOptions::default())
        );
        assert!(
            MoExtOptions {
                side: 64,
                width: 512
            }
            .checked()
            .is_err()
        );
    }
}
