//! The metrics against the reference.

use onset::metrics::multilabel::{self, MultiLabelScore};
use onset::metrics::recognition;
use onset::metrics::spotting::{Interval, Mode, Ranked, SpottingScore, Video, score_videos};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    spotting: Vec<Case>,
    classification: Vec<Classes>,
    multilabel: Vec<Units>,
}

#[derive(Deserialize)]
struct Classes {
    classes: usize,
    gt: Vec<usize>,
    pred: Vec<usize>,
    expected: ClassesExpected,
}

#[derive(Deserialize)]
struct ClassesExpected {
    acc: f64,
    macro_f1: f64,
    uf1: f64,
    uar: f64,
    uap: f64,
    weighted_f1: f64,
    micro_f1: f64,
    f1: Vec<f64>,
    recall: Vec<f64>,
    confusion: Vec<Vec<u64>>,
}

#[derive(Deserialize)]
struct Units {
    labels: Vec<Vec<u8>>,
    logits: Vec<Vec<f64>>,
    expected: UnitsExpected,
}

#[derive(Deserialize)]
struct UnitsExpected {
    f1_binary_per_au: Vec<f64>,
    mean_f1_binary: f64,
    f1_macro_per_au: Vec<f64>,
    mean_f1_macro: f64,
}

fn reference() -> Option<Reference> {
    let path = crate::shared("reference/metrics.json")?;
    let text = std::fs::read_to_string(path).expect("metrics.json is readable");
    Some(serde_json::from_str(&text).expect("the described form"))
}

fn same(ours: f64, want: f64) {
    assert!((ours - want).abs() < 1e-12, "{ours} {want}");
}

fn all_same(ours: &[f64], want: &[f64]) {
    assert_eq!(ours.len(), want.len());
    ours.iter().zip(want).for_each(|(&a, &b)| same(a, b));
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
    let Some(reference) = reference() else {
        return;
    };
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

#[test]
fn recognition_metrics_equal_the_judge_also_for_classes_that_never_occur() {
    let Some(reference) = reference() else {
        return;
    };
    assert_eq!(reference.classification.len(), 5);
    for case in &reference.classification {
        let ours = recognition::score(&case.gt, &case.pred, case.classes);
        let want = &case.expected;
        assert_eq!(ours.confusion, want.confusion);
        same(ours.accuracy, want.acc);
        same(ours.macro_f1, want.macro_f1);
        same(ours.uf1, want.uf1);
        same(ours.uar, want.uar);
        same(ours.uap, want.uap);
        same(ours.weighted_f1, want.weighted_f1);
        same(ours.micro_f1, want.micro_f1);
        let per_class = |of: fn(&recognition::ClassScore) -> f64| {
            ours.per_class.iter().map(of).collect::<Vec<f64>>()
        };
        all_same(&per_class(|c| c.f1), &want.f1);
        all_same(&per_class(|c| c.recall), &want.recall);
    }
}

#[test]
fn multi_label_metrics_equal_the_reference() {
    let Some(reference) = reference() else {
        return;
    };
    assert_eq!(reference.multilabel.len(), 2);
    for case in &reference.multilabel {
        let labels: Vec<Vec<bool>> = case
            .labels
            .iter()
            .map(|clip| clip.iter().map(|&l| l == 1).collect())
            .collect();
        let found: Vec<Vec<bool>> = case
            .logits
            .iter()
            .map(|clip| clip.iter().map(|&l| l > 0.0).collect())
            .collect();
        let ours: MultiLabelScore = multilabel::score(&labels, &found);
        let want = &case.expected;
        all_same(&ours.f1_binary, &want.f1_binary_per_au);
        all_same(&ours.f1_macro, &want.f1_macro_per_au);
        same(ours.mean_f1_binary, want.mean_f1_binary);
        same(ours.mean_f1_macro, want.mean_f1_macro);
    }
}
