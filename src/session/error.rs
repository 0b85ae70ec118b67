//! Why an analysis cannot start or go on.

use std::path::PathBuf;

use crate::spotting::ExpressionKind;

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Media(#[from] crate::media::MediaError),
    #[error(transparent)]
    Face(#[from] crate::face::FaceError),
    #[error(transparent)]
    Weights(#[from] crate::nn::weights::WeightsError),
    #[error("These weights are for {found}-expressions, not for {}-expressions. Pass them with --{found}-weights: {}", wanted.name(), path.display())]
    OtherKind {
        path: PathBuf,
        found: String,
        wanted: ExpressionKind,
    },
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
    #[error(transparent)]
    Flow(#[from] crate::motion::gpu::GpuFlowError),
    #[error(transparent)]
    NetworkDevice(#[from] crate::nn::device::NnDeviceError),
    #[error(transparent)]
    Network(#[from] crate::model::softnet::SoftNetError),
    #[error(
        "This program was built without the weights {network}. Train some with `onset train`, or choose a file of weights"
    )]
    NotShipped { network: String },
    #[error("MotionTCN could not be computed on this device: {reason}. Use --device cpu")]
    TemporalNetwork { reason: String },
    #[error(transparent)]
    Recognition(#[from] crate::recognition::ReaderError),
    #[error(transparent)]
    SecondLook(#[from] crate::recognition::SecondLookError),
    #[error(
        "These weights do not say from which score on something is an expression: {reason}. Choose weights that `onset train motion-tcn` wrote"
    )]
    Thresholds { reason: String },
    #[error(
        "The preset compat is OpenCV's flow to the last bit, which only the processor computes. Leave --device gpu out, or choose the preset exact"
    )]
    CompatOnCard,
    #[error(
        "A network on the processor cannot read what lies on the graphics card: this is a fault of the program, please report it and use --device cpu"
    )]
    InputElsewhere,
    #[error("Cannot start the analysis thread: {0}. Close other programs and try again")]
    Thread(std::io::Error),
}
