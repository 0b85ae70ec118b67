//! How kinds, states and candidates are spelled in files.

use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::annotation::Candidate;

/// Our own words, and those of the databases and challenges.
pub(super) fn kind(text: &str) -> Option<ExpressionKind> {
    match text.trim().to_ascii_lowercase().as_str() {
        "macro" | "mae" | "macro-expression" | "macroexpression" => Some(ExpressionKind::Macro),
        "micro" | "me" | "micro-expression" | "microexpression" => Some(ExpressionKind::Micro),
        _ => None,
    }
}

pub(super) const fn status_name(status: IntervalStatus) -> &'static str {
    match status {
        IntervalStatus::Proposed => "proposed",
        IntervalStatus::Accepted => "accepted",
        IntervalStatus::Rejected => "rejected",
    }
}

pub(super) fn status(text: &str) -> Option<IntervalStatus> {
    use IntervalStatus::{Accepted, Proposed, Rejected};
    let text = text.trim().to_ascii_lowercase();
    [Proposed, Accepted, Rejected]
        .into_iter()
        .find(|&s| status_name(s) == text)
}

/// `micro:10:14:20`, the kind and frames as spotted; its score has a place of its own.
pub(super) fn candidate_text(c: &Candidate) -> String {
    format!("{}:{}:{}:{}", c.kind.name(), c.onset, c.apex, c.offset)
}

pub(super) fn candidate(text: &str, score: f64) -> Option<Candidate> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [named, onset, apex, offset] = parts[..] else {
        return None;
    };
    Some(Candidate {
        kind: kind(named)?,
        onset: onset.parse().ok()?,
        apex: apex.parse().ok()?,
        offset: offset.parse().ok()?,
        score,
    })
}

/// 1 (guessed) to 5 (certain).
pub(super) fn confidence(text: &str) -> Option<u8> {
    let sure = text.trim().parse().ok();
    sure.filter(|sure| (1..=5).contains(sure))
}
