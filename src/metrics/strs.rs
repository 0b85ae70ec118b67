//! Spot-then-recognise (S1): what a whole system is worth, from a long recording to
//! an emotion. Recognition counts only where spotting was right, and
//! STRS = F1 of spotting × F1 of recognition, the latter the harmonic mean of mean
//! precision and mean recall.
//!
//! [`Mode::Strict`] follows the text. [`Mode::Compat`] repeats the published script:
//! subjects without any prediction and recordings without any truth are left out, a
//! prediction may claim more than one truth, `uar` is the mean *precision*, and a
//! class that all matched pairs share, in truth and prediction, counts as 0.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::recognition::{ClassScore, RecognitionScore};
use super::spotting::{IntervalRow, Mode, Ranked, Video, matches};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrsError {
    #[error(
        "Cannot score: the {what} of {recording} at frame {onset} names no emotion. Fill the column 'emotion' (or 'label')"
    )]
    NoEmotion {
        what: &'static str,
        recording: String,
        onset: i64,
    },
    #[error(
        "Cannot score as published: compat leaves out subjects without predictions, and {recording} names none. Add the column 'subject' to both files, or score strict"
    )]
    NoSubject { recording: String },
    #[error(
        "Cannot score: no true event names one of the classes. Check the column 'emotion' and the classes asked for"
    )]
    NoClasses,
}

/// What `onset score strs` prints; serialises as its `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrsScore {
    pub mode: Mode,
    pub strs: f64,
    pub tp: usize,
    pub fp: usize,
    #[serde(rename = "fn")]
    pub fn_: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1_spotting: f64,
    /// The classes of recognition, in the order of `recognition`.
    pub classes: Vec<String>,
    /// Spotted events whose true emotion is one of the classes.
    pub analysed: usize,
    /// Mean over classes; with a prediction outside the classes counted as missed.
    pub precision_recognition: f64,
    pub recall_recognition: f64,
    /// Harmonic mean of the two above.
    pub f1_recognition: f64,
    pub uf1: f64,
    /// Mean recall; in compat what the script prints under this name.
    pub uar: f64,
    /// `[truth][prediction]`; the last column counts predictions outside the classes.
    pub confusion: Vec<Vec<u64>>,
}

/// Scores predicted against true intervals of one kind, or of both together.
/// `classes` are the emotions that recognition is scored on; without them those of
/// the truth.
///
/// # Errors
/// [`StrsError`]: a row without an emotion, without a subject in compat, or nothing
/// to recognise.
pub fn score(
    predictions: &[&IntervalRow],
    truth: &[&IntervalRow],
    classes: Option<&[String]>,
    mode: Mode,
) -> Result<StrsScore, StrsError> {
    let emotion = |row: &IntervalRow, what| {
        row.emotion.clone().ok_or_else(|| StrsError::NoEmotion {
            what,
            recording: row.recording.clone(),
            onset: row.interval.onset,
        })
    };
    let mut recordings: BTreeMap<&str, Recording> = BTreeMap::new();
    for row in truth.iter().filter(|r| !r.rejected) {
        let recording = recordings.entry(&row.recording).or_default();
        recording.video.truths.push(row.interval);
        recording.truths.push(emotion(row, "truth")?);
    }
    for row in predictions.iter().filter(|r| !r.rejected) {
        let recording = recordings.entry(&row.recording).or_default();
        recording.video.predictions.push(Ranked {
            interval: row.interval,
            score: row.score,
        });
        recording.predictions.push(emotion(row, "prediction")?);
    }
    let classes: Vec<String> = classes.map_or_else(
        || {
            let named: BTreeSet<&String> = recordings.values().flat_map(|r| &r.truths).collect();
            named.into_iter().cloned().collect()
        },
        <[String]>::to_vec,
    );
    if classes.is_empty() {
        return Err(StrsError::NoClasses);
    }
    if mode == Mode::Compat {
        leave_out_as_published(&mut recordings, predictions, truth)?;
    }
    let (mut tp, mut fp, mut fn_) = (0, 0, 0);
    let mut confusion = vec![vec![0_u64; classes.len() + 1]; classes.len()];
    for recording in recordings.values() {
        let pairs = match mode {
            Mode::Strict => matches(&recording.video, mode),
            Mode::Compat => published_pairs(&recording.video),
        };
        let hit: BTreeSet<usize> = pairs.iter().map(|&(p, _)| p).collect();
        tp += pairs.len();
        fp += recording.video.predictions.len() - hit.len();
        fn_ += recording.video.truths.len() - pairs.len();
        for (p, t) in pairs {
            let class = |name: &String| classes.iter().position(|c| c == name);
            if let Some(true_class) = class(&recording.truths[t]) {
                let said = class(&recording.predictions[p]).unwrap_or(classes.len());
                confusion[true_class][said] += 1;
            }
        }
    }
    let f1_spotting = ratio(2 * tp, 2 * tp + fp + fn_);
    let analysed: u64 = confusion.iter().flatten().sum();
    let recognition = class_means(&confusion, mode);
    Ok(StrsScore {
        mode,
        strs: f1_spotting * recognition.f1_of_means(),
        tp,
        fp,
        fn_,
        precision: ratio(tp, tp + fp),
        recall: ratio(tp, tp + fn_),
        f1_spotting,
        classes,
        analysed: analysed as usize,
        precision_recognition: recognition.uap,
        recall_recognition: recognition.uar,
        f1_recognition: recognition.f1_of_means(),
        uf1: recognition.uf1,
        uar: match mode {
            Mode::Strict => recognition.uar,
            Mode::Compat => recognition.uap,
        },
        confusion,
    })
}

/// What is matched in one recording, and the emotions in the same order.
#[derive(Default)]
struct Recording {
    video: Video,
    predictions: Vec<String>,
    truths: Vec<String>,
}

/// The script walks over subjects that occur among the predictions and, for each,
/// over recordings that occur in the truth.
fn leave_out_as_published(
    recordings: &mut BTreeMap<&str, Recording>,
    predictions: &[&IntervalRow],
    truth: &[&IntervalRow],
) -> Result<(), StrsError> {
    let subject = |row: &IntervalRow| {
        row.subject.clone().ok_or_else(|| StrsError::NoSubject {
            recording: row.recording.clone(),
        })
    };
    let mut predicted = BTreeSet::new();
    for row in predictions.iter().filter(|r| !r.rejected) {
        predicted.insert(subject(row)?);
    }
    let mut kept = BTreeSet::new();
    for row in truth.iter().filter(|r| !r.rejected) {
        if predicted.contains(&subject(row)?) {
            kept.insert(row.recording.as_str());
        }
    }
    recordings.retain(|name, _| kept.contains(name));
    Ok(())
}

/// Each prediction in order claims every free truth it fits.
fn published_pairs(video: &Video) -> Vec<(usize, usize)> {
    let mut taken = vec![false; video.truths.len()];
    let mut pairs = Vec::new();
    for (p, prediction) in video.predictions.iter().enumerate() {
        for (t, &truth) in video.truths.iter().enumerate() {
            if !taken[t] && prediction.interval.reaches(truth, 10) {
                taken[t] = true;
                pairs.push((p, t));
            }
        }
    }
    pairs
}

/// Means over the classes only; predictions outside them lower recall.
fn class_means(confusion: &[Vec<u64>], mode: Mode) -> RecognitionScore {
    let classes = confusion.len();
    let mut square: Vec<Vec<u64>> = confusion.to_vec();
    // A row and column for "none of them" keep every count; its own scores are
    // taken out of the means again.
    square.push(vec![0; classes + 1]);
    let mut all = RecognitionScore::of_confusion(square);
    all.per_class.truncate(classes);
    let pairs: u64 = confusion.iter().flatten().sum();
    if mode == Mode::Compat {
        for (c, class) in all.per_class.iter_mut().enumerate() {
            if pairs > 0 && confusion[c][c] == pairs {
                (class.precision, class.recall, class.f1) = (0.0, 0.0, 0.0);
            }
        }
    }
    let mean = |of: fn(&ClassScore) -> f64| {
        all.per_class.iter().map(of).sum::<f64>() / classes.max(1) as f64
    };
    let (uf1, uar, uap) = (mean(|c| c.f1), mean(|c| c.recall), mean(|c| c.precision));
    RecognitionScore {
        uf1,
        uar,
        uap,
        macro_f1: uf1,
        ..all
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::spotting::Interval;
    use crate::spotting::ExpressionKind;

    fn row(subject: &str, recording: &str, frames: (i64, i64), emotion: &str) -> IntervalRow {
        IntervalRow {
            recording: recording.to_owned(),
            kind: ExpressionKind::Micro,
            interval: Interval::new(frames.0, frames.1),
            apex: None,
            subject: Some(subject.to_owned()),
            emotion: Some(emotion.to_owned()),
            score: 0.0,
            rejected: false,
        }
    }

    fn run(predictions: &[IntervalRow], truth: &[IntervalRow], mode: Mode) -> StrsScore {
        let predictions: Vec<&IntervalRow> = predictions.iter().collect();
        let truth: Vec<&IntervalRow> = truth.iter().collect();
        score(&predictions, &truth, None, mode).expect("scores")
    }

    /// The five rows published with the metric, worked by hand:
    ///
    /// | clip | predicted | true | overlap / union | |
    /// |---|---|---|---|---|
    /// | EP02_01f | 10–70 | 45–85 | 26 / 76 = 0.34 | missed |
    /// | EP03_02 | 100–170 | 130–160 | 31 / 71 = 0.44 | missed |
    /// | EP04_02 | 0–70 | 20–75 | 51 / 76 = 0.67 | others as others |
    /// | EP01_11f | 20–90 | 45–95 | 46 / 76 = 0.61 | repression as happiness |
    /// | EP02_04f | 70–140 | 30–140 | 71 / 111 = 0.64 | repression as happiness |
    ///
    /// Spotting: 3 TP, 2 FP, 2 FN, F1 = 6 / 10. Of the three classes of the truth only
    /// others is ever right (precision and recall 1); happiness and repression have 0.
    /// Mean precision = mean recall = 1/3 = F1; STRS = 0.6 / 3 = 0.2.
    #[test]
    fn the_five_published_rows_give_a_fifth() {
        let predictions = [
            row("1", "EP02_01f", (10, 70), "happiness"),
            row("1", "EP03_02", (100, 170), "others"),
            row("1", "EP04_02", (0, 70), "others"),
            row("2", "EP01_11f", (20, 90), "happiness"),
            row("2", "EP02_04f", (70, 140), "happiness"),
        ];
        let truth = [
            row("1", "EP02_01f", (45, 85), "happiness"),
            row("1", "EP03_02", (130, 160), "others"),
            row("1", "EP04_02", (20, 75), "others"),
            row("2", "EP01_11f", (45, 95), "repression"),
            row("2", "EP02_04f", (30, 140), "repression"),
        ];
        for mode in [Mode::Strict, Mode::Compat] {
            let s = run(&predictions, &truth, mode);
            assert!((s.strs - 0.2).abs() < 1e-12, "{s:?}");
            assert_eq!((s.tp, s.fp, s.fn_, s.analysed), (3, 2, 2, 3));
            assert!((s.f1_spotting - 0.6).abs() < 1e-12);
            assert!((s.f1_recognition - 1.0 / 3.0).abs() < 1e-12);
            assert_eq!(s.classes, ["happiness", "others", "repression"]);
        }
    }

    #[test]
    fn strict_counts_the_subjects_and_recordings_that_compat_leaves_out() {
        let truth = [
            row("1", "a", (0, 9), "happiness"),
            row("2", "b", (0, 9), "surprise"),
        ];
        let predictions = [
            row("1", "a", (0, 9), "happiness"),
            row("1", "quiet", (5, 9), "surprise"),
        ];
        let strict = run(&predictions, &truth, Mode::Strict);
        assert_eq!((strict.tp, strict.fp, strict.fn_), (1, 1, 1));
        // happiness 1 and 1, surprise 0 and 0: F1 ½ of both, STRS ¼.
        assert!((strict.strs - 0.25).abs() < 1e-12, "{strict:?}");
        let compat = run(&predictions, &truth, Mode::Compat);
        assert_eq!((compat.tp, compat.fp, compat.fn_), (1, 0, 0));
        // The only pair is right, which the script takes for 0.
        assert!(compat.strs.abs() < 1e-12, "{compat:?}");
    }

    #[test]
    fn uar_is_recall_in_strict_and_precision_in_compat() {
        // Two happiness, one of them taken for surprise; one surprise, found.
        let truth = [
            row("1", "a", (0, 9), "happiness"),
            row("1", "b", (0, 9), "happiness"),
            row("1", "c", (0, 9), "surprise"),
        ];
        let predictions = [
            row("1", "a", (0, 9), "happiness"),
            row("1", "b", (0, 9), "surprise"),
            row("1", "c", (0, 9), "surprise"),
        ];
        let strict = run(&predictions, &truth, Mode::Strict);
        assert!((strict.uar - 0.75).abs() < 1e-12);
        // A precision of 1 and ½; equal to recall here only in the mean.
        assert!((strict.precision_recognition - 0.75).abs() < 1e-12);
        let third = row("1", "d", (0, 9), "happiness");
        let more = [truth.as_slice(), &[third]].concat();
        let said = row("1", "d", (0, 9), "surprise");
        let more_said = [predictions.as_slice(), &[said]].concat();
        let strict = run(&more_said, &more, Mode::Strict);
        let compat = run(&more_said, &more, Mode::Compat);
        // Recall 1/3 and 1; precision 1 and 1/3.
        assert!((strict.uar - 2.0 / 3.0).abs() < 1e-12);
        assert!((compat.uar - strict.precision_recognition).abs() < 1e-12);
    }

    #[test]
    fn a_prediction_outside_the_classes_is_a_miss_and_other_truths_are_not_analysed() {
        let truth = [
            row("1", "a", (0, 9), "happiness"),
            row("1", "b", (0, 9), "surprise"),
            row("1", "c", (0, 9), "others"),
        ];
        let predictions = [
            row("1", "a", (0, 9), "happiness"),
            row("1", "b", (0, 9), "others"),
            row("1", "c", (0, 9), "happiness"),
        ];
        let (p, t): (Vec<_>, Vec<_>) = (predictions.iter().collect(), truth.iter().collect());
        let classes = ["happiness".to_owned(), "surprise".to_owned()];
        let s = score(&p, &t, Some(&classes), Mode::Strict).expect("scores");
        assert_eq!((s.tp, s.analysed), (3, 2));
        assert_eq!(s.confusion, [[1, 0, 0], [0, 0, 1]]);
        assert!((s.recall_recognition - 0.5).abs() < 1e-12);
    }

    #[test]
    fn missing_emotions_and_subjects_are_named() {
        let mut bare = row("1", "a", (3, 9), "happiness");
        bare.emotion = None;
        let error = score(&[], &[&bare], None, Mode::Strict).expect_err("no emotion");
        assert!(error.to_string().contains("a at frame 3"), "{error}");
        let mut alone = row("1", "a", (3, 9), "happiness");
        alone.subject = None;
        let error = score(&[&alone], &[&alone], None, Mode::Compat).expect_err("no subject");
        assert!(matches!(error, StrsError::NoSubject { .. }), "{error}");
        assert_eq!(
            score(&[], &[], None, Mode::Strict),
            Err(StrsError::NoClasses)
        );
    }
}
