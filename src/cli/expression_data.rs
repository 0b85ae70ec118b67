//! What `train` and `evaluate` of networks for action units share: labelled
//! expressions, measured from onset to apex.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};

use super::print::tell;
use super::progress::Progress;
use super::{Failure, Outcome, Preset};
use crate::dataset::{self, DatasetKind, splits};
use crate::facs::ClassSet;
use crate::nn::inventory::hexadecimal;
use crate::training::expressions::corpus::{Corpus, CorpusError, Measured, Pairs, Shown};
use crate::training::expressions::trainer::Lessons;

#[derive(Debug, Clone, Args)]
pub(super) struct ExpressionData {
    /// Folders of labelled recordings: index.csv and labels.csv as `onset synth` writes
    /// them, or the roots of licensed databases. Give it again for each further one.
    #[arg(long, visible_alias = "root", required = true)]
    pub(super) data: Vec<PathBuf>,
    /// Whose layout the folders have; found out where this is not said.
    #[arg(long)]
    dataset: Option<DatasetKind>,
    /// Where measured motion is kept; by default in each folder's own `features`.
    #[arg(long)]
    features: Option<PathBuf>,
    /// How exactly the optical flow is computed.
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
}

/// Into how many classes a network sorts expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Classes {
    /// Negative, positive, surprise (MEGC 2019).
    #[value(name = "3")]
    Three,
    /// Disgust, happiness, others, repression, surprise (CASME II).
    #[value(name = "5")]
    Five,
    /// Anger, contempt, disgust, fear, happiness, sadness, surprise (SAMM without others).
    #[value(name = "7")]
    Seven,
}

impl From<Classes> for ClassSet {
    fn from(classes: Classes) -> Self {
        match classes {
            Classes::Three => Self::Three,
            Classes::Five => Self::Five,
            Classes::Seven => Self::Seven,
        }
    }
}

/// Says when no classes can be learnt; it is an error where they were asked for.
pub(super) fn check_classes(
    asked: Option<Classes>,
    lessons: &Lessons,
    quiet: bool,
) -> Result<(), Failure> {
    match (lessons.without_classes(), asked) {
        (Some(why), Some(_)) => Err(Failure::input(anyhow!(
            "These classes cannot be learnt: {why}. Give more recordings, or another number of classes with --classes"
        ))),
        (Some(why), None) => {
            if !quiet {
                tell!("warning: no classes are learnt, action units alone: {why}");
            }
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// Measured expressions of all folders.
pub(super) struct Expressions {
    pub(super) measured: Vec<Measured>,
    /// How many things in the labels need a look; what is wrong is left out.
    problems: usize,
}

impl ExpressionData {
    /// Other folders, measured in the same way.
    pub(super) fn of(&self, folders: &[PathBuf]) -> Self {
        Self {
            data: folders.to_vec(),
            ..self.clone()
        }
    }

    /// What an output must not replace.
    pub(super) fn tables(&self) -> Vec<PathBuf> {
        let names = ["index.csv", "labels.csv", "events.csv", "distractors.csv"];
        let of = |folder: &PathBuf| names.map(|name| folder.join(name));
        self.data.iter().flat_map(of).collect()
    }

    /// Reads the labels and measures what is not measured yet.
    pub(super) fn measure(&self, pairs: Pairs, quiet: bool) -> Result<Expressions, Failure> {
        self.measure_with(pairs, false, quiet)
    }

    /// The same with pictures of the faces, for networks that read them.
    pub(super) fn measure_with(
        &self,
        pairs: Pairs,
        pictures: bool,
        quiet: bool,
    ) -> Result<Expressions, Failure> {
        let mut all = Expressions {
            measured: Vec::new(),
            problems: 0,
        };
        for (number, folder) in self.data.iter().enumerate() {
            let place = |path: &PathBuf| std::fs::canonicalize(path).ok();
            if place(folder).is_some()
                && self.data[..number]
                    .iter()
                    .any(|f| place(f) == place(folder))
            {
                return Err(Failure::input(anyhow!(
                    "The same folder is given twice, so its subjects would be learnt from and tested on at once. Give it once: {}",
                    folder.display()
                )));
            }
            let kind = match self.dataset {
                Some(kind) => kind,
                None => dataset::recognise(folder).map_err(Failure::input)?,
            };
            let mut index = dataset::open(kind, folder).map_err(Failure::input)?;
            if !quiet && !index.problems.is_empty() {
                tell!(
                    "warning: {} things in the labels need a look; `onset data check {}` names them",
                    index.problems.len(),
                    folder.display()
                );
            }
            all.problems += index.problems.len();
            if self.data.len() > 1 {
                // Two folders may count their subjects alike, and they are others.
                for recording in &mut index.recordings {
                    recording.subject = format!("{}:{}", number + 1, recording.subject);
                }
            }
            let kept = match &self.features {
                Some(folder) => folder.clone(),
                None => folder.join("features"),
            };
            let corpus = Corpus::new(self.preset.into(), pairs, &kept).map_err(failure)?;
            let corpus = corpus.with_pictures(pictures);
            let count = index.recordings.len() as u64;
            let progress = Progress::counting("recordings", "expressions", Some(count), quiet);
            let progress = Mutex::new(progress);
            let measured = corpus.measure(&index.recordings, kind.emotions(), |done| {
                let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.at(done as u64);
            });
            let progress = progress.into_inner();
            progress.unwrap_or_else(PoisonError::into_inner).finish();
            all.measured.extend(measured.map_err(failure)?);
        }
        all.check_once()?;
        all.tell_left_out(quiet);
        Ok(all)
    }
}

impl Expressions {
    /// No recording may come in twice: its subject would be learnt from and held out.
    fn check_once(&self) -> Result<(), Failure> {
        let mut seen = BTreeMap::new();
        for Measured {
            recording, content, ..
        } in &self.measured
        {
            let Some(content) = content else { continue };
            if let Some(first) = seen.insert(content, &recording.source) {
                return Err(Failure::input(anyhow!(
                    "Two recordings hold the same expressions, {} and another, so one person would count as two. Leave one of them out: {}",
                    first.display(),
                    recording.source.display()
                )));
            }
        }
        Ok(())
    }

    /// Says how many expressions could not be measured, with the first reason.
    fn tell_left_out(&self, quiet: bool) {
        let all: usize = self.measured.iter().map(|m| m.left_out.len()).sum();
        let first = self
            .measured
            .iter()
            .find_map(|m| Some((m, m.left_out.first()?)));
        if let Some((recording, (event, reason))) = first.filter(|_| !quiet) {
            tell!(
                "warning: {all} expressions are left out; the first, {} of {}: {reason}",
                event + 1,
                recording.recording.recording
            );
        }
    }

    /// Those of the subjects that are learnt from, and those that are fitted on.
    ///
    /// # Errors
    /// When there is one subject only.
    pub(super) fn parted(&self) -> Result<(Vec<&Measured>, Vec<&Measured>), Failure> {
        let subjects: Vec<&str> = (self.measured.iter())
            .map(|m| m.recording.subject.as_str())
            .collect();
        let apart = splits::held_out(&subjects);
        let of = |held: bool| -> Vec<&Measured> {
            let those = self.measured.iter().zip(&apart);
            those.filter(|(_, a)| **a == held).map(|(m, _)| m).collect()
        };
        if apart.contains(&true) {
            return Ok((of(false), of(true)));
        }
        Err(Failure::input(anyhow!(
            "Thresholds and temperatures are fitted on subjects that are not learnt from, and there is one subject only. Give recordings of at least two"
        )))
    }

    /// Whether everything that the labels name is there.
    pub(super) fn outcome(&self) -> Outcome {
        if self.problems == 0 && self.measured.iter().all(|m| m.left_out.is_empty()) {
            Outcome::Done
        } else {
            Outcome::Warned
        }
    }

    /// SHA-256 of everything that a training on these depends on: their subjects, names
    /// and labels, and how each was measured.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for Measured { recording, key, .. } in &self.measured {
            for text in [&recording.subject, &recording.recording, key] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            for event in &recording.events {
                hash.update(format!(
                    "{} {} {:?} {:?} {:?}\n",
                    event.onset, event.offset, event.apex, event.aus, event.emotion
                ));
            }
        }
        hexadecimal(&hash.finalize())
    }

    /// In words, for a card.
    pub(super) fn described(&self) -> String {
        let subjects: std::collections::BTreeSet<&str> = (self.measured.iter())
            .map(|m| m.recording.subject.as_str())
            .collect();
        let samples = self.measured.iter().flat_map(|m| &m.samples);
        let events = samples
            .filter(|s| matches!(s.shown, Shown::Expression { .. }))
            .count();
        format!(
            "{events} expressions in {} recordings of {} subjects",
            self.measured.len(),
            subjects.len()
        )
    }
}

fn failure(error: CorpusError) -> Failure {
    match error {
        CorpusError::Output(reason) => Failure::other(anyhow!(
            "Measured motion cannot be kept. Choose another folder with --features. {reason}"
        )),
        other => Failure::input(other),
    }
}
