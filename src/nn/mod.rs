//! What every network needs: a device to run on and files that hold its weights.

pub mod convolution;
pub mod device;
mod direct_convolution;
pub mod inventory;
pub mod members;
pub mod parameters;
pub mod pooling;
pub mod pytorch;
pub mod shipped;
pub mod upload;
pub mod weights;

pub use device::{NnDevice, NnDeviceError};
pub use inventory::WeightsSummary;
pub use weights::{Weights, WeightsCard, WeightsError};
