//! What stays on disk: the project file, result folders of an analysis and its printed
//! timeline, annotations in the files of other programs, and a report to hand on.

pub mod exchange;
pub mod file;
pub mod output;
pub mod plot;
pub mod report;
pub mod results;
pub mod second_opinions;

pub use output::{Batch, OutputError};
