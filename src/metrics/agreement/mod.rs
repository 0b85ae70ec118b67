//! How far two coders agree on the same recordings.
//!
//! Only what a person has decided counts: annotations that are rejected, and
//! candidates of the analysis that nobody has looked at, are left out. Frames count
//! from 0 and both ends of an annotation are included. Several recordings are pooled
//! by adding their counts, so a long recording weighs more than a short one.
//!
//! What a number cannot say is `None`, never 0 or 1: κ where each coder used one
//! category throughout, F1 where nobody saw anything.
//!
//! | measure | what it asks |
//! |---|---|
//! | [`Found`] | did both see an expression at the same time (IoU, one to one)? |
//! | [`UnitIndex`] | FACS' index of agreement R over the expressions both saw |
//! | [`Ratings`] | Cohen's κ, raw agreement and marginals, per frame and per elementary interval |
//! | [`Shift`] | how far apart onset, apex and offset lie |
//! | [`EmotionRatings`] | which emotions are taken for which |
//! | [`Disagreement`] | where to look together |

mod disagreements;
mod emotions;
mod matching;
mod presence;
mod ratings;
mod timing;
mod units;

pub use disagreements::{Difference, Disagreement, Tolerance, disagreements};
pub use emotions::EmotionRatings;
pub use matching::{Found, iou, pair_up};
pub use presence::{Presence, UnitPresence};
pub use ratings::Ratings;
pub use timing::{Shift, Spread};
pub use units::{UnitAgreement, UnitIndex};

use serde::Serialize;

use crate::base::Timestamp;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Annotation;

/// One recording as several coders saw it.
#[derive(Clone, Copy)]
pub struct Coded<'a> {
    /// Of all coders, in any order.
    pub annotations: &'a [Annotation],
    /// Length of the recording; annotations that reach further lengthen it.
    pub frames: u64,
    /// When a frame was shown.
    pub time_of: &'a dyn Fn(u64) -> Timestamp,
}

impl Coded<'_> {
    /// What `coder` has decided to be an expression, in order of onset.
    fn seen_by(&self, coder: &str) -> Vec<&Annotation> {
        let mut seen: Vec<&Annotation> = (self.annotations.iter())
            .filter(|a| a.coder == coder && a.status == IntervalStatus::Accepted)
            .collect();
        seen.sort_by_key(|a| (span(a), a.id));
        seen
    }
}

/// What counts as the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Params {
    /// Two annotations are of the same expression from this IoU on, above 0 to 1.
    pub least_overlap: f64,
    /// How far apart two moments may lie before they are listed as a disagreement.
    pub tolerance: Tolerance,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            least_overlap: 0.5,
            tolerance: Tolerance::default(),
        }
    }
}

/// All measures for two coders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub coders: [String; 2],
    /// Recordings pooled.
    pub recordings: usize,
    pub params: Params,
    /// Expressions of either kind; one coder's macro may be the other's micro.
    pub found: Found,
    /// Macro-expressions alone.
    pub found_macro: Found,
    /// Micro-expressions alone.
    pub found_micro: Found,
    /// Macro, micro or nothing.
    pub kinds: Presence,
    /// Each unit that either coder scored anywhere, by number.
    pub unit_presence: Vec<UnitPresence>,
    pub units: UnitAgreement,
    pub onset: Shift,
    /// Where both coders marked one.
    pub apex: Shift,
    pub offset: Shift,
    pub emotions: EmotionRatings,
}

/// Compares two coders over `recordings`, pooled; one recording is a slice of one.
#[must_use]
pub fn compare(recordings: &[Coded], coders: [&str; 2], params: Params) -> Agreement {
    let seen: Vec<[Vec<&Annotation>; 2]> = recordings
        .iter()
        .map(|r| coders.map(|coder| r.seen_by(coder)))
        .collect();
    let found = |kind: Option<ExpressionKind>| {
        seen.iter().fold(Found::default(), |sum, both| {
            let [first, second] = both.each_ref().map(|seen| of_kind(seen, kind));
            sum + Found::of(&first, &second, params.least_overlap)
        })
    };
    let mut pairs = Vec::new();
    for (recording, [first, second]) in recordings.iter().zip(&seen) {
        for (a, b) in pair_up(first, second, params.least_overlap) {
            pairs.push((recording, first[a], second[b]));
        }
    }
    let annotations: Vec<_> = pairs.iter().map(|&(_, a, b)| (a, b)).collect();
    let shift = |moment: fn(&Annotation) -> Option<u64>| {
        let moments = pairs.iter().filter_map(|&(recording, a, b)| {
            let (a, b) = (moment(a)?, moment(b)?);
            Some(timing::Apart::between(a, b, recording.time_of))
        });
        Shift::of(&moments.collect::<Vec<_>>())
    };
    let stretches: Vec<_> = recordings
        .iter()
        .zip(&seen)
        .flat_map(|(recording, [first, second])| {
            presence::elementary_intervals(first, second, recording.frames)
        })
        .collect();
    Agreement {
        coders: coders.map(str::to_owned),
        recordings: recordings.len(),
        params,
        found: found(None),
        found_macro: found(Some(ExpressionKind::Macro)),
        found_micro: found(Some(ExpressionKind::Micro)),
        kinds: presence::of_kinds(&stretches),
        unit_presence: presence::of_units(&stretches),
        units: UnitAgreement::of(&annotations),
        onset: shift(|a| Some(span(a).0)),
        apex: shift(|a| a.apex),
        offset: shift(|a| Some(span(a).1)),
        emotions: EmotionRatings::of(&annotations),
    }
}

/// Compares every coder with every other, in the order of `coders`.
#[must_use]
pub fn pairwise(recordings: &[Coded], coders: &[&str], params: Params) -> Vec<Agreement> {
    let pairs = coders
        .iter()
        .enumerate()
        .flat_map(|(at, &first)| coders[at + 1..].iter().map(move |&second| [first, second]));
    pairs
        .map(|pair| compare(recordings, pair, params))
        .collect()
}

fn of_kind<'a>(seen: &[&'a Annotation], kind: Option<ExpressionKind>) -> Vec<&'a Annotation> {
    let wanted = |a: &&&Annotation| kind.is_none_or(|kind| a.kind == kind);
    seen.iter().filter(wanted).copied().collect()
}

/// Onset and offset in order, also where a coder has typed them the wrong way round.
fn span(a: &Annotation) -> (u64, u64) {
    (a.onset.min(a.offset), a.onset.max(a.offset))
}

#[cfg(test)]
mod tests;
