//! From gradients to new weights.
//!
//! As Burn's optimisers do it, but with the state by parameter name and open to the
//! checkpoint, and with the constants and the order of operations of PyTorch, so that
//! a published training can be repeated (Burn adds 1e-5 to the root, PyTorch 1e-8).
//! On the processor one loop does an update: a dozen whole tensors take ten times as
//! long for a network of millions.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use multiversion::multiversion;

use crate::nn::parameters::{self, Tensors};
use crate::nn::weights::WeightsTensor;

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// How a gradient changes a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Down the gradient, with a part of the last change where `momentum` is not 0.
    Sgd { momentum: f64 },
    /// Kingma and Ba 2015; `weight_decay` is added to the gradient (L2).
    Adam { weight_decay: f64 },
    /// Loshchilov and Hutter 2019: weights shrink apart from the gradient.
    AdamW { weight_decay: f64 },
}

impl Rule {
    /// As it stands in a checkpoint's settings and on a card.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Sgd { momentum: 0.0 } => "SGD".to_owned(),
            Self::Sgd { momentum } => format!("SGD with momentum {momentum}"),
            Self::Adam { weight_decay: 0.0 } => "Adam".to_owned(),
            Self::Adam { weight_decay } => format!("Adam with L2 {weight_decay}"),
            Self::AdamW { weight_decay } => format!("AdamW with weight decay {weight_decay}"),
        }
    }
}

/// The running means of one parameter's gradient and of its square, laid flat.
#[derive(Debug, Clone)]
struct Moments {
    first: Tensor<1>,
    second: Option<Tensor<1>>,
}

/// The same on the processor; no second where the rule has none.
#[derive(Debug, Clone)]
struct PlainMoments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// An optimiser with its state.
#[derive(Debug, Clone)]
pub struct Optimizer {
    rule: Rule,
    /// Updates made so far.
    steps: u64,
    moments: BTreeMap<String, Moments>,
    plain: BTreeMap<String, PlainMoments>,
    /// State from a checkpoint that its parameter has not fetched yet.
    stored: Tensors,
    /// The part of the network that learns faster, and how much.
    faster: Option<(&'static str, f64)>,
}

/// Prefixes of the state's tensors in a checkpoint.
const FIRST: &str = "first/";
const SECOND: &str = "second/";

impl Optimizer {
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            steps: 0,
            moments: BTreeMap::new(),
            plain: BTreeMap::new(),
            stored: Tensors::new(),
            faster: None,
        }
    }

    /// As it was when [`Self::state`] was taken after `steps` updates.
    #[must_use]
    pub fn resumed(rule: Rule, steps: u64, state: Tensors) -> Self {
        Self {
            rule,
            steps,
            moments: BTreeMap::new(),
            plain: BTreeMap::new(),
            stored: state,
            faster: None,
        }
    }

    /// Parameters whose names begin so have a rate this many times as high.
    #[must_use]
    pub fn with_faster(mut self, faster: Option<(&'static str, f64)>) -> Self {
        self.faster = faster;
        self
    }

    /// The state, for a checkpoint.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<Tensors, String> {
        let mut state = self.stored.clone();
        for (name, moments) in &self.moments {
            let first = parameters::read(moments.first.clone())?;
            state.insert(format!("{FIRST}{name}"), first);
            if let Some(second) = &moments.second {
                state.insert(format!("{SECOND}{name}"), parameters::read(second.clone())?);
            }
        }
        for (name, moments) in &self.plain {
            let flat = |values: &Vec<f32>| WeightsTensor {
                shape: vec![values.len()],
                values: values.clone(),
            };
            state.insert(format!("{FIRST}{name}"), flat(&moments.first));
            if !moments.second.is_empty() {
                state.insert(format!("{SECOND}{name}"), flat(&moments.second));
            }
        }
        Ok(state)
    }

    /// One update. Parameters without a gradient stay as they are.
    #[must_use]
    pub fn step<M: Module>(&mut self, rate: f64, module: M, gradients: GradientsParams) -> M {
        self.steps += 1;
        module.map(&mut Update {
            optimizer: self,
            rate,
            gradients,
            place: Vec::new(),
        })
    }

    /// What is subtracted from the parameter.
    fn change(
        &mut self,
        name: String,
        rate: f64,
        value: &Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let before = self
            .moments
            .remove(&name)
            .or_else(|| self.fetch(&name, value));
        match self.rule {
            Rule::Sgd { momentum: 0.0 } => gradient * rate,
            Rule::Sgd { momentum } => {
                let first = match before {
                    Some(moments) => moments.first * momentum + gradient,
                    None => gradient,
                };
                self.moments.insert(
                    name,
                    Moments {
                        first: first.clone(),
                        second: None,
                    },
                );
                first * rate
            }
            Rule::Adam { weight_decay } | Rule::AdamW { weight_decay } => {
                let decays_apart = matches!(self.rule, Rule::AdamW { .. });
                let gradient = if weight_decay != 0.0 && !decays_apart {
                    gradient + value.clone() * weight_decay
                } else {
                    gradient
                };
                let square = gradient.clone() * gradient.clone() * (1.0 - SECOND_DECAY);
                let gradient = gradient * (1.0 - FIRST_DECAY);
                let (first, second) = match before {
                    Some(Moments {
                        first,
                        second: Some(second),
                    }) => (
                        first * FIRST_DECAY + gradient,
                        second * SECOND_DECAY + square,
                    ),
                    _ => (gradient, square),
                };
                let unbias = 1.0 - SECOND_DECAY.powi(steps);
                let root = second.clone().sqrt() * (1.0 / unbias.sqrt()) + EPSILON;
                let change = first.clone() / root * (rate / (1.0 - FIRST_DECAY.powi(steps)));
                self.moments.insert(
                    name,
                    Moments {
                        first,
                        second: Some(second),
                    },
                );
                if weight_decay != 0.0 && decays_apart {
                    change + value.clone() * (rate * weight_decay)
                } else {
                    change
                }
            }
        }
    }

    /// [`Self::change`] on the processor, in one loop over `values`.
    fn change_plain(&mut self, name: String, rate: f64, values: &mut [f32], gradient: &[f32]) {
        if self.rule == (Rule::Sgd { momentum: 0.0 }) {
            for (value, gradient) in values.iter_mut().zip(gradient) {
                *value -= gradient * rate as f32;
            }
            return;
        }
        let decays = matches!(self.rule, Rule::Adam { .. } | Rule::AdamW { .. });
        let moments = self.plain.entry(name).or_insert_with_key(|name| {
            let mut stored = |prefix: &str| {
                let tensor = self.stored.remove(&format!("{prefix}{name}"));
                tensor.map_or_else(|| vec![0.0; values.len()], |tensor| tensor.values)
            };
            PlainMoments {
                first: stored(FIRST),
                second: if decays { stored(SECOND) } else { Vec::new() },
            }
        });
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        match self.rule {
            Rule::Sgd { momentum } => {
                sgd(
                    values,
                    gradient,
                    &mut moments.first,
                    momentum as f32,
                    rate as f32,
                );
            }
            Rule::Adam { weight_decay } | Rule::AdamW { weight_decay } => {
                let apart = matches!(self.rule, Rule::AdamW { .. });
                let unbias = (1.0 - SECOND_DECAY.powi(steps)).sqrt();
                adam(
                    values,
                    gradient,
                    (&mut moments.first, &mut moments.second),
                    &AdamStep {
                        shrink: if apart {
                            (1.0 - rate * weight_decay) as f32
                        } else {
                            1.0
                        },
                        l2: if apart { 0.0 } else { weight_decay as f32 },
                        root: (1.0 / unbias) as f32,
                        rate: (rate / (1.0 - FIRST_DECAY.powi(steps))) as f32,
                    },
                );
            }
        }
    }

    /// The parameter's state from the checkpoint, if it has one there.
    fn fetch(&mut self, name: &str, like: &Tensor<1>) -> Option<Moments> {
        let mut tensor = |prefix: &str| {
            let WeightsTensor { shape, values } = self.stored.remove(&format!("{prefix}{name}"))?;
            Some(Tensor::from_data(
                TensorData::new(values, shape),
                &like.device(),
            ))
        };
        let first = tensor(FIRST)?;
        Some(Moments {
            first,
            second: tensor(SECOND),
        })
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn sgd(values: &mut [f32], gradient: &[f32], change: &mut [f32], momentum: f32, rate: f32) {
    for ((value, &gradient), change) in values.iter_mut().zip(gradient).zip(change) {
        *change = *change * momentum + gradient;
        *value -= *change * rate;
    }
}

/// The constants of one Adam update.
struct AdamStep {
    /// What weights are multiplied by apart from the gradient.
    shrink: f32,
    /// How much of the weights is added to the gradient.
    l2: f32,
    /// What the root of the second moment is multiplied by.
    root: f32,
    rate: f32,
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn adam(
    values: &mut [f32],
    gradient: &[f32],
    (first, second): (&mut [f32], &mut [f32]),
    step: &AdamStep,
) {
    const FIRST: f32 = FIRST_DECAY as f32;
    const SECOND: f32 = SECOND_DECAY as f32;
    const FIRST_REST: f32 = (1.0 - FIRST_DECAY) as f32;
    const SECOND_REST: f32 = (1.0 - SECOND_DECAY) as f32;
    let moments = first.iter_mut().zip(second);
    for ((value, &gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient + *value * step.l2;
        *first = *first * FIRST + gradient * FIRST_REST;
        *second = *second * SECOND + gradient * gradient * SECOND_REST;
        let root = second.sqrt() * step.root + EPSILON as f32;
        *value = *value * step.shrink - *first / root * step.rate;
    }
}

struct Update<'a> {
    optimizer: &'a mut Optimizer,
    rate: f64,
    gradients: GradientsParams,
    place: Vec<String>,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.place.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let name = self.place.join(".");
        let rate = match self.optimizer.faster {
            Some((part, times)) if name.starts_with(part) => times * self.rate,
            _ => self.rate,
        };
        param.map(|value| {
            let trained = value.is_require_grad();
            let shape = value.dims();
            let on_autodiff = value.is_autodiff();
            let (value, gradient) = (value.inner(), gradient.inner());
            let device = value.device();
            let new: Tensor<D> = if device == Device::flex() {
                let plain = |tensor: Tensor<D>| {
                    let read = tensor.try_into_vec_as::<f32>();
                    read.expect("the processor's own tensors hold floats")
                };
                let (mut values, gradient) = (plain(value), plain(gradient));
                self.optimizer
                    .change_plain(name, rate, &mut values, &gradient);
                Tensor::from_data(TensorData::new(values, shape), &device)
            } else {
                let value: Tensor<1> = value.flatten(0, D - 1);
                let gradient: Tensor<1> = gradient.flatten(0, D - 1);
                let change = self.optimizer.change(name, rate, &value, gradient);
                (value - change).reshape(shape)
            };
            if on_autodiff {
                Tensor::from_inner(new).set_require_grad(trained)
            } else {
                new
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    /// Two inputs, one output, weights 1 and −2, bias 0.5.
    fn layer(device: &Device) -> Linear {
        let mut layer = LinearConfig::new(2, 1).init(device);
        layer.weight = Param::from_data([[1.0], [-2.0]], device);
        layer.bias = Some(Param::from_data([0.5], device));
        layer
    }

    fn loss(layer: &Linear, device: &Device) -> Tensor<1> {
        let x = Tensor::<2>::from_data([[1.0, 2.0], [-0.5, 3.0]], device);
        let y = Tensor::<2>::from_data([[0.3], [-1.0]], device);
        let error = layer.forward(x) - y;
        (error.clone() * error).mean()
    }

    fn trained(mut optimizer: Optimizer, mut layer: Linear, steps: usize) -> (Optimizer, Linear) {
        let device = Device::flex().autodiff();
        for _ in 0..steps {
            let gradients = GradientsParams::from_grads(loss(&layer, &device).backward(), &layer);
            layer = optimizer.step(0.1, layer, gradients);
        }
        (optimizer, layer)
    }

    /// The way by whole tensors, which a card takes, on the processor.
    #[test]
    fn whole_tensors_and_the_loop_change_a_parameter_alike() {
        let device = Device::flex();
        for (rule, _) in EXPECTED {
            let (mut loops, mut tensors) = (Optimizer::new(rule), Optimizer::new(rule));
            let mut plain = vec![0.7, -1.5, 0.01];
            let mut whole = Tensor::<1>::from_data([0.7, -1.5, 0.01], &device);
            for step in 1..6 {
                let gradient = [0.3 / step as f32, -0.2, 1e-4 * step as f32];
                loops.steps = step;
                tensors.steps = step;
                loops.change_plain("a".to_owned(), 0.1, &mut plain, &gradient);
                let gradient = Tensor::from_data(gradient, &device);
                let change = tensors.change("a".to_owned(), 0.1, &whole, gradient);
                whole = whole - change;
            }
            let whole = parameters::read(whole).unwrap().values;
            for (a, b) in plain.iter().zip(&whole) {
                assert!((a - b).abs() < 2e-6, "{rule:?}: {plain:?} {whole:?}");
            }
            let names = |optimizer: &Optimizer| -> Vec<_> {
                optimizer.state().unwrap().into_keys().collect()
            };
            assert_eq!(names(&loops), names(&tensors));
        }
    }

    /// PyTorch 2.15, five steps at rate 0.1 from the same weights on the same data.
    #[test]
    fn five_steps_equal_pytorchs() {
        let device = Device::flex().autodiff();
        for (rule, expected) in EXPECTED {
            let (_, layer) = trained(Optimizer::new(rule), layer(&device), 5);
            let tensors = parameters::tensors_of(&layer).unwrap();
            let values = [
                tensors["weight"].values[0],
                tensors["weight"].values[1],
                tensors["bias"].values[0],
            ];
            for (value, wanted) in values.iter().zip(expected) {
                assert!((value - wanted).abs() < 2e-6, "{rule:?}: {values:?}");
            }
        }
    }

    #[test]
    fn a_resumed_optimiser_goes_on_to_the_bit() {
        let device = Device::flex().autodiff();
        for (rule, _) in EXPECTED {
            let (_, whole) = trained(Optimizer::new(rule), layer(&device), 7);
            let (half, middle) = trained(Optimizer::new(rule), layer(&device), 3);
            let stored = parameters::tensors_of(&middle).unwrap();
            let again = parameters::with_tensors(layer(&device), &stored).unwrap();
            let resumed = Optimizer::resumed(rule, 3, half.state().unwrap());
            let (_, rest) = trained(resumed, again, 4);
            assert_eq!(
                parameters::tensors_of(&rest).unwrap(),
                parameters::tensors_of(&whole).unwrap()
            );
        }
    }

    const EXPECTED: [(Rule, [f32; 3]); 5] = [
        (
            Rule::Sgd { momentum: 0.0 },
            [0.786_131, -0.5516421, 0.9896669],
        ),
        (
            Rule::Sgd { momentum: 0.9 },
            [0.3366188, -1.0840381, 0.6776401],
        ),
        (
            Rule::Adam { weight_decay: 0.0 },
            [1.1594303, -1.5066469, 0.9927537],
        ),
        (
            Rule::Adam { weight_decay: 0.01 },
            [1.1463586, -1.506_637, 0.9927466],
        ),
        (
            Rule::AdamW { weight_decay: 0.01 },
            [1.1548325, -1.4977783, 0.9891452],
        ),
    ];
}
