//! How a training goes, on stderr: a bar on a terminal, a line now and then otherwise.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::print::tell;
use crate::training::progress::{CurveRow, Monitor, Next, Pace};

/// Plain lines come this often at most.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tells of all the epochs of a command: those of each member of each fold.
pub(super) struct TrainingProgress {
    quiet: bool,
    /// Epochs of one fold, all members together.
    epochs_a_part: u64,
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    pace: Pace,
    /// Trainings heard of.
    known: BTreeSet<String>,
    last_line: Instant,
}

impl TrainingProgress {
    pub(super) fn new(parts: u64, epochs_a_part: u64, quiet: bool) -> Self {
        let epochs = parts * epochs_a_part;
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(epochs), ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{wide_bar} {pos}/{len} epochs {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        Self {
            quiet,
            epochs_a_part,
            state: Mutex::new(State {
                bar,
                pace: Pace::new(epochs),
                known: BTreeSet::new(),
                last_line: Instant::now(),
            }),
        }
    }

    pub(super) fn finish(self) {
        let state = self.state.into_inner();
        if let Some(bar) = state.unwrap_or_else(PoisonError::into_inner).bar {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for TrainingProgress {
    fn epoch(&self, part: &str, row: &CurveRow, epochs: u64) -> Next {
        if self.quiet {
            return Next::Continue;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.known.insert(part.to_owned()) {
            // Resumed: what was done before costs no time now.
            state.pace.skip(row.epoch - 1);
            if let Some(bar) = &state.bar {
                bar.inc(row.epoch - 1);
            }
        }
        state.pace.tick();
        let left = state
            .pace
            .left()
            .map_or_else(String::new, |left| in_words(left) + " left");
        if let Some(bar) = &state.bar {
            bar.inc(1);
            bar.set_message(format!("{part} loss {:.4}, {left}", row.loss));
        } else if state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            let of = if part.is_empty() { "" } else { " of " };
            tell!(
                "epoch {} of {epochs}{of}{part}: loss {:.4}, {:.1} % right, {left}",
                row.epoch,
                row.loss,
                100.0 * row.accuracy
            );
        }
        Next::Continue
    }

    fn part(&self, part: &str, done: usize, all: usize) {
        if self.quiet {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.known.iter().any(|known| known.starts_with(part)) {
            state.pace.skip(self.epochs_a_part);
            if let Some(bar) = &state.bar {
                bar.inc(self.epochs_a_part);
            }
        }
        if let Some(bar) = &state.bar {
            bar.set_message(format!("{done} of {all} folds done"));
        }
    }
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5999 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
