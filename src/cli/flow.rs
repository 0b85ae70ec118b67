//! `onset flow`: TV-L1 flow between two images.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use image::ImageFormat;
use serde::Serialize;

use super::print::say;
use super::{CommandResult, Failure, Outcome};
use crate::base::{Plane, stats};
use crate::motion::luma::LumaPatch;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::motion::{flow_color, flow_file, strain};
use crate::project::output::write_whole;

/// Optical flow between two images of one size.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: onset flow a.png b.png --out ab.flo --strain ab-strain.png --color ab.png"
)]
pub struct FlowArgs {
    first: PathBuf,
    second: PathBuf,
    /// Middlebury .flo file.
    #[arg(long)]
    out: PathBuf,
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
    /// Also write the strain as a picture.
    #[arg(long)]
    strain: Option<PathBuf>,
    /// Also write the flow as a picture: hue is direction, full colour the 99th percentile.
    #[arg(long)]
    color: Option<PathBuf>,
    /// Time the flow this often and take the median.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Preset {
    Exact,
    Live,
    Preview,
    Compat,
}

impl Preset {
    pub(super) fn preset(self) -> Tvl1Preset {
        match self {
            Self::Exact => Tvl1Preset::Exact,
            Self::Live => Tvl1Preset::Live,
            Self::Preview => Tvl1Preset::Preview,
            Self::Compat => Tvl1Preset::Compat,
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    width: usize,
    height: usize,
    preset: &'static str,
    mean_px: f64,
    wall_ms: f64,
    cpu_ms: f64,
}

pub(super) fn run(args: &FlowArgs) -> CommandResult {
    let (first, second) = (gray(&args.first)?, gray(&args.second)?);
    let preset = args.preset.preset();
    let mut tvl1 = Tvl1::new(preset.params());
    let mut flow = tvl1
        .flow(&first, &second)
        .map_err(|e| Failure::input(anyhow!("{e}: {}", args.second.display())))?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..args.repeat.max(1) {
        let (start, clock) = (Instant::now(), cpu_time::ProcessTime::now());
        flow = tvl1.flow(&first, &second).map_err(Failure::input)?;
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        cpu.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    flow_file::write(&args.out, &flow).map_err(Failure::other)?;
    if let Some(path) = &args.strain {
        let magnitude = strain::central(&flow).magnitude;
        let full = quantile(&magnitude, 0.99);
        save(&flow_color::scalar_image(&magnitude, full), path)?;
    }
    if let Some(path) = &args.color {
        let full = quantile(&flow.magnitude(), 0.99);
        save(&flow_color::flow_image(&flow, full), path)?;
    }
    let report = Report {
        width: first.width,
        height: first.height,
        preset: preset.name(),
        mean_px: flow.mean_magnitude(),
        wall_ms: stats::median(&wall).unwrap_or(0.0),
        cpu_ms: stats::median(&cpu).unwrap_or(0.0),
    };
    if args.json {
        say!(
            "{}",
            serde_json::to_string(&report).map_err(Failure::other)?
        );
    } else {
        say!(
            "mean magnitude {:.4} px, {:.1} ms ({:.1} CPU ms), {}×{}, preset {}",
            report.mean_px,
            report.wall_ms,
            report.cpu_ms,
            report.width,
            report.height,
            report.preset
        );
    }
    Ok(Outcome::Done)
}

fn quantile(plane: &Plane, q: f64) -> f32 {
    let values: Vec<f64> = plane.data.iter().map(|&v| f64::from(v)).collect();
    stats::quantile(&values, q).unwrap_or(1.0).max(1e-3) as f32
}

fn gray(path: &Path) -> Result<Plane, Failure> {
    let picture = image::open(path).map_err(|e| {
        Failure::input(anyhow!(
            "Cannot read the image ({e}). Choose a jpg, png, bmp or tif: {}",
            path.display()
        ))
    })?;
    let picture = picture.to_rgb8();
    Ok(LumaPatch::whole(&picture).plane())
}

fn save(picture: &image::RgbImage, path: &Path) -> Result<(), Failure> {
    let format = ImageFormat::from_path(path).map_err(|e| {
        Failure::input(anyhow!(
            "Cannot write the picture ({e}). Let its name end in .png: {}",
            path.display()
        ))
    })?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, format)
        .map_err(Failure::other)?;
    write_whole(path, bytes.get_ref()).map_err(Failure::other)
}
