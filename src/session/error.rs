//! Why an analysis cannot start or go on.

use crate::spotting::ExpressionKind;

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Media(#[from] crate::media::MediaError),
    #[error(transparent)]
    Face(#[from] crate::face::FaceError),
    #[error(transparent)]
    Weights(#[from] crate::nn::weights::WeightsError),
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
    #[error("The {} network failed: {reason}. Try --device cpu, or analyse without weights", kind.name())]
    Network { kind: ExpressionKind, reason: String },
    #[error("Cannot start the analysis thread: {0}. Close other programs and try again")]
    Thread(std::io::Error),
}
