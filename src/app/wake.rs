//! Wakes the window from another thread, seldom enough that painting never
//! starves the analysis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::backend::Machine;

/// About 60 repaints a second.
const EVERY: Duration = Duration::from_micros(16_600);
/// About 10, where painting and analysis share the processor.
const EVERY_WHEN_SHARED: Duration = Duration::from_millis(100);

/// Cheap to clone: all clones wake one window.
#[derive(Clone)]
pub struct Wake {
    ctx: egui::Context,
    /// Painting is done by the processor.
    software: bool,
    pace: Arc<Pace>,
}

struct Pace {
    start: Instant,
    /// Milliseconds from `start` to the last repaint.
    painted_ms: AtomicU64,
    analysing: AtomicBool,
}

impl Wake {
    #[must_use]
    pub fn new(ctx: egui::Context, machine: &Machine) -> Self {
        Self {
            ctx,
            software: machine.software || machine.adapter.is_none(),
            pace: Arc::new(Pace {
                start: Instant::now(),
                painted_ms: AtomicU64::new(0),
                analysing: AtomicBool::new(false),
            }),
        }
    }

    /// Asks for a repaint as soon as the last one is long enough ago. A repaint that
    /// is already due stands, so calling it often costs nothing.
    pub fn wake(&self) {
        let since = self
            .now_ms()
            .saturating_sub(self.pace.painted_ms.load(Ordering::Relaxed));
        let rest = self.every().saturating_sub(Duration::from_millis(since));
        self.ctx.request_repaint_after(rest);
    }

    /// The window is being painted.
    pub fn painted(&self) {
        self.pace.painted_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    pub fn analysing(&self, analysing: bool) {
        self.pace.analysing.store(analysing, Ordering::Relaxed);
    }

    /// Whether no other clone is left: the threads that wake the window are gone.
    #[must_use]
    pub fn is_last(&self) -> bool {
        Arc::strong_count(&self.pace) == 1
    }

    fn every(&self) -> Duration {
        if self.software && self.pace.analysing.load(Ordering::Relaxed) {
            EVERY_WHEN_SHARED
        } else {
            EVERY
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.pace.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repaints_yield_to_the_analysis_on_a_software_adapter_only() {
        let machine = |software| Machine {
            adapter: Some("adapter".into()),
            software,
        };
        let card = Wake::new(egui::Context::default(), &machine(false));
        let software = Wake::new(egui::Context::default(), &machine(true));
        for w in [&card, &software] {
            w.analysing(true);
        }
        assert_eq!((card.every(), software.every()), (EVERY, EVERY_WHEN_SHARED));
        software.analysing(false);
        assert_eq!(software.every(), EVERY);
    }
}
