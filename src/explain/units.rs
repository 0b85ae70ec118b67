//! Grad-CAM of the action-unit network: which places of the face speak for a unit.

use burn::tensor::{Tensor, TensorData};

use super::grad_cam::{ActivationMap, Explainable, GradCamError, Lattice, Weighting, evidence};
use crate::base::Plane;
use crate::model::au_flow::{AuFlow, AuReader, OF_UNIT};
use crate::model::flow_input::SIDE;
use crate::model::motion_map::{CHANNELS, MotionMap};

/// Outputs as [`AuFlow::forward`] orders them.
impl Explainable for AuFlow {
    fn lattice(&self) -> Lattice {
        Lattice {
            side: SIDE,
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

/// The map of a motion for the unit at this place of the vocabulary: the members' mean
/// evidence that it acts.
///
/// # Errors
/// A unit that the network does not have, numbers that are not finite, or a device that
/// fails.
pub fn of_reader(
    reader: &AuReader,
    map: &MotionMap,
    unit: usize,
    weighting: Weighting,
) -> Result<ActivationMap, GradCamError> {
    let mut values = Vec::new();
    map.append_compressed(&mut values);
    let data = TensorData::new(values, [1, CHANNELS, SIDE, SIDE]);
    let image: Tensor<4> = Tensor::from_data(data, reader.device().handle());
    let mut sum: Option<(Plane, Lattice)> = None;
    let share = 1.0 / reader.members().len() as f32;
    for member in reader.members() {
        for evidence in evidence(member, image.clone(), OF_UNIT * unit, weighting)? {
            let empty = || {
                (
                    Plane::zeros(evidence.width, evidence.height),
                    member.lattice(),
                )
            };
            let (sum, _) = sum.get_or_insert_with(empty);
            for (sum, value) in sum.data.iter_mut().zip(&evidence.data) {
                *sum += share * value;
            }
        }
    }
    let (evidence, lattice) = sum.ok_or(GradCamError::Independent)?;
    Ok(ActivationMap::of(evidence, lattice))
}
