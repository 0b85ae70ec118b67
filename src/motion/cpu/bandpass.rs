//! CPU twin of `shaders/bandpass.wgsl`: same sums in the same order.

use crate::base::Plane;
use crate::motion::bandpass::{BandpassParams, FrameSizeError, common_size};

/// Filters the frames from `first` on: `frames.len() - first` planes.
///
/// # Errors
/// When there is no frame `first`, or the frames differ in size.
pub fn bandpass(
    frames: &[&Plane],
    first: usize,
    params: &BandpassParams,
) -> Result<Vec<Plane>, FrameSizeError> {
    let (width, height) = common_size(frames, first)?;
    let weights = params.weights_f32(frames.len());
    let filtered = (first..frames.len()).map(|output| {
        if output == 0 {
            return frames[0].clone();
        }
        let mut signal = vec![0.0f32; width * height];
        let mut magnitude = vec![0.0f32; width * height];
        for (input, frame) in frames[..=output].iter().enumerate() {
            let weight = weights[input * frames.len() + output];
            for ((signal, magnitude), &grey) in
                signal.iter_mut().zip(&mut magnitude).zip(&frame.data)
            {
                *signal += weight * grey;
                *magnitude += weight.abs() * grey;
            }
        }
        if params.normalise {
            for (signal, magnitude) in signal.iter_mut().zip(&magnitude) {
                *signal /= magnitude + 1.0;
            }
        }
        Plane::from_vec(width, height, signal)
    });
    Ok(filtered.collect())
}
