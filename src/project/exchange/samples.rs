//! Annotations that are hard to carry: nasty texts, odd clocks, overlaps.

use super::Clock;
use crate::base::Timestamp;
use crate::facs::parse_units;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::annotation::Candidate;
use crate::timeline::{Annotation, AnnotationId};

pub(super) fn plain(id: u128, coder: &str, onset: u64, offset: u64) -> Annotation {
    Annotation::found(
        AnnotationId(id),
        coder,
        ExpressionKind::Micro,
        (onset, offset),
    )
}

pub(super) fn candidate() -> Candidate {
    Candidate {
        kind: ExpressionKind::Macro,
        onset: 9,
        apex: 15,
        offset: 22,
        // Not a value that few decimals could hold.
        score: 0.1 + 0.2,
    }
}

pub(super) fn nasty() -> Vec<Annotation> {
    let mut rich = plain(1, "Änne \"A\" <&> 🙂", 10, 20);
    rich.apex = Some(14);
    rich.units = parse_units("AU12LC+AUT25+AU4B+AU1").unwrap();
    rich.emotion = Some("happiness".to_owned());
    rich.confidence = Some(4);
    rich.note = "  She said: \"no, 'never'\";\nthen <&> ö 🙂\r\n\tend ]]> ".to_owned();
    rich.candidate = Some(candidate());
    let mut inside = plain(2, "Änne \"A\" <&> 🙂", 12, 18);
    inside.kind = ExpressionKind::Macro;
    inside.emotion = Some("mixed, <odd> & \"new\"".to_owned());
    let mut rejected = plain(3, "Ben", 0, 0);
    rejected.status = IntervalStatus::Rejected;
    rejected.apex = Some(0);
    rejected.confidence = Some(1);
    let mut undecided = plain(4, "", 30, 90);
    undecided.status = IntervalStatus::Proposed;
    undecided.note = "=1+1".to_owned();
    // An apex outside, as coders leave it while they work.
    let mut unfinished = plain(u128::MAX, "Ben@home #2", 40, 45);
    unfinished.apex = Some(50);
    // Past the end of the recording, right behind another one.
    let behind = plain(5, "Ben@home #2", 46, 400);
    // Where the same coder has rejected something.
    let seen = plain(6, "Ben", 0, 3);
    vec![rich, inside, rejected, undecided, unfinished, behind, seen]
}

/// 200 fps, 30 fps, 1,000 and 2,500 fps, uneven times, one frame, none.
pub(super) fn clocks() -> Vec<Clock> {
    let steady = |fps: f64| {
        let times = (0..100).map(|f| Timestamp::from_secs(f64::from(f) / fps));
        Clock::new(&times.collect::<Vec<_>>())
    };
    let uneven = (0..100_i64).map(|f| Timestamp::from_nanos(f * 31_234_567 + f % 7 * 4_100_000));
    vec![
        steady(200.0),
        steady(30.0),
        steady(1000.0),
        steady(2500.0),
        Clock::new(&uneven.collect::<Vec<_>>()),
        Clock::new(&[Timestamp::ZERO]),
        Clock::new(&[]),
    ]
}
