//! What is kept of a recording over time, and how hours of it are drawn.

pub mod decimate;
