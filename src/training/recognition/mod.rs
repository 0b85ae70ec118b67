//! Training and evaluation of the networks that tell expressions apart by one flow
//! image: STSTNet and Off-ApexNet.

pub mod augment;
pub mod learner;
pub mod protocol;
pub mod recipe;
pub mod report;
pub mod trainer;
