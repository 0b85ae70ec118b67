//! Leave one subject out: for every subject a training on the others' recordings, by
//! the same course as `onset train`, and a test on that subject's own.
//!
//! Neither the training nor a threshold sees the subject that is tested. By the
//! published decoding the lengths of the flow windows are made of all labels, as the
//! published program makes them ([`super::corpus::published_windows`]).

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::corpus::{Example, Parted, showing};
use super::course;
use super::report::{Peaks, SpottingReport, Trial};
use super::softnet::SoftNetTraining;
use super::tcn::{TcnTraining, TrainError};
use super::trial::{self, KindNetwork};
use crate::dataset::LabelledRecording;
use crate::dataset::splits::Fold;
use crate::metrics::spotting::Mode;
use crate::model::{motion_tcn, softnet};
use crate::nn::NnDevice;
use crate::session::params::DecodeMode;
use crate::spotting::{ExpressionKind, SpottedInterval};
use crate::training::checkpoint::Settings;
use crate::training::folds::{self, FoldError, FoldResult, Folds};
use crate::training::progress::{Monitor, Within};

#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error(transparent)]
    Folds(#[from] FoldError),
    #[error("Cannot evaluate {fold}: {reason}")]
    Training { fold: String, reason: TrainError },
}

/// What each fold trains.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    MotionTcn(TcnTraining),
    /// A network for each kind that the training recordings show.
    SoftNet {
        trainings: [SoftNetTraining; 2],
        decode: DecodeMode,
    },
}

impl Plan {
    /// SOFTNets of both kinds: as the published program trains them where their scores
    /// are decoded in its way.
    #[must_use]
    pub fn softnet(decode: DecodeMode, seed: u64) -> Self {
        let trainings = ExpressionKind::BOTH.map(|kind| SoftNetTraining {
            shuffled_once: decode == DecodeMode::Compat,
            ..SoftNetTraining::new(kind, seed)
        });
        Self::SoftNet { trainings, decode }
    }

    /// What reports call it.
    #[must_use]
    pub const fn network(&self) -> &'static str {
        match self {
            Self::MotionTcn(_) => motion_tcn::NETWORK,
            Self::SoftNet { .. } => softnet::NETWORK,
        }
    }

    /// Epochs of a whole fold.
    #[must_use]
    pub fn epochs(&self) -> u64 {
        match self {
            Self::MotionTcn(training) => training.epochs,
            Self::SoftNet { trainings, .. } => trainings.iter().map(|t| t.epochs).sum(),
        }
    }

    fn seed(&self) -> u64 {
        match self {
            Self::MotionTcn(training) => training.seed,
            Self::SoftNet { trainings, .. } => trainings[0].seed,
        }
    }

    /// What decides the course of every fold, but for the data.
    fn settings(&self) -> Settings {
        match self {
            Self::MotionTcn(training) => without(training.settings(&[]), &["recordings", "steps"]),
            Self::SoftNet { trainings, decode } => {
                let decode = match decode {
                    DecodeMode::Default => "default",
                    DecodeMode::Compat => "compat",
                };
                let mut settings = without(trainings[0].settings(0), &["kind", "samples"]);
                settings.insert("decode".to_owned(), decode.to_owned());
                settings
            }
        }
    }
}

fn without(mut settings: Settings, names: &[&str]) -> Settings {
    settings.retain(|name, _| !names.contains(&name.as_str()));
    settings
}

/// What was found in one recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingSpots {
    pub recording: String,
    /// How long the recording is.
    pub secs: f64,
    pub spots: Vec<SpottedInterval>,
}

/// A leave-one-subject-out evaluation of spotting.
pub struct SpottingProtocol<'a> {
    plan: &'a Plan,
    recordings: &'a [LabelledRecording],
    monitor: &'a dyn Monitor,
    folds: Folds,
}

impl<'a> SpottingProtocol<'a> {
    /// `data` is the recordings' [`super::corpus::fingerprint`]; the folds' files and
    /// checkpoints lie in `folder`.
    ///
    /// # Errors
    /// When the data has one subject only.
    pub fn new(
        plan: &'a Plan,
        recordings: &'a [LabelledRecording],
        data: String,
        monitor: &'a dyn Monitor,
        folder: &Path,
    ) -> Result<Self, ProtocolError> {
        let subjects: Vec<&str> = recordings.iter().map(|r| r.subject.as_str()).collect();
        let mut settings = plan.settings();
        settings.insert("data".to_owned(), data);
        Ok(Self {
            plan,
            recordings,
            monitor,
            folds: Folds::new(&subjects, settings, folder)?,
        })
    }

    /// How many folds there are.
    #[must_use]
    pub fn folds(&self) -> usize {
        self.folds.count()
    }

    /// Trains and tests one fold, unless its file is there. `examples` are the
    /// recordings with their features, in the same order.
    ///
    /// # Errors
    /// When there is no such fold, its file is another evaluation's, or the training fails.
    pub fn run_fold(
        &self,
        number: usize,
        examples: &[Example],
    ) -> Result<FoldResult<RecordingSpots>, ProtocolError> {
        let result = self.folds.one(number, |fold| {
            self.train_and_test(fold, examples)
                .map_err(|reason| ProtocolError::Training {
                    fold: folds::part(fold),
                    reason,
                })
        })?;
        let fold = self.folds.fold(number)?;
        let trainings = ["macro", "micro", motion_tcn::NETWORK];
        folds::forget(trainings.map(|training| self.folds.checkpoint(fold, training)));
        Ok(result)
    }

    /// All folds, several at once; the same numbers whatever the number of threads.
    ///
    /// # Errors
    /// As [`Self::run_fold`]; folds that are finished stay.
    pub fn run(&self, examples: &[Example]) -> Result<Vec<RecordingSpots>, ProtocolError> {
        let at_once = rayon::current_num_threads();
        let one = |number| self.run_fold(number, examples);
        self.folds.all(at_once, self.monitor, one)
    }

    /// The folds that are there, which must be all.
    ///
    /// # Errors
    /// Says which fold is missing or another evaluation's.
    pub fn merge(&self) -> Result<Vec<RecordingSpots>, ProtocolError> {
        Ok(self.folds.merged()?)
    }

    /// All folds together.
    #[must_use]
    pub fn report(&self, found: &[RecordingSpots], peaks: &Peaks, mode: Mode) -> SpottingReport {
        let labels: Vec<&LabelledRecording> = self.recordings.iter().collect();
        self.report_on(&labels, found, peaks, mode)
    }

    /// One fold alone.
    #[must_use]
    pub fn fold_report(&self, fold: &FoldResult<RecordingSpots>, mode: Mode) -> SpottingReport {
        let mine = |r: &&LabelledRecording| r.subject == fold.subject;
        let labels: Vec<&LabelledRecording> = self.recordings.iter().filter(mine).collect();
        self.report_on(&labels, &fold.predictions, &Peaks::new(), mode)
    }

    fn report_on(
        &self,
        labels: &[&LabelledRecording],
        found: &[RecordingSpots],
        peaks: &Peaks,
        mode: Mode,
    ) -> SpottingReport {
        let by_name: BTreeMap<&str, &RecordingSpots> =
            found.iter().map(|f| (f.recording.as_str(), f)).collect();
        let spots = |r: &&LabelledRecording| {
            let found = by_name.get(r.recording.as_str());
            found.map_or_else(Vec::new, |found| found.spots.clone())
        };
        let spotted: Vec<Vec<SpottedInterval>> = labels.iter().map(spots).collect();
        let trial = Trial {
            recordings: labels,
            spotted: &spotted,
            minutes: found.iter().map(|f| f.secs).sum::<f64>() / 60.0,
            peaks,
            mode,
        };
        let mut report = SpottingReport::of(self.plan.network(), "loso", &trial);
        report.seed = Some(self.plan.seed());
        report.settings = self.folds.settings().clone();
        report
    }

    fn train_and_test(
        &self,
        fold: &Fold,
        examples: &[Example],
    ) -> Result<Vec<RecordingSpots>, TrainError> {
        let of = |places: &[usize]| -> Vec<&Example> {
            places.iter().map(|&at| &examples[at]).collect()
        };
        let (training, test) = (of(&fold.training), of(&fold.test));
        let parted = Parted::by_subjects(&training);
        let monitor = Within::new(self.monitor, folds::part(fold));
        let device = NnDevice::flex();
        let spotted = match self.plan {
            Plan::MotionTcn(plan) => {
                let checkpoint = self.folds.checkpoint(fold, motion_tcn::NETWORK);
                let done = course::motion_tcn(plan, &parted, &checkpoint, &monitor)?;
                trial::by_motion_tcn(&test, &done.network, done.runs, &device)
            }
            Plan::SoftNet { trainings, decode } => {
                let mut networks = Vec::new();
                for plan in trainings {
                    let shown = showing(&training, plan.kind);
                    // The published program holds nobody out, and learns from
                    // recordings that show the kind.
                    let parted = match decode {
                        DecodeMode::Default => parted.clone(),
                        DecodeMode::Compat => Parted {
                            learnt: shown,
                            held_out: Vec::new(),
                        },
                    };
                    // A kind that nobody shows cannot be learnt, and is not found.
                    if showing(&parted.learnt, plan.kind).is_empty() {
                        continue;
                    }
                    let checkpoint = self.folds.checkpoint(fold, plan.kind.name());
                    let done = course::softnet(plan, *decode, &parted, &checkpoint, &monitor)?;
                    networks.push(KindNetwork {
                        kind: plan.kind,
                        network: done.network,
                        floor: done.held_out.map(|(floor, _)| floor),
                    });
                }
                let learnt = |i: &SpottedInterval| networks.iter().any(|n| n.kind == i.kind);
                let found = trial::by_softnets(&test, &networks, *decode, &device);
                found.map(|mut found| {
                    found.iter_mut().for_each(|spots| spots.retain(learnt));
                    found
                })
            }
        };
        let spotted = spotted.map_err(TrainError::Device)?;
        let found = test
            .iter()
            .zip(spotted)
            .map(|(example, spots)| RecordingSpots {
                recording: example.recording.recording.clone(),
                secs: example.secs(),
                spots,
            });
        Ok(found.collect())
    }
}
