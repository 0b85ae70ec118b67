//! What MoExt's pre-training is judged by (S2, equations 5 to 8).

use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};

/// Added under roots, which have no gradient at 0.
const LEAST_SQUARE: f64 = 1e-12;

/// Mean |apex / 255 − rebuilt| over pixels (equation 5).
///
/// # Shapes
/// - `rebuilt`: `[batch, 3, side, side]`, on 0..1
/// - `apex`: the same, 0..255
/// - result: `[1]`
#[must_use]
pub fn reconstruction_loss(rebuilt: Tensor<4>, apex: Tensor<4>) -> Tensor<1> {
    (apex / 255.0 - rebuilt).abs().mean()
}

/// Vectors at length 1 (f of equations 6 and 8).
fn directions(vectors: Tensor<3>) -> Tensor<3> {
    let length = lengths(vectors.clone());
    vectors / length
}

/// Lengths along the last axis, which becomes 1.
fn lengths<const D: usize>(vectors: Tensor<D>) -> Tensor<D> {
    let squares = (vectors.clone() * vectors).sum_dim(D - 1);
    (squares + LEAST_SQUARE).sqrt()
}

/// L_st (equations 6 and 7): the mean of max(0, ‖f(S̄) − f(S)‖ − ‖f(S) − f(T)‖ + margin)
/// over samples and views, where S̄ is the mean of all shapes of the batch.
///
/// # Shapes
/// - `shapes`, `textures`: `[batch, view, value]`, as in [`Pretraining`](super::Pretraining)
/// - result: `[1]`, not below 0
#[must_use]
pub fn texture_loss(shapes: Tensor<3>, textures: Tensor<3>, margin: f64) -> Tensor<1> {
    let anchor = directions(shapes.clone().mean_dim(0).mean_dim(1));
    let (shapes, textures) = (directions(shapes), directions(textures));
    let near = lengths(anchor - shapes.clone());
    let far = lengths(shapes - textures);
    relu(near - far + margin).mean()
}

/// L_ss (equation 8): the mean over all ordered pairs of a sample's views of ‖f(S_j) −
/// f(S_k)‖ where both show the same frame, of max(0, margin − ‖f(S_j) − f(S_k)‖) where one
/// is of the onset and one of the apex.
///
/// # Shapes
/// - `shapes`: `[batch, view, value]`, as in [`Pretraining`](super::Pretraining); an even number of views
/// - result: `[1]`, not below 0
#[must_use]
pub fn shape_loss(shapes: Tensor<3>, margin: f64) -> Tensor<1> {
    let [batch, views, width] = shapes.dims();
    assert!(views.is_multiple_of(2), "as many views of onset and apex");
    let shapes = directions(shapes);
    let one: Tensor<4> = shapes.clone().reshape([batch, views, 1, width]);
    let other: Tensor<4> = shapes.reshape([batch, 1, views, width]);
    let apart = lengths(one - other);
    let same = |at: usize| (at / views < views / 2) == (at % views < views / 2);
    let alike = (0..views * views).map(|at| f32::from(u8::from(same(at))));
    let alike = TensorData::new(alike.collect::<Vec<f32>>(), [1, views, views, 1]);
    let alike: Tensor<4> = Tensor::from_data(alike, &apart.device());
    let far = relu(apart.clone().neg() + margin) * (alike.clone().neg() + 1.0);
    (apart * alike + far).mean()
}
