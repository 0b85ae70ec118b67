//! The machinery behind the real window: one session that analyses, one player
//! that shows, one worker that draws the views. Files are opened on a thread, so
//! that a slow disk or a busy camera never holds the window up.

mod camera;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;

use super::backend::{
    Backend, CameraEntry, CameraFormatEntry, OpenedSession, PlayerOrder, ViewsWanted,
};
use super::batch::BatchOrder;
use super::camera_side::CameraSide;
use super::coding::Change;
use super::command::Command;
use super::keeper::Keeper;
use super::kept::Earlier;
use super::missing::Missing;
use super::opening::{self, Place};
use super::project;
use super::trail::{self, Trail};
use super::wake::Wake;
use crate::base::{Latest, Mailbox, Notice};
use crate::facs::ActionUnit;
use crate::gpu::GpuContext;
use crate::media::{
    self, Compare, FormatWish, Frame, FrameSource, InputSpec, Player, SourceInfo, StillKey, Stills,
};
use crate::model::au_flow::AuWeights;
use crate::nn::{Weights, shipped};
use crate::project::kept::KeptAnalysis;
use crate::project::unattended::{News, Worker};
use crate::recognition::SecondLook;
use crate::session::params::RecognitionChoice;
use crate::session::views::ViewsWorker;
use crate::session::{Params, Resources, SessionError, SessionHandle, SessionStatus};
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// Frames of a camera are kept so long after the last request for views: half a
/// second unless it asked for more.
const RECENT_SECS: f64 = 0.5;

/// Frames of a camera are kept up to so many bytes, however long that is.
const RECENT_BYTES: usize = 192 << 20;

/// What an opening thread hands over.
struct Ready {
    session: SessionHandle,
    player: Option<Player>,
    pictures: Latest<Frame>,
    trail: Option<Trail>,
    /// Of a camera.
    camera: Option<CameraSide>,
    /// What it was opened by.
    input: String,
    /// `None` for a camera.
    stills: Option<Stills>,
    sources: BTreeMap<ExpressionKind, ScoreSource>,
    unit_thresholds: BTreeMap<ActionUnit, f64>,
    second_look: Vec<String>,
    /// What cannot be done of what was asked for.
    said: Vec<Notice>,
    device: String,
    params: Params,
    /// The project file that was opened.
    project: Option<PathBuf>,
    /// What is shown was kept by the project.
    earlier: Option<Earlier>,
}

/// What an opening thread is told.
struct Wanted {
    input: String,
    params: Params,
    gpu: Option<GpuContext>,
    wake: Wake,
    views: Option<Arc<ViewsWorker>>,
    /// The project of this name is open in this window, and with it this recording.
    known: Option<(PathBuf, PathBuf)>,
    /// Where the recording of the project is said to lie now.
    place: Option<PathBuf>,
    /// It is analysed whatever is kept.
    anew: bool,
}

enum Arrival {
    Opened(u64, Box<Ready>),
    /// A camera that was lost.
    Back(u64, Box<Ready>),
    /// Something else was asked for meanwhile.
    Nothing,
    Missing(u64, Missing),
    Failed(u64, String, String),
    Cameras(Result<Vec<CameraEntry>, String>),
}

/// See [`Backend`].
pub struct Live {
    wake: Wake,
    gpu: Option<GpuContext>,
    views: Option<Arc<ViewsWorker>>,
    arrived: Mailbox<Arrival>,
    /// Counts openings: of two asked for in a row only the last is shown.
    ticket: Arc<AtomicU64>,
    /// A camera was lost and is waited for.
    waiting: bool,
    /// It is back, while its last half minute is still looked through.
    back: Option<Box<Ready>>,
    open: Option<Ready>,
    /// The last `recent_secs` of a camera.
    recent: VecDeque<Frame>,
    recent_secs: f64,
    told: SessionStatus,
    was_playing: bool,
    troubled: bool,
    /// The frame that the player was last sent to, until it has answered.
    seeking: Option<u64>,
    /// `None` where the system refuses another thread.
    keeper: Option<Keeper>,
    told_by_project: Mailbox<Command>,
    /// Said at the next poll.
    told_by_camera: Vec<Command>,
    /// `None` where the system refuses another thread.
    batch: Option<Worker>,
    told_by_batch: Mailbox<News>,
    /// The open project and its recording, at most one.
    projects: Vec<(String, PathBuf)>,
    /// Said at the first poll.
    at_first: Vec<Notice>,
}

impl Live {
    /// `gpu` is the window's own device, which the analysis shares unless it is to have
    /// an `own_device`.
    #[must_use]
    pub fn new(wake: Wake, gpu: Option<GpuContext>, own_device: bool) -> Self {
        let mut at_first = Vec::new();
        let knock = wake.clone();
        // On a software adapter the processor's twin of the kernel is faster.
        let fast = gpu.as_ref().filter(|g| !g.is_software());
        let views = match ViewsWorker::start(fast, move || knock.wake()) {
            Ok(worker) => Some(Arc::new(worker)),
            Err(e) => {
                at_first.push(Notice::error(format!(
                    "The views beside the picture cannot be drawn: {e}"
                )));
                None
            }
        };
        let told_by_project = Mailbox::default();
        let keeper = Keeper::start(told_by_project.clone(), wake.clone())
            .inspect_err(|e| log::error!("no thread for the project: {e}"))
            .ok();
        // Without the window's, an analysis opens one for itself.
        let gpu = gpu.filter(|_| !own_device);
        let told_by_batch: Mailbox<News> = Mailbox::default();
        let (tell, knock) = (told_by_batch.clone(), wake.clone());
        let batch = Worker::start(gpu.clone(), move |news| {
            tell.post([news]);
            knock.wake();
        })
        .inspect_err(|e| log::error!("no thread for the queue: {e}"))
        .ok();
        Self {
            wake,
            keeper,
            told_by_project,
            told_by_camera: Vec::new(),
            batch,
            told_by_batch,
            projects: Vec::new(),
            gpu,
            views,
            arrived: Mailbox::default(),
            ticket: Arc::default(),
            waiting: false,
            back: None,
            open: None,
            recent: VecDeque::new(),
            recent_secs: RECENT_SECS,
            told: SessionStatus::default(),
            was_playing: false,
            troubled: false,
            seeking: None,
            at_first,
        }
    }

    fn ticket(&self) -> u64 {
        self.ticket.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread and posts what it returns.
    fn apart(&self, name: &str, work: impl FnOnce() -> Arrival + Send + 'static) {
        let (arrived, wake) = (self.arrived.clone(), self.wake.clone());
        let started = Builder::new().name(name.into()).spawn(move || {
            arrived.post([work()]);
            wake.wake();
        });
        if let Err(e) = started {
            self.arrived.post([Arrival::Failed(
                self.ticket(),
                String::new(),
                format!("The system refuses another thread ({e}). Close other programs."),
            )]);
        }
    }

    /// Which project holds the open recording.
    fn note_project(&mut self, told: &Command) {
        let Some(session) = self.open.as_ref().map(|o| &o.session) else {
            return;
        };
        if let Some(project) = project::told_to_lie_in(told, session.generation) {
            let place = session.info.path.clone();
            self.projects = place
                .map(|place| (project.display().to_string(), place))
                .into_iter()
                .collect();
        }
    }

    fn take_over(&mut self, ready: Ready, out: &mut Vec<Command>) {
        self.recent.clear();
        // The keeper tells which project is open now.
        self.projects.clear();
        self.told = SessionStatus::default();
        (self.was_playing, self.troubled, self.waiting) = (false, false, false);
        self.seeking = None;
        if let Some(views) = &self.views {
            // What is still being drawn belongs to the recording before.
            let _ = views.take();
        }
        out.push(Command::Opened(Box::new(OpenedSession {
            generation: ready.session.generation,
            info: ready.session.info.clone(),
            sources: ready.sources.clone(),
            analysed: ready.session.facts.clone(),
            params: ready.params.clone(),
            project: ready.project.clone(),
            earlier: ready.earlier.clone(),
            unit_thresholds: ready.unit_thresholds.clone(),
            second_look: ready.second_look.clone(),
            device: ready.device.clone(),
        })));
        out.extend(ready.said.iter().cloned().map(Command::Say));
        if let Some(keeper) = &self.keeper {
            let info = &ready.session.info;
            keeper.begin(ready.session.generation, info, ready.project.clone());
        }
        self.open = Some(ready);
    }

    fn poll_session(&mut self, out: &mut Vec<Command>) {
        let queue = self.batch.as_ref().is_some_and(Worker::busy);
        let Some(open) = &mut self.open else {
            self.wake.analysing(queue);
            return;
        };
        let generation = open.session.generation;
        let events = open.session.take_events();
        if let Some(camera) = &mut open.camera {
            camera.heard(&events);
        }
        if !events.is_empty() {
            out.push(Command::Events { generation, events });
        }
        let status = open.session.status();
        let retells = open.session.tells_more();
        self.wake.analysing(queue || !(status.finished || retells));
        if retells {
            // The next piece comes with the next repaint.
            self.wake.wake();
        }
        if status != self.told {
            self.told = status.clone();
            out.push(Command::Status { generation, status });
        }
        if open.session.info.live
            && let Some(preview) = open.session.preview.take()
        {
            let frame = preview.frame;
            self.recent.push_back(frame.clone());
            let bytes = frame.picture.as_raw().len().max(1);
            while self.recent.len() * bytes > RECENT_BYTES
                || self
                    .recent
                    .front()
                    .is_some_and(|f| frame.timestamp.secs_since(f.timestamp) > self.recent_secs)
            {
                self.recent.pop_front();
            }
            if !open.camera.as_ref().is_some_and(CameraSide::is_frozen) {
                out.push(Command::Picture { generation, frame });
            }
        }
        if let Some(views) = self.views.as_ref().and_then(|v| v.take()) {
            let camera = open.camera.as_ref();
            let views = match camera {
                Some(camera) => camera.named(views),
                None => views,
            };
            // Of the recording it was drawn of; the state discards another's.
            out.push(Command::Views {
                generation: views.generation,
                views: Box::new(views),
            });
        }
    }

    fn poll_stills(&self, out: &mut Vec<Command>) {
        let Some((open, stills)) = self
            .open
            .as_ref()
            .and_then(|o| Some((o, o.stills.as_ref()?)))
        else {
            return;
        };
        let generation = open.session.generation;
        let arrived = stills.take();
        if !arrived.is_empty() {
            out.push(Command::Stills {
                generation,
                stills: arrived,
            });
        }
        if let Some(compared) = stills.take_compared() {
            let compared = Box::new(compared);
            out.push(Command::Compared {
                generation,
                compared,
            });
        }
    }

    fn poll_player(&mut self, out: &mut Vec<Command>) {
        let Some((open, player)) = self
            .open
            .as_ref()
            .and_then(|open| Some((open, open.player.as_ref()?)))
        else {
            return;
        };
        let generation = open.session.generation;
        // Asked before the picture is taken, which was there first.
        let answered = player.state().asked.is_none();
        if let Some(frame) = open.pictures.take() {
            out.push(Command::Picture { generation, frame });
        }
        if answered && let Some(asked) = self.seeking.take() {
            out.push(Command::SeekEnded { generation, asked });
        }
        if let Some(strip) = player.take_strip() {
            let strip = Box::new(strip);
            out.push(Command::Strip { generation, strip });
        }
        // The analysis reports damage itself; the player's own view of it is the same.
        drop(player.take_notices());
        let state = player.state();
        if self.was_playing && !state.playing {
            out.push(Command::PlaybackEnded { generation });
        }
        self.was_playing = state.playing;
        if let Some(trouble) = state.trouble
            && !std::mem::replace(&mut self.troubled, true)
        {
            out.push(Command::Say(Notice::error(trouble)));
        }
    }
}

impl Drop for Live {
    /// Nobody waits for a lost camera any more.
    fn drop(&mut self) {
        self.ticket.fetch_add(1, Ordering::Relaxed);
    }
}

impl Live {
    fn begin(&mut self, input: &str, params: &Params, (place, anew): (Option<PathBuf>, bool)) {
        self.ticket.fetch_add(1, Ordering::Relaxed);
        // A camera is let go first: it may be the one that is asked for. A file stays
        // until the next one is there, which may never be.
        self.back = None;
        if self.open.as_ref().is_some_and(|o| o.session.info.live) {
            let ended = self.end_recording();
            self.told_by_camera.extend(ended);
            self.open = None;
        }
        // The project that is open is locked by this window itself.
        let known = self.projects.iter().find(|(project, _)| *project == input);
        let known = known.map(|(project, place)| (PathBuf::from(project), place.clone()));
        let ticket = self.ticket();
        let wanted = Wanted {
            input: input.to_owned(),
            params: params.clone(),
            gpu: self.gpu.clone(),
            wake: self.wake.clone(),
            views: self.views.clone(),
            known,
            place,
            anew,
        };
        self.apart("open", move || match opened(&wanted) {
            Ok(Ok(ready)) => Arrival::Opened(ticket, ready),
            Ok(Err(missing)) => Arrival::Missing(ticket, missing),
            Err(e) => Arrival::Failed(ticket, wanted.input, format!("{e:#}")),
        });
    }
}

impl Backend for Live {
    fn open(&mut self, input: &str, params: &Params) {
        self.begin(input, params, (None, false));
    }

    fn analyse_again(&mut self, input: &str, params: &Params) {
        self.begin(input, params, (None, true));
    }

    fn locate(&mut self, project: &Path, place: &Path, params: &Params) {
        let input = project.display().to_string();
        self.begin(&input, params, (Some(place.to_owned()), false));
    }

    fn sample(&self) -> Result<String, String> {
        let folder = directories::ProjectDirs::from("", "", "onset")
            .map_or_else(std::env::temp_dir, |d| d.data_local_dir().to_path_buf());
        media::sample::unpack(&folder)
            .map(|p| p.display().to_string())
            .map_err(|e| e.to_string())
    }

    fn list_cameras(&mut self) {
        self.apart("cameras", || {
            Arrival::Cameras(
                media::camera::list_cameras()
                    .map(|found| {
                        found
                            .into_iter()
                            .map(|c| CameraEntry {
                                input: format!("camera:{}", c.index),
                                formats: (c.formats.iter())
                                    .map(|f| CameraFormatEntry {
                                        input: format!(
                                            "camera:{}{}",
                                            c.index,
                                            FormatWish::from(*f)
                                        ),
                                        name: f.to_string(),
                                    })
                                    .collect(),
                                name: c.name,
                                trouble: c.trouble,
                            })
                            .collect()
                    })
                    .map_err(|e| e.to_string()),
            )
        });
    }

    fn player(&mut self, order: PlayerOrder) {
        if let Some(open) = &mut self.open
            && let Some(camera) = &mut open.camera
        {
            let generation = open.session.generation;
            if matches!(order, PlayerOrder::Freeze | PlayerOrder::Live) {
                // What was drawn so far is of the other numbering.
                let _ = self.views.as_ref().and_then(|views| views.take());
            }
            let told = match camera.order(order, (&self.wake, self.views.as_ref())) {
                Ok(None) => return,
                Ok(Some(frames)) => Command::Frozen { generation, frames },
                Err(why) => Command::Say(Notice::warning(why)),
            };
            self.told_by_camera.push(told);
            self.wake.wake();
            return;
        }
        let Some(player) = self.open.as_ref().and_then(|o| o.player.as_ref()) else {
            return;
        };
        match order {
            PlayerOrder::Play => {
                player.play();
                self.was_playing = true;
            }
            PlayerOrder::Pause => {
                player.pause();
                self.was_playing = false;
            }
            PlayerOrder::Seek(frame) => {
                self.seeking = Some(frame);
                player.seek(frame);
            }
            PlayerOrder::Speed(speed) => player.set_speed(f64::from(speed)),
            PlayerOrder::Loop(frames) => player.set_loop(frames.map(|(from, to)| from..=to)),
            PlayerOrder::Strip(wish) => player.want_strip(wish),
            // A recording is never live.
            PlayerOrder::Freeze | PlayerOrder::Live => {}
        }
    }

    fn record(&mut self, on: bool) {
        let Some(camera) = self.open.as_mut().and_then(|o| o.camera.as_mut()) else {
            return;
        };
        if let Err(why) = camera.record(on, super::record::place()) {
            self.told_by_camera.push(Command::Say(Notice::error(why)));
            self.wake.wake();
        }
    }

    fn request_views(&mut self, wanted: ViewsWanted) {
        self.recent_secs = trail::back_secs(&wanted);
        let (Some(open), Some(views)) = (&self.open, &self.views) else {
            return;
        };
        let wanted = match &open.camera {
            Some(camera) => camera.request_views(wanted),
            None => Some(wanted),
        };
        let Some(wanted) = wanted else {
            return;
        };
        match &open.trail {
            Some(trail) => trail.follow(wanted),
            None => views.request(trail::request(
                self.recent.iter().cloned().collect(),
                wanted,
            )),
        }
    }

    fn stills(&mut self, wanted: Vec<StillKey>) {
        if let Some(stills) = self.open.as_ref().and_then(|o| o.stills.as_ref()) {
            stills.want(wanted);
        }
    }

    fn compare(&mut self, wanted: Compare) {
        if let Some(stills) = self.open.as_ref().and_then(|o| o.stills.as_ref()) {
            stills.compare(wanted);
        }
    }

    fn keep(&mut self, changes: Vec<Change>, count: u64, coder: &str) {
        match &self.keeper {
            Some(keeper) => keeper.keep(changes, count, coder),
            None => self.told_by_project.post([Command::Say(Notice::error(
                "What you say cannot be kept: the system refuses another thread. Close other \
                 programs and open the recording again; until then “Save” writes a copy of all of it.",
            ))]),
        }
    }

    fn batch(&mut self, order: BatchOrder) {
        match (&self.batch, order) {
            (Some(worker), BatchOrder::Find(paths)) => worker.find(paths),
            (Some(worker), BatchOrder::Plan(plan)) => worker.plan(plan),
            (None, BatchOrder::Find(_)) => self.told_by_batch.post([News::Found {
                recordings: vec![],
                said: vec![Notice::error(
                    "Nothing can be added to the queue: the system refuses another thread. Close \
                     other programs and start Onset again.",
                )],
            }]),
            // The queue is empty.
            (None, BatchOrder::Plan(_)) => {}
        }
    }

    fn keep_analysis(&mut self, analysis: KeptAnalysis) {
        // Without the thread nothing is kept, which every change says.
        if let Some(keeper) = &self.keeper {
            keeper.analysed(analysis);
        }
    }

    fn merge(&mut self, other: &Path, coder: &str) {
        match &self.keeper {
            Some(keeper) => keeper.merge(other.to_owned(), coder),
            None => self.told_by_project.post([Command::Say(Notice::error(
                "The project cannot be added: the system refuses another thread. Close other \
                 programs and open the recording again.",
            ))]),
        }
    }

    fn close(&mut self) -> Vec<Command> {
        self.end_recording().into_iter().collect()
    }

    fn poll(&mut self) -> Vec<Command> {
        self.wake.painted();
        let mut out: Vec<Command> = self.at_first.drain(..).map(Command::Say).collect();
        // Of the camera that is open still: before another one takes its place.
        out.append(&mut self.told_by_camera);
        if !self.frozen()
            && let Some(back) = self.back.take()
        {
            self.take_over(*back, &mut out);
        }
        for arrival in self.arrived.take_all() {
            match arrival {
                Arrival::Opened(ticket, ready) if ticket == self.ticket() => {
                    self.take_over(*ready, &mut out);
                }
                Arrival::Back(ticket, ready) if ticket == self.ticket() => {
                    if self.frozen() {
                        out.push(Command::Say(Notice::info(
                            "The camera is back. It is shown once you go back to live.",
                        )));
                        self.back = Some(ready);
                    } else {
                        self.take_over(*ready, &mut out);
                    }
                }
                Arrival::Failed(ticket, input, why) if ticket == self.ticket() => {
                    out.push(Command::OpenFailed { input, why });
                }
                Arrival::Missing(ticket, missing) if ticket == self.ticket() => {
                    out.push(Command::AskWhere(missing));
                }
                Arrival::Opened(..)
                | Arrival::Back(..)
                | Arrival::Missing(..)
                | Arrival::Failed(..)
                | Arrival::Nothing => {}
                Arrival::Cameras(found) => out.push(Command::Cameras(found)),
            }
        }
        for told in self.told_by_project.take_all() {
            self.note_project(&told);
            out.push(told);
        }
        out.extend(
            self.told_by_batch
                .take_all()
                .into_iter()
                .map(Command::BatchNews),
        );
        self.poll_session(&mut out);
        self.poll_player(&mut out);
        self.poll_camera(&mut out);
        self.poll_stills(&mut out);
        out
    }
}

/// Finds the recording and opens it; `Ok(Err(..))` where somebody has to say where it is.
fn opened(wanted: &Wanted) -> anyhow::Result<Result<Box<Ready>, Missing>> {
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
fn ready(input: &str, project: Option<PathBuf>, wanted: &Wanted) -> anyhow::Result<Ready> {
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
    let kept = if wanted.anew || wanted.known.is_some() {
        None
    } else {
        match opening::kept_of(&info, project.as_deref()) {
            Ok(kept) => kept,
            Err(why) => {
                said.push(why);
                None
            }
        }
    };
    let shown = match kept {
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
    })
}

/// Where what the window shows comes from.
struct Shown {
    session: SessionHandle,
    params: Params,
    device: String,
    unit_thresholds: BTreeMap<ActionUnit, f64>,
    second_look: Vec<String>,
    earlier: Option<Earlier>,
}

impl Shown {
    fn analysed(
        source: Box<dyn FrameSource>,
        params: Params,
        wanted: &Wanted,
    ) -> anyhow::Result<Self> {
        let resources = resources(&params, wanted.gpu.clone())?;
        let flow = resources.sides.card.as_ref();
        let flow = flow.map_or_else(|| "CPU".to_owned(), GpuContext::name);
        let device = if params.has_network() {
            format!("{flow}, networks on {}", resources.sides.network.name())
        } else {
            flow
        };
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
    fn kept(info: SourceInfo, kept: KeptAnalysis, chosen: &Params) -> Self {
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
fn with_readable_second_look(params: &Params) -> (Params, Vec<Notice>) {
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
