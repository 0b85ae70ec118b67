//! A bar on a terminal, plain lines otherwise, nothing when quiet. Always on stderr.

use super::print::tell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Plain lines come this often at most.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(crate) enum Progress {
    Quiet,
    Bar(ProgressBar),
    Lines {
        name: String,
        unit: &'static str,
        total: Option<u64>,
        started: Instant,
        last: Instant,
    },
}

impl Progress {
    pub(crate) fn new(name: &str, total: Option<u64>, quiet: bool) -> Self {
        Self::counting("frames", name, total, quiet)
    }

    /// Counts something else than frames.
    pub(crate) fn counting(
        unit: &'static str,
        name: &str,
        total: Option<u64>,
        quiet: bool,
    ) -> Self {
        if quiet {
            return Self::Quiet;
        }
        let now = Instant::now();
        if !std::io::stderr().is_terminal() {
            return Self::Lines {
                name: name.to_owned(),
                unit,
                total,
                started: now,
                last: now,
            };
        }
        let template = if total.is_some() {
            format!("{{prefix}} {{wide_bar}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left")
        } else {
            format!("{{prefix}} {{spinner}} {{pos}} {unit}, {{per_sec}}")
        };
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template(&template)
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_prefix(name.to_owned());
        Self::Bar(bar)
    }

    pub(crate) fn at(&mut self, frames: u64) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => bar.set_position(frames),
            Self::Lines {
                name,
                unit,
                total,
                started,
                last,
            } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let rate = frames as f64 / started.elapsed().as_secs_f64();
                    let of = total.map_or(String::new(), |t| format!(" of {t}"));
                    tell!("{name}: {frames}{of} {unit}, {rate:.1} a second");
                }
            }
        }
    }

    pub(crate) fn finish(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
