//! `onset bench --networks`: what its rows say, and what it refuses.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::Value;

use crate::cli::{Ran, onset};

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
