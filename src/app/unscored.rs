//! Where the timeline is shaded: what has no score, joined where it reads as one stretch.
//!
//! A camera that is faster than the analysis loses frames between nearly all others. Shaded
//! frame by frame that is a comb which stands under curves that are there all the same, and
//! the few teeth without a loss catch the eye. So dropped frames are shaded where they broke
//! the curve off, and what lies between two such breaks is one with them.

use super::coverage::{Unmeasured, Why};
use super::review::Review;
use super::time_view::TimeView;
use super::trace::{HOLE_SECS, sample_secs};
use crate::spotting::ExpressionKind;
use crate::spotting::signal::ScoreSample;

/// A shorter wait for the score is not worth a name, seconds.
const LEAST_WAIT_SECS: f64 = 0.2;

impl Review {
    /// What of `view` has no score of one kind or, of the recording as a whole, of none.
    #[must_use]
    pub fn unscored(&self, kind: Option<ExpressionKind>, view: TimeView) -> Vec<Unmeasured> {
        let curves = || {
            let all = self.recording.scores.iter();
            let wanted = all.filter(move |(of, _)| kind.is_none_or(|kind| kind == **of));
            wanted.map(|(_, samples)| samples.as_slice())
        };
        let to_come = self.to_come(curves());
        let decided = to_come.map_or(f64::INFINITY, |wait| wait.start);
        let spans = self.unmeasured(kind).filter(|span| {
            let dropped = matches!(span.why, Why::Dropped(_));
            let waits = dropped && middle(span.start, span.end) > decided;
            span.start <= view.end && span.end >= view.start && !waits
        });
        // Hours of a file are drawn at every repaint, and its frames are not lost one by one.
        if !self.session.info.live {
            return spans.collect();
        }
        let mut list = joined(spans, |secs| curves().any(|curve| goes_on(curve, secs)));
        list.extend(to_come);
        list
    }

    /// The newest stretch of a camera that runs: what its frames show is still being decided.
    fn to_come<'a>(&self, curves: impl Iterator<Item = &'a [ScoreSample]>) -> Option<Unmeasured> {
        let runs = self.session.info.live && !self.recording.finished && !self.status.finished;
        let now = self.recording.end().secs();
        let last = curves.filter_map(|curve| curve.last().map(sample_secs));
        let last = last.fold(0.0, f64::max);
        let start = last.max(now - f64::from(self.status.decision_delay_secs));
        (runs && now - start >= LEAST_WAIT_SECS).then_some(Unmeasured {
            why: Why::ToCome,
            start,
            end: now,
        })
    }
}

fn middle(start: f64, end: f64) -> f64 {
    0.5 * (start + end)
}

/// Whether a curve is drawn at a time: between two scores that count, without a hole.
fn goes_on(curve: &[ScoreSample], secs: f64) -> bool {
    let after = curve.partition_point(|s| sample_secs(s) <= secs);
    let counts = |s: &&ScoreSample| s.masked.is_none();
    let before = after.checked_sub(1).and_then(|at| curve.get(at));
    let both = before.filter(counts).zip(curve.get(after).filter(counts));
    both.is_some_and(|(a, b)| sample_secs(b) - sample_secs(a) <= HOLE_SECS)
}

/// Dropped frames only where the curve does not go on over them, and as one stretch with
/// those shortly before, unless it goes on between them. Everything else as it is.
fn joined(
    spans: impl Iterator<Item = Unmeasured>,
    goes_on: impl Fn(f64) -> bool,
) -> Vec<Unmeasured> {
    let mut list: Vec<Unmeasured> = Vec::new();
    // Where the last stretch of dropped frames stands, and how many they are.
    let mut open: Option<(usize, u64)> = None;
    for span in spans {
        let Why::Dropped(more) = span.why else {
            list.push(span);
            continue;
        };
        if goes_on(middle(span.start, span.end)) {
            continue;
        }
        let near = open.filter(|(at, _)| {
            let before = list[*at].end;
            span.start - before <= HOLE_SECS && !goes_on(middle(before, span.start))
        });
        if let Some((at, count)) = near {
            list[at].why = Why::Dropped(count + more);
            list[at].end = span.end;
            open = Some((at, count + more));
        } else {
            open = Some((list.len(), more));
            list.push(span);
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::spotting::signal::MaskReason;

    fn dropped(frames: u64, start: f64, end: f64) -> Unmeasured {
        let why = Why::Dropped(frames);
        Unmeasured { why, start, end }
    }

    /// A score every tenth of a second, around these times.
    fn curve(times: impl Iterator<Item = u32>, masked: Option<MaskReason>) -> Vec<ScoreSample> {
        let sample = |tenth: u32| {
            let at = Timestamp::from_secs(0.1 * f64::from(tenth));
            ScoreSample {
                kind: ExpressionKind::Micro,
                window_start_frame: u64::from(tenth),
                window_end_frame: u64::from(tenth),
                start: at,
                end: at,
                score: 0.1,
                strain: 0.0,
                apex: None,
                masked,
                motion: None,
            }
        };
        times.map(sample).collect()
    }

    #[test]
    fn a_comb_of_dropped_frames_is_one_stretch_with_their_sum() {
        let teeth = (0..5).map(|i| {
            let start = 0.2 * f64::from(i);
            dropped(3, start, start + 0.12)
        });
        assert_eq!(joined(teeth, |_| false), [dropped(15, 0.0, 0.8 + 0.12)]);
        let far = [dropped(1, 0.0, 0.1), dropped(2, 3.0, 3.1)];
        assert_eq!(joined(far.into_iter(), |_| false), far);
    }

    #[test]
    fn a_curve_that_goes_on_is_not_shaded() {
        let scores = curve(0..10, None);
        let on = |secs| goes_on(&scores, secs);
        assert!(on(0.45) && !on(0.95) && !on(-0.1));
        let spans = [dropped(3, 0.4, 0.5), dropped(3, 1.0, 1.1)];
        let face = Unmeasured {
            why: Why::NoFace,
            start: 0.3,
            end: 0.6,
        };
        let all = spans.into_iter().chain([face]);
        assert_eq!(joined(all, on), [dropped(3, 1.0, 1.1), face]);
        // Between two breaks it goes on: they are two.
        let apart = [dropped(1, -0.2, -0.05), dropped(1, 0.15, 0.2)];
        let between = |secs: f64| (0.0..0.1).contains(&secs);
        assert_eq!(joined(apart.into_iter(), between), apart);
    }

    #[test]
    fn masked_scores_and_holes_break_a_curve_off() {
        let masked = curve(0..10, Some(MaskReason::Gap));
        assert!(!goes_on(&masked, 0.45));
        let holed = curve((0..5).chain(12..20), None);
        assert!(!goes_on(&holed, 0.8) && goes_on(&holed, 1.45));
        assert!(!goes_on(&[], 0.5));
    }
}
