//! A network's parameters by name: out of a Burn module and back into one.
//!
//! A parameter is named by its place in the module (`hidden.weight`), which is its
//! name in weights files and checkpoints too.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use super::weights::{WeightsTensor, of_shape};

/// What a parameter is before the first update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Evenly in −bound..bound.
    Uniform {
        bound: f64,
    },
    Constant(f32),
}

/// One parameter of a network, as it stands in a weights file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    pub shape: &'static [usize],
    pub start: Start,
}

impl Parameter {
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
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, WeightsTensor>;

/// Every float parameter of the module, trained or not, under its name.
///
/// # Errors
/// When the device fails.
pub fn tensors_of<M: Module>(module: &M) -> Result<Tensors, String> {
    let mut collector = Collector {
        place: Vec::new(),
        found: Ok(BTreeMap::new()),
    };
    module.visit(&mut collector);
    collector.found
}

/// The module with the values of `tensors`, each under its name. Whether a parameter
/// is trained stays as it is in the module.
///
/// # Errors
/// Names a tensor that is missing or of another shape. Further tensors are ignored.
pub fn with_tensors<M: Module>(module: M, tensors: &Tensors) -> Result<M, String> {
    let mut loader = Loader {
        place: Vec::new(),
        tensors,
        wrong: None,
    };
    let module = module.map(&mut loader);
    match loader.wrong {
        Some(reason) => Err(reason),
        None => Ok(module),
    }
}

/// `tensors` with some of them replaced by another network's: `theirs` gives the name
/// there, `None` for what stays as it is.
///
/// # Errors
/// Names the tensor that is missing there, or that has another shape.
pub fn replaced(
    mut tensors: Tensors,
    other: &Tensors,
    theirs: impl Fn(&str) -> Option<String>,
) -> Result<Tensors, String> {
    for (name, tensor) in &mut tensors {
        if let Some(theirs) = theirs(name) {
            tensor.clone_from(of_shape(other, &theirs, &tensor.shape)?);
        }
    }
    Ok(tensors)
}

/// The values of a tensor on any device, row by row.
///
/// # Errors
/// When the device fails.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Result<WeightsTensor, String> {
    let shape = tensor.dims().to_vec();
    match tensor.try_into_vec_as::<f32>() {
        Ok(values) => Ok(WeightsTensor { shape, values }),
        Err(error) => Err(error.to_string()),
    }
}

struct Collector {
    place: Vec<String>,
    found: Result<Tensors, String>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.place.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(found) = &mut self.found else { return };
        match read(param.val()) {
            Ok(tensor) => {
                found.insert(self.place.join("."), tensor);
            }
            Err(reason) => self.found = Err(reason),
        }
    }
}

struct Loader<'a> {
    place: Vec<String>,
    tensors: &'a Tensors,
    wrong: Option<String>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.place.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.place.join(".");
        let shape = param.dims().to_vec();
        match of_shape(self.tensors, &name, &shape) {
            Ok(stored) => {
                let data = TensorData::new(stored.values.clone(), shape);
                param.map(|old| {
                    let new = Tensor::from_data(data, &old.device());
                    new.set_require_grad(old.is_require_grad())
                })
            }
            Err(reason) => {
                self.wrong.get_or_insert(reason);
                param
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    #[test]
    fn parameters_go_out_by_name_and_come_back() {
        let device = Device::flex();
        let first = LinearConfig::new(3, 2).init(&device);
        let tensors = tensors_of(&first).unwrap();
        assert_eq!(tensors.keys().collect::<Vec<_>>(), ["bias", "weight"]);
        assert_eq!(tensors["weight"].shape, [3, 2]);
        let second = with_tensors(LinearConfig::new(3, 2).init(&device), &tensors).unwrap();
        assert_eq!(tensors_of(&second).unwrap(), tensors);
        let trained = LinearConfig::new(3, 2).init(&device.autodiff());
        let trained = with_tensors(trained, &tensors).unwrap();
        assert!(trained.weight.is_require_grad());
    }

    #[test]
    fn a_missing_and_a_reshaped_tensor_are_named() {
        let device = Device::flex();
        let module = LinearConfig::new(3, 2).init(&device);
        let mut tensors = tensors_of(&module).unwrap();
        tensors.remove("bias");
        let wrong = with_tensors(module.clone(), &tensors).err().unwrap();
        assert_eq!(wrong, "the tensor 'bias' is missing");
        let other = tensors_of(&LinearConfig::new(2, 2).init(&device)).unwrap();
        let wrong = with_tensors(module, &other).err().unwrap();
        assert!(wrong.contains("'weight' has shape [2, 2] instead of [3, 2]"));
    }

    #[test]
    fn what_is_named_is_taken_from_the_other_network_and_the_rest_stays() {
        let tensor = |value: f32, count: usize| WeightsTensor {
            shape: vec![count],
            values: vec![value; count],
        };
        let tensors = |names: [(&str, WeightsTensor); 2]| -> Tensors {
            names.map(|(name, t)| (name.to_owned(), t)).into()
        };
        let own = tensors([("front.a", tensor(1.0, 2)), ("head.a", tensor(2.0, 3))]);
        let theirs = |name: &str| Some(format!("net.{}", name.strip_prefix("front.")?));
        let other = tensors([("net.a", tensor(5.0, 2)), ("head.a", tensor(6.0, 3))]);
        let joined = replaced(own.clone(), &other, theirs).unwrap();
        assert_eq!(joined["front.a"], tensor(5.0, 2));
        assert_eq!(joined["head.a"], tensor(2.0, 3));
        let other = tensors([("net.a", tensor(5.0, 3)), ("net.b", tensor(5.0, 2))]);
        let wrong = replaced(own, &other, theirs).unwrap_err();
        assert_eq!(wrong, "the tensor 'net.a' has shape [3] instead of [2]");
    }
}
