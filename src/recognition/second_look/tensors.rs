//! What networks are given and what they answer, as tensors.

use burn::tensor::Tensor;

use crate::model::expression_network::{Architecture, Expression, Input};
use crate::model::face_pictures::View;
use crate::nn::NnDevice;

/// Why an answer is of no use.
pub(super) const NO_NUMBER: &str = "it answers with what is no number";

/// Onset and apex as a network reads them.
pub(super) fn pair(
    architecture: Architecture,
    expression: Expression,
    device: &NnDevice,
) -> Result<[Tensor<4>; 2], String> {
    let views = [View::default()];
    let steps = |_| Vec::new();
    match architecture.input_of(&[expression], &views, &steps, device.handle()) {
        Input::Pair(pair) => Ok(*pair),
        Input::Clips(_) | Input::Maps(_) => Err("it reads no pair of pictures".to_owned()),
    }
}

pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    let values = tensor.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err(NO_NUMBER.to_owned())
    }
}
