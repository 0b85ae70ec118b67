//! `onset compare`: recognition networks on the same expressions, one row each.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::expression_data::ExpressionData;
use super::print::say;
use super::{CommandResult, Device, DeviceArg, Failure};
use crate::gpu::GpuContext;
use crate::nn::{NnDevice, Weights, shipped};
use crate::training::expressions::comparison::{ComparisonError, Figure, Row, row};
use crate::training::expressions::corpus::{Measured, Pairs};

/// Compare recognition networks on one folder of labelled expressions.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset compare --data studio-test\n  onset compare --data studio-test --weights au-flow-1 --weights mine.safetensors --json"
)]
pub struct CompareArgs {
    #[command(flatten)]
    data: ExpressionData,
    /// Weights to compare: files, or names of shipped ones. Give it again for each;
    /// without, all shipped ones that read single expressions.
    #[arg(long, value_name = "NAME|PATH")]
    weights: Vec<PathBuf>,
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArg,
}

const SHIPPED: [&str; 2] = [shipped::AU_FLOW, "ststnet-1"];

pub(super) fn run(args: &CompareArgs, quiet: bool) -> CommandResult {
    let names = match args.weights.as_slice() {
        [] => SHIPPED.iter().map(PathBuf::from).collect(),
        given => given.to_vec(),
    };
    // What cannot be read is said before anything is measured.
    let mut networks = Vec::new();
    for name in names {
        let known = name.to_str().map(shipped::weights).transpose();
        let weights = match known.map_err(Failure::other)?.flatten() {
            Some(weights) => weights,
            None => Weights::load(&name).map_err(Failure::input)?,
        };
        let shown = name.file_stem().unwrap_or(name.as_os_str());
        networks.push((shown.to_string_lossy().into_owned(), weights));
    }
    let expressions = args.data.measure(Pairs::Testing, quiet)?;
    let devices = devices(args.device.device)?;
    let measured: Vec<&Measured> = expressions.measured.iter().collect();
    let mut rows = Vec::new();
    for (name, weights) in &networks {
        rows.push(row(name, weights, &measured, &devices).map_err(failure)?);
    }
    if args.json {
        let text = serde_json::to_string_pretty(&rows).map_err(Failure::other)?;
        say!("{text}");
    } else {
        print(&rows)?;
    }
    Ok(expressions.outcome())
}

/// The processor, and the card where there is a real one or it is asked for.
fn devices(asked: Device) -> Result<Vec<NnDevice>, Failure> {
    let mut devices = Vec::new();
    if asked != Device::Gpu {
        devices.push(NnDevice::flex());
    }
    if asked == Device::Cpu {
        return Ok(devices);
    }
    match GpuContext::headless() {
        Ok(context) if asked == Device::Gpu || !context.is_software() => {
            devices.push(NnDevice::wgpu(&context).map_err(Failure::other)?);
        }
        Err(error) if asked == Device::Gpu => return Err(Failure::other(anyhow!(error))),
        _ => {}
    }
    Ok(devices)
}

fn print(rows: &[Row]) -> Result<(), Failure> {
    let figure = |figure: Option<Figure>| match figure {
        None => "–".to_owned(),
        Some(Figure { value, range: None }) => format!("{value:.3}"),
        Some(Figure {
            value,
            range: Some([low, high]),
        }) => format!("{value:.3} ({low:.3}–{high:.3})"),
    };
    say!(
        "{:<14} {:<12} {:>5} {:>10} {:>6} {:>20} {:>20} {:>6} {:>9} {:>9}  ms an expression",
        "weights",
        "network",
        "seed",
        "parameters",
        "clips",
        "UF1 (95 %)",
        "UAR (95 %)",
        "ECE",
        "AU F1",
        "two-class"
    );
    for r in rows {
        let units = |which: usize| {
            let f1 = r.unit_f1.map(|f| f[which]);
            f1.map_or("–".to_owned(), |f| format!("{f:.3}"))
        };
        let times: Vec<String> = (r.milliseconds.iter())
            .map(|(device, ms)| format!("{ms:.2} {device}"))
            .collect();
        say!(
            "{:<14} {:<12} {:>5} {:>10} {:>6} {:>20} {:>20} {:>6} {:>9} {:>9}  {}",
            r.weights,
            r.network,
            r.seed.map_or("–".to_owned(), |s| s.to_string()),
            r.parameters,
            r.expressions,
            figure(r.uf1),
            figure(r.uar),
            r.class_calibration
                .map_or("–".to_owned(), |e| format!("{e:.3}")),
            units(0),
            units(1),
            times.join(", ")
        );
    }
    Ok(())
}

fn failure(error: ComparisonError) -> Failure {
    match error {
        ComparisonError::Device { .. } => Failure::other(error),
        other => Failure::input(other),
    }
}
