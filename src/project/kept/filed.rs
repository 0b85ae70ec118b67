//! The whole analysis among the results of a recording, so that the window shows what was
//! analysed with nobody watching without analysing it again.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::{KeptAnalysis, load, save};
use crate::media::InputSpec;
use crate::project::file::{ProjectError, ProjectFile, Source, SourceKind};
use crate::project::result_folder::{Existing, Identity, Place, place};
use crate::session::Params;
use crate::session::whole::Whole;

/// What it is called in the folder of the results. No project by its ending: nobody is to code
/// in a file that the next run replaces.
pub const NAME: &str = "analysis.sqlite";

/// Why the results are without it.
#[derive(Debug, thiserror::Error)]
#[error(
    "The results are whole, but the window will analyse the recording again: the analysis could \
     not be put beside them. {0}"
)]
pub struct NotFiled(String);

/// Puts the analysis into the folder of its results, in the place of an earlier one. One of
/// a camera, and one that broke off, is not shown again and is left out.
///
/// # Errors
/// The folder cannot be written, or the disk is full.
pub fn file(folder: &Path, whole: &mut Whole, params: &Params) -> Result<(), NotFiled> {
    let place = folder.join(NAME);
    let in_words = |e: &dyn std::error::Error| NotFiled(e.to_string());
    match fs::remove_file(&place) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(in_words(&e)),
        _ => {}
    }
    let Some(recording) = whole.info.path.as_deref().filter(|_| whole.complete) else {
        return Ok(());
    };
    let kind = match recording.is_dir() {
        true => SourceKind::ImageFolder,
        false => SourceKind::Video,
    };
    let source = Source::of(recording, kind).map_err(|e| in_words(&e))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let adapter = whole.facts.flow_adapter.clone();
    let kept = KeptAnalysis {
        onset_version: env!("CARGO_PKG_VERSION").to_owned(),
        finished_ms: since.map_or(0, |since| since.as_millis() as i64),
        params: params.clone(),
        facts: whole.facts.clone(),
        device: adapter.unwrap_or_else(|| "the processor".to_owned()),
        // Of an hour there is no second copy.
        recording: Arc::new(std::mem::take(&mut whole.recording)),
    };
    let saved = ProjectFile::create_about(&place, &source).and_then(|mut f| save(&mut f, &kept));
    whole.recording = Arc::unwrap_or_clone(kept.recording);
    saved.map_err(|e: ProjectError| in_words(&e))
}

/// The analysis of `recording` among the results in `out`; `None` where there is none of
/// this very recording, or none that can be read.
#[must_use]
pub fn find(out: &Path, recording: &Path) -> Option<KeptAnalysis> {
    if !out.is_dir() {
        return None;
    }
    let spec = InputSpec::path(recording);
    let results = place(out, &spec.stem(), &Identity::of(&spec), Existing::Ask);
    let Place::Taken(folder) = results else {
        return None;
    };
    let file = ProjectFile::open_read_only(&folder.join(NAME)).ok()?;
    let found = load(&file).inspect_err(|e| log::info!("no filed analysis: {e}"));
    found.ok().flatten()
}
