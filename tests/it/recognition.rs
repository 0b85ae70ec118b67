//! What moved, how sure: the network for action units from labels to the analysis.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use onset::dataset::{self, DatasetKind};
use onset::face::Landmarks;
use onset::facs::{ActionUnit, ClassSet};
use onset::media::{Frame, InputSpec, open, sample};
use onset::model::au_flow::{AuReader, AuWeights};
use onset::motion::tvl1::Tvl1Preset;
use onset::nn::parameters::tensors_of;
use onset::nn::{NnDevice, shipped};
use onset::recognition::FaceReader;
use onset::session::moment_attention::{MomentAttentionWorker, MomentWish, SeenFace};
use onset::session::params::RecognitionChoice;
use onset::session::pipeline::Pipeline;
use onset::session::{Params, Resources};
use onset::spotting::ExpressionKind;
use onset::timeline::event::UnitSample;
use onset::timeline::{Event, Recording};
use onset::training::expressions::corpus::{Corpus, Measured, Pairs, Shown};
use onset::training::expressions::fitting;
use onset::training::expressions::trainer::{AuTraining, Lessons};
use onset::training::progress::Silent;
use onset::training::synthesis::{Cast, Extras, Recipe, film};

use crate::cli::{Ran, onset, rows, text};
use crate::training::StopAfter;

/// Stills of a few drawn persons with their labels, so many evenly an expression.
fn stills(dir: &Path, recordings: u32, evenly: u32, seed: u64) {
    let recipe = Recipe {
        recordings,
        seed,
        ..Recipe::parse(include_str!("../../assets/studio/au-1.toml")).unwrap()
    };
    let extras = Extras {
        stills: Some(evenly),
        ..Extras::default()
    };
    film(&recipe, &Cast::Drawn, dir, extras, &|_| {}).unwrap();
}

fn measured(dir: &Path, pairs: Pairs) -> Vec<Measured> {
    let index = dataset::open(DatasetKind::Recordings, dir).unwrap();
    assert_eq!(index.problems, []);
    let corpus = Corpus::new(Tvl1Preset::Preview, pairs, &dir.join("features")).unwrap();
    let emotions = DatasetKind::Recordings.emotions();
    corpus.measure(&index.recordings, emotions, |_| {}).unwrap()
}

#[test]
fn units_are_learnt_from_stills_stopped_resumed_and_fitted_on_others() {
    let home = tempfile::tempdir().unwrap();
    stills(home.path(), 3, 2, 1);
    let all = measured(home.path(), Pairs::Learning);
    // Not printed where they differ: that would be a million numbers.
    let kept = measured(home.path(), Pairs::Learning);
    assert!(all == kept, "what is kept is what was measured");
    let shown = |wanted: fn(&Shown) -> bool| {
        let samples = all.iter().flat_map(|m| &m.samples);
        samples.filter(|s| wanted(&s.shown)).count()
    };
    let events: usize = all.iter().map(|m| m.recording.events.len()).sum();
    assert!(shown(|s| matches!(s, Shown::Expression { .. })) * 10 >= events * 9);
    assert!(shown(|s| matches!(s, Shown::Rest)) >= 6);
    assert!(shown(|s| matches!(s, Shown::Release { .. })) >= 6);

    let learnt: Vec<&Measured> = all[..2].iter().collect();
    let lessons = Lessons::new(&learnt, ClassSet::Three).unwrap();
    let training = AuTraining {
        epochs: 4,
        members: 2,
        ..AuTraining::default()
    };
    let whole = training.run(&lessons, None, &Silent).unwrap();
    // The same in two goes.
    let settings = training.settings();
    let kept = Some((home.path(), &settings));
    assert!(training.run(&lessons, kept, &StopAfter(2)).is_err());
    let resumed = training.run(&lessons, kept, &Silent).unwrap();
    assert!(
        whole == resumed,
        "a resumed training gives the same weights"
    );
    let (mut weights, curves) = whole;
    let losses: Vec<f64> = curves[0].rows().iter().map(|row| row.loss).collect();
    assert!(losses[3] < 0.9 * losses[0], "{losses:?}");

    let device = NnDevice::flex();
    let reader = AuReader::new(&weights, &device).unwrap();
    weights.fitted = fitting::fit(&reader, &[&all[2]]).unwrap();
    let units = weights.vocabulary.units.len();
    assert_eq!(weights.fitted.thresholds.len(), units);
    let packed = weights.pack(String::new(), String::new(), settings);
    let back = AuWeights::unpack(&packed).unwrap();
    assert_eq!(back.members, weights.members);
}

/// Two networks, one on pictures, trained by the command that compares all of them.
#[test]
fn networks_are_trained_kept_and_compared_by_one_command() {
    let home = tempfile::tempdir().unwrap();
    let (learnt, tested) = (home.path().join("learnt"), home.path().join("tested"));
    stills(&learnt, 3, 13, 1);
    stills(&tested, 1, 13, 77);
    let keep = home.path().join("networks");
    let folders = [&tested, &learnt, &keep].map(|path| path.to_str().unwrap());
    let [data, train, keep] = folders;
    let usual = [
        "compare", "--preset", "preview", "--device", "cpu", "--json",
    ];
    let compared = |data: &str, more: &[&str]| {
        let folders = ["--data", data, "--train", train, "--keep", keep];
        Ran::of(&mut onset(&[&usual, &folders, more].concat()))
    };
    let networks = "off-apexnet,tsdn";
    let more = [
        "--networks",
        networks,
        "--seeds",
        "1",
        "--weights",
        "au-flow-2",
    ];
    let table = |ran: &Ran| -> serde_json::Value { serde_json::from_str(&ran.out).unwrap() };
    let ran = compared(data, &more);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let first = table(&ran);
    let names: Vec<&str> = (first.as_array().unwrap().iter())
        .map(|row| row["weights"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["au-flow-2", "off-apexnet-seed-1", "tsdn-seed-1"]);
    assert!(first[1]["unit_f1"].is_null() && first[2]["unit_f1"][0].is_number());
    assert!(first[2]["unit_calibration"]["before"].is_number());
    // The second time nothing is trained, and it says the same.
    let written = || {
        let path = Path::new(keep).join("tsdn-seed-1.safetensors");
        fs::metadata(path).unwrap().modified().unwrap()
    };
    let then = written();
    let second = table(&compared(data, &more));
    assert_eq!(then, written());
    assert_eq!(second[2]["unit_f1"], first[2]["unit_f1"]);
    // And nothing that is learnt from is tested on, nor under another name.
    let ran = compared(train, &["--networks", "sssn"]).ends(2);
    ran.says(&["learnt from and tested on"], "learnt");
    let copy = home.path().join("copy");
    stills(&copy, 1, 13, 1);
    let ran = compared(copy.to_str().unwrap(), &["--networks", "sssn"]).ends(2);
    assert!(ran.err.contains("is in --train too"), "{ran:?}");
}

#[test]
fn the_shipped_networks_parameters_are_as_its_card_says() {
    let weights = shipped::weights(shipped::AU_FLOW).unwrap().unwrap();
    let unpacked = AuWeights::unpack(&weights).unwrap();
    let reader = AuReader::new(&unpacked, &NnDevice::flex()).unwrap();
    let count: usize = tensors_of(&reader.members()[0])
        .unwrap()
        .values()
        .map(|t| t.values.len())
        .sum();
    let card = format!("{}/assets/weights/au-flow-2.md", env!("CARGO_MANIFEST_DIR"));
    let card = fs::read_to_string(card).unwrap();
    let digits = count.to_string();
    let grouped = format!(
        "{},{}",
        &digits[..digits.len() - 3],
        &digits[digits.len() - 3..]
    );
    assert!(card.contains(&grouped), "{grouped} parameters a member");
    let sha256 = onset::nn::inventory::sha256(&weights.to_bytes());
    assert!(card.contains(&sha256), "{sha256}");
}

/// The bundled clip: every expression's units, class and place of attention.
#[test]
fn the_analysis_says_what_moved_in_each_expression_of_the_bundled_clip() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample::unpack(folder.path()).unwrap();
    let mut source = open(&InputSpec::path(path)).unwrap();
    let params = Params::default();
    let resources = Resources::load(&params).unwrap();
    let mut pipeline = Pipeline::new(&params, &resources).unwrap();
    assert!(pipeline.recognition().unwrap().units.len() >= 17);
    let mut recording = Recording::default();
    let mut early = 0;
    while let Some(frame) = source.next_frame().unwrap() {
        for event in pipeline.push(&frame).unwrap() {
            early += usize::from(matches!(event, Event::Recognised(_)));
            recording.apply(event);
        }
    }
    for event in pipeline.finish() {
        recording.apply(event);
    }
    assert!(early >= 3, "{early} were told while the recording ran");
    // Five looks a second.
    assert!((85..=101).contains(&recording.units.len()));
    let unit = |number| ActionUnit::new(number).unwrap();
    let mut read = 0;
    for (onset, kind, units, class) in [
        (168, ExpressionKind::Macro, vec![12], "positive"),
        (366, ExpressionKind::Micro, vec![12], "positive"),
        (462, ExpressionKind::Macro, vec![1, 2], "surprise"),
    ] {
        let near =
            |i: &&onset::spotting::SpottedInterval| i.kind == kind && i.onset.abs_diff(onset) < 8;
        let interval = recording.intervals.iter().find(near).unwrap();
        let recognised = recording.recognised_in(interval).unwrap();
        let said = &recognised.recognition;
        for number in units {
            let found = said.units.iter().find(|u| u.unit == unit(number)).unwrap();
            assert!(
                found.present,
                "AU{number} from {onset} on: {}",
                found.probability
            );
            assert_eq!(found.side, None);
        }
        let best = said.class.as_ref().unwrap().best().unwrap();
        assert_eq!(best.0, class, "from {onset} on");
        let attention = recognised.attention.as_ref().unwrap();
        assert!(
            said.units
                .iter()
                .any(|u| u.unit == attention.unit && u.present)
        );
        // Brows above, corners of the mouth below.
        let rows = 0..28;
        let mass = |row: usize| attention.map.row(row).iter().sum::<f32>();
        let whole: f32 = rows.clone().map(mass).sum();
        let middle: f32 = rows.map(|row| row as f32 * mass(row) / whole).sum();
        assert_eq!(middle < 12.0, class == "surprise", "row {middle}");
        read += 1;
    }
    assert_eq!(read, 3);
    // A blink taken for a micro-expression once was called negative.
    for interval in &recording.intervals {
        if let Some(recognised) = recording.recognised_in(interval) {
            let said = &recognised.recognition;
            let label = said.class.as_ref().unwrap().label();
            assert!(label.is_none() || !said.present().is_empty(), "{said:?}");
        }
    }
}

/// The smile from frame 168 on, looked at while it grows as a camera's would be.
#[test]
fn the_attention_of_a_moment_lies_where_a_smile_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample::unpack(folder.path()).unwrap();
    let mut source = open(&InputSpec::path(path)).unwrap();
    source.seek(140).unwrap();
    let params = Params::default();
    let resources = Resources::load(&params).unwrap();
    let mut pipeline = Pipeline::new(&params, &resources).unwrap().at_once();
    let sha256 = pipeline.recognition().unwrap().sha256.clone();
    let (mut recording, mut frames) = (Recording::default(), Vec::new());
    for _ in 0..56 {
        let frame = source.next_frame().unwrap().unwrap();
        for event in pipeline.push(&frame).unwrap() {
            recording.apply(event);
        }
        frames.push(frame);
    }
    let smile = ActionUnit::new(12).unwrap();
    let likeliest = |sample: &&UnitSample| {
        let said = &sample.recognition;
        let unit = &said.units[FaceReader::likeliest(said).unwrap()];
        unit.present && unit.unit == smile
    };
    let sample = recording.units.iter().rfind(likeliest).unwrap();
    let seen = |frame: u64| {
        let record = recording.frame(frame).unwrap();
        let face = record.face.as_ref().unwrap();
        SeenFace {
            timestamp: record.timestamp,
            rect: face.rect,
            landmarks: Landmarks::clone(face.landmarks.as_ref().unwrap()),
        }
    };
    let wish = Box::new(MomentWish {
        unit: smile,
        now: seen(sample.frame),
        before: vec![seen(sample.frame - 18), seen(sample.frame - 15)],
        flow: params.flow,
        weights: None,
        sha256,
    });
    let worker = MomentAttentionWorker::start(|| {}).unwrap();
    let told = |wish: Box<MomentWish>, frames: &[Frame]| {
        worker.request(wish.with(7, frames));
        let found = (0..3000).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            worker.take()
        });
        found.unwrap()
    };
    let found = told(wish.clone(), &frames);
    assert_eq!((found.generation, found.timestamp), (7, sample.timestamp));
    assert!(found.landmarks == seen(sample.frame - 18).landmarks);
    let attention = found.said.unwrap();
    assert_eq!(attention.unit, smile);
    let mass = |row: usize| attention.map.row(row).iter().sum::<f32>();
    let whole: f32 = (0..28).map(mass).sum();
    let middle: f32 = (0..28).map(|row| row as f32 * mass(row) / whole).sum();
    assert!((14.0..24.0).contains(&middle), "row {middle}");
    // A frame that a busy window missed: the next best one begins the motion. Another unit
    // is another question.
    let missed: Vec<Frame> = frames
        .iter()
        .filter(|f| f.index != sample.frame - 18)
        .cloned()
        .collect();
    let other = MomentWish {
        unit: ActionUnit::new(6).unwrap(),
        ..(*wish).clone()
    };
    let found = told(Box::new(other), &missed);
    assert!(found.landmarks == seen(sample.frame - 15).landmarks);
    assert_eq!(found.said.unwrap().unit.number(), 6);
    // At the beginning of what a frozen camera can go back to.
    let gone = told(wish.clone(), &frames[frames.len() - 1..])
        .said
        .unwrap_err();
    assert!(gone.contains("not at hand"), "{gone}");
    let changed = MomentWish {
        sha256: "other".to_owned(),
        unit: ActionUnit::new(6).unwrap(),
        ..*wish
    };
    let why = told(Box::new(changed), &frames).said.unwrap_err();
    assert!(why.contains("no longer those it was read with"), "{why}");
}

#[test]
fn without_recognition_an_analysis_tells_of_no_units() {
    let params = Params {
        recognition: RecognitionChoice::Off,
        ..Params::default()
    };
    let resources = Resources::load(&params).unwrap();
    let pipeline = Pipeline::new(&params, &resources).unwrap();
    assert_eq!(pipeline.recognition(), None);
    // Weights of another network are refused before anything is analysed.
    let other = FaceReader::load(Some(Path::new("nowhere.safetensors")), &NnDevice::flex());
    assert!(other.is_err());
}

#[test]
fn cli_action_units_are_trained_and_evaluated_and_errors_say_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let studio = |out: &Path| {
        let recipe = format!("{}/assets/studio/au-1.toml", env!("CARGO_MANIFEST_DIR"));
        Ran::of(&mut onset(&[
            "synth",
            "--recipe",
            &recipe,
            "--stills",
            "--recordings",
            "3",
            "--out",
            text(out),
        ]))
        .ends(0);
    };
    studio(&data);
    let weights = home.path().join("au.safetensors");
    let train = |more: &[&str]| {
        let mut args = vec![
            "train",
            "au-flow",
            "--data",
            text(&data),
            "--preset",
            "preview",
        ];
        args.extend(more);
        Ran::of(&mut onset(&args))
    };
    train(&[
        "--out",
        text(&weights),
        "--epochs",
        "2",
        "--seeds-in-ensemble",
        "1",
        "--quiet",
    ])
    .ends(0);
    let report = home.path().join("report.json");
    Ran::of(&mut onset(&[
        "evaluate",
        "au-flow",
        "--data",
        text(&data),
        "--preset",
        "preview",
        "--weights",
        text(&weights),
        "--out",
        text(&report),
        "--quiet",
    ]))
    .ends(0);
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    for key in [
        "accuracy",
        "uf1",
        "uar",
        "confusion",
        "per_subject",
        "per_dataset",
    ] {
        assert!(!told[key].is_null(), "{key} is missing");
    }
    let table = rows(&home.path().join("report.predictions.csv"));
    assert!(table.len() > 40 && table.iter().all(|row| row[3].parse::<u64>().is_ok()));

    let nowhere = home.path().join("none").join("au.safetensors");
    train(&["--out", text(&nowhere)]).ends(2).says(
        &["There is no folder to write to"],
        text(nowhere.parent().unwrap()),
    );
    let labels = data.join("labels.csv");
    train(&["--out", text(&labels)])
        .ends(2)
        .says(&["would replace what it is made from"], text(&labels));
    // Labels without units.
    let bare = fs::read_to_string(&labels).unwrap();
    let bare: Vec<&str> = bare
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(&labels, bare.join("\n") + "\n").unwrap();
    let ran = train(&["--out", text(&home.path().join("bare.safetensors"))]);
    ran.ends(2).says(&["no action unit is coded"], "labels");
}
