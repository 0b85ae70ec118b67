//! Training and evaluation of the networks on flow images: parity, learning, exact
//! resumption, folds.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use npyz::npz::NpzArchive;
use onset::dataset::flow_images::{FlowClip, FlowImages};
use onset::model::flow_classifier::{Architecture, FlowClassifier, FlowWeights};
use onset::model::flow_input::{CLASSES, PIXELS, Scaling, VALUES};
use onset::model::off_apexnet::{self, OffApexNet};
use onset::model::ststnet::{self, Geometry, StstNet};
use onset::model::ststnet_pytorch::{import_ststnet_pytorch, read_ststnet_pytorch};
use onset::nn::parameters::{self, tensors_of};
use onset::nn::{NnDevice, Weights};
use onset::training::epochs::Trained;
use onset::training::folds::FoldError;
use onset::training::progress::{CurveRow, Monitor, Next, Silent};
use onset::training::random::{Moment, Purpose};
use onset::training::recognition::learner::{Batch, Judgement, Learner, best, initial};
use onset::training::recognition::protocol::{Protocol, ProtocolError};
use onset::training::recognition::recipe::Recipe;
use onset::training::recognition::report::{Prediction, predictions_path};
use onset::training::recognition::trainer::{Run, TrainingError, TrainingSet, train};

const STSTNET: Architecture = Architecture::StstNet(Geometry::Same);

/// Clips of three kinds of motion, noisy, by `subjects` people.
fn clips(count: usize, subjects: usize) -> FlowImages {
    let mut stream = Moment::default().stream(Purpose::Sampling);
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for clip in 0..count {
        let label = clip % CLASSES.len();
        for place in 0..VALUES {
            let (channel, y) = (place / PIXELS, place % PIXELS / 28);
            let moves = y / 10 == label && channel > 0;
            let noise = 60.0 * stream.unit();
            values.push((if moves { 190.0 } else { 90.0 } + noise).round() as f32);
        }
        rows.push(FlowClip {
            clip: format!("clip{clip:03}"),
            subject: format!("s{}", clip % subjects),
            dataset: if clip % 2 == 0 { "even" } else { "odd" }.to_owned(),
            label,
        });
    }
    FlowImages::new(rows, values)
}

fn set(recipe: &Recipe, data: &FlowImages) -> TrainingSet {
    let images: Vec<_> = (0..data.clips.len()).map(|clip| data.image(clip)).collect();
    let labels = data.clips.iter().map(|clip| clip.label).collect();
    TrainingSet::new(recipe, &images, labels).unwrap()
}

fn quick(architecture: Architecture, epochs: u64) -> Recipe {
    Recipe {
        epochs,
        batch: 8,
        ..Recipe::reference(architecture)
    }
}

fn run<'a>(device: &'a NnDevice, monitor: &'a dyn Monitor) -> Run<'a> {
    Run {
        device,
        monitor,
        part: "",
        parallel: false,
    }
}

/// Stops after so many epochs, as a kill between two epochs would.
pub(crate) struct StopAfter(pub(crate) u64);

impl Monitor for StopAfter {
    fn epoch(&self, _part: &str, row: &CurveRow, _epochs: u64) -> Next {
        if row.epoch == self.0 {
            Next::Stop
        } else {
            Next::Continue
        }
    }
}

fn logits_of_the_published_checkpoint(device: &NnDevice) -> Option<(Vec<f32>, Vec<f32>)> {
    let checkpoint = crate::shared("reference/ststnet_sub01.pth")?;
    let mut archive = NpzArchive::open(crate::shared("reference/ststnet_parity.npz")?).unwrap();
    let mut array =
        |name: &str| -> Vec<f32> { archive.by_name(name).unwrap().unwrap().into_vec().unwrap() };
    let (x, expected) = (array("x"), array("logits_sub01"));
    let weights = FlowWeights::unpack(&read_ststnet_pytorch(&checkpoint).unwrap()).unwrap();
    let Architecture::StstNet(geometry) = weights.architecture else {
        panic!("{:?}", weights.architecture)
    };
    let network = StstNet::from_tensors(&weights.members[0], geometry, device.handle()).unwrap();
    let data = TensorData::new(x, [8, 3, 28, 28]);
    let logits = network.forward(Tensor::from_data(data, device.handle()));
    Some((parameters::read(logits).unwrap().values, expected))
}

#[test]
fn ststnets_published_checkpoint_gives_the_reference_logits() {
    let Some((logits, expected)) = logits_of_the_published_checkpoint(&NnDevice::flex()) else {
        return;
    };
    for (logit, expected) in logits.iter().zip(&expected) {
        assert!((logit - expected).abs() < 1e-5, "{logit} {expected}");
    }
}

#[test]
fn ststnets_published_checkpoint_gives_the_reference_logits_on_the_card() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let device = NnDevice::wgpu(context).unwrap();
    let Some((logits, expected)) = logits_of_the_published_checkpoint(&device) else {
        return;
    };
    for (logit, expected) in logits.iter().zip(&expected) {
        assert!((logit - expected).abs() < 1e-5, "{logit} {expected}");
    }
}

#[test]
fn an_imported_checkpoint_classifies_as_its_logits_say() {
    let Some(checkpoint) = crate::shared("reference/ststnet_sub01.pth") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("w.safetensors");
    let card = import_ststnet_pytorch(&checkpoint, &out).unwrap();
    assert_eq!(card.network, "ststnet");
    let device = NnDevice::flex();
    let (network, _) = FlowClassifier::load(&out, "ststnet", &device).unwrap();
    let mut archive =
        NpzArchive::open(crate::shared("reference/ststnet_parity.npz").unwrap()).unwrap();
    let x: Vec<f32> = archive.by_name("x").unwrap().unwrap().into_vec().unwrap();
    let (logits, _) = logits_of_the_published_checkpoint(&device).unwrap();
    let images: Vec<_> = x.chunks_exact(VALUES).collect();
    for (said, logits) in network
        .probabilities(&images)
        .unwrap()
        .iter()
        .zip(logits.chunks(3))
    {
        assert_eq!(best(said), best(logits));
        assert!((said.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn eight_clips_are_learned_by_heart() {
    let data = clips(8, 4);
    let device = NnDevice::flex();
    for architecture in [
        STSTNET,
        Architecture::StstNet(Geometry::Wide),
        Architecture::OffApexNet,
    ] {
        let recipe = Recipe {
            dropout: 0.0,
            rate: 2e-3,
            ..quick(
                architecture,
                if architecture == Architecture::OffApexNet {
                    12
                } else {
                    80
                },
            )
        };
        let set = set(&recipe, &data);
        let trained = train(&recipe, &set, 3, 0, None, run(&device, &Silent)).unwrap();
        let last = trained.curve.rows().last().unwrap();
        assert_eq!(last.accuracy, 1.0, "{architecture:?}: {last:?}");
        assert!(last.loss < 0.4, "{architecture:?}: {last:?}");
        // The same weights classify the same clips after a journey through a file.
        let weights = FlowWeights {
            architecture,
            normalizer: set.normalizer.clone(),
            mirror: false,
            members: vec![trained.weights],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let packed = weights.pack("a test".into(), "drawn".into(), recipe.settings());
        packed.save(&path).unwrap();
        let (loaded, _) = FlowClassifier::load(&path, architecture.network(), &device).unwrap();
        let images: Vec<_> = (0..8).map(|clip| data.image(clip)).collect();
        let said = loaded.probabilities(&images).unwrap();
        let fresh = FlowClassifier::new(&weights, &device).unwrap();
        assert_eq!(said, fresh.probabilities(&images).unwrap());
        for (clip, said) in data.clips.iter().zip(&said) {
            assert_eq!(best(said), clip.label);
        }
    }
}

/// A batch of drawn clips as a network reads it.
fn batch(data: &FlowImages) -> Batch {
    Batch {
        images: (0..data.clips.len())
            .flat_map(|clip| data.image(clip).iter().map(|v| v - 120.0))
            .collect(),
        labels: data.clips.iter().map(|clip| clip.label).collect(),
    }
}

#[test]
fn every_trained_parameter_changes_with_the_first_update_and_no_other() {
    fn check<N: Learner>(network: N, measured: &[&str]) {
        let before = tensors_of(&network).unwrap();
        let judgement = Judgement {
            smoothing: 0.1,
            dropout: 0.5,
            parallel: false,
        };
        let stream = Moment::default().stream(Purpose::Dropout);
        let lesson = network
            .study(&batch(&clips(12, 3)), judgement, stream)
            .unwrap();
        assert!(lesson.loss > 0.0 && lesson.loss.is_finite());
        let rule = onset::training::optimizer::Rule::Sgd { momentum: 0.0 };
        let mut optimizer = onset::training::optimizer::Optimizer::new(rule);
        let after = tensors_of(&optimizer.step(0.01, lesson.network, lesson.gradients)).unwrap();
        let names: Vec<_> = before.keys().filter(|n| before[*n] == after[*n]).collect();
        assert!(names.is_empty(), "unchanged: {names:?}");
        assert!(measured.iter().all(|name| before.contains_key(*name)));
        assert_eq!(before.len(), N::PARAMETERS.len());
    }
    let device = NnDevice::flex().handle().clone().autodiff();
    let start = initial(&ststnet::PARAMETERS, Moment::default());
    let network = StstNet::from_tensors(&start, Geometry::Same, &device).unwrap();
    check(network, &["norm.mean", "norm.variance"]);
    let start = initial(&off_apexnet::PARAMETERS, Moment::default());
    check(OffApexNet::from_tensors(&start, &device).unwrap(), &[]);
}

/// The fixture: stock PyTorch 2.15 (three streams of Conv2d, ReLU, BatchNorm2d,
/// MaxPool2d; AvgPool2d, Linear, Adam at 5e-4) from the same weights, on the same
/// batches, with the same dropout.
#[test]
fn five_updates_lead_where_stock_pytorchs_lead() {
    let device = NnDevice::flex().handle().clone().autodiff();
    let start = initial(&ststnet::PARAMETERS, Moment::default());
    let mut network = StstNet::from_tensors(&start, Geometry::Same, &device).unwrap();
    let rule = onset::training::optimizer::Rule::Adam { weight_decay: 0.0 };
    let mut optimizer = onset::training::optimizer::Optimizer::new(rule);
    let judgement = Judgement {
        smoothing: 0.0,
        dropout: 0.5,
        parallel: true,
    };
    let batch = batch(&clips(12, 3));
    for step in 0..5 {
        let moment = Moment {
            step,
            ..Moment::default()
        };
        let stream = moment.stream(Purpose::Dropout);
        let lesson = network.study(&batch, judgement, stream).unwrap();
        network = optimizer.step(5e-4, lesson.network, lesson.gradients);
    }
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/ststnet_pytorch/after_5_updates.npz");
    let mut archive = NpzArchive::open(fixture).unwrap();
    for (name, tensor) in tensors_of(&network).unwrap() {
        let expected: Vec<f32> = archive.by_name(&name).unwrap().unwrap().into_vec().unwrap();
        for (value, expected) in tensor.values.iter().zip(&expected) {
            let off = (value - expected).abs();
            assert!(
                off < 1e-6 * expected.abs().max(1.0),
                "{name}: {value} {expected}"
            );
        }
    }
}

#[test]
fn weights_of_another_network_or_with_a_word_missing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let weights = FlowWeights {
        architecture: STSTNET,
        normalizer: onset::model::flow_input::Normalizer::fit(Scaling::Robust, std::iter::empty()),
        mirror: true,
        members: vec![initial(&ststnet::PARAMETERS, Moment::default()); 2],
    };
    let packed = weights.pack(
        String::new(),
        String::new(),
        Recipe::reference(STSTNET).settings(),
    );
    assert_eq!(FlowWeights::unpack(&packed).unwrap(), weights);
    let refused = |packed: &Weights, network: &str| {
        packed.save(&path).unwrap();
        FlowClassifier::load(&path, network, &NnDevice::flex())
            .err()
            .unwrap()
            .to_string()
    };
    let text = refused(&packed, "off-apexnet");
    assert!(
        text.contains("weights of 'ststnet', not of 'off-apexnet'"),
        "{text}"
    );
    for (setting, value) in [
        ("scaling", "odd"),
        ("members", "3"),
        ("mirror", "maybe"),
        ("geometry", "round"),
    ] {
        let mut wrong = packed.clone();
        wrong
            .card
            .settings
            .insert(setting.to_owned(), value.to_owned());
        let text = refused(&wrong, "ststnet");
        assert!(
            text.contains(value) || text.contains("missing"),
            "{setting}: {text}"
        );
        wrong.card.settings.remove(setting);
        let text = refused(&wrong, "ststnet");
        assert!(
            text.contains(&format!("does not say '{setting}'")),
            "{text}"
        );
    }
    let mut wrong = packed.clone();
    wrong.tensors.remove("1/norm.mean");
    let text = refused(&wrong, "ststnet");
    assert!(
        text.contains("member 1") && text.contains("'norm.mean' is missing"),
        "{text}"
    );
    let mut wrong = packed;
    let mean = wrong.tensors["0/norm.mean"].clone();
    wrong.tensors.insert("0/other".to_owned(), mean);
    let text = refused(&wrong, "ststnet");
    assert!(text.contains("'0/other' does not belong"), "{text}");
}

#[test]
fn a_training_that_was_stopped_ends_with_the_same_bytes() {
    let data = clips(20, 4);
    let device = NnDevice::flex();
    let transfer = Recipe {
        epochs: 5,
        batch: 8,
        ..Recipe::transfer(STSTNET)
    };
    for recipe in [quick(STSTNET, 5), transfer] {
        let set = set(&recipe, &data);
        let settings = recipe.settings();
        let whole = train(&recipe, &set, 3, 0, None, run(&device, &Silent)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.checkpoint");
        for stop in [2, 4] {
            let kept = Some((path.as_path(), &settings));
            let stopped = train(&recipe, &set, 3, 0, kept, run(&device, &StopAfter(stop)));
            assert!(matches!(stopped, Err(TrainingError::Stopped { epoch }) if epoch == stop));
        }
        let kept = Some((path.as_path(), &settings));
        let resumed: Trained = train(&recipe, &set, 3, 0, kept, run(&device, &Silent)).unwrap();
        assert_eq!(resumed, whole);
        // Several threads in one update make no difference either.
        let parallel = Run {
            parallel: true,
            ..run(&device, &Silent)
        };
        assert_eq!(train(&recipe, &set, 3, 0, None, parallel).unwrap(), whole);
        let mut other = settings.clone();
        other.insert("lr".to_owned(), "0.5".to_owned());
        let refused = train(
            &recipe,
            &set,
            3,
            0,
            Some((&path, &other)),
            run(&device, &Silent),
        );
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("begun with lr"), "{text}");
    }
}

#[test]
fn a_training_on_the_card_goes_the_way_of_the_processors() {
    let Some((context, _guard)) = crate::gpu::device() else {
        return;
    };
    let data = clips(8, 4);
    let card = NnDevice::wgpu(context).unwrap();
    for architecture in [STSTNET, Architecture::OffApexNet] {
        let recipe = quick(architecture, 3);
        let set = set(&recipe, &data);
        let on = |device| train(&recipe, &set, 3, 0, None, run(device, &Silent)).unwrap();
        let (processor, card) = (on(&NnDevice::flex()), on(&card));
        for (a, b) in processor.curve.rows().iter().zip(card.curve.rows()) {
            assert!(
                (a.loss - b.loss).abs() < 1e-3 * a.loss,
                "{architecture:?}: {a:?} {b:?}"
            );
        }
    }
}

/// The report's and the table's bytes.
fn written(protocol: &Protocol, predictions: &[Prediction], out: &Path) -> (Vec<u8>, Vec<u8>) {
    protocol
        .report(predictions)
        .write(out, predictions)
        .unwrap();
    (
        fs::read(out).unwrap(),
        fs::read(predictions_path(out)).unwrap(),
    )
}

#[test]
fn folds_alone_merged_stopped_or_on_other_threads_give_one_report() {
    let data = clips(15, 5);
    let device = NnDevice::flex();
    let recipe = quick(STSTNET, 3);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let threads = |count: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build()
            .unwrap()
    };
    let (one, two, apart) = (place("one"), place("two"), place("apart"));
    let make =
        |monitor, folder| Protocol::new(&recipe, &data, 7, &device, monitor, folder).unwrap();
    let protocol = make(&Silent, &one);
    let said = threads(1).install(|| protocol.run()).unwrap();
    let expected = written(&protocol, &said, &place("one.json"));

    let stopper = StopAfter(2);
    let stopped = threads(2).install(|| make(&stopper, &two).run());
    assert!(matches!(
        stopped,
        Err(ProtocolError::Training(TrainingError::Stopped { .. }))
    ));
    let protocol = make(&Silent, &two);
    let said = threads(2).install(|| protocol.run()).unwrap();
    assert_eq!(written(&protocol, &said, &place("two.json")), expected);

    let protocol = make(&Silent, &apart);
    for fold in [4, 1, 0, 2] {
        protocol.run_fold(fold).unwrap();
    }
    let text = protocol.merge().unwrap_err().to_string();
    assert!(
        text.contains("1 of 5 folds") && text.contains("fold 3 (subject s3)"),
        "{text}"
    );
    protocol.run_fold(3).unwrap();
    let said = protocol.merge().unwrap();
    assert_eq!(written(&protocol, &said, &place("apart.json")), expected);
    assert!(matches!(
        protocol.run_fold(5),
        Err(ProtocolError::Folds(FoldError::NoFold {
            fold: 5,
            folds: 5
        }))
    ));
    // Nothing but the folds is left behind.
    assert_eq!(fs::read_dir(&two).unwrap().count(), 5);

    let other = quick(STSTNET, 4);
    let protocol = Protocol::new(&other, &data, 7, &device, &Silent, &apart).unwrap();
    let text = protocol.merge().unwrap_err().to_string();
    assert!(text.contains("epochs 3, not 4"), "{text}");
}

#[test]
fn a_report_holds_the_keys_that_scripts_read_and_pools_all_folds() {
    let data = clips(15, 5);
    let device = NnDevice::flex();
    let recipe = quick(STSTNET, 1);
    let folder = tempfile::tempdir().unwrap();
    let protocol = Protocol::new(&recipe, &data, 7, &device, &Silent, folder.path()).unwrap();
    let said = protocol.run().unwrap();
    let out = folder.path().join("report.json");
    protocol.report(&said).write(&out, &said).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    for key in [
        "accuracy",
        "uf1",
        "uar",
        "confusion",
        "per_subject",
        "per_dataset",
        "seed",
    ] {
        assert!(report.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(report["clips"], 15);
    assert_eq!(report["seed"], 7);
    assert_eq!(report["per_subject"].as_object().unwrap().len(), 5);
    assert_eq!(report["per_dataset"]["even"]["clips"], 8);
    let table = fs::read_to_string(predictions_path(&out)).unwrap();
    assert!(table.starts_with("recording,subject,truth,prediction"));
    assert_eq!(table.lines().count(), 16);
}
