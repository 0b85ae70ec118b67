//! Onset sees micro-expressions as they happen.
//!
//! Modules stand in data order: each imports only what stands above it.

pub mod base;
pub mod face;
pub mod media;
pub mod motion;
pub mod spotting;
