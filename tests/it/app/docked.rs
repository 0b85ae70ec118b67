//! Panels that are hidden, moved and put back.

use std::path::Path;

use super::*;
use onset::app::command::{Effect, Room};
use onset::app::dock::{Dock, DockCommand, Docks, Layout, Pane};
use onset::app::panels::moved::JUDGE;
use onset::app::panels::source::LIMITS;
use onset::app::settings::Settings;

const SMALLEST: (f32, f32) = (960.0, 640.0);

/// An analysed recording without the hints of the first run.
pub(super) fn reviewing(size: (f32, f32)) -> Shown {
    let mut h = recording(size, 1.0, FRAMES, true);
    say(&mut h, vec![Command::HintsSeen]);
    h
}

pub(super) fn dock(h: &Shown) -> &Dock {
    h.state().app.state.dock()
}

pub(super) fn focus(h: &mut Shown, role: Role, name: &str) {
    h.get_by_role_and_label(role, name).focus();
    h.run_steps(3);
}

/// By the menu, with keys alone.
fn choose(h: &mut Shown, role: Role, name: &str) {
    focus(h, Role::Button, "Panels");
    press(h, NONE, Key::Enter);
    focus(h, role, name);
    press(h, NONE, Key::Space);
    press(h, NONE, Key::Escape);
    press(h, NONE, Key::Escape);
}

pub(super) fn arrange(h: &mut Shown) {
    press(h, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::P);
    say(h, vec![Command::DismissAll]);
}

fn drag(h: &mut Shown, from: egui::Pos2, to: egui::Pos2) {
    h.hover_at(from);
    h.run_steps(2);
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: NONE,
    };
    h.event(button(from, true));
    h.step();
    for part in [0.3, 0.7, 1.0, 1.0] {
        h.event(egui::Event::PointerMoved(from.lerp(to, part)));
        h.run_steps(2);
    }
    h.event(button(to, false));
    h.run_steps(2);
    h.remove_cursor();
    h.run_steps(4);
}

#[test]
fn the_source_is_hidden_and_shown_with_keys_alone() {
    let mut h = reviewing(SIZE);
    assert!(says(&h, LIMITS));
    let picture = |h: &Shown| h.get_by_label_contains("The frame on the screen").rect();
    let before = picture(&h);
    choose(&mut h, Role::CheckBox, "Source");
    assert!(!dock(&h).shows(Pane::Source));
    assert!(!says(&h, LIMITS));
    assert!(picture(&h).left() < before.left(), "it takes the place");
    assert_tidy(&h, SIZE, "without the source");
    choose(&mut h, Role::CheckBox, "Source");
    assert!(says(&h, LIMITS));
    assert_eq!(picture(&h), before);
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    let check = h.get_by_role_and_label(Role::CheckBox, "Picture");
    assert!(check.accesskit_node().is_disabled());
}

#[test]
fn panels_have_handles_while_they_are_arranged_and_escape_takes_them_away() {
    const HANDLES: [&str; 6] = [
        "Move Source",
        "Move Picture",
        "Move Onset, apex and difference",
        "Move Timeline",
        "Move Candidates 5",
        "Move What moved",
    ];
    let mut h = reviewing(SIZE);
    h.key_press(Key::N);
    h.run_steps(3);
    assert!(!says(&h, "Move "), "quiet at first");
    arrange(&mut h);
    for handle in HANDLES {
        h.get_by_role_and_label(Role::Button, handle);
    }
    assert_tidy(&h, SIZE, "arranging");
    press(&mut h, NONE, Key::Escape);
    assert!(!says(&h, "Move "));
    let state = &h.state().app.state;
    assert!(
        state.review.as_ref().unwrap().selected.is_some(),
        "Esc did one thing"
    );
    assert_eq!(state.settings.docks, Docks::default());
    choose(&mut h, Role::CheckBox, "Arrange panels");
    assert!(!says(&h, "Move "), "Esc has ended it");
    press(&mut h, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::P);
    assert!(says(&h, "Esc ends arranging."));
    press(&mut h, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::P);
    assert!(!h.state().app.state.arranges());
}

#[test]
fn a_panel_dropped_on_another_is_a_tab_of_it_and_reset_brings_all_back() {
    let mut h = reviewing(SIZE);
    // One panel alone: the middle of two is the place between them.
    say(&mut h, vec![Command::ShowTab(SideTab::Log)]);
    arrange(&mut h);
    let from = h
        .get_by_role_and_label(Role::Button, "Move Source")
        .rect()
        .center();
    let tabs = h.get_by_role_and_label(Role::Button, "Candidates 5").rect();
    // The middle of what is under the tabs.
    let (top, bottom) = (tabs.center().y + 18.0, 800.0 - 24.0);
    let to = egui::pos2(1280.0 - 0.5 * 296.0, 0.5 * (top + bottom));
    drag(&mut h, from, to);
    press(&mut h, NONE, Key::Escape);
    assert!(dock(&h).in_sight(Pane::Source) && !dock(&h).in_sight(Pane::List));
    assert!(says(&h, LIMITS));
    let source = h.get_by_role_and_label(Role::Button, "Source").rect();
    assert!((source.center().y - tabs.center().y).abs() < 1.0);
    h.get_by_role_and_label(Role::Button, "Candidates 5")
        .click();
    h.run_steps(4);
    assert!(dock(&h).in_sight(Pane::List) && !says(&h, LIMITS));
    assert_tidy(&h, SIZE, "a fourth tab");
    for pane in ["Timeline", "Onset, apex and difference"] {
        choose(&mut h, Role::CheckBox, pane);
    }
    assert!(!says(&h, "score (0–1) over time (s)"));
    choose(&mut h, Role::Button, "Reset this room's panels");
    assert_eq!(h.state().app.state.settings.docks, Docks::default());
    assert!(says(&h, "score (0–1) over time (s)") && says(&h, LIMITS));
}

#[test]
fn a_divider_is_dragged_without_arranging_and_the_side_stays_as_wide() {
    let mut h = reviewing(SIZE);
    let left = |h: &Shown| {
        let tab = h.get_by_role_and_label(Role::Button, "Candidates 5");
        tab.rect().left()
    };
    let before = left(&h);
    // The tabs begin a margin right of the divider.
    let from = egui::pos2(before - 8.5, 300.0);
    drag(&mut h, from, from - vec2(40.0, 0.0));
    assert!((before - left(&h) - 40.0).abs() < 2.0, "{}", left(&h));
    // Never thinner than can be used.
    let from = from - vec2(40.0, 0.0);
    drag(&mut h, from, from + vec2(300.0, 0.0));
    assert!((left(&h) - before - (296.0 - 264.0)).abs() < 2.0);
    let beside = 1280.0 - left(&h);
    h.set_size(vec2(1600.0, 900.0));
    h.run_steps(4);
    assert!((1600.0 - left(&h) - beside).abs() < 2.0);
}

#[test]
fn the_layouts_of_the_three_differ_and_each_room_has_its_own() {
    let mut h = reviewing(SIZE);
    let mut seen = Vec::new();
    for layout in [
        Layout::Annotator,
        Layout::Demonstrator,
        Layout::Psychologist,
    ] {
        choose(&mut h, Role::Button, layout.name());
        assert_eq!(*dock(&h), layout.dock(), "{}", layout.name());
        assert_eq!(says(&h, LIMITS), layout == Layout::Psychologist);
        assert!(!seen.contains(dock(&h)));
        seen.push(dock(&h).clone());
    }
    choose(&mut h, Role::CheckBox, "Timeline");
    say(&mut h, vec![Command::Room(Room::Annotate)]);
    assert!(dock(&h).in_sight(Pane::Timeline));
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    h.get_by_role_and_label(Role::CheckBox, "Annotations");
    say(&mut h, vec![Command::Room(Room::Review)]);
    assert!(!dock(&h).shows(Pane::Timeline));
}

/// A window that keeps its settings, with a recording.
fn keeping(path: &Path) -> Shown {
    open_with_settings(path, |script| {
        use onset::app::backend::Backend;
        script.open(
            "/recordings/interview 07.mp4",
            &onset::session::Params::default(),
        );
        std::mem::take(&mut script.arriving)
    })
}

#[test]
fn an_arrangement_outlives_the_window_and_a_broken_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("window.json");
    std::fs::write(&path, r#"{"hints_seen": true}"#).unwrap();
    let mut h = keeping(&path);
    assert!(says(&h, LIMITS));
    choose(&mut h, Role::CheckBox, "Source");
    h.state_mut().app.save_settings();
    let (kept, said) = Settings::load(&path);
    assert_eq!(said, vec![]);
    assert!(!kept.docks.of(Room::Review).shows(Pane::Source));
    let h = keeping(&path);
    assert!(!dock(&h).shows(Pane::Source) && !says(&h, LIMITS));
    // As a later version, or a person, might have written it.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"timeline\"", "\"hologram\"", 1)).unwrap();
    let h = keeping(&path);
    assert!(says(&h, "The settings' panels of the Review room"));
    assert!(says(&h, LIMITS));
}

#[test]
fn at_the_smallest_size_nothing_overlaps_in_any_room_or_layout() {
    // As narrow as can be and high enough that nothing is scrolled: what lies under the end
    // of a scrolled list would be taken for something over what follows the list.
    const NARROW: (f32, f32) = (960.0, 1_100.0);
    let mut h = reviewing(NARROW);
    h.key_press(Key::N);
    h.run_steps(4);
    for layout in Layout::ALL {
        say(&mut h, vec![Command::Dock(DockCommand::Take(layout))]);
        assert_tidy(&h, NARROW, layout.name());
    }
    say(&mut h, vec![Command::Room(Room::Annotate)]);
    assert_tidy(&h, NARROW, "Annotate");
    let mut h = reviewing(SMALLEST);
    h.key_press(Key::N);
    h.run_steps(4);
    arrange(&mut h);
    let panels = Rect::from_min_max(egui::pos2(0.0, 40.0), egui::pos2(960.0, 616.0));
    let handles: Vec<Rect> = pieces(&h)
        .into_iter()
        .filter(|(name, _)| name.contains("\"Move "))
        .map(|(_, rect)| rect)
        .collect();
    assert_eq!(handles.len(), 6);
    for (i, handle) in handles.iter().enumerate() {
        assert!(panels.contains_rect(*handle), "{handle:?}");
        for other in &handles[i + 1..] {
            assert!(!handle.intersects(*other), "{handle:?} {other:?}");
        }
    }
}

#[test]
fn a_tab_of_the_side_is_opened_wherever_it_stands_and_arranging_is_kept_on_disk() {
    let mut h = reviewing(SIZE);
    let state = &mut h.state_mut().app.state;
    state.apply(Command::Dock(DockCommand::Toggle(Pane::Log)));
    state.apply(Command::Dock(DockCommand::Toggle(Pane::Log)));
    let effects = state.apply(Command::ShowTab(SideTab::Settings));
    assert!(effects.iter().any(|e| matches!(e, Effect::SaveSettings)));
    h.run_steps(4);
    assert!(dock(&h).in_sight(Pane::Settings));
    h.get_by_role_and_label(Role::Button, "Candidates 5")
        .click();
    h.run_steps(4);
    assert!(dock(&h).in_sight(Pane::List));
    // Nothing is asked for while nobody does anything.
    h.run_steps(10);
    let delay = h.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > std::time::Duration::from_secs(1), "{delay:?}");
}

#[test]
fn escape_closes_the_menu_before_it_gives_up_the_candidate() {
    let mut h = reviewing(SIZE);
    press(&mut h, NONE, Key::N);
    let chosen = |h: &Shown| h.state().app.state.review.as_ref().unwrap().selected;
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    assert!(says(&h, "Reset this room's panels"));
    press(&mut h, NONE, Key::Escape);
    assert!(!says(&h, "Reset this room's panels") && chosen(&h).is_some());
    press(&mut h, NONE, Key::Escape);
    assert!(chosen(&h).is_none());
}

fn rect(h: &Shown, role: Role, name: &str) -> Rect {
    h.get_by_role_and_label(role, name).rect()
}

#[test]
fn what_moved_stands_under_the_candidates_and_the_buttons_that_judge_come_last() {
    for size in [SIZE, SMALLEST] {
        let h = reviewing(size);
        let list = h.get_by_label_contains("each ranked by score").rect();
        let (head, foot) = (
            h.get_by_label("What moved").rect(),
            h.get_by_label(JUDGE).rect(),
        );
        let accept = rect(&h, Role::Button, "Accept");
        let order = [list, head, foot, accept];
        let below = |pair: &[Rect]| pair[0].bottom() <= pair[1].top() + 0.5;
        assert!(order.windows(2).all(below), "{size:?} {order:?}");
        // Over a margin, the strip at the bottom and what the harness leaves around.
        let bottom = size.1 - 8.0 - 24.0 - 8.0;
        assert!((accept.bottom() - bottom).abs() < 1.5, "{accept:?}");
        // Of the three tabs it has none.
        assert_eq!(
            h.query_all_by_role_and_label(Role::Button, "What moved")
                .count(),
            0
        );
        rect(&h, Role::Button, "Candidates 5");
    }
}

#[test]
fn what_moved_is_hidden_and_shown_and_the_buttons_that_judge_stay_with_the_list() {
    let mut h = reviewing(SIZE);
    let list = |h: &Shown| h.state().app.state.review.as_ref().unwrap().in_sight.len();
    let (before, accept) = (list(&h), rect(&h, Role::Button, "Accept"));
    choose(&mut h, Role::CheckBox, "What moved");
    assert!(!says(&h, JUDGE) && !dock(&h).shows(Pane::Moved));
    assert!(list(&h) > before, "the list takes its place");
    assert_eq!(rect(&h, Role::Button, "Accept"), accept);
    assert_tidy(&h, SIZE, "without what moved");
    choose(&mut h, Role::CheckBox, "What moved");
    assert!(says(&h, JUDGE) && list(&h) == before);
    // Among the tabs it is one of them, and the list has its buttons.
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    focus(&mut h, Role::CheckBox, "What moved");
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    assert!(says(
        &h,
        "The panel What moved now stands left of Candidates."
    ));
    press(&mut h, NONE, Key::Escape);
    press(&mut h, NONE, Key::Escape);
    say(&mut h, vec![Command::DismissAll]);
    let tab = rect(&h, Role::Button, "Candidates 5");
    assert!(h.get_by_label(JUDGE).rect().right() < tab.left());
    assert_eq!(rect(&h, Role::Button, "Accept").bottom(), accept.bottom());
    say(&mut h, vec![Command::ShowTab(SideTab::Log)]);
    assert!(says(&h, JUDGE) && !says(&h, "each ranked by score"));
    assert_tidy(&h, SIZE, "what moved beside the log");
}

#[test]
fn who_codes_sees_what_moved_when_it_is_asked_for_and_never_in_a_blind_pass() {
    let mut h = reviewing(SIZE);
    say(&mut h, vec![Command::Room(Room::Annotate)]);
    assert!(!says(&h, JUDGE));
    choose(&mut h, Role::CheckBox, "What moved");
    assert!(says(&h, JUDGE) && !dock(&h).in_sight(Pane::List));
    press(&mut h, NONE, Key::B);
    assert!(h.state().app.state.blind());
    assert!(!says(&h, JUDGE) && !says(&h, "lip corner puller"));
    focus(&mut h, Role::Button, "Panels");
    press(&mut h, NONE, Key::Enter);
    let check = h.get_by_role_and_label(Role::CheckBox, "What moved");
    assert!(check.accesskit_node().is_disabled());
}
