//! `onset score`: the metrics alone.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::print::{say, tell};
use super::score_agreement::AgreementArgs;
use super::{CommandResult, Failure, Outcome};
use crate::metrics::apex::ApexError;
use crate::metrics::recognition::RecognitionScore;
use crate::metrics::recognition_file::{RecognitionReport, read_clips, score_clips};
use crate::metrics::spotting::{
    IntervalRow, Mode, Role, SpottingReport, SpottingScore, read_intervals, score_rows,
};
use crate::metrics::strs::{self, StrsScore};
use crate::spotting::ExpressionKind;

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
    /// Recognised clips: accuracy, UF1, UAR and the confusion, pooled over all clips.
    #[command(after_help = "Example: onset score recognition predictions.csv --per-subject")]
    Recognition {
        /// recording,subject,truth,prediction; one line a clip.
        predictions: PathBuf,
        /// The classes and their order; without it those that occur.
        #[arg(long, value_delimiter = ',', value_name = "CLASS,CLASS…")]
        classes: Option<Vec<String>>,
        /// A line for each subject too.
        #[arg(long)]
        per_subject: bool,
        /// Print JSON; subjects are always in it.
        #[arg(long)]
        json: bool,
    },
    /// How far coders agree: units (FACS' R), κ per frame, intervals, frames, emotions.
    #[command(
        after_help = "Example: onset score agreement anna.annotations.csv ben.annotations.csv --fps 200 --list"
    )]
    Agreement(AgreementArgs),
    /// Spot-then-recognise: F1 of spotting times F1 of recognition on what was spotted.
    #[command(
        after_help = "Example: onset score strs results/a/intervals.csv truth.csv --classes negative,positive,surprise"
    )]
    Strs {
        /// Intervals as `analyze` writes them, with `label` or `emotion`.
        predictions: PathBuf,
        /// recording,kind,onset,apex,offset,emotion.
        truth: PathBuf,
        /// Which expressions count.
        #[arg(long, value_enum, default_value_t = ScoredKind::Micro)]
        kind: ScoredKind,
        /// The emotions that recognition is scored on; without it those of the truth.
        #[arg(long, value_delimiter = ',', value_name = "EMOTION,EMOTION…")]
        classes: Option<Vec<String>>,
        /// strict by the definition; compat as the published script does (needs `subject`).
        #[arg(long, value_enum, default_value_t = ScoreMode::Strict)]
        mode: ScoreMode,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ScoreMode {
    Strict,
    Compat,
}

impl From<ScoreMode> for Mode {
    fn from(mode: ScoreMode) -> Self {
        match mode {
            ScoreMode::Strict => Self::Strict,
            ScoreMode::Compat => Self::Compat,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScoredKind {
    Micro,
    Macro,
    Both,
}

impl ScoredKind {
    const fn holds(self, kind: ExpressionKind) -> bool {
        matches!(
            (self, kind),
            (Self::Both, _)
                | (Self::Micro, ExpressionKind::Micro)
                | (Self::Macro, ExpressionKind::Macro)
        )
    }
}

pub(super) fn run(args: &ScoreArgs) -> CommandResult {
    match &args.what {
        What::Spotting {
            predictions,
            truth,
            mode,
            json,
        } => {
            let predicted =
                read_intervals(predictions, Role::Prediction).map_err(Failure::input)?;
            let expected = read_intervals(truth, Role::Truth).map_err(Failure::input)?;
            let report = score_rows(&predicted, &expected, (*mode).into());
            if *json {
                print_json(&report)?;
            } else {
                print_spotting(&report)?;
            }
            let names = |rows: &[IntervalRow]| -> BTreeSet<String> {
                rows.iter().map(|row| row.recording.clone()).collect()
            };
            let (here, there) = (names(&predicted), names(&expected));
            if !here.is_empty() && !there.is_empty() && here.is_disjoint(&there) {
                tell!(
                    "onset: no recording of the predictions is in the truth, so nothing can be found. Write their names alike (column recording): {}",
                    predictions.display()
                );
                return Ok(Outcome::Warned);
            }
            Ok(Outcome::Done)
        }
        What::Recognition {
            predictions,
            classes,
            per_subject,
            json,
        } => {
            let clips = read_clips(predictions).map_err(Failure::input)?;
            let report = score_clips(&clips, classes.as_deref())
                .map_err(|reason| Failure::input(anyhow!("{reason}: {}", predictions.display())))?;
            if *json {
                print_json(&report)?;
            } else {
                print_recognition(&report, *per_subject)?;
            }
            for warning in &report.warnings {
                tell!("onset: {warning}: {}", predictions.display());
            }
            Ok(if report.warnings.is_empty() {
                Outcome::Done
            } else {
                Outcome::Warned
            })
        }
        What::Agreement(args) => super::score_agreement::run(args),
        What::Strs {
            predictions,
            truth,
            kind,
            classes,
            mode,
            json,
        } => {
            let predicted =
                read_intervals(predictions, Role::Prediction).map_err(Failure::input)?;
            let expected = read_intervals(truth, Role::Truth).map_err(Failure::input)?;
            let of_kind = |rows: &[IntervalRow]| -> Vec<IntervalRow> {
                rows.iter()
                    .filter(|r| kind.holds(r.kind))
                    .cloned()
                    .collect()
            };
            let (predicted, expected) = (of_kind(&predicted), of_kind(&expected));
            let score = strs::score(
                &predicted.iter().collect::<Vec<_>>(),
                &expected.iter().collect::<Vec<_>>(),
                classes.as_deref(),
                (*mode).into(),
            )
            .map_err(Failure::input)?;
            if *json {
                return print_json(&score);
            }
            print_strs(&score)
        }
    }
}

pub(super) fn print_json<T: Serialize>(report: &T) -> CommandResult {
    say!(
        "{}",
        serde_json::to_string_pretty(report).map_err(Failure::other)?
    );
    Ok(Outcome::Done)
}

fn print_spotting(report: &SpottingReport) -> CommandResult {
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
    for (
        name,
        ApexError {
            events,
            mean_frames,
            mean_share,
        },
    ) in [("macro", report.apex_macro), ("micro", report.apex_micro)]
    {
        if let (Some(frames), Some(share)) = (mean_frames, mean_share) {
            say!(
                "apex of {name}: {frames:.2} frames off on average, {:.1} % of the interval ({events} found)",
                share * 100.0
            );
        }
    }
    Ok(Outcome::Done)
}

fn print_recognition(report: &RecognitionReport, per_subject: bool) -> CommandResult {
    let wide = report
        .classes
        .iter()
        .chain(report.per_subject.iter().map(|s| &s.subject))
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(8);
    let line = |name: &str, s: &RecognitionScore| {
        format!(
            "{name:<wide$} {:>6} {:>9.4} {:>7.4} {:>7.4} {:>7.4}",
            s.clips, s.accuracy, s.uf1, s.uar, s.uap
        )
    };
    say!(
        "{:<wide$} {:>6} {:>9} {:>7} {:>7} {:>7}",
        "",
        "clips",
        "accuracy",
        "UF1",
        "UAR",
        "UAP"
    );
    say!("{}", line("all", &report.overall));
    if per_subject {
        for subject in &report.per_subject {
            say!("{}", line(&subject.subject, &subject.score));
        }
    }
    say!("");
    say!(
        "{:<wide$} {:>6} {:>9} {:>7} {:>7}   taken for {}",
        "class",
        "clips",
        "precision",
        "recall",
        "F1",
        report.classes.join(" ")
    );
    for ((name, class), row) in report
        .classes
        .iter()
        .zip(&report.overall.per_class)
        .zip(&report.overall.confusion)
    {
        let counts: Vec<String> = row.iter().map(u64::to_string).collect();
        say!(
            "{name:<wide$} {:>6} {:>9.4} {:>7.4} {:>7.4}   {}",
            class.truths,
            class.precision,
            class.recall,
            class.f1,
            counts.join(" ")
        );
    }
    Ok(Outcome::Done)
}

fn print_strs(score: &StrsScore) -> CommandResult {
    let mode = match score.mode {
        Mode::Strict => "strict",
        Mode::Compat => "compat, as the published script",
    };
    say!("STRS {:.4} ({mode})", score.strs);
    say!(
        "spotting     F1 {:.4}: {} TP, {} FP, {} FN, precision {:.4}, recall {:.4}",
        score.f1_spotting,
        score.tp,
        score.fp,
        score.fn_,
        score.precision,
        score.recall
    );
    say!(
        "recognition  F1 {:.4}: {} spotted events in {}, mean precision {:.4}, mean recall {:.4}, UF1 {:.4}",
        score.f1_recognition,
        score.analysed,
        score.classes.join(", "),
        score.precision_recognition,
        score.recall_recognition,
        score.uf1
    );
    Ok(Outcome::Done)
}
