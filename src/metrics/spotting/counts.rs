//! Matching, counts and average precision.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All recordings, no invented prediction, pairs one to one from the highest
    /// IoU down, AP ranked by score.
    #[default]
    Strict,
    /// As published with S4: a recording without any spot contributes the
    /// prediction [0, 0]; in order of appearance each prediction may claim only the
    /// truth it overlaps most (of equals the later); AP keeps that order, since all
    /// confidences are 0, but lets a prediction claim its next-best free truth.
    Compat,
}

/// Frames from 0, both ends included; `onset` ≤ `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub onset: i64,
    pub offset: i64,
}

impl Interval {
    #[must_use]
    pub const fn new(onset: i64, offset: i64) -> Self {
        Self { onset, offset }
    }

    #[must_use]
    pub fn overlap(self, other: Self) -> i64 {
        (self.offset.min(other.offset) - self.onset.max(other.onset) + 1).max(0)
    }

    fn union(self, other: Self) -> i64 {
        (self.offset - self.onset + 1) + (other.offset - other.onset + 1) - self.overlap(other)
    }

    /// 0..1.
    #[must_use]
    pub fn iou(self, other: Self) -> f64 {
        self.overlap(other) as f64 / self.union(other) as f64
    }

    /// IoU ≥ `twentieths`/20, exactly: 10 is the ½ of MEGC.
    pub(crate) fn reaches(self, other: Self, twentieths: i64) -> bool {
        let overlap = self.overlap(other);
        overlap > 0 && overlap * 20 >= self.union(other) * twentieths
    }
}

/// A prediction and what it is ranked by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    pub interval: Interval,
    pub score: f64,
}

/// Predictions and truths of one kind in one recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Video {
    pub predictions: Vec<Ranked>,
    pub truths: Vec<Interval>,
}

impl Video {
    /// Whether the recording counts: the published evaluator leaves out recordings
    /// without a truth of the kind, which hides the false alarms made there.
    #[must_use]
    pub fn counts(&self, mode: Mode) -> bool {
        mode == Mode::Strict || !self.truths.is_empty()
    }
}

/// Ratios are 0 where nothing could be counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SpottingScore {
    pub tp: usize,
    pub fp: usize,
    #[serde(rename = "fn")]
    pub fn_: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// At IoU 0.50, 0.55 … 0.95.
    pub ap_per_iou: Vec<f64>,
    #[serde(rename = "ap_50_95")]
    pub ap: f64,
}

/// IoU thresholds in twentieths: 0.50 … 0.95.
const TWENTIETHS: std::ops::Range<i64> = 10..20;

/// Scores one kind, or both kinds when each recording is given once for each.
#[must_use]
pub fn score_videos(videos: &[Video], mode: Mode) -> SpottingScore {
    let with_dummies: Vec<Video>;
    let videos = match mode {
        Mode::Strict => videos,
        Mode::Compat => {
            with_dummies = videos.iter().map(with_dummy).collect();
            &with_dummies
        }
    };
    let tp: usize = videos.iter().map(|v| matches(v, mode).len()).sum();
    let predicted: usize = videos.iter().map(|v| v.predictions.len()).sum();
    let truths: usize = videos.iter().map(|v| v.truths.len()).sum();
    let ap_per_iou: Vec<f64> = TWENTIETHS
        .map(|at| average_precision(videos, mode, at))
        .collect();
    SpottingScore {
        tp,
        fp: predicted - tp,
        fn_: truths - tp,
        precision: ratio(tp, predicted),
        recall: ratio(tp, truths),
        f1: ratio(2 * tp, predicted + truths),
        ap: ap_per_iou.iter().sum::<f64>() / ap_per_iou.len() as f64,
        ap_per_iou,
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn with_dummy(video: &Video) -> Video {
    let mut video = video.clone();
    if video.predictions.is_empty() {
        video.predictions.push(Ranked {
            interval: Interval::new(0, 0),
            score: 0.0,
        });
    }
    video
}

/// Which prediction claims which truth at IoU ≥ ½, as `(prediction, truth)` indices
/// in the order of the predictions; each of either at most once.
#[must_use]
pub fn matches(video: &Video, mode: Mode) -> Vec<(usize, usize)> {
    let mut taken = vec![false; video.truths.len()];
    match mode {
        Mode::Strict => {
            let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
            for (p, prediction) in video.predictions.iter().enumerate() {
                for (t, &truth) in video.truths.iter().enumerate() {
                    if prediction.interval.reaches(truth, 10) {
                        pairs.push((prediction.interval.iou(truth), p, t));
                    }
                }
            }
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            let mut used = vec![false; video.predictions.len()];
            let mut claimed = Vec::new();
            for (_, p, t) in pairs {
                if !used[p] && !taken[t] {
                    (used[p], taken[t]) = (true, true);
                    claimed.push((p, t));
                }
            }
            claimed.sort_unstable();
            claimed
        }
        Mode::Compat => video
            .predictions
            .iter()
            .enumerate()
            .filter_map(|(index, p)| {
                let best = by_overlap(p.interval, &video.truths).into_iter().next();
                let hit = best.filter(|&t| !taken[t] && p.interval.reaches(video.truths[t], 10));
                if let Some(t) = hit {
                    taken[t] = true;
                }
                hit.map(|t| (index, t))
            })
            .collect(),
    }
}

/// Indices of `truths` from the highest IoU down; of equals the later first.
fn by_overlap(interval: Interval, truths: &[Interval]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..truths.len()).rev().collect();
    order.sort_by(|&a, &b| interval.iou(truths[b]).total_cmp(&interval.iou(truths[a])));
    order
}

/// Area under the precision–recall curve, precision made non-increasing from the
/// right (all-point interpolation).
fn average_precision(videos: &[Video], mode: Mode, twentieths: i64) -> f64 {
    let truths: usize = videos.iter().map(|v| v.truths.len()).sum();
    if truths == 0 {
        return 0.0;
    }
    let mut ranked: Vec<(usize, Ranked)> = videos
        .iter()
        .enumerate()
        .flat_map(|(v, video)| video.predictions.iter().map(move |&p| (v, p)))
        .collect();
    if mode == Mode::Strict {
        ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    }
    let mut taken: Vec<Vec<bool>> = videos.iter().map(|v| vec![false; v.truths.len()]).collect();
    let (mut hits, mut curve) = (0_usize, Vec::with_capacity(ranked.len()));
    for (seen, (v, prediction)) in ranked.iter().enumerate() {
        let claimed = by_overlap(prediction.interval, &videos[*v].truths)
            .into_iter()
            .find(|&t| {
                !taken[*v][t]
                    && prediction
                        .interval
                        .reaches(videos[*v].truths[t], twentieths)
            });
        if let Some(t) = claimed {
            taken[*v][t] = true;
            hits += 1;
        }
        curve.push((claimed.is_some(), hits as f64 / (seen + 1) as f64));
    }
    let (mut area, mut best) = (0.0, 0.0_f64);
    for &(hit, precision) in curve.iter().rev() {
        best = best.max(precision);
        if hit {
            area += best;
        }
    }
    area / truths as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(predictions: &[(i64, i64, f64)], truths: &[(i64, i64)]) -> Video {
        Video {
            predictions: predictions
                .iter()
                .map(|&(a, b, score)| Ranked {
                    interval: Interval::new(a, b),
                    score,
                })
                .collect(),
            truths: truths.iter().map(|&(a, b)| Interval::new(a, b)).collect(),
        }
    }

    #[test]
    fn iou_counts_both_end_frames() {
        assert!((Interval::new(0, 9).iou(Interval::new(5, 14)) - 5.0 / 15.0).abs() < 1e-12);
        assert_eq!(Interval::new(0, 9).overlap(Interval::new(10, 14)), 0);
    }

    #[test]
    fn an_empty_recording_costs_a_false_alarm_only_in_compat() {
        let quiet = [video(&[], &[(10, 20)])];
        let strict = score_videos(&quiet, Mode::Strict);
        assert_eq!((strict.tp, strict.fp, strict.fn_), (0, 0, 1));
        let compat = score_videos(&quiet, Mode::Compat);
        assert_eq!((compat.tp, compat.fp, compat.fn_), (0, 1, 1));
    }

    #[test]
    fn strict_gives_a_truth_to_the_prediction_that_fits_best_and_ranks_by_score() {
        let v = [video(
            &[(3, 20, 1.0), (10, 20, 9.0), (100, 120, 5.0)],
            &[(10, 20)],
        )];
        let s = score_videos(&v, Mode::Strict);
        assert_eq!((s.tp, s.fp, s.fn_), (1, 2, 0));
        // The right one has the highest score, so nothing stands above it.
        assert!((s.ap - 1.0).abs() < 1e-12, "{s:?}");
        assert_eq!(score_videos(&[], Mode::Strict).f1.to_bits(), 0);
    }
}
