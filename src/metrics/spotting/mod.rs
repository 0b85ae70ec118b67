//! Precision, recall, F1 and AP of spotted intervals (MEGC: a spot is right when
//! its IoU with a truth is at least ½ on inclusive frame sets; counts are summed
//! over all recordings).
//!
//! [`Mode::Strict`] counts every recording, pairs one to one by IoU and ranks AP by
//! the peak score. [`Mode::Compat`] repeats the published evaluator, so that its
//! figures can be compared: see [`Mode`].

mod counts;
mod events;
mod files;

pub use counts::{Interval, Mode, Ranked, SpottingScore, Video, matches, score_videos};
pub use events::{EventRow, events_table};
pub use files::{IntervalRow, Role, ScoreError, SpottingReport, read_intervals, score_rows};
