//! The queue's two threads: "batch" analyses one recording at a time, "batch look" opens
//! the others for a moment to know how long they are. Both do what the newest [`Plan`]
//! wants, whether anybody watches or not.

mod desk;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use desk::{Desk, Errand};

use super::{Finished, Job, Look, News, NotDone, Outcome, Plan, Run, analyse_into, gather};
use crate::base::Notice;
use crate::gpu::GpuContext;
use crate::media::{self, InputPlace, InputSpec};
use crate::project::output::{OutputError, check_writable};
use crate::project::result_folder::{Existing, Identity, Place, on_the_side_of, place};
use crate::session::pipeline::Pipeline;
use crate::session::whole::{Next, Told, WholeError};
use crate::session::{Params, Resources};
use crate::spotting::ExpressionKind;

/// Progress is told so often.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// The queue. Dropping it stops the analysis at hand, and waits where that is decoded or
/// written already, so that what is finished is whole.
pub struct Worker(Arc<Shared>);

struct Shared {
    desk: Mutex<Desk>,
    bell: Condvar,
    tell: Box<dyn Fn(News) + Send + Sync>,
}

impl Worker {
    /// Results are told by `tell`, from either thread. An analysis on a graphics card
    /// uses `gpu`; without, it opens a device for itself.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        gpu: Option<GpuContext>,
        tell: impl Fn(News) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            desk: Mutex::default(),
            bell: Condvar::new(),
            tell: Box::new(tell),
        });
        let worker = Self(Arc::clone(&shared));
        let looking = Arc::clone(&shared);
        Builder::new()
            .name("batch look".into())
            .spawn(move || looking.run_errands())?;
        Builder::new()
            .name("batch".into())
            .spawn(move || shared.analyse_all(gpu.as_ref()))?;
        Ok(worker)
    }

    /// In place of the plan before.
    pub fn plan(&self, plan: Plan) {
        self.0.desk().take_plan(plan);
        self.0.bell.notify_all();
    }

    /// Files, and folders to look into.
    pub fn find(&self, paths: Vec<PathBuf>) {
        self.0.desk().to_gather.push_back(paths);
        self.0.bell.notify_all();
    }

    /// Whether the processor is being used: something is analysed, and not held.
    #[must_use]
    pub fn busy(&self) -> bool {
        let desk = self.0.desk();
        desk.at_work && desk.plan.running
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let mut desk = self.0.desk();
        desk.closing = true;
        self.0.bell.notify_all();
        while desk.filing {
            desk = self.0.wait(desk);
        }
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
        self.bell.wait(desk).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for what `next` finds; `None` when the queue closes.
    fn await_next<T>(&self, mut next: impl FnMut(&mut Desk) -> Option<T>) -> Option<T> {
        let mut desk = self.desk();
        while !desk.closing {
            if let Some(found) = next(&mut desk) {
                return Some(found);
            }
            desk = self.wait(desk);
        }
        None
    }

    fn run_errands(&self) {
        while let Some(errand) = self.await_next(Desk::next_errand) {
            (self.tell)(match errand {
                Errand::Gather(paths) => {
                    let (recordings, said) = gather(&paths);
                    News::Found { recordings, said }
                }
                Errand::Look(job, fps) => News::Looked {
                    ticket: job.ticket,
                    look: guarded(|| look(&job, fps)),
                },
            });
        }
    }

    fn analyse_all(&self, gpu: Option<&GpuContext>) {
        let mut loaded = None;
        let take = |desk: &mut Desk| {
            let next = desk.next_job();
            desk.at_work = next.is_some();
            next
        };
        while let Some((job, params)) = self.await_next(take) {
            let ticket = job.ticket;
            (self.tell)(News::Began { ticket });
            let one = guarded(|| self.analyse_one(&job, &params, gpu, &mut loaded));
            let outcome = one.unwrap_or_else(Outcome::Failed);
            let mut desk = self.desk();
            desk.ended.insert(ticket);
            (desk.at_work, desk.filing) = (false, false);
            drop(desk);
            self.bell.notify_all();
            (self.tell)(News::Ended { ticket, outcome });
        }
    }

    fn analyse_one(
        &self,
        job: &Job,
        params: &Params,
        gpu: Option<&GpuContext>,
        loaded: &mut Option<(Params, Resources)>,
    ) -> Result<Outcome, String> {
        let ticket = job.ticket;
        let spec = spec(job, params.fps);
        let source = media::open(&spec).map_err(in_words)?;
        check_writable(&job.out).map_err(|e| not_written(&e))?;
        let identity = Identity::of(&spec);
        let folder = match place(&job.out, &spec.stem(), &identity, job.existing) {
            Place::Free(folder) => folder,
            Place::Taken(folder) => return Ok(Outcome::Taken(folder)),
        };
        let pipeline = {
            let resources = loaded_for(&on_the_side_of(&job.out, params), gpu, loaded)?;
            Pipeline::new(params, resources).map_err(in_words)?
        };
        let run = Run {
            input: &job.input.display().to_string(),
            identity: &identity,
            params,
        };
        let mut watch = Watch::start();
        let done = analyse_into(&folder, source, pipeline, &run, &mut |told| {
            match told {
                Told::Frames { done: frames, .. } => {
                    if let Some(secs) = watch.due() {
                        (self.tell)(News::Progress {
                            ticket,
                            frames,
                            secs,
                        });
                    }
                }
                Told::Notice(notice) => self.say(ticket, notice.clone()),
                Told::AllFrames => (self.tell)(News::Finishing { ticket }),
            }
            let asked = Instant::now();
            let next = self.may_go_on(ticket, told == Told::AllFrames);
            watch.held += asked.elapsed();
            next
        });
        let done = match done {
            Ok(done) => done,
            Err(NotDone::Whole(WholeError::Stopped)) => {
                return Ok(Outcome::Stopped);
            }
            Err(NotDone::Output(e)) => return Err(not_written(&e)),
            Err(e) => return Err(in_words(e)),
        };
        if let Some(kept) = done.filed.judged {
            let kept = kept.display();
            self.say(
                ticket,
                Notice::warning(format!(
                    "It was judged before: those intervals are kept as {kept}"
                )),
            );
        }
        if let Some(why) = done.not_kept {
            self.say(ticket, Notice::warning(why.to_string()));
        }
        let recording = &done.whole.recording;
        let of_kind = |kind| (recording.intervals.iter().filter(|i| i.kind == kind)).count();
        let frames = recording.frames.len() as u64;
        let secs = (done.secs - watch.held.as_secs_f64()).max(0.0);
        let at = folder.display();
        let rate = frames as f64 / secs.max(1e-3);
        self.say(
            ticket,
            Notice::info(format!(
                "{frames} frames in {secs:.1} s, {rate:.1} frames a second. The results are in {at}"
            )),
        );
        Ok(Outcome::Done(Finished {
            frames,
            macros: of_kind(ExpressionKind::Macro),
            micros: of_kind(ExpressionKind::Micro),
            warned: recording.has_warnings(),
            folder,
            secs,
        }))
    }

    fn say(&self, ticket: u64, notice: Notice) {
        (self.tell)(News::Said { ticket, notice });
    }

    /// Holds the analysis while the plan does not run. What is being filed is not stopped
    /// by the end of the program.
    fn may_go_on(&self, ticket: u64, all_frames: bool) -> Next {
        let mut desk = self.desk();
        loop {
            if !desk.wants(ticket) || (desk.closing && !desk.filing) {
                return Next::Stop;
            }
            if desk.plan.running || desk.filing {
                desk.filing |= all_frames;
                return Next::GoOn;
            }
            desk = self.wait(desk);
        }
    }
}

fn loaded_for<'a>(
    params: &Params,
    gpu: Option<&GpuContext>,
    loaded: &'a mut Option<(Params, Resources)>,
) -> Result<&'a Resources, String> {
    let now = match loaded.take() {
        Some((of, resources)) if of == *params => resources,
        _ => Resources::load_on(params, || {
            gpu.cloned().map_or_else(GpuContext::headless, Ok)
        })
        .map_err(in_words)?,
    };
    Ok(&loaded.insert((params.clone(), now)).1)
}

fn spec(job: &Job, fps: Option<f64>) -> InputSpec {
    InputSpec {
        place: InputPlace::Path(job.input.clone()),
        fps,
    }
}

fn look(job: &Job, fps: Option<f64>) -> Result<Look, String> {
    let spec = spec(job, fps);
    let source = media::open(&spec).map_err(in_words)?;
    let info = source.info();
    let stem = spec.stem();
    // Only where a folder of its name lies the recording has to be told from others.
    let in_doubt = job.existing == Existing::Ask && job.out.join(&stem).exists();
    let found = in_doubt.then(|| place(&job.out, &stem, &Identity::of(&spec), Existing::Ask));
    Ok(Look {
        frames: info.frame_count,
        exact: info.exact_frame_count,
        secs: info.duration.map(crate::base::Timestamp::secs),
        there: found.and_then(|place| match place {
            Place::Taken(folder) => Some(folder),
            Place::Free(_) => None,
        }),
    })
}

/// The window has no option `--out`.
fn not_written(error: &OutputError) -> String {
    match error {
        OutputError::Write { path, reason } => format!(
            "Cannot write the results: {reason}. Free space or choose another folder for them: {}",
            path.display()
        ),
        OutputError::NotAFolder { path } => format!(
            "Cannot put results here: this is a file and a folder is needed. Choose another \
             folder for them: {}",
            path.display()
        ),
        OutputError::Plot { .. } => error.to_string(),
    }
}

fn in_words(error: impl std::error::Error) -> String {
    error.to_string()
}

/// A broken recording does not stop the queue, whatever it does to its reader.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(format!(
            "An internal error stopped the analysis ({}). Please report this with the recording.",
            words_of(panic.as_ref())
        ))
    })
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    let literal = panic.downcast_ref::<&str>().copied();
    owned.or(literal).unwrap_or("no reason given")
}

/// How long one analysis takes.
struct Watch {
    started: Instant,
    told: Option<Instant>,
    /// While the queue was paused.
    held: Duration,
}

impl Watch {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            told: None,
            held: Duration::ZERO,
        }
    }

    /// Seconds so far where it is time to tell them.
    fn due(&mut self) -> Option<f64> {
        let now = Instant::now();
        if (self.told).is_some_and(|told| now.duration_since(told) < TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some((now.duration_since(self.started).saturating_sub(self.held)).as_secs_f64())
    }
}
