//! What the results are worth, by the definitions the field uses.

pub mod agreement;
pub mod apex;
pub mod multilabel;
pub mod recognition;
pub mod recognition_file;
pub mod spotting;
pub mod strs;
