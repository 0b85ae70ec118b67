//! Panels that are moved step by step, with keys alone.

use super::docked::{arrange, dock, focus, reviewing};
use super::*;
use onset::app::dock::Pane;

#[test]
fn a_panel_is_moved_by_keys_on_its_row_in_the_menu_and_every_step_is_said() {
    let mut h = reviewing(SIZE);
    let picture = |h: &Shown| h.get_by_label_contains("The frame on the screen").rect();
    let source = |h: &Shown| h.get_by_label_contains(LIMITS).rect();
    assert!(source(&h).right() < picture(&h).left());
    let wipe = h.state().app.state.settings.wipe;
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    focus(&mut h, Role::CheckBox, "Source");
    press(&mut h, Modifiers::ALT, Key::ArrowRight);
    let said = "The panel Source now stands right of Picture.";
    let notice = h.get_by_label(said);
    let live = notice.accesskit_node().live();
    assert_eq!(
        live,
        egui::accesskit::Live::Polite,
        "a screen reader says it"
    );
    assert!(source(&h).left() > picture(&h).right());
    // The row has kept the focus.
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    assert!(says(&h, "The panel Source now stands left of Picture.") && !says(&h, said));
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    assert!(says(&h, "The panel Source now stands at the left edge."));
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    assert!(says(
        &h,
        "The panel Source stands at the left edge already."
    ));
    press(&mut h, Modifiers::ALT, Key::T);
    assert!(says(
        &h,
        "The panel Source now stands in tabs with Picture, in front."
    ));
    // The picture can come in front again, but not be hidden.
    let check = h.get_by_role_and_label(Role::CheckBox, "Picture");
    assert!(!check.accesskit_node().is_disabled());
    let state = &h.state().app.state;
    assert_eq!(state.review.as_ref().unwrap().playback.frame, 0);
    assert_eq!(
        state.settings.wipe, wipe,
        "the keys have another use elsewhere"
    );
    // A hidden panel stays, and that is said.
    press(&mut h, NONE, Key::Space);
    assert!(!dock(&h).shows(Pane::Source));
    press(&mut h, Modifiers::ALT, Key::ArrowRight);
    assert!(says(&h, "The panel Source is hidden: show it first."));
}

#[test]
fn the_menu_says_where_a_panel_can_be_moved_and_moves_it_there() {
    let mut h = reviewing(SIZE);
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    focus(&mut h, Role::Button, "Source: move");
    press(&mut h, NONE, Key::Enter);
    for way in [
        "Source: To the left edge",
        "Source: Right of Picture",
        "Source: To the top",
        "Source: Below Timeline",
        "Source: Into tabs with Picture",
    ] {
        let item = h.get_by_role_and_label(Role::Button, way);
        assert!(!item.accesskit_node().is_disabled(), "{way}");
    }
    focus(&mut h, Role::Button, "Source: Right of Picture");
    press(&mut h, NONE, Key::Enter);
    assert!(says(&h, "The panel Source now stands right of Picture."));
    // The menu stays for the next step.
    focus(&mut h, Role::Button, "Source: Right of Candidates");
    press(&mut h, NONE, Key::Enter);
    assert!(says(&h, "The panel Source now stands right of Candidates."));
    let none = h.get_by_role_and_label(Role::Button, "Source: Panel to the right");
    assert!(none.accesskit_node().is_disabled());
}

#[test]
fn a_title_keeps_the_focus_while_its_panel_is_moved_by_keys() {
    let mut h = reviewing(SIZE);
    arrange(&mut h);
    focus(&mut h, Role::Button, "Move Source");
    for (key, said) in [
        (Key::ArrowRight, "now stands right of Picture."),
        (Key::ArrowRight, "now stands right of Candidates."),
        (Key::T, "now stands in tabs with Picture, in front."),
        // Its title is a tab now.
        (Key::ArrowDown, "now stands below Picture."),
        // And a handle again.
        (Key::ArrowLeft, "now stands at the left edge."),
    ] {
        press(&mut h, Modifiers::ALT, key);
        assert!(says(&h, &format!("The panel Source {said}")), "{said}");
    }
    assert_tidy_handles(&h);
}

/// No handle lies over another.
fn assert_tidy_handles(h: &Shown) {
    let handles = pieces(h).into_iter();
    let handles: Vec<Rect> = handles
        .filter(|(name, _)| name.contains("\"Move "))
        .map(|(_, rect)| rect)
        .collect();
    for (i, handle) in handles.iter().enumerate() {
        let over = |other: &Rect| handle.intersects(*other);
        assert!(!handles[i + 1..].iter().any(over), "{handles:?}");
    }
}
