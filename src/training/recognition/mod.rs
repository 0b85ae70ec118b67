//! Training and evaluation of the networks that tell expressions apart by one flow
//! image: STSTNet and Off-ApexNet.

pub mod learner;
