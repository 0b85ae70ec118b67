//! Another coder's project beside one's own, and what the two differ in.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use onset::app::coder::Coded;
use onset::app::command::{Command, DialogKind, Room};
use onset::spotting::{ExpressionKind, IntervalStatus};
use onset::timeline::AnnotationId;

use super::scripted::{FRAMES, Scripted, spots, status, story};
use super::{Shown, assert_tidy, open_window, press, says};

/// High enough for form and list.
const SIZE: (f32, f32) = (1280.0, 1100.0);

/// Anna has accepted the first candidate; Ben's project has just been added.
fn both() -> Shown {
    let mut h = open_window(SIZE, 1.0, |script: &mut Scripted| {
        use onset::app::backend::Backend;
        script.open(
            "/recordings/interview 07.mp4",
            &onset::session::Params::default(),
        );
        let mut commands = std::mem::take(&mut script.arriving);
        let generation = script.generation;
        commands.extend([
            Command::HintsSeen,
            Command::Events {
                generation,
                events: story(script, FRAMES, true),
            },
            Command::Status {
                generation,
                status: status(FRAMES, true),
            },
            Command::Room(Room::Annotate),
            Command::Code(Coded::Coder("Anna".into())),
            Command::NextSpot,
            Command::Decide(IntervalStatus::Accepted),
            Command::DialogClosed(DialogKind::OtherProject, Some("/there/ben.onset".into())),
        ]);
        commands
    });
    h.run_steps(4);
    h
}

fn at(h: &Shown) -> (u64, Option<String>) {
    let review = h.state().app.state.review.as_ref();
    let review = review.expect("a recording is open");
    let by = review.annotation().map(|a| a.coder.clone());
    (review.playback.frame, by)
}

#[test]
fn another_coders_project_is_added_as_one_step_with_a_tier_of_its_own() {
    let first = &spots(false)[0];
    assert_eq!(
        (first.kind, first.onset, first.apex, first.offset),
        (ExpressionKind::Micro, 101, 106, 111)
    );
    let mut h = both();
    let asked = |h: &Shown, what: &str| {
        let asked = h.state().asked.borrow();
        asked.iter().filter(|a| a.contains(what)).count()
    };
    assert_eq!(asked(&h, "merge /there/ben.onset for Anna"), 1);
    assert!(says(&h, "Added from ben.onset by Ben: 2 annotations."));
    assert!(says(&h, "Tiers with 3 annotations"));
    let review = h.state().app.state.review.as_ref().unwrap();
    assert!(!review.unsaved, "the file has them");
    // They are on the disk: only Anna's own was kept from here.
    assert_eq!(asked(&h, "keep Change"), 1);
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert!(says(&h, "Tiers with 1 annotations"));
    assert_eq!(asked(&h, "keep Change"), 3);
    press(&mut h, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    assert!(says(&h, "Tiers with 3 annotations"));
}

#[test]
fn disagreements_are_listed_with_three_numbers_and_gone_through_by_keys() {
    let mut h = both();
    h.get_by_label("Disagreements").click();
    h.run_steps(4);
    assert!(says(&h, "Disagreements 3"));
    for text in [
        "First coder: Anna",
        "Second coder: Ben",
        "F1 0.67",
        "R 0.00",
        "onset at 0:00:03.366 frame 101: Anna set the onset 3 frames (0.100 s) before Ben.",
        "units at 0:00:03.533 frame 106: Anna scored nothing, Ben AU 12.",
        "only Ben at 0:00:11.400 frame 342: Ben saw a micro-expression (AU 12) in frames 338 to 349",
    ] {
        assert!(says(&h, text), "{text}");
    }
    h.state_mut().app.state.apply(Command::DismissAll);
    h.run_steps(2);
    assert_tidy(&h, SIZE, "disagreements");
    // From the apex of the first candidate on.
    press(&mut h, Modifiers::NONE, Key::Y);
    assert_eq!(at(&h), (106, Some("Anna".into())));
    press(&mut h, Modifiers::NONE, Key::Y);
    assert_eq!(at(&h), (342, Some("Ben".into())));
    press(&mut h, Modifiers::NONE, Key::Y);
    assert!(says(&h, "There is no later disagreement."));
    press(&mut h, Modifiers::SHIFT, Key::Y);
    press(&mut h, Modifiers::SHIFT, Key::Y);
    assert_eq!(at(&h), (101, Some("Anna".into())));
    // Anna's onset goes where Ben's is: one disagreement less.
    let review = h.state().app.state.review.as_ref().unwrap();
    let mine = review.annotation().unwrap().id;
    let moved = Coded::Drag(mine, onset::app::coder::Edge::Onset, 104);
    h.state_mut().app.state.apply(Command::Code(moved));
    h.run_steps(3);
    assert!(says(&h, "Disagreements 2") && !says(&h, "onset at "));
}

#[test]
fn a_click_on_a_disagreement_goes_there() {
    let mut h = both();
    h.get_by_label("Disagreements").click();
    h.run_steps(4);
    h.get_by(|n| n.label().is_some_and(|l| l.starts_with("only Ben at")))
        .click();
    h.run_steps(4);
    assert_eq!(at(&h), (342, Some("Ben".into())));
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.marked, Some(AnnotationId(502)));
}

#[test]
fn a_blind_pass_hides_where_coders_differ() {
    let mut h = both();
    h.get_by_label("Disagreements").click();
    h.run_steps(4);
    press(&mut h, Modifiers::NONE, Key::B);
    assert!(!says(&h, "only Ben") && !says(&h, "Disagreements 3"));
    press(&mut h, Modifiers::NONE, Key::Y);
    assert!(says(&h, "hides other coders"));
    let merged = Command::Merge("/there/ben.onset".into());
    let effects = h.state_mut().app.state.apply(merged);
    let merges =
        |e: &onset::app::command::Effect| matches!(e, onset::app::command::Effect::Merge(_));
    assert!(!effects.iter().any(merges));
}
