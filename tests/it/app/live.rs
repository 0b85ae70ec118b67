//! The Live room: started, frozen, recorded and shown to an audience by keys alone.

use super::*;
use egui_kittest::kittest::Queryable as _;
use onset::app::backend::Backend as _;
use onset::app::coding::SpotKey;
use onset::app::command::Room;
use onset::timeline::FrameRecord;
use onset::timeline::event::Recognised;
use scripted::{FROZEN, recognised, time};

fn key(window: &mut Shown, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run_steps(4);
}

fn press(window: &mut Shown, pressed: Key) {
    key(window, Modifiers::NONE, pressed);
}

fn asked(window: &Shown) -> Vec<String> {
    window.state().asked.borrow().clone()
}

/// A camera that has run for ten seconds.
pub(super) fn camera() -> Shown {
    open_window((1280.0, 800.0), 1.0, |script| {
        script.open("camera:0", &onset::session::Params::default());
        let generation = script.generation;
        let events = story(script, 300, false);
        let mut commands = std::mem::take(&mut script.arriving);
        commands.push(Command::Events { generation, events });
        commands.extend(script.picture(299));
        commands
    })
}

fn review(window: &Shown) -> &onset::app::review::Review {
    window.state().app.state.review.as_ref().expect("open")
}

#[test]
fn a_camera_is_started_and_its_units_read_with_two_keys() {
    let mut window = open_window((1280.0, 800.0), 1.0, |_| vec![]);
    key(&mut window, Modifiers::COMMAND, Key::Num3);
    assert!(window.query_by_label("Start Integrated camera").is_some());
    press(&mut window, Key::Enter);
    assert!(asked(&window).contains(&"open camera:0".to_owned()));
    assert_eq!(window.state().app.state.settings.room, Room::Live);
    // The panel bears the name that it has in every room, over its heading.
    let tab = window.query_by_role_and_label(Role::Button, "What moved");
    assert!(tab.is_some());
}

#[test]
fn space_freezes_the_arrows_go_back_and_escape_returns() {
    let mut window = camera();
    assert_eq!(window.state().app.state.settings.room, Room::Live);
    press(&mut window, Key::Space);
    assert!(asked(&window).contains(&"Freeze".to_owned()));
    assert_eq!(review(&window).frozen, Some(FROZEN));
    assert_eq!(review(&window).playback.frame, FROZEN.1);
    let view = review(&window).view();
    press(&mut window, Key::ArrowLeft);
    assert!(asked(&window).contains(&format!("Seek({})", FROZEN.1 - 1)));
    press(&mut window, Key::Home);
    assert_eq!(review(&window).playback.frame, FROZEN.0);
    press(&mut window, Key::ArrowLeft);
    assert_eq!(review(&window).playback.frame, FROZEN.0, "no further");
    press(&mut window, Key::End);
    assert_eq!(review(&window).playback.frame, FROZEN.1);
    assert_eq!(review(&window).view(), view, "the timeline stands");
    press(&mut window, Key::Space);
    assert!(review(&window).playback.playing);
    press(&mut window, Key::Escape);
    assert!(asked(&window).contains(&"Live".to_owned()));
    assert_eq!(review(&window).frozen, None);
    assert!(!review(&window).playback.playing);
}

#[test]
fn a_recording_is_begun_and_ended_by_one_key_and_says_how_it_gets_on() {
    let mut window = camera();
    key(&mut window, Modifiers::COMMAND, Key::R);
    assert!(asked(&window).contains(&"record true".to_owned()));
    let generation = review(&window).session.generation;
    let news = |ended| {
        Box::new(onset::app::camera_side::RecordingNews {
            state: onset::media::recorder::RecordingState {
                path: "/videos/Onset/camera.mkv".into(),
                secs: 8.0,
                frames: 240,
                bytes: 8_000_000,
                first: Some((10, scripted::time(10))),
                last: Some((249, scripted::time(249))),
                lost: 0,
                free: Some(36_000_000_000),
                failed: None,
            },
            ended,
        })
    };
    let told = |ended| Command::Recording {
        generation,
        news: news(ended),
    };
    window.state_mut().app.state.apply(told(false));
    window.run_steps(3);
    assert!(window.query_by_label("Stop recording").is_some());
    let progress = "0:08 · 8.0 MB · 3.6 GB an hour · room for 10 h";
    assert!(window.query_by_label(progress).is_some());
    key(&mut window, Modifiers::COMMAND, Key::R);
    assert!(asked(&window).contains(&"record false".to_owned()));
    let effects = window.state_mut().app.state.apply(told(true));
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, onset::app::command::Effect::RecordedTracks(_)))
    );
    window.run_steps(3);
    assert!(window.query_by_label("Record").is_some());
    assert!(
        window
            .query_by_label_contains("Recorded 0:00:08.000")
            .is_some()
    );
}

#[test]
fn on_the_whole_screen_only_the_pictures_and_what_moves_are_left() {
    let mut window = camera();
    assert!(window.query_by_label("Open recording…").is_some());
    press(&mut window, Key::F11);
    assert!(window.query_by_label("Open recording…").is_none());
    assert!(window.query_by_label("What moved").is_some());
    press(&mut window, Key::Escape);
    assert!(window.query_by_label("Open recording…").is_some());
}

#[test]
fn a_camera_outlives_a_file_that_does_not_open_but_not_another_camera() {
    let mut window = camera();
    let failed = |input: &str| Command::OpenFailed {
        input: input.to_owned(),
        why: format!("{input} does not open"),
    };
    say(&mut window, vec![failed("/videos/none.mp4")]);
    assert!(review(&window).session.info.live);
    assert!(says(&window, "/videos/none.mp4 does not open"));
    // It was let go for the other one: the room where one is chosen says why there is none.
    say(&mut window, vec![failed("camera:1")]);
    assert!(window.state().app.state.review.is_none());
    assert!(says(&window, "camera:1 does not open"));
    assert!(window.query_by_label("Start Integrated camera").is_some());
}

#[test]
fn a_recording_does_not_stay_in_the_room_of_cameras() {
    let mut window = recording((1280.0, 800.0), 1.0, FRAMES, true);
    key(&mut window, Modifiers::COMMAND, Key::Num3);
    assert!(window.query_by_label("Start Integrated camera").is_some());
    key(&mut window, Modifiers::COMMAND, Key::Num1);
    assert!(window.query_by_label("Start Integrated camera").is_none());
    assert!(window.query_by_label_contains("Candidates").is_some());
}

#[test]
fn g_shows_where_the_network_looks_while_the_camera_runs_and_in_its_last_half_minute() {
    let mut window = camera();
    press(&mut window, Key::G);
    assert!(says(&window, "AU 4: where the network looks"));
    press(&mut window, Key::Space);
    press(&mut window, Key::Home);
    assert!(says(&window, "AU 4: where the network looks"));
    assert_eq!(
        review(&window).moment.as_ref().map(|m| m.timestamp),
        Some(scripted::time(FROZEN.0))
    );
    press(&mut window, Key::Escape);
    // What was found long ago is not laid over a face that moves on.
    let generation = review(&window).session.generation;
    let mut found = review(&window).moment.clone().expect("found");
    found.timestamp = scripted::time(200);
    let frame = window
        .state()
        .app
        .state
        .review
        .as_ref()
        .and_then(|r| r.playback.picture.clone());
    let frame = onset::media::Frame {
        index: 299,
        timestamp: scripted::time(299),
        ..frame.expect("a picture")
    };
    say(
        &mut window,
        vec![
            Command::Picture { generation, frame },
            Command::Attention(Box::new(found)),
        ],
    );
    assert!(says(&window, "Attention: the network is looking…"));
}

#[test]
fn the_second_look_follows_the_cameras_newest_candidate() {
    let mut window = open_window((1280.0, 1400.0), 1.0, |script| {
        script.looks_again = true;
        script.open("camera:0", &onset::session::Params::default());
        let generation = script.generation;
        let mut events = story(script, 300, false);
        events.extend(scripted::recognised(script));
        let mut commands = std::mem::take(&mut script.arriving);
        commands.push(Command::Events { generation, events });
        commands.extend(script.picture(299));
        commands
    });
    press(&mut window, Key::S);
    // 160 to 185 is the newest one that is not still to come.
    assert!(says(
        &window,
        "Of the newest candidate, frame 160 to 185, 4 s ago"
    ));
    assert!(says(
        &window,
        "Attention of block 3, head 2, most: picture at ×13 looks at ×11"
    ));
    let older = review(&window).spots[0].clone();
    say(
        &mut window,
        vec![Command::Select(Some(onset::app::coding::SpotKey::of(
            &older,
        )))],
    );
    assert!(!says(&window, "Of the newest candidate"));
    assert!(says(&window, "LED-SSSNet"));
}

#[test]
fn hours_of_a_camera_keep_pictures_only_where_one_can_go_back_to_or_looks() {
    let mut window = camera();
    let generation = review(&window).session.generation;
    let mut script = Scripted::new(Rc::default());
    script.looks_again = true;
    let mut told = recognised(&script);
    let Event::Recognised(first) = told.remove(0) else {
        panic!("what moved in the first candidate");
    };
    assert!(first.has_pictures());
    let key = (first.onset, first.apex);
    let read = |onset: u64| {
        Event::Recognised(Box::new(Recognised {
            onset,
            apex: onset + 5,
            ..(*first).clone()
        }))
    };
    let runs = |window: &mut Shown, frames: std::ops::Range<u64>| {
        let mut events = Vec::new();
        for frame in frames {
            events.push(Event::Frame(Box::new(FrameRecord {
                frame,
                timestamp: time(frame),
                dropped_before: 0,
                face: None,
                others: vec![],
            })));
            if frame % 60 == 0 {
                events.push(read(frame - 8));
            }
        }
        say(window, vec![Command::Events { generation, events }]);
    };
    let pictured = |window: &Shown| -> Vec<(u64, u64)> {
        let all = review(window).recording.recognised.iter();
        let with = all.filter(|(_, r)| r.has_pictures());
        with.map(|(key, _)| *key).collect()
    };
    let events = vec![Event::Recognised(first.clone())];
    say(&mut window, vec![Command::Events { generation, events }]);
    // For ten minutes the picture stands while the camera goes on.
    press(&mut window, Key::Space);
    runs(&mut window, 300..18_300);
    let kept = pictured(&window);
    assert_eq!(kept[..2], [key, (292, 297)], "what can be gone through");
    assert!((14..=16).contains(&kept[2..].len()), "{kept:?}");
    assert!(
        kept[2..].iter().all(|k| k.1 > 17_300),
        "the last half minute"
    );
    assert_eq!(review(&window).recording.recognised.len(), 301);
    // Gone through no more, but looked at.
    let spot = review(&window).spots.iter().find(|s| s.onset == key.0);
    let spot = SpotKey::of(spot.expect("the first candidate"));
    press(&mut window, Key::Escape);
    say(&mut window, vec![Command::Select(Some(spot))]);
    runs(&mut window, 18_300..18_400);
    assert!(pictured(&window).contains(&key));
    say(&mut window, vec![Command::Select(None)]);
    runs(&mut window, 18_400..18_500);
    assert!(!pictured(&window).contains(&key));
    let units = &review(&window).recording.recognised[&key].recognition;
    assert_eq!(units, &first.recognition, "the numbers stay");
}

#[test]
fn what_was_said_of_a_lost_camera_leaves_the_corner_once_it_is_back() {
    let mut window = camera();
    let state = &mut window.state_mut().app.state;
    let session = state.review.as_ref().expect("open").session.clone();
    let name = session.info.name.clone();
    let lost = format!("The camera was lost: it was unplugged; plug it in again. {name}");
    let mut status = state.review.as_ref().expect("open").status.clone();
    status.failed = Some(lost.clone());
    let generation = session.generation;
    say(
        &mut window,
        vec![
            Command::Say(onset::base::Notice::warning("The disk is nearly full.")),
            Command::Status { generation, status },
        ],
    );
    assert!(says(&window, &lost));
    let again = onset::app::backend::OpenedSession {
        generation: generation + 1,
        ..session
    };
    say(&mut window, vec![Command::Opened(Box::new(again))]);
    assert!(!says(&window, &lost));
    assert!(says(&window, &format!("{name} is back.")));
    assert!(says(&window, "The disk is nearly full."), "still so");
}
