//! Time, geometry, planes and mailboxes: what every other room may use.

pub mod geometry;
pub mod latest;
pub mod notice;
pub mod plane;
pub mod stats;
pub mod time;

pub use geometry::{Point, Rect, Similarity};
pub use latest::{Latest, Mailbox};
pub use notice::{Notice, Severity};
pub use plane::Plane;
pub use time::{TimeSpan, Timestamp};
