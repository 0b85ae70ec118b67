//! Buttons with a drawn icon, an accessible name and a tooltip that names the key.

use egui::{Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2};

use crate::app::keys;
use crate::app::theme::{CONTROL, Palette};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Play,
    Pause,
    Forward,
    Back,
    ForwardTen,
    BackTen,
    NextSpot,
    PreviousSpot,
    Accept,
    Reject,
    Close,
}

/// `does` is the accessible name; its key is looked up for the tooltip. `why_not`
/// disables the button and is shown instead.
pub fn button(ui: &mut Ui, icon: Icon, does: &str, why_not: Option<&str>) -> Response {
    let sense = if why_not.is_some() {
        Sense::hover()
    } else {
        Sense::click()
    };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(CONTROL), sense);
    let enabled = why_not.is_none();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, does));
    if ui.is_rect_visible(rect) {
        let p = Palette::current(ui);
        let ink = if enabled { p.text } else { p.hairline };
        if enabled && (response.hovered() || response.has_focus()) {
            ui.painter().rect_filled(rect, 4.0, p.hovered);
        }
        paint(ui.painter(), icon, rect.shrink(6.0), ink);
    }
    match why_not {
        Some(why) => response.on_hover_text(format!("{}. {why}", keys::tip(ui, does))),
        None => response.on_hover_text(keys::tip(ui, does)),
    }
}

/// Draws the icon inside a square.
pub fn paint(painter: &Painter, icon: Icon, r: Rect, ink: egui::Color32) {
    let c = r.center();
    let (w, h) = (r.width(), r.height());
    let triangle = |left: f32, right: f32, flip: bool| {
        let (tip, base) = if flip { (left, right) } else { (right, left) };
        Shape::convex_polygon(
            vec![pos2(base, r.top()), pos2(tip, c.y), pos2(base, r.bottom())],
            ink,
            Stroke::NONE,
        )
    };
    let bar = |x: f32| {
        Shape::rect_filled(
            Rect::from_min_max(pos2(x, r.top()), pos2(x + 2.0, r.bottom())),
            0.0,
            ink,
        )
    };
    let line = |points: &[Pos2]| Shape::line(points.to_vec(), Stroke::new(1.5, ink));
    match icon {
        Icon::Play => {
            painter.add(triangle(r.left() + 1.0, r.right(), false));
        }
        Icon::Pause => {
            for x in [c.x - 4.0, c.x + 1.0] {
                painter.rect_filled(
                    Rect::from_min_max(pos2(x, r.top()), pos2(x + 3.0, r.bottom())),
                    0.0,
                    ink,
                );
            }
        }
        Icon::Forward | Icon::Back => {
            let back = icon == Icon::Back;
            painter.add(triangle(c.x - 4.0, c.x + 3.0, back));
            painter.add(bar(if back { c.x - 6.0 } else { c.x + 4.0 }));
        }
        Icon::ForwardTen | Icon::BackTen => {
            let back = icon == Icon::BackTen;
            painter.add(triangle(r.left(), c.x, back));
            painter.add(triangle(c.x, r.right(), back));
        }
        Icon::NextSpot | Icon::PreviousSpot => {
            let back = icon == Icon::PreviousSpot;
            let (from, to, mark) = if back {
                (c.x - 1.0, r.right(), r.left() + 2.0)
            } else {
                (r.left(), c.x + 1.0, r.right() - 2.0)
            };
            painter.add(triangle(from, to, back));
            let d = 3.5;
            painter.add(Shape::convex_polygon(
                vec![
                    pos2(mark, c.y - d),
                    pos2(mark + d, c.y),
                    pos2(mark, c.y + d),
                    pos2(mark - d, c.y),
                ],
                ink,
                Stroke::NONE,
            ));
        }
        Icon::Accept => {
            painter.add(line(&[
                pos2(r.left(), c.y + 0.5),
                pos2(c.x - 0.15 * w, r.bottom() - 1.0),
                pos2(r.right(), r.top() + 0.15 * h),
            ]));
        }
        Icon::Reject | Icon::Close => {
            let q = r.shrink(1.0);
            painter.add(line(&[q.left_top(), q.right_bottom()]));
            painter.add(line(&[q.right_top(), q.left_bottom()]));
        }
    }
}
