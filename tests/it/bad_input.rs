//! Inputs and machines that are not as they should be: each gets a sentence that
//! helps, the exit status that `cli.md` promises, and nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;
use image::imageops::{FilterType, replace, resize};

use crate::cli::{
    Ran, analyze, film, onset, pictures, rows, sample, summary, text, warnings, weights,
};

/// A folder of `count` equal pictures.
fn still(home: &Path, name: &str, picture: &RgbImage, count: usize) -> PathBuf {
    let folder = home.join(name);
    fs::create_dir_all(&folder).unwrap();
    for i in 0..count {
        picture.save(folder.join(format!("{i}.png"))).unwrap();
    }
    folder
}

/// Exactly one warning of the run and of its result holds these words.
fn warned(ran: &Ran, results: &Path, words: &[&str]) {
    let holds = |line: &&str| words.iter().all(|w| line.contains(w));
    assert_eq!(
        ran.err.lines().filter(holds).count(),
        1,
        "{words:?}: {ran:?}"
    );
    let kept = warnings(results);
    assert_eq!(
        kept.iter().filter(|w| holds(&w.as_str())).count(),
        1,
        "{kept:?}"
    );
}

/// The clip without the box that says where its pictures are.
fn without_index(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at + 8 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if &bytes[at + 4..at + 8] != b"moov" {
            kept.extend(&bytes[at..at + size]);
        }
        at += size;
    }
    kept
}

#[test]
fn bad_files_that_are_no_recording_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let clip = fs::read(sample()).unwrap();
    let cases: [(&str, &[u8], [&str; 2]); 5] = [
        (
            "text.mp4",
            b"Dear diary, this is no video.",
            ["no video format", "FFmpeg reads"],
        ),
        ("empty.mp4", b"", ["empty (0 bytes)", "Copy it again"]),
        ("empty.png", b"", ["empty (0 bytes)", "Copy it again"]),
        ("text.png", b"Dear diary", ["Cannot read this", "jpg, png"]),
        (
            "index.mp4",
            &without_index(&clip),
            ["without its index", "repair"],
        ),
    ];
    for (name, bytes, words) in cases {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        analyze(&path, &out, &[]).ends(2).says(&words, text(&path));
    }
    let missing = home.path().join("missing.mp4");
    analyze(&missing, &out, &[])
        .ends(2)
        .says(&["no such file", "Check the name"], text(&missing));
    let bare = home.path().join("bare");
    fs::create_dir(&bare).unwrap();
    fs::write(bare.join("notes.txt"), "hello").unwrap();
    analyze(&bare, &out, &[])
        .ends(2)
        .says(&["holds no images", "Choose the folder"], text(&bare));
    fs::write(bare.join("a.jpg"), "").unwrap();
    fs::write(bare.join("b.jpg"), "junk").unwrap();
    analyze(&bare, &out, &[])
        .ends(2)
        .says(&["none of its images is usable"], text(&bare));
    assert!(!out.exists(), "a refused input leaves no folder");
}

#[test]
fn bad_inputs_do_not_cost_the_good_ones() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 3), home.path().join("out"));
    let missing = home.path().join("missing.mp4");
    let args = [
        "analyze",
        text(&missing),
        text(&film),
        "--fps",
        "30",
        "--out",
        text(&out),
    ];
    let ran = Ran::of(&mut onset(&args)).ends(2);
    assert!(ran.err.contains("no such file"), "{ran:?}");
    assert!(
        ran.err.contains("1 of 2 inputs could not be analysed"),
        "{ran:?}"
    );
    assert_eq!(rows(&out.join("film/frames.csv")).len(), 3);
}

#[test]
fn bad_a_recording_cut_off_is_analysed_as_far_as_it_goes() {
    let home = tempfile::tempdir().unwrap();
    let (path, out) = (home.path().join("cut.mp4"), home.path().join("out"));
    let clip = fs::read(sample()).unwrap();
    // At the front is the index: what follows decodes up to the cut.
    fs::write(&path, &clip[..clip.len() / 5]).unwrap();
    let ran = analyze(&path, &out, &[]).ends(3);
    let results = out.join("cut");
    warned(&ran, &results, &["ends early", "20.00 s", "cut.mp4"]);
    let table = rows(&results.join("frames.csv"));
    assert!((60..400).contains(&table.len()), "{}", table.len());
    for (i, row) in table.iter().enumerate() {
        assert_eq!(
            (row[0].as_str(), row[2].as_str()),
            (i.to_string().as_str(), "1")
        );
    }
    // The folder is nobody's business but the log's.
    let kept = warnings(&results);
    assert!(
        kept.iter().all(|w| !w.contains(text(home.path()))),
        "{kept:?}"
    );
}

#[test]
fn bad_pictures_of_a_folder_are_skipped_and_named() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 9), home.path().join("out"));
    fs::write(film.join("f3.jpg"), "").unwrap();
    let small = resize(&pictures()[0], 320, 240, FilterType::Triangle);
    small.save(film.join("f5.jpg")).unwrap();
    let whole = fs::read(film.join("f7.jpg")).unwrap();
    fs::write(film.join("f7.jpg"), &whole[..300]).unwrap();
    let ran = analyze(&film, &out, &["--fps", "30"]).ends(3);
    let results = out.join("film");
    warned(&ran, &results, &["f3.jpg is skipped", "0 bytes"]);
    warned(
        &ran,
        &results,
        &["f5.jpg is skipped", "320 × 240", "640 × 480"],
    );
    warned(&ran, &results, &["f7.jpg is skipped", "damaged"]);
    let table = rows(&results.join("frames.csv"));
    assert_eq!(table.len(), 6);
    // Frames are counted without holes; their times keep them.
    assert_eq!(
        (table[3][0].as_str(), table[3][1].as_str()),
        ("3", "0.133333")
    );
}

#[test]
fn bad_names_with_spaces_and_foreign_letters_are_no_obstacle() {
    let home = tempfile::tempdir().unwrap();
    let name = "Zoë's  Aufnahme 日本, nr. 2";
    let film = film(home.path(), name, 3);
    let out = home.path().join("Ergebnisse für α");
    analyze(&film, &out, &["--fps", "30"]).ends(3);
    let results = out.join(name);
    assert_eq!(rows(&results.join("frames.csv")).len(), 3);
    assert_eq!(summary(&results)["recording"]["name"], name);
    let video = home.path().join("Kamera — été.mp4");
    fs::write(&video, "no video").unwrap();
    analyze(&video, &out, &[]).ends(2).says(&[], text(&video));
}

#[test]
fn bad_recordings_without_a_face_say_so_and_have_all_rows() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    for (name, side) in [("grey", 240), ("tiny", 8), ("dot", 1)] {
        let picture = RgbImage::from_pixel(side, side, image::Rgb([120, 110, 100]));
        let film = still(home.path(), name, &picture, 25);
        let ran = analyze(&film, &out, &["--fps", "30"]).ends(3);
        let results = out.join(name);
        warned(
            &ran,
            &results,
            &["No face was found in any of the 25 frames"],
        );
        let table = rows(&results.join("frames.csv"));
        assert_eq!(table.len(), 25);
        for row in table {
            assert_eq!(row[2], "0");
            assert!(row[3..15].iter().all(String::is_empty), "{row:?}");
        }
        assert!(rows(&results.join("intervals.csv")).is_empty());
    }
}

#[test]
fn bad_two_faces_one_is_analysed_and_the_choice_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (folder, out) = (home.path().join("two"), home.path().join("out"));
    fs::create_dir(&folder).unwrap();
    for (i, picture) in pictures()[..25].iter().enumerate() {
        let mut wide = RgbImage::new(1280, 480);
        replace(&mut wide, picture, 0, 0);
        // The one on the left is nearer to the camera.
        let small = resize(picture, 480, 360, FilterType::Triangle);
        replace(&mut wide, &small, 720, 60);
        wide.save(folder.join(format!("{i}.jpg"))).unwrap();
    }
    let ran = analyze(&folder, &out, &["--fps", "30"]).ends(3);
    let results = out.join("two");
    warned(&ran, &results, &["Further faces", "largest"]);
    assert!(summary(&results)["face"]["others_share"].as_f64().unwrap() > 0.5);
    for row in rows(&results.join("frames.csv")) {
        assert_eq!(row[2], "1");
        assert!(row[4].parse::<f64>().unwrap() < 640.0, "{row:?}");
    }
}

#[test]
fn bad_sizes_work_up_to_8k() {
    let home = tempfile::tempdir().unwrap();
    let (folder, out) = (home.path().join("big"), home.path().join("out"));
    fs::create_dir(&folder).unwrap();
    let big = resize(&pictures()[0], 7680, 4320, FilterType::Nearest);
    big.save(folder.join("0.jpg")).unwrap();
    fs::copy(folder.join("0.jpg"), folder.join("1.jpg")).unwrap();
    let started = std::time::Instant::now();
    let ran = analyze(&folder, &out, &["--fps", "30"]).ends(3);
    // Generous: a test that measures speed is the bench's task, not this one's.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    let results = out.join("big");
    warned(&ran, &results, &["Macro-expressions", "lasts 0.03 s"]);
    let table = rows(&results.join("frames.csv"));
    assert!(
        table.len() == 2 && table.iter().all(|r| r[2] == "1"),
        "{table:?}"
    );
}

#[test]
fn bad_frame_rates_say_what_cannot_be_looked_for() {
    let home = tempfile::tempdir().unwrap();
    let (slow, out) = (film(home.path(), "slow", 12), home.path().join("out"));
    let ran = analyze(&slow, &out, &["--fps", "1"]).ends(3);
    warned(
        &ran,
        &out.join("slow"),
        &[
            "Macro-expressions are not looked for",
            "1.0 frames a second",
        ],
    );
    warned(
        &ran,
        &out.join("slow"),
        &["Micro-expressions are not looked for", "higher rate"],
    );
    assert_eq!(rows(&out.join("slow/frames.csv")).len(), 12);

    // 0.24 s at 500 frames a second: long enough for a micro-window of 100 frames.
    let fast = home.path().join("fast");
    fs::create_dir(&fast).unwrap();
    for i in 0..120 {
        fs::copy(
            slow.join(format!("f{}.jpg", i / 10)),
            fast.join(format!("{i}.jpg")),
        )
        .unwrap();
    }
    let ran = analyze(&fast, &out, &["--fps", "500"]).ends(3);
    warned(
        &ran,
        &out.join("fast"),
        &["Macro-expressions", "lasts 0.24 s", "longer recording"],
    );
    let facts = summary(&out.join("fast"));
    assert_eq!(facts["scores"]["micro"]["window_frames"], 100);
    assert!(facts["scores"]["macro"]["window_frames"].is_null());
    let table = rows(&out.join("fast/frames.csv"));
    assert_eq!((table.len(), table[1][1].as_str()), (120, "0.002000"));
    assert!(table.iter().any(|row| !row[9].is_empty()), "no micro-score");

    // A single picture is a recording too, of no length.
    let ran = analyze(&slow.join("f0.jpg"), &out, &[]).ends(3);
    warned(
        &ran,
        &out.join("f0"),
        &["Micro-expressions", "lasts 0.00 s"],
    );
}

#[test]
fn bad_weights_are_refused_before_any_recording_is_read() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 2), home.path().join("out"));
    let file = home.path().join("w ö.safetensors");
    let try_as = |option: &str| analyze(&film, &out, &[option, text(&file)]).ends(2);
    try_as("--micro-weights").says(&["Cannot read the weights", "Check the name"], text(&file));
    fs::write(&file, "no weights").unwrap();
    try_as("--macro-weights").says(
        &["not a file of weights", "onset weights import"],
        text(&file),
    );
    weights(&file, "ststnet", "micro", &[("conv.weight", &[3, 3])]);
    try_as("--micro-weights").says(
        &["'ststnet'", "'softnet'", "onset weights list"],
        text(&file),
    );
    weights(&file, "softnet", "micro", &onset::model::softnet::TENSORS);
    try_as("--macro-weights").says(&["for micro-expressions", "--micro-weights"], text(&file));
    try_as("--landmarks").says(&["not a 68-point landmark model"], text(&file));
    assert!(!out.exists());
}

#[test]
fn bad_places_for_results_are_told_before_the_work() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 2);
    let file = home.path().join("taken");
    fs::write(&file, "mine").unwrap();
    analyze(&film, &file, &[])
        .ends(2)
        .says(&["a folder is needed", "--out"], text(&file));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    if cfg!(target_os = "linux") {
        // Not even root may create a file here.
        let nowhere = Path::new("/proc/onset-results");
        analyze(&film, nowhere, &[])
            .ends(1)
            .says(&["Cannot write the results", "--out"], text(nowhere));
    }
}

/// A limit on the size of files stands for the disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn bad_full_disk_keeps_the_earlier_results_whole() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 25), home.path().join("out"));
    analyze(&film, &out, &["--fps", "30"]).ends(0);
    let contents = || -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(out.join("film"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .map(|p| (p.clone(), fs::read(p).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = contents();
    assert_eq!(before.len(), 6);
    // 8 KiB hold the tables, not the picture.
    for kibibytes in ["1", "8"] {
        let script = r#"trap '' XFSZ; ulimit -f "$1"; shift; exec "$@""#;
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash", kibibytes, env!("CARGO_BIN_EXE_onset")]);
        command.args(["analyze", text(&film), "--fps", "30", "--force"]);
        let ran = Ran::of(command.args(["--out", text(&out)])).ends(1);
        ran.says(&["Cannot write the results", "Free space"], "");
        assert!(contents() == before, "{kibibytes} KiB");
    }
}

#[test]
fn bad_machines_without_an_adapter_compute_on_the_processor() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 25), home.path().join("out"));
    let run = |device: &str| {
        let args = ["analyze", text(&film), "--fps", "30", "--out", text(&out)];
        let mut command = onset(&args);
        command.args(["--device", device]);
        for driver in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] {
            command.env(driver, "/nonexistent");
        }
        Ran::of(command.env("WGPU_BACKEND", "vulkan"))
    };
    run("gpu")
        .ends(1)
        .says(&["No graphics adapter", "--device cpu", "driver"], "");
    assert!(!out.exists());
    run("cpu").ends(0);
    run("auto").ends(0);
    assert_eq!(rows(&out.join("film/frames.csv")).len(), 25);
}

#[cfg(target_os = "linux")]
#[test]
fn bad_machines_without_a_display_are_sent_to_analyze() {
    for args in [&["view"][..], &[], &["view", "missing.mp4"]] {
        let mut command = onset(args);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(name);
        }
        Ran::of(&mut command)
            .ends(1)
            .says(&["no display was found", "onset analyze"], "without one.");
    }
    // A display that is named but not there.
    let mut command = onset(&["view"]);
    command
        .env("DISPLAY", ":4321")
        .env_remove("WAYLAND_DISPLAY");
    let ran = Ran::of(&mut command).ends(1);
    let last = ran.err.lines().last().unwrap();
    assert!(
        last.contains("does not answer") && last.contains("onset analyze"),
        "{ran:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn bad_terminals_and_full_redirections_cost_no_results() {
    let home = tempfile::tempdir().unwrap();
    let (film, out) = (film(home.path(), "film", 25), home.path().join("out"));
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let args = ["analyze", text(&film), "--fps", "30", "--out", text(&out)];
    Ran::of(onset(&args).stderr(full())).ends(0);
    assert_eq!(rows(&out.join("film/frames.csv")).len(), 25);

    let truth = sample().with_file_name("sample-truth.csv");
    let score = ["score", "spotting", text(&truth), text(&truth), "--json"];
    Ran::of(onset(&score).stdout(full()))
        .ends(1)
        .says(&["Cannot print the results", "Free space"], "");
    // A reader that has seen enough is no failure.
    let mut command = Command::new("bash");
    command.args(["-c", r#""$@" | true; exit "${PIPESTATUS[0]}""#, "bash"]);
    command.arg(env!("CARGO_BIN_EXE_onset")).args(score);
    let ran = Ran::of(&mut command).ends(0);
    assert!(ran.err.is_empty(), "{ran:?}");
}
