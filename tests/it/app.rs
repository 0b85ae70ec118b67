//! The window without a display: scripted events in, accessible nodes out.

#[path = "app/batch.rs"]
mod batch;
#[path = "app/blind.rs"]
mod blind;
#[path = "app/clip.rs"]
mod clip;
#[path = "app/coding.rs"]
mod coding;
#[path = "app/comfort.rs"]
mod comfort;
#[path = "app/docked.rs"]
mod docked;
#[path = "app/import.rs"]
mod import;
#[path = "app/kept.rs"]
mod kept;
#[path = "app/killed.rs"]
mod killed;
#[path = "app/length.rs"]
mod length;
#[path = "app/live.rs"]
mod live;
#[path = "app/long.rs"]
mod long;
#[path = "app/passes.rs"]
mod passes;
#[path = "app/pictures.rs"]
mod pictures;
#[path = "app/plain_words.rs"]
mod plain_words;
#[path = "app/recent.rs"]
mod recent;
#[path = "app/scripted.rs"]
mod scripted;
#[path = "app/second_look.rs"]
mod second_look;
#[path = "app/shown.rs"]
mod shown;
#[path = "app/stepped.rs"]
mod stepped;
#[path = "app/two_coders.rs"]
mod two_coders;
#[path = "app/waiting.rs"]
mod waiting;
#[path = "app/walks.rs"]
mod walks;

use std::rc::Rc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use onset::app::command::{Command, SideTab, View};
use onset::app::panels::source::LIMITS;
use onset::app::settings::ThemeChoice;
use onset::base::Notice;
use onset::session::magnified_view::{MagnifyMethod, MagnifyView};
use onset::spotting::IntervalStatus;
use onset::timeline::Event;

use scripted::{FRAMES, Scripted, status, story};
use shown::{
    NONE, SIZE, SIZES, Shown, assert_tidy, labels, looked_at, open_window, open_with_settings,
    pieces, press, recording, say, says, state_after,
};

#[test]
fn nothing_overlaps_or_leaves_the_window() {
    for (size, scale) in SIZES {
        let mut harness = recording(size, scale, FRAMES, true);
        assert!(says(&harness, "Space plays; Left and Right go one frame."));
        assert_tidy(&harness, size, &format!("{size:?} ×{scale} first run"));
        harness.get_by_label("Got it").click();
        for tab in [SideTab::Candidates, SideTab::Log, SideTab::Settings] {
            say(&mut harness, vec![Command::ShowTab(tab)]);
            assert_tidy(&harness, size, &format!("{size:?} ×{scale} {tab:?}"));
        }
        say(
            &mut harness,
            vec![
                Command::ShowTab(SideTab::Candidates),
                Command::ToggleView(View::Flow),
                Command::ToggleView(View::Strain),
                Command::SelectTime(Some((3.0, 4.0))),
                Command::Theme(ThemeChoice::Light),
            ],
        );
        assert_tidy(&harness, size, &format!("{size:?} ×{scale} three views"));
        for method in MagnifyMethod::ALL {
            let with = MagnifyView {
                method,
                ..MagnifyView::default()
            };
            say(&mut harness, vec![Command::Magnify(with)]);
            if method == MagnifyMethod::Evm {
                say(&mut harness, vec![Command::ToggleView(View::Magnified)]);
            }
            let what = format!("{size:?} ×{scale} four views, {}", method.name());
            assert_tidy(&harness, size, &what);
        }
        let harness = recording(size, scale, 300, false);
        assert_tidy(&harness, size, &format!("{size:?} ×{scale} analysing"));
    }
}

/// The window with the candidate selected whose label holds this.
fn selected(candidate: &str) -> Shown {
    // High enough for the whole list.
    let mut h = recording((1280.0, 1000.0), 1.0, FRAMES, true);
    h.get_by(|n| {
        n.role() == Role::ListBoxOption && n.label().is_some_and(|l| l.contains(candidate))
    })
    .click();
    h.run_steps(4);
    h
}

#[test]
fn the_list_says_what_moved_and_how_sure_the_class_is() {
    let h = recording((1280.0, 1000.0), 1.0, FRAMES, true);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.recording.recognised.len(), 4);
    for text in [
        "frame 106, score 0.71, AU 6+L12, positive 0.71",
        "frame 343, score 0.58, no unit stands out, undecided",
        "frame 564, score 0.46, no action units",
    ] {
        assert!(says(&h, text), "{text}");
    }
    // While it is still to come nothing is said of it.
    let h = recording((1280.0, 800.0), 1.0, 300, false);
    assert!(says(&h, "frame 106, score 0.71"));
    assert!(!says(&h, "no action units") && !says(&h, "0.71, "));
}

#[test]
fn what_moved_in_the_selected_candidate_is_a_bar_a_unit_with_its_class_below() {
    let h = selected("apex frame 106");
    for text in [
        "What moved",
        "ME, from frame 101 to 106",
        "AU L12 lip corner puller 0.83, present",
        "AU 6 cheek raiser 0.64, present",
        "AU 1 inner brow raiser 0.02, not present",
        "most likely: positive (0.71)",
        "class surprise 0.19",
        "Tick on a bar: present from there on",
        "ambiguous 0.40: how far several classes fit",
        "unfamiliar 0.05: how far networks disagree",
        "Movements and probabilities, for a person to judge.",
    ] {
        assert!(says(&h, text), "{text}");
    }
    let bars: Vec<(f64, f32)> = h
        .root()
        .children_recursive()
        .filter(|n| n.accesskit_node().role() == Role::Meter)
        .map(|n| {
            let value = n.accesskit_node().numeric_value();
            (value.expect("a bar has a value"), n.rect().height())
        })
        .collect();
    assert_eq!(bars.len(), 17 + 3);
    assert!(bars.iter().any(|(v, _)| (v - 0.83).abs() < 1e-9));
    assert!(bars.iter().all(|(_, high)| *high > 10.0), "all in sight");
}

#[test]
fn a_class_that_is_too_unsure_is_not_named() {
    let h = selected("frame 185");
    assert!(says(&h, "undecided") && !says(&h, "most likely"));
    assert!(says(&h, "AU 2 outer brow raiser 0.66, present"));
    let h = selected("frame 564");
    assert!(says(&h, "No action units: the log says why."));
}

#[test]
fn without_a_selection_what_moved_just_now_is_shown_for_files_and_cameras() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(&mut h, vec![Command::Seek(60)]);
    assert!(says(&h, "in the 0.6 s before frame 60"));
    assert!(says(&h, "AU R4 brow lowerer 0.61, present"));
    assert!(says(&h, "most likely: negative (0.80)"));
    say(&mut h, vec![Command::Seek(400)]);
    assert!(says(&h, "There is no face in this frame."));
    let h = open_window((1280.0, 800.0), 1.0, |script| {
        use onset::app::backend::Backend;
        script.open("camera:0", &onset::session::Params::default());
        let mut commands = std::mem::take(&mut script.arriving);
        commands.push(Command::Events {
            generation: script.generation,
            events: story(script, 40, false),
        });
        commands.extend(script.picture(36));
        commands
    });
    assert!(says(&h, "AU R4 brow lowerer 0.61, present"));
    assert!(says(
        &h,
        "Movements and probabilities, for a person to judge."
    ));
}

#[test]
fn a_candidate_chosen_by_its_key_comes_into_sight_in_the_list() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(!says(&h, "frame 509"), "further down");
    for _ in 0..4 {
        h.key_press(Key::N);
        h.run_steps(3);
    }
    let row = h.get_by(|n| {
        n.role() == Role::ListBoxOption && n.label().is_some_and(|l| l.contains("frame 509"))
    });
    assert!(row.rect().height() > 80.0, "{:?}", row.rect());
}

#[test]
fn g_lays_the_attention_over_the_face_from_onset_to_offset() {
    let mut h = selected("apex frame 106");
    assert!(!says(&h, "where the network looks"), "off at first");
    h.key_press(Key::G);
    h.run_steps(3);
    assert!(h.state().app.state.settings.overlays.attention);
    assert!(says(&h, "AU 12: where the network looks"));
    h.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    h.run_steps(4);
    assert!(says(&h, "Attention: shown from frame 101 to 111"));
    // Without a candidate it is of what the bars show.
    h.key_press(Key::Escape);
    h.run_steps(5);
    assert!(
        says(&h, "AU 4: where the network looks"),
        "{:#?}",
        labels(&h)
    );
    h.get_by_role_and_label(Role::Button, "Attention").click();
    h.run_steps(3);
    assert!(!says(&h, "Attention: "));
}

#[test]
fn a_decided_candidate_keeps_what_moved_in_it_when_the_recording_is_decoded_anew() {
    let h = state_after(&[(Modifiers::NONE, Key::N), (Modifiers::NONE, Key::A)]);
    let mut review = h.state().app.state.review.clone().unwrap();
    let moved = |review: &onset::app::review::Review| {
        let spot = review.spots[0].clone();
        review.recognised_in(&spot).map(|r| (r.onset, r.apex))
    };
    assert_eq!(moved(&review), Some((101, 106)));
    let mut intervals = review.recording.intervals.clone();
    (intervals[0].onset, intervals[0].apex) = (102, 107);
    review.tell(Event::Spotted {
        intervals,
        thresholds: vec![],
    });
    let mut again = review.recording.recognised[&(101, 106)].clone();
    (again.onset, again.apex) = (102, 107);
    std::sync::Arc::make_mut(&mut review.recording)
        .recognised
        .clear();
    assert_eq!(moved(&review), None);
    review.tell(Event::Recognised(Box::new(again)));
    assert_eq!(moved(&review), Some((102, 107)));
}

#[test]
fn the_first_run_says_that_movements_are_shown_and_never_a_feeling() {
    let h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(says(
        &h,
        "Onset shows movements and probabilities for a person to judge."
    ));
    assert!(says(&h, "It never states what anyone feels."));
    assert!(says(&h, "G shows where the network looked"));
}

#[test]
fn the_empty_window_has_one_sentence_and_one_button() {
    let harness = open_window((1280.0, 800.0), 1.0, |_| vec![]);
    assert!(says(
        &harness,
        "Open a recording to spot its macro- and micro-expressions."
    ));
    assert!(says(&harness, LIMITS));
    harness
        .get_all_by_role_and_label(Role::Button, "Open recording…")
        .last()
        .expect("the button in the middle")
        .click();
    let mut harness = harness;
    harness.step();
    harness.step();
    assert!(harness.state().app.state.entrance.dialog_since.is_some());
}

#[test]
fn a_recording_that_cannot_be_opened_says_why_in_the_middle() {
    let mut harness = open_window((1280.0, 800.0), 1.0, |_| {
        vec![Command::Open("/nowhere/missing.mp4".into())]
    });
    harness.run_steps(3);
    assert!(says(
        &harness,
        "Cannot open the recording: no such file or folder. Check the name: /nowhere/missing.mp4"
    ));
    assert!(harness.state().app.state.review.is_none());
}

#[test]
fn a_failed_open_leaves_the_open_recording_alone() {
    let mut harness = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(&mut harness, vec![]);
    harness.state_mut().app.state.apply(Command::OpenFailed {
        input: "missing.mp4".into(),
        why: "Cannot open the recording: no such file or folder.".into(),
    });
    harness.run_steps(2);
    assert!(says(&harness, "no such file or folder"));
    assert!(says(&harness, "interview 07.mp4"));
}

#[test]
fn a_session_that_fails_keeps_what_was_recorded() {
    let mut harness = recording((1280.0, 800.0), 1.0, 300, false);
    let mut failed = status(300, false);
    failed.failed = Some("The analysis stopped: the disk is full.".into());
    let generation = harness
        .state()
        .app
        .state
        .review
        .as_ref()
        .unwrap()
        .session
        .generation;
    say(
        &mut harness,
        vec![Command::Status {
            generation,
            status: failed,
        }],
    );
    assert!(says(&harness, "The analysis stopped: the disk is full."));
    assert!(says(&harness, "What was recorded is kept."));
    let review = harness.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.recording.frames.len(), 300);
    assert_eq!(review.spots.len(), 2);
}

#[test]
fn what_an_older_session_tells_is_discarded() {
    let mut harness = recording((1280.0, 800.0), 1.0, 100, false);
    let script = Scripted::new(Rc::default());
    say(
        &mut harness,
        vec![Command::Events {
            generation: 0,
            events: story(&script, 50, false),
        }],
    );
    let review = harness.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.recording.frames.len(), 100);
}

#[test]
fn keys_step_play_and_change_the_speed() {
    let none = Modifiers::NONE;
    let h = state_after(&[
        (none, Key::ArrowRight),
        (Modifiers::SHIFT, Key::ArrowRight),
        (none, Key::ArrowLeft),
    ]);
    assert_eq!(
        h.state().app.state.review.as_ref().unwrap().playback.frame,
        10
    );
    let h = state_after(&[(none, Key::End)]);
    assert_eq!(
        h.state().app.state.review.as_ref().unwrap().playback.frame,
        FRAMES - 1
    );
    let h = state_after(&[(none, Key::Space), (none, Key::OpenBracket)]);
    assert!(
        h.state()
            .app
            .state
            .review
            .as_ref()
            .unwrap()
            .playback
            .playing
    );
    assert_eq!(h.state().app.state.settings.speed, 0.5);
    let asked = h.state().asked.borrow();
    assert!(asked.iter().any(|a| a == "Play"));
    assert!(asked.iter().any(|a| a == "Speed(0.5)"));
}

#[test]
fn keys_go_to_candidates_and_judge_them() {
    let none = Modifiers::NONE;
    let h = state_after(&[
        (none, Key::N),
        (none, Key::A),
        (none, Key::N),
        (none, Key::R),
    ]);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.playback.frame, 185);
    assert_eq!(review.spots[0].status, IntervalStatus::Accepted);
    assert_eq!(review.spots[1].status, IntervalStatus::Rejected);
    assert!(says(&h, "MaE rejected"));
    let h = state_after(&[(none, Key::N), (none, Key::A)]);
    assert!(says(&h, "ME accepted"));
    let h = state_after(&[(none, Key::N), (none, Key::A), (Modifiers::COMMAND, Key::Z)]);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.spots[0].status, IntervalStatus::Proposed);
}

#[test]
fn the_question_mark_shows_every_key_of_the_room_and_escape_closes_it() {
    use onset::app::command::Room;
    let mut h = state_after(&[(Modifiers::SHIFT, Key::Questionmark)]);
    for binding in onset::app::keys::BINDINGS {
        let here = binding.scope.holds(Room::Review);
        assert!(!here || says(&h, binding.does), "{}", binding.does);
    }
    for (name, rect) in pieces(&h) {
        assert!(
            Rect::from_min_size(egui::Pos2::ZERO, vec2(1280.0, 800.0)).contains_rect(rect),
            "{name} {rect:?}"
        );
    }
    h.key_press(Key::Escape);
    h.run_steps(3);
    assert!(h.state().app.state.sheet.is_none());
}

#[test]
fn a_letter_typed_into_the_path_box_is_no_command() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    h.get_by_label("Path to open").focus();
    h.run_steps(2);
    h.get_by_label("Path to open").type_text("n");
    h.key_press(Key::N);
    h.run_steps(2);
    let state = &h.state().app.state;
    assert!(state.review.as_ref().unwrap().selected.is_none());
    assert!(state.entrance.path.contains('n'));
}

#[test]
fn every_axis_states_its_unit() {
    let h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(says(
        &h,
        "Scores of micro-expressions: score (0–1) over time (s)"
    ));
    assert!(says(
        &h,
        "Scores of macro-expressions: strain (px/px) over time (s)"
    ));
}

#[test]
fn which_signal_speaks_and_the_limits_are_in_sight() {
    let h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(says(&h, "SOFTNet, weights casme-sq"));
    assert!(says(
        &h,
        "control signal (strain over the ROIs, no network)"
    ));
    assert!(says(&h, LIMITS));
}

#[test]
fn the_strip_names_rates_delays_and_a_software_adapter() {
    let h = recording((1280.0, 800.0), 1.0, 300, false);
    for text in [
        "14.2 frames/s",
        "1.20 s",
        "0 frames",
        "Runs on",
        "the processor (llvmpipe (LLVM 15.0.6, 256 bits))",
    ] {
        assert!(says(&h, text), "{text}");
    }
}

#[test]
fn the_time_left_is_by_the_pace_of_the_last_seconds_not_of_the_last_frames() {
    let mut h = recording((1280.0, 800.0), 1.0, 300, false);
    // 300 frames at 14.2 a second.
    assert!(says(&h, "Analysing: 50 %, about 20 s left"));
    let review = h.state().app.state.review.as_ref().unwrap();
    let generation = review.session.generation;
    let mut stuttered = status(300, false);
    stuttered.analysed_fps = 1.0;
    let status = stuttered;
    say(&mut h, vec![Command::Status { generation, status }]);
    assert!(says(&h, "Analysing: 50 %, about 20 s left"));
}

#[test]
fn candidates_are_ranked_and_a_click_goes_to_the_apex() {
    let mut h = recording((1280.0, 1000.0), 1.0, FRAMES, true);
    let ranked: Vec<String> = labels(&h)
        .into_iter()
        .filter(|l| l.contains(" proposed, onset "))
        .collect();
    assert_eq!(ranked.len(), 5);
    let first = "1. ME proposed, onset 0:00:03.366 frame 101 to 111, apex frame 106, score 0.71";
    assert!(ranked[0].starts_with(first), "{}", ranked[0]);
    h.get_by_label(&ranked[1]).click();
    h.run_steps(3);
    assert_eq!(
        h.state().app.state.review.as_ref().unwrap().playback.frame,
        343
    );
}

#[test]
fn notices_stand_in_the_corner_until_dismissed_and_stay_in_the_log() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(
        &mut h,
        vec![Command::Say(Notice::warning("Two packets are damaged."))],
    );
    assert!(says(&h, "Two packets are damaged."));
    h.get_by_label("Dismiss").click();
    h.run_steps(3);
    assert!(!says(&h, "Two packets are damaged."));
    say(&mut h, vec![Command::ShowTab(SideTab::Log)]);
    assert!(says(&h, "Two packets are damaged."));
}

#[test]
fn a_dialog_that_never_answers_and_one_that_never_appears_are_explained() {
    let mut h = open_window((1280.0, 800.0), 1.0, |_| vec![]);
    let state = &mut h.state_mut().app.state;
    state.entrance.dialog_since = Some(0.0);
    state.apply(Command::Clock(25.0));
    assert!(
        state
            .notices
            .text()
            .contains("has not answered for 20 seconds")
    );
    state.apply(Command::DialogClosed(
        onset::app::command::DialogKind::Recording,
        None,
    ));
    assert_eq!(state.notices.entries().len(), 1);
    state.entrance.dialog_since = Some(25.0);
    state.apply(Command::DialogClosed(
        onset::app::command::DialogKind::Recording,
        None,
    ));
    assert!(
        state
            .notices
            .text()
            .contains("No file dialog could be shown")
    );
}

#[test]
fn nothing_is_repainted_while_nothing_happens() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    h.run_steps(20);
    let delay = h.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > std::time::Duration::from_secs(1), "{delay:?}");
}

#[test]
fn a_click_on_the_timeline_goes_there_and_the_wheel_zooms_at_the_pointer() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    let lane = h
        .get_by_label_contains("Scores of macro-expressions")
        .rect();
    // Between two candidates, in the middle of the recording.
    let at = lane.center();
    h.hover_at(at);
    h.run_steps(2);
    for pressed in [true, false] {
        h.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        h.step();
    }
    h.run_steps(3);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert!(
        (290..310).contains(&review.playback.frame),
        "{}",
        review.playback.frame
    );
    let before = review.view();
    h.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Line,
        delta: vec2(0.0, 4.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    h.run_steps(10);
    let review = h.state().app.state.review.as_ref().unwrap();
    let after = review.view();
    assert!(after.span() < before.span());
    let middle = |v: onset::app::time_view::TimeView| 0.5 * (v.start + v.end);
    assert!((middle(after) - middle(before)).abs() < 0.05 * before.span());
}

#[test]
fn a_moved_threshold_hides_what_lies_below_it() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    say(
        &mut h,
        vec![Command::Floor(
            onset::spotting::ExpressionKind::Micro,
            Some(0.6),
        )],
    );
    assert!(says(&h, "threshold 0.60 (moved) leaves 1"));
    assert!(says(&h, "; 2 below the line"));
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.ranked().len(), 3);
}

#[test]
fn decisions_outlive_a_second_analysis_and_are_saved_before_another_recording() {
    use onset::app::backend::OpenedSession;
    use onset::app::command::Effect;
    let mut h = state_after(&[(Modifiers::NONE, Key::N), (Modifiers::NONE, Key::A)]);
    let state = &mut h.state_mut().app.state;
    let again = OpenedSession {
        generation: 7,
        project: Some("/recordings/interview 07.onset".into()),
        ..state.review.as_ref().unwrap().session.clone()
    };
    state.apply(Command::Opened(Box::new(again.clone())));
    // As where the project file cannot be written.
    state.review.as_mut().unwrap().unsaved = true;
    state.apply(Command::Opened(Box::new(again.clone())));
    let review = state.review.as_ref().unwrap();
    assert_eq!(review.coding.decided(IntervalStatus::Accepted), 1);
    assert!(review.unsaved);
    let mut other = again;
    other.info.path = Some("/recordings/other.mp4".into());
    let effects = state.apply(Command::Opened(Box::new(other)));
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::SaveCandidates(_)))
    );
    assert!(!state.review.as_ref().unwrap().unsaved);
}

#[test]
fn a_camera_shows_its_pictures_and_its_name() {
    let mut h = open_window((1280.0, 800.0), 1.0, |_| {
        vec![
            Command::Open("camera:0".into()),
            Command::HintsSeen,
            Command::ListCameras,
        ]
    });
    h.run_steps(3);
    assert!(says(&h, "Scripted camera"));
    let state = &h.state().app.state;
    assert!(matches!(&state.entrance.cameras,
        onset::app::entrance::Cameras::Found(list) if list[0].name == "Integrated camera"));
}

#[test]
fn m_shows_the_magnified_view_with_sliders_that_act_at_once() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(!says(&h, "Gain"));
    h.key_press(Key::M);
    h.run_steps(4);
    assert!(h.state().app.state.settings.shown.magnified);
    for text in ["Gain α", "Band, at most 15.0 Hz", "from", "Magnified view"] {
        assert!(says(&h, text), "{text}");
    }
    let count = |h: &Shown| h.state().app.state.review.as_ref().unwrap().views_count;
    let before = count(&h);
    h.get_by_label("GLMM").click();
    h.run_steps(4);
    let settings = &h.state().app.state.settings;
    assert_eq!(settings.magnify.method, MagnifyMethod::Glmm);
    assert!(says(&h, "Gain σ") && !says(&h, "Band, at most"));
    assert!(count(&h) > before, "the view is drawn anew");
    let wild = MagnifyView {
        sigma: 1e9,
        ..MagnifyView::default()
    };
    say(&mut h, vec![Command::Magnify(wild)]);
    assert_eq!(h.state().app.state.settings.magnify.sigma, 50.0);
    h.key_press(Key::M);
    h.run_steps(4);
    assert!(!says(&h, "Gain"));
}

#[test]
fn a_slow_moment_of_a_camera_leaves_the_chosen_band_as_it_was() {
    use onset::base::Timestamp;
    use onset::timeline::event::FrameRecord;
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    h.key_press(Key::M);
    h.run_steps(4);
    let review = h.state().app.state.review.as_ref().unwrap();
    let generation = review.session.generation;
    // Half of 600 frames in 147 s is 2.0408 Hz, which a slider rounds.
    let late = FrameRecord {
        frame: FRAMES,
        timestamp: Timestamp::from_secs(147.0),
        dropped_before: 0,
        face: None,
        others: vec![],
    };
    let events = vec![Event::Frame(Box::new(late))];
    say(&mut h, vec![Command::Events { generation, events }]);
    h.run_steps(6);
    assert!(says(&h, "Band, at most 2.0 Hz"));
    let settings = &h.state().app.state.settings;
    assert_eq!(settings.magnify, MagnifyView::default());
}

#[test]
fn a_view_of_the_recording_before_is_not_shown() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    let review = h.state().app.state.review.as_ref().unwrap();
    let (generation, before) = (review.session.generation, review.views_count);
    let old = onset::session::views::Views {
        generation: generation - 1,
        ..Default::default()
    };
    say(
        &mut h,
        vec![Command::Views {
            generation: old.generation,
            views: Box::new(old),
        }],
    );
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.views_count, before);
    assert_eq!(review.views.generation, generation);
}

#[test]
fn the_strip_says_nothing_of_a_camera_below_a_file_nor_of_a_finished_file_beside_a_queue() {
    let mut h = recording((1280.0, 800.0), 1.0, FRAMES, true);
    assert!(says(&h, "Analysis") && !says(&h, "Dropped") && !says(&h, "Latency"));
    assert!(!says(&h, "Decision delay"));
    h.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    h.run_steps(3);
    assert!(!says(&h, "Analysis finished"));
}
