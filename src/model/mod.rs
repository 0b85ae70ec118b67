//! One file a network, and the import of published checkpoints.

pub mod softnet;
pub mod softnet_keras;
