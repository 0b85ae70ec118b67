use std::path::Path;

use super::*;
use crate::app::project::Kept;
use crate::project::file::ProjectFile;
use crate::project::kept;
use crate::spotting::ExpressionKind;
use crate::timeline::{Annotation, AnnotationId};

fn info(path: &Path) -> SourceInfo {
    SourceInfo {
        path: Some(path.to_path_buf()),
        ..SourceInfo::of_clip(100)
    }
}

fn made(id: u128) -> Change {
    let kind = ExpressionKind::Micro;
    let after = Annotation::found(AnnotationId(id), "Ada", kind, (10, 20));
    Change {
        before: None,
        after: Some(after),
    }
}

fn desk() -> Desk {
    Desk {
        told: Mailbox::default(),
        wake: Wake::new(
            egui::Context::default(),
            &crate::app::backend::Machine::default(),
        ),
        open: None,
    }
}

fn keep(desk: &mut Desk, id: u128) -> Kept {
    desk.carry_out(Order::Keep {
        changes: vec![made(id)],
        count: 1,
        coder: "Ada".into(),
    });
    let told = desk.told.take_all().into_iter();
    let kept = told.filter_map(|command| match command {
        Command::Kept { kept, .. } => Some(kept),
        _ => None,
    });
    kept.last().expect("how it fared is told")
}

fn news(desk: &Desk) -> Vec<Command> {
    desk.told.take_all()
}

#[test]
fn a_project_is_made_beside_the_recording_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let mut first = desk();
    first.begin(1, info(&clip), None);
    let project = folder.path().join("clip.onset");
    assert!(!project.exists());
    let saved = Kept::Saved {
        path: project.clone(),
        count: 1,
    };
    assert_eq!(keep(&mut first, 7), saved);
    drop(first);
    let mut again = desk();
    again.begin(2, info(&clip), None);
    let told = news(&again);
    assert!(
        matches!(&told[0], Command::Project { news, .. } if news.there && news.annotations.len() == 1),
        "{told:?}"
    );
    // Another recording of that name has a project of its own.
    std::fs::write(&clip, b"another film").unwrap();
    again.begin(3, info(&clip), None);
    assert!(
        matches!(keep(&mut again, 8), Kept::Saved { path, .. } if path.ends_with("clip-2.onset"))
    );
}

fn analysed() -> KeptAnalysis {
    use crate::session::facts::AnalysisFacts;
    use crate::timeline::Recording;
    KeptAnalysis {
        onset_version: "0.1.0".into(),
        finished_ms: 7,
        params: crate::session::Params::default(),
        facts: AnalysisFacts::of_the_control(),
        device: "CPU".into(),
        recording: std::sync::Arc::new(Recording {
            finished: true,
            ..Recording::default()
        }),
    }
}

#[test]
fn an_analysis_waits_for_the_project_and_goes_in_with_the_first_change() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let mut desk = desk();
    desk.begin(1, info(&clip), None);
    desk.carry_out(Order::Analysis(Box::new(analysed())));
    let project = folder.path().join("clip.onset");
    assert!(!project.exists(), "nobody has said anything yet");
    assert!(matches!(keep(&mut desk, 7), Kept::Analysis));
    // A later one replaces it at once.
    let later = KeptAnalysis {
        finished_ms: 8,
        ..analysed()
    };
    desk.carry_out(Order::Analysis(Box::new(later.clone())));
    drop(desk);
    let file = ProjectFile::open_read_only(&project).unwrap();
    assert_eq!(kept::load(&file).unwrap(), Some(later));
}

#[test]
fn another_coders_project_is_joined_and_what_changed_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let there = folder.path().join("ben");
    std::fs::create_dir(&there).unwrap();
    let copy = there.join("clip.mp4");
    std::fs::copy(&clip, &copy).unwrap();
    let mut ben = desk();
    ben.begin(1, info(&copy), None);
    keep(&mut ben, 5);
    drop(ben);
    let mut anna = desk();
    anna.begin(2, info(&clip), None);
    let mut merge = || {
        drop(news(&anna));
        anna.carry_out(Order::Merge {
            other: there.join("clip.onset"),
            coder: "Anna".into(),
        });
        news(&anna).into_iter().find_map(|command| match command {
            Command::Merged { joined, .. } => Some(*joined),
            _ => None,
        })
    };
    let joined = merge().expect("joined");
    assert_eq!((joined.merged.added, joined.changes.len()), (1, 1));
    assert!(joined.changes[0].before.is_none());
    assert!(folder.path().join("clip.onset").exists(), "made for it");
    let again = merge().expect("joined again");
    assert_eq!((again.merged.unchanged, again.changes.len()), (1, 0));
    std::fs::write(&copy, b"another film").unwrap();
    let mut other = desk();
    other.begin(3, info(&copy), None);
    keep(&mut other, 6);
    drop(other);
    anna.carry_out(Order::Merge {
        other: there.join("clip-2.onset"),
        coder: "Anna".into(),
    });
    let refused = news(&anna).into_iter().any(|command| {
        matches!(command, Command::Say(why) if why.text.contains("Cannot join the projects"))
    });
    assert!(refused);
}

#[test]
fn no_project_is_made_for_one_that_cannot_be_added() {
    let folder = tempfile::tempdir().unwrap();
    let [clip, other] = ["clip.mp4", "other.mp4"].map(|name| folder.path().join(name));
    std::fs::write(&clip, b"a film").unwrap();
    std::fs::write(&other, b"another film").unwrap();
    let mut there = desk();
    there.begin(1, info(&other), None);
    keep(&mut there, 5);
    drop(there);
    let mut here = desk();
    here.begin(2, info(&clip), None);
    let broken = folder.path().join("broken.onset");
    std::fs::write(&broken, b"no project").unwrap();
    for project in [folder.path().join("other.onset"), broken] {
        drop(news(&here));
        here.carry_out(Order::Merge {
            other: project,
            coder: "Ada".into(),
        });
        let told = news(&here);
        assert!(matches!(told.as_slice(), [Command::Say(_)]), "{told:?}");
    }
    assert!(!folder.path().join("clip.onset").exists());
}

#[test]
fn a_thread_that_has_ended_is_said_once() {
    let (bell, knocks) = bounded(1);
    drop(knocks);
    let Desk { told, wake, .. } = desk();
    let keeper = Keeper {
        orders: Mailbox::default(),
        bell: Some(bell),
        thread: None,
        told: told.clone(),
        wake,
        lost: AtomicBool::new(false),
    };
    for count in 1..=2 {
        keeper.keep(vec![made(7)], count, "Ada");
    }
    let said = told.take_all();
    assert!(
        matches!(said.as_slice(), [Command::Say(why)] if why.text.contains("not kept any more")),
        "{said:?}"
    );
}

#[test]
fn an_order_that_breaks_off_is_told_and_no_later_one_goes_into_the_project_before() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let mut desk = desk();
    desk.begin(1, info(&clip), None);
    keep(&mut desk, 7);
    desk.broke_off(false, "a mistake");
    let told = news(&desk);
    assert!(
        matches!(told.as_slice(), [Command::Kept { generation: 1, kept: Kept::Failed(why) }]
            if why.contains("a mistake")),
        "{told:?}"
    );
    assert!(matches!(keep(&mut desk, 8), Kept::Saved { .. }));
    desk.broke_off(true, "a mistake");
    desk.carry_out(Order::Keep {
        changes: vec![made(9)],
        count: 3,
        coder: "Ada".into(),
    });
    let told = news(&desk);
    assert!(matches!(told.as_slice(), [Command::Say(_)]), "{told:?}");
    drop(desk);
    let file = ProjectFile::open_read_only(&folder.path().join("clip.onset")).unwrap();
    assert_eq!(file.annotations().unwrap().len(), 2);
}

#[test]
fn while_another_window_has_the_project_changes_wait_and_then_all_go_in() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let mut other = desk();
    other.begin(1, info(&clip), None);
    keep(&mut other, 1);
    let mut here = desk();
    here.begin(2, info(&clip), None);
    assert!(matches!(keep(&mut here, 2), Kept::Failed(why) if why.contains("another window")));
    assert!(!folder.path().join("clip-2.onset").exists());
    drop(other);
    assert!(matches!(keep(&mut here, 3), Kept::Saved { .. }));
    drop(here);
    let file = ProjectFile::open_read_only(&folder.path().join("clip.onset")).unwrap();
    assert_eq!(file.annotations().unwrap().len(), 3);
}

fn passes(project: &Path) -> Vec<(String, bool, bool)> {
    let passes = ProjectFile::blind_passes_in(project).unwrap().into_iter();
    let told = passes.map(|p| (p.coder.clone(), p.left_ms.is_some(), p.goes_on()));
    told.collect()
}

fn step(desk: &mut Desk, coder: &str, step: PassStep) {
    desk.carry_out(Order::BlindPass(PassNews::now(coder, step)));
}

#[test]
fn a_blind_pass_is_kept_with_the_first_change_and_left_with_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let [clip, other] = ["clip.mp4", "other.mp4"].map(|name| folder.path().join(name));
    std::fs::write(&clip, b"a film").unwrap();
    std::fs::write(&other, b"another film").unwrap();
    let project = folder.path().join("clip.onset");
    let mut desk = desk();
    desk.begin(1, info(&clip), None);
    step(&mut desk, "Ada", PassStep::Begun);
    assert!(!project.exists(), "nobody has said anything yet");
    // Analysed again meanwhile.
    desk.begin(2, info(&clip), None);
    step(&mut desk, "Ada", PassStep::Begun);
    keep(&mut desk, 7);
    desk.begin(3, info(&other), None);
    assert_eq!(passes(&project), [("Ada".to_owned(), true, true)]);
    assert!(!folder.path().join("other.onset").exists());
    // It goes on, and is ended at once.
    desk.begin(4, info(&clip), None);
    step(&mut desk, "Ada", PassStep::Begun);
    step(&mut desk, "Ada", PassStep::Ended);
    desk.last_try();
    drop(desk);
    assert_eq!(passes(&project), [("Ada".to_owned(), true, false)]);
}

#[test]
fn a_blind_pass_is_left_where_the_window_closes_or_somebody_else_sits_down() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, b"a film").unwrap();
    let mut desk = desk();
    desk.begin(1, info(&clip), None);
    keep(&mut desk, 7);
    step(&mut desk, "", PassStep::Begun);
    step(&mut desk, "Ada", PassStep::Named);
    step(&mut desk, "Ben", PassStep::Begun);
    desk.last_try();
    drop(desk);
    let both = ["Ada", "Ben"].map(|coder| (coder.to_owned(), true, true));
    assert_eq!(passes(&folder.path().join("clip.onset")), both);
}
