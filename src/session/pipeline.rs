//! The analysis of one recording: frames in, events out. No thread of its own, no
//! channel, no clock that the results depend on.

mod end;
mod face;
mod facts;
mod frame;
mod scores;
mod windows;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::decoding::Decoder;
use super::params::DecodeMode;
use super::recognising::Recognising;
use super::remarks::Tally;
use super::scorer::Scorer;
use super::second_looking::{Here, LookAgain};
use super::temporal::Temporal;
use super::window_sample::Recent;
use super::{Params, Resources, SessionError};
use crate::base::Timestamp;
use crate::face::crop::{CropHold, HeldCrop};
use crate::face::tracker::TrackerParams;
use crate::face::{FaceTrack, FaceTracker, LandmarkPredictor};
use crate::media::Frame;
use crate::motion::cadence::Cadence;
use crate::motion::pipeline::{MotionPipeline, WindowJob, WindowMotion};
use crate::motion::windows::{Window, WindowPairer};
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, ScoreLevels, SpottedInterval, Spotter};
use crate::timeline::event::RecognitionSource;
use crate::timeline::{Event, ScoreSource};

/// Length of a micro-expression's flow window: k = 6 at 30 frames a second (S4).
pub const MICRO_WINDOW_SECS: f64 = 0.2;
/// Length of a macro-expression's flow window: k = 18 at 30 frames a second (S4).
pub const MACRO_WINDOW_SECS: f64 = 0.6;
/// Below this rate a micro-expression is fewer than three frames long.
pub const MICRO_MIN_FPS: f64 = 15.0;
/// Below this rate a macro-window is fewer than three frames long.
pub const MACRO_MIN_FPS: f64 = 5.0;

/// One kind of expression: its window, what scores it, and its scores so far.
struct KindState {
    kind: ExpressionKind,
    pairer: WindowPairer,
    scorer: Scorer,
    samples: Vec<ScoreSample>,
    min_fps: f64,
    off: bool,
    told_slow: bool,
}

/// Reads what the pixels of each window say, with the sample it became.
pub type WindowTap = Box<dyn FnMut(&ScoreSample, Option<&WindowMotion>) + Send>;

/// Frames in, events out; the same object for every caller.
pub struct Pipeline {
    landmarks: Arc<LandmarkPredictor>,
    tracker: FaceTracker,
    hold: CropHold,
    held: Option<Arc<HeldCrop>>,
    cadence: Cadence,
    motion: MotionPipeline,
    kinds: [KindState; 2],
    recent: VecDeque<Recent>,
    /// Closed windows by the index of their kind, until the rate is known.
    closed: Vec<(usize, Window)>,
    /// What is to be measured, as it was decided when the window closed, until enough
    /// of it waits.
    waiting: Vec<(usize, WindowJob)>,
    /// Told before an error and not yet handed over.
    unsent: Vec<Event>,
    /// See [`Pipeline::at_once`].
    at_once: bool,
    rate_known: bool,
    /// The network that reads windows in their order, where one speaks.
    temporal: Option<Temporal>,
    /// What says what moved, where somebody wants to know.
    recognising: Option<Recognising>,
    /// Its weights, also after it failed.
    recognition: Option<RecognitionSource>,
    decoding: Decoder,
    live: Spotter,
    /// The live decoding's list, by its own ids.
    provisional: BTreeMap<u64, SpottedInterval>,
    /// What was found in the whole recording, once it is at its end.
    found: Vec<SpottedInterval>,
    last_track: Option<FaceTrack>,
    lost_since: Option<Timestamp>,
    tally: Tally,
    tap: Option<WindowTap>,
}

impl Pipeline {
    /// Loads the models that `params` name.
    ///
    /// # Errors
    /// When a model or a weights file is missing, damaged or of another network.
    pub fn new(params: &Params, resources: &Resources) -> Result<Self, SessionError> {
        Self::looking(params, resources, Here::boxed)
    }

    /// With the second look by whom `look_again` gives it to.
    pub(super) fn looking(
        params: &Params,
        resources: &Resources,
        look_again: LookAgain,
    ) -> Result<Self, SessionError> {
        let kind = |kind, min_fps| -> Result<KindState, SessionError> {
            Ok(KindState {
                kind,
                pairer: WindowPairer::new(params.windows.of(kind), params.stride_in_use()),
                scorer: Scorer::load(
                    kind,
                    params.speaker(kind),
                    params.decode == DecodeMode::Compat,
                    &resources.sides,
                )?,
                samples: Vec::new(),
                min_fps,
                off: false,
                told_slow: false,
            })
        };
        let kinds = [
            kind(ExpressionKind::Macro, MACRO_MIN_FPS)?,
            kind(ExpressionKind::Micro, MICRO_MIN_FPS)?,
        ];
        let temporal = Temporal::load(params, &resources.sides)?;
        let decoding = match &temporal {
            Some(temporal) => Decoder::Temporal(temporal.runs()),
            None => Decoder::Windows {
                mode: params.decode,
                networks: kinds
                    .each_ref()
                    .map(|k| k.scorer.source() != ScoreSource::Control),
                floors: ScoreLevels {
                    macro_score: kinds[0].scorer.floor(),
                    micro_score: kinds[1].scorer.floor(),
                },
            },
        };
        let recognising = Recognising::load(params, look_again)?;
        let mut motion = MotionPipeline::new(resources.flow_engine(params.flow)?);
        if temporal.is_some() {
            motion.want_cells();
        }
        Ok(Self {
            landmarks: Arc::clone(&resources.landmarks),
            tracker: FaceTracker::new(Arc::clone(&resources.landmarks), TrackerParams::default())?,
            hold: CropHold::default(),
            held: None,
            cadence: Cadence::default(),
            motion,
            kinds,
            recent: VecDeque::new(),
            closed: Vec::new(),
            waiting: Vec::new(),
            unsent: Vec::new(),
            at_once: false,
            rate_known: false,
            live: Spotter::new(decoding.live()),
            decoding,
            temporal,
            recognition: recognising.as_ref().map(Recognising::source),
            recognising,
            provisional: BTreeMap::new(),
            found: Vec::new(),
            last_track: None,
            lost_since: None,
            tally: Tally::default(),
            tap: None,
        })
    }

    /// For cameras: windows are measured with the frame that closes them. Otherwise
    /// several wait for each other ([`FlowEngine::batch`]) and are measured while the
    /// next face is sought, which keeps all cores busy; their scores come later by so
    /// many windows, the same scores.
    ///
    /// [`FlowEngine::batch`]: crate::motion::engine::FlowEngine::batch
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        if let Some(recognising) = &mut self.recognising {
            recognising.at_once();
        }
        self
    }

    /// Training reads its features here, so that they cannot differ from those of an
    /// analysis.
    #[must_use]
    pub fn with_tap(mut self, tap: WindowTap) -> Self {
        self.motion.want_cells();
        self.tap = Some(tap);
        self
    }

    /// Analyses the next frame. What it tells comes in the order of [`Event`].
    ///
    /// # Errors
    /// When the card or a network's device fails; the pipeline can still be finished.
    pub fn push(&mut self, frame: &Frame) -> Result<Vec<Event>, SessionError> {
        let mut events = Vec::new();
        match self.take(frame, &mut events) {
            Ok(()) => Ok(events),
            Err(e) => {
                self.unsent = events;
                Err(e)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames without a face.
    pub(super) fn blank(fps: f64, count: u64) -> impl Iterator<Item = Frame> {
        let picture = Arc::new(image::RgbImage::new(64, 48));
        (0..count).map(move |index| Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / fps),
            dropped_before: 0,
            captured: None,
            picture: Arc::clone(&picture),
        })
    }
}
