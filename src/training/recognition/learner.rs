//! What a network that reads flow images has to give its trainer: gradients of a batch.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::flow_input::{CHANNELS, CLASSES, SIDE, VALUES};
use crate::model::off_apexnet::{self, OffApexNet};
use crate::model::ststnet::{self, FILTERS, POOLED, StstNet};
use crate::model::ststnet_streams::Streams;
use crate::nn::parameters::{self, Parameter, Start, Tensors};
use crate::training::epochs::Lesson;
use crate::training::random::{Moment, Purpose, Stream};

/// Images and what they ought to be taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[batch, 3, 28, 28]`, scaled as the network reads them.
    pub images: Vec<f32>,
    /// Class of each image.
    pub labels: Vec<usize>,
}

/// How a batch is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// What is taken from the right class and shared among all (0..1).
    pub smoothing: f64,
    /// Share of the values that dropout leaves out.
    pub dropout: f64,
    /// Whether one update may use several threads; the result is the same.
    pub parallel: bool,
}

/// A network on flow images that can be trained. Its tensors lie on an autodiff device.
pub trait Learner: Module + Sync + Sized {
    /// The parameters as they stand in a weights file.
    const PARAMETERS: &'static [Parameter];

    /// Gradients of the batch. Dropout is drawn from `stream`.
    ///
    /// # Errors
    /// When the device fails.
    fn study(
        self,
        batch: &Batch,
        judgement: Judgement,
        stream: Stream,
    ) -> Result<Lesson<Self>, String>;
}

/// Parameters as they are before the first update.
#[must_use]
pub fn initial(parameters: &[Parameter], moment: Moment) -> Tensors {
    let stream = moment.stream(Purpose::Initial);
    let start = |(index, parameter): (usize, &Parameter)| {
        let values = match parameter.start {
            Start::Constant(value) => vec![value; parameter.len()],
            Start::Uniform { bound } => stream.part(index as u64).uniform(bound, parameter.len()),
        };
        let shape = parameter.shape.to_vec();
        let tensor = crate::nn::weights::WeightsTensor { shape, values };
        (parameter.name.to_owned(), tensor)
    };
    parameters.iter().enumerate().map(start).collect()
}

/// A scaled batch as a tensor.
#[must_use]
pub fn images_on(images: &[f32], device: &Device) -> Tensor<4> {
    let batch = images.len() / VALUES;
    let data = TensorData::new(images.to_vec(), [batch, CHANNELS, SIDE, SIDE]);
    Tensor::from_data(data, device)
}

/// Mean cross-entropy against smoothed classes, and how many are right.
struct Verdict {
    loss: Tensor<1>,
    right: usize,
}

fn judge(logits: Tensor<2>, labels: &[usize], smoothing: f64) -> Result<Verdict, String> {
    let classes = CLASSES.len();
    let (off, on) = (smoothing / classes as f64, 1.0 - smoothing);
    let mut targets = vec![off as f32; labels.len() * classes];
    for (row, &label) in targets.chunks_exact_mut(classes).zip(labels) {
        row[label] = (on + off) as f32;
    }
    let device = logits.device();
    let log = log_softmax(logits, 1);
    let rows = parameters::read(log.clone().inner())?.values;
    let right = rows
        .chunks_exact(classes)
        .zip(labels)
        .filter(|(row, label)| best(row) == **label)
        .count();
    let targets =
        Tensor::<2>::from_data(TensorData::new(targets, [labels.len(), classes]), &device);
    let loss = (log * targets).sum() * (-1.0 / labels.len() as f64);
    Ok(Verdict { loss, right })
}

/// The first of the greatest values.
#[must_use]
pub fn best(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}

fn number(loss: &Tensor<1>) -> Result<f64, String> {
    let read = parameters::read(loss.clone().inner())?;
    Ok(f64::from(read.values[0]))
}

impl Learner for StstNet {
    const PARAMETERS: &'static [Parameter] = &ststnet::PARAMETERS;

    fn study(
        self,
        batch: &Batch,
        judgement: Judgement,
        stream: Stream,
    ) -> Result<Lesson<Self>, String> {
        let device = self.streams.weight.val().device();
        let shape = [batch.labels.len(), FILTERS, POOLED, POOLED];
        let kept = stream.dropout(judgement.dropout, shape.iter().product());
        let kept = Tensor::<4>::from_data(TensorData::new(kept, shape), &device);
        if device.clone().inner() == Device::flex() {
            study_on_the_processor(self, batch, judgement, kept)
        } else {
            study_by_tensors(self, batch, judgement, kept)
        }
    }
}

/// The streams by [`Streams`], only what comes behind them by Burn.
fn study_on_the_processor(
    network: StstNet,
    batch: &Batch,
    judgement: Judgement,
    kept: Tensor<4>,
) -> Result<Lesson<StstNet>, String> {
    let device = kept.device();
    let values = |tensor: Tensor<1>| Ok::<_, String>(parameters::read(tensor.inner())?.values);
    let streams = Streams::new(
        &parameters::read(network.streams.weight.val().inner())?.values,
        &match &network.streams.bias {
            Some(bias) => values(bias.val())?,
            None => vec![0.0; FILTERS],
        },
        &values(network.norm.scale.val())?,
        network.geometry(),
    );
    let pooled = streams.forward(&batch.images, judgement.parallel);
    let row = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [FILTERS]);
        Tensor::<1>::from_data(data, &device).require_grad()
    };
    let data = TensorData::new(pooled.values.clone(), kept.dims());
    let tops = Tensor::<4>::from_data(data, &device).require_grad();
    let (mean, variance) = (row(&pooled.mean), row(&pooled.variance));
    let logits = network.head(tops.clone(), mean.clone(), variance.clone(), kept);
    let Verdict { loss, right } = judge(logits, &batch.labels, judgement.smoothing)?;
    let mut by_loss = loss.backward();
    let absent = || "the streams have no gradient".to_owned();
    let by_streams = streams.backward(
        &pooled,
        &parameters::read(tops.grad(&by_loss).ok_or_else(absent)?)?.values,
        &values(mean.grad(&by_loss).ok_or_else(absent)?)?,
        &values(variance.grad(&by_loss).ok_or_else(absent)?)?,
        judgement.parallel,
    );
    let mut gradients = GradientsParams::from_module(&mut by_loss, &network);
    let plain = device.inner();
    let weight = &network.streams.weight;
    let data = TensorData::new(by_streams.weights, weight.val().dims());
    gradients.register(weight.id, Tensor::<4>::from_data(data, &plain));
    if let Some(bias) = &network.streams.bias {
        let data = TensorData::new(by_streams.bias, [FILTERS]);
        gradients.register(bias.id, Tensor::<1>::from_data(data, &plain));
    }
    Ok(Lesson {
        network: network.with_measured(&pooled.mean, &pooled.variance, pooled.count),
        gradients,
        loss: number(&loss)?,
        right: right as f64,
    })
}

/// The same by whole tensors, for a graphics device.
fn study_by_tensors(
    network: StstNet,
    batch: &Batch,
    judgement: Judgement,
    kept: Tensor<4>,
) -> Result<Lesson<StstNet>, String> {
    let images = images_on(&batch.images, &kept.device());
    let pass = network.forward_training(images, kept);
    let Verdict { loss, right } = judge(pass.logits, &batch.labels, judgement.smoothing)?;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let side = network.geometry().side();
    let mean = parameters::read(pass.mean.inner())?.values;
    let variance = parameters::read(pass.variance.inner())?.values;
    Ok(Lesson {
        network: network.with_measured(&mean, &variance, batch.labels.len() * side * side),
        gradients,
        loss: number(&loss)?,
        right: right as f64,
    })
}

impl Learner for OffApexNet {
    const PARAMETERS: &'static [Parameter] = &off_apexnet::PARAMETERS;

    fn study(
        self,
        batch: &Batch,
        judgement: Judgement,
        stream: Stream,
    ) -> Result<Lesson<Self>, String> {
        let device = self.classes.weight.val().device();
        let shape = [batch.labels.len(), off_apexnet::HIDDEN];
        let kept = stream.dropout(judgement.dropout, shape.iter().product());
        let kept = Tensor::<2>::from_data(TensorData::new(kept, shape), &device);
        let images = images_on(&batch.images, &device);
        let logits = self.forward(images, Some(kept));
        let Verdict { loss, right } = judge(logits, &batch.labels, judgement.smoothing)?;
        let gradients = GradientsParams::from_grads(loss.backward(), &self);
        Ok(Lesson {
            network: self,
            gradients,
            loss: number(&loss)?,
            right: right as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ststnet::Geometry;

    fn batch(images: u64) -> Batch {
        let mut stream = Moment::default().stream(Purpose::Augmentation);
        Batch {
            images: (0..images as usize * VALUES)
                .map(|_| stream.between(-100.0, 100.0) as f32)
                .collect(),
            labels: (0..images as usize).map(|i| i % 3).collect(),
        }
    }

    fn close(a: &[f32], b: &[f32], what: &str) {
        let scale = b.iter().fold(1e-3_f32, |scale, v| scale.max(v.abs()));
        let worst = a
            .iter()
            .zip(b)
            .fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 2e-5 * scale, "{what}: {worst} of {scale}");
    }

    /// Both signs of the normalisation's scale, both geometries.
    #[test]
    fn the_fast_streams_and_whole_tensors_give_the_same_gradients() {
        let device = Device::flex().autodiff();
        for geometry in [Geometry::Same, Geometry::Wide] {
            let mut tensors = initial(&ststnet::PARAMETERS, Moment::default());
            for (i, scale) in tensors
                .get_mut("norm.scale")
                .unwrap()
                .values
                .iter_mut()
                .enumerate()
            {
                *scale = if i % 3 == 0 { -0.7 } else { 1.3 };
            }
            let network = StstNet::from_tensors(&tensors, geometry, &device).unwrap();
            let kept = Moment::default()
                .stream(Purpose::Dropout)
                .dropout(0.5, 5 * 1600);
            let kept = || {
                let data = TensorData::new(kept.clone(), [5, FILTERS, POOLED, POOLED]);
                Tensor::<4>::from_data(data, &device)
            };
            let judgement = Judgement {
                smoothing: 0.05,
                dropout: 0.5,
                parallel: false,
            };
            let slow = study_by_tensors(network.clone(), &batch(5), judgement, kept()).unwrap();
            for parallel in [false, true] {
                let judgement = Judgement {
                    parallel,
                    ..judgement
                };
                let fast =
                    study_on_the_processor(network.clone(), &batch(5), judgement, kept()).unwrap();
                assert!((fast.loss - slow.loss).abs() < 1e-5);
                assert_eq!(fast.right, slow.right);
                let measured =
                    |lesson: &Lesson<StstNet>| parameters::tensors_of(&lesson.network).unwrap();
                for (name, tensor) in measured(&slow) {
                    close(&measured(&fast)[&name].values, &tensor.values, &name);
                }
                let id = network.streams.weight.id;
                let by_weight = |lesson: &Lesson<StstNet>| {
                    parameters::read(lesson.gradients.get::<4>(id).unwrap())
                        .unwrap()
                        .values
                };
                close(&by_weight(&fast), &by_weight(&slow), "streams.weight");
                for id in [
                    network.streams.bias.as_ref().unwrap().id,
                    network.norm.scale.id,
                    network.norm.shift.id,
                    network.classes.bias.as_ref().unwrap().id,
                ] {
                    let row = |lesson: &Lesson<StstNet>| {
                        parameters::read(lesson.gradients.get::<1>(id).unwrap())
                            .unwrap()
                            .values
                    };
                    close(&row(&fast), &row(&slow), "a row");
                    assert!(
                        row(&fast).iter().all(|v| *v != 0.0),
                        "a gradient is missing"
                    );
                }
                let id = network.classes.weight.id;
                let by_class = |lesson: &Lesson<StstNet>| {
                    parameters::read(lesson.gradients.get::<2>(id).unwrap())
                        .unwrap()
                        .values
                };
                close(&by_class(&fast), &by_class(&slow), "classes.weight");
            }
        }
    }
}
