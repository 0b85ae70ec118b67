//! All annotations, a row each: when it begins, its frames, what is coded, and by whom.

use egui::{Align2, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::app::coder::Coded;
use crate::app::command::Command;
use crate::app::panels::moments;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{marks, row};
use crate::facs::facs_score;
use crate::spotting::IntervalStatus;
use crate::timeline::Annotation;

/// Of one annotation.
const ROW: f32 = 40.0;

/// Of all coders, but in a blind pass one's own; what was rejected is no annotation.
pub(in crate::app) fn listed<'a>(
    state: &'a AppState,
    review: &'a Review,
) -> impl Iterator<Item = &'a Annotation> {
    let (blind, coder) = (state.blind(), &state.settings.coder);
    (review.coding.annotations().iter())
        .filter(move |a| a.status != IntervalStatus::Rejected && (!blind || a.coder == *coder))
}

pub(super) fn show(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    let shown: Vec<&Annotation> = listed(state, review).collect();
    if shown.is_empty() {
        ui.label(row::weak(ui, "No annotation yet."));
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical()
        .id_salt("annotations")
        .auto_shrink([false, false]);
    area.show_rows(ui, ROW, shown.len(), |ui, visible| {
        for at in visible {
            entry(ui, review, shown[at], out);
        }
    });
}

fn entry(ui: &mut Ui, review: &Review, a: &Annotation, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let response = response.with_new_rect(row::in_sight(ui, rect));
    let on = review.marked == Some(a.id);
    let clock = review.time_of(a.onset).clock();
    let what = [facs_score(&a.units), a.emotion.clone().unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("  ");
    let by = if a.coder.is_empty() {
        ""
    } else {
        a.coder.as_str()
    };
    response.widget_info(|| {
        let name = format!(
            "{}, onset {clock} frame {} to {}, {what} {by}",
            marks::short(a.kind),
            a.onset,
            a.offset
        );
        WidgetInfo::selected(Role::ListBoxOption, true, on, name)
    });
    if response.clicked() {
        out.push(Command::Code(Coded::Select(Some(a.id))));
    }
    let hovered = response.hovered();
    response.on_hover_text(moments::in_words(review, (a.onset, a.apex, a.offset)));
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if on || hovered {
        let fill = if on { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    let small = TextStyle::Small.resolve(ui.style());
    let mono = theme::small_mono().resolve(ui.style());
    let (left, right) = (rect.left() + 8.0, rect.right() - 8.0);
    let (first, second) = (rect.top() + 12.0, rect.top() + 28.0);
    let at = |x, y| pos2(x, y);
    let middle = Align2::LEFT_CENTER;
    painter.text(
        at(left, first),
        middle,
        marks::short(a.kind),
        small.clone(),
        p.track(a.kind),
    );
    painter.text(at(left + 32.0, first), middle, clock, mono.clone(), p.text);
    let frames = format!("{}–{}", grouped(a.onset), grouped(a.offset));
    painter.text(
        at(left + 112.0, first),
        middle,
        frames,
        small.clone(),
        p.weak,
    );
    painter.text(at(right, first), Align2::RIGHT_CENTER, by, small, p.weak);
    let (text, ink) = if what.is_empty() {
        ("nothing coded yet".to_owned(), p.weak)
    } else {
        (what, p.text)
    };
    painter.text(at(left, second), middle, text, mono, ink);
}
