//! The house rules a compiler does not check.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Data order: a room imports only from rooms above it in this list.
const ROOMS: [&str; 19] = [
    "base",
    "facs",
    "gpu",
    "nn",
    "media",
    "face",
    "motion",
    "model",
    "explain",
    "spotting",
    "recognition",
    "timeline",
    "metrics",
    "session",
    "project",
    "dataset",
    "training",
    "cli",
    "app",
];

/// The window stands beside these: it does not import them.
const APART: [(&str, &str); 2] = [("app", "cli"), ("app", "training")];

/// The command line opens no window, but its bench measures the true one.
const EXCEPTIONS: [(&str, &str); 1] = [("src/cli/bench/repaints.rs", "app")];

const CUSTOMER_PACKAGES: [&str; 10] = [
    "eframe",
    "egui",
    "egui_plot",
    "nokhwa",
    "wgpu",
    "burn",
    "burn-wgpu",
    "image",
    "crossbeam-channel",
    "rfd",
];

const MAX_LINES: usize = 900;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn room_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?;
    (!first.ends_with(".rs")).then(|| first.to_owned())
}

/// Every room named by `crate::room` in the text, `use crate::{a, b::c}` included.
fn rooms_used(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && c.is_alphabetic() => {
                        rooms.push(word(&group[i..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            rooms.push(word(rest));
        }
    }
    rooms
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn rooms_import_only_upwards() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let Some(room) = room_of(&file) else { continue };
        let Some(here) = ROOMS.iter().position(|r| *r == room) else {
            wrong.push(format!(
                "{room} is not in the list of rooms ({})",
                file.display()
            ));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for used in rooms_used(&text) {
            let allowed = |(path, room): &(&str, &str)| file.ends_with(path) && used == *room;
            if EXCEPTIONS.iter().any(allowed) {
                continue;
            }
            if let Some(there) = ROOMS.iter().position(|r| *r == used)
                && there > here
            {
                wrong.push(format!(
                    "{} imports {used}, which stands below {room}",
                    file.display()
                ));
            }
            if APART.iter().any(|(a, b)| room == *a && used == *b) {
                wrong.push(format!(
                    "{} imports {used}: they stand apart",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scan_sees_single_and_grouped_imports() {
    assert_eq!(rooms_used("use crate::media::Frame;"), ["media"]);
    assert_eq!(
        rooms_used("use crate::{app::{run, x}, base};"),
        ["app", "base"]
    );
}

#[test]
fn files_stay_small_enough_to_read() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    rust_files(&root().join("tests"), &mut files);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= MAX_LINES,
            "{} has {lines} lines; split it",
            file.display()
        );
    }
}

#[test]
fn there_is_exactly_one_wgpu_so_that_the_device_can_be_shared() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert_eq!(lock.lines().filter(|l| *l == "name = \"wgpu\"").count(), 1);
}

#[test]
fn the_customers_ten_packages_are_direct_dependencies() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let direct = manifest["dependencies"].as_table().unwrap();
    for package in CUSTOMER_PACKAGES {
        assert!(
            direct.contains_key(package),
            "{package} is not a direct dependency"
        );
    }
}

#[test]
fn the_top_level_holds_only_what_the_customer_fixed() {
    const ALLOWED: [&str; 11] = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "assets",
        "shaders",
        "tests",
        "benches",
        "README.md",
        "Makefile",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let made = name == "target" || name == "onset-results";
        assert!(
            name.starts_with('.') || name == "NOTICE" || made || ALLOWED.contains(&name.as_str()),
            "{name} does not belong at the top level"
        );
    }
}
