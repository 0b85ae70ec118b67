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

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::face_pictures::{FacePictures, STEPS, View, evenly};
use super::flow_input::SIDE as CELLS;
use super::layer_plan::{self, Planned};
use super::led::{COMPARED_OUTPUTS, LedOptions, Motion, Scale};
use super::led_resnet18::{self, LedResNet18};
use super::led_sssnet::{self, LedSssNet};
use super::lsh_attention::{self, Mode};
use super::moext::{self, MoExt, MoExtOptions};
use super::motion_map::MotionMap;
use super::outputs::{Fitted, Logits, Vocabulary, setting, unknown};
use super::sssn::{self, Reading, ShallowStreams};
use super::tsdn::{self, Tsdn};
use super::uamrn::{self, Uamrn, UamrnOptions};
use crate::nn::members;
use crate::nn::parameters::Tensors;
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard, WeightsError};

/// Side to which motion maps are enlarged for SSSN and DSSN: their first convolution,
/// 11×11 with stride 4, then looks at four or five cells at a time, as it looks at a
/// twentieth of AlexNet's 227 px.
pub const MAP_SIDE: usize = 67;
/// Expressions judged in one go: bounds the memory.
const BATCH: usize = 16;

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

/// What a network may read of one expression.
#[derive(Debug, Clone, Copy)]
pub struct Expression<'a> {
    pub map: &'a MotionMap,
    pub pictures: &'a FacePictures,
}

/// Expressions as tensors on a device, by what they are read from.
#[derive(Debug, Clone)]
pub enum Input {
    /// `[batch, 1, time, 64, 64]`, 0..255
    Clips(Tensor<5>),
    /// Onset and apex, `[batch, channel, side, side]` each, 0..255
    Pair(Box<[Tensor<4>; 2]>),
    /// `[batch, 3, 67, 67]`, u, v, strain, compressed
    Maps(Tensor<4>),
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

    /// Which frames of a clip the networks behind LED take for testing.
    #[must_use]
    pub fn steps(options: LedOptions) -> Vec<usize> {
        let steps = evenly(STEPS as u64 - 1, options.frames());
        steps.into_iter().map(|step| step as usize).collect()
    }

    /// Expressions as this network reads them, each with its view of the pictures and
    /// the steps of its clip; views and steps do nothing to motion maps.
    ///
    /// # Panics
    /// Unless there is a view for each expression.
    #[must_use]
    pub fn input_of(
        self,
        expressions: &[Expression],
        views: &[View],
        steps: &dyn Fn(usize) -> Vec<usize>,
        device: &Device,
    ) -> Input {
        assert_eq!(expressions.len(), views.len(), "a view an expression");
        let batch = expressions.len();
        let each = || expressions.iter().map(|e| e.pictures).zip(views);
        match self {
            Self::LedSssNet(options) | Self::LedResNet18(options) => {
                let (side, frames) = (led_sssnet::SIDE, options.frames());
                let mut values = Vec::with_capacity(batch * frames * side * side);
                for (at, (pictures, view)) in each().enumerate() {
                    for step in steps(at) {
                        pictures.append_step(step, side, view, &mut values);
                    }
                }
                let shape = [batch, 1, frames, side, side];
                Input::Clips(Tensor::from_data(TensorData::new(values, shape), device))
            }
            Self::ShallowStreams(_) => {
                let mut values = Vec::new();
                for expression in expressions {
                    let mut cells = Vec::new();
                    expression.map.append_compressed(&mut cells);
                    for plane in cells.chunks_exact(CELLS * CELLS) {
                        enlarge(plane, &mut values);
                    }
                }
                let shape = [batch, sssn::CHANNELS, MAP_SIDE, MAP_SIDE];
                Input::Maps(Tensor::from_data(TensorData::new(values, shape), device))
            }
            Self::Tsdn => pair(each(), batch, tsdn::SIDE, 1, device),
            Self::MoExt(options) => pair(each(), batch, options.side, moext::CHANNELS, device),
            Self::Uamrn(options) => pair(each(), batch, options.side, options.channels, device),
        }
    }
}

/// Onset and apex, the same in each of `channels`.
fn pair<'a>(
    each: impl Iterator<Item = (&'a FacePictures, &'a View)>,
    batch: usize,
    side: usize,
    channels: usize,
    device: &Device,
) -> Input {
    let (mut onsets, mut apexes) = (Vec::new(), Vec::new());
    for (pictures, view) in each {
        pictures.append_onset(side, view, &mut onsets);
        pictures.append_apex(side, view, &mut apexes);
    }
    let on_device = |values: Vec<f32>| {
        let data = TensorData::new(values, [batch, 1, side, side]);
        Tensor::<4>::from_data(data, device).repeat_dim(1, channels)
    };
    Input::Pair(Box::new([on_device(onsets), on_device(apexes)]))
}

/// A plane of 28×28 cells as one of [`MAP_SIDE`] px, evenly between the cells' middles.
fn enlarge(plane: &[f32], to: &mut Vec<f32>) {
    let scale = CELLS as f32 / MAP_SIDE as f32;
    let last = (CELLS - 1) as f32;
    let taps: Vec<(usize, f32)> = (0..MAP_SIDE)
        .map(|at| {
            let place = ((at as f32 + 0.5) * scale - 0.5).clamp(0.0, last);
            let low = (place as usize).min(CELLS - 2);
            (low, place - low as f32)
        })
        .collect();
    for &(top, down) in &taps {
        for &(left, across) in &taps {
            let at = |y: usize, x: usize| plane[y * CELLS + x];
            let row = |y: usize| at(y, left) + across * (at(y, left + 1) - at(y, left));
            to.push(row(top) + down * (row(top + 1) - row(top)));
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

/// What a weights file of these networks holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionWeights {
    pub architecture: Architecture,
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    pub members: Vec<Tensors>,
}

impl ExpressionWeights {
    /// As a file, with what the card says besides.
    #[must_use]
    pub fn pack(
        &self,
        source: String,
        trained_on: String,
        more: BTreeMap<String, String>,
    ) -> Weights {
        let outputs = outputs(&self.vocabulary);
        let mut settings = more;
        settings.insert("members".to_owned(), self.members.len().to_string());
        settings.extend(self.architecture.with_outputs(outputs).settings());
        settings.extend(self.vocabulary.settings());
        settings.extend(self.fitted.settings());
        // UAMRN's options count logits under this name.
        settings.insert("classes".to_owned(), self.vocabulary.classes.join(" "));
        Weights {
            card: WeightsCard {
                network: self.architecture.network().to_owned(),
                format_version: FORMAT_VERSION,
                kind: None,
                source,
                trained_on,
                input: self.architecture.input().to_owned(),
                settings,
            },
            tensors: members::joined(&self.members),
        }
    }

    /// From a file's contents.
    ///
    /// # Errors
    /// Says what is missing or makes no sense.
    pub fn unpack(weights: &Weights) -> Result<Self, String> {
        let vocabulary = Vocabulary::from_settings(&weights.card.settings)?;
        let fitted = Fitted::from_settings(&weights.card.settings, &vocabulary)?;
        let count = members::counted(setting(&weights.card.settings, "members")?)?;
        let mut card = weights.card.clone();
        let outputs = outputs(&vocabulary).to_string();
        card.settings.insert("classes".to_owned(), outputs);
        Ok(Self {
            architecture: Architecture::of(&card)?,
            vocabulary,
            fitted,
            members: members::parted(&weights.tensors, count, &[])?,
        })
    }
}

/// How many logits these networks have: one a unit, one a class.
#[must_use]
pub fn outputs(vocabulary: &Vocabulary) -> usize {
    vocabulary.units.len() + vocabulary.classes.len()
}

/// A trained network, ready to judge.
#[derive(Debug)]
pub struct ExpressionReader {
    pub architecture: Architecture,
    members: Vec<Network>,
    pub vocabulary: Vocabulary,
    pub fitted: Fitted,
    device: NnDevice,
}

impl ExpressionReader {
    /// From a file's contents; `path` is what messages name.
    ///
    /// # Errors
    /// When the weights are damaged or belong to another network.
    pub fn from_file(
        weights: &Weights,
        path: &Path,
        device: &NnDevice,
    ) -> Result<Self, WeightsError> {
        weights.read_as(&weights.card.network.clone(), path, |weights| {
            Self::new(&ExpressionWeights::unpack(weights)?, device)
        })
    }

    /// # Errors
    /// Names a tensor that is missing or of another shape.
    pub fn new(weights: &ExpressionWeights, device: &NnDevice) -> Result<Self, String> {
        let outputs = outputs(&weights.vocabulary);
        let member = |(number, tensors): (usize, &Tensors)| {
            Network::from_tensors(weights.architecture, tensors, outputs, device.handle())
                .map_err(|reason| format!("member {number}: {reason}"))
        };
        Ok(Self {
            architecture: weights.architecture,
            members: (weights.members.iter().enumerate())
                .map(member)
                .collect::<Result<_, _>>()?,
            vocabulary: weights.vocabulary.clone(),
            fitted: weights.fitted.clone(),
            device: device.clone(),
        })
    }

    /// The networks that are asked together.
    #[must_use]
    pub fn members(&self) -> &[Network] {
        &self.members
    }

    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &NnDevice {
        &self.device
    }

    /// For each expression what each member says of it, before the temperatures. Both
    /// halves of a unit have the whole one's logit: these networks tell no side.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self, expressions: &[Expression]) -> Result<Vec<Vec<Logits>>, String> {
        let mut said: Vec<Vec<Logits>> = vec![Vec::new(); expressions.len()];
        let steps = match self.architecture {
            Architecture::LedSssNet(options) | Architecture::LedResNet18(options) => {
                Architecture::steps(options)
            }
            _ => Vec::new(),
        };
        for (some, said) in expressions.chunks(BATCH).zip(said.chunks_mut(BATCH)) {
            let views = vec![View::default(); some.len()];
            let steps = |_| steps.clone();
            let input = (self.architecture).input_of(some, &views, &steps, self.device.handle());
            for member in &self.members {
                let logits = member.logits(input.clone());
                let logits = logits.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
                let rows = logits.chunks_exact(outputs(&self.vocabulary));
                for (said, row) in said.iter_mut().zip(rows) {
                    said.push(Logits::of_whole_units(row, &self.vocabulary));
                }
            }
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::ActionUnit;
    use crate::model::face_pictures::BYTES;
    use crate::model::motion_map::VALUES;

    fn weights(architecture: Architecture) -> ExpressionWeights {
        let vocabulary = Vocabulary {
            units: [1, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
            classes: ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .to_vec(),
        };
        let mut turn = 0.0_f64;
        let draw = |_, bound: f64, count| {
            let next = |_| {
                turn += 0.7;
                (bound * turn.sin()) as f32
            };
            (0..count).map(next).collect()
        };
        ExpressionWeights {
            architecture,
            members: vec![architecture.started(outputs(&vocabulary), draw)],
            fitted: Fitted::none(2),
            vocabulary,
        }
    }

    #[test]
    fn every_network_goes_through_a_file_and_says_the_same() {
        let bytes = (0..BYTES).map(|i| (i * 31 % 251) as u8).collect();
        let pictures = FacePictures::from_bytes(bytes).unwrap();
        let map =
            MotionMap::from_values((0..VALUES).map(|i| (i * 37 % 101) as f32 - 50.0).collect());
        let expression = Expression {
            map: &map,
            pictures: &pictures,
        };
        let device = NnDevice::flex();
        for architecture in Architecture::all() {
            let network = architecture.network();
            assert_eq!(Architecture::named(network), Some(architecture));
            let weights = weights(architecture);
            let packed = weights.pack(String::new(), String::new(), BTreeMap::new());
            let back = ExpressionWeights::unpack(&packed).unwrap();
            assert!(back.members == weights.members, "{network}");
            assert_eq!(back.vocabulary, weights.vocabulary);
            let say = |weights| {
                let reader = ExpressionReader::new(weights, &device).unwrap();
                reader.logits(&[expression, expression]).unwrap()
            };
            let said = say(&weights);
            assert!(said == say(&back), "{network}");
            assert_eq!((said[0][0].units.len(), said[0][0].classes.len()), (2, 3));
            assert!(said[0][0].classes.iter().all(|v| v.is_finite()));
        }
    }

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

    #[test]
    fn a_map_grows_between_its_cells() {
        let plane: Vec<f32> = (0..CELLS * CELLS).map(|i| (i % CELLS) as f32).collect();
        let mut large = Vec::new();
        enlarge(&plane, &mut large);
        assert_eq!(large.len(), MAP_SIDE * MAP_SIDE);
        assert!((large[33] - 13.5).abs() < 1e-4 && large[0] == 0.0 && large[66] == 27.0);
    }
}
