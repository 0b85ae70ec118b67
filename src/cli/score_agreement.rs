//! `onset score agreement`: how far coders agree, and where to look together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Serialize;

use super::print::{say, tell};
use super::{CommandResult, Failure, Outcome};
use crate::base::Timestamp;
use crate::metrics::agreement::{
    Agreement, Coded, Disagreement, Params, Presence, Shift, disagreements, pairwise,
};
use crate::project::exchange::csv::{self, Defaults};
use crate::project::file::{ENDING, ProjectFile};
use crate::spotting::IntervalStatus;
use crate::timeline::Annotation;

/// How far coders agree: units (FACS' R), κ per frame, intervals, frames, emotions.
#[derive(Debug, Args)]
pub(super) struct AgreementArgs {
    /// Tables of annotations (annotations.csv) or projects (.onset); coders who are not
    /// named in a table are called by its file.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Frames a second, for differences in milliseconds; projects know their own.
    #[arg(long, default_value_t = 30.0)]
    fps: f64,
    /// Length of the recording; without it the last annotated frame ends it. κ counts
    /// every frame, so a longer rest on which all agree makes it another one.
    #[arg(long)]
    frames: Option<u64>,
    /// IoU from which two annotations are of the same expression.
    #[arg(long, default_value_t = 0.5)]
    iou: f64,
    /// List the disagreements too; in JSON they always are.
    #[arg(long)]
    list: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One recording by the annotations of all files.
#[derive(Default)]
struct Gathered {
    annotations: Vec<Annotation>,
    frames: u64,
    fps: Option<f64>,
}

impl Gathered {
    /// A copy of a project holds the same annotations again. Who gave no name is called
    /// by the file.
    fn add(&mut self, annotations: impl IntoIterator<Item = Annotation>, file: &str) {
        for mut annotation in annotations {
            if self.annotations.iter().any(|a| a.id == annotation.id) {
                continue;
            }
            if annotation.coder.is_empty() {
                file.clone_into(&mut annotation.coder);
            }
            self.annotations.push(annotation);
        }
    }
}

#[derive(Serialize)]
struct Report {
    pairs: Vec<Agreement>,
    disagreements: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    recording: String,
    coders: [String; 2],
    #[serde(flatten)]
    disagreement: Disagreement,
}

pub(super) fn run(args: &AgreementArgs) -> CommandResult {
    let usage = |why: &str| Failure::input(anyhow!("{why}"));
    if !(args.fps.is_finite() && args.fps > 0.0) {
        return Err(usage("--fps is a rate: give frames a second above 0"));
    }
    if !(args.iou > 0.0 && args.iou <= 1.0) {
        return Err(usage("--iou is a share: give a number above 0, at most 1"));
    }
    let mut recordings: BTreeMap<String, Gathered> = BTreeMap::new();
    let mut warned = false;
    for path in &args.files {
        let is_project = path.extension().is_some_and(|e| e == ENDING);
        if is_project {
            project(path, &mut recordings).map_err(Failure::input)?;
        } else {
            warned |= table(path, &mut recordings).map_err(Failure::input)?;
        }
    }
    let decided = |a: &&Annotation| a.status == IntervalStatus::Accepted;
    let all = recordings.values().flat_map(|r| &r.annotations);
    let mut coders: Vec<&str> = all.filter(decided).map(|a| a.coder.as_str()).collect();
    coders.sort_unstable();
    coders.dedup();
    if coders.len() < 2 {
        let who = coders.first().map_or("nobody", |c| *c);
        return Err(usage(&format!(
            "Agreement needs two coders, and only {who} coded here. Give the other coder's \
             table or project too, or name the coders in the column 'coder'"
        )));
    }
    let clocks: Vec<Box<dyn Fn(u64) -> Timestamp>> = recordings
        .values()
        .map(|r| {
            let fps = r.fps.unwrap_or(args.fps);
            Box::new(move |frame: u64| Timestamp::from_secs(frame as f64 / fps))
                as Box<dyn Fn(u64) -> Timestamp>
        })
        .collect();
    let coded: Vec<Coded> = (recordings.values().zip(&clocks))
        .map(|(r, clock)| Coded {
            annotations: &r.annotations,
            frames: args.frames.unwrap_or(r.frames),
            time_of: clock.as_ref(),
        })
        .collect();
    let params = Params {
        least_overlap: args.iou,
        ..Params::default()
    };
    let mut report = Report {
        pairs: pairwise(&coded, &coders, params),
        disagreements: Vec::new(),
    };
    for pair in &report.pairs {
        let [first, second] = pair.coders.each_ref().map(String::as_str);
        let coded_by = |who: &str| {
            let by = move |r: &&Gathered| r.annotations.iter().any(|a| a.coder == who);
            recordings.values().filter(by).count()
        };
        let both = |r: &&Gathered| {
            [first, second]
                .iter()
                .all(|who| r.annotations.iter().any(|a| a.coder == *who))
        };
        if coded_by(first) > 0 && coded_by(second) > 0 && !recordings.values().any(|r| both(&r)) {
            warned = true;
            tell!(
                "onset: {first} and {second} coded no recording in common: write its name alike \
                 (column recording)"
            );
        }
        for (name, recording) in recordings.keys().zip(&coded) {
            let found = disagreements(recording, [first, second], params);
            report
                .disagreements
                .extend(found.into_iter().map(|disagreement| Listed {
                    recording: name.clone(),
                    coders: pair.coders.clone(),
                    disagreement,
                }));
        }
    }
    if args.json {
        super::score::print_json(&report)?;
    } else {
        print(&report, args.list)?;
    }
    Ok(if warned {
        Outcome::Warned
    } else {
        Outcome::Done
    })
}

fn project(path: &Path, to: &mut BTreeMap<String, Gathered>) -> anyhow::Result<()> {
    let file = ProjectFile::open_read_only(path)?;
    let source = file.source()?;
    let name = source
        .as_ref()
        .map_or_else(|| stem(path), |source| stem(Path::new(&source.name)));
    let gathered = to.entry(name).or_default();
    if let Some(source) = source {
        gathered.frames = gathered.frames.max(source.frame_count.unwrap_or(0));
        gathered.fps = gathered.fps.or(source.nominal_fps);
    }
    gathered.add(file.annotations()?, &stem(path));
    Ok(())
}

/// `true` where some of its lines could not be read.
fn table(path: &Path, to: &mut BTreeMap<String, Gathered>) -> anyhow::Result<bool> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("Cannot read the annotations: {}", path.display()))?;
    let name = stem(path);
    let defaults = Defaults {
        // Tables that name none are of one recording.
        recording: "recording",
        coder: &name,
    };
    let imported = csv::read(&bytes, path, defaults, &[])?;
    for problem in &imported.problems {
        tell!("onset: {problem}: {}", path.display());
    }
    for entry in imported.entries {
        let gathered = to.entry(entry.recording).or_default();
        let last = entry.annotation.offset.max(entry.annotation.onset);
        gathered.frames = gathered.frames.max(last + 1);
        gathered.add([entry.annotation], &name);
    }
    Ok(!imported.problems.is_empty())
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    let stem = stem.to_string_lossy();
    stem.strip_suffix(".annotations")
        .unwrap_or(&stem)
        .to_owned()
}

fn print(report: &Report, list: bool) -> Result<(), Failure> {
    for pair in &report.pairs {
        let [first, second] = &pair.coders;
        say!("{first} and {second}, {} recordings", pair.recordings);
        for (name, found) in [
            ("expressions", pair.found),
            ("macro", pair.found_macro),
            ("micro", pair.found_micro),
        ] {
            say!(
                "  {name}: {} of {} and {} seen by both, F1 {}",
                found.both,
                found.first,
                found.second,
                number(found.f1())
            );
        }
        let units = pair.units;
        say!(
            "  units of expressions both saw, R: {} by number, {} with side, {} with intensity",
            number(units.by_number.r()),
            number(units.with_side.r()),
            number(units.with_intensity.r())
        );
        presence("macro, micro or nothing", &pair.kinds)?;
        for unit in &pair.unit_presence {
            presence(&format!("AU{}", unit.unit.number()), &unit.presence)?;
        }
        for (name, shift) in [
            ("onset", pair.onset),
            ("apex", pair.apex),
            ("offset", pair.offset),
        ] {
            apart(name, second, shift)?;
        }
        let emotions = &pair.emotions;
        say!(
            "  emotion: agreement {}, κ {} over {}",
            number(emotions.ratings.agreement),
            number(emotions.ratings.kappa),
            emotions.ratings.total
        );
    }
    if list {
        for listed in &report.disagreements {
            let d = &listed.disagreement;
            say!("{} frame {}: {}", listed.recording, d.frame, d.sentence);
        }
    } else if !report.disagreements.is_empty() {
        tell!(
            "onset: {} disagreements; --list names them",
            report.disagreements.len()
        );
    }
    Ok(())
}

fn presence(name: &str, presence: &Presence) -> Result<(), Failure> {
    say!(
        "  {name}: κ {} a frame (agreement {}), {} an elementary interval",
        number(presence.per_frame.kappa),
        number(presence.per_frame.agreement),
        number(presence.per_interval.kappa)
    );
    Ok(())
}

fn apart(name: &str, second: &str, shift: Shift) -> Result<(), Failure> {
    match (shift.frames, shift.ms) {
        (Some(frames), Some(ms)) => say!(
            "  {name}: {second} {:+.1} frames, {:+.0} ms on average; apart {:.1} frames, {:.0} ms",
            frames.mean,
            ms.mean,
            frames.mean_absolute,
            ms.mean_absolute
        ),
        _ => say!("  {name}: nothing to compare"),
    }
    Ok(())
}

/// "–" where there is nothing to say.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"))
}
