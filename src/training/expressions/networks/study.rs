//! What a batch teaches each network.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};

use super::super::trainer::CLASS_WEIGHT;
use super::drawing::{Drawn, Truths};
use crate::model::batch_norm::Measured;
use crate::model::expression_network::Input;
use crate::model::led_resnet18::LedResNet18;
use crate::model::led_sssnet::{FILTERS, HIDDEN, LedSssNet};
use crate::model::moext::MoExt;
use crate::model::resnet::FEATURES;
use crate::model::sssn::{self, ShallowStreams};
use crate::model::sssnet::Kept;
use crate::model::tsdn::{self, Tsdn};
use crate::model::uamrn::{self, Opinion, Uamrn};
use crate::nn::parameters;
use crate::training::epochs::Lesson;
use crate::training::random::Stream;

/// Passes with different dropout behind one γ.
const PASSES: u64 = 3;
/// Logits drawn from each pass.
const DRAWS: u64 = 2;
/// No probability falls below this before its logarithm is taken.
const LEAST: f64 = 1e-6;

/// A network that learns from batches. Its tensors lie on an autodiff device.
pub(super) trait Student: Sized {
    /// Gradients of the batch; dropout is drawn from `stream`.
    ///
    /// # Errors
    /// When the device fails.
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String>;
}

impl Truths {
    fn units(&self) -> usize {
        self.units.dims()[1]
    }

    /// The loss of each expression, `[batch]`: the mean over units of −ln of the
    /// logistic function's probability of the truth, and the class's cross-entropy.
    fn losses(&self, logits: Tensor<2>) -> Tensor<1> {
        let [batch, outputs] = logits.dims();
        let units = self.units();
        let of_units = logits.clone().narrow(1, 0, units);
        // Without overflow.
        let losses = relu(of_units.clone()) - of_units.clone() * self.units.clone()
            + (of_units.abs().neg().exp() + 1.0).log();
        let mut all = losses.mean_dim(1);
        if let Some(classes) = &self.classes {
            let log = log_softmax(logits.narrow(1, units, outputs - units), 1);
            all = all + (log * classes.clone()).sum_dim(1) * -CLASS_WEIGHT;
        }
        all.reshape([batch])
    }

    /// The same of the mean probability over several logits for one expression.
    fn losses_of_mean(&self, drawn: &[Tensor<2>]) -> Tensor<1> {
        let units = self.units();
        let share = 1.0 / drawn.len() as f64;
        let sum = |part: &dyn Fn(&Tensor<2>) -> Tensor<2>| {
            let mut parts = drawn.iter().map(part);
            let first = parts.next().unwrap_or_else(|| self.units.zeros_like());
            parts.fold(first, |sum, next| sum + next) * share
        };
        let p = sum(&|logits| sigmoid(logits.clone().narrow(1, 0, units)));
        let shown = self.units.clone();
        let right = p.clone() * shown.clone() + (p.neg() + 1.0) * (shown.neg() + 1.0);
        let [batch, _] = right.dims();
        let mut all = (right + LEAST).log().neg().mean_dim(1).reshape([batch]);
        if let Some(classes) = &self.classes {
            let count = classes.dims()[1];
            let drawn = drawn.iter().map(|l| l.clone().narrow(1, units, count));
            // A class's weight counts behind the mean, where there is none nothing does.
            let losses = uamrn::cross_entropies(drawn.collect(), classes.clone().sign());
            let counted = classes.clone().sum_dim(1).reshape([batch]);
            all = all + losses * counted * CLASS_WEIGHT;
        }
        all
    }

    /// The share of the units that are called rightly, summed over the batch.
    fn right(&self, logits: Tensor<2>) -> Result<f64, String> {
        let units = self.units();
        let said = parameters::read(logits.narrow(1, 0, units).inner())?.values;
        let truth = parameters::read(self.units.clone().inner())?.values;
        let pairs = said.iter().zip(&truth);
        let right = pairs.filter(|(s, t)| (**s > 0.0) == (**t > 0.5)).count();
        Ok(right as f64 / units as f64)
    }
}

/// The lesson of a loss.
fn lesson<N: Module>(
    network: N,
    loss: Tensor<1>,
    right: f64,
    learnt: impl FnOnce(N) -> N,
) -> Result<Lesson<N>, String> {
    let value = parameters::read(loss.clone().inner())?.values;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    Ok(Lesson {
        network: learnt(network),
        gradients,
        loss: f64::from(value[0]),
        right,
    })
}

/// The usual lesson: the batch's mean loss.
fn plain<N: Module>(
    network: N,
    logits: Tensor<2>,
    truths: &Truths,
    learnt: impl FnOnce(N) -> N,
) -> Result<Lesson<N>, String> {
    let right = truths.right(logits.clone())?;
    let loss = truths.losses(logits).mean();
    lesson(network, loss, right, learnt)
}

fn mask<const D: usize>(
    stream: &Stream,
    part: u64,
    dropout: f64,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values = stream.part(part).dropout(dropout, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// An input of another kind: [`Architecture`](crate::model::expression_network::Architecture)
/// makes none.
fn foreign() -> String {
    "the network was given another one's input".to_owned()
}

impl Student for LedSssNet {
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String> {
        let Input::Clips(clips) = batch.input else {
            return Err(foreign());
        };
        let (count, device) = (clips.dims()[0], clips.device());
        let kept = Kept {
            first: mask(&stream, 0, dropout, [count, FILTERS[0]], &device),
            second: mask(&stream, 1, dropout, [count, FILTERS[1]], &device),
            hidden: mask(&stream, 2, dropout, [count, HIDDEN], &device),
        };
        let pass = self.forward_training(clips, kept);
        plain(self, pass.logits, &batch.truths, |network| {
            network.with_measured(&pass.measured)
        })
    }
}

impl Student for LedResNet18 {
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String> {
        let Input::Clips(clips) = batch.input else {
            return Err(foreign());
        };
        let shape = [clips.dims()[0], FEATURES];
        let kept = mask(&stream, 0, dropout, shape, &clips.device());
        let pass = self.forward_training(clips, kept);
        plain(self, pass.logits, &batch.truths, |network| {
            network.with_measured(&pass.measured)
        })
    }
}

impl Student for ShallowStreams {
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String> {
        let Input::Maps(maps) = batch.input else {
            return Err(foreign());
        };
        let shape = [maps.dims()[0], sssn::FILTERS[1]];
        let kept = mask(&stream, 0, dropout, shape, &maps.device());
        let logits = self.forward(maps, Some(kept));
        plain(self, logits, &batch.truths, |network| network)
    }
}

impl Student for Tsdn {
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String> {
        let Input::Pair(pair) = batch.input else {
            return Err(foreign());
        };
        let [onset, apex] = *pair;
        let shape = [onset.dims()[0], tsdn::FILTERS[2]];
        let kept = mask(&stream, 0, dropout, shape, &onset.device());
        let pass = self.forward_training(onset.clone(), apex.clone(), kept);
        let off = |rebuilt: Tensor<4>, frame: Tensor<4>| (frame / 255.0 - rebuilt).abs().mean();
        let rebuilt = off(pass.onset, onset) + off(pass.apex, apex);
        let right = batch.truths.right(pass.logits.clone())?;
        let loss = batch.truths.losses(pass.logits).mean() + rebuilt;
        lesson(self, loss, right, |network| network)
    }
}

impl Student for MoExt {
    fn study(self, batch: Drawn, _: f64, _: Stream) -> Result<Lesson<Self>, String> {
        let Input::Pair(pair) = batch.input else {
            return Err(foreign());
        };
        let [onset, apex] = *pair;
        let pass = self.forward_training(onset, apex);
        plain(self, pass.logits, &batch.truths, |network| {
            network.with_measured(&pass.measured)
        })
    }
}

impl Student for Uamrn {
    fn study(self, batch: Drawn, dropout: f64, stream: Stream) -> Result<Lesson<Self>, String> {
        let Input::Pair(pair) = batch.input else {
            return Err(foreign());
        };
        let [onset, apex] = *pair;
        let (count, device) = (onset.dims()[0], onset.device());
        let (vectors, measured): (Tensor<3>, Vec<Measured>) = self.vectors_training(onset, apex);
        let mut opinions: Vec<Opinion> = Vec::new();
        let mut drawn = Vec::new();
        for pass in 0..PASSES {
            let mut masks = 0;
            let of_pass = stream.part(pass);
            let kept = self.options().kept(count, &device, |len| {
                masks += 1;
                of_pass.part(masks).dropout(dropout, len)
            });
            let opinion = self.judged(vectors.clone(), Some(&kept));
            for draw in 0..DRAWS {
                let mut noise = of_pass.part(1000 + draw);
                let outputs = opinion.mean.dims()[1];
                let values: Vec<f32> = (0..count * outputs)
                    .map(|_| noise.normal() as f32)
                    .collect();
                let data = TensorData::new(values, [count, outputs]);
                drawn.push(opinion.drawn(Tensor::from_data(data, &device)));
            }
            opinions.push(opinion);
        }
        let weights = uamrn::weights(uamrn::uncertainty(&opinions));
        let loss = uamrn::loss(batch.truths.losses_of_mean(&drawn), weights);
        let right = batch.truths.right(opinions[0].mean.clone())?;
        lesson(self, loss, right, |network| {
            network.with_measured(&measured)
        })
    }
}
