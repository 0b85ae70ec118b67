//! Where each network is cut, and where the cells of its last convolution lie.

use burn::tensor::Tensor;

use crate::model::flow_classifier::Member;
use crate::model::flow_input;
use crate::model::off_apexnet::OffApexNet;
use crate::model::softnet::{self, SoftNet};
use crate::model::ststnet::StstNet;

/// Where the cells of the last convolution lie on a network's square input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    /// Side of the input in pixels.
    pub side: usize,
    /// Where the first row and column of cells are centred, in pixels of the input
    /// (pixel centres are whole).
    pub first: f32,
    /// From one cell to the next, in pixels of the input.
    pub step: f32,
    /// Into how many bands of rows, equally high, the input falls that show different
    /// parts of the face; nothing is interpolated across their edges.
    pub bands: usize,
}

impl Lattice {
    /// Of flow images of 28×28 pixels after two poolings by two: each cell stands for 4×4.
    pub(in crate::explain) const OF_POOLED_FLOW: Self = Self {
        side: flow_input::SIDE,
        first: 1.5,
        step: 4.0,
        bands: 1,
    };
}

/// A network that can be cut at its last convolution.
///
/// [`Self::outputs`] of [`Self::features`] is what the network gives outside of a
/// training, and no image of a batch changes what another one gives.
pub trait Explainable {
    /// Where the features' cells lie on the input.
    fn lattice(&self) -> Lattice;

    /// # Shapes
    /// - `images`: as the network reads them
    /// - result: `[batch, map, row, column]`, the activations of the last convolution
    fn features(&self, images: Tensor<4>) -> Tensor<4>;

    /// # Shapes
    /// - `features`: as [`Self::features`] gives them
    /// - result: `[batch, output]`, logits or scores before any normalisation
    fn outputs(&self, features: Tensor<4>) -> Tensor<2>;
}

/// Three outputs: negative, positive, surprise.
impl Explainable for StstNet {
    fn lattice(&self) -> Lattice {
        Lattice {
            side: flow_input::SIDE,
            // The first field's middle is the first place of the filter, whose own
            // middle lies so far inside or outside of the image.
            first: 1.0 - self.geometry().padding() as f32,
            step: 3.0,
            bands: 1,
        }
    }

    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        self.features(images)
    }

    fn outputs(&self, features: Tensor<4>) -> Tensor<2> {
        self.logits_of_features(features)
    }
}

/// Three outputs: negative, positive, surprise. The maps of u and v lie over each other.
impl Explainable for OffApexNet {
    fn lattice(&self) -> Lattice {
        Lattice::OF_POOLED_FLOW
    }

    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        self.features(images)
    }

    fn outputs(&self, features: Tensor<4>) -> Tensor<2> {
        self.logits_of_features(features, None)
    }
}

/// One output: the score.
impl Explainable for SoftNet {
    fn lattice(&self) -> Lattice {
        Lattice {
            side: softnet::SIDE,
            // Cells of 3×3 pixels; brows above mouth.
            first: 1.0,
            step: 3.0,
            bands: 2,
        }
    }

    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        self.streams(images)
    }

    fn outputs(&self, features: Tensor<4>) -> Tensor<2> {
        self.score_of_streams(features)
    }
}

impl Explainable for Member {
    fn lattice(&self) -> Lattice {
        match self {
            Self::StstNet(network) => network.lattice(),
            Self::OffApexNet(network) => network.lattice(),
        }
    }

    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Self::StstNet(network) => network.features(images),
            Self::OffApexNet(network) => network.features(images),
        }
    }

    fn outputs(&self, features: Tensor<4>) -> Tensor<2> {
        match self {
            Self::StstNet(network) => network.outputs(features),
            Self::OffApexNet(network) => network.outputs(features),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Plane;
    use crate::explain::sanity::{Dice, images, softnet, tensors};
    use crate::model::off_apexnet;
    use crate::model::ststnet::{self, Geometry};
    use crate::nn::parameters;
    use burn::tensor::{Device, TensorData};

    /// Cut and joined again, a network gives what it gives uncut.
    #[test]
    fn the_two_parts_of_each_network_are_the_network() {
        fn same(parts: Tensor<2>, whole: Tensor<2>) {
            let (parts, whole) = (
                parameters::read(parts).unwrap(),
                parameters::read(whole).unwrap(),
            );
            assert_eq!(parts.shape, whole.shape);
            for (a, b) in parts.values.iter().zip(&whole.values) {
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{a} {b}");
            }
        }
        let device = Device::flex();
        let mut dice = Dice(3);
        let batch = images(&mut dice, 3, 28, &device);
        for geometry in [Geometry::Same, Geometry::Wide] {
            let mut drawn = tensors(&ststnet::PARAMETERS, &mut dice);
            for (i, scale) in drawn
                .get_mut("norm.scale")
                .unwrap()
                .values
                .iter_mut()
                .enumerate()
            {
                *scale = [-0.7, 1.3, 0.4][i % 3];
            }
            drawn.get_mut("norm.mean").unwrap().values.fill(0.3);
            let network = StstNet::from_tensors(&drawn, geometry, &device).unwrap();
            let parts = network.outputs(Explainable::features(&network, batch.clone()));
            same(parts, network.forward(batch.clone()));
        }
        let drawn = tensors(&off_apexnet::PARAMETERS, &mut dice);
        let network = OffApexNet::from_tensors(&drawn, &device).unwrap();
        let parts = network.outputs(Explainable::features(&network, batch.clone()));
        same(parts, network.forward(batch, None));
        let network = softnet(&mut dice);
        let batch = images(&mut dice, 2, 42, &device);
        let parts = network.outputs(Explainable::features(&network, batch.clone()));
        same(parts, network.forward(batch));
    }

    /// One pixel in the middle of STSTNet's fields stirs that field alone; a cell's own
    /// pixels stir SOFTNet's and Off-ApexNet's most about that cell.
    #[test]
    fn the_lattices_say_where_the_cells_lie() {
        fn stirred<N: Explainable>(network: &N, cell: usize, reach: f32) -> Plane {
            let Lattice {
                side, first, step, ..
            } = network.lattice();
            let (low, high) = (
                first + step * cell as f32 - reach,
                first + step * cell as f32 + reach,
            );
            let within = |at: usize| (low..=high).contains(&(at as f32));
            let values = (0..3 * side * side)
                .map(|i| f32::from(within(i % side) && within(i / side % side)))
                .collect::<Vec<f32>>();
            let data = TensorData::new(values, [1, 3, side, side]);
            let device = Device::flex();
            let still = network.features(Tensor::zeros([1, 3, side, side], &device));
            let moved = network.features(Tensor::from_data(data, &device));
            let change = parameters::read((moved - still).abs().sum_dim(1)).unwrap();
            Plane::from_vec(change.shape[3], change.shape[2], change.values)
        }
        fn middle(plane: &Plane) -> (f32, f32) {
            let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
            for (i, value) in plane.data.iter().enumerate() {
                x += value * (i % plane.width) as f32;
                y += value * (i / plane.width) as f32;
                sum += value;
            }
            (x / sum, y / sum)
        }
        let device = Device::flex();
        let mut dice = Dice(9);
        for geometry in [Geometry::Same, Geometry::Wide] {
            let drawn = tensors(&ststnet::PARAMETERS, &mut dice);
            let network = StstNet::from_tensors(&drawn, geometry, &device).unwrap();
            let change = stirred(&network, 4, 0.0);
            for (i, &value) in change.data.iter().enumerate() {
                assert_eq!(value > 1e-6, i == 44, "{geometry:?}: cell {i}");
            }
        }
        let near = |(x, y): (f32, f32), cell: f32| {
            assert!((x - cell).abs() < 0.4 && (y - cell).abs() < 0.4, "{x} {y}");
        };
        near(middle(&stirred(&softnet(&mut dice), 6, 1.0)), 6.0);
        let drawn = tensors(&off_apexnet::PARAMETERS, &mut dice);
        let network = OffApexNet::from_tensors(&drawn, &device).unwrap();
        near(middle(&stirred(&network, 3, 1.5)), 3.0);
    }
}
