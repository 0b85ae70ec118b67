//! Recordings analysed one after another with nobody watching: one of them into its
//! folder ([`analyse_into`]), what lies in a folder of them ([`gather`]), how long the
//! rest takes ([`time_left`]), and the queue's own threads ([`Worker`]).

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::filing::{self, Filed};
use super::kept::{self, filed::NotFiled};
use super::output::OutputError;
use super::result_folder::{Existing, Identity};
use crate::base::Notice;
use crate::media::FrameSource;
use crate::session::Params;
use crate::session::pipeline::Pipeline;
use crate::session::whole::{self, Next, Told, Whole, WholeError};

mod gather;
pub mod time_left;
mod worker;

pub use gather::{VIDEO_ENDINGS, gather};
pub use time_left::TimeLeft;
pub use worker::Worker;

/// What is analysed and how.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// As the person named it, for `run.log`.
    pub input: &'a str,
    pub identity: &'a Identity,
    pub params: &'a Params,
}

/// A recording whose results lie in their folder.
#[derive(Debug)]
pub struct Done {
    pub whole: Whole,
    pub filed: Filed,
    /// Why the window has to analyse it again.
    pub not_kept: Option<NotFiled>,
    /// From the first frame asked for to the last file written.
    pub secs: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error(transparent)]
    Whole(#[from] WholeError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Analyses `source` to its end and puts the results into `folder`, where nothing is
/// touched before all of it is there; and beside them the whole analysis for the window.
///
/// # Errors
/// As [`whole::analyse`] and [`filing::file`].
pub fn analyse_into(
    folder: &Path,
    source: Box<dyn FrameSource>,
    pipeline: Pipeline,
    run: &Run<'_>,
    told: &mut dyn FnMut(Told<'_>) -> Next,
) -> Result<Done, NotDone> {
    let started = Instant::now();
    let mut whole = whole::analyse(source, pipeline, told)?;
    let params = run.params;
    let run = filing::Run {
        input: run.input,
        identity: run.identity,
        params: run.params,
        secs: started.elapsed().as_secs_f64(),
    };
    let filed = filing::file(folder, &whole, &run)?;
    let not_kept = kept::filed::file(folder, &mut whole, params).err();
    Ok(Done {
        whole,
        filed,
        not_kept,
        secs: started.elapsed().as_secs_f64(),
    })
}

/// A recording that waits for its analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// No two jobs have one; what is tried again is another job.
    pub ticket: u64,
    pub input: PathBuf,
    /// The folder in which the recording gets a folder of its own.
    pub out: PathBuf,
    pub existing: Existing,
}

/// What is wanted of the queue as a whole; a new plan takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// In this order. What is being analysed and is not among them is stopped; what has
    /// been told to have ended is not begun again.
    pub jobs: Vec<Job>,
    /// Whether any is worked on; one that has been begun is held where it is.
    pub running: bool,
    /// Of the recordings that are begun from now on.
    pub params: Params,
}

/// What a recording is before it is analysed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// `None` where the recording does not say.
    pub frames: Option<u64>,
    /// Whether they were counted, not estimated.
    pub exact: bool,
    pub secs: Option<f64>,
    /// Earlier results of this recording, of which nobody has said what is to become.
    pub there: Option<PathBuf>,
}

/// What the queue tells, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// What lies where it was asked to look, and what is to be said of that.
    Found {
        recordings: Vec<PathBuf>,
        said: Vec<Notice>,
    },
    /// Or why it cannot be read.
    Looked {
        ticket: u64,
        look: Result<Look, String>,
    },
    Began {
        ticket: u64,
    },
    /// About four times a second. Seconds in which it was held do not count.
    Progress {
        ticket: u64,
        frames: u64,
        secs: f64,
    },
    /// All frames are analysed; what is left takes moments.
    Finishing {
        ticket: u64,
    },
    Said {
        ticket: u64,
        notice: Notice,
    },
    Ended {
        ticket: u64,
        outcome: Outcome,
    },
}

/// How a recording of the queue ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Done(Finished),
    /// Earlier results lie here, of which nobody has said what is to become.
    Taken(PathBuf),
    /// The sentence for the person.
    Failed(String),
    /// It is in the plan no more.
    Stopped,
}

/// What was found in a recording and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub folder: PathBuf,
    pub frames: u64,
    /// Candidates.
    pub macros: usize,
    pub micros: usize,
    /// Whether a warning concerns the result.
    pub warned: bool,
    /// How long it took, without the time in which it was held.
    pub secs: f64,
}
