//! LED-SSSNet, which tells action units by the motion in a few frames of a face (S0;
//! Varanka, Peng, Zhao, SCIA 2023).
//!
//! Six grey frames of 64×64 go through the learnable Eulerian layer ([`super::led`]);
//! frame 0 drops out; the other five go through [`super::sssnet`] in three dimensions.
//! One logit an action unit; 2,694,475 parameters for eight of them. (S0's text also
//! shows heads of two values. The difference of such a pair is one logit again, so
//! there is one head here.)

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::batch_norm::{Measured, TrainingPass};
use super::layer_plan::{self, Planned};
use super::led::{LedLayer, LedOptions};
use super::sssnet::{Kept, Shape, SssNet};
use crate::nn::parameters::{self, Tensors};

pub use super::sssnet::{FILTERS, HIDDEN, SIDE};

/// The network's name in weights files.
pub const NETWORK: &str = "led-sssnet";

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "6 grey frames of 64×64 over the expression, 0..255 and not scaled \
    (n + 1 frames for n outputs of the LED layer)";

fn shape(options: LedOptions, units: usize) -> Shape {
    Shape {
        channels: 1,
        steps: options.outputs,
        outputs: units,
    }
}

/// The parameters of a network for so many action units: `led.…`, then `net.…`.
#[must_use]
pub fn parameters(options: LedOptions, units: usize) -> Vec<Planned> {
    [
        layer_plan::within("led", options.parameters()),
        layer_plan::within("net", shape(options, units).parameters()),
    ]
    .concat()
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct LedSssNet {
    pub led: LedLayer,
    pub net: SssNet,
}

impl LedSssNet {
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
            net: SssNet::new(shape(options, units), device),
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
        self.net.forward(self.led.motion(clips))
    }

    /// The forward pass of a training.
    ///
    /// # Shapes
    /// - `clips`: as for [`Self::forward`]
    #[must_use]
    pub fn forward_training(&self, clips: Tensor<5>, kept: Kept) -> TrainingPass {
        self.net.forward_training(self.led.motion(clips), kept)
    }

    /// The running statistics moved towards those of a training's pass.
    #[must_use]
    pub fn with_measured(mut self, measured: &[Measured]) -> Self {
        self.net = self.net.with_measured(measured);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::led::COMPARED_OUTPUTS;

    #[test]
    fn eight_and_twelve_units_have_the_published_number_of_parameters() {
        let total = |units| layer_plan::trained_numbers(&parameters(LedOptions::default(), units));
        assert_eq!((total(8), total(12)), (2_694_475, 2_695_503));
    }

    #[test]
    fn every_compared_number_of_outputs_gives_a_logit_a_unit() {
        let device = Device::flex();
        for outputs in COMPARED_OUTPUTS {
            let options = LedOptions {
                outputs,
                ..LedOptions::default()
            };
            let plan = parameters(options, 4);
            let tensors =
                layer_plan::started(&plan, |_, bound, count| vec![bound as f32 / 2.0; count]);
            let network = LedSssNet::from_tensors(&tensors, options, 4, &device).unwrap();
            let clips = Tensor::full([2, 1, outputs + 1, SIDE, SIDE], 99.0, &device);
            assert_eq!(network.forward(clips).dims(), [2, 4]);
        }
    }
}
