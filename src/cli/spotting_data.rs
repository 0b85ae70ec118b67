//! What `train` and `evaluate` of spotting networks share: labelled recordings and
//! their features.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use clap::Args;

use super::print::tell;
use super::progress::Progress;
use super::{DeviceArg, Failure, Outcome, Preset};
use crate::dataset::{self, DatasetKind, Index, LabelledRecording};
use crate::motion::windows::Stride;
use crate::project::output::OutputError;
use crate::session::params::{DecodeMode, SpotterChoice, WindowSecs};
use crate::session::{Params, Resources};
use crate::spotting::ExpressionKind;
use crate::training::features::{FeatureError, Parts};
use crate::training::spotting::corpus::{self, Example};

#[derive(Debug, Clone, Args)]
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

/// Labelled recordings, and how they are measured.
pub(super) struct Material {
    pub(super) recordings: Vec<LabelledRecording>,
    /// How many things in the labels need a look; what is wrong is left out.
    problems: usize,
    params: Params,
    resources: Resources,
    features: PathBuf,
}

impl SpottingData {
    /// Another folder, measured in the same way; its features lie in it, or where the
    /// others do: they are named by what they are of.
    pub(super) fn with_folder(&self, folder: &Path) -> Self {
        Self {
            data: folder.to_path_buf(),
            dataset: None,
            ..self.clone()
        }
    }

    /// What an output must not replace.
    pub(super) fn tables(&self) -> Vec<PathBuf> {
        let names = ["index.csv", "labels.csv", "events.csv", "distractors.csv"];
        names.map(|name| self.data.join(name)).into()
    }

    /// Reads the labels. By the published decoding every frame starts a window, as long
    /// as `windows` says.
    pub(super) fn material(
        &self,
        decode: DecodeMode,
        windows: impl Fn(&[LabelledRecording]) -> WindowSecs,
        quiet: bool,
    ) -> Result<Material, Failure> {
        let Index {
            recordings,
            problems,
            ..
        } = self.index(quiet)?;
        let mut params = Params {
            spotter: SpotterChoice::Control,
            flow: self.preset.into(),
            device: self.device.device.into(),
            windows: windows(&recordings),
            ..Params::default()
        };
        // Where the usual stride leaves out nothing, what is measured already will do.
        let leaves_out = recordings.iter().any(|recording| {
            let k = |kind| (params.windows.of(kind) * recording.fps).round() as u64;
            let mut kinds = ExpressionKind::BOTH.into_iter();
            kinds.any(|kind| params.stride.frames(k(kind)) > 1)
        });
        if decode == DecodeMode::Compat && leaves_out {
            params.stride = Stride::Dense;
        }
        let resources = Resources::load(&params).map_err(super::analyze::not_started)?;
        let features = match &self.features {
            Some(folder) => folder.clone(),
            None => self.data.join("features"),
        };
        Ok(Material {
            recordings,
            problems: problems.len(),
            params,
            resources,
            features,
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

impl Material {
    /// Measures what is not measured yet.
    pub(super) fn examples(&self, parts: Parts, quiet: bool) -> Result<Vec<Example>, Failure> {
        let count = self.recordings.len();
        let progress = Progress::counting("recordings", "motion", Some(count as u64), quiet);
        let progress = Mutex::new(progress);
        let examples = corpus::examples(
            &self.recordings,
            &self.features,
            &self.params,
            &self.resources,
            parts,
            |done| {
                let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.at(done as u64);
            },
        );
        let progress = progress.into_inner();
        progress.unwrap_or_else(PoisonError::into_inner).finish();
        examples.map_err(failure)
    }

    /// Whether everything that the labels name is there.
    pub(super) fn outcome(&self) -> Outcome {
        match self.problems {
            0 => Outcome::Done,
            _ => Outcome::Warned,
        }
    }

    /// How the recordings are measured, for a report.
    pub(super) fn described(&self) -> BTreeMap<String, String> {
        let secs = |kind| format!("{:.3} s", self.params.windows.of(kind));
        [
            ("flow", format!("{:?}", self.params.flow).to_lowercase()),
            ("windows start every", self.params.stride.to_string()),
            ("macro window", secs(ExpressionKind::Macro)),
            ("micro window", secs(ExpressionKind::Micro)),
            ("landmarks", self.resources.landmarks.name()),
            ("onset", env!("CARGO_PKG_VERSION").to_owned()),
            ("problems in the labels", self.problems.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// [`corpus::keys`].
    pub(super) fn keys(&self) -> Result<Vec<String>, Failure> {
        corpus::keys(&self.recordings, &self.params, &self.resources).map_err(failure)
    }

    /// [`corpus::fingerprint`] without measuring.
    pub(super) fn fingerprint(&self) -> Result<String, Failure> {
        let keys = self.keys()?;
        let keys = keys.iter().map(String::as_str);
        Ok(corpus::fingerprint(self.recordings.iter().zip(keys)))
    }
}

fn failure(error: FeatureError) -> Failure {
    match error {
        FeatureError::Output(OutputError::Write { path, reason }) => Failure::other(anyhow!(
            "Measured motion cannot be kept: {reason}. Free space, or choose another folder with --features: {}",
            path.display()
        )),
        FeatureError::Output(OutputError::NotAFolder { path }) => Failure::input(anyhow!(
            "Measured motion cannot be kept: this is a file. Choose a folder with --features: {}",
            path.display()
        )),
        FeatureError::Output(_) => Failure::other(error),
        other => Failure::input(other),
    }
}
