//! What `onset bench --window` counts: the true window repainted at a pace while it plays
//! and analyses a recording.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use image::RgbaImage;
use serde::Serialize;

use crate::app::command::Command;
use crate::app::off_screen::{OffScreen, Repaint};
use crate::app::state::AppState;
use crate::base::stats;
use crate::cli::Failure;
use crate::gpu::GpuContext;
use crate::session::Params;

pub(super) use crate::app::off_screen::LEAST;

/// What a display asks for.
const HERTZ: f64 = 60.0;
/// Fewer repaints say nothing.
const FEWEST: usize = 3;
/// A recording that is not open by then does not open, and one that was opened so long ago
/// and of which no frame is analysed is not analysed. Both share their cores with whatever
/// else runs.
const OPENING: Duration = Duration::from_secs(120);
/// The magnified picture needs a face: a recording without one is measured without it.
const FINDING_A_FACE: Duration = Duration::from_secs(10);

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Spread {
    pub(super) median_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Spread {
    fn of(ms: &[f64]) -> Self {
        let at = |q| stats::quantile(ms, q).unwrap_or(0.0);
        Self {
            median_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

/// One size at one pace; what is "a second" is a second of this computer's clock.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pixels a point.
    pub(super) scale: f32,
    pub(super) pace: &'static str,
    pub(super) seconds: f64,
    pub(super) repaints: usize,
    pub(super) repaints_per_second: f64,
    /// Times the display asked while the repaint before was still drawn; 0 without a pace.
    pub(super) missed: u64,
    /// Share of the repaints that took no longer than a 60th of a second, 0..1.
    pub(super) within_a_60th: f64,
    /// Logic, layout and tessellation.
    pub(super) code: Spread,
    /// Upload and drawing, until the card is done.
    pub(super) drawing: Spread,
    pub(super) whole: Spread,
    #[serde(flatten)]
    pub(super) told: Counts,
    pub(super) analysed_per_second: f64,
    /// Whether a face was seen magnified.
    pub(super) magnified: bool,
    /// How often the recording was over and its analysis was begun anew.
    pub(super) analysed_anew: u32,
}

/// What the window showed and the analysis did meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) analysed_frames: u64,
    pub(super) dropped_frames: u64,
    /// Frames of the recording that were put on the screen.
    pub(super) pictures: u64,
    /// Sets of views beside them, the magnified picture among them.
    pub(super) views: u64,
}

impl Counts {
    fn of(state: &AppState) -> Option<(u64, Self)> {
        let review = state.review.as_ref()?;
        let counts = Self {
            analysed_frames: review.status.frames_done,
            dropped_frames: review.status.dropped,
            pictures: review.playback.picture_count,
            views: review.views_count,
        };
        Some((review.session.generation, counts))
    }

    /// `self` and what came to `now` since `before`.
    fn plus(self, now: Self, before: Self) -> Self {
        Self {
            analysed_frames: self.analysed_frames + now.analysed_frames - before.analysed_frames,
            dropped_frames: self.dropped_frames + now.dropped_frames - before.dropped_frames,
            pictures: self.pictures + now.pictures - before.pictures,
            views: self.views + now.views - before.views,
        }
    }
}

/// Adds counts up over sessions, each of which counts from 0.
#[derive(Debug, Default)]
struct Tally {
    last: Option<(u64, Counts)>,
    sum: Counts,
}

impl Tally {
    fn from(state: &AppState) -> Self {
        Self {
            last: Counts::of(state),
            sum: Counts::default(),
        }
    }

    fn read(&mut self, told: Option<(u64, Counts)>) {
        let Some((generation, now)) = told else {
            return;
        };
        let same = self.last.filter(|(before, _)| *before == generation);
        let before = same.map_or_else(Counts::default, |(_, counts)| counts);
        self.sum = self.sum.plus(now, before);
        self.last = told;
    }
}

/// What is the same for every size.
pub(super) struct WindowBench<'a> {
    pub(super) input: &'a Path,
    pub(super) params: Params,
    pub(super) lasts: Duration,
    pub(super) gpu: GpuContext,
}

pub(super) struct Measured {
    pub(super) rows: [Row; 2],
    pub(super) analysed_on: String,
    pub(super) picture: Option<RgbaImage>,
}

impl WindowBench<'_> {
    /// A window of its own for each size.
    pub(super) fn measure(
        &self,
        size: [u32; 2],
        scale: f32,
        with_picture: bool,
    ) -> Result<Measured, Failure> {
        let input = self.input.display().to_string();
        let mut window = OffScreen::open(&self.gpu, size, scale, input, self.params.clone());
        let measured = self.rows(&mut window, size, scale).and_then(|rows| {
            let picture = with_picture.then(|| window.picture());
            let review = window.state().review.as_ref();
            Ok(Measured {
                rows,
                analysed_on: review.map_or_else(String::new, |r| r.session.device.clone()),
                picture: picture.transpose().map_err(Failure::other)?,
            })
        });
        // Its threads would work beside the next size, or on a card that goes away.
        if !window.close() {
            log::warn!("a thread of the window did not end");
        }
        measured
    }

    fn rows(
        &self,
        window: &mut OffScreen,
        size: [u32; 2],
        scale: f32,
    ) -> Result<[Row; 2], Failure> {
        wait_until_shown(window)?;
        let every = Duration::from_secs_f64(HERTZ.recip());
        let paced = watch(window, self.lasts, Some(every))?;
        let unpaced = watch(window, self.lasts, None)?;
        Ok([
            paced.row(size, scale, "60 Hz"),
            unpaced.row(size, scale, "as fast as can be"),
        ])
    }
}

/// Repaints until frames are analysed and, where there is a face, it is seen magnified.
fn wait_until_shown(window: &mut OffScreen) -> Result<(), Failure> {
    let asked = Instant::now();
    let (mut opened, mut analysed) = (None, None);
    loop {
        window.repaint().map_err(Failure::other)?;
        keep_busy(window)?;
        // What a project keeps is no analysis that goes on.
        let review = (window.state().review.as_ref()).filter(|r| r.session.earlier.is_none());
        let since = match review {
            Some(_) => *opened.get_or_insert_with(Instant::now),
            None => asked,
        };
        if review.is_some_and(|r| r.status.frames_done > 0) {
            let since = *analysed.get_or_insert_with(Instant::now);
            if shows_magnified(window.state()) || since.elapsed() > FINDING_A_FACE {
                return Ok(());
            }
        } else if since.elapsed() > OPENING {
            return Err(Failure::other(anyhow!(
                "Nothing was analysed within {} s, so there is nothing to measure. Check with `onset analyze` that the recording can be analysed",
                OPENING.as_secs()
            )));
        }
        sleep(Duration::from_millis(10));
    }
}

fn shows_magnified(state: &AppState) -> bool {
    let review = state.review.as_ref();
    review.is_some_and(|r| r.views.magnified.is_some())
}

/// Plays on and analyses on, from the beginning where the end is reached; true where the
/// analysis begins anew.
fn keep_busy(window: &mut OffScreen) -> Result<bool, Failure> {
    let entrance = &window.state().entrance;
    let opening = entrance.opening.is_some();
    if let Some(missing) = &entrance.missing {
        return Err(Failure::input(anyhow!(
            "The project's recording is not where it was. Name the recording itself: {}",
            missing.project.display()
        )));
    }
    if let Some(why) = &entrance.failed {
        return Err(Failure::input(anyhow!("{why}")));
    }
    let Some(review) = &window.state().review else {
        return Ok(false);
    };
    if let Some(why) = &review.status.failed {
        return Err(Failure::other(anyhow!("{why}")));
    }
    if review.session.info.live {
        return Ok(false);
    }
    // What a project keeps of it would be shown in place of an analysis.
    let over = review.status.finished || review.session.earlier.is_some();
    if !review.playback.playing {
        window.ask(Command::First);
        window.ask(Command::TogglePlay);
    }
    let anew = over && !opening;
    if anew {
        window.ask(Command::AnalyseAgain);
    }
    Ok(anew)
}

/// What was seen of one size at one pace.
struct Watched {
    seconds: f64,
    repaints: Vec<Repaint>,
    missed: u64,
    told: Counts,
    magnified: bool,
    anew: u32,
}

/// Repaints for so long; with `every`, when a display would ask for it: one that is late
/// is shown at the next time, and the time it missed is counted.
fn watch(
    window: &mut OffScreen,
    lasts: Duration,
    every: Option<Duration>,
) -> Result<Watched, Failure> {
    let mut tally = Tally::from(window.state());
    let (mut repaints, mut missed, mut anew, mut magnified) = (Vec::new(), 0, 0, false);
    let begun = Instant::now();
    let mut tick = 0;
    while begun.elapsed() < lasts || repaints.len() < FEWEST {
        repaints.push(window.repaint().map_err(Failure::other)?);
        anew += u32::from(keep_busy(window)?);
        tally.read(Counts::of(window.state()));
        magnified |= shows_magnified(window.state());
        if let Some(every) = every {
            let next = next_tick(tick, begun.elapsed(), every);
            missed += next - tick - 1;
            tick = next;
            let due = every.mul_f64(tick as f64);
            sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    Ok(Watched {
        seconds: begun.elapsed().as_secs_f64(),
        repaints,
        missed,
        told: tally.sum,
        magnified,
        anew,
    })
}

/// The first time to repaint after that of `tick`, at which `now` is not yet past.
fn next_tick(tick: u64, now: Duration, every: Duration) -> u64 {
    let past = now.as_secs_f64() / every.as_secs_f64();
    (past.ceil() as u64).max(tick + 1)
}

impl Watched {
    fn row(&self, [width, height]: [u32; 2], scale: f32, pace: &'static str) -> Row {
        let ms = |of: fn(Repaint) -> Duration| -> Vec<f64> {
            let each = self.repaints.iter().map(|r| of(*r).as_secs_f64() * 1e3);
            each.collect()
        };
        let whole = ms(Repaint::whole);
        let in_time = whole.iter().filter(|ms| **ms <= 1e3 / HERTZ).count();
        let seconds = self.seconds.max(1e-9);
        Row {
            width,
            height,
            scale,
            pace,
            seconds: self.seconds,
            repaints: whole.len(),
            repaints_per_second: whole.len() as f64 / seconds,
            missed: self.missed,
            within_a_60th: in_time as f64 / whole.len().max(1) as f64,
            code: Spread::of(&ms(|r| r.code)),
            drawing: Spread::of(&ms(|r| r.drawing)),
            whole: Spread::of(&whole),
            told: self.told,
            analysed_per_second: self.told.analysed_frames as f64 / seconds,
            magnified: self.magnified,
            analysed_anew: self.anew,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_repaint_misses_the_times_at_which_it_was_still_drawn() {
        let every = Duration::from_millis(10);
        let next = |tick, ms| next_tick(tick, Duration::from_millis(ms), every);
        assert_eq!(next(0, 4), 1);
        assert_eq!(next(0, 10), 1);
        assert_eq!(next(0, 11), 2);
        assert_eq!(next(3, 65), 7);
        // The clock may have stood still.
        assert_eq!(next(3, 30), 4);
    }

    #[test]
    fn counts_go_on_where_a_session_begins_anew() {
        let told = |generation, analysed_frames| {
            let counts = Counts {
                analysed_frames,
                ..Counts::default()
            };
            Some((generation, counts))
        };
        let mut tally = Tally {
            last: told(1, 10),
            ..Tally::default()
        };
        for now in [told(1, 12), None, told(1, 30), told(2, 5), told(2, 6)] {
            tally.read(now);
        }
        assert_eq!(tally.sum.analysed_frames, 26);
    }

    #[test]
    fn a_row_says_how_often_and_how_long() {
        let repaint = |code, drawing| Repaint {
            code: Duration::from_millis(code),
            drawing: Duration::from_millis(drawing),
        };
        let watched = Watched {
            seconds: 0.5,
            repaints: vec![repaint(1, 3), repaint(2, 20), repaint(3, 4), repaint(2, 4)],
            missed: 1,
            told: Counts {
                analysed_frames: 40,
                ..Counts::default()
            },
            magnified: true,
            anew: 0,
        };
        let row = watched.row([960, 640], 1.0, "60 Hz");
        assert!((row.repaints_per_second - 8.0).abs() < 1e-9);
        assert!((row.within_a_60th - 0.75).abs() < 1e-9);
        assert!((row.analysed_per_second - 80.0).abs() < 1e-9);
        assert!((row.code.median_ms - 2.0).abs() < 1e-9);
        assert!((row.whole.max_ms - 22.0).abs() < 1e-9);
    }
}
