//! What the colours of a view mean, drawn over it.

use egui::{CornerRadius, Image, Painter, Pos2, Rect, Shape, TextureHandle, Ui, pos2, vec2};

use super::picture::seen;
use crate::app::theme::{self, over_picture};
use crate::motion::heat::Heat;

/// The legend in the lower right corner: the hue disc with its radius in pixels.
pub(super) fn wheel(
    ui: &Ui,
    painter: &Painter,
    (wheel, mirrored): (Option<&TextureHandle>, bool),
    rect: Rect,
    full_px: f32,
) {
    let Some(wheel) = wheel else {
        return;
    };
    let side = (0.22 * rect.width()).clamp(24.0, 64.0).round();
    let disc = Rect::from_min_size(
        rect.right_bottom() - vec2(side + theme::GAP, side + theme::GAP),
        vec2(side, side),
    );
    painter.circle_filled(disc.center(), 0.5 * side + 2.0, over_picture::HALO);
    // What moved to the right moves to the left in a mirror: so does its colour.
    seen(Image::new((wheel.id(), disc.size())), mirrored)
        .corner_radius(CornerRadius::same((0.5 * side) as u8))
        .paint_at(ui, disc);
    if full_px > 0.0 {
        note(
            painter,
            disc.left_bottom() - vec2(theme::GAP, 0.0),
            &format!("rim {full_px:.1} px"),
        );
    }
}

/// The legend along the lower edge: the palette's colours from 0 to full scale, and
/// what they mean.
pub(super) fn ramp(painter: &Painter, rect: Rect, heat: Heat, text: &str) {
    let bar = Rect::from_min_size(
        rect.left_bottom() + vec2(theme::GAP, -theme::SECTION),
        vec2((0.3 * rect.width()).round(), 4.0),
    );
    painter.rect_filled(bar.expand(2.0), 2.0, over_picture::HALO);
    let steps = 8;
    let width = bar.width() / steps as f32;
    let ink = |i: usize| theme::from_rgb(heat.color(i as f32 / steps as f32));
    for i in 0..steps {
        let piece = Rect::from_min_size(
            bar.min + vec2(i as f32 * width, 0.0),
            vec2(width, bar.height()),
        );
        painter.add(Shape::gradient_rect(
            piece,
            egui::Direction::LeftToRight,
            [ink(i), ink(i + 1)],
        ));
    }
    note(painter, bar.left_top() + vec2(bar.width(), -2.0), text);
}

/// Text on a dark ground whose lower right corner is `at`.
pub(super) fn note(painter: &Painter, at: Pos2, text: &str) {
    let galley = painter.layout_no_wrap(
        text.to_owned(),
        egui::FontId::proportional(11.0),
        over_picture::TEXT,
    );
    let left = (at.x - galley.size().x).max(painter.clip_rect().left() + theme::GAP);
    let rect = Rect::from_min_size(pos2(left, at.y - galley.size().y - 2.0), galley.size());
    painter.rect_filled(rect.expand2(vec2(3.0, 1.0)), 2.0, over_picture::HALO);
    painter.galley(rect.min, galley, over_picture::TEXT);
}
