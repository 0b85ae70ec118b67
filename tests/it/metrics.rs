//! The spotting metrics against the reference.

use onset::metrics::spotting::{Interval, Mode, Ranked, SpottingScore, Video, score_videos};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    spotting: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    videos: Vec<Frames>,
    expected: SpottingScore,
    expected_without_dummy: SpottingScore,
}

#[derive(Deserialize)]
struct Frames {
    pred: Vec<[i64; 2]>,
    gt: Vec<[i64; 2]>,
}

fn videos(case: &Case) -> Vec<Video> {
    let interval = |f: &[i64; 2]| Interval::new(f[0], f[1]);
    case.videos
        .iter()
        .map(|v| Video {
            predictions: v
                .pred
                .iter()
                .map(|f| Ranked {
                    interval: interval(f),
                    score: 0.0,
                })
                .collect(),
            truths: v.gt.iter().map(interval).collect(),
        })
        .collect()
}

fn close(ours: &SpottingScore, want: &SpottingScore) {
    assert_eq!((ours.tp, ours.fp, ours.fn_), (want.tp, want.fp, want.fn_));
    for (a, b) in [
        (ours.precision, want.precision),
        (ours.recall, want.recall),
        (ours.f1, want.f1),
        (ours.ap, want.ap),
    ] {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    assert_eq!(ours.ap_per_iou.len(), want.ap_per_iou.len());
    for (a, b) in ours.ap_per_iou.iter().zip(&want.ap_per_iou) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn compat_spotting_metrics_equal_the_published_evaluator() {
    let Some(path) = crate::shared("reference/metrics.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("metrics.json is readable");
    let reference: Reference = serde_json::from_str(&text).expect("the described form");
    assert_eq!(reference.spotting.len(), 6);
    for case in &reference.spotting {
        close(&score_videos(&videos(case), Mode::Compat), &case.expected);
        // Leaving the invented prediction out: a recording without predictions
        // keeps its truths, which the evaluator misses one by one.
        let mut kept = videos(case);
        let orphaned: Vec<Interval> = kept
            .iter()
            .filter(|v| v.predictions.is_empty())
            .flat_map(|v| v.truths.clone())
            .collect();
        kept.retain(|v| !v.predictions.is_empty());
        if let Some(last) = kept.last_mut() {
            // Far from anything, so that they can only be missed.
            last.truths.extend(
                orphaned
                    .iter()
                    .map(|i| Interval::new(i.onset + 1_000_000, i.offset + 1_000_000)),
            );
        }
        close(
            &score_videos(&kept, Mode::Compat),
            &case.expected_without_dummy,
        );
        // With equal scores the strict counts never have a dummy either.
        let strict = score_videos(&videos(case), Mode::Strict);
        let want = &case.expected_without_dummy;
        assert_eq!(strict.tp + strict.fp, want.tp + want.fp);
        assert_eq!(strict.tp + strict.fn_, want.tp + want.fn_);
        assert!(strict.tp >= want.tp);
    }
}
