//! The file as a whole: what goes in comes out, what is not ours is refused, and what
//! cannot be saved is said.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::schema::MIGRATIONS;
use super::*;
use crate::facs::parse_units;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::annotation::Candidate;

fn fresh() -> (TempDir, ProjectFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = ProjectFile::create(&folder.path().join("a.onset")).unwrap();
    (folder, file)
}

fn full_annotation() -> Annotation {
    Annotation {
        id: fresh_id(),
        coder: "Anna".into(),
        kind: ExpressionKind::Micro,
        onset: 100,
        apex: Some(110),
        offset: 121,
        units: parse_units("AU4B+AU12LC+AUT25+AU14UE").unwrap(),
        emotion: Some("Überraschung".into()),
        confidence: Some(4),
        note: "brows, then \"mouth\"\nunsure".into(),
        status: IntervalStatus::Accepted,
        candidate: Some(Candidate {
            kind: ExpressionKind::Macro,
            onset: 99,
            apex: 109,
            offset: 120,
            // A number whose decimals a careless reader of JSON rounds.
            score: 0.1 + 0.2 + 1e-17 + 1.0 / 3.0,
        }),
    }
}

fn setting(key: &str, value: &str) -> Action {
    Action::Setting {
        key: key.into(),
        value: Some(value.into()),
    }
}

#[test]
fn a_project_that_is_made_is_about_its_recording_from_the_first_moment() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.avi");
    fs::write(&film, "film").unwrap();
    let about = Source::of(&film, SourceKind::Video).unwrap();
    let path = folder.path().join("film.onset");
    let file = ProjectFile::create_about(&path, &about).unwrap();
    let kept = file.source().unwrap().unwrap();
    assert!(kept.is_that_of(&about));
    assert_eq!(kept.relative_path.as_deref(), Some("film.avi"));
    drop(file);
    assert!(matches!(
        ProjectFile::create_about(&path, &about),
        Err(ProjectError::Exists { .. })
    ));
    let one = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(one, 2, "nothing else is left");
}

#[test]
fn all_of_coding_comes_back_and_the_journal_says_what_it_replaced() {
    let (_folder, mut file) = fresh();
    file.sign_as("Anna");
    let full = full_annotation();
    let plain = Annotation::found(fresh_id(), "", ExpressionKind::Macro, (3, 7));
    let coder = Coder {
        name: "Anna".into(),
        colour: None,
        blind: true,
        created_ms: 1_700_000_000_000,
    };
    let emotions = EmotionLabels {
        name: "ours".into(),
        labels: vec!["Überraschung".into(), "none".into()],
    };
    let actions = [
        Action::Put(full.clone()),
        Action::Put(plain.clone()),
        Action::SetCoder(coder.clone()),
        Action::SetEmotions(emotions.clone()),
        setting("view", r#"{"zoom":2.5}"#),
    ];
    let done = file.act(&actions).unwrap();
    assert_eq!(done.len(), 5);
    assert!(done.iter().all(|d| d.batch == 1 && d.coder == "Anna"));
    // Nothing changes, so nothing is noted.
    assert!(file.act(&actions).unwrap().is_empty());
    let corrected = Annotation {
        apex: None,
        ..full.clone()
    };
    file.act(&[Action::Put(corrected.clone()), Action::Remove(plain.id)])
        .unwrap();
    let path = file.path().to_owned();
    drop(file);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);

    let file = ProjectFile::open(&path).unwrap();
    assert_eq!(file.annotations().unwrap().len(), 1);
    assert_eq!(file.annotation(full.id).unwrap(), Some(corrected.clone()));
    assert_eq!(file.coders().unwrap(), [coder]);
    assert_eq!(file.emotions().unwrap(), emotions);
    assert_eq!(file.setting("view").unwrap().unwrap(), r#"{"zoom":2.5}"#);
    assert_eq!(file.last_actions(100).unwrap()[..5], done);
    let last = file.last_actions(2).unwrap();
    assert_eq!((last[0].seq, last[0].batch), (6, 2));
    assert_eq!(
        last[0].change,
        Change::Annotation {
            id: full.id,
            before: Some(Box::new(full.clone())),
            after: Some(Box::new(corrected)),
        }
    );
    assert_eq!(last[0].change.inverse(), Some(Action::Put(full)));
    assert_eq!(last[1].change.inverse(), Some(Action::Put(plain)));
}

#[test]
fn an_analysis_comes_back_to_the_last_bit_and_replaces_the_one_before() {
    let (_folder, mut file) = fresh();
    assert_eq!(file.analysis().unwrap(), None);
    let values: Vec<f32> = (0..10_000).map(|i| i as f32 / 7.0).collect();
    let track = |name: &str, values: &[f32]| Track {
        name: name.into(),
        unit: "standard deviations".into(),
        first: 3,
        values: values.to_vec(),
    };
    let mut analysis = Analysis {
        onset_version: "0.1.0".into(),
        parameters: r#"{"k":6}"#.into(),
        weights: vec![UsedWeights {
            name: "softnet".into(),
            sha256: "ab".repeat(32),
        }],
        times_ns: (0..10_003).map(|i| i * 5_000_000 - 1).collect(),
        tracks: vec![track("micro_score", &values), track("empty", &[])],
        intervals: vec![ProposedInterval {
            kind: ExpressionKind::Micro,
            onset: 1,
            apex: 2,
            offset: 3,
            score: 0.25,
            recognition: Some("{}".into()),
        }],
        facts: Some("{}".into()),
        finished_ms: Some(1_700_000_000_000),
        parts: vec![
            Part {
                name: "frames".into(),
                bytes: (0..3_000_000_u32).map(|i| (i % 251) as u8).collect(),
            },
            Part {
                name: "rest".into(),
                bytes: vec![1],
            },
        ],
    };
    file.save_analysis(&analysis).unwrap();
    file.save_analysis(&analysis).unwrap();
    assert_eq!(file.analysis().unwrap().unwrap(), analysis);
    let gaps = track("micro_score", &[1.0, f32::NAN, -0.0]);
    file.put_track(&gaps).unwrap();
    let read = file.track("micro_score").unwrap().unwrap();
    let bits = |t: &Track| t.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read), bits(&gaps));
    assert_eq!(file.track("no such").unwrap(), None);
    file.set_intervals(&[]).unwrap();
    analysis.intervals.clear();
    assert_eq!(file.analysis().unwrap().unwrap().intervals, []);
    analysis.tracks.push(track("empty", &[]));
    let error = file.save_analysis(&analysis).expect_err("twice");
    assert!(error.to_string().contains("'empty' twice"), "{error}");
}

#[test]
fn what_a_file_cannot_hold_is_refused_and_nothing_of_its_batch_is_done() {
    let (_folder, mut file) = fresh();
    let mut odd = full_annotation();
    odd.candidate.as_mut().unwrap().score = f64::NAN;
    let mut far = full_annotation();
    far.offset = u64::MAX;
    for wrong in [Action::Put(odd), Action::Put(far), setting("k", "{")] {
        let error = file.act(&[setting("k", "1"), wrong]).expect_err("refused");
        assert!(matches!(error, ProjectError::Refused { .. }), "{error}");
    }
    assert!(file.settings().unwrap().is_empty());
    assert!(file.last_actions(9).unwrap().is_empty());
}

#[test]
fn an_older_file_is_kept_and_brought_up_to_date_and_a_newer_one_refused() {
    let (folder, mut file) = fresh();
    file.act(&[Action::Put(full_annotation())]).unwrap();
    let (path, before) = (file.path().to_owned(), file.annotations().unwrap());
    drop(file);
    let broken = "ALTER TABLE annotation ADD COLUMN colour TEXT; SELECT no_such_thing();";
    let error = ProjectFile::open_with(&path, &[MIGRATIONS, &[broken]].concat());
    assert!(error.is_err());
    let second = "ALTER TABLE annotation ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';";
    let newer = [MIGRATIONS, &[second]].concat();
    let file = ProjectFile::open_with(&path, &newer).unwrap();
    assert_eq!(file.annotations().unwrap(), before);
    let sql = "SELECT colour FROM annotation";
    let colour: String = file.conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(colour, "grey");
    drop(file);
    // Nothing is left to be done, so no third copy is made.
    drop(ProjectFile::open_with(&path, &newer).unwrap());
    assert!(!folder.path().join("a.onset.bak-v3-3").exists());
    let error = ProjectFile::open(&path).expect_err("newer").to_string();
    assert!(error.contains("its format is 4, this program reads up to 3"));
    for backup in ["a.onset.bak-v3", "a.onset.bak-v3-2"] {
        let old = ProjectFile::open(&folder.path().join(backup)).unwrap();
        assert_eq!(old.annotations().unwrap(), before);
    }
}

#[test]
fn a_file_of_the_first_version_opens_with_its_analysis_and_takes_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.onset");
    opening::build(&path, &MIGRATIONS[..1]).unwrap();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "INSERT INTO analysis VALUES (1, '0.1.0', '{\"decode\":\"default\"}');
         INSERT INTO frame_times VALUES (0, 1, x'0700000000000000');",
    )
    .unwrap();
    drop(old);
    let expected = Analysis {
        onset_version: "0.1.0".into(),
        parameters: r#"{"decode":"default"}"#.into(),
        times_ns: vec![7],
        ..Analysis::default()
    };
    let read = ProjectFile::open_read_only(&path).unwrap();
    assert_eq!(read.analysis().unwrap().as_ref(), Some(&expected));
    let mut file = ProjectFile::open(&path).unwrap();
    assert_eq!(file.analysis().unwrap().as_ref(), Some(&expected));
    let whole = Analysis {
        finished_ms: Some(3),
        parts: vec![Part {
            name: "rest".into(),
            bytes: vec![1, 2],
        }],
        ..expected
    };
    file.save_analysis(&whole).unwrap();
    assert_eq!(file.analysis().unwrap(), Some(whole));
    assert!(folder.path().join("old.onset.bak-v1").exists());
}

#[test]
fn what_is_no_project_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.onset");
    let refused = |path: &Path| {
        for opened in [ProjectFile::open(path), ProjectFile::open_read_only(path)] {
            let error = opened.expect_err("refused");
            assert!(matches!(error, ProjectError::NotAProject { .. }), "{error}");
        }
    };
    let missing = ProjectFile::open(&path).expect_err("missing");
    assert!(matches!(missing, ProjectError::NotFound { .. }));
    for text in ["", "a text that is much longer than it would have to be"] {
        fs::write(&path, text.repeat(100)).unwrap();
        refused(&path);
        assert_eq!(fs::read_to_string(&path).unwrap(), text.repeat(100));
    }
    fs::remove_file(&path).unwrap();
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(foreign);
    refused(&path);
    let taken = ProjectFile::create(&path);
    assert!(matches!(taken, Err(ProjectError::Exists { .. })));
    fs::write(folder.path().join("y.onset-wal"), "left").unwrap();
    let left = ProjectFile::create(&folder.path().join("y.onset"));
    assert!(matches!(left, Err(ProjectError::LeftOver { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_full_disk_is_said_and_the_same_action_goes_through_once_there_is_space() {
    let (_folder, mut file) = fresh();
    file.act(&[Action::Put(full_annotation())]).unwrap();
    let before = file.annotations().unwrap();
    let pages = |file: &ProjectFile, most: i64| {
        let count: i64 = file
            .conn
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        file.conn
            .pragma_update_and_check(None, "max_page_count", count + most, |_| Ok(()))
            .unwrap();
    };
    pages(&file, 1);
    let big = setting("big", &format!("\"{}\"", "x".repeat(100_000)));
    let actions = [Action::Put(full_annotation()), big];
    let error = file.act(&actions).expect_err("full");
    assert!(matches!(error, ProjectError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("the disk is full"));
    assert_eq!(file.annotations().unwrap(), before);
    pages(&file, 1000);
    assert_eq!(file.act(&actions).unwrap().len(), 2);
}

#[test]
fn a_project_opened_to_be_read_refuses_changes_and_leaves_no_trace() {
    let (folder, mut file) = fresh();
    let annotation = full_annotation();
    file.act(&[Action::Put(annotation.clone())]).unwrap();
    let path = file.path().to_owned();
    for second in [ProjectFile::open(&path), ProjectFile::open_read_only(&path)] {
        let error = second.expect_err("open elsewhere");
        assert!(matches!(error, ProjectError::InUse { .. }), "{error}");
    }
    drop(file);
    // As it is called on some disks.
    let odd = folder.path().join("50% of #1? ä.onset");
    fs::rename(&path, &odd).unwrap();
    let mut file = ProjectFile::open_read_only(&odd).unwrap();
    assert_eq!(file.annotations().unwrap(), [annotation]);
    let error = file.act(&[setting("k", "1")]).expect_err("read-only");
    assert!(matches!(error, ProjectError::ReadOnly { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_or_folder_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, file) = fresh();
    let path = file.path().to_owned();
    drop(file);
    let rights = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    rights(folder.path(), 0o555);
    if tempfile::tempfile_in(folder.path()).is_ok() {
        eprintln!("skipped: rights do not bind this account");
        return;
    }
    let said = |opened: Result<ProjectFile, ProjectError>| {
        let error = opened.expect_err("read-only");
        assert!(matches!(error, ProjectError::ReadOnly { .. }), "{error}");
    };
    said(ProjectFile::open(&path));
    said(ProjectFile::create(&folder.path().join("b.onset")));
    ProjectFile::open_read_only(&path).unwrap();
    rights(folder.path(), 0o755);
    rights(&path, 0o444);
    said(ProjectFile::open(&path));
    ProjectFile::open_read_only(&path).unwrap();
}

#[test]
fn a_copy_is_one_whole_file_and_knows_the_recording_from_its_own_folder() {
    let (folder, mut file) = fresh();
    let film = folder.path().join("film.avi");
    fs::write(&film, "film").unwrap();
    let source = Source::of(&film, SourceKind::Video).unwrap();
    file.set_source(&source).unwrap();
    file.act(&[Action::Put(full_annotation())]).unwrap();
    let there = folder.path().join("deeper");
    fs::create_dir(&there).unwrap();
    let to = there.join("copy.onset");
    let open = ProjectFile::source_in(file.path());
    assert!(matches!(open, Err(ProjectError::InUse { .. })));
    for _ in 0..2 {
        file.save_copy(&to).unwrap();
        assert_eq!(fs::read_dir(&there).unwrap().count(), 1);
    }
    assert!(file.save_copy(file.path()).is_err());
    let seen = ProjectFile::source_in(&to).unwrap().unwrap();
    assert!(seen.is_that_of(&source));
    let copy = ProjectFile::open(&to).unwrap();
    assert_eq!(copy.annotations().unwrap(), file.annotations().unwrap());
    assert_eq!(copy.id().unwrap(), file.id().unwrap());
    let relative = copy.source().unwrap().unwrap().relative_path;
    assert_eq!(relative.as_deref(), Some("../film.avi"));
    // Not under a project that is open.
    let error = file.save_copy(&to).expect_err("open");
    assert!(matches!(error, ProjectError::LeftOver { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_was_moved_away_takes_no_more_changes_but_can_be_copied() {
    let (folder, mut file) = fresh();
    let path = file.path().to_owned();
    fs::rename(&path, folder.path().join("away.onset")).unwrap();
    let error = file.act(&[setting("k", "1")]).expect_err("moved");
    assert!(matches!(error, ProjectError::Gone { .. }), "{error}");
    file.save_copy(&folder.path().join("saved.onset")).unwrap();
    fs::rename(folder.path().join("away.onset"), &path).unwrap();
    file.act(&[setting("k", "1")]).unwrap();
}

#[test]
fn every_commit_is_flushed() {
    let (_folder, file) = fresh();
    let asked = |name| {
        let value = |row: &rusqlite::Row| row.get::<_, rusqlite::types::Value>(0);
        file.conn.pragma_query_value(None, name, value).unwrap()
    };
    assert_eq!(asked("journal_mode"), "wal".to_owned().into());
    for (name, value) in [("synchronous", 2), ("fullfsync", 1), ("foreign_keys", 1)] {
        assert_eq!(asked(name), value.into(), "{name}");
    }
}
