//! What people say of the open recording, with an undo that knows nothing else. It
//! outlives every new decoding: decisions are laid over the new list of candidates,
//! and what was accepted or rejected stays in it.

use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::{Annotation, AnnotationId};

/// Which candidate: the decoding may replace the list at any time, so an index will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotKey {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
}

impl SpotKey {
    #[must_use]
    pub fn of(interval: &SpottedInterval) -> Self {
        Self {
            kind: interval.kind,
            onset: interval.onset,
            apex: interval.apex,
            offset: interval.offset,
        }
    }

    /// Overlap over union in frames, both ends included; 0 between kinds.
    #[must_use]
    pub fn iou(self, other: Self) -> f64 {
        if self.kind != other.kind {
            return 0.0;
        }
        let (start, end) = (self.onset.max(other.onset), self.offset.min(other.offset));
        if end < start {
            return 0.0;
        }
        let length = |k: Self| (k.offset.saturating_sub(k.onset) + 1) as f64;
        let overlap = (end - start + 1) as f64;
        overlap / (length(self) + length(other) - overlap)
    }
}

/// The same candidate in two decodings.
pub(super) const SAME_IOU: f64 = 0.5;
/// What a step is called that writes at a note.
pub const NOTE: &str = "the note";
/// Steps that can be taken back.
const DEEPEST: usize = 1000;

/// One annotation before and after: made, changed, or taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub before: Option<Annotation>,
    pub after: Option<Annotation>,
}

impl Change {
    fn back(self) -> Self {
        Self {
            before: self.after,
            after: self.before,
        }
    }

    /// Which annotation it is about.
    #[must_use]
    pub fn id(&self) -> Option<AnnotationId> {
        self.after.as_ref().or(self.before.as_ref()).map(|a| a.id)
    }
}

/// What one key press or one drag changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// For the undo's notice: "the onset".
    pub of: &'static str,
    /// Who did it.
    pub coder: String,
    pub changes: Vec<Change>,
    /// It stays because of what came after it, and that has been said.
    told: bool,
}

impl Step {
    fn ids(&self) -> impl Iterator<Item = AnnotationId> {
        self.changes.iter().filter_map(Change::id)
    }
}

/// A step that was taken back, or taken again.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub step: Step,
    /// A newer one of the same coder that was passed over; said once of each.
    pub stays: Option<Stays>,
}

/// Somebody has changed the same annotation after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    pub of: &'static str,
    pub since: String,
}

/// Why a step is not taken back, or not taken again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// There is none.
    Nothing,
    /// There are only steps of others, the last of this coder.
    Others(String),
    /// Of each there was, this other coder has changed an annotation after it; of the last
    /// one, if several have.
    ChangedSince(String),
}

/// The annotations of all coders, and the way back: each coder's own steps, for what others
/// said stays theirs.
#[derive(Debug, Clone, Default)]
pub struct Coding {
    /// In time order.
    annotations: Vec<Annotation>,
    done: Vec<Step>,
    undone: Vec<Step>,
    /// Increases with every change.
    count: u64,
    /// Who codes now: their word on a candidate goes before others'.
    coder: String,
}

impl Coding {
    /// What an earlier session left; there is no way back behind it.
    #[must_use]
    pub fn of(annotations: Vec<Annotation>) -> Self {
        let mut coding = Self {
            annotations,
            ..Self::default()
        };
        coding.sort();
        coding
    }

    /// Who codes now.
    #[must_use]
    pub fn coder(&self) -> &str {
        &self.coder
    }

    /// From now on `coder` codes; whether that is somebody else than before.
    pub fn sign_as(&mut self, coder: &str) -> bool {
        let other = self.coder != coder;
        if other {
            coder.clone_into(&mut self.coder);
        }
        other
    }

    /// What a project held that was read after the coding had begun: no step, and what
    /// was said since stays.
    pub fn add_kept(&mut self, annotations: Vec<Annotation>) {
        let new = |a: &Annotation| self.get(a.id).is_none();
        let new: Vec<Annotation> = annotations.into_iter().filter(new).collect();
        self.annotations.extend(new);
        self.sort();
    }

    /// In time order.
    #[must_use]
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    #[must_use]
    pub fn get(&self, id: AnnotationId) -> Option<&Annotation> {
        self.annotations.iter().find(|a| a.id == id)
    }

    /// Increases with every change.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Makes an annotation, or changes the one of its id. The changes are to be kept on
    /// disk; none where nothing is new.
    pub fn put(&mut self, of: &'static str, annotation: Annotation) -> Vec<Change> {
        let before = self.get(annotation.id).cloned();
        if before.as_ref() == Some(&annotation) {
            return Vec::new();
        }
        // A sentence is one step, not one a letter.
        if of == NOTE
            && let Some(Step {
                of: NOTE,
                coder,
                changes: last,
                ..
            }) = self.done.last_mut()
            && let [
                Change {
                    after: Some(after), ..
                },
            ] = last.as_mut_slice()
            && after.id == annotation.id
            && *coder == self.coder
        {
            after.clone_from(&annotation);
            self.forget_undone(vec![annotation.id]);
            let changes = vec![Change {
                before,
                after: Some(annotation),
            }];
            self.carry_out(&changes);
            return changes;
        }
        self.take(
            of,
            vec![Change {
                before,
                after: Some(annotation),
            }],
        )
    }

    /// Several at once: one step for the undo.
    pub fn put_all(
        &mut self,
        of: &'static str,
        annotations: impl IntoIterator<Item = Annotation>,
    ) -> Vec<Change> {
        let changes: Vec<Change> = (annotations.into_iter())
            .map(|annotation| Change {
                before: self.get(annotation.id).cloned(),
                after: Some(annotation),
            })
            .filter(|change| change.before != change.after)
            .collect();
        if changes.is_empty() {
            return changes;
        }
        self.take(of, changes)
    }

    /// What a merge has changed on the disk already, as one step; whether there is any.
    /// What was changed here since stays as it is here.
    pub fn joined(&mut self, of: &'static str, mut changes: Vec<Change>) -> bool {
        changes.retain(|c| c.id().and_then(|id| self.get(id)) == c.before.as_ref());
        if changes.is_empty() {
            return false;
        }
        self.take(of, changes);
        true
    }

    pub fn remove(&mut self, of: &'static str, id: AnnotationId) -> Vec<Change> {
        let Some(before) = self.get(id).cloned() else {
            return Vec::new();
        };
        self.take(
            of,
            vec![Change {
                before: Some(before),
                after: None,
            }],
        )
    }

    fn take(&mut self, of: &'static str, changes: Vec<Change>) -> Vec<Change> {
        self.carry_out(&changes);
        self.done.push(Step {
            of,
            coder: self.coder.clone(),
            changes: changes.clone(),
            told: false,
        });
        if self.done.len() > DEEPEST {
            self.done.remove(0);
        }
        self.forget_undone(changes.iter().filter_map(Change::id).collect());
        changes
    }

    /// After a new step there is no way forward for the same coder, nor for anybody over the
    /// same annotations; `changed` are the step's.
    fn forget_undone(&mut self, mut changed: Vec<AnnotationId>) {
        // The last one is taken again first: what came before it there builds on it.
        for at in (0..self.undone.len()).rev() {
            let step = &self.undone[at];
            if step.coder == self.coder || step.ids().any(|id| changed.contains(&id)) {
                changed.extend(self.undone.remove(at).ids());
            }
        }
    }

    /// The coder's last own step that nothing after it touches, which was taken back.
    ///
    /// # Errors
    /// There is none, or somebody has changed the same annotation after each.
    pub fn undo(&mut self) -> Result<Taken, Held> {
        let (at, stays) = last_of(&mut self.done, &self.coder)?;
        let step = self.done.remove(at);
        let back = Step {
            changes: (step.changes.iter().rev().cloned())
                .map(Change::back)
                .collect(),
            ..step.clone()
        };
        self.carry_out(&back.changes);
        self.undone.push(step);
        Ok(Taken { step: back, stays })
    }

    /// The coder's own step that was taken back last, which was taken again; one over the
    /// same annotations as a step that must come first waits for that one.
    ///
    /// # Errors
    /// As [`Coding::undo`].
    pub fn redo(&mut self) -> Result<Taken, Held> {
        let (at, stays) = last_of(&mut self.undone, &self.coder)?;
        let step = self.undone.remove(at);
        self.carry_out(&step.changes);
        self.done.push(step.clone());
        Ok(Taken { step, stays })
    }

    /// What was done before anybody gave a name was done by who gives the first one.
    pub fn steps_without_a_name_are(&mut self, name: &str) {
        let steps = self.done.iter_mut().chain(&mut self.undone);
        steps
            .filter(|step| step.coder.is_empty())
            .for_each(|step| name.clone_into(&mut step.coder));
    }

    fn carry_out(&mut self, changes: &[Change]) {
        for change in changes {
            if let Some(id) = change.id() {
                self.annotations.retain(|a| a.id != id);
            }
            self.annotations.extend(change.after.clone());
        }
        self.sort();
        self.count += 1;
    }

    fn sort(&mut self) {
        self.annotations
            .sort_by_key(|a| (a.onset, a.offset, a.kind, a.id));
    }

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

/// Where the coder's last step is that none after it touches, and what is to be said of a
/// newer one of theirs that another coder's stands before.
fn last_of(steps: &mut [Step], coder: &str) -> Result<(usize, Option<Stays>), Held> {
    let last = steps.last().ok_or(Held::Nothing)?;
    let others = Held::Others(last.coder.clone());
    // The newest of theirs that stays, and who has changed the same since.
    let mut newest: Option<(usize, String)> = None;
    let mut found = None;
    for at in (0..steps.len())
        .rev()
        .filter(|&at| steps[at].coder == coder)
    {
        let ids: Vec<AnnotationId> = steps[at].ids().collect();
        let touches = |later: &&Step| later.ids().any(|id| ids.contains(&id));
        let mut later = steps[at + 1..].iter().rev().filter(touches);
        let Some(any) = later.next() else {
            found = Some(at);
            break;
        };
        // Their own over it stays itself, because of another coder's.
        let other = [any].into_iter().chain(later).find(|s| s.coder != coder);
        if let (None, Some(other)) = (&newest, other) {
            newest = Some((at, other.coder.clone()));
        }
    }
    let Some(found) = found else {
        return Err(newest.map_or(others, |(_, since)| Held::ChangedSince(since)));
    };
    let stays = newest.and_then(|(at, since)| {
        let told = std::mem::replace(&mut steps[at].told, true);
        let of = steps[at].of;
        (!told).then_some(Stays { of, since })
    });
    Ok((found, stays))
}

fn decision<'a>(
    among: impl Iterator<Item = &'a Annotation> + Clone,
    key: SpotKey,
) -> Option<&'a Annotation> {
    let mut decided = among.filter(|a| a.candidate.is_some());
    (decided.clone().find(|a| key_of(a) == key))
        .or_else(|| decided.find(|a| candidate_key(a).is_some_and(|c| same(c, key))))
}

fn same(a: SpotKey, b: SpotKey) -> bool {
    a.iou(b) >= SAME_IOU
}

/// Where the candidate lay that an annotation was made from.
fn candidate_key(annotation: &Annotation) -> Option<SpotKey> {
    let candidate = annotation.candidate.as_ref()?;
    Some(SpotKey {
        kind: candidate.kind,
        onset: candidate.onset,
        apex: candidate.apex,
        offset: candidate.offset,
    })
}

/// The frames an annotation has now.
#[must_use]
pub fn key_of(annotation: &Annotation) -> SpotKey {
    SpotKey {
        kind: annotation.kind,
        onset: annotation.onset,
        apex: annotation.apex.unwrap_or(annotation.onset),
        offset: annotation.offset,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(onset: u64) -> SpottedInterval {
        SpottedInterval {
            kind: ExpressionKind::Micro,
            onset,
            apex: onset + 5,
            offset: onset + 10,
            score: 0.3,
            status: IntervalStatus::Proposed,
            provisional: true,
        }
    }

    fn decided(id: u128, onset: u64, status: IntervalStatus) -> Annotation {
        Annotation::decided(AnnotationId(id), "Ada", &spot(onset), status)
    }

    #[test]
    fn a_decision_survives_the_next_decoding() {
        use IntervalStatus::{Accepted, Proposed, Rejected};
        let mut coding = Coding::default();
        coding.sign_as("Ada");
        coding.put("a verdict", decided(1, 100, Accepted));
        coding.put("a verdict", decided(2, 300, Rejected));
        // The next decoding moved one candidate by a frame and dropped the other.
        let list = coding.over(&[spot(101), spot(500)]);
        let seen: Vec<_> = list.iter().map(|i| (i.onset, i.status)).collect();
        assert_eq!(seen, [(100, Accepted), (300, Rejected), (500, Proposed)]);
        assert!(coding.undo().is_ok() && coding.undo().is_ok());
        assert_eq!(coding.undo(), Err(Held::Nothing));
        assert_eq!(coding.over(&[spot(101)])[0].status, Proposed);
        assert_eq!(coding.redo().map(|taken| taken.step.of), Ok("a verdict"));
        assert_eq!(coding.decided(Accepted), 1);
    }

    #[test]
    fn corrected_frames_stand_for_the_candidate_they_were_made_from() {
        let mut coding = Coding::default();
        let mut corrected = decided(1, 100, IntervalStatus::Accepted);
        coding.put("a verdict", corrected.clone());
        // So far that the candidate and its correction hardly overlap.
        (corrected.onset, corrected.apex, corrected.offset) = (108, Some(112), 130);
        let changes = coding.put("the frames", corrected.clone());
        assert_eq!(changes.len(), 1);
        let list = coding.over(&[spot(100)]);
        assert_eq!((list.len(), list[0].onset, list[0].apex), (1, 108, 112));
        for key in [SpotKey::of(&spot(100)), SpotKey::of(&list[0])] {
            assert_eq!(coding.decision_on(key), Some(&corrected));
        }
        assert_eq!(coding.put("the frames", corrected), []);
    }

    #[test]
    fn what_a_person_found_is_no_candidate_and_many_are_one_step() {
        let mut coding = Coding::default();
        let found = |id, at| {
            Annotation::found(AnnotationId(id), "Ada", ExpressionKind::Micro, (at, at + 9))
        };
        let put = coding.put_all("an import", [found(2, 50), found(1, 10)]);
        assert_eq!(put.len(), 2);
        assert_eq!(coding.annotations()[0].onset, 10);
        assert!(coding.over(&[]).is_empty());
        let gone = coding.remove("an annotation", AnnotationId(1));
        assert_eq!(gone[0].after, None);
        coding.undo().expect("a step");
        assert_eq!(coding.annotations().len(), 2);
        coding.undo().expect("a step");
        assert!(coding.annotations().is_empty());
    }

    #[test]
    fn a_merge_is_one_step_and_spares_what_was_changed_since() {
        let mut coding = Coding::default();
        let (mine, mut theirs) = (
            decided(1, 100, IntervalStatus::Accepted),
            decided(1, 100, IntervalStatus::Rejected),
        );
        coding.put("a verdict", mine.clone());
        theirs.coder = "Ben".into();
        let new = |id| Change {
            before: None,
            after: Some(Annotation {
                id: AnnotationId(id),
                ..theirs.clone()
            }),
        };
        // Of the first the disk did not know yet what it is here.
        assert!(coding.joined("the merge", vec![new(1), new(2), new(3)]));
        assert_eq!(coding.annotations().len(), 3);
        assert_eq!(coding.get(AnnotationId(1)), Some(&mine));
        let back = coding.undo().expect("one step").step;
        assert_eq!((back.of, back.changes.len()), ("the merge", 2));
        assert_eq!(coding.annotations().len(), 1);
        assert!(!coding.joined("the merge", vec![]));
    }

    #[test]
    fn each_coder_takes_back_their_own_steps_and_never_anothers() {
        let found = |id, coder: &str, at| {
            Annotation::found(AnnotationId(id), coder, ExpressionKind::Micro, (at, at + 9))
        };
        let ids = |coding: &Coding| -> Vec<u128> {
            let mut ids: Vec<u128> = coding.annotations().iter().map(|a| a.id.0).collect();
            ids.sort_unstable();
            ids
        };
        let mut coding = Coding::default();
        coding.sign_as("Ada");
        coding.put("an annotation", found(1, "Ada", 10));
        coding.put("an annotation", found(2, "Ada", 30));
        coding.sign_as("Ben");
        assert_eq!(coding.undo(), Err(Held::Others("Ada".to_owned())));
        coding.put("an annotation", found(3, "Ben", 50));
        coding.sign_as("Ada");
        // Ben's, which is newer, stays.
        assert_eq!(
            coding.undo().map(|taken| taken.step.coder),
            Ok("Ada".to_owned())
        );
        assert_eq!(ids(&coding), [1, 3]);
        coding.sign_as("Ben");
        assert_eq!(coding.redo(), Err(Held::Others("Ada".to_owned())));
        coding.undo().expect("Ben's own");
        assert_eq!(ids(&coding), [1]);
        coding.sign_as("Ada");
        coding.redo().expect("Ada's own");
        assert_eq!(ids(&coding), [1, 2]);
        // What somebody else has changed since is not pulled away under them.
        coding.sign_as("Ben");
        coding.put_all("the import", [found(2, "Ben", 31)]);
        coding.sign_as("Ada");
        assert_eq!(ids(&coding), [1, 2]);
        // It is passed over, which is said once; what lies before it can be reached.
        let back = coding.undo().expect("the first one");
        assert_eq!(ids(&coding), [2]);
        let stays = back.stays.expect("said");
        assert_eq!((stays.of, stays.since.as_str()), ("an annotation", "Ben"));
        assert_eq!(coding.undo(), Err(Held::ChangedSince("Ben".to_owned())));
        assert_eq!(coding.redo().map(|taken| taken.stays), Ok(None));
        assert_eq!(coding.undo().map(|taken| taken.stays), Ok(None));
        assert_eq!(ids(&coding), [2]);
    }

    #[test]
    fn a_step_takes_the_way_forward_from_its_coder_and_over_its_annotations_only() {
        let found = |id, coder: &str, at| {
            Annotation::found(AnnotationId(id), coder, ExpressionKind::Micro, (at, at + 9))
        };
        let mut coding = Coding::default();
        coding.sign_as("Ada");
        coding.put("an annotation", found(1, "Ada", 10));
        coding.put("an annotation", found(2, "Ada", 30));
        coding.undo().expect("the second");
        coding.sign_as("Ben");
        coding.put("an annotation", found(3, "Ben", 50));
        coding.sign_as("Ada");
        coding.redo().expect("Ben has said nothing of it");
        assert_eq!(coding.annotations().len(), 3);
        // Over the same annotation there is none, nor over what was built on it.
        coding.put_all("the import", [found(2, "Ada", 31), found(4, "Ada", 70)]);
        coding.put("the onset", found(4, "Ada", 71));
        coding.undo().expect("the onset");
        coding.undo().expect("the import");
        coding.sign_as("Ben");
        coding.put_all("the merge", [found(2, "Ada", 33)]);
        coding.sign_as("Ada");
        assert_eq!(coding.redo(), Err(Held::Nothing));
    }

    #[test]
    fn what_was_done_without_a_name_is_taken_back_by_who_gives_the_first_one() {
        let mut coding = Coding::default();
        coding.put("a verdict", decided(1, 100, IntervalStatus::Accepted));
        coding.sign_as("Ada");
        coding.steps_without_a_name_are("Ada");
        assert!(coding.undo().is_ok());
    }

    #[test]
    fn a_sentence_is_one_step_and_two_coders_verdicts_are_one_candidate() {
        let mut coding = Coding::default();
        coding.sign_as("Ben");
        let mut mine = Annotation {
            coder: "Ben".into(),
            ..decided(1, 100, IntervalStatus::Rejected)
        };
        coding.put("the verdict", mine.clone());
        coding.put("the verdict", decided(2, 100, IntervalStatus::Accepted));
        let list = coding.over(&[spot(100)]);
        assert_eq!((list.len(), list[0].status), (1, IntervalStatus::Rejected));
        let key = SpotKey::of(&list[0]);
        assert_eq!(coding.decision_on(key).map(|a| a.id), Some(mine.id));
        for note in ["s", "sm", "smile"] {
            mine.note = note.into();
            coding.put(NOTE, mine.clone());
        }
        coding.undo().expect("a step");
        assert_eq!(coding.get(mine.id).map(|a| a.note.as_str()), Some(""));
        coding.redo().expect("a step");
        assert_eq!(coding.get(mine.id).map(|a| a.note.as_str()), Some("smile"));
        coding.add_kept(vec![decided(2, 7, IntervalStatus::Accepted)]);
        assert_eq!(coding.annotations().len(), 2);
    }
}
