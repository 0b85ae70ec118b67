//! What the analysis tells, and the recording that keeps it.

pub mod annotation;
pub mod decimate;
pub mod event;
pub mod length;
pub mod recording;

pub use annotation::{Annotation, AnnotationId};
pub use event::{Event, FrameRecord, ScoreSource};
pub use recording::Recording;
