//! Annotations read into a recording whose analysis did not come to its end.

use onset::app::command::{Command, Effect};
use onset::app::exchange::Desk;
use onset::session::handle::SessionStatus;

use super::scripted::status;
use super::{Shown, recording, say};

/// A hundred of six hundred frames are read, then it broke off.
fn broken(finished: bool) -> Shown {
    let mut window = recording((1280.0, 800.0), 1.0, 100, finished);
    let review = window.state().app.state.review.as_ref();
    let generation = review.expect("a recording is open").session.generation;
    let status = SessionStatus {
        failed: Some("The file is damaged.".into()),
        ..status(100, true)
    };
    say(&mut window, vec![Command::Status { generation, status }]);
    window
}

fn desk(window: &mut Shown) -> Desk {
    let asked = Command::Import("seen.csv".into());
    let effects = window.state_mut().app.state.apply(asked);
    let desk = effects.into_iter().find_map(|effect| match effect {
        Effect::Import(_, desk) => Some(*desk),
        _ => None,
    });
    desk.expect("an import")
}

#[test]
fn after_a_broken_analysis_the_files_own_count_is_the_end_and_without_one_it_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("seen.csv");
    std::fs::write(&path, "kind,onset,offset\nmicro,300,310\nmicro,700,710\n").expect("a file");
    // Of a damaged file what came before is decoded; after a panic nothing is.
    for finished in [true, false] {
        let mut window = broken(finished);
        let (read, said) = desk(&mut window).import(&path).expect("within 600 frames");
        assert_eq!((read.len(), read[0].onset), (1, 300));
        assert!(said.text.contains("last frame, 599"), "{}", said.text);
        let review = window.state_mut().app.state.review.as_mut();
        review.expect("open").session.info.exact_frame_count = false;
        let why = desk(&mut window).import(&path).unwrap_err();
        assert!(why.contains("stopped at frame 99"), "{why}");
        assert!(!why.contains("has finished"), "{why}");
    }
}
