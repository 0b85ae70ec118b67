//! Trains [`SoftNet`] for one kind of expression as its authors' code does (S4, §3.3;
//! labels, sampling and augmentation by the published program).

use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::super::checkpoint::{Checkpoint, Kept, Settings};
use super::super::features::{INPUT_VALUES, Windows};
use super::super::optimizer::{Optimizer, Rule};
use super::super::patience::Patience;
use super::super::progress::{Curve, CurveRow, Monitor, Next};
use super::super::random::{Moment, Purpose, Stream};
use super::corpus::Example;
use super::tcn::TrainError;
use crate::model::softnet::{self, CHANNELS, SIDE, SoftNet};
use crate::nn::NnDevice;
use crate::nn::parameters::{self, Tensors};
use crate::spotting::{ExpressionKind, ScoreSample};

const PLANE: usize = SIDE * SIDE;

/// Everything that decides the course of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftNetTraining {
    pub kind: ExpressionKind,
    pub epochs: u64,
    pub rate: f64,
    pub batch: usize,
    pub seed: u64,
    /// The published program shuffles once and keeps the order in every epoch.
    pub shuffled_once: bool,
    /// How many epochs to wait for a better loss on the subjects held out.
    pub patience: Option<u64>,
}

impl SoftNetTraining {
    /// The published program's numbers, in a new order each epoch.
    #[must_use]
    pub fn new(kind: ExpressionKind, seed: u64) -> Self {
        Self {
            kind,
            epochs: 10,
            rate: 5e-4,
            batch: 12,
            seed,
            shuffled_once: false,
            patience: None,
        }
    }

    /// What decides the course of the training, in words.
    #[must_use]
    pub fn settings(&self, samples: usize) -> Settings {
        let mut settings: Settings = [
            ("network", softnet::NETWORK.to_owned()),
            ("kind", self.kind.name().to_owned()),
            ("epochs", self.epochs.to_string()),
            ("lr", self.rate.to_string()),
            ("batch", self.batch.to_string()),
            ("seed", self.seed.to_string()),
            ("samples", samples.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if self.shuffled_once {
            settings.insert("shuffled".to_owned(), "once".to_owned());
        }
        if let Some(patience) = self.patience {
            settings.insert("patience".to_owned(), patience.to_string());
        }
        settings
    }

    /// Trains, or goes on with the training that `kept` holds. With
    /// [`Self::patience`] it looks at `held_out` after every epoch.
    ///
    /// # Errors
    /// When no window lies in an expression, the device fails, the checkpoint is of
    /// another training, or the monitor says stop.
    pub fn run(
        &self,
        samples: &[Sample],
        held_out: &[Sample],
        kept: Option<Kept>,
        monitor: &dyn Monitor,
    ) -> Result<Tensors, TrainError> {
        if samples.is_empty() {
            return Err(TrainError::Empty);
        }
        if !samples.iter().any(|sample| sample.label) {
            return Err(TrainError::NothingShown);
        }
        let own = self.settings(samples.len());
        let settings = kept.map_or(own.clone(), |kept| kept.with_data(own));
        let held = match kept {
            Some(kept) => Checkpoint::load(kept.path, &settings)?,
            None => None,
        };
        let device = NnDevice::flex().for_training();
        let network = SoftNet::new(&device);
        let rule = Rule::Sgd { momentum: 0.0 };
        let best = held.as_ref().and_then(|held| held.best.clone());
        let mut patience = Patience::new(self.patience, best);
        let (mut network, mut optimizer, mut curve, first, mut step) = match held {
            Some(held) => (
                parameters::with_tensors(network, &held.weights).map_err(TrainError::Device)?,
                Optimizer::resumed(rule, held.step, held.optimizer),
                held.curve,
                held.epoch,
                held.step,
            ),
            None => {
                let initial = self.initial();
                let network = parameters::with_tensors(network, &initial);
                let network = network.map_err(TrainError::Device)?;
                (network, Optimizer::new(rule), Curve::default(), 0, 0)
            }
        };
        for epoch in first..self.epochs {
            if patience.is_over(epoch) {
                break;
            }
            let moment = Moment {
                seed: self.seed,
                epoch: if self.shuffled_once { 0 } else { epoch },
                ..Moment::default()
            };
            let mut order: Vec<usize> = (0..samples.len()).collect();
            moment.stream(Purpose::Order).shuffle(&mut order);
            let (mut sum, mut right) = (0.0, 0);
            for batch in order.chunks(self.batch) {
                let (loss, hits);
                (network, loss, hits) =
                    self.update(network, &mut optimizer, samples, batch, &device)?;
                sum += loss * batch.len() as f64;
                right += hits;
                step += 1;
            }
            if !sum.is_finite() {
                return Err(TrainError::Diverged { epoch: epoch + 1 });
            }
            let row = CurveRow {
                epoch: epoch + 1,
                learning_rate: self.rate,
                loss: sum / samples.len() as f64,
                accuracy: right as f64 / samples.len() as f64,
            };
            curve.push(row);
            let weights = parameters::tensors_of(&network).map_err(TrainError::Device)?;
            if patience.asks() {
                patience.look(epoch + 1, self.loss(&network, held_out, &device), &weights);
            }
            if let Some(kept) = kept {
                let done = Checkpoint {
                    epoch: epoch + 1,
                    step,
                    curve: curve.clone(),
                    weights,
                    optimizer: optimizer.state().map_err(TrainError::Device)?,
                    best: patience.best().cloned(),
                };
                done.save(kept.path, &settings)?;
            }
            if monitor.epoch(self.kind.name(), &row, self.epochs) == Next::Stop {
                return Err(TrainError::Stopped);
            }
        }
        let last = parameters::tensors_of(&network).map_err(TrainError::Device)?;
        Ok(patience.weights(last))
    }

    /// The mean loss on these samples.
    fn loss(&self, network: &SoftNet, samples: &[Sample], device: &NnDevice) -> f64 {
        let places: Vec<usize> = (0..samples.len()).collect();
        let batches = places.chunks(self.batch).map(|batch| {
            let (images, goal) = tensors(samples, batch, device);
            let loss = squared_error(network.forward(images), goal);
            f64::from(loss.into_scalar::<f32>()) * batch.len() as f64
        });
        batches.sum::<f64>() / samples.len().max(1) as f64
    }

    /// Glorot uniform, biases zero.
    fn initial(&self) -> Tensors {
        let moment = Moment {
            seed: self.seed,
            ..Moment::default()
        };
        let stream = moment.stream(Purpose::Initial);
        let tensor = |(part, (name, shape)): (u64, (&str, &[usize]))| {
            let len = shape.iter().product();
            let values = match shape {
                [ins, outs] => glorot(&stream.part(part), ins + outs, len),
                [outs, ins, height, width] => {
                    glorot(&stream.part(part), (ins + outs) * height * width, len)
                }
                _ => vec![0.0; len],
            };
            let shape = shape.to_vec();
            (
                name.to_owned(),
                crate::nn::weights::WeightsTensor { shape, values },
            )
        };
        (0..).zip(softnet::TENSORS).map(tensor).collect()
    }

    fn update(
        &self,
        network: SoftNet,
        optimizer: &mut Optimizer,
        samples: &[Sample],
        batch: &[usize],
        device: &NnDevice,
    ) -> Result<(SoftNet, f64, usize), TrainError> {
        let (images, goal) = tensors(samples, batch, device);
        let scores = network.forward(images);
        let told = scores.clone().inner();
        let loss = squared_error(scores, goal);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let network = optimizer.step(self.rate, network, gradients);
        let told = told
            .try_into_vec_as::<f32>()
            .map_err(|e| TrainError::Device(e.to_string()))?;
        let hits = (told.iter().zip(batch))
            .filter(|(score, at)| (**score > 0.5) == samples[**at].label)
            .count();
        Ok((network, value, hits))
    }
}

/// What the network is shown of these samples, `[batch, 3, 42, 42]`, and what it is to
/// say, `[batch, 1]`.
fn tensors(samples: &[Sample], batch: &[usize], device: &NnDevice) -> (Tensor<4>, Tensor<2>) {
    let mut values = Vec::with_capacity(batch.len() * INPUT_VALUES);
    let mut labels = Vec::with_capacity(batch.len());
    for &at in batch {
        values.extend(samples[at].input());
        labels.push(f32::from(u8::from(samples[at].label)));
    }
    let images = TensorData::new(values, [batch.len(), CHANNELS, SIDE, SIDE]);
    let goal = TensorData::new(labels, [batch.len(), 1]);
    (
        Tensor::from_data(images, device.handle()),
        Tensor::from_data(goal, device.handle()),
    )
}

fn squared_error(scores: Tensor<2>, goal: Tensor<2>) -> Tensor<1> {
    let off = scores - goal;
    (off.clone() * off).mean()
}

fn glorot(stream: &Stream, fans: usize, len: usize) -> Vec<f32> {
    stream.clone().uniform((6.0 / fans as f64).sqrt(), len)
}

/// A window that is trained on. What the network sees of it is made when it is needed:
/// all of a database's windows would not go into the memory a second time.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    windows: &'a Windows,
    window: usize,
    variation: Option<Variation>,
    label: bool,
}

#[derive(Debug, Clone)]
enum Variation {
    Mirrored,
    Blurred,
    Noisy(Stream),
}

impl Sample<'_> {
    /// Varied, then scaled.
    fn input(&self) -> Vec<f32> {
        let raw = self.windows.input(self.window);
        let raw = raw.unwrap_or_else(|| vec![0.0; INPUT_VALUES]);
        scaled(match &self.variation {
            None => raw,
            Some(Variation::Mirrored) => mirrored(&raw),
            Some(Variation::Blurred) => blurred(&raw),
            Some(Variation::Noisy(stream)) => noisy(&raw, stream.clone()),
        })
    }
}

/// Whether the window i with its k frames meets the expression's frames after the
/// onset: {i..i+k−1} ∩ {onset+1..offset} ≠ ∅, as the published program labels it.
#[must_use]
pub fn pseudo_label(window: &ScoreSample, example: &Example) -> bool {
    let (first, last) = (
        window.window_start_frame,
        window.window_end_frame.saturating_sub(1),
    );
    let events = example.recording.events.iter();
    let mut mine = events.filter(|e| e.kind == window.kind);
    mine.any(|e| first <= e.offset && last > e.onset)
}

/// The windows of a kind that are trained on: all positives, and so many negatives,
/// drawn at random, as half the larger class; of micro-expressions each positive three
/// times more, mirrored, blurred and with noise.
#[must_use]
pub fn samples<'a>(examples: &[&'a Example], kind: ExpressionKind, seed: u64) -> Vec<Sample<'a>> {
    let moment = Moment {
        seed,
        ..Moment::default()
    };
    let mut positives = Vec::new();
    let mut negatives = Vec::new();
    for (at, example) in examples.iter().enumerate() {
        let windows = example.features.windows(kind);
        for (window, sample) in windows.samples.iter().enumerate() {
            if windows.measured[window] {
                match pseudo_label(sample, example) {
                    true => positives.push((at, window)),
                    false => negatives.push((at, window)),
                }
            }
        }
    }
    let keep = positives.len().max(negatives.len()) / 2;
    moment.stream(Purpose::Sampling).shuffle(&mut negatives);
    negatives.truncate(keep);
    let of = |(at, window): (usize, usize), variation, label| {
        let windows = examples[at].features.windows(kind);
        windows.has_input(window).then_some(Sample {
            windows,
            window,
            variation,
            label,
        })
    };
    let mut samples: Vec<Sample> = Vec::new();
    for place in negatives {
        samples.extend(of(place, None, false));
    }
    let noise = moment.stream(Purpose::Augmentation);
    for (part, place) in (0..).zip(positives) {
        if kind == ExpressionKind::Micro {
            samples.extend(of(place, Some(Variation::Mirrored), true));
            samples.extend(of(place, Some(Variation::Blurred), true));
            samples.extend(of(place, Some(Variation::Noisy(noise.part(part))), true));
        }
        samples.extend(of(place, None, true));
    }
    samples
}

/// Each plane to 0..1; a plane of one value becomes 0.
fn scaled(mut input: Vec<f32>) -> Vec<f32> {
    for plane in input.chunks_exact_mut(PLANE) {
        let low = plane.iter().copied().fold(f32::INFINITY, f32::min);
        let high = plane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = high - low;
        for v in plane {
            *v = if range > 0.0 { (*v - low) / range } else { 0.0 };
        }
    }
    input
}

fn mirrored(input: &[f32]) -> Vec<f32> {
    let rows = input.chunks_exact(SIDE);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

/// A Gaussian of 7×7 and σ = 1.4, which OpenCV takes for this size.
fn blurred(input: &[f32]) -> Vec<f32> {
    const REACH: isize = 3;
    let weights: [f32; 7] = std::array::from_fn(|i| {
        let off = (i as f32 - REACH as f32) / 1.4;
        (-0.5 * off * off).exp()
    });
    let total: f32 = weights.iter().sum();
    // Mirrored at the borders without repeating the edge.
    let inside = |v: isize| {
        let last = SIDE as isize - 1;
        let v = v.abs();
        (if v > last { 2 * last - v } else { v }) as usize
    };
    let along = |from: &[f32], dx: isize, dy: isize| -> Vec<f32> {
        (0..PLANE as isize)
            .map(|i| {
                let (x, y) = (i % SIDE as isize, i / SIDE as isize);
                let taps = (-REACH..=REACH).zip(weights);
                let sum: f32 = taps
                    .map(|(r, w)| w * from[inside(y + r * dy) * SIDE + inside(x + r * dx)])
                    .sum();
                sum / total
            })
            .collect()
    };
    input
        .chunks_exact(PLANE)
        .flat_map(|plane| along(&along(plane, 1, 0), 0, 1))
        .collect()
}

/// Noise of variance 0.01, then clipped to −1..1, or 0..1 where nothing is negative.
fn noisy(input: &[f32], mut random: Stream) -> Vec<f32> {
    let low = if input.iter().any(|v| *v < 0.0) {
        -1.0
    } else {
        0.0
    };
    input
        .iter()
        .map(|v| (v + 0.1 * random.normal() as f32).clamp(low, 1.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_variations_keep() {
        let input: Vec<f32> = (0..INPUT_VALUES).map(|i| (i % 7) as f32 * 0.1).collect();
        assert_eq!(mirrored(&mirrored(&input)), input);
        let flat = vec![0.3; INPUT_VALUES];
        assert!(blurred(&flat).iter().all(|v| (v - 0.3).abs() < 1e-6));
        let input = scaled(input);
        let plane = &input[..PLANE];
        assert_eq!(plane.iter().copied().fold(f32::NAN, f32::max), 1.0);
        assert_eq!(plane.iter().copied().fold(f32::NAN, f32::min), 0.0);
    }
}
