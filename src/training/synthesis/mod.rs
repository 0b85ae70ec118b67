//! The studio: what is filmed, how often and how strongly, and the folders it fills.
//!
//! A recipe states every distribution; a script is one recording drawn from it; a
//! folder holds the recordings with their labels. How faces look and move is
//! `media::synthetic`'s affair.

pub mod cast;
pub mod contact_sheet;
pub mod emotions;
pub mod folder;
pub mod recipe;
pub mod script;

mod expressions;
mod head;
mod lids_gaze_talk;
mod light;

pub use cast::{Cast, CastError, Skipped};
pub use contact_sheet::contact_sheet;
pub use folder::{Filmed, film};
pub use recipe::{Recipe, RecipeError};
pub use script::{Distractor, Script, ScriptedEvent};
