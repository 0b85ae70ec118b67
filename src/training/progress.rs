//! How a training goes: the learning curve, and what is told while it runs.
//!
//! The curve holds no clock times, so that the same training writes the same file. The
//! time left is for whoever waits ([`Pace`]); who shows it is not decided here.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// One epoch of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveRow {
    /// Counted from 1.
    pub epoch: u64,
    /// Of the epoch's last update.
    pub learning_rate: f64,
    /// Mean over the epoch's samples, as they were met, dropout and augmentation included.
    pub loss: f64,
    /// Share of these samples that were right (0..1).
    pub accuracy: f64,
}

/// A learning curve: one row an epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    rows: Vec<CurveRow>,
}

const HEADER: &str = "epoch,learning_rate,loss,accuracy";

impl Curve {
    pub fn push(&mut self, row: CurveRow) {
        self.rows.push(row);
    }

    #[must_use]
    pub fn rows(&self) -> &[CurveRow] {
        &self.rows
    }

    /// Columns `epoch,learning_rate,loss,accuracy`; numbers come back to the bit.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for row in &self.rows {
            // Writing into a String cannot fail.
            let _ = writeln!(
                text,
                "{},{},{},{}",
                row.epoch, row.learning_rate, row.loss, row.accuracy
            );
        }
        text
    }

    /// # Errors
    /// Names the line that is no row of a curve.
    pub fn from_csv(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err("its learning curve has other columns".to_owned());
        }
        let row = |line: &str| {
            let mut fields = line.split(',');
            let row = CurveRow {
                epoch: fields.next()?.parse().ok()?,
                learning_rate: fields.next()?.parse().ok()?,
                loss: fields.next()?.parse().ok()?,
                accuracy: fields.next()?.parse().ok()?,
            };
            fields.next().is_none().then_some(row)
        };
        let rows =
            lines.map(|line| row(line).ok_or_else(|| format!("its learning curve holds '{line}'")));
        Ok(Self {
            rows: rows.collect::<Result<_, _>>()?,
        })
    }
}

/// Whether a training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Continue,
    /// Stops here; the checkpoint is written.
    Stop,
}

/// Who is told about a training; called from the threads that train.
pub trait Monitor: Sync {
    /// An epoch ended. `part` says which fold or member it belongs to, empty where
    /// there is one training only.
    fn epoch(&self, part: &str, row: &CurveRow, epochs: u64) -> Next;

    /// A fold or a member of an ensemble is finished, `done` of `all`.
    fn part(&self, part: &str, done: usize, all: usize) {
        let _ = (part, done, all);
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn epoch(&self, _part: &str, _row: &CurveRow, _epochs: u64) -> Next {
        Next::Continue
    }
}

/// Tells another monitor of trainings that are parts of a larger one.
pub struct Within<'a> {
    outer: &'a dyn Monitor,
    whole: String,
}

impl<'a> Within<'a> {
    /// `whole` goes before the name of each part.
    #[must_use]
    pub fn new(outer: &'a dyn Monitor, whole: String) -> Self {
        Self { outer, whole }
    }

    fn named(&self, part: &str) -> String {
        match part {
            "" => self.whole.clone(),
            part => format!("{} {part}", self.whole),
        }
    }
}

impl Monitor for Within<'_> {
    fn epoch(&self, part: &str, row: &CurveRow, epochs: u64) -> Next {
        self.outer.epoch(&self.named(part), row, epochs)
    }

    fn part(&self, part: &str, done: usize, all: usize) {
        self.outer.part(&self.named(part), done, all);
    }
}

/// How long the rest will take, by what was done since the start. What a resumed
/// training had done before does not count as fast.
#[derive(Debug, Clone)]
pub struct Pace {
    started: Instant,
    units: u64,
    done: u64,
}

impl Pace {
    /// `units` of equal work lie ahead.
    #[must_use]
    pub fn new(units: u64) -> Self {
        Self {
            started: Instant::now(),
            units,
            done: 0,
        }
    }

    /// A unit is done.
    pub fn tick(&mut self) {
        self.done += 1;
    }

    /// Units that need not be done after all.
    pub fn skip(&mut self, units: u64) {
        self.units = self.units.saturating_sub(units);
    }

    /// `None` before the first unit is done.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.left_after(self.started.elapsed())
    }

    fn left_after(&self, gone: Duration) -> Option<Duration> {
        let ahead = self.units.saturating_sub(self.done);
        (self.done > 0).then(|| gone.mul_f64(ahead as f64 / self.done as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_comes_back_to_the_bit_and_a_broken_one_is_named() {
        let mut curve = Curve::default();
        for epoch in 1..4 {
            curve.push(CurveRow {
                epoch,
                learning_rate: 5e-4,
                loss: 1.0 / epoch as f64,
                accuracy: 1.0 / 3.0,
            });
        }
        let text = curve.to_csv();
        assert!(text.starts_with("epoch,learning_rate,loss,accuracy\n1,0.0005,1,0.333"));
        assert_eq!(Curve::from_csv(&text).unwrap(), curve);
        let broken = format!("{text}4,x,1,1\n");
        assert!(Curve::from_csv(&broken).unwrap_err().contains("'4,x,1,1'"));
    }

    #[test]
    fn the_time_left_follows_what_was_done() {
        let mut pace = Pace::new(10);
        assert_eq!(pace.left_after(Duration::from_secs(5)), None);
        pace.tick();
        pace.tick();
        let left = pace.left_after(Duration::from_secs(4));
        assert_eq!(left, Some(Duration::from_secs(16)));
        pace.skip(4);
        let left = pace.left_after(Duration::from_secs(4));
        assert_eq!(left, Some(Duration::from_secs(8)));
    }
}
