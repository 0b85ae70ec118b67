//! Batches that are on their way: sent off, read back, gone on with where the steps were
//! too few.

use super::batch::{FlowBatch, REPORT_HEAD};
use super::{LABEL, Tvl1Gpu, place};
use crate::base::Plane;
use crate::gpu::GpuError;
use crate::motion::Flow;
use crate::motion::gpu::GpuFlowError;
use crate::motion::gpu::pyramid::GpuPyramid;
use crate::motion::tvl1::check;

/// The flows of a batch, back in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowsDone {
    /// As given to [`Tvl1Gpu::submit`].
    pub ticket: u64,
    pub flows: Vec<Flow>,
    /// Inner iterations of each pair on each level, finest first.
    pub iterations: Vec<Vec<u32>>,
    /// Steps the slowest pair needed.
    pub steps: usize,
    /// Steps that were recorded.
    pub dispatches: usize,
}

#[derive(Debug)]
pub(super) struct InFlight {
    id: u64,
    ticket: u64,
    batch: Option<FlowBatch>,
    done: Option<FlowsDone>,
}

impl Tvl1Gpu {
    /// Starts the flows of all pairs (of one size); they come through [`Self::poll`]
    /// or [`Self::wait`] with this `ticket`, in the order of submission. The pyramids
    /// may be recorded anew as soon as this returns.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn submit(
        &mut self,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
        ticket: u64,
    ) -> Result<(), GpuFlowError> {
        let encoder = self.encoder();
        self.submit_after(encoder, pairs, ticket).map(|_| ())
    }

    /// The oldest batch's flows if they have arrived; never waits.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn poll(&mut self) -> Result<Option<FlowsDone>, GpuError> {
        while let Some((id, values)) = self.readback.poll(&self.context)? {
            self.receive(id, &values)?;
        }
        Ok(self.take_front())
    }

    /// The oldest batch's flows, waiting for them: for headless work and tests.
    /// `None` when nothing is on its way.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn wait(&mut self) -> Result<Option<FlowsDone>, GpuError> {
        while self.in_flight.front().is_some_and(|f| f.done.is_none()) {
            self.receive_one()?;
        }
        Ok(self.take_front())
    }

    /// Batches that are still on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The flows of pairs of pictures (grey 0..255, all of one size), waiting for
    /// them: for headless work and tests. A picture that stands in several pairs is
    /// sent once.
    ///
    /// # Errors
    /// When the pictures differ in size, are too small, or do not fit the card.
    pub fn flows(&mut self, pairs: &[(&Plane, &Plane)]) -> Result<FlowsDone, GpuFlowError> {
        let Some((one, _)) = pairs.first() else {
            return Ok(FlowsDone {
                ticket: 0,
                flows: Vec::new(),
                iterations: Vec::new(),
                steps: 0,
                dispatches: 0,
            });
        };
        let size = (one.width, one.height);
        for plane in pairs.iter().flat_map(|(a, b)| [a, b]) {
            check(size, (plane.width, plane.height))?;
        }
        let mut planes: Vec<&Plane> = Vec::new();
        let mut indices = Vec::with_capacity(pairs.len());
        for &(a, b) in pairs {
            indices.push((place(&mut planes, a), place(&mut planes, b)));
        }
        let mut pyramids = std::mem::take(&mut self.own_pyramids);
        pyramids.retain(|p| p.size() == size);
        while pyramids.len() < planes.len() {
            pyramids.push(self.allocate_pyramid(size.0, size.1)?);
        }
        let mut encoder = self.encoder();
        for (plane, pyramid) in planes.iter().zip(&pyramids) {
            self.pyramids.upload(pyramid, plane)?;
            self.pyramids.record(&mut encoder, pyramid);
        }
        let on_card: Vec<_> = (indices.iter())
            .map(|&(a, b)| (&pyramids[a], &pyramids[b]))
            .collect();
        let id = self.submit_after(encoder, &on_card, 0)?;
        self.own_pyramids = pyramids;
        loop {
            let at = (self.in_flight.iter()).position(|f| f.id == id && f.done.is_some());
            let found = at.and_then(|at| self.in_flight.remove(at));
            if let Some(done) = found.and_then(|f| f.done) {
                return Ok(done);
            }
            self.receive_one()?;
        }
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some(LABEL) };
        self.context.device.create_command_encoder(&descriptor)
    }

    fn submit_after(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        pairs: &[(&GpuPyramid, &GpuPyramid)],
        ticket: u64,
    ) -> Result<u64, GpuFlowError> {
        let mut batch = self.begin(&mut encoder, pairs)?;
        let steps = batch.expected;
        let id = self.next_id;
        self.next_id += 1;
        self.send(encoder, &mut batch, steps, id);
        self.in_flight.push_back(InFlight {
            id,
            ticket,
            batch: Some(batch),
            done: None,
        });
        Ok(id)
    }

    /// Records steps and the read-back and sends them off.
    fn send(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        batch: &mut FlowBatch,
        steps: usize,
        id: u64,
    ) {
        self.record_steps(&mut encoder, batch, steps);
        let result = &batch.result;
        let context = &self.context;
        self.readback
            .record(context, &mut encoder, result, result.size(), id);
        context.queue.submit([encoder.finish()]);
        self.readback.start();
    }

    fn receive_one(&mut self) -> Result<(), GpuError> {
        match self.readback.wait(&self.context)? {
            Some((id, values)) => self.receive(id, &values),
            None => Err(GpuError::Readback {
                label: LABEL.to_owned(),
                reason: "nothing is on its way".to_owned(),
            }),
        }
    }

    /// Takes a result in, or goes on where the steps were too few.
    fn receive(&mut self, id: u64, values: &[f32]) -> Result<(), GpuError> {
        let Some(at) = self.in_flight.iter().position(|f| f.id == id) else {
            return Ok(());
        };
        let Some(mut batch) = self.in_flight[at].batch.take() else {
            return Ok(());
        };
        let reports = values[batch.room * batch.flow_values()..]
            .chunks_exact(batch.report_length())
            .take(batch.pairs);
        let finished = reports.clone().all(|report| report[0] > 0.0);
        let most = batch.plan.most_steps;
        if !finished {
            if batch.recorded >= most {
                self.in_flight.remove(at);
                return Err(GpuError::Readback {
                    label: LABEL.to_owned(),
                    reason: format!("the flow was not finished after {most} steps"),
                });
            }
            let more = batch.expected.min(most - batch.recorded);
            let encoder = self.encoder();
            self.send(encoder, &mut batch, more, id);
            self.in_flight[at].batch = Some(batch);
            return Ok(());
        }
        let steps = reports.clone().map(|r| r[1] as usize).max().unwrap_or(0);
        // A quarter more than these needed; at once up, in halves down.
        let enough = steps + steps / 4 + 2;
        batch.expected = enough.max((enough + batch.expected) / 2).min(most);
        let (width, height) = batch.size();
        let plane = |values: &[f32]| Plane::from_vec(width, height, values.to_vec());
        let flows = values[..batch.pairs * batch.flow_values()]
            .chunks_exact(batch.flow_values())
            .map(|flow| Flow {
                u: plane(&flow[..width * height]),
                v: plane(&flow[width * height..]),
            });
        let in_flight = &mut self.in_flight[at];
        in_flight.done = Some(FlowsDone {
            ticket: in_flight.ticket,
            flows: flows.collect(),
            iterations: reports
                .map(|r| r[REPORT_HEAD..].iter().map(|&n| n as u32).collect())
                .collect(),
            steps,
            dispatches: batch.recorded,
        });
        self.spare.push(batch);
        Ok(())
    }

    fn take_front(&mut self) -> Option<FlowsDone> {
        self.in_flight.front().filter(|f| f.done.is_some())?;
        self.in_flight.pop_front().and_then(|f| f.done)
    }
}
