//! Leaving one subject out, a fold at a time, whatever is trained and tested.
//!
//! Each fold is a file of its own, written when it is finished, so that a killed
//! evaluation goes on where it was and several machines can share the folds. What a
//! fold found is always taken from its file, so that it does not matter which run
//! made it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Settings};
use super::progress::Monitor;
use crate::dataset::splits::{Fold, leave_one_subject_out};
use crate::project::output::{OutputError, write_whole};

#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    #[error(
        "Cannot leave one subject out: the data has one subject only. Give data of two or more"
    )]
    OneSubject,
    #[error("There is no fold {fold}: the data has {folds} subjects, so folds 0 to {}. Choose one of them with --fold", folds - 1)]
    NoFold { fold: usize, folds: usize },
    #[error("This fold was evaluated with {setting} {found}, not {wanted}. Use the same settings, or another folder with --folds: {}", path.display())]
    OtherSettings {
        path: PathBuf,
        setting: String,
        found: String,
        wanted: String,
    },
    #[error("Cannot merge: {missing} of {folds} folds are not there yet, the first is fold {first} (subject {subject}). Run them first (--fold {first}): {}", folder.display())]
    Missing {
        folder: PathBuf,
        missing: usize,
        folds: usize,
        first: usize,
        subject: String,
    },
    #[error("This is not a fold that Onset wrote: {reason}. Delete it to evaluate the fold again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// The contents of a fold's file. `P` is what is said of one clip or recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldResult<P> {
    pub fold: usize,
    pub subject: String,
    pub settings: Settings,
    pub predictions: Vec<P>,
}

/// The folds of one evaluation, in the order of the subjects' names as text, and the
/// folder of their files and checkpoints.
#[derive(Debug, Clone)]
pub struct Folds {
    folder: PathBuf,
    folds: Vec<Fold>,
    settings: Settings,
}

impl Folds {
    /// `subjects` names each clip's subject in the order of the data; `settings` are
    /// everything that decides what a fold finds, the data's fingerprint among them.
    ///
    /// # Errors
    /// When the data has one subject only.
    pub fn new<S: AsRef<str>>(
        subjects: &[S],
        mut settings: Settings,
        folder: &Path,
    ) -> Result<Self, FoldError> {
        // What no setting names may be otherwise in another version.
        settings.insert("onset".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let folds = leave_one_subject_out(subjects);
        if folds.len() < 2 {
            return Err(FoldError::OneSubject);
        }
        Ok(Self {
            folder: folder.to_owned(),
            folds,
            settings,
        })
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.folds.len()
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// # Errors
    /// When there is no such fold.
    pub fn fold(&self, number: usize) -> Result<&Fold, FoldError> {
        self.folds.get(number).ok_or(FoldError::NoFold {
            fold: number,
            folds: self.folds.len(),
        })
    }

    /// Where one of a fold's trainings keeps what it needs to go on.
    #[must_use]
    pub fn checkpoint(&self, fold: &Fold, training: &str) -> PathBuf {
        let (stem, ending) = (file_stem(fold), checkpoint::EXTENSION);
        self.folder.join(format!("{stem}-{training}.{ending}"))
    }

    /// The place of a fold's file.
    #[must_use]
    pub fn path(&self, fold: &Fold) -> PathBuf {
        self.folder.join(format!("{}.json", file_stem(fold)))
    }

    /// What is said of a fold's clips: read from its file, which `train_and_test` is
    /// asked for first if it is not there.
    ///
    /// # Errors
    /// When there is no such fold, its file is damaged, another evaluation's, or cannot
    /// be written, or `train_and_test` fails.
    pub fn one<P, E>(
        &self,
        number: usize,
        train_and_test: impl FnOnce(&Fold) -> Result<Vec<P>, E>,
    ) -> Result<FoldResult<P>, E>
    where
        P: Serialize + DeserializeOwned,
        E: From<FoldError>,
    {
        let fold = self.fold(number)?;
        if let Some(result) = self.finished(fold)? {
            return Ok(result);
        }
        std::fs::create_dir_all(&self.folder)
            .map_err(|e| FoldError::Output(OutputError::write(&self.folder, e)))?;
        let result = FoldResult {
            fold: number,
            subject: fold.subject.clone(),
            settings: self.settings.clone(),
            predictions: train_and_test(fold)?,
        };
        let path = self.path(fold);
        let text = serde_json::to_string_pretty(&result)
            .map_err(|e| FoldError::Output(OutputError::write(&path, e)))?;
        write_whole(&path, text.as_bytes()).map_err(FoldError::Output)?;
        Ok(read(&path, &text)?)
    }

    /// All folds, `at_once` of them side by side, in their order; the same numbers
    /// whatever `at_once` is.
    ///
    /// Folds have threads of their own: a thread of the pool that waits for a part of
    /// its fold would begin another one meanwhile, and hold the memory of both.
    ///
    /// # Errors
    /// The first fold's that fails; folds that are finished stay.
    pub fn all<P, E>(
        &self,
        at_once: usize,
        monitor: &dyn Monitor,
        one: impl Fn(usize) -> Result<FoldResult<P>, E> + Sync,
    ) -> Result<Vec<P>, E>
    where
        P: Send,
        E: Send + From<FoldError>,
    {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let failed = AtomicBool::new(false);
        let results = Mutex::new(Vec::new());
        let work = || {
            while !failed.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(fold) = self.folds.get(number) else {
                    return;
                };
                let result = one(number);
                match &result {
                    Ok(_) => {
                        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                        monitor.part(&part(fold), done, self.folds.len());
                    }
                    Err(_) => failed.store(true, Ordering::Relaxed),
                }
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                results.push((number, result));
            }
        };
        thread::scope(|scope| {
            // The calling thread is one of them, and the only one where no other starts.
            for worker in 1..at_once.min(self.folds.len()) {
                let named = thread::Builder::new().name(format!("fold-{worker}"));
                if let Err(e) = named.spawn_scoped(scope, work) {
                    log::warn!("fewer folds at once: {e}");
                }
            }
            work();
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        let results = results.into_iter().map(|(_, result)| result);
        Ok(pooled(results.collect::<Result<_, E>>()?))
    }

    /// The folds that are there, which must be all.
    ///
    /// # Errors
    /// Says which fold is missing or another evaluation's.
    pub fn merged<P: DeserializeOwned>(&self) -> Result<Vec<P>, FoldError> {
        let mut results = Vec::new();
        let mut missing = Vec::new();
        for fold in &self.folds {
            match self.finished(fold)? {
                Some(result) => results.push(result),
                None => missing.push(fold),
            }
        }
        if let Some(first) = missing.first() {
            return Err(FoldError::Missing {
                folder: self.folder.clone(),
                missing: missing.len(),
                folds: self.folds.len(),
                first: first.number,
                subject: first.subject.clone(),
            });
        }
        Ok(pooled(results))
    }

    fn finished<P: DeserializeOwned>(
        &self,
        fold: &Fold,
    ) -> Result<Option<FoldResult<P>>, FoldError> {
        let path = self.path(fold);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                let reason = e.to_string();
                return Err(FoldError::Damaged { path, reason });
            }
        };
        let result: FoldResult<P> = read(&path, &text)?;
        let nothing = "(nothing)".to_owned();
        for name in self.settings.keys().chain(result.settings.keys()) {
            let (wanted, found) = (self.settings.get(name), result.settings.get(name));
            if wanted != found {
                return Err(FoldError::OtherSettings {
                    path,
                    setting: name.clone(),
                    found: found.unwrap_or(&nothing).clone(),
                    wanted: wanted.unwrap_or(&nothing).clone(),
                });
            }
        }
        Ok(Some(result))
    }
}

fn read<P: DeserializeOwned>(path: &Path, text: &str) -> Result<FoldResult<P>, FoldError> {
    serde_json::from_str(text).map_err(|e| FoldError::Damaged {
        path: path.to_owned(),
        reason: e.to_string(),
    })
}

/// What a monitor is told a fold is.
#[must_use]
pub fn part(fold: &Fold) -> String {
    format!("fold {} ({})", fold.number, fold.subject)
}

/// Folds are named by number: a subject's name may not do as a file's.
#[must_use]
pub fn file_stem(fold: &Fold) -> String {
    format!("fold-{:04}", fold.number)
}

/// What is kept of trainings that are finished; what stays behind is found finished
/// next time, or is deleted with the folder.
pub fn forget(checkpoints: impl IntoIterator<Item = PathBuf>) {
    for path in checkpoints {
        let _ = std::fs::remove_file(path);
    }
}

fn pooled<P>(results: Vec<FoldResult<P>>) -> Vec<P> {
    results
        .into_iter()
        .flat_map(|result| result.predictions)
        .collect()
}
