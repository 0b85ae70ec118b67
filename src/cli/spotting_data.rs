//! What `train` and `evaluate` of spotting networks share: labelled recordings and
//! their features.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::Args;

use super::print::tell;
use super::progress::Progress;
use super::{DeviceArg, Failure, Preset};
use crate::dataset::{self, DatasetKind, Index};
use crate::session::params::SpotterChoice;
use crate::session::{Params, Resources};
use crate::training::features::{FeatureError, Parts};
use crate::training::spotting::corpus::{self, Example};

#[derive(Debug, Args)]
pub(super) struct SpottingData {
    /// Folder of labelled recordings: index.csv and labels.csv as `onset synth` writes
    /// them, or the root of a licensed database.
    #[arg(long, visible_alias = "root")]
    pub(super) data: PathBuf,
    /// Whose layout the folder has; found out where this is not said.
    #[arg(long)]
    pub(super) dataset: Option<DatasetKind>,
    /// Where measured motion is kept; by default in the folder's own `features`.
    #[arg(long)]
    pub(super) features: Option<PathBuf>,
    /// How exactly the optical flow is computed.
    #[arg(long, value_enum, default_value_t = Preset::Exact)]
    pub(super) preset: Preset,
    #[command(flatten)]
    pub(super) device: DeviceArg,
}

impl SpottingData {
    /// Reads the labels and measures what is not measured yet.
    pub(super) fn examples(&self, parts: Parts, quiet: bool) -> Result<Vec<Example>, Failure> {
        let index = self.index(quiet)?;
        let params = Params {
            spotter: SpotterChoice::Control,
            flow: self.preset.into(),
            device: self.device.device.into(),
            ..Params::default()
        };
        let resources = Resources::load(&params).map_err(super::analyze::not_started)?;
        let folder = match &self.features {
            Some(folder) => folder.clone(),
            None => self.data.join("features"),
        };
        let count = index.recordings.len();
        let progress = Progress::counting("recordings", "motion", Some(count as u64), quiet);
        let progress = Mutex::new(progress);
        let examples = corpus::examples(
            &index.recordings,
            &folder,
            &params,
            &resources,
            parts,
            |done| {
                let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.at(done as u64);
            },
        );
        let progress = progress.into_inner();
        progress.unwrap_or_else(PoisonError::into_inner).finish();
        examples.map_err(|e| match e {
            FeatureError::Output(_) => Failure::other(e),
            other => Failure::input(other),
        })
    }

    fn index(&self, quiet: bool) -> Result<Index, Failure> {
        let kind = match self.dataset {
            Some(kind) => kind,
            None => dataset::recognise(&self.data).map_err(Failure::input)?,
        };
        let index = dataset::open(kind, &self.data).map_err(Failure::input)?;
        if !quiet && !index.problems.is_empty() {
            tell!(
                "warning: {} things in the labels need a look; `onset data check {}` names them",
                index.problems.len(),
                self.data.display()
            );
        }
        Ok(index)
    }
}
