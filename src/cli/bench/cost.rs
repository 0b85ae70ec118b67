//! `onset bench --plot`: what a flow costs by its pixels, and what an analysis costs
//! in time and memory by its frames, as one picture.

use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use image::{ImageFormat, RgbImage};
use plotters::prelude::*;
use serde::Serialize;

use super::material::{Material, PictureSize};
use super::meter::{Bench, Subject};
use super::whole::{reset_peak, resident_mib};
use crate::base::Timestamp;
use crate::cli::Failure;
use crate::cli::analyze::not_started;
use crate::cli::progress::Progress;
use crate::media::Frame;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::project::output::write_whole;
use crate::project::plot::fonts;
use crate::session::pipeline::Pipeline;
use crate::session::whole::keep;
use crate::session::{Params, Resources};
use crate::timeline::Recording;

/// Sides of the face crops that are compared.
const SIDES: [usize; 8] = [64, 96, 128, 192, 256, 320, 384, 512];
/// The spacing of a micro-window at 30 frames a second.
const SPACING: usize = 6;
/// Frames analysed, and how many lie between two readings.
const FRAMES: u64 = 3000;
const STEP: u64 = 100;

const WIDTH: u32 = 1500;
const HEIGHT: u32 = 480;
// Okabe–Ito: blue, vermilion.
const FIRST: RGBColor = RGBColor(0x00, 0x72, 0xB2);
const SECOND: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);

/// What the picture shows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cost {
    /// For `exact` and `live`: pixels of a pair's picture and CPU milliseconds.
    pub(super) flow_ms: [Vec<(f64, f64)>; 2],
    /// Frames analysed and seconds since the first.
    pub(super) seconds: Vec<(f64, f64)>,
    /// Frames analysed and resident MiB; empty where the system does not tell.
    pub(super) resident_mib: Vec<(f64, f64)>,
}

/// Measures the flow of a pair on the processor, and an analysis by `params` where
/// `resources` have it computed.
pub(super) fn measure(
    material: &Material,
    bench: &Bench,
    params: &Params,
    resources: &Resources,
    quiet: bool,
) -> Result<Cost, Failure> {
    let mut flow_ms = [Vec::new(), Vec::new()];
    for side in SIDES {
        let cuts = material.pictures(PictureSize::Crop(side));
        for (curve, preset) in flow_ms
            .iter_mut()
            .zip([Tvl1Preset::Exact, Tvl1Preset::Live])
        {
            let mut tvl1 = Tvl1::new(preset.params());
            let mut own = bench.alike();
            let subject = Subject::single(preset.name(), (side, side));
            own.on_processor(subject, cuts.len().saturating_sub(SPACING), |i| {
                tvl1.flow(&cuts[i].plane, &cuts[i + SPACING].plane)
                    .map(drop)
                    .map_err(Failure::other)
            })?;
            curve.extend(own.rows.first().map(|r| ((side * side) as f64, r.cpu_ms)));
        }
    }
    let (seconds, resident_mib) = analysis(&material.frames, params, resources, quiet)?;
    Ok(Cost {
        flow_ms,
        seconds,
        resident_mib,
    })
}

/// Pairs of frames and a reading.
type Curve = Vec<(f64, f64)>;

/// The frames over and over, with times that go on.
fn analysis(
    frames: &[Frame],
    params: &Params,
    resources: &Resources,
    quiet: bool,
) -> Result<(Curve, Curve), Failure> {
    let mut pipeline = Pipeline::new(params, resources).map_err(not_started)?;
    let mut recording = Recording::default();
    let mut progress = Progress::new("cost", Some(FRAMES), quiet);
    let (mut seconds, mut resident) = (Vec::new(), Vec::new());
    reset_peak();
    let start = Instant::now();
    for index in 0..FRAMES {
        let frame = Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / 30.0),
            ..frames[index as usize % frames.len()].clone()
        };
        let events = pipeline.push(&frame).map_err(Failure::other)?;
        keep(&mut recording, events);
        let done = index + 1;
        progress.at(done);
        if done.is_multiple_of(STEP) {
            seconds.push((done as f64, start.elapsed().as_secs_f64()));
            resident.extend(resident_mib().map(|(now, _)| (done as f64, now)));
        }
    }
    progress.finish();
    Ok((seconds, resident))
}

/// Draws the three curves as a PNG, each with the line through 0 that fits it best;
/// memory without one.
pub(super) fn draw(cost: &Cost, title: &str, path: &Path) -> Result<(), Failure> {
    fonts();
    let failed = |e: &dyn std::fmt::Display| {
        Failure::other(anyhow!("Cannot draw the plot: {e}: {}", path.display()))
    };
    let mut pixels = vec![255_u8; (WIDTH * HEIGHT * 3) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)).into_drawing_area();
        panels(&root, cost, title).map_err(|e| failed(&e))?;
        root.present().map_err(|e| failed(&e))?;
    }
    let picture = RgbImage::from_raw(WIDTH, HEIGHT, pixels).ok_or_else(|| failed(&"its size"))?;
    let mut png = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(Failure::other)?;
    write_whole(path, png.get_ref()).map_err(Failure::other)
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type DrawResult = Result<(), Box<dyn std::error::Error>>;

fn panels(root: &Area<'_>, cost: &Cost, title: &str) -> DrawResult {
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 20).into_font().color(&INK))?;
    let areas = root.split_evenly((1, 3));
    let [exact, live] = &cost.flow_ms;
    panel(
        &areas[0],
        "Flow of one pair (CPU ms): exact blue, live orange",
        "pixels",
        &[(exact, FIRST, true), (live, SECOND, true)],
    )?;
    panel(
        &areas[1],
        "Analysis, both flows (s)",
        "frames",
        &[(&cost.seconds, FIRST, true)],
    )?;
    panel(
        &areas[2],
        "Memory of the process (MiB)",
        "frames",
        &[(&cost.resident_mib, FIRST, false)],
    )
}

/// Points of every curve; a dashed line through 0 where one is meant to fit.
fn panel(
    area: &Area<'_>,
    caption: &str,
    along: &str,
    curves: &[(&Curve, RGBColor, bool)],
) -> DrawResult {
    let all = || curves.iter().flat_map(|(c, ..)| c.iter());
    let right = all().map(|p| p.0).fold(1.0, f64::max);
    let top = all().map(|p| p.1).fold(1e-3, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(30)
        .caption(caption, ("sans-serif", 17).into_font().color(&INK))
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..right * 1.03, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc(along)
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(("sans-serif", 15).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 16).into_font().color(&INK))
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|v| format!("{v:.0}"))
        .draw()?;
    for (curve, color, through_zero) in curves {
        if *through_zero {
            let slope = slope(curve);
            let line = [(0.0, 0.0), (right, slope * right)];
            chart.draw_series(DashedLineSeries::new(line, 7, 5, INK.stroke_width(1)))?;
        }
        let marks = curve.iter().map(|&p| Circle::new(p, 4, color.filled()));
        chart.draw_series(marks)?;
    }
    Ok(())
}

/// Of the line through 0 with the least squares.
pub(super) fn slope(curve: &[(f64, f64)]) -> f64 {
    let (xy, xx) = (curve.iter()).fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + x * y, xx + x * x));
    if xx > 0.0 { xy / xx } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_through_zero_is_found() {
        let exact: Curve = (1..5).map(|x| (f64::from(x), 2.5 * f64::from(x))).collect();
        assert!((slope(&exact) - 2.5).abs() < 1e-12);
        assert_eq!(slope(&[]), 0.0);
    }

    #[test]
    fn curves_become_a_picture() {
        let curve: Curve = (1..9).map(|x| (f64::from(x), f64::from(x))).collect();
        let cost = Cost {
            flow_ms: [curve.clone(), curve.clone()],
            seconds: curve,
            resident_mib: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cost.png");
        draw(&cost, "test", &path).unwrap();
        assert_eq!(image::image_dimensions(&path).unwrap(), (WIDTH, HEIGHT));
    }
}
