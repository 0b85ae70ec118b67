//! One file a network, and the import of published checkpoints.

pub mod au_flow;
pub mod flow_classifier;
pub mod flow_framing;
pub mod flow_input;
pub mod flow_reduction;
pub mod motion_map;
pub mod motion_sequence;
pub mod motion_tcn;
pub mod off_apexnet;
pub mod softnet;
pub mod softnet_keras;
pub mod ststnet;
pub mod ststnet_pytorch;
pub mod ststnet_streams;
