//! Flow images from databases: made-up trees in the published layouts, filmed with a
//! drawn face that the detector finds.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use image::RgbImage;
use onset::dataset::flow_images::FlowImages;
use onset::dataset::flow_measure::FlowMeter;
use onset::dataset::flow_plan::FlowPlan;
use onset::dataset::flow_preparation::{PreparationError, Prepared, prepare};
use onset::dataset::{DatasetKind, Index, open};
use onset::media::FrameSource;
use onset::media::synthetic::{
    ExpressionEvent, ExpressionKind as Drawn, FaceSide, SyntheticSource, SyntheticSpec, sample_spec,
};
use onset::model::flow_input::{PIXELS, SIDE, STRAIN};
use onset::motion::tvl1::Tvl1Preset;
use onset::spotting::ExpressionKind;
use serde_json::Value;

use super::Cell::{N, T};
use super::{Cell, Tree};
use crate::cli::{Ran, onset, rows, text};

/// A face at rest, and at the apex of three expressions.
struct Poses {
    rest: RgbImage,
    disgust: RgbImage,
    happiness: RgbImage,
    surprise: RgbImage,
}

const EMOTIONS: [&str; 3] = ["disgust", "happiness", "surprise"];

impl Poses {
    fn of(&self, emotion: &str) -> &RgbImage {
        match emotion {
            "disgust" | "negative" => &self.disgust,
            "happiness" | "positive" => &self.happiness,
            _ => &self.surprise,
        }
    }
}

fn poses() -> &'static Poses {
    static POSES: OnceLock<Poses> = OnceLock::new();
    POSES.get_or_init(|| {
        let event = |units: &[u8], onset: u64| ExpressionEvent {
            kind: Drawn::Macro,
            units: units.to_vec(),
            side: FaceSide::Both,
            onset,
            apex: onset + 10,
            offset: onset + 30,
            amplitude: 0.5,
            emotion: "any".to_owned(),
        };
        let spec = SyntheticSpec {
            width: 320,
            height: 240,
            frames: 200,
            sway_px: 0.0,
            events: vec![event(&[4, 9], 0), event(&[12], 50), event(&[1, 2], 100)],
            ..sample_spec()
        };
        let mut source = SyntheticSource::new(spec).expect("drawn");
        let mut frame = |at: u64| {
            source.seek(at).expect("a frame");
            let frame = source.next_frame().expect("drawn").expect("a frame");
            RgbImage::clone(&frame.picture)
        };
        Poses {
            rest: frame(199),
            disgust: frame(10),
            happiness: frame(60),
            surprise: frame(110),
        }
    })
}

impl Tree {
    /// Three images of one expression: rest, apex, rest.
    fn clip(&self, folder: &str, names: [&str; 3], emotion: &str) {
        let folder = self.root().join(folder);
        fs::create_dir_all(&folder).expect("made");
        let poses = poses();
        let pictures = [&poses.rest, poses.of(emotion), &poses.rest];
        for (name, picture) in names.into_iter().zip(pictures) {
            picture.save(folder.join(name)).expect("saved");
        }
    }

    /// CASME II of so many subjects, each with a clip of [`EMOTIONS`] and one of an
    /// emotion that does not count.
    fn casme2(&self, subjects: i32) {
        let header = [
            "Subject",
            "Filename",
            "OnsetFrame",
            "ApexFrame",
            "OffsetFrame",
            "Action Units",
            "Estimated Emotion",
        ];
        let mut sheet: Vec<Vec<Cell>> = vec![header.map(T).to_vec()];
        let files = ["EP01_01", "EP01_02", "EP01_03", "EP01_04"];
        for subject in 1..=subjects {
            let emotions = EMOTIONS.into_iter().chain(["others"]);
            for (file, emotion) in files.into_iter().zip(emotions) {
                let folder = format!("CASME2_RAW/sub{subject:02}/{file}");
                self.clip(&folder, ["img40.png", "img41.png", "img42.png"], emotion);
                sheet.push(vec![
                    N(subject),
                    T(file),
                    N(40),
                    N(41),
                    N(42),
                    N(4),
                    T(emotion),
                ]);
            }
        }
        let sheet: Vec<&[Cell]> = sheet.iter().map(Vec::as_slice).collect();
        self.book("CASME2-coding-20140508.xlsx", &[("Sheet1", 1, &sheet)]);
    }

    fn smic(&self) {
        for (class, code) in [("negative", "ne"), ("surprise", "sur")] {
            let folder = format!("HS/s1/micro/{class}/s1_{code}_01");
            let names = ["image1.png", "image2.png", "image3.png"];
            self.clip(&folder, names, class);
        }
    }
}

fn meter() -> &'static FlowMeter {
    static METER: OnceLock<FlowMeter> = OnceLock::new();
    METER.get_or_init(|| FlowMeter::new(Tvl1Preset::Exact).expect("the models"))
}

fn prepared(indices: &[Index], folder: &Path) -> Result<Prepared, PreparationError> {
    let plan = FlowPlan::new(indices, &[ExpressionKind::Micro]).expect("different roots");
    prepare(&plan, meter(), folder, |_| {})
}

fn casme2(tree: &Tree) -> [Index; 1] {
    [open(DatasetKind::Casme2, tree.root()).expect("reads")]
}

/// Mean strain of some rows of a clip's image, 0..255.
fn strain(images: &FlowImages, clip: usize, rows: std::ops::Range<usize>) -> f32 {
    let plane = &images.image(clip)[STRAIN * PIXELS..][..PIXELS];
    let values = &plane[rows.start * SIDE..rows.end * SIDE];
    values.iter().sum::<f32>() / values.len() as f32
}

#[test]
fn casme2_events_become_images_of_their_classes_with_the_face_in_its_place() {
    let tree = Tree::new();
    tree.casme2(2);
    let out = tree.root().join("flow");
    let done = prepared(&casme2(&tree), &out).expect("prepared");
    assert_eq!((done.clips, done.kept, done.left_out.len()), (6, 0, 0));
    let images = FlowImages::read(&out).expect("the published layout");
    let first = &images.clips[0];
    assert_eq!(first.clip, "casme2_sub01_EP01_01_0-2");
    assert_eq!(first.dataset, "casme2");
    let labels: Vec<_> = images
        .clips
        .iter()
        .map(|c| (c.subject.as_str(), c.label))
        .collect();
    let (one, two) = ("casme2_sub01", "casme2_sub02");
    assert_eq!(
        labels,
        [(one, 0), (one, 1), (one, 2), (two, 0), (two, 1), (two, 2)]
    );
    // A smile moves the lower face, raised brows the upper.
    let (brows, mouth) = (1..8, 15..25);
    for (clip, of_the_mouth) in [(1, true), (2, false)] {
        let parts = [brows.clone(), mouth.clone()].map(|rows| strain(&images, clip, rows));
        let more = parts[1] > 1.5 * parts[0];
        let less = parts[0] > 1.5 * parts[1];
        assert!(if of_the_mouth { more } else { less }, "{clip}: {parts:?}");
    }
    let measured = rows(&out.join("measured.csv"));
    assert_eq!(
        &measured[0][..4],
        ["casme2_sub01_EP01_01_0-2", "0", "1", "true"]
    );
}

#[test]
fn the_composite_keeps_people_apart_and_takes_the_middle_where_no_apex_is_marked() {
    let (smic, casme) = (Tree::new(), Tree::new());
    smic.smic();
    casme.casme2(1);
    let indices = [
        open(DatasetKind::Smic, smic.root()).expect("reads"),
        open(DatasetKind::Casme2, casme.root()).expect("reads"),
    ];
    let out = tempfile::tempdir().expect("a folder");
    let out = out.path().join("flow");
    let done = prepared(&indices, &out).expect("prepared");
    assert_eq!((done.clips, done.left_out.len()), (5, 0));
    let images = FlowImages::read(&out).expect("reads");
    let subjects: Vec<_> = images.clips.iter().map(|c| c.subject.as_str()).collect();
    assert_eq!(&subjects[..3], ["smic_s01", "smic_s01", "casme2_sub01"]);
    let measured = rows(&out.join("measured.csv"));
    let negative = measured.iter().find(|row| row[0].contains("_ne_"));
    assert_eq!(&negative.expect("there")[1..4], ["0", "1", "false"]);
    // The same frames in another database give the same picture.
    let (a, b) = (images.clips.iter()).fold((None, None), |found, clip| match clip.label {
        2 if clip.dataset == "smic" => (Some(clip), found.1),
        2 => (found.0, Some(clip)),
        _ => found,
    });
    let bytes = |clip: &str| fs::read(out.join(format!("flows/{clip}.png"))).expect("there");
    let (a, b) = (a.expect("smic's"), b.expect("casme2's"));
    assert_eq!(bytes(&a.clip), bytes(&b.clip));
}

#[test]
fn what_cannot_be_measured_is_named_and_the_rest_is_done() {
    let tree = Tree::new();
    tree.casme2(2);
    let raw = tree.root().join("CASME2_RAW");
    // The apex is missing, another is cut short, a third shows no face.
    fs::remove_file(raw.join("sub01/EP01_01/img41.png")).expect("removed");
    let cut = raw.join("sub01/EP01_02/img41.png");
    let bytes = fs::read(&cut).expect("there");
    fs::write(&cut, &bytes[..bytes.len() / 2]).expect("written");
    let gray = RgbImage::from_pixel(320, 240, image::Rgb([90; 3]));
    gray.save(raw.join("sub02/EP01_01/img40.png"))
        .expect("saved");
    let out = tree.root().join("flow");
    let done = prepared(&casme2(&tree), &out).expect("prepared");
    assert_eq!(done.clips, 3);
    let told: Vec<String> = done.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for (clip, words, row) in [
        ("sub01_EP01_01", "is missing. Unpack the frames again", 2),
        ("sub01_EP01_02", "its frame 1, img41.png, cannot be read", 3),
        ("sub02_EP01_01", "no face is found", 6),
    ] {
        let ending = format!("row {row} of sheet 'Sheet1' of CASME2-coding-20140508.xlsx");
        let named = |t: &&String| t.contains(clip) && t.contains(words) && t.ends_with(&ending);
        assert_eq!(told.iter().filter(named).count(), 1, "{clip}: {told:#?}");
    }
}

#[test]
fn nothing_is_measured_twice_and_what_changed_is_measured_anew() {
    let tree = Tree::new();
    tree.casme2(1);
    let out = tree.root().join("flow");
    let first = prepared(&casme2(&tree), &out).expect("prepared");
    assert_eq!((first.clips, first.kept), (3, 0));
    let times = || {
        let files = fs::read_dir(out.join("flows")).expect("listed");
        let mut times: Vec<_> = files
            .map(|f| {
                let file = f.expect("a file");
                let changed = file.metadata().and_then(|m| m.modified()).expect("a time");
                (file.file_name(), changed)
            })
            .collect();
        times.sort();
        times
    };
    let before = times();
    let again = prepared(&casme2(&tree), &out).expect("prepared");
    assert_eq!((again.clips, again.kept), (3, 3));
    assert_eq!(times(), before);
    // A frame that was unpacked anew, a row that a killed run left half, an image lost.
    let clip = tree.root().join("CASME2_RAW/sub01/EP01_01");
    poses()
        .happiness
        .save(clip.join("img41.png"))
        .expect("saved");
    let log = out.join("measured.csv");
    let text = fs::read_to_string(&log).expect("read");
    fs::write(&log, &text[..text.len() - 20]).expect("written");
    let third = prepared(&casme2(&tree), &out).expect("prepared");
    assert_eq!((third.clips, third.kept), (3, 1));
    let images = FlowImages::read(&out).expect("reads");
    assert_eq!(images.image(0), images.image(1));
    assert_eq!(fs::read_to_string(&log).expect("read").lines().count(), 4);
}

#[test]
fn flow_images_of_somebody_else_are_not_replaced() {
    let tree = Tree::new();
    tree.casme2(1);
    let labels = tree.file("theirs/labels.csv", b"clip,subject,dataset,label\n");
    let error = prepared(&casme2(&tree), &tree.root().join("theirs")).expect_err("refused");
    assert!(matches!(error, PreparationError::Foreign(_)), "{error}");
    assert_eq!(fs::read(labels).expect("there").len(), 27);
}

#[test]
fn one_command_leaves_one_subject_out_over_a_database() {
    let tree = Tree::new();
    tree.casme2(3);
    let out = tree.root().join("report.json");
    let args = [
        "evaluate",
        "ststnet",
        "--dataset",
        "casme2",
        "--root",
        text(tree.root()),
        "--protocol",
        "loso",
        "--epochs",
        "2",
        "--out",
        text(&out),
    ];
    let ran = Ran::of(&mut onset(&args)).ends(0);
    assert!(ran.err.contains("9 flow images: "), "{ran:?}");
    assert!(ran.err.contains("3 events of emotions outside"), "{ran:?}");
    let report = |out: &Path| -> Value {
        serde_json::from_slice(&fs::read(out).expect("written")).expect("json")
    };
    let first = report(&out);
    assert_eq!(
        first["per_subject"].as_object().map(serde_json::Map::len),
        Some(3)
    );
    assert_eq!(first["per_dataset"]["casme2"]["clips"], 9);
    // Again, with an event whose frames are gone: the images are there already.
    fs::remove_file(tree.root().join("CASME2_RAW/sub03/EP01_01/img41.png")).expect("removed");
    let ran = Ran::of(&mut onset(&args)).ends(3);
    assert!(
        ran.err.contains("8 flow images, 8 measured before"),
        "{ran:?}"
    );
    assert!(
        ran.err
            .contains("An event of casme2 sub03_EP01_01 is left out"),
        "{ran:?}"
    );
    assert_eq!(report(&out)["per_dataset"]["casme2"]["clips"], 8);
}

#[test]
fn the_composite_is_prepared_by_one_command_and_pairs_must_match() {
    let (smic, casme) = (Tree::new(), Tree::new());
    smic.smic();
    casme.casme2(1);
    let out = smic.root().join("composite");
    let mut args = vec!["data", "flow-images", "--json", "--out", text(&out)];
    args.extend(["--dataset", "smic", "--root", text(smic.root())]);
    let alone = args.len();
    args.extend(["--dataset", "casme2", "--root", text(casme.root())]);
    let ran = Ran::of(&mut onset(&args)).ends(0);
    let report: Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!(
        (&report["clips"], &report["subjects"]),
        (&5.into(), &2.into())
    );
    assert_eq!(report["datasets"]["smic"]["labels"]["surprise"], 1);
    assert!(ran.err.contains("2 with the middle frame"), "{ran:?}");
    Ran::of(&mut onset(&args[..alone + 2])).ends(2).says(
        &["2 of --dataset and 1 of --root", "in pairs"],
        "/data/CASME2",
    );
    let weights = smic.root().join("w.safetensors");
    let train = [
        "train",
        "off-apexnet",
        "--root",
        text(casme.root()),
        "--epochs",
        "1",
        "--out",
        text(&weights),
    ];
    Ran::of(&mut onset(&train)).ends(0);
    assert!(weights.is_file());
    assert!(smic.root().join("w.safetensors.flows/labels.csv").is_file());
}
