//! How well a MotionTCN in training does on recordings that it is not trained on.

use burn::tensor::{Tensor, TensorData};

use super::{Lesson, cross_entropy, weights_of};
use crate::model::motion_sequence::{STEP_VALUES, compress};
use crate::model::motion_tcn::{MotionTcn, OUTPUTS};
use crate::nn::NnDevice;

/// The training's loss on whole recordings as they are: nothing varied, planted or
/// dropped, `stretch` steps at a time; the mean over all steps.
pub(super) fn loss(network: &MotionTcn, lessons: &[Lesson], stretch: usize) -> f64 {
    let device = NnDevice::flex().for_training();
    let (mut sum, mut all) = (0.0, 0_usize);
    for lesson in lessons {
        let values = lesson.sequence.values().chunks(stretch * STEP_VALUES);
        for (values, targets) in values.zip(lesson.targets.chunks(stretch)) {
            let steps = targets.len();
            let tensor = |values: Vec<f32>, width: usize| {
                let data = TensorData::new(values, [1, steps, width]);
                Tensor::<3>::from_data(data, device.handle())
            };
            let mut values = values.to_vec();
            compress(&mut values);
            let targets: Vec<f32> = targets.iter().flat_map(|t| t.0).collect();
            let weights = weights_of(&targets, &vec![1.0; steps]);
            let logits = network.forward(tensor(values, STEP_VALUES), None);
            let loss = cross_entropy(logits, tensor(targets, OUTPUTS), tensor(weights, OUTPUTS));
            sum += f64::from(loss.into_scalar::<f32>()) * steps as f64;
            all += steps;
        }
    }
    sum / all.max(1) as f64
}
