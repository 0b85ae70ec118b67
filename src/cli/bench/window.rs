//! `onset bench --window`: how often the window can be repainted while it plays a recording
//! and analyses it, and what a repaint takes. The true window is drawn, without a display:
//! what a compositor adds is not in it.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use image::{DynamicImage, ImageFormat, RgbaImage};
use serde::Serialize;

use super::head::Head;
use super::repaints::{LEAST, Row, Spread, WindowBench};
use super::{BenchArgs, PictureSize};
use crate::cli::print::say;
use crate::cli::{CommandResult, Device, Failure, Outcome, check_output};
use crate::gpu::{GpuContext, GpuError};
use crate::project::output::write_whole;
use crate::session::Params;

/// Pixels of the window and how many of them a point has.
const SIZES: [([u32; 2], f32); 3] = [([1280, 800], 1.0), ([1920, 1080], 1.0), ([3840, 2160], 2.0)];
/// Seconds for each size and pace, without `--seconds`.
const SECONDS: f64 = 10.0;

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    head: Head,
    /// Where the analysis ran.
    analysed_on: String,
    input: String,
    rows: Vec<Row>,
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
        head: Head::new(bench.gpu.name(), None),
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
    let checked = |size: &PictureSize| {
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

fn print(report: &Report) -> Result<(), Failure> {
    report.head.print()?;
    let face = if report.rows.iter().all(|row| row.magnified) {
        "the face magnified beside it"
    } else {
        "no face found to be magnified in every row"
    };
    say!(
        "the window without a display, playing and analysing {} (on {}), {face}",
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
