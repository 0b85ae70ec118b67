use super::*;
use crate::facs::parse_units;
use crate::timeline::AnnotationId;

/// A micro-expression that `coder` saw; frames make the id, so that ids differ.
pub(super) fn seen(coder: &str, onset: u64, offset: u64) -> Annotation {
    let first = coder.bytes().next().unwrap_or(0);
    let id = u128::from(onset) << 32 | u128::from(offset) << 8 | u128::from(first);
    Annotation::found(
        AnnotationId(id),
        coder,
        ExpressionKind::Micro,
        (onset, offset),
    )
}

pub(super) fn scored(coder: &str, onset: u64, offset: u64, units: &str) -> Annotation {
    Annotation {
        units: parse_units(units).unwrap(),
        ..seen(coder, onset, offset)
    }
}

pub(super) fn at_30_fps(frame: u64) -> Timestamp {
    Timestamp::from_secs(frame as f64 / 30.0)
}

fn of(annotations: &[Annotation]) -> Coded<'_> {
    Coded {
        annotations,
        frames: 100,
        time_of: &at_30_fps,
    }
}

fn compared(annotations: &[Annotation]) -> Agreement {
    compare(&[of(annotations)], ["A", "B"], Params::default())
}

#[test]
fn identical_coders_agree_in_everything() {
    let mut a = scored("A", 10, 19, "AU4B+AU12LC");
    a.apex = Some(14);
    a.emotion = Some("anger".to_owned());
    let mut second = scored("A", 50, 59, "AU1");
    second.kind = ExpressionKind::Macro;
    second.emotion = Some("fear".to_owned());
    let mut all = vec![a, second];
    for mut copy in all.clone() {
        copy.coder = "B".to_owned();
        copy.id = AnnotationId(copy.id.0 + 1);
        all.push(copy);
    }
    let g = compared(&all);
    assert_eq!(g.found.f1(), Some(1.0));
    assert_eq!(
        (g.found_macro.f1(), g.found_micro.f1()),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(g.units.with_intensity.r(), Some(1.0));
    assert!((g.kinds.per_frame.kappa.unwrap() - 1.0).abs() < 1e-12);
    assert!((g.kinds.per_interval.kappa.unwrap() - 1.0).abs() < 1e-12);
    assert!(
        g.unit_presence
            .iter()
            .all(|u| u.presence.per_frame.agreement == Some(1.0))
    );
    assert_eq!((g.onset.count, g.apex.count), (2, 1));
    assert_eq!(g.onset.frames, Some(Spread::default()));
    assert_eq!(g.emotions.ratings.kappa, Some(1.0));
    assert!(disagreements(&of(&all), ["A", "B"], Params::default()).is_empty());
}

#[test]
fn nothing_against_nothing_says_nothing() {
    let g = compared(&[]);
    assert_eq!((g.found.f1(), g.units.by_number.r()), (None, None));
    // 100 frames of nothing: all the same, and no chance to correct for.
    assert_eq!(g.kinds.per_frame.agreement, Some(1.0));
    assert_eq!(
        (g.kinds.per_frame.kappa, g.emotions.ratings.kappa),
        (None, None)
    );
    assert!(g.onset.frames.is_none() && g.unit_presence.is_empty());
}

#[test]
fn nothing_against_something_is_no_agreement() {
    let g = compared(&[scored("A", 10, 19, "AU4")]);
    assert_eq!((g.found.f1(), g.found.recall()), (Some(0.0), Some(0.0)));
    assert_eq!(g.found.precision(), None);
    // No pair, so no units to compare; 90 of 100 frames are the same, as by chance.
    assert_eq!(g.units.by_number.r(), None);
    assert_eq!(g.kinds.per_frame.agreement, Some(0.9));
    assert!(g.kinds.per_frame.kappa.unwrap().abs() < 1e-12);
}

#[test]
fn what_is_rejected_or_undecided_does_not_count() {
    let mut rejected = seen("A", 10, 19);
    rejected.status = IntervalStatus::Rejected;
    let mut proposed = seen("B", 10, 19);
    proposed.status = IntervalStatus::Proposed;
    let other_coder = seen("C", 10, 19);
    let g = compared(&[rejected, proposed, other_coder]);
    assert_eq!(g.found, Found::default());
}

#[test]
fn a_macro_of_one_is_a_micro_of_the_other() {
    let mut a = seen("A", 10, 19);
    a.kind = ExpressionKind::Macro;
    let g = compared(&[a, seen("B", 10, 19)]);
    assert_eq!(g.found.f1(), Some(1.0));
    assert_eq!(
        (g.found_macro.f1(), g.found_micro.f1()),
        (Some(0.0), Some(0.0))
    );
}

#[test]
fn recordings_are_pooled_by_their_counts() {
    // Recording 1: both see 10..19, A with AU4, B with AU4+AU7: 1 of 1 and 2 units.
    // Recording 2: A sees 10..19 and 30..39, B the second, 2 frames later (IoU 8/12).
    // F1 = 2 · 2 / (3 + 2) = 0.8. R = 2 · 1 / (1 + 2) = 2/3. Onsets apart: 0 and 2.
    let one = [scored("A", 10, 19, "AU4"), scored("B", 10, 19, "AU4+AU7")];
    let two = [seen("A", 10, 19), seen("A", 30, 39), seen("B", 32, 41)];
    let g = compare(&[of(&one), of(&two)], ["A", "B"], Params::default());
    assert_eq!((g.recordings, g.found.f1()), (2, Some(0.8)));
    assert_eq!(g.units.by_number.r(), Some(2.0 / 3.0));
    let onset = g.onset.frames.unwrap();
    assert_eq!((onset.mean, onset.mean_absolute), (1.0, 1.0));
    // Frames: both 10 + 8, only A 10 + 2, only B 2, nothing 168 of 200.
    assert_eq!(
        g.kinds.per_frame.counts,
        [[0, 0, 0], [0, 18, 12], [0, 2, 168]]
    );
}

#[test]
fn three_coders_make_three_pairs() {
    let all = [seen("A", 10, 19), seen("B", 10, 19), seen("C", 50, 59)];
    let pairs = pairwise(&[of(&all)], &["A", "B", "C"], Params::default());
    let f1: Vec<_> = pairs
        .iter()
        .map(|g| (g.coders.join(""), g.found.f1()))
        .collect();
    let expected = [("AB", Some(1.0)), ("AC", Some(0.0)), ("BC", Some(0.0))];
    assert_eq!(f1, expected.map(|(names, f1)| (names.to_owned(), f1)));
    assert!(pairwise(&[of(&all)], &["A"], Params::default()).is_empty());
}

#[test]
fn the_report_is_written_with_its_scores() {
    let g = compared(&[seen("A", 10, 19), seen("B", 10, 19)]);
    let json = serde_json::to_value(&g).unwrap();
    assert_eq!(json["found"]["f1"], 1.0);
    assert_eq!(json["kinds"]["per_frame"]["kappa"], 1.0);
    assert!(json["units"]["by_number"]["r"].is_null());
}
