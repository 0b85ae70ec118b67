//! Integrated gradients: which places of a motion speak for a network's output
//! (Sundararajan, Taly, Yan, ICML 2017). It is Grad-CAM whose gradients are averaged
//! while the motion grows (Sattarzadeh et al., ICASSP 2021), cut before the first
//! convolution instead of behind the last.
//!
//! The motion grows in even steps from rest, where nothing moves, to what was measured.
//! The mean of the gradients on the way times the motion is the *evidence* of each
//! place. It makes up the whole of what the output is higher than at rest, whatever the
//! network bends on the way, and it is as fine as the input: a network whose last
//! convolution has 7×7 cells cannot tell there which corner of a cell decided. Where
//! nothing moved there is none.
//!
//! Max pooling hands a gradient to the one of four neighbours that happens to be the
//! greatest, so evidence is spread over neighbours ([`smoothed`]). Noise of the measured
//! motion is evidence too, a little of it everywhere, for and against: what a map shows
//! is what stands out of it ([`above_noise`]).

use burn::tensor::{Tensor, TensorData};

use super::grad_cam::{ActivationMap, Explainable, GradCamError, Lattice, gradient, planes};
use crate::base::Plane;
use crate::base::stats::median_absolute_deviation;

/// Steps from rest to the motion. The evidence of one network then adds up to within 0.4
/// of the logit's rise (root mean square over 60 maps of AU-Flow; 0.2 with 16 steps), and
/// what share of a map lies where changes by less than a hundredth with more of them.
const STEPS: usize = 8;
/// From the median absolute deviation to the standard deviation of a normal spread.
const SIGMA: f64 = 1.4826;

/// For (above 0) and against (below 0) one output, by place of the input, in units of
/// the output. An image of zeros has to be rest.
///
/// # Shapes
/// - `image`: `[1, channel, row, column]`, as the network reads it
///
/// # Errors
/// As [`maps`](super::grad_cam::maps).
pub(super) fn evidence<N: Explainable>(
    network: &N,
    image: Tensor<4>,
    output: usize,
) -> Result<Plane, GradCamError> {
    let image = image.inner();
    let [batch, channels, rows, columns] = image.dims();
    assert_eq!(batch, 1, "one image grows at a time");
    // The middle of each step.
    let grown = |step: usize| (step as f32 + 0.5) / STEPS as f32;
    let grown = TensorData::new((0..STEPS).map(grown).collect::<Vec<_>>(), [STEPS, 1, 1, 1]);
    let shape = [STEPS, channels, rows, columns];
    let grown: Tensor<4> = Tensor::from_data(grown, &image.device());
    let growing = image.clone().expand(shape) * grown.expand(shape);
    let growing = Tensor::from_inner(growing).require_grad();
    let outputs = network.outputs(network.features(growing.clone()));
    let mean = gradient(&growing, outputs, output)?.mean_dim(0);
    let mut found = planes((image * mean).sum_dim(1))?;
    found.pop().ok_or(GradCamError::Independent)
}

/// The map of evidence for `output` at the size of the input: what it shows stands out
/// of the noise of the places that are `seen`, the others are dark.
#[must_use]
pub(super) fn map(evidence: &Plane, seen: impl Fn(usize) -> bool) -> ActivationMap {
    let evidence = smoothed(evidence, &seen);
    let pixels = Lattice {
        side: evidence.width,
        first: 0.0,
        step: 1.0,
        bands: 1,
    };
    ActivationMap {
        evidence: evidence.clone(),
        ..ActivationMap::of(above_noise(evidence, seen), pixels)
    }
}

/// Spread over each place and its eight neighbours, 1–2–1 across and down. What spills
/// over to places that are not `seen` is left out.
fn smoothed(evidence: &Plane, seen: impl Fn(usize) -> bool) -> Plane {
    let (width, height) = (evidence.width, evidence.height);
    let along = |from: &Plane, (dx, dy): (usize, usize)| {
        let at = |x: usize, y: usize| {
            let inside = x < width && y < height;
            if inside { from.at(x, y) } else { 0.0 }
        };
        let mean = |i: usize| {
            let (x, y) = (i % width, i / width);
            // Before the first there is nothing, and no number either.
            let before = at(x.wrapping_sub(dx), y.wrapping_sub(dy));
            0.25 * before + 0.5 * at(x, y) + 0.25 * at(x + dx, y + dy)
        };
        Plane::from_vec(width, height, (0..width * height).map(mean).collect())
    };
    let mut spread = along(&along(evidence, (1, 0)), (0, 1));
    for (i, value) in spread.data.iter_mut().enumerate() {
        if !seen(i) {
            *value = 0.0;
        }
    }
    spread
}

/// What is left of each place's evidence when the spread of all that are `seen` is taken
/// off, robustly estimated: most of a face has nothing to say (soft thresholding, Donoho
/// 1995).
fn above_noise(mut evidence: Plane, seen: impl Fn(usize) -> bool) -> Plane {
    let values = evidence.data.iter().enumerate();
    let values: Vec<f64> = values
        .filter(|(i, _)| seen(*i))
        .map(|(_, &value)| f64::from(value))
        .collect();
    let noise = SIGMA * median_absolute_deviation(&values).unwrap_or(0.0);
    for value in &mut evidence.data {
        *value = (*value - noise as f32).max(0.0);
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::sanity::{Dice, images, tensors};
    use crate::model::flow_input::SIDE;
    use crate::model::off_apexnet::{self, OffApexNet};
    use crate::nn::parameters;
    use burn::tensor::Device;

    #[test]
    fn the_evidence_makes_up_what_the_output_is_higher_than_at_rest() {
        let device = Device::flex();
        // Several layers with ReLU between them.
        let drawn = tensors(&off_apexnet::PARAMETERS, &mut Dice(21));
        let network = OffApexNet::from_tensors(&drawn, &device).unwrap();
        let image = images(&mut Dice(22), 1, SIDE, &device);
        let logits = |image: Tensor<4>| {
            let logits = network.outputs(network.features(image));
            parameters::read(logits).unwrap().values
        };
        let (moved, rest) = (logits(image.clone()), logits(image.clone() * 0.0));
        for class in 0..3 {
            let found = evidence(&network, image.clone(), class).unwrap();
            let sum: f32 = found.data.iter().sum();
            let higher = moved[class] - rest[class];
            assert!(
                (sum - higher).abs() < 0.1 * higher.abs().max(0.1),
                "{sum} {higher}"
            );
        }
        let still = evidence(&network, image * 0.0, 0).unwrap();
        assert!(still.data.iter().all(|&v| v == 0.0));
    }

    #[test]
    fn noise_goes_dark_and_what_stands_out_keeps_its_place() {
        let mut dice = Dice(4);
        let mut evidence = Plane::zeros(SIDE, SIDE);
        for value in &mut evidence.data {
            *value = dice.unit() - 0.5;
        }
        for i in [10 * SIDE + 6, 10 * SIDE + 7, 11 * SIDE + 6] {
            evidence.data[i] = 8.0;
        }
        let seen = |i: usize| !i.is_multiple_of(SIDE);
        let found = map(&evidence, seen);
        let near = |x: usize, y: usize| (4..10).contains(&x) && (8..14).contains(&y);
        let whole = ActivationMap::of(
            smoothed(&evidence, seen),
            Lattice {
                side: SIDE,
                first: 0.0,
                step: 1.0,
                bands: 1,
            },
        );
        assert!(found.share_within(near) > 0.6);
        assert!(found.share_within(near) > 1.5 * whole.share_within(near));
        assert_eq!(found.map.at(6, 10), 1.0);
        assert_eq!((found.map.at(0, 5), found.evidence.at(0, 5)), (0.0, 0.0));
        // Nothing at all has no noise either.
        let still = map(&Plane::zeros(SIDE, SIDE), seen);
        assert!(still.peak == 0.0 && still.map.data.iter().all(|&v| v == 0.0));
    }
}
