//! What a person's task costs in key presses, by keys alone.

use super::*;
use onset::spotting::{ExpressionKind, SpottedInterval};

/// Candidates that are gone through.
const CANDIDATES: usize = 20;

/// The recording with twenty candidates, one every second.
fn twenty() -> Vec<SpottedInterval> {
    (0..CANDIDATES as u64)
        .map(|n| SpottedInterval {
            kind: ExpressionKind::Micro,
            onset: 30 * n + 8,
            apex: 30 * n + 12,
            offset: 30 * n + 17,
            score: 0.5 + 0.01 * n as f64,
            status: IntervalStatus::Proposed,
            provisional: false,
        })
        .collect()
}

#[test]
fn twenty_candidates_are_judged_with_two_keys_each() {
    let mut window = recording((1280.0, 800.0), 1.0, FRAMES, true);
    let generation = (window.state().app.state.review.as_ref()).map_or(0, |r| r.session.generation);
    let events = vec![Event::Spotted {
        intervals: twenty(),
        thresholds: vec![(ExpressionKind::Micro, 0.42)],
    }];
    (window.state_mut().app.state).apply(Command::Events { generation, events });
    window.run_steps(3);
    let mut presses = 0;
    let mut press = |window: &mut Shown, key| {
        window.key_press(key);
        window.run_steps(2);
        presses += 1;
    };
    for n in 0..CANDIDATES {
        press(&mut window, Key::N);
        press(&mut window, if n % 3 == 2 { Key::R } else { Key::A });
    }
    let review = window.state().app.state.review.as_ref().unwrap();
    let of = |status| review.spots.iter().filter(|s| s.status == status).count();
    assert_eq!(of(IntervalStatus::Accepted), 14);
    assert_eq!(of(IntervalStatus::Rejected), 6);
    println!("review {CANDIDATES} candidates: {presses} key presses");
    assert_eq!(presses, 2 * CANDIDATES);
}
