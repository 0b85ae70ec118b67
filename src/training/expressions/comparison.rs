//! Several networks on the same expressions: one row each.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::corpus::{Measured, Sample, Shown};
use super::fitting::{FitError, FlowTeller, Judged, Telling, judge, mean_logit};
use super::report::CalibrationPart;
use crate::explain::calibration::{self, Temperature};
use crate::explain::uncertainty;
use crate::metrics::multilabel;
use crate::metrics::recognition::score;
use crate::model::au_flow::{self, AuReader, Fitted};
use crate::model::expression_network::{Architecture, ExpressionReader};
use crate::model::flow_classifier::FlowClassifier;
use crate::model::outputs::class_temperature;
use crate::model::{off_apexnet, ststnet};
use crate::nn::{NnDevice, Weights, WeightsError};
use crate::training::random::{Moment, Purpose};
use crate::training::recognition::learner::best;

/// Resamples of the subjects behind an interval.
const RESAMPLES: u64 = 1000;
/// With fewer subjects there is no interval.
const FEWEST_SUBJECTS: usize = 5;
/// Calls that are timed.
const CALLS: usize = 60;

#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(
        "'{network}' reads no single expression, so it cannot be compared here. Choose weights of a network that does, as {}, {} or led-sssnet: {weights}",
        au_flow::NETWORK,
        ststnet::NETWORK
    )]
    OtherNetwork { network: String, weights: String },
    #[error("{0}. Give recordings whose labels name emotions and action units")]
    Fit(#[from] FitError),
    #[error("The network cannot be run on {device}: {reason}. Use --device cpu")]
    Device { device: String, reason: String },
}

/// A figure and where 95 of 100 resamples of the subjects have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    pub value: f64,
    /// `None` with fewer than five subjects, of whom resamples say nothing.
    pub range: Option<[f64; 2]>,
}

/// One network on the data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub weights: String,
    pub network: String,
    pub seed: Option<u64>,
    /// Of all members together.
    pub parameters: usize,
    /// Expressions of a class.
    pub expressions: usize,
    /// `None` for networks without classes.
    pub uf1: Option<Figure>,
    pub uar: Option<Figure>,
    /// Expected calibration error of the likeliest class, 0..1, with a temperature of 1
    /// and with the weights' own.
    pub class_calibration: Option<CalibrationPart>,
    /// Mean over the units, binary and two-class; `None` for networks of classes alone.
    pub unit_f1: Option<[f64; 2]>,
    pub unit_calibration: Option<CalibrationPart>,
    /// Median for one expression, mirror image and members included, by device.
    pub milliseconds: BTreeMap<String, f64>,
}

/// A network of any kind, ready to tell, with what was fitted.
fn contestant(
    name: &str,
    weights: &Weights,
    device: &NnDevice,
) -> Result<(Box<dyn Telling>, Fitted), ComparisonError> {
    let path = Path::new(name);
    match weights.card.network.as_str() {
        au_flow::NETWORK => {
            let reader = AuReader::from_file(weights, path, device)?;
            let fitted = reader.fitted.clone();
            Ok((Box::new(reader), fitted))
        }
        network @ (ststnet::NETWORK | off_apexnet::NETWORK) => {
            let classifier = FlowClassifier::from_file(weights, path, network, device)?;
            let temperature = weights.read_as(network, path, |weights| {
                class_temperature(&weights.card.settings)
            })?;
            let teller = FlowTeller::new(classifier, temperature);
            let fitted = teller.fitted.clone();
            Ok((Box::new(teller), fitted))
        }
        network if Architecture::named(network).is_some() => {
            let reader = ExpressionReader::from_file(weights, path, device)?;
            let fitted = reader.fitted.clone();
            Ok((Box::new(reader), fitted))
        }
        other => Err(ComparisonError::OtherNetwork {
            network: other.to_owned(),
            weights: name.to_owned(),
        }),
    }
}

/// Whether networks of these weights read pictures of the face.
#[must_use]
pub fn reads_pictures(weights: &Weights) -> bool {
    Architecture::named(&weights.card.network).is_some()
}

/// Puts one network's row together.
///
/// # Errors
/// Weights of a network that reads something else, or a device that fails.
pub fn row(
    name: &str,
    weights: &Weights,
    measured: &[&Measured],
    devices: &[NnDevice],
) -> Result<Row, ComparisonError> {
    let mut milliseconds = BTreeMap::new();
    for device in devices {
        let (network, _) = contestant(name, weights, device)?;
        let mut samples = measured.iter().flat_map(|m| &m.samples);
        let sample: &Sample = samples.find(|s| network.reads(s)).ok_or(FitError::Empty)?;
        let time = timed(
            || network.tell(&[sample]).map(|l| drop(black_box(l))),
            device,
        )?;
        milliseconds.insert(device.name().to_owned(), time);
    }
    let (network, fitted) = contestant(name, weights, &NnDevice::flex())?;
    let judged = judge(network.as_ref(), measured)?;
    let shown: Vec<&Judged> = (judged.iter())
        .filter(|j| matches!(j.sample.shown, Shown::Expression { .. }))
        .collect();
    let classed: Vec<&Judged> = shown
        .iter()
        .copied()
        .filter(|j| j.class.is_some())
        .collect();
    let said = classes(&classed, fitted.class_temperature)?;
    let (mut class_calibration, mut uf1, mut uar) = (None, None, None);
    if !said.is_empty() {
        let found = figures(&said);
        (uf1, uar) = (Some(found.0), Some(found.1));
        class_calibration = Some(CalibrationPart {
            before: class_error(&classes(&classed, 1.0)?)?,
            after: class_error(&said)?,
        });
    }
    let units = units(&shown, &fitted)?;
    Ok(Row {
        weights: name.to_owned(),
        network: weights.card.network.clone(),
        seed: (weights.card.settings.get("seed")).and_then(|s| s.parse().ok()),
        parameters: weights.tensors.values().map(|t| t.values.len()).sum(),
        expressions: said.len(),
        uf1,
        uar,
        class_calibration,
        unit_f1: units.as_ref().map(|u| u.0),
        unit_calibration: units.map(|u| u.1),
        milliseconds,
    })
}

/// An expression of a class with what a network says of it.
struct Said {
    subject: String,
    truth: usize,
    probabilities: Vec<f32>,
}

/// The mean of the members' probabilities.
fn classes(classed: &[&Judged], temperature: f64) -> Result<Vec<Said>, ComparisonError> {
    let warmth = Temperature::new(temperature).unwrap_or_default();
    let mut said = Vec::new();
    for judged in classed {
        let Some(truth) = judged.class else { continue };
        let opinions: Vec<Vec<f32>> = (judged.members.iter())
            .map(|member| warmth.class_probabilities(&member.classes))
            .collect();
        let joint = uncertainty::of_classes(&opinions).map_err(FitError::from)?;
        said.push(Said {
            subject: judged.recording.recording.subject.clone(),
            truth,
            probabilities: joint.mean,
        });
    }
    Ok(said)
}

fn class_error(said: &[Said]) -> Result<f64, ComparisonError> {
    let rows: Vec<&[f32]> = said.iter().map(|s| s.probabilities.as_slice()).collect();
    let truth: Vec<usize> = said.iter().map(|s| s.truth).collect();
    let error = calibration::of_classes(&rows, &truth).map_err(FitError::from)?;
    Ok(error.expected_error)
}

/// F1, binary and two-class, and calibration of the units of every coded expression;
/// `None` where the network tells none or nothing is coded.
fn units(
    shown: &[&Judged],
    fitted: &Fitted,
) -> Result<Option<([f64; 2], CalibrationPart)>, ComparisonError> {
    let coded: Vec<(&Judged, Vec<bool>)> = (shown.iter())
        .filter_map(|j| Some((*j, j.truth.as_ref()?.iter().map(|t| t[0]).collect())))
        .collect();
    let truth: Vec<Vec<bool>> = coded.iter().map(|c| c.1.clone()).collect();
    if truth.first().is_none_or(Vec::is_empty) {
        return Ok(None);
    }
    let logits: Vec<Vec<f32>> = (coded.iter())
        .map(|(j, t)| (0..t.len()).map(|u| mean_logit(&j.members, u, 0)).collect())
        .collect();
    let probable = |temperature: f64| -> Vec<Vec<f32>> {
        let warmth = Temperature::new(temperature).unwrap_or_default();
        let rows = logits.iter().map(|row| warmth.presence_probabilities(row));
        rows.collect()
    };
    let rows = probable(fitted.unit_temperature);
    let called: Vec<Vec<bool>> = (rows.iter())
        .map(|row| {
            let pairs = row.iter().zip(&fitted.thresholds);
            pairs.map(|(p, t)| f64::from(*p) >= *t).collect()
        })
        .collect();
    let score = multilabel::score(&truth, &called);
    let error = |rows: &[Vec<f32>]| {
        let judged = calibration::of_presence(rows, &truth).map_err(FitError::from);
        judged.map(|judged| judged.pooled.expected_error)
    };
    Ok(Some((
        [score.mean_f1_binary, score.mean_f1_macro],
        CalibrationPart {
            before: error(&probable(1.0))?,
            after: error(&rows)?,
        },
    )))
}

/// UF1 and UAR with their intervals: subjects are drawn again and again, with all their
/// expressions.
fn figures(said: &[Said]) -> (Figure, Figure) {
    let mut subjects: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for s in said {
        let answer = (s.truth, best(&s.probabilities));
        subjects.entry(&s.subject).or_default().push(answer);
    }
    let classes = said.first().map_or(0, |s| s.probabilities.len());
    let subjects: Vec<Vec<(usize, usize)>> = subjects.into_values().collect();
    let of = |chosen: &[&Vec<(usize, usize)>]| {
        let answers = chosen.iter().flat_map(|s| s.iter().copied());
        let (truth, predicted): (Vec<usize>, Vec<usize>) = answers.unzip();
        let score = score(&truth, &predicted, classes);
        [score.uf1, score.uar]
    };
    let whole = of(&subjects.iter().collect::<Vec<_>>());
    let mut drawn: Vec<[f64; 2]> = (0..RESAMPLES)
        .map(|resample| {
            let moment = Moment {
                step: resample,
                ..Moment::default()
            };
            let mut random = moment.stream(Purpose::Sampling);
            let chosen: Vec<_> = (0..subjects.len())
                .map(|_| &subjects[random.below(subjects.len())])
                .collect();
            of(&chosen)
        })
        .collect();
    let figure = |which: usize, drawn: &mut Vec<[f64; 2]>| {
        drawn.sort_by(|a, b| a[which].total_cmp(&b[which]));
        let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize][which];
        Figure {
            value: whole[which],
            range: (subjects.len() >= FEWEST_SUBJECTS).then(|| [at(0.025), at(0.975)]),
        }
    };
    (figure(0, &mut drawn), figure(1, &mut drawn))
}

/// Median milliseconds of a call, after a first one.
fn timed(once: impl Fn() -> Result<(), String>, device: &NnDevice) -> Result<f64, ComparisonError> {
    let failed = |reason| ComparisonError::Device {
        device: device.name().to_owned(),
        reason,
    };
    once().map_err(failed)?;
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        once().map_err(failed)?;
        times.push(1e3 * begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[CALLS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: usize = 3;

    #[test]
    fn an_interval_holds_its_figure_and_is_wider_with_fewer_subjects() {
        let said = |subjects: usize| -> Vec<Said> {
            const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
            (0..240)
                .map(|i| {
                    let truth = i % CLASSES;
                    // The later subjects are harder.
                    let subject = i / 3 % subjects;
                    let right = i % 7 >= subject * 7 / subjects / 2;
                    let mut probabilities = vec![0.2; CLASSES];
                    probabilities[if right { truth } else { (truth + 1) % CLASSES }] = 0.6;
                    Said {
                        subject: NAMES[subject].to_owned(),
                        truth,
                        probabilities,
                    }
                })
                .collect()
        };
        assert_eq!(figures(&said(3)).0.range, None);
        let mut widths = Vec::new();
        for subjects in [5, 8] {
            let Figure { value, range } = figures(&said(subjects)).0;
            let [low, high] = range.unwrap();
            assert!(low <= value && value <= high && high - low > 0.01);
            widths.push(high - low);
        }
        assert!(widths[0] > 0.8 * widths[1], "{widths:?}");
    }
}
