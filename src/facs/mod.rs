//! The Facial Action Coding System's words: action units, sides, intensities, and
//! the emotions that label sheets name.

mod action_unit;
mod class_set;
mod emotion;
mod sheet_cell;

pub use action_unit::{
    ActionUnit, Intensity, ScoredUnit, Side, UnitError, facs_score, parse_units, write_units,
};
pub use class_set::ClassSet;
pub use emotion::{Emotion, EmotionError, EmotionSet, ThreeClass};
pub use sheet_cell::{SheetUnits, parse_sheet_units};
