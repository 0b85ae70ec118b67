//! What people said of candidates, laid over what the decoding found.

use super::Coding;
use super::spot_key::{SpotKey, candidate_key, key_of, same};
use crate::spotting::{IntervalStatus, SpottedInterval};
use crate::timeline::Annotation;

impl Coding {
    /// The annotation that decides on a candidate, by the frames it has now or the ones
    /// it was made from: whoever codes now before others.
    #[must_use]
    pub fn decision_on(&self, key: SpotKey) -> Option<&Annotation> {
        self.own_decision_on(key).or_else(|| {
            let decided = self.annotations.iter();
            decision(decided, key)
        })
    }

    /// The same of whoever codes now alone.
    #[must_use]
    pub fn own_decision_on(&self, key: SpotKey) -> Option<&Annotation> {
        let own = self.annotations.iter().filter(|a| a.coder == self.coder);
        decision(own, key)
    }

    #[must_use]
    pub fn decided(&self, status: IntervalStatus) -> usize {
        let decided = self.annotations.iter().filter(|a| a.candidate.is_some());
        decided.filter(|a| a.status == status).count()
    }

    /// The decoding's list with the decisions laid over it, in time order.
    #[must_use]
    pub fn over(&self, decoded: &[SpottedInterval]) -> Vec<SpottedInterval> {
        // One entry a candidate, however many coders have decided on it.
        let mut decided: Vec<&Annotation> = self.annotations.iter().collect();
        decided.retain(|a| a.candidate.is_some());
        decided.sort_by_key(|a| (a.coder != self.coder, a.id));
        let mut spots: Vec<SpottedInterval> = Vec::new();
        let mut replaced: Vec<SpotKey> = Vec::new();
        for annotation in decided {
            let Some(key) = candidate_key(annotation) else {
                continue;
            };
            if !replaced.iter().any(|r| same(*r, key)) {
                spots.extend(as_spot(annotation));
            }
            replaced.push(key);
        }
        let mut list: Vec<SpottedInterval> = decoded
            .iter()
            .filter(|i| {
                let key = SpotKey::of(i);
                !replaced.iter().any(|r| same(*r, key))
            })
            .cloned()
            .chain(spots)
            .collect();
        list.sort_by_key(|i| (i.apex, i.kind, i.onset));
        list
    }
}

fn decision<'a>(
    among: impl Iterator<Item = &'a Annotation> + Clone,
    key: SpotKey,
) -> Option<&'a Annotation> {
    let mut decided = among.filter(|a| a.candidate.is_some());
    (decided.clone().find(|a| key_of(a) == key))
        .or_else(|| decided.find(|a| candidate_key(a).is_some_and(|c| same(c, key))))
}

/// A decided candidate as the list shows it; `None` where a person found it.
fn as_spot(annotation: &Annotation) -> Option<SpottedInterval> {
    let candidate = annotation.candidate.as_ref()?;
    let key = key_of(annotation);
    Some(SpottedInterval {
        kind: key.kind,
        onset: key.onset,
        apex: key.apex,
        offset: key.offset,
        score: candidate.score,
        status: annotation.status,
        provisional: false,
    })
}
