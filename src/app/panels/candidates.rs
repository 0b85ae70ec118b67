//! The candidates, best score first, each with its times, score and standing.

use egui::{Align2, Rect, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::app::command::Command;
use crate::app::decisions::SpotKey;
use crate::app::keys;
use crate::app::panels::source::grouped;
use crate::app::panels::timeline::with_unit;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{marks, row};
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

/// Three lines of a candidate and the space around them.
const ROW: f32 = 68.0;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    let list = review.ranked();
    if list.is_empty() {
        nothing(ui, review, out);
        return;
    }
    summary(ui, review, list.len());
    ui.add_space(theme::GRID);
    egui::Panel::bottom("judge")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .show_separator_line(false)
        .show(ui, |ui| {
            ui.add_space(theme::GAP);
            judge(ui, review, out);
        });
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show_rows(ui, ROW, list.len(), |ui, visible| {
            let micro = list
                .iter()
                .filter(|s| s.kind == ExpressionKind::Micro)
                .count();
            for at in visible {
                // Counted anew for each kind.
                let rank = if at < micro { at } else { at - micro };
                candidate(ui, review, rank, list[at], out);
            }
        });
}

fn summary(ui: &mut Ui, review: &Review, shown: usize) {
    let count = |kind| review.spots.iter().filter(|s| s.kind == kind).count();
    let hidden = review.spots.len() - shown;
    let mut text = format!(
        "{} ME, then {} MaE, each ranked by score",
        count(ExpressionKind::Micro),
        count(ExpressionKind::Macro),
    );
    if hidden > 0 {
        text.push_str(&format!("; {hidden} below the line"));
    }
    ui.add(egui::Label::new(row::weak(ui, text)).wrap());
}

fn nothing(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    ui.add_space(theme::SECTION);
    let hidden = review.spots.len();
    if hidden > 0 {
        ui.label(format!(
            "All {hidden} candidates lie below the threshold line that you moved."
        ));
        ui.add_space(theme::GAP);
        if ui.button("Put the line back").clicked() {
            for kind in ExpressionKind::BOTH {
                out.push(Command::Floor(kind, None));
            }
        }
        return;
    }
    ui.label(if review.recording.finished {
        "No movement of this recording stands out from its own noise."
    } else if review.status.failed.is_some() {
        "The analysis stopped before it found a candidate."
    } else {
        "Candidates appear here as the analysis finds them."
    });
}

fn candidate(
    ui: &mut Ui,
    review: &Review,
    rank: usize,
    spot: &SpottedInterval,
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let key = SpotKey::of(spot);
    let selected = review.selected == Some(key);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let name = format!(
        "{}. {} {}, apex {} frame {}, score {:.4}",
        rank + 1,
        marks::short(spot.kind),
        marks::standing(spot),
        review.time_of(spot.apex).clock(),
        spot.apex,
        spot.score
    );
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, &name));
    if ui.is_rect_visible(rect) {
        paint(
            ui,
            review,
            spot,
            rect,
            (rank, selected, response.hovered()),
            &p,
        );
    }
    if response.double_clicked() {
        out.push(Command::Select(Some(key)));
        out.push(Command::FitSelected);
    } else if response.clicked() {
        out.push(Command::Select(Some(key)));
    }
}

/// Painted rather than laid out: the figures of all rows stand in the same columns.
fn paint(
    ui: &Ui,
    review: &Review,
    spot: &SpottedInterval,
    rect: Rect,
    (rank, selected, hovered): (usize, bool, bool),
    p: &Palette,
) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let style = ui.style();
    let (body, small) = (
        TextStyle::Body.resolve(style),
        TextStyle::Small.resolve(style),
    );
    let mono = theme::small_mono().resolve(style);
    if selected || hovered {
        let fill = if selected { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    if selected {
        let edge = Rect::from_min_max(
            rect.min + vec2(0.0, 4.0),
            pos2(rect.left() + 2.0, rect.bottom() - 4.0),
        );
        painter.rect_filled(edge, 1.0, p.accent);
    }
    let rejected = spot.status == IntervalStatus::Rejected;
    let hue = p.track(spot.kind);
    let ink = if rejected { p.weak } else { p.text };
    let left = rect.left() + 8.0;
    let line = |i: f32| rect.top() + 16.0 + 16.0 * i + if i > 0.0 { 2.0 } else { 0.0 };

    painter.text(
        pos2(left, line(0.0)),
        Align2::LEFT_CENTER,
        format!("{}", rank + 1),
        small.clone(),
        p.weak,
    );
    marks::kind_glyph(&painter, pos2(left + 24.0, line(0.0)), spot.kind, hue);
    painter.text(
        pos2(left + 36.0, line(0.0)),
        Align2::LEFT_CENTER,
        marks::short(spot.kind),
        body,
        hue,
    );
    let sample = Rect::from_center_size(pos2(left + 84.0, line(0.0)), vec2(20.0, 8.0));
    marks::bar(&painter, sample, spot, p);
    painter.text(
        pos2(left + 100.0, line(0.0)),
        Align2::LEFT_CENTER,
        marks::standing(spot),
        small.clone(),
        if spot.provisional { p.amber } else { ink },
    );
    painter.text(
        pos2(rect.right() - 8.0, line(0.0)),
        Align2::RIGHT_CENTER,
        with_unit(spot.score, review.session.sources.get(&spot.kind)),
        mono.clone(),
        ink,
    );
    let columns = [
        (left, "onset", spot.onset),
        (left + 0.34 * (rect.width() - 16.0), "apex", spot.apex),
        (left + 0.68 * (rect.width() - 16.0), "offset", spot.offset),
    ];
    for (x, name, frame) in columns {
        let clock = review.time_of(frame).clock();
        // The hour is left out where there is none.
        let clock = clock.strip_prefix("0:").unwrap_or(&clock).to_owned();
        painter.text(
            pos2(x, line(1.0)),
            Align2::LEFT_CENTER,
            clock,
            mono.clone(),
            ink,
        );
        painter.text(
            pos2(x, line(2.0)),
            Align2::LEFT_CENTER,
            format!("{name} {}", grouped(frame)),
            small.clone(),
            p.weak,
        );
    }
}

fn judge(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    let spot = review.selected_spot();
    let width = (ui.available_width() - 2.0 * theme::GAP - 64.0) / 2.0;
    ui.horizontal(|ui| {
        for (does, done, status) in [
            ("Accept", "Accepted", IntervalStatus::Accepted),
            ("Reject", "Rejected", IntervalStatus::Rejected),
        ] {
            let made = spot.is_some_and(|s| s.status == status);
            let button = egui::Button::selectable(made, if made { done } else { does })
                .frame_when_inactive(true)
                .min_size(vec2(width, theme::CONTROL));
            let response = ui
                .add_enabled(spot.is_some(), button)
                .on_hover_text(if made {
                    "Again takes it back".to_owned()
                } else {
                    keys::tip(does)
                })
                .on_disabled_hover_text("Select a candidate first: click it, or press N.");
            if response.clicked() {
                out.push(Command::Decide(status));
            }
        }
        let save = egui::Button::new("Save").min_size(vec2(64.0, theme::CONTROL));
        if ui
            .add(save)
            .on_hover_text(format!(
                "{}: a new intervals.csv beside the recording",
                keys::tip("Save the candidates")
            ))
            .clicked()
        {
            out.push(Command::Save);
        }
    });
}
