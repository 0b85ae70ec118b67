//! What the analysis tells, and the recording that keeps it.

pub mod decimate;
pub mod event;
pub mod recording;

pub use event::{Event, FrameRecord, ScoreSource};
pub use recording::Recording;
