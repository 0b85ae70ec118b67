//! The recordings that were opened last.

use std::path::{Path, PathBuf};

use super::*;
use onset::app::command::Sheet;

/// A window in which these were opened one after the other.
fn opened(paths: &[PathBuf]) -> Shown {
    let paths = paths.to_vec();
    open_window((1280.0, 800.0), 1.0, move |_| {
        let open = |path: &PathBuf| Command::Open(path.display().to_string());
        let mut commands: Vec<Command> = paths.iter().map(open).collect();
        commands.push(Command::HintsSeen);
        commands
    })
}

fn recent(h: &Shown) -> &[PathBuf] {
    &h.state().app.state.settings.recent
}

fn overlay(h: &mut Shown) {
    let modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
    h.key_press_modifiers(modifiers, Key::O);
    h.run_steps(3);
    assert_eq!(h.state().app.state.sheet, Some(Sheet::Recent));
}

#[test]
fn the_newest_stands_first_once_and_ten_are_kept() {
    let path = |n: usize| PathBuf::from(format!("/recordings/{n}.mp4"));
    let mut paths: Vec<_> = (0..12).map(path).collect();
    paths.push(path(5));
    let h = opened(&paths);
    let expected = [5, 11, 10, 9, 8, 7, 6, 4, 3, 2].map(path);
    assert_eq!(recent(&h), expected);
}

#[test]
fn a_camera_is_no_recent_recording_and_a_project_replaces_its_recording() {
    let mut h = opened(&["/recordings/a.mp4".into(), "camera:0".into()]);
    assert_eq!(recent(&h), [Path::new("/recordings/a.mp4")]);
    let state = &mut h.state_mut().app.state;
    let mut session = state.review.as_ref().unwrap().session.clone();
    session.info.live = false;
    session.info.path = Some("/recordings/a.mp4".into());
    session.project = Some("/recordings/a.onset".into());
    state.apply(Command::Opened(Box::new(session)));
    assert_eq!(recent(&h), [Path::new("/recordings/a.onset")]);
}

#[test]
fn the_list_is_gone_through_by_keys_and_marks_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.mp4");
    std::fs::write(&there, b"pictures").unwrap();
    let gone = folder.path().join("gone.mp4");
    let mut h = opened(&[there.clone(), gone.clone()]);
    overlay(&mut h);
    // Looked for on a thread of its own.
    for _ in 0..500 {
        if !h.state().app.state.recent.missing.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        h.step();
    }
    h.run_steps(3);
    let state = &h.state().app.state;
    assert!(state.recent.missing.contains(&gone));
    assert!(says(&h, "gone.mp4 missing") && says(&h, "there.mp4"));
    h.key_press(Key::Escape);
    h.run_steps(3);
    assert_eq!(h.state().app.state.sheet, None);
    // The one that is gone stands first; the keys begin at the next.
    overlay(&mut h);
    h.key_press(Key::Enter);
    h.run_steps(4);
    assert_eq!(h.state().app.state.sheet, None);
    assert_eq!(recent(&h), [there.clone(), gone]);
    let opened = format!("open {}", there.display());
    let asked = h.state().asked.borrow();
    assert_eq!(asked.iter().filter(|a| **a == opened).count(), 2);
}

#[test]
fn those_that_are_missing_are_forgotten_on_demand() {
    let (a, b) = (PathBuf::from("/r/a.mp4"), PathBuf::from("/r/b.mp4"));
    let mut h = opened(&[a.clone(), b.clone()]);
    say(&mut h, vec![Command::RecentMissing(vec![a])]);
    say(&mut h, vec![Command::ForgetMissing]);
    assert_eq!(recent(&h), [b]);
    assert!(h.state().app.state.recent.missing.is_empty());
}
