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

mod cut;
mod evidence;
mod map;

use burn::tensor::Tensor;

use crate::base::Plane;
use crate::model::flow_classifier::FlowClassifier;

pub use cut::{Explainable, Lattice};
pub use evidence::Weighting;
pub(super) use evidence::{evidence, gradient, planes};
pub use map::ActivationMap;

use map::turned_back;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::sanity::{Dice, images, tensors};
    use crate::model::flow_classifier::{Architecture, FlowWeights};
    use crate::model::flow_input::{Normalizer, Scaling, VALUES, mirrored};
    use crate::model::ststnet::{self, Geometry, StstNet};
    use crate::nn::{NnDevice, parameters};
    use burn::tensor::Device;

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
