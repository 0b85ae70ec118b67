//! Recordings that are longer than their container says.

use onset::app::backend::PlayerOrder;
use onset::app::command::Effect;
use onset::app::review::Review;

use super::scripted::time;
use super::*;

/// 600 frames are stated and not counted; 100 are analysed.
fn stated() -> Shown {
    let mut window = recording(SIZE, 1.0, 100, false);
    let review = window.state_mut().app.state.review.as_mut();
    review.expect("open").session.info.exact_frame_count = false;
    window
}

fn review(window: &Shown) -> &Review {
    let review = window.state().app.state.review.as_ref();
    review.expect("a recording is open")
}

/// The frame that the player is sent to by a wish for this one.
fn sent_to(window: &mut Shown, frame: u64) -> u64 {
    let effects = window.state_mut().app.state.apply(Command::Seek(frame));
    let sought = effects.iter().find_map(|effect| match effect {
        Effect::Player(PlayerOrder::Seek(frame)) => Some(*frame),
        _ => None,
    });
    sought.expect("the player is sent")
}

#[test]
fn what_is_decoded_behind_the_stated_length_can_be_gone_to_and_lies_on_the_timeline() {
    let mut window = stated();
    assert_eq!(sent_to(&mut window, 700), 599, "as far as it says");
    let generation = review(&window).session.generation;
    let decoded = |generation, frame| Command::Decoded {
        generation,
        furthest: (frame, time(frame)),
    };
    say(&mut window, vec![decoded(generation + 1, 900)]);
    assert_eq!(review(&window).frame_count(), 600, "another recording's");
    say(&mut window, vec![decoded(generation, 624)]);
    assert_eq!(review(&window).frame_count(), 625);
    assert!(!review(&window).frames_are_counted());
    assert!(review(&window).limits().end >= time(624).secs());
    assert_eq!(review(&window).time_of(624), time(624));
    let length = review(&window).length_secs();
    assert!((length - time(625).secs()).abs() < 1e-6, "{length}");
    assert_eq!(sent_to(&mut window, 700), 624);
    // Played on, it grows with every picture, and never shrinks by going back.
    let mut script = Scripted::new(Rc::default());
    script.generation = generation;
    say(&mut window, script.picture(640).into());
    say(&mut window, script.picture(3).into());
    assert_eq!(review(&window).frame_count(), 641);
    // Once the player has been at the end, that is the length.
    let ended = Command::SeekEnded {
        generation,
        asked: 900,
        last: Some(649),
    };
    say(&mut window, vec![ended]);
    assert_eq!(review(&window).frame_count(), 650);
    assert!(review(&window).frames_are_counted());
}

#[test]
fn a_recording_that_is_as_long_as_it_says_does_not_grow() {
    let mut window = stated();
    let before = review(&window).limits();
    let mut script = Scripted::new(Rc::default());
    script.generation = review(&window).session.generation;
    say(&mut window, script.picture(FRAMES - 1).into());
    assert_eq!(review(&window).frame_count(), FRAMES);
    assert_eq!(review(&window).limits(), before);
}
