//! The LED layer in double precision, with the gradient of a loss with respect to
//! the logarithms of α, r1 and r2, which is what LED learns (S0): the judge of the
//! layer's kernels and of an automatic differentiation.

use super::bandpass::BandpassParams;

/// Derivatives by ln α, ln r1 and ln r2.
pub type LogGradient = [f64; 3];

/// Every frame's output, frame 0 being itself; `frames` are grey values pixel by
/// pixel, all of one length.
#[must_use]
pub fn outputs(frames: &[Vec<f64>], params: &BandpassParams) -> Vec<Vec<f64>> {
    let weights = params.weights(frames.len());
    let count = frames.len();
    let pixels = frames.first().map_or(0, Vec::len);
    let value = |output: usize, pixel: usize| {
        if output == 0 {
            return frames[0][pixel];
        }
        let (signal, magnitude) = sums(frames, pixel, output, |i| weights[i * count + output]);
        if params.normalise {
            signal / (magnitude + 1.0)
        } else {
            signal
        }
    };
    (0..count)
        .map(|output| (0..pixels).map(|pixel| value(output, pixel)).collect())
        .collect()
}

/// The gradient of a loss, given its derivative by every output (`upstream`, shaped
/// as [`outputs`]). Frame 0 passes through and has no part in it.
#[must_use]
pub fn log_gradient(
    frames: &[Vec<f64>],
    params: &BandpassParams,
    upstream: &[Vec<f64>],
) -> LogGradient {
    let count = frames.len();
    let weights = params.weights(count);
    let mut gradient = [0.0; 3];
    for (output, upstream) in upstream.iter().enumerate().skip(1) {
        for input in 0..=output {
            let weight = weights[input * count + output];
            let by_logs = weight_by_logs(params, weight, input, output);
            for (pixel, upstream) in upstream.iter().enumerate() {
                let x = frames[input][pixel];
                let by_weight = if params.normalise {
                    let of = |i: usize| weights[i * count + output];
                    let (signal, magnitude) = sums(frames, pixel, output, of);
                    let norm = magnitude + 1.0;
                    x / norm - signal * weight.signum() * x / (norm * norm)
                } else {
                    x
                };
                for (sum, by_log) in gradient.iter_mut().zip(by_logs) {
                    *sum += upstream * by_weight * by_log;
                }
            }
        }
    }
    gradient
}

/// Σ W·x and Σ |W|·x of the frames up to `output`.
fn sums(
    frames: &[Vec<f64>],
    pixel: usize,
    output: usize,
    weight: impl Fn(usize) -> f64,
) -> (f64, f64) {
    (0..=output).fold((0.0, 0.0), |(signal, magnitude), input| {
        let (w, x) = (weight(input), frames[input][pixel]);
        (signal + w * x, magnitude + w.abs() * x)
    })
}

/// Derivatives of W[input, output] by the three logarithms, for `output` ≥ 1. A
/// low-pass weighs its input of age a by (1 − r)^a, times r but for the first frame.
fn weight_by_logs(
    params: &BandpassParams,
    weight: f64,
    input: usize,
    output: usize,
) -> LogGradient {
    let age = (output - input) as i32;
    let by_log = |r: f64| {
        let fading = if age == 0 {
            0.0
        } else {
            f64::from(age) * r * (1.0 - r).powi(age - 1)
        };
        if input == 0 {
            -fading
        } else {
            r * (1.0 - r).powi(age) - r * fading
        }
    };
    let alpha = params.alpha;
    [
        weight,
        alpha * by_log(params.r1),
        -alpha * by_log(params.r2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The analytic gradient is the limit of differences.
    #[test]
    fn the_gradient_is_that_of_small_differences() {
        let frames: Vec<Vec<f64>> = (0..5)
            .map(|t| {
                (0..7)
                    .map(|i| f64::from((i * 31 + t * 17) % 23) / 9.0)
                    .collect()
            })
            .collect();
        for normalise in [false, true] {
            let params = BandpassParams {
                alpha: 3.0,
                r1: 0.45,
                r2: 0.1,
                normalise,
            };
            let loss = |p: &BandpassParams| -> f64 {
                outputs(&frames, p).iter().flatten().map(|y| y * y).sum()
            };
            let upstream: Vec<Vec<f64>> = outputs(&frames, &params)
                .into_iter()
                .map(|frame| frame.into_iter().map(|y| 2.0 * y).collect())
                .collect();
            let gradient = log_gradient(&frames, &params, &upstream);
            let step: f64 = 1e-6;
            for (which, found) in gradient.into_iter().enumerate() {
                let moved = |sign: f64| {
                    let factor = (sign * step).exp();
                    let mut p = params;
                    match which {
                        0 => p.alpha *= factor,
                        1 => p.r1 *= factor,
                        _ => p.r2 *= factor,
                    }
                    loss(&p)
                };
                let expected = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                    "{which}: {found}, not {expected}"
                );
            }
        }
    }
}
