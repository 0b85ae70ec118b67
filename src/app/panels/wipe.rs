//! The face as it was filmed and the same face magnified in one picture: at the left of a
//! line the one, at the right the other. The line follows the pointer that is pressed on
//! the picture, and keys.

use egui::{CursorIcon, Image, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::legend::note;
use super::picture::{in_its_place, magnified_caption, missing, of_another_frame};
use crate::app::command::{Command, View};
use crate::app::keys;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, over_picture};
use crate::app::widgets::textures::Textures;

/// The handle on the line.
const HANDLE: egui::Vec2 = vec2(6.0, 24.0);

pub fn show(
    ui: &mut Ui,
    state: &AppState,
    review: &Review,
    textures: &Textures,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    let free = ui.max_rect().right();
    magnified_caption(ui, state, (rect, free), "Original, magnified");
    let (Some(filmed), Some(magnified)) = (textures.filmed(), textures.magnified()) else {
        in_its_place(ui, rect, missing(review, View::Magnified));
        return;
    };
    let response = ui.interact(rect, ui.scope_id().with("wipe"), Sense::drag());
    if response.dragged()
        && let Some(at) = response.interact_pointer_pos()
        && rect.width() > 0.0
    {
        out.push(Command::Wipe((at.x - rect.left()) / rect.width()));
    }
    let share = state.settings.wipe;
    response.widget_info(|| {
        let name = "Divider between original and magnified, per cent from the left";
        WidgetInfo::slider(true, f64::from(100.0 * share).round(), name)
    });
    let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    let mirrored = review.session.info.live && state.settings.mirror;
    let line = (rect.left() + share * rect.width()).round();
    let held = response.dragged() || response.hovered();
    // Only at the line: over the face a tooltip hides what is looked at.
    if (response.hover_pos()).is_some_and(|at| (at.x - line).abs() < theme::GAP) {
        response.on_hover_text(format!(
            "Drag the line, or {} and {}. {}",
            keys::of(ui, "Divider to the left"),
            keys::of(ui, "Divider to the right"),
            keys::tip(ui, "Side by side, wiped, stacked"),
        ));
    }
    for (texture, half) in [
        (filmed, rect.with_max_x(line)),
        (magnified, rect.with_min_x(line)),
    ] {
        // In a mirror the picture's right half is the left one.
        let part = |x: f32| {
            let from_left = (x - rect.left()) / rect.width().max(1.0);
            if mirrored { 1.0 - from_left } else { from_left }
        };
        let uv = Rect::from_min_max(pos2(part(half.left()), 0.0), pos2(part(half.right()), 1.0));
        Image::new((texture.id(), half.size()))
            .uv(uv)
            .paint_at(ui, half);
    }
    let painter = ui.painter().with_clip_rect(rect);
    let width = if held { 2.0 } else { 1.0 };
    let ends = [pos2(line, rect.top()), pos2(line, rect.bottom())];
    painter.line_segment(ends, Stroke::new(width + 2.0, over_picture::HALO));
    painter.line_segment(ends, Stroke::new(width, over_picture::TEXT));
    let handle = Rect::from_center_size(pos2(line, rect.center().y), HANDLE);
    painter.rect_filled(handle.expand(1.0), 3.0, over_picture::HALO);
    painter.rect_filled(handle, 3.0, over_picture::TEXT);
    of_another_frame(ui, state, review, rect);
    // Each name on its own half; where that is narrow its beginning is cut off.
    let bottom = rect.bottom() - theme::GRID;
    let left = painter.with_clip_rect(rect.with_max_x(line));
    note(&left, pos2(rect.left(), bottom), "Original");
    let right = painter.with_clip_rect(rect.with_min_x(line));
    note(&right, pos2(rect.right() - theme::GAP, bottom), "Magnified");
}
