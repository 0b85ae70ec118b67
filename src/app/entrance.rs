//! How something gets opened: the dialog, the path box, the camera list.

use super::backend::{CameraEntry, PlayerOrder};
use super::batch::BatchCommand;
use super::command::{Command, DialogKind, Effect, Room, Sheet};
use super::missing::Missing;
use super::review::Review;
use super::saving::Saving;
use super::state::AppState;
use crate::base::Notice;
use crate::media::InputSpec;
use crate::project::file::ENDING;
use crate::spotting::ExpressionKind;

/// A file dialog that says nothing for so long is said to be missing.
const DIALOG_SECS: f64 = 20.0;
/// A dialog gone faster than a person can act was never there.
const NO_DIALOG_SECS: f64 = 0.5;

/// The cameras, once asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Cameras {
    #[default]
    NotAsked,
    Asking,
    Found(Vec<CameraEntry>),
    Failed(String),
}

/// How something gets opened.
#[derive(Debug, Clone, Default)]
pub struct Entrance {
    /// The path box.
    pub path: String,
    /// What is being opened right now.
    pub opening: Option<String>,
    /// Why the last attempt failed.
    pub failed: Option<String>,
    /// Since when a file dialog is open, in seconds.
    pub dialog_since: Option<f64>,
    /// The missing answer has been explained.
    dialog_hinted: bool,
    /// Another coder's project was asked for where no dialog can be shown: the next one that
    /// is typed or dropped is added, not opened.
    adds_next: bool,
    pub cameras: Cameras,
    /// Where what is being opened is to be seen, if that was said: until it is there, the
    /// recording before stays where it is.
    pub(super) room: Option<Room>,
    /// The recording of a project that is not found.
    pub missing: Option<Missing>,
}

impl Entrance {
    /// What opens the first camera that can be used now.
    #[must_use]
    pub fn first_camera(&self) -> Option<&str> {
        let Cameras::Found(list) = &self.cameras else {
            return None;
        };
        let usable = list.iter().find(|c| c.trouble.is_none());
        usable.map(|c| c.input.as_str())
    }
}

impl AppState {
    pub(super) fn clock(&mut self, now: f64) -> Vec<Effect> {
        self.now = now;
        if let Some(since) = self.entrance.dialog_since
            && now - since > DIALOG_SECS
            && !self.entrance.dialog_hinted
        {
            self.entrance.dialog_hinted = true;
            self.say(Notice::warning(
                "The file dialog has not answered for 20 seconds. If none is on the screen, type \
                 the path into the box at the top or drop the file on the window.",
            ));
        }
        vec![]
    }

    pub(super) fn enter(&mut self, command: Command) -> Vec<Effect> {
        let entrance = &mut self.entrance;
        match command {
            Command::AskForInput(kind) => {
                if entrance.dialog_since.is_some() {
                    return vec![];
                }
                entrance.dialog_since = Some(self.now);
                entrance.dialog_hinted = false;
                vec![Effect::Dialog(kind), Effect::WakeAfter(DIALOG_SECS + 0.1)]
            }
            Command::DialogClosed(kind, chosen) => {
                let since = entrance.dialog_since.take();
                match (chosen, kind) {
                    (Some(path), DialogKind::Recording | DialogKind::Folder) => {
                        self.settings.last_folder = path.parent().map(std::path::Path::to_path_buf);
                        self.open(path.display().to_string())
                    }
                    (Some(path), DialogKind::QueueFiles | DialogKind::QueueFolders) => {
                        self.batch(BatchCommand::Add(vec![path]))
                    }
                    (Some(path), DialogKind::ResultsFolder) => {
                        self.batch(BatchCommand::ResultsIn(Some(path)))
                    }
                    (Some(path), DialogKind::Annotations) => self.exchange(Command::Import(path)),
                    (Some(path), DialogKind::OtherProject) => self.exchange(Command::Merge(path)),
                    (Some(path), DialogKind::MissingRecording | DialogKind::MissingFolder) => {
                        self.try_place(path)
                    }
                    (Some(path), DialogKind::MacroWeights) => {
                        self.look(Command::Weights(ExpressionKind::Macro, Some(path)))
                    }
                    (Some(path), DialogKind::MicroWeights) => {
                        self.look(Command::Weights(ExpressionKind::Micro, Some(path)))
                    }
                    (Some(path), DialogKind::SecondLookWeights) => {
                        let mut paths = self.settings.params.second_look.clone();
                        paths.push(path);
                        self.look(Command::SecondLookWeights(paths))
                    }
                    (None, kind) => {
                        self.nothing_chosen(since, Some(kind));
                        vec![]
                    }
                }
            }
            Command::SeveralChosen(paths) => {
                let since = entrance.dialog_since.take();
                let Some(first) = paths.first() else {
                    self.nothing_chosen(since, None);
                    return vec![];
                };
                self.settings.last_folder = first.parent().map(std::path::Path::to_path_buf);
                self.batch(BatchCommand::Add(paths))
            }
            Command::EditPath(text) => {
                entrance.path = text;
                vec![]
            }
            Command::Open(input) => self.open(input),
            Command::AnalyseAgain => self.analyse_again(),
            Command::AskWhere(missing) => self.ask_where(missing),
            Command::GiveUp => {
                entrance.missing = None;
                vec![]
            }
            Command::OpenSample => {
                let blind = self.settings.blind;
                self.settings.room = self.settings.room.with_a_recording(blind);
                entrance.room = None;
                entrance.opening = Some("the sample recording".into());
                entrance.failed = None;
                vec![Effect::OpenSample]
            }
            Command::ListCameras => {
                entrance.cameras = Cameras::Asking;
                vec![Effect::ListCameras]
            }
            Command::Cameras(found) => {
                entrance.cameras = match found {
                    Ok(list) => Cameras::Found(list),
                    Err(why) => Cameras::Failed(why),
                };
                vec![]
            }
            Command::Opened(session) => {
                entrance.opening = None;
                entrance.failed = None;
                entrance.missing = None;
                if let Some(path) = &session.info.path {
                    entrance.path = path.display().to_string();
                }
                // A camera is looked at in its room, and a recording in one of the others.
                // What opens again by itself takes nobody away from the queue.
                let named = entrance.room.take();
                let blind = self.blind();
                self.settings.room = match (session.info.live, self.settings.room) {
                    (_, Room::Batch) => Room::Batch,
                    // A camera that comes back shows nothing to whoever codes blind.
                    (true, Room::Annotate) if blind => Room::Annotate,
                    (true, _) => Room::Live,
                    (false, Room::Live) => Room::of_a_recording(self.settings.blind),
                    (false, room) => named.unwrap_or(room),
                };
                self.remember(&session);
                let mut effects = vec![Effect::Player(PlayerOrder::Speed(self.settings.speed))];
                let mut before = self.review.take();
                if session.info.live {
                    self.say_it_is_back(&session.info.name, before.as_ref());
                }
                if let Some(waiting) = before.as_ref().and_then(|b| b.waiting.as_ref()) {
                    effects.extend(self.forgotten(waiting.frame));
                }
                let mut review = Review::new(*session);
                if let Some(before) = &before {
                    self.leave_the_blind_pass(before, &review);
                }
                // Analysed again: what the person decided holds.
                let same = |before: &Review| {
                    let info = &before.session.info;
                    let project = (before.project.as_ref()).filter(|_| before.project_there);
                    info.path.is_some()
                        && info.path == review.session.info.path
                        && (review.session.project.as_ref() == project)
                };
                if let Some(before) = &mut before
                    && same(before)
                {
                    review.coding = std::mem::take(&mut before.coding);
                    review.unsaved = before.unsaved;
                    review.project.clone_from(&before.project);
                    review.project_there = before.project_there;
                    review.seen = std::mem::take(&mut before.seen);
                    review.session.blind_passes = std::mem::take(&mut before.session.blind_passes);
                    review.decided();
                } else if let Some(before) = before.filter(|b| b.unsaved) {
                    effects.push(Effect::SaveCandidates(Box::new(Saving::of(&before))));
                }
                self.review = Some(review);
                effects.extend(self.take_the_blind_pass_up());
                self.begin_with_the_list();
                self.last_views = None;
                effects.extend(self.shown_earlier());
                effects
            }
            Command::OpenFailed { input, why } => {
                entrance.opening = None;
                entrance.room = None;
                entrance.failed = Some(why.clone());
                // One camera was let go for another, which does not come: the room where one
                // is chosen says why.
                let camera = InputSpec::parse(&input, None).is_ok_and(|spec| spec.is_camera());
                let let_go = (self.review.take_if(|r| camera && r.session.info.live))
                    .filter(|gone| gone.unsaved)
                    .map(|gone| Effect::SaveCandidates(Box::new(Saving::of(&gone))));
                // The empty window says it in its middle; over a recording it is a notice.
                if self.review.is_some() {
                    self.say(Notice::error(why));
                } else {
                    let mut quiet = Notice::error(why);
                    quiet.span = None;
                    self.notices.push(quiet, self.now);
                    self.notices.dismiss_all();
                }
                let mut effects = self.recent(Command::LookForRecent);
                effects.extend(let_go);
                effects
            }
            _ => vec![],
        }
    }

    /// What was said of the loss of a camera no longer stands once it sends again.
    fn say_it_is_back(&mut self, name: &str, before: Option<&Review>) {
        let same = |r: &&Review| r.session.info.live && r.session.info.name == name;
        if let Some(why) = before.filter(same).and_then(|r| r.status.failed.as_ref()) {
            self.notices.dismiss_said(why);
            self.say(Notice::info(format!("{name} is back.")));
        }
    }

    /// A dialog was closed, or could not be shown.
    fn nothing_chosen(&mut self, since: Option<f64>, kind: Option<DialogKind>) {
        if since.is_none_or(|s| self.now - s >= NO_DIALOG_SECS) {
            return;
        }
        let adds = kind == Some(DialogKind::OtherProject);
        self.entrance.adds_next = adds;
        let then = if adds {
            " It is added to this one, not opened."
        } else {
            ""
        };
        self.say(Notice::warning(format!(
            "No file dialog could be shown: neither a desktop portal nor zenity answers. Type the \
             path into the box at the top or drop the file on the window.{then}"
        )));
    }

    /// As [`Command::Open`], to be seen in this room once it is there.
    pub(super) fn open_in(&mut self, room: Room, input: String) -> Vec<Effect> {
        let effects = self.open(input);
        let opens = effects.iter().any(|e| matches!(e, Effect::Open(_)));
        self.entrance.room = opens.then_some(room);
        effects
    }

    fn open(&mut self, input: String) -> Vec<Effect> {
        let input = input.trim().trim_matches('"').to_owned();
        if input.is_empty() {
            return vec![];
        }
        let project = std::path::Path::new(&input).extension();
        if std::mem::take(&mut self.entrance.adds_next) && project.is_some_and(|e| e == ENDING) {
            return self.exchange(Command::Merge(input.into()));
        }
        self.sheet = self.sheet.filter(|sheet| *sheet != Sheet::Recent);
        let blind = self.settings.blind;
        self.settings.room = self.settings.room.with_a_recording(blind);
        self.entrance.room = None;
        // What is open is opened anew with the project it has.
        let again = self.review.as_ref().filter(|review| {
            let is = |path: &std::path::PathBuf| path.display().to_string() == input;
            let path = review.session.info.path.as_ref();
            path.is_some_and(is)
                || (review.project_there && review.project.as_ref().is_some_and(is))
        });
        if again.is_some_and(Review::whole) {
            self.say(Notice::info(
                "This recording is open and analysed already. “Analyse again” in the settings \
                 does it anew.",
            ));
            return vec![Effect::WakeAfter(8.1)];
        }
        let project = again.filter(|review| review.project_there);
        let project = project.and_then(|review| review.project.clone());
        let input = project.map_or(input, |project| project.display().to_string());
        self.entrance.path.clone_from(&input);
        self.entrance.opening = Some(input.clone());
        self.entrance.failed = None;
        self.entrance.missing = None;
        vec![Effect::Open(input)]
    }
}
