//! `onset bench --window`: how often the window can be repainted while it plays a recording
//! and analyses it, and what a repaint takes. The true window is drawn, without a display:
//! what a compositor adds is not in it.

use std::io::Cursor;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use image::{DynamicImage, ImageFormat, RgbaImage};
use serde::Serialize;

use super::BenchArgs;
use crate::app::command::Command;
use crate::app::off_screen::{LEAST, OffScreen, Repaint};
use crate::app::state::AppState;
use crate::base::stats;
use crate::cli::print::say;
use crate::cli::{CommandResult, Device, Failure, Outcome, check_output};
use crate::gpu::{GpuContext, GpuError};
use crate::project::output::write_whole;
use crate::session::Params;
use crate::session::device::processor_name;

/// Pixels of the window and how many of them a point has.
const SIZES: [([u32; 2], f32); 3] = [([1280, 800], 1.0), ([1920, 1080], 1.0), ([3840, 2160], 2.0)];
/// What a display asks for.
const HERTZ: f64 = 60.0;
/// Seconds for each size and pace, without `--seconds`.
const SECONDS: f64 = 10.0;
/// Fewer repaints say nothing.
const FEWEST: usize = 3;
/// A recording that is not analysed by then does not open.
const OPENING: Duration = Duration::from_secs(30);
/// The magnified picture needs a face: a recording without one is measured without it.
const FINDING_A_FACE: Duration = Duration::from_secs(10);

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median_ms: f64,
    p99_ms: f64,
    max_ms: f64,
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
struct Row {
    width: u32,
    height: u32,
    /// Pixels a point.
    scale: f32,
    pace: &'static str,
    seconds: f64,
    repaints: usize,
    repaints_per_second: f64,
    /// Times the display asked while the repaint before was still drawn; 0 without a pace.
    missed: u64,
    /// Share of the repaints that took no longer than a 60th of a second, 0..1.
    within_a_60th: f64,
    /// Logic, layout and tessellation.
    code: Spread,
    /// Upload and drawing, until the card is done.
    drawing: Spread,
    whole: Spread,
    #[serde(flatten)]
    told: Counts,
    analysed_per_second: f64,
    /// How often the recording was over and its analysis was begun anew.
    analysed_anew: u32,
}

#[derive(Debug, Serialize)]
struct Report {
    onset_version: &'static str,
    processor: String,
    threads: usize,
    adapter: String,
    /// Where the analysis ran.
    analysed_on: String,
    input: String,
    rows: Vec<Row>,
}

/// What the window showed and the analysis did meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Counts {
    analysed_frames: u64,
    dropped_frames: u64,
    /// Frames of the recording that were put on the screen.
    pictures: u64,
    /// Sets of views beside them, the magnified picture among them.
    views: u64,
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

/// For clap: pixels a point.
pub(super) fn scale(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|scale| (0.5..=4.0).contains(scale))
        .ok_or_else(|| "give pixels a point from 0.5 to 4, such as 1.5".into())
}

pub(super) fn run(args: &BenchArgs) -> CommandResult {
    let sizes = sizes(args)?;
    if let Some(picture) = &args.picture {
        check_output(picture, args.input.as_deref().as_slice())?;
    }
    let gpu = adapter(args)?;
    let mut folder = None;
    let input = match &args.input {
        Some(input) => input.clone(),
        None => {
            let made = folder.insert(tempfile::tempdir().map_err(Failure::other)?);
            crate::media::sample::unpack(made.path()).map_err(Failure::other)?
        }
    };
    let bench = WindowBench {
        input: &input,
        params: Params {
            fps: args.fps,
            device: args.device.device.into(),
            ..Params::default()
        },
        lasts: Duration::from_secs_f64(args.seconds.unwrap_or(SECONDS)),
        gpu,
    };
    let mut report = Report {
        onset_version: env!("CARGO_PKG_VERSION"),
        processor: processor_name(),
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        adapter: bench.gpu.name(),
        analysed_on: String::new(),
        input: input.file_name().unwrap_or_default().display().to_string(),
        rows: Vec::new(),
    };
    let mut picture = None;
    for (size, scale) in sizes {
        let measured = bench.measure(size, scale, args.picture.is_some())?;
        report.rows.extend(measured.rows);
        report.analysed_on = measured.analysed_on;
        picture = measured.picture;
    }
    if let (Some(path), Some(picture)) = (&args.picture, picture) {
        write_picture(path, picture)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        say!("{text}");
    } else {
        print(&report)?;
    }
    Ok(Outcome::Done)
}

/// The sizes in pixels with their scales.
fn sizes(args: &BenchArgs) -> Result<Vec<([u32; 2], f32)>, Failure> {
    if args.size.is_empty() {
        return Ok(SIZES.to_vec());
    }
    let scale = args.scale.unwrap_or(1.0);
    let checked = |size: &super::PictureSize| {
        let (width, height) = size.pixels();
        let pixels = [width as u32, height as u32];
        let [least_width, least_height] = LEAST.map(|side| (side * scale).ceil() as u32);
        if pixels[0] < least_width || pixels[1] < least_height {
            return Err(Failure::input(anyhow!(
                "The window cannot be {width}×{height}: at {scale} pixels a point it has {least_width}×{least_height} at least. Give a larger --size or a smaller --scale"
            )));
        }
        Ok((pixels, scale))
    };
    args.size.iter().map(checked).collect()
}

/// The adapter that draws, and on which the analysis may run.
fn adapter(args: &BenchArgs) -> Result<GpuContext, Failure> {
    let gpu = GpuContext::headless().map_err(|error| match error {
        GpuError::NoAdapter { reason } => Failure::other(anyhow!(
            "The window cannot be measured: no graphics adapter was found ({reason}). Install the graphics card's Vulkan driver (on Debian: mesa-vulkan-drivers)"
        )),
        other => Failure::other(other),
    })?;
    if gpu.is_software() && !args.software && args.device.device != Device::Gpu {
        return Err(Failure::other(anyhow!(
            "The window is not measured: the adapter {} is software, which says nothing of a graphics card. --software measures it all the same",
            gpu.name()
        )));
    }
    Ok(gpu)
}

fn write_picture(path: &Path, picture: RgbaImage) -> Result<(), Failure> {
    // A window is opaque; its picture is too.
    let picture = DynamicImage::from(picture).into_rgb8();
    let mut png = Cursor::new(Vec::new());
    (picture.write_to(&mut png, ImageFormat::Png)).map_err(Failure::other)?;
    write_whole(path, png.get_ref()).map_err(Failure::other)
}

/// What is the same for every size.
struct WindowBench<'a> {
    input: &'a Path,
    params: Params,
    lasts: Duration,
    gpu: GpuContext,
}

struct Measured {
    rows: [Row; 2],
    analysed_on: String,
    picture: Option<RgbaImage>,
}

impl WindowBench<'_> {
    /// A window of its own for each size.
    fn measure(&self, size: [u32; 2], scale: f32, with_picture: bool) -> Result<Measured, Failure> {
        let input = self.input.display().to_string();
        let mut window = OffScreen::open(&self.gpu, size, scale, input, self.params.clone());
        wait_until_shown(&mut window)?;
        let every = Duration::from_secs_f64(HERTZ.recip());
        let mut row = |pace, every| {
            let watched = watch(&mut window, self.lasts, every)?;
            Ok::<_, Failure>(watched.row(size, scale, pace))
        };
        let rows = [row("60 Hz", Some(every))?, row("as fast as can be", None)?];
        let picture = with_picture.then(|| window.picture());
        let review = window.state().review.as_ref();
        let analysed_on = review.map_or_else(String::new, |r| r.session.device.clone());
        if !window.close() {
            log::warn!("a thread of the window did not end");
        }
        Ok(Measured {
            rows,
            analysed_on,
            picture: picture.transpose().map_err(Failure::other)?,
        })
    }
}

/// Repaints until frames are analysed and, where there is a face, it is seen magnified.
fn wait_until_shown(window: &mut OffScreen) -> Result<(), Failure> {
    let asked = Instant::now();
    let mut analysed = None;
    loop {
        window.repaint().map_err(Failure::other)?;
        keep_busy(window)?;
        let review = window.state().review.as_ref();
        if review.is_some_and(|r| r.session.earlier.is_none() && r.status.frames_done > 0) {
            let since = *analysed.get_or_insert_with(Instant::now);
            let magnified = review.is_some_and(|r| r.views.magnified.is_some());
            if magnified || since.elapsed() > FINDING_A_FACE {
                return Ok(());
            }
        } else if asked.elapsed() > OPENING {
            return Err(Failure::other(anyhow!(
                "Nothing was analysed within {} s, so there is nothing to measure. Check with `onset analyze` that the recording can be analysed",
                OPENING.as_secs()
            )));
        }
        sleep(Duration::from_millis(10));
    }
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
    let (mut repaints, mut missed, mut anew) = (Vec::new(), 0, 0);
    let begun = Instant::now();
    let mut tick = 0;
    while begun.elapsed() < lasts || repaints.len() < FEWEST {
        repaints.push(window.repaint().map_err(Failure::other)?);
        anew += u32::from(keep_busy(window)?);
        tally.read(Counts::of(window.state()));
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
            analysed_anew: self.anew,
        }
    }
}

fn print(report: &Report) -> Result<(), Failure> {
    say!(
        "onset {} on {} ({} threads), adapter {}",
        report.onset_version,
        report.processor,
        report.threads,
        report.adapter
    );
    say!(
        "the window without a display, playing and analysing {} (on {}), its face magnified beside it",
        report.input,
        report.analysed_on
    );
    say!(
        "milliseconds of a repaint, median / 99th percentile / most; drawing lasts until the card is done"
    );
    say!(
        "{:<14} {:<17} {:>10} {:>6} {:>9} {:>20} {:>20} {:>20} {:>11} {:>7} {:>9} {:>7}",
        "pixels",
        "pace",
        "repaints/s",
        "missed",
        "≤ 16.7 ms",
        "our code",
        "drawing",
        "whole",
        "analysed/s",
        "dropped",
        "pictures/s",
        "views/s"
    );
    for row in &report.rows {
        let a_second = |count: u64| count as f64 / row.seconds.max(1e-9);
        say!(
            "{:<14} {:<17} {:>10.1} {:>6} {:>7.1} % {:>20} {:>20} {:>20} {:>11.1} {:>7} {:>9.1} {:>7.1}",
            format!("{}×{} @{}", row.width, row.height, row.scale),
            row.pace,
            row.repaints_per_second,
            row.missed,
            100.0 * row.within_a_60th,
            spread(row.code),
            spread(row.drawing),
            spread(row.whole),
            row.analysed_per_second,
            row.told.dropped_frames,
            a_second(row.told.pictures),
            a_second(row.told.views)
        );
    }
    Ok(())
}

fn spread(s: Spread) -> String {
    format!("{:.2} / {:.2} / {:.1}", s.median_ms, s.p99_ms, s.max_ms)
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
