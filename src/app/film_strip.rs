//! Which neighbours of the frame on the screen are wanted small.

use super::backend::PlayerOrder;
use super::command::{Command, Effect, Room};
use super::review::Review;
use super::state::AppState;
use crate::base::Point;
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::media::StripWish;

/// Frames before, and as many after.
pub const EACH_SIDE: u64 = 3;
/// Height of the small pictures in px: enough for two pixels a point.
const HEIGHT: u32 = 192;

impl AppState {
    /// A new wish where the last one does not hold any more.
    pub(super) fn strip_wanted(&mut self) -> Option<Effect> {
        let coding = self.settings.room == Room::Annotate;
        let wish = self.review.as_ref().and_then(|review| {
            let stands = coding && !review.playback.playing && !review.session.info.live;
            stands.then(|| StripWish {
                each_side: EACH_SIDE,
                region: region(review),
                height: HEIGHT,
            })
        });
        let generation = self.review.as_ref()?.session.generation;
        let key = (generation, wish);
        if self.last_strip == Some(key) {
            return None;
        }
        self.last_strip = Some(key);
        Some(Effect::Player(PlayerOrder::Strip(wish)))
    }

    pub(super) fn strip(&mut self, command: Command) {
        if let Command::Strip { generation, strip } = command
            && let Some(review) = self.review.as_mut()
            && review.session.generation == generation
        {
            review.strip = Some(*strip);
            review.strip_count += 1;
        }
    }
}

/// What the analysis cuts out about the face; held still for many frames, so that the
/// small pictures can be compared.
#[must_use]
pub fn region(review: &Review) -> Option<[u32; 4]> {
    let (_, crop) = review.face_shown()?;
    in_image(crop?)
}

/// The same in any frame that is analysed and has a face.
#[must_use]
pub fn region_in(review: &Review, frame: u64) -> Option<[u32; 4]> {
    let face = review.recording.frame(frame)?.face.as_ref()?;
    in_image(review.recording.crops.get(&face.crop)?)
}

fn in_image(crop: &HeldCrop) -> Option<[u32; 4]> {
    let back = crop.crop_from_image.inverse()?;
    let side = CROP_SIDE as f32;
    let corners = [(0.0, 0.0), (side, 0.0), (0.0, side), (side, side)];
    let corners = corners.map(|(x, y)| back.apply(Point::new(x, y)));
    let least = |of: fn(Point) -> f32| corners.map(of).into_iter().fold(f32::INFINITY, f32::min);
    let most = |of: fn(Point) -> f32| corners.map(of).into_iter().fold(0.0, f32::max);
    let (left, top) = (least(|p| p.x).max(0.0), least(|p| p.y).max(0.0));
    let (right, bottom) = (most(|p| p.x), most(|p| p.y));
    (right > left && bottom > top)
        .then(|| [left, top, right - left, bottom - top].map(|v| v.round() as u32))
}
