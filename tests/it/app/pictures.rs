//! The Review room's pictures: strips in the list, onset, current, apex and difference
//! under the picture, original and magnified in one.

use super::*;
use onset::app::arrangement::Arrangement;
use onset::app::command::Room;
use onset::app::review::Review;
use onset::media::{Still, StillKey};
use onset::spotting::ExpressionKind;

fn review(h: &Shown) -> &Review {
    let review = h.state().app.state.review.as_ref();
    review.expect("a recording is open")
}

fn rect_of(h: &Shown, role: Role, text: &str) -> Rect {
    h.get_by(|n| n.role() == role && n.label().is_some_and(|l| l.contains(text)))
        .rect()
}

/// The first candidate in time chosen: onset 101, apex 106, offset 111.
fn chosen(size: (f32, f32)) -> Shown {
    let mut h = recording(size, 1.0, FRAMES, true);
    h.key_press(Key::N);
    h.run_steps(6);
    h
}

fn press(h: &mut Shown, modifiers: Modifiers, key: Key) {
    h.key_press_modifiers(modifiers, key);
    h.run_steps(5);
}

#[test]
fn the_list_shows_onset_apex_and_offset_of_the_candidates_in_sight_alone() {
    let h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    let review = review(&h);
    let seen = review.in_sight.len();
    assert!((1..5).contains(&seen), "{seen} of 5 are in sight");
    let wanted = review.stills.wanted();
    assert_eq!(wanted.len(), 3 * seen);
    assert!(wanted.iter().all(|key| review.stills.get(key).is_some()));
    // The list is ranked: the best first.
    let frames: Vec<u64> = wanted[..3].iter().map(|key| key.frame).collect();
    assert_eq!(frames, [101, 106, 111]);
    // One part of the picture for all three, or they could not be compared.
    assert!(wanted[0].region.is_some());
    assert!(wanted[..3].iter().all(|key| key.region == wanted[0].region));
    for text in [
        "Onset of ME 1, frame 101, 0:00:03.366",
        "Apex of ME 1, frame 106, 0:00:03.533",
        "Offset of ME 1, frame 111, 0:00:03.700",
    ] {
        assert!(says(&h, text), "{text}: {:#?}", labels(&h));
    }
}

#[test]
fn places_of_pictures_still_to_come_are_as_large_as_the_pictures() {
    let rows = |without: bool| {
        let h = open_window((1280.0, 1000.0), 1.0, move |script| {
            use onset::app::backend::Backend;
            script.without_stills = without;
            script.open(
                "/recordings/interview 07.mp4",
                &onset::session::Params::default(),
            );
            let mut commands = std::mem::take(&mut script.arriving);
            let generation = script.generation;
            commands.push(Command::Events {
                generation,
                events: story(script, FRAMES, true),
            });
            commands
        });
        let there = review(&h).stills.wanted().iter();
        let there = there.filter(|key| review(&h).stills.get(key).is_some());
        assert_eq!(there.count() == 0, without);
        let rows = pieces(&h).into_iter();
        rows.filter(|(name, _)| name.contains(" proposed, onset "))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(true), rows(false));
}

#[test]
fn what_is_there_is_not_asked_for_again_and_the_chosen_candidate_goes_first() {
    let mut h = chosen((1280.0, 800.0));
    let asked = |h: &Shown| -> Vec<String> {
        let asked = h.state().asked.borrow();
        let stills = asked.iter().filter(|a| a.starts_with("stills "));
        stills.cloned().collect()
    };
    let last = asked(&h).pop().expect("stills are asked for");
    assert_eq!(last, "stills [101, 106]", "the strips are there already");
    let count = asked(&h).len();
    press(&mut h, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(asked(&h).len(), count, "another frame, the same wishes");
    say(&mut h, vec![Command::Room(Room::Annotate)]);
    assert!(review(&h).stills.wanted().is_empty());
}

#[test]
fn under_the_picture_stand_onset_current_apex_and_what_changed() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(says(&h, "Select a candidate to see its onset"));
    press(&mut h, Modifiers::NONE, Key::N);
    for text in [
        "Go to the onset, frame 101, 0:00:03.366",
        "The frame on the screen, 106, 0:00:03.533",
        "Go to the apex, frame 106, 0:00:03.533",
        "Current minus onset in luminance, 4 times",
        "Lighter: brighter now than at the onset.",
    ] {
        assert!(says(&h, text), "{text}: {:#?}", labels(&h));
    }
    assert!(!says(&h, "The head moved"), "it keeps still");
    let compared = |h: &Shown| {
        let compared = review(h).compared.clone().expect("it is compared");
        (compared.reference.frame, compared.frame, compared.gain)
    };
    assert_eq!(compared(&h), (101, 106, 4.0));
    let difference = review(&h).compared.as_ref().unwrap().difference.clone();
    // The script shows one picture throughout.
    assert!(difference.unwrap().pixels().all(|p| p.0 == [128]));
    press(&mut h, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(compared(&h), (101, 107, 4.0));
    say(&mut h, vec![Command::DifferenceGain(8.0)]);
    h.run_steps(3);
    assert_eq!(h.state().app.state.settings.triptych.gain, 8.0);
    h.get_by_label_contains("Go to the onset").click();
    h.run_steps(5);
    assert_eq!(review(&h).playback.frame, 101);
    assert_eq!(compared(&h), (101, 101, 8.0));
    h.get_by_label_contains("Go to the apex").click();
    h.run_steps(5);
    assert_eq!(review(&h).playback.frame, 106);
    press(&mut h, Modifiers::NONE, Key::D);
    assert!(!h.state().app.state.settings.triptych.shown);
    assert!(!says(&h, "Go to the onset"));
    h.get_by_label("Show onset, apex and difference").click();
    h.run_steps(5);
    assert!(says(&h, "Go to the onset"));
}

#[test]
fn the_row_under_the_picture_fits_and_keeps_its_height() {
    for (size, scale) in SIZES {
        let mut h = recording(size, scale, FRAMES, true);
        let log = Command::ShowTab(SideTab::Log);
        say(&mut h, vec![Command::HintsSeen, log]);
        let before = h.state().app.state.settings.docks.clone();
        press(&mut h, Modifiers::NONE, Key::N);
        assert_tidy(&h, size, &format!("{size:?} ×{scale} a candidate chosen"));
        press(&mut h, Modifiers::NONE, Key::C);
        assert_tidy(&h, size, &format!("{size:?} ×{scale} wiped"));
        press(&mut h, Modifiers::NONE, Key::C);
        assert_tidy(&h, size, &format!("{size:?} ×{scale} stacked"));
        assert_eq!(h.state().app.state.settings.docks, before);
    }
}

#[test]
fn an_annotation_without_an_apex_has_a_place_for_it() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    for _ in 0..5 {
        press(&mut h, Modifiers::SHIFT, Key::ArrowRight);
    }
    press(&mut h, Modifiers::NONE, Key::T);
    assert!(review(&h).moments().is_some_and(|m| m.apex.is_none()));
    assert!(says(&h, "Go to the onset, frame 50"));
    assert!(!says(&h, "Go to the apex"));
}

#[test]
fn a_frame_that_cannot_be_read_leaves_its_place() {
    let mut h = chosen((1280.0, 1000.0));
    let wanted: Vec<StillKey> = review(&h).stills.wanted().to_vec();
    let generation = review(&h).session.generation;
    let stills = wanted.iter().map(|key| Still {
        key: *key,
        picture: None,
    });
    let stills = stills.collect();
    say(&mut h, vec![Command::Stills { generation, stills }]);
    assert!(says(&h, "Go to the onset, frame 101"));
    assert_tidy(&h, (1280.0, 1000.0), "unreadable frames");
}

#[test]
fn the_stills_of_a_recording_before_are_not_kept() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    let key = StillKey {
        frame: 3,
        region: None,
        height: 8,
    };
    let old = Command::Stills {
        generation: review(&h).session.generation - 1,
        stills: vec![Still { key, picture: None }],
    };
    let count = review(&h).stills_count;
    say(&mut h, vec![old]);
    assert_eq!(review(&h).stills_count, count);
}

#[test]
fn c_wipes_the_magnified_face_over_the_original_and_then_stacks_them() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(&mut h, vec![Command::HintsSeen]);
    press(&mut h, Modifiers::NONE, Key::M);
    let (original, magnified) = (
        rect_of(&h, Role::Image, "The frame on the screen"),
        rect_of(&h, Role::Image, "Magnified view"),
    );
    assert!(magnified.left() > original.right(), "side by side");
    press(&mut h, Modifiers::NONE, Key::C);
    let state = &h.state().app.state;
    assert!(state.wiped());
    assert_eq!(state.settings.wipe, 0.5);
    let name = "Divider between original and magnified";
    let picture = rect_of(&h, Role::Slider, name);
    assert!((picture.width() - picture.height()).abs() < 1.0, "a square");
    assert!(!says(&h, "Magnified view"));
    press(&mut h, Modifiers::ALT, Key::ArrowRight);
    assert!((h.state().app.state.settings.wipe - 0.55).abs() < 1e-4);
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    press(&mut h, Modifiers::ALT, Key::ArrowLeft);
    assert!((h.state().app.state.settings.wipe - 0.45).abs() < 1e-4);
    assert_eq!(review(&h).playback.frame, 0, "no step besides");
    let at = picture.left_center() + vec2(0.25 * picture.width(), 0.0);
    h.hover_at(picture.center());
    h.run_steps(2);
    for (pos, pressed) in [(picture.center(), true), (at, false)] {
        h.event(egui::Event::PointerMoved(pos));
        h.step();
        h.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        h.step();
    }
    h.run_steps(3);
    let wipe = h.state().app.state.settings.wipe;
    assert!((wipe - 0.25).abs() < 0.02, "{wipe}");
    press(&mut h, Modifiers::NONE, Key::C);
    assert_eq!(
        h.state().app.state.settings.arrangement,
        Arrangement::Stacked
    );
    let (original, magnified) = (
        rect_of(&h, Role::Image, "The frame on the screen"),
        rect_of(&h, Role::Image, "Magnified view"),
    );
    assert!(magnified.top() > original.bottom(), "stacked");
}

#[test]
fn a_head_that_moves_too_far_for_the_gain_is_said_on_the_magnified_picture() {
    const NOTE: &str = "too much for α = 10, the magnified picture may show ghosts";
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::HintsSeen]);
    press(&mut h, Modifiers::NONE, Key::M);
    say(&mut h, vec![Command::Seek(36)]);
    assert!(!says(&h, NOTE), "it keeps still");
    let review = h.state_mut().app.state.review.as_mut();
    let recording = &mut review.expect("a recording is open").recording;
    for record in &mut std::sync::Arc::make_mut(recording).frames[33..] {
        if let Some(face) = &mut record.face {
            face.rect.x += 12.0;
        }
    }
    press(&mut h, Modifiers::NONE, Key::ArrowRight);
    let status = rect_of(&h, Role::Status, NOTE);
    let magnified = rect_of(&h, Role::Image, "Magnified view");
    // Over it, not in it: it must not hide what moved.
    assert!(status.bottom() <= magnified.top(), "{status:?}");
    assert!(magnified.x_range().contains(status.left()));
    // In one picture with the original, too.
    press(&mut h, Modifiers::NONE, Key::C);
    assert!(says(&h, NOTE));
    press(&mut h, Modifiers::NONE, Key::C);
    press(&mut h, Modifiers::NONE, Key::C);
    // A smaller gain bears it, and so does a moment when the head has long been still.
    let with = |alpha| MagnifyView {
        alpha,
        lambda_c_px: 64.0,
        ..MagnifyView::default()
    };
    // A step asks for the pictures anew.
    let magnified = |h: &mut Shown, with: MagnifyView| {
        h.state_mut().app.state.settings.magnify = with;
        press(h, Modifiers::NONE, Key::ArrowRight);
    };
    magnified(&mut h, with(0.0));
    assert!(!says(&h, "ghosts"));
    magnified(&mut h, with(10.0));
    assert!(says(&h, NOTE));
    say(&mut h, vec![Command::Seek(250)]);
    magnified(&mut h, with(10.0));
    assert!(!says(&h, "ghosts"));
    // The Lagrangian view leaves the head where it is.
    let glmm = MagnifyView {
        method: MagnifyMethod::Glmm,
        ..with(10.0)
    };
    say(&mut h, vec![Command::Seek(36)]);
    magnified(&mut h, glmm);
    assert!(!says(&h, "ghosts"));
}

#[test]
fn a_camera_has_neither_strips_nor_a_row_under_its_picture() {
    let mut h = open_window((1280.0, 800.0), 1.0, |script| {
        use onset::app::backend::Backend;
        script.open("camera:0", &onset::session::Params::default());
        let mut commands = std::mem::take(&mut script.arriving);
        commands.push(Command::Events {
            generation: script.generation,
            events: story(script, 200, false),
        });
        commands.extend(script.picture(199));
        commands
    });
    h.run_steps(3);
    let spots = &review(&h).spots;
    assert!(spots.iter().any(|s| s.kind == ExpressionKind::Micro));
    assert!(!says(&h, "Onset of ME 1"));
    assert!(!says(&h, "Select a candidate to see its onset"));
    let asked = h.state().asked.borrow();
    assert!(!asked.iter().any(|a| a.starts_with("stills ")));
}

/// Every text that is painted, its place and the part of the window it is painted in.
fn painted(h: &Shown) -> Vec<(String, Rect, Rect)> {
    fn collect(shape: &egui::Shape, clip: Rect, texts: &mut Vec<(String, Rect, Rect)>) {
        match shape {
            egui::Shape::Vec(all) => all.iter().for_each(|shape| collect(shape, clip, texts)),
            egui::Shape::Text(text) => {
                // With the sign that there is more.
                let shown: String = text.galley.rows.iter().map(|row| row.text()).collect();
                let place = text.galley.rect.translate(text.pos.to_vec2());
                texts.push((shown, place, clip));
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    for clipped in &h.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut texts);
    }
    texts
}

#[test]
fn in_a_small_window_the_words_under_the_pictures_are_fewer_and_none_is_cut() {
    let shown = |size: (f32, f32)| {
        let h = chosen(size);
        let mut lines = Vec::new();
        // Whatever is painted, the whole is there for a screen reader.
        for whole in [
            "Onset 101, 00:03.366",
            "Current 106, 00:03.533",
            "Apex 106, 00:03.533",
            "Difference ×4, current − onset",
        ] {
            let below = h.get_by_label(whole).rect();
            let texts = painted(&h).into_iter();
            let here: Vec<_> = texts
                .filter(|(_, at, _)| below.contains(at.center()))
                .collect();
            assert_eq!(here.len(), 2, "{whole}: {here:?}");
            for (text, at, clip) in here {
                let room = below.intersect(clip);
                assert!(
                    at.left() >= room.left() - 0.5 && at.right() <= room.right() + 0.5,
                    "{text}"
                );
                assert!(!text.contains('…'), "{text}");
                lines.push(text);
            }
        }
        lines
    };
    let large = shown((1920.0, 1080.0));
    assert_eq!(
        [&large[0], &large[2], &large[4]],
        ["Onset 101", "Current 106", "Apex 106"]
    );
    let small = shown((960.0, 640.0));
    let known = ["Current 106", "Now 106", "Now"];
    assert!(known.contains(&small[2].as_str()), "{small:?}");
}

#[test]
fn a_picture_of_another_frame_than_the_original_says_so_until_it_has_followed() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    say(&mut h, vec![Command::HintsSeen, Command::Seek(36)]);
    press(&mut h, Modifiers::NONE, Key::M);
    assert!(
        !says(&h, ", 0.20 s after"),
        "it is of the frame on the screen"
    );
    let review = h.state().app.state.review.as_ref();
    let mut views = review.expect("a recording is open").views.clone();
    let (generation, followed) = (views.generation, views.clone());
    views.frame += 6;
    let views_arrive = |h: &mut Shown, views: &onset::session::views::Views| {
        let views = Box::new(views.clone());
        say(h, vec![Command::Views { generation, views }]);
        // A picture that comes at once is waited for without a word.
        h.run_steps(20);
    };
    views_arrive(&mut h, &views);
    assert!(says(&h, ", 0.20 s after"));
    // In one picture with the original, too.
    press(&mut h, Modifiers::NONE, Key::C);
    assert!(says(&h, ", 0.20 s after"));
    views_arrive(&mut h, &followed);
    assert!(!says(&h, ", 0.20 s after"));
}
