//! The recognition networks: LED and LED-SSSNet against reference results, the others
//! against `assets/bench/networks_pytorch.py`, and all of them learning by heart,
//! reached by gradients everywhere, saved and loaded.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use npyz::npz::NpzArchive;
use onset::facs::{ActionUnit, ClassSet};
use onset::model::batch_norm::TrainingPass;
use onset::model::expression_network::{
    Architecture, Expression, ExpressionReader, ExpressionWeights,
};
use onset::model::face_pictures::{BYTES, FacePictures};
use onset::model::layer_plan::{self, Planned, started};
use onset::model::led::{COMPARED_OUTPUTS, LedLayer, LedOptions, Motion};
use onset::model::led_resnet18::{self, LedResNet18};
use onset::model::led_sssnet::{self, LedSssNet};
use onset::model::motion_map::{MotionMap, VALUES};
use onset::model::outputs::{Fitted, Vocabulary};
use onset::model::sssn::{self, Reading, ShallowStreams};
use onset::model::sssnet::{self, Kept, SssNet};
use onset::model::tsdn::{self, Tsdn};
use onset::nn::parameters::{self, Tensors, tensors_of};
use onset::nn::weights::{FORMAT_VERSION, WeightsTensor};
use onset::nn::{NnDevice, Weights, WeightsCard};
use onset::training::optimizer::{Optimizer, Rule};
use onset::training::random::{Moment, Purpose};

pub(crate) fn tensor<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    parameters::read(tensor).unwrap().values
}

fn array<T: npyz::Deserialize>(file: &str, name: &str) -> Option<Vec<T>> {
    let path = crate::shared(&format!("reference/{file}.npz"))?;
    let mut archive = NpzArchive::open(path).unwrap();
    let found = archive.by_name(name).unwrap();
    let found = found.unwrap_or_else(|| panic!("no array {name}"));
    Some(found.into_vec().unwrap())
}

pub(crate) fn largest_difference(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let off = ours
        .iter()
        .zip(theirs)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    off.fold(0.0, f64::max)
}

/// Mean binary cross-entropy of logits, over batch and outputs.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let beyond = logits.clone().abs().neg().exp().log1p();
    (relu(logits.clone()) - logits * targets + beyond).mean()
}

/// Gradients of the layer's three numbers.
fn led_gradients(led: &LedLayer, loss: &Tensor<1>) -> [f64; 3] {
    let gradients = loss.backward();
    [&led.alpha, &led.r1, &led.r2].map(|param| {
        let gradient = param.val().grad(&gradients).unwrap();
        f64::from(read(gradient)[0])
    })
}

// ---- LED against the reference

const LED_SHAPE: [usize; 5] = [2, 1, 5, 64, 64];

/// The four cases of the reference's table: outputs, sum of squares, gradients.
fn assert_led_parity(device: &NnDevice, tolerance: f64) {
    let Some(x) = array::<f32>("led_parity", "x") else {
        return;
    };
    let device = device.for_training();
    for (normalise, kind) in [(true, "norm"), (false, "raw")] {
        for (factor, ending) in [(1.0, ""), (255.0, "_x255")] {
            let options = LedOptions {
                normalise,
                outputs: 4,
                ..LedOptions::default()
            };
            let led = LedLayer::new(options, device.handle());
            let clips: Vec<f32> = x.iter().map(|v| v * factor).collect();
            let out = led.forward(tensor(clips.clone(), LED_SHAPE, device.handle()));
            let ours = read(out.clone().inner());
            let wanted: Vec<f64> = array("led_parity", &format!("y_{kind}_f64{ending}")).unwrap();
            // Frame 0 is passed through; the others are measured by the largest of them.
            let pixels = 64 * 64;
            let mut largest = 0.0_f64;
            for (at, (ours, wanted)) in ours.iter().zip(&wanted).enumerate() {
                if at / pixels % 5 == 0 {
                    assert_eq!(*ours, clips[at]);
                } else {
                    largest = largest.max(wanted.abs());
                }
            }
            let off = largest_difference(&ours, &wanted) / largest;
            let sum = (out.clone() * out).sum();
            let squares = f64::from(read(sum.clone().inner())[0]);
            let expected: Vec<f64> = array("led_parity", &format!("sumsq_{kind}{ending}")).unwrap();
            let gradients = led_gradients(&led, &sum);
            let name = format!("grad_{kind}_log_alpha_r1_r2_f64{ending}");
            let wanted: Vec<f64> = array("led_parity", &name).unwrap();
            eprintln!(
                "LED {kind}{ending} on {}: outputs off by {off:.1e}, gradients {gradients:?}",
                device.name()
            );
            assert!(off < 1e-5, "{kind}{ending}: {off:e}");
            assert!((squares / expected[0] - 1.0).abs() < 1e-5, "{squares}");
            for (ours, wanted) in gradients.iter().zip(&wanted) {
                let off = (ours / wanted - 1.0).abs();
                assert!(off < tolerance, "{kind}{ending}: {gradients:?} {wanted}");
            }
        }
    }
}

#[test]
fn led_and_its_gradients_equal_the_references_on_the_processor() {
    assert_led_parity(&NnDevice::flex(), 1e-5);
}

#[test]
fn led_and_its_gradients_equal_the_references_on_the_graphics_device() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    // In what order 8,192 pixels are added up is the tuner's choice there.
    assert_led_parity(&NnDevice::wgpu(context).unwrap(), 3e-5);
}

// ---- LED-SSSNet against the reference

/// The reference's names in its order, which is that of our plan, and ours.
const SPEC: [(&str, &str); 16] = [
    ("conv1.weight", "net.first.weight"),
    ("conv1.bias", "net.first.bias"),
    ("bn1.weight", "net.first_norm.scale"),
    ("bn1.bias", "net.first_norm.shift"),
    ("bn1.running_mean", "net.first_norm.mean"),
    ("bn1.running_var", "net.first_norm.variance"),
    ("conv2.weight", "net.second.weight"),
    ("conv2.bias", "net.second.bias"),
    ("bn2.weight", "net.second_norm.scale"),
    ("bn2.bias", "net.second_norm.shift"),
    ("bn2.running_mean", "net.second_norm.mean"),
    ("bn2.running_var", "net.second_norm.variance"),
    ("fc1.weight", "net.hidden.weight"),
    ("fc1.bias", "net.hidden.bias"),
    ("fc.weight", "net.outputs.weight"),
    ("fc.bias", "net.outputs.bias"),
];

/// The values that the formula gives parameter `number`, laid out as ours: dense layers,
/// the only ones with two sides, are `[out, in]` in PyTorch.
fn formula(planned: &Planned, number: usize, offset: f64, scale: f64) -> WeightsTensor {
    let value = |i: usize| {
        let angle = 0.7 * (i % 9973) as f64 + number as f64;
        (offset + scale * angle.sin()) as f32
    };
    let shape = planned.shape.clone();
    let values = match shape[..] {
        [inputs, outputs] => (0..inputs * outputs)
            .map(|at| value(at % outputs * inputs + at / outputs))
            .collect(),
        _ => (0..planned.len()).map(value).collect(),
    };
    WeightsTensor { shape, values }
}

fn reference_tensors() -> Option<Tensors> {
    let path = crate::shared("reference/led_sssnet_parity.npz")?;
    let spec = text_of(&path, "spec");
    let spec: Vec<Vec<serde_json::Value>> = serde_json::from_str(&spec).unwrap();
    let plan = led_sssnet::parameters(LedOptions::default(), 8);
    let mut tensors = started(&plan[..3], |_, _, _| Vec::new());
    assert_eq!(spec.len(), SPEC.len());
    for (number, (entry, (theirs, ours))) in spec.iter().zip(SPEC).enumerate() {
        assert_eq!(entry[0], theirs);
        let planned = plan.iter().find(|p| p.name == ours).unwrap();
        let number_at = |at: usize| entry.get(at).map_or(0.0, |v| v.as_f64().unwrap());
        let values = formula(planned, number, number_at(2), number_at(1));
        tensors.insert(ours.to_owned(), values);
    }
    let first: Vec<f32> = array("led_sssnet_parity", "fc1_weight_first").unwrap();
    let hidden = &tensors["net.hidden.weight"];
    for (i, wanted) in first.iter().enumerate() {
        assert_eq!(hidden.values[i * hidden.shape[1]], *wanted);
    }
    Some(tensors)
}

/// An array that is one string.
fn text_of(path: &std::path::Path, name: &str) -> String {
    let mut archive = NpzArchive::open(path).unwrap();
    let found = archive.by_name(name).unwrap().unwrap();
    let letters: Vec<String> = found.into_vec().unwrap();
    letters.concat()
}

fn assert_led_sssnet_parity(device: &NnDevice) {
    let Some(tensors) = reference_tensors() else {
        return;
    };
    let device = device.for_training();
    let handle = device.handle();
    let file = "led_sssnet_parity";
    let x: Vec<u8> = array(file, "x").unwrap();
    let x = x.into_iter().map(f32::from).collect();
    let network = LedSssNet::from_tensors(&tensors, LedOptions::default(), 8, handle).unwrap();
    let logits = network.forward(tensor(x, [2, 1, 6, 64, 64], handle));
    let wanted: Vec<f64> = array(file, "logits_f64").unwrap();
    let off = largest_difference(&read(logits.clone().inner()), &wanted);
    let targets = array(file, "targets").unwrap();
    let loss = cross_entropy(logits, tensor(targets, [2, 8], handle));
    let gradients = led_gradients(&network.led, &loss);
    let wanted: Vec<f64> = array(file, "grad_log_alpha_r1_r2").unwrap();
    eprintln!(
        "LED-SSSNet on {}: logits off by {off:.1e}, gradients {gradients:?} for {wanted:?}",
        device.name()
    );
    assert!(off < 1e-4, "{off:e}");
    for (ours, wanted) in gradients.iter().zip(&wanted) {
        // Their own 32-bit gradients are right to four or five digits.
        let near = (ours / wanted - 1.0).abs() < 1e-3;
        assert!(near, "{gradients:?} {wanted}");
    }
}

#[test]
fn led_sssnet_equals_the_reference_on_the_processor() {
    assert_led_sssnet_parity(&NnDevice::flex());
}

#[test]
fn led_sssnet_equals_the_reference_on_the_graphics_device() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    assert_led_sssnet_parity(&NnDevice::wgpu(context).unwrap());
}

/// Every network that reads one expression, as the processor has it.
#[test]
fn every_network_on_one_expression_says_the_same_on_a_graphics_device() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let graphics = NnDevice::wgpu(context).unwrap();
    let bytes = (0..BYTES).map(|i| (i * 31 % 251) as u8).collect();
    let pictures = FacePictures::from_bytes(bytes).unwrap();
    let map = (0..VALUES).map(|i| (i * 37 % 101) as f32 - 50.0).collect();
    let map = MotionMap::from_values(map);
    let expression = Expression {
        map: &map,
        pictures: &pictures,
    };
    for architecture in Architecture::all() {
        let stream = Moment::default().stream(Purpose::Initial);
        let draw = |place, bound, count| stream.part(place as u64).uniform(bound, count);
        let weights = ExpressionWeights {
            architecture,
            vocabulary: Vocabulary {
                units: [1, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
                classes: ClassSet::Three.names(),
            },
            fitted: Fitted::none(2),
            members: vec![architecture.started(5, draw)],
        };
        let said = |device: &NnDevice| -> Vec<f32> {
            let reader = ExpressionReader::new(&weights, device).unwrap();
            let said = reader.logits(&[expression]).unwrap().remove(0).remove(0);
            let units = said.units.iter().map(|unit| unit[0]);
            units.chain(said.classes).collect()
        };
        let (processor, card) = (said(&NnDevice::flex()), said(&graphics));
        let scale = processor.iter().fold(0.1_f32, |s, v| s.max(v.abs()));
        for (a, b) in processor.iter().zip(&card) {
            let off = (a - b).abs();
            assert!(off <= 1e-3 * scale, "{}: {off}", architecture.network());
        }
    }
}

// ---- The others against PyTorch, by the formulas of networks_pytorch.py

fn by_formula(plan: &[Planned], gain: f64) -> Tensors {
    let is_led = |planned: &&Planned| planned.name.starts_with("led.");
    let led: Vec<Planned> = plan.iter().filter(is_led).cloned().collect();
    let mut tensors = started(&led, |_, _, _| Vec::new());
    let others = plan.iter().filter(|planned| !is_led(planned));
    for (number, planned) in others.enumerate() {
        let inputs: usize = match planned.shape[..] {
            [inputs, _] => inputs,
            _ => planned.shape[1..].iter().product(),
        };
        let (offset, scale) = match planned.name.rsplit('.').next().unwrap() {
            "bias" | "shift" | "mean" => (0.0, 0.1),
            "scale" | "variance" => (1.0, 0.3),
            _ => (0.0, gain / (inputs as f64).sqrt()),
        };
        let values = formula(planned, number, offset, scale);
        tensors.insert(planned.name.clone(), values);
    }
    tensors
}

pub(crate) fn wave(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|i| (0.37 * (i % 7919) as f64 + 0.5).sin())
}

fn grey<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = wave(shape.iter().product()).map(|v| (127.5 + 127.5 * v).floor() as f32);
    tensor(values.collect(), shape, device)
}

fn flow<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = wave(shape.iter().product()).map(|v| (2.0 * v) as f32);
    tensor(values.collect(), shape, device)
}

fn kept(shape: [usize; 2], device: &Device) -> Tensor<2> {
    let kept = |i: usize| {
        if (1.3 * i as f64).sin() > 0.0 {
            2.0
        } else {
            0.0
        }
    };
    tensor((0..shape[0] * shape[1]).map(kept).collect(), shape, device)
}

fn all_kept(batch: usize, width: usize, device: &Device) -> Tensor<2> {
    Tensor::ones([batch, width], device)
}

pub(crate) fn assert_near(what: &str, ours: &[f32], wanted: &[f64]) {
    let off = largest_difference(ours, wanted);
    eprintln!("{what}: off PyTorch's by {off:.1e}");
    assert!(off < 2e-5, "{what}: {ours:?} instead of {wanted:?}");
}

#[test]
fn led_sssnet_of_any_length_and_in_training_says_what_pytorch_says() {
    let device = Device::flex();
    let wanted = [
        (
            1,
            [
                0.427619, -0.288030, 0.146437, -0.226569, 0.379634, -0.225182, 0.069774, -0.137370,
            ],
        ),
        (
            3,
            [
                0.394927, -0.256927, 0.117441, -0.200165, 0.402082, -0.267064, 0.130390, -0.215709,
            ],
        ),
        (
            8,
            [
                0.361362, -0.231851, 0.101271, -0.193170, 0.338823, -0.213195, 0.086809, -0.183143,
            ],
        ),
    ];
    for (outputs, wanted) in wanted {
        let options = LedOptions {
            outputs,
            ..LedOptions::default()
        };
        let tensors = by_formula(&led_sssnet::parameters(options, 4), 1.5);
        let network = LedSssNet::from_tensors(&tensors, options, 4, &device).unwrap();
        let logits = network.forward(grey([2, 1, outputs + 1, 64, 64], &device));
        let what = format!("LED-SSSNet, {outputs} outputs");
        assert_near(&what, &read(logits), &wanted);
    }

    let options = LedOptions::default();
    let tensors = by_formula(&led_sssnet::parameters(options, 8), 1.5);
    let network = LedSssNet::from_tensors(&tensors, options, 8, &device).unwrap();
    let masks = Kept {
        first: kept([2, 32], &device),
        second: kept([2, 64], &device),
        hidden: kept([2, 256], &device),
    };
    let pass = network.forward_training(grey([2, 1, 6, 64, 64], &device), masks);
    let wanted = [
        0.658081, -0.509954, 0.356121, -0.420518, 0.132199, -0.146326, 0.037698, 0.192164,
        0.371880, -0.213181, 0.053724, -0.117539, -0.166310, 0.142736, -0.237095, 0.448108,
    ];
    assert_near("LED-SSSNet in training", &read(pass.logits), &wanted);
    let after = tensors_of(&network.with_measured(&pass.measured)).unwrap();
    let mean = &after["net.second_norm.mean"].values[..4];
    assert_near("its mean", mean, &[0.684199, 0.577590, 0.503307, 0.520001]);
    let variance = &after["net.second_norm.variance"].values[..4];
    let wanted = [2.149140, 2.097380, 2.050230, 2.462101];
    assert_near("its variance", variance, &wanted);
}

#[test]
fn led_resnet18_says_what_pytorch_says() {
    let device = Device::flex();
    let options = LedOptions::default();
    let tensors = by_formula(&led_resnet18::parameters(options, 4), 0.5);
    let network = LedResNet18::from_tensors(&tensors, options, 4, &device).unwrap();
    let clips = grey([2, 1, 6, 64, 64], &device);
    let wanted = [
        0.850359, 0.717618, 0.500040, 0.210643, 0.863967, 0.741260, 0.532144, 0.249078,
    ];
    assert_near(
        "LED-ResNet-18",
        &read(network.forward(clips.clone())),
        &wanted,
    );
    let pass = network.forward_training(clips, kept([2, 512], &device));
    let wanted = [
        0.220040, 0.334379, 0.389336, 0.379827, 0.199343, 0.199635, 0.149494, 0.050817,
    ];
    assert_near("LED-ResNet-18 in training", &read(pass.logits), &wanted);
    let after = tensors_of(&network.with_measured(&pass.measured)).unwrap();
    let variance = &after["net.blocks.7.second_norm.variance"].values[..4];
    let wanted = [0.633596, 0.715107, 0.892040, 1.050043];
    assert_near("its variance", variance, &wanted);
}

#[test]
fn the_networks_on_flow_images_say_what_pytorch_says() {
    let device = Device::flex();
    let shape = sssnet::Shape::flow(3);
    let tensors = by_formula(&shape.parameters(), 1.5);
    let network = SssNet::from_tensors(&tensors, shape, &device).unwrap();
    let logits = network.forward(flow([2, 3, 1, 64, 64], &device));
    let wanted = [0.432159, -0.293071, 0.151893, 0.401931, -0.242866, 0.082548];
    assert_near("SSSNet", &read(logits), &wanted);

    let cases = [
        (
            Reading::Direction,
            64,
            [
                -0.096461, -0.038712, 0.000184, 0.062669, 0.117622, -0.096966, -0.035607, 0.001483,
                0.060506, 0.120180,
            ],
        ),
        (
            Reading::Amount,
            64,
            [
                -0.091833, -0.045975, 0.004652, 0.069650, 0.114372, -0.092796, -0.046914, 0.006229,
                0.069682, 0.111270,
            ],
        ),
        (
            Reading::Both,
            64,
            [
                0.041862, -0.027405, -0.082803, -0.098954, -0.069457, 0.041569, -0.027640,
                -0.082692, -0.098975, -0.069685,
            ],
        ),
        (
            Reading::Direction,
            227,
            [
                -0.083901, -0.120316, 0.034468, 0.069619, 0.055733, -0.089248, 0.011279, -0.039781,
                0.063607, 0.109198,
            ],
        ),
    ];
    for (reading, side, wanted) in cases {
        let shape = sssn::Shape {
            reading,
            side,
            classes: 5,
        };
        let tensors = by_formula(&shape.parameters(), 1.5);
        let network = ShallowStreams::from_tensors(&tensors, shape, &device).unwrap();
        let logits = network.forward(flow([2, 3, side, side], &device), None);
        assert_near(&format!("{reading:?} {side}"), &read(logits), &wanted);
    }
}

#[test]
fn tsdn_says_what_pytorch_says() {
    let device = Device::flex();
    let tensors = by_formula(&tsdn::parameters(3), 1.5);
    let network = Tsdn::from_tensors(&tensors, 3, &device).unwrap();
    let frames = grey([4, 1, 64, 64], &device);
    let (onset, apex) = (frames.clone().narrow(0, 0, 2), frames.narrow(0, 2, 2));
    let wanted = [
        0.231757, -0.016285, -0.260238, -1.272995, -0.852757, -0.209891,
    ];
    let logits = network.forward(onset.clone(), apex.clone());
    assert_near("TSDN", &read(logits), &wanted);
    let pass = network.forward_training(onset, apex, all_kept(2, 64, &device));
    assert_near("TSDN in training", &read(pass.logits), &wanted);
    let rebuilt = read(pass.apex.narrow(0, 0, 1));
    let wanted = [-0.089417, -0.091623, -0.092498, -0.089775];
    assert_near("its apex", &rebuilt[31 * 64 + 30..][..4], &wanted);
}

// ---- Learning by heart

/// A network with what a test needs to know of it.
struct Case<M> {
    name: &'static str,
    plan: Vec<Planned>,
    build: Build<M>,
    /// One pass of a training over the samples: the network with what it measured, its
    /// logits, and what is asked of it besides them.
    study: Study<M>,
    infer: Infer<M>,
    /// Values of a sample.
    outputs: usize,
    rate: f64,
    updates: usize,
}

type Build<M> = Box<dyn Fn(&Tensors, &Device) -> M>;
type Infer<M> = Box<dyn Fn(&M, &Device) -> Tensor<2>>;
type Study<M> = Box<dyn Fn(M, &Device) -> (M, Tensor<2>, Option<Tensor<1>>)>;

pub(crate) const SAMPLES: usize = 8;

/// Frames of noise, each sample's its own.
fn noise<const D: usize>(shape: [usize; D], top: f64, device: &Device) -> Tensor<D> {
    let mut stream = Moment::default().stream(Purpose::Sampling);
    let count = shape.iter().product();
    let values = (0..count).map(|_| (top * stream.unit()) as f32);
    tensor(values.collect(), shape, device)
}

fn drawn(plan: &[Planned]) -> Tensors {
    let stream = Moment::default().stream(Purpose::Initial);
    started(plan, |place, bound, count| {
        stream.part(place as u64).uniform(bound, count)
    })
}

/// Which values of the samples are right: each sample has one.
pub(crate) fn targets(outputs: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0; SAMPLES * outputs];
    for (sample, row) in values.chunks_mut(outputs).enumerate() {
        row[sample % outputs] = 1.0;
    }
    tensor(values, [SAMPLES, outputs], device)
}

/// Names of the parameters with a gradient that is not all zeros.
struct Reached<'a> {
    gradients: &'a GradientsParams,
    place: Vec<String>,
    found: Vec<String>,
}

impl ModuleVisitor for Reached<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.place.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id).map(read);
        if gradient.is_some_and(|values| values.iter().any(|v| *v != 0.0)) {
            self.found.push(self.place.join("."));
        }
    }
}

pub(crate) fn assert_reached<M: Module>(
    name: &str,
    network: &M,
    gradients: &GradientsParams,
    plan: &[Planned],
) {
    let mut reached = Reached {
        gradients,
        place: Vec::new(),
        found: Vec::new(),
    };
    network.visit(&mut reached);
    reached.found.sort();
    let trained = plan.iter().filter(|planned| planned.trained);
    let mut wanted: Vec<String> = trained.map(|planned| planned.name.clone()).collect();
    wanted.sort();
    assert_eq!(reached.found, wanted, "{name}");
}

fn assert_learns<M: Module>(case: Case<M>) {
    let began = Instant::now();
    let name = case.name;
    let device = NnDevice::flex().for_training();
    let device = device.handle();
    let mut network = (case.build)(&drawn(&case.plan), device);
    let shapes = |tensors: &Tensors| -> BTreeMap<String, Vec<usize>> {
        let tensors = tensors.iter();
        tensors
            .map(|(name, t)| (name.clone(), t.shape.clone()))
            .collect()
    };
    let planned = case.plan.iter();
    let planned: BTreeMap<String, Vec<usize>> =
        planned.map(|p| (p.name.clone(), p.shape.clone())).collect();
    assert_eq!(shapes(&tensors_of(&network).unwrap()), planned, "{name}");

    let targets = targets(case.outputs, device);
    let mut optimizer = Optimizer::new(Rule::Adam { weight_decay: 0.0 });
    let mut losses = Vec::new();
    for update in 0..case.updates {
        let (studied, logits, besides) = (case.study)(network, device);
        assert_eq!(logits.dims(), [SAMPLES, case.outputs]);
        let loss = cross_entropy(logits, targets.clone());
        losses.push(read(loss.clone().inner())[0]);
        let loss = match besides {
            Some(besides) => loss + besides,
            None => loss,
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &studied);
        if update == 0 {
            assert_reached(name, &studied, &gradients, &case.plan);
        }
        network = optimizer.step(case.rate, studied, gradients);
    }
    eprintln!("{name}: {losses:?} in {:.1?}", began.elapsed());
    let (studied, logits, _) = (case.study)(network, device);
    let answers = read(logits.inner());
    for (answer, target) in answers.iter().zip(read(targets.inner())) {
        assert_eq!(*answer > 0.0, target > 0.5, "{name}: {answers:?}");
    }
    assert!(losses.last().unwrap() < &0.2, "{name}: {losses:?}");

    // The same weights say the same after a journey through a file.
    let weights = Weights {
        card: WeightsCard {
            network: name.to_owned(),
            format_version: FORMAT_VERSION,
            kind: None,
            source: "a test".to_owned(),
            trained_on: "noise".to_owned(),
            input: "noise".to_owned(),
            settings: BTreeMap::new(),
        },
        tensors: tensors_of(&studied).unwrap(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    weights.save(&path).unwrap();
    let loaded = Weights::load(&path).unwrap();
    let plain = Device::flex();
    let said = |weights: &Weights| {
        let network = (case.build)(&weights.tensors, &plain);
        read((case.infer)(&network, &plain))
    };
    let again = said(&loaded);
    assert_eq!(again, said(&weights), "{name}");
    assert_eq!(again.len(), SAMPLES * case.outputs);
    let direct = read((case.infer)(&studied, device).inner());
    for (ours, direct) in again.iter().zip(&direct) {
        assert!((ours - direct).abs() < 1e-4, "{name}: {ours} {direct}");
    }
}

fn clips(outputs: usize, device: &Device) -> Tensor<5> {
    noise([SAMPLES, 1, outputs + 1, 64, 64], 255.0, device)
}

fn nothing_dropped(batch: usize, device: &Device) -> Kept {
    Kept {
        first: all_kept(batch, 32, device),
        second: all_kept(batch, 64, device),
        hidden: all_kept(batch, 256, device),
    }
}

#[test]
fn led_sssnet_learns_eight_clips_by_heart() {
    let options = LedOptions::default();
    assert_learns(Case::<LedSssNet> {
        name: led_sssnet::NETWORK,
        plan: led_sssnet::parameters(options, 4),
        build: Box::new(move |tensors, device| {
            LedSssNet::from_tensors(tensors, options, 4, device).unwrap()
        }),
        study: Box::new(|network, device| {
            let kept = nothing_dropped(SAMPLES, device);
            let TrainingPass { logits, measured } =
                network.forward_training(clips(5, device), kept);
            (network.with_measured(&measured), logits, None)
        }),
        infer: Box::new(|network, device| network.forward(clips(5, device))),
        outputs: 4,
        rate: 1e-3,
        updates: 12,
    });
}

#[test]
fn led_resnet18_learns_eight_clips_by_heart() {
    let options = LedOptions::default();
    assert_learns(Case::<LedResNet18> {
        name: led_resnet18::NETWORK,
        plan: led_resnet18::parameters(options, 4),
        build: Box::new(move |tensors, device| {
            LedResNet18::from_tensors(tensors, options, 4, device).unwrap()
        }),
        study: Box::new(|network, device| {
            let kept = all_kept(SAMPLES, 512, device);
            let TrainingPass { logits, measured } =
                network.forward_training(clips(5, device), kept);
            (network.with_measured(&measured), logits, None)
        }),
        infer: Box::new(|network, device| network.forward(clips(5, device))),
        outputs: 4,
        rate: 1e-3,
        updates: 12,
    });
}

#[test]
fn sssnet_learns_eight_flow_images_by_heart() {
    let shape = sssnet::Shape::flow(3);
    let images = |device: &Device| noise([SAMPLES, 3, 1, 64, 64], 2.0, device);
    assert_learns(Case::<SssNet> {
        name: sssnet::NETWORK,
        plan: shape.parameters(),
        build: Box::new(move |tensors, device| {
            SssNet::from_tensors(tensors, shape, device).unwrap()
        }),
        study: Box::new(move |network, device| {
            let kept = nothing_dropped(SAMPLES, device);
            let TrainingPass { logits, measured } = network.forward_training(images(device), kept);
            (network.with_measured(&measured), logits, None)
        }),
        infer: Box::new(move |network, device| network.forward(images(device))),
        outputs: 3,
        rate: 1e-3,
        updates: 15,
    });
}

#[test]
fn sssn_and_dssn_learn_eight_flow_images_by_heart() {
    for reading in [Reading::Direction, Reading::Amount, Reading::Both] {
        let shape = sssn::Shape {
            reading,
            side: 64,
            classes: 5,
        };
        let images = |device: &Device| noise([SAMPLES, 3, 64, 64], 2.0, device) - 1.0;
        assert_learns(Case::<ShallowStreams> {
            name: reading.network(),
            plan: shape.parameters(),
            build: Box::new(move |tensors, device| {
                ShallowStreams::from_tensors(tensors, shape, device).unwrap()
            }),
            study: Box::new(move |network, device| {
                let kept = all_kept(SAMPLES, 256, device);
                let logits = network.forward(images(device), Some(kept));
                (network, logits, None)
            }),
            infer: Box::new(move |network, device| network.forward(images(device), None)),
            outputs: 5,
            rate: 1e-3,
            updates: 40,
        });
    }
}

#[test]
fn tsdn_learns_eight_pairs_by_heart() {
    let pairs = |device: &Device| {
        let frames = noise([2 * SAMPLES, 1, 64, 64], 255.0, device);
        let apex = frames.clone().narrow(0, SAMPLES, SAMPLES);
        [frames.narrow(0, 0, SAMPLES), apex]
    };
    assert_learns(Case::<Tsdn> {
        name: tsdn::NETWORK,
        plan: tsdn::parameters(3),
        build: Box::new(|tensors, device| Tsdn::from_tensors(tensors, 3, device).unwrap()),
        study: Box::new(move |network, device| {
            let [onset, apex] = pairs(device);
            let kept = all_kept(SAMPLES, 64, device);
            let pass = network.forward_training(onset.clone(), apex.clone(), kept);
            let off = [pass.onset - onset / 255.0, pass.apex - apex / 255.0];
            let [onset, apex] = off.map(|off| (off.clone() * off).mean());
            (network, pass.logits, Some(onset + apex))
        }),
        infer: Box::new(move |network, device| {
            let [onset, apex] = pairs(device);
            network.forward(onset, apex)
        }),
        outputs: 3,
        rate: 3e-3,
        updates: 40,
    });
}

/// Gradients of the ablation's variants, of every number of outputs.
#[test]
fn every_variant_of_led_is_trained_where_it_should_be() {
    let device = NnDevice::flex().for_training();
    let device = device.handle();
    let default = LedOptions::default();
    let mut variants = COMPARED_OUTPUTS
        .map(|outputs| LedOptions { outputs, ..default })
        .to_vec();
    for motion in [Motion::Grey, Motion::Magnified, Motion::Difference] {
        variants.push(LedOptions { motion, ..default });
    }
    for (normalise, learnt, compress) in [
        (false, true, false),
        (false, true, true),
        (true, false, false),
    ] {
        variants.push(LedOptions {
            normalise,
            learnt,
            compress,
            ..default
        });
    }
    for options in variants {
        let plan = led_sssnet::parameters(options, 8);
        let (filtered, learnt) = (options.motion.is_filtered(), options.learnt);
        let led = plan.iter().filter(|p| p.name.starts_with("led."));
        assert!(led.clone().count() == 3 && led.clone().all(|p| p.trained == (filtered && learnt)));
        let network = LedSssNet::from_tensors(&drawn(&plan), options, 8, device).unwrap();
        let clips = noise([2, 1, options.frames(), 64, 64], 255.0, device);
        let pass = network.forward_training(clips, nothing_dropped(2, device));
        let loss = (pass.logits.clone() * pass.logits).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        assert_reached(&format!("{options:?}"), &network, &gradients, &plan);
    }
}

#[test]
fn networks_with_their_options_have_the_stated_number_of_parameters() {
    let options = LedOptions::default();
    let trained = layer_plan::trained_numbers;
    assert_eq!(trained(&led_sssnet::parameters(options, 8)), 2_694_475);
    assert_eq!(trained(&led_sssnet::parameters(options, 12)), 2_695_503);
    assert_eq!(trained(&led_resnet18::parameters(options, 8)), 11_186_891);
    assert_eq!(trained(&sssnet::Shape::flow(3).parameters()), 1_349_251);
    assert_eq!(trained(&tsdn::parameters(3)), 86_532);
    let device = Device::flex();
    let network = LedSssNet::from_tensors(
        &drawn(&led_sssnet::parameters(options, 8)),
        options,
        8,
        &device,
    );
    // Burn counts the 2 × (32 + 64) measured numbers too.
    assert_eq!(network.unwrap().num_params(), 2_694_475 + 192);
}
