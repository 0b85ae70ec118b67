//! The ways out of a blind pass. What was seen cannot be unseen, so the key and the way into
//! a room that hides nothing both ask first, once a recording, and the log keeps the answer.

use super::{Coded, NOTICE_SECS};
use crate::app::command::{Command, Effect, Room};
use crate::app::state::AppState;
use crate::base::Notice;

/// An answer counts as long as the question stands in the corner.
const ANSWER_SECS: f64 = 8.0;

/// How a person goes about leaving a blind pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    Key,
    Into(Room),
}

/// What a blind pass was last asked about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    way: WayOut,
    /// Seconds since the window opened.
    at: f64,
}

impl AppState {
    /// A command that would end the blind pass is a question the first time; `None` lets it
    /// through.
    pub(in crate::app) fn asks_before_showing(&mut self, command: &Command) -> Option<Vec<Effect>> {
        let way = self.way_out(command)?;
        let now = self.now;
        let answers = |q: Question| q.way == way && now - q.at < ANSWER_SECS;
        let answered = self.unblinding.take().is_some_and(answers);
        let coder = match self.settings.coder.as_str() {
            "" => "a coder without a name",
            name => name,
        };
        let review = self.review.as_mut()?;
        if answered {
            review.seen = true;
            let own = review.coding.annotations().iter();
            let count = own.filter(|a| a.coder == self.settings.coder).count();
            let notice = Notice::info(format!(
                "The blind pass of {} by {coder} is over, with {count} annotations: what is coded \
                 from here on is not blind.",
                review.session.info.name
            ));
            self.say(notice);
            return None;
        }
        self.unblinding = Some(Question { way, at: now });
        let again = match way {
            WayOut::Key => "{Blind pass}",
            WayOut::Into(Room::Live) => "{Live room}",
            WayOut::Into(_) => "{Review room}",
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
        let hidden = matches!(self.settings.room, Room::Annotate | Room::Batch);
        if !self.settings.blind || !hidden || review.seen {
            return None;
        }
        match command {
            Command::Code(Coded::ToggleBlind) => Some(WayOut::Key),
            Command::Room(Room::Review) => Some(WayOut::Into(Room::Review)),
            // A file is not shown there.
            Command::Room(Room::Live) if review.session.info.live => Some(WayOut::Into(Room::Live)),
            _ => None,
        }
    }
}
