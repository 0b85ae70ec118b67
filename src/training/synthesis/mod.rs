//! The studio: what is filmed, how often and how strongly, and the folders it fills.
//!
//! A recipe states every distribution; a script is one recording drawn from it; a
//! folder holds the recordings with their labels. How faces look and move is
//! `media::synthetic`'s affair. Flow images ([`flow_images`]) have a recipe and a
//! skin of their own: they show micro-motion only, but need it true to tissue.

pub mod cast;
pub mod contact_sheet;
pub mod emotions;
pub mod flow_images;
pub mod flow_statistics;
pub mod folder;
pub mod recipe;
pub mod script;

mod drawn_face;
mod draws;
mod emotion_classes;
mod expressions;
mod face_retouch;
mod flow_camera;
mod flow_recipe;
mod flow_scene;
mod head;
mod lids_gaze_talk;
mod light;
mod muscles;
mod skin_mechanics;
mod stills;

pub use cast::{Cast, CastError, Skipped};
pub use contact_sheet::contact_sheet;
pub use folder::{Extras, FilmError, Filmed, film};
pub use recipe::{Recipe, RecipeError};
pub use script::{Distractor, Script, ScriptedEvent};
