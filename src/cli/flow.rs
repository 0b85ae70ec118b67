//! `onset flow`: TV-L1 flow between two images.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;
use image::ImageFormat;
use serde::Serialize;

use super::print::say;
use super::{CommandResult, DeviceArg, Failure, Outcome, Preset, check_output};
use crate::base::{Plane, stats};
use crate::gpu::GpuContext;
use crate::motion::gpu::GpuFlowError;
use crate::motion::heat::Heat;
use crate::motion::luma::LumaPatch;
use crate::motion::tvl1::Tvl1Preset;
use crate::motion::{Flow, flow_color, flow_file, strain};
use crate::project::output::write_whole;
use crate::session::device;
use crate::session::params::DeviceChoice;

/// Optical flow between two images of one size.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset flow a.png b.png --out ab.flo --strain ab-strain.png --color ab.png\n  onset flow a.png b.png --out ab.flo --truth truth.flo --threads 1 --repeat 9 --json"
)]
pub struct FlowArgs {
    /// The picture from which motion is measured.
    first: PathBuf,
    /// The picture to which it is measured, of the same size.
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
    /// The true flow as a .flo file: also tell the mean distance from it.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Threads at most; without: as many as the machine has.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Time the flow this often and take the median.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    repeat: u16,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArg,
}

#[derive(Debug, Serialize)]
struct Report {
    width: usize,
    height: usize,
    preset: &'static str,
    device: String,
    threads: usize,
    mean_px: f64,
    /// Mean distance from the truth, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    epe_px: Option<f64>,
    /// Medians of the repeats, both pyramids included.
    wall_ms: f64,
    cpu_ms: f64,
}

pub(super) fn run(args: &FlowArgs) -> CommandResult {
    let outputs = [Some(&args.out), args.strain.as_ref(), args.color.as_ref()];
    let inputs = [Some(&args.first), Some(&args.second), args.truth.as_ref()];
    let inputs: Vec<&Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
    for out in outputs.into_iter().flatten() {
        check_output(out, &inputs)?;
    }
    if !(args.out.extension()).is_some_and(|e| e.eq_ignore_ascii_case("flo")) {
        return Err(Failure::input(anyhow!(
            "The flow is a Middlebury file: let its name end in .flo (--color and --strain write pictures): {}",
            args.out.display()
        )));
    }
    let (first, second) = (gray(&args.first)?, gray(&args.second)?);
    let preset = Tvl1Preset::from(args.preset);
    let truth = match &args.truth {
        Some(path) => Some(truth(path, (first.width, first.height))?),
        None => None,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, usize::from))
        .build()
        .map_err(Failure::other)?;
    let choice = device::allowed(args.device.device.into(), preset).map_err(Failure::input)?;
    let card = match choice {
        // One pair leaves a card's start-up nothing to win back.
        DeviceChoice::Auto | DeviceChoice::Cpu => None,
        DeviceChoice::Gpu => Some(GpuContext::headless().map_err(Failure::other)?),
    };
    let mut engine = device::flow_engine(preset, card.as_ref()).map_err(Failure::other)?;
    let pair = [(&first, &second)];
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    // The first run warms up and does not count.
    let flow = pool.install(|| {
        let mut flows = engine.flows(&pair).map_err(|e| match e {
            GpuFlowError::Pictures(e) => Failure::input(anyhow!("{e}: {}", args.second.display())),
            e => Failure::other(e),
        })?;
        for _ in 0..args.repeat {
            let (start, clock) = (Instant::now(), cpu_time::ProcessTime::now());
            flows = engine.flows(&pair).map_err(Failure::other)?;
            wall.push(start.elapsed().as_secs_f64() * 1e3);
            cpu.push(clock.elapsed().as_secs_f64() * 1e3);
        }
        flows
            .pop()
            .ok_or_else(|| Failure::other(anyhow!("the flow was lost on its way")))
    })?;
    flow_file::write(&args.out, &flow).map_err(Failure::other)?;
    if let Some(path) = &args.strain {
        let magnitude = strain::central(&flow).magnitude;
        let full = quantile(&magnitude, 0.99);
        save(
            &flow_color::scalar_image(&magnitude, full, Heat::default()),
            path,
        )?;
    }
    if let Some(path) = &args.color {
        let full = quantile(&flow.magnitude(), 0.99);
        save(&flow_color::flow_image(&flow, full), path)?;
    }
    let report = Report {
        width: first.width,
        height: first.height,
        preset: preset.name(),
        device: engine.adapter().unwrap_or_else(|| "processor".to_owned()),
        threads: pool.current_num_threads(),
        mean_px: flow.mean_magnitude(),
        epe_px: truth.map(|truth| mean_error(&flow, &truth)),
        wall_ms: stats::median(&wall).unwrap_or(0.0),
        cpu_ms: stats::median(&cpu).unwrap_or(0.0),
    };
    if args.json {
        say!(
            "{}",
            serde_json::to_string(&report).map_err(Failure::other)?
        );
    } else {
        let off = (report.epe_px).map_or(String::new(), |e| format!("{e:.4} px from the truth, "));
        say!(
            "mean magnitude {:.4} px, {off}{:.1} ms ({:.1} CPU ms on {} threads, {}), {}×{}, preset {}",
            report.mean_px,
            report.wall_ms,
            report.cpu_ms,
            report.threads,
            report.device,
            report.width,
            report.height,
            report.preset
        );
    }
    Ok(Outcome::Done)
}

fn truth(path: &Path, size: (usize, usize)) -> Result<Flow, Failure> {
    let truth = flow_file::read(path).map_err(Failure::input)?;
    if (truth.u.width, truth.u.height) != size {
        return Err(Failure::input(anyhow!(
            "The true flow is {}×{}, the pictures are {}×{}. Choose the truth of this pair: {}",
            truth.u.width,
            truth.u.height,
            size.0,
            size.1,
            path.display()
        )));
    }
    Ok(truth)
}

/// Mean length of the difference over the pixels whose truth is known (Middlebury
/// marks the others by values from 1e9).
fn mean_error(flow: &Flow, truth: &Flow) -> f64 {
    let ours = flow.u.data.iter().zip(&flow.v.data);
    let known = truth.u.data.iter().zip(&truth.v.data);
    let (sum, n) = ours
        .zip(known)
        .filter(|(_, (u, v))| u.abs() < 1e9 && v.abs() < 1e9)
        .fold((0.0, 0_u32), |(sum, n), ((u, v), (tu, tv))| {
            let (du, dv) = (f64::from(u - tu), f64::from(v - tv));
            (sum + (du * du + dv * dv).sqrt(), n + 1)
        });
    sum / f64::from(n.max(1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_truth_does_not_count() {
        let flow = Flow::zeros(2, 1);
        let mut truth = Flow::zeros(2, 1);
        (truth.u.data[0], truth.v.data[0]) = (3.0, 4.0);
        assert!((mean_error(&flow, &truth) - 2.5).abs() < 1e-12);
        truth.u.data[1] = 1e10;
        assert!((mean_error(&flow, &truth) - 5.0).abs() < 1e-12);
    }
}
