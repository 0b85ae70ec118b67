//! Grad-CAM: which places of its input speak for a network's output (Selvaraju,
//! Cogswell, Das, Vedantam, Parikh, Batra, ICCV 2017).
//!
//! A network is cut at its last convolution. What lies behind the cut is differentiated
//! by what comes in there, and activations times gradients, summed over the maps, are
//! the *evidence* of each cell. There are two ways to weigh, [`Weighting`]; which of
//! them tells the truth depends on what lies behind the cut.
//!
//! The activations are taken pooled, as the rest of the network reads them. Before the
//! pooling only the one place of each field that wins has a gradient, and the map would
//! be a scatter of points.
//!
//! A map is no finer than the cells of that convolution; for action units, whose motion is
//! smaller than they are, [`super::units`] shows integrated gradients instead.
//!
//! A map says what moved the network, not that the network is right: look at it beside
//! the measured motion. `explain/sanity.rs` holds what it must stand (Adebayo et al.,
//! NeurIPS 2018): other weights give another map, and motion that decides lights up
//! while motion that does not stays dark.

use burn::tensor::Tensor;

use crate::base::Plane;
use crate::model::flow_classifier::{FlowClassifier, Member};
use crate::model::flow_input;
use crate::model::off_apexnet::OffApexNet;
use crate::model::softnet::{self, SoftNet};
use crate::model::ststnet::StstNet;
use crate::nn::parameters;

/// Why there is no map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GradCamError {
    #[error("output {output} was asked for, and the network has 0..{outputs}")]
    Output { output: usize, outputs: usize },
    #[error("the network's outputs do not depend on what its last convolution sees")]
    Independent,
    #[error("what the network computed is not finite: the images or the weights are damaged")]
    NotFinite,
    #[error("the map could not be computed on this device: {reason}. Use --device cpu")]
    Device { reason: String },
}

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
        Lattice {
            side: flow_input::SIDE,
            // Cells of 4×4 pixels.
            first: 1.5,
            step: 4.0,
            bands: 1,
        }
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

/// What speaks for one output of a network, by place.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationMap {
    /// For (above 0) and against (below 0) the output, in units of it, on the grid of
    /// the last convolution.
    pub evidence: Plane,
    /// The evidence for it alone, over the greatest: 0..1 on the same grid.
    pub grid: Plane,
    /// The same between the cells by straight lines, at the input's size, 0..1.
    pub map: Plane,
    /// The greatest evidence, in units of the output. Where it is 0 nothing speaks for
    /// the output and the map is dark. Maps of different images have different peaks:
    /// equally bright is not equally strong.
    pub peak: f32,
}

impl ActivationMap {
    /// From evidence on the cells of `lattice`.
    #[must_use]
    pub fn of(evidence: Plane, lattice: Lattice) -> Self {
        let peak = evidence.data.iter().copied().fold(0.0_f32, f32::max);
        let share = |&value: &f32| {
            if peak > 0.0 {
                value.max(0.0) / peak
            } else {
                0.0
            }
        };
        let grid = Plane::from_vec(
            evidence.width,
            evidence.height,
            evidence.data.iter().map(share).collect(),
        );
        Self {
            map: spread(&grid, lattice),
            evidence,
            grid,
            peak,
        }
    }

    /// The share of the map's mass at pixels for which this holds, 0..1; 0 where the map
    /// is dark. Columns and rows of the input count from 0.
    #[must_use]
    pub fn share_within(&self, inside: impl Fn(usize, usize) -> bool) -> f64 {
        let (mut within, mut whole) = (0.0, 0.0);
        for y in 0..self.map.height {
            for (x, &value) in self.map.row(y).iter().enumerate() {
                whole += f64::from(value);
                within += if inside(x, y) { f64::from(value) } else { 0.0 };
            }
        }
        if whole > 0.0 { within / whole } else { 0.0 }
    }
}

/// The maps of each image for one output of the network, numbered from 0. The network
/// may lie on a plain device: only what comes behind the cut is differentiated, and its
/// weights are constants.
///
/// # Shapes
/// - `images`: `[batch, channel, row, column]`, as the network reads them
/// - result: one map an image
///
/// # Errors
/// [`GradCamError`]: an output that the network does not have, numbers that are not
/// finite, or a device that fails.
pub fn maps<N: Explainable>(
    network: &N,
    images: Tensor<4>,
    output: usize,
    weighting: Weighting,
) -> Result<Vec<ActivationMap>, GradCamError> {
    let lattice = network.lattice();
    let found = evidence(network, images, output, weighting)?;
    Ok(found
        .into_iter()
        .map(|evidence| ActivationMap::of(evidence, lattice))
        .collect())
}

/// The map of one flow image for a class, 0..3, as the classifier decides: the evidence
/// is averaged over its members, and over the mirrored face's where it looks at that
/// too, turned back.
///
/// # Shapes
/// - `image`: strain, v, u of 28×28 values 0..255 each
///
/// # Errors
/// As [`maps`].
pub fn of_classifier(
    classifier: &FlowClassifier,
    image: &[f32],
    class: usize,
    weighting: Weighting,
) -> Result<ActivationMap, GradCamError> {
    let mut sum: Option<(Plane, Lattice)> = None;
    let views = classifier.views(image);
    let opinions = (views.len() * classifier.members().len()) as f32;
    for (view, images) in views.into_iter().enumerate() {
        for member in classifier.members() {
            let lattice = member.lattice();
            for evidence in evidence(member, images.clone(), class, weighting)? {
                let evidence = if view == 0 {
                    evidence
                } else {
                    turned_back(&evidence, lattice)
                };
                let (sum, _) = sum.get_or_insert_with(|| {
                    (Plane::zeros(evidence.width, evidence.height), lattice)
                });
                for (sum, value) in sum.data.iter_mut().zip(&evidence.data) {
                    *sum += value / opinions;
                }
            }
        }
    }
    let (evidence, lattice) = sum.ok_or(GradCamError::Independent)?;
    Ok(ActivationMap::of(evidence, lattice))
}

/// Activations times gradients, summed over the maps, for each image.
pub(super) fn evidence<N: Explainable>(
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
pub(super) fn gradient(
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
pub(super) fn planes(evidence: Tensor<4>) -> Result<Vec<Plane>, GradCamError> {
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

/// From cells to the pixels of the input, by straight lines between the cells' centres;
/// beyond the outermost centres their values go on.
fn spread(grid: &Plane, lattice: Lattice) -> Plane {
    let Lattice {
        side, first, step, ..
    } = lattice;
    let mut map = Plane::zeros(side, side);
    for y in 0..side {
        let band = y * lattice.bands / side;
        let top = band * grid.height / lattice.bands;
        let bottom = (band + 1) * grid.height / lattice.bands - 1;
        let row = ((y as f32 - first) / step).clamp(top as f32, bottom as f32);
        for (x, value) in map.row_mut(y).iter_mut().enumerate() {
            *value = grid.bilinear((x as f32 - first) / step, row);
        }
    }
    map
}

/// Evidence on the mirrored image, brought to the cells of the image itself. A lattice
/// that is not centred on the image has no cell just across, so it is interpolated.
fn turned_back(evidence: &Plane, lattice: Lattice) -> Plane {
    let mut turned = evidence.clone();
    let last = (lattice.side - 1) as f32;
    for y in 0..evidence.height {
        for (x, value) in turned.row_mut(y).iter_mut().enumerate() {
            let at = lattice.first + lattice.step * x as f32;
            let across = (last - at - lattice.first) / lattice.step;
            *value = evidence.bilinear(across, y as f32);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::sanity::{Dice, images, softnet, tensors};
    use crate::model::flow_classifier::{Architecture, FlowWeights};
    use crate::model::flow_input::{Normalizer, Scaling, VALUES, mirrored};
    use crate::model::off_apexnet;
    use crate::model::ststnet::{self, Geometry};
    use crate::nn::NnDevice;
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

    #[test]
    fn a_cell_lights_where_it_lies_and_no_band_shines_into_the_next() {
        let mut grid = Plane::zeros(4, 4);
        grid.row_mut(1)[2] = 1.0;
        let lattice = Lattice {
            side: 12,
            first: 1.0,
            step: 3.0,
            bands: 1,
        };
        let map = spread(&grid, lattice);
        assert_eq!(map.at(7, 4), 1.0);
        assert!((map.at(8, 4) - 2.0 / 3.0).abs() < 1e-6);
        assert!((map.at(7, 6) - 1.0 / 3.0).abs() < 1e-6);
        let two = spread(
            &grid,
            Lattice {
                bands: 2,
                ..lattice
            },
        );
        assert_eq!((two.at(7, 5), two.at(7, 6)), (1.0, 0.0));
        assert_eq!(turned_back(&grid, lattice).at(1, 1), 1.0);
    }

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

    /// Behind STSTNet's cut all is straight, so what an image's cells say more than
    /// another's is what its logit is higher. On a training's device it is the same.
    #[test]
    fn the_evidence_of_all_cells_makes_up_the_logit() {
        let mut dice = Dice(5);
        let drawn = tensors(&ststnet::PARAMETERS, &mut dice);
        for device in [Device::flex(), Device::flex().autodiff()] {
            let network = StstNet::from_tensors(&drawn, Geometry::Wide, &device).unwrap();
            let batch = images(&mut Dice(6), 2, 28, &device);
            let logits = network.forward(batch.clone()).inner();
            let logits = parameters::read(logits).unwrap().values;
            for class in 0..3 {
                let found = maps(&network, batch.clone(), class, Weighting::default()).unwrap();
                let sum = |map: &ActivationMap| map.evidence.data.iter().sum::<f32>();
                let said = sum(&found[0]) - sum(&found[1]);
                let higher = logits[class] - logits[3 + class];
                assert!((said - higher).abs() < 1e-4, "{said} {higher}");
            }
        }
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

    #[test]
    fn a_classifier_that_mirrors_sees_the_mirrored_face_mirrored() {
        let device = NnDevice::flex();
        let mut dice = Dice(12);
        let members = [(); 2].map(|()| tensors(&ststnet::PARAMETERS, &mut dice));
        let classifier = |mirror: bool| {
            let weights = FlowWeights {
                architecture: Architecture::StstNet(Geometry::Same),
                normalizer: Normalizer::new(Scaling::Robust, None).unwrap(),
                mirror,
                members: members.to_vec(),
            };
            FlowClassifier::new(&weights, &device).unwrap()
        };
        let image: Vec<f32> = (0..VALUES).map(|_| 255.0 * dice.unit()).collect();
        let both = classifier(true);
        let map = |image: &[f32]| of_classifier(&both, image, 2, Weighting::default()).unwrap();
        let (seen, turned) = (map(&image), map(&mirrored(&image)));
        for y in 0..10 {
            for x in 0..10 {
                let across = turned.evidence.at(9 - x, y);
                assert!((seen.evidence.at(x, y) - across).abs() < 1e-4);
            }
        }
        assert_eq!((seen.map.width, seen.map.height), (28, 28));
        let alone = of_classifier(&classifier(false), &image, 2, Weighting::default()).unwrap();
        assert_ne!(alone.evidence, seen.evidence);
        // The opinions are those that the classifier joins: the mean of logarithms.
        let opinions = both.opinions(&image).unwrap();
        assert_eq!(opinions.len(), 4);
        let joint = both.probabilities(&[&image]).unwrap()[0];
        let log = |class: usize| opinions.iter().map(|o| o[class].ln()).sum::<f32>() / 4.0;
        let ratio = joint[0].ln() - joint[1].ln();
        assert!((log(0) - log(1) - ratio).abs() < 1e-4);
    }
}
