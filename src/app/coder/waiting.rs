//! Keys that say something of the frame shown while another one is on its way. They wait for
//! the picture: nobody marks a frame that has not been seen. What is pressed after them waits
//! behind them, so that quick hands lose nothing.

use super::{Coded, NOTICE_SECS};
use crate::app::backend::PlayerOrder;
use crate::app::coding::SpotKey;
use crate::app::command::{Command, Effect};
use crate::app::key_change::KeyChange;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::base::Notice;
use crate::timeline::AnnotationId;

/// What was pressed before its frame was on the screen, and what it was meant for.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub frame: u64,
    /// The mark first, then what was asked after it.
    held: Vec<Command>,
    coder: String,
    marked: Option<AnnotationId>,
    selected: Option<SpotKey>,
}

impl Waiting {
    /// The same is worked on by the same person as when the key was pressed.
    fn still_meant(&self, review: &Review, coder: &str) -> bool {
        let selected = match (self.selected, review.selected) {
            // The decoding may have moved it meanwhile.
            (Some(then), Some(now)) => then.iou(now) > 0.0,
            (then, now) => then == now,
        };
        self.coder == coder && self.marked == review.marked && selected
    }

    /// Behind the mark the field for units is to be opened.
    fn enters_units(&self) -> bool {
        let enters = |held: &Command| matches!(held, Command::Code(Coded::EnterUnits));
        self.held.iter().any(enters)
    }
}

impl AppState {
    /// Puts aside what has to wait for a picture, or behind what waits for one; `None` lets
    /// the command through.
    pub(in crate::app) fn holds(&mut self, command: &Command) -> Option<Vec<Effect>> {
        let lies_over = self.sheet.is_some() || self.key_change != KeyChange::None;
        let closes = lies_over || self.arranges();
        let coder = &self.settings.coder;
        let review = self.review.as_mut()?;
        if let Some(waiting) = review.waiting.as_mut() {
            let frame = waiting.frame;
            if matches!(command, Command::Escape) && !closes {
                review.waiting = None;
                return Some(self.forgotten(frame));
            }
            if of_the_form(command) {
                return Some(self.not_yet(frame));
            }
            let behind = follows(command);
            if behind {
                waiting.held.push(command.clone());
            }
            return behind.then(Vec::new);
        }
        let frame = review.playback.sought?;
        if review.session.info.live || !marks_the_frame_shown(command, review, coder) {
            return None;
        }
        review.waiting = Some(Waiting {
            frame,
            held: vec![command.clone()],
            coder: coder.clone(),
            marked: review.marked,
            selected: review.selected,
        });
        let mut effects = review.pause();
        if !effects.is_empty() {
            // Playback may have run past it already.
            effects.push(Effect::Player(PlayerOrder::Seek(frame)));
        }
        Some(effects)
    }

    /// Carries out what has waited once its picture is there; says so where it never comes.
    pub(in crate::app) fn carry_out_what_waited(&mut self) -> Vec<Effect> {
        let coder = &self.settings.coder;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let Some(waiting) = review.waiting.take() else {
            return vec![];
        };
        let meant = waiting.still_meant(review, coder);
        let sought = review.playback.sought;
        if meant && sought == Some(waiting.frame) {
            review.waiting = Some(waiting);
            return vec![];
        }
        let shown = review.playback.picture.as_ref().map(|p| p.index);
        if meant && sought.is_none() && shown == Some(waiting.frame) {
            // A second mark among them, behind a step, waits again with what follows it.
            let held = waiting.held.into_iter();
            return held.flat_map(|command| self.carry_out(command)).collect();
        }
        self.forgotten(waiting.frame)
    }

    /// What followed is forgotten with it: it was meant for what the mark would have made.
    pub(in crate::app) fn forgotten(&mut self, frame: u64) -> Vec<Effect> {
        self.say(Notice::warning(format!(
            "Nothing is marked at frame {frame}, nor done of what was pressed after it: the frame \
             was left before its picture was on the screen, or has none. Go there and mark it \
             again."
        )));
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }

    fn not_yet(&mut self, frame: u64) -> Vec<Effect> {
        let waits = self.settings.keys.fill(&until_seen(frame));
        let why = format!("Nothing is changed. {waits}.");
        self.say(Notice::info(why));
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }

    /// What is typed is for the field for units, which opens behind a mark that waits.
    #[must_use]
    pub fn units_wait(&self) -> bool {
        let waiting = self.review.as_ref().and_then(|r| r.waiting.as_ref());
        waiting.is_some_and(Waiting::enters_units)
    }
}

/// What is said while a mark waits, keys by what they do.
fn until_seen(frame: u64) -> String {
    format!("Waiting for the picture of frame {frame}; {{Close, or deselect}} gives up")
}

fn marks_the_frame_shown(command: &Command, review: &Review, coder: &str) -> bool {
    match command {
        Command::Code(Coded::Edge(_)) => true,
        // The selected stretch, and another coder's, have frames of their own.
        Command::Code(Coded::New) => {
            let theirs = review.annotation().is_some_and(|a| a.coder != coder);
            review.timeline.selection.is_none() && !theirs
        }
        _ => false,
    }
}

/// What the form says of the annotation in it, which is another one than the mark makes.
fn of_the_form(command: &Command) -> bool {
    matches!(
        command,
        Command::Code(Coded::Units(_) | Coded::Emotion(_) | Coded::Confidence(_) | Coded::Kind(_))
    )
}

/// Whether it goes elsewhere or says something, and so has to come after the mark.
fn follows(command: &Command) -> bool {
    match command {
        command if command.goes() => true,
        Command::SelectTime(_)
        | Command::Disagree(_)
        | Command::ToDisagreement(_)
        | Command::Decide(_)
        | Command::Undo
        | Command::Redo => true,
        Command::Code(coded) => !matches!(
            coded,
            Coded::Coder(_)
                | Coded::ToggleBlind
                | Coded::UnitsEntered
                // They name what they change.
                | Coded::Note(..)
                | Coded::Drag(..)
        ),
        _ => false,
    }
}

impl Review {
    /// What is said while a mark waits, keys by what they do; `None` while none does.
    #[must_use]
    pub fn waits(&self) -> Option<String> {
        let waiting = self.waiting.as_ref()?;
        Some(until_seen(waiting.frame))
    }

    /// A seek has been answered: with another frame where the recording is shorter than it
    /// says, with none where the frame cannot be decoded. `last` is the recording's last
    /// frame, where the player has come to it.
    pub(in crate::app) fn seek_ended(&mut self, asked: u64, last: Option<u64>) {
        self.last_frame = last.or(self.last_frame);
        if self.playback.sought != Some(asked) {
            return;
        }
        self.playback.sought = None;
        // What can be coded is what is seen.
        if let Some(picture) = &self.playback.picture {
            self.playback.frame = picture.index;
        }
    }
}
