//! LED, the learnable Eulerian layer: what changes between the frames of a clip, by a
//! temporal band-pass whose gain and cut-offs are trained together with the network
//! behind it (S0; Varanka, Peng, Zhao, SCIA 2023).
//!
//! Out of the frames x[0..T] comes out[j] = Σ_i x[i]·W[i, j] with the matrix of
//! [`BandpassParams::weights`](crate::motion::bandpass::BandpassParams::weights), here
//! built of tensors so that gradients reach its three numbers. Rows are input frames,
//! columns output frames; below the diagonal there are exact zeros, for a later frame
//! must not tell of an earlier one (the published program leaves whatever the memory
//! held there).
//!
//! The matrix is made of whole powers of (1 − r), as products: a cut-off that the
//! training drives beyond 1 makes some of them negative and none of them no number.
//!
//! [`LedOptions`] holds what S0's ablation varies.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::card_settings::{answer, setting, unknown};
use super::layer_plan::Planned;
use crate::nn::parameters::Start;

/// Gain, faster and slower coefficient before the training (α, r1, r2 of S0).
pub const START: [f32; 3] = [10.0, 0.4, 0.05];
/// Outputs of a clip in S0's main result: six frames, the first of which drops out.
pub const OUTPUTS: usize = 5;
/// Numbers of outputs that S0 compares.
pub const COMPARED_OUTPUTS: [usize; 5] = [1, 3, 5, 8, 12];

/// What the frames are turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// The frames as they are: S0's comparison without motion.
    Grey,
    /// Each frame plus its band-passed motion: Eulerian magnification.
    Magnified,
    /// Each frame less the one before it.
    Difference,
    /// The band-passed motion alone.
    Led,
}

impl Motion {
    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Magnified => "magnified",
            Self::Difference => "difference",
            Self::Led => "led",
        }
    }

    /// The motion that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Grey, Self::Magnified, Self::Difference, Self::Led]
            .into_iter()
            .find(|motion| motion.name() == name)
    }

    /// Whether gain and cut-offs have a part in it.
    #[must_use]
    pub fn is_filtered(self) -> bool {
        matches!(self, Self::Magnified | Self::Led)
    }
}

/// How gain and cut-offs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As logarithms: they cannot become negative. S0's choice (its “log transform”).
    Logarithm,
    /// As they are. S0 trains the cut-offs with a tenth of the rate then, and finds them
    /// unstable.
    Plain,
}

impl Scale {
    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logarithm => "logarithm",
            Self::Plain => "plain",
        }
    }

    /// The scale that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Logarithm, Self::Plain]
            .into_iter()
            .find(|scale| scale.name() == name)
    }

    /// [`START`] as the parameters hold it.
    #[must_use]
    pub fn start(self) -> [f32; 3] {
        match self {
            Self::Logarithm => START.map(f32::ln),
            Self::Plain => START,
        }
    }
}

/// The layer as S0's ablation varies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedOptions {
    pub motion: Motion,
    /// Divide out\[j\] by Σ_i |W\[i, j\]|·x\[i\] + 1 (frame-difference normalisation,
    /// after DeepPhys). Has no effect on [`Motion::Grey`] and [`Motion::Magnified`].
    pub normalise: bool,
    /// Whether gain and cut-offs are trained.
    pub learnt: bool,
    pub scale: Scale,
    /// Pass the outputs through sign(x)·ln(1 + |x|), frame 0 excepted. Not in S0, whose
    /// log transform is [`Scale::Logarithm`]: without normalisation it tames the
    /// outputs' range of a thousand grey values.
    pub compress: bool,
    /// Outputs without frame 0, from 1 on; the layer takes one frame more.
    pub outputs: usize,
}

impl Default for LedOptions {
    /// S0's main result.
    fn default() -> Self {
        Self {
            motion: Motion::Led,
            normalise: true,
            learnt: true,
            scale: Scale::Logarithm,
            compress: false,
            outputs: OUTPUTS,
        }
    }
}

fn yes_or_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

impl LedOptions {
    /// Frames of a clip: one more than outputs.
    #[must_use]
    pub fn frames(self) -> usize {
        self.outputs + 1
    }

    /// As they stand among a card's settings.
    #[must_use]
    pub fn settings(self) -> BTreeMap<String, String> {
        let outputs = self.outputs.to_string();
        [
            ("motion", self.motion.name()),
            ("normalise", yes_or_no(self.normalise)),
            ("learnt", yes_or_no(self.learnt)),
            ("scale", self.scale.name()),
            ("compress", yes_or_no(self.compress)),
            ("outputs", &outputs),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// From a card's settings, of which others are ignored.
    ///
    /// # Errors
    /// Names the setting that is missing or unknown.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let motion = setting(settings, "motion")?;
        let scale = setting(settings, "scale")?;
        let outputs = setting(settings, "outputs")?;
        Ok(Self {
            motion: Motion::named(motion).ok_or_else(|| unknown("motion", motion))?,
            normalise: answer(settings, "normalise")?,
            learnt: answer(settings, "learnt")?,
            scale: Scale::named(scale).ok_or_else(|| unknown("scale", scale))?,
            compress: answer(settings, "compress")?,
            outputs: (outputs.parse().ok())
                .filter(|count| (1..=64).contains(count))
                .ok_or_else(|| unknown("outputs", outputs))?,
        })
    }

    /// The layer's three parameters: `alpha`, `r1`, `r2`, on [`Self::scale`]. Those that
    /// are not learnt are kept in weights files all the same, for they say what was used.
    #[must_use]
    pub fn parameters(self) -> Vec<Planned> {
        ["alpha", "r1", "r2"]
            .into_iter()
            .zip(self.scale.start())
            .map(|(name, start)| Planned {
                name: name.to_owned(),
                shape: vec![1],
                start: Start::Constant(start),
                trained: self.is_trained(),
            })
            .collect()
    }

    fn is_trained(self) -> bool {
        self.learnt && self.motion.is_filtered()
    }
}

/// The layer with its three numbers on one device.
#[derive(Module, Debug)]
pub struct LedLayer {
    /// Gain, `[1]`, as [`Scale`] says.
    pub alpha: Param<Tensor<1>>,
    /// Coefficient of the faster low-pass for one frame, `[1]`, as [`Scale`] says.
    pub r1: Param<Tensor<1>>,
    /// Coefficient of the slower low-pass for one frame, `[1]`, as [`Scale`] says.
    pub r2: Param<Tensor<1>>,
    #[module(skip)]
    options: LedOptions,
}

impl LedLayer {
    /// As it is before a training.
    #[must_use]
    pub fn new(options: LedOptions, device: &Device) -> Self {
        assert!(options.outputs > 0, "LED needs an output");
        let number = |start: f32| {
            Param::from_tensor(Tensor::from_floats([start], device))
                .set_require_grad(options.is_trained())
        };
        let [alpha, r1, r2] = options.scale.start().map(number);
        Self {
            alpha,
            r1,
            r2,
            options,
        }
    }

    #[must_use]
    pub fn options(&self) -> LedOptions {
        self.options
    }

    /// Gain, faster and slower coefficient, `[1]` each, as the matrix takes them.
    #[must_use]
    pub fn values(&self) -> [Tensor<1>; 3] {
        [&self.alpha, &self.r1, &self.r2].map(|param| match self.options.scale {
            Scale::Logarithm => param.val().exp(),
            Scale::Plain => param.val(),
        })
    }

    /// The matrix W that [`LedOptions::motion`] asks for, column 0 included, though
    /// frame 0 never goes through it.
    ///
    /// # Shapes
    /// - result: `[input frame, output frame]`, `frames` each, zero below the diagonal
    #[must_use]
    pub fn matrix(&self, frames: usize) -> Tensor<2> {
        let device = &self.alpha.val().device();
        let amplified = || {
            let [alpha, _, _] = self.values();
            self.bandpass(frames) * alpha.unsqueeze::<2>()
        };
        match self.options.motion {
            Motion::Grey => diagonals(frames, 0.0, device),
            Motion::Difference => diagonals(frames, -1.0, device),
            Motion::Led => amplified(),
            Motion::Magnified => diagonals(frames, 0.0, device) + amplified(),
        }
    }

    /// W / α of the band-pass.
    fn bandpass(&self, frames: usize) -> Tensor<2> {
        let [_, r1, r2] = self.values();
        let (fast, slow) = (powers(&r1, frames), powers(&r2, frames));
        // By the frame's age. What came before the first frame is taken to have equalled
        // it, so that frame lacks the factor r of all the others.
        let of_first = fast.clone() - slow.clone();
        let of_others = fast * r1 - slow * r2;
        let device = &of_others.device();
        let newest = of_others.clone().narrow(0, 0, 1);
        let mut rows = vec![match frames {
            1 => newest,
            _ => Tensor::cat(vec![newest, of_first.narrow(0, 1, frames - 1)], 0),
        }];
        for input in 1..frames {
            let later = of_others.clone().narrow(0, 0, frames - input);
            rows.push(Tensor::cat(vec![Tensor::zeros([input], device), later], 0));
        }
        Tensor::stack(rows, 0)
    }

    /// The outputs without frame 0, as networks take them.
    ///
    /// Reached on ways that equal the formulas, but keep what large equal terms would
    /// swallow: columns of W sum to 0, so frame 0 is subtracted first; and
    /// α·s / (|α|·m + 1) hardly depends on α, so it is ±s / (m + 1/|α|), whose gradient
    /// is no difference of two sums.
    ///
    /// # Shapes
    /// - `clips`: `[batch, channel, time, height, width]`, grey values 0..255 (the 1 in
    ///   the normalisation's divisor is little beside them, as it was in S0's training;
    ///   on 0..1 it would rule), [`LedOptions::frames`] of them
    /// - result: `[batch, channel, time − 1, height, width]`; within −1..1 where it is
    ///   normalised and not below 0 where it is grey
    #[must_use]
    pub fn motion(&self, clips: Tensor<5>) -> Tensor<5> {
        let [batch, channels, frames, height, width] = clips.dims();
        assert_eq!(frames, self.options.frames(), "frames of a clip for LED");
        let outputs = frames - 1;
        let pixels: Tensor<3> = clips.reshape([batch * channels, frames, height * width]);
        let later = pixels.clone().narrow(1, 1, outputs);
        let [alpha, _, _] = self.values();
        let alpha: Tensor<3> = alpha.unsqueeze();
        let mixed = |weights: Tensor<2>, pixels: Tensor<3>| {
            let weights = weights.narrow(1, 1, outputs).transpose();
            weights.unsqueeze::<3>().matmul(pixels)
        };
        let moved = |weights: Tensor<2>| {
            let still = pixels.clone().narrow(1, 0, 1);
            mixed(weights, pixels.clone() - still)
        };
        let light = |weights: Tensor<2>| mixed(weights.abs(), pixels.clone());
        let normalise = self.options.normalise;
        let mut motion = match self.options.motion {
            Motion::Grey => later,
            Motion::Magnified => later + moved(self.bandpass(frames)) * alpha,
            Motion::Difference => {
                let weights = self.matrix(frames);
                let motion = moved(weights.clone());
                if normalise {
                    motion / (light(weights) + 1.0)
                } else {
                    motion
                }
            }
            Motion::Led => {
                let weights = self.bandpass(frames);
                let motion = moved(weights.clone());
                if normalise {
                    let side = alpha.clone().detach().sign();
                    motion * side / (light(weights) + alpha.abs().recip())
                } else {
                    motion * alpha
                }
            }
        };
        if self.options.compress {
            motion = motion.clone().sign() * motion.abs().log1p();
        }
        motion.reshape([batch, channels, outputs, height, width])
    }

    /// The layer as S0 has it: frame 0 as it came, then the outputs.
    ///
    /// # Shapes
    /// - `clips`: as for [`Self::motion`]
    /// - result: as `clips`
    #[must_use]
    pub fn forward(&self, clips: Tensor<5>) -> Tensor<5> {
        let first = clips.clone().narrow(2, 0, 1);
        Tensor::cat(vec![first, self.motion(clips)], 2)
    }
}

/// (1 − r) to the power of 0, 1, … `count` − 1.
fn powers(r: &Tensor<1>, count: usize) -> Tensor<1> {
    let kept = r.clone().neg() + 1.0;
    let mut powers = vec![Tensor::ones([1], &r.device())];
    for age in 1..count {
        powers.push(powers[age - 1].clone() * kept.clone());
    }
    Tensor::cat(powers, 0)
}

/// Ones on the diagonal, `before` for the frame before.
fn diagonals(frames: usize, before: f32, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0; frames * frames];
    for output in 0..frames {
        values[output * frames + output] = 1.0;
        if output > 0 {
            values[(output - 1) * frames + output] = before;
        }
    }
    Tensor::from_data(TensorData::new(values, [frames, frames]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::bandpass::BandpassParams;

    fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn the_matrix_is_the_band_passs_and_exactly_zero_below_the_diagonal() {
        let device = Device::flex();
        for scale in [Scale::Logarithm, Scale::Plain] {
            let options = LedOptions {
                scale,
                ..LedOptions::default()
            };
            let layer = LedLayer::new(options, &device);
            for frames in [1, 2, 6, 13] {
                let ours = read(layer.matrix(frames));
                let wanted = BandpassParams::default().weights(frames);
                for (at, (ours, wanted)) in ours.iter().zip(&wanted).enumerate() {
                    let (input, output) = (at / frames, at % frames);
                    if input > output {
                        assert_eq!(*ours, 0.0);
                    }
                    assert!((f64::from(*ours) - wanted).abs() < 1e-5, "{input} {output}");
                }
            }
        }
    }

    #[test]
    fn a_coefficient_beyond_one_still_gives_numbers() {
        let device = Device::flex();
        let mut layer = LedLayer::new(LedOptions::default(), &device);
        layer.r1 = Param::from_tensor(Tensor::from_floats([1.0_f32], &device));
        let clips = Tensor::full([1, 1, 6, 2, 2], 200.0, &device);
        let out = read(layer.forward(clips));
        // Nothing moves, so nothing comes out after frame 0.
        assert!(out[..4].iter().all(|v| *v == 200.0));
        assert!(out[4..].iter().all(|v| *v == 0.0), "{out:?}");
    }

    #[test]
    fn each_motion_is_what_it_is_called() {
        let device = Device::flex();
        let frames = [100.0_f32, 110.0, 104.0];
        let out = |motion, normalise, compress| {
            let options = LedOptions {
                motion,
                normalise,
                compress,
                outputs: 2,
                ..LedOptions::default()
            };
            let data = TensorData::new(frames.to_vec(), [1, 1, 3, 1, 1]);
            let layer = LedLayer::new(options, &device);
            read(layer.motion(Tensor::from_data(data, &device)))
        };
        let near = |ours: &[f32], wanted: [f32; 2]| {
            for (ours, wanted) in ours.iter().zip(wanted) {
                assert!((ours - wanted).abs() < 1e-3, "{ours} {wanted}");
            }
        };
        near(&out(Motion::Grey, true, false), [110.0, 104.0]);
        near(&out(Motion::Difference, false, false), [10.0, -6.0]);
        near(
            &out(Motion::Difference, true, false),
            [10.0 / 211.0, -6.0 / 215.0],
        );
        let logarithms = [11.0_f32.ln(), -(7.0_f32.ln())];
        near(&out(Motion::Difference, false, true), logarithms);
        // The differences of two low-passes of 0, 10, 4: 4 − 0.5 and 4 − 0.675.
        near(&out(Motion::Led, false, false), [35.0, 33.25]);
        near(&out(Motion::Magnified, true, false), [145.0, 137.25]);
    }

    #[test]
    fn options_come_back_from_a_card() {
        let options = LedOptions {
            motion: Motion::Difference,
            normalise: false,
            learnt: false,
            scale: Scale::Plain,
            compress: true,
            outputs: 12,
        };
        for options in [options, LedOptions::default()] {
            assert_eq!(LedOptions::from_settings(&options.settings()), Ok(options));
        }
        let mut settings = options.settings();
        settings.insert("outputs".to_owned(), "0".to_owned());
        let wrong = LedOptions::from_settings(&settings).unwrap_err();
        assert_eq!(wrong, "its card says outputs = '0'");
    }
}
