//! A bar on a terminal, plain lines otherwise, nothing when quiet. Always on stderr.

use super::print::tell;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

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
            format!("{{prefix}} {{wide_bar}} {{pos}}/{{len}} {unit}, {{pace}}")
        } else {
            format!("{{prefix}} {{spinner}} {{pos}} {unit}, {{per_sec}}")
        };
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template(&template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("pace", |state: &ProgressState, out: &mut dyn Write| {
                    let rate = state.pos() as f64 / state.elapsed().as_secs_f64().max(1e-3);
                    // A bar that cannot be written to is not there.
                    let _ = out.write_str(&pace(rate, state.pos(), state.len()));
                }),
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
                    tell!(
                        "{name}: {frames}{of} {unit}, {}",
                        pace(rate, frames, *total)
                    );
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

/// `12.0 a second, 3 min left`; slow things by the minute.
fn pace(rate: f64, done: u64, total: Option<u64>) -> String {
    if done == 0 {
        return "just begun".to_owned();
    }
    let speed = match rate {
        fast if fast >= 0.5 => format!("{fast:.1} a second"),
        slow => format!("{:.1} a minute", slow * 60.0),
    };
    let Some(total) = total else {
        return speed;
    };
    let left = (total.saturating_sub(done) as f64 / rate).ceil() as u64;
    let left = match left {
        0..120 => format!("{left} s"),
        120..7200 => format!("{} min", left.div_ceil(60)),
        _ => format!("{} h {} min", left / 3600, left % 3600 / 60),
    };
    format!("{speed}, {left} left")
}

#[cfg(test)]
mod tests {
    use super::pace;

    #[test]
    fn a_pace_says_how_long_it_takes_in_units_that_can_be_read() {
        assert_eq!(pace(0.0, 0, Some(9)), "just begun");
        assert_eq!(pace(30.0, 30, None), "30.0 a second");
        assert_eq!(pace(30.0, 30, Some(60)), "30.0 a second, 1 s left");
        assert_eq!(pace(0.1, 2, Some(100)), "6.0 a minute, 17 min left");
        assert_eq!(pace(1.0, 1, Some(7501)), "1.0 a second, 2 h 5 min left");
    }
}
