//! Which pictures beside the original are wanted of the frame on the screen, and what
//! becomes of those that were drawn.

use super::attention;
use super::backend::ViewsWanted;
use super::command::{Effect, Room};
use super::ghosts::HOLD_SECS;
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

impl AppState {
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
