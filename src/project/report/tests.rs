//! What must hold of the whole file.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::sample::Sample;
use super::{Report, Why};
use crate::base::Notice;
use crate::project::results::LIMITS;
use crate::spotting::IntervalStatus::{Accepted, Rejected};

/// Names, attributes and nesting: the file is XML too, which readers of HTML do not mind.
/// Gives the headings' levels in order.
fn well_formed(html: &str) -> Vec<u8> {
    let mut reader = Reader::from_str(html);
    let (mut headings, mut depth) = (Vec::new(), 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                depth += 1;
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
                if let [b'h', level @ b'1'..=b'6'] = tag.name().as_ref().as_bytes() {
                    headings.push(level - b'0');
                }
                assert_ne!(tag.name().as_ref(), "script");
            }
            Event::Empty(tag) if tag.name().as_ref() == "img" => {
                let of = |name: &str| tag.try_get_attribute(name).unwrap().unwrap();
                assert!(of("src").value.starts_with("data:image/jpeg;base64,"));
                assert!(!of("alt").value.is_empty());
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    headings
}

/// No heading skips a level, nothing comes from elsewhere.
fn good(html: &str) {
    let headings = well_formed(html);
    assert_eq!(headings.first(), Some(&1));
    assert_eq!(headings.iter().filter(|level| **level == 1).count(), 1);
    assert!(headings.windows(2).all(|pair| pair[1] <= pair[0] + 1));
    assert!(html.contains("<html lang=\"en\">"));
    for foreign in [
        "http", "url(", "@import", "<link", "<script", "<iframe", "srcset",
    ] {
        let allowed = html.matches("url(#hatch-").count();
        let found = html.matches(foreign).count();
        assert_eq!(
            found,
            if foreign == "url(" { allowed } else { 0 },
            "{foreign}"
        );
    }
    assert_eq!(
        html.matches("src=").count(),
        html.matches("src=\"data:").count()
    );
}

/// Each number has its block once, and each link a place to go to.
fn blocks(html: &str, count: usize) {
    assert_eq!(html.matches("<section class=\"block ").count(), count);
    for number in 1..=count {
        let id = format!(" id=\"expression-{number}\"");
        assert_eq!(html.matches(&id).count(), 1, "{number}");
    }
    assert!(!html.contains(&format!("#expression-{}\"", count + 1)));
}

#[test]
fn a_coded_recording_is_told_in_full() {
    let mut sample = Sample::of(4, 60);
    sample.decide("Anna", 0, Accepted);
    sample.decide("Ben", 0, Accepted);
    sample.decide("Anna", 1, Accepted);
    sample.decide("Ben", 1, Rejected);
    sample.decide("Anna", 2, Rejected);
    sample.found("Anna", (1300, 1340)).note = "at the door".to_owned();
    let report = sample.report();
    assert_eq!(report.expressions.len(), 3);
    let speaking: Vec<usize> = report.expressions.iter().map(|e| e.codings.len()).collect();
    assert_eq!(speaking, [2, 2, 1]);
    // The third rejected, the fourth undecided.
    assert_eq!(report.left_out.len(), 2);
    let micro = report.facts.counts[1];
    assert_eq!((micro.accepted, micro.rejected, micro.undecided), (2, 1, 1));
    assert_eq!(report.facts.counts[0].found_by_people, 1);
    let first = &report.expressions[0];
    assert_eq!((first.moments.frames(), first.moments.secs()), (10, 0.4));
    assert_eq!(first.moments.rise(), Some((4, 0.16)));
    assert_eq!(report.facts.duration_secs, 60.0);
    // Both saw the first; Anna saw two more.
    assert_eq!(report.agreement[0].found, [1, 3, 1]);

    let html = report.html();
    good(&html);
    blocks(&html, 3);
    assert!(html.contains(LIMITS));
    assert_eq!(html.matches("<img ").count(), 4 + 4 + 2);
    for said in [
        "AU L12C+<wbr/>6B",
        "L●C",
        "<b>AU L12</b> lip corner puller (0.83, person’s left)",
        "rejected: no expression",
        "at the door",
        "ambiguous 0.41, unfamiliar 0.09",
        "×4 about grey",
        "0.400 s <small>10 frames</small>",
        "0:01:00.000, 1500 frames",
        "Anna and Ben",
        "no face (F)",
        "blink (B)",
        "The face was lost.",
        "<code>f00d</code>",
        "apex not marked",
    ] {
        assert!(html.contains(said), "{said}");
    }
    // Every second candidate is too uncertain to be named.
    let undecided = report
        .expressions
        .iter()
        .filter_map(|e| e.reading.as_ref()?.class.as_ref());
    let undecided = undecided.filter(|c| c.named.is_none()).count();
    assert_eq!(html.matches("<b>undecided</b>").count(), undecided);
}

#[test]
fn a_recording_without_candidates_says_so() {
    let html = Sample::of(0, 3).report().html();
    good(&html);
    blocks(&html, 0);
    assert!(html.contains("No candidate was accepted"));
    good(&Report::default().html());
}

#[test]
fn names_and_notes_cannot_leave_their_place() {
    let mut sample = Sample::of(1, 60);
    let nasty = "</style></title><script>alert('x')</script>&\u{0}\" onload=\"x";
    sample.summary.recording.name = nasty.to_owned();
    sample.summary.warnings.push(Notice::warning(nasty));
    sample
        .summary
        .scores
        .values_mut()
        .for_each(|facts| facts.source_label = nasty.to_owned());
    sample.decide(nasty, 0, Accepted);
    sample.decide("Ben", 0, Accepted);
    sample.annotations[0].note = nasty.to_owned();
    sample.annotations[0].emotion = Some(nasty.to_owned());
    sample.found(nasty, (900, 910)).status = Rejected;
    let html = sample.report().html();
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(!html.contains("\" onload"));
    good(&html);
}

#[test]
fn two_hundred_intervals_in_two_hours() {
    let mut sample = Sample::of(200, 7200);
    for at in 0..200 {
        sample.decide("Anna", at, Accepted);
    }
    let report = sample.report();
    let html = report.html();
    good(&html);
    blocks(&html, 200);
    assert_eq!(html.matches("<svg class=\"timeline\"").count(), 8);
    let wanted = sample.pictures().frames();
    assert_eq!(wanted.len(), 600);
    assert!(wanted.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn coders_who_did_not_see_the_candidates_are_told_together() {
    let mut sample = Sample::of(1, 60);
    let onset = sample.candidates[0].onset;
    // IoU with each other 9/11, with the candidate 9/11 and 9/10.
    sample.found("Anna", (onset + 1, onset + 10)).apex = Some(onset + 3);
    sample.found("Ben", (onset, onset + 8));
    sample.found("Ben", (onset + 400, onset + 410));
    let report = sample.report();
    assert_eq!(report.expressions.len(), 2);
    let first = &report.expressions[0];
    assert_eq!(first.codings.len(), 2);
    assert_eq!(
        first.set_by.as_deref(),
        Some("Anna"),
        "who has marked an apex"
    );
    assert!(first.spotted.is_some() && first.reading.is_some());
    assert!(report.expressions[1].reading.is_none());
    // Nobody decided on it.
    assert_eq!(report.facts.counts[1].undecided, 1);
}

#[test]
fn what_was_not_measured_is_told_with_its_reason() {
    let timeline = Sample::of(0, 60).report().timeline;
    let millis = |secs: f64| (1e3 * secs).round() as i64;
    let said: Vec<(Why, i64, i64)> = (timeline.not_measured.iter())
        .map(|s| (s.why, millis(s.start), millis(s.end)))
        .collect();
    let wanted = [(Why::NoFace, 1200, 1400), (Why::Dropped(2), 1960, 2000)];
    assert_eq!(said, wanted);
    let blink = timeline.lanes[0].not_measured[0];
    // Windows of 12 frames from 60 to 69; the first one measured again starts at 70.
    assert!((blink.start - 2.64).abs() < 1e-9 && (blink.end - 3.04).abs() < 1e-9);
}
