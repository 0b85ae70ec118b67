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
use crate::timeline::Annotation;

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
                self.last_try();
                return;
            }
        }
    }

    /// What is pending is tried once more before its recording goes.
    fn last_try(&mut self) {
        if let Some(open) = self.open.as_mut()
            && !open.pending.is_empty()
            && let Err(why) = open.write()
        {
            log::error!("the last changes are not in the project: {why}");
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
            }
        }
    }

    fn begin(&mut self, generation: u64, info: SourceInfo, project: Option<PathBuf>) {
        self.last_try();
        // Closed first: it may be the same project. What it could not take goes on with
        // the same recording; of another one the window has written a table.
        let before = self.open.take();
        let mut pending = Vec::new();
        let mut coder = String::new();
        if let Some(before) = before
            && before.info.path.is_some()
            && before.info.path == info.path
        {
            (pending, coder) = (before.pending, before.coder);
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
            None => find(&self.info)?,
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

    /// Everything that is pending, in one go; of an action that the file refuses it is
    /// said, and the others are kept.
    fn write(&mut self) -> Result<(), String> {
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
            let about = match ProjectFile::open_read_only(&candidate) {
                Ok(file) => file.source()?,
                // Something else that is called so: the next name.
                Err(ProjectError::NotAProject { .. }) => continue,
                // Locked, damaged or newer: it may well be this recording's, and a second
                // project beside it would never be found again.
                Err(e) => return Err(e),
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::spotting::ExpressionKind;
    use crate::timeline::AnnotationId;

    fn info(path: &Path) -> SourceInfo {
        SourceInfo {
            name: "clip.mp4".into(),
            path: Some(path.to_path_buf()),
            width: 4,
            height: 4,
            nominal_fps: Some(25.0),
            frame_count: Some(100),
            exact_frame_count: true,
            duration: Some(Timestamp::from_secs(4.0)),
            live: false,
        }
    }

    fn made(id: u128) -> Change {
        let kind = ExpressionKind::Micro;
        let after = Annotation::found(AnnotationId(id), "Ada", kind, (10, 20));
        Change {
            before: None,
            after: Some(after),
        }
    }

    fn desk() -> Desk {
        Desk {
            told: Mailbox::default(),
            wake: Wake::new(
                egui::Context::default(),
                &crate::app::backend::Machine::default(),
            ),
            open: None,
        }
    }

    fn keep(desk: &mut Desk, id: u128) -> Kept {
        desk.carry_out(Order::Keep {
            changes: vec![made(id)],
            count: 1,
            coder: "Ada".into(),
        });
        let told = desk.told.take_all().into_iter();
        let kept = told.filter_map(|command| match command {
            Command::Kept { kept, .. } => Some(kept),
            _ => None,
        });
        kept.last().expect("how it fared is told")
    }

    fn news(desk: &Desk) -> Vec<Command> {
        desk.told.take_all()
    }

    #[test]
    fn a_project_is_made_beside_the_recording_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.mp4");
        std::fs::write(&clip, b"a film").unwrap();
        let mut first = desk();
        first.begin(1, info(&clip), None);
        let project = folder.path().join("clip.onset");
        assert!(!project.exists());
        let saved = Kept::Saved {
            path: project.clone(),
            count: 1,
        };
        assert_eq!(keep(&mut first, 7), saved);
        drop(first);
        let mut again = desk();
        again.begin(2, info(&clip), None);
        let told = news(&again);
        assert!(
            matches!(&told[0], Command::Project { news, .. } if news.there && news.annotations.len() == 1),
            "{told:?}"
        );
        // Another recording of that name has a project of its own.
        std::fs::write(&clip, b"another film").unwrap();
        again.begin(3, info(&clip), None);
        assert!(
            matches!(keep(&mut again, 8), Kept::Saved { path, .. } if path.ends_with("clip-2.onset"))
        );
    }

    #[test]
    fn while_another_window_has_the_project_changes_wait_and_then_all_go_in() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.mp4");
        std::fs::write(&clip, b"a film").unwrap();
        let mut other = desk();
        other.begin(1, info(&clip), None);
        keep(&mut other, 1);
        let mut here = desk();
        here.begin(2, info(&clip), None);
        assert!(matches!(keep(&mut here, 2), Kept::Failed(why) if why.contains("another window")));
        assert!(!folder.path().join("clip-2.onset").exists());
        drop(other);
        assert!(matches!(keep(&mut here, 3), Kept::Saved { .. }));
        drop(here);
        let file = ProjectFile::open_read_only(&folder.path().join("clip.onset")).unwrap();
        assert_eq!(file.annotations().unwrap().len(), 3);
    }
}
