//! The machinery behind the real window: one session that analyses, one player
//! that shows, one worker that draws the views. Files are opened on a thread, so
//! that a slow disk or a busy camera never holds the window up.

mod camera;
mod orders;
mod polling;
mod ready;
mod shown;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;

use super::backend::CameraEntry;
use super::command::Command;
use super::keeper::Keeper;
use super::missing::Missing;
use super::wake::Wake;
use crate::base::{Mailbox, Notice};
use crate::gpu::GpuContext;
use crate::media::{Frame, InputSpec, Stills};
use crate::project::unattended::{News, Worker};
use crate::session::views::ViewsWorker;
use crate::session::{Params, SessionStatus};

use ready::{Ready, Wanted, opened};

/// Frames of a camera are kept so long after the last request for views: half a
/// second unless it asked for more.
const RECENT_SECS: f64 = 0.5;

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

/// See [`Backend`](super::backend::Backend).
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
    /// The frame behind the stated length that was told to be decoded.
    decoded: Option<u64>,
    /// `None` where the system refuses another thread.
    keeper: Option<Keeper>,
    told_by_project: Mailbox<Command>,
    /// Said at the next poll.
    told_by_camera: Vec<Command>,
    /// `None` where the system refuses another thread.
    batch: Option<Worker>,
    told_by_batch: Mailbox<News>,
    /// Where the queue has put results.
    outs: BTreeSet<PathBuf>,
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
            outs: BTreeSet::new(),
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
            decoded: None,
            at_first,
        }
    }

    fn ticket(&self) -> u64 {
        self.ticket.load(Ordering::Relaxed)
    }

    /// What fetches still pictures of the open recording.
    fn still_pictures(&self) -> Option<&Stills> {
        self.open.as_ref()?.stills.as_ref()
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

    fn begin(&mut self, input: &str, params: &Params, (place, anew): (Option<PathBuf>, bool)) {
        self.ticket.fetch_add(1, Ordering::Relaxed);
        // What is open stays until the next one is there, which may never be; but a camera
        // is let go for a camera: it may be the one that is asked for.
        self.back = None;
        let camera = InputSpec::parse(input, None).is_ok_and(|spec| spec.is_camera());
        if camera && self.open.as_ref().is_some_and(|o| o.session.info.live) {
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
            outs: self.outs.iter().cloned().collect(),
            anew,
        };
        self.apart("open", move || match opened(&wanted) {
            Ok(Ok(ready)) => Arrival::Opened(ticket, ready),
            Ok(Err(missing)) => Arrival::Missing(ticket, missing),
            Err(e) => Arrival::Failed(ticket, wanted.input, format!("{e:#}")),
        });
    }
}

impl Drop for Live {
    /// Nobody waits for a lost camera any more.
    fn drop(&mut self) {
        self.ticket.fetch_add(1, Ordering::Relaxed);
    }
}
