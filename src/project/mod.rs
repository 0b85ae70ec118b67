//! What stays on disk: the project file with the whole analysis in it, result folders of
//! an analysis and its printed timeline, annotations in the files of other programs, and
//! reports and clips to hand on; and the queue of recordings that are analysed into such
//! folders with nobody watching.

pub mod clip;
pub mod exchange;
pub mod file;
pub mod filing;
pub mod kept;
pub mod output;
pub mod plot;
pub mod report;
pub mod result_folder;
pub mod results;
pub mod second_opinions;
pub mod unattended;

pub use output::{Batch, OutputError};
