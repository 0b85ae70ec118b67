//! The networks that read one expression from pictures or from its motion, run alike:
//! one logit an action unit, behind them one logit a class.
//!
//! | network | reads |
//! |---|---|
//! | LED-SSSNet, LED-ResNet-18 | n + 1 frames of 64×64 from onset to offset |
//! | SSSN, DSSN | the motion map, enlarged to [`MAP_SIDE`] px |
//! | TSDN | onset and apex, 64×64 |
//! | MoExt | onset and apex, grey in all three channels |
//! | UAMRN | onset and apex, which it magnifies itself |
//!
//! Sizes that the sources print are those of the options; what is trained on a processor
//! has smaller ones ([`Architecture::named`]), and the card says which.

mod input;
mod reader;

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::card_settings::{setting, unknown};
use super::layer_plan::{self, Planned};
use super::led::{COMPARED_OUTPUTS, LedOptions, Motion, Scale};
use super::led_resnet18::{self, LedResNet18};
use super::led_sssnet::{self, LedSssNet};
use super::lsh_attention::{self, Mode};
use super::moext::{self, MoExt, MoExtOptions};
use super::sssn::{self, Reading, ShallowStreams};
use super::tsdn::{self, Tsdn};
use super::uamrn::{self, Uamrn, UamrnOptions};
use crate::nn::WeightsCard;
use crate::nn::parameters::Tensors;

pub use input::{Expression, Input, MAP_SIDE};
pub use reader::{ExpressionReader, ExpressionWeights, outputs};

/// A network with its sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    LedSssNet(LedOptions),
    LedResNet18(LedOptions),
    ShallowStreams(Reading),
    Tsdn,
    MoExt(MoExtOptions),
    /// Its `classes` count all logits.
    Uamrn(UamrnOptions),
}
impl Architecture {
    /// The name in weights files and on the command line.
    #[must_use]
    pub fn network(self) -> &'static str {
        match self {
            Self::LedSssNet(_) => led_sssnet::NETWORK,
            Self::LedResNet18(_) => led_resnet18::NETWORK,
            Self::ShallowStreams(reading) => reading.network(),
            Self::Tsdn => tsdn::NETWORK,
            Self::MoExt(_) => moext::NETWORK,
            Self::Uamrn(_) => uamrn::NETWORK,
        }
    }

    /// Every network, with the sizes that are trained here without more being said:
    /// MoExt at 56 px with 128 values, a quarter of S2's; UAMRN with S3's twelve whole
    /// factors 2, 3, …, 13, at 64 px with vectors of 256.
    #[must_use]
    pub fn all() -> [Self; 7] {
        [
            Self::LedSssNet(LedOptions::default()),
            Self::LedResNet18(LedOptions::default()),
            Self::ShallowStreams(Reading::Direction),
            Self::ShallowStreams(Reading::Both),
            Self::Tsdn,
            Self::MoExt(MoExtOptions {
                side: 56,
                width: 128,
            }),
            Self::Uamrn(UamrnOptions {
                channels: 1,
                side: 64,
                frames: 12,
                width: 256,
                heads: 2,
                blocks: 3,
                hidden: 256,
                mode: Mode::Paper,
                classes: 1,
            }),
        ]
    }

    /// The one of [`Self::all`] that has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|one| one.network() == name)
    }

    /// What S0's ablation varies of LED-SSSNet: the motion; the log transform,
    /// normalisation and learning, each left out; the number of outputs.
    #[must_use]
    pub fn ablation() -> Vec<Self> {
        let usual = LedOptions::default();
        let mut options: Vec<LedOptions> = [Motion::Grey, Motion::Magnified, Motion::Difference]
            .map(|motion| LedOptions { motion, ..usual })
            .to_vec();
        options.push(LedOptions {
            scale: Scale::Plain,
            ..usual
        });
        options.push(LedOptions {
            normalise: false,
            ..usual
        });
        options.push(LedOptions {
            learnt: false,
            ..usual
        });
        let counts = COMPARED_OUTPUTS.map(|outputs| LedOptions { outputs, ..usual });
        options.extend(counts);
        options.into_iter().map(Self::LedSssNet).collect()
    }

    /// In which it differs from what is usual, in words; empty where in nothing.
    #[must_use]
    pub fn variant(self) -> String {
        let (Self::LedSssNet(options) | Self::LedResNet18(options)) = self else {
            return String::new();
        };
        let mut words = Vec::new();
        let usual = LedOptions::default();
        if options.motion != usual.motion {
            words.push(options.motion.name().to_owned());
        }
        if options.motion.is_filtered() {
            if !options.normalise {
                words.push("raw".to_owned());
            }
            if !options.learnt {
                words.push("fixed".to_owned());
            }
            if options.scale != usual.scale {
                words.push(options.scale.name().to_owned());
            }
        }
        if options.compress {
            words.push("compressed".to_owned());
        }
        if options.outputs != usual.outputs {
            words.push(format!("n{}", options.outputs));
        }
        words.join("-")
    }

    /// What it expects, as it stands on a card.
    #[must_use]
    pub fn input(self) -> &'static str {
        match self {
            Self::LedSssNet(_) => led_sssnet::INPUT,
            Self::LedResNet18(_) => led_resnet18::INPUT,
            Self::ShallowStreams(_) => sssn::INPUT,
            Self::Tsdn => tsdn::INPUT,
            Self::MoExt(_) => moext::INPUT,
            Self::Uamrn(_) => uamrn::INPUT,
        }
    }

    /// The same with UAMRN's logits counted.
    fn with_outputs(self, outputs: usize) -> Self {
        match self {
            Self::Uamrn(options) => Self::Uamrn(UamrnOptions {
                classes: outputs,
                ..options
            }),
            other => other,
        }
    }

    fn streams(reading: Reading, outputs: usize) -> sssn::Shape {
        sssn::Shape {
            reading,
            side: MAP_SIDE,
            classes: outputs,
        }
    }

    /// The parameters with so many logits.
    #[must_use]
    pub fn parameters(self, outputs: usize) -> Vec<Planned> {
        match self.with_outputs(outputs) {
            Self::LedSssNet(options) => led_sssnet::parameters(options, outputs),
            Self::LedResNet18(options) => led_resnet18::parameters(options, outputs),
            Self::ShallowStreams(reading) => Self::streams(reading, outputs).parameters(),
            Self::Tsdn => tsdn::parameters(outputs),
            Self::MoExt(options) => options.parameters(outputs),
            Self::Uamrn(options) => options.parameters(),
        }
    }

    /// The parameters before the first update; `draw` as [`layer_plan::started`] asks it.
    #[must_use]
    pub fn started(
        self,
        outputs: usize,
        draw: impl FnMut(usize, f64, usize) -> Vec<f32>,
    ) -> Tensors {
        match self.with_outputs(outputs) {
            Self::Uamrn(options) => lsh_attention::started(&options.parameters(), draw),
            other => layer_plan::started(&other.parameters(outputs), draw),
        }
    }

    fn settings(self) -> BTreeMap<String, String> {
        match self {
            Self::LedSssNet(options) | Self::LedResNet18(options) => options.settings(),
            Self::ShallowStreams(reading) => {
                [("reading".to_owned(), reading.name().to_owned())].into()
            }
            Self::Tsdn => BTreeMap::new(),
            Self::MoExt(options) => options.settings(),
            Self::Uamrn(options) => options.settings(),
        }
    }

    /// From a card.
    fn of(card: &WeightsCard) -> Result<Self, String> {
        let settings = &card.settings;
        match card.network.as_str() {
            led_sssnet::NETWORK => LedOptions::from_settings(settings).map(Self::LedSssNet),
            led_resnet18::NETWORK => LedOptions::from_settings(settings).map(Self::LedResNet18),
            sssn::SSSN | sssn::DSSN => {
                let name = setting(settings, "reading")?;
                let reading = Reading::named(name).filter(|r| r.network() == card.network);
                let reading = reading.ok_or_else(|| unknown("reading", name))?;
                Ok(Self::ShallowStreams(reading))
            }
            tsdn::NETWORK => Ok(Self::Tsdn),
            moext::NETWORK => MoExtOptions::from_settings(settings).map(Self::MoExt),
            uamrn::NETWORK => UamrnOptions::from_settings(settings).map(Self::Uamrn),
            other => Err(format!("'{other}' is no network on one expression")),
        }
    }
}

/// A network on its device.
#[derive(Debug)]
pub enum Network {
    LedSssNet(Box<LedSssNet>),
    LedResNet18(Box<LedResNet18>),
    ShallowStreams(Box<ShallowStreams>),
    Tsdn(Box<Tsdn>),
    MoExt(Box<MoExt>),
    Uamrn(Box<Uamrn>),
}

impl Network {
    /// With these parameters, named as in [`Architecture::parameters`].
    ///
    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn from_tensors(
        architecture: Architecture,
        tensors: &Tensors,
        outputs: usize,
        device: &Device,
    ) -> Result<Self, String> {
        match architecture.with_outputs(outputs) {
            Architecture::LedSssNet(options) => {
                let network = LedSssNet::from_tensors(tensors, options, outputs, device)?;
                Ok(Self::LedSssNet(Box::new(network)))
            }
            Architecture::LedResNet18(options) => {
                let network = LedResNet18::from_tensors(tensors, options, outputs, device)?;
                Ok(Self::LedResNet18(Box::new(network)))
            }
            Architecture::ShallowStreams(reading) => {
                let shape = Architecture::streams(reading, outputs);
                let network = ShallowStreams::from_tensors(tensors, shape, device)?;
                Ok(Self::ShallowStreams(Box::new(network)))
            }
            Architecture::Tsdn => {
                let network = Tsdn::from_tensors(tensors, outputs, device)?;
                Ok(Self::Tsdn(Box::new(network)))
            }
            Architecture::MoExt(options) => {
                let network = MoExt::from_tensors(tensors, options, outputs, device)?;
                Ok(Self::MoExt(Box::new(network)))
            }
            Architecture::Uamrn(options) => {
                let network = Uamrn::from_tensors(tensors, options, device)?;
                Ok(Self::Uamrn(Box::new(network)))
            }
        }
    }

    /// `[batch, output]`, logits.
    ///
    /// # Panics
    /// When the input is another network's.
    #[must_use]
    pub fn logits(&self, input: Input) -> Tensor<2> {
        match (self, input) {
            (Self::LedSssNet(network), Input::Clips(clips)) => network.forward(clips),
            (Self::LedResNet18(network), Input::Clips(clips)) => network.forward(clips),
            (Self::ShallowStreams(network), Input::Maps(maps)) => network.forward(maps, None),
            (Self::Tsdn(network), Input::Pair(pair)) => {
                let [onset, apex] = *pair;
                network.forward(onset, apex)
            }
            (Self::MoExt(network), Input::Pair(pair)) => {
                let [onset, apex] = *pair;
                network.forward(onset, apex)
            }
            (Self::Uamrn(network), Input::Pair(pair)) => {
                let [onset, apex] = *pair;
                network.forward(onset, apex).mean
            }
            _ => unreachable!("an architecture makes its own network's input"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ablation_names_each_of_its_eleven_networks() {
        let names: Vec<String> = (Architecture::ablation().into_iter())
            .map(Architecture::variant)
            .collect();
        assert_eq!(
            names,
            [
                "grey",
                "magnified",
                "difference",
                "plain",
                "raw",
                "fixed",
                "n1",
                "n3",
                "",
                "n8",
                "n12"
            ]
        );
    }
}
