//! `onset evaluate … --protocol loso` on a few seconds of drawn recordings.

use std::fs;
use std::path::Path;

use onset::training::synthesis::Recipe;
use serde_json::Value;

use crate::cli::{Ran, onset, text};

const TABLES: [&str; 4] = ["index.csv", "labels.csv", "events.csv", "distractors.csv"];

/// Three persons, small and short.
fn drawn(home: &Path) -> std::path::PathBuf {
    let recipe = Recipe::TEST_1
        .replace("recordings = 200\n", "recordings = 3\n")
        .replace("seconds = [20.0, 20.0]", "seconds = [4.0, 4.0]")
        .replace("none_in = 0.2", "none_in = 0.0")
        .replace("in_20_seconds = [3, 5]", "in_20_seconds = [10, 10]")
        .replace("width = 480\nheight = 360", "width = 240\nheight = 180");
    let (file, data) = (home.join("few.toml"), home.join("few"));
    fs::write(&file, recipe).unwrap();
    let args = ["synth", "--recipe", text(&file), "--out", text(&data)];
    Ran::of(&mut onset(&args)).ends(0);
    data
}

fn report(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn cli_folds_of_drawn_recordings_merge_to_the_report_of_one_run() {
    let home = tempfile::tempdir().unwrap();
    let data = drawn(home.path());
    let place = |name: &str| home.path().join(name);
    let evaluate = |model: &str, more: &[&str]| {
        let mut args = vec!["evaluate", model, "--data", text(&data)];
        args.extend(["--protocol", "loso", "--epochs", "1", "--preset", "preview"]);
        args.extend(more);
        Ran::of(&mut onset(&args))
    };
    let (whole, merged, folds) = (place("whole.json"), place("merged.json"), place("folds"));
    evaluate("motion-tcn", &["--out", text(&whole), "--json"]).ends(0);
    // What was kept for a resumption goes with the report.
    assert!(!place("whole.json.folds").exists());
    for fold in ["2", "0"] {
        let ran = evaluate("motion-tcn", &["--fold", fold, "--folds", text(&folds)]).ends(0);
        assert!(
            ran.err.contains(&format!("fold {fold} of 3, subject ")),
            "{ran:?}"
        );
    }
    let merge = ["--folds", text(&folds), "--merge", "--out", text(&merged)];
    evaluate("motion-tcn", &merge)
        .ends(2)
        .says(&["1 of 3 folds are not there yet", "--fold 1"], "folds");
    evaluate("motion-tcn", &["--fold", "1", "--folds", text(&folds)]).ends(0);
    evaluate("motion-tcn", &merge).ends(0);
    assert_eq!(fs::read(&merged).unwrap(), fs::read(&whole).unwrap());
    let whole = report(&whole);
    assert_eq!(whole["protocol"], "loso");
    assert_eq!(whole["recordings"], 3);
    assert_eq!(whole["per_subject"].as_object().unwrap().len(), 3);
    assert_eq!(whole["mode"], "strict");
    let added = |key: &str| {
        let of = |kind: &str| whole[kind][key].as_u64().unwrap();
        of("macro") + of("micro")
    };
    assert_eq!(whole["overall"]["fn"].as_u64().unwrap(), added("fn"));

    let published = place("published.json");
    let options = [
        "--decode",
        "compat",
        "--mode",
        "compat",
        "--out",
        text(&published),
    ];
    evaluate("softnet", &options).ends(0);
    let published = report(&published);
    assert_eq!(published["settings"]["decode"], "compat");
    assert_eq!(published["mode"], "compat");
    // Every recording with a truth of the kind has a spot of it, if only the dummy.
    for kind in ["macro", "micro"] {
        let counted = |key: &str| published[kind][key].as_u64().unwrap();
        let (truths, spots) = (counted("tp") + counted("fn"), counted("tp") + counted("fp"));
        assert!(truths == 0 || spots > 0, "{published}");
    }
}

#[test]
fn cli_what_does_not_go_with_a_protocol_of_spotting_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = text(home.path());
    let refused = |model: &str, more: &[&str], words: &str, end: &str| {
        let mut args = vec!["evaluate", model, "--data", data];
        args.extend(more);
        Ran::of(&mut onset(&args)).ends(2).says(&[words], end);
    };
    let loso = ["--protocol", "loso", "--out", "r.json"];
    let with = |more: &[&'static str]| [&loso[..], more].concat();
    refused(
        "softnet",
        &with(&["--weights", "w"]),
        "trains its own weights",
        "--protocol test",
    );
    refused("control", &with(&[]), "is not trained", "--protocol test");
    refused(
        "motion-tcn",
        &with(&["--decode", "compat"]),
        "single windows",
        "softnet or control",
    );
    let patient = with(&["--decode", "compat", "--patience", "2"]);
    refused(
        "softnet",
        &patient,
        "holds nobody out",
        "--decode compat out",
    );
    refused(
        "softnet",
        &["--epochs", "3"],
        "tested as they are",
        "--protocol loso",
    );
    refused(
        "softnet",
        &["--folds", "f"],
        "without folds",
        "--protocol loso",
    );
    refused(
        "softnet",
        &["--protocol", "loso"],
        "Say where to write",
        "--out",
    );
}

#[test]
fn cli_thresholds_are_fitted_on_another_folder_but_not_on_what_was_learnt() {
    let home = tempfile::tempdir().unwrap();
    let data = drawn(home.path());
    // Two of the three recordings again, under another name.
    let part = home.path().join("part");
    fs::create_dir(&part).unwrap();
    for table in TABLES {
        let rows = fs::read_to_string(data.join(table)).unwrap();
        let (kept, gone): (Vec<&str>, Vec<&str>) =
            rows.lines().partition(|row| !row.contains("test-1_0003"));
        assert!(!gone.is_empty(), "{table}");
        fs::write(part.join(table), kept.join("\n")).unwrap();
    }
    for video in ["test-1_0001.mp4", "test-1_0002.mp4"] {
        fs::copy(data.join(video), part.join(video)).unwrap();
    }
    let out = home.path().join("w.safetensors");
    let train = |learnt: &Path, fit: &Path| {
        let args = ["train", "motion-tcn", "--data", text(learnt)];
        let more = ["--fit", text(fit), "--epochs", "1", "--preset", "preview"];
        Ran::of(onset(&args).args(more).args(["--out", text(&out)]))
    };
    train(&part, &data).ends(2).says(
        &["test-1_0001 is in --data and in --fit", "other people"],
        "test-1_0001.mp4",
    );
    train(&part, &home.path().join("nowhere")).ends(2);
    fs::remove_file(data.join("test-1_0001.mp4")).unwrap();
    fs::remove_file(data.join("test-1_0002.mp4")).unwrap();
    for table in TABLES {
        let rows = fs::read_to_string(data.join(table)).unwrap();
        let kept: Vec<&str> = (rows.lines())
            .filter(|row| !row.contains("test-1_0001") && !row.contains("test-1_0002"))
            .collect();
        fs::write(data.join(table), kept.join("\n")).unwrap();
    }
    train(&part, &data).ends(0);
    let weights = onset::nn::Weights::load(&out).unwrap();
    assert!(weights.card.trained_on.starts_with("2 labelled recordings"));
    assert!(weights.card.settings["thresholds fitted on"].starts_with("1 labelled recordings"));
}

#[test]
fn cli_learning_refuses_what_would_be_worth_nothing_or_cost_its_inputs() {
    let home = tempfile::tempdir().unwrap();
    let data = drawn(home.path());
    let place = |name: &str| home.path().join(name);
    let (one, two, both) = (place("1.st"), place("2.st"), place("both.st"));
    let ran = |args: &[&str]| {
        let data = ["--data", text(&data), "--preset", "preview"];
        Ran::of(onset(args).args(data))
    };
    let train = |out: &Path, more: &[&str]| {
        let args = ["train", "motion-tcn", "--out", text(out), "--epochs"];
        ran(&[&args[..], more].concat())
    };
    train(&one, &["1", "--seed", "1"]).ends(0);
    train(&two, &["1", "--seed", "2"]).ends(0);
    train(&both, &["4", "--lr", "1e30"])
        .ends(1)
        .says(&["Epoch", "smaller --lr"], "onset data check`");
    assert!(!both.exists());
    let join = |files: &[&Path], out: &Path| {
        let files = files.iter().map(|file| text(file));
        let args: Vec<&str> = ["train", "motion-tcn", "--out", text(out), "--join"]
            .into_iter()
            .chain(files)
            .collect();
        ran(&args)
    };
    join(&[&one, &two], &both).ends(0);
    join(&[&one, &both], &place("more.st"))
        .ends(2)
        .says(&["2 networks joined already"], "both.st");

    // The tables that the data are read from, and the weights.
    let labels = data.join("labels.csv");
    for out in [&labels, &one] {
        let before = fs::read(out).unwrap();
        let weights = ["--weights", text(&one), "--out", text(out)];
        ran(&[&["evaluate", "motion-tcn"], &weights[..]].concat())
            .ends(2)
            .says(&["would replace what it is made from"], text(out));
        assert_eq!(fs::read(out).unwrap(), before);
    }
    ran(&["evaluate", "control", "--features", text(&one)])
        .says(&["Measured motion cannot be kept", "--features"], "");
    ran(&["evaluate", "control", "--out", text(&data)])
        .ends(2)
        .says(&["this is a folder"], text(&data));

    // Other labels than those that the networks learnt from: who is held out is not
    // what it was.
    let rows = fs::read_to_string(&labels).unwrap();
    let no_micro: Vec<&str> = rows.lines().filter(|r| !r.contains(",micro,")).collect();
    assert!(no_micro.len() < rows.lines().count());
    fs::write(&labels, no_micro.join("\n")).unwrap();
    join(&[&one, &two], &place("more.st"))
        .ends(2)
        .says(&["learnt from other recordings"], "1.st");
    let soft = ["train", "softnet", "--kind", "micro", "--epochs", "1"];
    ran(&[&soft[..], &["--out", text(&place("soft.st"))]].concat())
        .ends(2)
        .says(&["Nothing can be learnt"], "show some");
    assert!(!place("soft.st").exists());

    // Somebody's own labels.
    let own = place("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("labels.csv"), "mine").unwrap();
    for what in [["--recordings", "1"], ["--flow-images", "9"]] {
        Ran::of(onset(&["synth", "--out", text(&own)]).args(what))
            .ends(2)
            .says(&["would be replaced", "another folder"], "labels.csv");
    }
    assert_eq!(fs::read_to_string(own.join("labels.csv")).unwrap(), "mine");
}
