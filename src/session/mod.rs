//! The analysis of one recording from first frame to last: the same object for
//! the command line, the window and the trainer.

pub mod handle;
pub mod params;
pub mod views;

pub use handle::{SessionHandle, SessionStatus};
pub use params::Params;
