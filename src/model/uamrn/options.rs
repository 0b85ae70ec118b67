//! The sizes of a network, as they stand on a card and as parameters.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::block::norm_parameters;
use super::{FLAT, Kept, KeptOfBlock, SIDE_STEP};
use crate::model::card_settings::{number, setting, unknown};
use crate::model::layer_plan::{self, Planned};
use crate::model::lsh_attention::{self, LshOptions, Mode};
use crate::model::resnet_front;
use crate::nn::parameters::Tensors;

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

    pub(super) fn attention(self) -> LshOptions {
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

#[cfg(test)]
mod tests {
    use super::*;

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
