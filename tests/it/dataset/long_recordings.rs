//! Long recordings: SAMM Long Videos, CAS(ME)², CAS(ME)³.

use onset::base::Severity;
use onset::dataset::{DatasetKind, check, open, recognise};
use onset::facs::Emotion;
use onset::spotting::ExpressionKind;

use super::Cell::{self, N, T};
use super::{Tree, named, names, numbered, said};

#[test]
fn samm_long_videos_leave_out_what_began_before_and_keep_quiet_recordings() {
    let tree = Tree::new();
    for recording in ["006_1", "006_2", "007_3"] {
        let prefix = format!("{recording}_");
        tree.images(
            &format!("SAMM_longvideos/{recording}"),
            numbered(&prefix, 4, 1..=60),
        );
    }
    let header: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T("Inducement Code"),
        T("Onset"),
        T("Apex"),
        T("Offset"),
        T("Duration"),
        T("Type"),
        T("Action Units"),
        T("Notes"),
    ];
    let row = |file, on, ap, off, kind| {
        [
            N(6),
            file,
            N(1),
            N(on),
            N(ap),
            N(off),
            N(1),
            T(kind),
            N(12),
            T(""),
        ]
    };
    let rows = [
        row(T("006_1_1"), 10, 15, 20, "Micro - 1/2"),
        row(T("006_1_2"), 0, 15, 40, "Macro"),
        row(T("006_1_3"), 21, 30, 0, "Macro"),
        row(T("007_3_1"), 5, 6, 9, "Blink"),
        row(T("008_3_1"), 5, 6, 9, "Macro"),
    ];
    let notes: &[Cell] = &[T("Released for research")];
    let mut table: Vec<&[Cell]> = vec![notes; 9];
    table.push(header);
    table.extend(rows.iter().map(<[Cell; 10]>::as_slice));
    tree.book(
        "SAMM_LongVideos_V2_Release.xlsx",
        &[("LongVideos", 1, &table)],
    );
    let codes: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T("Onset Frame"),
        T("Apex Frame"),
        T("Offset Frame"),
        T("Action Units"),
        T("Estimated Emotion"),
    ];
    let code = [
        N(6),
        T("006_1_1"),
        N(10),
        N(15),
        N(20),
        N(12),
        T("Happiness"),
    ];
    tree.book(
        "SAMM_20181215_Micro_FACS_Codes_v2.xlsx",
        &[("M", 14, &[codes, &code])],
    );

    assert_eq!(
        recognise(tree.root()).expect("known"),
        DatasetKind::SammLong
    );
    let index = open(DatasetKind::SammLong, tree.root()).expect("reads");
    assert_eq!(names(&index), ["006_1", "006_2", "007_3"]);
    let events = &named(&index, "006_1").events;
    assert_eq!(events.len(), 2);
    assert_eq!(
        (events[0].kind, events[0].onset),
        (ExpressionKind::Micro, 9)
    );
    assert_eq!(events[0].emotion, Some(Emotion::Happiness));
    assert_eq!(
        (events[1].kind, events[1].offset),
        (ExpressionKind::Macro, 29)
    );
    let left_out = said(&index, Severity::Info, "began");
    assert!(left_out.contains("row 12 of"), "{left_out}");
    said(
        &index,
        Severity::Error,
        "'Blink' is neither Macro nor Micro",
    );
    said(&index, Severity::Error, "The frames of 008_3");
    assert_eq!((index.label_rows, index.skipped_rows()), (5, 3));
    let report = check::check(&index, |_| {});
    assert_eq!(report.recordings_without_events, 2);
}

fn casme_sq(tree: &Tree, rows: &[&[Cell]]) {
    tree.book(
        "CAS(ME)^2code_final.xlsx",
        &[
            ("CASFEcode_final", 1, rows),
            (
                "naming rule1",
                1,
                &[&[N(15), T("s15"), N(1)], &[N(16), T("s16"), N(2)]],
            ),
            (
                "naming rule2",
                1,
                &[&[T("0101"), T("disgust1")], &[N(502), T("happy1")]],
            ),
        ],
    );
}

#[test]
fn casme_sq_finds_its_recordings_by_the_naming_sheets() {
    let tree = Tree::new();
    tree.images(
        "rawpic/s15/15_0101disgustingteeth",
        numbered("img", 3, 1..=80),
    );
    tree.images("rawpic/s15/15_0502funnyerrors", numbered("img", 3, 1..=20));
    tree.images(
        "rawpic/s16/16_0101disgustingteeth",
        numbered("img", 3, 1..=20),
    );
    tree.images("selectedpic/s15/anger1_1", numbered("img", 1, 1..=2));
    let row = |participant, clip, on, ap: Cell, off, kind| {
        [
            N(participant),
            T(clip),
            N(on),
            ap,
            N(off),
            T("4+7"),
            T("negative"),
            T(kind),
            T("disgust"),
        ]
    };
    let rows = [
        row(1, "disgust1_1", 10, N(20), 30, "macro-expression"),
        row(1, "disgust1_2", 40, N(44), 0, "micro-expression"),
        row(1, "happy1_1", 5, T("/"), 9, "micro-expression"),
        row(3, "happy1_1", 5, N(6), 9, "micro-expression"),
        row(2, "fear9_1", 5, N(6), 9, "micro-expression"),
        row(2, "happy1_1", 5, N(6), 9, "micro-expression"),
    ];
    let rows: Vec<&[Cell]> = rows.iter().map(<[Cell; 9]>::as_slice).collect();
    casme_sq(&tree, &rows);
    assert_eq!(recognise(tree.root()).expect("known"), DatasetKind::CasmeSq);
    let index = open(DatasetKind::CasmeSq, tree.root()).expect("reads");
    assert_eq!(
        names(&index),
        [
            "15_0101disgustingteeth",
            "15_0502funnyerrors",
            "16_0101disgustingteeth"
        ]
    );
    let events = &named(&index, "15_0101disgustingteeth").events;
    assert_eq!(
        (events[0].kind, events[0].onset, events[0].offset),
        (ExpressionKind::Macro, 9, 29)
    );
    assert_eq!((events[1].onset, events[1].offset), (39, 43));
    assert_eq!(events[0].emotion, Some(Emotion::Negative));
    assert_eq!(named(&index, "15_0502funnyerrors").events[0].apex, None);
    let unknown = said(
        &index,
        Severity::Error,
        "participant '3' is not in the sheet 'naming rule1'",
    );
    assert!(
        unknown.contains("row 4 of sheet 'CASFEcode_final'"),
        "{unknown}"
    );
    said(
        &index,
        Severity::Error,
        "'fear9' is not in the sheet 'naming rule2'",
    );
    said(&index, Severity::Error, "s16/…_0502…");
    said(&index, Severity::Info, "selectedpic is left aside");
    assert_eq!(index.skipped_rows(), 3);
}

#[test]
fn casme_sq_videos_count_from_one() {
    let tree = Tree::new();
    tree.file("rawvideo/s15/15_0101disgustingteeth.avi", b"not looked at");
    let row = [
        N(1),
        T("disgust1_1"),
        N(10),
        N(20),
        N(30),
        N(4),
        T("others"),
        T("macro-expression"),
        T(""),
    ];
    casme_sq(&tree, &[&row]);
    let index = open(DatasetKind::CasmeSq, tree.root()).expect("reads");
    let event = &index.recordings[0].events[0];
    assert_eq!((event.onset, event.apex, event.offset), (9, Some(19), 29));
}

#[test]
fn casme3_joins_both_sheets_whatever_the_capitals() {
    let tree = Tree::new();
    let plain = |range: std::ops::RangeInclusive<u32>| numbered("", 1, range);
    tree.images("part_A/spNo.1/a/color", plain(0..=60));
    tree.images("part_A/spNo.1/b/color", plain(0..=9));
    tree.images("part_A/spNo.1/a/depth", plain(0..=9));
    let header: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T("Onset"),
        T("Apex"),
        T("Offset"),
        T("AU"),
        T("Objective class"),
        T("emotion"),
    ];
    let micro = [
        T("spNO.1"),
        T("a"),
        N(0),
        N(4),
        N(8),
        T("4"),
        N(7),
        T("disgust"),
    ];
    let micro2 = [
        T("spNO.1"),
        T("A"),
        N(20),
        N(24),
        N(28),
        T("L14"),
        N(7),
        T("Others"),
    ];
    tree.book(
        "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        &[("label", 1, &[header, &micro, &micro2])],
    );
    let header: &[Cell] = &[
        T("sub"),
        T("seq"),
        T("onset"),
        T("apex"),
        T("offset"),
        T("au"),
        T("emotion"),
    ];
    let large = [
        T("spNO.1"),
        T("a"),
        N(30),
        N(40),
        N(55),
        T("6+12"),
        T("happiness"),
    ];
    tree.book(
        "annotation/cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx",
        &[("Sheet1", 1, &[header, &large])],
    );
    assert_eq!(recognise(tree.root()).expect("known"), DatasetKind::Casme3);
    let index = open(DatasetKind::Casme3, tree.root()).expect("reads");
    assert_eq!(names(&index), ["spNO.1_a", "spNO.1_b"]);
    let events = &named(&index, "spNO.1_a").events;
    assert_eq!(events.len(), 3);
    assert_eq!((events[0].onset, events[0].apex), (0, Some(4)));
    assert_eq!(events[1].emotion, Some(Emotion::Others));
    assert_eq!(
        (events[2].kind, events[2].emotion),
        (ExpressionKind::Macro, Some(Emotion::Happiness))
    );
    assert!(index.problems.is_empty(), "{:#?}", index.problems);
}

#[test]
fn casme3_reads_cut_out_clips_and_the_sheet_of_both_kinds() {
    let tree = Tree::new();
    tree.images(
        "Part_A_ME_clip/frame/spNo.1_a_163",
        numbered("", 1, 163..=175),
    );
    let header: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T("Onset"),
        T("Apex"),
        T("Offset"),
        T("AU"),
        T("Expression type"),
        T("Objective class"),
    ];
    let micro = [
        T("spNO.1"),
        T("a"),
        N(163),
        N(166),
        N(174),
        T("4"),
        T("Micro-expression"),
        N(7),
    ];
    let large = [
        T("spNO.1"),
        T("b"),
        N(30),
        N(40),
        N(55),
        T("4"),
        T("Macro-expression"),
        N(7),
    ];
    tree.book(
        "CAS(ME)3_part_A_v2.xlsx",
        &[("Sheet1", 1, &[header, &micro, &large])],
    );
    let index = open(DatasetKind::Casme3, tree.root()).expect("reads");
    let event = &named(&index, "spNO.1_a_163").events[0];
    assert_eq!((event.onset, event.apex, event.offset), (0, Some(3), 11));
    said(&index, Severity::Error, "spNO.1_b_30");
    assert_eq!((index.label_rows, index.skipped_rows()), (2, 1));
}
