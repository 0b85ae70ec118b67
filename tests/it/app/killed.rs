//! The window is killed at any moment while somebody codes by keys: every action of which
//! it said “Saved” is in the project, the next one wholly or not at all, and the project
//! opens.
//!
//! The window is the real one with its real threads, only without a display.
//! `ONSET_KILLS=1000` kills more often than an everyday run does.

#![allow(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use onset::app::App;
use onset::app::backend::Machine;
use onset::app::live::Live;
use onset::app::review::Review;
use onset::app::wake::Wake;
use onset::facs::write_units;
use onset::project::file::ProjectFile;
use onset::timeline::Annotation;

const CHILD: &str = "app::killed::a_window_that_is_coded_in_until_it_is_killed";
const CHILD_RECORDING: &str = "ONSET_KILLED_RECORDING";
const FRAMES: u64 = 240;
const PROJECT: &str = "recording.onset";
/// Said where there is no frame left to code.
const ALL_CODED: &str = "all is coded";

/// What an annotation says, without what differs from run to run.
type Said = (u64, u64, String);

fn said(annotations: &[Annotation]) -> Vec<Said> {
    let of = |a: &Annotation| (a.onset, a.offset, write_units(&a.units));
    let mut all: Vec<Said> = annotations.iter().map(of).collect();
    all.sort();
    all
}

/// Where the next annotation of a window begins that found these.
fn free_frame(found: &[Said]) -> u64 {
    found
        .iter()
        .map(|(_, offset, _)| offset + 2)
        .max()
        .unwrap_or(0)
}

/// What there is after so many actions of one window: of each annotation its making, its
/// offset, its units, and of every other one the taking back of these.
fn after(found: &[Said], actions: u64) -> Vec<Said> {
    let mut all = found.to_vec();
    let mut onset = free_frame(found);
    let mut left = actions;
    for number in 0.. {
        if left == 0 {
            break;
        }
        let of_this = if number % 2 == 1 { 4 } else { 3 };
        let done = left.min(of_this);
        let offset = onset + u64::from(done > 1);
        let units = if done == 3 { "AU4B" } else { "" };
        all.push((onset, offset, units.to_owned()));
        onset += 3;
        left -= done;
    }
    all.sort();
    all
}

/// Keys into the real window, which is stepped until it has done what they ask.
struct Hands {
    window: Harness<'static, App>,
}

impl Hands {
    fn open(recording: &Path) -> Self {
        let machine = || Machine {
            adapter: None,
            software: true,
        };
        let ctx = egui::Context::default();
        let backend = Live::new(Wake::new(ctx.clone(), &machine()), None, false);
        let input = Some(recording.to_string_lossy().into_owned());
        let app = App::new(&ctx, Box::new(backend), machine(), None, input);
        let window = Harness::builder()
            .with_size(vec2(1280.0, 800.0))
            .with_context_setup(onset::app::theme::install)
            .build_ui_state(
                |ui, app: &mut App| {
                    app.logic(ui.ctx());
                    app.ui(ui);
                },
                app,
            );
        Self { window }
    }

    fn review(&self) -> Option<&Review> {
        self.window.state().state.review.as_ref()
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&Review) -> bool) {
        let begun = Instant::now();
        while !self.review().is_some_and(&mut done) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "waited for {what}"
            );
            self.window.step();
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.step();
    }

    /// To a frame, whose picture is there afterwards.
    fn go_to(&mut self, frame: u64) {
        loop {
            self.until("the picture", |r| r.playback.sought.is_none());
            let now = self.review().map_or(0, |r| r.playback.frame);
            match now.cmp(&frame) {
                std::cmp::Ordering::Less => self.press(Modifiers::NONE, Key::ArrowRight),
                std::cmp::Ordering::Equal => return,
                std::cmp::Ordering::Greater => self.press(Modifiers::NONE, Key::Home),
            }
        }
    }

    /// Says so once the window does.
    fn is_saved(&mut self, action: u64) {
        self.until("what was said", |r| r.coding.count() == action);
        self.until("the project", |r| !r.unsaved);
        let mut out = io::stdout();
        writeln!(out, "\nsaved {action}").unwrap();
        out.flush().unwrap();
    }
}

/// Not a test of its own: what [`kill`] starts.
#[test]
fn a_window_that_is_coded_in_until_it_is_killed() {
    let Some(recording) = std::env::var_os(CHILD_RECORDING) else {
        return;
    };
    let recording = PathBuf::from(recording);
    let mut hands = Hands::open(&recording);
    let there = recording.with_file_name(PROJECT).exists();
    hands.until("the recording", |r| {
        r.project.is_some() && r.project_there == there
    });
    hands.press(Modifiers::COMMAND, Key::Num2);
    let found = said(hands.review().unwrap().coding.annotations());
    let mut frame = free_frame(&found);
    // Its making is no action of this window.
    let mut action = hands.review().unwrap().coding.count();
    assert_eq!(action, 0, "what was found is no change");
    writeln!(io::stdout(), "\nready").unwrap();
    for number in 0.. {
        if frame + 1 >= FRAMES {
            break;
        }
        hands.go_to(frame);
        hands.press(Modifiers::NONE, Key::T);
        action += 1;
        hands.is_saved(action);
        hands.go_to(frame + 1);
        hands.press(Modifiers::NONE, Key::F);
        action += 1;
        hands.is_saved(action);
        hands.press(Modifiers::NONE, Key::U);
        hands.window.event(Event::Text("4b".into()));
        hands.window.step();
        hands.press(Modifiers::NONE, Key::Enter);
        action += 1;
        hands.is_saved(action);
        if number % 2 == 1 {
            hands.press(Modifiers::COMMAND, Key::Z);
            action += 1;
            hands.is_saved(action);
        }
        frame += 3;
    }
    // It is killed all the same.
    writeln!(io::stdout(), "\n{ALL_CODED}").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// From when on a kill waits its random time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Start,
    Ready,
    /// The first action that was said to be saved: however slow the computer is, something
    /// was.
    Saved,
}

/// A window that does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn saved(line: &str) -> Option<u64> {
    line.strip_prefix("saved ")?.parse().ok()
}

/// The last action that the window said was saved.
fn kill(recording: &Path, after: Duration, since: Since) -> u64 {
    let complaints = recording.with_file_name("complaints.txt");
    let child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--nocapture"])
        .env(CHILD_RECORDING, recording)
        // What it would remember of this is nobody's.
        .env("XDG_DATA_HOME", recording.with_file_name("home"))
        .env("XDG_CONFIG_HOME", recording.with_file_name("home"))
        .stdout(Stdio::piped())
        .stderr(File::create(&complaints).unwrap())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut first = 0;
    if since != Since::Start {
        let awaited = |line: String| match since {
            Since::Saved => saved(&line).or((line == ALL_CODED).then_some(0)),
            _ => (line == "ready").then_some(0),
        };
        let told = lines.by_ref().map(io::Result::unwrap).find_map(awaited);
        let why = || std::fs::read_to_string(&complaints).unwrap();
        first = told.unwrap_or_else(|| panic!("the window ended by itself: {}", why()));
    }
    std::thread::sleep(after);
    drop(child);
    // The last line may be half a line.
    let whole = lines.map_while(Result::ok);
    whole
        .filter_map(|line| saved(&line))
        .last()
        .unwrap_or(first)
}

/// A recording of its own, so that its project is a new one.
fn record(place: &Path, number: u64) -> PathBuf {
    let folder = place.join(format!("{number}/recording"));
    std::fs::create_dir_all(&folder).unwrap();
    let first = folder.join("0000.png");
    image::GrayImage::from_pixel(64, 48, image::Luma([90]))
        .save(&first)
        .unwrap();
    for frame in 1..FRAMES {
        let next = folder.join(format!("{frame:04}.png"));
        std::fs::hard_link(&first, next).unwrap();
    }
    folder
}

#[test]
fn a_killed_window_loses_nothing_that_it_said_was_saved() {
    let kills: u64 = std::env::var("ONSET_KILLS").map_or(12, |n| n.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    // Small numbers, the same at every run.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |end: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) % end
    };
    let mut recording = record(place.path(), 0);
    let mut found: Vec<Said> = Vec::new();
    let (mut acknowledged, mut unsaid, mut most) = (0, 0, 0);
    // Of the kills before which an action was waited for, and what was saved in them.
    let (mut turns, mut waited, mut certain) = (0, 0, 0);
    let started = Instant::now();
    for number in 1..=kills {
        let since = if below(8) == 0 {
            Since::Start
        } else {
            turns += 1;
            [Since::Ready, Since::Saved][turns % 2]
        };
        let wait = Duration::from_micros(below(150_000));
        let saved = kill(&recording, wait, since);
        if since == Since::Saved {
            (waited, certain) = (waited + 1, certain + saved);
        }
        let project = recording.with_file_name(PROJECT);
        if project.exists() {
            // Opening asks SQLite whether the file is whole.
            let there = said(&ProjectFile::open(&project).unwrap().annotations().unwrap());
            let known = there == after(&found, saved);
            assert!(
                known || there == after(&found, saved + 1),
                "kill {number}: {saved} actions after {found:?} were saved, and there is {there:?}"
            );
            unsaid += u64::from(!known);
            most = most.max(there.len());
            found = there;
        } else {
            assert_eq!(saved, 0, "kill {number}");
        }
        acknowledged += saved;
        if below(3) == 0 {
            recording = record(place.path(), number);
            found.clear();
        }
    }
    assert!(waited == 0 || certain > 0, "nothing was coded");
    eprintln!(
        "{kills} kills in {:.0} s: {acknowledged} actions said to be saved, all there; {unsaid} \
         there and not yet said; up to {most} annotations in one project",
        started.elapsed().as_secs_f64()
    );
}
