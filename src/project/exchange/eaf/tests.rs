use std::path::Path;
use std::time::UNIX_EPOCH;

use super::super::samples::{clocks, nasty, plain};
use super::*;
use crate::base::Timestamp;
use crate::facs::write_units;
use crate::project::exchange::{Clock, Sheet};
use crate::spotting::ExpressionKind;
use crate::timeline::Annotation;

fn written(annotations: &[Annotation], clock: &Clock) -> String {
    let sheet = Sheet {
        recording: "clip <&> \"1\"",
        annotations,
        clock,
    };
    let origin = Origin {
        media: Some(Path::new("/data/a b/clip.mp4")),
        folder: Some(Path::new("/data/a b")),
        written: UNIX_EPOCH,
    };
    write(&sheet, &origin)
}

fn read(text: &str) -> Document {
    Document::read(text.as_bytes(), Path::new("t.eaf")).unwrap()
}

fn back(text: &str, clock: &Clock) -> (Vec<Annotation>, Vec<String>) {
    let imported = read(text).annotations("other", clock);
    let mut annotations: Vec<_> = imported.entries.into_iter().map(|e| e.annotation).collect();
    annotations.sort_by_key(|a| a.id);
    let problems = imported.problems.iter().map(ToString::to_string);
    (annotations, problems.collect())
}

/// 200 frames a second.
fn fast() -> Clock {
    clocks().remove(0)
}

/// Puts ELAN's slot at `from` ms to `to` ms.
fn moved(text: &str, from: u64, to: u64) -> String {
    let slot = |ms: u64| format!("TIME_VALUE=\"{ms}\"/>");
    assert!(text.contains(&slot(from)), "{text}");
    text.replace(&slot(from), &slot(to))
}

#[test]
fn annotations_come_back_the_same_at_every_rate() {
    for clock in clocks() {
        let mut expected = nasty();
        let text = written(&expected, &clock);
        let (annotations, problems) = back(&text, &clock);
        expected.sort_by_key(|a| a.id);
        assert_eq!(annotations, expected);
        assert_eq!(problems, Vec::<String>::new());
        let document = read(&text);
        assert_eq!(document.recording.as_deref(), Some("clip <&> \"1\""));
        assert_eq!(document.media, ["file:///data/a%20b/clip.mp4"]);
        assert!(document.is_ours());
        let mut names: Vec<&str> = document.tiers.iter().map(|t| t.name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}

#[test]
fn what_overlaps_stands_on_a_tier_of_its_own() {
    let all = [
        plain(1, "Anna", 10, 20),
        plain(2, "Anna", 15, 30),
        plain(3, "Anna", 21, 25),
        plain(4, "Ben", 10, 20),
    ];
    let document = read(&written(&all, &fast()));
    let names: Vec<_> = (document.tiers().into_iter())
        .filter(|t| t.parent.is_none())
        .map(|t| (t.name, t.count))
        .collect();
    let expected = [
        ("Expression@Anna", 2),
        ("Expression#2@Anna", 1),
        ("Expression@Ben", 1),
    ];
    assert_eq!(
        names,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
    for tier in &document.tiers {
        let apart = |pair: &[document::Value]| pair[0].end_ms <= pair[1].begin_ms;
        assert!(tier.values.windows(2).all(apart), "{}", tier.name);
    }
}

#[test]
fn times_changed_in_elan_win_and_the_others_keep_their_frames() {
    // 2,500 fps: frames 10..=20 last 4 to 8.4 ms, written as 4 and 8.
    let clock = clocks().remove(3);
    let mut a = plain(1, "Anna", 11, 20);
    a.apex = Some(14);
    let text = written(&[a.clone()], &clock);
    assert_eq!(back(&text, &clock).0, [a.clone()]);
    // The end goes to 20 ms: frame 50 begins there, so 49 is the last one.
    let (changed, _) = back(&moved(&text, 8, 20), &clock);
    assert_eq!(
        (changed[0].onset, changed[0].apex, changed[0].offset),
        (11, Some(14), 49)
    );
    assert_eq!(changed[0].id, a.id);
    // 200 fps: begin, apex and end one after the other.
    let clock = fast();
    let text = written(&[a], &clock);
    for (from, to, frames) in [
        (55, 40, (8, Some(14), 20)),
        // Between two frames the nearer one counts.
        (55, 62, (12, Some(14), 20)),
        (105, 130, (11, Some(14), 25)),
    ] {
        let (changed, _) = back(&moved(&text, from, to), &clock);
        let c = &changed[0];
        assert_eq!((c.onset, c.apex, c.offset), frames, "{from} to {to}");
    }
    let (changed, _) = back(&moved(&moved(&text, 75, 90), 70, 85), &clock);
    assert_eq!((changed[0].onset, changed[0].apex), (11, Some(17)));
}

#[test]
fn values_changed_in_elan_come_back() {
    let clock = fast();
    let all = nasty();
    let text = written(&all, &clock)
        .replace("AU12LC+AUT25+AU4B+AU1<", "AU14R + nonsense + 2A<")
        .replace(">4</ANNOTATION_VALUE>", ">9</ANNOTATION_VALUE>")
        .replace(
            ">happiness</ANNOTATION_VALUE>",
            ">contempt</ANNOTATION_VALUE>",
        );
    let (annotations, problems) = back(&text, &clock);
    let first = &annotations[0];
    assert_eq!(write_units(&first.units), "AU14R+AU2A");
    assert_eq!(
        (first.confidence, first.emotion.as_deref()),
        (None, Some("contempt"))
    );
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("at 0:00:00.050: 'nonsense' is not an action unit"));
}

#[test]
fn an_apex_taken_away_in_elan_is_gone() {
    let clock = fast();
    let mut a = plain(1, "Anna", 11, 20);
    a.apex = Some(14);
    let text = written(&[a], &clock);
    let start = text
        .find("<ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a2\"")
        .unwrap();
    let end = start + text[start..].find("</ANNOTATION>").unwrap() + "</ANNOTATION>".len();
    let without = format!("{}{}", &text[..start], &text[end..]);
    assert_eq!(back(&without, &clock).0[0].apex, None);
}

#[test]
fn what_is_new_or_copied_in_elan_gets_a_name() {
    let clock = fast();
    let text = written(&[plain(1, "Anna", 10, 20)], &clock);
    // A second annotation without anything below, and one with a copied record.
    let more = "<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a50\" TIME_SLOT_REF1=\"x1\" TIME_SLOT_REF2=\"x2\"><ANNOTATION_VALUE>?</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>";
    let slots = "<TIME_SLOT TIME_SLOT_ID=\"x1\" TIME_VALUE=\"1000\"/><TIME_SLOT TIME_SLOT_ID=\"x2\" TIME_VALUE=\"1600\"/></TIME_ORDER>";
    let text =
        text.replacen("</TIME_ORDER>", slots, 1)
            .replacen("</TIER>", &format!("{more}</TIER>"), 1);
    let (annotations, problems) = back(&text, &clock);
    let new = annotations.iter().find(|a| a.id.0 != 1).unwrap();
    assert_eq!(
        (new.kind, new.coder.as_str()),
        (ExpressionKind::Macro, "Anna")
    );
    assert_eq!((new.onset, new.offset), (200, 319));
    assert!(problems[0].contains("'?' is not macro or micro"));
    let record = text[text.find("{\"id\"").or(text.find("{&quot;id")).unwrap()..]
        .lines()
        .next()
        .unwrap();
    let record = record
        .split("</ANNOTATION_VALUE>")
        .next()
        .unwrap()
        .to_owned();
    let copy = format!(
        "<ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"a51\" ANNOTATION_REF=\"a50\"><ANNOTATION_VALUE>{record}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>\n    <LINGUISTIC_TYPE "
    );
    let text = text.replacen("</TIER>\n    <LINGUISTIC_TYPE ", &copy, 1);
    let (annotations, problems) = back(&text, &clock);
    let copied = annotations.iter().find(|a| a.id.0 != 1).unwrap();
    assert_eq!((copied.onset, copied.offset), (200, 319));
    assert!(
        problems.iter().any(|p| p.contains("copy of another")),
        "{problems:?}"
    );
}

#[test]
fn tiers_of_other_people_are_listed_and_read() {
    let text = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!-- by hand --><ANNOTATION_DOCUMENT AUTHOR=\"\" DATE=\"2020-01-01T00:00:00Z\" FORMAT=\"3.0\" VERSION=\"3.0\">
<HEADER TIME_UNITS=\"milliseconds\"><MEDIA_DESCRIPTOR MEDIA_URL=\"file:///x.mp4\" MIME_TYPE=\"video/mp4\"/></HEADER>
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID=\"ts1\" TIME_VALUE=\"0\"/><TIME_SLOT TIME_SLOT_ID=\"ts2\" TIME_VALUE=\"400\"/>
<TIME_SLOT TIME_SLOT_ID=\"ts3\" TIME_VALUE=\"1000\"/><TIME_SLOT TIME_SLOT_ID=\"ts4\"/><TIME_SLOT TIME_SLOT_ID=\"ts5\" TIME_VALUE=\"2000\"/>
</TIME_ORDER>
<TIER TIER_ID=\"FACS\" LINGUISTIC_TYPE_REF=\"t\">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a1\" TIME_SLOT_REF1=\"ts1\" TIME_SLOT_REF2=\"ts2\"><ANNOTATION_VALUE>12C+6B</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a2\" TIME_SLOT_REF1=\"ts3\" TIME_SLOT_REF2=\"ts5\"><ANNOTATION_VALUE><![CDATA[AU4]]></ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
<TIER TIER_ID=\"Feeling\" LINGUISTIC_TYPE_REF=\"s\" PARENT_REF=\"FACS\">
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"a3\" ANNOTATION_REF=\"a1\"><ANNOTATION_VALUE>Happy</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"a4\" ANNOTATION_REF=\"a2\"><ANNOTATION_VALUE>odd &amp; &#x1F642;</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
</TIER>
<TIER TIER_ID=\"Parts\" LINGUISTIC_TYPE_REF=\"d\" PARENT_REF=\"FACS\">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a5\" TIME_SLOT_REF1=\"ts3\" TIME_SLOT_REF2=\"ts4\"><ANNOTATION_VALUE>AU7</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a6\" TIME_SLOT_REF1=\"ts4\" TIME_SLOT_REF2=\"ts5\"><ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
<TIER TIER_ID=\"Words\" LINGUISTIC_TYPE_REF=\"t\">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a7\" TIME_SLOT_REF1=\"ts1\" TIME_SLOT_REF2=\"ts5\"><ANNOTATION_VALUE>good morning</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
</ANNOTATION_DOCUMENT>";
    let document = read(text);
    assert!(!document.is_ours());
    let tiers = document.tiers();
    let likely: Vec<_> = tiers.iter().filter(|t| t.looks_like_expressions).collect();
    assert_eq!(
        (likely.len(), likely[0].name.as_str(), likely[0].count),
        (1, "FACS", 2)
    );
    assert_eq!(likely[0].examples, ["12C+6B", "AU4"]);
    assert_eq!(tiers[1].parent.as_deref(), Some("FACS"));
    // The slot without a time lies half-way.
    assert_eq!(document.tiers[2].values[0].end_ms, 1500);

    let times: Vec<_> = (0..60)
        .map(|f| Timestamp::from_secs(f64::from(f) / 25.0))
        .collect();
    let imported = document.annotations_of(&["FACS", "gone"], "Ben", "clip", &Clock::new(&times));
    let [first, second] = &imported.entries[..] else {
        panic!("{:?}", imported.entries);
    };
    let a = &first.annotation;
    assert_eq!(
        (first.recording.as_str(), a.coder.as_str()),
        ("clip", "Ben")
    );
    // 0 to 400 ms at 25 fps: frames 0 to 9.
    assert_eq!((a.kind, a.onset, a.offset), (ExpressionKind::Micro, 0, 9));
    assert_eq!(
        (write_units(&a.units).as_str(), a.emotion.as_deref()),
        ("AU12C+AU6B", Some("happiness"))
    );
    let b = &second.annotation;
    assert_eq!((b.kind, b.onset, b.offset), (ExpressionKind::Macro, 25, 49));
    assert_eq!(
        (write_units(&b.units).as_str(), b.note.as_str()),
        ("AU4+AU7", "Feeling: odd & 🙂")
    );
    assert_eq!(imported.problems.len(), 2);
}

#[test]
fn what_is_no_eaf_is_refused() {
    let error = |bytes: &[u8]| {
        Document::read(bytes, Path::new("/x/t.eaf"))
            .unwrap_err()
            .to_string()
    };
    assert!(error(b"<svg/>").contains("not an ELAN file"));
    assert!(error(b"hello").contains("not an ELAN file"));
    assert!(error(b"<ANNOTATION_DOCUMENT><TIER></ANNOTATION_DOCUMENT>").contains("save it again"));
    assert!(error(&[0xff, 0xfe, b'<']).ends_with("/x/t.eaf"));
    let whole = written(&nasty(), &fast());
    let half = whole.find("</TIER>").unwrap();
    assert!(error(&whole.as_bytes()[..half]).contains("breaks off in the middle"));
    assert!(error(&whole.as_bytes()[..half + 3]).ends_with("t.eaf"));
    // In circles: no times, no annotations, no hang.
    let round = "<ANNOTATION_DOCUMENT><TIER TIER_ID=\"a\" PARENT_REF=\"a\"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"a1\" ANNOTATION_REF=\"a1\"><ANNOTATION_VALUE>x</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>";
    assert_eq!(read(round).tiers()[0].count, 0);
}
