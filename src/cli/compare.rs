//! `onset compare`: recognition networks on the same expressions, one row each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::compare_training::TrainingArgs;
use super::expression_data::ExpressionData;
use super::print::say;
use super::{CommandResult, Device, DeviceArg, Failure};
use crate::gpu::GpuContext;
use crate::nn::{NnDevice, Weights, shipped};
use crate::training::expressions::comparison::{ComparisonError, Figure, Row, reads_pictures, row};
use crate::training::expressions::corpus::{Measured, Pairs};
use crate::training::expressions::report::CalibrationPart;

/// Compare recognition networks on one folder of labelled expressions.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset compare --data studio-test\n  onset compare --data studio-test --weights au-flow-2 --weights mine.safetensors --json\n  onset compare --data studio-test --train studio-train --keep networks --seeds 3\n\nEvery sixth subject of --train is not learnt from: thresholds and temperatures are\nfitted on them. Nothing is chosen on --data."
)]
pub struct CompareArgs {
    #[command(flatten)]
    data: ExpressionData,
    /// Weights to compare: files, or names of shipped ones. Give it again for each;
    /// without, all shipped ones that read single expressions.
    #[arg(long, value_name = "NAME|PATH")]
    weights: Vec<PathBuf>,
    #[command(flatten)]
    training: TrainingArgs,
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
    // What cannot be read or kept is said before anything is measured.
    args.training.check(&args.data.data)?;
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
    let pictures = args.training.reads_pictures() || networks.iter().any(|n| reads_pictures(&n.1));
    let expressions = args.data.measure_with(Pairs::Testing, pictures, quiet)?;
    if !args.training.train.is_empty() {
        let folders = args.data.of(&args.training.train);
        let learnt = folders.measure_with(Pairs::Learning, pictures, quiet)?;
        networks.extend(args.training.run(&learnt, &expressions, quiet)?);
    }
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
    let two = |pair: Option<[f64; 2]>| match pair {
        None => "–".to_owned(),
        Some([one, other]) => format!("{one:.3} {other:.3}"),
    };
    let error = |part: Option<CalibrationPart>| two(part.map(|p| [p.before, p.after]));
    say!(
        "{:<22} {:>10} {:>6} {:>11} {:>20} {:>20} {:>11} {:>11}  ms an expression",
        "weights",
        "parameters",
        "clips",
        "AU F1, 2-cl",
        "UF1 (95 %)",
        "UAR (95 %)",
        "ECE classes",
        "ECE units"
    );
    for r in rows {
        let times: Vec<String> = (r.milliseconds.iter())
            .map(|(device, ms)| format!("{ms:.2} {device}"))
            .collect();
        say!(
            "{:<22} {:>10} {:>6} {:>11} {:>20} {:>20} {:>11} {:>11}  {}",
            r.weights,
            r.parameters,
            r.expressions,
            two(r.unit_f1),
            figure(r.uf1),
            figure(r.uar),
            error(r.class_calibration),
            error(r.unit_calibration),
            times.join(", ")
        );
    }
    means(rows)
}

/// A line for each network that was trained several times.
fn means(rows: &[Row]) -> Result<(), Failure> {
    let mut networks: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some((name, _)) = row.weights.rsplit_once("-seed-") {
            networks.entry(name).or_default().push(row);
        }
    }
    networks.retain(|_, rows| rows.len() > 1);
    if networks.is_empty() {
        return Ok(());
    }
    say!("\nmean over seeds (least to greatest)");
    for (network, rows) in networks {
        let over = |value: &dyn Fn(&Row) -> Option<f64>| {
            let values: Option<Vec<f64>> = rows.iter().map(|row| value(row)).collect();
            let Some(values) = values else {
                return "–".to_owned();
            };
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            format!("{mean:.3} ({least:.3}–{greatest:.3})")
        };
        say!(
            "{network:<22} {} seeds  AU F1 {}  two-class {}  UF1 {}  UAR {}",
            rows.len(),
            over(&|row| row.unit_f1.map(|f| f[0])),
            over(&|row| row.unit_f1.map(|f| f[1])),
            over(&|row| row.uf1.map(|f| f.value)),
            over(&|row| row.uar.map(|f| f.value)),
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
