//! The face stage against the reference and on real recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;
use onset::base::{Point, Rect};
use onset::face::landmarks::INSTALLED_MODEL;
use onset::face::{FaceDetector, LandmarkPredictor, Landmarks};
use serde::Deserialize;

use crate::shared;

#[derive(Deserialize)]
struct Oracle {
    faces: Vec<OracleFace>,
}

#[derive(Deserialize)]
struct OracleFace {
    file: String,
    source: String,
    /// left, top, right, bottom, the corners included.
    rect: [f32; 4],
    landmarks: Vec<[f32; 2]>,
    dlib_integer: Vec<[i32; 2]>,
}

impl OracleFace {
    fn frame(&self) -> Rect {
        let [l, t, r, b] = self.rect;
        Rect::new(l, t, r - l, b - t)
    }

    fn eye_distance(&self) -> f32 {
        let centre = |range: std::ops::Range<usize>| {
            let n = range.len() as f32;
            let sum = range.fold([0.0, 0.0], |s, i| {
                [s[0] + self.landmarks[i][0], s[1] + self.landmarks[i][1]]
            });
            Point::new(sum[0] / n, sum[1] / n)
        };
        centre(36..42).distance(centre(42..48))
    }

    /// Mean distance to the model's points over the eye distance, in per cent.
    fn nme_percent(&self, found: &Landmarks) -> f32 {
        let sum: f32 = self
            .landmarks
            .iter()
            .zip(&found.0)
            .map(|(w, p)| p.distance(Point::new(w[0], w[1])))
            .sum();
        100.0 * sum / 68.0 / self.eye_distance()
    }
}

/// The oracle and its pictures; `None`, with a line that says so, without them.
fn oracle() -> Option<(Oracle, BTreeMap<String, RgbImage>)> {
    let (Some(json), Some(folder)) = (
        shared("reference/landmark_oracle.json"),
        shared("reference/faces"),
    ) else {
        println!("skipped: no landmark_oracle.json");
        return None;
    };
    let text = std::fs::read_to_string(json).expect("the oracle");
    let oracle: Oracle = serde_json::from_str(&text).expect("the oracle's fields");
    let mut pictures = BTreeMap::new();
    for face in &oracle.faces {
        pictures.entry(face.file.clone()).or_insert_with(|| {
            image::open(folder.join(&face.file))
                .expect("a reference picture")
                .into_rgb8()
        });
    }
    Some((oracle, pictures))
}

fn full_model() -> Option<LandmarkPredictor> {
    if !Path::new(INSTALLED_MODEL).is_file() {
        println!("skipped: libdlib-data is not installed");
        return None;
    }
    Some(LandmarkPredictor::load(Path::new(INSTALLED_MODEL)).expect("the installed model"))
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

#[test]
fn with_the_oracle_s_boxes_99_percent_of_the_points_are_within_half_a_pixel() {
    let (Some((oracle, pictures)), Some(predictor)) = (oracle(), full_model()) else {
        return;
    };
    let (mut near, mut equal, mut all) = (0, 0, 0);
    for face in &oracle.faces {
        let found = predictor.predict(&pictures[&face.file], face.frame());
        for ((p, w), whole) in found.0.iter().zip(&face.landmarks).zip(&face.dlib_integer) {
            all += 1;
            near += usize::from(p.distance(Point::new(w[0], w[1])) <= 0.5);
            let rounded = [(p.x + 0.5).floor() as i32, (p.y + 0.5).floor() as i32];
            equal += usize::from(rounded == *whole);
        }
    }
    println!("full model, oracle's boxes: {near} of {all} within 0.5 px, {equal} equal to dlib when rounded");
    assert!(near * 100 >= all * 99, "{near} of {all}");
}

/// Median and mean NME over the XML faces that our own boxes found, and how many.
fn own_boxes(predictor: &LandmarkPredictor) -> Option<(f32, f32, usize, usize)> {
    let (oracle, pictures) = oracle()?;
    let detector = FaceDetector::new().expect("the embedded detector");
    let found: BTreeMap<&str, Vec<Rect>> = pictures
        .iter()
        .map(|(name, picture)| {
            let boxes = detector.search_still(picture);
            (name.as_str(), boxes.iter().map(|f| f.rect).collect())
        })
        .collect();
    let xml: Vec<_> = oracle.faces.iter().filter(|f| f.source == "xml").collect();
    let errors: Vec<f32> = xml
        .iter()
        .filter_map(|face| {
            let own = found[face.file.as_str()]
                .iter()
                .max_by(|a, b| a.iou(face.frame()).total_cmp(&b.iou(face.frame())))
                .filter(|r| r.iou(face.frame()) > 0.3)?;
            Some(face.nme_percent(&predictor.predict(&pictures[&face.file], *own)))
        })
        .collect();
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    Some((median(errors.clone()), mean, errors.len(), xml.len()))
}

#[test]
fn with_our_own_boxes_the_median_error_is_at_most_3_3_percent() {
    let Some(predictor) = full_model() else { return };
    let Some((median, mean, found, of)) = own_boxes(&predictor) else {
        return;
    };
    println!("full model, own boxes: NME median {median:.2} %, mean {mean:.2} %, {found} of {of} faces");
    assert!(found >= 41, "{found} of {of} faces");
    assert!(median <= 3.3, "{median}");
}

#[cfg(feature = "compact-landmarks")]
#[test]
fn the_compact_model_stays_close_to_the_full_one() {
    let compact = LandmarkPredictor::embedded().expect("the embedded model");
    let Some((oracle, pictures)) = oracle() else { return };
    let same_box: Vec<f32> = oracle
        .faces
        .iter()
        .map(|f| f.nme_percent(&compact.predict(&pictures[&f.file], f.frame())))
        .collect();
    let of = |source: &str| {
        let values = oracle.faces.iter().zip(&same_box);
        median(values.filter(|(f, _)| f.source == source).map(|(_, v)| *v).collect())
    };
    let (xml, other) = (of("xml"), of("dlib HOG box"));
    println!("compact model, oracle's boxes: median deviation {xml:.2} % (XML faces), {other:.2} % (others)");
    assert!(xml <= 2.0 && other <= 2.0, "{xml} {other}");
    let Some((median, mean, found, of)) = own_boxes(&compact) else { return };
    println!("compact model, own boxes: NME median {median:.2} %, mean {mean:.2} %, {found} of {of} faces");
    assert!(median <= 3.6, "{median}");
}

#[cfg(feature = "compact-landmarks")]
#[test]
fn deriving_the_compact_model_again_gives_the_same_bytes() {
    if full_model().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("again.bin");
    onset::face::landmarks::import_dlib(Path::new(INSTALLED_MODEL), &out).expect("derived");
    let again = std::fs::read(&out).expect("the new file");
    let asset = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/models/landmarks68-compact.bin");
    assert!(again == std::fs::read(asset).expect("the asset"));
}
