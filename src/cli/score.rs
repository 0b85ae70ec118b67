//! `onset score`: the metrics alone.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::print::say;
use super::{CommandResult, Failure, Outcome};
use crate::metrics::spotting::{Mode, SpottingScore, score_files};

/// Score result files against the truth.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Spotted intervals against true ones (MEGC: IoU ≥ 0.5, counts over all videos).
    #[command(after_help = "Example: onset score spotting results/a/intervals.csv truth.csv")]
    Spotting {
        /// Intervals as `analyze` writes them.
        predictions: PathBuf,
        /// recording,kind,onset,apex,offset.
        truth: PathBuf,
        /// strict counts every recording one-to-one; compat as SOFTNet's published code does.
        #[arg(long, value_enum, default_value_t = ScoreMode::Strict)]
        mode: ScoreMode,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScoreMode {
    Strict,
    Compat,
}

pub(super) fn run(args: &ScoreArgs) -> CommandResult {
    let What::Spotting {
        predictions,
        truth,
        mode,
        json,
    } = &args.what;
    let mode = match mode {
        ScoreMode::Strict => Mode::Strict,
        ScoreMode::Compat => Mode::Compat,
    };
    let report = score_files(predictions, truth, mode).map_err(Failure::input)?;
    if *json {
        say!(
            "{}",
            serde_json::to_string_pretty(&report).map_err(Failure::other)?
        );
        return Ok(Outcome::Done);
    }
    say!(
        "{:<8} {:>5} {:>5} {:>5} {:>10} {:>7} {:>7} {:>12}",
        "kind",
        "TP",
        "FP",
        "FN",
        "precision",
        "recall",
        "F1",
        "AP@[.5:.95]"
    );
    let rows = [
        ("macro", &report.macro_expressions),
        ("micro", &report.micro_expressions),
        ("overall", &report.overall),
    ];
    for (
        name,
        SpottingScore {
            tp,
            fp,
            fn_,
            precision,
            recall,
            f1,
            ap,
            ..
        },
    ) in rows
    {
        say!(
            "{name:<8} {tp:>5} {fp:>5} {fn_:>5} {precision:>10.4} {recall:>7.4} {f1:>7.4} {ap:>12.4}"
        );
    }
    Ok(Outcome::Done)
}
