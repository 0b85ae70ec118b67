//! The parameters of a network whose shapes depend on its options, with what they are
//! before the first update: [`Parameter`](crate::nn::parameters::Parameter) for sizes
//! that are not known until the program runs.

use crate::nn::parameters::{Start, Tensors};
use crate::nn::weights::WeightsTensor;

/// One parameter, as it stands in a weights file: convolutions as
/// `[filter, channel, row, column]`, dense layers as `[in, out]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub name: String,
    pub shape: Vec<usize>,
    pub start: Start,
    /// Whether gradients change it. Else it is measured, as a running mean is, or fixed.
    pub trained: bool,
}

impl Planned {
    /// How many numbers it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn trained(name: String, shape: &[usize], start: Start) -> Self {
        Self {
            name,
            shape: shape.to_vec(),
            start,
            trained: true,
        }
    }
}

/// 1/√(inputs of a node): PyTorch's start of convolutions and dense layers.
fn by_inputs(inputs: usize) -> Start {
    Start::Uniform {
        bound: (inputs as f64).sqrt().recip(),
    }
}

/// `weight` and `bias` of a convolution of this shape, as PyTorch starts it.
#[must_use]
pub fn convolution(name: &str, shape: [usize; 4]) -> Vec<Planned> {
    let start = by_inputs(shape[1..].iter().product());
    vec![
        Planned::trained(format!("{name}.weight"), &shape, start),
        Planned::trained(format!("{name}.bias"), &shape[..1], start),
    ]
}

/// `weight` and `bias` of a dense layer, as PyTorch starts it.
#[must_use]
pub fn dense(name: &str, inputs: usize, outputs: usize) -> Vec<Planned> {
    let start = by_inputs(inputs);
    vec![
        Planned::trained(format!("{name}.weight"), &[inputs, outputs], start),
        Planned::trained(format!("{name}.bias"), &[outputs], start),
    ]
}

/// `weight` of a convolution without bias that a normalisation follows, started with
/// the variance 2 / (outputs of a filter) of He et al. 2015, but evenly spread.
#[must_use]
pub fn convolution_before_norm(name: &str, shape: [usize; 4]) -> Vec<Planned> {
    let [filters, _, height, width] = shape;
    let start = Start::Uniform {
        bound: (6.0 / (filters * height * width) as f64).sqrt(),
    };
    vec![Planned::trained(format!("{name}.weight"), &shape, start)]
}

/// `scale`, `shift`, `mean` and `variance` of a
/// [`BatchNorm`](super::batch_norm::BatchNorm).
#[must_use]
pub fn batch_norm(name: &str, channels: usize) -> Vec<Planned> {
    [
        ("scale", 1.0, true),
        ("shift", 0.0, true),
        ("mean", 0.0, false),
        ("variance", 1.0, false),
    ]
    .into_iter()
    .map(|(part, start, trained)| Planned {
        name: format!("{name}.{part}"),
        shape: vec![channels],
        start: Start::Constant(start),
        trained,
    })
    .collect()
}

/// The same parameters as those of a part of a larger network.
#[must_use]
pub fn within(part: &str, mut plan: Vec<Planned>) -> Vec<Planned> {
    for planned in &mut plan {
        planned.name = format!("{part}.{}", planned.name);
    }
    plan
}

/// How many numbers the network learns.
#[must_use]
pub fn trained_numbers(plan: &[Planned]) -> usize {
    let trained = plan.iter().filter(|planned| planned.trained);
    trained.map(Planned::len).sum()
}

/// The parameters before the first update. `draw` gives, for the parameter at a place in
/// the plan, so many numbers evenly from −bound..bound.
#[must_use]
pub fn started(plan: &[Planned], mut draw: impl FnMut(usize, f64, usize) -> Vec<f32>) -> Tensors {
    let tensor = |(place, planned): (usize, &Planned)| {
        let values = match planned.start {
            Start::Constant(value) => vec![value; planned.len()],
            Start::Uniform { bound } => draw(place, bound, planned.len()),
        };
        let shape = planned.shape.clone();
        (planned.name.clone(), WeightsTensor { shape, values })
    };
    plan.iter().enumerate().map(tensor).collect()
}
