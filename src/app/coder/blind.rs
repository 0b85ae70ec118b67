//! The ways out of a blind pass. What was seen cannot be unseen, so whatever would show the
//! recording asks first, once a recording, and the log keeps the answer. To open another
//! recording is none of them: nothing is shown of the one before, and its pass goes on when
//! it is opened again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Coded, NOTICE_SECS, named};
use crate::app::batch::BatchCommand;
use crate::app::command::{Command, Effect, Room};
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::base::{Notice, Severity};

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
    /// Recordings that were left in the middle of one, and who coded.
    left: BTreeSet<(PathBuf, String)>,
    /// What the analysis said meanwhile: it tells of candidates.
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
            review.seen = true;
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
        if !review.blind_pass || review.seen {
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
        let path = absolute(recording);
        let runs = |r: &Review| {
            self.blind() && r.session.info.path.as_deref().map(absolute).as_ref() == Some(&path)
        };
        let left = (path.clone(), self.settings.coder.clone());
        self.review.as_ref().is_some_and(runs) || self.blind_passes.left.contains(&left)
    }

    /// Another recording takes the place of this one.
    pub(in crate::app) fn leave_the_blind_pass(&mut self, before: &Review) {
        self.blind_passes.held.clear();
        if before.blind_pass && !before.seen {
            let pass = pass_of(before, &self.settings.coder);
            self.blind_passes.left.extend(pass);
        }
    }

    /// A recording that was left in the middle of a pass is open again: it hides the same,
    /// wherever it was opened from.
    pub(in crate::app) fn take_the_blind_pass_up(&mut self) -> Vec<Effect> {
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let pass = pass_of(review, &self.settings.coder);
        if !pass.is_some_and(|pass| self.blind_passes.left.remove(&pass)) {
            return vec![];
        }
        review.blind_pass = true;
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
}

/// Its name; a camera's pictures cannot be opened again.
fn pass_of(review: &Review, coder: &str) -> Option<(PathBuf, String)> {
    let path = review.session.info.path.as_deref()?;
    Some((absolute(path), coder.to_owned()))
}

/// By another name it is the same recording.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
