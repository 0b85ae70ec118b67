//! The program itself, run as other people's scripts run it: what `cli.md` promises.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use image::RgbImage;
use onset::media::{FrameSource, VideoFile};
use onset::nn::weights::{FORMAT_VERSION, Weights, WeightsCard, WeightsTensor};
use serde_json::Value;

use crate::shared;

const FRAMES_HEADER: &str = "frame,timestamp,success,confidence,face_x,face_y,face_w,face_h,macro_score,micro_score,strain,pose_Rx,pose_Ry,pose_Rz,blink,dropped_before";
const INTERVALS_HEADER: &str = "recording,kind,onset,apex,offset,onset_secs,apex_secs,offset_secs,score,label,label_prob,uncertainty,status,aus";

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Runs to the end. Whatever happens, nobody gets to see a panic.
    pub(crate) fn of(command: &mut Command) -> Self {
        let done = command.output().unwrap();
        let ran = Self {
            code: done.status.code(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        };
        for word in ["panicked", "backtrace", "unwrap", "src/"] {
            assert!(!ran.err.contains(word), "{word}: {ran:?}");
        }
        ran
    }

    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// One sentence on stderr that holds these words and ends with `last`.
    pub(crate) fn says(&self, words: &[&str], last: &str) {
        let text = self.err.trim_end();
        assert!(text.starts_with("onset: "), "{self:?}");
        assert_eq!(text.lines().count(), 1, "{self:?}");
        for word in words {
            assert!(text.contains(word), "{word}: {self:?}");
        }
        assert!(text.ends_with(last), "{last}: {self:?}");
    }
}

pub(crate) fn onset(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onset"));
    command.args(args).env_remove("RUST_LOG");
    command
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `onset analyze INPUT --out OUT …`
pub(crate) fn analyze(input: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut args = vec!["analyze", text(input), "--out", text(out)];
    args.extend(more);
    Ran::of(&mut onset(&args))
}

pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/clip/sample.mp4")
}

/// The first pictures of the bundled clip.
pub(crate) fn pictures() -> &'static [RgbImage] {
    static PICTURES: OnceLock<Vec<RgbImage>> = OnceLock::new();
    PICTURES.get_or_init(|| {
        let mut clip = VideoFile::open(&sample(), None).unwrap();
        (0..40)
            .map(|_| RgbImage::clone(&clip.next_frame().unwrap().unwrap().picture))
            .collect()
    })
}

/// A folder `name` of the clip's first `count` pictures.
pub(crate) fn film(home: &Path, name: &str, count: usize) -> PathBuf {
    let folder = home.join(name);
    fs::create_dir_all(&folder).unwrap();
    for (i, picture) in pictures()[..count].iter().enumerate() {
        picture.save(folder.join(format!("f{i}.jpg"))).unwrap();
    }
    folder
}

pub(crate) fn rows(table: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

pub(crate) fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("recording.json")).unwrap()).unwrap()
}

pub(crate) fn warnings(folder: &Path) -> Vec<String> {
    summary(folder)["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["text"].as_str().unwrap().to_owned())
        .collect()
}

/// A weights file of `network` that is whole, if made of nothing.
pub(crate) fn weights(path: &Path, network: &str, kind: &str, tensors: &[(&str, &[usize])]) {
    let tensor = |shape: &[usize]| WeightsTensor {
        shape: shape.to_vec(),
        values: vec![0.01; shape.iter().product()],
    };
    let weights = Weights {
        card: WeightsCard {
            network: network.into(),
            format_version: FORMAT_VERSION,
            kind: Some(kind.into()),
            source: "a test".into(),
            trained_on: "nothing".into(),
            input: "3×42×42".into(),
            settings: std::collections::BTreeMap::new(),
        },
        tensors: tensors
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), tensor(shape)))
            .collect(),
    };
    weights.save(path).unwrap();
}

#[test]
fn cli_tables_have_the_promised_columns_and_results_do_not_depend_on_threads_or_place() {
    let home = tempfile::tempdir().unwrap();
    let mut results = Vec::new();
    for threads in ["1", "2"] {
        // The same folder in another place, as on another person's disk.
        let place = home.path().join(threads);
        let film = film(&place, "film", 40);
        fs::write(film.join("f7.jpg"), "").unwrap();
        let out = place.join("out");
        let args = ["analyze", text(&film), "--fps", "30", "--out", text(&out)];
        let mut command = onset(&args);
        command
            .args(["--device", "cpu"])
            .env("RAYON_NUM_THREADS", threads);
        Ran::of(&mut command).ends(3);
        results.push(out.join("film"));
    }
    for name in [
        "frames.csv",
        "intervals.csv",
        "recording.json",
        "timeline.png",
    ] {
        let bytes = |folder: &Path| fs::read(folder.join(name)).unwrap();
        assert!(bytes(&results[0]) == bytes(&results[1]), "{name} differs");
    }
    let first_line = |name: &str| {
        let table = fs::read_to_string(results[0].join(name)).unwrap();
        table.lines().next().unwrap().to_owned()
    };
    let frames = first_line("frames.csv");
    let units = frames.strip_prefix(FRAMES_HEADER).unwrap();
    assert!(units.starts_with(",AU01_p,AU02_p,AU04_p,"), "{units}");
    // The same columns whether there are candidates or not.
    let intervals = first_line("intervals.csv");
    let probabilities = intervals.strip_prefix(INTERVALS_HEADER).unwrap();
    assert_eq!(
        probabilities,
        format!(",negative_p,positive_p,surprise_p{units}")
    );
    let table = rows(&results[0].join("frames.csv"));
    assert_eq!(table.len(), 39);
    let columns = frames.split(',').count();
    assert!(
        table
            .iter()
            .all(|row| row[2] == "1" && row.len() == columns)
    );
    let middle: f64 = table[20][16].parse().unwrap();
    assert!((0.0..=1.0).contains(&middle) && table[0][16].is_empty());
    let text = fs::read_to_string(results[0].join("recording.json")).unwrap();
    assert!(!text.contains(&*home.path().to_string_lossy()), "{text}");
}

#[test]
fn cli_a_finished_recording_is_skipped_until_something_changes() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 12), home.path().join("out"));
    let mark = out.join("film/run.log");
    let skipped = |more: &[&str]| {
        fs::write(&mark, "untouched").unwrap();
        assert!(
            analyze(&film, &out, more)
                .code
                .is_some_and(|c| c == 0 || c == 3)
        );
        fs::read_to_string(&mark).unwrap() == "untouched"
    };
    let first = analyze(&film, &out, &["--fps", "60"]).ends(3);
    assert!(
        first.err.contains("Macro-expressions are not looked for"),
        "{first:?}"
    );
    assert!(skipped(&["--fps", "60"]));
    let again = analyze(&film, &out, &["--fps", "60"]).ends(3);
    assert!(again.err.contains("skipped"), "{again:?}");
    assert!(!skipped(&["--fps", "60", "--force"]));
    assert!(!skipped(&["--fps", "61"]));
    assert!(!skipped(&["--fps", "61", "--decode", "compat"]));
    assert!(!skipped(&["--fps", "61", "--preset", "live"]));
    assert!(!skipped(&["--fps", "61", "--stride", "dense"]));

    // The same name and place of the weights, but others in the file.
    let file = home.path().join("softnet.safetensors");
    let chosen = ["--fps", "61", "--micro-weights", text(&file)];
    let tensors = &onset::model::softnet::TENSORS;
    weights(&file, "softnet", "micro", tensors);
    assert!(!skipped(&chosen));
    assert!(skipped(&chosen));
    let mut other = Weights::load(&file).unwrap();
    other.card.source = "another test".into();
    other.save(&file).unwrap();
    assert!(!skipped(&chosen));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);

    // What a person judged in the file itself outlives the next analysis.
    let judged = format!("{INTERVALS_HEADER}\nfilm,micro,1,2,3,0,0,0,1,,,,accepted,\n");
    fs::write(out.join("film/intervals.csv"), &judged).unwrap();
    let again = analyze(&film, &out, &["--fps", "61", "--force"]);
    assert!(again.err.contains("intervals-judged-1.csv"), "{again:?}");
    let kept = fs::read_to_string(out.join("film/intervals-judged-1.csv")).unwrap();
    assert_eq!(kept, judged);
    let once_more = analyze(&film, &out, &["--fps", "61", "--force"]);
    assert!(!once_more.err.contains("judged"), "{once_more:?}");
}

/// Every score stands in the row of its window's middle; rows between have none.
#[test]
fn cli_strides_leave_out_windows_and_are_kept_in_the_results() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 40);
    let scored = |stride: &str| {
        let out = home.path().join(stride.replace('/', "_"));
        let options = ["--fps", "100", "--preset", "preview", "--stride", stride];
        assert!(matches!(analyze(&film, &out, &options).code, Some(0 | 3)));
        let parameters = &summary(&out.join("film"))["parameters"];
        assert_eq!(parameters["stride"], stride);
        assert_eq!(parameters["flow"], "preview");
        let rows = rows(&out.join("film/frames.csv"));
        assert_eq!(rows.len(), 40);
        let micro = rows.iter().filter(|row| !row[9].is_empty());
        let strain = rows.iter().filter(|row| !row[10].is_empty());
        assert_eq!(micro.clone().count(), strain.count());
        micro
            .map(|row| row[0].parse::<u64>().unwrap())
            .collect::<Vec<_>>()
    };
    // k = 20 frames: 20 windows of every frame, and of every fifth one.
    let (dense, thin) = (scored("dense"), scored("k/4"));
    assert!(dense.len() >= 15, "{dense:?}");
    assert!(thin.windows(2).all(|w| w[1] - w[0] == 5), "{thin:?}");
    assert!(thin.iter().all(|frame| dense.contains(frame)));
    let wrong = analyze(&film, home.path(), &["--fps", "100", "--stride", "often"]);
    assert!(wrong.ends(2).err.contains("k/12"));
}

#[test]
fn cli_an_output_never_replaces_what_it_is_made_from() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 2);
    let (a, b) = (film.join("f0.jpg"), film.join("f1.jpg"));
    let before = fs::read(&a).unwrap();
    let flow = |out: &Path, more: &[&str]| {
        let mut args = vec!["flow", text(&a), text(&b), "--out", text(out)];
        args.extend(more);
        Ran::of(&mut onset(&args))
    };
    let good = home.path().join("ab.flo");
    flow(&a, &[]).ends(2).says(&["replace"], "f0.jpg");
    flow(&good, &["--strain", text(&b)])
        .ends(2)
        .says(&["replace"], "f1.jpg");
    flow(&home.path().join("ab.png"), &[])
        .ends(2)
        .says(&[".flo"], "ab.png");
    let nowhere = home.path().join("nowhere/ab.flo");
    flow(&nowhere, &[])
        .ends(2)
        .says(&["no folder", "Make it first"], "nowhere");
    assert_eq!(fs::read(&a).unwrap(), before);
    flow(&good, &[]).ends(0);
}

#[test]
fn cli_inputs_of_one_name_get_a_folder_each() {
    let home = tempfile::tempdir().unwrap();
    // As a series of uncompressed films: one name, one size, other pictures.
    let film = |subject: &str, grey: u8| {
        let folder = home.path().join(subject).join("film");
        fs::create_dir_all(&folder).unwrap();
        for i in 0..3 {
            let picture = RgbImage::from_pixel(64, 64, image::Rgb([grey; 3]));
            picture.save(folder.join(format!("{i}.bmp"))).unwrap();
        }
        folder
    };
    let (a, b, c) = (film("a", 50), film("b", 100), film("c", 150));
    let out = home.path().join("out");
    let run = |inputs: &[&Path]| {
        let mut args = vec!["analyze", "--fps", "30", "--out", text(&out)];
        args.extend(inputs.iter().map(|p| text(p)));
        Ran::of(&mut onset(&args)).ends(3)
    };
    run(&[&a, &b]);
    let before = fs::read(out.join("film/run.log")).unwrap();
    run(&[&c]);
    assert!(fs::read(out.join("film/run.log")).unwrap() == before);
    for (folder, input) in [("film", &a), ("film_2", &b), ("film_3", &c)] {
        let log = fs::read_to_string(out.join(folder).join("run.log")).unwrap();
        assert!(log.contains(text(input)), "{folder}: {log}");
        let table = rows(&out.join(folder).join("frames.csv"));
        assert_eq!(table.len(), 3);
    }
    // A folder whose summary another version wrote is not replaced either.
    fs::write(out.join("film/recording.json"), "{}").unwrap();
    run(&[&a]);
    assert_eq!(fs::read(out.join("film/recording.json")).unwrap(), b"{}");
    assert!(out.join("film_4/recording.json").exists());
}

#[test]
fn cli_landmarks_writes_68_points_a_face() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 2);
    let (image, out) = (film.join("f0.jpg"), home.path().join("points.json"));
    let args = ["landmarks", text(&image), "--out", text(&out)];
    Ran::of(&mut onset(&args)).ends(0);
    let found: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let face = &found[0]["faces"][0];
    assert_eq!(found[0]["path"], text(&image));
    assert_eq!(face["box"].as_array().unwrap().len(), 4);
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 68);
    assert!(face["score"].as_f64().unwrap() > 0.0);
    // One picture that cannot be read does not cost the others.
    let bad = home.path().join("bad.png");
    fs::write(&bad, "no picture").unwrap();
    let args = [
        "landmarks",
        text(&bad),
        text(&image),
        "--out",
        "-",
        "--quiet",
    ];
    let ran = Ran::of(&mut onset(&args)).ends(3);
    ran.says(
        &["Cannot read the picture", "jpg, png, bmp and tif"],
        text(&bad),
    );
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    let args = ["landmarks", text(&bad), "--out", "-"];
    Ran::of(&mut onset(&args)).ends(2);
}

#[test]
fn cli_flow_writes_the_field_and_its_pictures() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let small = |i: usize| {
        let path = at(&format!("{i}.png"));
        let picture = image::imageops::crop_imm(&pictures()[i], 260, 180, 120, 100).to_image();
        picture.save(&path).unwrap();
        path
    };
    let (a, b) = (small(0), small(20));
    let (flow, strain, color) = (at("ab.flo"), at("strain.png"), at("color.png"));
    let mut command = onset(&["flow", text(&a), text(&b), "--out", text(&flow), "--json"]);
    command.args(["--strain", text(&strain), "--color", text(&color)]);
    let ran = Ran::of(&mut command).ends(0);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&report["width"], &report["height"]),
        (&120.into(), &100.into())
    );
    assert!(report["mean_px"].as_f64().unwrap() > 0.0);
    assert_eq!(fs::metadata(&flow).unwrap().len(), 12 + 120 * 100 * 8);
    for path in [strain, color] {
        assert_eq!(image::image_dimensions(path).unwrap(), (120, 100));
    }
    // The flow is its own truth; one thread gives the same.
    let again = at("again.flo");
    let args = ["flow", text(&a), text(&b), "--out", text(&again), "--json"];
    let mut command = onset(&args);
    command.args(["--truth", text(&flow), "--threads", "1", "--repeat", "2"]);
    let ran = Ran::of(&mut command).ends(0);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["epe_px"], 0.0);
    assert_eq!(report["threads"], 1);
    assert!(report["cpu_ms"].as_f64().unwrap() > 0.0);
    let whole = at("whole.png");
    pictures()[0].save(&whole).unwrap();
    Ran::of(&mut onset(&[
        "flow",
        text(&a),
        text(&whole),
        "--out",
        text(&flow),
    ]))
    .ends(2)
    .says(&["120×100 and 640×480", "Resize"], text(&whole));
    let nowhere = at("none/ab.flo");
    Ran::of(&mut onset(&[
        "flow",
        text(&a),
        text(&b),
        "--out",
        text(&nowhere),
    ]))
    .ends(2)
    .says(&["no folder", "Make it first"], "none");
}

#[test]
fn cli_weights_are_listed_shown_and_imported() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("micro.safetensors");
    weights(&file, "softnet", "micro", &onset::model::softnet::TENSORS);
    let ran = Ran::of(&mut onset(&["weights", "list", text(home.path())])).ends(0);
    assert!(
        ran.out.contains("softnet") && ran.out.contains("314817"),
        "{ran:?}"
    );
    let ran = Ran::of(&mut onset(&["weights", "show", text(&file), "--json"])).ends(0);
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(shown["card"]["kind"], "micro");
    assert_eq!(shown["sha256"].as_str().unwrap().len(), 64);
    let nowhere = home.path().join("nowhere");
    Ran::of(&mut onset(&["weights", "list", text(&nowhere)]))
        .ends(2)
        .says(&["no such folder"], text(&nowhere));
    let junk = home.path().join("micro.hdf5");
    fs::write(&junk, "no checkpoint").unwrap();
    let out = home.path().join("w.safetensors");
    let import = |from: &Path| {
        let args = [
            "weights",
            "import",
            "softnet-keras",
            text(from),
            "--out",
            text(&out),
        ];
        Ran::of(&mut onset(&args))
    };
    import(&junk).ends(2).says(&[], text(&junk));
    assert!(!out.exists());
    if let Some(published) = shared("reference/sammlv_micro_s1.hdf5") {
        import(&published).ends(0);
        assert_eq!(Weights::load(&out).unwrap().card.kind.unwrap(), "micro");
    }
}

#[test]
fn cli_score_spotting_counts() {
    let home = tempfile::tempdir().unwrap();
    let truth = sample().with_file_name("sample-truth.csv");
    let score = |found: &Path| {
        let args = ["score", "spotting", text(found), text(&truth), "--json"];
        Ran::of(&mut onset(&args))
    };
    let report: Value = serde_json::from_str(&score(&truth).ends(0).out).unwrap();
    assert_eq!(
        (&report["overall"]["tp"], &report["overall"]["fp"]),
        (&4.into(), &0.into())
    );
    let missing = home.path().join("none.csv");
    score(&missing)
        .ends(2)
        .says(&["Cannot read the intervals"], text(&missing));
    let junk = home.path().join("junk.csv");
    fs::write(&junk, "a,b\n1,2\n").unwrap();
    score(&junk)
        .ends(2)
        .says(&["'recording' is missing"], text(&junk));
    fs::write(
        &junk,
        "recording,kind,onset,apex,offset\nx,macro,1,2,many\n",
    )
    .unwrap();
    score(&junk).ends(2).says(&["line 2"], text(&junk));
}

#[test]
fn cli_what_there_is_comes_as_json() {
    let checks = Ran::of(&mut onset(&["doctor", "--json"])).ends(0);
    let checks: Value = serde_json::from_str(&checks.out).unwrap();
    let named = |what: &str| checks.as_array().unwrap().iter().any(|c| c["what"] == what);
    for what in [
        "processor",
        "graphics",
        "display",
        "68 landmarks",
        "FFmpeg",
        "cameras",
    ] {
        assert!(named(what), "{what}: {checks}");
    }
    // A machine without video devices may say so; it never says nothing.
    let cameras = Ran::of(&mut onset(&["cameras", "--json"])).ends(0);
    assert!(
        serde_json::from_str::<Value>(&cameras.out)
            .unwrap()
            .is_array()
    );
}

#[test]
fn cli_synth_writes_recordings_with_labels_and_refuses_what_it_cannot() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("studio");
    let args = [
        "synth",
        "--out",
        text(&out),
        "--seed",
        "5",
        "--recordings",
        "1",
        "--quiet",
    ];
    let ran = Ran::of(&mut onset(&args)).ends(0);
    assert!(ran.err.is_empty(), "{ran:?}");
    let (index, labels) = (rows(&out.join("index.csv")), rows(&out.join("labels.csv")));
    assert!(index.len() == 1 && labels.len() > 1, "{labels:?}");
    assert!(out.join(&index[0][2]).exists());
    let args = ["synth", "--out", text(&out), "--recordings", "0"];
    Ran::of(&mut onset(&args)).ends(2);
    let file = out.join("index.csv");
    Ran::of(&mut onset(&["synth", "--out", text(&file)]))
        .ends(1)
        .says(
            &["Cannot write the video", "choose another folder"],
            text(&file),
        );
    let sheet = home.path().join("sheet.png");
    Ran::of(&mut onset(&["synth", "--contact-sheet", text(&sheet)])).ends(0);
    assert!(image::open(&sheet).is_ok());
    let faces = home.path().join("faces");
    std::fs::create_dir(&faces).unwrap();
    image::RgbImage::new(120, 120)
        .save(faces.join("grey.png"))
        .unwrap();
    let args = ["synth", "--out", text(&out), "--faces", text(&faces)];
    Ran::of(&mut onset(&args))
        .ends(2)
        .says(&["No face"], text(&faces));
}

#[test]
fn cli_bad_usage_ends_with_2_and_names_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 1);
    let out = home.path().join("out");
    for (fps, word) in [
        ("0", "0.001"),
        ("-1", "0.001"),
        ("nan", "200"),
        ("many", "200"),
        ("1e12", "1000000"),
    ] {
        let ran = analyze(&film, &out, &["--fps", fps]).ends(2);
        assert!(
            ran.err.contains("--fps") && ran.err.contains(word),
            "{ran:?}"
        );
    }
    let ran = analyze(&film, &out, &["--seconds", "-3"]).ends(2);
    assert!(ran.err.contains("above 0"), "{ran:?}");
    analyze(&film, &out, &["--seconds", "3"])
        .ends(2)
        .says(&["no input is a camera"], "Leave --seconds out");
    let camera = Path::new("camera:0");
    analyze(camera, &out, &[])
        .ends(2)
        .says(&["A camera has no end"], "--seconds 30");
    analyze(camera, &out, &["--seconds", "1", "--fps", "30"])
        .ends(2)
        .says(&["folders of images"], "Leave --fps out");
    let unnamed = Path::new("camera:front");
    analyze(unnamed, &out, &["--seconds", "1"]).ends(2).says(
        &["Cannot tell which camera", "onset cameras"],
        "camera:front",
    );
    Ran::of(&mut onset(&["analyze", text(&film)])).ends(2);
    Ran::of(&mut onset(&["analyse"])).ends(2);
    Ran::of(&mut onset(&["analyze", "--help"])).ends(0);
    assert!(!out.exists());
}
