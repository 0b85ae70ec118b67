//! From labelled recordings to weights that can be used: who is learnt from, the
//! training, and the thresholds, fitted on subjects that were not learnt from.
//! `onset train` and every fold of a leave-one-subject-out evaluation go this way.

use std::collections::BTreeMap;
use std::path::Path;

use super::corpus::{self, Example, Parted};
use super::judge;
use super::report::{Peaks, SpottingReport, Trial};
use super::softnet::{SoftNetTraining, samples};
use super::tcn::{Lesson, TcnTraining, TrainError};
use crate::metrics::spotting::{Mode, SpottingScore};
use crate::model::motion_tcn::{self, MotionTcns};
use crate::model::softnet::{self, SoftNet};
use crate::nn::weights::FORMAT_VERSION;
use crate::nn::{NnDevice, Weights, WeightsCard};
use crate::session::params::DecodeMode;
use crate::spotting::params::BothRuns;
use crate::spotting::{DecodeParams, ExpressionKind};
use crate::training::checkpoint::{Kept, Settings};
use crate::training::progress::Monitor;

/// A MotionTCN at the end of its course.
#[derive(Debug)]
pub struct TrainedTcn {
    pub weights: Weights,
    pub network: MotionTcns,
    /// The thresholds that serve best on the subjects held out.
    pub runs: BothRuns,
    /// What is found there with them.
    pub held_out: SpottingReport,
}

/// Trains a MotionTCN on these recordings, or goes on with what lies at `checkpoint`.
///
/// # Errors
/// When nobody is held out, the device fails, the checkpoint is of another
/// training, or the monitor says stop.
pub fn motion_tcn(
    training: &TcnTraining,
    examples: &Parted<'_>,
    checkpoint: &Path,
    monitor: &dyn Monitor,
) -> Result<TrainedTcn, TrainError> {
    let Parted { learnt, held_out } = examples;
    if held_out.is_empty() {
        return Err(TrainError::OneSubject);
    }
    let lessons: Vec<Lesson> = learnt.iter().map(|e| Lesson::of(e)).collect();
    let watched: Vec<Lesson> = match training.patience {
        Some(_) => held_out.iter().map(|e| Lesson::of(e)).collect(),
        None => Vec::new(),
    };
    let data = examples_of(examples, training.patience.is_some());
    let kept = Kept {
        path: checkpoint,
        data: &data,
    };
    let tensors = training.run(&lessons, &watched, Some(kept), monitor)?;
    let settings = training.settings(&lessons);
    let card = card(motion_tcn::NETWORK, motion_tcn::INPUT, learnt, settings);
    with_thresholds(Weights { card, tensors }, examples)
}

/// Networks that were trained on these recordings from other seeds as one, which says
/// the mean of what each says; the card is the first one's but for the seeds.
///
/// # Errors
/// When nobody is held out, a network learnt from other recordings than these, or the
/// files are none of trained MotionTCNs.
pub fn joined(members: &[Weights], examples: &Parted<'_>) -> Result<TrainedTcn, TrainError> {
    if examples.held_out.is_empty() {
        return Err(TrainError::OneSubject);
    }
    let data = fingerprint(&examples.learnt);
    if let Some(other) = (members.iter()).position(|member| {
        member
            .card
            .settings
            .get(LEARNT)
            .is_some_and(|of| *of != data)
    }) {
        return Err(TrainError::OtherData { file: other + 1 });
    }
    let tensors: Vec<_> = members.iter().map(|m| m.tensors.clone()).collect();
    let Some(first) = members.first() else {
        return Err(TrainError::Empty);
    };
    let mut card = first.card.clone();
    let seeds = members.iter().filter_map(|m| m.card.settings.get("seed"));
    let seeds: Vec<&str> = seeds.map(String::as_str).collect();
    card.settings.insert("seed".to_owned(), seeds.join(" "));
    let tensors = motion_tcn::packed(&tensors);
    with_thresholds(Weights { card, tensors }, examples)
}

/// Fits the thresholds on subjects that were not learnt from; how much skin must
/// stretch at least, which the network has no part in, on all of them.
fn with_thresholds(mut weights: Weights, examples: &Parted<'_>) -> Result<TrainedTcn, TrainError> {
    let held_out = &examples.held_out;
    let all = [examples.learnt.as_slice(), held_out].concat();
    let device = NnDevice::flex();
    let network = MotionTcns::from_weights(&weights, &device)
        .map_err(|e| TrainError::Device(e.to_string()))?;
    let scores = held_out.iter().map(|e| judge::scored(e, &network, &device));
    let scores = scores
        .collect::<Result<Vec<_>, _>>()
        .map_err(TrainError::Device)?;
    let strain = ExpressionKind::BOTH.map(|kind| judge::least_strain(&all, kind));
    let runs = judge::fitted(held_out, &scores, strain);
    let settings = &mut weights.card.settings;
    settings.extend(runs.to_settings());
    settings.insert("thresholds fitted on".to_owned(), described(held_out));
    let params = DecodeParams {
        runs,
        ..DecodeParams::probability()
    };
    let trial = Trial {
        recordings: &judge::labels(held_out),
        spotted: &judge::spotted(&scores, &params),
        minutes: judge::minutes(held_out),
        peaks: &Peaks::new(),
        mode: Mode::Strict,
    };
    Ok(TrainedTcn {
        held_out: SpottingReport::of(motion_tcn::NETWORK, "held out", &trial),
        weights,
        network,
        runs,
    })
}

/// A SOFTNet at the end of its course.
#[derive(Debug)]
pub struct TrainedSoftNet {
    pub weights: Weights,
    pub network: SoftNet,
    /// The floor that serves best on the subjects held out, and the score there; `None`
    /// where nobody was.
    pub held_out: Option<(f64, SpottingScore)>,
}

/// Trains a SOFTNet on these recordings, or goes on with what lies at `checkpoint`.
///
/// The published decoding needs no floor, so there nobody need be held out.
///
/// # Errors
/// When nobody is held out or there is nothing to learn from, the device fails, the
/// checkpoint is of another training, or the monitor says stop.
pub fn softnet(
    training: &SoftNetTraining,
    mode: DecodeMode,
    examples: &Parted<'_>,
    checkpoint: &Path,
    monitor: &dyn Monitor,
) -> Result<TrainedSoftNet, TrainError> {
    let kind = training.kind;
    let Parted { learnt, held_out } = examples;
    if held_out.is_empty() && mode == DecodeMode::Default {
        return Err(TrainError::OneSubject);
    }
    let windows = samples(learnt, kind, training.seed);
    let watched = match training.patience {
        Some(_) => samples(held_out, kind, training.seed),
        None => Vec::new(),
    };
    let data = examples_of(examples, training.patience.is_some());
    let kept = Kept {
        path: checkpoint,
        data: &data,
    };
    let tensors = training.run(&windows, &watched, Some(kept), monitor)?;
    let settings = training.settings(windows.len());
    let mut weights = Weights {
        card: WeightsCard {
            kind: Some(kind.name().to_owned()),
            ..card(softnet::NETWORK, softnet::INPUT, learnt, settings)
        },
        tensors,
    };
    let device = NnDevice::flex();
    let network = SoftNet::new(&device)
        .with_weights(&weights, &device)
        .map_err(|e| TrainError::Device(e.to_string()))?;
    let held_out = match mode {
        DecodeMode::Default => {
            let fitted = judge::fitted_floor(held_out, kind, &network, &device);
            Some(fitted.map_err(TrainError::Device)?)
        }
        DecodeMode::Compat => None,
    };
    if let Some((floor, _)) = &held_out {
        let settings = &mut weights.card.settings;
        settings.insert(softnet::FLOOR.to_owned(), floor.to_string());
    }
    Ok(TrainedSoftNet {
        weights,
        network,
        held_out,
    })
}

/// What the course of a training depends on: whom it learns from, and, where it waits
/// for them, whom it does not.
fn examples_of(examples: &Parted<'_>, waits: bool) -> String {
    let learnt = fingerprint(&examples.learnt);
    match waits {
        true => format!("{learnt} {}", fingerprint(&examples.held_out)),
        false => learnt,
    }
}

fn fingerprint(examples: &[&Example]) -> String {
    corpus::fingerprint(examples.iter().map(|e| (&e.recording, e.key.as_str())))
}

/// The setting that holds a fingerprint of what was learnt.
const LEARNT: &str = "learnt from";

fn card(network: &str, input: &str, learnt: &[&Example], mut settings: Settings) -> WeightsCard {
    settings.insert(LEARNT.to_owned(), fingerprint(learnt));
    WeightsCard {
        network: network.to_owned(),
        format_version: FORMAT_VERSION,
        kind: None,
        source: format!("onset train {}", env!("CARGO_PKG_VERSION")),
        trained_on: described(learnt),
        input: input.to_owned(),
        settings,
    }
}

/// What weights were trained on, for their card.
fn described(examples: &[&Example]) -> String {
    let mut events: BTreeMap<&str, usize> = BTreeMap::new();
    for event in examples.iter().flat_map(|e| &e.recording.events) {
        *events.entry(event.kind.name()).or_default() += 1;
    }
    let count = |kind| events.get(kind).copied().unwrap_or(0);
    format!(
        "{} labelled recordings ({:.0} minutes, {} macro- and {} micro-expressions)",
        examples.len(),
        judge::minutes(examples),
        count("macro"),
        count("micro")
    )
}
