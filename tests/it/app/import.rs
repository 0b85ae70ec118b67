//! Annotations read into a recording whose analysis did not come to its end.

use egui::Key;
use onset::app::backend::PlayerOrder;
use onset::app::coder::Coded;
use onset::app::command::{Command, Effect, Room};
use onset::app::coverage::Why;
use onset::app::exchange::Desk;
use onset::app::review::Review;
use onset::session::handle::SessionStatus;
use onset::spotting::ExpressionKind;
use onset::timeline::{Annotation, AnnotationId};

use super::scripted::{Scripted, status, time};
use super::{Shown, recording, say, says};

/// A hundred of six hundred frames are read, then it broke off.
fn broken(finished: bool) -> Shown {
    let mut window = recording((1280.0, 800.0), 1.0, 100, finished);
    let review = window.state().app.state.review.as_ref();
    let generation = review.expect("a recording is open").session.generation;
    let status = SessionStatus {
        failed: Some("The file is damaged.".into()),
        ..status(100, true)
    };
    say(&mut window, vec![Command::Status { generation, status }]);
    window
}

fn desk(window: &mut Shown) -> Desk {
    let asked = Command::Import("seen.csv".into());
    let effects = window.state_mut().app.state.apply(asked);
    let desk = effects.into_iter().find_map(|effect| match effect {
        Effect::Import(_, desk) => Some(*desk),
        _ => None,
    });
    desk.expect("an import")
}

#[test]
fn after_a_broken_analysis_the_files_own_count_is_the_end_and_without_one_it_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("seen.csv");
    std::fs::write(&path, "kind,onset,offset\nmicro,300,310\nmicro,700,710\n").expect("a file");
    // Of a damaged file what came before is decoded; after a panic nothing is.
    for finished in [true, false] {
        let mut window = broken(finished);
        let (read, said) = desk(&mut window).import(&path).expect("within 600 frames");
        assert_eq!((read.len(), read[0].onset), (1, 300));
        let said = said.all.text;
        assert!(said.contains("last frame, 599"), "{said}");
        let review = window.state_mut().app.state.review.as_mut();
        review.expect("open").session.info.exact_frame_count = false;
        let why = desk(&mut window).import(&path).unwrap_err().all.text;
        assert!(why.contains("stopped at frame 99"), "{why}");
        assert!(!why.contains("has finished"), "{why}");
        // The player has been at the last frame, and so it is known.
        assert!(why.contains("go to the last frame"), "{why}");
        seek_ended(&mut window, 599, Some(599));
        let (counted, _) = desk(&mut window).import(&path).expect("counted");
        assert_eq!((counted.len(), counted[0].onset), (1, 300));
    }
}

fn generation(window: &Shown) -> u64 {
    review(window).session.generation
}

fn review(window: &Shown) -> &Review {
    let review = window.state().app.state.review.as_ref();
    review.expect("a recording is open")
}

fn seek_ended(window: &mut Shown, asked: u64, last: Option<u64>) {
    let generation = generation(window);
    let ended = Command::SeekEnded {
        generation,
        asked,
        last,
    };
    say(window, vec![ended]);
}

/// Found by nobody in particular at frames 300 to 310.
fn imported(window: &mut Shown) -> AnnotationId {
    let id = AnnotationId(9);
    let found = Annotation::found(id, "", ExpressionKind::Micro, (300, 310));
    let generation = generation(window);
    let imported = Command::Imported {
        generation,
        annotations: vec![found],
    };
    say(window, vec![imported]);
    id
}

#[test]
fn an_annotation_past_the_end_of_a_broken_analysis_is_gone_to_and_lies_on_the_timeline() {
    for finished in [true, false] {
        let mut window = broken(finished);
        let id = imported(&mut window);
        let effects = (window.state_mut().app.state).apply(Command::Code(Coded::Select(Some(id))));
        let sought = |e: &Effect| matches!(e, Effect::Player(PlayerOrder::Seek(300)));
        assert!(effects.iter().any(sought), "{effects:?}");
        assert_eq!(review(&window).playback.frame, 300);
        // By keys, as far as its picture.
        let nothing = Command::Code(Coded::Select(None));
        say(&mut window, vec![Command::Room(Room::Annotate), nothing]);
        window.key_press(Key::Home);
        window.run_steps(4);
        window.key_press(Key::Period);
        window.run_steps(4);
        let playback = &review(&window).playback;
        let shown = playback.picture.as_ref().map(|p| p.index);
        assert_eq!((playback.frame, shown), (300, Some(300)));
        assert!(says(&window, "not analysed") && !says(&window, "not analysed yet"));
        // Its end can be moved there, too.
        window.key_press(Key::ArrowRight);
        window.run_steps(4);
        window.key_press(Key::X);
        window.run_steps(4);
        let coded = review(&window).coding.get(id).expect("it is there");
        assert_eq!(coded.apex, Some(301));
        let left = review(&window).not_analysed().expect("500 frames are left");
        assert_eq!(left.why, Why::NotAnalysed);
        assert!((left.start - time(99).secs()).abs() < 1e-6);
        assert!((left.end - time(600).secs()).abs() < 1e-6);
        assert!(review(&window).view().contains(time(310).secs()));
        assert!(says(
            &window,
            "Overview of the whole recording, not analysed from 0:00:03.300 on"
        ));
        assert!(says(&window, "frame 301 of 0–599"));
    }
}

#[test]
fn what_the_analysis_left_is_said_beside_the_recording() {
    let window = broken(true);
    assert!(says(&window, "The analysis stopped at frame 100."));
    assert!(says(&window, "What was recorded is kept."));
}

#[test]
fn a_file_that_has_no_such_frames_ends_where_its_pictures_do() {
    let mut window = broken(true);
    let id = imported(&mut window);
    let review_of = |window: &Shown| review(window).clone();
    window
        .state_mut()
        .app
        .state
        .apply(Command::Code(Coded::Select(Some(id))));
    let mut script = Scripted::new(std::rc::Rc::default());
    script.generation = generation(&window);
    say(&mut window, script.picture(149).into());
    seek_ended(&mut window, 300, Some(149));
    let now = review_of(&window);
    assert_eq!((now.playback.frame, now.frame_count()), (149, 150));
    assert!(now.view().end < time(151).secs());
    let left = now.not_analysed().expect("50 frames are left");
    assert!((left.end - time(149).secs()).abs() < 1e-6);
    // Gone to again, it is the last frame that there is.
    let again = Command::Code(Coded::Select(Some(id)));
    let effects = window.state_mut().app.state.apply(again);
    let last = |e: &Effect| matches!(e, Effect::Player(PlayerOrder::Seek(149)));
    assert!(effects.iter().any(last), "{effects:?}");
    // And where none is left, nothing is shaded.
    seek_ended(&mut window, 149, Some(99));
    assert_eq!(review(&window).not_analysed(), None);
    assert_eq!(review(&window).frame_count(), 100);
}

#[test]
fn a_recording_that_is_read_to_its_end_leaves_nothing() {
    let window = recording((1280.0, 800.0), 1.0, 100, true);
    assert_eq!(review(&window).frame_count(), 100);
    assert_eq!(review(&window).not_analysed(), None);
    let running = recording((1280.0, 800.0), 1.0, 100, false);
    assert_eq!(review(&running).not_analysed(), None);
}
