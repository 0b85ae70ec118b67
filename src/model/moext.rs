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

mod layers;
mod losses;
mod options;
mod pretraining;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::batch_norm::{self, BatchNorm, Measured, Statistics, TrainingPass};
use super::resnet_front::{MAPS, ResNetFront};
use crate::nn::parameters::{self, Tensors};

pub use layers::{Branch, ConvBlock, Decoder, Step};
pub use losses::{reconstruction_loss, shape_loss, texture_loss};
pub use options::{MoExtOptions, SIDES};
pub use pretraining::{LOSS_WEIGHTS, MARGIN, MoExtPretraining, Pretraining, VIEWS, packed};

/// The classifier's name in weights files.
pub const NETWORK: &str = "moext";
/// The name in weights files of the network that rebuilds the apex.
pub const PRETRAINING: &str = "moext-pretraining";
/// Channels of the pictures.
pub const CHANNELS: usize = 3;
/// Cells of the grid over a branch's maps, along one side.
pub const CELLS: usize = 7;
/// Values of a branch that enter its dense layer, as `[map, row, column]`.
pub const FLAT: usize = MAPS * CELLS * CELLS;

/// What the networks expect, as it stands on a card.
pub const INPUT: &str = "pictures of a face at onset and apex, three channels (grey in each where it was trained on \
    grey), square, 0..255, cut out alike";

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

    /// The normalisations in the order of a pass. Those of a branch for textures have their
    /// place among them.
    fn norms<'a>(
        &'a mut self,
        texture: impl IntoIterator<Item = &'a mut BatchNorm>,
    ) -> Vec<&'a mut BatchNorm> {
        let mut norms = self.front.norms();
        norms.extend(self.shape.block.norms());
        norms.extend(texture);
        norms.extend(self.difference.norms());
        norms.extend(self.joined.norms());
        norms
    }
}

fn assert_pictures(pictures: &Tensor<4>, side: usize) {
    let [_, channels, height, width] = pictures.dims();
    assert_eq!([channels, height, width], [CHANNELS, side, side]);
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
        batch_norm::take_over(self.motion.norms([]), measured);
        self
    }
}
