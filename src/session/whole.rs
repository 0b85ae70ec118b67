//! A recording from its first frame to its last, analysed on the thread that asks.

use super::SessionError;
use super::facts::AnalysisFacts;
use super::pipeline::Pipeline;
use crate::base::Notice;
use crate::media::{CaptureWorker, Delivery, FrameSource, MediaError, SourceInfo};
use crate::timeline::{Event, Recording};

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'a> {
    /// So many frames are analysed; the last of them is so many seconds from the first.
    Frames {
        done: u64,
        secs: f64,
    },
    Notice(&'a Notice),
    /// All frames are; what is left is to decode the whole.
    AllFrames,
}

/// What whoever is told wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoOn,
    /// No further frame; what was read is decoded.
    Enough,
    /// Nothing of it is wanted any more.
    Stop,
}

/// What came of it.
#[derive(Debug)]
pub struct Whole {
    pub info: SourceInfo,
    pub recording: Recording,
    pub facts: AnalysisFacts,
    /// To the recording's end: it neither broke off nor was it enough before.
    pub complete: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum WholeError {
    /// No thread to read on.
    #[error(transparent)]
    NoThread(MediaError),
    /// It broke off before the first frame was analysed.
    #[error(transparent)]
    NotBegun(SessionError),
    #[error("No frame could be decoded. Check that the file plays in another program: {input}")]
    NoFrame { input: String },
    #[error("The analysis was stopped before its end.")]
    Stopped,
}

/// Reads `source` on a thread of its own and pushes every frame through `pipeline`. A
/// recording that breaks off is decoded as far as it was read, with a warning.
///
/// # Errors
/// Where not one frame was analysed, and where `told` said to stop.
pub fn analyse(
    source: Box<dyn FrameSource>,
    mut pipeline: Pipeline,
    told: &mut dyn FnMut(Told<'_>) -> Next,
) -> Result<Whole, WholeError> {
    let info = source.info().clone();
    if info.live {
        pipeline = pipeline.at_once();
    }
    let mut recording = Recording::default();
    let (worker, deliveries) = CaptureWorker::start(source).map_err(WholeError::NoThread)?;
    let (mut broken_off, mut enough) = (None, false);
    while let Some(delivery) = deliveries.recv() {
        let next = match delivery {
            Delivery::Frame(frame) => match pipeline.push(&frame) {
                Ok(events) => {
                    let heard = hear(&mut recording, events, told);
                    heard.and_then(|()| {
                        asked(told(Told::Frames {
                            done: recording.frames.len() as u64,
                            secs: frame.timestamp.secs(),
                        }))
                    })
                }
                Err(error) => {
                    broken_off = Some(error);
                    break;
                }
            },
            Delivery::Notice(notice) => hear(&mut recording, [Event::Notice(notice)], told),
            Delivery::Failed(error) => {
                broken_off = Some(error.into());
                break;
            }
        };
        match next {
            Ok(()) => {}
            Err(Next::Stop) => return Err(WholeError::Stopped),
            Err(_) => {
                enough = true;
                break;
            }
        }
    }
    worker.stop();
    let complete = broken_off.is_none() && !enough;
    if recording.frames.is_empty() {
        return Err(broken_off.map_or_else(
            || WholeError::NoFrame {
                input: place(&info),
            },
            WholeError::NotBegun,
        ));
    }
    let mut rest = Vec::new();
    if let Some(error) = broken_off {
        let text =
            format!("Only what was read before the recording broke off is analysed. {error:#}");
        rest.push(Event::Notice(Notice::warning(text)));
    }
    if told(Told::AllFrames) == Next::Stop {
        return Err(WholeError::Stopped);
    }
    rest.extend(pipeline.finish());
    if hear(&mut recording, rest, told) == Err(Next::Stop) {
        return Err(WholeError::Stopped);
    }
    Ok(Whole {
        info,
        recording,
        facts: AnalysisFacts::of(&pipeline),
        complete,
    })
}

/// Keeps `events` and tells the notices among them.
fn hear(
    recording: &mut Recording,
    events: impl IntoIterator<Item = Event>,
    told: &mut dyn FnMut(Told<'_>) -> Next,
) -> Result<(), Next> {
    let before = recording.notices.len();
    keep(recording, events);
    let new = &recording.notices[before..];
    new.iter().try_for_each(|n| asked(told(Told::Notice(n))))
}

fn asked(next: Next) -> Result<(), Next> {
    match next {
        Next::GoOn => Ok(()),
        other => Err(other),
    }
}

fn place(info: &SourceInfo) -> String {
    let path = info.path.as_ref();
    path.map_or_else(|| info.name.clone(), |path| path.display().to_string())
}

/// The per-frame landmarks are for the window; here they would only grow.
pub fn keep(recording: &mut Recording, events: impl IntoIterator<Item = Event>) {
    for mut event in events {
        if let Event::Frame(record) = &mut event
            && let Some(face) = &mut record.face
        {
            face.landmarks = None;
        }
        recording.apply(event);
    }
}
