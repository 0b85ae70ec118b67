//! Blind passes that were left: what projects and the window keep of them.

use egui::Key;
use onset::app::backend::Backend;
use onset::app::coder::Coded;
use onset::app::coder::blind::PassesOf;
use onset::app::command::{Command, Effect, Room};
use onset::app::exchange::ImportSaid;
use onset::app::project::ProjectNews;
use onset::app::state::AppState;
use onset::base::Notice;
use onset::project::file::{BlindPass, PassStep};
use onset::project::unattended::News;
use onset::session::Params;

use super::blind::{FIRST, OTHER, QUESTION, apply, at, blind, in_room, queued, state};
use super::coding::{Hands, named};
use super::says;
use super::scripted::Scripted;

/// What the window has its project keep of blind passes.
fn passes(hands: &Hands) -> Vec<String> {
    let asked = hands.window.state().asked.borrow();
    let passes = asked.iter().filter_map(|a| a.strip_prefix("blind pass "));
    passes.map(str::to_owned).collect()
}

/// Somebody codes by this name from now on: the steps of passes that are kept of it.
fn signs(hands: &mut Hands, name: &str) -> Vec<PassStep> {
    let effects = apply(hands, Command::Code(Coded::Coder(name.into())));
    let steps = effects.into_iter().filter_map(|effect| match effect {
        Effect::BlindPass(coder, step) if coder == name => Some(step),
        _ => None,
    });
    steps.collect()
}

/// A recording arrives of whose coders the project knows this.
fn arrives(state: &mut AppState, path: &str, tell: impl FnOnce(&mut Scripted)) {
    let mut script = Scripted::new(std::rc::Rc::default());
    script.generation = 40;
    tell(&mut script);
    script.open(path, &Params::default());
    for command in script.arriving {
        state.apply(command);
    }
}

fn begun(coder: &str, ended_ms: Option<i64>) -> BlindPass {
    BlindPass {
        coder: coder.to_owned(),
        began_ms: 1,
        left_ms: Some(2),
        ended_ms,
    }
}

#[test]
fn a_pass_and_its_end_are_kept_by_the_project_once_each() {
    let mut hands = blind();
    assert_eq!(passes(&hands), ["Begun by Anna"]);
    hands.keys(&[Key::B, Key::B]);
    assert_eq!(passes(&hands), ["Begun by Anna", "Ended by Anna"]);
    // It hides again, but that is no pass any more.
    hands.keys(&[Key::B]);
    assert!(state(&hands).blind());
    assert_eq!(passes(&hands).len(), 2);
    // Ben has seen nothing so far: his is one.
    assert_eq!(signs(&mut hands, "Ben"), [PassStep::Begun]);
    hands.keys(&[Key::B]);
    assert!(says(&hands.window, QUESTION) && state(&hands).blind());
}

#[test]
fn who_codes_without_a_name_has_their_pass_signed_with_the_first_one() {
    let mut hands = Hands::on(Room::Annotate);
    hands.keys(&[Key::B]);
    assert_eq!(signs(&mut hands, "Anna"), [PassStep::Named]);
    hands.keys(&[Key::B, Key::B]);
    assert_eq!(passes(&hands), ["Begun by ", "Ended by Anna"]);
}

#[test]
fn a_pass_that_was_left_before_the_window_closed_goes_on_from_the_project() {
    let hands = Hands::on(Room::Review);
    let opened = |coder: &str, kept: Vec<BlindPass>| {
        let mut state = state(&hands).clone();
        state.settings.coder = coder.to_owned();
        arrives(&mut state, OTHER, |script| script.blind_passes = kept);
        state
    };
    let left = opened("Anna", vec![begun("Ben", None), begun("Anna", None)]);
    assert!(left.blind());
    assert_eq!(at(&left), in_room(Room::Annotate, OTHER));
    assert!(left.notices.text().contains("goes on where it was left"));
    let others = opened("Anna", vec![begun("Ben", None)]);
    assert!(!others.blind());
    assert_eq!(at(&others), in_room(Room::Review, OTHER));
    assert!(!opened("Anna", vec![begun("Anna", Some(3))]).blind());
    // Nobody had given a name yet.
    let mut nameless = opened("", vec![begun("Ben", None)]);
    assert!(!nameless.blind());
    nameless.apply(Command::Code(Coded::Coder("Ben".into())));
    assert!(nameless.blind());
    // Analysed again, or with another recording open, what the project knew is still known.
    for then in [OTHER, FIRST] {
        let mut later = others.clone();
        arrives(&mut later, then, |_| {});
        later.apply(Command::Code(Coded::Coder("Ben".into())));
        assert!(later.hides(std::path::Path::new(OTHER)), "{then}");
    }
    // Whoever left one sits down at it again.
    let mut others = others;
    others.apply(Command::Code(Coded::Coder("Ben".into())));
    assert!(others.blind() && others.hides(std::path::Path::new(OTHER)));
}

#[test]
fn a_pass_that_another_window_had_locked_goes_on_once_the_project_can_be_read() {
    let mut hands = Hands::on(Room::Review);
    named(&mut hands, "Anna");
    let review = state(&hands).review.as_ref().expect("open");
    let generation = review.session.generation;
    assert!(!state(&hands).blind());
    let news = Command::Project {
        generation,
        news: Box::new(ProjectNews {
            path: "/recordings/interview 07.onset".into(),
            there: true,
            annotations: vec![],
            blind_passes: vec![begun("Anna", None)],
        }),
    };
    apply(&mut hands, news);
    assert!(state(&hands).blind());
    assert_eq!(at(state(&hands)).0, Room::Annotate);
}

#[test]
fn by_another_path_to_the_same_file_the_pass_goes_on() {
    let mut state = state(&blind()).clone();
    let really = |script: &mut Scripted| script.place = Some("/disk/films/07.mp4".into());
    arrives(&mut state, "/links/a.mp4", really);
    assert!(state.blind(), "the pass of this one");
    arrives(&mut state, OTHER, |_| {});
    let leave = [100.0, 102.0].map(|at| [Command::Clock(at), Command::Room(Room::Review)]);
    leave.into_iter().flatten().for_each(|command| {
        state.apply(command);
    });
    assert!(!state.blind());
    assert!(state.hides(std::path::Path::new("/links/a.mp4")));
    arrives(&mut state, "/links/b.mp4", really);
    assert!(state.blind());
    assert_eq!(at(&state), in_room(Room::Annotate, "/links/b.mp4"));
}

#[test]
fn the_queue_learns_from_projects_what_it_must_not_tell() {
    let mut hands = Hands::on(Room::Review);
    named(&mut hands, "Anna");
    let path = std::path::Path::new(OTHER);
    let found = News::Found {
        recordings: vec![OTHER.into()],
        said: vec![],
    };
    let effects = apply(&mut hands, Command::BatchNews(found));
    let looks = |e: &Effect| matches!(e, Effect::LookForPasses(all) if all == &[path]);
    assert!(effects.iter().any(looks), "{effects:?}");
    let passes = |recording: &str, coder: &str| PassesOf {
        recording: recording.into(),
        place: "/disk/films/08.mp4".into(),
        coders: vec![coder.to_owned()],
    };
    apply(&mut hands, Command::Passes(vec![passes(OTHER, "Ben")]));
    assert!(!state(&hands).hides(path));
    apply(&mut hands, Command::Passes(vec![passes(OTHER, "Anna")]));
    assert!(state(&hands).hides(path));
    queued(&mut hands, OTHER);
    assert!(!says(&hands.window, "3 micro"));
}

#[test]
fn who_sits_down_again_codes_as_blind_as_before_whatever_another_has_seen() {
    let mut state = state(&blind()).clone();
    let signs = |name: &str| Command::Code(Coded::Coder(name.into()));
    state.apply(signs("Ben"));
    assert!(state.blind());
    for at in [100.0, 102.0] {
        state.apply(Command::Clock(at));
        state.apply(Command::Room(Room::Review));
    }
    assert!(!state.blind(), "Ben has ended his");
    state.apply(signs("Anna"));
    assert!(state.blind());
    assert_eq!(at(&state), in_room(Room::Annotate, FIRST));
}

#[test]
fn an_import_tells_of_others_only_once_the_blind_pass_is_over() {
    let mut state = state(&blind()).clone();
    let generation = state.review.as_ref().expect("open").session.generation;
    let came = |generation| Command::ImportSaid {
        generation,
        said: Box::new(ImportSaid {
            all: Notice::info("Read 12 annotations: /ben.csv"),
            blind: Notice::info("Read no annotation of yours: /ben.csv"),
        }),
    };
    let told = |state: &AppState| state.notices.text().contains("Read 12");
    state.apply(came(generation));
    assert!(state.notices.text().contains("Read no annotation of yours"));
    assert!(!told(&state));
    // Of a recording that was left meanwhile nothing more is said at all.
    let mut left = state.clone();
    arrives(&mut left, OTHER, |_| {});
    for at in [100.0, 102.0] {
        left.apply(Command::Clock(at));
        left.apply(Command::Room(Room::Review));
    }
    left.apply(came(generation));
    assert!(!left.blind() && !told(&left));
    for at in [100.0, 102.0] {
        state.apply(Command::Clock(at));
        state.apply(Command::Room(Room::Review));
    }
    assert!(!state.blind() && told(&state));
    state.apply(came(generation));
    assert_eq!(state.notices.text().matches("Read 12").count(), 2);
}
