//! The recordings that were opened last.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::backend::OpenedSession;
use super::command::{Command, Effect};
use super::state::AppState;

/// More are forgotten.
const MOST: usize = 10;

/// What is known of them beside their names, which the settings keep.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// Those that are not where they were.
    pub missing: BTreeSet<PathBuf>,
}

impl AppState {
    /// Puts what was opened at the top. A project goes before its recording: it brings
    /// the coding along.
    pub(super) fn remember(&mut self, session: &OpenedSession) {
        let Some(recording) = &session.info.path else {
            return;
        };
        // The settings outlive the folder that the window was started in.
        let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let recording = whole(recording);
        let opened = session.project.as_ref().map_or(recording.clone(), whole);
        let recent = &mut self.settings.recent;
        recent.retain(|path| *path != opened && *path != recording);
        self.recent.missing.remove(&opened);
        recent.insert(0, opened);
        recent.truncate(MOST);
    }

    pub(super) fn recent(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::LookForRecent if !self.settings.recent.is_empty() => {
                return vec![Effect::LookForRecent(self.settings.recent.clone())];
            }
            Command::RecentMissing(paths) => self.recent.missing = paths.into_iter().collect(),
            Command::ForgetMissing => {
                let missing = std::mem::take(&mut self.recent.missing);
                self.settings.recent.retain(|path| !missing.contains(path));
            }
            _ => {}
        }
        vec![]
    }
}
