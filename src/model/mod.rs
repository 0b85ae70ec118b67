//! One file a network, and the import of published checkpoints.

pub mod motion_sequence;
pub mod motion_tcn;
pub mod softnet;
pub mod softnet_keras;
