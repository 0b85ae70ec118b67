//! Activations times gradients: what each cell has to say for an output.

use burn::tensor::Tensor;

use super::{Explainable, GradCamError};
use crate::base::Plane;
use crate::nn::parameters;

/// How gradients weigh activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weighting {
    /// Each cell by its own gradient: HiResCAM (Draelos and Carin 2020). The default,
    /// and the faithful one for networks whose maps are flattened into a dense layer, as
    /// all of ours are: there the same activation counts for a class in one place and
    /// against it in another. Behind a single dense layer (STSTNet) the cells' evidence
    /// sums to the logit but for a constant of the network; behind several with ReLU
    /// between them (Off-ApexNet, SOFTNet) the same holds for the straight piece of the
    /// network on which the image lies, whose constant changes from image to image.
    #[default]
    Positionwise,
    /// Each map by the mean of its gradients over all cells, as the paper of Grad-CAM
    /// has it. Faithful where the maps are averaged over all cells before the dense
    /// layer: the gradient is the same everywhere then, and both ways agree. With a
    /// flattened head it lights places that the network does not look at.
    Averaged,
}

/// Activations times gradients, summed over the maps, for each image.
pub(in crate::explain) fn evidence<N: Explainable>(
    network: &N,
    images: Tensor<4>,
    output: usize,
    weighting: Weighting,
) -> Result<Vec<Plane>, GradCamError> {
    // A leaf of its own: what lies before the cut is not differentiated.
    let features = Tensor::from_inner(network.features(images).inner()).require_grad();
    let outputs = network.outputs(features.clone());
    let gradient = gradient(&features, outputs, output)?;
    let features = features.inner();
    let [batch, maps, rows, columns] = features.dims();
    let weights = match weighting {
        Weighting::Positionwise => gradient,
        Weighting::Averaged => gradient
            .mean_dim(3)
            .mean_dim(2)
            .expand([batch, maps, rows, columns]),
    };
    planes((features * weights).sum_dim(1))
}

/// How one output of each image changes with what the images' tensor `by` holds.
pub(in crate::explain) fn gradient(
    by: &Tensor<4>,
    outputs: Tensor<2>,
    output: usize,
) -> Result<Tensor<4>, GradCamError> {
    let [_, count] = outputs.dims();
    if output >= count {
        return Err(GradCamError::Output {
            output,
            outputs: count,
        });
    }
    if !outputs.is_tracked() {
        return Err(GradCamError::Independent);
    }
    // No image changes another one's output, so one pass serves the whole batch.
    let gradients = outputs.narrow(1, output, 1).sum().backward();
    by.grad(&gradients).ok_or(GradCamError::Independent)
}

/// The values of `[batch, 1, row, column]`, a plane an image.
pub(in crate::explain) fn planes(evidence: Tensor<4>) -> Result<Vec<Plane>, GradCamError> {
    let [_, _, rows, columns] = evidence.dims();
    let evidence = parameters::read(evidence).map_err(|reason| GradCamError::Device { reason })?;
    if evidence.values.iter().any(|value| !value.is_finite()) {
        return Err(GradCamError::NotFinite);
    }
    Ok(evidence
        .values
        .chunks_exact(rows * columns)
        .map(|cells| Plane::from_vec(columns, rows, cells.to_vec()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::grad_cam::{Lattice, maps};
    use burn::tensor::{Device, TensorData};

    /// Two maps of 2×2 cells, which are the image itself.
    struct Toy {
        /// Whether the maps are averaged before the dense layer, or flattened into it.
        averaged: bool,
        weights: Vec<f32>,
    }

    impl Explainable for Toy {
        fn lattice(&self) -> Lattice {
            Lattice {
                side: 4,
                first: 0.5,
                step: 2.0,
                bands: 1,
            }
        }

        fn features(&self, images: Tensor<4>) -> Tensor<4> {
            images
        }

        fn outputs(&self, features: Tensor<4>) -> Tensor<2> {
            let device = features.device();
            let flat: Tensor<2> = if self.averaged {
                features.mean_dim(3).mean_dim(2).flatten(1, 3)
            } else {
                features.flatten(1, 3)
            };
            let [_, inputs] = flat.dims();
            let weights = TensorData::new(self.weights.clone(), [inputs, 1]);
            flat.matmul(Tensor::from_data(weights, &device))
        }
    }

    fn toy_image() -> Tensor<4> {
        let values = vec![1.0_f32, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 1.0];
        Tensor::from_data(TensorData::new(values, [1, 2, 2, 2]), &Device::flex())
    }

    #[test]
    fn behind_an_average_both_weightings_agree_and_behind_flattening_they_do_not() {
        let toy = Toy {
            averaged: true,
            weights: vec![4.0, -2.0],
        };
        for weighting in [Weighting::Positionwise, Weighting::Averaged] {
            let found = maps(&toy, toy_image(), 0, weighting).unwrap().remove(0);
            // A quarter of each weight a cell: 1·a − 0.5·b.
            assert_eq!(found.evidence.data, [0.5, 1.5, 2.5, 3.5]);
            assert_eq!(found.peak, 3.5);
            assert!((found.grid.data[0] - 0.5 / 3.5).abs() < 1e-6);
        }
        // The first map's upper cells count against each other, the rest not at all.
        let mut toy = Toy {
            averaged: false,
            weights: vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        };
        let found = maps(&toy, toy_image(), 0, Weighting::Positionwise).unwrap();
        assert_eq!(found[0].evidence.data, [1.0, -2.0, 0.0, 0.0]);
        assert_eq!(found[0].grid.data, [1.0, 0.0, 0.0, 0.0]);
        let found = maps(&toy, toy_image(), 0, Weighting::Averaged).unwrap();
        assert!(found[0].map.data.iter().all(|&v| v == 0.0) && found[0].peak == 0.0);
        // Averaging lights what has no weight.
        toy.weights[1] = 0.0;
        let found = maps(&toy, toy_image(), 0, Weighting::Averaged).unwrap();
        assert_eq!(found[0].grid.data, [0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn what_the_network_has_not_or_cannot_say_is_an_error() {
        let mut toy = Toy {
            averaged: true,
            weights: vec![1.0, 1.0],
        };
        assert_eq!(
            maps(&toy, toy_image(), 1, Weighting::default()),
            Err(GradCamError::Output {
                output: 1,
                outputs: 1
            })
        );
        toy.weights[0] = f32::NAN;
        assert_eq!(
            maps(&toy, toy_image(), 0, Weighting::default()),
            Err(GradCamError::NotFinite)
        );
    }
}
