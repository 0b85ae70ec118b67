use super::*;
use crate::spotting::ExpressionKind;
use crate::timeline::AnnotationId;

fn desk(folder: &Path) -> Desk {
    let kind = ExpressionKind::Micro;
    let mut seen = Annotation::found(AnnotationId(7), "Ada", kind, (10, 20));
    seen.apex = Some(15);
    Desk {
        name: "clip".into(),
        media: Some(folder.join("clip.mp4")),
        times: (0..100)
            .map(|i| Timestamp::from_secs(f64::from(i) / 30.0))
            .collect(),
        annotations: vec![seen],
        candidates: vec![],
        coder: "Ada".into(),
        finished: true,
        stopped: false,
        read: 99,
        end: Some(99),
        uncounted: false,
    }
}

#[test]
fn what_is_exported_beside_the_recording_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path());
    for (format, file) in [
        (Format::Table, "clip.annotations.csv"),
        (Format::Elan, "clip.eaf"),
        (Format::Json, "clip.annotations.json"),
    ] {
        let said = desk.export(format);
        assert!(
            said.text.starts_with("Exported 1 annotations"),
            "{}",
            said.text
        );
        let (back, _) = desk.import(&folder.path().join(file)).unwrap();
        assert_eq!(back, desk.annotations, "{file}");
    }
    // Never over an older one.
    let _ = desk.export(Format::Table);
    assert!(folder.path().join("clip.annotations-2.csv").exists());
    let megc = desk.export(Format::Megc);
    assert!(megc.text.contains("clip.megc.csv"));
}

#[test]
fn annotations_of_another_recording_are_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let written = desk(folder.path());
    let _ = written.export(Format::Table);
    let other = Desk {
        name: "other".into(),
        ..written
    };
    let why = other.import(&folder.path().join("clip.annotations.csv"));
    let why = why.unwrap_err().all.text;
    assert!(why.contains("another recording, clip"));
}

#[test]
fn a_table_among_the_recordings_own_results_is_its_own_whatever_their_folder_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let written = desk(folder.path());
    let results = folder.path().join("clip_2");
    std::fs::create_dir(&results).unwrap();
    let table = results.join("intervals.csv");
    let text = "recording,kind,onset,apex,offset\nclip_2,micro,10,15,20\n";
    std::fs::write(&table, text).unwrap();
    let summary = |of: &str| format!("{{\"recording\": {{\"name\": \"{of}\"}}}}");
    std::fs::write(results.join("recording.json"), summary("clip.mp4")).unwrap();
    let (read, _) = written.import(&table).unwrap();
    assert_eq!((read.len(), read[0].onset), (1, 10));
    // There is a recording of that name: the table is of it.
    std::fs::write(results.join("recording.json"), summary("clip_2.mp4")).unwrap();
    let why = written.import(&table).unwrap_err().all.text;
    assert!(why.contains("another recording, clip_2"), "{why}");
}

#[test]
fn seconds_of_frames_that_nobody_has_read_are_left_out_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ahead = Desk {
        times: vec![Timestamp::default(); 1],
        finished: false,
        read: 0,
        end: None,
        ..desk(folder.path())
    };
    let said = ahead.export(Format::Table).text;
    assert!(
        said.contains("without seconds where frames are not analysed yet"),
        "{said}"
    );
    let table = std::fs::read_to_string(folder.path().join("clip.annotations.csv")).unwrap();
    assert!(table.contains(",micro,10,15,20,,,,"), "{table}");
    let _ = ahead.export(Format::Json);
    let json = std::fs::read(folder.path().join("clip.annotations.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(json["source"]["fps"].is_null() && json["annotations"][0]["onset_secs"].is_null());
}

#[test]
fn what_lies_past_the_recordings_end_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let kind = ExpressionKind::Micro;
    let seen = |id, frames| Annotation::found(AnnotationId(id), "Ada", kind, frames);
    // Written of a longer cut: one within, one across its end, one behind it.
    let longer = Desk {
        times: (0..200)
            .map(|i| Timestamp::from_secs(f64::from(i) / 30.0))
            .collect(),
        annotations: vec![seen(1, (80, 89)), seen(2, (95, 105)), seen(3, (150, 160))],
        read: 199,
        end: Some(199),
        ..desk(folder.path())
    };
    let shorter = desk(folder.path());
    for (format, file) in [
        (Format::Table, "clip.annotations.csv"),
        (Format::Elan, "clip.eaf"),
        (Format::Json, "clip.annotations.json"),
    ] {
        let _ = longer.export(format);
        let path = folder.path().join(file);
        let (back, said) = shorter.import(&path).unwrap();
        assert_eq!(back, [seen(1, (80, 89))], "{file}");
        let said = said.all.text;
        assert!(said.contains("Read 1 annotations; 2 left out"), "{said}");
        assert!(said.contains("last frame, 99"), "{said}");
        assert!(said.contains("frames 95 to 105"), "{said}");
    }
    let behind = Desk {
        name: "behind".into(),
        annotations: vec![seen(3, (150, 160))],
        ..longer
    };
    let _ = behind.export(Format::Table);
    let path = folder.path().join("behind.annotations.csv");
    let named = |desk: &Desk| Desk {
        name: "behind".into(),
        ..desk.clone()
    };
    let why = named(&shorter).import(&path).unwrap_err().all.text;
    assert!(
        why.contains("none of its 1 annotations lies within"),
        "{why}"
    );
    // While it is not known where the recording ends, nothing is left out unasked.
    let unread = Desk {
        finished: false,
        end: None,
        ..named(&shorter)
    };
    let why = unread.import(&path).unwrap_err().all.text;
    assert!(why.contains("when the analysis has finished"), "{why}");
    assert_eq!(behind.import(&path).unwrap().0.len(), 1);
}

#[test]
fn a_broken_analysis_drops_nothing_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let kind = ExpressionKind::Micro;
    let seen = |id, frames| Annotation::found(AnnotationId(id), "Ada", kind, frames);
    let whole = Desk {
        times: (0..200)
            .map(|i| Timestamp::from_secs(f64::from(i) / 30.0))
            .collect(),
        annotations: vec![seen(1, (80, 89)), seen(2, (150, 160))],
        read: 199,
        end: Some(199),
        ..desk(folder.path())
    };
    for format in [Format::Table, Format::Elan] {
        let said = whole.export(format);
        assert!(said.text.starts_with("Exported 2"), "{}", said.text);
    }
    let table = folder.path().join("clip.annotations.csv");
    let times = folder.path().join("clip.eaf");
    let running = Desk {
        finished: false,
        end: None,
        ..desk(folder.path())
    };
    let why = running.import(&times).unwrap_err().all.text;
    let later = "ELAN needs the times of all frames. Import again when the analysis has finished.";
    assert_eq!(why, later);
    let said = running.export(Format::Elan).text;
    assert!(said.contains("Export again when the analysis has finished"));
    // It broke off at frame 99, and nobody has counted the frames.
    let broken = Desk {
        stopped: true,
        ..running
    };
    for path in [&table, &times] {
        let why = broken.import(path).unwrap_err().all.text;
        assert!(why.contains("stopped at frame 99"), "{why}");
        assert!(!why.contains("has finished"), "{why}");
    }
    // The file says how many there are: frames are known, times are not.
    let counted = Desk {
        end: Some(9_999),
        ..broken.clone()
    };
    assert_eq!(counted.import(&table).unwrap().0.len(), 2);
    let why = counted.import(&times).unwrap_err().all.text;
    assert!(why.contains("stopped at frame 99"), "{why}");
    // What lies before goes out and comes in as ever.
    let said = broken.export(Format::Elan);
    assert!(said.text.starts_with("Exported 1"), "{}", said.text);
    let before = folder.path().join("clip-2.eaf");
    assert_eq!(broken.import(&before).unwrap().0, broken.annotations);
}

#[test]
fn a_blind_pass_is_told_nothing_of_how_much_others_have_found_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let kind = ExpressionKind::Micro;
    let seen = |id, coder, frames| Annotation::found(AnnotationId(id), coder, kind, frames);
    let others = Desk {
        annotations: vec![
            seen(1, "Ben", (30, 35)),
            seen(2, "Ben", (150, 160)),
            seen(3, "Ada", (40, 45)),
        ],
        read: 199,
        end: Some(199),
        ..desk(folder.path())
    };
    let _ = others.export(Format::Table);
    let path = folder.path().join("clip.annotations.csv");
    let (read, said) = desk(folder.path()).import(&path).unwrap();
    assert_eq!(read.len(), 2, "what the pass hides is here all the same");
    let ImportSaid { all, blind } = said;
    assert!(all.text.contains("Read 2 annotations; 1 left out"));
    assert!(blind.text.starts_with("Read 1 annotation of yours;"));
    assert_eq!(blind.severity, all.severity);
    let said = blind.text.strip_suffix(&path.display().to_string());
    let said = said.expect("the path last");
    for tells in ["150", "99", "left out", "Read 2"] {
        assert!(!said.contains(tells), "{tells}: {said}");
    }
    // Why it cannot be read in may name frames of others as well.
    let unread = Desk {
        finished: false,
        end: None,
        ..desk(folder.path())
    };
    let none = Desk {
        end: Some(20),
        read: 20,
        ..desk(folder.path())
    };
    for (desk, frames) in [(unread, "frames 150 to 160"), (none, "frames 30 to 35")] {
        let said = desk.import(&path).unwrap_err();
        assert!(said.all.text.contains(frames), "{said:?}");
        assert!(said.blind.text.contains("Cannot import"), "{said:?}");
        assert!(!said.blind.text.contains(frames), "{said:?}");
    }
    let why = desk(folder.path()).import(&folder.path().join("no.csv"));
    let why = why.unwrap_err();
    assert_eq!(why.all, why.blind, "it tells of nobody");
}

#[test]
fn what_is_saved_under_a_blind_pass_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk {
        uncounted: true,
        ..desk(folder.path())
    };
    let said = desk.export(Format::Table).text;
    assert!(said.starts_with("Exported the annotations: "), "{said}");
}
