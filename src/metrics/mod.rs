//! What the results are worth, by the definitions the field uses.

pub mod recognition;
pub mod spotting;
