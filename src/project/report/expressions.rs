//! Which expressions have a block, who speaks in it, and which pictures it needs.

use std::collections::{BTreeMap, BTreeSet};

use image::RgbImage;

use super::{Cut, Shown};
use crate::base::Rect;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::annotation::Candidate;
use crate::timeline::{Annotation, Recording};

/// From which overlap over union on two intervals are of the same expression: what
/// agreement between coders takes too.
const SAME: f64 = 0.5;

/// One expression with everybody who speaks of it.
pub(super) struct Told<'a> {
    /// Who saw it, in order of onset; then who rejected its candidate.
    pub(super) annotations: Vec<&'a Annotation>,
    /// The candidate it was made from or that lies over it.
    pub(super) spotted: Option<Candidate>,
}

/// Frames: onset, apex, offset.
pub(super) type Frames = (u64, Option<u64>, u64);

impl<'a> Told<'a> {
    /// Whose moments head the block: the first who has marked an apex.
    pub(super) fn lead(&self) -> Option<&'a Annotation> {
        let saw = || self.annotations.iter().filter(|a| !rejected(a));
        saw()
            .find(|a| a.apex.is_some())
            .or_else(|| saw().next())
            .copied()
    }

    pub(super) fn frames(&self) -> Frames {
        match (self.lead(), &self.spotted) {
            (Some(a), _) => (a.onset, a.apex, a.offset),
            (None, Some(c)) => (c.onset, Some(c.apex), c.offset),
            (None, None) => (0, None, 0),
        }
    }

    /// Whether `a` is about the same expression, by a coder who has not spoken yet.
    fn takes(&self, a: &Annotation) -> bool {
        let over = |other: &&Annotation| share(span(a), span(other)) >= SAME;
        self.annotations.iter().all(|other| other.coder != a.coder)
            && (self.is_from(a.candidate.as_ref())
                || !rejected(a) && self.annotations.first().is_some_and(over))
    }

    /// Whether it was made from `candidate`.
    pub(super) fn is_from(&self, candidate: Option<&Candidate>) -> bool {
        let both = self.spotted.as_ref().zip(candidate);
        both.is_some_and(|(mine, other)| frames_of(mine) == frames_of(other))
    }
}

/// What names a candidate. Its score is left out: a file may have rounded it.
fn frames_of(c: &Candidate) -> (ExpressionKind, u64, u64, u64) {
    (c.kind, c.onset, c.apex, c.offset)
}

fn rejected(a: &Annotation) -> bool {
    a.status == IntervalStatus::Rejected
}

fn span(a: &Annotation) -> (u64, u64) {
    (a.onset.min(a.offset), a.onset.max(a.offset))
}

/// Overlap over union of frames, both ends included.
fn share(a: (u64, u64), b: (u64, u64)) -> f64 {
    let (first, last) = (a.0.max(b.0), a.1.min(b.1));
    if last < first {
        return 0.0;
    }
    let length = |(from, to): (u64, u64)| (to - from) as f64 + 1.0;
    let both = length((first, last));
    both / (length(a) + length(b) - both)
}

/// What became of a candidate: a coder's word goes before its own state.
pub(super) fn decision(c: &SpottedInterval, annotations: &[Annotation]) -> IntervalStatus {
    let of = |status| {
        let mut about = annotations.iter().filter(|a| is_about(a, c));
        about.any(|a| a.status == status)
    };
    if of(IntervalStatus::Accepted) {
        IntervalStatus::Accepted
    } else if of(IntervalStatus::Rejected) {
        IntervalStatus::Rejected
    } else {
        c.status
    }
}

/// Whether an annotation was made from a candidate.
pub(super) fn is_about(a: &Annotation, c: &SpottedInterval) -> bool {
    let from = a.candidate.as_ref();
    from.is_some_and(|from| frames_of(from) == frames_of(&c.into()))
}

/// Every expression that somebody saw, and every accepted candidate, in order of onset.
pub(super) fn told<'a>(
    annotations: &'a [Annotation],
    candidates: &[SpottedInterval],
) -> Vec<Told<'a>> {
    let mut sorted: Vec<&Annotation> = annotations.iter().collect();
    sorted.sort_by_key(|a| (rejected(a), span(a), a.id));
    let mut told: Vec<Told> = Vec::new();
    for a in sorted {
        match told.iter_mut().find(|known| known.takes(a)) {
            Some(known) => {
                known.annotations.push(a);
                if known.spotted.is_none() {
                    known.spotted.clone_from(&a.candidate);
                }
            }
            None if rejected(a) => {}
            None => told.push(Told {
                annotations: vec![a],
                spotted: a.candidate.clone(),
            }),
        }
    }
    // Coded without looking at the candidates: the analysis' view stands beside it.
    for known in told.iter_mut().filter(|known| known.spotted.is_none()) {
        let Some(first) = known.annotations.first() else {
            continue;
        };
        let overlap = |c: &&SpottedInterval| share(span(first), (c.onset, c.offset));
        let best = candidates
            .iter()
            .max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        known.spotted = best.filter(|c| overlap(c) >= SAME).map(Candidate::from);
    }
    let accepted = candidates
        .iter()
        .filter(|c| c.status == IntervalStatus::Accepted);
    for c in accepted {
        let decided = annotations.iter().any(|a| is_about(a, c));
        let beside = told.iter().any(|known| known.is_from(Some(&c.into())));
        if !decided && !beside {
            told.push(Told {
                annotations: Vec::new(),
                spotted: Some(c.into()),
            });
        }
    }
    told.sort_by_key(Told::frames);
    told
}

/// The pictures that a report shows: first which frames it wants, then their cuts.
///
/// Only cuts are kept, so that a long list of expressions does not hold whole frames.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    size: (u32, u32),
    wanted: BTreeSet<(u64, Cut)>,
    kept: BTreeMap<(u64, Cut), RgbImage>,
}

impl Pictures {
    /// Of a recording of `size` (width, height) in pixels.
    #[must_use]
    pub fn wanted(
        recording: &Recording,
        annotations: &[Annotation],
        candidates: &[SpottedInterval],
        size: (u32, u32),
    ) -> Self {
        let mut wanted = BTreeSet::new();
        // An annotation from another program may reach past the end.
        let last = recording.frames.last().map(|r| r.frame);
        let there = |frame: &u64| last.is_none_or(|last| *frame <= last);
        for told in told(annotations, candidates) {
            let frames = told.frames();
            let cut = cut(recording, frames, size);
            let (onset, apex, offset) = frames;
            let shown = [Some(onset), apex, Some(offset)];
            let shown = shown.into_iter().flatten().filter(there);
            wanted.extend(shown.map(|frame| (frame, cut)));
        }
        Self {
            size,
            wanted,
            kept: BTreeMap::new(),
        }
    }

    /// Frames to read, each once, rising.
    #[must_use]
    pub fn frames(&self) -> Vec<u64> {
        let mut frames: Vec<u64> = self.wanted.iter().map(|(frame, _)| *frame).collect();
        frames.dedup();
        frames
    }

    /// Takes what is shown of a frame; a frame that nobody wants is passed over.
    pub fn keep(&mut self, frame: u64, picture: &RgbImage) {
        let cuts = self.wanted.iter().filter(|(wanted, _)| *wanted == frame);
        for &(_, cut) in cuts {
            if let Some(part) = cut.of(picture) {
                self.kept.insert((frame, cut), part);
            }
        }
    }

    pub(super) fn shown(&self, recording: &Recording, frames: Frames) -> Shown {
        let cut = cut(recording, frames, self.size);
        let at = |frame: u64| self.kept.get(&(frame, cut)).cloned();
        Shown {
            onset: at(frames.0),
            apex: frames.1.and_then(at),
            offset: at(frames.2),
        }
    }
}

/// Around the face at the onset, or the nearest one after it; the whole picture where
/// none was found up to the offset.
fn cut(recording: &Recording, (onset, _, offset): Frames, size: (u32, u32)) -> Cut {
    let from = recording.frames.partition_point(|r| r.frame < onset);
    let within = recording.frames[from..]
        .iter()
        .take_while(|r| r.frame <= offset);
    let face: Option<Rect> = within
        .filter_map(|r| r.face.as_ref())
        .map(|f| f.rect)
        .next();
    face.map_or_else(|| Cut::whole(size), |face| Cut::around(face, size))
}
