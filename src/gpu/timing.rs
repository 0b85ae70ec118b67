//! How long the card itself works: two timestamps in its own stream of commands.
//!
//! A clock on the host sees submission, scheduling and the way back as well. The
//! timestamps stand at the ends of two empty compute passes, which every adapter
//! with `TIMESTAMP_QUERY` accepts, so kernels need not know that they are timed.

use std::sync::mpsc;

use super::readback::{drive, patient};
use super::{GpuContext, GpuError};

const LABEL: &str = "gpu.timing";
/// Two timestamps of eight bytes.
const BYTES: u64 = 16;

/// A stopwatch on the card.
#[derive(Debug)]
pub struct GpuTimer {
    context: GpuContext,
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
}

impl GpuTimer {
    /// `None` where the adapter offers no timestamps.
    #[must_use]
    pub fn new(context: &GpuContext) -> Option<Self> {
        let device = &context.device;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(LABEL),
                size: BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        Some(Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some(LABEL),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            staging: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            context: context.clone(),
        })
    }

    /// Records the start before the commands to be timed.
    pub fn start(&self, encoder: &mut wgpu::CommandEncoder) {
        self.stamp(encoder, Some(0), None);
    }

    /// Records the end behind them, in this or a later encoder.
    pub fn stop(&self, encoder: &mut wgpu::CommandEncoder) {
        self.stamp(encoder, None, Some(1));
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.staging, 0, BYTES);
    }

    /// Milliseconds on the card between start and stop; waits until both have been
    /// reached, so for measuring only.
    ///
    /// # Errors
    /// [`GpuError::Readback`] when the device was lost.
    pub fn milliseconds(&self) -> Result<f64, GpuError> {
        let failed = |reason: String| GpuError::Readback {
            label: LABEL.to_owned(),
            reason,
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        self.staging
            .map_async(wgpu::MapMode::Read, 0..BYTES, move |answer| {
                // Nobody listens any more when the wait was given up.
                let _ = sender.send(answer);
            });
        drive(&self.context, patient()).map_err(failed)?;
        receiver
            .try_recv()
            .map_err(|e| failed(e.to_string()))?
            .map_err(|e| failed(e.to_string()))?;
        let ticks = {
            let view = self
                .staging
                .get_mapped_range(0..BYTES)
                .map_err(|e| failed(e.to_string()))?;
            let (words, _) = view[..].as_chunks::<8>();
            let at = |i: usize| u64::from_ne_bytes(words[i]);
            // A card that was reset in between may count from 0 again.
            at(1).saturating_sub(at(0))
        };
        self.staging.unmap();
        let nanoseconds_per_tick = f64::from(self.context.queue.get_timestamp_period());
        Ok(ticks as f64 * nanoseconds_per_tick / 1e6)
    }

    /// Times whatever `submit` submits, from the first of its commands to the last.
    /// It must not wait for results: the card's idle time would be counted.
    ///
    /// # Errors
    /// As [`Self::milliseconds`].
    pub fn around<R>(&self, submit: impl FnOnce() -> R) -> Result<(R, f64), GpuError> {
        let encoder = || {
            let label = wgpu::CommandEncoderDescriptor { label: Some(LABEL) };
            self.context.device.create_command_encoder(&label)
        };
        let mut first = encoder();
        self.start(&mut first);
        self.context.queue.submit([first.finish()]);
        let result = submit();
        let mut last = encoder();
        self.stop(&mut last);
        self.context.queue.submit([last.finish()]);
        Ok((result, self.milliseconds()?))
    }

    fn stamp(&self, encoder: &mut wgpu::CommandEncoder, beginning: Option<u32>, end: Option<u32>) {
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(LABEL),
            timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                query_set: &self.queries,
                beginning_of_pass_write_index: beginning,
                end_of_pass_write_index: end,
            }),
        });
    }
}
