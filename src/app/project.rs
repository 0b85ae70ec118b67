//! The project file of the open recording, as the window knows it: where it is, what
//! it held, and how much of what was said has reached the disk.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::coding::Change;
use super::command::{Command, Effect};
use super::review::Review;
use super::state::AppState;
use crate::base::Notice;
use crate::project::file::{BlindPass, Merged};
use crate::timeline::Annotation;

/// What is told when a recording is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectNews {
    /// Where the project lies; made with the first change where it is not there yet.
    pub path: PathBuf,
    /// It lies there already.
    pub there: bool,
    /// Of all coders.
    pub annotations: Vec<Annotation>,
    pub blind_passes: Vec<BlindPass>,
}

/// What the undo calls what came from another project.
pub(super) const MERGE: &str = "the merge";

/// How a change fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// All changes up to the `count`th of the session are on the disk.
    Saved { path: PathBuf, count: u64 },
    /// The window still has everything; with the next change it is tried again.
    Failed(String),
    /// The project was made for something else than a change.
    Made { path: PathBuf },
    /// The whole analysis is on the disk.
    Analysis,
}

/// Where the project of the session `generation` lies on the disk, if `told` says so: what
/// is told of a session before is about another recording.
pub(super) fn told_to_lie_in(told: &Command, generation: u64) -> Option<&Path> {
    let (of, path) = match told {
        Command::Project { generation, news } if news.there => (generation, &news.path),
        Command::Kept {
            generation,
            kept: Kept::Saved { path, .. } | Kept::Made { path },
        } => (generation, path),
        _ => return None,
    };
    (*of == generation).then_some(path.as_path())
}

/// What another project of the same recording brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    pub from: PathBuf,
    pub merged: Merged,
    /// What it changed here, on the disk already.
    pub changes: Vec<Change>,
    /// All that the project knows now.
    pub blind_passes: Vec<BlindPass>,
}

impl Joined {
    fn name(&self) -> Cow<'_, str> {
        let name = self.from.file_name().unwrap_or(self.from.as_os_str());
        name.to_string_lossy()
    }

    /// What was taken over, for the person.
    #[must_use]
    fn sentence(&self) -> String {
        let name = self.name();
        let m = &self.merged;
        if self.changes.is_empty() {
            return format!(
                "Nothing in {name} is new: what it says is here already, or was taken away here."
            );
        }
        let counted = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(one.to_owned()),
            count => Some(format!("{count} {more}")),
        };
        let mut coders: Vec<&str> = (self.changes.iter())
            .filter_map(|c| c.after.as_ref())
            .map(|a| a.coder.as_str())
            .collect();
        coders.sort_unstable();
        coders.dedup();
        let by: Vec<&str> = coders.into_iter().filter(|c| !c.is_empty()).collect();
        let by = match by.as_slice() {
            [] => String::new(),
            [one] => format!(" by {one}"),
            [most @ .., last] => format!(" by {} and {last}", most.join(", ")),
        };
        let parts: Vec<String> = [
            counted(m.added, "1 annotation", "annotations"),
            counted(m.updated, "1 newer version", "newer versions"),
            counted(
                m.conflicts.len(),
                "1 changed on both sides and now here twice",
                "changed on both sides and now here twice",
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("Added from {name}{by}: {}.", parts.join(", "))
    }
}

impl AppState {
    pub(super) fn project(&mut self, generation: u64, news: ProjectNews) -> Vec<Effect> {
        let now = self.now;
        // A blind pass does not tell how much others have found.
        let only = self.blind().then_some(self.settings.coder.as_str());
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        if review.session.generation != generation {
            return vec![];
        }
        review.project = Some(news.path);
        review.project_there = news.there;
        let told = |review: &Review| {
            let all = review.coding.annotations().iter();
            all.filter(|a| only.is_none_or(|coder| a.coder == coder))
                .count()
        };
        let before = told(review);
        // What was said before the project was read stays.
        review.coding.add_kept(news.annotations);
        review.decided();
        let count = told(review) - before;
        // Another window had it when the recording was opened.
        let mut effects = vec![];
        if review.session.blind_passes.is_empty() && !news.blind_passes.is_empty() {
            review.session.blind_passes = news.blind_passes;
            effects = self.take_the_blind_pass_up();
        }
        if count == 0 {
            return effects;
        }
        let said = if count == 1 {
            "1 annotation of an earlier session is here again.".to_owned()
        } else {
            format!("{count} annotations of earlier sessions are here again.")
        };
        self.notices.push(Notice::info(said), now);
        effects.push(Effect::WakeAfter(8.1));
        effects
    }

    pub(super) fn kept(&mut self, generation: u64, kept: Kept) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        // Of the same recording before it was analysed again: its changes are these.
        let same = match &kept {
            Kept::Saved { path, .. } => review.project.as_ref() == Some(path),
            Kept::Failed(_) | Kept::Made { .. } | Kept::Analysis => false,
        };
        if review.session.generation != generation && !same {
            return vec![];
        }
        match kept {
            Kept::Saved { path, count } => {
                review.project = Some(path);
                review.project_there = true;
                review.not_kept = None;
                if count >= review.coding.count() {
                    review.unsaved = false;
                }
            }
            Kept::Failed(why) => {
                // An earlier one may have been counted as the last.
                review.unsaved = true;
                if review.not_kept.as_ref() != Some(&why) {
                    self.notices.push(Notice::error(&why), now);
                }
                review.not_kept = Some(why);
            }
            Kept::Made { path } => {
                review.project = Some(path);
                review.project_there = true;
            }
            Kept::Analysis => review.analysis_kept = true,
        }
        vec![]
    }

    /// One step for the undo; what the other project holds stays in it.
    pub(super) fn merged(&mut self, generation: u64, joined: Joined) -> Vec<Effect> {
        let now = self.now;
        // It was asked for before the pass began.
        let blind = self.blind();
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        if review.session.generation != generation {
            return vec![];
        }
        let said = if blind {
            format!("{} is added; the blind pass hides it.", joined.name())
        } else {
            joined.sentence()
        };
        let mut effects = vec![Effect::WakeAfter(8.1)];
        if review.coding.joined(MERGE, joined.changes) {
            review.decided();
            // The file has these; it is asked once more for the sake of the count.
            effects.push(Effect::Keep(vec![]));
        }
        review.session.blind_passes = joined.blind_passes;
        self.notices.push(Notice::info(said), now);
        effects.extend(self.take_the_blind_pass_up());
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spotting::ExpressionKind;
    use crate::timeline::AnnotationId;

    #[test]
    fn only_what_is_told_of_the_open_session_says_where_its_project_lies() {
        let path = PathBuf::from("a.onset");
        let news = |there| Command::Project {
            generation: 2,
            news: Box::new(ProjectNews {
                path: path.clone(),
                there,
                annotations: vec![],
                blind_passes: vec![],
            }),
        };
        let kept = |kept| Command::Kept {
            generation: 2,
            kept,
        };
        let (path, count) = (path.clone(), 1);
        let saved = Kept::Saved {
            path: path.clone(),
            count,
        };
        let made = Kept::Made { path: path.clone() };
        for told in [news(true), kept(saved), kept(made)] {
            assert_eq!(told_to_lie_in(&told, 2), Some(path.as_path()), "{told:?}");
            assert_eq!(told_to_lie_in(&told, 3), None, "late: {told:?}");
        }
        for told in [news(false), kept(Kept::Failed("No space.".into()))] {
            assert_eq!(told_to_lie_in(&told, 2), None, "{told:?}");
        }
    }

    #[test]
    fn what_was_joined_is_one_sentence() {
        let change = |coder: &str| Change {
            before: None,
            after: Some(Annotation::found(
                AnnotationId(1),
                coder,
                ExpressionKind::Micro,
                (3, 9),
            )),
        };
        let mut joined = Joined {
            from: "/there/ben.onset".into(),
            merged: Merged {
                added: 12,
                conflicts: vec![(AnnotationId(1), AnnotationId(2))],
                ..Merged::default()
            },
            changes: vec![change("Ben"), change("Anna"), change("Ben")],
            blind_passes: vec![],
        };
        assert_eq!(
            joined.sentence(),
            "Added from ben.onset by Anna and Ben: 12 annotations, 1 changed on both sides and \
             now here twice."
        );
        joined.merged.conflicts.clear();
        joined.changes.truncate(1);
        assert_eq!(
            joined.sentence(),
            "Added from ben.onset by Ben: 12 annotations."
        );
        joined.changes.clear();
        assert!(joined.sentence().starts_with("Nothing in ben.onset is new"));
    }
}
