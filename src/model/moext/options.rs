//! The sizes of a network, as they stand on a card and as parameters.

use std::collections::BTreeMap;

use super::{CELLS, CHANNELS, FLAT};
use crate::model::card_settings::number;
use crate::model::layer_plan::{self, Planned};
use crate::model::resnet_front::{self, MAPS};
use crate::nn::parameters::Start;

/// Sides of pictures that the decoder can rebuild: 7 pixels doubled three to five times.
pub const SIDES: [usize; 3] = [56, 112, 224];

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

/// The parameters of a [`ConvBlock`](super::layers::ConvBlock).
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
