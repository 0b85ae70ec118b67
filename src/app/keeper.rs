//! The thread "project": it alone has the project file. What is said of a recording is
//! written there at once; what fails stays pending and goes with the next change.

use std::path::{Path, PathBuf};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::coding::Change;
use super::command::Command;
use super::project::{Kept, ProjectNews};
use super::saving::documents;
use super::wake::Wake;
use crate::base::{Mailbox, Notice};
use crate::media::SourceInfo;
use crate::project::file::{Action, ENDING, ProjectError, ProjectFile, Source, SourceKind};

/// So many names are tried beside a recording: `a.onset`, `a-2.onset`, …
const NAMES: usize = 99;

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
}

/// The window's handle on the thread; dropping it waits for what is still to be written.
pub struct Keeper {
    orders: Mailbox<Order>,
    bell: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
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
        let thread = Builder::new().name("project".into()).spawn(move || {
            let mut desk = Desk {
                told,
                wake,
                open: None,
            };
            desk.work(&inbox, &knocks);
        })?;
        Ok(Self {
            orders,
            bell: Some(bell),
            thread: Some(thread),
        })
    }

    fn order(&self, order: Order) {
        self.orders.post([order]);
        if let Some(bell) = &self.bell {
            // A full bell has been rung already.
            let _ = bell.try_send(());
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
    file: Option<ProjectFile>,
    /// Where it is, or will be made.
    path: PathBuf,
    /// Why nothing can be written there at all.
    unusable: Option<String>,
    /// Not on the disk yet, oldest first.
    pending: Vec<Action>,
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
                self.carry_out(order);
            }
            if closing {
                return;
            }
        }
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
                open.pending.extend(changes.into_iter().filter_map(action));
                let kept = match open.write(&coder) {
                    Ok(()) => Kept::Saved {
                        path: open.path.clone(),
                        count,
                    },
                    Err(why) => Kept::Failed(why),
                };
                self.tell([Command::Kept { generation, kept }]);
            }
        }
    }

    fn begin(&mut self, generation: u64, info: SourceInfo, project: Option<PathBuf>) {
        // Closed first: it may be the same project.
        self.open = None;
        let sought = match project {
            Some(path) => ProjectFile::open(&path).map(|file| (path, Some(file))),
            None => find(&info),
        };
        let mut open = Open {
            generation,
            info,
            file: None,
            path: PathBuf::new(),
            unusable: None,
            pending: Vec::new(),
        };
        let read = sought.and_then(|(path, file)| {
            open.path = path;
            let annotations = file.as_ref().map(ProjectFile::annotations).transpose()?;
            if let (Some(file), Some(place)) = (&file, &open.info.path)
                && let Some(source) = file.source()?
                && source.path.as_ref() != Some(place)
            {
                log::info!("the project's recording lies at {}", place.display());
            }
            open.file = file;
            if let (Some(file), Some(place)) = (open.file.as_mut(), &open.info.path) {
                // Where it is now; a project without a recording gets it with a change.
                if file.source()?.is_some() {
                    file.confirm_source(place)?;
                }
            }
            Ok(annotations.unwrap_or_default())
        });
        match read {
            Ok(annotations) => {
                let news = Box::new(ProjectNews {
                    path: open.path.clone(),
                    annotations,
                });
                self.tell([Command::Project { generation, news }]);
            }
            Err(e) => {
                let why = e.to_string();
                open.unusable = Some(why.clone());
                self.tell([Command::Say(Notice::error(format!(
                    "What you say of this recording cannot be kept in its project. {why}"
                )))]);
            }
        }
        self.open = Some(open);
    }
}

impl Open {
    /// Everything that is pending, in one go.
    fn write(&mut self, coder: &str) -> Result<(), String> {
        if let Some(why) = &self.unusable {
            return Err(why.clone());
        }
        if self.file.is_none() {
            let (path, file) = self.make().map_err(|e| e.to_string())?;
            (self.path, self.file) = (path, Some(file));
        }
        let Some(file) = self.file.as_mut() else {
            return Ok(());
        };
        file.sign_as(coder);
        file.act(&self.pending).map_err(|e| e.to_string())?;
        self.pending.clear();
        Ok(())
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
        let mut file = ProjectFile::create(path)?;
        if let Some(source) = source_of(&self.info) {
            file.set_source(&source)?;
        }
        Ok(file)
    }
}

fn action(change: Change) -> Option<Action> {
    match (change.after, change.before) {
        (Some(after), _) => Some(Action::Put(after)),
        (None, Some(before)) => Some(Action::Remove(before.id)),
        (None, None) => None,
    }
}

/// As the project names its recording; `None` where it cannot be read any more.
fn source_of(info: &SourceInfo) -> Option<Source> {
    let Some(path) = &info.path else {
        return Some(Source {
            kind: SourceKind::Camera,
            name: info.name.clone(),
            path: None,
            relative_path: None,
            size_bytes: 0,
            hash: String::new(),
            frame_count: None,
            nominal_fps: info.nominal_fps,
            first_ns: None,
            last_ns: None,
        });
    };
    let kind = if path.is_dir() {
        SourceKind::ImageFolder
    } else {
        SourceKind::Video
    };
    let source = Source::of(path, kind).ok()?;
    Some(Source {
        frame_count: info.frame_count,
        nominal_fps: info.nominal_fps,
        last_ns: info.duration.map(|d| d.nanos()),
        ..source
    })
}

/// The project that lies beside a recording and is about it, or where a new one goes.
fn find(info: &SourceInfo) -> Result<(PathBuf, Option<ProjectFile>), ProjectError> {
    let Some(path) = &info.path else {
        let folder = documents().unwrap_or_else(std::env::temp_dir);
        let name = format!("{}.{ENDING}", plain(&info.name));
        let place = free(&folder, Path::new(&name)).unwrap_or_else(|| folder.join(&name));
        return Ok((place, None));
    };
    let beside = path.parent().unwrap_or(Path::new("."));
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    let name = format!("{}.{ENDING}", stem.to_string_lossy());
    let own = source_of(info);
    let mut place = None;
    for folder in [Some(beside.to_path_buf()), documents()]
        .into_iter()
        .flatten()
    {
        for candidate in names(&folder, Path::new(&name)) {
            if !candidate.exists() {
                place.get_or_insert(candidate);
                break;
            }
            // Of another recording, or no project at all: the next name.
            let about = ProjectFile::open_read_only(&candidate)
                .and_then(|file| file.source())
                .ok()
                .flatten();
            let same = about.zip(own.as_ref());
            if same.is_some_and(|(theirs, own)| theirs.is_that_of(own)) {
                return Ok((candidate.clone(), Some(ProjectFile::open(&candidate)?)));
            }
        }
    }
    Ok((place.unwrap_or_else(|| beside.join(&name)), None))
}

/// `a.onset`, `a-2.onset`, `a-3.onset`, …
fn names(folder: &Path, name: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let (folder, stem) = (folder.to_path_buf(), stem.into_owned());
    (1..=NAMES).map(move |number| match number {
        1 => folder.join(format!("{stem}.{ENDING}")),
        number => folder.join(format!("{stem}-{number}.{ENDING}")),
    })
}

fn free(folder: &Path, name: &Path) -> Option<PathBuf> {
    names(folder, name).find(|path| !path.exists())
}

/// A camera's name as a file may be called.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() { c } else { ' ' };
    let words: String = name.chars().map(kept).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        "camera".to_owned()
    } else {
        words.join(" ")
    }
}
