//! Which small pictures the Review room wants, and what has come of them: onset, apex and
//! offset of the candidates in sight, and those of the one that is looked at.

use std::collections::HashSet;

use super::coding::SpotKey;
use super::command::{Command, Effect, Room};
use super::dock::Pane;
use super::film_strip::region_in;
use super::review::Review;
use super::state::AppState;
use crate::media::{Compare, StillKey};

/// Height of the pictures in the list, px: enough for two pixels a point.
const STRIP_PX: u32 = 80;
/// Height of those under the picture, px.
const TRIPTYCH_PX: u32 = 320;

/// Frames of what is looked at: an annotation, else a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    pub onset: u64,
    /// `None` where nobody has marked it yet.
    pub apex: Option<u64>,
    pub offset: u64,
}

impl Review {
    /// Of the annotation that is worked on, else of the selected candidate.
    #[must_use]
    pub fn moments(&self) -> Option<Moments> {
        let annotation = self.annotation().map(|a| Moments {
            onset: a.onset,
            apex: a.apex,
            offset: a.offset,
        });
        let spot = || {
            self.selected_spot().map(|s| Moments {
                onset: s.onset,
                apex: Some(s.apex),
                offset: s.offset,
            })
        };
        annotation.or_else(spot)
    }
}

/// Onset, apex and offset as they stand in the list.
#[must_use]
pub fn strip(review: &Review, spot: SpotKey) -> [StillKey; 3] {
    let region = region(review, [spot.onset, spot.apex, spot.offset]);
    [spot.onset, spot.apex, spot.offset].map(|frame| StillKey {
        frame,
        region,
        height: STRIP_PX,
    })
}

/// The onset as it stands under the picture, and the apex where there is one.
#[must_use]
pub fn triptych(review: &Review, moments: Moments) -> (StillKey, Option<StillKey>) {
    let apex = moments.apex.unwrap_or(moments.onset);
    let region = region(review, [moments.onset, apex, moments.offset]);
    let still = |frame| StillKey {
        frame,
        region,
        height: TRIPTYCH_PX,
    };
    (still(moments.onset), moments.apex.map(still))
}

/// One part of the picture for all of them, or they could not be compared: the face as it
/// was held at the first of these frames that has one; without a face the whole picture.
fn region(review: &Review, frames: [u64; 3]) -> Option<[u32; 4]> {
    frames
        .into_iter()
        .find_map(|frame| region_in(review, frame))
}

impl AppState {
    /// What the row under the picture shows; `None` where a bar stands in its place.
    #[must_use]
    pub fn row_shows(&self) -> Option<Moments> {
        let review = self.review.as_ref()?;
        self.settings.triptych.shown.then(|| review.moments())?
    }

    /// A new list of wishes where the last one does not hold any more: what is looked at
    /// first, then the list from its top.
    pub(super) fn stills_wanted(&mut self) -> Option<Effect> {
        let reviewing = self.settings.room == Room::Review;
        let dock = self.dock();
        let listed = reviewing && dock.in_sight(Pane::List);
        let under = self.settings.triptych.shown
            && self.settings.room != Room::Batch
            && dock.in_sight(Pane::Triptych);
        let review = self.review.as_mut().filter(|r| !r.session.info.live)?;
        let mut wanted = Vec::new();
        if under && let Some(moments) = review.moments() {
            let (onset, apex) = triptych(review, moments);
            wanted.push(onset);
            wanted.extend(apex);
        }
        if listed {
            let in_sight = review.in_sight.iter();
            wanted.extend(in_sight.flat_map(|spot| strip(review, *spot)));
        }
        let mut seen = HashSet::new();
        wanted.retain(|key| seen.insert(*key));
        if wanted == review.stills.wanted() {
            return None;
        }
        review.stills_count += 1;
        Some(Effect::Stills(review.stills.want(wanted)))
    }

    /// The frame on the screen is to be compared with the onset, once both are there.
    pub(super) fn comparison_wanted(&mut self) -> Option<Effect> {
        let view = self.settings.triptych;
        let review = self.review.as_ref()?;
        let seen = self.settings.room != Room::Batch && self.dock().in_sight(Pane::Triptych);
        if !seen || !view.shown || review.session.info.live {
            return None;
        }
        let (reference, _) = triptych(review, review.moments()?);
        let reference_picture = review.stills.get(&reference)?;
        let current = review.playback.picture.as_ref()?;
        let generation = review.session.generation;
        let key = (generation, reference, current.index, view.gain);
        if self.last_comparison == Some(key) {
            return None;
        }
        self.last_comparison = Some(key);
        Some(Effect::Compare(Box::new(Compare {
            current: current.clone(),
            reference,
            reference_picture: reference_picture.clone(),
            gain: view.gain,
        })))
    }

    pub(super) fn stills(&mut self, command: Command) {
        match command {
            Command::InSight(spots) => {
                if let Some(review) = &mut self.review {
                    review.in_sight = spots;
                }
            }
            Command::Stills { generation, stills } => {
                if let Some(review) = self.of(generation) {
                    stills.into_iter().for_each(|s| review.stills.put(s));
                    review.stills_count += 1;
                }
            }
            Command::Compared {
                generation,
                compared,
            } => {
                if let Some(review) = self.of(generation) {
                    review.compared = Some(*compared);
                    review.compared_count += 1;
                }
            }
            _ => {}
        }
    }
}
