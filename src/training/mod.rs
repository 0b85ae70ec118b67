//! From labelled data to weights: what the studio films, the trainers, evaluation by protocol.

pub mod checkpoint;
pub mod epochs;
pub mod expressions;
pub mod features;
pub mod folds;
pub mod optimizer;
pub mod patience;
pub mod progress;
pub mod random;
pub mod recognition;
pub mod schedule;
pub mod spotting;
pub mod start;
pub mod synthesis;
