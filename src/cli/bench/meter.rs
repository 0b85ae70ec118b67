//! One row of the table, and the clocks that fill it.

use std::time::Instant;

use cpu_time::ProcessTime;
use serde::Serialize;

use crate::base::stats;
use crate::cli::Failure;
use crate::gpu::{GpuContext, GpuTimer};

/// Never fewer: a median of less says nothing.
const FEWEST_REPEATS: usize = 3;
/// Repeats under the card's own clock, which costs a wait each.
const GPU_REPEATS: usize = 10;

/// A stage at one size on one device. Times are medians in milliseconds and hold
/// for the whole batch; CPU time counts all threads.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Stage {
    pub(super) stage: &'static str,
    pub(super) device: String,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pictures, pairs or windows in one go.
    pub(super) batch: usize,
    pub(super) repeats: usize,
    pub(super) cpu_ms: f64,
    pub(super) wall_ms: f64,
    pub(super) p95_wall_ms: f64,
    /// By the card's own clock; `None` on the processor and without timestamps.
    pub(super) gpu_ms: Option<f64>,
    /// What came back from the card, each time.
    pub(super) read_back_bytes: u64,
}

/// What is measured: a stage's name, the pictures' size, and how many in one go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) stage: &'static str,
    pub(super) size: (usize, usize),
    pub(super) batch: usize,
}

impl Subject {
    pub(super) fn single(stage: &'static str, size: (usize, usize)) -> Self {
        Self {
            stage,
            size,
            batch: 1,
        }
    }
}

/// An adapter that is measured.
pub(super) struct Card {
    pub(super) context: GpuContext,
    timer: Option<GpuTimer>,
}

impl Card {
    pub(super) fn new(context: GpuContext) -> Self {
        Self {
            timer: GpuTimer::new(&context),
            context,
        }
    }
}

/// Measures stages and keeps their rows.
pub(super) struct Bench {
    /// Whether the processor's path is measured.
    pub(super) processor: bool,
    pub(super) card: Option<Card>,
    /// Time for a row, as far as [`FEWEST_REPEATS`] allow.
    pub(super) seconds: f64,
    pub(super) most_repeats: usize,
    pub(super) rows: Vec<Stage>,
}

impl Bench {
    /// For the processor, with the same patience and no rows yet.
    pub(super) fn alike(&self) -> Self {
        Self {
            processor: true,
            card: None,
            seconds: self.seconds,
            most_repeats: self.most_repeats,
            rows: Vec::new(),
        }
    }

    /// Times `work` on the items `0..items` in turn, after one run that does not
    /// count. The device is named as the table shows it.
    pub(super) fn time(
        &mut self,
        subject: Subject,
        device: &str,
        items: usize,
        mut work: impl FnMut(usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if items == 0 {
            return Ok(());
        }
        work(0)?;
        let (mut cpu, mut wall) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while wall.len() < FEWEST_REPEATS
            || (wall.len() < self.most_repeats && begun.elapsed().as_secs_f64() < self.seconds)
        {
            let (clock, start) = (ProcessTime::now(), Instant::now());
            work(wall.len() % items)?;
            wall.push(start.elapsed().as_secs_f64() * 1e3);
            cpu.push(clock.elapsed().as_secs_f64() * 1e3);
        }
        self.rows.push(row(subject, device, &cpu, &wall));
        Ok(())
    }

    /// The same on the processor; nothing where only the card is asked for.
    pub(super) fn on_processor(
        &mut self,
        subject: Subject,
        items: usize,
        work: impl FnMut(usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !self.processor {
            return Ok(());
        }
        self.time(subject, "processor", items, work)
    }

    /// The same with a kernel on the card, from `submit` to the return of `wait`;
    /// then once more for the card's own time, which ends before the way back.
    /// `submit` must not wait.
    pub(super) fn on_card<K>(
        &mut self,
        subject: Subject,
        read_back_bytes: u64,
        items: usize,
        kernel: &mut K,
        submit: impl FnMut(&mut K, usize) -> Result<(), Failure>,
        wait: impl FnMut(&mut K) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let steps = (|_: &mut K, i: usize| Ok(i), submit);
        self.on_card_prepared(subject, read_back_bytes, items, kernel, steps, wait)
    }

    /// The same where the host has much to do before it can submit: what `prepare`
    /// does, uploads included, counts as wall and CPU time but not as the card's own.
    pub(super) fn on_card_prepared<K, P, Prepare, Submit>(
        &mut self,
        subject: Subject,
        read_back_bytes: u64,
        items: usize,
        kernel: &mut K,
        (mut prepare, mut submit): (Prepare, Submit),
        mut wait: impl FnMut(&mut K) -> Result<(), Failure>,
    ) -> Result<(), Failure>
    where
        Prepare: FnMut(&mut K, usize) -> Result<P, Failure>,
        Submit: FnMut(&mut K, P) -> Result<(), Failure>,
    {
        if items == 0 {
            return Ok(());
        }
        let Some(card) = self.card.take() else {
            return Ok(());
        };
        let timed = self.time(subject, &card.context.name(), items, |i| {
            let prepared = prepare(kernel, i)?;
            submit(kernel, prepared)?;
            wait(kernel)
        });
        let gpu = card.timer.as_ref().map(|timer| {
            let mut gpu = Vec::new();
            for i in 0..GPU_REPEATS.min(self.most_repeats) {
                let prepared = prepare(kernel, i % items)?;
                let (submitted, ms) = timer
                    .around(|| submit(kernel, prepared))
                    .map_err(Failure::other)?;
                submitted?;
                wait(kernel)?;
                gpu.push(ms);
            }
            Ok::<_, Failure>(stats::median(&gpu))
        });
        self.card = Some(card);
        timed?;
        if let Some(row) = self.rows.last_mut() {
            row.read_back_bytes = read_back_bytes;
            row.gpu_ms = gpu.transpose()?.flatten();
        }
        Ok(())
    }
}

/// A row from the clocks' readings in milliseconds.
pub(super) fn row(subject: Subject, device: &str, cpu: &[f64], wall: &[f64]) -> Stage {
    Stage {
        stage: subject.stage,
        device: device.to_owned(),
        width: subject.size.0,
        height: subject.size.1,
        batch: subject.batch,
        repeats: wall.len(),
        cpu_ms: stats::median(cpu).unwrap_or(0.0),
        wall_ms: stats::median(wall).unwrap_or(0.0),
        p95_wall_ms: stats::quantile(wall, 0.95).unwrap_or(0.0),
        gpu_ms: None,
        read_back_bytes: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(seconds: f64, most_repeats: usize) -> Bench {
        Bench {
            processor: true,
            card: None,
            seconds,
            most_repeats,
            rows: Vec::new(),
        }
    }

    #[test]
    fn a_row_repeats_at_least_thrice_and_takes_the_items_in_turn() {
        let mut seen = Vec::new();
        let mut bench = bench(0.0, 5);
        let subject = Subject::single("nothing", (4, 3));
        bench
            .on_processor(subject, 2, |i| {
                seen.push(i);
                Ok(())
            })
            .unwrap();
        // The first does not count.
        assert_eq!(seen, [0, 0, 1, 0]);
        assert_eq!(bench.rows[0].repeats, 3);
        assert_eq!((bench.rows[0].width, bench.rows[0].height), (4, 3));
    }

    #[test]
    fn repeats_end_at_the_most_and_nothing_is_measured_without_items() {
        let mut bench = bench(60.0, 5);
        let subject = Subject::single("nothing", (1, 1));
        bench.on_processor(subject, 1, |_| Ok(())).unwrap();
        bench.on_processor(subject, 0, |_| Ok(())).unwrap();
        bench.processor = false;
        bench.on_processor(subject, 1, |_| Ok(())).unwrap();
        assert_eq!(bench.rows.len(), 1);
        assert_eq!(bench.rows[0].repeats, 5);
    }
}
