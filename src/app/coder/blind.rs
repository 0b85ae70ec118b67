//! The ways out of a blind pass. What was seen cannot be unseen, so whatever would show the
//! recording asks first, once a recording, and the log keeps the answer. To open another
//! recording is none of them: nothing is shown of the one before, and its pass goes on when
//! it is opened again, by whatever path. The project keeps who made a pass, and whether it has
//! ended; a recording without one is remembered until the window closes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Coded, NOTICE_SECS, named};
use crate::app::batch::BatchCommand;
use crate::app::command::{Command, Effect, Room};
use crate::app::exchange::ImportSaid;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::base::{Notice, Severity};
use crate::project::file::{BlindPass, PassStep};

/// An answer counts as long as the question stands in the corner.
const ANSWER_SECS: f64 = 8.0;
/// What comes sooner after the question, a double click, was no answer to it.
const READING_SECS: f64 = 0.6;

/// How a person goes about leaving a blind pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayOut {
    Key,
    Into(Room),
    /// The queue's button that opens in Review, on the recording that is open.
    Queue,
}

/// What a blind pass was last asked about.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Question {
    way: WayOut,
    /// Seconds since the window opened.
    at: f64,
}

/// What the window knows of blind passes beside the one that runs.
#[derive(Debug, Clone, Default)]
pub struct BlindPasses {
    asked: Option<Question>,
    /// Recordings that were left in the middle of one, by where they really lie, and who
    /// coded.
    left: BTreeSet<(PathBuf, String)>,
    /// Where recordings really lie that were named by other paths.
    places: BTreeMap<PathBuf, PathBuf>,
    /// What was said meanwhile of candidates and other coders.
    held: Vec<Notice>,
}

impl BlindPasses {
    /// Who coded without a name has one now.
    pub(super) fn name_them(&mut self, name: &str) {
        let left = std::mem::take(&mut self.left).into_iter();
        let named = left.map(|(path, coder)| match coder.as_str() {
            "" => (path, name.to_owned()),
            _ => (path, coder),
        });
        self.left = named.collect();
    }

    fn place_of(&self, recording: &Path) -> PathBuf {
        let path = absolute(recording);
        self.places.get(&path).cloned().unwrap_or(path)
    }

    fn lies(&mut self, recording: &Path, place: PathBuf) {
        let path = absolute(recording);
        if path != place {
            self.places.insert(path, place);
        }
    }
}

/// What was found of a recording in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassesOf {
    pub recording: PathBuf,
    /// The same for every path to it.
    pub place: PathBuf,
    /// Whose blind pass of it was left in its middle.
    pub coders: Vec<String>,
}

impl AppState {
    /// A command that would end the blind pass is a question the first time; `None` lets it
    /// through.
    pub(in crate::app) fn asks_before_showing(&mut self, command: &Command) -> Option<Vec<Effect>> {
        let way = self.way_out(command)?;
        let now = self.now;
        let same = |q: &Question| q.way == way && now - q.at < ANSWER_SECS;
        let asked = self.blind_passes.asked.filter(same);
        if asked.is_some_and(|q| now - q.at < READING_SECS) {
            return Some(vec![]);
        }
        let answered = asked.is_some();
        self.blind_passes.asked = None;
        let review = self.review.as_mut()?;
        if answered {
            review.seen.insert(self.settings.coder.clone());
            let own = review.coding.annotations().iter();
            let count = own.filter(|a| a.coder == self.settings.coder).count();
            let notice = Notice::info(format!(
                "The blind pass of {} by {} is over, with {count} annotations: what is coded \
                 from here on is not blind.",
                review.session.info.name,
                named(&self.settings.coder)
            ));
            self.say(notice);
            return None;
        }
        self.blind_passes.asked = Some(Question { way, at: now });
        let again = match way {
            WayOut::Key => "{Blind pass}",
            WayOut::Into(Room::Live) => "{Live room}",
            WayOut::Into(_) => "{Review room}",
            WayOut::Queue => "{Open in Review}",
        };
        let question = format!(
            "This ends the blind pass: what the networks and other coders say cannot be unseen. \
             Once more, {again}, shows it."
        );
        self.say(Notice::info(self.settings.keys.fill(&question)));
        Some(vec![Effect::WakeAfter(NOTICE_SECS)])
    }

    fn way_out(&self, command: &Command) -> Option<WayOut> {
        let review = self.review.as_ref()?;
        if !review.hides_from(&self.settings.coder) {
            return None;
        }
        match command {
            Command::Code(Coded::ToggleBlind) => Some(WayOut::Key),
            Command::Room(Room::Review) => Some(WayOut::Into(Room::Review)),
            // A file is not shown there.
            Command::Room(Room::Live) if review.session.info.live => Some(WayOut::Into(Room::Live)),
            Command::Batch(BatchCommand::Open) => {
                self.shows_the_open_recording().then_some(WayOut::Queue)
            }
            _ => None,
        }
    }

    /// A pass begins where something is hidden and ends where it is shown; a room without a
    /// recording changes nothing.
    pub(in crate::app) fn follow_the_blind_pass(&mut self) {
        let (blind, room) = (self.settings.blind, self.settings.room);
        let Some(review) = self.review.as_mut() else {
            return;
        };
        review.blind_pass = match room {
            Room::Annotate => blind,
            Room::Review => false,
            Room::Live if review.session.info.live => false,
            Room::Live | Room::Batch => blind && review.blind_pass,
        };
        if !self.blind() {
            let held = std::mem::take(&mut self.blind_passes.held);
            held.into_iter().for_each(|notice| self.say(notice));
        }
    }

    /// Says what became of an import: in a blind pass only what its coder may know, the rest
    /// once it is over. Of another recording nothing else is said ever.
    pub(in crate::app) fn say_of_an_import(
        &mut self,
        generation: u64,
        said: ImportSaid,
    ) -> Vec<Effect> {
        let open = self.of(generation).is_some();
        match (self.blind(), open) {
            (false, true) => self.say(said.all),
            (true, true) if said.all != said.blind => {
                self.say(said.blind);
                self.blind_passes.held.push(said.all);
            }
            _ => self.say(said.blind),
        }
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }

    /// Says what the analysis says. In a blind pass only what concerns a stretch of the
    /// pictures or is an error; the rest, which is about candidates, once it is over.
    pub(in crate::app) fn say_of_the_analysis(&mut self, notice: Notice) {
        let harmless = notice.span.is_some() || notice.severity == Severity::Error;
        if self.blind() && !harmless {
            self.blind_passes.held.push(notice);
        } else {
            self.say(notice);
        }
    }

    /// Whether a blind pass of this recording runs or was left in its middle.
    #[must_use]
    pub fn hides(&self, recording: &Path) -> bool {
        let place = self.blind_passes.place_of(recording);
        let runs = |r: &Review| self.blind() && r.place().as_ref() == Some(&place);
        let left = (place.clone(), self.settings.coder.clone());
        self.review.as_ref().is_some_and(runs) || self.blind_passes.left.contains(&left)
    }

    /// What projects know of recordings in the queue; of the one that is open the window
    /// knows more.
    pub(in crate::app) fn learn_of_blind_passes(&mut self, found: Vec<PassesOf>) {
        let open = self.review.as_ref().and_then(Review::place);
        for passes in found {
            let PassesOf {
                recording,
                place,
                coders,
            } = passes;
            if open.as_ref() != Some(&place) {
                let left = coders.into_iter().map(|coder| (place.clone(), coder));
                self.blind_passes.left.extend(left);
            }
            self.blind_passes.lies(&recording, place);
        }
    }

    /// Another recording takes the place of this one, or the same once more.
    pub(in crate::app) fn leave_the_blind_pass(&mut self, before: &Review, next: &Review) {
        let place = before.place();
        if place.is_none() || place != next.place() {
            self.blind_passes.held.clear();
        }
        self.leave(before.passes_left(&self.settings.coder));
        // Those of others, too: the queue asks about every coder.
        let passes = before.session.blind_passes.iter();
        let go_on = passes.filter(|p| p.goes_on() && !before.seen.contains(&p.coder));
        let others = go_on.filter(|p| p.coder != self.settings.coder);
        let left = others.filter_map(|p| Some((place.clone()?, p.coder.clone())));
        self.blind_passes.left.extend(left);
    }

    fn leave(&mut self, left: Option<(PathBuf, String)>) {
        self.blind_passes.left.extend(left);
    }

    /// Somebody else codes from now on: the pass of who coded before is left, and theirs
    /// goes on if they had left one.
    pub(super) fn hand_the_blind_pass_over(&mut self, before: &str) -> Vec<Effect> {
        let left = self.review.as_ref().and_then(|r| r.passes_left(before));
        self.leave(left);
        self.take_the_blind_pass_up()
    }

    /// A recording that was left in the middle of a pass is open again: it hides the same,
    /// wherever it was opened from.
    pub(in crate::app) fn take_the_blind_pass_up(&mut self) -> Vec<Effect> {
        let coder = &self.settings.coder;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let info = &review.session.info;
        let Some((path, place)) = info.path.as_deref().zip(review.place()) else {
            return vec![];
        };
        self.blind_passes.lies(path, place.clone());
        let goes_on = |pass: &BlindPass| pass.coder == *coder && pass.goes_on();
        let kept = review.session.blind_passes.iter().any(goes_on);
        let left = self.blind_passes.left.remove(&(place, coder.clone()));
        if !(left || kept) || review.seen.contains(coder) {
            return vec![];
        }
        if std::mem::replace(&mut review.blind_pass, true) {
            return vec![];
        }
        let name = review.session.info.name.clone();
        let shows = self.settings.room == Room::Review;
        if shows {
            self.settings.room = Room::Annotate;
        }
        if std::mem::replace(&mut self.settings.blind, true) && !shows {
            return vec![];
        }
        let said =
            format!("The blind pass of {name} goes on where it was left. {{Blind pass}} ends it.");
        self.say(Notice::info(self.settings.keys.fill(&said)));
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }

    /// What the project is to keep of the pass of whoever codes, where that is news.
    pub(in crate::app) fn keep_the_blind_pass(&mut self) -> Vec<Effect> {
        let coder = &self.settings.coder;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        // A camera's pictures cannot be opened again.
        if review.session.info.path.is_none() {
            return vec![];
        }
        let told = review.pass_told.as_ref() == Some(coder);
        let step = if review.hides_from(coder) && !told {
            review.pass_told = Some(coder.clone());
            PassStep::Begun
        } else if told && review.seen.contains(coder) {
            review.pass_told = None;
            PassStep::Ended
        } else {
            return vec![];
        };
        vec![Effect::BlindPass(coder.clone(), step)]
    }
}

impl Review {
    /// A blind pass of this coder runs.
    pub(in crate::app) fn hides_from(&self, coder: &str) -> bool {
        self.blind_pass && !self.seen.contains(coder)
    }

    /// Where the recording really lies; a camera's pictures cannot be opened again.
    fn place(&self) -> Option<PathBuf> {
        let session = &self.session;
        let path = session.info.path.as_deref()?;
        Some(session.place.clone().unwrap_or_else(|| absolute(path)))
    }

    /// The pass that this coder leaves in its middle, by its name.
    fn passes_left(&self, coder: &str) -> Option<(PathBuf, String)> {
        let place = self.place().filter(|_| self.hides_from(coder))?;
        Some((place, coder.to_owned()))
    }

    /// Who coded without a name has one now.
    pub(super) fn name_the_blind_pass(&mut self, name: &str) -> Option<Effect> {
        let mut any = self.seen.remove("");
        if any {
            self.seen.insert(name.to_owned());
        }
        let kept = self.session.blind_passes.iter_mut().map(|p| &mut p.coder);
        for coder in kept.chain(&mut self.pass_told).filter(|c| c.is_empty()) {
            name.clone_into(coder);
            any = true;
        }
        let file = self.session.info.path.is_some();
        (file && any).then(|| Effect::BlindPass(name.to_owned(), PassStep::Named))
    }
}

/// By another name it is the same recording.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
