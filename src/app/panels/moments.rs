//! Onset, apex and offset of an expression in words, for whoever points at its figures.

use crate::app::panels::source::{frames_in_words, grouped};
use crate::app::review::Review;
use crate::timeline::length;

/// A line a moment, and how long it lasts; `apex` is `None` where nobody has marked it.
#[must_use]
pub fn in_words(review: &Review, (onset, apex, offset): (u64, Option<u64>, u64)) -> String {
    let moment = |name: &str, frame: u64| {
        let clock = review.time_of(frame).clock();
        format!("{name} {clock}, frame {}", grouped(frame))
    };
    let apex = apex.map_or_else(|| "Apex not marked".to_owned(), |apex| moment("Apex", apex));
    let frames = offset.saturating_sub(onset) + 1;
    [
        moment("Onset", onset),
        apex,
        moment("Offset", offset),
        format!(
            "{} from onset to offset: {}",
            frames_in_words(frames),
            length::in_words(review.lasts(onset, offset))
        ),
    ]
    .join("\n")
}
