//! The thread that opens a recording: what it is told, what it does, what it hands over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::shown::{Shown, with_readable_second_look};
use crate::app::beside;
use crate::app::camera_side::CameraSide;
use crate::app::kept::Earlier;
use crate::app::missing::Missing;
use crate::app::opening::{self, KeptThere, Place};
use crate::app::trail::Trail;
use crate::app::wake::Wake;
use crate::base::{Latest, Notice};
use crate::facs::ActionUnit;
use crate::gpu::GpuContext;
use crate::media::{self, Frame, InputSpec, Player, Stills};
use crate::project::file::BlindPass;
use crate::session::views::ViewsWorker;
use crate::session::{Params, SessionHandle};
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// What an opening thread hands over.
pub(super) struct Ready {
    pub(super) session: SessionHandle,
    pub(super) player: Option<Player>,
    pub(super) pictures: Latest<Frame>,
    pub(super) trail: Option<Trail>,
    /// Of a camera.
    pub(super) camera: Option<CameraSide>,
    /// What it was opened by.
    pub(super) input: String,
    /// `None` for a camera.
    pub(super) stills: Option<Stills>,
    pub(super) sources: BTreeMap<ExpressionKind, ScoreSource>,
    pub(super) unit_thresholds: BTreeMap<ActionUnit, f64>,
    pub(super) second_look: Vec<String>,
    /// What cannot be done of what was asked for.
    pub(super) said: Vec<Notice>,
    pub(super) device: String,
    pub(super) params: Params,
    /// The project file that was opened.
    pub(super) project: Option<PathBuf>,
    /// What is shown was kept by the project.
    pub(super) earlier: Option<Earlier>,
    /// The same for every path to the recording; `None` for a camera.
    pub(super) place: Option<PathBuf>,
    /// As the project knows them.
    pub(super) blind_passes: Vec<BlindPass>,
}

/// What an opening thread is told.
pub(super) struct Wanted {
    pub(super) input: String,
    pub(super) params: Params,
    pub(super) gpu: Option<GpuContext>,
    pub(super) wake: Wake,
    pub(super) views: Option<Arc<ViewsWorker>>,
    /// The project of this name is open in this window, and with it this recording.
    pub(super) known: Option<(PathBuf, PathBuf)>,
    /// Where the recording of the project is said to lie now.
    pub(super) place: Option<PathBuf>,
    /// Folders where the queue puts results.
    pub(super) outs: Vec<PathBuf>,
    /// It is analysed whatever is kept.
    pub(super) anew: bool,
}

/// Finds the recording and opens it; `Ok(Err(..))` where somebody has to say where it is.
pub(super) fn opened(wanted: &Wanted) -> anyhow::Result<Result<Box<Ready>, Missing>> {
    if let Some(place) = &wanted.place
        && let Some(again) = opening::put_right(Path::new(&wanted.input), place)?
    {
        return Ok(Err(again));
    }
    let place = match &wanted.known {
        Some((project, place)) => Place::Here {
            input: place.display().to_string(),
            project: Some(project.clone()),
            said: None,
        },
        None => opening::place_of(&wanted.input)?,
    };
    match place {
        Place::Nowhere(missing) => Ok(Err(missing)),
        Place::Here {
            input,
            project,
            said,
        } => {
            let mut ready = ready(&input, project, wanted)?;
            ready.said.extend(said);
            Ok(Ok(Box::new(ready)))
        }
    }
}

/// Opens the input three times over: for the analysis, the player, and the views,
/// each of which reads at its own place and pace, and once more when the first still is
/// wanted. A camera is opened once. What the project keeps of it is shown instead of an
/// analysis.
pub(super) fn ready(
    input: &str,
    project: Option<PathBuf>,
    wanted: &Wanted,
) -> anyhow::Result<Ready> {
    let spec = InputSpec::parse(input, wanted.params.fps)?;
    let mut source = media::open(&spec)?;
    let info = source.info().clone();
    let mut camera = None;
    if info.live {
        let (side, tapped) = CameraSide::beside(source)?;
        (camera, source) = (Some(side), tapped);
    }
    let pictures = Latest::default();
    let (mut player, mut trail, mut stills) = (None, None, None);
    if !info.live {
        let knock = wanted.wake.clone();
        player = Some(Player::start_both_ways(
            media::open(&spec)?,
            media::open(&spec)?,
            Latest::clone(&pictures),
            Box::new(move || knock.wake()),
        )?);
        if let Some(views) = &wanted.views {
            trail = Some(Trail::start(media::open(&spec)?, Arc::clone(views))?);
        }
        let (knock, again) = (wanted.wake.clone(), spec.clone());
        let open = Box::new(move || media::open(&again));
        stills = Some(Stills::start(open, Box::new(move || knock.wake()))?);
    }
    let (params, mut said) = with_readable_second_look(&wanted.params);
    let place = info.path.as_deref().map(beside::real);
    // Of what is open already the window knows the blind passes.
    let there = if wanted.anew || wanted.known.is_some() {
        KeptThere::default()
    } else {
        opening::kept_of(&info, project.as_deref(), &wanted.outs)
    };
    said.extend(there.said);
    let shown = match there.analysis {
        Some(kept) => Shown::kept(info, kept, &params),
        None => Shown::analysed(source, params, wanted)?,
    };
    let scores = shown.session.facts.scores.iter();
    let sources = scores.map(|s| (s.kind, s.source.clone())).collect();
    Ok(Ready {
        player,
        pictures,
        trail,
        camera,
        input: input.to_owned(),
        stills,
        sources,
        said,
        project,
        session: shown.session,
        unit_thresholds: shown.unit_thresholds,
        second_look: shown.second_look,
        device: shown.device,
        params: shown.params,
        earlier: shown.earlier,
        place,
        blind_passes: there.blind_passes,
    })
}
