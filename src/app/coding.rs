//! What people say of the open recording, with an undo that knows nothing else. It
//! outlives every new decoding: decisions are laid over the new list of candidates,
//! and what was accepted or rejected stays in it.
//!
//! `spot_key` says which candidate is meant, `decisions` what was said of it, and `steps` is
//! the way back.

mod decisions;
mod spot_key;
mod steps;

pub use spot_key::{SpotKey, key_of};
pub use steps::{Change, Held, Stays, Step, Taken};

pub(super) use spot_key::SAME_IOU;

use crate::timeline::{Annotation, AnnotationId};

/// What a step is called that writes at a note.
pub const NOTE: &str = "the note";

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
}

#[cfg(test)]
mod tests;
