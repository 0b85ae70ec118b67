//! What somebody reads who has no manual: lengths, frames, units and fields say what they are.

use egui::Key;
use onset::app::command::Room;
use onset::facs::write_units;

use super::coding::Hands;
use super::live::camera;
use super::scripted::FRAMES;
use super::{SIZE, labels, recording, says};

#[test]
fn a_recording_lasts_until_its_last_frame_gave_way_before_and_after_its_analysis() {
    for (until, finished) in [(300, false), (FRAMES, true)] {
        let h = recording(SIZE, 1.0, until, finished);
        assert!(says(&h, "0:00:20.000"), "{until}: {:#?}", labels(&h));
        assert!(says(&h, "frame 0 of 0–599"));
        assert!(says(&h, "the processor: motion and networks"));
    }
}

#[test]
fn twelve_frames_last_four_tenths_of_a_second_and_units_are_shown_as_they_are_typed() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::O]);
    hands.keys(&[Key::ArrowRight; 11]);
    hands.keys(&[Key::F, Key::U]);
    hands.type_text("L12C 1a");
    hands.keys(&[Key::Enter]);
    for text in [
        "12 frames, 0.400 s",
        "L12C ×",
        "1A ×",
        "ME, onset 0:00:00.000 frame 0 to 11, AU L12C+1A",
        "Emotion, labels of CASME II",
        "Confidence 1, from 1 unsure to 5 sure",
        "Note",
    ] {
        assert!(
            says(&hands.window, text),
            "{text}: {:#?}",
            labels(&hands.window)
        );
    }
    // Files keep their spelling.
    assert_eq!(write_units(&hands.annotations()[0].units), "AU12LC+AU1A");
    // What the window writes can be typed.
    hands.keys(&[Key::U]);
    hands.type_text("AU L12D+4");
    hands.keys(&[Key::Enter]);
    assert_eq!(
        write_units(&hands.annotations()[0].units),
        "AU12LD+AU1A+AU4"
    );
}

#[test]
fn a_button_says_that_it_saves_a_table() {
    let h = recording(SIZE, 1.0, FRAMES, true);
    assert!(labels(&h).iter().any(|label| label == "Save table"));
    assert!(!labels(&h).iter().any(|label| label == "Save"));
}

#[test]
fn what_may_still_change_is_called_provisional_until_it_cannot() {
    assert!(says(&camera(), "dashed: provisional"));
    let while_it_runs = recording(SIZE, 1.0, 300, false);
    assert!(says(&while_it_runs, "dashed: provisional"));
    let done = recording(SIZE, 1.0, FRAMES, true);
    assert!(!says(&done, "provisional"));
}
