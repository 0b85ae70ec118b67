//! Marks of a frame whose picture is still on its way, and what is pressed behind them.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use onset::app::backend::PlayerOrder;
use onset::app::coder::{Coded, Edge};
use onset::app::command::{Command, Effect, Room, Sheet};
use onset::app::review::Review;
use onset::app::state::AppState;
use onset::facs::write_units;

use super::coding::{Hands, named};
use super::{say, says};

/// The window with its cursor on a frame whose picture is still on its way.
fn seeking(frame: u64) -> Hands {
    let mut hands = Hands::on(Room::Annotate);
    say(&mut hands.window, vec![Command::Seek(frame)]);
    hands
}

fn generation(hands: &Hands) -> u64 {
    let review = hands.window.state().app.state.review.as_ref();
    review.expect("a recording is open").session.generation
}

/// The pictures of these frames arrive, one after another.
fn arrive(hands: &mut Hands, frames: &[u64]) {
    let mut script = super::Scripted::new(std::rc::Rc::default());
    script.generation = generation(hands);
    for frame in frames {
        say(&mut hands.window, script.picture(*frame).into());
    }
}

fn frames(hands: &Hands) -> Vec<(u64, Option<u64>, u64)> {
    let all = hands.annotations();
    all.iter().map(|a| (a.onset, a.apex, a.offset)).collect()
}

#[test]
fn a_mark_waits_for_the_picture_of_its_frame_and_what_follows_waits_behind_it() {
    let mut hands = seeking(200);
    hands.keys(&[Key::O, Key::ArrowRight, Key::X, Key::ArrowRight, Key::F]);
    assert!(hands.annotations().is_empty(), "nobody has seen it yet");
    // One that was on its way before says nothing.
    arrive(&mut hands, &[77]);
    assert!(hands.annotations().is_empty());
    arrive(&mut hands, &[200]);
    assert_eq!(frames(&hands), [(200, None, 200)]);
    arrive(&mut hands, &[201]);
    assert_eq!(frames(&hands), [(200, Some(201), 201)]);
    arrive(&mut hands, &[202]);
    assert_eq!(frames(&hands), [(200, Some(201), 202)]);
    assert!(!says(&hands.window, "Nothing is marked"));
    // What is taken back before it could be done is not done.
    let mut hands = seeking(200);
    hands.keys(&[Key::O]);
    hands.press(Modifiers::COMMAND, Key::Z);
    arrive(&mut hands, &[200]);
    assert!(hands.annotations().is_empty());
}

#[test]
fn a_mark_whose_frame_never_comes_is_forgotten_and_said() {
    let said = "Nothing is marked at frame 200";
    // The frame cannot be decoded: the cursor goes back to what is seen.
    let mut hands = seeking(200);
    hands.keys(&[Key::T, Key::ArrowRight, Key::X]);
    let (session, asked) = (generation(&hands), 200);
    let ended = Command::SeekEnded {
        generation: session,
        asked,
        last: None,
    };
    say(&mut hands.window, vec![ended]);
    assert!(hands.annotations().is_empty() && says(&hands.window, said));
    let review = hands.window.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.playback.frame, 0);
    // Somebody else codes now.
    let mut hands = seeking(200);
    hands.keys(&[Key::O]);
    named(&mut hands, "Ben");
    assert!(hands.annotations().is_empty() && says(&hands.window, said));
    // Given up before the picture came.
    let mut hands = seeking(200);
    hands.keys(&[Key::O, Key::Escape]);
    assert!(says(&hands.window, said));
    arrive(&mut hands, &[200]);
    assert!(hands.annotations().is_empty());
}

const FORGOTTEN: &str = "Nothing is marked at frame 200";

fn state(hands: &mut Hands) -> &mut AppState {
    &mut hands.window.state_mut().app.state
}

fn review(hands: &Hands) -> &Review {
    let review = hands.window.state().app.state.review.as_ref();
    review.expect("a recording is open")
}

#[test]
fn a_mark_that_waits_is_said_and_the_form_changes_nothing_meanwhile() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::T]);
    let first = hands.annotations()[0].id;
    say(&mut hands.window, vec![Command::Seek(200)]);
    hands.keys(&[Key::T]);
    assert!(says(
        &hands.window,
        "Waiting for the picture of frame 200; Esc gives up"
    ));
    // What the form says of the first one is not said of the second.
    hands.window.get_by_label("Remove").click();
    hands.window.run_steps(3);
    let happy = Coded::Emotion(Some("happiness".into()));
    say(&mut hands.window, vec![Command::Code(happy)]);
    assert!(says(&hands.window, "Nothing is changed. Waiting for"));
    // A note names its annotation.
    let note = Coded::Note(first, "seen".into());
    say(&mut hands.window, vec![Command::Code(note)]);
    assert_eq!(hands.annotations()[0].note, "seen");
    arrive(&mut hands, &[200]);
    let all = hands.annotations();
    assert_eq!((all.len(), all[0].id, all[1].onset), (2, first, 200));
    assert!(all.iter().all(|a| a.emotion.is_none()));
    assert_eq!(review(&hands).waits(), None);
}

#[test]
fn units_typed_behind_a_mark_come_into_its_field_and_keys_after_them_do_what_they_do() {
    let mut hands = seeking(200);
    let speed = state(&mut hands).settings.speed;
    hands.keys(&[Key::O, Key::U]);
    // As a keyboard tells it.
    for (key, text) in [(Key::Num1, "1"), (Key::Num2, "2"), (Key::C, "c")] {
        hands.keys(&[key]);
        hands.type_text(text);
    }
    hands.keys(&[Key::Enter, Key::ArrowRight]);
    assert_eq!(
        state(&mut hands).settings.speed,
        speed,
        "1 and 2 are speeds"
    );
    arrive(&mut hands, &[200]);
    hands.window.run_steps(16);
    let all = hands.annotations();
    assert_eq!((all.len(), all[0].onset), (1, 200));
    assert_eq!(write_units(&all[0].units), "AU12C");
    assert_eq!(review(&hands).playback.frame, 201);
}

#[test]
fn what_was_typed_behind_a_mark_that_is_given_up_is_typed_nowhere() {
    let mut hands = seeking(200);
    hands.keys(&[Key::O, Key::U]);
    hands.type_text("12c");
    hands.keys(&[Key::X, Key::Escape]);
    hands.window.run_steps(8);
    assert!(says(&hands.window, FORGOTTEN));
    assert!(review(&hands).waiting.is_none() && hands.annotations().is_empty());
    arrive(&mut hands, &[200]);
    assert!(hands.annotations().is_empty());
}

#[test]
fn a_mark_after_a_jump_while_playing_halts_at_its_frame() {
    let mut hands = seeking(200);
    say(&mut hands.window, vec![Command::TogglePlay]);
    // Shown before the jump was carried out.
    arrive(&mut hands, &[77]);
    let playback = &review(&hands).playback;
    assert!(playback.playing && playback.sought == Some(200));
    let effects = state(&mut hands).apply(Command::Code(Coded::Edge(Edge::Onset)));
    let orders: Vec<&PlayerOrder> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Player(order) => Some(order),
            _ => None,
        })
        .collect();
    // The frames beside it may be asked for besides.
    assert_eq!(orders[..2], [&PlayerOrder::Pause, &PlayerOrder::Seek(200)]);
    arrive(&mut hands, &[78]);
    assert!(hands.annotations().is_empty());
    arrive(&mut hands, &[200]);
    assert_eq!(frames(&hands), [(200, None, 200)]);
    assert!(!review(&hands).playback.playing);
    assert!(!says(&hands.window, FORGOTTEN));
    // Playback that is late may never show the very frame.
    let mut hands = seeking(200);
    say(&mut hands.window, vec![Command::TogglePlay]);
    arrive(&mut hands, &[203]);
    let playback = &review(&hands).playback;
    assert_eq!((playback.sought, playback.frame), (None, 203));
}

#[test]
fn a_recording_that_opens_says_what_is_forgotten_and_asks_no_question_twice() {
    let mut hands = seeking(200);
    hands.keys(&[Key::O]);
    let coder = state(&mut hands).settings.coder.clone();
    let seen = &mut state(&mut hands).review.as_mut().expect("open").seen;
    seen.insert(coder);
    let effects = state(&mut hands).apply(Command::AnalyseAgain);
    assert!(!effects.is_empty());
    let mut script = super::Scripted::new(std::rc::Rc::default());
    let params = onset::session::Params::default();
    onset::app::backend::Backend::open(&mut script, "/recordings/interview 07.mp4", &params);
    let same = review(&hands).session.info.path.clone();
    assert_eq!(same, Some("/recordings/interview 07.mp4".into()));
    say(&mut hands.window, script.arriving);
    assert!(says(&hands.window, FORGOTTEN));
    assert_eq!(review(&hands).seen.len(), 1);
    assert!(review(&hands).waiting.is_none());
}

#[test]
fn a_selection_of_time_waits_and_esc_closes_what_lies_over_the_window_first() {
    let mut hands = seeking(200);
    hands.keys(&[Key::O]);
    let selected = Command::SelectTime(Some((1.0, 2.0)));
    say(
        &mut hands.window,
        vec![selected, Command::Show(Sheet::Keys)],
    );
    assert_eq!(review(&hands).timeline.selection, None);
    say(&mut hands.window, vec![Command::Escape]);
    assert_eq!(state(&mut hands).sheet, None);
    assert!(review(&hands).waiting.is_some());
    arrive(&mut hands, &[200]);
    assert_eq!(frames(&hands), [(200, None, 200)]);
    assert_eq!(review(&hands).timeline.selection, Some((1.0, 2.0)));
}
