//! One HTML file that tells a recording's analysis and coding: for a study's files, a
//! colleague, or the printer.
//!
//! It opens without a network: style, drawings and pictures are inside, and there is no
//! script. [`Report`] is plain data, [`Report::html`] writes it, and
//! [`Report::of_recording`] fills it from what the window and the command line know:
//!
//! ```text
//! Pictures::wanted → the caller reads those frames → Pictures::keep
//!                  → Report::of_recording → Report::html
//! ```
//!
//! | file | what it writes |
//! |---|---|
//! | `html` | the document around everything, summary, how it was measured, warnings |
//! | `timeline_svg` | scores, candidates and coders over time |
//! | `blocks` | one block an expression, with pictures |
//! | `counts` | units by expression, how often, what coders did not keep |
//! | `reliability` | agreement between coders |
//! | `method` | parameters and weights in words |

mod blocks;
mod counts;
mod expressions;
mod html;
mod method;
mod not_measured;
mod of_recording;
mod picture;
mod reliability;
mod text;
mod timeline_svg;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use expressions::Pictures;
pub use of_recording::Sources;
pub use picture::Cut;

use image::RgbImage;

use crate::base::{Notice, Timestamp};
use crate::facs::{ActionUnit, ScoredUnit, Side};
use crate::spotting::{ExpressionKind, IntervalStatus};

/// Everything that stands in the file.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The recording's name, without its path.
    pub recording: String,
    /// When the report was written, as it is to be read; empty for not saying.
    pub date: String,
    /// What the numbers are and are not, in two sentences.
    pub limits: String,
    pub facts: Facts,
    pub timeline: Timeline,
    /// In order of time; numbered from 1 in this order.
    pub expressions: Vec<Expression>,
    /// Candidates and annotations without a block: rejected, or not decided on.
    pub left_out: Vec<LeftOut>,
    /// One a pair of coders.
    pub agreement: Vec<CoderAgreement>,
    pub method: Method,
    pub warnings: Vec<Notice>,
}

/// The recording and what became of its candidates.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// To the end of the last frame.
    pub duration_secs: f64,
    pub frames: u64,
    /// Frames a second by the recording's own times.
    pub measured_fps: Option<f64>,
    /// Frames a second as the container or the camera states.
    pub nominal_fps: Option<f64>,
    pub width: u32,
    pub height: u32,
    /// 0 where it is not known.
    pub size_bytes: u64,
    /// SHA-256 that tells recordings of one name apart; empty for a camera.
    pub fingerprint: String,
    /// Share of frames in which the face was found, 0..1.
    pub found_share: f64,
    /// Share of frames with further faces, which are not analysed, 0..1.
    pub others_share: f64,
    /// Frames that a camera delivered and nobody took.
    pub dropped: u64,
    /// Empty names stand for coders who gave none.
    pub coders: Vec<String>,
    pub counts: Vec<KindCounts>,
}

/// What became of the candidates of one kind, and what people found beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCounts {
    pub kind: ExpressionKind,
    pub accepted: usize,
    pub rejected: usize,
    pub undecided: usize,
    /// Annotations that stem from no candidate, rejected ones left out.
    pub found_by_people: usize,
}

/// What is drawn over time; all times in seconds from the first frame.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    pub duration_secs: f64,
    pub lanes: Vec<Lane>,
    pub tiers: Vec<Tier>,
    /// Of the recording as a whole: no face, dropped frames.
    pub not_measured: Vec<NotMeasured>,
}

/// One kind's score with its candidates.
#[derive(Debug, Clone)]
pub struct Lane {
    pub kind: ExpressionKind,
    /// What speaks, in words.
    pub source: String,
    /// Of the score, in words.
    pub unit: String,
    /// In order of time; `None` where the score must not be used.
    pub curve: Vec<(f64, Option<f64>)>,
    /// Compared with the smoothed score.
    pub threshold: Option<f64>,
    pub candidates: Vec<Bar>,
    /// Of this kind's windows alone: blinks, head motion.
    pub not_measured: Vec<NotMeasured>,
}

/// What one coder says.
#[derive(Debug, Clone)]
pub struct Tier {
    pub coder: String,
    pub bars: Vec<Bar>,
}

/// An interval on the timeline, seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub kind: ExpressionKind,
    pub onset: f64,
    pub apex: Option<f64>,
    pub offset: f64,
    pub status: IntervalStatus,
    /// Number of the block that tells it, from 1.
    pub number: Option<usize>,
}

/// A stretch that was not measured, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotMeasured {
    pub why: Why,
    pub start: f64,
    pub end: f64,
}

/// Why a stretch was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    NoFace,
    /// So many frames that the camera delivered and the queue dropped.
    Dropped(u64),
    Blink,
    HeadMotion,
}

/// A frame and when it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Counted from 0.
    pub frame: u64,
    pub time: Timestamp,
}

/// From onset to offset, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    pub onset: Moment,
    /// `None` where nobody has marked it.
    pub apex: Option<Moment>,
    pub offset: Moment,
    /// When the offset's frame gave way to the next one.
    pub end: Timestamp,
}

impl Moments {
    /// Frames from onset to offset, both among them.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.offset.frame.saturating_sub(self.onset.frame) + 1
    }

    /// How long those frames were shown, seconds.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.end.secs_since(self.onset.time).max(0.0)
    }

    /// Frames and seconds from onset to apex.
    #[must_use]
    pub fn rise(&self) -> Option<(u64, f64)> {
        let apex = self.apex?;
        let secs = apex.time.secs_since(self.onset.time);
        Some((apex.frame.saturating_sub(self.onset.frame), secs.max(0.0)))
    }
}

/// One block: what the analysis and every coder say of one expression.
#[derive(Debug, Clone)]
pub struct Expression {
    pub kind: ExpressionKind,
    /// Those of the pictures and the heading.
    pub moments: Moments,
    /// Whose moments these are; `None` for the analysis.
    pub set_by: Option<String>,
    pub shown: Shown,
    /// The candidate as it was spotted; `None` where a person found it.
    pub spotted: Option<Spotted>,
    /// One a coder.
    pub codings: Vec<Coding>,
    /// What moved, in the network's view; `None` where it was not asked.
    pub reading: Option<Reading>,
}

/// The face at three moments, cut alike from all frames; at most 240 pixels wide and high.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub onset: Option<RgbImage>,
    pub apex: Option<RgbImage>,
    pub offset: Option<RgbImage>,
}

/// A candidate of the analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spotted {
    pub kind: ExpressionKind,
    pub moments: Moments,
    /// The smoothed score at the peak, in the lane's unit.
    pub score: f64,
}

/// What one coder says of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    pub coder: String,
    pub kind: ExpressionKind,
    /// Rejected: this coder saw none where others did.
    pub status: IntervalStatus,
    pub moments: Moments,
    pub units: Vec<ScoredUnit>,
    pub emotion: Option<String>,
    /// 1 (guessed) to 5 (certain).
    pub confidence: Option<u8>,
    pub note: String,
    /// What does not fit together, as a sentence.
    pub contradiction: Option<String>,
}

/// What the network sees from an onset to an apex.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub onset: u64,
    pub apex: u64,
    /// Every unit that the weights know.
    pub units: Vec<UnitRead>,
    /// `None` where the weights know no classes.
    pub class: Option<ClassRead>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitRead {
    pub unit: ActionUnit,
    /// 0..1.
    pub probability: f64,
    /// Whether that reaches the unit's own threshold.
    pub present: bool,
    /// The person's side where one half alone moves.
    pub side: Option<Side>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClassRead {
    /// The likeliest class and its probability; `None` where the network abstains.
    pub named: Option<(String, f64)>,
    /// How ambiguous the movement itself is, 0..1.
    pub ambiguous: f64,
    /// How far the networks contradict each other, 0..1.
    pub unfamiliar: f64,
}

/// A candidate or an annotation that has no block.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    pub kind: ExpressionKind,
    pub moments: Moments,
    pub status: IntervalStatus,
    /// Who rejected it; empty names stand for coders who gave none.
    pub coders: Vec<String>,
    /// Of the candidate; `None` where a person found it.
    pub score: Option<f64>,
    /// What the coders noted.
    pub note: String,
}

/// How far two coders agree. What a number cannot say is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct CoderAgreement {
    pub coders: [String; 2],
    /// From which overlap over union on two annotations are of the same expression.
    pub least_overlap: f64,
    /// Expressions seen by both, by the first, by the second.
    pub found: [u64; 3],
    /// Of expressions found, 0..1.
    pub f1: Option<f64>,
    /// FACS' index of agreement over the expressions both saw, 0..1: by the unit's
    /// number; with its side; with side and intensity at most one letter apart.
    pub r: [Option<f64>; 3],
    /// Macro, micro or nothing, in every frame.
    pub per_frame: Rated,
    /// The same, each elementary interval counted once.
    pub per_interval: Rated,
    pub emotions: Rated,
    /// Distance of onset, apex and offset without its sign.
    pub apart: [Apart; 3],
}

/// One question that both coders answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rated {
    /// Answers compared.
    pub count: u64,
    /// Share answered alike, 0..1.
    pub agreement: Option<f64>,
    /// Cohen's, −1..1.
    pub kappa: Option<f64>,
}

/// Mean distance of a moment between two coders.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Apart {
    /// Moments compared.
    pub count: usize,
    pub frames: Option<f64>,
    pub millis: Option<f64>,
}

/// How the numbers came about.
#[derive(Debug, Clone, Default)]
pub struct Method {
    /// The program's version.
    pub version: String,
    /// Name and value of each parameter, in words.
    pub parameters: Vec<(String, String)>,
    pub weights: Vec<Weights>,
}

/// A file of weights that had a say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// What it is asked for.
    pub task: String,
    pub name: String,
    pub sha256: String,
}
