//! The whole recording as one bar under the timeline.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2};

use super::timeline::{SCORE_AXIS, cursor};
use crate::app::command::Command;
use crate::app::review::Review;
use crate::app::theme::{self, Palette};
use crate::app::time_view::TimeView;
use crate::app::widgets::marks;
use crate::base::Timestamp;
use crate::spotting::{ExpressionKind, SpottedInterval};

pub(super) const OVERVIEW: f32 = 16.0;

/// The whole recording in one bar: candidates (not in a blind pass), gaps, and the stretch shown above.
pub(super) fn show(
    ui: &mut Ui,
    review: &Review,
    (view, blind): (TimeView, bool),
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let (full, _) = ui.allocate_exact_size(vec2(ui.available_width(), OVERVIEW), Sense::hover());
    let rect = Rect::from_min_max(pos2(full.left() + SCORE_AXIS, full.top()), full.max);
    ui.painter().text(
        pos2(rect.left() - theme::GAP, rect.center().y),
        Align2::RIGHT_CENTER,
        "overview",
        TextStyle::Small.resolve(ui.style()),
        p.weak,
    );
    let response = ui.interact(
        rect,
        ui.scope_id().with("overview"),
        Sense::click_and_drag(),
    );
    let left = review.not_analysed();
    response.widget_info(|| {
        let mut name = "Overview of the whole recording".to_owned();
        if let Some(left) = left {
            let from = Timestamp::from_secs(left.start).clock();
            name.push_str(&format!(", {} from {from} on", left.why.label()));
        }
        WidgetInfo::labeled(Role::Canvas, true, name)
    });
    let limits = review.limits();
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 2.0, p.ground);
    let x = |t: f64| rect.left() + ((t - limits.start) / limits.span()) as f32 * rect.width();
    for span in review.unscored(None, limits) {
        let (a, b) = (x(span.start), x(span.end));
        painter.rect_filled(
            Rect::from_x_y_ranges(a..=b.max(a + 1.0), rect.y_range()),
            0.0,
            p.shade,
        );
    }
    if let Some(left) = left {
        let span = Rect::from_x_y_ranges(x(left.start)..=x(left.end), rect.y_range());
        marks::named(ui, &painter, span, left.why, &p);
    }
    let analysed = x(review.recording.end().secs());
    if !review.recording.finished && !review.session.info.live {
        painter.hline(
            rect.left()..=analysed,
            rect.bottom() - 1.0,
            Stroke::new(2.0, p.accent),
        );
    }
    for spot in &review.spots {
        if blind || !review.above_floor(spot) {
            continue;
        }
        let top = match spot.kind {
            ExpressionKind::Micro => rect.top() + 2.0,
            ExpressionKind::Macro => rect.center().y + 1.0,
        };
        let a = x(review.time_of(spot.onset).secs());
        let b = x(review.time_of(spot.offset).secs()).max(a + 3.0);
        let bar = Rect::from_x_y_ranges(a..=b, top..=top + 5.0);
        painter.rect_filled(bar, 1.0, ink_of(spot, &p));
    }
    if review.timeline.view.is_some() {
        let window = Rect::from_x_y_ranges(x(view.start)..=x(view.end), rect.y_range());
        painter.rect_filled(window, 0.0, p.accent.gamma_multiply(0.16));
        painter.rect_stroke(
            window,
            2.0,
            Stroke::new(1.0, p.accent),
            egui::StrokeKind::Inside,
        );
    }
    cursor(&painter, review, rect, x, &p);
    if (response.clicked() || response.dragged())
        && let Some(at) = response.interact_pointer_pos()
    {
        let share = f64::from((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        let t = limits.start + share * limits.span();
        if review.timeline.view.is_some() {
            let centre = 0.5 * (view.start + view.end);
            out.push(Command::LookAt(Some(view.panned(t - centre, limits))));
        } else {
            out.push(Command::SeekSecs(t));
        }
    }
}

fn ink_of(spot: &SpottedInterval, p: &Palette) -> Color32 {
    use crate::spotting::IntervalStatus::{Accepted, Proposed, Rejected};
    match spot.status {
        Proposed if spot.provisional => p.amber,
        Proposed | Accepted => p.track(spot.kind),
        Rejected => p.track(spot.kind).gamma_multiply(0.4),
    }
}
