//! Coding by hand with keys alone: new annotations, their frames, units, undo.

use egui::{Event, Key, Modifiers};
use onset::app::command::{Command, Room};
use onset::facs::write_units;
use onset::spotting::{ExpressionKind, IntervalStatus};
use onset::timeline::Annotation;

use super::scripted::FRAMES;
use super::{NONE, Shown, assert_tidy, labels, recording, say, says};

/// Presses keys and counts them, as a person would.
pub(super) struct Hands {
    pub(super) window: Shown,
    presses: usize,
}

impl Hands {
    pub(super) fn on(room: Room) -> Self {
        let mut window = recording((1280.0, 800.0), 1.0, FRAMES, true);
        say(&mut window, vec![Command::Room(room)]);
        Self { window, presses: 0 }
    }

    pub(super) fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run_steps(3);
        self.presses += 1;
    }

    pub(super) fn keys(&mut self, keys: &[Key]) {
        for key in keys {
            self.press(NONE, *key);
        }
    }

    fn times(&mut self, count: usize, modifiers: Modifiers, key: Key) {
        for _ in 0..count {
            self.press(modifiers, key);
        }
    }

    /// Into whatever has the keys.
    pub(super) fn type_text(&mut self, text: &str) {
        self.window.event(Event::Text(text.to_owned()));
        self.window.run_steps(2);
        self.presses += text.chars().count();
    }

    pub(super) fn annotations(&self) -> Vec<Annotation> {
        let review = self.window.state().app.state.review.as_ref();
        let review = review.expect("a recording is open");
        review.coding.annotations().to_vec()
    }
}

#[test]
fn five_intervals_with_units_are_coded_by_keys_alone() {
    let mut hands = Hands::on(Room::Annotate);
    for (at, units) in ["12c", "L12c 6b", "4", "1+2", "b28"].iter().enumerate() {
        // Twenty frames on from the last offset to the next onset.
        if at > 0 {
            hands.times(2, Modifiers::SHIFT, Key::ArrowRight);
        }
        hands.keys(&[Key::O]);
        hands.times(4, NONE, Key::ArrowRight);
        hands.keys(&[Key::X]);
        hands.times(6, NONE, Key::ArrowRight);
        hands.keys(&[Key::F, Key::U]);
        hands.type_text(units);
        hands.keys(&[Key::Enter]);
    }
    let annotations = hands.annotations();
    let seen: Vec<_> = annotations
        .iter()
        .map(|a| (a.onset, a.apex, a.offset, write_units(&a.units)))
        .collect();
    let at = |n: u64| (30 * n, Some(30 * n + 4), 30 * n + 10);
    let wanted = ["AU12C", "AU12LC+AU6B", "AU4", "AU1+AU2", "AUB28"];
    let wanted: Vec<_> = wanted
        .iter()
        .zip(0..)
        .map(|(units, n)| (at(n).0, at(n).1, at(n).2, (*units).to_owned()))
        .collect();
    assert_eq!(seen, wanted);
    assert!(annotations.iter().all(|a| a.kind == ExpressionKind::Micro));
    // Ten steps a movement are the finding of its frames; the rest is five keys and
    // the codes themselves.
    println!(
        "annotate 5 intervals with units: {} key presses",
        hands.presses
    );
    let state = &hands.window.state().app.state;
    assert!(!state.review.as_ref().unwrap().unsaved);
    assert!(says(&hands.window, "Saved in interview 07.onset"));
    assert_tidy(&hands.window, (1280.0, 800.0), "annotate");
}

#[test]
fn a_code_that_is_none_says_why_and_stays_in_the_field() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::T, Key::U]);
    hands.type_text("12x");
    assert!(says(&hands.window, "is not an action unit"));
    hands.keys(&[Key::Enter]);
    assert!(hands.annotations()[0].units.is_empty());
    assert!(says(&hands.window, "is not an action unit"));
}

#[test]
fn correcting_a_candidate_accepts_it_and_undo_brings_the_proposal_back() {
    let mut hands = Hands::on(Room::Review);
    hands.keys(&[Key::N, Key::ArrowRight, Key::X]);
    let corrected = hands.annotations();
    assert_eq!(corrected.len(), 1);
    let candidate = corrected[0].candidate.clone().unwrap();
    assert_eq!(corrected[0].apex, Some(candidate.apex + 1));
    assert_eq!(corrected[0].status, IntervalStatus::Accepted);
    assert!(says(&hands.window, "ME accepted"));
    hands.press(Modifiers::COMMAND, Key::Z);
    assert!(hands.annotations().is_empty());
    let review = hands.window.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.spots[0].status, IntervalStatus::Proposed);
    assert!(review.selected.is_some());
    let asked = hands.window.state().asked.borrow();
    let kept = |a: &&String| a.starts_with("keep ") && !a.starts_with("keep the analysis");
    assert_eq!(asked.iter().filter(kept).count(), 2);
}

#[test]
fn frames_never_stand_out_of_order_and_the_kind_follows_the_length() {
    let mut hands = Hands::on(Room::Annotate);
    hands.times(2, Modifiers::SHIFT, Key::ArrowRight);
    hands.keys(&[Key::O, Key::ArrowRight, Key::X]);
    hands.times(1, Modifiers::SHIFT, Key::ArrowLeft);
    hands.keys(&[Key::F]);
    assert!(says(
        &hands.window,
        "The offset would lie before the onset."
    ));
    assert_eq!(hands.annotations()[0].offset, 21);
    hands.times(3, Modifiers::SHIFT, Key::ArrowRight);
    hands.keys(&[Key::F]);
    let a = hands.annotations()[0].clone();
    assert_eq!((a.onset, a.apex, a.offset), (20, Some(21), 41));
    // 21 frames of 30 a second.
    assert_eq!(a.kind, ExpressionKind::Macro);
}

#[test]
fn what_another_coder_said_stays_and_a_blind_pass_hides_it_and_the_networks() {
    let mut hands = Hands::on(Room::Annotate);
    named(&mut hands, "Anna");
    hands.keys(&[Key::T]);
    named(&mut hands, "Ben");
    hands.keys(&[Key::ArrowRight, Key::F]);
    assert!(says(&hands.window, "is by Anna"));
    assert_eq!(hands.annotations()[0].offset, 0);
    hands.keys(&[Key::T]);
    assert_eq!(hands.annotations().len(), 2);
    let listed = |hands: &Hands| {
        let labels = labels(&hands.window).into_iter();
        labels.filter(|l| l.starts_with("ME, onset ")).count()
    };
    assert_eq!(listed(&hands), 2);
    hands.keys(&[Key::B]);
    assert_eq!(listed(&hands), 1);
    assert!(!says(&hands.window, "Scores of"));
    assert!(says(&hands.window, "Annotations 1"));
}

pub(super) fn named(hands: &mut Hands, name: &str) {
    let coder = Command::Code(onset::app::coder::Coded::Coder(name.into()));
    say(&mut hands.window, vec![coder]);
}

#[test]
fn a_verdict_on_a_candidate_never_touches_another_coders() {
    let mut hands = Hands::on(Room::Review);
    named(&mut hands, "Anna");
    hands.keys(&[Key::N, Key::A, Key::ArrowRight, Key::X]);
    named(&mut hands, "Ben");
    hands.keys(&[Key::R]);
    let by = |hands: &Hands, who: &str| {
        let all = hands.annotations();
        all.into_iter().find(|a| a.coder == who).map(|a| a.status)
    };
    assert_eq!(by(&hands, "Anna"), Some(IntervalStatus::Accepted));
    assert_eq!(by(&hands, "Ben"), Some(IntervalStatus::Rejected));
    assert!(says(&hands.window, "ME rejected"));
    // Anna has moved the apex: the same verdict again would lose that.
    named(&mut hands, "Anna");
    hands.keys(&[Key::A]);
    assert!(says(&hands.window, "said more of this one than a verdict"));
    assert_eq!(hands.annotations().len(), 2);
}

#[test]
fn a_note_is_kept_as_it_is_typed_and_a_name_may_have_spaces() {
    use egui_kittest::kittest::Queryable;
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::T]);
    hands.window.get_by_label("Note").focus();
    hands.window.run_steps(2);
    hands.type_text("odd smile");
    hands.keys(&[Key::Escape]);
    assert_eq!(hands.annotations()[0].note, "odd smile");
    let review = hands.window.state().app.state.review.as_ref();
    assert!(
        review.is_some_and(|r| r.marked.is_some()),
        "Esc left the field only"
    );
    hands.window.get_by_label("Your name").focus();
    hands.window.run_steps(2);
    hands.type_text("Anna M");
    hands.keys(&[Key::Enter]);
    assert_eq!(hands.window.state().app.state.settings.coder, "Anna M");
    // What she coded before is signed.
    assert_eq!(hands.annotations()[0].coder, "Anna M");
    assert!(says(&hands.window, "are Anna M's now"));
}

#[test]
fn an_onset_far_from_the_annotation_begins_another_and_an_apex_there_is_refused() {
    let mut hands = Hands::on(Room::Annotate);
    hands.times(9, Modifiers::SHIFT, Key::ArrowRight);
    hands.keys(&[Key::O, Key::ArrowRight, Key::F, Key::Home, Key::X]);
    assert!(says(&hands.window, "more than a second from here"));
    hands.keys(&[Key::O]);
    let onsets: Vec<u64> = hands.annotations().iter().map(|a| a.onset).collect();
    assert_eq!(onsets, [0, 90]);
    hands.keys(&[Key::T]);
    assert!(says(&hands.window, "exactly these frames already"));
}

#[test]
fn an_offset_may_come_as_late_as_a_macro_expression_lasts() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::O, Key::ArrowRight, Key::F]);
    hands.times(9, Modifiers::SHIFT, Key::ArrowRight);
    hands.keys(&[Key::F]);
    let found = hands.annotations();
    let kind = ExpressionKind::Macro;
    assert_eq!(
        (found[0].onset, found[0].offset, found[0].kind),
        (0, 91, kind)
    );
    hands.keys(&[Key::End, Key::F]);
    assert!(says(
        &hands.window,
        "ended more than four seconds before this frame"
    ));
    assert_eq!(hands.annotations()[0].offset, 91);
}

#[test]
fn an_onset_behind_the_apex_takes_it_along_and_says_so() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[
        Key::O,
        Key::ArrowRight,
        Key::X,
        Key::ArrowRight,
        Key::ArrowRight,
    ]);
    hands.keys(&[Key::F, Key::ArrowLeft, Key::O]);
    let found = hands.annotations();
    assert_eq!((found[0].onset, found[0].apex), (2, Some(2)));
    assert!(says(&hands.window, "The apex lay before this onset"));
}

#[test]
fn a_candidate_far_from_the_frame_shown_is_not_stretched_to_it() {
    let mut hands = Hands::on(Room::Review);
    hands.keys(&[Key::N, Key::End, Key::X]);
    assert!(says(&hands.window, "more than a second from here"));
    assert!(hands.annotations().is_empty());
    hands.keys(&[Key::O]);
    let found = hands.annotations();
    assert_eq!((found.len(), found[0].onset), (1, FRAMES - 1));
    assert!(found[0].candidate.is_none());
}

#[test]
fn a_blind_pass_works_on_nothing_that_it_hides() {
    let mut hands = Hands::on(Room::Review);
    hands.keys(&[Key::N]);
    hands.press(Modifiers::COMMAND, Key::Num2);
    hands.keys(&[Key::B]);
    let selected = |hands: &Hands| {
        let review = hands.window.state().app.state.review.as_ref();
        review.is_some_and(|r| r.selected.is_some() || r.marked.is_some())
    };
    assert!(!selected(&hands));
    hands.keys(&[Key::N]);
    assert!(!selected(&hands) && says(&hands.window, "hides the candidates"));
}

#[test]
fn both_ways_out_of_a_blind_pass_ask_once_and_the_log_keeps_it() {
    const QUESTION: &str = "This ends the blind pass";
    const NOTE: &str = "The blind pass of interview 07.mp4 by Anna is over, with 1 annotations";
    let blind = || {
        let mut hands = Hands::on(Room::Annotate);
        named(&mut hands, "Anna");
        hands.keys(&[Key::T, Key::B]);
        assert!(hands.window.state().app.state.blind());
        hands
    };
    let hidden = |hands: &Hands| hands.window.state().app.state.blind();
    for (modifiers, key) in [(NONE, Key::B), (Modifiers::COMMAND, Key::Num1)] {
        let mut hands = blind();
        hands.press(modifiers, key);
        assert!(hidden(&hands) && says(&hands.window, QUESTION), "{key:?}");
        assert!(!says(&hands.window, NOTE));
        hands.press(modifiers, key);
        assert!(!hidden(&hands) && says(&hands.window, NOTE), "{key:?}");
    }
    // An answer to another question, or one that comes late, is none.
    let mut hands = blind();
    hands.keys(&[Key::B]);
    hands.press(Modifiers::COMMAND, Key::Num1);
    assert!(hidden(&hands));
    let late = Command::Clock(hands.window.state().app.state.now + 20.0);
    let state = &mut hands.window.state_mut().app.state;
    state.apply(late);
    state.apply(Command::Room(Room::Review));
    assert!(state.blind(), "asked anew");
    state.apply(Command::Clock(state.now + 1.0));
    state.apply(Command::Room(Room::Review));
    assert!(!state.blind());
    // It hides again, but what has been seen is not asked about twice.
    state.apply(Command::Room(Room::Annotate));
    assert!(state.blind());
    state.apply(Command::Room(Room::Review));
    assert!(!state.blind());
}

#[test]
fn undo_takes_back_nothing_of_another_coders() {
    let mut hands = Hands::on(Room::Annotate);
    named(&mut hands, "Anna");
    hands.keys(&[Key::T]);
    named(&mut hands, "Ben");
    hands.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(hands.annotations().len(), 1);
    assert!(says(&hands.window, "what was done last is Anna's"));
    hands.keys(&[Key::ArrowRight, Key::T]);
    hands.press(Modifiers::COMMAND, Key::Z);
    let coders: Vec<String> = hands.annotations().into_iter().map(|a| a.coder).collect();
    assert_eq!(coders, ["Anna"]);
    named(&mut hands, "Anna");
    hands.press(Modifiers::COMMAND, Key::Z);
    assert!(hands.annotations().is_empty());
}

#[test]
fn a_blind_pass_does_not_tell_who_was_there_before() {
    let mut hands = Hands::on(Room::Annotate);
    named(&mut hands, "Anna");
    hands.keys(&[Key::T]);
    named(&mut hands, "Ben");
    hands.keys(&[Key::B]);
    hands.press(Modifiers::COMMAND, Key::Z);
    assert!(says(&hands.window, "Nothing of yours to undo."));
    hands.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    assert!(says(&hands.window, "Nothing of yours to redo."));
    assert!(!says(&hands.window, "what was done last"));
}

#[test]
fn a_camera_is_not_coded_by_frames() {
    let mut window = super::open_window((1280.0, 800.0), 1.0, |_| {
        vec![Command::Open("camera:0".into()), Command::HintsSeen]
    });
    window.run_steps(3);
    window.key_press(Key::T);
    window.run_steps(3);
    assert!(says(&window, "A camera's pictures are not kept"));
}

#[test]
fn under_the_tiers_the_curves_can_be_read_however_many_code() {
    use egui_kittest::kittest::Queryable;
    let mut hands = Hands::on(Room::Annotate);
    let rect = |hands: &Hands, what: &str| hands.window.get_by_label_contains(what).rect();
    let curves = |hands: &Hands| {
        ["micro", "macro"].map(|kind| rect(hands, &format!("Scores of {kind}-expressions")))
    };
    for curve in curves(&hands) {
        assert!(curve.height() >= 48.0, "{curve:?}");
    }
    // Their tiers are scrolled: the curves do not pay for them.
    for name in ["Anna", "Ben", "Cleo", "Dora", "Emil", "Finn"] {
        named(&mut hands, name);
        hands.keys(&[Key::ArrowRight, Key::T]);
    }
    assert!(says(&hands.window, "Tiers with 6 annotations"));
    for curve in curves(&hands) {
        assert!(curve.height() >= 40.0, "{curve:?}");
    }
    let [micro, last] = curves(&hands);
    let overview = rect(&hands, "Overview of the whole recording");
    assert!(micro.bottom() <= last.top() && last.bottom() <= overview.top());
    // Over a margin, the strip at the bottom and what the harness leaves around.
    let bottom = 800.0 - 8.0 - 24.0 - 8.0;
    assert!(overview.bottom() <= bottom + 0.5, "{overview:?}");
}
