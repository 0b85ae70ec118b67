//! What stays on disk: the project file, result folders of an analysis and its printed
//! timeline, and annotations in the files of other programs.

pub mod exchange;
pub mod file;
pub mod output;
pub mod plot;
pub mod results;
pub mod second_opinions;

pub use output::{Batch, OutputError};
