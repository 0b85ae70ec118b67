//! Hours at 200 frames a second: what the window costs with two million points of scores.

use super::*;
use cpu_time::ThreadTime;
use onset::app::command::Room;
use onset::app::time_view::TimeView;
use onset::base::stats;
use onset::spotting::ExpressionKind;
use onset::spotting::signal::ScoreSample;
use onset::timeline::event::FrameRecord;

/// 83 minutes at 200 frames a second, each frame with a score of both kinds.
const LONG: u64 = 1_000_000;
const RATE: f64 = 200.0;
/// Repaints that are measured.
const REPAINTS: usize = 40;
/// What the window's own code may take of a frame.
const MOST_MS: f64 = 4.0;

fn at(frame: u64) -> onset::base::Timestamp {
    onset::base::Timestamp::from_secs(frame as f64 / RATE)
}

/// Small enough to be made here: frames without a face, and two curves.
fn events() -> Vec<Event> {
    let mut events = Vec::with_capacity(3 * LONG as usize);
    for frame in 0..LONG {
        events.push(Event::Frame(Box::new(FrameRecord {
            frame,
            timestamp: at(frame),
            dropped_before: 0,
            face: None,
            others: vec![],
        })));
        for (kind, k, scale) in [
            (ExpressionKind::Micro, 20, 1.0),
            (ExpressionKind::Macro, 60, 0.03),
        ] {
            let start = frame.saturating_sub(k);
            let noise = (frame.wrapping_mul(7_919) % 997) as f64 / 997.0;
            events.push(Event::Score(ScoreSample {
                kind,
                window_start_frame: start,
                window_end_frame: frame,
                start: at(start),
                end: at(frame),
                score: scale * (0.1 + 0.4 * noise),
                strain: 0.0,
                motion: None,
                apex: None,
                masked: None,
            }));
        }
    }
    events
}

/// Rounds at most; some make sure that one is quick, the others only wait for one.
const ROUNDS: usize = 90;
const SURE: usize = 4;

/// Milliseconds of processor time of logic, layout and tessellation, median and p99 of the
/// quickest of some rounds: whoever shares the processor and its caches can only make it
/// longer, for seconds at a time on a rented machine, so that slow rounds are repeated later.
fn cost(window: &mut Shown) -> (f64, f64) {
    let ctx = window.ctx.clone();
    let mut round = || {
        let mut took = Vec::with_capacity(REPAINTS);
        for _ in 0..REPAINTS {
            let begun = ThreadTime::now();
            window.step();
            let shapes = window.output().shapes.clone();
            drop(ctx.tessellate(shapes, ctx.pixels_per_point()));
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let quantile = |q| stats::quantile(&took, q).unwrap_or(0.0);
        (quantile(0.5), quantile(0.99))
    };
    let mut quickest = round();
    for number in 1..ROUNDS {
        if number >= SURE {
            if quickest.0 <= MOST_MS {
                break;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        let next = round();
        if next.0 < quickest.0 {
            quickest = next;
        }
    }
    quickest
}

#[test]
fn two_million_points_are_laid_out_within_four_milliseconds() {
    let mut window = open_window((1920.0, 1080.0), 1.0, |script| {
        use onset::app::backend::Backend;
        script.open(
            "/recordings/interview 07.mp4",
            &onset::session::Params::default(),
        );
        let generation = script.generation;
        let mut commands = std::mem::take(&mut script.arriving);
        commands.push(Command::HintsSeen);
        commands.push(Command::Events {
            generation,
            events: events(),
        });
        commands
    });
    for room in [Room::Review, Room::Annotate] {
        window.state_mut().app.state.apply(Command::Room(room));
        window.run_steps(3);
        for (what, view) in [
            ("the whole", None),
            ("a minute", Some((1_200.0, 1_260.0))),
            ("two seconds", Some((2_400.0, 2_402.0))),
        ] {
            let view = view.map(|(start, end)| TimeView { start, end });
            window.state_mut().app.state.apply(Command::LookAt(view));
            window.run_steps(3);
            let (median, p99) = cost(&mut window);
            println!("{room:?}, {what}: median {median:.2} ms, p99 {p99:.2} ms");
            assert!(median <= MOST_MS, "{room:?}, {what}: {median:.2} ms");
        }
    }
}
