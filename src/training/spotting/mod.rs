//! Training of what scores spotting: MotionTCN and SOFTNet, from recordings with
//! labelled intervals.

pub mod corpus;
pub mod course;
pub mod judge;
pub mod planted;
pub mod protocol;
pub mod report;
pub mod softnet;
pub mod tcn;
pub mod trial;
pub mod turned;
pub mod variation;
