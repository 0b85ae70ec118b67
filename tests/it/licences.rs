//! The list of crates in "About Onset" is of the crates that are built in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// `assets/setup/licences.sh` writes it.
const REMEDY: &str = "run assets/setup/licences.sh and commit assets/docs/licences.txt";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{e}: {}", path.display()))
}

/// Name and version of every crate in the list.
fn listed() -> Vec<(String, String)> {
    let text = read("assets/docs/licences.txt");
    let line = |line: &str| {
        let (crate_, licence) = line.split_once(" — ").expect("name version — licence");
        assert!(!licence.trim().is_empty(), "{line}");
        let (name, version) = crate_.split_once(' ').expect("name version");
        (name.to_owned(), version.to_owned())
    };
    text.lines().map(line).collect()
}

#[test]
fn every_listed_crate_is_in_the_lock_file_with_its_version() {
    let lock: toml::Table = read("Cargo.lock").parse().expect("a lock file");
    let packages = lock["package"].as_array().expect("packages");
    let locked: BTreeSet<(String, String)> = packages
        .iter()
        .map(|p| {
            let text = |key: &str| p[key].as_str().expect("a text").to_owned();
            (text("name"), text("version"))
        })
        .collect();
    for entry in listed() {
        assert!(locked.contains(&entry), "{entry:?}: {REMEDY}");
    }
}

#[test]
fn every_direct_dependency_is_listed_and_nothing_twice() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    let listed = listed();
    let names: BTreeSet<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    for name in manifest["dependencies"].as_table().expect("a table").keys() {
        assert!(names.contains(name.as_str()), "{name}: {REMEDY}");
    }
    let once: BTreeSet<&(String, String)> = listed.iter().collect();
    assert_eq!(once.len(), listed.len());
    assert!(listed.len() > 300, "only {} crates", listed.len());
}

#[test]
fn the_window_shows_the_whole_list() {
    let shown = onset::app::licences::matching("");
    assert_eq!(shown.len(), listed().len());
    let burn = onset::app::licences::matching("BURN-wgpu");
    assert_eq!(burn.len(), 1);
    assert_eq!(burn[0].licence, "MIT OR Apache-2.0");
}
