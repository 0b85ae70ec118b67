//! The capture thread: reads a source and puts its frames into the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use super::queue::{FrameReceiver, FrameSender, WhenFull, frame_queue};
use super::{FrameSource, MediaError, SourceInfo};

/// Frames that may wait: enough to bridge a slow frame, few enough that a live
/// picture is never older than a moment.
pub const QUEUE_FRAMES: usize = 4;

/// A source that is being read on a thread of its own.
#[derive(Debug)]
pub struct CaptureWorker {
    info: SourceInfo,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl CaptureWorker {
    /// Starts reading `source`. Frames, notices and at last an error arrive at the
    /// receiver in the order in which they happened; the stream ends after the
    /// last frame, after an error or after [`CaptureWorker::stop`].
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(source: Box<dyn FrameSource>) -> Result<(Self, FrameReceiver), MediaError> {
        let info = source.info().clone();
        let when_full = if info.live {
            WhenFull::DropOldest
        } else {
            WhenFull::Wait
        };
        let (sender, receiver) = frame_queue(QUEUE_FRAMES, when_full);
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = Builder::new()
            .name("capture".into())
            .spawn(move || capture(source, &sender, &asked))
            .map_err(|e| MediaError::Interrupted {
                name: info.name.clone(),
                reason: format!("the system refuses another thread ({e}); close other programs"),
            })?;
        let worker = Self {
            info,
            stop,
            thread: Some(thread),
        };
        Ok((worker, receiver))
    }

    /// The source as it was when reading began.
    #[must_use]
    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// Asks the thread to end after the frame at hand; returns at once.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until the thread has ended. A thread that waits for room in the queue
    /// ends only when the receiver is read or dropped.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread catches its own panics; there is nothing left to report.
            let _ = thread.join();
        }
    }
}

impl Drop for CaptureWorker {
    fn drop(&mut self) {
        self.stop();
    }
}

fn capture(mut source: Box<dyn FrameSource>, sender: &FrameSender, stop: &AtomicBool) {
    let name = source.info().name.clone();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let outcome = read_to_end(source.as_mut(), sender, stop);
        for notice in source.take_notices() {
            sender.tell(notice);
        }
        // Letting go of a device can panic as well.
        drop(source);
        outcome
    }));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => sender.fail(error),
        Err(panic) => sender.fail(MediaError::Interrupted {
            name,
            reason: format!(
                "an internal error stopped the reading ({}). What was read so far is kept; please report this",
                panic_text(panic.as_ref())
            ),
        }),
    }
}

fn read_to_end(
    source: &mut dyn FrameSource,
    sender: &FrameSender,
    stop: &AtomicBool,
) -> Result<(), MediaError> {
    while !stop.load(Ordering::Relaxed) {
        let frame = source.next_frame();
        for notice in source.take_notices() {
            sender.tell(notice);
        }
        let Some(frame) = frame? else { break };
        if sender.send(frame).is_err() {
            break;
        }
    }
    Ok(())
}

/// The message of a caught panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Notice, Timestamp};
    use crate::media::Frame;
    use crate::media::queue::Delivery;

    /// Ten frames with a notice at 3, then what `end` says.
    struct Script {
        info: SourceInfo,
        next: u64,
        notices: Vec<Notice>,
        end: fn() -> Result<Option<Frame>, MediaError>,
    }

    impl Script {
        fn boxed(live: bool, end: fn() -> Result<Option<Frame>, MediaError>) -> Box<Self> {
            Box::new(Self {
                info: SourceInfo {
                    name: "script".into(),
                    live,
                    ..SourceInfo::of_camera((1, 1), 1.0)
                },
                next: 0,
                notices: Vec::new(),
                end,
            })
        }
    }

    impl FrameSource for Script {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
            let index = self.next;
            self.next += 1;
            if index == 3 {
                self.notices.push(Notice::warning("packet lost"));
            }
            if index >= 10 {
                return (self.end)();
            }
            Ok(Some(Frame {
                index,
                timestamp: Timestamp::from_secs(index as f64),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(image::RgbImage::new(1, 1)),
            }))
        }

        fn seek(&mut self, _: u64) -> Result<(), MediaError> {
            Err(MediaError::NoSeek("a script".into()))
        }

        fn take_notices(&mut self) -> Vec<Notice> {
            std::mem::take(&mut self.notices)
        }
    }

    fn transcript(receiver: &FrameReceiver) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(item) = receiver.recv() {
            lines.push(match item {
                Delivery::Frame(f) => f.index.to_string(),
                Delivery::Notice(n) => n.text,
                Delivery::Failed(e) => e.to_string(),
            });
        }
        lines
    }

    #[test]
    fn frames_notices_and_the_error_arrive_in_order() {
        let source = Script::boxed(false, || Err(MediaError::Camera("unplugged".into())));
        let (worker, receiver) = CaptureWorker::start(source).unwrap();
        let lines = transcript(&receiver);
        assert_eq!(lines.len(), 12);
        assert_eq!(&lines[2..5], ["2", "packet lost", "3"]);
        assert_eq!(lines[11], "unplugged");
        worker.join();
    }

    #[test]
    fn a_panic_becomes_an_error_and_nothing_before_it_is_lost() {
        let (worker, receiver) =
            CaptureWorker::start(Script::boxed(false, || panic!("decoder bug"))).unwrap();
        let lines = transcript(&receiver);
        assert_eq!(lines.len(), 12);
        assert!(lines[11].contains("decoder bug"), "{}", lines[11]);
        worker.join();
    }

    #[test]
    fn stop_ends_an_endless_source() {
        let endless = || {
            Ok(Some(Frame {
                index: 0,
                timestamp: Timestamp::ZERO,
                dropped_before: 0,
                captured: None,
                picture: Arc::new(image::RgbImage::new(1, 1)),
            }))
        };
        let (worker, receiver) = CaptureWorker::start(Script::boxed(true, endless)).unwrap();
        assert!(receiver.recv().is_some());
        worker.stop();
        worker.join();
        while receiver.recv().is_some() {}
        let counts = receiver.counts();
        assert_eq!(counts.delivered + counts.dropped, counts.produced);
    }
}
