//! What is shown of a recording: an analysis, or what the project kept of an earlier one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::ready::Wanted;
use crate::app::backend::PROCESSOR;
use crate::app::kept::Earlier;
use crate::app::opening;
use crate::base::Notice;
use crate::facs::ActionUnit;
use crate::gpu::GpuContext;
use crate::media::{FrameSource, SourceInfo};
use crate::model::au_flow::AuWeights;
use crate::nn::{Weights, shipped};
use crate::project::kept::KeptAnalysis;
use crate::recognition::SecondLook;
use crate::session::params::RecognitionChoice;
use crate::session::{Params, Resources, SessionError, SessionHandle};

/// Where what the window shows comes from.
pub(super) struct Shown {
    pub(super) session: SessionHandle,
    pub(super) params: Params,
    pub(super) device: String,
    pub(super) unit_thresholds: BTreeMap<ActionUnit, f64>,
    pub(super) second_look: Vec<String>,
    pub(super) earlier: Option<Earlier>,
}

impl Shown {
    pub(super) fn analysed(
        source: Box<dyn FrameSource>,
        params: Params,
        wanted: &Wanted,
    ) -> anyhow::Result<Self> {
        let resources = resources(&params, wanted.gpu.clone())?;
        // The networks that score are on the same side.
        let card = resources.sides.card.as_ref();
        let device = card.map_or_else(|| PROCESSOR.to_owned(), GpuContext::name);
        let knock = wanted.wake.clone();
        let session = SessionHandle::start(source, &params, &resources, move || knock.wake())?;
        Ok(Self {
            session,
            device,
            unit_thresholds: unit_thresholds(&params),
            second_look: names(&params.second_look),
            params,
            earlier: None,
        })
    }

    /// `chosen` is what an analysis would be made with now.
    pub(super) fn kept(info: SourceInfo, kept: KeptAnalysis, chosen: &Params) -> Self {
        let earlier = opening::earlier(&kept, chosen);
        let read = kept.facts.recognition.as_ref();
        let unit_thresholds = read.map_or_else(BTreeMap::new, |read| {
            let thresholds = read.unit_thresholds.iter().copied();
            read.units.iter().copied().zip(thresholds).collect()
        });
        let recording = Arc::unwrap_or_clone(kept.recording);
        Self {
            session: SessionHandle::recorded(info, kept.facts, recording),
            device: kept.device,
            unit_thresholds,
            second_look: names(&kept.params.second_look),
            params: kept.params,
            earlier: Some(earlier),
        }
    }
}

/// What was chosen in the settings may be gone since: the recording is analysed without
/// it.
pub(super) fn with_readable_second_look(params: &Params) -> (Params, Vec<Notice>) {
    let mut params = params.clone();
    let mut said = Vec::new();
    params.second_look.retain(|path| {
        let read = SecondLook::load(std::slice::from_ref(path));
        let why = read.err().map(|e| format!("Without this second look. {e}"));
        let readable = why.is_none();
        said.extend(why.map(Notice::warning));
        readable
    });
    (params, said)
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    paths.iter().map(name).collect()
}

/// From which probability on each unit is called present; empty where none is read.
fn unit_thresholds(params: &Params) -> BTreeMap<ActionUnit, f64> {
    if params.recognition == RecognitionChoice::Off {
        return BTreeMap::new();
    }
    let weights = match &params.au_weights {
        Some(path) => Weights::load(path),
        None => shipped::whole(shipped::AU_FLOW),
    };
    // The analysis reads the same file and says what is wrong with it.
    let read = weights.ok().and_then(|w| AuWeights::unpack(&w).ok());
    read.map_or_else(BTreeMap::new, |read| {
        let units = read.vocabulary.units.into_iter();
        units.zip(read.fitted.thresholds).collect()
    })
}

/// On a graphics card the window's own device, unless the analysis is to have one of
/// its own.
fn resources(params: &Params, gpu: Option<GpuContext>) -> Result<Resources, SessionError> {
    Resources::load_on(params, || gpu.map_or_else(GpuContext::headless, Ok))
}
