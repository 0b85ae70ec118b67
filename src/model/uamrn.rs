//! UAMRN, the uncertainty-aware magnification-robust network (S3; Wei, Zong, Jiang, Lu,
//! Liu, Entropy 2022): it sees one expression magnified by many factors at once, takes
//! from each what is of use, and says how unsure it is.
//!
//! 1. [`magnified`]: onset and apex become a sequence of pictures,
//!    I_onset + (1 + α)·(I_apex − I_onset), in the order of α, not of time. S3's range
//!    \[2:1:13\] has twelve values, its sequence 32: ours spaces them evenly over 2..13.
//!    S3's |·| stands for the difference, not for its amount, and its magnifier is a
//!    learnt one (Oh et al. 2018) whose weights are not to be had; ours is the formula
//!    alone, and values may leave 0..255.
//! 2. The first layers of ResNet-18 ([`super::resnet_front`]), the mean of each map in 4×4
//!    cells, and a dense layer make one vector a picture, to which the sine and cosine code
//!    of its place in the sequence is added.
//! 3. Three blocks of self-attention with hashing ([`super::lsh_attention`]) in the order
//!    of Vaswani et al. 2017, which S3 takes up: attention, sum and normalisation, two
//!    dense layers with ReLU between, sum and normalisation; dropout before each sum.
//! 4. The mean over the sequence gives for each class the mean and the variance of a
//!    normal distribution that its logit is taken from.
//!
//! S3 shows neither the cut through ResNet-18 nor what else is in a block, and does not
//! say how a sequence becomes one answer; cells, dense layers and the mean are ours, the
//! least that serve.
//!
//! **In place of the pre-training.** S3 starts ResNet-18 from weights learnt on FER+, a
//! set of facial expressions found on the web; such weights are not available here, and we
//! would not ship them. The front starts at random. What takes its place: it may be started
//! from any other network with a ResNet-18 that was trained here
//! ([`front_from`] hands the layers over by name, for example from an LED-ResNet-18 with
//! as many channels), or from the front of a MoExt that has learnt to rebuild faces
//! ([`super::moext`]), which needs no labels at all. That front is smaller than the
//! published whole, which is the other half of the answer: fewer numbers to learn from few
//! clips.
//!
//! **Uncertainty.** Of several passes with dropout, γ = E\[ȳ²\] − E\[ȳ\]² + E\[σ²\]
//! ([`uncertainty`]) says how far they contradict each other and how much noise each one
//! admits, in squared logits, the mean over the classes. A training weighs each sample's
//! cross-entropy by its γ ([`weights`], [`loss`]). Two decisions are ours. γ has no gradient
//! and is 1 in the mean of a batch: else the loss falls fastest when all γ go to zero, and
//! the variance tells nothing any more. But then S3's cross-entropy of ȳ alone never
//! reaches the variance; so it is taken of the mean probability of answers drawn from the
//! distribution, ȳ + σ·noise ([`Opinion::drawn`], [`cross_entropies`]), which is what the
//! distribution is for (Kendall and Gal 2017). Drawn without noise, it is S3's own.
//!
//! With S3's sizes and five classes 21,687,370 parameters.

mod block;
mod losses;
mod options;
mod sequence;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor, TensorData};

use super::batch_norm::{self, Measured, Statistics};
use super::resnet_front::{self, MAPS, REDUCTION, ResNetFront};
use crate::nn::parameters::{self, Tensors};

pub use block::{AttentionBlock, Kept, KeptOfBlock, VectorNorm};
pub use losses::{cross_entropies, loss, uncertainty, weights};
pub use options::UamrnOptions;
pub use sequence::{MAGNIFICATION, factors, magnified};

use sequence::place_code;

/// The network's name in weights files.
pub const NETWORK: &str = "uamrn";
/// Cells of the grid over a picture's maps, along one side.
pub const CELLS: usize = 4;
/// Sides of pictures are multiples of this many pixels.
pub const SIDE_STEP: usize = CELLS * REDUCTION;
/// Values of a picture that enter the dense layer, as `[map, row, column]`.
pub const FLAT: usize = MAPS * CELLS * CELLS;
/// Share of values that dropout takes; S3 does not say, this is Vaswani's.
pub const DROPOUT: f64 = 0.1;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "onset and apex of a face, square, 0..255, cut out alike";

/// No variance falls below this: its root has a gradient everywhere.
const LEAST_VARIANCE: f64 = 1e-6;

/// What one pass says of the classes: a normal distribution of each logit.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// ȳ, `[batch, class]`, logits.
    pub mean: Tensor<2>,
    /// σ², `[batch, class]`, above 0, in squared logits.
    pub variance: Tensor<2>,
}

impl Opinion {
    /// Logits drawn from the distribution: ȳ + σ·noise.
    ///
    /// # Shapes
    /// - `noise`: `[batch, class]`, normally distributed with variance 1; zeros give ȳ
    /// - result: `[batch, class]`
    #[must_use]
    pub fn drawn(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + self.variance.clone().sqrt() * noise
    }
}

/// What a forward pass of a training gives.
pub struct UamrnPass {
    /// What it says.
    pub opinion: Opinion,
    /// What each normalisation of the front measured, in the order of the layers.
    pub measured: Vec<Measured>,
}

/// `tensors` with the layers of the front replaced by those of another network, whose
/// parameters of a ResNet-18 (or of its front) stand there under `part`: `net` in an
/// LED-ResNet-18, `motion.front` in a MoExt.
///
/// # Errors
/// Names the tensor that is missing there, or that has another shape: the networks must
/// read as many channels.
pub fn front_from(tensors: Tensors, other: &Tensors, part: &str) -> Result<Tensors, String> {
    parameters::replaced(tensors, other, |name| {
        let layer = name.strip_prefix("front.")?;
        Some(format!("{part}.{layer}"))
    })
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct Uamrn {
    front: ResNetFront,
    code: Linear,
    blocks: Vec<AttentionBlock>,
    mean: Linear,
    variance: Linear,
    #[module(skip)]
    options: UamrnOptions,
}

impl Uamrn {
    /// With these parameters, named as in [`UamrnOptions::parameters`].
    ///
    /// # Errors
    /// Names a size that cannot be, or a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        options: UamrnOptions,
        device: &Device,
    ) -> Result<Self, String> {
        let options = options.checked()?;
        let UamrnOptions { width, classes, .. } = options;
        let bare = Self {
            front: ResNetFront::new(options.channels, device),
            code: LinearConfig::new(FLAT, width).init(device),
            blocks: (0..options.blocks)
                .map(|_| AttentionBlock::new(options, device))
                .collect(),
            mean: LinearConfig::new(width, classes).init(device),
            variance: LinearConfig::new(width, classes).init(device),
            options,
        };
        parameters::with_tensors(bare, tensors)
    }

    /// The sizes and the mode it was made with.
    #[must_use]
    pub fn options(&self) -> UamrnOptions {
        self.options
    }

    /// What it says of expressions, without dropout.
    ///
    /// # Shapes
    /// - `onset`, `apex`: `[batch, channel, side, side]`, 0..255, cut out alike
    #[must_use]
    pub fn forward(&self, onset: Tensor<4>, apex: Tensor<4>) -> Opinion {
        self.judged(self.vectors(onset, apex), None)
    }

    /// The forward pass of a training.
    ///
    /// # Shapes
    /// - `onset`, `apex`: as for [`Self::forward`]
    /// - `kept`: see [`UamrnOptions::kept`]
    #[must_use]
    pub fn forward_training(&self, onset: Tensor<4>, apex: Tensor<4>, kept: &Kept) -> UamrnPass {
        let (vectors, measured) = self.vectors_training(onset, apex);
        UamrnPass {
            opinion: self.judged(vectors, Some(kept)),
            measured,
        }
    }

    /// The vectors that enter the blocks, place code included. All dropout comes later:
    /// a Monte-Carlo estimate needs them once.
    ///
    /// # Shapes
    /// - `onset`, `apex`: as for [`Self::forward`]
    /// - result: `[batch, time, width]`
    #[must_use]
    pub fn vectors(&self, onset: Tensor<4>, apex: Tensor<4>) -> Tensor<3> {
        self.coded(onset, apex, &mut Statistics::Running)
    }

    /// The same in a training, with what the front's normalisations measured: passes with
    /// different dropout share them.
    ///
    /// # Shapes
    /// - `onset`, `apex`: as for [`Self::forward`]
    #[must_use]
    pub fn vectors_training(
        &self,
        onset: Tensor<4>,
        apex: Tensor<4>,
    ) -> (Tensor<3>, Vec<Measured>) {
        let mut measured = Vec::new();
        let vectors = self.coded(onset, apex, &mut Statistics::OfBatch(&mut measured));
        (vectors, measured)
    }

    /// What it says of the vectors of expressions; with `kept` as in a Monte-Carlo pass.
    ///
    /// # Shapes
    /// - `vectors`: `[batch, time, width]`, by [`Self::vectors`]
    #[must_use]
    pub fn judged(&self, vectors: Tensor<3>, kept: Option<&Kept>) -> Opinion {
        let mut vectors = vectors;
        for (number, block) in self.blocks.iter().enumerate() {
            let kept = kept.map(|kept| &kept.blocks[number]);
            vectors = block.forward(vectors, kept);
        }
        let [batch, _, width] = vectors.dims();
        let whole: Tensor<2> = vectors.mean_dim(1).reshape([batch, width]);
        Opinion {
            mean: self.mean.forward(whole.clone()),
            variance: softplus(self.variance.forward(whole), 1.0) + LEAST_VARIANCE,
        }
    }

    /// What each picture of the sequence looks at, block by block, without dropout: for a
    /// view (S3, figure 4).
    ///
    /// # Shapes
    /// - `vectors`: `[batch, time, width]`, by [`Self::vectors`]
    /// - result: for each block `[batch, head, looking picture, picture looked at]`, 0..1
    #[must_use]
    pub fn attention(&self, vectors: Tensor<3>) -> Vec<Tensor<4>> {
        let mut vectors = vectors;
        let mut matrices = Vec::new();
        for block in &self.blocks {
            matrices.push(block.attention.matrix(vectors.clone()));
            vectors = block.forward(vectors, None);
        }
        matrices
    }

    fn coded(&self, onset: Tensor<4>, apex: Tensor<4>, statistics: &mut Statistics) -> Tensor<3> {
        let UamrnOptions {
            channels,
            side,
            frames,
            width,
            ..
        } = self.options;
        let [batch, found, height, across] = onset.dims();
        assert_eq!([found, height, across], [channels, side, side]);
        let cells = |onset: Tensor<4>, apex: Tensor<4>, statistics: &mut Statistics| {
            let count = onset.dims()[0] * frames;
            let pictures = magnified(onset, apex, frames) / 255.0;
            let pictures = pictures.reshape([count, channels, side, side]);
            let maps = self.front.forward(pictures, statistics);
            resnet_front::on_grid(maps, CELLS)
        };
        let cells = match statistics {
            Statistics::OfBatch(_) => cells(onset, apex, statistics),
            // One sequence at a time: the maps of a batch of 32 are 5 GiB.
            Statistics::Running => {
                let one = |sample| {
                    let [onset, apex] = [&onset, &apex].map(|t| t.clone().narrow(0, sample, 1));
                    cells(onset, apex, &mut Statistics::Running)
                };
                Tensor::cat((0..batch).map(one).collect(), 0)
            }
        };
        let vectors = self.code.forward(cells);
        let vectors: Tensor<3> = vectors.reshape([batch, frames, width]);
        let places = TensorData::new(place_code(frames, width), [1, frames, width]);
        let places: Tensor<3> = Tensor::from_data(places, &vectors.device());
        vectors + places
    }

    /// The running statistics moved towards those of a training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        batch_norm::take_over(self.front.norms(), measured);
        self
    }
}
