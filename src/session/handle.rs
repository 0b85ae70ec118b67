//! A running analysis as its owner sees it: events, the newest picture, numbers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::facts::AnalysisFacts;
use super::pace::{Pace, RecentPace};
use super::pipeline::Pipeline;
use super::second_looking::Beside;
use super::{Params, Resources, SessionError};
use crate::base::{Latest, Mailbox, Notice, Timestamp};
use crate::face::FaceTrack;
use crate::media::queue::{Delivery, FrameReceiver};
use crate::media::{CaptureWorker, Frame, FrameSource, SourceInfo};
use crate::timeline::{Event, Recording};

/// The newest analysed frame, for showing a camera live.
#[derive(Debug, Clone)]
pub struct Preview {
    pub frame: Frame,
    pub track: FaceTrack,
    /// Id of the held crop, told by `Event::Crop`.
    pub crop: Option<u32>,
}

/// Numbers for the status strip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionStatus {
    pub frames_done: u64,
    /// Estimated unless the source counts exactly, never fewer than are done; `None` for
    /// cameras.
    pub frames_total: Option<u64>,
    /// Over the last half second.
    pub analysed_fps: f32,
    /// Over the last seconds, to estimate from.
    pub pace: RecentPace,
    /// As measured on the recording's clock; 0 before two frames.
    pub source_fps: f32,
    pub dropped: u64,
    /// From a camera's capture to the end of the frame's analysis, milliseconds.
    pub latency_ms: Option<f32>,
    /// Seconds between a movement and its final score (2k frames).
    pub decision_delay_secs: f32,
    pub finished: bool,
    /// The sentence for the person when it ended by an error.
    pub failed: Option<String>,
    /// It is the source that failed, not the analysis.
    pub source_failed: bool,
}

/// Dropping the handle stops the capture and analysis threads.
pub struct SessionHandle {
    pub info: SourceInfo,
    /// How it is analysed, as known at the start.
    pub facts: AnalysisFacts,
    /// Increases with every session; results of an older one are discarded.
    pub generation: u64,
    events: Mailbox<Event>,
    pub preview: Latest<Preview>,
    status: Arc<Mutex<SessionStatus>>,
    stop: Arc<AtomicBool>,
    /// `None` where an earlier analysis is told again.
    capture: Option<CaptureWorker>,
    retold: Option<Retold>,
}

/// An earlier analysis tells so many events at a time: an hour at 200 frames a second has
/// millions, which would hold the window up for seconds. So many cost it a few milliseconds.
pub const PIECE: usize = 8192;

/// What an earlier analysis still has to tell.
struct Retold {
    events: std::vec::IntoIter<Event>,
    all: usize,
}

impl Retold {
    fn piece(&mut self) -> Vec<Event> {
        let piece = self.events.by_ref().take(PIECE).collect();
        if self.events.len() == 0 {
            // Its memory is as large as the recording.
            self.events = Vec::new().into_iter();
        }
        piece
    }
}

/// Increases with every session.
fn next_generation() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    GENERATION.fetch_add(1, Ordering::Relaxed) + 1
}

/// What both threads of a session share with its handle.
struct Outlets {
    events: Mailbox<Event>,
    preview: Latest<Preview>,
    status: Arc<Mutex<SessionStatus>>,
    wake: Box<dyn Fn() + Send>,
}

impl SessionHandle {
    /// Starts reading and analysing `source`. `wake` is called after every result.
    ///
    /// # Errors
    /// When a model or weights file is unusable, or a thread cannot be started.
    pub fn start(
        source: Box<dyn FrameSource>,
        params: &Params,
        resources: &Resources,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, SessionError> {
        let info = source.info().clone();
        let pipeline = if info.live {
            Pipeline::looking(params, resources, Beside::start)?.at_once()
        } else {
            Pipeline::new(params, resources)?
        };
        let facts = AnalysisFacts::of(&pipeline);
        let status = Arc::new(Mutex::new(SessionStatus {
            frames_total: info.frame_count,
            ..SessionStatus::default()
        }));
        let (events, preview) = (Mailbox::default(), Latest::default());
        let outlets = Outlets {
            events: Mailbox::clone(&events),
            preview: Latest::clone(&preview),
            status: Arc::clone(&status),
            wake: Box::new(wake),
        };
        let (capture, frames) = CaptureWorker::start(source)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("analysis".into())
            .spawn(move || analyse(pipeline, &frames, &stopped, &outlets))
            .map_err(SessionError::Thread)?;
        Ok(Self {
            info,
            facts,
            generation: next_generation(),
            events,
            preview,
            status,
            stop,
            capture: Some(capture),
            retold: None,
        })
    }

    /// Tells an earlier analysis of the whole recording again, a piece at a time, without a
    /// thread.
    #[must_use]
    pub fn recorded(info: SourceInfo, facts: AnalysisFacts, recording: Recording) -> Self {
        let frames = &recording.frames;
        let secs = recording.end().secs_since(Timestamp::ZERO);
        let first = frames.first().map_or(0.0, |f| f.timestamp.secs());
        let count = frames.len() as u64;
        let source_fps = if secs > first {
            (count.saturating_sub(1) as f64 / (secs - first)) as f32
        } else {
            0.0
        };
        let status = SessionStatus {
            frames_done: count,
            frames_total: Some(count),
            source_fps,
            dropped: frames.iter().map(|f| u64::from(f.dropped_before)).sum(),
            finished: true,
            ..SessionStatus::default()
        };
        let events = recording.into_events();
        Self {
            info,
            facts,
            generation: next_generation(),
            events: Mailbox::default(),
            preview: Latest::default(),
            status: Arc::new(Mutex::new(status)),
            stop: Arc::new(AtomicBool::new(true)),
            capture: None,
            retold: Some(Retold {
                all: events.len(),
                events: events.into_iter(),
            }),
        }
    }

    /// What has been told since the last call, in order; of an earlier analysis at most
    /// [`PIECE`] events.
    pub fn take_events(&mut self) -> Vec<Event> {
        match &mut self.retold {
            Some(retold) => retold.piece(),
            None => self.events.take_all(),
        }
    }

    /// An earlier analysis has more to tell.
    #[must_use]
    pub fn tells_more(&self) -> bool {
        self.retold.as_ref().is_some_and(|r| r.events.len() > 0)
    }

    /// Of an earlier analysis, how much of it has been told.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        let mut status = locked(&self.status).clone();
        if let Some(retold) = self.retold.as_ref().filter(|r| r.events.len() > 0) {
            let told = (retold.all - retold.events.len()) as f64 / retold.all as f64;
            status.frames_done = (told * status.frames_done as f64) as u64;
            status.finished = false;
        }
        status
    }

    /// Ends the capture; what was captured is still decoded as a whole. For cameras.
    pub fn end(&self) {
        if let Some(capture) = &self.capture {
            capture.stop();
        }
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.end();
    }
}

/// The analysis thread. A panic in a stage becomes a notice; what it told before stays.
fn analyse(mut pipeline: Pipeline, frames: &FrameReceiver, stop: &AtomicBool, out: &Outlets) {
    let result = catch_unwind(AssertUnwindSafe(|| run(&mut pipeline, frames, stop, out)));
    let source_failed = matches!(&result, Ok(Ok(Some(_))));
    let failed = match result {
        Ok(Ok(failed)) => failed,
        Ok(Err(e)) => Some(e.to_string()),
        Err(_) => Some("The analysis stopped by an internal error. What was analysed before is kept; please report this".into()),
    };
    if let Some(text) = &failed {
        out.events
            .post([Event::Notice(Notice::error(text.clone()))]);
    }
    let mut status = locked(&out.status);
    status.finished = true;
    status.failed = failed;
    status.source_failed = source_failed;
    drop(status);
    (out.wake)();
}

/// `Ok(Some(text))` when the source failed: what came before is decoded all the same.
fn run(
    pipeline: &mut Pipeline,
    frames: &FrameReceiver,
    stop: &AtomicBool,
    out: &Outlets,
) -> Result<Option<String>, SessionError> {
    let started = Instant::now();
    let mut meter = Meter::new(started);
    let (mut failed, mut broken) = (None, None);
    while let Some(delivery) = frames.recv() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match delivery {
            Delivery::Frame(frame) => {
                match pipeline.push(&frame) {
                    Ok(events) => out.events.post(events),
                    Err(e) => {
                        broken = Some(e);
                        break;
                    }
                }
                if let Some(track) = pipeline.last_track() {
                    let crop = pipeline.held_crop();
                    out.preview.put(Preview {
                        frame: frame.clone(),
                        track: track.clone(),
                        crop,
                    });
                }
                meter.tick();
                let mut status = locked(&out.status);
                status.frames_done += 1;
                status.dropped += u64::from(frame.dropped_before);
                status.analysed_fps = meter.rate();
                let (frames, secs) = (status.frames_done, started.elapsed().as_secs_f64());
                status.pace.tell(Pace { frames, secs });
                // A container may state too few.
                status.frames_total = status.frames_total.map(|total| total.max(frames));
                status.source_fps = pipeline.measured_fps().unwrap_or(0.0) as f32;
                status.latency_ms = frame.captured.map(|at| at.elapsed().as_secs_f32() * 1e3);
                status.decision_delay_secs = pipeline.decision_delay_secs() as f32;
            }
            Delivery::Notice(notice) => out.events.post([Event::Notice(notice)]),
            Delivery::Failed(e) => {
                failed = Some(e.to_string());
                break;
            }
        }
        (out.wake)();
    }
    // What was found is told at once: second looks may take long.
    let parts: [fn(&mut Pipeline) -> Vec<Event>; 2] = [Pipeline::spot, Pipeline::late_looks];
    for part in parts {
        if !stop.load(Ordering::Relaxed) {
            out.events.post(part(pipeline));
            (out.wake)();
        }
    }
    match broken {
        Some(error) => Err(error),
        None => Ok(failed),
    }
}

/// Analysed frames a second over the last half second.
struct Meter {
    since: Instant,
    count: u32,
    rate: f32,
}

impl Meter {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            count: 0,
            rate: 0.0,
        }
    }

    fn tick(&mut self) {
        self.count += 1;
        let secs = self.since.elapsed().as_secs_f32();
        if secs >= 0.5 {
            self.rate = self.count as f32 / secs;
            (self.since, self.count) = (Instant::now(), 0);
        }
    }

    fn rate(&self) -> f32 {
        self.rate
    }
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spotting::ExpressionKind;
    use crate::timeline::FrameRecord;

    #[test]
    fn an_earlier_analysis_is_told_again_whole_and_finished() {
        let recording = recording(3);
        let mut session = again(&recording);
        let mut told = Recording::default();
        for event in session.take_events() {
            told.apply(event);
        }
        assert_eq!(told, recording);
        let status = session.status();
        assert!(status.finished && status.failed.is_none());
        assert_eq!((status.frames_done, status.frames_total), (3, Some(3)));
        assert!((status.source_fps - 25.0).abs() < 1e-3);
    }

    #[test]
    fn a_long_earlier_analysis_is_told_in_pieces_with_its_progress() {
        let recording = recording(3 * PIECE as u64);
        let mut session = again(&recording);
        let mut told = Recording::default();
        let (mut pieces, mut done) = (0, 0);
        while session.tells_more() {
            let status = session.status();
            assert!(!status.finished && status.frames_done >= done);
            assert_eq!(status.frames_total, Some(3 * PIECE as u64));
            done = status.frames_done;
            let piece = session.take_events();
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            pieces += 1;
            for event in piece {
                told.apply(event);
            }
        }
        // The frames, and what was said and spotted of them.
        assert_eq!(pieces, 4);
        assert_eq!(told, recording);
        assert!(session.status().finished);
        assert_eq!(session.status().frames_done, 3 * PIECE as u64);
        assert!(session.take_events().is_empty());
    }

    fn again(recording: &Recording) -> SessionHandle {
        let (info, facts) = (SourceInfo::of_clip(3), AnalysisFacts::of_the_control());
        SessionHandle::recorded(info, facts, recording.clone())
    }

    fn recording(frames: u64) -> Recording {
        let frame =
            |frame: u64| FrameRecord::faceless(frame, Timestamp::from_secs(frame as f64 / 25.0));
        let mut recording = Recording {
            frames: (0..frames).map(frame).collect(),
            finished: true,
            ..Recording::default()
        };
        recording
            .notices
            .push(Notice::warning("No face was found."));
        recording.thresholds.insert(ExpressionKind::Micro, 0.4);
        recording
    }
}
