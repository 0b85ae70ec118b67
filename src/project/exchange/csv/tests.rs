use super::super::samples::{clocks, nasty, plain};
use super::*;

const DEFAULTS: Defaults = Defaults {
    recording: "clip",
    coder: "Anna",
};

fn read_text(text: &str) -> Imported {
    read(text.as_bytes(), Path::new("t.csv"), DEFAULTS, &[]).unwrap()
}

fn said(imported: &Imported) -> Vec<String> {
    imported.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn annotations_read_back_the_same_from_several_recordings() {
    for clock in clocks() {
        let (first, second) = (nasty(), [plain(77, "Ben", 1, 2)]);
        let sheets = [("a, \"b\"\nc", &first[..]), ("two", &second[..])];
        let sheets = sheets.map(|(recording, annotations)| Sheet {
            recording,
            annotations,
            clock: &clock,
        });
        let imported = read_text(&write(&sheets));
        let expected: Vec<Entry> = sheets
            .iter()
            .flat_map(|s| {
                s.annotations.iter().map(|a| Entry {
                    recording: s.recording.to_owned(),
                    annotation: a.clone(),
                })
            })
            .collect();
        assert_eq!(imported.entries, expected);
        // The annotation left with its apex outside is named.
        assert_eq!(imported.problems.len(), 1);
    }
}

#[test]
fn the_first_line_is_the_contract() {
    let text = write(&[]);
    let contract = "recording,coder,kind,onset,apex,offset,onset_secs,apex_secs,offset_secs,\
                    units,emotion,confidence,status,note,score,id,candidate\n";
    assert_eq!(text, contract);
    let clock = &clocks()[0];
    let one = [plain(1, "Anna", 10, 20)];
    let text = write(&[Sheet {
        recording: "clip",
        annotations: &one,
        clock,
    }]);
    assert_eq!(
        text.lines().nth(1).unwrap(),
        "clip,Anna,micro,10,,20,0.050000,,0.100000,,,,accepted,,,00000000000000000000000000000001,"
    );
}

#[test]
fn a_table_of_the_analysis_gives_candidates() {
    let imported = read_text(
        "recording,kind,onset,apex,offset,onset_secs,apex_secs,offset_secs,score,label,\
         label_prob,uncertainty,status,aus,negative_p,AU04_p\n\
         s1,micro,10,14,20,0.333333,0.466667,0.666667,0.612345,positive,0.7,0.2,proposed,AU4+AU12R,0.1,0.9\n",
    );
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    let a = &imported.entries[0].annotation;
    assert_eq!(
        (imported.entries[0].recording.as_str(), a.coder.as_str()),
        ("s1", "Anna")
    );
    assert_eq!((a.status, a.apex), (IntervalStatus::Proposed, Some(14)));
    assert_eq!(write_units(&a.units), "AU4+AU12R");
    assert_eq!(a.emotion.as_deref(), Some("positive"));
    let c = a.candidate.as_ref().unwrap();
    assert_eq!(
        (c.kind, c.onset, c.apex, c.offset, c.score),
        (a.kind, 10, 14, 20, 0.612_345)
    );
}

#[test]
fn a_truth_file_needs_few_columns_in_any_order() {
    let imported = read_text(
        "\u{feff}offset;kind;onset;recording;apex;emotion;aus;film\n\
         20;Micro;10;s1;;Happiness;AU12;x\n\n9;MaE;3;;5;;;y\n",
    );
    assert_eq!(
        said(&imported),
        ["The file: it has columns that are not read: film."]
    );
    let [one, two] = &imported.entries[..] else {
        panic!("{:?}", imported.entries);
    };
    assert_eq!((one.annotation.onset, one.annotation.apex), (10, None));
    assert_eq!(one.annotation.emotion.as_deref(), Some("Happiness"));
    assert_eq!(one.annotation.status, IntervalStatus::Accepted);
    assert_eq!(
        (two.recording.as_str(), two.annotation.kind),
        ("clip", ExpressionKind::Macro)
    );
    assert_ne!(one.annotation.id, two.annotation.id);
}

#[test]
fn bad_rows_are_named_and_the_good_ones_kept() {
    let imported = read_text(
        "recording,kind,onset,offset,units,confidence,note\n\
         s,micro,1,2,,,\"two\nlines\"\n\
         s,tiny,1,2,,,\n\
         s,micro,-1,2,,,\n\
         s,micro,1,,,,\n\
         s,micro,1,2,AU400,,\n\
         s,micro,1,2,,6,\n\
         s,micro,1\n\
         s,micro,9,2,,,\n",
    );
    assert_eq!(
        said(&imported),
        [
            "Line 4: the kind 'tiny' is not macro or micro; it was left out.",
            "Line 5: the onset '-1' is not a frame number (0, 1, 2 …); it was left out.",
            "Line 6: the offset is empty; it was left out.",
            "Line 7: 'AU400' is not an action unit: its number is not 1 to 99; it was left out.",
            "Line 8: the confidence '6' is not 1 to 5; it was left out.",
            "Line 9: the offset is empty; it was left out.",
            "Line 10: The onset lies after the offset. It was imported all the same.",
        ]
    );
    assert_eq!(imported.entries.len(), 2);
    assert_eq!(imported.entries[0].annotation.note, "two\nlines");
}

#[test]
fn a_known_id_changes_only_the_columns_that_are_there() {
    let known = nasty();
    let id = known[0].id;
    let text = format!("id,kind,onset,offset\n{id},macro,11,21\n{id},macro,50,60\n,micro,1,2\n");
    let imported = read(text.as_bytes(), Path::new("t.csv"), DEFAULTS, &known).unwrap();
    let expected = Annotation {
        kind: ExpressionKind::Macro,
        onset: 11,
        offset: 21,
        ..known[0].clone()
    };
    assert_eq!(imported.entries[0].annotation, expected);
    assert_ne!(imported.entries[1].annotation.id, id);
    assert!(
        imported.problems[0]
            .to_string()
            .starts_with("Line 3: its id stands further up")
    );
    assert_eq!(imported.entries[2].annotation.coder, "Anna");
}

#[test]
fn what_is_no_table_is_refused() {
    let error = |bytes: &[u8]| read(bytes, Path::new("/x/t.csv"), DEFAULTS, &[]).unwrap_err();
    let missing = error(b"a,b\n1,2\n").to_string();
    assert!(missing.contains("'kind' is missing") && missing.ends_with("/x/t.csv"));
    assert!(matches!(error(b"kind,\xe4\n"), TableError::NotText { .. }));
    let imported = read(
        b"kind,onset,offset,note\nmicro,1,2,\xe4\nmicro,3,4,a\n",
        Path::new("t.csv"),
        DEFAULTS,
        &[],
    )
    .unwrap();
    assert_eq!((imported.entries.len(), imported.problems.len()), (1, 1));
}
