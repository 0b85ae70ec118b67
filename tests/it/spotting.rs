//! The published post-processing against the reference.

use onset::spotting::compat::postprocess;
use onset::spotting::peaks::find_peaks;
use serde::Deserialize;

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
