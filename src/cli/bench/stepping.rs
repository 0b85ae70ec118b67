//! `onset bench RECORDING --stepping`: how long a step takes from the key to the picture,
//! both ways, as somebody codes frame by frame.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Serialize;

use crate::base::{Latest, stats};
use crate::cli::print::say;
use crate::cli::{CommandResult, Failure, Outcome};
use crate::media::{self, Frame, InputSpec, Player};
use crate::session::device::processor_name;

/// Steps one way, where the recording is long enough.
const STEPS: u64 = 200;
/// A picture that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a key is pressed: by a person who looks at each frame, and by the keyboard
/// itself while it is held.
const PACES: [(&str, Duration); 2] = [
    ("8 a second", Duration::from_millis(125)),
    ("held, 30 a second", Duration::from_millis(33)),
];

/// Milliseconds from the order to the picture.
#[derive(Debug, Serialize)]
struct Row {
    pace: &'static str,
    direction: &'static str,
    steps: usize,
    median_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Share of the steps that took less than 50 ms, 0..1.
    below_50_ms: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    onset_version: &'static str,
    processor: String,
    input: String,
    width: u32,
    height: u32,
    frames: Option<u64>,
    rows: Vec<Row>,
}

pub(super) fn run(input: &std::path::Path, fps: Option<f64>, json: bool) -> CommandResult {
    let spec = InputSpec {
        fps,
        ..InputSpec::path(input)
    };
    let open = || media::open(&spec).map_err(Failure::input);
    let source = open()?;
    let info = source.info().clone();
    let pictures: Latest<Frame> = Latest::default();
    let shown = Latest::clone(&pictures);
    let player =
        Player::start_both_ways(source, open()?, shown, Box::new(|| {})).map_err(Failure::other)?;
    let last = info.frame_count.unwrap_or(STEPS + 1).saturating_sub(1);
    let steps = STEPS.min(last);
    // From the middle on, where neither end helps.
    let from = (last - steps) / 2;
    let mut rows = Vec::new();
    for (pace, every) in PACES {
        for (direction, start, by) in [("forward", from, 1), ("back", from + steps, -1)] {
            player.seek(start);
            wait(&pictures, start)?;
            // As long as it takes to look at it.
            std::thread::sleep(Duration::from_secs(1));
            let mut at = start;
            let mut took = Vec::new();
            for _ in 0..steps {
                at = at.saturating_add_signed(by);
                let asked = Instant::now();
                player.step(by);
                wait(&pictures, at)?;
                took.push(asked.elapsed().as_secs_f64() * 1e3);
                std::thread::sleep(every.saturating_sub(asked.elapsed()));
            }
            let at = |q| stats::quantile(&took, q).unwrap_or(0.0);
            let quick = took.iter().filter(|ms| **ms < 50.0).count();
            rows.push(Row {
                pace,
                direction,
                steps: took.len(),
                median_ms: at(0.5),
                p99_ms: at(0.99),
                max_ms: at(1.0),
                below_50_ms: quick as f64 / took.len().max(1) as f64,
            });
        }
    }
    let report = Report {
        onset_version: env!("CARGO_PKG_VERSION"),
        processor: processor_name(),
        input: info.name.clone(),
        width: info.width,
        height: info.height,
        frames: info.frame_count,
        rows,
    };
    if json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        say!("{text}");
    } else {
        print(&report)?;
    }
    Ok(Outcome::Done)
}

/// Until the frame is shown.
fn wait(pictures: &Latest<Frame>, frame: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if pictures.take().is_some_and(|p| p.index == frame) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err(Failure::other(anyhow!(
        "Frame {frame} did not come within {} s. Check that the recording plays.",
        PATIENCE.as_secs()
    )))
}

fn print(report: &Report) -> Result<(), Failure> {
    say!(
        "Steps through {} ({} × {}) on {}: milliseconds from the key to the picture",
        report.input,
        report.width,
        report.height,
        report.processor
    );
    say!(
        "{:<20} {:<8} {:>6} {:>8} {:>8} {:>8} {:>9}",
        "pace",
        "way",
        "steps",
        "median",
        "p99",
        "max",
        "< 50 ms"
    );
    for row in &report.rows {
        say!(
            "{:<20} {:<8} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>7.1} %",
            row.pace,
            row.direction,
            row.steps,
            row.median_ms,
            row.p99_ms,
            row.max_ms,
            100.0 * row.below_50_ms
        );
    }
    Ok(())
}
