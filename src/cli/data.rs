//! `onset data`: what labelled data hold, before hours are spent on them, and the flow
//! images that recognition reads of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::flow_data::DatabaseArgs;
use super::print::{say, tell};
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome};
use crate::base::Severity;
use crate::dataset::check::{CheckReport, KindReport, check};
use crate::dataset::check_flow_images::{FlowImagesReport, check_flow_images};
use crate::dataset::{DatasetKind, Problem, open, recognise};
use crate::facs::{ActionUnit, ThreeClass};

/// Look at labelled data, or prepare it.
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read the labels, look for the frames, count, and name everything that is wrong.
    ///
    /// Ends with status 3 when something is not as it should be, and with 2 when the
    /// data cannot be used at all.
    #[command(
        after_help = "Examples:\n  onset data check studio\n  onset data check /data/CASME2 --dataset casme2"
    )]
    Check {
        /// Folder of the data.
        folder: PathBuf,
        /// What the data are; without it their files tell: casme2, samm, samm-lv, smic,
        /// casme-sq, casme3, recordings, flow-images.
        #[arg(long, value_parser = data_kind)]
        dataset: Option<DataKind>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Print every remark too; without it remarks are counted.
        #[arg(long)]
        remarks: bool,
    },
    /// Measure the flow images of databases: negative, positive or surprise from onset
    /// to apex, as `train` and `evaluate` of ststnet and off-apexnet read them.
    ///
    /// The classes are those of MEGC 2019. Without a marked apex (SMIC) the frame in the
    /// middle between onset and offset is taken. Ends with status 3 when an event could
    /// not be used. Repeated with the same settings it measures only what is missing.
    #[command(
        after_help = "Examples:\n  onset data flow-images --dataset casme2 --root /data/CASME2 --out casme2-flow\n  onset data flow-images --dataset smic --root /data/SMIC --dataset casme2 --root /data/CASME2 --dataset samm --root /data/SAMM --out megc2019"
    )]
    FlowImages {
        #[command(flatten)]
        databases: DatabaseArgs,
        /// The folder to fill: flows/<clip>.png, labels.csv, measured.csv.
        #[arg(long)]
        out: PathBuf,
        /// Print what the folder holds as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataKind {
    Labelled(DatasetKind),
    FlowImages,
}

fn data_kind(text: &str) -> Result<DataKind, String> {
    if text == "flow-images" {
        return Ok(DataKind::FlowImages);
    }
    text.parse()
        .map(DataKind::Labelled)
        .map_err(|e: String| format!("{e}, flow-images"))
}

pub(super) fn run(args: &DataArgs, quiet: bool) -> CommandResult {
    match &args.what {
        What::Check {
            folder,
            dataset,
            json,
            remarks,
        } => examine(folder, *dataset, *json, *remarks, quiet),
        What::FlowImages {
            databases,
            out,
            json,
        } => {
            let outcome = databases.prepare(out, quiet)?;
            let report = check_flow_images(out).map_err(Failure::other)?;
            if *json {
                print_json(&report)?;
            } else {
                print_flow_images(&report)?;
            }
            Ok(outcome)
        }
    }
}

fn examine(
    folder: &Path,
    dataset: Option<DataKind>,
    json: bool,
    remarks: bool,
    quiet: bool,
) -> CommandResult {
    let kind = match dataset {
        Some(kind) => kind,
        None if folder.join("flows").is_dir() && folder.join("labels.csv").is_file() => {
            DataKind::FlowImages
        }
        None => DataKind::Labelled(recognise(folder).map_err(Failure::input)?),
    };
    match kind {
        DataKind::FlowImages => {
            let report = check_flow_images(folder).map_err(Failure::input)?;
            if json {
                print_json(&report)?;
            } else {
                print_flow_images(&report)?;
            }
            tell_problems(&report.problems, remarks);
            Ok(ended(report.has_warnings()))
        }
        DataKind::Labelled(kind) => {
            let index = open(kind, folder).map_err(Failure::input)?;
            let mut progress =
                Progress::new("recordings", Some(index.recordings.len() as u64), quiet);
            let report = check(&index, |done| progress.at(done as u64));
            progress.finish();
            if json {
                print_json(&report)?;
            } else {
                print_report(&report)?;
            }
            tell_problems(&report.problems, remarks);
            Ok(ended(report.has_warnings()))
        }
    }
}

const fn ended(warned: bool) -> Outcome {
    if warned {
        Outcome::Warned
    } else {
        Outcome::Done
    }
}

fn print_json<T: Serialize>(report: &T) -> Result<(), Failure> {
    say!(
        "{}",
        serde_json::to_string_pretty(report).map_err(Failure::other)?
    );
    Ok(())
}

fn print_report(report: &CheckReport) -> Result<(), Failure> {
    say!(
        "{}: {} subjects, {} recordings ({} without an expression), {} frames",
        report.dataset.name(),
        report.subjects,
        report.recordings,
        report.recordings_without_events,
        report.frames
    );
    say!("frames a second: {}", counts(&report.frame_rates));
    say!(
        "label rows: {}, of which {} do not count",
        report.label_rows,
        report.skipped_rows
    );
    if report.missing_frames > 0 {
        say!("missing frames: {}", report.missing_frames);
    }
    for (kind, events) in &report.events {
        print_kind(kind, events)?;
    }
    if !report.distractors.is_empty() {
        say!("distractors: {}", counts(&report.distractors));
    }
    Ok(())
}

fn print_kind(kind: &str, events: &KindReport) -> Result<(), Failure> {
    say!("");
    say!(
        "{kind}-expressions: {}, {} without an apex",
        events.events,
        events.without_apex
    );
    for (rate, d) in &events.durations {
        say!(
            "  length at {rate} frames a second: mean {:.1}, {} to {} frames; k = {}",
            d.mean,
            d.min,
            d.max,
            d.k
        );
    }
    say!("  emotions: {}", counts(&events.emotions));
    if !events.three_classes.is_empty() {
        let classes: Vec<String> = ThreeClass::ALL
            .iter()
            .map(|c| {
                let count = events.three_classes.get(c.name()).unwrap_or(&0);
                format!("{} {count}", c.name())
            })
            .collect();
        say!("  three classes of MEGC 2019: {}", classes.join(", "));
    }
    if !events.aus.is_empty() {
        let units: Vec<String> = events
            .aus
            .iter()
            .map(|(unit, count)| {
                let name = ActionUnit::new(*unit).and_then(ActionUnit::name);
                match name {
                    Some(name) => format!("AU{unit} {name} {count}"),
                    None => format!("AU{unit} {count}"),
                }
            })
            .collect();
        say!("  action units: {}", units.join(", "));
    }
    Ok(())
}

fn counts<K: std::fmt::Display>(counted: &BTreeMap<K, usize>) -> String {
    let words: Vec<String> = counted
        .iter()
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    words.join(", ")
}

fn tell_problems(problems: &[Problem], remarks: bool) {
    let mut counted = 0;
    for problem in problems {
        let word = match problem.severity {
            Severity::Error => "unusable: ",
            Severity::Warning => "warning: ",
            Severity::Info if remarks || problem.skipped_row => "",
            Severity::Info => {
                counted += 1;
                continue;
            }
        };
        tell!("onset: {word}{problem}");
    }
    if counted > 0 {
        tell!("onset: {counted} remarks more; --remarks prints them");
    }
}

fn print_flow_images(report: &FlowImagesReport) -> Result<(), Failure> {
    say!(
        "flow images: {} clips of {} subjects: {}",
        report.clips,
        report.subjects,
        counts(&report.labels)
    );
    if report.skipped_rows > 0 {
        say!("label rows that do not count: {}", report.skipped_rows);
    }
    for (name, part) in &report.datasets {
        say!(
            "  {}: {} clips of {} subjects: {}",
            if name.is_empty() {
                "(no dataset)"
            } else {
                name
            },
            part.clips,
            part.subjects,
            counts(&part.labels)
        );
    }
    Ok(())
}
