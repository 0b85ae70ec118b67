//! Weights before the first update.

use super::random::{Moment, Purpose};
use crate::nn::parameters::Tensors;

/// Draws weights evenly within ±√(`gain`/inputs) and sets biases to zero; `gain` 6 keeps
/// the spread of values through rectified layers (He, Zhang, Ren, Sun, ICCV 2015), 3
/// through others. Dense layers are `[in, out]`, convolutions `[filter, channel, …]`.
pub fn by_inputs(tensors: &mut Tensors, gain: f64, moment: Moment) {
    let stream = moment.stream(Purpose::Initial);
    for (part, tensor) in (0..).zip(tensors.values_mut()) {
        let len = tensor.values.len();
        let inputs = match tensor.shape.as_slice() {
            [] | [_] => {
                tensor.values = vec![0.0; len];
                continue;
            }
            [inputs, _] => *inputs as f64,
            [filters, ..] => len as f64 / *filters as f64,
        };
        tensor.values = stream.part(part).uniform((gain / inputs).sqrt(), len);
    }
}
