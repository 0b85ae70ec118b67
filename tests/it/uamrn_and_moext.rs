//! UAMRN and MoExt: hashed attention against attention over all pairs, the networks
//! against `assets/bench/uamrn_moext_pytorch.py`, and both of them learning by heart,
//! reached by gradients everywhere, saved and loaded.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use onset::model::layer_plan::{self, Planned};
use onset::model::lsh_attention::{self, Heads, LshAttention, LshOptions, Mode};
use onset::model::moext::{self, MARGIN, MoExt, MoExtOptions, MoExtPretraining};
use onset::model::uamrn::{self, Kept, Opinion, Uamrn, UamrnOptions};
use onset::model::{led_resnet18, resnet};
use onset::nn::parameters::{Tensors, tensors_of};
use onset::nn::weights::{FORMAT_VERSION, WeightsTensor};
use onset::nn::{NnDevice, Weights, WeightsCard};
use onset::training::optimizer::{Optimizer, Rule};
use onset::training::random::{Moment, Purpose, Stream};

use crate::recognition_networks::{
    SAMPLES, assert_near, assert_reached, largest_difference, read, targets, tensor, wave,
};

fn stream() -> Stream {
    Moment::default().stream(Purpose::Sampling)
}

/// Numbers in −1..1.
fn noise<const D: usize>(part: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = stream().part(part).uniform(1.0, shape.iter().product());
    tensor(values, shape, device)
}

// ---- Hashed attention

/// Queries, keys and values of a case, and hyper-planes.
struct Vectors {
    shape: [usize; 4],
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    planes: Vec<f32>,
    planes_shape: [usize; 3],
}

impl Vectors {
    /// `common`: how much all queries, and all keys, have in common; much of it fills a
    /// few buckets and leaves others empty.
    fn new(shape: [usize; 4], tables: usize, common: f32) -> Self {
        let [batch, heads, time, width] = shape;
        let count = batch * heads * time * width;
        let of = |part: u64| {
            let own = stream().part(part).uniform(1.0, count);
            let all = stream().part(part + 100).uniform(1.0, width);
            let values = own.iter().enumerate();
            values.map(|(at, v)| v + common * all[at % width]).collect()
        };
        let planes_shape = [tables, 3, width];
        Self {
            shape,
            query: of(1),
            key: of(2),
            value: of(3),
            planes: stream().part(4).uniform(1.0, tables * 3 * width),
            planes_shape,
        }
    }

    fn on(&self, device: &Device) -> (Heads, Tensor<3>) {
        let of = |values: &Vec<f32>| tensor(values.clone(), self.shape, device);
        let heads = Heads {
            query: of(&self.query),
            key: of(&self.key),
            value: of(&self.value),
        };
        let planes = tensor(self.planes.clone(), self.planes_shape, device);
        (heads, planes)
    }

    /// The buckets of the vector that starts here.
    fn buckets(&self, vectors: &[f32], start: usize) -> Vec<Vec<bool>> {
        let [_, _, width] = self.planes_shape;
        let vector = &vectors[start..start + width];
        let side = |plane: &[f32]| {
            let products = (plane.iter().zip(vector)).map(|(a, b)| f64::from(*a) * f64::from(*b));
            products.sum::<f64>() > 0.0
        };
        let table = |planes: &[f32]| planes.chunks_exact(width).map(side).collect();
        self.planes.chunks_exact(3 * width).map(table).collect()
    }

    /// The attention by S3's words: matrix and what is taken away, in double precision.
    fn by_definition(&self, mode: Mode) -> (Vec<f64>, Vec<f64>) {
        let [batch, heads, time, width] = self.shape;
        let (mut matrix, mut taken) = (Vec::new(), Vec::new());
        for group in 0..batch * heads {
            let start = |row: usize| (group * time + row) * width;
            let buckets_of = |vectors: &[f32]| -> Vec<Vec<Vec<bool>>> {
                (0..time)
                    .map(|row| self.buckets(vectors, start(row)))
                    .collect()
            };
            let (asking, asked) = (buckets_of(&self.query), buckets_of(&self.key));
            for (query, own) in asking.iter().enumerate() {
                let shared: BTreeSet<usize> = (0..time)
                    .filter(|&key| own.iter().zip(&asked[key]).any(|(a, b)| a == b))
                    .collect();
                let score = |key: usize| {
                    let product: f64 = (0..width)
                        .map(|at| {
                            f64::from(self.query[start(query) + at])
                                * f64::from(self.key[start(key) + at])
                        })
                        .sum();
                    product / (width as f64).sqrt()
                };
                let exponential = |key: usize| match mode {
                    Mode::Sparse if !shared.contains(&key) => 0.0,
                    _ => score(key).exp(),
                };
                let sum: f64 = (0..time).map(exponential).sum();
                let row: Vec<f64> = (0..time)
                    .map(|key| match mode {
                        Mode::Full => exponential(key) / sum,
                        _ if shared.contains(&key) => exponential(key) / sum,
                        _ => 0.0,
                    })
                    .collect();
                for at in 0..width {
                    let values = (row.iter().enumerate())
                        .map(|(key, share)| share * f64::from(self.value[start(key) + at]));
                    taken.push(values.sum());
                }
                matrix.extend(row);
            }
        }
        (matrix, taken)
    }
}

fn cases() -> Vec<Vectors> {
    vec![
        Vectors::new([2, 2, 32, 16], 4, 0.0),
        Vectors::new([1, 2, 7, 5], 4, 0.5),
        Vectors::new([3, 1, 130, 8], 4, 2.0),
        Vectors::new([1, 1, 1, 4], 1, 0.0),
        Vectors::new([2, 1, 24, 6], 1, 1.0),
    ]
}

fn assert_modes_by_definition(device: &NnDevice) {
    let mut alone = 0;
    for case in cases() {
        for mode in [Mode::Full, Mode::Paper, Mode::Sparse] {
            let (heads, planes) = case.on(device.handle());
            let (matrix, taken) = case.by_definition(mode);
            let ours = read(lsh_attention::matrix(&heads, &planes, mode));
            let off_matrix = largest_difference(&ours, &matrix);
            let ours = read(lsh_attention::attended(&heads, &planes, mode));
            let off = largest_difference(&ours, &taken);
            eprintln!(
                "{} {:?} on {}: matrix off by {off_matrix:.1e}, result by {off:.1e}",
                mode.name(),
                case.shape,
                device.name()
            );
            assert!(off_matrix < 1e-5 && off < 1e-5);
            if mode == Mode::Sparse {
                let rows = ours.chunks_exact(case.shape[3]);
                alone += rows.filter(|row| row.iter().all(|v| *v == 0.0)).count();
            }
        }
    }
    assert!(alone > 0, "some query should be without any pair");
}

#[test]
fn hashed_attention_is_masked_full_attention_on_the_processor() {
    assert_modes_by_definition(&NnDevice::flex());
}

#[test]
fn hashed_attention_is_masked_full_attention_on_the_graphics_device() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    assert_modes_by_definition(&NnDevice::wgpu(context).unwrap());
}

#[test]
fn gradients_of_sparse_attention_are_those_of_the_masked_matrix() {
    let device = NnDevice::flex().for_training();
    let device = device.handle();
    // Without a single pair there is nothing to go back through.
    for case in cases().into_iter().filter(|case| case.shape[2] > 1) {
        let gradients = |gathered: bool| {
            let (heads, planes) = case.on(device);
            let heads = Heads {
                query: heads.query.require_grad(),
                key: heads.key.require_grad(),
                value: heads.value.require_grad(),
            };
            let taken = if gathered {
                lsh_attention::attended(&heads, &planes, Mode::Sparse)
            } else {
                let matrix = lsh_attention::matrix(&heads, &planes, Mode::Sparse);
                matrix.matmul(heads.value.clone())
            };
            let gradients = (taken.clone() * taken).sum().backward();
            [heads.query, heads.key, heads.value].map(|of| read(of.grad(&gradients).unwrap()))
        };
        for (ours, wanted) in gradients(true).iter().zip(gradients(false)) {
            let wanted: Vec<f64> = wanted.iter().map(|v| f64::from(*v)).collect();
            let off = largest_difference(ours, &wanted);
            assert!(off < 1e-4, "{:?}: {off:e}", case.shape);
        }
    }
}

#[test]
fn three_planes_and_four_tables_unite_two_pairs_of_five() {
    let device = Device::flex();
    let layer = LshAttention::new(LshOptions::new(32, 2, Mode::Paper), &device);
    let vectors = noise(1, [4, 64, 32], &device);
    let heads = layer.heads(vectors.clone());
    let planes = noise(2, [4, 3, 16], &device);
    let buckets = read(lsh_attention::buckets(heads.query.clone(), planes.clone()));
    let found: BTreeSet<u32> = buckets.iter().map(|b| *b as u32).collect();
    assert_eq!(found, (0..8).collect());
    let pairs = read(lsh_attention::pairs(&heads, &planes));
    assert!(pairs.iter().all(|v| *v == 0.0 || *v == 1.0));
    let share = pairs.iter().sum::<f32>() / pairs.len() as f32;
    assert!((0.3..0.55).contains(&share), "{share}");
    let matrix = read(layer.matrix(vectors));
    for row in matrix.chunks_exact(64) {
        let sum: f32 = row.iter().sum();
        assert!(
            (0.0..1.0).contains(&sum),
            "the paper's rows do not sum to 1: {sum}"
        );
    }
}

// ---- Against PyTorch, by the formulas of uamrn_moext_pytorch.py

/// Dense layers, the only ones with two sides, are `[out, in]` in PyTorch.
fn by_formula(plan: &[Planned], gain: f64) -> Tensors {
    let formula = |(number, planned): (usize, &Planned)| {
        let inputs: usize = match planned.shape[..] {
            [inputs, _] => inputs,
            _ => planned.shape[1..].iter().product(),
        };
        let kind = planned.name.rsplit('.').next().unwrap();
        let (offset, scale) = match kind {
            "bias" | "shift" | "mean" => (0.0, 0.1),
            "scale" | "variance" => (1.0, 0.3),
            _ => (0.0, gain / (inputs as f64).sqrt()),
        };
        let value = |i: usize| {
            let value = match kind {
                "planes" => (0.7 * (i * i % 9973) as f64).sin(),
                _ => offset + scale * (0.7 * (i % 9973) as f64 + number as f64).sin(),
            };
            value as f32
        };
        let shape = planned.shape.clone();
        let values = match shape[..] {
            [inputs, outputs] => (0..inputs * outputs)
                .map(|at| value(at % outputs * inputs + at / outputs))
                .collect(),
            _ => (0..planned.len()).map(value).collect(),
        };
        (planned.name.clone(), WeightsTensor { shape, values })
    };
    plan.iter().enumerate().map(formula).collect()
}

/// Onset and apex.
fn pictures(batch: usize, side: usize, device: &Device) -> [Tensor<4>; 2] {
    let shape = [2 * batch, 3, side, side];
    let values = wave(shape.iter().product()).map(|v| (127.5 + 127.5 * v).floor() as f32);
    let both = tensor(values.collect(), shape, device);
    let onset = both.clone().narrow(0, 0, batch);
    let apex = onset.clone() * 0.75 + both.narrow(0, batch, batch) * 0.25;
    [onset, apex]
}

fn kept_by_formula(count: usize) -> Vec<f32> {
    let kept = |i: usize| f32::from(u8::from((1.3 * i as f64).sin() > 0.0)) * 2.0;
    (0..count).map(kept).collect()
}

fn small(mode: Mode) -> UamrnOptions {
    UamrnOptions {
        channels: 3,
        side: 32,
        frames: 8,
        width: 32,
        heads: 2,
        blocks: 2,
        hidden: 48,
        mode,
        classes: 4,
    }
}

#[test]
fn uamrn_says_what_pytorch_says() {
    let device = Device::flex();
    let cases = [
        (
            Mode::Full,
            [
                -0.407598, 0.289190, -0.116856, 0.146774, -0.525049, 0.420558, -0.240485, 0.242286,
            ],
            [
                0.857973, 0.591591, 0.907552, 0.527394, 0.855041, 0.570614, 0.963722, 0.479153,
            ],
            [
                0.120896, 0.135419, 0.120851, 0.105646, 0.105510, 0.119081, 0.139349, 0.153248,
            ],
        ),
        (
            Mode::Paper,
            [
                -0.406006, 0.287640, -0.115603, 0.146025, -0.522218, 0.417503, -0.237711, 0.240249,
            ],
            [
                0.857709, 0.592052, 0.906695, 0.528052, 0.854964, 0.571195, 0.962288, 0.480265,
            ],
            [
                0.120968, 0.135358, 0.120896, 0.105848, 0.105713, 0.119101, 0.139122, 0.152994,
            ],
        ),
        (
            Mode::Sparse,
            [
                -0.406809, 0.288464, -0.116312, 0.146502, -0.522544, 0.417919, -0.238147, 0.240634,
            ],
            [
                0.857787, 0.591851, 0.907107, 0.527717, 0.854890, 0.571174, 0.962422, 0.480132,
            ],
            [
                0.121123, 0.135301, 0.121058, 0.105804, 0.105669, 0.119051, 0.139064, 0.152930,
            ],
        ),
    ];
    let [onset, apex] = pictures(2, 32, &device);
    for (mode, mean, variance, row) in cases {
        let options = small(mode);
        let tensors = by_formula(&options.parameters(), 0.5);
        let network = Uamrn::from_tensors(&tensors, options, &device).unwrap();
        let vectors = network.vectors(onset.clone(), apex.clone());
        let opinion = network.judged(vectors.clone(), None);
        let name = mode.name();
        assert_near(&format!("UAMRN {name}, mean"), &read(opinion.mean), &mean);
        let ours = read(opinion.variance);
        assert_near(&format!("UAMRN {name}, variance"), &ours, &variance);
        let matrices = network.attention(vectors);
        assert_eq!(matrices.len(), 2);
        assert_eq!(matrices[1].dims(), [2, 2, 8, 8]);
        let ours = read(matrices[1].clone());
        assert_near(
            &format!("UAMRN {name}, attention"),
            &ours[5 * 8..6 * 8],
            &row,
        );
    }
}

#[test]
fn uamrn_in_training_and_its_uncertainty_are_pytorchs() {
    let device = Device::flex();
    let options = small(Mode::Paper);
    let tensors = by_formula(&options.parameters(), 0.5);
    let network = Uamrn::from_tensors(&tensors, options, &device).unwrap();
    let [onset, apex] = pictures(2, 32, &device);
    let kept = options.kept(2, &device, kept_by_formula);

    // γ, weights and loss from one pass without dropout and one with.
    let vectors = network.vectors(onset.clone(), apex.clone());
    let opinions = [None, Some(&kept)].map(|kept| network.judged(vectors.clone(), kept));
    let gamma = uamrn::uncertainty(&opinions);
    assert_near("gamma", &read(gamma.clone()), &[0.721823, 0.718056]);
    let weights = uamrn::weights(gamma);
    let sum: f32 = read(weights.clone()).iter().sum();
    assert!((sum - 2.0).abs() < 1e-6);
    let draws: Vec<f32> = wave(3 * 2 * 4).map(|v| v as f32).collect();
    let draws = draws
        .chunks_exact(8)
        .map(|values| tensor(values.to_vec(), [2, 4], &device));
    let drawn = draws.map(|noise| opinions[0].drawn(noise)).collect();
    let targets = tensor(vec![1., 0., 0., 0., 0., 1., 0., 0.], [2, 4], &device);
    let entropies = uamrn::cross_entropies(drawn, targets);
    assert_near(
        "cross-entropies",
        &read(entropies.clone()),
        &[1.875958, 0.999291],
    );
    assert_near("loss", &read(uamrn::loss(entropies, weights)), &[1.438771]);

    let pass = network.forward_training(onset, apex, &kept);
    let mean = [
        -0.356927, 0.245885, -0.088055, 0.137226, -0.296000, 0.183148, -0.033850, 0.100488,
    ];
    assert_near("UAMRN in training, mean", &read(pass.opinion.mean), &mean);
    let variance = [
        0.841724, 0.611036, 0.877685, 0.548109, 0.836199, 0.626630, 0.847467, 0.574813,
    ];
    assert_near(
        "UAMRN in training, variance",
        &read(pass.opinion.variance),
        &variance,
    );
    let after = tensors_of(&network.with_measured(&pass.measured)).unwrap();
    let variance = &after["front.blocks.3.second_norm.variance"].values[..4];
    assert_near(
        "its variance",
        variance,
        &[0.757128, 0.855807, 1.041412, 1.215680],
    );
}

const SMALL: MoExtOptions = MoExtOptions {
    side: 56,
    width: 64,
};

#[test]
fn moext_says_what_pytorch_says() {
    let device = Device::flex();
    let [onset, apex] = pictures(2, 56, &device);
    let tensors = by_formula(&SMALL.parameters(4), 0.8);
    let network = MoExt::from_tensors(&tensors, SMALL, 4, &device).unwrap();
    let wanted = [
        -0.006043, 0.159755, 0.239148, 0.173997, -0.010056, 0.178551, 0.268870, 0.195854,
    ];
    let logits = network.forward(onset.clone(), apex.clone());
    assert_near("MoExt", &read(logits), &wanted);

    let tensors = by_formula(&SMALL.pretraining_parameters(), 0.8);
    let network = MoExtPretraining::from_tensors(&tensors, SMALL, &device).unwrap();
    let green = |rebuilt: &Tensor<4>| {
        let pixels = read(rebuilt.clone());
        pixels[(56 + 31) * 56 + 30..][..4].to_vec()
    };
    let rebuilt = network.rebuilt(onset, apex);
    assert_eq!(rebuilt.dims(), [2, 3, 56, 56]);
    assert_near(
        "its apex",
        &green(&rebuilt),
        &[0.040540, 0.040489, 0.040419, 0.040368],
    );

    // Sample n is black below a quarter n + 1.
    let lit = |at: usize| f32::from(u8::from(at % 56 < 14 * (at / 56 + 1)));
    let lit: Tensor<5> = tensor((0..3 * 56).map(lit).collect(), [3, 1, 1, 56, 1], &device);
    let views =
        |frames: Tensor<4>| -> Tensor<5> { frames.reshape([3, 2, 3, 56, 56]) * lit.clone() };
    let [onset, apex] = pictures(6, 56, &device).map(views);
    let pass = network.forward_training(onset, apex.clone());
    let wanted = [0.324534, 0.355520, 0.376058, 0.405133];
    assert_near("its apex in training", &green(&pass.rebuilt), &wanted);
    let apex: Tensor<4> = apex.narrow(1, 0, 1).reshape([3, 3, 56, 56]);
    let (shapes, textures) = (pass.shapes.clone(), pass.textures.clone());
    let losses = [
        moext::reconstruction_loss(pass.rebuilt.clone(), apex.clone()),
        moext::texture_loss(shapes.clone(), textures, MARGIN),
        moext::shape_loss(shapes, MARGIN),
        pass.loss(apex, MARGIN),
    ];
    let losses = losses.map(|loss| read(loss)[0]);
    let wanted = [0.388295, 0.203709, 0.134719, 0.624868];
    assert_near("its losses", &losses, &wanted);
    let after = tensors_of(&network.with_measured(&pass.measured)).unwrap();
    let variance = &after["decoder.refining.4.second_norm.variance"].values;
    let wanted = [0.657884, 0.708629, 0.862432, 1.047211];
    assert_near("its last variance", variance, &wanted);
    let variance = &after["motion.joined.second_norm.variance"].values[..4];
    let wanted = [0.730525, 0.906179, 1.080166, 1.168568];
    assert_near("its variance in C2", variance, &wanted);
}

// ---- Learning by heart

/// A network with what a test needs to know of it.
struct Case<M> {
    name: &'static str,
    plan: Vec<Planned>,
    build: Build<M>,
    /// One pass of a training over the samples: the network with what it measured, what
    /// it answers, and the loss.
    study: Study<M>,
    infer: Infer<M>,
    rate: f64,
    updates: usize,
}

type Build<M> = Box<dyn Fn(&Tensors, &Device) -> M>;
type Infer<M> = Box<dyn Fn(&M, &Device) -> Vec<f32>>;
type Study<M> = Box<dyn Fn(M, &Device) -> (M, Vec<f32>, Tensor<1>)>;

fn drawn(plan: &[Planned]) -> Tensors {
    let stream = Moment::default().stream(Purpose::Initial);
    lsh_attention::started(plan, |place, bound, count| {
        stream.part(place as u64).uniform(bound, count)
    })
}

/// Onset and apex of noise, each sample's its own; the apex is the onset, moved a little.
fn faces(side: usize, device: &Device) -> [Tensor<4>; 2] {
    let shape = [SAMPLES, 3, side, side];
    let onset = noise(1, shape, device) * 100.0 + 127.5;
    let apex = onset.clone() + noise(2, shape, device) * 20.0;
    [onset, apex]
}

fn assert_right(name: &str, logits: &[f32], classes: usize) {
    for (sample, row) in logits.chunks_exact(classes).enumerate() {
        let right = row[sample % classes];
        let others = row.iter().filter(|other| **other >= right);
        assert_eq!(others.count(), 1, "{name}: sample {sample} {row:?}");
    }
}

/// Learns; gives the first and the last loss, the network and its last answers.
fn assert_learns<M: Module>(case: Case<M>) -> (f32, f32, M, Vec<f32>) {
    let began = Instant::now();
    let name = case.name;
    let device = NnDevice::flex().for_training();
    let device = device.handle();
    let start = drawn(&case.plan);
    let mut network = (case.build)(&start, device);
    let shapes = |tensors: &Tensors| -> BTreeMap<String, Vec<usize>> {
        let shape = |(name, t): (&String, &WeightsTensor)| (name.clone(), t.shape.clone());
        tensors.iter().map(shape).collect()
    };
    let planned = case.plan.iter();
    let planned: BTreeMap<String, Vec<usize>> =
        planned.map(|p| (p.name.clone(), p.shape.clone())).collect();
    assert_eq!(shapes(&tensors_of(&network).unwrap()), planned, "{name}");

    let mut optimizer = Optimizer::new(Rule::Adam { weight_decay: 0.0 });
    let mut losses = Vec::new();
    for update in 0..case.updates {
        let (studied, _, loss) = (case.study)(network, device);
        losses.push(read(loss.clone().inner())[0]);
        let gradients = GradientsParams::from_grads(loss.backward(), &studied);
        if update == 0 {
            assert_reached(name, &studied, &gradients, &case.plan);
        }
        network = optimizer.step(case.rate, studied, gradients);
    }
    let (studied, answers, loss) = (case.study)(network, device);
    losses.push(read(loss.inner())[0]);
    eprintln!("{name}: {losses:?} in {:.1?}", began.elapsed());

    // What is not trained, hyper-planes above all, has stayed; running statistics move.
    let tensors = tensors_of(&studied).unwrap();
    for planned in case.plan.iter().filter(|p| p.name.ends_with(".planes")) {
        assert_eq!(tensors[&planned.name], start[&planned.name]);
    }

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
        tensors,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    weights.save(&path).unwrap();
    let loaded = Weights::load(&path).unwrap();
    let plain = Device::flex();
    let said = |weights: &Weights| {
        let network = (case.build)(&weights.tensors, &plain);
        (case.infer)(&network, &plain)
    };
    let again = said(&loaded);
    assert!(!again.is_empty());
    assert_eq!(again, said(&weights), "{name}");
    (losses[0], losses[losses.len() - 1], studied, answers)
}

fn nothing_dropped(options: UamrnOptions, device: &Device) -> Kept {
    options.kept(SAMPLES, device, |count| vec![1.0; count])
}

fn uamrn_loss(opinion: &Opinion, device: &Device) -> Tensor<1> {
    let drawn = (0..3).map(|part| opinion.drawn(noise(20 + part, [SAMPLES, 4], device) * 1.7));
    let entropies = uamrn::cross_entropies(drawn.collect(), targets(4, device));
    let weights = uamrn::weights(uamrn::uncertainty(std::slice::from_ref(opinion)));
    uamrn::loss(entropies, weights)
}

#[test]
fn uamrn_learns_eight_expressions_by_heart_in_every_mode() {
    for mode in [Mode::Full, Mode::Paper, Mode::Sparse] {
        let options = small(mode);
        let (_, last, _, answers) = assert_learns(Case::<Uamrn> {
            name: uamrn::NETWORK,
            plan: options.parameters(),
            build: Box::new(move |tensors, device| {
                Uamrn::from_tensors(tensors, options, device).unwrap()
            }),
            study: Box::new(move |network, device| {
                let [onset, apex] = faces(32, device);
                let kept = nothing_dropped(options, device);
                let pass = network.forward_training(onset, apex, &kept);
                let loss = uamrn_loss(&pass.opinion, device);
                let answers = read(pass.opinion.mean.inner());
                (network.with_measured(&pass.measured), answers, loss)
            }),
            infer: Box::new(|network, device| {
                let [onset, apex] = faces(32, device);
                let opinion = network.forward(onset, apex);
                [read(opinion.mean), read(opinion.variance)].concat()
            }),
            rate: 2e-3,
            updates: 12,
        });
        assert_right(mode.name(), &answers, 4);
        assert!(last < 0.5, "{last}");
    }
}

fn views(frames: &Tensor<4>, device: &Device) -> Tensor<5> {
    let grain = noise(9, frames.dims(), device) * 5.0;
    let sharper = (frames.clone() - 127.5) * 1.2 + 127.5;
    Tensor::stack(vec![frames.clone(), sharper + grain], 1)
}

#[test]
fn moext_learns_to_rebuild_eight_faces_and_hands_its_motion_on() {
    // Smooth faces, each of its own colours, which a few numbers can hold.
    fn plain_faces(device: &Device) -> [Tensor<4>; 2] {
        [3, 4].map(|part| {
            let colours: Tensor<4> = noise(part, [SAMPLES, 3, 1, 1], device) * 80.0 + 127.5;
            let colours: Tensor<4> = colours.expand([SAMPLES, 3, 56, 56]);
            colours + noise(part + 2, [1, 1, 56, 56], device) * 4.0
        })
    }
    let (first, last, pretrained, _) = assert_learns(Case::<MoExtPretraining> {
        name: moext::PRETRAINING,
        plan: SMALL.pretraining_parameters(),
        build: Box::new(|tensors, device| {
            MoExtPretraining::from_tensors(tensors, SMALL, device).unwrap()
        }),
        study: Box::new(|network, device| {
            let [onset, apex] = plain_faces(device);
            let pass = network.forward_training(views(&onset, device), views(&apex, device));
            let loss = pass.loss(apex, MARGIN);
            (network.with_measured(&pass.measured), Vec::new(), loss)
        }),
        infer: Box::new(|network, device| {
            let [onset, apex] = plain_faces(device);
            read(network.rebuilt(onset, apex))
        }),
        rate: 3e-3,
        updates: 12,
    });
    assert!(last < 0.6 * first, "{first} {last}");

    let pretrained = tensors_of(&pretrained).unwrap();
    let fresh = drawn(&SMALL.parameters(4));
    let inherited = moext::inherited(fresh.clone(), &pretrained).unwrap();
    assert_eq!(inherited.len(), fresh.len());
    for (name, tensor) in &inherited {
        let from = if name.starts_with("motion.") {
            &pretrained
        } else {
            &fresh
        };
        assert_eq!(tensor, &from[name], "{name}");
    }
    let wrong = moext::inherited(
        fresh.clone(),
        &fresh_without(&fresh, "motion.shape.values.bias"),
    );
    assert_eq!(
        wrong.err().unwrap(),
        "the tensor 'motion.shape.values.bias' is missing"
    );
    let network = MoExt::from_tensors(&inherited, SMALL, 4, &Device::flex()).unwrap();
    let [onset, apex] = plain_faces(&Device::flex());
    assert_eq!(network.forward(onset, apex).dims(), [SAMPLES, 4]);
}

fn fresh_without(tensors: &Tensors, name: &str) -> Tensors {
    let mut rest = tensors.clone();
    rest.remove(name);
    rest
}

#[test]
fn moext_learns_eight_expressions_by_heart() {
    let (_, last, _, answers) = assert_learns(Case::<MoExt> {
        name: moext::NETWORK,
        plan: SMALL.parameters(4),
        build: Box::new(|tensors, device| MoExt::from_tensors(tensors, SMALL, 4, device).unwrap()),
        study: Box::new(|network, device| {
            let [onset, apex] = faces(56, device);
            let pass = network.forward_training(onset, apex);
            let log = log_softmax(pass.logits.clone(), 1);
            let loss = (log * targets(4, device)).sum() * (-1.0 / SAMPLES as f64);
            let answers = read(pass.logits.inner());
            (network.with_measured(&pass.measured), answers, loss)
        }),
        infer: Box::new(|network, device| {
            let [onset, apex] = faces(56, device);
            read(network.forward(onset, apex))
        }),
        rate: 2e-3,
        updates: 10,
    });
    assert_right("MoExt", &answers, 4);
    assert!(last < 0.5, "{last}");
}

// ---- Counts, shapes, inheritance

#[test]
fn uamrn_and_moext_have_the_stated_number_of_parameters() {
    let trained = layer_plan::trained_numbers;
    let published = UamrnOptions::published(5);
    assert_eq!(trained(&published.parameters()), 21_687_370);
    assert_eq!(trained(&small(Mode::Paper).parameters()), 763_720);
    let whole = MoExtOptions::default();
    assert_eq!(trained(&whole.pretraining_parameters()), 22_464_931);
    assert_eq!(trained(&whole.parameters(5)), 5_507_653);
    assert_eq!(trained(&SMALL.pretraining_parameters()), 2_257_887);
}

#[test]
fn the_magnified_sequence_grows_by_its_factors() {
    let device = Device::flex();
    let onset = Tensor::full([1, 1, 2, 2], 100.0, &device);
    let apex = Tensor::full([1, 1, 2, 2], 101.0, &device);
    let sequence = uamrn::magnified(onset, apex, 12);
    assert_eq!(sequence.dims(), [1, 12, 1, 2, 2]);
    let first_pixels: Vec<f32> = read(sequence).into_iter().step_by(4).collect();
    let wanted: Vec<f32> = (0..12u8).map(|n| 103.0 + f32::from(n)).collect();
    assert_eq!(first_pixels, wanted);
}

#[test]
fn an_expression_that_does_not_move_is_seen_alike_at_every_factor() {
    let device = Device::flex();
    let options = UamrnOptions {
        frames: 5,
        ..small(Mode::Sparse)
    };
    let network = Uamrn::from_tensors(&drawn(&options.parameters()), options, &device).unwrap();
    let [still, _] = faces(32, &device);
    let vectors = network.vectors(still.clone(), still);
    assert_eq!(vectors.dims(), [SAMPLES, 5, 32]);
    // All that differs is the code of the place: sin(place) and cos(place) at first.
    let rows = read(vectors);
    let [first, second] = [&rows[..2], &rows[32..34]];
    assert!((second[0] - first[0] - 1_f32.sin()).abs() < 1e-4);
    assert!((second[1] - first[1] - (1_f32.cos() - 1.0)).abs() < 1e-4);
}

#[test]
fn uamrns_front_takes_over_layers_that_others_have_learnt() {
    let options = UamrnOptions {
        channels: 5,
        ..small(Mode::Paper)
    };
    let fresh = drawn(&options.parameters());
    let other = layer_plan::within("net", resnet::parameters(5));
    let other = layer_plan::started(&other, |_, _, count| vec![0.25; count]);
    let joined = uamrn::front_from(fresh.clone(), &other, "net").unwrap();
    let stem = &joined["front.stem.weight"];
    assert!(stem.values.iter().all(|v| *v == 0.25));
    assert_eq!(joined["code.weight"], fresh["code.weight"]);
    assert_eq!(joined.len(), fresh.len());

    let three = drawn(&small(Mode::Paper).parameters());
    let wrong = uamrn::front_from(three.clone(), &other, "net");
    assert!(wrong.err().unwrap().contains("'net.stem.weight' has shape"));
    let moext = drawn(&SMALL.pretraining_parameters());
    let joined = uamrn::front_from(three, &moext, "motion.front").unwrap();
    assert_eq!(
        joined["front.stem.weight"],
        moext["motion.front.stem.weight"]
    );
    let led = led_resnet18::parameters(onset::model::led::LedOptions::default(), 4);
    assert!(uamrn::front_from(fresh, &drawn(&led), "net").is_ok());
}

#[test]
fn without_noise_and_with_equal_weights_uamrns_loss_is_cross_entropy() {
    let device = Device::flex();
    let opinion = Opinion {
        mean: noise(1, [SAMPLES, 4], &device) * 3.0,
        variance: Tensor::full([SAMPLES, 4], 0.7, &device),
    };
    let still = opinion.drawn(Tensor::zeros([SAMPLES, 4], &device));
    let entropies = uamrn::cross_entropies(vec![still], targets(4, &device));
    let weights = uamrn::weights(uamrn::uncertainty(std::slice::from_ref(&opinion)));
    assert!(read(weights.clone()).iter().all(|v| (v - 1.0).abs() < 1e-6));
    let ours = read(uamrn::loss(entropies, weights))[0];
    let log = log_softmax(opinion.mean.clone(), 1) * targets(4, &device);
    let plain = read(log.sum())[0] / -(SAMPLES as f32);
    assert!((ours - plain).abs() < 1e-6, "{ours} {plain}");
    // Far beyond what an exponential holds, nothing is lost.
    let sure = tensor(vec![0.0, 300.0, 0.0, 0.0], [1, 4], &device);
    let right = tensor(vec![1.0, 0.0, 0.0, 0.0], [1, 4], &device);
    let entropy = read(uamrn::cross_entropies(vec![sure.clone(), sure], right))[0];
    assert!((entropy - 300.0).abs() < 1e-3, "{entropy}");
}
