//! MotionTCN: a temporal convolutional network over the flow of the whole face, which
//! says for each thirtieth of a second how surely it lies in a macro- and in a
//! micro-expression. Ours, beside SOFTNet.
//!
//! SOFTNet judges one window by itself, without the direction of its motion. What tells
//! an expression from a blink, a word or a turn of the head is the course: away and
//! back, which parts, how long. So each step's flow grid, by TV-L1
//! and by least squares (both windows, signed, the head's motion apart), becomes a
//! vector, and dilated convolutions over time (after Bai, Kolter, Koltun 2018) look
//! 0.5 s ahead and 8 s back.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};

use super::motion_sequence::{PLANES, SCALARS, STEP_VALUES, compress};
use crate::motion::grid::{CELLS, SIDE};
use crate::nn::convolution::{Then, convolved};
use crate::nn::members;
use crate::nn::parameters::{self, Tensors};
use crate::nn::{NnDevice, Weights, WeightsError};

/// The network's name in weights files.
pub const NETWORK: &str = "motion-tcn";
/// Feature maps of the grid.
const MAPS: usize = 12;
/// Width of a step's vector.
pub const WIDTH: usize = 64;
/// Reach of the layers over time, in steps: both ways, then back only.
const BOTH_WAYS: [usize; 4] = [1, 2, 4, 8];
const BACK: [usize; 3] = [16, 32, 64];
/// How many steps a score waits for.
pub const LOOK_AHEAD: usize = 15;
/// How many steps back a score can see.
pub const LOOK_BACK: usize = 15 + 2 * (16 + 32 + 64);
/// Macro presence, micro presence, macro apex, micro apex.
pub const OUTPUTS: usize = 4;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "steps of 1/30 s: u, v, strain by TV-L1 and u, v, certainty by least \
    squares of the 0.6 s and of the 0.2 s window in 16×16 cells of the face, the head's affine \
    motion apart; inverse hyperbolic sine";

/// One layer over time: what is `reach` steps away on both sides, or once and twice so
/// far back, added to what is there.
#[derive(Module, Debug)]
pub struct TemporalLayer {
    mix: Linear,
    reach: usize,
    back: bool,
}

impl TemporalLayer {
    fn new(reach: usize, back: bool, device: &NnDevice) -> Self {
        Self {
            mix: LinearConfig::new(3 * WIDTH, WIDTH).init(device.handle()),
            reach,
            back,
        }
    }

    /// `[batch, time, width]` in and out.
    fn forward(&self, steps: Tensor<3>) -> Tensor<3> {
        let reach = self.reach as isize;
        let others = if self.back {
            [-2 * reach, -reach]
        } else {
            [-reach, reach]
        };
        let [far, near] = others.map(|by| shifted(&steps, by));
        let joined = Tensor::cat(vec![far, near, steps.clone()], 2);
        steps + relu(self.mix.forward(joined))
    }
}

/// Step t of the result is step t + `by`; zero beyond the ends.
fn shifted(steps: &Tensor<3>, by: isize) -> Tensor<3> {
    let [batch, time, width] = steps.dims();
    let gone = by.unsigned_abs().min(time);
    let empty = Tensor::zeros([batch, gone, width], &steps.device());
    if gone == time {
        return empty;
    }
    if by < 0 {
        Tensor::cat(vec![empty, steps.clone().narrow(1, 0, time - gone)], 1)
    } else {
        Tensor::cat(vec![steps.clone().narrow(1, gone, time - gone), empty], 1)
    }
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct MotionTcn {
    grid: Conv2d,
    step: Linear,
    layers: Vec<TemporalLayer>,
    outputs: Linear,
}

impl MotionTcn {
    /// With Burn's initial weights; a training replaces them by its own.
    #[must_use]
    pub fn new(device: &NnDevice) -> Self {
        let layer = |back: bool| move |reach: usize| TemporalLayer::new(reach, back, device);
        let maps = MAPS * CELLS / 4;
        Self {
            grid: Conv2dConfig::new([PLANES, MAPS], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device.handle()),
            step: LinearConfig::new(maps + SCALARS, WIDTH).init(device.handle()),
            layers: (BOTH_WAYS.into_iter().map(layer(false)))
                .chain(BACK.into_iter().map(layer(true)))
                .collect(),
            outputs: LinearConfig::new(WIDTH, OUTPUTS).init(device.handle()),
        }
    }

    /// # Shapes
    /// - `steps`: `[batch, time, STEP_VALUES]`, compressed
    /// - `kept`: `[batch, time, WIDTH]`, what dropout multiplies the steps' vectors by
    /// - result: `[batch, time, 4]`, logits of macro and micro presence, then of their
    ///   apexes
    #[must_use]
    pub fn forward(&self, steps: Tensor<3>, kept: Option<Tensor<3>>) -> Tensor<3> {
        let mut vectors = self.vectors(steps);
        if let Some(kept) = kept {
            vectors = vectors * kept;
        }
        self.over_time(vectors)
    }

    /// Each step by itself: `[batch, time, STEP_VALUES]` to `[batch, time, WIDTH]`.
    fn vectors(&self, steps: Tensor<3>) -> Tensor<3> {
        let [batch, time, values] = steps.dims();
        assert_eq!(values, STEP_VALUES);
        let flat: Tensor<2> = steps.reshape([batch * time, STEP_VALUES]);
        let planes = flat.clone().narrow(1, 0, PLANES * CELLS);
        let scalars = flat.narrow(1, PLANES * CELLS, SCALARS);
        let planes = planes.reshape([batch * time, PLANES, SIDE, SIDE]);
        let maps = convolved(&self.grid, planes, Then::rectified());
        let maps = maps.reshape([batch * time, MAPS * CELLS / 4]);
        let vectors = relu(self.step.forward(Tensor::cat(vec![maps, scalars], 1)));
        vectors.reshape([batch, time, WIDTH])
    }

    /// What the steps say together: `[batch, time, WIDTH]` to logits `[batch, time, 4]`.
    fn over_time(&self, mut vectors: Tensor<3>) -> Tensor<3> {
        for layer in &self.layers {
            vectors = layer.forward(vectors);
        }
        self.outputs.forward(vectors)
    }
}

/// One trained network or several whose probabilities are averaged: networks that
/// learnt from other seeds err elsewhere.
#[derive(Debug)]
pub struct MotionTcns(Vec<MotionTcn>);

/// The tensors of a weights file with these members.
#[must_use]
pub fn packed(members: &[Tensors]) -> Tensors {
    if let [only] = members {
        return only.clone();
    }
    members::joined(members)
}

impl MotionTcns {
    /// # Errors
    /// When the weights are of another network or damaged.
    pub fn from_weights(weights: &Weights, device: &NnDevice) -> Result<Self, WeightsError> {
        let path = std::path::PathBuf::from(NETWORK);
        weights.read_as(NETWORK, &path, |weights| {
            Self::of_tensors(&weights.tensors, device)
        })
    }

    fn of_tensors(tensors: &Tensors, device: &NnDevice) -> Result<Self, String> {
        let network = |tensors: &Tensors| parameters::with_tensors(MotionTcn::new(device), tensors);
        if !tensors.keys().any(|name| name.contains('/')) {
            return Ok(Self(vec![network(tensors)?]));
        }
        members::all(tensors)?
            .iter()
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// How many networks these are.
    #[must_use]
    pub fn members(&self) -> usize {
        self.0.len()
    }

    /// Probabilities `[macro, micro, macro apex, micro apex]` of every step, from linear
    /// values as [`MotionSequence::values`](super::motion_sequence::MotionSequence) has
    /// them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn probabilities(
        &self,
        values: &[f32],
        device: &NnDevice,
    ) -> Result<Vec<[f32; OUTPUTS]>, String> {
        self.over_time(&self.vectors(values, device)?, device)
    }

    /// How many values [`Self::vectors`] gives for a step.
    #[must_use]
    pub fn vector_len(&self) -> usize {
        self.members() * WIDTH
    }

    /// What the members see in each step by itself, `[step][member][WIDTH]`, from linear
    /// values. Nearly all of the network's work: who scores a stream keeps it.
    ///
    /// # Errors
    /// When the device fails.
    pub fn vectors(&self, values: &[f32], device: &NnDevice) -> Result<Vec<f32>, String> {
        let mut values = values.to_vec();
        compress(&mut values);
        let steps = values.len() / STEP_VALUES;
        let data = TensorData::new(values, [1, steps, STEP_VALUES]);
        let input: Tensor<3> = Tensor::from_data(data, device.handle());
        let seen = self.0.iter().map(|member| member.vectors(input.clone()));
        read(Tensor::cat(seen.collect(), 2))
    }

    /// Probabilities of every step from what [`Self::vectors`] saw in them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn over_time(
        &self,
        vectors: &[f32],
        device: &NnDevice,
    ) -> Result<Vec<[f32; OUTPUTS]>, String> {
        let steps = vectors.len() / self.vector_len();
        let data = TensorData::new(vectors.to_vec(), [1, steps, self.vector_len()]);
        let input: Tensor<3> = Tensor::from_data(data, device.handle());
        let mut mean = vec![[0.0; OUTPUTS]; steps];
        let share = 1.0 / self.members() as f32;
        for (place, member) in self.0.iter().enumerate() {
            let own = input.clone().narrow(2, place * WIDTH, WIDTH);
            let logits = read(member.over_time(own))?;
            for (mean, step) in mean.iter_mut().zip(logits.as_chunks::<OUTPUTS>().0) {
                for (mean, logit) in mean.iter_mut().zip(step) {
                    *mean += share / (1.0 + (-logit).exp());
                }
            }
        }
        Ok(mean)
    }
}

fn read(tensor: Tensor<3>) -> Result<Vec<f32>, String> {
    tensor.try_into_vec_as::<f32>().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_sees_half_a_second_ahead_and_eight_back_and_no_further() {
        let device = NnDevice::flex();
        let network = MotionTcns(vec![MotionTcn::new(&device)]);
        let steps = 400;
        let at = 300;
        let score = |changed: usize| {
            let mut values = vec![0.1; steps * STEP_VALUES];
            values[changed * STEP_VALUES..][..STEP_VALUES].fill(5.0);
            network.probabilities(&values, &device).unwrap()[at]
        };
        let still = score(399);
        assert_ne!(score(at + LOOK_AHEAD), still);
        assert_eq!(score(at + LOOK_AHEAD + 1), still);
        assert_ne!(score(at - LOOK_BACK), still);
        assert_eq!(score(at - LOOK_BACK - 1), still);
    }

    #[test]
    fn members_of_one_file_say_the_mean_of_what_each_says() {
        let device = NnDevice::flex();
        let members = [(); 3].map(|()| MotionTcn::new(&device));
        let tensors = members
            .each_ref()
            .map(|m| parameters::tensors_of(m).unwrap());
        let read = |tensors: &[Tensors]| MotionTcns::of_tensors(&packed(tensors), &device).unwrap();
        let values: Vec<f32> = (0..40 * STEP_VALUES)
            .map(|i| (i % 17) as f32 * 0.02)
            .collect();
        let said = |network: &MotionTcns| network.probabilities(&values, &device).unwrap()[20];
        let alone = tensors
            .each_ref()
            .map(|t| said(&read(std::slice::from_ref(t))));
        let together = said(&read(&tensors));
        for output in 0..OUTPUTS {
            let mean = alone.iter().map(|p| p[output]).sum::<f32>() / 3.0;
            assert!((together[output] - mean).abs() < 1e-6);
        }
        assert_ne!(alone[0], alone[1]);
    }
}
