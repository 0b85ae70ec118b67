//! A folder of flow images made from labelled recordings, in the layout that
//! [`super::flow_images`] reads.
//!
//! Beside `flows/` and `labels.csv` stands `measured.csv`
//! (`clip,onset,apex,apex_marked,settings`): which frames each image shows and a hash
//! of everything it depends on. A clip whose row still holds is not measured again, so
//! that a killed or repeated preparation goes on where it was, and so does one with a
//! database more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::flow_frames::{contents, read_pairs};
use super::flow_images::{to_labels, to_png};
use super::flow_measure::FlowMeter;
use super::flow_plan::{FlowPlan, PlannedClip, left_out};
use crate::nn::inventory::sha256;
use crate::project::output::{OutputError, write_whole};

#[derive(Debug, thiserror::Error)]
pub enum PreparationError {
    #[error("The folder holds flow images that were not measured here, and they would be replaced. Choose another folder for the flow images: {}", .0.display())]
    Foreign(PathBuf),
    #[error("Not one flow image can be made: {reason}. `onset data check` names what is wrong: {}", root.display())]
    Nothing { reason: String, root: PathBuf },
    #[error("Cannot make the flow image of {clip}: {reason}. Please report this: {}", path.display())]
    Image {
        clip: String,
        reason: String,
        path: PathBuf,
    },
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What a preparation did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prepared {
    /// Images in `labels.csv`.
    pub clips: usize,
    /// Those among them that were there already.
    pub kept: usize,
    /// Events left out, each with its reason: those of the plan, then those whose
    /// frames cannot be read or show no face.
    pub left_out: Vec<Problem>,
}

/// A row of `measured.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Measured {
    clip: String,
    onset: u64,
    apex: u64,
    apex_marked: bool,
    settings: String,
}

impl Measured {
    /// Names of clips hold nothing that a table would have to quote.
    fn line(&self) -> String {
        let Self {
            clip,
            onset,
            apex,
            apex_marked,
            settings,
        } = self;
        format!("{clip},{onset},{apex},{apex_marked},{settings}\n")
    }
}

/// Measures the plan's clips into `folder`, several recordings at a time; `done` is
/// told how many clips are ready. Nothing depends on the number of threads.
///
/// # Errors
/// The folder holds somebody else's flow images or cannot be written, or not one event
/// can be measured. Single events that cannot are in [`Prepared::left_out`].
pub fn prepare(
    plan: &FlowPlan<'_>,
    meter: &FlowMeter,
    folder: &Path,
    done: impl Fn(usize) + Sync,
) -> Result<Prepared, PreparationError> {
    let log = folder.join("measured.csv");
    let labels = folder.join("labels.csv");
    if !log.is_file() && (labels.exists() || folder.join("flows").exists()) {
        return Err(PreparationError::Foreign(folder.to_owned()));
    }
    let settings = meter.settings();
    let wanted = wanted(plan, &settings);
    let written = read_log(&log);
    let holds = |row: &Measured| {
        written.get(&row.clip) == Some(row) && image_path(folder, &row.clip).is_file()
    };
    let outdated: BTreeSet<&str> = wanted
        .iter()
        .flatten()
        .filter(|row| written.contains_key(&row.clip) && !holds(row))
        .map(|row| row.clip.as_str())
        .collect();
    let ready: Vec<bool> = (wanted.iter())
        .map(|row| row.as_ref().is_ok_and(&holds))
        .collect();
    let mut rows: BTreeMap<String, Measured> = written
        .iter()
        .filter(|(clip, _)| !outdated.contains(clip.as_str()))
        .map(|(clip, row)| (clip.clone(), row.clone()))
        .collect();
    // Labels vouch for images; those of images that change go first.
    if !outdated.is_empty() {
        remove(&labels)?;
    }
    // This table first: it tells our folders from those of others.
    write_changed(&log, table(&rows).as_bytes())?;
    fs::create_dir_all(folder.join("flows")).map_err(|e| OutputError::write(folder, e))?;

    let missing: Vec<usize> = (0..ready.len()).filter(|&at| !ready[at]).collect();
    let file = OpenOptions::new().append(true).open(&log);
    let writer = Writer {
        folder,
        log: Mutex::new(file.map_err(|e| OutputError::write(&log, e))?),
        ready: AtomicUsize::new(ready.len() - missing.len()),
        done: &done,
    };
    done(ready.len() - missing.len());
    let recordings: Vec<&[usize]> = missing
        .chunk_by(|&a, &b| same_recording(&plan.clips[a], &plan.clips[b]))
        .collect();
    let measured: Vec<Vec<Result<(), Problem>>> = recordings
        .par_iter()
        .with_max_len(1)
        .map(|clips| measure(plan, clips, meter, &wanted, &writer))
        .collect::<Result<_, PreparationError>>()?;

    let mut prepared = Prepared {
        kept: ready.len() - missing.len(),
        left_out: plan.left_out.clone(),
        ..Prepared::default()
    };
    let mut usable = ready;
    for (at, result) in missing.into_iter().zip(measured.into_iter().flatten()) {
        match result {
            Ok(()) => usable[at] = true,
            Err(problem) => prepared.left_out.push(problem),
        }
    }
    let mut clips = Vec::new();
    for ((clip, row), _) in (plan.clips.iter().zip(wanted).zip(&usable)).filter(|(_, u)| **u) {
        clips.push(&clip.clip);
        rows.extend(row.ok().map(|row| (row.clip.clone(), row)));
    }
    prepared.clips = clips.len();
    if clips.is_empty() {
        return Err(nothing(plan, &prepared.left_out));
    }
    write_changed(&log, table(&rows).as_bytes())?;
    let text = to_labels(&clips).map_err(|e| OutputError::write(&labels, e))?;
    write_changed(&labels, &text)?;
    Ok(prepared)
}

fn same_recording(a: &PlannedClip, b: &PlannedClip) -> bool {
    (a.database, a.recording) == (b.database, b.recording)
}

fn image_path(folder: &Path, clip: &str) -> PathBuf {
    folder.join("flows").join(format!("{clip}.png"))
}

/// For each clip the row that its image would have, or why its frames cannot be read.
fn wanted(plan: &FlowPlan<'_>, settings: &str) -> Vec<Result<Measured, String>> {
    let recordings: Vec<&[PlannedClip]> = plan.clips.chunk_by(same_recording).collect();
    let rows = recordings.par_iter().with_max_len(1).map(|clips| {
        let pairs: Vec<_> = clips.iter().map(|c| (c.onset, c.apex)).collect();
        let hashes = contents(plan.recording(&clips[0]), &pairs);
        let row = |(clip, hash): (&PlannedClip, Result<String, String>)| {
            let all = format!("{settings} {} {} {}", clip.onset, clip.apex, hash?);
            Ok(Measured {
                clip: clip.clip.clip.clone(),
                onset: clip.onset,
                apex: clip.apex,
                apex_marked: clip.apex_marked,
                settings: sha256(all.as_bytes())[..16].to_owned(),
            })
        };
        clips.iter().zip(hashes).map(row).collect::<Vec<_>>()
    });
    rows.flatten_iter().collect()
}

/// Where images go as soon as they are measured.
struct Writer<'a> {
    folder: &'a Path,
    log: Mutex<File>,
    ready: AtomicUsize,
    done: &'a (dyn Fn(usize) + Sync),
}

impl Writer<'_> {
    /// The image first, then the row that vouches for it.
    fn write(&self, row: &Measured, pixels: &[[u8; 3]]) -> Result<(), PreparationError> {
        let path = image_path(self.folder, &row.clip);
        let image = to_png(pixels).map_err(|reason| PreparationError::Image {
            clip: row.clip.clone(),
            reason,
            path: path.clone(),
        })?;
        write_whole(&path, &image)?;
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_all(row.line().as_bytes())
            .map_err(|e| OutputError::write(self.folder, e))?;
        Ok(())
    }

    fn count(&self) {
        (self.done)(self.ready.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

/// The clips of one recording, by their places in the plan.
fn measure(
    plan: &FlowPlan<'_>,
    clips: &[usize],
    meter: &FlowMeter,
    wanted: &[Result<Measured, String>],
    writer: &Writer<'_>,
) -> Result<Vec<Result<(), Problem>>, PreparationError> {
    let planned: Vec<&PlannedClip> = clips.iter().map(|&at| &plan.clips[at]).collect();
    let pairs: Vec<_> = planned.iter().map(|c| (c.onset, c.apex)).collect();
    let Some(first) = planned.first() else {
        return Ok(Vec::new());
    };
    let recording = plan.recording(first);
    let told = |clip: &PlannedClip, why: &str, remedy: &str| {
        let (tag, name) = (&clip.clip.dataset, &recording.recording);
        left_out(tag, name, why, remedy, &clip.place)
    };
    let mut results: Vec<Result<(), Problem>> = vec![Ok(()); clips.len()];
    let mut failed = None;
    read_pairs(recording, &pairs, |at, pictures| {
        let clip = planned[at];
        let pixels = match (&wanted[clips[at]], pictures) {
            (Err(why), _) => Err(told(clip, why, "Unpack the frames again")),
            (Ok(_), Err(why)) => Err(told(clip, &why, "Unpack the frames again")),
            (Ok(row), Ok((onset, apex))) => match meter.measure(onset, apex) {
                Ok(pixels) => Ok((row, pixels)),
                Err(why) => Err(told(clip, &why.to_string(), "Look at its frames")),
            },
        };
        match pixels {
            Ok((row, pixels)) if failed.is_none() => failed = writer.write(row, &pixels).err(),
            Ok(_) => {}
            Err(problem) => results[at] = Err(problem),
        }
        writer.count();
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(results),
    }
}

fn nothing(plan: &FlowPlan<'_>, left_out: &[Problem]) -> PreparationError {
    let reason = match left_out.first() {
        Some(problem) => problem.what.clone(),
        None if plan.other_kinds > 0 => format!(
            "none of the {} events is of the kind asked for and of one of the three classes",
            plan.other_kinds + plan.other_emotions
        ),
        None => "no event is negative, positive or surprise".to_owned(),
    };
    let root = plan.databases.first().map(|index| index.root.clone());
    PreparationError::Nothing {
        reason,
        root: root.unwrap_or_default(),
    }
}

/// What is written of `measured.csv`; broken rows, such as a killed run's last one, do
/// not count.
fn read_log(path: &Path) -> BTreeMap<String, Measured> {
    let Ok(mut reader) = csv::ReaderBuilder::new().flexible(true).from_path(path) else {
        return BTreeMap::new();
    };
    let rows = reader.deserialize().filter_map(Result::ok);
    rows.map(|row: Measured| (row.clip.clone(), row)).collect()
}

fn table(rows: &BTreeMap<String, Measured>) -> String {
    let lines = rows.values().map(Measured::line);
    std::iter::once("clip,onset,apex,apex_marked,settings\n".to_owned())
        .chain(lines)
        .collect()
}

/// Several processes may share the folder (folds on a cluster): what is as it should
/// be is not touched.
fn write_changed(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    write_whole(path, bytes)
}

fn remove(path: &Path) -> Result<(), OutputError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(OutputError::write(path, e)),
        _ => Ok(()),
    }
}
