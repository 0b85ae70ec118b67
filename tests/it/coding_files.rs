//! Coders' files on the command line: how far two of them agree.

use std::fs;

use crate::cli::onset;

const ANNA: &str = "recording,coder,kind,onset,apex,offset,units,emotion\n\
    clip,Anna,micro,10,14,19,AU12C,happiness\n\
    clip,Anna,macro,50,60,69,AU4B+AU7,anger\n";
/// Sees the first 2 frames later and with one unit more, not the second, and another.
const BEN: &str = "recording,coder,kind,onset,apex,offset,units,emotion\n\
    clip,Ben,micro,12,14,21,AU12D+AU6,happiness\n\
    clip,Ben,micro,80,84,89,AU1,surprise\n";

#[test]
fn agreement_of_two_tables_is_what_is_worked_out_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("anna.csv"), ANNA).unwrap();
    fs::write(path("ben.csv"), BEN).unwrap();
    let args = ["score", "agreement", &path("anna.csv"), &path("ben.csv")];
    let more = ["--fps", "200", "--frames", "100", "--json"];
    let out = onset(&[&args[..], &more[..]].concat()).output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let pair = &report["pairs"][0];
    // Frames 12 to 19 of 10 to 21: 8 of 12, so one is seen by both; F1 = 2·1/(2+2).
    assert_eq!(pair["found"]["both"], 1);
    // R over it: AU12 is common to {12} and {12, 6}: 2·1/(1+2).
    let r = pair["units"]["by_number"]["r"].as_f64().unwrap();
    assert!((r - 2.0 / 3.0).abs() < 1e-9, "{r}");
    // Two frames at 200 a second.
    assert_eq!(pair["onset"]["ms"]["mean"], 10.0);
    // Micro, macro, nothing over 100 frames: Anna 10, 20, 70; Ben 20, 0, 80. The same in
    // frames 12–19 (micro) and where neither sees anything: 100 − 10 − 20 − 20 + 8 = 58.
    let kinds = &pair["kinds"]["per_frame"];
    let agreed = (8.0 + 58.0) / 100.0;
    let chance = (10.0 * 20.0 + 70.0 * 80.0) / 1e4;
    let kappa = kinds["kappa"].as_f64().unwrap();
    assert!(
        (kappa - (agreed - chance) / (1.0 - chance)).abs() < 1e-9,
        "{kappa}"
    );
    let listed: Vec<&str> = (report["disagreements"].as_array().unwrap().iter())
        .map(|d| d["what"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ["units", "only_first", "only_second"]);
}

#[test]
fn one_coder_alone_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anna.csv").display().to_string();
    fs::write(&path, ANNA).unwrap();
    let out = onset(&["score", "agreement", &path]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("needs two coders, and only Anna"), "{said}");
}
