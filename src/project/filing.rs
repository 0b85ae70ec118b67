//! Everything that `onset analyze` writes of one recording, put in its folder as a whole.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::output::{Batch, OutputError};
use super::result_folder::Identity;
use super::results::{self, Summary};
use super::{plot, second_opinions};
use crate::session::Params;
use crate::session::whole::Whole;
use crate::spotting::ExpressionKind;

/// What was analysed, how, and how long that took.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// As the person named it, for `run.log`.
    pub input: &'a str,
    pub identity: &'a Identity,
    pub params: &'a Params,
    pub secs: f64,
}

/// What lies in the folder now.
#[derive(Debug)]
pub struct Filed {
    pub summary: Summary,
    /// Where intervals that somebody had judged are kept.
    pub judged: Option<PathBuf>,
}

/// Writes the tables, the printed timeline, `run.log` and at last `recording.json` to
/// `folder`: all of them, or none.
///
/// # Errors
/// When the folder cannot be made or written, or the disk is full.
pub fn file(folder: &Path, whole: &Whole, run: &Run<'_>) -> Result<Filed, OutputError> {
    let recording = &whole.recording;
    let facts = (run.identity.size_bytes, run.identity.fingerprint.as_str());
    let summary = Summary::of(&whole.info, facts, run.params, &whole.facts, recording);
    let stem = folder.file_name().unwrap_or(folder.as_os_str());
    let stem = stem.to_string_lossy();
    let mut batch = Batch::default();
    let to = &mut batch;
    let readings = results::Readings::of(summary.recognition.as_ref());
    results::write_frames(&folder.join("frames.csv"), recording, &readings, to)?;
    let intervals = folder.join("intervals.csv");
    let judged = keep_judgements(&intervals, to)?;
    results::write_intervals(&intervals, &stem, recording, &readings, to)?;
    let looks = summary.recognition.as_ref().map(|r| &r.second_look[..]);
    let looks = looks.unwrap_or_default();
    let second_look = folder.join("second_look.csv");
    if !looks.is_empty() {
        second_opinions::write(&second_look, &stem, recording, looks, to)?;
    }
    let label = |kind| {
        let facts = summary.scores.get(&kind);
        facts.map_or("", |k| k.source_label.as_str())
    };
    let labels = [label(ExpressionKind::Macro), label(ExpressionKind::Micro)];
    plot::write_timeline(&folder.join("timeline.png"), &stem, recording, labels, to)?;
    to.add(&folder.join("run.log"), log(whole, run).as_bytes())?;
    results::write_summary(&folder.join("recording.json"), &summary, to)?;
    batch.commit()?;
    if looks.is_empty() {
        // An earlier analysis with a second look is replaced as a whole.
        remove_if_there(&second_look)?;
    }
    Ok(Filed { summary, judged })
}

fn log(whole: &Whole, run: &Run<'_>) -> String {
    let (frames, secs) = (whole.recording.frames.len(), run.secs);
    let mut log = String::new();
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(log, "onset {version} analysed {}", run.input);
    let rate = frames as f64 / secs;
    let _ = writeln!(
        log,
        "{frames} frames in {secs:.2} s, {rate:.1} frames a second"
    );
    for notice in &whole.recording.notices {
        let _ = writeln!(log, "{:?}: {}", notice.severity, notice.text);
    }
    log
}

fn remove_if_there(path: &Path) -> Result<(), OutputError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(OutputError::write(path, e)),
        _ => Ok(()),
    }
}

/// Somebody's accepted and rejected intervals are not lost: with the new results they
/// are written under another name, which is returned. What cannot be read as a list of
/// proposals is taken for somebody's work.
fn keep_judgements(intervals: &Path, to: &mut Batch) -> Result<Option<PathBuf>, OutputError> {
    let bytes = match std::fs::read(intervals) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(OutputError::write(intervals, e)),
    };
    if only_proposals(&bytes).unwrap_or(false) {
        return Ok(None);
    }
    let name = |n: u32| intervals.with_file_name(format!("intervals-judged-{n}.csv"));
    let free = (1..).map(name).find(|path| !path.exists());
    if let Some(free) = &free {
        to.add(free, &bytes)?;
    }
    Ok(free)
}

fn only_proposals(intervals: &[u8]) -> Option<bool> {
    let mut rows = csv::Reader::from_reader(intervals);
    let status = rows.headers().ok()?.iter().position(|h| h == "status")?;
    let proposed = |row: Result<csv::StringRecord, csv::Error>| {
        row.is_ok_and(|row| row.get(status) == Some("proposed"))
    };
    Some(rows.records().all(proposed))
}
