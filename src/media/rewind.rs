//! Decodes what lies before the frame on the screen, on a thread and with a source of its
//! own: video is coded forward, so that one step back may cost a whole group of pictures.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Frame, FrameSource, MediaError};
use crate::base::Latest;

/// Frames that may wait to be taken; the player takes them between any two things it does.
const WAITING: usize = 16;

#[derive(Debug)]
enum Arrival {
    Frame(Frame),
    /// A range is through, however much of it there was.
    Through,
}

/// The thread "rewind"; dropping it ends the thread after the frame at hand.
#[derive(Debug)]
pub(crate) struct Rewind {
    wish: Latest<Range<u64>>,
    bell: Sender<()>,
    arrivals: Receiver<Arrival>,
    /// What was asked for and has not all arrived.
    pending: Option<Range<u64>>,
    /// Its thread has ended by an error of its own: nothing comes any more.
    ended: bool,
    quit: Arc<AtomicBool>,
}

impl Rewind {
    /// `told` is called after each frame.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub(crate) fn start(
        mut source: Box<dyn FrameSource>,
        told: impl Fn() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let wish: Latest<Range<u64>> = Latest::default();
        let (bell, rung) = bounded(1);
        let (sender, arrivals) = bounded(WAITING);
        let quit = Arc::new(AtomicBool::new(false));
        let (inbox, stopped) = (wish.clone(), Arc::clone(&quit));
        Builder::new().name("rewind".into()).spawn(move || {
            while rung.recv().is_ok() {
                let Some(range) = inbox.take() else {
                    continue;
                };
                let go_on = || !stopped.load(Ordering::Relaxed);
                if let Err(e) = decode(source.as_mut(), range.clone(), &sender, &told, go_on) {
                    // The frame's own error shows up when it is wanted itself.
                    log::info!("frames {range:?} are not decoded ahead: {e}");
                }
                if sender.send(Arrival::Through).is_err() {
                    return;
                }
                told();
            }
        })?;
        Ok(Self {
            wish,
            bell,
            arrivals,
            pending: None,
            ended: false,
            quit,
        })
    }

    /// Asks for these frames; nothing while others are still on their way.
    pub(crate) fn want(&mut self, range: Range<u64>) {
        if self.ended || self.pending.is_some() || range.is_empty() {
            return;
        }
        self.wish.put(range.clone());
        self.pending = Some(range);
        // A bell that already rings is enough.
        let _ = self.bell.try_send(());
    }

    /// Whether this frame is on its way.
    pub(crate) fn brings(&self, frame: u64) -> bool {
        self.pending.as_ref().is_some_and(|p| p.contains(&frame))
    }

    pub(crate) fn has_arrivals(&self) -> bool {
        !self.arrivals.is_empty()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.pending.is_some()
    }

    /// The next frame that has arrived; waits for one up to `limit`.
    pub(crate) fn take(&mut self, limit: std::time::Duration) -> Option<Frame> {
        match self.arrivals.recv_timeout(limit) {
            Ok(Arrival::Frame(frame)) => return Some(frame),
            Ok(Arrival::Through) => self.pending = None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => (self.pending, self.ended) = (None, true),
        }
        None
    }
}

impl Drop for Rewind {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Relaxed);
    }
}

fn decode(
    source: &mut dyn FrameSource,
    range: Range<u64>,
    sender: &Sender<Arrival>,
    told: &impl Fn(),
    go_on: impl Fn() -> bool,
) -> Result<(), MediaError> {
    source.seek(range.start)?;
    while go_on() {
        let Some(frame) = source.next_frame()? else {
            break;
        };
        // Damage is reported by the player's own source.
        drop(source.take_notices());
        if frame.index >= range.end {
            break;
        }
        let last = frame.index + 1 == range.end;
        if sender.send(Arrival::Frame(frame)).is_err() {
            break;
        }
        told();
        if last {
            break;
        }
    }
    Ok(())
}
