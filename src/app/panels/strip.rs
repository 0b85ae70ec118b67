//! The face at onset, apex and offset, in a row of the list.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2};

use crate::app::coding::SpotKey;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::stills;
use crate::app::theme;
use crate::app::widgets::textures::Textures;
use crate::app::widgets::{marks, row, still};
use crate::spotting::SpottedInterval;

/// Side of a picture.
pub const SIDE: f32 = 40.0;
/// Between them.
const CLOSE: f32 = 2.0;
/// From the top of the row.
pub const TOP: f32 = 26.0;

/// Where picture `at` of a row stands.
#[must_use]
pub fn place(line: Rect, at: usize) -> Rect {
    let left = line.left() + theme::GAP + at as f32 * (SIDE + CLOSE);
    Rect::from_min_size(pos2(left, line.top() + TOP), Vec2::splat(SIDE))
}

/// Nothing of a camera's: its frames are gone.
pub fn show(
    ui: &Ui,
    (review, textures): (&Review, &Textures),
    line: Rect,
    (rank, spot): (usize, &SpottedInterval),
) {
    if review.session.info.live {
        return;
    }
    let keys = stills::strip(review, SpotKey::of(spot));
    for (at, (key, moment)) in keys.iter().zip(["Onset", "Apex", "Offset"]).enumerate() {
        let rect = place(line, at);
        still::show(ui, rect, key, &review.stills, textures);
        let id = ui.scope_id().with(("strip", spot.onset, spot.kind, moment));
        let response = ui.interact(rect, id, Sense::hover());
        let response = response.with_new_rect(row::in_sight(ui, rect));
        let clock = review.time_of(key.frame).clock();
        let says = format!(
            "{moment} of {} {}, frame {}, {clock}",
            marks::short(spot.kind),
            rank + 1,
            grouped(key.frame),
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, &says));
        response.on_hover_text(says);
    }
}
