//! What each coder did, and the way back: their own steps only, and none that somebody else
//! has gone on from.

use super::Coding;
use crate::timeline::{Annotation, AnnotationId};

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

impl Coding {
    pub(super) fn take(&mut self, of: &'static str, changes: Vec<Change>) -> Vec<Change> {
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
    pub(super) fn forget_undone(&mut self, mut changed: Vec<AnnotationId>) {
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

    /// What was done before anybody gave a name was done by who gives the first one: the
    /// annotations, which are given with what they were, and the steps, so that none brings
    /// back what is nobody's. It is no step itself.
    pub fn all_without_a_name_is(&mut self, name: &str) -> Vec<Change> {
        let sign = |a: &mut Annotation| {
            if a.coder.is_empty() {
                name.clone_into(&mut a.coder);
            }
        };
        for step in self.done.iter_mut().chain(&mut self.undone) {
            if step.coder.is_empty() {
                name.clone_into(&mut step.coder);
            }
            let sides = (step.changes.iter_mut()).flat_map(|c| [&mut c.before, &mut c.after]);
            sides.flatten().for_each(sign);
        }
        let nameless = self.annotations.iter().filter(|a| a.coder.is_empty());
        let changes: Vec<Change> = nameless
            .map(|a| Change {
                before: Some(a.clone()),
                after: Some(Annotation {
                    coder: name.to_owned(),
                    ..a.clone()
                }),
            })
            .collect();
        if !changes.is_empty() {
            self.carry_out(&changes);
        }
        changes
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
