//! Training of networks that say what moved in an expression whose onset and apex are
//! known: labelled recordings to motion, motion to weights, weights to a report.

pub mod attention;
pub mod attention_report;
pub mod comparison;
pub mod contest;
pub mod corpus;
pub mod fitting;
mod kept;
pub mod networks;
mod pictures;
pub mod report;
pub mod trainer;
mod variation;
