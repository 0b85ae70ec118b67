//! The thread "stills".

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::reader::{self, Reader};
use super::{Still, StillKey, cut};
use crate::base::{Latest, Mailbox};
use crate::media::difference::{Compare, Compared};
use crate::media::player::Wake;
use crate::media::worker::panic_text;
use crate::media::{Frame, FrameSource, MediaError};

/// Opens the recording once more, on the thread that reads it.
pub type Opener = Box<dyn FnOnce() -> Result<Box<dyn FrameSource>, MediaError> + Send>;

#[derive(Default)]
struct Orders {
    /// The most urgent first.
    wishes: Vec<StillKey>,
    comparison: Option<Compare>,
    quit: bool,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// The window's handle. No call waits for reading; dropping it ends the thread after the
/// frame at hand.
pub struct Stills {
    shared: Arc<Shared>,
    arrived: Mailbox<Still>,
    compared: Latest<Compared>,
}

impl Stills {
    /// `open` is called at the first wish; `wake` after everything that arrives.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn start(open: Opener, wake: Wake) -> std::io::Result<Self> {
        let stills = Self {
            shared: Arc::default(),
            arrived: Mailbox::default(),
            compared: Latest::default(),
        };
        let thread = Thread {
            shared: Arc::clone(&stills.shared),
            arrived: stills.arrived.clone(),
            compared: stills.compared.clone(),
            wake,
            recording: Recording::Closed(open),
        };
        Builder::new()
            .name("stills".into())
            .spawn(move || thread.run())?;
        Ok(stills)
    }

    /// What is wanted now, the most urgent first, in place of what was wanted before.
    pub fn want(&self, wishes: Vec<StillKey>) {
        self.shared.ask(|orders| orders.wishes = wishes);
    }

    /// Goes before every still; the newest comparison wins.
    pub fn compare(&self, wanted: Compare) {
        self.shared.ask(|orders| orders.comparison = Some(wanted));
    }

    /// What has arrived since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Still> {
        self.arrived.take_all()
    }

    #[must_use]
    pub fn take_compared(&self) -> Option<Compared> {
        self.compared.take()
    }
}

impl Drop for Stills {
    fn drop(&mut self) {
        self.shared.ask(|orders| orders.quit = true);
    }
}

enum Recording {
    Closed(Opener),
    Open(Reader),
    /// Cannot be opened, or its decoder failed in itself: every wish is in vain.
    Broken,
}

enum Work {
    Quit,
    Compare(Compare),
    Read(u64),
}

struct Thread {
    shared: Arc<Shared>,
    arrived: Mailbox<Still>,
    compared: Latest<Compared>,
    wake: Wake,
    recording: Recording,
}

impl Thread {
    /// One frame at a time, so that a new wish is never far away.
    fn run(mut self) {
        loop {
            match self.work() {
                Work::Quit => return,
                Work::Compare(wanted) => {
                    self.compared.put(wanted.carry_out());
                    (self.wake)();
                }
                Work::Read(n) => self.read(n),
            }
        }
    }

    fn work(&self) -> Work {
        let mut orders = self.shared.lock();
        loop {
            if orders.quit {
                return Work::Quit;
            }
            if let Some(wanted) = orders.comparison.take() {
                return Work::Compare(wanted);
            }
            if let Some(n) = reader::next(&orders.wishes) {
                return Work::Read(n);
            }
            let woken = self.shared.changed.wait(orders);
            orders = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Answers every wish for frame `n`.
    fn read(&mut self, n: u64) {
        let read = catch_unwind(AssertUnwindSafe(|| self.frame(n)));
        let frame = match read {
            Ok(Ok(frame)) => frame,
            Ok(Err(e)) => {
                log::warn!("no still of frame {n}: {e}");
                None
            }
            Err(panic) => {
                let why = panic_text(panic.as_ref());
                log::error!("no stills any more: an internal error ({why})");
                self.recording = Recording::Broken;
                None
            }
        };
        let mut answered = Vec::new();
        self.shared.lock().wishes.retain(|key| {
            let of_this = key.frame == n;
            if of_this {
                answered.push(*key);
            }
            !of_this
        });
        let still = |key: StillKey| Still {
            key,
            picture: (frame.as_ref()).map(|f| Arc::new(cut(&f.picture, key.region, key.height))),
        };
        self.arrived.post(answered.into_iter().map(still));
        (self.wake)();
    }

    fn frame(&mut self, n: u64) -> Result<Option<Frame>, MediaError> {
        if matches!(self.recording, Recording::Closed(_)) {
            // Broken unless it opens.
            let closed = std::mem::replace(&mut self.recording, Recording::Broken);
            if let Recording::Closed(open) = closed {
                self.recording = Recording::Open(Reader::new(open()?));
            }
        }
        match &mut self.recording {
            Recording::Open(reader) => reader.frame(n),
            Recording::Closed(_) | Recording::Broken => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
