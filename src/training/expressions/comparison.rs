//! Several networks on the same expressions: one row each.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::corpus::{Measured, Shown};
use super::fitting::{FitError, judge};
use super::report::{AuReport, answers};
use crate::explain::calibration;
use crate::metrics::recognition::score;
use crate::model::au_flow::{self, AuReader};
use crate::model::flow_classifier::FlowClassifier;
use crate::model::{off_apexnet, ststnet};
use crate::nn::{NnDevice, Weights, WeightsError};
use crate::recognition::FaceReader;
use crate::training::random::{Moment, Purpose};
use crate::training::recognition::learner::best;

/// Resamples of the subjects behind an interval.
const RESAMPLES: u64 = 1000;
/// With fewer subjects there is no interval.
const FEWEST_SUBJECTS: usize = 5;
/// Calls that are timed.
const CALLS: usize = 60;
const CLASSES: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(
        "'{network}' reads no single expression, so it cannot be compared here. Choose weights of {}, {} or {}: {weights}",
        au_flow::NETWORK,
        ststnet::NETWORK,
        off_apexnet::NETWORK
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
    /// Expected calibration error of the likeliest class, 0..1.
    pub class_calibration: Option<f64>,
    /// Mean over the units, binary and two-class; `None` for networks of classes alone.
    pub unit_f1: Option<[f64; 2]>,
    /// Median for one expression, mirror image and members included, by device.
    pub milliseconds: BTreeMap<String, f64>,
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
    let flex = NnDevice::flex();
    let (said, unit_f1) = match weights.card.network.as_str() {
        au_flow::NETWORK => {
            for device in devices {
                let reader = AuReader::from_file(weights, Path::new(name), device)?;
                let map = sample(measured).map(|s| &s.motion.map);
                let map = map.ok_or(FitError::Empty)?;
                let time = timed(|| reader.logits(&[map]).map(|l| drop(black_box(l))), device)?;
                milliseconds.insert(device.name().to_owned(), time);
            }
            units_and_classes(name, weights, measured, &flex)?
        }
        network @ (ststnet::NETWORK | off_apexnet::NETWORK) => {
            for device in devices {
                let network = FlowClassifier::from_file(weights, Path::new(name), network, device)?;
                let image = sample(measured).map(|s| s.motion.image.as_slice());
                let image = image.ok_or(FitError::Empty)?;
                let once = || network.probabilities(&[image]).map(|p| drop(black_box(p)));
                milliseconds.insert(device.name().to_owned(), timed(once, device)?);
            }
            let network = FlowClassifier::from_file(weights, Path::new(name), network, &flex)?;
            (classes(&network, measured, &flex)?, None)
        }
        other => {
            return Err(ComparisonError::OtherNetwork {
                network: other.to_owned(),
                weights: name.to_owned(),
            });
        }
    };
    let rows: Vec<&[f32]> = said.iter().map(|s| s.probabilities.as_slice()).collect();
    let truth: Vec<usize> = said.iter().map(|s| s.truth).collect();
    let (mut class_calibration, mut uf1, mut uar) = (None, None, None);
    if !said.is_empty() {
        let error = calibration::of_classes(&rows, &truth).map_err(FitError::from)?;
        class_calibration = Some(error.expected_error);
        let found = figures(&said);
        (uf1, uar) = (Some(found.0), Some(found.1));
    }
    Ok(Row {
        weights: name.to_owned(),
        network: weights.card.network.clone(),
        seed: weights
            .card
            .settings
            .get("seed")
            .and_then(|s| s.parse().ok()),
        parameters: weights.tensors.values().map(|t| t.values.len()).sum(),
        expressions: said.len(),
        uf1,
        uar,
        class_calibration,
        unit_f1,
        milliseconds,
    })
}

/// An expression of a class with what a network says of it.
struct Said {
    subject: String,
    truth: usize,
    probabilities: Vec<f32>,
}

fn sample<'a>(measured: &[&'a Measured]) -> Option<&'a super::corpus::Sample> {
    measured.iter().flat_map(|m| &m.samples).next()
}

fn units_and_classes(
    name: &str,
    weights: &Weights,
    measured: &[&Measured],
    device: &NnDevice,
) -> Result<(Vec<Said>, Option<[f64; 2]>), ComparisonError> {
    let network = AuReader::from_file(weights, Path::new(name), device)?;
    let judged = judge(&network, measured)?;
    let warmth = [
        network.fitted.unit_temperature,
        network.fitted.class_temperature,
    ];
    let reader = FaceReader::of(network, name, device);
    let answers = answers(&reader, &judged)?;
    let settings = BTreeMap::new();
    let report = AuReport::new((name, "test"), &answers, measured, warmth, None, settings)?;
    let said = (answers.iter())
        .filter_map(|answer| {
            let class = answer.said.class.as_ref()?;
            Some(Said {
                subject: answer.judged.recording.recording.subject.clone(),
                truth: answer.judged.class?,
                probabilities: class.probabilities.iter().map(|&p| p as f32).collect(),
            })
        })
        .collect();
    let units = &report.action_units.score;
    Ok((said, Some([units.mean_f1_binary, units.mean_f1_macro])))
}

fn classes(
    network: &FlowClassifier,
    measured: &[&Measured],
    device: &NnDevice,
) -> Result<Vec<Said>, ComparisonError> {
    let mut shown = Vec::new();
    let mut images = Vec::new();
    for recording in measured {
        for sample in &recording.samples {
            let is_expression = matches!(sample.shown, Shown::Expression { .. });
            if let Some(truth) = recording.class(sample).filter(|_| is_expression) {
                shown.push((recording.recording.subject.clone(), truth));
                images.push(sample.motion.image.as_slice());
            }
        }
    }
    let said = network.probabilities(&images);
    let said = said.map_err(|reason| ComparisonError::Device {
        device: device.name().to_owned(),
        reason,
    })?;
    Ok((shown.into_iter().zip(said))
        .map(|((subject, truth), probabilities)| Said {
            subject,
            truth,
            probabilities: probabilities.to_vec(),
        })
        .collect())
}

/// UF1 and UAR with their intervals: subjects are drawn again and again, with all their
/// expressions.
fn figures(said: &[Said]) -> (Figure, Figure) {
    let mut subjects: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for s in said {
        let answer = (s.truth, best(&s.probabilities));
        subjects.entry(&s.subject).or_default().push(answer);
    }
    let subjects: Vec<Vec<(usize, usize)>> = subjects.into_values().collect();
    let of = |chosen: &[&Vec<(usize, usize)>]| {
        let answers = chosen.iter().flat_map(|s| s.iter().copied());
        let (truth, predicted): (Vec<usize>, Vec<usize>) = answers.unzip();
        let score = score(&truth, &predicted, CLASSES);
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
