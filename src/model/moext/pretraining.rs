//! The pre-training: the network that rebuilds the apex, and what it is judged by.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::layers::{Branch, Decoder};
use super::losses::{reconstruction_loss, shape_loss, texture_loss};
use super::{INPUT, MoExtOptions, MotionPath, PRETRAINING, assert_pictures};
use crate::model::batch_norm::{self, Measured, Statistics};
use crate::nn::parameters::{self, Tensors};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{Weights, WeightsCard};

/// Weights of [`texture_loss`] and [`shape_loss`] beside the reconstruction (α1, α2).
pub const LOSS_WEIGHTS: [f64; 2] = [0.5, 1.0];
/// How much farther than nearer things the others shall be (ε): the middle of S2's 0.2 to
/// 0.5, of distances between vectors of length 1.
pub const MARGIN: f64 = 0.35;
/// Views of a frame in a pre-training (m): the frame itself, and two changed ones.
pub const VIEWS: usize = 3;

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
        let mut norms = self.motion.norms(self.texture.block.norms());
        norms.extend(self.decoder.norms());
        batch_norm::take_over(norms, measured);
        self
    }
}
