//! The one decision about back-pressure: what happens when frames come faster
//! than they are analysed.
//!
//! A file waits and never loses a frame. A camera cannot wait: its oldest waiting
//! frame is dropped and counted, and the frame after it says how many are missing
//! before it. Notices and errors are never dropped and keep their place.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::Notice;

use super::{Frame, MediaError};

/// What a full queue does with one more frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The sender waits: files, folders, the drawn face.
    Wait,
    /// The oldest waiting frame goes: cameras.
    DropOldest,
}

/// What the analysis receives, in the order in which it happened.
#[derive(Debug)]
pub enum Delivery {
    Frame(Frame),
    Notice(Notice),
    /// The source failed; nothing follows.
    Failed(MediaError),
}

/// How many frames went in and where they are.
/// `produced == delivered + dropped + waiting` at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    pub produced: u64,
    pub delivered: u64,
    pub dropped: u64,
    pub waiting: u64,
}

/// The receiver has gone: there is nobody to read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverGone;

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Delivery>,
    counts: QueueCounts,
    sender_gone: bool,
    receiver_gone: bool,
    /// Dropped frames that no waiting frame has been told about.
    unstamped: u32,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    capacity: u64,
    when_full: WhenFull,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The capture thread's end. Dropping it ends the stream.
#[derive(Debug)]
pub struct FrameSender(Arc<Shared>);

/// The analysis's end. Dropping it releases a waiting sender.
#[derive(Debug)]
pub struct FrameReceiver(Arc<Shared>);

/// A queue that holds at most `capacity` frames (at least one).
#[must_use]
pub fn frame_queue(capacity: usize, when_full: WhenFull) -> (FrameSender, FrameReceiver) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        changed: Condvar::new(),
        capacity: capacity.max(1) as u64,
        when_full,
    });
    (FrameSender(Arc::clone(&shared)), FrameReceiver(shared))
}

impl FrameSender {
    /// Hands over one frame, waiting or dropping as the queue was told to.
    ///
    /// # Errors
    /// The receiver has gone.
    pub fn send(&self, mut frame: Frame) -> Result<(), ReceiverGone> {
        let mut state = self.0.lock();
        while state.counts.waiting >= self.0.capacity && !state.receiver_gone {
            match self.0.when_full {
                WhenFull::Wait => {
                    state = self
                        .0
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                WhenFull::DropOldest => drop_oldest(&mut state),
            }
        }
        if state.receiver_gone {
            return Err(ReceiverGone);
        }
        frame.dropped_before += std::mem::take(&mut state.unstamped);
        state.counts.produced += 1;
        state.counts.waiting += 1;
        state.items.push_back(Delivery::Frame(frame));
        self.0.changed.notify_all();
        Ok(())
    }

    /// Tells something that does not end the recording.
    pub fn tell(&self, notice: Notice) {
        self.push(Delivery::Notice(notice));
    }

    /// Tells what ended the recording.
    pub fn fail(&self, error: MediaError) {
        self.push(Delivery::Failed(error));
    }

    /// Whether anybody still listens.
    #[must_use]
    pub fn receiver_gone(&self) -> bool {
        self.0.lock().receiver_gone
    }

    fn push(&self, item: Delivery) {
        self.0.lock().items.push_back(item);
        self.0.changed.notify_all();
    }
}

/// Drops the oldest waiting frame and tells the one after it.
fn drop_oldest(state: &mut State) {
    let Some(at) = state
        .items
        .iter()
        .position(|i| matches!(i, Delivery::Frame(_)))
    else {
        return;
    };
    let Some(Delivery::Frame(dropped)) = state.items.remove(at) else {
        return;
    };
    state.counts.waiting -= 1;
    state.counts.dropped += 1;
    let missing = dropped.dropped_before + 1;
    let after = state.items.iter_mut().find_map(|item| match item {
        Delivery::Frame(frame) => Some(frame),
        _ => None,
    });
    match after {
        Some(frame) => frame.dropped_before += missing,
        None => state.unstamped += missing,
    }
}

impl Drop for FrameSender {
    fn drop(&mut self) {
        self.0.lock().sender_gone = true;
        self.0.changed.notify_all();
    }
}

/// What came of waiting for a delivery.
#[derive(Debug)]
pub enum Received {
    Item(Delivery),
    /// Nothing arrived in time; more may follow.
    TimedOut,
    /// The sender has gone and everything has been delivered.
    Ended,
}

impl FrameReceiver {
    /// The next delivery, waiting for it; `None` after the last one.
    #[must_use]
    pub fn recv(&self) -> Option<Delivery> {
        match self.wait(None) {
            Received::Item(item) => Some(item),
            Received::TimedOut | Received::Ended => None,
        }
    }

    /// The next delivery, waiting at most `limit`.
    #[must_use]
    pub fn recv_timeout(&self, limit: Duration) -> Received {
        self.wait(Some(limit))
    }

    fn wait(&self, limit: Option<Duration>) -> Received {
        let deadline = limit.map(|l| Instant::now() + l);
        let mut state = self.0.lock();
        loop {
            if let Some(mut item) = state.items.pop_front() {
                if let Delivery::Frame(frame) = &mut item {
                    // With drops the frames that arrive are counted, so that
                    // numbers have no holes; `dropped_before` shows the gap.
                    if self.0.when_full == WhenFull::DropOldest {
                        frame.index = state.counts.delivered;
                    }
                    state.counts.waiting -= 1;
                    state.counts.delivered += 1;
                    self.0.changed.notify_all();
                }
                return Received::Item(item);
            }
            if state.sender_gone {
                return Received::Ended;
            }
            state = match deadline {
                None => self
                    .0
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Received::TimedOut;
                    }
                    self.0
                        .changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        self.0.lock().counts
    }
}

impl Drop for FrameReceiver {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_gone = true;
        state.items.clear();
        state.counts.dropped += state.counts.waiting;
        state.counts.waiting = 0;
        drop(state);
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::base::Timestamp;

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            timestamp: Timestamp::from_nanos(index as i64),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(image::RgbImage::new(1, 1)),
        }
    }

    #[test]
    fn a_file_waits_and_loses_nothing() {
        let (sender, receiver) = frame_queue(2, WhenFull::Wait);
        let writer = thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                for i in 0..200 {
                    sender.send(frame(i)).unwrap();
                }
                sender.tell(Notice::info("end"));
            })
            .unwrap();
        let mut expected = 0;
        let mut told = 0;
        while let Some(item) = receiver.recv() {
            match item {
                Delivery::Frame(f) => {
                    assert_eq!((f.index, f.dropped_before), (expected, 0));
                    expected += 1;
                    assert!(receiver.counts().waiting <= 2);
                }
                Delivery::Notice(_) => told += 1,
                Delivery::Failed(e) => panic!("{e}"),
            }
        }
        writer.join().unwrap();
        assert_eq!((expected, told), (200, 1));
    }

    #[test]
    fn a_camera_drops_the_oldest_and_every_gap_is_stamped() {
        let (sender, receiver) = frame_queue(3, WhenFull::DropOldest);
        let mut times = Vec::new();
        let mut missing = 0;
        for i in 0..50 {
            sender.send(frame(i)).unwrap();
            if i == 5 {
                sender.tell(Notice::info("light changed"));
            }
            if i % 7 == 0 {
                while let Received::Item(item) = receiver.recv_timeout(Duration::ZERO) {
                    if let Delivery::Frame(f) = item {
                        assert_eq!(f.index, times.len() as u64);
                        times.push(f.timestamp);
                        missing += u64::from(f.dropped_before);
                        assert_eq!(f.timestamp.nanos() as u64, f.index + missing);
                    }
                }
            }
        }
        let counts = receiver.counts();
        assert!(times.windows(2).all(|w| w[0] < w[1]), "order kept");
        assert_eq!(counts.produced, 50);
        assert_eq!(
            counts.delivered + counts.dropped + counts.waiting,
            counts.produced
        );
        assert!(missing > 0);
    }

    #[test]
    fn a_sender_is_released_when_the_receiver_goes() {
        let (sender, receiver) = frame_queue(1, WhenFull::Wait);
        sender.send(frame(0)).unwrap();
        let waiting = thread::Builder::new()
            .name("writer".into())
            .spawn(move || sender.send(frame(1)))
            .unwrap();
        drop(receiver);
        assert_eq!(waiting.join().unwrap(), Err(ReceiverGone));
    }
}
