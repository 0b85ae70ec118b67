//! Which places of the face speak for a unit, by the action-unit network.

use burn::tensor::{Tensor, TensorData};

use super::grad_cam::{ActivationMap, Explainable, GradCamError, Lattice, Weighting, evidence};
use super::integrated;
use crate::base::Plane;
use crate::model::au_flow::{AuFlow, AuReader, OF_UNIT};
use crate::model::flow_input::SIDE;
use crate::model::motion_map::{CHANNELS, MotionMap, is_face};

/// Outputs as [`AuFlow::forward`] orders them.
impl Explainable for AuFlow {
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

/// How the places that speak for a unit are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Gradients at the input, averaged while the motion grows from rest
    /// (`explain/integrated.rs`). The default: 28×28 places instead of 7×7. Of 50 drawn clips
    /// (`onset evaluate attention`) 88 % of what it shows lies where the face moved, of
    /// Grad-CAM's maps 47 %, and stilling the tenth of the face that it names first costs
    /// the unit's logit 4.6, Grad-CAM's tenth 3.8.
    #[default]
    Integrated,
    /// Grad-CAM at the last convolution.
    GradCam(Weighting),
}

/// The map of a motion for the unit at this place of the vocabulary: the members' mean
/// evidence that it acts, of the motion and, integrated, of its mirror image, as the
/// logit is a mean over both.
///
/// # Errors
/// A unit that the network does not have, numbers that are not finite, or a device that
/// fails.
pub fn of_reader(
    reader: &AuReader,
    map: &MotionMap,
    unit: usize,
    method: Method,
) -> Result<ActivationMap, GradCamError> {
    let output = OF_UNIT * unit;
    match method {
        Method::Integrated => {
            let mut sum = mean_of_members(reader, map, |member, image| {
                integrated::evidence(member, image, output)
            })?;
            let mirror = mean_of_members(reader, &map.mirrored(), |member, image| {
                integrated::evidence(member, image, output)
            })?;
            for y in 0..sum.height {
                let across = mirror.row(y).iter().rev();
                for (own, seen) in sum.row_mut(y).iter_mut().zip(across) {
                    *own = 0.5 * (*own + seen);
                }
            }
            Ok(integrated::map(&sum, is_face))
        }
        Method::GradCam(weighting) => {
            let found = mean_of_members(reader, map, |member, image| {
                let mut found = evidence(member, image, output, weighting)?;
                found.pop().ok_or(GradCamError::Independent)
            })?;
            let lattice = reader.members().first().map(Explainable::lattice);
            let lattice = lattice.ok_or(GradCamError::Independent)?;
            Ok(ActivationMap::of(found, lattice))
        }
    }
}

/// The mean of what the members find in one motion.
fn mean_of_members(
    reader: &AuReader,
    map: &MotionMap,
    evidence: impl Fn(&AuFlow, Tensor<4>) -> Result<Plane, GradCamError>,
) -> Result<Plane, GradCamError> {
    let mut values = Vec::new();
    map.append_compressed(&mut values);
    let data = TensorData::new(values, [1, CHANNELS, SIDE, SIDE]);
    let image: Tensor<4> = Tensor::from_data(data, reader.device().handle());
    let share = 1.0 / reader.members().len() as f32;
    let mut sum: Option<Plane> = None;
    for member in reader.members() {
        let found = evidence(member, image.clone())?;
        let sum = sum.get_or_insert_with(|| Plane::zeros(found.width, found.height));
        for (sum, value) in sum.data.iter_mut().zip(&found.data) {
            *sum += share * value;
        }
    }
    sum.ok_or(GradCamError::Independent)
}
