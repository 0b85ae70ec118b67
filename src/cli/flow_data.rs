//! What `train` and `evaluate` of recognition networks share: flow images, read from a
//! folder or measured from the databases.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::print::tell;
use super::progress::Progress;
use super::recipe_args::beside;
use super::{Failure, Outcome, Preset};
use crate::base::Severity;
use crate::dataset::flow_images::FlowImages;
use crate::dataset::flow_measure::FlowMeter;
use crate::dataset::flow_plan::FlowPlan;
use crate::dataset::flow_preparation::{PreparationError, Prepared, prepare};
use crate::dataset::{self, DatasetKind, Index, Problem};
use crate::spotting::ExpressionKind;

/// The databases, and how their flow images are measured.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// A database as its authors publish it, its folder in --root: casme2, samm,
    /// samm-lv, smic, casme-sq, casme3, or recordings (index.csv and labels.csv).
    /// Several are pooled: repeat --dataset and --root in the same order. Two folders of
    /// recordings are taken to show different people.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<DatasetKind>,
    /// The folder of the database; without --dataset its files tell which it is.
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Which of the databases' expressions become flow images.
    #[arg(long, value_enum, default_value_t = ExpressionsArg::Micro)]
    expressions: ExpressionsArg,
    /// How exactly the optical flow of the databases is computed.
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    preset: Preset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExpressionsArg {
    Micro,
    Macro,
    Both,
}

impl ExpressionsArg {
    fn kinds(self) -> &'static [ExpressionKind] {
        match self {
            Self::Micro => &[ExpressionKind::Micro],
            Self::Macro => &[ExpressionKind::Macro],
            Self::Both => &ExpressionKind::BOTH,
        }
    }
}

impl DatabaseArgs {
    /// Fills `folder` with the flow images of the databases, and names what is left out.
    pub(super) fn prepare(&self, folder: &Path, quiet: bool) -> Result<Outcome, Failure> {
        let indices = self.read()?;
        let plan = FlowPlan::new(&indices, self.expressions.kinds()).map_err(Failure::input)?;
        let meter = FlowMeter::new(self.preset.into()).map_err(Failure::input)?;
        let count = Some(plan.clips.len() as u64);
        let progress = Progress::counting("clips", "flow images", count, quiet);
        let progress = Mutex::new(progress);
        let prepared = prepare(&plan, &meter, folder, |done| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.at(done as u64);
        });
        let progress = progress.into_inner();
        progress.unwrap_or_else(PoisonError::into_inner).finish();
        // What is wrong with the labels explains why nothing can be made of them, too.
        let doubts: usize = indices.iter().map(|i| tell_warnings(&i.problems)).sum();
        let prepared = prepared.map_err(|e| match e {
            PreparationError::Output(_) | PreparationError::Image { .. } => Failure::other(e),
            other => Failure::input(other),
        })?;
        tell_warnings(&prepared.left_out);
        if !quiet {
            summarise(&plan, &prepared, folder);
        }
        Ok(if doubts > 0 || !prepared.left_out.is_empty() {
            Outcome::Warned
        } else {
            Outcome::Done
        })
    }

    fn read(&self) -> Result<Vec<Index>, Failure> {
        let (names, roots) = (&self.dataset, &self.root);
        if roots.is_empty() || (!names.is_empty() && names.len() != roots.len()) {
            return Err(Failure::input(anyhow!(
                "Each database needs its folder: {} of --dataset and {} of --root were given. Give them in pairs, such as --dataset casme2 --root /data/CASME2",
                names.len(),
                roots.len()
            )));
        }
        let mut names = names.iter();
        roots
            .iter()
            .map(|root| {
                let kind = match names.next() {
                    Some(kind) => Ok(*kind),
                    None => dataset::recognise(root),
                };
                kind.and_then(|kind| dataset::open(kind, root))
                    .map_err(Failure::input)
            })
            .collect()
    }
}

/// Tells what is wrong, not what is only worth a remark; how many that were.
fn tell_warnings(problems: &[Problem]) -> usize {
    let mut grave = 0;
    for problem in problems.iter().filter(|p| p.severity >= Severity::Warning) {
        tell!("onset: warning: {problem}");
        grave += 1;
    }
    grave
}

fn summarise(plan: &FlowPlan<'_>, prepared: &Prepared, folder: &Path) {
    let mut more = String::new();
    for (count, words) in [
        (prepared.kept, "measured before"),
        (plan.without_apex(), "with the middle frame for the apex"),
    ] {
        if count > 0 {
            more += &format!(", {count} {words}");
        }
    }
    tell!("{} flow images{more}: {}", prepared.clips, folder.display());
    for (count, words) in [
        (plan.other_emotions, "of emotions outside the three classes"),
        (
            plan.other_kinds,
            "of the kind that --expressions leaves out",
        ),
        (prepared.left_out.len(), "that cannot be used, named above"),
    ] {
        if count > 0 {
            tell!("not among them: {count} events {words}");
        }
    }
}

/// Where flow images come from.
#[derive(Debug, Args)]
pub(super) struct FlowData {
    /// Folder of flow images: labels.csv (clip,subject,dataset,label) and flows/<clip>.png.
    #[arg(long, required_unless_present_any = ["dataset", "root"], conflicts_with_all = ["dataset", "root", "expressions", "preset"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    databases: DatabaseArgs,
    /// Where the flow images of the databases are kept, for the next time too; by
    /// default beside the output. What is measured with the same settings stays.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    flows: Option<PathBuf>,
}

impl FlowData {
    /// What an output must not replace.
    pub(super) fn labels(&self) -> Option<PathBuf> {
        self.data.as_deref().map(|data| data.join("labels.csv"))
    }

    /// Reads the images, measured first where databases are given: in `--flows`, or
    /// beside `output`.
    pub(super) fn read(
        &self,
        output: &Path,
        quiet: bool,
    ) -> Result<(FlowImages, Outcome), Failure> {
        let (folder, outcome) = match &self.data {
            Some(folder) => (folder.clone(), Outcome::Done),
            None => {
                let folder = match &self.flows {
                    Some(folder) => folder.clone(),
                    None => beside(output, ".flows"),
                };
                let outcome = self.databases.prepare(&folder, quiet)?;
                (folder, outcome)
            }
        };
        let images = FlowImages::read(&folder).map_err(Failure::input)?;
        Ok((images, outcome))
    }
}
