//! Keys that say something of the frame shown while another one is on its way. They wait for
//! the picture: nobody marks a frame that has not been seen.

use super::{Coded, NOTICE_SECS};
use crate::app::coding::SpotKey;
use crate::app::command::{Command, Effect};
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::base::Notice;
use crate::timeline::AnnotationId;

/// What was pressed before its frame was on the screen, and what it was meant for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub frame: u64,
    /// In the order in which they were pressed.
    pub keys: Vec<Coded>,
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
}

impl AppState {
    /// Whether it waits for the picture of the frame that was gone to.
    pub(in crate::app) fn waits(&mut self, coded: &Coded) -> bool {
        let coder = &self.settings.coder;
        let Some(review) = self.review.as_mut() else {
            return false;
        };
        let of_the_frame = match coded {
            Coded::Edge(_) => true,
            // The selected stretch, and another coder's, have frames of their own.
            Coded::New => {
                let theirs = review.annotation().is_some_and(|a| a.coder != *coder);
                review.timeline.selection.is_none() && !theirs
            }
            _ => false,
        };
        let Some(frame) = review.playback.sought else {
            return false;
        };
        if !of_the_frame || review.session.info.live {
            return false;
        }
        let (marked, selected) = (review.marked, review.selected);
        let waiting = review.waiting.get_or_insert_with(|| Waiting {
            frame,
            keys: Vec::new(),
            coder: coder.clone(),
            marked,
            selected,
        });
        waiting.keys.push(coded.clone());
        true
    }

    /// Carries out what has waited once its picture is there; says so where it never comes.
    pub(in crate::app) fn code_what_waited(&mut self) -> Vec<Effect> {
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
            let keys = waiting.keys.into_iter();
            return keys
                .flat_map(|coded| self.say_of_recording(Command::Code(coded)))
                .collect();
        }
        self.say(Notice::warning(format!(
            "Nothing is marked at frame {}: it was left before its picture was on the screen, or \
             has none. Go there and mark it again.",
            waiting.frame
        )));
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }
}

impl Review {
    /// A seek has been answered: with another frame where the recording is shorter than it
    /// says, with none where the frame cannot be decoded.
    pub(in crate::app) fn seek_ended(&mut self, asked: u64) {
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
