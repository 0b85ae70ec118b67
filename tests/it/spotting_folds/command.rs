//! `onset evaluate … --protocol loso` on a few seconds of drawn recordings.

use std::fs;
use std::path::Path;

use onset::training::synthesis::Recipe;
use serde_json::Value;

use crate::cli::{Ran, onset, text};

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
