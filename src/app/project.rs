//! The project file of the open recording, as the window knows it: where it is, what
//! it held, and how much of what was said has reached the disk.

use std::path::PathBuf;

use super::command::Effect;
use super::state::AppState;
use crate::base::Notice;
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
}

/// How a change fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// All changes up to the `count`th of the session are on the disk.
    Saved { path: PathBuf, count: u64 },
    /// The window still has everything; with the next change it is tried again.
    Failed(String),
}

impl AppState {
    pub(super) fn project(&mut self, generation: u64, news: ProjectNews) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        if review.session.generation != generation {
            return vec![];
        }
        review.project = Some(news.path);
        review.project_there = news.there;
        let before = review.coding.annotations().len();
        // What was said before the project was read stays.
        review.coding.add_kept(news.annotations);
        let count = review.coding.annotations().len() - before;
        if count == 0 {
            return vec![];
        }
        review.decided();
        let said = if count == 1 {
            "1 annotation of an earlier session is here again.".to_owned()
        } else {
            format!("{count} annotations of earlier sessions are here again.")
        };
        self.notices.push(Notice::info(said), now);
        vec![Effect::WakeAfter(8.1)]
    }

    pub(super) fn kept(&mut self, generation: u64, kept: Kept) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        // Of the same recording before it was analysed again: its changes are these.
        let same = match &kept {
            Kept::Saved { path, .. } => review.project.as_ref() == Some(path),
            Kept::Failed(_) => false,
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
                if review.not_kept.as_ref() != Some(&why) {
                    self.notices.push(Notice::error(&why), now);
                }
                review.not_kept = Some(why);
            }
        }
        vec![]
    }
}
