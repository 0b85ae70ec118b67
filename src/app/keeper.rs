//! The thread "project": it alone has the project file. What is said of a recording is
//! written there at once; what fails stays pending and goes with the next change.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::beside::{find, free, source_of};
use super::coding::Change;
use super::command::Command;
use super::project::{Joined, Kept, ProjectNews};
use super::saving::documents;
use super::wake::Wake;
use crate::base::{Mailbox, Notice};
use crate::media::SourceInfo;
use crate::media::worker::panic_text;
use crate::project::file::{Action, Merged, PassNews, PassStep, ProjectError, ProjectFile};
use crate::project::kept::{self, KeptAnalysis};
use crate::timeline::Annotation;

enum Order {
    Begin {
        generation: u64,
        info: Box<SourceInfo>,
        project: Option<PathBuf>,
    },
    Keep {
        changes: Vec<Change>,
        count: u64,
        coder: String,
    },
    Analysis(Box<KeptAnalysis>),
    BlindPass(PassNews),
    Merge {
        other: PathBuf,
        coder: String,
    },
}

/// The window's handle on the thread; dropping it waits for what is still to be written.
pub struct Keeper {
    orders: Mailbox<Order>,
    bell: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    told: Mailbox<Command>,
    wake: Wake,
    /// The thread has ended, and that was said.
    lost: AtomicBool,
}

impl Keeper {
    /// What becomes of orders is told in `told`.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(told: Mailbox<Command>, wake: Wake) -> std::io::Result<Self> {
        let orders: Mailbox<Order> = Mailbox::default();
        // One knock is enough: a turn takes all orders.
        let (bell, knocks) = bounded(1);
        let inbox = orders.clone();
        let (tell, knock) = (told.clone(), wake.clone());
        let thread = Builder::new().name("project".into()).spawn(move || {
            let mut desk = Desk {
                told: tell,
                wake: knock,
                open: None,
            };
            desk.work(&inbox, &knocks);
        })?;
        Ok(Self {
            orders,
            bell: Some(bell),
            thread: Some(thread),
            told,
            wake,
            lost: AtomicBool::new(false),
        })
    }

    fn order(&self, order: Order) {
        self.orders.post([order]);
        let rung = self.bell.as_ref().map(|bell| bell.try_send(()));
        // A full bell has been rung already.
        let ended = matches!(rung, Some(Err(TrySendError::Disconnected(()))));
        if ended && !self.lost.swap(true, Ordering::Relaxed) {
            self.told.post([Command::Say(Notice::error(
                "What you say is not kept any more: the thread that writes the project has \
                 ended. “Save” writes a copy of all of it; then start Onset again.",
            ))]);
            self.wake.wake();
        }
    }

    /// A recording was opened, from a project file where `project` says so.
    pub fn begin(&self, generation: u64, info: &SourceInfo, project: Option<PathBuf>) {
        self.order(Order::Begin {
            generation,
            info: Box::new(info.clone()),
            project,
        });
    }

    /// The `count`th change of the session, made by `coder`.
    pub fn keep(&self, changes: Vec<Change>, count: u64, coder: &str) {
        self.order(Order::Keep {
            changes,
            count,
            coder: coder.to_owned(),
        });
    }
}

impl Keeper {
    /// The recording was analysed to its end: kept at once where the project is there,
    /// else with the first change.
    pub fn analysed(&self, analysis: KeptAnalysis) {
        self.order(Order::Analysis(Box::new(analysis)));
    }

    /// A step of a coder's blind pass of the recording: kept as [`Keeper::analysed`] keeps.
    /// That one is left with its recording need not be told.
    pub fn blind_pass(&self, coder: &str, step: PassStep) {
        self.order(Order::BlindPass(PassNews::now(coder, step)));
    }

    /// Takes over what another project says of the recording.
    pub fn merge(&self, other: PathBuf, coder: &str) {
        self.order(Order::Merge {
            other,
            coder: coder.to_owned(),
        });
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that keeps the project has panicked");
        }
    }
}

/// The project of the open recording.
struct Open {
    generation: u64,
    info: SourceInfo,
    /// The project that was opened; `None` where the recording was.
    wanted: Option<PathBuf>,
    file: Option<ProjectFile>,
    /// Where it is, or will be made.
    path: PathBuf,
    /// Why nothing can be written there at all.
    unusable: Option<String>,
    /// Not on the disk yet, oldest first.
    pending: Vec<Action>,
    /// Whose they are.
    coder: String,
    /// Not on the disk yet either: it waits for the file, or for space.
    analysis: Option<Box<KeptAnalysis>>,
    /// Steps of blind passes that wait for the same, the oldest first.
    passes: Vec<PassNews>,
    /// Whose blind pass runs.
    codes_blind: Option<String>,
}

struct Desk {
    told: Mailbox<Command>,
    wake: Wake,
    open: Option<Open>,
}

impl Desk {
    fn work(&mut self, inbox: &Mailbox<Order>, knocks: &Receiver<()>) {
        loop {
            let closing = knocks.recv().is_err();
            for order in inbox.take_all() {
                let begins = matches!(order, Order::Begin { .. });
                let done = catch_unwind(AssertUnwindSafe(|| self.carry_out(order)));
                if let Err(panic) = done {
                    self.broke_off(begins, panic_text(panic.as_ref()));
                }
            }
            if closing {
                self.last_try();
                return;
            }
        }
    }

    /// What is pending is tried once more before its recording goes.
    fn last_try(&mut self) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        if let Some(coder) = open.codes_blind.take() {
            open.passes.push(PassNews::now(&coder, PassStep::Left));
        }
        if !open.pending.is_empty()
            && let Err(why) = open.write()
        {
            log::error!("the last changes are not in the project: {why}");
        }
        if let Err(why) = open.write_passes() {
            log::error!("a blind pass is not in the project: {why}");
        }
        if let Err(why) = open.write_analysis() {
            log::error!("the analysis is not in the project: {why}");
        }
    }

    /// One order was not carried out; the next one is tried all the same.
    fn broke_off(&mut self, at_the_beginning: bool, panic: &str) {
        if at_the_beginning {
            // What is said of this recording must not go into the project before.
            self.open = None;
        }
        let why = format!(
            "The project could not be written because of an internal error ({panic}). “Save” \
             writes a copy of what you said; then open the recording again."
        );
        let said = match &self.open {
            Some(open) => Command::Kept {
                generation: open.generation,
                kept: Kept::Failed(why),
            },
            None => Command::Say(Notice::error(why)),
        };
        self.tell([said]);
    }

    fn tell(&self, commands: impl IntoIterator<Item = Command>) {
        self.told.post(commands);
        self.wake.wake();
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Begin {
                generation,
                info,
                project,
            } => self.begin(generation, *info, project),
            Order::Keep {
                changes,
                count,
                coder,
            } => {
                let Some(open) = self.open.as_mut() else {
                    return;
                };
                let generation = open.generation;
                open.coder = coder;
                open.pending.extend(changes.into_iter().filter_map(action));
                let mut said = Vec::new();
                // Another window has closed it, or space was made.
                if open.unusable.is_some() {
                    said.extend(open.connect().ok().map(|annotations| {
                        let news = Box::new(ProjectNews {
                            path: open.path.clone(),
                            there: open.file.is_some(),
                            annotations,
                        });
                        Command::Project { generation, news }
                    }));
                }
                let kept = match open.write() {
                    Ok(()) => Kept::Saved {
                        path: open.path.clone(),
                        count,
                    },
                    Err(why) => Kept::Failed(why),
                };
                said.push(Command::Kept { generation, kept });
                self.tell(said);
                self.keep_analysis();
            }
            Order::Analysis(analysis) => {
                if let Some(open) = self.open.as_mut() {
                    open.analysis = Some(analysis);
                    self.keep_analysis();
                }
            }
            Order::BlindPass(news) => self.blind_pass(news),
            Order::Merge { other, coder } => self.merge(&other, coder),
        }
    }

    /// Tells where it could not be kept; nothing where it is, or still waits for a project.
    fn blind_pass(&mut self, news: PassNews) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        if let Err(why) = open.blind_pass(news) {
            let kept = Kept::Failed(why);
            self.tell([Command::Kept { generation, kept }]);
        }
    }

    /// Tells how it fared; nothing where it still waits for a project.
    fn keep_analysis(&mut self) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        let said = match open.write_analysis() {
            Ok(false) => return,
            Ok(true) => Command::Kept {
                generation,
                kept: Kept::Analysis,
            },
            Err(why) => Command::Say(Notice::warning(why)),
        };
        self.tell([said]);
    }

    fn merge(&mut self, other: &Path, coder: String) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        open.coder = coder;
        let said = match open.merge(other) {
            Ok((merged, changes)) => vec![
                Command::Kept {
                    generation,
                    kept: Kept::Made {
                        path: open.path.clone(),
                    },
                },
                Command::Merged {
                    generation,
                    joined: Box::new(Joined {
                        from: other.to_path_buf(),
                        merged,
                        changes,
                    }),
                },
            ],
            Err(why) => {
                let made = open.file.is_some().then(|| Command::Kept {
                    generation,
                    kept: Kept::Made {
                        path: open.path.clone(),
                    },
                });
                let said = Command::Say(Notice::error(why));
                made.into_iter().chain([said]).collect()
            }
        };
        self.tell(said);
        self.keep_analysis();
    }

    fn begin(&mut self, generation: u64, info: SourceInfo, project: Option<PathBuf>) {
        self.last_try();
        // Closed first: it may be the same project. What it could not take goes on with
        // the same recording; of another one the window has written a table.
        let before = self.open.take();
        let (mut pending, mut passes) = (Vec::new(), Vec::new());
        let mut coder = String::new();
        if let Some(before) = before
            && before.info.path.is_some()
            && before.info.path == info.path
        {
            (pending, passes, coder) = (before.pending, before.passes, before.coder);
        }
        let mut open = Open {
            generation,
            info,
            wanted: project,
            file: None,
            path: PathBuf::new(),
            unusable: None,
            pending,
            coder,
            analysis: None,
            passes,
            codes_blind: None,
        };
        let said = match open.connect() {
            Ok(annotations) => Command::Project {
                generation,
                news: Box::new(ProjectNews {
                    path: open.path.clone(),
                    there: open.file.is_some(),
                    annotations,
                }),
            },
            Err(why) => Command::Say(Notice::error(format!(
                "What you say of this recording cannot be kept in its project now. {why}"
            ))),
        };
        self.tell([said]);
        self.open = Some(open);
    }
}

impl Open {
    /// Opens the project, or finds out where a new one is to be made.
    ///
    /// # Errors
    /// A sentence; until it succeeds nothing can be written.
    fn connect(&mut self) -> Result<Vec<Annotation>, String> {
        let connected = self.try_to_connect();
        self.unusable = connected.as_ref().err().map(ToString::to_string);
        connected.map_err(|e| e.to_string())
    }

    fn try_to_connect(&mut self) -> Result<Vec<Annotation>, ProjectError> {
        let (path, mut file) = match &self.wanted {
            Some(path) => (path.clone(), Some(ProjectFile::open(path)?)),
            None => {
                let (path, there) = find(&self.info)?;
                let file = there.then(|| ProjectFile::open(&path)).transpose()?;
                (path, file)
            }
        };
        let mut annotations = Vec::new();
        if let Some(file) = &mut file {
            annotations = file.annotations()?;
            // Where the recording lies now; a project without one gets it with a change.
            if let Some(place) = &self.info.path
                && file.source()?.is_some()
            {
                file.confirm_source(place)?;
            }
        }
        (self.path, self.file) = (path, file);
        Ok(annotations)
    }

    /// Everything that is pending.
    fn write(&mut self) -> Result<(), String> {
        if let Some(why) = &self.unusable {
            return Err(why.clone());
        }
        self.be_there()?;
        // What was said is kept whatever becomes of these.
        let passes = self.write_passes();
        self.write_changes()?;
        passes
    }

    /// All changes in one go; of an action that the file refuses it is said, and the others
    /// are kept.
    fn write_changes(&mut self) -> Result<(), String> {
        let Some(file) = self.file.as_mut() else {
            return Ok(());
        };
        file.sign_as(&self.coder);
        let done = file.act(&self.pending);
        if let Err(ProjectError::Refused { .. }) = &done {
            let mut refused = None;
            for action in std::mem::take(&mut self.pending) {
                match file.act(std::slice::from_ref(&action)) {
                    Err(e @ ProjectError::Refused { .. }) => refused = Some(e.to_string()),
                    Err(e) => {
                        self.pending.push(action);
                        refused = Some(e.to_string());
                    }
                    Ok(_) => {}
                }
            }
            return refused.map_or(Ok(()), Err);
        }
        done.map_err(|e| e.to_string())?;
        self.pending.clear();
        Ok(())
    }

    /// Makes the project where there is none yet.
    fn be_there(&mut self) -> Result<(), String> {
        if self.file.is_none() {
            let (path, file) = self.make().map_err(|e| e.to_string())?;
            (self.path, self.file) = (path, Some(file));
        }
        Ok(())
    }

    /// A step is kept at once where the project is there, else with the first change.
    fn blind_pass(&mut self, news: PassNews) -> Result<(), String> {
        match news.step {
            PassStep::Begun => {
                let before = self.codes_blind.replace(news.coder.clone());
                // Somebody else sits down at the same recording.
                let left = before.filter(|before| *before != news.coder);
                let at_ms = news.at_ms;
                let left = left.map(|coder| PassNews {
                    coder,
                    step: PassStep::Left,
                    at_ms,
                });
                self.passes.extend(left);
            }
            PassStep::Left | PassStep::Ended => self.codes_blind = None,
            PassStep::Named => {
                let nameless = self.codes_blind.as_mut().filter(|coder| coder.is_empty());
                if let Some(coder) = nameless {
                    coder.clone_from(&news.coder);
                }
            }
        }
        self.passes.push(news);
        self.write_passes()
    }

    /// All that is known of blind passes, in one go.
    fn write_passes(&mut self) -> Result<(), String> {
        let Some(file) = self.file.as_mut() else {
            return Ok(());
        };
        (file.tell_of_blind_passes(&self.passes)).map_err(|e| e.to_string())?;
        self.passes.clear();
        Ok(())
    }

    /// Whether the analysis that waited is in the file now.
    fn write_analysis(&mut self) -> Result<bool, String> {
        let Some(file) = self.file.as_mut() else {
            return Ok(false);
        };
        let Some(analysis) = self.analysis.take() else {
            return Ok(false);
        };
        match kept::save(file, &analysis) {
            Ok(()) => Ok(true),
            // Another try would fare no better.
            Err(e @ ProjectError::Refused { .. }) => Err(e.to_string()),
            Err(e) => {
                self.analysis = Some(analysis);
                Err(format!("The analysis is not kept yet. {e}"))
            }
        }
    }

    /// What came with the other project, and which annotations are others now.
    fn merge(&mut self, other: &Path) -> Result<(Merged, Vec<Change>), String> {
        let said = |e: ProjectError| e.to_string();
        if self.file.is_none() {
            // No project is made for one that cannot be added.
            ProjectFile::check_joins(other, source_of(&self.info).as_ref()).map_err(said)?;
        }
        // What is pending goes in first, so that the other's is compared with it.
        self.write()?;
        let Some(file) = self.file.as_mut() else {
            return Err("There is no project to add to.".to_owned());
        };
        let before = file.annotations().map_err(said)?;
        let merged = file.merge(other).map_err(said)?;
        let after = file.annotations().map_err(said)?;
        let changes = after.into_iter().map(|after| Change {
            before: before.iter().find(|b| b.id == after.id).cloned(),
            after: Some(after),
        });
        let changes = changes.filter(|c| c.before != c.after).collect();
        Ok((merged, changes))
    }

    /// A new project where it is to be, or in the person's documents where the
    /// recording's own folder takes no file.
    fn make(&self) -> Result<(PathBuf, ProjectFile), ProjectError> {
        let made = self.make_at(&self.path);
        let (Err(first), Some(folder)) = (&made, documents()) else {
            return made.map(|file| (self.path.clone(), file));
        };
        log::warn!("{first}");
        let name = self.path.file_name().unwrap_or_default();
        let elsewhere = free(&folder, Path::new(name)).unwrap_or_else(|| self.path.clone());
        match self.make_at(&elsewhere) {
            Ok(file) => Ok((elsewhere, file)),
            // What stands in the way beside the recording is what can be mended.
            Err(_) => made.map(|file| (self.path.clone(), file)),
        }
    }

    fn make_at(&self, path: &Path) -> Result<ProjectFile, ProjectError> {
        // Killed in between, a project without its source would be nobody's.
        match source_of(&self.info) {
            Some(source) => ProjectFile::create_about(path, &source),
            None => ProjectFile::create(path),
        }
    }
}

fn action(change: Change) -> Option<Action> {
    match (change.after, change.before) {
        (Some(after), _) => Some(Action::Put(after)),
        (None, Some(before)) => Some(Action::Remove(before.id)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
