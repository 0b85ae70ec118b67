//! The magnified sequence that the network reads in place of time.

use burn::tensor::{Tensor, TensorData};

/// Least and greatest α of a sequence.
pub const MAGNIFICATION: [f64; 2] = [2.0, 13.0];

/// The magnification factors α of a sequence, evenly over [`MAGNIFICATION`]; a single one
/// is the least.
#[must_use]
pub fn factors(frames: usize) -> Vec<f32> {
    let [least, greatest] = MAGNIFICATION;
    let steps = frames.saturating_sub(1).max(1) as f64;
    let factor = |frame: usize| least + (greatest - least) * frame as f64 / steps;
    (0..frames).map(|frame| factor(frame) as f32).collect()
}

/// The magnified sequence I_onset + (1 + α)·(I_apex − I_onset) over [`factors`].
///
/// # Shapes
/// - `onset`, `apex`: `[batch, channel, height, width]`, grey or colour values 0..255
/// - result: `[batch, time, channel, height, width]`, not held within 0..255; time before
///   channel, for each picture is read by itself
#[must_use]
pub fn magnified(onset: Tensor<4>, apex: Tensor<4>, frames: usize) -> Tensor<5> {
    assert_eq!(onset.dims(), apex.dims(), "onset and apex of one size");
    let grown: Vec<f32> = factors(frames).iter().map(|alpha| 1.0 + alpha).collect();
    let grown = TensorData::new(grown, [1, frames, 1, 1, 1]);
    let grown: Tensor<5> = Tensor::from_data(grown, &onset.device());
    let motion: Tensor<5> = (apex - onset.clone()).unsqueeze_dim(1);
    let onset: Tensor<5> = onset.unsqueeze_dim(1);
    onset + motion * grown
}

/// Sine and cosine code of each place (Vaswani et al. 2017):
/// sin(place / 10000^(2i/width)) as value 2i, its cosine as value 2i + 1.
pub(super) fn place_code(frames: usize, width: usize) -> Vec<f32> {
    let value = |place: usize, at: usize| {
        let turn = place as f64 / 10_000_f64.powf((at - at % 2) as f64 / width as f64);
        if at.is_multiple_of(2) {
            turn.sin()
        } else {
            turn.cos()
        }
    };
    let row = |place| (0..width).map(move |at| value(place, at) as f32);
    (0..frames).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_run_evenly_from_two_to_thirteen() {
        assert_eq!(factors(12).len(), 12);
        assert_eq!(factors(12)[3], 5.0);
        assert_eq!((factors(32)[0], factors(32)[31]), (2.0, 13.0));
        assert_eq!(factors(1), [2.0]);
    }
}
