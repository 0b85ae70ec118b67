//! The analysis of one recording from first frame to last: the same object for
//! the command line, the window and the trainer.

pub mod decoding;
pub mod device;
mod error;
pub mod facts;
pub mod handle;
mod known;
pub mod magnified_motion;
pub mod magnified_view;
pub mod magnifier;
pub mod moment_attention;
pub mod pace;
pub mod params;
pub mod pipeline;
pub mod played_face;
mod recognising;
mod remarks;
pub mod resources;
mod sameness;
pub mod scorer;
mod second_looking;
mod temporal;
pub mod views;
pub mod whole;
mod window_sample;

pub use error::SessionError;
pub use handle::{SessionHandle, SessionStatus};
pub use params::Params;
pub use recognising::QUICK_WIDEST;
pub use resources::Resources;
