//! `onset data check` and the metrics, as other people's scripts run them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{Ran, onset, sample, text};

fn write(folder: &Path, name: &str, content: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("written");
    path
}

fn ratio(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn recognition_is_scored_from_a_table_pooled_and_by_subject() {
    let home = tempfile::tempdir().expect("a folder");
    let table = write(
        home.path(),
        "p.csv",
        "recording,subject,truth,prediction\na,s1,0,0\nb,s1,1,0\nc,s2,2,2\nd,s2,1,1\n",
    );
    let ran = Ran::of(&mut onset(&[
        "score",
        "recognition",
        text(&table),
        "--json",
    ]))
    .ends(0);
    let report: Value = serde_json::from_str(&ran.out).expect("json");
    assert!((ratio(&report["accuracy"]) - 0.75).abs() < 1e-12);
    assert!((ratio(&report["uar"]) - 2.5 / 3.0).abs() < 1e-12);
    assert_eq!(report["confusion"][1], serde_json::json!([1, 1, 0]));
    assert_eq!(report["per_subject"][0]["subject"], "s1");
    let ran = Ran::of(&mut onset(&[
        "score",
        "recognition",
        text(&table),
        "--per-subject",
    ]))
    .ends(0);
    assert!(ran.out.contains("UF1") && ran.out.contains("s2"), "{ran:?}");
    // A class that no clip shows lowers the scores: a warning that concerns the result.
    let args = ["score", "recognition", text(&table), "--classes", "0,1,2,3"];
    Ran::of(&mut onset(&args))
        .ends(3)
        .says(&["'3'", "count as 0"], "p.csv");
    let broken = write(home.path(), "q.csv", "recording,subject,truth\n");
    Ran::of(&mut onset(&["score", "recognition", text(&broken)]))
        .ends(2)
        .says(&["'prediction' is missing"], "q.csv");
}

#[test]
fn spot_then_recognise_says_which_rules_it_followed() {
    let home = tempfile::tempdir().expect("a folder");
    let head = "recording,subject,kind,onset,apex,offset,emotion\n";
    let truth = write(
        home.path(),
        "truth.csv",
        &format!(
            "{head}EP02_01f,1,micro,45,,85,happiness\nEP03_02,1,micro,130,,160,others\n\
             EP04_02,1,micro,20,,75,others\nEP01_11f,2,micro,45,,95,repression\n\
             EP02_04f,2,micro,30,,140,repression\n"
        ),
    );
    let found = write(
        home.path(),
        "found.csv",
        &format!(
            "{head}EP02_01f,1,micro,10,40,70,happiness\nEP03_02,1,micro,100,130,170,others\n\
             EP04_02,1,micro,0,30,70,others\nEP01_11f,2,micro,20,50,90,happiness\n\
             EP02_04f,2,micro,70,80,140,happiness\n"
        ),
    );
    for mode in ["strict", "compat"] {
        let args = [
            "score",
            "strs",
            text(&found),
            text(&truth),
            "--mode",
            mode,
            "--json",
        ];
        let ran = Ran::of(&mut onset(&args)).ends(0);
        let score: Value = serde_json::from_str(&ran.out).expect("json");
        assert!((ratio(&score["strs"]) - 0.2).abs() < 1e-12, "{score}");
        assert_eq!(score["mode"], mode);
    }
    let ran = Ran::of(&mut onset(&["score", "strs", text(&found), text(&truth)])).ends(0);
    assert!(ran.out.starts_with("STRS 0.2000 (strict)"), "{ran:?}");
    // The apexes of the truth are unknown, so there is no apex error.
    let ran = Ran::of(&mut onset(&[
        "score",
        "spotting",
        text(&found),
        text(&truth),
    ]))
    .ends(0);
    assert!(!ran.out.contains("apex"), "{ran:?}");
}

#[test]
fn data_check_opens_videos_and_compares_them_with_their_labels() {
    let home = tempfile::tempdir().expect("a folder");
    fs::copy(sample(), home.path().join("a.mp4")).expect("copied");
    write(
        home.path(),
        "index.csv",
        "subject,recording,path,fps\ns1,a,a.mp4,30\n",
    );
    write(
        home.path(),
        "labels.csv",
        "recording,kind,onset,apex,offset,emotion,aus\n\
         a,micro,90,95,101,anger,AU4B\na,macro,168,188,210,happiness,AU12C+AU25\n",
    );
    let folder = text(home.path());
    let ran = Ran::of(&mut onset(&["--quiet", "data", "check", folder, "--json"])).ends(0);
    let report: Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!(report["dataset"], "recordings");
    assert_eq!(report["frames"], 600);
    assert_eq!(report["events"]["micro"]["durations"]["30"]["k"], 6);
    assert!(!ran.out.contains(folder), "a machine's path: {ran:?}");

    write(
        home.path(),
        "labels.csv",
        "recording,kind,onset,apex,offset,emotion,aus\na,micro,595,597,640,anger,AU4B\n",
    );
    write(
        home.path(),
        "index.csv",
        "subject,recording,path,fps\ns1,a,a.mp4,200\n",
    );
    let ran = Ran::of(&mut onset(&["--quiet", "data", "check", folder])).ends(3);
    assert!(
        ran.err
            .contains("states 30.00 frames a second, the labels 200"),
        "{ran:?}"
    );
    assert!(ran.err.contains("an event ends at frame 640"), "{ran:?}");

    Ran::of(&mut onset(&["data", "check", folder, "--dataset", "samm"]))
        .ends(2)
        .says(&["Cannot read SAMM here"], folder);
}
