//! Which pictures beside the original are wanted of the frame on the screen, and what
//! becomes of those that were drawn.

use super::attention;
use super::backend::ViewsWanted;
use super::command::{Effect, Room};
use super::ghosts::HOLD_SECS;
use super::review::Review;
use super::settings::Shown;
use super::state::AppState;
use crate::facs::ActionUnit;
use crate::motion::heat::Heat;
use crate::session::magnified_motion::motion_in_band;
use crate::session::magnified_view::MagnifyView;
use crate::session::views::Views;

/// Session, frame, crop, and what is drawn of them: what changes none of it is not asked
/// for again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ViewsKey {
    generation: u64,
    frame: u64,
    crop: u32,
    shown: Shown,
    heat: Heat,
    magnify: MagnifyView,
    attention: bool,
    unit: Option<ActionUnit>,
}

/// While it plays the pictures beside the original are made one after another: so much they
/// may trail it by; seconds of the recording.
const TRAIL_SECS: f64 = 0.1;
/// A picture that comes within this is waited for without a word; seconds.
const PATIENCE_SECS: f64 = 0.25;

/// Of another frame than the original the pictures beside it are, and since when by the
/// window's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ViewsBehind(Option<f64>);

impl ViewsBehind {
    /// Gives whether it must be looked at again without another picture.
    fn hear(&mut self, behind: bool, now: f64) -> bool {
        let begins = behind && self.0.is_none();
        self.0 = behind.then(|| self.0.unwrap_or(now));
        begins
    }

    fn said(self, now: f64) -> bool {
        self.0.is_some_and(|since| now - since >= PATIENCE_SECS)
    }
}

impl Review {
    /// By how many seconds of the recording the pictures beside the original are of an earlier
    /// frame than it, negative where of a later one; `None` where they are of the same, and
    /// before the first.
    fn views_trail(&self) -> Option<f64> {
        let picture = self.playback.picture.as_ref()?;
        let other = self.views_count > 0 && self.views.frame != picture.index;
        other.then(|| picture.timestamp.secs() - self.time_of(self.views.frame).secs())
    }

    /// What the pictures beside the original are of, where it is another frame.
    #[must_use]
    pub fn views_of_another(&self, now: f64) -> Option<String> {
        let trail = self.views_trail().filter(|_| self.views_behind.said(now))?;
        if self.moves() {
            // A number that changes with every picture is not read.
            return Some(format!("{:.1} s behind", trail.abs()));
        }
        let before = if trail < 0.0 { "after" } else { "before" };
        let frame = self.views.frame;
        Some(format!("frame {frame}, {:.2} s {before}", trail.abs()))
    }

    /// The original changes by itself.
    fn moves(&self) -> bool {
        self.playback.playing || self.session.info.live && self.frozen.is_none()
    }
}

impl AppState {
    /// Whether the pictures beside the original have followed it.
    pub(super) fn views_follow(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let may = if review.moves() { TRAIL_SECS } else { 0.0 };
        let trail = review.views_trail();
        let behind = trail.is_some_and(|secs| secs.abs() > may);
        if review.views_behind.hear(behind, now) {
            vec![Effect::WakeAfter(PATIENCE_SECS + 0.01)]
        } else {
            vec![]
        }
    }

    /// A new request, where what is shown has changed.
    pub(super) fn views_wanted(&mut self) -> Option<ViewsWanted> {
        let shown = self.settings.shown;
        let blind = self.blind();
        let review = self.review.as_ref()?;
        // A candidate's is known already.
        let attention = self.settings.overlays.attention
            && !blind
            && review.reads_units()
            && review.selected_spot().is_none();
        if shown.count() == 0 && !attention || self.settings.room == Room::Batch {
            return None;
        }
        let (_, crop) = review.face_shown()?;
        let (crop, frame) = (crop?, review.playback.picture.as_ref()?);
        let (magnify, heat) = (self.settings.magnify, self.settings.heat);
        let unit = attention::unit_at(review).ok().filter(|_| attention);
        let key = ViewsKey {
            generation: review.session.generation,
            frame: frame.index,
            crop: crop.id,
            shown,
            heat,
            magnify,
            attention,
            unit,
        };
        if self.last_views == Some(key) {
            return None;
        }
        self.last_views = Some(key);
        Some(ViewsWanted {
            generation: key.generation,
            frame: frame.clone(),
            crop: crop.clone(),
            led: shown.led,
            flow: shown.flow,
            strain: shown.strain,
            heat,
            magnify: shown.magnified.then_some(magnify),
            attention,
            moment: unit.and_then(|unit| attention::wish(review, unit)),
        })
    }

    /// What was drawn of the open recording; another's is discarded.
    pub(super) fn views_drawn(&mut self, generation: u64, views: Views) -> Vec<Effect> {
        let now = self.now;
        let Some(review) = self.of(generation) else {
            return vec![];
        };
        // By what it was drawn: the sliders may have moved on since.
        let with = views.magnified_with;
        let moved = with.and_then(|with| motion_in_band(&review.recording, views.frame, &with));
        let at_secs = review.time_of(views.frame).secs();
        let with = with.unwrap_or_default();
        let runs_out = review.ghosts.hear(moved, (with, at_secs), now);
        review.views = views;
        review.views_count += 1;
        if runs_out {
            vec![Effect::WakeAfter(HOLD_SECS + 0.1)]
        } else {
            vec![]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_another_frame_are_told_once_they_have_been_waited_for() {
        let mut behind = ViewsBehind::default();
        assert!(!behind.hear(false, 1.0) && !behind.said(9.0));
        // A new frame: what belongs to it mostly comes at once.
        assert!(behind.hear(true, 10.0), "to be looked at again");
        assert!(!behind.said(10.0 + 0.5 * PATIENCE_SECS));
        // The next frame does not begin the wait anew.
        assert!(!behind.hear(true, 10.2));
        assert!(behind.said(10.0 + PATIENCE_SECS));
        assert!(!behind.hear(false, 11.0) && !behind.said(11.0));
    }
}
