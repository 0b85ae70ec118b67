//! A clip of what is selected: which stretch, at which speed, and why there is none.

use onset::app::clip::ClipNews;
use onset::app::coding::SpotKey;
use onset::app::command::Effect;
use onset::base::Timestamp;
use onset::project::clip::{Clip, ClipForm};
use onset::timeline::Recording;

use super::*;

/// The clip that a command asks for; nobody writes it.
fn asked_for(h: &mut Shown, form: ClipForm) -> Option<Clip> {
    let effects = h.state_mut().app.state.apply(Command::Clip(form));
    let clip = effects.into_iter().find_map(|effect| match effect {
        Effect::Clip(desk) => Some(desk.clip().clone()),
        _ => None,
    });
    if clip.is_some() {
        say(h, vec![Command::ClipNews(ClipNews::Ended(None))]);
    }
    clip
}

fn told(h: &Shown, text: &str) -> bool {
    let entries = h.state().app.state.notices.entries();
    entries.iter().any(|e| e.notice.text.contains(text))
}

/// The scripted recording is on no disk.
fn wait_for_the_refusal(h: &mut Shown) {
    for _ in 0..500 {
        if told(h, "no such file or folder") {
            assert_eq!(h.state().app.state.clip, None);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        h.run_steps(1);
    }
    panic!("nothing is said of the clip");
}

#[test]
fn a_clip_shows_what_was_dragged_else_the_candidate_with_a_little_around_it() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    assert_eq!(asked_for(&mut h, ClipForm::Mp4), None);
    assert!(told(&h, "Select a stretch by dragging on the timeline"));

    let spot = SpotKey::of(&scripted::spots(false)[0]);
    say(
        &mut h,
        vec![Command::Select(Some(spot)), Command::Speed(0.25)],
    );
    let clip = asked_for(&mut h, ClipForm::Mp4).unwrap();
    assert_eq!((clip.frames, clip.speed), ((92, 120), 0.25));

    say(
        &mut h,
        vec![Command::SelectTime(Some((2.0, 3.0))), Command::Speed(4.0)],
    );
    let with = h.state().app.state.settings.magnify;
    let clip = asked_for(&mut h, ClipForm::Gif).unwrap();
    assert_eq!((clip.frames, clip.speed), ((60, 90), 1.0));
    assert_eq!((clip.form, clip.magnify), (ClipForm::Gif, with));
}

#[test]
fn without_a_stretch_the_menu_has_no_clip() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    h.get_by_role_and_label(Role::Button, "Export").click();
    h.run_steps(4);
    for form in ["Clip (MP4)", "Clip (GIF)"] {
        assert!(h.get_by_label(form).accesskit_node().is_disabled());
    }
}

#[test]
fn the_menu_writes_the_clip_and_says_what_became_of_it() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::SelectTime(Some((2.0, 3.0)))]);
    h.get_by_role_and_label(Role::Button, "Export").click();
    h.run_steps(4);
    h.get_by_label("Clip (GIF)").click();
    h.run_steps(2);
    wait_for_the_refusal(&mut h);
}

#[test]
fn ctrl_shift_e_writes_the_clip() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::SelectTime(Some((2.0, 3.0)))]);
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::E);
    h.run_steps(2);
    wait_for_the_refusal(&mut h);
}

#[test]
fn how_far_a_clip_is_stands_below_and_another_one_waits() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(
        &mut h,
        vec![
            Command::SelectTime(Some((2.0, 3.0))),
            Command::ClipNews(ClipNews::At(45)),
        ],
    );
    assert!(says(&h, "45 % written"));
    assert_eq!(asked_for(&mut h, ClipForm::Mp4), None);
    assert!(told(&h, "A clip is being written"));
    let done = Notice::info("The clip is written: clip.mp4");
    say(&mut h, vec![Command::ClipNews(ClipNews::Ended(Some(done)))]);
    assert!(!says(&h, "% written") && told(&h, "The clip is written"));
}

#[test]
fn long_stretches_and_cameras_are_refused_in_a_sentence() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    // The recording is 20 s long: a longer one is made of it.
    if let Some(review) = &mut h.state_mut().app.state.review {
        let mut long: Recording = (*review.recording).clone();
        for record in &mut long.frames {
            record.timestamp = Timestamp::from_secs(3.0 * record.timestamp.secs());
        }
        review.recording = std::sync::Arc::new(long);
    }
    say(&mut h, vec![Command::SelectTime(Some((0.0, 40.0)))]);
    assert_eq!(asked_for(&mut h, ClipForm::Gif), None);
    assert!(told(&h, "as GIF takes 20 s at most"));
    assert!(asked_for(&mut h, ClipForm::Mp4).is_some());

    let mut h = open_window(SIZE, 1.0, |script| {
        use onset::app::backend::Backend;
        script.open("camera:0", &onset::session::Params::default());
        std::mem::take(&mut script.arriving)
    });
    assert_eq!(asked_for(&mut h, ClipForm::Mp4), None);
    assert!(told(&h, "record it first (Ctrl+R)"));
}
