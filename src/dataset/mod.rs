//! Labelled data on disk: what `train` and `evaluate` read.

pub mod flow_images;
pub mod splits;
