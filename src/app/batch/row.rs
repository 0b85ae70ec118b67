//! One recording of the queue.

use std::path::{Path, PathBuf};

use crate::app::notices::NoticeLog;
use crate::project::result_folder::Existing;
use crate::project::unattended::time_left::Current;
use crate::project::unattended::{Finished, Job, Look};
use crate::session::pace::{Pace, RecentPace};

/// How far a recording has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RowState {
    #[default]
    Waiting,
    /// Earlier results of it lie here, and the person is asked what is to become of them.
    Taken(PathBuf),
    Analysing {
        pace: Pace,
        recent: RecentPace,
        /// All frames are analysed.
        finishing: bool,
    },
    Done(Finished),
    /// The reason in a sentence.
    Failed(String),
    Cancelled,
}

#[derive(Debug, Clone)]
pub struct Row {
    /// The same as long as it is in the queue.
    pub id: u64,
    /// Of its newest job; what is told of an older one is discarded.
    pub ticket: u64,
    pub input: PathBuf,
    /// `None` before it was opened for a moment.
    pub look: Option<Look>,
    pub state: RowState,
    /// What the person said of earlier results.
    pub existing: Existing,
    /// What its analysis said.
    pub log: NoticeLog,
}

impl Row {
    pub(super) fn new(id: u64, ticket: u64, input: PathBuf) -> Self {
        Self {
            id,
            ticket,
            input,
            look: None,
            state: RowState::Waiting,
            existing: Existing::Ask,
            log: NoticeLog::default(),
        }
    }

    /// The file's or folder's name.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.input.file_name().unwrap_or(self.input.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// `None` where it is not known, or not known yet.
    #[must_use]
    pub fn frames(&self) -> Option<u64> {
        self.look.as_ref().and_then(|look| look.frames)
    }

    #[must_use]
    pub fn current(&self) -> Option<Current> {
        match self.state {
            RowState::Analysing { pace, recent, .. } => Some(Current {
                pace,
                recent,
                frames: self.frames(),
            }),
            _ => None,
        }
    }

    /// 0..1, of the frames; `None` where it is not being analysed or of no known length.
    #[must_use]
    pub fn progress(&self) -> Option<f32> {
        let current = self.current()?;
        let all = current.frames.filter(|n| *n > 0)?;
        Some((current.pace.frames as f32 / all as f32).min(1.0))
    }

    pub(super) fn wants_work(&self) -> bool {
        matches!(self.state, RowState::Waiting | RowState::Analysing { .. })
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.state, RowState::Taken(_))
    }

    /// Whether it ended without results and may be tried again.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self.state, RowState::Failed(_) | RowState::Cancelled)
    }

    #[must_use]
    pub fn may_cancel(&self) -> bool {
        self.wants_work() || self.is_taken()
    }

    pub(super) fn job(&self, results: Option<&Path>) -> Job {
        let beside = || {
            let folder = self.input.parent().unwrap_or(Path::new(""));
            folder.join(BESIDE)
        };
        Job {
            ticket: self.ticket,
            input: self.input.clone(),
            out: results.map_or_else(beside, Path::to_path_buf),
            existing: self.existing,
        }
    }
}

/// The folder beside a recording that holds its results unless another is chosen.
pub const BESIDE: &str = "onset-results";
