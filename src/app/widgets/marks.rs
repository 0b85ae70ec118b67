//! The shapes of candidates: kind by glyph and hue, standing by line and fill.

use egui::{Align2, Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, TextStyle, Ui, pos2};

use crate::app::coverage::Why;
use crate::app::theme::Palette;
use crate::facs::ScoredUnit;
use crate::recognition::{Recognition, UnitReading};
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

/// "ME" and "MaE", as the field abbreviates them.
#[must_use]
pub const fn short(kind: ExpressionKind) -> &'static str {
    match kind {
        ExpressionKind::Macro => "MaE",
        ExpressionKind::Micro => "ME",
    }
}

/// The word for how a candidate stands.
#[must_use]
pub const fn standing(interval: &SpottedInterval) -> &'static str {
    match interval.status {
        IntervalStatus::Accepted => "accepted",
        IntervalStatus::Rejected => "rejected",
        IntervalStatus::Proposed if interval.provisional => "provisional",
        IntervalStatus::Proposed => "proposed",
    }
}

/// What a network reads, as FACS coders write it: `L12`.
#[must_use]
pub fn unit_code(reading: &UnitReading) -> String {
    let scored = ScoredUnit {
        unit: reading.unit,
        side: reading.side,
        intensity: None,
    };
    scored.facs()
}

/// Those that are present, by their numbers: `1`, `L12`.
#[must_use]
pub fn unit_codes(recognition: &Recognition) -> Vec<String> {
    let mut present = recognition.present();
    present.sort_by_key(|reading| reading.unit);
    present.into_iter().map(unit_code).collect()
}

/// Codes in one line, as [`facs_score`](crate::facs::facs_score) writes those of a coder:
/// `AU 1+L12`; empty where there are none.
#[must_use]
pub fn together(codes: &[String]) -> String {
    if codes.is_empty() {
        String::new()
    } else {
        format!("AU {}", codes.join("+"))
    }
}

/// Why nothing was measured, in the middle of the shaded stretch; nothing where it is too
/// narrow for the words.
pub fn named(ui: &Ui, painter: &Painter, stretch: Rect, why: Why, p: &Palette) {
    let font = TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(why.label(), font, p.weak);
    if galley.size().x + 2.0 <= stretch.width() {
        let at = Align2::CENTER_CENTER.anchor_size(stretch.center(), galley.size());
        painter.galley(at.min, galley, p.weak);
    }
}

/// A diamond for micro, a square for macro.
pub fn kind_glyph(painter: &Painter, at: Pos2, kind: ExpressionKind, ink: Color32) {
    let d = 4.0;
    match kind {
        ExpressionKind::Macro => {
            painter.rect_filled(
                Rect::from_center_size(at, egui::Vec2::splat(2.0 * d - 1.0)),
                0.0,
                ink,
            );
        }
        ExpressionKind::Micro => {
            let d = d + 1.0;
            painter.add(Shape::convex_polygon(
                vec![
                    pos2(at.x, at.y - d),
                    pos2(at.x + d, at.y),
                    pos2(at.x, at.y + d),
                    pos2(at.x - d, at.y),
                ],
                ink,
                Stroke::NONE,
            ));
        }
    }
}

/// An interval as a bar: proposed outlined, provisional amber and dashed, accepted
/// filled, rejected hatched and faint.
pub fn bar(painter: &Painter, rect: Rect, interval: &SpottedInterval, p: &Palette) {
    let hue = p.track(interval.kind);
    let rect = if rect.width() < 3.0 {
        Rect::from_center_size(rect.center(), egui::vec2(3.0, rect.height()))
    } else {
        rect
    };
    match interval.status {
        IntervalStatus::Accepted => {
            painter.rect_filled(rect, 2.0, hue);
        }
        IntervalStatus::Rejected => {
            let faint = hue.gamma_multiply(0.5);
            hatch(painter, rect, faint);
            painter.rect_stroke(rect, 0.0, Stroke::new(1.0, faint), StrokeKind::Inside);
        }
        IntervalStatus::Proposed if interval.provisional => {
            let corners = [
                rect.left_top(),
                rect.right_top(),
                rect.right_bottom(),
                rect.left_bottom(),
                rect.left_top(),
            ];
            painter.extend(Shape::dashed_line(
                &corners,
                Stroke::new(1.5, p.amber),
                4.0,
                3.0,
            ));
        }
        IntervalStatus::Proposed => {
            painter.rect_filled(rect, 2.0, hue.gamma_multiply(0.18));
            painter.rect_stroke(rect, 2.0, Stroke::new(1.5, hue), StrokeKind::Inside);
        }
    }
}

/// Strokes from lower left to upper right, 4 points apart.
pub fn hatch(painter: &Painter, rect: Rect, ink: Color32) {
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let visible = painter.clip_rect();
    // Lines stand at fixed places of the window, so neighbouring spans match.
    let mut x = ((visible.left() - rect.height()) / 4.0).floor() * 4.0;
    while x < visible.right() {
        painter.line_segment(
            [pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())],
            Stroke::new(1.0, ink),
        );
        x += 4.0;
    }
}
