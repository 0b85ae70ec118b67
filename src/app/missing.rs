//! A project whose recording is not where it was: the person is asked for it once.

use std::path::PathBuf;

use super::command::{DialogKind, Effect};
use super::state::AppState;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub project: PathBuf,
    /// As the recording was called.
    pub name: String,
    /// A folder of images rather than a file.
    pub folder: bool,
    /// Why it is asked for, or why what was chosen is not it; a sentence.
    pub why: String,
}

impl Missing {
    /// What asks for it.
    #[must_use]
    pub const fn dialog(&self) -> DialogKind {
        if self.folder {
            DialogKind::MissingFolder
        } else {
            DialogKind::MissingRecording
        }
    }
}

impl AppState {
    pub(super) fn ask_where(&mut self, missing: Missing) -> Vec<Effect> {
        self.entrance.opening = None;
        self.entrance.failed = None;
        self.entrance.missing = Some(missing);
        vec![]
    }

    /// What was chosen is compared with what the project knows before it is opened.
    pub(super) fn try_place(&mut self, place: PathBuf) -> Vec<Effect> {
        let Some(missing) = &self.entrance.missing else {
            return vec![];
        };
        self.settings.last_folder = place.parent().map(std::path::Path::to_path_buf);
        let project = missing.project.clone();
        self.entrance.opening = Some(place.display().to_string());
        vec![Effect::Locate { project, place }]
    }
}
