//! Results come home in the order they were asked for, without anybody waiting.
//!
//! On a device shared with a window a blocking poll can hold up `present`, so the
//! live path calls [`Readback::poll`] once a frame. [`Readback::wait`] blocks and is
//! for headless work; no other file may poll the device and wait.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{GpuContext, GpuError};

/// A device that stays silent for this long is taken for lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks of [`Readback::patiently`] and [`all_done`].
const NAP: Duration = Duration::from_micros(100);

/// The answer of wgpu's `map_async`.
type Mapped = Result<(), wgpu::BufferAsyncError>;

#[derive(Debug)]
struct Pending {
    ticket: u64,
    bytes: u64,
    staging: wgpu::Buffer,
    /// Set by [`Readback::start`], after the copy was submitted.
    mapped: Option<mpsc::Receiver<Mapped>>,
}

/// Waits for everything submitted, a minute at most.
pub(super) fn patient() -> wgpu::PollType {
    wgpu::PollType::Wait {
        submission_index: None,
        timeout: Some(PATIENCE),
    }
}

/// Lets the device go on, and calls back those whose mapping is done.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that polls, and it waits only for headless work"
)]
pub(super) fn drive(context: &GpuContext, poll: wgpu::PollType) -> Result<(), String> {
    match context.device.poll(poll) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Looks again and again until everything submitted so far is done: for measuring what a
/// person at the window would wait for. Unlike a blocking wait it leaves the device to the
/// other threads meanwhile, and sees the end a nap late at most.
///
/// # Errors
/// [`GpuError::Silent`] when the device was lost or stays silent for a minute.
pub fn all_done(context: &GpuContext, label: &'static str) -> Result<(), GpuError> {
    let silent = |reason: &str| GpuError::Silent {
        label: label.to_owned(),
        reason: reason.to_owned(),
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    context.queue.on_submitted_work_done(move || {
        // Nobody listens any more when the wait was given up.
        let _ = sender.send(());
    });
    let asked = Instant::now();
    loop {
        drive(context, wgpu::PollType::Poll).map_err(|reason| silent(&reason))?;
        match receiver.try_recv() {
            Ok(()) => return Ok(()),
            Err(mpsc::TryRecvError::Disconnected) => return Err(silent("the device dropped it")),
            Err(mpsc::TryRecvError::Empty) if asked.elapsed() > PATIENCE => {
                return Err(silent("no answer for a minute"));
            }
            Err(mpsc::TryRecvError::Empty) => std::thread::sleep(NAP),
        }
    }
}

/// A queue of read-backs with the staging buffers it uses again.
#[derive(Debug)]
pub struct Readback {
    label: &'static str,
    pending: VecDeque<Pending>,
    spare: Vec<wgpu::Buffer>,
}

impl Readback {
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self {
            label,
            pending: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// How many results are still on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Records the copy of `source`'s first `bytes` (a multiple of 4) behind the
    /// kernels in `encoder`. Call [`Self::start`] once the encoder is submitted.
    pub fn record(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::Buffer,
        bytes: u64,
        ticket: u64,
    ) {
        let fits = self.spare.iter().position(|buffer| buffer.size() == bytes);
        let staging = match fits {
            Some(at) => self.spare.swap_remove(at),
            None => {
                self.spare.clear();
                context.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(self.label),
                    size: bytes,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            }
        };
        encoder.copy_buffer_to_buffer(source, 0, &staging, 0, bytes);
        self.pending.push_back(Pending {
            ticket,
            bytes,
            staging,
            mapped: None,
        });
    }

    /// Asks for the mapping of everything recorded so far.
    pub fn start(&mut self) {
        for pending in self.pending.iter_mut().filter(|p| p.mapped.is_none()) {
            let (sender, receiver) = mpsc::sync_channel(1);
            pending
                .staging
                .map_async(wgpu::MapMode::Read, 0..pending.bytes, move |answer| {
                    // Nobody listens any more when the queue was dropped.
                    let _ = sender.send(answer);
                });
            pending.mapped = Some(receiver);
        }
    }

    /// The oldest result with its ticket if it has arrived; never waits.
    ///
    /// # Errors
    /// [`GpuError::Readback`] when the device was lost; the result is gone.
    pub fn poll(&mut self, context: &GpuContext) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        self.drive(context, wgpu::PollType::Poll)?;
        self.take_first()
    }

    /// The oldest result, waiting for it; `None` when nothing is on its way.
    ///
    /// # Errors
    /// [`GpuError::Readback`] when the device was lost or stays silent for a minute.
    pub fn wait(&mut self, context: &GpuContext) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        self.drive(context, patient())?;
        match self.take_first()? {
            Some(result) => Ok(Some(result)),
            None => {
                self.pending.pop_front();
                Err(self.error("no answer"))
            }
        }
    }

    /// The oldest result, looked for again and again: for threads that may wait beside
    /// a window on the same device, whose picture a blocking poll would hold up.
    /// `None` when nothing is on its way.
    ///
    /// # Errors
    /// As [`Self::wait`]; the result is then gone and does not come later in place of
    /// another.
    pub fn patiently(&mut self, context: &GpuContext) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        let asked = Instant::now();
        while !self.pending.is_empty() {
            if let Some(found) = self.poll(context)? {
                return Ok(Some(found));
            }
            if asked.elapsed() > PATIENCE {
                self.pending.pop_front();
                return Err(self.error("no answer for a minute"));
            }
            std::thread::sleep(NAP);
        }
        Ok(None)
    }

    fn drive(&self, context: &GpuContext, poll: wgpu::PollType) -> Result<(), GpuError> {
        drive(context, poll).map_err(|reason| self.error(&reason))
    }

    fn take_first(&mut self) -> Result<Option<(u64, Vec<f32>)>, GpuError> {
        let Some(first) = self.pending.front() else {
            return Ok(None);
        };
        let answer = match &first.mapped {
            None => return Ok(None),
            Some(receiver) => match receiver.try_recv() {
                Err(mpsc::TryRecvError::Empty) => return Ok(None),
                Err(mpsc::TryRecvError::Disconnected) => Err("the device dropped it".to_owned()),
                Ok(answer) => answer.map_err(|error| error.to_string()),
            },
        };
        let Some(done) = self.pending.pop_front() else {
            return Ok(None);
        };
        answer.map_err(|reason| self.error(&reason))?;
        let values = {
            let view = done
                .staging
                .get_mapped_range(0..done.bytes)
                .map_err(|error| self.error(&error.to_string()))?;
            let (values, _) = view[..].as_chunks::<4>();
            values.iter().map(|&v| f32::from_ne_bytes(v)).collect()
        };
        done.staging.unmap();
        self.spare.push(done.staging);
        Ok(Some((done.ticket, values)))
    }

    fn error(&self, reason: &str) -> GpuError {
        GpuError::Readback {
            label: self.label.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
