//! `onset bench`: what the rows of `--networks` and `--window` say, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::Value;

use crate::cli::{Ran, onset, sample, text};
use crate::gpu::device;

fn networks(more: &[&str]) -> Ran {
    let quick = ["--frames", "3", "--seconds", "0.01", "--device", "cpu"];
    let mut args = vec!["bench", "--networks", "--threads", "1"];
    args.extend(quick);
    args.extend(more);
    Ran::of(&mut onset(&args))
}

#[test]
fn each_network_gets_a_row_a_batch() {
    let more = ["--only", "tsdn", "--only", "ststnet", "--json"];
    let ran = networks(&[&more[..], &["--batch", "1", "--batch", "3"]].concat()).ends(0);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["threads"], 1);
    let rows = report["networks"].as_array().unwrap();
    let known = [
        ("tsdn", 1, 86_532),
        ("tsdn", 3, 86_532),
        ("ststnet", 1, 1_683),
        ("ststnet", 3, 1_683),
    ];
    assert_eq!(rows.len(), known.len());
    for (row, (network, batch, parameters)) in rows.iter().zip(known) {
        assert_eq!(row["network"], network);
        assert_eq!(row["batch"], batch);
        assert_eq!(row["parameters"], parameters);
        assert!(row["parameter_bytes"].as_u64().unwrap() >= 4 * parameters);
        assert_eq!(row["repeats"], 3);
        let ms = |key: &str| row[key].as_f64().unwrap();
        assert!(ms("least_wall_ms") > 0.0 && ms("least_wall_ms") <= ms("wall_ms"));
        assert!(ms("cpu_ms") > 0.0);
        if cfg!(target_os = "linux") {
            assert!(ms("peak_extra_mib") >= 0.0);
        }
    }
}

#[test]
fn the_table_names_network_sample_and_memory() {
    let ran = networks(&["--only", "ststnet", "--batch", "2"]).ends(0);
    for words in ["(1 threads)", "extra MiB", "3×28×28", "1683"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn unknown_networks_and_options_that_do_not_belong_are_refused() {
    networks(&["--only", "resnet50"])
        .ends(2)
        .says(&["no such network", "ststnet", "uamrn-sparse"], "resnet50");
    for wrong in [&["--size", "128"][..], &["--batch", "0"], &["--whole-only"]] {
        networks(wrong).ends(2);
    }
    for alone in [["--only", "tsdn"], ["--threads", "2"], ["--batch", "1"]] {
        let ran = Ran::of(&mut onset(&[&["bench"][..], &alone].concat())).ends(2);
        assert!(ran.err.contains("--networks"), "{ran:?}");
    }
}

/// The window measured, quickly.
fn window(more: &[&str]) -> Ran {
    let clip = sample();
    let mut args = vec!["bench", text(&clip), "--window", "--software"];
    args.extend(["--seconds", "0.3"]);
    args.extend(more);
    Ran::of(&mut onset(&args))
}

#[test]
fn the_window_is_drawn_without_a_display_and_measured() {
    // One program at a time on the adapter.
    let Some((_context, _guard)) = device() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let shown = home.path().join("window.png");
    let more = ["--size", "960x640", "--json", "--picture", text(&shown)];
    let ran = window(&more).ends(0);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(!report["adapter"].as_str().unwrap().is_empty());
    let rows = report["rows"].as_array().unwrap();
    let paces: Vec<_> = rows.iter().map(|r| r["pace"].as_str().unwrap()).collect();
    assert_eq!(paces, ["60 Hz", "as fast as can be"]);
    for row in rows {
        assert_eq!((&row["width"], &row["height"]), (&960.into(), &640.into()));
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("repaints") >= 3.0 && number("seconds") >= 0.3);
        assert!((0.0..=1.0).contains(&number("within_a_60th")));
        let of = |part: &str, key: &str| row[part][key].as_f64().unwrap();
        for part in ["code", "drawing", "whole"] {
            assert!(of(part, "median_ms") > 0.0);
            assert!(of(part, "p99_ms") >= of(part, "median_ms"));
            assert!(of(part, "max_ms") >= of(part, "p99_ms"));
        }
        assert!(of("whole", "max_ms") >= of("code", "max_ms"));
        assert!(number("analysed_frames") >= 0.0 && number("dropped_frames") == 0.0);
    }
    // A display asks 60 times a second, no more often.
    assert!(rows[0]["repaints_per_second"].as_f64().unwrap() < 66.0);
    // Panels, text, a face: thousands of colours rather than one.
    let picture = image::open(&shown).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (960, 640));
    let colours: std::collections::HashSet<_> = picture.pixels().collect();
    assert!(colours.len() > 1000, "{} colours", colours.len());
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    window(&["--size", "640x400"])
        .ends(2)
        .says(&["960×640"], "a larger --size or a smaller --scale");
    window(&["--size", "1280x800", "--scale", "2"])
        .ends(2)
        .says(&["1920×1280"], "a smaller --scale");
    for wrong in [
        &["--size", "1280x800", "--scale", "9"][..],
        &["--scale", "2"],
        &["--networks"],
        &["--memory-minutes", "1"],
    ] {
        window(wrong).ends(2);
    }
    let ran = Ran::of(&mut onset(&["bench", "--picture", "x.png"])).ends(2);
    assert!(ran.err.contains("--window"), "{ran:?}");
}
