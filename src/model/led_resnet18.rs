//! ResNet-18 behind the learnable Eulerian layer: S0's second network, which shows that
//! LED's motion serves others than SSSNet.
//!
//! The outputs of [`super::led`] enter [`super::resnet`] as the channels of one image;
//! its 512 features, thinned by dropout, give one logit an action unit; 11,186,891
//! parameters for five outputs and eight units. S0 says no more than “ResNet-18”: the
//! stem of the published network (7×7 with stride 2) is kept for the 64×64 frames, and
//! the weights start at random.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::batch_norm::{self, Measured, Statistics, TrainingPass};
use super::layer_plan::{self, Planned};
use super::led::{LedLayer, LedOptions};
use super::resnet::{self, FEATURES, ResNet18};
use crate::nn::parameters::{self, Tensors};

pub use super::led_sssnet::SIDE;

/// The network's name in weights files.
pub const NETWORK: &str = "led-resnet18";

/// What the network expects, as it stands on a card.
pub const INPUT: &str = super::led_sssnet::INPUT;

/// The parameters of a network for so many action units: `led.…`, `net.…`, `outputs.…`.
#[must_use]
pub fn parameters(options: LedOptions, units: usize) -> Vec<Planned> {
    [
        layer_plan::within("led", options.parameters()),
        layer_plan::within("net", resnet::parameters(options.outputs)),
        layer_plan::dense("outputs", FEATURES, units),
    ]
    .concat()
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct LedResNet18 {
    pub led: LedLayer,
    pub net: ResNet18,
    pub outputs: Linear,
}

impl LedResNet18 {
    /// With these parameters, named as in [`parameters()`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(
        tensors: &Tensors,
        options: LedOptions,
        units: usize,
        device: &Device,
    ) -> Result<Self, String> {
        let bare = Self {
            led: LedLayer::new(options, device),
            net: ResNet18::new(options.outputs, device),
            outputs: LinearConfig::new(FEATURES, units).init(device),
        };
        parameters::with_tensors(bare, tensors)
    }

    /// # Shapes
    /// - `clips`: `[batch, 1, time, 64, 64]`, grey values 0..255 of
    ///   [`LedOptions::frames`] frames
    /// - result: `[batch, action unit]`, logits; an action unit is held to be there
    ///   above 0
    #[must_use]
    pub fn forward(&self, clips: Tensor<5>) -> Tensor<2> {
        self.pass(clips, None, &mut Statistics::Running)
    }

    /// The forward pass of a training.
    ///
    /// # Shapes
    /// - `clips`: as for [`Self::forward`]
    /// - `kept`: `[batch, 512]`, what dropout multiplies the features by
    #[must_use]
    pub fn forward_training(&self, clips: Tensor<5>, kept: Tensor<2>) -> TrainingPass {
        let mut measured = Vec::new();
        let logits = self.pass(clips, Some(kept), &mut Statistics::OfBatch(&mut measured));
        TrainingPass { logits, measured }
    }

    fn pass(
        &self,
        clips: Tensor<5>,
        kept: Option<Tensor<2>>,
        statistics: &mut Statistics,
    ) -> Tensor<2> {
        let [batch, channels, _, height, width] = clips.dims();
        assert_eq!([channels, height, width], [1, SIDE, SIDE]);
        let outputs = self.led.options().outputs;
        let images = self.led.motion(clips);
        let images: Tensor<4> = images.reshape([batch, outputs, SIDE, SIDE]);
        let features = self.net.forward(images, statistics);
        self.outputs.forward(match kept {
            Some(kept) => features * kept,
            None => features,
        })
    }

    /// The running statistics moved towards those of a training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        batch_norm::take_over(self.net.norms(), measured);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_outputs_and_eight_units_make_11_186_891_parameters() {
        let plan = parameters(LedOptions::default(), 8);
        assert_eq!(layer_plan::trained_numbers(&plan), 11_186_891);
    }
}
