//! Every network of [`crate::model`] at the sizes of its source, ready to be called: what
//! `onset bench --networks` measures.

use std::hint::black_box;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::cli::Failure;
use crate::model::au_flow::AuReader;
use crate::model::layer_plan::{Planned, started};
use crate::model::led::LedOptions;
use crate::model::led_resnet18::{self, LedResNet18};
use crate::model::led_sssnet::{self, LedSssNet};
use crate::model::lsh_attention::Mode;
use crate::model::moext::{MoExt, MoExtOptions};
use crate::model::motion_sequence::STEP_VALUES;
use crate::model::motion_tcn::{LOOK_AHEAD, LOOK_BACK, MotionTcn};
use crate::model::off_apexnet::{self, OffApexNet};
use crate::model::softnet::SoftNet;
use crate::model::sssn::{self, Reading, ShallowStreams};
use crate::model::sssnet::{self, SssNet};
use crate::model::ststnet::{Geometry, StstNet};
use crate::model::tsdn::{self, Tsdn};
use crate::model::uamrn::{Uamrn, UamrnOptions};
use crate::nn::parameters::{self, Parameter, Tensors};
use crate::nn::{NnDevice, members, shipped};
use crate::training::random::{Moment, Purpose, Stream};

/// Classes of the networks that have no weights of their own to say it.
const CLASSES: usize = 5;
/// Action units of S0's larger set.
const UNITS: usize = 8;
/// Steps of a sequence: all that one score of a MotionTCN can see.
const STEPS: usize = LOOK_BACK + 1 + LOOK_AHEAD;

/// A network that can be measured.
pub(super) struct Entry {
    /// As `--only` and the table name it.
    pub(super) name: &'static str,
    /// What one sample is.
    pub(super) input: &'static str,
    /// Where its parameters come from: shipped weights, or "started" as a training does.
    pub(super) weights: &'static str,
    load: fn(&NnDevice) -> Result<Loaded, Failure>,
}

impl Entry {
    /// The network on a device.
    pub(super) fn load(&self, device: &NnDevice) -> Result<Loaded, Failure> {
        (self.load)(device)
    }
}

const STARTED: &str = "started";

/// All of them, the small ones first.
pub(super) const ENTRIES: [Entry; 14] = [
    Entry {
        name: "softnet",
        input: "3×42×42",
        weights: "softnet-micro-1",
        load: softnet,
    },
    Entry {
        name: "motion-tcn",
        input: "255 steps",
        weights: "motion-tcn-2, a member",
        load: motion_tcn,
    },
    Entry {
        name: "ststnet",
        input: "3×28×28",
        weights: "ststnet-1, a member",
        load: ststnet,
    },
    Entry {
        name: "au-flow",
        input: "3×28×28",
        weights: "au-flow-2, a member",
        load: au_flow,
    },
    Entry {
        name: "off-apexnet",
        input: "2×28×28",
        weights: STARTED,
        load: off_apexnet,
    },
    Entry {
        name: "sssnet",
        input: "3×64×64",
        weights: STARTED,
        load: sssnet,
    },
    Entry {
        name: "sssn",
        input: "3×227×227",
        weights: STARTED,
        load: |device| shallow(Reading::Direction, device),
    },
    Entry {
        name: "dssn",
        input: "2×3×227×227",
        weights: STARTED,
        load: |device| shallow(Reading::Both, device),
    },
    Entry {
        name: "tsdn",
        input: "2×64×64",
        weights: STARTED,
        load: tsdn,
    },
    Entry {
        name: "led-sssnet",
        input: "6×64×64",
        weights: STARTED,
        load: led_sssnet,
    },
    Entry {
        name: "led-resnet18",
        input: "6×64×64",
        weights: STARTED,
        load: led_resnet18,
    },
    Entry {
        name: "moext",
        input: "2×3×224×224",
        weights: STARTED,
        load: moext,
    },
    Entry {
        name: "uamrn-paper",
        input: "2×3×224×224, L 32",
        weights: STARTED,
        load: |device| uamrn(Mode::Paper, device),
    },
    Entry {
        name: "uamrn-sparse",
        input: "2×3×224×224, L 32",
        weights: STARTED,
        load: |device| uamrn(Mode::Sparse, device),
    },
];

/// A forward pass over one batch that is kept; all its results are read back.
pub(super) type Call = Box<dyn Fn() -> Result<(), Failure>>;

/// A network on a device.
pub(super) struct Loaded {
    /// Numbers that are learnt.
    pub(super) parameters: usize,
    /// Of all numbers that are kept, measured ones included.
    pub(super) bytes: usize,
    calls: Box<dyn Fn(usize) -> Call>,
}

impl Loaded {
    /// For `forward`, which takes a batch of so many samples, `network` itself and its
    /// device.
    fn new<M: Module + Clone + 'static, I: Clone + 'static, const D: usize>(
        network: M,
        device: &NnDevice,
        inputs: fn(usize, &Device) -> I,
        forward: impl Fn(&M, I) -> Tensor<D> + Clone + 'static,
    ) -> Result<Self, Failure> {
        let tensors = parameters::tensors_of(&network).map_err(failed)?;
        let numbers = |wanted: fn(&str) -> bool| -> usize {
            let tensors = tensors.iter().filter(|(name, _)| wanted(name));
            tensors.map(|(_, tensor)| tensor.values.len()).sum()
        };
        let parameters = numbers(|name| {
            let last = name.rsplit('.').next().unwrap_or(name);
            !["mean", "variance", "planes"].contains(&last)
        });
        let bytes = numbers(|_| true) * size_of::<f32>();
        let device = device.handle().clone();
        let calls = move |batch: usize| -> Call {
            let (network, forward) = (network.clone(), forward.clone());
            let input = inputs(batch, &device);
            Box::new(move || {
                let said = forward(&network, input.clone());
                black_box(parameters::read(said).map_err(failed)?);
                Ok(())
            })
        };
        Ok(Self {
            parameters,
            bytes,
            calls: Box::new(calls),
        })
    }

    /// A call for so many samples, whose input lies on the device already.
    pub(super) fn call(&self, batch: usize) -> Call {
        (self.calls)(batch)
    }
}

fn failed(reason: String) -> Failure {
    Failure::other(anyhow::anyhow!("The network could not run: {reason}"))
}

fn stream(purpose: Purpose) -> Stream {
    Moment::default().stream(purpose)
}

fn draw() -> impl FnMut(usize, f64, usize) -> Vec<f32> {
    let stream = stream(Purpose::Initial);
    move |part, bound, count| stream.part(part as u64).uniform(bound, count)
}

fn begun(plan: &[Planned]) -> Tensors {
    started(plan, draw())
}

fn begun_of(parameters: &[Parameter]) -> Tensors {
    let planned = |parameter: &Parameter| Planned {
        name: parameter.name.to_owned(),
        shape: parameter.shape.to_vec(),
        start: parameter.start,
        trained: true,
    };
    begun(&parameters.iter().map(planned).collect::<Vec<_>>())
}

/// Numbers in −1..1, the same every time.
fn signed<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = stream(Purpose::Sampling).uniform(1.0, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Grey values 0..255.
fn grey<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    (signed(shape, device) + 1.0) * 127.5
}

fn flow<const SIDE: usize>(batch: usize, device: &Device) -> Tensor<4> {
    signed([batch, 3, SIDE, SIDE], device)
}

fn clips(batch: usize, device: &Device) -> Tensor<5> {
    let options = LedOptions::default();
    let side = led_sssnet::SIDE;
    grey([batch, 1, options.frames(), side, side], device)
}

fn pair<const CHANNELS: usize, const SIDE: usize>(
    batch: usize,
    device: &Device,
) -> (Tensor<4>, Tensor<4>) {
    let both = grey([2 * batch, CHANNELS, SIDE, SIDE], device);
    let onset = both.clone().narrow(0, 0, batch);
    let apex = onset.clone() * 0.75 + both.narrow(0, batch, batch) * 0.25;
    // Copies, so that a call does not have to make them.
    (onset * 1.0, apex)
}

fn softnet(device: &NnDevice) -> Result<Loaded, Failure> {
    let weights = shipped::whole(shipped::softnet("micro")).map_err(Failure::other)?;
    let network = SoftNet::new(device).with_weights(&weights, device);
    let network = network.map_err(failed)?;
    Loaded::new(network, device, flow::<42>, |network, images| {
        network.forward(images)
    })
}

/// The first network of a file of several.
fn first_member(name: &str) -> Result<Tensors, Failure> {
    let weights = shipped::whole(name).map_err(Failure::other)?;
    let members = members::all(&weights.tensors).map_err(failed)?;
    let first = members.into_iter().next();
    first.ok_or_else(|| failed(format!("{name} is empty")))
}

fn motion_tcn(device: &NnDevice) -> Result<Loaded, Failure> {
    let tensors = first_member(shipped::MOTION_TCN)?;
    let network = parameters::with_tensors(MotionTcn::new(device), &tensors).map_err(failed)?;
    let steps = |batch, device: &Device| signed([batch, STEPS, STEP_VALUES], device);
    Loaded::new(network, device, steps, |network, steps| {
        network.forward(steps, None)
    })
}

fn ststnet(device: &NnDevice) -> Result<Loaded, Failure> {
    let tensors = first_member("ststnet-1")?;
    let network = StstNet::from_tensors(&tensors, Geometry::Same, device.handle());
    let network = network.map_err(failed)?;
    Loaded::new(network, device, flow::<28>, |network, images| {
        network.forward(images)
    })
}

fn au_flow(device: &NnDevice) -> Result<Loaded, Failure> {
    let path = std::path::Path::new(shipped::AU_FLOW);
    let weights = shipped::whole(shipped::AU_FLOW).map_err(Failure::other)?;
    let reader = AuReader::from_file(&weights, path, device).map_err(Failure::other)?;
    let network = reader.members()[0].clone();
    Loaded::new(network, device, flow::<28>, |network, maps| {
        network.forward(maps, None)
    })
}

fn off_apexnet(device: &NnDevice) -> Result<Loaded, Failure> {
    let tensors = begun_of(&off_apexnet::PARAMETERS);
    let network = OffApexNet::from_tensors(&tensors, device.handle()).map_err(failed)?;
    Loaded::new(network, device, flow::<28>, |network, images| {
        network.forward(images, None)
    })
}

fn sssnet(device: &NnDevice) -> Result<Loaded, Failure> {
    let shape = sssnet::Shape::flow(3);
    let tensors = begun(&shape.parameters());
    let network = SssNet::from_tensors(&tensors, shape, device.handle()).map_err(failed)?;
    let images = |batch, device: &Device| signed([batch, 3, 1, 64, 64], device);
    Loaded::new(network, device, images, |network, images| {
        network.forward(images)
    })
}

fn shallow(reading: Reading, device: &NnDevice) -> Result<Loaded, Failure> {
    let shape = sssn::Shape {
        reading,
        side: sssn::ALEXNET_SIDE,
        classes: CLASSES,
    };
    let tensors = begun(&shape.parameters());
    let network = ShallowStreams::from_tensors(&tensors, shape, device.handle());
    let network = network.map_err(failed)?;
    Loaded::new(
        network,
        device,
        flow::<{ sssn::ALEXNET_SIDE }>,
        |network, images| network.forward(images, None),
    )
}

fn tsdn(device: &NnDevice) -> Result<Loaded, Failure> {
    let tensors = begun(&tsdn::parameters(3));
    let network = Tsdn::from_tensors(&tensors, 3, device.handle()).map_err(failed)?;
    let frames = pair::<1, { tsdn::SIDE }>;
    Loaded::new(network, device, frames, |network, (onset, apex)| {
        network.forward(onset, apex)
    })
}

fn led_sssnet(device: &NnDevice) -> Result<Loaded, Failure> {
    let options = LedOptions::default();
    let tensors = begun(&led_sssnet::parameters(options, UNITS));
    let network = LedSssNet::from_tensors(&tensors, options, UNITS, device.handle());
    let network = network.map_err(failed)?;
    Loaded::new(network, device, clips, |network, clips| {
        network.forward(clips)
    })
}

fn led_resnet18(device: &NnDevice) -> Result<Loaded, Failure> {
    let options = LedOptions::default();
    let tensors = begun(&led_resnet18::parameters(options, UNITS));
    let network = LedResNet18::from_tensors(&tensors, options, UNITS, device.handle());
    let network = network.map_err(failed)?;
    Loaded::new(network, device, clips, |network, clips| {
        network.forward(clips)
    })
}

fn moext(device: &NnDevice) -> Result<Loaded, Failure> {
    let options = MoExtOptions::default();
    let tensors = begun(&options.parameters(CLASSES));
    let network = MoExt::from_tensors(&tensors, options, CLASSES, device.handle());
    let network = network.map_err(failed)?;
    Loaded::new(network, device, pair::<3, 224>, |network, (onset, apex)| {
        network.forward(onset, apex)
    })
}

fn uamrn(mode: Mode, device: &NnDevice) -> Result<Loaded, Failure> {
    let options = UamrnOptions {
        mode,
        ..UamrnOptions::published(CLASSES)
    };
    let tensors = options.started(draw());
    let network = Uamrn::from_tensors(&tensors, options, device.handle()).map_err(failed)?;
    Loaded::new(network, device, pair::<3, 224>, |network, (onset, apex)| {
        let said = network.forward(onset, apex);
        Tensor::cat(vec![said.mean, said.variance], 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_networks_are_called_and_counted() {
        let device = NnDevice::flex();
        let known = [
            ("softnet", 314_817),
            ("ststnet", 1_683),
            ("off-apexnet", 2_664_475),
            ("tsdn", 86_532),
            ("led-sssnet", 2_694_475),
        ];
        for (name, parameters) in known {
            let entry = ENTRIES.iter().find(|entry| entry.name == name).unwrap();
            let loaded = entry.load(&device).unwrap();
            assert_eq!(loaded.parameters, parameters, "{name}");
            assert!(loaded.bytes >= 4 * parameters);
            loaded.call(1)().unwrap();
            loaded.call(2)().unwrap();
        }
    }

    #[test]
    fn each_network_has_a_name_of_its_own() {
        let mut names = ENTRIES.each_ref().map(|entry| entry.name);
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
