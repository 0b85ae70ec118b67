//! One file a network, and the import of published checkpoints.

pub mod au_flow;
pub mod batch_norm;
pub mod flow_classifier;
pub mod flow_framing;
pub mod flow_input;
pub mod flow_reduction;
pub mod layer_plan;
pub mod led;
pub mod led_resnet18;
pub mod led_sssnet;
pub mod motion_map;
pub mod motion_sequence;
pub mod motion_tcn;
pub mod off_apexnet;
pub mod resnet;
pub mod softnet;
pub mod softnet_keras;
pub mod sssn;
pub mod sssnet;
pub mod ststnet;
pub mod ststnet_pytorch;
pub mod ststnet_streams;
pub mod tsdn;
