//! `onset evaluate motion-tcn` and `softnet` with `--protocol loso`.

use std::collections::BTreeSet;

use anyhow::anyhow;

use super::evaluate_spotting::{SpottingEvaluateArgs, peaks, tell_report};
use super::print::tell;
use super::train::remove_unfinished;
use super::training_progress::TrainingProgress;
use super::{CommandResult, Failure, Outcome};
use crate::session::params::{DecodeMode, WindowSecs};
use crate::training::features::Parts;
use crate::training::folds::FoldError;
use crate::training::progress::Monitor as _;
use crate::training::spotting::corpus;
use crate::training::spotting::protocol::{Plan, ProtocolError, SpottingProtocol};
use crate::training::spotting::report::SpottingReport;
use crate::training::spotting::tcn::TrainError;

pub(super) fn leave_one_out(
    args: &SpottingEvaluateArgs,
    plan: &Plan,
    quiet: bool,
) -> CommandResult {
    let folder = args.folds.folder(args.out.as_deref())?;
    let decode = DecodeMode::from(args.decode);
    let windows = |recordings: &[_]| match decode {
        DecodeMode::Default => WindowSecs::default(),
        DecodeMode::Compat => corpus::published_windows(recordings),
    };
    let material = args.data.material(decode, windows, quiet)?;
    let recordings = &material.recordings;
    let subjects: BTreeSet<&str> = recordings.iter().map(|r| r.subject.as_str()).collect();
    if subjects.len() == 2 && decode == DecodeMode::Default {
        return Err(Failure::input(anyhow!(
            "Of two subjects one is tested and one learnt from, and nobody is left to fit thresholds on. Give data of three or more subjects"
        )));
    }
    let parts = match plan {
        Plan::MotionTcn(_) => Parts::Grids,
        Plan::SoftNet { .. } => Parts::All,
    };
    let (examples, data) = if args.folds.merge {
        (Vec::new(), material.fingerprint()?)
    } else {
        let examples = material.examples(parts, quiet)?;
        let measured = examples.iter().map(|e| (&e.recording, e.key.as_str()));
        let data = corpus::fingerprint(measured);
        (examples, data)
    };
    let ahead = match args.folds.fold {
        Some(_) => 1,
        None => subjects.len() as u64,
    };
    let progress = TrainingProgress::new(ahead, plan.epochs(), quiet);
    let protocol =
        SpottingProtocol::new(plan, recordings, data, &progress, &folder).map_err(failure)?;
    if let Some(number) = args.folds.fold {
        let result = protocol.run_fold(number, &examples).map_err(failure)?;
        let report = protocol.fold_report(&result, args.mode.into());
        progress.part("", 1, 1);
        progress.finish();
        if !quiet {
            let of = subjects.len();
            let counts = in_words(&report);
            let folder = folder.display();
            tell!(
                "fold {number} of {of}, subject {}: {counts}, in {folder}",
                result.subject
            );
        }
        return Ok(Outcome::Done);
    }
    let found = if args.folds.merge {
        protocol.merge()
    } else {
        protocol.run(&examples)
    };
    let found = found.map_err(failure)?;
    let mut report = protocol.report(&found, &peaks(&args.data.data)?, args.mode.into());
    report.settings.extend(material.described());
    progress.finish();
    tell_report(args, &report, quiet)?;
    if args.folds.folds.is_none() {
        remove_unfinished(&folder);
    }
    Ok(material.outcome())
}

fn in_words(report: &SpottingReport) -> String {
    let (macros, micros) = (&report.macros.score, &report.micros.score);
    format!(
        "{} of {} macro- and {} of {} micro-expressions found, {} false alarms",
        macros.tp,
        macros.tp + macros.fn_,
        micros.tp,
        micros.tp + micros.fn_,
        macros.fp + micros.fp
    )
}

fn failure(error: ProtocolError) -> Failure {
    match error {
        ProtocolError::Folds(FoldError::Output(_))
        | ProtocolError::Training {
            reason: TrainError::Device(_) | TrainError::Stopped | TrainError::Weights(_),
            ..
        } => Failure::other(error),
        other => Failure::input(other),
    }
}
