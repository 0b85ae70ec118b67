//! What stays on disk: result folders of an analysis and its printed timeline.

pub mod output;
pub mod plot;
pub mod results;
pub mod second_opinions;

pub use output::{Batch, OutputError};
