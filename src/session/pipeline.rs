//! The analysis of one recording: frames in, events out. No thread of its own, no
//! channel, no clock that the results depend on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::decoding::Decoder;
use super::params::DecodeMode;
use super::recognising::Recognising;
use super::remarks::{self, Tally};
use super::scorer::Scorer;
use super::temporal::Temporal;
use super::window_sample::{Recent, frame_times, sample};
use super::{Params, Resources, SessionError};
use crate::base::{Notice, TimeSpan, Timestamp};
use crate::face::crop::{CropHold, HeldCrop};
use crate::face::tracker::TrackerParams;
use crate::face::{FaceTrack, FaceTracker, LandmarkPredictor};
use crate::media::Frame;
use crate::motion::cadence::{Beat, Cadence};
use crate::motion::gpu::GpuFlowError;
use crate::motion::pipeline::{MotionPipeline, WindowFault, WindowJob, WindowMotion};
use crate::motion::windows::{Window, WindowPairer};
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, ScoreLevels, SpotEvent, SpottedInterval, Spotter};
use crate::timeline::event::{FaceRecord, RecognitionSource};
use crate::timeline::{Event, FrameRecord, ScoreSource};

/// Length of a micro-expression's flow window: k = 6 at 30 frames a second (S4).
pub const MICRO_WINDOW_SECS: f64 = 0.2;
/// Length of a macro-expression's flow window: k = 18 at 30 frames a second (S4).
pub const MACRO_WINDOW_SECS: f64 = 0.6;
/// Below this rate a micro-expression is fewer than three frames long.
pub const MICRO_MIN_FPS: f64 = 15.0;
/// Below this rate a macro-window is fewer than three frames long.
pub const MACRO_MIN_FPS: f64 = 5.0;

/// Frame intervals seen before the rate is believed.
const INTERVALS_TO_BELIEVE: usize = 8;
/// Of what the live decoding believes in, so many of the newest may still move.
const RECOGNISED_OPEN: usize = 16;
/// From this much lid closure on a frame counts as part of a blink.
const BLINK_LEVEL: f32 = 0.5;

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
        let recognising = Recognising::load(params)?;
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

    /// The end of the recording: measures what waits, then decodes everything. What
    /// cannot be measured any more, since the card was lost, is left out with a notice.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.unsent);
        self.decide_rates(&mut events);
        self.rate_known = true;
        self.resolve();
        let measured = self.measure_waiting(&mut events);
        if let Err(e) = measured.and_then(|()| self.tell_ready(Vec::new(), true, &mut events)) {
            let text = format!("The last moments before the end are not measured. {e}");
            events.push(Event::Notice(Notice::warning(text)));
            self.waiting.clear();
        }
        if let Some(track) = &self.last_track {
            let end = track.timestamp;
            self.tell_loss(end, &mut events);
            self.tell_whole(end, &mut events);
        }
        let samples: Vec<ScoreSample> = self
            .kinds
            .iter()
            .flat_map(|k| &k.samples)
            .cloned()
            .collect();
        let (intervals, thresholds) = self.decoding.whole(&samples);
        events.push(Event::Spotted {
            intervals: intervals.clone(),
            thresholds,
        });
        if let Some(recognising) = &mut self.recognising {
            let times = frame_times(&samples);
            let time_of = |frame| times.get(&frame).copied();
            match recognising.finish(&intervals, time_of) {
                Ok(read) => events.extend(read),
                Err(e) => {
                    let text = format!("What moved at the end is not read. {e}");
                    events.push(Event::Notice(Notice::warning(text)));
                }
            }
        }
        events
    }

    /// Which signal speaks for a kind of expression.
    #[must_use]
    pub fn score_source(&self, kind: ExpressionKind) -> ScoreSource {
        if let Some(temporal) = &self.temporal {
            return temporal.source();
        }
        self.kind(kind)
            .map_or(ScoreSource::Control, |k| k.scorer.source())
    }

    /// Which weights say what moved; `None` where nobody wants to know.
    #[must_use]
    pub fn recognition(&self) -> Option<RecognitionSource> {
        self.recognition.clone()
    }

    /// The adapter that computes the flow; `None` for the processor.
    #[must_use]
    pub fn flow_adapter(&self) -> Option<String> {
        self.motion.engine().adapter()
    }

    /// Where the networks run; `None` without a network.
    #[must_use]
    pub fn network_device(&self) -> Option<&str> {
        let temporal = self.temporal.as_ref().map(Temporal::device);
        temporal.or_else(|| self.kinds.iter().find_map(|k| k.scorer.device()))
    }

    /// Length of a kind's window in frames at the measured rate; `None` where the
    /// kind is not looked for.
    #[must_use]
    pub fn window_frames(&self, kind: ExpressionKind) -> Option<u64> {
        let state = self.kind(kind).filter(|k| !k.off)?;
        Some((state.pairer.delta_secs() * self.cadence.fps()?).round() as u64)
    }

    #[must_use]
    pub fn measured_fps(&self) -> Option<f64> {
        self.cadence.fps()
    }

    #[must_use]
    pub fn landmark_model(&self) -> String {
        self.landmarks.name()
    }

    /// The face of the newest frame, for showing a camera live.
    #[must_use]
    pub fn last_track(&self) -> Option<&FaceTrack> {
        self.last_track.as_ref()
    }

    #[must_use]
    pub fn held_crop(&self) -> Option<u32> {
        self.held.as_ref().map(|h| h.id)
    }

    /// Seconds between a movement and the final word on it.
    #[must_use]
    pub fn decision_delay_secs(&self) -> f64 {
        let network = self.temporal.as_ref().map_or(0.0, Temporal::delay_secs);
        self.live.decision_delay_secs() + network
    }

    fn kind(&self, kind: ExpressionKind) -> Option<&KindState> {
        self.kinds.iter().find(|k| k.kind == kind)
    }
}

/// The steps of one frame, in order.
impl Pipeline {
    fn take(&mut self, frame: &Frame, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let beat = self.cadence.push(frame.timestamp);
        let due = if self.at_once || self.waiting.len() < self.motion.engine().batch() {
            Vec::new()
        } else {
            self.due()
        };
        let (tracker, motion) = (&mut self.tracker, &mut self.motion);
        let recognising = self.recognising.as_mut().filter(|r| r.is_due());
        let jobs: Vec<WindowJob> = due.iter().map(|(_, job)| *job).collect();
        // What waits is done while the next face is sought.
        let (track, (measured, movements)) = rayon::join(
            || tracker.push(frame),
            || {
                let measured = if jobs.is_empty() {
                    Ok(Vec::new())
                } else {
                    motion.measure(&jobs)
                };
                (measured, recognising.map(Recognising::measure))
            },
        );
        self.tally.count(&track);
        self.tell_face(frame, &track, events);
        let mut taken = Ok(());
        if beat == Beat::Backwards {
            let span = TimeSpan {
                start: frame.timestamp,
                end: frame.timestamp,
            };
            let text = format!(
                "Frame {} is not later than the one before it: it is left out of the motion analysis",
                frame.index
            );
            events.push(Event::Notice(Notice::warning(text).over(span)));
        } else {
            taken = self.take_motion(frame, &track, beat);
            self.pair(frame, events);
            if let Some(recognising) = &mut self.recognising {
                recognising.push(frame, track.face.as_ref());
            }
        }
        self.last_track = Some(track);
        if let (Some(recognising), Some(movements)) = (&mut self.recognising, movements) {
            match recognising.read(&movements) {
                Ok(read) => events.extend(read),
                Err(e) => {
                    // Spotting goes on without it.
                    let text = format!("From here on nothing is said of what moves. {e}");
                    events.push(Event::Notice(Notice::warning(text)));
                    self.recognising = None;
                }
            }
        }
        self.tell_scores(&due, &measured?, events)?;
        taken?;
        if self.at_once {
            self.measure_waiting(events)?;
        }
        self.forget();
        Ok(())
    }

    fn tell_face(&mut self, frame: &Frame, track: &FaceTrack, events: &mut Vec<Event>) {
        let held = self.hold.push(track);
        if let Some(held) = held
            && self.held.as_ref().is_none_or(|h| h.id != held.id)
        {
            events.push(Event::Crop(Box::new(held.clone())));
            self.held = Some(Arc::new(held.clone()));
        }
        let held = held.and_then(|_| self.held.clone());
        let face = track
            .face
            .as_ref()
            .zip(held)
            .map(|(face, held)| FaceRecord {
                rect: face.rect,
                confidence: face.confidence,
                pose: face.pose,
                blink: face.blink,
                landmarks: Some(Box::new(face.landmarks.clone())),
                crop: held.id,
            });
        let found = face.is_some();
        events.push(Event::Frame(Box::new(FrameRecord {
            frame: frame.index,
            timestamp: frame.timestamp,
            dropped_before: frame.dropped_before,
            face,
            others: track.others.clone(),
        })));
        let had_face = self.last_track.as_ref().map(|t| t.face.is_some());
        if found && had_face != Some(true) {
            events.push(Event::FaceFound { frame: frame.index });
            self.tell_loss(frame.timestamp, events);
        } else if !found && had_face != Some(false) {
            events.push(Event::FaceLost { frame: frame.index });
            self.lost_since = Some(frame.timestamp);
        }
    }

    fn tell_loss(&mut self, until: Timestamp, events: &mut Vec<Event>) {
        if let Some(since) = self.lost_since.take() {
            let span = TimeSpan {
                start: since,
                end: until,
            };
            let text = format!(
                "No face from {} to {}: nothing is measured there",
                since.clock(),
                until.clock()
            );
            events.push(Event::Notice(Notice::info(text).over(span)));
        }
    }

    /// An empty list of candidates must not look like a face that did not move.
    fn tell_whole(&mut self, end: Timestamp, events: &mut Vec<Event>) {
        for state in self.kinds.iter_mut().filter(|k| !k.off) {
            let window = state.pairer.delta_secs();
            if state.samples.is_empty() && end.secs() <= window {
                state.off = true;
                let notice = remarks::too_short(state.kind, end.secs(), window);
                events.push(Event::Notice(notice));
            }
        }
        events.extend(self.tally.remark().map(Event::Notice));
    }

    fn take_motion(
        &mut self,
        frame: &Frame,
        track: &FaceTrack,
        beat: Beat,
    ) -> Result<(), GpuFlowError> {
        if beat == Beat::Gap {
            self.motion.break_here();
        }
        let face = track.face.as_ref().zip(self.held.clone());
        self.recent.push_back(Recent {
            frame: frame.index,
            blink: track.face.as_ref().is_some_and(|f| f.blink >= BLINK_LEVEL),
        });
        self.motion.push(frame, face)
    }

    /// Closes windows; they wait until the rate is known.
    fn pair(&mut self, frame: &Frame, events: &mut Vec<Event>) {
        let interval = self.cadence.interval_secs().unwrap_or(0.0);
        for (k, state) in self.kinds.iter_mut().enumerate() {
            let windows = state.pairer.push(frame.index, frame.timestamp, interval);
            self.closed.extend(windows.into_iter().map(|w| (k, w)));
        }
        if self.cadence.measured_intervals() >= INTERVALS_TO_BELIEVE {
            self.decide_rates(events);
        }
        self.resolve();
    }

    /// Decides what closed windows mean by the rate as it is now, so that it does not
    /// matter how many are then measured together.
    fn resolve(&mut self) {
        if !self.rate_known {
            return;
        }
        let steady = self.cadence.is_steady();
        for (k, window) in self.closed.drain(..) {
            if self.kinds[k].off {
                continue;
            }
            // At a steady rate k is an integer and nothing is rescaled (S4).
            let nominal_secs = (!steady).then(|| self.kinds[k].pairer.delta_secs());
            let job = WindowJob {
                window,
                nominal_secs,
            };
            self.waiting.push((k, job));
        }
    }

    /// Switches a kind off where the recording is too slow for it, and says so once.
    fn decide_rates(&mut self, events: &mut Vec<Event>) {
        let Some(fps) = self.cadence.fps() else {
            return;
        };
        for state in &mut self.kinds {
            let slow = fps < state.min_fps * 0.99;
            if slow && !state.told_slow {
                state.told_slow = true;
                let notice = remarks::too_slow(state.kind, fps, state.min_fps);
                events.push(Event::Notice(notice));
            }
            // On again only at the full rate, so that a rate on the edge does not flicker.
            state.off = slow || (state.off && fps < state.min_fps);
        }
        self.rate_known = true;
    }

    /// Takes windows that wait, at most a batch, the earliest first.
    fn due(&mut self) -> Vec<(usize, WindowJob)> {
        let batch = self.waiting.len().min(self.motion.engine().batch());
        let mut due: Vec<_> = self.waiting.drain(..batch).collect();
        // A network reads the inputs of its kind in one piece.
        due.sort_by_key(|(k, _)| *k);
        due
    }

    fn measure_waiting(&mut self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        while !self.waiting.is_empty() {
            let due = self.due();
            let jobs: Vec<WindowJob> = due.iter().map(|(_, job)| *job).collect();
            let measured = self.motion.measure(&jobs)?;
            self.tell_scores(&due, &measured, events)?;
        }
        Ok(())
    }

    fn tell_scores(
        &mut self,
        due: &[(usize, WindowJob)],
        measured: &[Result<WindowMotion, WindowFault>],
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        if due.is_empty() {
            return Ok(());
        }
        let mut told = Vec::new();
        for (k, state) in self.kinds.iter_mut().enumerate() {
            let mine: Vec<_> = due
                .iter()
                .zip(measured)
                .filter(|((of, _), _)| *of == k)
                .collect();
            let moved: Vec<&WindowMotion> =
                mine.iter().filter_map(|(_, m)| m.as_ref().ok()).collect();
            let mut scores = state.scorer.score(&moved)?.into_iter();
            for ((_, job), motion) in mine {
                let window = &job.window;
                let score = if motion.is_ok() { scores.next() } else { None };
                let temporal = self.temporal.is_some();
                let mut sample = sample(state.kind, window, motion.as_ref(), score, &self.recent);
                if temporal {
                    // It has learnt what blinks and turning heads look like.
                    sample.masked = sample.masked.filter(|_| motion.is_err());
                }
                if let Ok(m) = motion {
                    log::trace!(
                        "window {} {} {} nose {:.3} roi_p95 {:.3} strain {:?} masked {:?} regions {:?}",
                        state.kind.name(),
                        window.start_frame,
                        window.end_frame,
                        m.head_length_px(),
                        m.roi_p95_px,
                        m.strain,
                        sample.masked,
                        m.regions
                    );
                }
                if let Some(tap) = &mut self.tap {
                    tap(&sample, motion.as_ref().ok());
                }
                told.push((sample, motion.as_ref().ok()));
            }
        }
        // The live decoding wants both kinds in the order in which windows closed.
        told.sort_by_key(|(s, _)| (s.window_end_frame, s.kind, s.window_start_frame));
        if let Some(temporal) = &mut self.temporal {
            for (sample, motion) in told.drain(..) {
                let flows = motion.and_then(|m| Some((&m.grid, m.cells.as_ref()?)));
                temporal.push(sample, flows);
            }
        }
        let told = told.into_iter().map(|(sample, _)| sample).collect();
        self.tell_ready(told, false, events)
    }

    /// Tells scores that are final: these, and those a temporal network has by now.
    fn tell_ready(
        &mut self,
        mut told: Vec<ScoreSample>,
        end: bool,
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        let on = self.kinds.each_ref().map(|k| !k.off);
        if let Some(temporal) = &mut self.temporal {
            told.extend(temporal.ready(on, end)?);
        }
        let mut changed = false;
        for sample in told {
            if let Some(state) = self.kinds.iter_mut().find(|k| k.kind == sample.kind) {
                state.samples.push(sample.clone());
            }
            for change in self.live.push(sample.clone()) {
                changed = true;
                match change {
                    SpotEvent::Set { id, interval } => self.provisional.insert(id, interval),
                    SpotEvent::Withdraw { id } => self.provisional.remove(&id),
                };
            }
            events.push(Event::Score(sample));
        }
        if let Some(recognising) = &mut self.recognising {
            // Whether it changed or not: what stays as it is can be measured.
            let open = self.provisional.values().rev().take(RECOGNISED_OPEN);
            recognising.believe(&open.cloned().collect::<Vec<_>>());
        }
        if changed {
            events.push(Event::Provisional(
                self.provisional.values().cloned().collect(),
            ));
        }
        Ok(())
    }

    /// Drops what no window still to come can contain.
    fn forget(&mut self) {
        let oldest = self
            .kinds
            .iter()
            .filter_map(|k| k.pairer.oldest_start())
            .chain(self.closed.iter().map(|(_, window)| window.start_frame))
            .chain((self.waiting.iter()).map(|(_, job)| job.window.start_frame))
            .min();
        if let Some(oldest) = oldest {
            self.motion.forget_before(oldest);
            while self.recent.front().is_some_and(|r| r.frame < oldest) {
                self.recent.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    fn frames(fps: f64, count: u64) -> impl Iterator<Item = Frame> {
        let picture = Arc::new(RgbImage::new(64, 48));
        (0..count).map(move |index| Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / fps),
            dropped_before: 0,
            captured: None,
            picture: Arc::clone(&picture),
        })
    }

    #[test]
    fn only_what_windows_can_need_is_kept_at_any_rate() {
        for (fps, most) in [(4.0, 20), (10.0, 40), (30.0, 60), (200.0, 200)] {
            let resources = Resources::load(&Params::default()).unwrap();
            let mut pipeline = Pipeline::new(&Params::default(), &resources).unwrap();
            for frame in frames(fps, 600) {
                pipeline.push(&frame).unwrap();
            }
            let kept = pipeline.motion.frames_kept();
            assert!(kept <= most, "{kept} frames at {fps} a second");
            assert!(pipeline.recent.len() <= most && pipeline.waiting.len() < 32);
        }
    }
}
