//! A project file outlives whatever happens to the program: killed at any moment, it has
//! every action that was acknowledged and no half of another.
//!
//! `ONSET_KILLS=1000` kills more often than an everyday run does.

#![allow(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use onset::project::file::{
    Action, Analysis, ProjectError, ProjectFile, ProposedInterval, Track, UsedWeights,
};
use onset::spotting::{ExpressionKind, IntervalStatus};
use onset::timeline::{Annotation, AnnotationId};

const CHILD: &str = "project_file::a_child_that_acts_until_it_is_killed";
const CHILD_FILE: &str = "ONSET_KILLED_PROJECT";
const STEP: &str = "step";
/// An analysis is saved instead of an action after so many steps.
const ANALYSIS_EVERY: u64 = 10;

/// Small numbers from a seed, the same everywhere.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }
}

/// What step `step` of the script does; each knows its own number, so that the file says
/// how far it came.
fn actions(step: u64) -> Vec<Action> {
    let annotation = |step: u64| {
        let frames = (step, step + 10);
        let id = AnnotationId(u128::from(step));
        Annotation::found(id, "R", ExpressionKind::Micro, frames)
    };
    let mut actions = vec![Action::Put(annotation(step))];
    match step % 7 {
        // Two that belong together.
        2 => actions.push(Action::Put(annotation(step + 1_000_000))),
        3 => actions.push(Action::Put(Annotation {
            status: IntervalStatus::Rejected,
            note: "no, ".repeat(200),
            ..annotation(step - 1)
        })),
        5 => actions.push(Action::Remove(annotation(step - 2).id)),
        _ => {}
    }
    actions.push(Action::Setting {
        key: STEP.into(),
        value: Some(step.to_string()),
    });
    actions
}

/// What the script leaves after `steps` steps.
fn expected(steps: u64) -> Vec<Annotation> {
    let mut all = std::collections::BTreeMap::new();
    for action in (1..=steps).flat_map(actions) {
        match action {
            Action::Put(a) => drop(all.insert(a.id, a)),
            Action::Remove(id) => drop(all.remove(&id)),
            _ => {}
        }
    }
    let mut all: Vec<Annotation> = all.into_values().collect();
    all.sort_by_key(|a| (a.onset, a.offset, a.id));
    all
}

fn analysis(of: u64) -> Analysis {
    Analysis {
        parameters: of.to_string(),
        times_ns: vec![of as i64; 20_000],
        tracks: vec![Track {
            name: "micro_score".into(),
            unit: "share".into(),
            first: 0,
            values: vec![of as f32; 20_000],
        }],
        ..Analysis::default()
    }
}

fn steps(file: &ProjectFile) -> u64 {
    let step = file.setting(STEP).unwrap();
    step.map_or(0, |step| step.parse().unwrap())
}

/// Not a test of its own: what [`kill`] starts.
#[test]
fn a_child_that_acts_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD_FILE) else {
        return;
    };
    let path = PathBuf::from(path);
    let mut file = if path.exists() {
        ProjectFile::open(&path).unwrap()
    } else {
        ProjectFile::create(&path).unwrap()
    };
    let mut out = io::stdout();
    for step in steps(&file) + 1.. {
        file.act(&actions(step)).unwrap();
        writeln!(out, "\nacted {step}").unwrap();
        out.flush().unwrap();
        if step.is_multiple_of(ANALYSIS_EVERY) {
            file.save_analysis(&analysis(step)).unwrap();
            writeln!(out, "\nanalysed {step}").unwrap();
            out.flush().unwrap();
        }
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--nocapture"])
        .env(CHILD_FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The last steps of which the child said that they were done.
#[derive(Debug, Default)]
struct Acknowledged {
    acted: u64,
    analysed: u64,
}

/// Starts a child on the file, kills it after a while (counted from its first line, or
/// from its start) and gives what it had acknowledged.
fn kill(path: &Path, after: Duration, from_start: bool) -> Acknowledged {
    let mut child = start(path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Acknowledged::default();
    let mut note = |line: &str| {
        if let Some(step) = line.strip_prefix("acted ") {
            said.acted = step.parse().unwrap();
        } else if let Some(step) = line.strip_prefix("analysed ") {
            said.analysed = step.parse().unwrap();
        }
        line.starts_with("acted ")
    };
    if !from_start {
        let first = |line: io::Result<String>| note(&line.unwrap());
        assert!(lines.by_ref().any(first), "the child ended by itself");
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        // The last line may be half a line, or half a letter, of what was not said.
        let Ok(line) = line else { break };
        note(&line);
    }
    said
}

#[test]
fn a_killed_program_loses_no_acknowledged_action_and_leaves_no_half_one() {
    let kills: u64 = std::env::var("ONSET_KILLS").map_or(40, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut random = Seeded(0x9e37_79b9_7f4a_7c15);
    let mut path = folder.path().join("0.onset");
    let (mut before, mut analysed) = (0, 0);
    let (mut acknowledged, mut unsaid, mut longest) = (0, 0, 0);
    let started = Instant::now();
    for number in 1..=kills {
        let after = Duration::from_micros(random.below(40_000));
        let said = kill(&path, after, random.below(5) == 0);
        if path.exists() {
            // Opening asks SQLite whether the file is whole.
            let file = ProjectFile::open(&path).unwrap();
            let now = steps(&file);
            let acted = said.acted.max(before);
            assert!(
                (acted..=acted + 1).contains(&now),
                "kill {number}: {acted} acknowledged, {now} in the file"
            );
            assert_eq!(file.annotations().unwrap(), expected(now), "kill {number}");
            analysed = said.analysed.max(analysed);
            let found = file.analysis().unwrap();
            let of = (found.as_ref()).map_or(0, |a| a.parameters.parse().unwrap());
            assert!(of == analysed || of == now / ANALYSIS_EVERY * ANALYSIS_EVERY);
            assert!(found.is_none_or(|a| a == analysis(of)), "kill {number}");
            let journal = file.last_actions(usize::MAX >> 1).unwrap();
            assert!(journal.iter().all(|d| d.batch <= now));
            acknowledged += said.acted.saturating_sub(before);
            unsaid += now - acted;
            longest = longest.max(now);
            (before, analysed) = (now, of);
        } else {
            assert_eq!(said.acted, 0, "kill {number}");
        }
        if random.below(3) == 0 {
            path = folder.path().join(format!("{number}.onset"));
            (before, analysed) = (0, 0);
        }
    }
    eprintln!(
        "{kills} kills in {:.0} s: {acknowledged} acknowledged actions, all there; {unsaid} \
         were there and not yet acknowledged; up to {longest} actions in one file",
        started.elapsed().as_secs_f64()
    );
}

/// A real disk of 1 MiB, which only the superuser can make; part of the long run.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_keeps_what_it_has_and_takes_more_once_there_is_space() {
    if std::env::var_os("ONSET_KILLS").is_none() {
        return;
    }
    let disk = tempfile::tempdir().unwrap();
    let mount = |command: &str, args: &[&str]| {
        let done = Command::new(command).args(args).arg(disk.path()).status();
        done.is_ok_and(|status| status.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=1m", "onset-test"]) {
        eprintln!("skipped: this account cannot mount a small disk");
        return;
    }
    let tried = std::panic::catch_unwind(|| fill(disk.path()));
    assert!(mount("umount", &[]));
    tried.unwrap();
}

#[cfg(target_os = "linux")]
fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 500_000]).unwrap();
    let path = disk.join("a.onset");
    let mut file = ProjectFile::create(&path).unwrap();
    let mut step = 0;
    let error = loop {
        step += 1;
        match file.act(&actions(step)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ProjectError::DiskFull { .. }), "{error}");
    assert!(step > 5, "{step}");
    assert_eq!(file.annotations().unwrap(), expected(step - 1));
    assert!(file.save_copy(&disk.join("copy.onset")).is_err());
    assert!(file.save_analysis(&analysis(1)).is_err());
    std::fs::remove_file(&ballast).unwrap();
    file.act(&actions(step)).unwrap();
    drop(file);
    let file = ProjectFile::open(&path).unwrap();
    assert_eq!(file.annotations().unwrap(), expected(step));
}

#[test]
fn an_hour_at_200_frames_a_second_is_saved_and_loaded_whole() {
    const FRAMES: usize = 720_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hour.onset");
    let track = |number: usize| Track {
        name: format!("track {number}"),
        unit: "share".into(),
        first: 0,
        values: (0..FRAMES).map(|i| (i * number) as f32 / 1e5).collect(),
    };
    let analysis = Analysis {
        onset_version: "0.1.0".into(),
        parameters: "{}".into(),
        weights: vec![UsedWeights {
            name: "softnet".into(),
            sha256: "0".repeat(64),
        }],
        times_ns: (0..FRAMES as i64).map(|i| i * 5_000_000).collect(),
        tracks: (1..=5).map(track).collect(),
        intervals: (0..2000)
            .map(|i| ProposedInterval {
                kind: ExpressionKind::Micro,
                onset: i * 300,
                apex: i * 300 + 20,
                offset: i * 300 + 50,
                score: 0.5,
                recognition: Some(r#"{"class":"surprise"}"#.into()),
            })
            .collect(),
        ..Analysis::default()
    };
    let mut file = ProjectFile::create(&path).unwrap();
    let at = Instant::now();
    file.save_analysis(&analysis).unwrap();
    let saved = at.elapsed();
    let at = Instant::now();
    drop(file);
    let closed = at.elapsed();
    let at = Instant::now();
    let file = ProjectFile::open(&path).unwrap();
    let opened = at.elapsed();
    let at = Instant::now();
    let loaded = file.analysis().unwrap().unwrap();
    let load = at.elapsed();
    assert!(loaded == analysis, "another analysis came back");
    let size = std::fs::metadata(&path).unwrap().len() >> 20;
    eprintln!(
        "saved in {saved:.2?}, closed {closed:.2?}, opened {opened:.2?}, loaded {load:.2?}, {size} MiB"
    );
}
