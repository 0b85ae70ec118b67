//! The published post-processing against the reference, and the default decoding on
//! simulated faces.

use std::collections::BTreeMap;

use onset::metrics::spotting::{Interval, Mode, Ranked, Video, score_videos};
use onset::spotting::compat::postprocess;
use onset::spotting::peaks::find_peaks;
use onset::spotting::{
    DecodeInput, DecodeMode, DecodeParams, ExpressionKind, ScoreLevels, ScoreSample, SpotEvent,
    SpotId, SpottedInterval, Spotter, decode,
};
use serde::Deserialize;

use crate::simulated_face::{Dice, Event, Face};

#[derive(Deserialize)]
struct Reference {
    postprocess: Vec<PostProcess>,
    find_peaks: Vec<FindPeaks>,
}

#[derive(Deserialize)]
struct PostProcess {
    k: usize,
    p: f64,
    score: Vec<f64>,
    smoothed: Vec<f64>,
    threshold: f64,
    peaks: Vec<usize>,
    intervals: Vec<[i64; 2]>,
}

#[derive(Deserialize)]
struct FindPeaks {
    x: Vec<f64>,
    height: f64,
    distance: usize,
    peaks: Vec<usize>,
}

fn reference() -> Option<Reference> {
    let path = crate::shared("reference/metrics.json")?;
    let text = std::fs::read_to_string(path).expect("metrics.json is readable");
    Some(serde_json::from_str(&text).expect("metrics.json has the described form"))
}

#[test]
fn published_post_processing_equals_the_reference() {
    let Some(reference) = reference() else { return };
    assert_eq!(reference.postprocess.len(), 4);
    for case in reference.postprocess {
        let ours = postprocess(&case.score, case.k, case.p);
        assert_eq!(ours.smoothed.len(), case.smoothed.len());
        for (a, b) in ours.smoothed.iter().zip(&case.smoothed) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        assert!((ours.threshold - case.threshold).abs() < 1e-12);
        assert_eq!(ours.peaks, case.peaks);
        assert_eq!(ours.intervals, case.intervals);
    }
}

#[test]
fn peaks_equal_scipys() {
    let Some(reference) = reference() else { return };
    assert_eq!(reference.find_peaks.len(), 5);
    for case in reference.find_peaks {
        assert_eq!(find_peaks(&case.x, case.height, case.distance), case.peaks);
    }
}

fn spots(face: &Face, seed: u64) -> Vec<SpottedInterval> {
    decode(
        &DecodeInput {
            scores: &face.samples(seed),
            control: None,
        },
        &DecodeParams::control(),
    )
    .intervals
}

/// Two macro- and two micro-expressions in twenty seconds.
fn four_events() -> [Event; 4] {
    [
        Event::new(2.0, 2.4, 3.2, 3.7, 0.09),
        Event::new(6.0, 6.16, 6.2, 6.4, 0.054),
        Event::new(9.5, 9.9, 11.4, 12.0, 0.105),
        Event::new(15.0, 15.13, 15.17, 15.33, 0.048),
    ]
}

#[test]
fn two_macro_and_two_micro_expressions_and_a_blink_are_found_without_a_false_alarm() {
    for directed in [false, true] {
        for seed in 0..20 {
            let mut face = Face::at_rate(30.0, 20.0, &four_events());
            face.blinks = vec![(400, 407)];
            face.directed = directed;
            face.assert_found(
                &spots(&face, seed),
                &format!("seed {seed}, directed {directed}"),
            );
        }
    }
}

#[test]
fn a_quiet_recording_yields_nothing_with_and_without_the_floor() {
    let mut alarms = [0, 0];
    for seed in 0..100 {
        let face = Face::at_rate(30.0, 60.0, &[]);
        for (count, floors) in alarms
            .iter_mut()
            .zip([ScoreLevels::CONTROL_FLOORS, ScoreLevels::NONE])
        {
            let params = DecodeParams {
                floors,
                ..DecodeParams::control()
            };
            let scores = face.samples(seed);
            let found = decode(
                &DecodeInput {
                    scores: &scores,
                    control: None,
                },
                &params,
            );
            *count += usize::from(!found.intervals.is_empty());
        }
    }
    eprintln!(
        "quiet recordings with a false alarm, of 100: {} with the floor, {} without",
        alarms[0], alarms[1]
    );
    assert!(alarms[0] == 0 && alarms[1] <= 5, "{alarms:?}");
}

#[test]
fn drift_neither_hides_an_expression_nor_makes_one() {
    for seed in 0..10 {
        let mut face = Face::at_rate(30.0, 60.0, &four_events());
        face.drift = 0.01;
        face.assert_found(&spots(&face, seed), &format!("seed {seed}"));
    }
}

#[test]
fn a_huge_expression_does_not_hide_a_small_one() {
    for seed in 0..10 {
        let face = Face::at_rate(
            30.0,
            30.0,
            &[
                Event::new(5.0, 5.5, 7.0, 7.8, 0.8),
                Event::new(15.0, 15.15, 15.2, 15.38, 0.054),
            ],
        );
        face.assert_found(&spots(&face, seed), &format!("seed {seed}"));
    }
}

#[test]
fn expressions_cut_by_the_ends_of_the_recording_are_macro_and_touch_the_ends() {
    let face = Face::at_rate(
        30.0,
        20.0,
        &[
            Event::new(-1.5, -1.2, 0.4, 0.9, 0.09),
            Event::new(18.6, 19.0, 21.0, 22.0, 0.09),
        ],
    );
    let found = spots(&face, 1);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found.iter().all(|i| i.kind == ExpressionKind::Macro),
        "{found:#?}"
    );
    assert_eq!(found[0].onset, 0);
    assert!(found[0].offset.abs_diff(27) <= 5, "{found:#?}");
    assert!(found[1].onset.abs_diff(558) <= 5, "{found:#?}");
    assert_eq!(found[1].offset, 599);
}

#[test]
fn no_interval_reaches_across_a_gap_or_a_blink() {
    for gap in [true, false] {
        let mut face = Face::at_rate(30.0, 20.0, &[Event::new(5.0, 5.4, 8.0, 8.5, 0.09)]);
        if gap {
            face.gaps = vec![200];
        } else {
            face.blinks = vec![(199, 204)];
        }
        let found = spots(&face, 3);
        assert!(!found.is_empty());
        for spot in &found {
            assert!(spot.offset <= 200 || spot.onset >= 201, "{found:#?}");
            assert!(gap || spot.offset < 199 || spot.onset > 204, "{found:#?}");
            assert_eq!(spot.kind, ExpressionKind::Macro);
        }
    }
}

#[test]
fn a_variable_rate_of_12_to_30_fps_is_read_by_its_times() {
    for seed in 0..10 {
        let mut dice = Dice::new(seed);
        let (mut times, mut t) = (Vec::new(), 0.0);
        while t < 20.0 {
            times.push(t);
            t += 1.0 / (12.0 + 18.0 * dice.uniform());
        }
        let mut events = four_events();
        // The two short ones must last a few frames to be seen at all.
        events[1] = Event::new(6.0, 6.19, 6.22, 6.42, 0.06);
        events[3] = Event::new(15.0, 15.18, 15.22, 15.4, 0.06);
        let face = Face::at_times(times, &events);
        face.assert_found(&spots(&face, seed), &format!("seed {seed}"));
    }
}

#[test]
fn two_hundred_frames_a_second_give_the_same_events() {
    for seed in 0..5 {
        let face = Face::at_rate(200.0, 20.0, &four_events());
        face.assert_found(&spots(&face, seed), &format!("seed {seed}"));
    }
}

#[test]
fn below_15_fps_without_a_short_window_nothing_is_called_micro() {
    let face = Face::at_rate(12.0, 20.0, &four_events());
    let mut scores = face.samples(0);
    scores.retain(|s| s.kind == ExpressionKind::Macro);
    let found = decode(
        &DecodeInput {
            scores: &scores,
            control: None,
        },
        &DecodeParams::control(),
    );
    assert_eq!(found.intervals.len(), 2, "{found:#?}");
    assert!(
        found
            .intervals
            .iter()
            .all(|i| i.kind == ExpressionKind::Macro)
    );
}

#[test]
fn a_recording_that_is_half_expressions_still_shows_them() {
    for seed in 0..10 {
        let face = Face::at_rate(
            30.0,
            7.2,
            &[
                Event::new(0.5, 0.8, 1.1, 1.5, 0.15),
                Event::new(2.1, 2.5, 2.8, 3.2, 0.18),
                Event::new(3.8, 4.1, 4.8, 5.2, 0.24),
            ],
        );
        face.assert_found(&spots(&face, seed), &format!("seed {seed}"));
    }
}

#[test]
fn a_departure_too_slow_to_see_does_not_turn_rests_into_expressions() {
    // The first one comes on over eight seconds and goes at once; then three more
    // follow, each longer than the rest before it.
    let mut events = vec![Event::new(3.0, 11.0, 11.2, 11.6, 0.12)];
    for start in [12.1, 14.4, 16.7] {
        events.push(Event::new(
            start,
            start + 0.3,
            start + 1.5,
            start + 1.8,
            0.12,
        ));
    }
    for seed in 0..10 {
        let mut face = Face::at_rate(30.0, 30.0, &events);
        face.directed = true;
        let found = spots(&face, seed);
        for event in &events[1..] {
            let (first, last) = event.frames(&face.times);
            assert!(
                found
                    .iter()
                    .any(|i| i.onset.abs_diff(first) <= 3 && i.offset.abs_diff(last) <= 3),
                "seed {seed}: {event:?} {found:#?}"
            );
        }
    }
}

/// Macro- and micro-expressions of random length, height and distance (seconds).
fn random_events(dice: &mut Dice, until: f64) -> Vec<Event> {
    let mut events = Vec::new();
    let mut at = 1.0 + 3.0 * dice.uniform();
    while at < until {
        let micro = dice.uniform() < 0.4;
        let mut between = |low: f64, high: f64| low + (high - low) * dice.uniform();
        let (rise, hold, fall, height) = if micro {
            (
                between(0.08, 0.2),
                between(0.02, 0.1),
                between(0.08, 0.2),
                between(0.036, 0.09),
            )
        } else {
            (
                between(0.25, 0.85),
                between(0.1, 2.6),
                between(0.3, 1.2),
                between(0.043, 0.19),
            )
        };
        let (apex, drop) = (at + rise, at + rise + hold);
        events.push(Event::new(at, apex, drop, drop + fall, height));
        at = drop + fall + between(0.8, 5.8);
    }
    events
}

#[test]
fn random_expressions_are_found_with_their_kinds() {
    for (fps, directed) in [(15.0, true), (25.0, false), (30.0, true), (120.0, false)] {
        let mut videos = Vec::new();
        for seed in 0..15 {
            let events = random_events(&mut Dice::new(seed), 52.0);
            let mut face = Face::at_rate(fps, 60.0, &events);
            face.directed = directed;
            let found = spots(&face, seed);
            for kind in ExpressionKind::BOTH {
                let micro = kind == ExpressionKind::Micro;
                let interval = |a: u64, b: u64| Interval::new(a as i64, b as i64);
                videos.push(Video {
                    predictions: found
                        .iter()
                        .filter(|i| i.kind == kind)
                        .map(|i| Ranked {
                            interval: interval(i.onset, i.offset),
                            score: i.score,
                        })
                        .collect(),
                    truths: events
                        .iter()
                        .filter(|e| (e.offset - e.onset <= 0.5) == micro)
                        .map(|e| e.frames(&face.times))
                        .map(|(a, b)| interval(a, b))
                        .collect(),
                });
            }
        }
        let score = score_videos(&videos, Mode::Strict);
        eprintln!(
            "{fps} fps, directed {directed}: {} found, {} false, {} missed",
            score.tp, score.fp, score.fn_
        );
        assert!(score.f1 >= 0.97, "{fps} fps: {score:?}");
    }
}

#[test]
fn a_network_score_is_read_as_blocks_and_placed_by_the_control_signal() {
    let face = Face::at_rate(30.0, 20.0, &four_events());
    let control = face.samples(4);
    let mut dice = Dice::new(9);
    // What a trained network should say: 1 where the window meets {onset+1..offset}.
    let scores: Vec<ScoreSample> = control
        .iter()
        .map(|s| {
            let meets = face.events.iter().any(|e| {
                let micro = e.offset - e.onset <= 0.5;
                let (first, last) = e.frames(&face.times);
                micro == (s.kind == ExpressionKind::Micro)
                    && s.window_start_frame <= last
                    && s.window_end_frame > first + 1
            });
            ScoreSample {
                score: f64::from(u8::from(meets)) * 0.8 + 0.2 * dice.uniform(),
                motion: None,
                strain: 0.0,
                ..s.clone()
            }
        })
        .collect();
    for control in [None, Some(control.as_slice())] {
        let found = decode(
            &DecodeInput {
                scores: &scores,
                control,
            },
            &DecodeParams::network(),
        );
        face.assert_found(&found.intervals, &format!("control {}", control.is_some()));
    }
}

#[test]
fn compat_decoding_gives_every_spot_2k_and_1_frames() {
    let face = Face::at_rate(30.0, 20.0, &four_events());
    let params = DecodeParams {
        mode: DecodeMode::Compat,
        ..DecodeParams::control()
    };
    let found = decode(
        &DecodeInput {
            scores: &face.samples(0),
            control: None,
        },
        &params,
    );
    assert!(!found.intervals.is_empty());
    for spot in &found.intervals {
        let k = if spot.kind == ExpressionKind::Micro {
            6
        } else {
            18
        };
        assert_eq!((spot.apex - spot.onset, spot.offset - spot.apex), (k, k));
    }
}

#[test]
fn live_spots_are_provisional_and_end_as_the_offline_result() {
    let face = Face::at_rate(30.0, 60.0, &four_events());
    let mut spotter = Spotter::new(DecodeParams::control());
    let mut shown: BTreeMap<SpotId, SpottedInterval> = BTreeMap::new();
    let follow = |shown: &mut BTreeMap<SpotId, SpottedInterval>, events: Vec<SpotEvent>| {
        for event in events {
            match event {
                SpotEvent::Set { id, interval } => drop(shown.insert(id, interval)),
                SpotEvent::Withdraw { id } => assert!(shown.remove(&id).is_some()),
            }
        }
    };
    for sample in face.stream(2) {
        let now = sample.end.secs();
        follow(&mut shown, spotter.push(sample));
        assert!(shown.values().all(|i| i.provisional));
        // Seen within the decision delay after its end.
        let due = face
            .events
            .iter()
            .filter(|e| e.offset + spotter.decision_delay_secs() < now);
        for event in due.filter(|e| e.onset > 3.0) {
            let (first, last) = event.frames(&face.times);
            assert!(
                shown.values().any(|i| i.onset <= last && first <= i.offset),
                "{event:?} not shown at {now}"
            );
        }
    }
    let found: Vec<SpottedInterval> = shown.values().cloned().collect();
    face.assert_found(&found, "live");
    assert!(spotter.threshold(ExpressionKind::Micro).is_some());
    let offline = spots(&face, 2);
    follow(&mut shown, spotter.finish(&offline));
    assert_eq!(shown.into_values().collect::<Vec<_>>(), offline);
}

#[test]
fn nothing_to_decode_is_no_error() {
    for mode in [DecodeMode::Default, DecodeMode::Compat] {
        for mut params in [DecodeParams::control(), DecodeParams::network()] {
            params.mode = mode;
            let none = decode(
                &DecodeInput {
                    scores: &[],
                    control: None,
                },
                &params,
            );
            assert_eq!(none.intervals, vec![]);
            let mut one = Face::at_rate(30.0, 1.0, &[]).samples(0);
            one.truncate(1);
            one[0].score = f64::NAN;
            let one = decode(
                &DecodeInput {
                    scores: &one,
                    control: Some(&[]),
                },
                &params,
            );
            assert_eq!(one.intervals, vec![]);
        }
    }
}
