//! What a file brought, what it did not, and how both meet what is there already.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::base::Timestamp;
use crate::timeline::{Annotation, AnnotationId};

/// An annotation and the recording it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As the file names it.
    pub recording: String,
    pub annotation: Annotation,
}

/// Where in a file something did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File,
    /// Counted from 1.
    Line(u64),
    /// A tier of ELAN and the time on it.
    Tier(String, Timestamp),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("The file"),
            Self::Line(line) => write!(f, "Line {line}"),
            Self::Tier(name, time) => write!(f, "Tier '{name}' at {}", time.clock()),
        }
    }
}

/// Something that was not imported, or not as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub place: Place,
    /// A sentence for the user.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// What a reader found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    /// In the order of the file.
    pub entries: Vec<Entry>,
    pub problems: Vec<Problem>,
}

impl Imported {
    pub(super) fn problem(&mut self, place: Place, reason: impl Into<String>) {
        let reason = reason.into();
        self.problems.push(Problem { place, reason });
    }
}

/// Gives each annotation of a file a name of its own.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<AnnotationId>);

impl Names {
    /// `id` itself where nothing before it has the same, else a new one.
    pub(super) fn claim(&mut self, id: Option<AnnotationId>) -> AnnotationId {
        let new = || AnnotationId(uuid::Uuid::new_v4().as_u128());
        let id = id.filter(|id| !self.0.contains(id)).unwrap_or_else(new);
        self.0.insert(id);
        id
    }
}

/// Takes those out that name a frame past the recording's last one, in their order: such a
/// frame has no picture on which it could be checked, and a shorter interval would be
/// another one than its coder meant.
pub fn take_past_the_end(annotations: &mut Vec<Annotation>, last: u64) -> Vec<Annotation> {
    let (within, past) = std::mem::take(annotations)
        .into_iter()
        .partition(|a| a.onset.max(a.offset).max(a.apex.unwrap_or(0)) <= last);
    *annotations = within;
    past
}

/// How many annotations an import brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Joined {
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
}

/// Puts imported annotations among those of one recording: one whose id is there
/// already replaces it, all others are added. A file that does not know from which
/// candidate an annotation came leaves that as it was.
pub fn join(existing: &mut Vec<Annotation>, imported: Vec<Annotation>) -> Joined {
    let mut places: HashMap<AnnotationId, usize> = existing
        .iter()
        .enumerate()
        .map(|(at, a)| (a.id, at))
        .collect();
    let mut joined = Joined::default();
    for mut annotation in imported {
        let Some(&at) = places.get(&annotation.id) else {
            places.insert(annotation.id, existing.len());
            existing.push(annotation);
            joined.added += 1;
            continue;
        };
        let there = &mut existing[at];
        if annotation.candidate.is_none() {
            annotation.candidate.clone_from(&there.candidate);
        }
        if *there == annotation {
            joined.unchanged += 1;
        } else {
            *there = annotation;
            joined.changed += 1;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::samples::{candidate, plain};
    use super::*;

    #[test]
    fn the_same_id_replaces_and_others_are_added() {
        let mut there = plain(1, "Anna", 10, 20);
        there.candidate = Some(candidate());
        let mut all = vec![there.clone(), plain(2, "Anna", 30, 40)];
        let mut changed = plain(1, "Anna", 11, 20);
        changed.note = "later".to_owned();
        let joined = join(
            &mut all,
            vec![changed, plain(2, "Anna", 30, 40), plain(3, "Ben", 10, 20)],
        );
        assert_eq!((joined.added, joined.changed, joined.unchanged), (1, 1, 1));
        assert_eq!(
            (all.len(), all[0].onset, all[0].candidate.clone()),
            (3, 11, there.candidate)
        );
    }

    #[test]
    fn what_names_a_frame_past_the_last_one_is_taken_out_whole() {
        let mut apex_past = plain(3, "Anna", 10, 20);
        apex_past.apex = Some(100);
        let mut all = vec![
            plain(1, "Anna", 90, 99),
            plain(2, "Anna", 90, 100),
            apex_past,
            plain(4, "Ben", 100, 110),
            plain(5, "Ben", 0, 99),
        ];
        let past = take_past_the_end(&mut all, 99);
        let ids = |list: &[Annotation]| list.iter().map(|a| a.id.0).collect::<Vec<_>>();
        assert_eq!((ids(&all), ids(&past)), (vec![1, 5], vec![2, 3, 4]));
        // Nothing is shortened.
        assert_eq!((past[0].onset, past[0].offset), (90, 100));
    }

    #[test]
    fn an_id_is_given_once() {
        let mut names = Names::default();
        let id = AnnotationId(7);
        assert_eq!(names.claim(Some(id)), id);
        assert_ne!(names.claim(Some(id)), id);
        assert_ne!(names.claim(None), names.claim(None));
    }
}
