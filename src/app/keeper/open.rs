//! The project of the open recording: found or made, and what waits to be written there.

use std::path::{Path, PathBuf};

use crate::app::beside::{find, free, source_of};
use crate::app::coding::Change;
use crate::app::command::Command;
use crate::app::project::ProjectNews;
use crate::app::saving::documents;
use crate::media::SourceInfo;
use crate::project::file::{
    Action, BlindPass, Merged, PassNews, PassStep, ProjectError, ProjectFile,
};
use crate::project::kept::{self, KeptAnalysis};

/// The project of the open recording.
pub(super) struct Open {
    pub(super) generation: u64,
    pub(super) info: SourceInfo,
    /// The project that was opened; `None` where the recording was.
    pub(super) wanted: Option<PathBuf>,
    pub(super) file: Option<ProjectFile>,
    /// Where it is, or will be made.
    pub(super) path: PathBuf,
    /// Why nothing can be written there at all.
    pub(super) unusable: Option<String>,
    /// Not on the disk yet, oldest first.
    pub(super) pending: Vec<Action>,
    /// Whose they are.
    pub(super) coder: String,
    /// Not on the disk yet either: it waits for the file, or for space.
    pub(super) analysis: Option<Box<KeptAnalysis>>,
    /// Steps of blind passes that wait for the same, the oldest first.
    pub(super) passes: Vec<PassNews>,
    /// Whose blind pass runs.
    pub(super) codes_blind: Option<String>,
}

impl Open {
    /// Opens the project, or finds out where a new one is to be made.
    ///
    /// # Errors
    /// A sentence; until it succeeds nothing can be written.
    pub(super) fn connect(&mut self) -> Result<ProjectNews, String> {
        let connected = self.try_to_connect();
        self.unusable = connected.as_ref().err().map(ToString::to_string);
        connected.map_err(|e| e.to_string())
    }

    fn try_to_connect(&mut self) -> Result<ProjectNews, ProjectError> {
        let (path, mut file) = match &self.wanted {
            Some(path) => (path.clone(), Some(ProjectFile::open(path)?)),
            None => {
                let (path, there) = find(&self.info)?;
                let file = there.then(|| ProjectFile::open(&path)).transpose()?;
                (path, file)
            }
        };
        let (mut annotations, mut blind_passes) = (Vec::new(), Vec::new());
        if let Some(file) = &mut file {
            annotations = file.annotations()?;
            blind_passes = file.blind_passes()?;
            // Where the recording lies now; a project without one gets it with a change.
            if let Some(place) = &self.info.path
                && file.source()?.is_some()
            {
                file.confirm_source(place)?;
            }
        }
        (self.path, self.file) = (path, file);
        Ok(ProjectNews {
            path: self.path.clone(),
            there: self.file.is_some(),
            annotations,
            blind_passes,
        })
    }

    /// Where the project could not be used so far, once more: another window has closed it,
    /// or space was made. Tells what is in it.
    pub(super) fn connect_again(&mut self) -> Option<Command> {
        self.unusable.as_ref()?;
        let news = Box::new(self.connect().ok()?);
        Some(Command::Project {
            generation: self.generation,
            news,
        })
    }

    /// Everything that is pending.
    pub(super) fn write(&mut self) -> Result<(), String> {
        if let Some(why) = &self.unusable {
            return Err(why.clone());
        }
        self.be_there()?;
        // What was said is kept whatever becomes of these.
        let passes = self.write_passes();
        self.write_changes()?;
        passes
    }

    /// All changes in one go; of an action that the file refuses it is said, and the others
    /// are kept.
    fn write_changes(&mut self) -> Result<(), String> {
        let Some(file) = self.file.as_mut() else {
            return Ok(());
        };
        file.sign_as(&self.coder);
        let done = file.act(&self.pending);
        if let Err(ProjectError::Refused { .. }) = &done {
            let mut refused = None;
            for action in std::mem::take(&mut self.pending) {
                match file.act(std::slice::from_ref(&action)) {
                    Err(e @ ProjectError::Refused { .. }) => refused = Some(e.to_string()),
                    Err(e) => {
                        self.pending.push(action);
                        refused = Some(e.to_string());
                    }
                    Ok(_) => {}
                }
            }
            return refused.map_or(Ok(()), Err);
        }
        done.map_err(|e| e.to_string())?;
        self.pending.clear();
        Ok(())
    }

    /// Makes the project where there is none yet.
    fn be_there(&mut self) -> Result<(), String> {
        if self.file.is_none() {
            let (path, file) = self.make().map_err(|e| e.to_string())?;
            (self.path, self.file) = (path, Some(file));
        }
        Ok(())
    }

    /// A step is kept at once where the project is there, else with the first change.
    pub(super) fn blind_pass(&mut self, news: PassNews) -> Result<(), String> {
        match news.step {
            PassStep::Begun => {
                let before = self.codes_blind.replace(news.coder.clone());
                // Somebody else sits down at the same recording.
                let left = before.filter(|before| *before != news.coder);
                let at_ms = news.at_ms;
                let left = left.map(|coder| PassNews {
                    coder,
                    step: PassStep::Left,
                    at_ms,
                });
                self.passes.extend(left);
            }
            PassStep::Left | PassStep::Ended => self.codes_blind = None,
            PassStep::Named => {
                let nameless = self.codes_blind.as_mut().filter(|coder| coder.is_empty());
                if let Some(coder) = nameless {
                    coder.clone_from(&news.coder);
                }
            }
        }
        self.passes.push(news);
        self.write_passes()
    }

    /// All that is known of blind passes, in one go.
    pub(super) fn write_passes(&mut self) -> Result<(), String> {
        let Some(file) = self.file.as_mut() else {
            let why = self.unusable.as_ref().filter(|_| !self.passes.is_empty());
            return why.map_or(Ok(()), |why| Err(why.clone()));
        };
        (file.tell_of_blind_passes(&self.passes)).map_err(|e| e.to_string())?;
        self.passes.clear();
        Ok(())
    }

    /// Whether the analysis that waited is in the file now.
    pub(super) fn write_analysis(&mut self) -> Result<bool, String> {
        let Some(file) = self.file.as_mut() else {
            return Ok(false);
        };
        let Some(analysis) = self.analysis.take() else {
            return Ok(false);
        };
        match kept::save(file, &analysis) {
            Ok(()) => Ok(true),
            // Another try would fare no better.
            Err(e @ ProjectError::Refused { .. }) => Err(e.to_string()),
            Err(e) => {
                self.analysis = Some(analysis);
                Err(format!("The analysis is not kept yet. {e}"))
            }
        }
    }

    /// What came with the other project, and which annotations are others now.
    pub(super) fn merge(
        &mut self,
        other: &Path,
    ) -> Result<(Merged, Vec<Change>, Vec<BlindPass>), String> {
        let said = |e: ProjectError| e.to_string();
        if self.file.is_none() {
            // No project is made for one that cannot be added.
            ProjectFile::check_joins(other, source_of(&self.info).as_ref()).map_err(said)?;
        }
        // What is pending goes in first, so that the other's is compared with it.
        self.write()?;
        let Some(file) = self.file.as_mut() else {
            return Err("There is no project to add to.".to_owned());
        };
        let before = file.annotations().map_err(said)?;
        let merged = file.merge(other).map_err(said)?;
        let after = file.annotations().map_err(said)?;
        let changes = after.into_iter().map(|after| Change {
            before: before.iter().find(|b| b.id == after.id).cloned(),
            after: Some(after),
        });
        let changes = changes.filter(|c| c.before != c.after).collect();
        let blind_passes = file.blind_passes().map_err(said)?;
        Ok((merged, changes, blind_passes))
    }

    /// A new project where it is to be, or in the person's documents where the
    /// recording's own folder takes no file.
    fn make(&self) -> Result<(PathBuf, ProjectFile), ProjectError> {
        let made = self.make_at(&self.path);
        let (Err(first), Some(folder)) = (&made, documents()) else {
            return made.map(|file| (self.path.clone(), file));
        };
        log::warn!("{first}");
        let name = self.path.file_name().unwrap_or_default();
        let elsewhere = free(&folder, Path::new(name)).unwrap_or_else(|| self.path.clone());
        match self.make_at(&elsewhere) {
            Ok(file) => Ok((elsewhere, file)),
            // What stands in the way beside the recording is what can be mended.
            Err(_) => made.map(|file| (self.path.clone(), file)),
        }
    }

    fn make_at(&self, path: &Path) -> Result<ProjectFile, ProjectError> {
        // Killed in between, a project without its source would be nobody's.
        match source_of(&self.info) {
            Some(source) => ProjectFile::create_about(path, &source),
            None => ProjectFile::create(path),
        }
    }
}

pub(super) fn action(change: Change) -> Option<Action> {
    match (change.after, change.before) {
        (Some(after), _) => Some(Action::Put(after)),
        (None, Some(before)) => Some(Action::Remove(before.id)),
        (None, None) => None,
    }
}
