//! One file a network, and the import of published checkpoints.
//!
//! | reads | networks |
//! |---|---|
//! | windows of motion, for spotting | SOFTNet ([`softnet`]), MotionTCN ([`motion_tcn`]) |
//! | the flow from onset to apex | STSTNet ([`ststnet`]), Off-ApexNet ([`off_apexnet`]), SSSNet ([`sssnet`]), SSSN and DSSN ([`sssn`]), AU-Flow ([`au_flow`]) |
//! | a few frames | LED-SSSNet ([`led_sssnet`]), LED-ResNet-18 ([`led_resnet18`]), both behind the layer of [`led`] |
//! | onset and apex as pictures | TSDN ([`tsdn`]), UAMRN ([`uamrn`]), MoExt ([`moext`]) |
//!
//! The last two kinds and SSSN are read and run alike ([`expression_network`]) on the
//! same [`face_pictures`] and answer in the same way ([`outputs`]).
//!
//! Parts that several share: [`resnet`] and its front ([`resnet_front`]), attention
//! ([`lsh_attention`]), [`batch_norm`], and parameters by plan ([`layer_plan`]).

pub mod au_flow;
pub mod batch_norm;
mod card_settings;
pub mod expression_network;
pub mod face_pictures;
pub mod flow_classifier;
pub mod flow_framing;
pub mod flow_input;
pub mod flow_reduction;
pub mod layer_plan;
pub mod led;
pub mod led_resnet18;
pub mod led_sssnet;
pub mod lsh_attention;
pub mod moext;
pub mod motion_map;
pub mod motion_sequence;
pub mod motion_tcn;
pub mod off_apexnet;
pub mod outputs;
pub mod resnet;
pub mod resnet_front;
pub mod softnet;
pub mod softnet_keras;
pub mod sssn;
pub mod sssnet;
pub mod ststnet;
pub mod ststnet_pytorch;
pub mod ststnet_streams;
pub mod tsdn;
pub mod uamrn;
