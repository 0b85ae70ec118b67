//! What the window itself costs: repaints a second, milliseconds of our code in
//! each, and the analysis beside it. For `onset view INPUT --measure SECONDS`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use serde::Serialize;

use super::state::AppState;
use crate::base::stats;

/// A recording that is not open by then does not open.
const OPENING: Duration = Duration::from_secs(30);

/// What one piece of work took: on the clock, and of the processor. They differ
/// where the system gave the processor to the analysis meanwhile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn milliseconds(self, other: Self) -> (f64, f64) {
        let ms = |a: Duration, b: Duration| (a + b).as_secs_f64() * 1e3;
        (ms(self.wall, other.wall), ms(self.cpu, other.cpu))
    }
}

/// Both clocks of this thread.
pub struct Stopwatch {
    wall: Instant,
    /// Since the thread began.
    cpu: Duration,
}

impl Stopwatch {
    #[must_use]
    pub fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: ThreadTime::now().as_duration(),
        }
    }

    #[must_use]
    pub fn took(&self) -> Took {
        Took {
            wall: self.wall.elapsed(),
            cpu: ThreadTime::now().as_duration().saturating_sub(self.cpu),
        }
    }
}

/// Layout and tessellation of each repaint, from [`Probe`].
type Passes = Arc<Mutex<Vec<Took>>>;

/// Measures from the first analysed frame on, for so long or until the analysis ends.
pub struct Measure {
    lasts: Duration,
    renderer: &'static str,
    passes: Passes,
    /// [`super::App::logic`], one a repaint.
    logic: Vec<Took>,
    begun: Option<Begun>,
    created: Instant,
    /// From then to the first picture of what was opened with the window.
    first_picture: Option<Duration>,
    done: bool,
}

struct Begun {
    at: Instant,
    analysed: u64,
    passes: usize,
    logic: usize,
}

/// One run's result; `fps` are a second of this computer's clock.
#[derive(Debug, Clone, Serialize)]
pub struct WindowCost {
    pub renderer: &'static str,
    pub adapter: String,
    /// From the window's first moment, in which the input is asked for, to its first
    /// picture on the screen.
    pub first_picture_seconds: Option<f64>,
    pub seconds: f64,
    pub analysed_frames: u64,
    pub analysed_fps: f64,
    pub dropped_frames: u64,
    pub repaints: usize,
    pub repaints_per_second: f64,
    /// Logic, layout and tessellation of one repaint, without painting: processor
    /// time of the window's thread.
    pub ui_median_ms: f64,
    pub ui_p99_ms: f64,
    pub ui_max_ms: f64,
    /// The same on the clock, with the pauses in which other threads ran.
    pub ui_wall_p99_ms: f64,
}

impl Measure {
    /// Starts listening to the repaints of `ctx`.
    #[must_use]
    pub fn new(ctx: &egui::Context, lasts: Duration, renderer: &'static str) -> Self {
        let passes = Passes::default();
        ctx.add_plugin(Probe {
            passes: Arc::clone(&passes),
            begun: None,
        });
        Self {
            lasts,
            renderer,
            passes,
            logic: Vec::new(),
            begun: None,
            created: Instant::now(),
            first_picture: None,
            done: false,
        }
    }

    /// Whether there was nothing to measure for longer than an opening takes.
    #[must_use]
    pub fn in_vain(&self) -> bool {
        self.begun.is_none() && self.created.elapsed() > self.lasts + OPENING
    }

    /// After each `logic`, which took so long. The result once, when time is up.
    pub fn after_logic(&mut self, took: Took, state: &AppState) -> Option<WindowCost> {
        self.logic.push(took);
        let review = state.review.as_ref()?;
        if review.playback.picture.is_some() {
            let elapsed = || self.created.elapsed();
            self.first_picture.get_or_insert_with(elapsed);
        }
        let status = &review.status;
        if self.done || status.frames_done == 0 {
            return None;
        }
        let passes = locked(&self.passes).clone();
        let begun = self.begun.get_or_insert_with(|| Begun {
            at: Instant::now(),
            analysed: status.frames_done,
            passes: passes.len(),
            logic: self.logic.len(),
        });
        let lasted = begun.at.elapsed();
        if lasted < self.lasts && !status.finished {
            return None;
        }
        self.done = true;
        let (wall, cpu): (Vec<f64>, Vec<f64>) = passes[begun.passes.min(passes.len())..]
            .iter()
            .zip(&self.logic[begun.logic - 1..])
            .map(|(pass, logic)| pass.milliseconds(*logic))
            .unzip();
        let seconds = lasted.as_secs_f64();
        let analysed = status.frames_done - begun.analysed;
        let at = |q: f64| stats::quantile(&cpu, q).unwrap_or(0.0);
        Some(WindowCost {
            renderer: self.renderer,
            adapter: state
                .machine
                .adapter
                .clone()
                .unwrap_or_else(|| "none".into()),
            first_picture_seconds: self.first_picture.map(|d| d.as_secs_f64()),
            seconds,
            analysed_frames: analysed,
            analysed_fps: analysed as f64 / seconds,
            dropped_frames: status.dropped,
            repaints: cpu.len(),
            repaints_per_second: cpu.len() as f64 / seconds,
            ui_median_ms: at(0.5),
            ui_p99_ms: at(0.99),
            ui_max_ms: at(1.0),
            ui_wall_p99_ms: stats::quantile(&wall, 0.99).unwrap_or(0.0),
        })
    }
}

/// Times layout, and tessellates what was laid out once more to time that too.
struct Probe {
    passes: Passes,
    begun: Option<Stopwatch>,
}

impl egui::Plugin for Probe {
    fn debug_name(&self) -> &'static str {
        "onset measure"
    }

    fn on_begin_pass(&mut self, _ui: &mut egui::Ui) {
        self.begun = Some(Stopwatch::start());
    }

    fn output_hook(&mut self, ctx: &egui::Context, output: &mut egui::FullOutput) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        let laid_out = begun.took();
        let shapes = output.shapes.clone();
        let tessellating = Stopwatch::start();
        drop(ctx.tessellate(shapes, output.pixels_per_point));
        let tessellated = tessellating.took();
        locked(&self.passes).push(Took {
            wall: laid_out.wall + tessellated.wall,
            cpu: laid_out.cpu + tessellated.cpu,
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
