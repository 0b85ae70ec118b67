//! Annotations in the files of other programs, and back.
//!
//! | format | for | keeps |
//! |---|---|---|
//! | [`csv`] | tables; also reads `intervals.csv` and truth files | all of an annotation |
//! | [`eaf`] | ELAN | all of an annotation; what is changed in ELAN wins |
//! | [`megc`] | the challenges' scorers | intervals, kind or emotion |
//! | [`json`] | other programs | all of annotations and candidates, with times |
//!
//! Writers give text and readers take bytes: who calls them reads the file, and writes
//! with [`Batch`](super::output::Batch). Readers import what is good and list the rest
//! ([`Imported::problems`]); only a file that is not of its format at all is an error.

mod clock;
pub mod csv;
pub mod eaf;
mod imported;
pub mod json;
pub mod megc;
mod words;

pub use clock::Clock;
pub use imported::{Entry, Imported, Joined, Place, Problem, join, take_past_the_end};

use crate::timeline::Annotation;

/// One recording's annotations, with what writers need to say when they are.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// File or folder name without its path and ending.
    pub recording: &'a str,
    /// Of all coders and any status.
    pub annotations: &'a [Annotation],
    pub clock: &'a Clock,
}

#[cfg(test)]
mod samples;
