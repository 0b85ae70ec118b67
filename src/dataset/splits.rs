//! Which clips a network is trained on and which it is tested on.

use std::collections::BTreeSet;

/// One fold of a leave-one-subject-out protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Number of the fold, from 0, in the order of the subjects' names as text.
    pub number: usize,
    /// Who is left out.
    pub subject: String,
    /// Places of the clips to train on, in the order of the data.
    pub training: Vec<usize>,
    /// Places of the left-out subject's clips.
    pub test: Vec<usize>,
}

/// One fold a subject, in the order of their names as text (`s10` before `s2`), as the
/// published protocols number them.
///
/// `subjects` names each clip's subject, in the order of the data.
#[must_use]
pub fn leave_one_subject_out<S: AsRef<str>>(subjects: &[S]) -> Vec<Fold> {
    let names: BTreeSet<&str> = subjects.iter().map(AsRef::as_ref).collect();
    let fold = |(number, name): (usize, &str)| {
        let (test, training) =
            (0..subjects.len()).partition(|&clip| subjects[clip].as_ref() == name);
        Fold {
            number,
            subject: name.to_owned(),
            training,
            test,
        }
    };
    names.into_iter().enumerate().map(fold).collect()
}

/// Which subjects are not learnt from but fitted on: every sixth, the last of each six
/// in the order of their names as text, or the last where there are two to five.
///
/// `subjects` names each clip's or recording's subject, in the order of the data.
#[must_use]
pub fn held_out<S: AsRef<str>>(subjects: &[S]) -> Vec<bool> {
    let names: BTreeSet<&str> = subjects.iter().map(AsRef::as_ref).collect();
    let count = names.len();
    let apart = |at: usize| match count {
        0 | 1 => false,
        2..6 => at + 1 == count,
        _ => at % 6 == 5,
    };
    let chosen: BTreeSet<&str> = (names.into_iter().enumerate())
        .filter(|(at, _)| apart(*at))
        .map(|(_, name)| name)
        .collect();
    subjects
        .iter()
        .map(|subject| chosen.contains(subject.as_ref()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_is_tested_once_and_never_by_a_network_that_saw_its_subject() {
        let subjects = ["s2", "s10", "s2", "a", "s10", "s2"];
        let folds = leave_one_subject_out(&subjects);
        let names: Vec<_> = folds.iter().map(|fold| fold.subject.as_str()).collect();
        assert_eq!(names, ["a", "s10", "s2"]);
        let mut tested: Vec<_> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, [0, 1, 2, 3, 4, 5]);
        for fold in &folds {
            assert_eq!(fold.training.len() + fold.test.len(), subjects.len());
            assert!(
                fold.training
                    .iter()
                    .all(|&clip| subjects[clip] != fold.subject)
            );
        }
    }
}
