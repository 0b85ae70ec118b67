//! Short clips: CASME II, SAMM, SMIC.

use onset::base::Severity;
use onset::dataset::{DatasetKind, check, open, recognise};
use onset::facs::{Emotion, write_units};

use super::Cell::{self, N, T};
use super::{Tree, named, names, numbered, said};

const CASME2_HEADER: &[Cell] = &[
    T("Subject"),
    T("Filename"),
    T(""),
    T("OnsetFrame"),
    T("ApexFrame"),
    T("OffsetFrame"),
    T(""),
    T("Action Units"),
    T("Estimated Emotion"),
];

#[test]
fn casme2_frames_are_ranks_of_images_that_do_not_start_at_one() {
    let tree = Tree::new();
    let frames = numbered("img", 1, 40..=90);
    tree.images("CASME2_RAW_selected/sub01/EP02_01f", frames);
    tree.images(
        "CASME2_RAW_selected/sub01/EP03_02",
        numbered("img", 1, 1..=30),
    );
    tree.images(
        "CASME2_RAW_selected/sub02/EP01_11f",
        numbered("img", 1, 1..=30),
    );
    tree.images("CASME2_RAW_selected/sub02/EP99", numbered("img", 1, 1..=3));
    tree.images("Cropped/sub01/EP02_01f", numbered("reg_img", 1, 46..=86));
    let row = |subject, file, frames: [Cell; 3], aus, emotion| {
        vec![
            subject,
            file,
            T(""),
            frames[0],
            frames[1],
            frames[2],
            T(""),
            aus,
            T(emotion),
        ]
    };
    let rows: Vec<Vec<Cell>> = vec![
        CASME2_HEADER.to_vec(),
        row(
            N(1),
            T("EP02_01f"),
            [N(46), N(59), N(86)],
            T("4+L12"),
            "happiness",
        ),
        row(N(1), T("EP03_02"), [N(5), T("/"), N(20)], N(12), "others"),
        row(
            N(2),
            T("EP01_11f"),
            [N(3), N(12), N(0)],
            T("R14"),
            "repression",
        ),
        row(
            N(2),
            T("EP01_11f"),
            [N(20), N(22), N(60)],
            T("smile"),
            "joy",
        ),
        row(
            N(2),
            T("EP01_11f"),
            [N(3), N(12), N(0)],
            T("R14"),
            "repression",
        ),
        row(N(9), T("EP07_01"), [N(3), N(5), N(9)], T("4"), "disgust"),
        vec![T("total: 255")],
    ];
    let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
    tree.book("CASME2-coding-20140508.xlsx", &[("Sheet1", 1, &rows)]);
    tree.book(
        "CASME2-ObjectiveClasses.xlsx",
        &[("Sheet1", 1, &[&[T("x")]])],
    );

    assert_eq!(recognise(tree.root()).expect("known"), DatasetKind::Casme2);
    let index = open(DatasetKind::Casme2, tree.root()).expect("reads");
    assert_eq!(
        names(&index),
        ["sub01_EP02_01f", "sub01_EP03_02", "sub02_EP01_11f"]
    );
    assert_eq!(index.subjects(), ["sub01", "sub02"]);
    let smile = named(&index, "sub01_EP02_01f");
    let event = &smile.events[0];
    // The image numbered 40 is frame 0.
    assert_eq!((event.onset, event.apex, event.offset), (6, Some(19), 46));
    assert!(
        smile
            .image(6)
            .expect("an image")
            .ends_with("sub01/EP02_01f/img46.jpg")
    );
    assert_eq!(
        write_units(event.aus.as_deref().expect("coded")),
        "AU4+AU12L"
    );
    assert_eq!(event.emotion, Some(Emotion::Happiness));
    assert_eq!(smile.fps.to_bits(), 200_f64.to_bits());
    assert_eq!(named(&index, "sub01_EP03_02").events[0].apex, None);
    // An offset of 0: the apex ends it.
    let kept = &named(&index, "sub02_EP01_11f").events;
    assert_eq!((kept[0].onset, kept[0].offset), (2, 11));
    // Half of the frames are missing; what is there counts.
    assert_eq!((kept[1].onset, kept[1].offset), (19, 29));
    assert_eq!((kept[1].emotion, kept[1].aus.is_none()), (None, true));

    let duplicate = said(&index, Severity::Error, "row 4 already");
    assert!(
        duplicate.ends_with("row 6 of sheet 'Sheet1' of CASME2-coding-20140508.xlsx"),
        "{duplicate}"
    );
    said(&index, Severity::Error, "sub09/EP07_01");
    said(&index, Severity::Warning, "30 of the frames 20 to 60");
    said(&index, Severity::Warning, "'smile' is not an action unit");
    said(&index, Severity::Warning, "the emotion 'joy'");
    said(&index, Severity::Info, "Cropped is left aside");
    said(&index, Severity::Info, "no subject and clip ('total: 255')");
    said(&index, Severity::Info, "1 clips have no label row");
    assert_eq!((index.label_rows, index.skipped_rows()), (7, 3));

    let report = check::check(&index, |_| {});
    let micro = &report.events["micro"];
    assert_eq!((micro.events, micro.without_apex), (4, 1));
    assert_eq!(micro.emotions["happiness"], 1);
    assert_eq!(micro.three_classes["negative"], 1);
    assert_eq!(micro.aus[&12], 2);
    assert_eq!(
        (micro.durations["200"].min, micro.durations["200"].max),
        (9, 40)
    );
    assert!(report.has_warnings());
    assert_eq!(report.frames, 51 + 30 + 30);
    let json = serde_json::to_string(&report).expect("json");
    assert!(!json.contains(&tree.root().display().to_string()), "{json}");
}

#[test]
fn samm_reads_below_its_notes_and_tells_what_its_cells_leave_open() {
    let tree = Tree::new();
    tree.images("SAMM/006/006_1_2", numbered("006_", 5, 5562..=5600));
    tree.images("SAMM/028/028_4_1", numbered("028_", 4, 100..=140));
    let header: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T("Inducement Code"),
        T("Onset Frame"),
        T("Apex Frame"),
        T("Offset Frame"),
        T("Duration"),
        T("Micro"),
        T("Action Units"),
        T("Estimated Emotion"),
        T("Objective Classes"),
        T("Notes"),
    ];
    let row = |s, f, on, ap, off, aus, emotion| {
        [
            s,
            f,
            N(1),
            N(on),
            N(ap),
            N(off),
            N(9),
            T("Micro - 1/2"),
            aus,
            emotion,
            N(1),
            T(""),
        ]
    };
    let a = row(
        N(6),
        T("006_1_2"),
        5562,
        5588,
        5598,
        T("AU12A or AU25"),
        T("Happiness"),
    );
    let b = row(T("028"), T("028_4_1"), 105, -1, 120, T("L/R 6"), T("Other"));
    let c = row(T("028"), T("028_4_1"), 121, 130, 125, T("4"), T("Anger"));
    tree.book(
        "SAMM/SAMM_Micro_FACS_Codes_v2.xlsx",
        &[
            ("MICRO_ONLY", 14, &[header, &a, &b, &c]),
            ("Notes", 1, &[&[T("x")]]),
        ],
    );
    assert_eq!(recognise(tree.root()).expect("known"), DatasetKind::Samm);
    let index = open(DatasetKind::Samm, tree.root()).expect("reads");
    assert_eq!(names(&index), ["006_1_2", "028_4_1"]);
    let event = &named(&index, "006_1_2").events[0];
    assert_eq!((event.onset, event.apex, event.offset), (0, Some(26), 36));
    assert_eq!(write_units(event.aus.as_deref().expect("coded")), "AU12A");
    assert_eq!(event.place.row, Some(15));
    let events = &named(&index, "028_4_1").events;
    assert_eq!(
        (events[0].apex, events[0].emotion),
        (None, Some(Emotion::Others))
    );
    assert_eq!(write_units(events[0].aus.as_deref().expect("coded")), "AU6");
    // An apex outside its interval counts as unknown.
    assert_eq!(events[1].apex, None);
    said(&index, Severity::Info, "leaves AU25 open");
    said(
        &index,
        Severity::Warning,
        "The apex 130 lies outside 121 … 125",
    );
}

#[test]
fn smic_clips_are_events_and_one_camera_is_read() {
    let tree = Tree::new();
    let bmp = |n: std::ops::RangeInclusive<u32>| -> Vec<String> {
        n.map(|n| format!("reg_image{n:06}.bmp")).collect()
    };
    tree.images(
        "SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01",
        bmp(7..=20),
    );
    tree.images(
        "SMIC_all_cropped/HS/s1/micro/surprise/s1_sur_01",
        bmp(1..=9),
    );
    tree.images("SMIC_all_cropped/HS/s1/non_micro/s1_nm_01", bmp(1..=9));
    tree.images(
        "SMIC_all_cropped/HS/s3/micro/happy-ish/s3_po_08",
        bmp(1..=9),
    );
    tree.images(
        "SMIC_all_cropped/VIS/s1/micro/negative/s1_ne_01",
        bmp(1..=4),
    );
    assert_eq!(recognise(tree.root()).expect("known"), DatasetKind::Smic);
    let index = open(DatasetKind::Smic, tree.root()).expect("reads");
    assert_eq!(names(&index), ["s01_ne_01", "s01_sur_01", "s03_po_08"]);
    let clip = named(&index, "s01_ne_01");
    assert_eq!(clip.fps.to_bits(), 100_f64.to_bits());
    let event = &clip.events[0];
    assert_eq!((event.onset, event.apex, event.offset), (0, None, 13));
    assert_eq!(
        (event.emotion, &event.aus),
        (Some(Emotion::Negative), &None)
    );
    said(&index, Severity::Info, "VIS is left aside");
    said(&index, Severity::Warning, "'happy-ish'");
    // Another camera by its own folder.
    let visible =
        open(DatasetKind::Smic, &tree.root().join("SMIC_all_cropped/VIS")).expect("reads");
    assert_eq!(visible.recordings[0].fps.to_bits(), 25_f64.to_bits());
}

#[test]
fn smic_e_has_up_to_three_events_a_recording_and_text_below_its_table() {
    let tree = Tree::new();
    let home = "SMIC-E_raw image/HS_long";
    let frames = numbered("image", 6, 835_057..=835_156);
    tree.images(&format!("{home}/SMIC-HS-E/HS/s01/s01_ne_01"), frames);
    let header: &[Cell] = &[
        T("Subject"),
        T("Filename"),
        T(""),
        T("OnsetF"),
        T("OffsetF"),
        T("Onset2F"),
        T("Offset2F"),
        T("Onset3F"),
        T("Offset3F"),
        T("FirstF"),
        T("LastF"),
        T("Emotion"),
    ];
    let row: &[Cell] = &[
        N(1),
        T("s01_ne_01"),
        T(""),
        N(835_067),
        N(835_087),
        N(835_100),
        N(835_110),
        T(""),
        T(""),
        N(835_057),
        N(835_156),
        T("neg"),
    ];
    let text: &[Cell] = &[T("Annotations by two coders")];
    tree.book(
        &format!("{home}/SMIC-HS-E_annotation_2019.xlsx"),
        &[("Sheet1", 1, &[header, row, text])],
    );
    let index = open(DatasetKind::Smic, tree.root()).expect("reads");
    let events = &named(&index, "s01_ne_01").events;
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].onset, events[0].offset), (10, 30));
    assert_eq!(
        (events[1].onset, events[1].emotion),
        (43, Some(Emotion::Negative))
    );
    said(&index, Severity::Info, "'Annotations by two coders'");
    assert_eq!(index.skipped_rows(), 1);
}
