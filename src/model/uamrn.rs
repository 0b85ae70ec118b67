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

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, softplus};
use burn::tensor::{Device, Tensor, TensorData};

use super::batch_norm::{self, Measured, Statistics};
use super::card_settings::{number, setting, unknown};
use super::layer_plan::{self, Planned};
use super::lsh_attention::{self, LshAttention, LshOptions, Mode};
use super::resnet_front::{self, MAPS, REDUCTION, ResNetFront};
use crate::nn::parameters::{self, Start, Tensors};

pub use super::uamrn_losses::{cross_entropies, loss, uncertainty, weights};

/// The network's name in weights files.
pub const NETWORK: &str = "uamrn";
/// Least and greatest α of a sequence.
pub const MAGNIFICATION: [f64; 2] = [2.0, 13.0];
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
/// What keeps the normalisation of a vector from dividing by 0.
const EPSILON: f64 = 1e-5;

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UamrnOptions {
    /// Channels of the pictures: 1 grey, 3 colour.
    pub channels: usize,
    /// Side of the pictures in pixels, a multiple of [`SIDE_STEP`].
    pub side: usize,
    /// Pictures of a sequence (L of S3).
    pub frames: usize,
    /// Values of a picture's vector, even and a multiple of `heads` (d of S3).
    pub width: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Blocks of attention.
    pub blocks: usize,
    /// Nodes between a block's two dense layers.
    pub hidden: usize,
    /// Which pairs of pictures look at each other.
    pub mode: Mode,
    /// Classes that are told apart.
    pub classes: usize,
}

impl UamrnOptions {
    /// S3's sizes; `hidden` is ours.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        Self {
            channels: 3,
            side: 224,
            frames: 32,
            width: 1024,
            heads: 2,
            blocks: 3,
            hidden: 1024,
            mode: Mode::Paper,
            classes,
        }
    }

    /// Whether a network of these sizes can be.
    ///
    /// # Errors
    /// Names the size that cannot be.
    pub fn checked(self) -> Result<Self, String> {
        let Self {
            side, width, heads, ..
        } = self;
        let wrong = |name: &str, value: usize| Err(format!("'{name}' cannot be {value}"));
        for (name, value, most) in [
            ("channels", self.channels, 64),
            ("side", side, 4096),
            ("frames", self.frames, 4096),
            ("width", width, 16_384),
            ("heads", heads, 64),
            ("blocks", self.blocks, 64),
            ("hidden", self.hidden, 65_536),
            ("classes", self.classes, 64),
        ] {
            if !(1..=most).contains(&value) {
                return wrong(name, value);
            }
        }
        if !side.is_multiple_of(SIDE_STEP) {
            return wrong("side", side);
        }
        if !width.is_multiple_of(2) || !width.is_multiple_of(heads) {
            return wrong("width", width);
        }
        Ok(self)
    }

    /// As they stand among a card's settings.
    #[must_use]
    pub fn settings(self) -> BTreeMap<String, String> {
        let mut settings: BTreeMap<String, String> = [
            ("channels", self.channels),
            ("side", self.side),
            ("frames", self.frames),
            ("width", self.width),
            ("heads", self.heads),
            ("blocks", self.blocks),
            ("hidden", self.hidden),
            ("classes", self.classes),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect();
        settings.insert("attention".to_owned(), self.mode.name().to_owned());
        settings
    }

    /// From a card's settings, of which others are ignored.
    ///
    /// # Errors
    /// Names the setting that is missing or cannot be.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let number = |name: &str| number(settings, name);
        let mode = setting(settings, "attention")?;
        let options = Self {
            channels: number("channels")?,
            side: number("side")?,
            frames: number("frames")?,
            width: number("width")?,
            heads: number("heads")?,
            blocks: number("blocks")?,
            hidden: number("hidden")?,
            mode: Mode::named(mode).ok_or_else(|| unknown("attention", mode))?,
            classes: number("classes")?,
        };
        options.checked()
    }

    fn attention(self) -> LshOptions {
        LshOptions::new(self.width, self.heads, self.mode)
    }

    /// The parameters: `front.…`, `code.…`, `blocks.0.…` and so on, `mean.…`,
    /// `variance.…`. The hyper-planes among them are not trained.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        let Self { width, hidden, .. } = self;
        let block = [
            layer_plan::within("attention", self.attention().parameters()),
            norm_parameters("attention_norm", width),
            layer_plan::dense("first", width, hidden),
            layer_plan::dense("second", hidden, width),
            norm_parameters("dense_norm", width),
        ]
        .concat();
        let blocks = (0..self.blocks)
            .flat_map(|number| layer_plan::within(&format!("blocks.{number}"), block.clone()));
        [
            layer_plan::within("front", resnet_front::parameters(self.channels)),
            layer_plan::dense("code", FLAT, width),
            blocks.collect(),
            layer_plan::dense("mean", width, self.classes),
            layer_plan::dense("variance", width, self.classes),
        ]
        .concat()
    }

    /// The parameters before the first update, hyper-planes from their fixed seed, the
    /// others by `draw` as [`layer_plan::started`] asks it.
    #[must_use]
    pub fn started(self, draw: impl FnMut(usize, f64, usize) -> Vec<f32>) -> Tensors {
        lsh_attention::started(&self.parameters(), draw)
    }

    /// What dropout keeps in one pass over a batch. `draw` gives so many factors: 0 for
    /// what is dropped, 1 / (share kept) for what is kept.
    #[must_use]
    pub fn kept(
        self,
        batch: usize,
        device: &Device,
        mut draw: impl FnMut(usize) -> Vec<f32>,
    ) -> Kept {
        let shape = [batch, self.frames, self.width];
        let mut mask = || {
            let data = TensorData::new(draw(shape.iter().product()), shape);
            Tensor::from_data(data, device)
        };
        let block = |_| KeptOfBlock {
            attention: mask(),
            dense: mask(),
        };
        Kept {
            blocks: (0..self.blocks).map(block).collect(),
        }
    }
}

/// `scale` and `shift` of a [`VectorNorm`].
fn norm_parameters(name: &str, width: usize) -> Vec<Planned> {
    [("scale", 1.0), ("shift", 0.0)]
        .into_iter()
        .map(|(part, start)| Planned {
            name: format!("{name}.{part}"),
            shape: vec![width],
            start: Start::Constant(start),
            trained: true,
        })
        .collect()
}

/// The magnification factors α of a sequence, evenly over [`MAGNIFICATION`]; a single one
/// is the least.
#[must_use]
pub fn factors(frames: usize) -> Vec<f32> {
    let [least, greatest] = MAGNIFICATION;
    let steps = frames.saturating_sub(1).max(1) as f64;
    let factor = |frame: usize| least + (greatest - least) * frame as f64 / steps;
    (0..frames).map(|frame| factor(frame) as f32).collect()
}

/// The magnified sequence I_onset + (1 + α)·(I_apex − I_onset) over [`factors`].
///
/// # Shapes
/// - `onset`, `apex`: `[batch, channel, height, width]`, grey or colour values 0..255
/// - result: `[batch, time, channel, height, width]`, not held within 0..255; time before
///   channel, for each picture is read by itself
#[must_use]
pub fn magnified(onset: Tensor<4>, apex: Tensor<4>, frames: usize) -> Tensor<5> {
    assert_eq!(onset.dims(), apex.dims(), "onset and apex of one size");
    let grown: Vec<f32> = factors(frames).iter().map(|alpha| 1.0 + alpha).collect();
    let grown = TensorData::new(grown, [1, frames, 1, 1, 1]);
    let grown: Tensor<5> = Tensor::from_data(grown, &onset.device());
    let motion: Tensor<5> = (apex - onset.clone()).unsqueeze_dim(1);
    let onset: Tensor<5> = onset.unsqueeze_dim(1);
    onset + motion * grown
}

/// Sine and cosine code of each place (Vaswani et al. 2017):
/// sin(place / 10000^(2i/width)) as value 2i, its cosine as value 2i + 1.
fn place_code(frames: usize, width: usize) -> Vec<f32> {
    let value = |place: usize, at: usize| {
        let turn = place as f64 / 10_000_f64.powf((at - at % 2) as f64 / width as f64);
        if at.is_multiple_of(2) {
            turn.sin()
        } else {
            turn.cos()
        }
    };
    let row = |place| (0..width).map(move |at| value(place, at) as f32);
    (0..frames).flat_map(row).collect()
}

/// Normalisation of each vector by its own mean and variance (Ba, Kiros, Hinton 2016).
#[derive(Module, Debug)]
pub struct VectorNorm {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
}

impl VectorNorm {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            scale: Param::from_tensor(Tensor::ones([width], device)),
            shift: Param::from_tensor(Tensor::zeros([width], device)),
        }
    }

    fn forward(&self, vectors: Tensor<3>) -> Tensor<3> {
        let off = vectors.clone() - vectors.mean_dim(2);
        let variance = (off.clone() * off.clone()).mean_dim(2);
        let scale: Tensor<3> = self.scale.val().unsqueeze();
        let shift: Tensor<3> = self.shift.val().unsqueeze();
        off / (variance + EPSILON).sqrt() * scale + shift
    }
}

/// What dropout multiplies by: 0 or 1 / (share kept), drawn by the caller.
#[derive(Debug, Clone)]
pub struct Kept {
    /// One entry a block.
    pub blocks: Vec<KeptOfBlock>,
}

/// The two dropouts of a block, `[batch, time, width]` each.
#[derive(Debug, Clone)]
pub struct KeptOfBlock {
    /// For what the attention brings.
    pub attention: Tensor<3>,
    /// For what the two dense layers bring.
    pub dense: Tensor<3>,
}

/// A block of self-attention.
#[derive(Module, Debug)]
pub struct AttentionBlock {
    attention: LshAttention,
    attention_norm: VectorNorm,
    first: Linear,
    second: Linear,
    dense_norm: VectorNorm,
}

impl AttentionBlock {
    fn new(options: UamrnOptions, device: &Device) -> Self {
        let UamrnOptions { width, hidden, .. } = options;
        Self {
            attention: LshAttention::new(options.attention(), device),
            attention_norm: VectorNorm::new(width, device),
            first: LinearConfig::new(width, hidden).init(device),
            second: LinearConfig::new(hidden, width).init(device),
            dense_norm: VectorNorm::new(width, device),
        }
    }

    fn forward(&self, vectors: Tensor<3>, kept: Option<&KeptOfBlock>) -> Tensor<3> {
        let mut new = self.attention.forward(vectors.clone());
        if let Some(kept) = kept {
            new = new * kept.attention.clone();
        }
        let vectors = self.attention_norm.forward(vectors + new);
        let mut new = self
            .second
            .forward(relu(self.first.forward(vectors.clone())));
        if let Some(kept) = kept {
            new = new * kept.dense.clone();
        }
        self.dense_norm.forward(vectors + new)
    }
}

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
        let mut measured = Vec::new();
        let vectors = self.coded(onset, apex, &mut Statistics::OfBatch(&mut measured));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_run_evenly_from_two_to_thirteen() {
        assert_eq!(factors(12).len(), 12);
        assert_eq!(factors(12)[3], 5.0);
        assert_eq!((factors(32)[0], factors(32)[31]), (2.0, 13.0));
        assert_eq!(factors(1), [2.0]);
    }

    #[test]
    fn options_go_through_a_card_and_senseless_ones_are_refused() {
        let options = UamrnOptions::published(5);
        let settings = options.settings();
        assert_eq!(UamrnOptions::from_settings(&settings), Ok(options));
        for (name, value) in [
            ("side", "100"),
            ("heads", "3"),
            ("attention", "all"),
            ("classes", "0"),
        ] {
            let mut settings = settings.clone();
            settings.insert(name.to_owned(), value.to_owned());
            assert!(UamrnOptions::from_settings(&settings).is_err(), "{name}");
        }
    }
}
