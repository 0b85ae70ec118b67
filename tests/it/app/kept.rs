//! An analysis that a project keeps, and a recording that a project does not find.

use egui_kittest::kittest::Queryable;
use onset::app::command::{Command, DialogKind, Effect};
use onset::app::kept::Earlier;
use onset::project::clip::ClipForm;

use super::scripted::{FRAMES, Scripted, missing, status, story};
use super::{SIZE, Shown, assert_tidy, open_window, recording, say, says};

fn asked(h: &Shown, what: &str) -> usize {
    let asked = h.state().asked.borrow();
    asked.iter().filter(|a| a.contains(what)).count()
}

/// The 20-second recording as its project kept it.
fn reopened(other: Option<&str>) -> Shown {
    open_window(SIZE, 1.0, |script: &mut Scripted| {
        use onset::app::backend::Backend;
        script.earlier = Some(Earlier {
            date: "2026-11-27".into(),
            other: other.map(str::to_owned),
        });
        script.open(
            "/recordings/interview 07.mp4",
            &onset::session::Params::default(),
        );
        let mut commands = std::mem::take(&mut script.arriving);
        let generation = script.generation;
        commands.push(Command::HintsSeen);
        commands.push(Command::Events {
            generation,
            events: story(script, FRAMES, true),
        });
        commands.push(Command::Status {
            generation,
            status: status(FRAMES, true),
        });
        commands
    })
}

#[test]
fn an_analysis_that_has_become_whole_is_kept_once() {
    let mut h = recording(SIZE, 1.0, 300, false);
    assert_eq!(asked(&h, "keep the analysis"), 0);
    h = recording(SIZE, 1.0, FRAMES, true);
    assert_eq!(asked(&h, "keep the analysis of 600 frames"), 1);
    let state = &h.state().app.state;
    let review = state.review.as_ref().unwrap();
    assert!(review.analysis_kept);
    // What is kept says what was not known when the analysis began.
    let facts = review.facts();
    assert!(
        facts
            .measured_fps
            .is_some_and(|fps| (fps - 30.0).abs() < 0.1)
    );
    for of_kind in &facts.scores {
        let scored = review.recording.scores.contains_key(&of_kind.kind);
        assert_eq!(of_kind.window_frames.is_some(), scored);
    }
    // Neither looking nor coding keeps it again.
    h.key_press(egui::Key::N);
    h.run_steps(3);
    h.key_press(egui::Key::A);
    h.run_steps(3);
    assert_eq!(asked(&h, "keep the analysis"), 1);
}

#[test]
fn an_analysis_that_failed_on_the_way_is_not_kept() {
    let mut h = recording(SIZE, 1.0, 300, false);
    let state = &mut h.state_mut().app.state;
    let generation = state.review.as_ref().unwrap().session.generation;
    let mut failed = status(300, true);
    failed.failed = Some("The file ends in the middle.".into());
    // What came before is decoded all the same.
    let events = vec![onset::timeline::Event::Spotted {
        intervals: vec![],
        thresholds: vec![],
    }];
    let mut effects = state.apply(Command::Events { generation, events });
    effects.extend(state.apply(Command::Status {
        generation,
        status: failed,
    }));
    let keeps = |e: &Effect| matches!(e, Effect::KeepAnalysis(_));
    assert!(!effects.iter().any(keeps));
}

#[test]
fn a_kept_analysis_is_shown_with_its_date_and_can_be_done_again() {
    let mut h = reopened(None);
    assert!(says(
        &h,
        "2026-11-27 with SOFTNet, weights casme-sq; control signal"
    ));
    assert!(says(&h, "Analysed 2026-11-27"));
    assert!(says(&h, "This analysis is of 2026-11-27; it was kept."));
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.spots.len(), 5);
    assert!(!says(&h, "Decision delay"));
    // It lies in the project already.
    assert_eq!(asked(&h, "keep the analysis"), 0);
    say(&mut h, vec![Command::DismissAll]);
    assert_tidy(&h, SIZE, "a kept analysis");
    h.get_by_label("Analyse again").click();
    h.run_steps(4);
    assert_eq!(asked(&h, "analyse again"), 1);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert!(review.session.earlier.is_none());
}

#[test]
fn a_kept_analysis_that_is_still_being_read_says_how_far_it_is_and_can_be_worked_in() {
    let mut h = open_window(SIZE, 1.0, |script: &mut Scripted| {
        use onset::app::backend::Backend;
        script.earlier = Some(Earlier {
            date: "2026-11-27".into(),
            other: None,
        });
        let params = onset::session::Params::default();
        script.open("/recordings/interview 07.mp4", &params);
        let mut commands = std::mem::take(&mut script.arriving);
        let generation = script.generation;
        let mut half = status(300, false);
        half.pace = onset::session::pace::RecentPace::default();
        commands.extend([
            Command::HintsSeen,
            Command::Events {
                generation,
                events: story(script, 300, false),
            },
            Command::Status {
                generation,
                status: half,
            },
        ]);
        commands
    });
    assert!(says(&h, "Reading the kept analysis: 50 %"));
    assert!(!says(&h, "Analysing: "));
    // What is not read yet can be gone to all the same.
    h.key_press(egui::Key::End);
    h.run_steps(3);
    let review = h.state().app.state.review.as_ref().unwrap();
    assert_eq!(review.playback.frame, FRAMES - 1);
    let generation = review.session.generation;
    // What would have all of it copied for every piece waits.
    let begun = |h: &mut Shown, command| {
        let effects = h.state_mut().app.state.apply(command);
        let writes = |e: &Effect| matches!(e, Effect::Report(_) | Effect::SaveCandidates(_));
        effects.iter().any(writes)
    };
    for command in [Command::Report, Command::Save] {
        assert!(!begun(&mut h, command));
        h.run_steps(3);
        assert!(says(&h, "The kept analysis is still being read"));
        say(&mut h, vec![Command::DismissAll]);
    }
    let clip = h.state().app.state.clip_of(ClipForm::Mp4);
    assert!(clip.unwrap_err().contains("still being read"));
    let whole = status(FRAMES, true);
    say(
        &mut h,
        vec![Command::Status {
            generation,
            status: whole,
        }],
    );
    assert!(!says(&h, "Reading the kept analysis"));
    assert_eq!(asked(&h, "keep the analysis"), 0);
    assert!(begun(&mut h, Command::Report));
}

#[test]
fn other_settings_are_named_with_a_button_beside_them() {
    let why = "This analysis of 2026-11-27 was made with other settings than those chosen now. \
               They differ in the decoding.";
    let mut h = reopened(Some(why));
    assert!(says(&h, "They differ in the decoding."));
    let buttons = h.query_all_by_label("Analyse again").count();
    assert_eq!(buttons, 2, "beside the recording, and in the notice");
    let state = &mut h.state_mut().app.state;
    let effects = state.apply(Command::AnalyseAgain);
    let again = |e: &Effect| matches!(e, Effect::AnalyseAgain(at) if at.ends_with("07.mp4"));
    assert!(effects.iter().any(again));
}

#[test]
fn what_is_open_and_analysed_is_not_analysed_again_by_opening_it() {
    let mut h = recording(SIZE, 1.0, FRAMES, true);
    let state = &mut h.state_mut().app.state;
    let effects = state.apply(Command::Open("/recordings/interview 07.mp4".into()));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Open(_))));
    h.run_steps(3);
    assert!(says(&h, "open and analysed already"));
    let state = &mut h.state_mut().app.state;
    let effects = state.apply(Command::Open("/recordings/other.mp4".into()));
    assert!(effects.iter().any(|e| matches!(e, Effect::Open(_))));
}

#[test]
fn a_recording_that_is_gone_is_asked_for_and_another_one_is_refused() {
    let mut h = open_window(SIZE, 1.0, |_| {
        vec![
            Command::AskWhere(missing("It is not where it was: /recordings")),
            Command::DialogClosed(
                DialogKind::MissingRecording,
                Some("/recordings/other.mp4".into()),
            ),
        ]
    });
    h.run_steps(3);
    let located = "locate /coded/interview 07.onset at /recordings/other.mp4";
    assert_eq!(asked(&h, located), 1);
    assert!(says(&h, "Where is interview 07.mp4?"));
    assert!(says(&h, "Its content is not that of interview 07.mp4"));
    h.get_by_label("Choose…");
    h.get_by_label("Give up").click();
    h.run_steps(4);
    assert!(!says(&h, "Where is interview 07.mp4?"));

    let mut h = open_window(SIZE, 1.0, |_| {
        vec![
            Command::AskWhere(missing("It is not where it was: /recordings")),
            Command::DialogClosed(
                DialogKind::MissingRecording,
                Some("/moved/interview 07.mp4".into()),
            ),
        ]
    });
    h.run_steps(3);
    assert!(h.state().app.state.review.is_some());
    assert!(!says(&h, "Where is interview 07.mp4?"));
}
