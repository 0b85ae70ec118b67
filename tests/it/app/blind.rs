//! Ways out of a blind pass, and recordings that are opened while one runs.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use onset::app::backend::Backend;
use onset::app::batch::BatchCommand;
use onset::app::command::{Command, DialogKind, Effect, Room};
use onset::app::project::ProjectNews;
use onset::app::state::AppState;
use onset::base::Notice;
use onset::project::unattended::{Finished, News, Outcome};
use onset::session::Params;
use onset::spotting::ExpressionKind;
use onset::timeline::{Annotation, AnnotationId, Event};

use super::coding::{Hands, named};
use super::scripted::Scripted;
use super::{say, says};

pub(super) const QUESTION: &str = "This ends the blind pass";
const OVER: &str = "The blind pass of interview 07.mp4 by Anna is over";
const GOES_ON: &str = "The blind pass of interview 07.mp4 goes on where it was left";
pub(super) const FIRST: &str = "/recordings/interview 07.mp4";
pub(super) const OTHER: &str = "/recordings/interview 08.mp4";

/// Anna codes blind and has found something.
pub(super) fn blind() -> Hands {
    let mut hands = Hands::on(Room::Annotate);
    named(&mut hands, "Anna");
    hands.keys(&[Key::T, Key::B]);
    assert!(state(&hands).blind());
    hands
}

pub(super) fn state(hands: &Hands) -> &AppState {
    &hands.window.state().app.state
}

pub(super) fn apply(hands: &mut Hands, command: Command) -> Vec<Effect> {
    hands.window.state_mut().app.state.apply(command)
}

/// Where the window is, and which recording is open.
pub(super) fn at(state: &AppState) -> (Room, String) {
    let review = state.review.as_ref().expect("a recording is open");
    let path = review.session.info.path.as_ref().expect("it is a file");
    (state.settings.room, path.display().to_string())
}

pub(super) fn in_room(room: Room, path: &str) -> (Room, String) {
    (room, path.to_owned())
}

/// In the Batch room, where this recording is done and selected.
pub(super) fn queued(hands: &mut Hands, path: &str) {
    hands.press(Modifiers::COMMAND, Key::Num4);
    let found = News::Found {
        recordings: vec![path.into()],
        said: vec![],
    };
    apply(hands, Command::BatchNews(found));
    let row = state(hands).batch.rows.last().expect("it is in the queue");
    let (ticket, id) = (row.ticket, row.id);
    let outcome = Outcome::Done(Finished {
        folder: "/recordings/onset-results/a".into(),
        frames: 600,
        macros: 2,
        micros: 3,
        warned: false,
        secs: 20.0,
    });
    let ended = News::Ended { ticket, outcome };
    let select = BatchCommand::Select(id);
    say(
        &mut hands.window,
        vec![Command::BatchNews(ended), Command::Batch(select)],
    );
}

/// As a person would, from the box at the top.
fn open(hands: &mut Hands, path: &str) {
    say(&mut hands.window, vec![Command::EditPath(path.to_owned())]);
    let button = hands.window.get_by_role_and_label(Role::Button, "Open");
    button.click();
    hands.window.run_steps(6);
}

fn opens(effects: &[Effect]) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Open(_)))
}

#[test]
fn the_queue_asks_once_before_it_shows_what_a_blind_pass_hides() {
    let mut hands = blind();
    queued(&mut hands, FIRST);
    assert!(!says(&hands.window, QUESTION), "the queue shows nothing");
    hands.keys(&[Key::Enter]);
    assert_eq!(at(state(&hands)), in_room(Room::Batch, FIRST));
    assert!(says(&hands.window, QUESTION) && says(&hands.window, "Once more, Enter,"));
    // The key of the room is another question.
    hands.press(Modifiers::COMMAND, Key::Num1);
    hands.keys(&[Key::Enter]);
    assert_eq!(at(state(&hands)), in_room(Room::Batch, FIRST));
    assert!(!says(&hands.window, OVER));
    hands.keys(&[Key::Enter]);
    assert_eq!(at(state(&hands)), in_room(Room::Review, FIRST));
    assert!(says(&hands.window, OVER) && !state(&hands).blind());
}

#[test]
fn another_recording_from_the_queue_shows_nothing_of_the_one_under_a_blind_pass() {
    let mut hands = blind();
    queued(&mut hands, OTHER);
    let mut waits = state(&hands).clone();
    assert!(opens(&waits.apply(Command::Batch(BatchCommand::Open))));
    assert!(waits.blind(), "until the other one is there");
    waits.apply(Command::OpenFailed {
        input: OTHER.into(),
        why: "Cannot open the recording: no such file or folder.".into(),
    });
    assert!(waits.blind(), "it never came");
    assert_eq!(at(&waits), in_room(Room::Annotate, FIRST));

    hands.keys(&[Key::Enter]);
    hands.window.run_steps(3);
    assert_eq!(at(state(&hands)), in_room(Room::Review, OTHER));
    assert!(!says(&hands.window, QUESTION) && !state(&hands).blind());
    // Opened again from a room that hides nothing, the first one hides as it did.
    open(&mut hands, FIRST);
    assert_eq!(at(state(&hands)), in_room(Room::Annotate, FIRST));
    assert!(state(&hands).blind() && says(&hands.window, GOES_ON));
    hands.press(Modifiers::COMMAND, Key::Num1);
    assert!(state(&hands).blind() && says(&hands.window, QUESTION));
    hands.press(Modifiers::COMMAND, Key::Num1);
    assert!(!state(&hands).blind() && says(&hands.window, OVER));
}

#[test]
fn a_blind_pass_that_was_left_goes_on_although_another_one_was_ended() {
    let mut hands = blind();
    open(&mut hands, OTHER);
    assert_eq!(at(state(&hands)), in_room(Room::Annotate, OTHER));
    assert!(state(&hands).blind() && !says(&hands.window, QUESTION));
    hands.keys(&[Key::B, Key::B]);
    assert!(!state(&hands).blind());
    // It is Anna's: Ben has seen what he has seen.
    let mut bens = state(&hands).clone();
    bens.settings.coder = "Ben".into();
    let arrives = |state: &mut AppState| {
        let mut script = Scripted::new(std::rc::Rc::default());
        script.generation = 40;
        script.open(FIRST, &Params::default());
        for command in script.arriving {
            state.apply(command);
        }
    };
    arrives(&mut bens);
    assert!(!bens.blind());
    open(&mut hands, FIRST);
    assert!(state(&hands).blind() && says(&hands.window, GOES_ON));
}

#[test]
fn whatever_opens_a_recording_keeps_a_blind_pass_and_shows_nothing_unasked() {
    let hands = blind();
    let chosen = |kind| Command::DialogClosed(kind, Some(OTHER.into()));
    for room in [Room::Annotate, Room::Batch, Room::Live] {
        // By the path box, the recent list and a dropped file; by Ctrl+O; a folder.
        for command in [
            Command::Open(OTHER.into()),
            chosen(DialogKind::Recording),
            chosen(DialogKind::Folder),
        ] {
            let mut state = state(&hands).clone();
            state.apply(Command::Room(room));
            let effects = state.apply(command.clone());
            let asks = state.notices.text().contains(QUESTION);
            assert!(opens(&effects) && !asks, "{room:?} {command:?}");
            assert!(state.blind(), "{room:?} {command:?}: while it is opened");
            let mut script = Scripted::new(std::rc::Rc::default());
            script.generation = 40;
            script.open(OTHER, &Params::default());
            for command in script.arriving {
                state.apply(command);
            }
            assert_eq!(at(&state), in_room(Room::Annotate, OTHER), "{room:?}");
            assert!(state.blind(), "{room:?} {command:?}");
        }
    }
    // What was coded lay in the project before anything was opened.
    let asked = hands.window.state().asked.borrow();
    let kept = |a: &&String| a.starts_with("keep ") && !a.starts_with("keep the analysis");
    assert_eq!(asked.iter().filter(kept).count(), 1);
}

#[test]
fn the_live_room_and_the_queue_are_no_way_round_the_question() {
    for room in [Key::Num3, Key::Num4] {
        let mut hands = blind();
        hands.press(Modifiers::COMMAND, room);
        assert!(state(&hands).blind() && !says(&hands.window, QUESTION));
        hands.press(Modifiers::COMMAND, Key::Num1);
        assert!(state(&hands).blind() && says(&hands.window, QUESTION));
        hands.press(Modifiers::COMMAND, Key::Num1);
        assert_eq!(at(state(&hands)), in_room(Room::Review, FIRST));
        assert!(says(&hands.window, OVER));
    }
    let mut hands = blind();
    hands.press(Modifiers::COMMAND, Key::Num3);
    hands.keys(&[Key::B]);
    assert!(state(&hands).blind() && says(&hands.window, QUESTION));
    hands.press(Modifiers::COMMAND, Key::E);
    assert!(says(&hands.window, "end the blind pass first"));
    // Chosen while the coder was still in Annotate.
    for room in [Room::Live, Room::Batch] {
        let mut state = state(&hands).clone();
        state.apply(Command::Room(room));
        let merges = |e: &Effect| matches!(e, Effect::Merge(_));
        let chosen = Command::DialogClosed(DialogKind::OtherProject, Some("/b/ben.onset".into()));
        assert!(!state.apply(chosen).iter().any(merges), "{room:?}");
    }
}

#[test]
fn where_nothing_was_hidden_the_queue_is_left_without_a_question() {
    let mut hands = Hands::on(Room::Review);
    // For the next time in Annotate.
    hands.keys(&[Key::N, Key::B]);
    hands.press(Modifiers::COMMAND, Key::Num4);
    hands.press(Modifiers::COMMAND, Key::Num1);
    assert_eq!(state(&hands).settings.room, Room::Review);
    assert!(!says(&hands.window, QUESTION));
    let review = state(&hands).review.as_ref().expect("open");
    assert!(review.selected.is_some(), "it was in sight before");
    queued(&mut hands, OTHER);
    hands.keys(&[Key::Enter]);
    assert_eq!(state(&hands).settings.room, Room::Review);
}

#[test]
fn a_blind_pass_is_not_told_how_much_others_have_found() {
    let mut hands = blind();
    let review = state(&hands).review.as_ref().expect("open");
    let generation = review.session.generation;
    let seen =
        |id, coder| Annotation::found(AnnotationId(id), coder, ExpressionKind::Micro, (50, 60));
    let news = |annotations| Command::Project {
        generation,
        news: Box::new(ProjectNews {
            path: "/recordings/interview 07.onset".into(),
            there: true,
            annotations,
            blind_passes: vec![],
        }),
    };
    apply(&mut hands, news(vec![seen(1, "Ben"), seen(2, "Cem")]));
    assert!(!state(&hands).notices.text().contains("earlier session"));
    apply(&mut hands, news(vec![seen(3, "Ben"), seen(4, "Anna")]));
    let said = state(&hands).notices.text();
    assert!(
        said.contains("1 annotation of an earlier session"),
        "{said}"
    );
    assert_eq!(hands.annotations().len(), 5, "all of them are here");
    // Asked for just before the pass began.
    let mut script = Scripted::new(std::rc::Rc::default());
    script.generation = generation;
    script.merge(std::path::Path::new("/there/ben.onset"), "Anna");
    for command in script.arriving {
        apply(&mut hands, command);
    }
    let said = state(&hands).notices.text();
    assert!(said.contains("ben.onset is added; the blind pass hides it"));
    assert!(!said.contains("2 annotations"), "{said}");
}

#[test]
fn a_double_click_is_no_answer_to_a_question_that_nobody_can_have_read() {
    let mut state = state(&blind()).clone();
    state.apply(Command::Clock(100.0));
    for at in [100.0, 100.2] {
        state.apply(Command::Clock(at));
        state.apply(Command::Room(Room::Review));
        assert!(state.blind(), "{at}");
    }
    state.apply(Command::Clock(101.5));
    state.apply(Command::Room(Room::Review));
    assert!(!state.blind());
    assert_eq!(state.notices.text().matches(QUESTION).count(), 1);
}

#[test]
fn what_the_analysis_says_of_candidates_waits_until_the_blind_pass_is_over() {
    let mut state = state(&blind()).clone();
    let generation = state.review.as_ref().expect("open").session.generation;
    let span = onset::base::TimeSpan {
        start: super::scripted::time(3),
        end: super::scripted::time(9),
    };
    let said = [
        Notice::info("No action units for the candidate from frame 101 on"),
        Notice::warning("No face was found").over(span),
        Notice::error("The file ends in the middle of a frame"),
    ];
    let events = said.map(Event::Notice).into();
    state.apply(Command::Events { generation, events });
    let log = state.notices.text();
    assert!(log.contains("No face was found") && log.contains("in the middle of a frame"));
    assert!(!log.contains("frame 101"), "{log}");
    for at in [100.0, 102.0] {
        state.apply(Command::Clock(at));
        state.apply(Command::Room(Room::Review));
    }
    assert!(!state.blind() && state.notices.text().contains("from frame 101"));
}

#[test]
fn neither_the_queue_nor_saving_tells_how_much_was_found_in_a_recording_coded_blind() {
    let mut hands = blind();
    queued(&mut hands, FIRST);
    assert!(!says(&hands.window, "3 micro"));
    assert!(says(&hands.window, "The blind pass of it hides"));
    queued(&mut hands, OTHER);
    assert!(
        says(&hands.window, "Done: 3 micro- and 2 macro"),
        "of the other one"
    );
    hands.press(Modifiers::COMMAND, Key::Num2);
    let effects = apply(&mut hands, Command::Save);
    assert!(
        !effects
            .iter()
            .any(|e| matches!(e, Effect::SaveCandidates(_)))
    );
    assert!(
        state(&hands)
            .notices
            .text()
            .contains("end the blind pass first")
    );
}

#[test]
fn a_camera_that_comes_back_shows_nothing_to_whoever_codes_blind() {
    let mut hands = Hands::on(Room::Annotate);
    let camera = |hands: &mut Hands| {
        let mut script = Scripted::new(std::rc::Rc::default());
        script.generation = 7;
        script.open("camera:0", &Params::default());
        for command in script.arriving {
            apply(hands, command);
        }
    };
    camera(&mut hands);
    assert_eq!(state(&hands).settings.room, Room::Live);
    hands.press(Modifiers::COMMAND, Key::Num2);
    hands.keys(&[Key::B]);
    assert!(state(&hands).blind());
    camera(&mut hands);
    assert_eq!(state(&hands).settings.room, Room::Annotate);
    assert!(state(&hands).blind());
}

#[test]
fn a_pass_without_a_name_is_theirs_who_gives_one_in_the_next_recording() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::T, Key::B]);
    open(&mut hands, OTHER);
    named(&mut hands, "Anna");
    open(&mut hands, FIRST);
    hands.press(Modifiers::COMMAND, Key::Num2);
    assert!(state(&hands).hides(std::path::Path::new(FIRST)));
    open(&mut hands, OTHER);
    let path = std::path::Path::new(FIRST);
    assert!(state(&hands).hides(path) && state(&hands).blind());
}
