//! What other networks say of a candidate, in the window.

use super::*;
use onset::app::command::DialogKind;
use onset::app::panels::second_look::HINT;
use onset::app::second_look::SecondLookView;

/// The first candidate chosen, in a window high enough for all of it.
fn chosen(again: bool) -> Shown {
    let mut h = looked_at((1280.0, 1400.0), 1.0, (FRAMES, true), again);
    h.key_press(Key::N);
    h.run_steps(4);
    h
}

fn button(h: &Shown, text: &str) -> Rect {
    h.get_by(|n| n.role() == Role::Button && n.label().is_some_and(|l| l.contains(text)))
        .rect()
}

#[test]
fn each_network_says_its_part_and_s_goes_there_and_back() {
    let mut h = chosen(true);
    assert!(says(&h, "AU L12 lip corner puller 0.83, present"));
    assert!(!says(&h, HINT), "there is a second look");
    h.key_press(Key::S);
    h.run_steps(4);
    for text in [
        "ME, from frame 101 to 106",
        "AU-Flow: AU L12 0.83, AU 6 0.64 · positive 0.71",
        "LED-SSSNet: AU 12 0.81, AU 6 0.55 · positive 0.70",
        "UAMRN: no unit stands out · undecided",
        "γ 0.420 squared logits, of 20 passes",
        "Attention of block 3, head 2, most: picture at ×13 looks at ×11: 0.40",
        "rows look at columns, ×2 to ×13; brightest 0.40",
        "onset, true apex, rebuilt apex: press for the differences",
        "off by 0.4 grey levels, the onset by 1.5",
        "Movements and probabilities, for a person to judge.",
    ] {
        assert!(says(&h, text), "{text}: {:#?}", labels(&h));
    }
    assert!(!says(&h, "lip corner puller"), "the units are behind");
    assert_tidy(&h, (1280.0, 1400.0), "second look");
    h.key_press(Key::S);
    h.run_steps(4);
    assert!(says(&h, "lip corner puller") && !says(&h, "LED-SSSNet"));
}

#[test]
fn a_matrix_is_drawn_large_and_the_apexes_show_their_differences_by_key() {
    let mut h = chosen(true);
    h.get_by_role_and_label(Role::Button, "Second look").click();
    h.run_steps(4);
    let small = button(&h, "block 2, head 1");
    h.get_by(|n| n.label().is_some_and(|l| l.contains("block 2, head 1")))
        .focus();
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(4);
    let large = button(&h, "block 2, head 1");
    assert!(large.width() > 2.0 * small.width(), "{small:?} {large:?}");
    assert!(!says(&h, "block 1, head 1"));
    assert!(says(&h, "block 2, head 1: the brightest is 0.40"));
    h.get_by(|n| {
        n.label()
            .is_some_and(|l| l.contains("press for the differences"))
    })
    .focus();
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(4);
    assert!(says(&h, "true − onset, rebuilt − onset, rebuilt − true"));
    assert!(says(&h, "amber brighter, blue darker, full at 40"));
    let view = SecondLookView {
        shown: true,
        differences: true,
        enlarged: Some([1, 0]),
    };
    assert_eq!(h.state().app.state.second_look, view);
}

#[test]
fn a_cell_under_the_pointer_says_who_looks_at_whom() {
    let mut h = chosen(true);
    h.key_press(Key::S);
    h.run_steps(4);
    let matrix = button(&h, "block 1, head 1");
    // Row 6, column 5 of twelve in the square above the caption.
    let cell = matrix.width() / 12.0;
    h.hover_at(matrix.min + vec2(5.5 * cell, 6.5 * cell));
    h.run_steps(60);
    assert!(says(&h, "picture at ×8 looks at ×7: 0.40"));
}

#[test]
fn without_such_weights_one_weak_line_says_how_to_add_them() {
    let h = chosen(false);
    assert!(says(&h, HINT));
    assert_eq!(h.query_all_by_label("Second look").count(), 0);
}

#[test]
fn a_moment_and_a_candidate_that_could_not_be_looked_at_say_so() {
    let mut h = looked_at((1280.0, 1000.0), 1.0, (FRAMES, true), true);
    h.key_press(Key::S);
    h.run_steps(4);
    assert!(says(
        &h,
        "Select a candidate: the second look is at candidates."
    ));
    h.get_by_label_contains("frame 564, score").click();
    h.run_steps(4);
    assert!(says(
        &h,
        "No second look at this candidate: the log says why."
    ));
}

#[test]
fn weights_are_added_and_removed_in_the_settings_once_each() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(&mut h, vec![Command::ShowTab(SideTab::Settings)]);
    assert!(says(&h, "Nobody looks at candidates besides AU-Flow."));
    let chosen = |name: &str| {
        let path = std::path::Path::new("/nets").join(name);
        Command::DialogClosed(DialogKind::SecondLookWeights, Some(path))
    };
    for name in ["led.safetensors", "uamrn.safetensors", "led.safetensors"] {
        say(&mut h, vec![chosen(name)]);
    }
    let files = |h: &Shown| h.state().app.state.settings.params.second_look.len();
    assert_eq!(files(&h), 2);
    assert_tidy(&h, (1280.0, 800.0), "two looks in the settings");
    h.get_by_label("Remove led.safetensors from the second look")
        .click();
    h.run_steps(4);
    assert_eq!(files(&h), 1);
    assert!(says(&h, "uamrn.safetensors") && !says(&h, "led.safetensors"));
    // Last: where no dialog can be opened, a notice says so whenever that is known.
    h.get_by_label("Add weights…").click();
    h.run_steps(3);
}
