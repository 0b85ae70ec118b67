//! What makes the window comfortable: keys of one's own, colours for one's eyes, what the
//! program is, and the log.

use onset::app::command::Sheet;
use onset::app::panels::source::LIMITS;
use onset::app::theme::{Colours, Palette};
use onset::motion::heat::Heat;

use super::*;

fn button(h: &mut Shown, name: &str) {
    h.get_by_role_and_label(Role::Button, name).click();
    h.run_steps(4);
}

fn key_of(h: &Shown, does: &str) -> String {
    h.state().app.state.settings.keys.of(does)
}

fn frame(h: &Shown) -> u64 {
    let review = h.state().app.state.review.as_ref();
    review.expect("a recording is open").playback.frame
}

/// The list of keys over an open recording.
fn changing() -> Shown {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::Show(Sheet::ChangeKeys)]);
    h
}

#[test]
fn a_key_is_changed_by_keys_alone_and_everything_says_so() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    press(&mut h, Modifiers::SHIFT, Key::Questionmark);
    h.get_by_role_and_label(Role::Button, "Change keys…")
        .focus();
    h.run_steps(2);
    press(&mut h, NONE, Key::Enter);
    assert_eq!(h.state().app.state.sheet, Some(Sheet::ChangeKeys));
    h.get_by_label("Change the key of Next candidate").focus();
    h.run_steps(2);
    press(&mut h, NONE, Key::Space);
    assert!(h.state().app.state.listens());
    // An arrow would move the focus, Space would press the button: here they are keys.
    press(&mut h, Modifiers::SHIFT, Key::Space);
    assert!(says(&h, "Shift+Space has a use: Loop. Take it anyway?"));
    press(&mut h, NONE, Key::Enter);
    assert!(
        h.state().app.state.listens(),
        "the button still has the focus"
    );
    press(&mut h, NONE, Key::ArrowDown);
    assert_eq!(key_of(&h, "Next candidate"), "Down");
    // The focus first, then the list.
    press(&mut h, NONE, Key::Escape);
    press(&mut h, NONE, Key::Escape);
    assert_eq!(h.state().app.state.sheet, None);
    press(&mut h, NONE, Key::N);
    assert!(selected_frame(&h).is_none(), "N does nothing now");
    press(&mut h, NONE, Key::ArrowDown);
    assert_eq!(selected_frame(&h), Some(106));
    press(&mut h, Modifiers::SHIFT, Key::Questionmark);
    assert!(labels(&h).iter().any(|l| l == "Down"));
}

fn selected_frame(h: &Shown) -> Option<u64> {
    let review = h.state().app.state.review.as_ref()?;
    review.selected_spot().map(|s| s.apex)
}

#[test]
fn a_taken_key_is_asked_for_and_taken_and_all_keys_are_reset() {
    let mut h = changing();
    button(&mut h, "Change the key of Play or pause");
    press(&mut h, NONE, Key::Home);
    assert!(says(&h, "Home has a use: First frame. Take it anyway?"));
    button(&mut h, "Leave it");
    assert!(!says(&h, "Take it anyway?"));
    assert_eq!(key_of(&h, "Play or pause"), "Space");
    button(&mut h, "Change the key of Play or pause");
    press(&mut h, NONE, Key::Home);
    button(&mut h, "Take it");
    assert_eq!(key_of(&h, "Play or pause"), "Home");
    assert_eq!(key_of(&h, "First frame"), "");
    assert!(says(&h, "no key"));
    button(&mut h, "Reset the key of Play or pause");
    assert_eq!(key_of(&h, "Play or pause"), "Space");
    assert_eq!(key_of(&h, "First frame"), "");
    button(&mut h, "Reset all keys");
    assert_eq!(key_of(&h, "First frame"), "Home");
}

#[test]
fn esc_gives_up_backspace_removes_and_the_clipboards_keys_are_refused() {
    let mut h = changing();
    button(&mut h, "Change the key of Play or pause");
    press(&mut h, NONE, Key::Escape);
    assert!(!h.state().app.state.listens());
    assert_eq!(h.state().app.state.sheet, Some(Sheet::ChangeKeys));
    assert_eq!(key_of(&h, "Play or pause"), "Space");
    button(&mut h, "Change the key of Play or pause");
    h.event(egui::Event::Copy);
    h.run_steps(3);
    assert!(says(&h, "Ctrl+C belongs to the clipboard.") || cfg!(target_os = "macos"));
    button(&mut h, "Change the key of Play or pause");
    press(&mut h, NONE, Key::Backspace);
    assert_eq!(key_of(&h, "Play or pause"), "");
    press(&mut h, NONE, Key::Escape);
    assert_eq!(h.state().app.state.sheet, None);
    press(&mut h, NONE, Key::Space);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert!(!review.playback.playing);
}

#[test]
fn a_jump_goes_as_many_frames_as_the_settings_say() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    press(&mut h, Modifiers::COMMAND, Key::ArrowRight);
    assert_eq!(frame(&h), 25);
    say(
        &mut h,
        vec![Command::JumpBy(100), Command::ShowTab(SideTab::Settings)],
    );
    assert!(says(&h, "Frames of a jump: 100"));
    press(&mut h, Modifiers::COMMAND, Key::ArrowRight);
    assert_eq!(frame(&h), 125);
    press(&mut h, Modifiers::COMMAND, Key::ArrowLeft);
    assert_eq!(frame(&h), 25);
    press(&mut h, Modifiers::SHIFT, Key::Questionmark);
    assert!(says(&h, "Jump on 100 frames"));
}

#[test]
fn a_settings_file_with_a_bad_key_is_reported_and_the_rest_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("window.json");
    let file =
        r#"{"hints_seen": true, "keys": {"accept": "Shift+A", "reject": "Hyper+R", "fly": "F"}}"#;
    std::fs::write(&path, file).unwrap();
    let h = open_with_settings(&path, |_| vec![]);
    assert!(says(
        &h,
        "\"Hyper+R\", which is none; it keeps its default."
    ));
    assert!(says(&h, "“fly”, which Onset does not know; it is ignored."));
    assert_eq!(key_of(&h, "Accept"), "Shift+A");
    assert_eq!(key_of(&h, "Reject"), "R");
    assert!(h.state().app.state.settings.hints_seen);
}

#[test]
fn about_says_what_the_program_is_and_lists_what_it_is_made_of() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(
        &mut h,
        vec![Command::HintsSeen, Command::ShowTab(SideTab::Settings)],
    );
    button(&mut h, "About Onset…");
    for text in [
        env!("CARGO_PKG_VERSION"),
        "MIT or Apache-2.0",
        LIMITS,
        "llvmpipe (LLVM 15.0.6, 256 bits), a program on the processor",
        "FFmpeg's libavcodec",
        "motion-tcn-2: when a face shows a macro- or a micro-expression",
        "au-flow-2: action units and three classes",
    ] {
        assert!(says(&h, text), "{text}: {:#?}", labels(&h));
    }
    button(&mut h, "Components");
    assert!(says(&h, "ab_glyph "));
    h.get_by_label("Search the components").focus();
    h.run_steps(2);
    h.event(egui::Event::Text("egui_plot".into()));
    h.run_steps(3);
    assert!(says(&h, "1 component") && says(&h, "egui_plot 0.38"));
    assert!(!says(&h, "ab_glyph "));
    press(&mut h, NONE, Key::Escape);
    press(&mut h, NONE, Key::Escape);
    assert_eq!(h.state().app.state.sheet, None);
}

#[test]
fn the_colours_are_chosen_by_hand_and_hold_in_the_whole_window() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::ShowTab(SideTab::Settings)]);
    assert!(says(&h, "Colours: Standard"));
    say(&mut h, vec![Command::Colours(Colours::RedGreen)]);
    assert!(says(&h, "Colours: Deuteranopia, protanopia"));
    let visuals = h.ctx.style_of(egui::Theme::Dark).visuals.clone();
    let wanted = Palette::of(true, Colours::RedGreen);
    assert_eq!(visuals.warn_fg_color, wanted.amber);
    assert_tidy(&h, SIZE, "settings");
}

#[test]
fn what_has_no_sign_is_drawn_anew_in_the_colours_that_are_chosen_in_the_settings() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::ShowTab(SideTab::Settings)]);
    let drawn = |h: &Shown| {
        let review = h.state().app.state.review.as_ref().unwrap();
        (review.views_count, review.views.strain_heat)
    };
    let (before, heat) = drawn(&h);
    assert_eq!(heat, Heat::Viridis);
    button(&mut h, "Cividis");
    assert_eq!(h.state().app.state.settings.heat, Heat::Cividis);
    let (after, heat) = drawn(&h);
    assert!(after > before && heat == Heat::Cividis);
    assert_tidy(&h, SIZE, "settings");
}

#[test]
fn the_log_shows_what_is_as_severe_as_asked_and_can_be_copied_and_saved() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(
        &mut h,
        vec![
            Command::Say(Notice::info("The report is written.")),
            Command::Say(Notice::error("The disk is full.")),
            Command::DismissAll,
            Command::ShowTab(SideTab::Log),
        ],
    );
    assert!(says(&h, "The report is written."));
    let errors = h
        .state()
        .app
        .state
        .notices
        .count(onset::base::Severity::Error);
    button(&mut h, &format!("Errors {errors}"));
    assert!(says(&h, "The disk is full.") && !says(&h, "The report is written."));
    // A tooltip would lie over what it explains.
    h.remove_cursor();
    h.run_steps(4);
    assert_tidy(&h, SIZE, "log");
    use onset::app::command::Effect;
    let effects = h.state_mut().app.state.apply(Command::SaveLog);
    let saved = effects.iter().find_map(|e| match e {
        Effect::SaveLog(text, Some(media)) => Some((text.clone(), media.clone())),
        _ => None,
    });
    let (text, media) = saved.expect("it is written beside the recording");
    // Whatever is shown, all of it is kept.
    assert!(text.contains("Information: The report is written."));
    assert!(text.contains("Error: The disk is full."));
    assert!(media.ends_with("interview 07.mp4"));
}
